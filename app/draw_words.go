package app

import (
	"fmt"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// inkWords says of an image what can be said of it in words: how much ink there is, and where.
func inkWords(digit []byte) string {
	inked := 0
	left, top, right, bottom := wire.DigitSide, wire.DigitSide, 0, 0
	for i, v := range digit {
		if v >= 128 {
			x, y := i%wire.DigitSide, i/wire.DigitSide
			left, right = min(left, x), max(right, x+1)
			top, bottom = min(top, y), max(bottom, y+1)
			inked++
		}
	}
	if inked == 0 {
		return "no ink"
	}
	return fmt.Sprintf("%d of %d pixels inked, in a box of %d by %d from column %d and row %d", inked, len(digit), right-left, bottom-top, left+1, top+1)
}

// A statusView says what is on the pad, what the view waits for, and what went wrong.
type statusView struct {
	Text    string
	Waiting bool
	Percent int // of the waiting; below 0 where that is not known
	Problem string
	Failed  string
}

func (s *session) drawStatus() statusView {
	d := &s.Draw
	v := statusView{Problem: d.problem, Percent: -1}
	for _, model := range d.asked() {
		r := d.reply(model)
		switch {
		case r.Failed != "":
			v.Failed = r.Failed
		case r.Prediction == nil && d.drawing() != nil:
			v.Waiting = true
			if r.Step != "" {
				v.Text, v.Percent = upperFirst(r.Step), int(100*r.Fraction)
			}
		}
	}
	switch {
	case v.Waiting && v.Text != "":
	case v.Waiting && s.Native.Phase == NativePreparing:
		v.Text, v.Percent = firstStart, int(100*s.Native.Fraction)
	case v.Waiting && s.Engine.Phase == EngineLoading:
		v.Text, v.Percent = "Starting the engine in this browser", int(100*s.Engine.Fraction)
	case v.Waiting:
		v.Text = "Loading the network’s weights"
	default:
		v.Text = sketchWords(d, s.drawTest())
	}
	return v
}

// sketchWords says what is on the pad.
func sketchWords(d *DrawState, test testSet) string {
	k := d.sketch
	switch {
	case d.drawing() == nil:
		return "The pad is empty: draw a digit, choose one below, or drop a picture."
	case k.Unasked:
		return fmt.Sprintf("A sample to begin with: image %d of %s. Your first stroke replaces it.", *k.Example, test.name())
	case k.Example != nil && k.Label != "":
		return fmt.Sprintf("Image %d of %s, a %s. Your first stroke replaces it.", *k.Example, test.name(), k.Label)
	case k.Example != nil:
		return fmt.Sprintf("Image %d of %s. Your first stroke replaces it.", *k.Example, test.name())
	case k.Picture != nil && k.Picture.Note != "":
		return "Your picture. " + sentence(k.Picture.Note)
	case k.Picture != nil:
		return "Your picture. Strokes go on top of it."
	}
	return "Your drawing."
}

type drawStatus struct {
	goapp.Compo
	S    *session
	View statusView
}

func (d *drawStatus) Render() goapp.UI {
	v := d.View
	line := []goapp.UI{goapp.P().ID("draw-status").Text(v.Text)}
	if v.Waiting && v.Percent >= 0 {
		line = append(line, goapp.Progress().Max(100).Value(v.Percent).Aria("label", "Loading"))
	}
	var alerts []goapp.UI
	if v.Problem != "" {
		alerts = append(alerts, goapp.P().Class("notice warn").ID("draw-problem").Text(v.Problem))
	}
	if v.Failed != "" {
		alerts = append(alerts, goapp.Div().Class("notice bad").ID("draw-failed").Body(
			goapp.P().Text(v.Failed),
			goapp.Button().Type("button").ID("draw-retry").Text("Try again").OnClick(d.onRetry),
		))
	}
	return goapp.Div().Class("draw-status").Body(
		goapp.Div().Class("status-line").Body(line...),
		goapp.Div().Body(alerts...),
	)
}

func (d *drawStatus) onRetry(goapp.Context, goapp.Event) { d.S.startAgain() }

// padLabel says what the pad shows, to those who do not see it.
func (s *session) padLabel() string {
	return "Drawing pad. " + sketchWords(&s.Draw, s.drawTest())
}
