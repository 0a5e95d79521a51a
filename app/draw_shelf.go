package app

import (
	"encoding/json"
	"fmt"
	"slices"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report/chart"
)

// sampleDigits are the digits of the test set that can be put on the pad.
type sampleDigits struct {
	Of       string // the reader's own examples that they are of, or ""
	Examples []digitExample
	Seed     uint64
	Failed   string
}

// digitCount is how many are offered at a time: one of each digit, or of each class where there are others, but not of too many.
const digitCount, mostDigits = 10, 26

func (s *session) askDigits() {
	shelf, test := &s.Draw.samples, s.drawTest()
	request := &wire.SamplesRequest{Model: firstDigits, Count: digitCount, Seed: shelf.Seed}
	if test.Of != "" {
		request.Model = s.Draw.asked()[0]
		request.Count = min(max(len(s.spec(request.Model).Labels()), digitCount), mostDigits)
	}
	if shelf.Of != test.Of {
		shelf.Of, shelf.Examples = test.Of, nil
	}
	shelf.Failed = ""
	var got []digitExample
	s.ask("draw-samples", wire.Command{Op: wire.OpSamples, Samples: request}, true, func(e wire.Event) {
		switch {
		case e.Kind == wire.EventExample && e.Example != nil && len(e.Example.Digit) == digitPixels:
			got = append(got, newDigitExample(*e.Example))
		case e.Kind == wire.EventDone:
			s.Draw.samples.Examples = got
		case e.Kind == wire.EventError:
			s.Draw.samples.Failed = sentence(e.Text)
		}
	})
}

func (s *session) moreDigits() {
	s.Draw.samples.Seed++
	s.askDigits()
}

// The kinds of what web/pictures.js has to say of a picture that the reader chose, pasted or dropped.
const (
	pictureReading = "reading" // it is being decoded
	picturePixels  = "picture" // a wire.GrayPicture
	pictureProblem = "problem" // a sentence
)

// hearPicture takes a picture on its way to the pad.
func (s *session) hearPicture(kind, payload string) {
	d := &s.Draw
	switch kind {
	case pictureReading:
		d.reading, d.problem = true, ""
	case pictureProblem:
		s.refusePicture(payload)
	case picturePixels:
		var p wire.GrayPicture
		if json.Unmarshal([]byte(payload), &p) != nil {
			s.refusePicture("The browser could not hand over this picture: try another one.")
			return
		}
		s.ask("picture", wire.Command{Op: wire.OpPicture, Picture: &p}, true, s.takePicture)
	}
}

// takePicture puts what the worker made of a picture on the pad.
func (s *session) takePicture(e wire.Event) {
	switch {
	case e.Kind == wire.EventPicture && e.Picture != nil && len(e.Picture.Centred) == digitPixels && len(e.Picture.AsDrawn) == digitPixels:
		s.Draw.reading = false
		s.penUp()
		s.Draw.put(sketch{Picture: e.Picture})
		s.say("The picture is on the pad. " + sentence(e.Picture.Note))
		s.drawingChanged()
	case e.Kind == wire.EventError:
		s.refusePicture(sentence(e.Text))
	case e.Kind == wire.EventDone, e.Kind == wire.EventCancel:
		s.Draw.reading = false
	}
}

func (s *session) refusePicture(why string) {
	s.Draw.reading, s.Draw.problem = false, why
	s.say(why)
}

// A thumbnail is an example as a button shows it.
type thumbnail struct {
	Image  string // HTML
	Label  string // which image it is, for those who listen
	Words  []string
	Chosen bool
}

// A digitExample is an image of the test set with its picture.
type digitExample struct {
	Example wire.Example
	Image   string // HTML
}

func newDigitExample(e wire.Example) digitExample {
	return digitExample{e, chart.Pixels(wire.DigitSide, e.Digit, false, "")}
}

func (e digitExample) thumbnail(test testSet, chosen *int) thumbnail {
	return thumbnail{
		Image: e.Image,
		Label: fmt.Sprintf("%s %d%s:", upperFirst(test.Noun), e.Example.Index, test.whose()), Words: []string{e.Example.Label},
		Chosen: chosen != nil && *chosen == e.Example.Index,
	}
}

func thumbnails(views []thumbnail, choose func(i int) goapp.EventHandler) goapp.UI {
	return goapp.Ul().Class("thumbnails").Body(goapp.Range(views).Slice(func(i int) goapp.UI {
		v := views[i]
		pressed := "false"
		if v.Chosen {
			pressed = "true"
		}
		return goapp.Li().Body(
			disable(goapp.Button().Type("button").Class("thumb"), false).Aria("pressed", pressed).OnClick(choose(i), i).Body(
				goapp.Raw(v.Image),
				goapp.Span().Class("unseen").Text(v.Label),
				goapp.Range(v.Words).Slice(func(k int) goapp.UI { return goapp.Span().Text(v.Words[k]) }),
			),
		)
	}))
}

// drawShelf offers what else can be put on the pad: digits of the test set, and pictures. web/pictures.js listens to the file input.
type drawShelf struct {
	goapp.Compo
	S     *session
	Level int
	View  shelfView
}

type shelfView struct {
	Of      string // the reader's own examples that the samples are of, or ""
	Samples []thumbnail
	Failed  string
	Reading bool
}

func (s *session) drawShelf() shelfView {
	v := shelfView{Of: s.drawTest().Of, Failed: s.Draw.samples.Failed, Reading: s.Draw.reading}
	for _, e := range s.Draw.samples.Examples {
		v.Samples = append(v.Samples, e.thumbnail(s.drawTest(), s.Draw.sketch.Example))
	}
	return v
}

func (h *drawShelf) Render() goapp.UI {
	v := h.View
	say := "Choose a picture"
	if v.Reading {
		say = "Reading the picture …"
	}
	title, about := "Digits of the test set", "One of each, which the nets never saw in training."
	if v.Of != "" {
		title, about = "Images of "+v.Of, "Some of each class, from your own examples."
	}
	return goapp.Div().Class("draw-shelf tool").Body(
		goapp.Div().Class("shelf-samples").Body(
			heading(h.Level, "shelf-digits", title),
			goapp.P().Class("about").Text(about),
			goapp.Div().Class("strip").Body(
				h.strip(),
				disable(goapp.Button().Type("button"), len(v.Samples) == 0).ID("more-samples").Text("More").
					Aria("label", "More: "+title).OnClick(h.onMore),
			),
			goapp.P().Class("problem").Text(v.Failed),
		),
		goapp.Div().Class("shelf-picture").Body(
			heading(h.Level, "shelf-photo", "A picture of a digit"),
			goapp.P().Class("about").ID("picture-about").Text("A photo of one digit on plain paper, or a scan. Drop it anywhere here, paste it, or choose it. It stays on this machine."),
			goapp.Label().Class("file").Body(
				goapp.Input().Type("file").ID("picture-file").Accept("image/*").Aria("describedby", "picture-about").Disabled(goapp.IsServer),
				goapp.Span().Text(say),
			),
		),
	)
}

// strip holds the place of the samples until they are here.
func (h *drawShelf) strip() goapp.UI {
	if len(h.View.Samples) > 0 {
		return thumbnails(h.View.Samples, h.onSample)
	}
	return goapp.Ul().Class("thumbnails").Aria("hidden", "true").Body(goapp.Range(slices.Repeat([]int{0}, digitCount)).Slice(func(int) goapp.UI {
		return goapp.Li().Class("thumbnail-place")
	}))
}

func (h *drawShelf) onMore(goapp.Context, goapp.Event) { h.S.moreDigits() }

func (h *drawShelf) onSample(i int) goapp.EventHandler {
	return func(goapp.Context, goapp.Event) {
		if shelf := h.S.Draw.samples.Examples; i < len(shelf) {
			h.S.putExample(shelf[i].Example)
			showPad()
		}
	}
}

// showPad scrolls to the pad, if it is out of sight.
func showPad() {
	if p := goapp.Window().GetElementByID("pad"); p.Truthy() {
		p.Call("scrollIntoView", map[string]any{"block": "nearest"})
	}
}
