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

// progress lays out the progress line.
func (s *State) progress() progressView {
	v := progressView{Percent: int(100 * s.Fraction())}
	for _, r := range s.Runs {
		v.Hidden = v.Hidden || r.Hidden
		if r.Phase == RunFailed {
			v.Retry = true
			v.Failures = append(v.Failures, runName(r.Host)+" failed. "+sentence(r.Text))
		}
	}
	run := s.Current()
	if run == nil {
		v.Text = s.over()
		return v
	}
	v.Moving, v.Cancel = true, true
	switch run.Phase {
	case RunWaiting:
		v.Text, v.Percent = s.waiting(run)
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

// waiting says for what a run waits, and how far that has come.
func (s *State) waiting(run *Run) (string, int) {
	switch {
	case s.Native.Phase == NativePreparing:
		return preparingText(s.Native), int(100 * s.Native.Fraction)
	case run.Host == wire.Browser && s.Engine.Phase == EngineLoading:
		return upperFirst(cmp.Or(strings.TrimSuffix(s.Engine.Text, "."), "starting the engine in this browser")), int(100 * s.Engine.Fraction)
	case run.Host == wire.Native && s.Native.Phase == NativeUnknown:
		return "Asking the server for its engine", int(100 * s.Fraction())
	}
	return "Starting", int(100 * s.Fraction())
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

// progress shows a progressView. Its place is always taken, so that nothing moves when a run starts or ends.
type progress struct {
	goapp.Compo
	S    *session
	View progressView
}

func (p *progress) Render() goapp.UI {
	v := p.View
	line := []goapp.UI{goapp.Span().Class("step").ID("step").Text(v.Text)}
	if v.Moving {
		line = append(line, underWay(v.Percent, v.Canceling, "cancel", p.onCancel)...)
	}
	body := []goapp.UI{goapp.Div().Class("status").Body(line...)}
	if v.Hidden {
		body = append(body, goapp.P().Class("notice warn").ID("hidden-tab").Text(
			"This tab was in the background while it measured. Browsers slow such tabs down, so its latencies may be too high: "+
				"run again and keep the tab in front."))
	}
	for i, f := range v.Failures {
		alert := []goapp.UI{goapp.P().Text(f)}
		if v.Retry && i == len(v.Failures)-1 && !v.Moving {
			alert = append(alert, goapp.Button().Type("button").ID("retry").Text("Retry").OnClick(p.onRetry))
		}
		body = append(body, goapp.Div().Class("notice bad").Body(alert...))
	}
	return goapp.Div().Class("progress").Body(body...)
}

func (p *progress) onCancel(goapp.Context, goapp.Event) { p.S.cancelAll() }
func (p *progress) onRetry(goapp.Context, goapp.Event)  { p.S.retry() }
