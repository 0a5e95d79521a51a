package app

import (
	"cmp"
	"fmt"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// A progressView is the line that says what goes on, and what went wrong.
type progressView struct {
	Text      string
	Percent   int
	Moving    bool // show the bar
	Canceling bool
	Cancel    bool
	Failures  []string
	Retry     bool
	Hidden    bool // the tab was hidden while it measured
}

// progress lays out the progress line of the runs.
func (s *State) progress() progressView { return s.progressOf(s.Runs, s.over()) }

// progressOf lays out the progress line of runs that follow each other; over says how they ended.
func (s *State) progressOf(runs []Run, over string) progressView {
	v := progressView{Percent: int(100 * fraction(runs))}
	for _, r := range runs {
		v.Hidden = v.Hidden || r.Hidden
		if r.Phase == RunFailed {
			v.Retry = true
			v.Failures = append(v.Failures, runName(r.Host)+" failed. "+sentence(r.Text))
		}
	}
	run := current(runs)
	if run == nil {
		v.Text = over
		return v
	}
	v.Moving, v.Cancel = true, true
	switch run.Phase {
	case RunWaiting:
		v.Text = s.waitsFor(run)
		if p := s.preparing(run); p >= 0 {
			v.Percent = int(100 * p)
		}
	case RunQueued:
		v.Text = "Waiting natively: " + plural(run.Position, "run") + " ahead of this one"
	case RunCanceling:
		v.Text, v.Canceling = "Cancelling …", true
	default:
		where := "This browser: "
		if run.Host == wire.Native {
			where = "Natively: "
		}
		step := run.Step
		if step == "" {
			step = "starting"
		}
		v.Text = where + step
	}
	return v
}

// waitsFor says for what a run waits.
func (s *State) waitsFor(run *Run) string {
	ahead := s.ahead()
	switch {
	case s.Native.Phase == NativePreparing:
		return preparingText(s.Native)
	case run.Host == wire.Browser && s.Engine.Phase == EngineLoading:
		return upperFirst(cmp.Or(strings.TrimSuffix(s.Engine.Text, "."), "starting the engine in this browser"))
	case run.Host == wire.Native && s.Native.Phase == NativeUnknown:
		return "Asking the server for its engine"
	case ahead != "":
		return "Waiting for " + ahead + " to end, so that they do not compete"
	}
	return "Starting"
}

// preparing is how far that has come for which a run waits, 0 to 1, or -1 where nobody says.
func (s *State) preparing(run *Run) float64 {
	switch {
	case s.Native.Phase == NativePreparing:
		return s.Native.Fraction
	case run.Host == wire.Browser && s.Engine.Phase == EngineLoading:
		return s.Engine.Fraction
	}
	return -1
}

// firstStart says what a server does that answers for the first time.
const firstStart = "First start: the server trains the models, which takes one to four minutes"

// preparingText says what the server prepares, and what follows.
func preparingText(n Native) string {
	text := firstStart + ". This run then starts by itself"
	if n.Text != "" {
		text += ". Now: " + n.Text
	}
	return text
}

// over says how the runs ended.
func (s *State) over() string {
	done, canceled, failed, where := 0, false, false, ""
	for _, r := range s.Runs {
		switch r.Phase {
		case RunDone:
			done++
			where = inHost(r.Host)
		case RunCanceled:
			canceled = true
		case RunFailed:
			failed = true
		}
	}
	rows := plural(len(s.Results.Rows), "row")
	switch {
	case canceled && len(s.Results.Rows) > 0:
		return "Cancelled. What was finished stays: " + rows + "."
	case canceled:
		return "Cancelled before the first row."
	case failed && len(s.Results.Rows) > 0:
		return "Stopped. What was finished stays: " + rows + "."
	case done > 1:
		return "Finished in this browser and natively: " + rows + "."
	case done == 1:
		return "Finished " + where + ": " + rows + "."
	}
	return "Nothing was measured."
}

// underWay shows how far something is, with the button that cancels it.
func underWay(percent int, canceling bool, id string, cancel goapp.EventHandler) []goapp.UI {
	label := "Cancel"
	if canceling {
		label = "Cancelling"
	}
	return []goapp.UI{
		goapp.Progress().Max(100).Value(percent).Aria("label", "Progress"),
		goapp.Span().Class("percent").Text(fmt.Sprintf("%d%%", percent)),
		disable(goapp.Button().Type("button"), canceling).ID(id).Text(label).OnClick(cancel),
	}
}

// progress shows a progressView, of the runs or of an operation's experiments. Its place is always taken, so that nothing moves
// when a run starts or ends.
type progress struct {
	goapp.Compo
	S    *session
	Op   string // "": the runs
	View progressView
}

// id is unique in the page.
func (p *progress) id(name string) string {
	if p.Op == "" {
		return name
	}
	return p.Op + "-" + name
}

func (p *progress) Render() goapp.UI {
	v := p.View
	line := []goapp.UI{goapp.Span().Class("step").ID(p.id("step")).Text(v.Text)}
	if v.Moving {
		line = append(line, underWay(v.Percent, v.Canceling, p.id("cancel"), p.onCancel)...)
	}
	body := []goapp.UI{goapp.Div().Class("status").Body(line...)}
	if v.Hidden {
		body = append(body, goapp.P().Class("notice warn").ID(p.id("hidden-tab")).Text(
			"This tab was in the background while it measured. Browsers slow such tabs down, so its latencies may be too high: "+
				"run again and keep the tab in front."))
	}
	for i, f := range v.Failures {
		alert := []goapp.UI{goapp.P().Text(f)}
		if v.Retry && i == len(v.Failures)-1 && !v.Moving {
			alert = append(alert, goapp.Button().Type("button").ID(p.id("retry")).Text("Retry").OnClick(p.onRetry))
		}
		body = append(body, goapp.Div().Class("notice bad").Body(alert...))
	}
	return goapp.Div().Class("progress").Body(body...)
}

func (p *progress) onCancel(goapp.Context, goapp.Event) {
	if p.Op == "" {
		p.S.cancelAll()
		return
	}
	p.S.cancelExperiments(p.Op)
}

func (p *progress) onRetry(goapp.Context, goapp.Event) {
	if p.Op == "" {
		p.S.retry()
		return
	}
	p.S.repeatExperiments(p.Op)
}
