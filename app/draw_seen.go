package app

import (
	"fmt"

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
	Frames  []seenFrame
	Ink     string // where it is on the whole field, for those who do not see it
	AsDrawn bool
	Empty   bool // there is nothing to see
	Ways    []seenWay
}

// A seenFrame is the part of the image that a net reads.
type seenFrame struct {
	Model, Text string
	Side        int
	Pixels      []byte // none while nothing was seen
}

// A seenWay is what float32 says to the drawing as it is, or centred and scaled.
type seenWay struct {
	Title, Answer string
	Pixels        []byte
	Used          bool // that is what the nets see
	Odd           bool // the two ways have different answers
}

// frames are what the net of the reader's own reads, or those of the lab, whichever is asked.
func (s *session) frames(digit []byte) []seenFrame {
	models := labDigits()
	if spec := s.spec(s.Draw.asked()[0]); spec.Own {
		models = []string{spec.ID}
	}
	var out []seenFrame
	for _, id := range models {
		f := seenFrame{Model: id, Side: max(s.spec(id).Crop, 1)}
		f.Text = fmt.Sprintf("the middle %d × %d", f.Side, f.Side)
		if f.Side == wire.DigitSide {
			f.Text = fmt.Sprintf("all of the %d × %d pixels", f.Side, f.Side)
		}
		if digit != nil {
			f.Pixels = crop(digit, f.Side)
		}
		out = append(out, f)
	}
	return out
}

func (s *session) drawSeen() seenView {
	d := &s.Draw
	v := seenView{AsDrawn: d.AsDrawn, Empty: d.drawing() == nil}
	var digit []byte
	for _, model := range d.asked() {
		if p := d.reply(model).Prediction; p != nil && len(p.Digit) == digitPixels {
			digit = p.Digit
			v.Ink = inkWords(p.Digit)
			break
		}
	}
	v.Frames = s.frames(digit)
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
	frame := func(i int) goapp.UI {
		f, class := v.Frames[i], "seen-crop"
		label := "What " + f.Model + " saw: " + v.Ink
		if f.Pixels == nil {
			label = "No image yet"
		}
		if f.Side == wire.DigitSide {
			class = "seen-whole"
		}
		return goapp.Figure().Class(class).Body(
			goapp.Raw(chart.Pixels(f.Side, f.Pixels, false, label)),
			goapp.FigCaption().Body(goapp.B().Text(f.Model), goapp.Span().Text(f.Text)),
		)
	}
	return goapp.Div().Class("seen-row").Body(
		goapp.Div().Class("seen").Body(
			heading(n.Level, "seen", "What the nets saw"),
			goapp.P().Class("about").Text(caption),
			goapp.Div().Class("seen-images").Body(goapp.Range(v.Frames).Slice(frame)),
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
