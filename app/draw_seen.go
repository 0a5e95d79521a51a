package app

import (
	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report/chart"
)

// An otherwise is what the first model says to the drawing with centring and scaling switched, so that the reader sees beside
// each other what they do.
type otherwise struct {
	Prediction *wire.Prediction
	Input      int // that it belongs to
}

// askOtherwise shows what is on the pad to the first model once more, the other way. To an image of the test set there is no
// other way.
func (s *session) askOtherwise() {
	d := &s.Draw
	drawing := d.drawing()
	if drawing == nil || d.sketch.Example != nil || d.other.Prediction != nil && d.other.Input == d.input {
		return
	}
	input := d.input
	drawing.AsDrawn = !drawing.AsDrawn
	request := &wire.PredictRequest{Model: d.asked()[0], Drawing: drawing}
	s.ask("draw-other", wire.Command{Op: wire.OpPredict, Predict: request}, true, func(e wire.Event) {
		if e.Kind == wire.EventPrediction && e.Prediction != nil {
			s.Draw.other = otherwise{e.Prediction, input}
		}
		s.redraw(drawPart)
	})
}

// seen shows the images that the nets saw, enlarged, each with the part of it that a net reads; and, smaller, the drawing with
// centring and scaling and without.
type seen struct {
	goapp.Compo
	Level int
	View  seenView
}

type seenView struct {
	Whole, Crop []byte // pixels; none while nothing was seen
	Ink         string // where it is on the whole field, for those who do not see it
	AsDrawn     bool
	Empty       bool // there is nothing to see
	Ways        []seenWay
}

// A seenWay is what float32 says to the drawing as it is, or centred and scaled.
type seenWay struct {
	Title, Answer string
	Pixels        []byte
	Used          bool // that is what the nets see
	Odd           bool // the two ways have different answers
}

const cropSide = 20 // that mnist-lab2 reads

func (s *session) drawSeen() seenView {
	d := &s.Draw
	v := seenView{AsDrawn: d.AsDrawn, Empty: d.drawing() == nil}
	for _, model := range d.asked() {
		if p := d.reply(model).Prediction; p != nil && len(p.Digit) == digitPixels {
			v.Whole = p.Digit
			v.Crop = crop(p.Digit, cropSide)
			v.Ink = inkWords(p.Digit)
			break
		}
	}
	v.Ways = d.ways()
	return v
}

// ways are the drawing as it is, then centred and scaled; none for an image of the test set, and an empty pad.
func (d *DrawState) ways() []seenWay {
	if d.sketch.Example != nil && len(d.stroke) == 0 || d.drawing() == nil {
		return nil
	}
	now, other := d.reply(d.asked()[0]).Prediction, d.other.Prediction
	if other != nil && other.Model != d.asked()[0] {
		other = nil
	}
	way := func(title string, p *wire.Prediction, used bool) seenWay {
		w := seenWay{Title: title, Used: used}
		if p != nil && len(p.Digit) == digitPixels {
			w.Pixels = p.Digit
			if used || d.other.Input == d.input { // else the pen has moved on since
				w.Answer = baselineLabel(p)
			}
		}
		return w
	}
	asDrawn, centred := way("as drawn", other, false), way("centred and scaled", now, true)
	if d.AsDrawn {
		asDrawn, centred = way("as drawn", now, true), way("centred and scaled", other, false)
	}
	odd := asDrawn.Answer != "" && centred.Answer != "" && asDrawn.Answer != centred.Answer
	asDrawn.Odd, centred.Odd = odd, odd
	return []seenWay{asDrawn, centred}
}

// crop cuts the middle of a digit out.
func crop(digit []byte, side int) []byte {
	out := make([]byte, 0, side*side)
	edge := (wire.DigitSide - side) / 2
	for y := edge; y < edge+side; y++ {
		out = append(out, digit[y*wire.DigitSide+edge:][:side]...)
	}
	return out
}

func (n *seen) Render() goapp.UI {
	v := n.View
	caption := "Your digit, moved so that its centre of mass is in the middle, and scaled to a box of 20 × 20 pixels, as MNIST’s digits were."
	switch {
	case v.Empty:
		caption = "Nothing yet: draw a digit, and the pixels that reach the nets stand here."
	case v.AsDrawn:
		caption = "The pad as it is: neither centred nor scaled."
	case v.Ways == nil:
		caption = "An image of the test set comes as it is: it was centred and scaled when MNIST was made."
	}
	frame := func(class string, side int, pixels []byte, model, text string) goapp.UI {
		label := "What " + model + " saw: " + v.Ink
		if pixels == nil {
			label = "No image yet"
		}
		return goapp.Figure().Class("seen-"+class).Body(
			goapp.Raw(chart.Pixels(side, pixels, false, label)),
			goapp.FigCaption().Body(goapp.B().Text(model), goapp.Span().Text(text)),
		)
	}
	return goapp.Div().Class("seen-row").Body(
		goapp.Div().Class("seen").Body(
			heading(n.Level, "seen", "What the nets saw"),
			goapp.P().Class("about").Text(caption),
			goapp.Div().Class("seen-images").Body(
				frame("whole", wire.DigitSide, v.Whole, "mnist-lab1", "all of the 28 × 28 pixels"),
				frame("crop", cropSide, v.Crop, "mnist-lab2", "the middle 20 × 20"),
			),
		),
		goapp.Div().Class("seen-ways").Body(n.ways()...),
	)
}

// ways shows side by side what centring and scaling do.
func (n *seen) ways() []goapp.UI {
	if n.View.Ways == nil {
		return nil
	}
	var figures []goapp.UI
	for _, w := range n.View.Ways {
		says, class, used := "…", "seen-way", ""
		if w.Answer != "" {
			says = "float32 says " + w.Answer
		}
		if w.Odd {
			class += " odd"
		}
		if w.Used {
			used = "in use"
			class += " used"
		}
		figures = append(figures, goapp.Figure().Class(class).Body(
			goapp.Raw(chart.Pixels(wire.DigitSide, w.Pixels, false, "Your drawing "+w.Title)),
			goapp.FigCaption().Body(goapp.Span().Text(w.Title), goapp.B().Text(says), goapp.Small().Text(used)),
		))
	}
	return []goapp.UI{
		goapp.P().Class("seen-title").Text("Why “Centre and scale” matters"),
		goapp.Div().Class("seen-pair").Body(figures...),
	}
}
