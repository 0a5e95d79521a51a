package app

import (
	"cmp"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// engineUp reports whether a question would be answered now.
func (s *session) engineUp() bool {
	return s.data && s.Engine.Phase == EngineReady && s.Native.Phase != NativePreparing && s.Native.Phase != NativeBroken
}

// An engineView is why there are no answers yet. Without a Text there is no reason.
type engineView struct {
	Text    string
	Percent int
	Failed  bool
	Again   string // what the button says that tries again
}

// engineView lays out the state of the engine that answers questions.
func (s *session) engineView() engineView {
	switch {
	case s.Native.Phase == NativeBroken:
		return engineView{Text: sentence(brokenText(s.Native)), Failed: true, Again: "Try again"}
	case s.Engine.Phase == EngineFailed:
		return engineView{Text: sentence(s.Engine.Text), Failed: true, Again: "Start again"}
	case s.Native.Phase == NativePreparing:
		return engineView{Text: preparingText(s.Native, "Answers then come by themselves"), Percent: int(100 * s.Native.Fraction)}
	case s.Engine.Phase == EngineLoading:
		return engineView{Text: loadingText(s.Engine), Percent: int(100 * s.Engine.Fraction)}
	}
	return engineView{}
}

// loadingText says what of the browser's engine is loading.
func loadingText(e Engine) string {
	return upperFirst(cmp.Or(e.Text, "starting the engine in this browser"))
}

// preparingText says what the server prepares, and what follows.
func preparingText(n Native, then string) string {
	text := "First start: the server trains the models, which takes one to four minutes. " + then
	if n.Text != "" {
		text += ". Now: " + n.Text
	}
	return text
}

// enginePanel stands where answers would, and says why there are none. It is an empty box where there could be.
func (s *session) enginePanel() goapp.UI { return &enginePanel{S: s, View: s.engineView()} }

type enginePanel struct {
	goapp.Compo
	S    *session
	View engineView
}

func (p *enginePanel) Render() goapp.UI {
	v := p.View
	if v.Text == "" {
		return goapp.Div().Class("engine-panel")
	}
	if v.Failed {
		return goapp.Div().Class("engine-panel").Body(goapp.Div().Class("notice bad").Role("alert").Body(
			goapp.P().Text(v.Text),
			goapp.Button().Type("button").Class("start-again").Text(v.Again).OnClick(p.onAgain),
		))
	}
	return goapp.Div().Class("engine-panel").Body(goapp.Div().Class("status").Body(
		goapp.Span().Class("step").Text(v.Text),
		goapp.Progress().Max(100).Value(v.Percent).Aria("label", "Getting ready"),
	))
}

func (p *enginePanel) onAgain(goapp.Context, goapp.Event) { p.S.startAgain() }
