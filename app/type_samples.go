package app

import (
	"strconv"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// sampleCount is how many sentences of the dev set are offered at a time, half of them positive.
const sampleCount = 4

// sentenceSamples are the sentences offered as buttons.
type sentenceSamples struct {
	Seed    uint64
	Of      string // the reader's own examples that they are of, or ""
	List    []wire.Example
	Asking  bool
	Failed  string
	arrived []wire.Example
}

// askSamples fetches the first sentences, once for each set that they can be of.
func (s *session) askSamples() {
	if a := &s.Type.Samples; a.List == nil && !a.Asking || a.Of != s.typeTest().Of {
		s.moreSamples()
	}
}

// moreSamples fetches other ones. Those that are there stay until all of the new ones have come.
func (s *session) moreSamples() {
	s.revive()
	a := &s.Type.Samples
	a.Seed, a.Asking, a.Failed, a.arrived = a.Seed+1, true, "", nil
	req := wire.SamplesRequest{Model: sentenceLab2, Count: sampleCount, Seed: a.Seed}
	test := s.typeTest()
	if test.Of != "" {
		req.Model = s.Type.models()[0]
	}
	if a.Of != test.Of {
		a.Of, a.List = test.Of, nil
	}
	s.ask("type-samples", wire.Command{Op: wire.OpSamples, Samples: &req}, true, func(e wire.Event) {
		switch e.Kind {
		case wire.EventExample:
			if e.Example != nil {
				a.arrived = append(a.arrived, *e.Example)
			}
			s.redraw()
		case wire.EventError:
			a.Asking, a.Failed = false, s.missingSentences(e.Text)
		case wire.EventDone, wire.EventCancel:
			a.Asking = false
			if len(a.arrived) > 0 {
				a.List = a.arrived
			}
		}
	})
}

// giveExample puts an example into the box.
func (s *session) giveExample(e wire.Example) {
	s.give(e.Text, "Sentence "+strconv.Itoa(e.Index+1)+" of "+s.typeTest().name()+", whose right answer is "+e.Label+".")
}

// sentenceExamples offers sentences of the dev set.
type sentenceExamples struct {
	goapp.Compo
	S    *session
	Test testSet
	View sentenceSamples
}

func (x *sentenceExamples) Render() goapp.UI {
	a := x.View
	var items []goapp.UI
	switch {
	case len(a.List) > 0:
		for _, e := range a.List {
			items = append(items, goapp.Li().Body(sentenceButton(x.S, e, goapp.Small().Class("truth").Text(e.Label))))
		}
	case a.Failed == "":
		for range sampleCount {
			items = append(items, goapp.Li().Class("to-come").Body(goapp.Span().Class("skeleton").Aria("hidden", "true")))
		}
	}
	more, from := "More", "From the dev set, which the networks never saw in training, with the right answer:"
	if x.Test.Of != "" {
		from = "From your " + x.Test.Of + ", with the right answer:"
	}
	if a.Failed != "" {
		more = "Try again"
	}
	return goapp.Div().Class("sentence-examples").Body(
		goapp.Div().Class("sentence-examples-head").Body(
			goapp.P().ID("examples-label").Text(from),
			disable(goapp.Button().Type("button"), a.Asking).ID("more-examples").Class("small").Text(more).OnClick(x.onMore),
		),
		goapp.Ul().Aria("labelledby", "examples-label").Body(items...),
		goapp.Div().Body(warning(a.Failed)),
	)
}

// missingSentences says why there are no sentences of the data set, and what there is all the same.
func (s *session) missingSentences(why string) string {
	if s.Engine.Phase == EngineFailed {
		return sentence(why)
	}
	return "The dev set can’t be read here: what you type is answered all the same, but examples and the search need the data. " + sentence(why)
}

// warning is a banner, if there is something to say.
func warning(text string) goapp.UI {
	if text == "" {
		return goapp.Span()
	}
	return goapp.P().Class("notice warn").Text(text)
}

// sentenceButton puts an example into the box when it is pressed.
func sentenceButton(s *session, e wire.Example, more ...goapp.UI) goapp.UI {
	text := goapp.Span().Class("quote").Dir("auto").Text(e.Text)
	return disable(goapp.Button().Type("button"), false).Class("sentence-button").Body(append([]goapp.UI{text}, more...)...).
		OnClick(func(goapp.Context, goapp.Event) { s.giveExample(e) }, e.Index, e.Text)
}

func (x *sentenceExamples) onMore(goapp.Context, goapp.Event) { x.S.moreSamples() }
