package app

import (
	"strings"
	"time"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// An errandView is the line that says how far a question to the worker has come, and what went wrong with it.
type errandView struct {
	Text    string
	Percent int
	Moving  bool // it takes long enough for a bar and a way out
	Failed  bool
	Retry   bool // it can be asked once more
}

// barAfter is how long an errand takes before it gets a bar: most are over sooner.
const barAfter = 1500 * time.Millisecond

// lineOf lays out an errand about a model. What is being done takes the place of the doing's name once the worker tells.
func lineOf(e errand, model, waiting, doing string) errandView {
	switch e.Phase {
	case errandAsked, errandIdle:
		v := errandView{Percent: int(100 * e.Fraction), Moving: e.Step != "" && time.Since(e.Since) > barAfter}
		switch {
		case e.Phase == errandIdle:
		case v.Moving:
			// Which model it is stands above.
			v.Text = upperFirst(strings.TrimPrefix(e.Step, model+", "))
		case waiting != "":
			v.Text = waiting + " …"
		default:
			v.Text = doing + " …"
		}
		return v
	case errandCanceled:
		return errandView{Text: "Cancelled: the figures are not this plan’s.", Retry: true}
	case errandFailed:
		return errandView{Text: sentence(e.Text), Failed: true, Retry: true}
	}
	return errandView{}
}

// errandLine shows an errand in a place that is always taken.
type errandLine struct {
	goapp.Compo
	S    *session
	Lane string
	View errandView
}

func (l *errandLine) Render() goapp.UI {
	v := l.View
	class := "errand"
	if v.Failed {
		class += " failed"
	}
	line := []goapp.UI{goapp.Span().Class("step").ID(l.Lane + "-step").Text(v.Text)}
	if v.Moving {
		line = append(line, underWay(v.Percent, false, l.Lane+"-cancel", l.onCancel)...)
	}
	if v.Retry {
		line = append(line, disable(goapp.Button().Type("button"), false).ID(l.Lane+"-retry").Text("Try again").OnClick(l.onRetry, "retry"))
	}
	return goapp.Div().Class(class).Body(line...)
}

func (l *errandLine) onRetry(goapp.Context, goapp.Event)  { l.S.retryErrand(l.Lane) }
func (l *errandLine) onCancel(goapp.Context, goapp.Event) { l.S.cancelErrand(l.Lane) }
