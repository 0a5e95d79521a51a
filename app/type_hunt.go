package app

import (
	"fmt"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// mostSentences bounds how many sentences a search lists.
const mostSentences = 50

// A hunt is a search of the dev set for sentences that a variant and float32 answer differently.
type hunt struct {
	Model, Variant string // to search
	Going          bool
	Over           bool // all of the dev set was searched, or as much as was needed
	Canceled       bool
	Step           string
	Fraction       float64
	Found          []wire.Example
	Failed         string
}

// startHunt searches with the choices as they stand.
func (s *session) startHunt() {
	s.revive()
	h := &s.Type.Hunt
	*h = hunt{Model: h.Model, Variant: h.Variant, Going: true}
	req := wire.SearchRequest{Model: h.Model, Variant: h.Variant, Limit: mostSentences}
	if h.Variant == wire.Custom {
		req.Custom = s.customFor(h.Model)
	}
	s.say("The search starts.")
	s.ask("type-search", wire.Command{Op: wire.OpSearch, Search: &req}, true, s.hearHunt)
}

func (s *session) hearHunt(e wire.Event) {
	h := &s.Type.Hunt
	switch e.Kind {
	case wire.EventProgress:
		h.Step, h.Fraction = e.Step, clamp01(e.Fraction)
	case wire.EventExample:
		if e.Example != nil && len(h.Found) < mostSentences {
			h.Found = append(h.Found[:len(h.Found):len(h.Found)], *e.Example)
		}
	case wire.EventDone:
		h.Going, h.Over = false, true
		s.say(huntWords(*h, s.typeTest()))
	case wire.EventError:
		h.Going, h.Failed = false, s.missingSentences(e.Text)
		s.say("The search failed. " + sentence(e.Text))
	case wire.EventCancel:
		h.Going, h.Canceled = false, true
	}
}

func (s *session) stopHunt() {
	s.drop("type-search")
	s.Type.Hunt.Going, s.Type.Hunt.Canceled = false, true
	s.say(huntWords(s.Type.Hunt, s.typeTest()))
}

// chooseHunt takes a value of searchOptions.
func (s *session) chooseHunt(choice string) {
	model, variant, _ := strings.Cut(choice, "/")
	s.drop("type-search")
	s.Type.Hunt = hunt{Model: model, Variant: variant}
}

// huntWords say how a search ended.
func huntWords(h hunt, test testSet) string {
	who := answerName(h.Variant) + " and float32"
	n := len(h.Found)
	switch {
	case h.Canceled:
		return fmt.Sprintf("Cancelled: %s found so far.", plural(n, "sentence"))
	case n == 0:
		return fmt.Sprintf("All of %s was searched: %s give every sentence the same answer.", test.name(), who)
	case n == mostSentences:
		return fmt.Sprintf("The first %s on which %s disagree.", plural(n, "sentence"), who)
	case n == 1:
		return fmt.Sprintf("All of %s was searched: %s disagree on 1 sentence.", test.name(), who)
	}
	return fmt.Sprintf("All of %s was searched: %s disagree on %s.", test.name(), who, plural(n, "sentence"))
}

// A huntView is the search as it is shown.
type huntView struct {
	hunt
	Test    testSet
	Options []option
	Chosen  string
}

func (s *session) huntView() huntView {
	h := s.Type.Hunt
	return huntView{hunt: h, Test: s.typeTest(), Options: s.searchOptions(s.Type.models()), Chosen: h.Model + "/" + h.Variant}
}

// sentenceHunt is “Find one that differs”.
type sentenceHunt struct {
	goapp.Compo
	S     *session
	Level int
	View  huntView
}

func (c *sentenceHunt) Render() goapp.UI {
	v := c.View
	button := goapp.Button().Type("button")
	if v.Going {
		button = disable(button, false).Text("Cancel").OnClick(c.onStop, "stop")
	} else {
		button = disable(button, false).Class("primary").Text("Find sentences").OnClick(c.onStart, "start")
	}
	return goapp.Section().Class("section type-hunt").Aria("labelledby", "type-hunt").Body(
		goapp.Div().Class("head").Body(
			heading(c.Level, "type-hunt", "Find one that differs"),
			goapp.P().Text("Searches "+v.Test.sentences()+" for those that a variant and float32 answer differently."),
		),
		goapp.Div().Class("fields hunt-fields").Body(
			goapp.Div().Class("field").Body(
				goapp.Label().For("hunt-variant").Text("Compare float32 with"),
				goapp.Select().ID("hunt-variant").Name("hunt").Disabled(goapp.IsServer).OnChange(c.onChoose).Body(entries(v.Options, v.Chosen)...),
			),
			goapp.Div().Class("hunt-button").Body(button.ID("hunt")),
		),
		goapp.Div().Class("hunt-state").Body(c.state()),
		goapp.Ol().Class("found").Body(goapp.Range(v.Found).Slice(func(i int) goapp.UI { return goapp.Li().Body(foundSentence(c.S, v.Variant, v.Found[i])) })),
	)
}

// state says how far the search is, or how it ended.
func (c *sentenceHunt) state() goapp.UI {
	v := c.View
	switch {
	case v.Failed != "":
		return warning(v.Failed)
	case v.Going:
		bar := goapp.Progress().Max(1).Aria("label", "Searching")
		if v.Fraction > 0 {
			bar = bar.Value(fmt.Sprintf("%.3f", v.Fraction))
		}
		step := v.Step
		if step == "" {
			step = "Getting ready"
		}
		return goapp.Div().Class("status").Body(goapp.Span().Class("step").Text(step), bar, goapp.Span().Text(plural(len(v.Found), "sentence")+" found"))
	case v.Over || v.Canceled:
		return goapp.P().Class("hunt-words").Text(huntWords(v.hunt, v.Test))
	}
	return goapp.P().Class("hint").Text("Press a sentence that was found to see which word tips it.")
}

// foundSentence is a sentence with the right answer and both given ones.
func foundSentence(s *session, variant string, e wire.Example) goapp.UI {
	right := func(answer string) string {
		if answer == e.Label {
			return answer + ", right"
		}
		return answer + ", wrong"
	}
	return sentenceButton(s, e, goapp.Small().Class("verdicts").Body(
		goapp.Span().Text("float32: "+right(e.Baseline)),
		goapp.Span().Text(answerName(variant)+": "+right(e.Answer)),
		goapp.Span().Text(fmt.Sprintf("float32’s margin: %.1f points", 100*e.Margin)),
	))
}

func (c *sentenceHunt) onStart(goapp.Context, goapp.Event) { c.S.startHunt() }
func (c *sentenceHunt) onStop(goapp.Context, goapp.Event)  { c.S.stopHunt() }

func (c *sentenceHunt) onChoose(ctx goapp.Context, _ goapp.Event) {
	c.S.chooseHunt(ctx.JSSrc().Get("value").String())
}
