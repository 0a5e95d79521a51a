package app

import (
	"fmt"
	"slices"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report/chart"
)

// sentenceAnswers are the variants' rows, a table a model, and above them what the reader waits for.
func (s *session) sentenceAnswers() goapp.UI {
	t := &s.Type
	if t.empty() {
		return goapp.Div().Class("type-empty").Body(goapp.Div().Class("empty-card").Body(
			goapp.P().Class("empty-title").Text("Nothing to read yet."),
			goapp.P().Text("Type a sentence, or take one from the dev set: every variant answers at the first word."),
		))
	}
	v := answersView{Input: "this sentence"}
	for _, model := range t.models() {
		r := t.Replies[model]
		g := newAnswers(s.spec(model), s.customFor(model) != nil, r.Prediction, r.Timed)
		g.Stale = r.Text != t.Text
		v.Groups = append(v.Groups, g)
	}
	return goapp.Div().Body(
		goapp.Div().Body(goapp.Range(t.models()).Slice(func(i int) goapp.UI { return s.replyState(t.models()[i]) })),
		&answers{View: v},
	)
}

// replyState says why a model's answer is not here: it loads, it waits, it failed.
func (s *session) replyState(model string) goapp.UI {
	r := s.Type.Replies[model]
	switch {
	case r.Failed != "":
		return goapp.Div().Class("notice bad").Body(
			goapp.P().Text(model+" did not answer. "+r.Failed),
			disable(goapp.Button().Type("button"), false).Text("Try again").OnClick(s.onAskAgain, model),
		)
	case r.Prediction != nil && r.Step == "":
		return goapp.Div()
	}
	step, fraction := r.Step, r.Fraction
	if step == "" {
		step = model + " is being loaded"
	}
	if model == sentenceLab1 {
		step += ": 30 MB, kept for the next time"
	}
	if s.Engine.Phase == EngineLoading && r.Step == "" {
		step, fraction = "Starting the engine in this browser", s.Engine.Fraction
	}
	bar := goapp.Progress().Max(1).Aria("label", "Loading "+model)
	if fraction > 0 {
		bar = bar.Value(fmt.Sprintf("%.3f", fraction))
	}
	return goapp.Div().Class("status").Body(goapp.Span().Class("step").Text(step), bar)
}

func (s *session) onAskAgain(goapp.Context, goapp.Event) { s.askAgain() }

// askAgain asks anew what was not answered.
func (s *session) askAgain() {
	s.revive()
	for model, r := range s.Type.Replies {
		r.Failed = ""
		s.Type.Replies[model] = r
	}
	s.askSentence(true)
	s.askSamples()
}

// sentenceWords is what each model sees of the sentence, and what each word adds.
func (s *session) sentenceWords(level int) goapp.UI {
	t := &s.Type
	var views []wordsView
	for _, model := range t.models() {
		r := t.Replies[model]
		if t.empty() || r.Prediction == nil {
			continue
		}
		if !s.explains(model) {
			continue
		}
		v := newWords(s.spec(model), r.Prediction, s.leftOut(model), t.InOrder)
		v.Parts.TooLong = r.Prediction.Decision == nil && len(t.Text) > explainMost
		v.Parts.Waiting = r.Prediction.Decision == nil && !v.Parts.TooLong
		views = append(views, v)
	}
	return goapp.Section().Class("section type-words").Aria("labelledby", "type-words").Body(
		goapp.Div().Class("head").Body(
			heading(level, "type-words", "What each word adds"),
			goapp.P().Text(s.decisionLede()),
		),
		goapp.Div().Class("words-list").Body(goapp.Range(views).Slice(func(i int) goapp.UI {
			return &wordsCard{S: s, Level: level + 1, View: views[i], Without: s.leftOut(views[i].Model), Own: s.customFor(views[i].Model) != nil, InOrder: t.InOrder, First: i == 0}
		})),
		goapp.Div().Body(nothingYet(len(views) == 0, t.empty(), s.explains(t.models()[0]))),
	)
}

// decisionLede says what the decision is that words add to.
func (s *session) decisionLede() string {
	spec := s.spec(s.Type.models()[0])
	switch labels := spec.Labels(); {
	case len(labels) > 2:
		return "What each word adds is told of networks that decide between two classes."
	case spec.Out == 1:
		return fmt.Sprintf("The network gives one score, its logit. That is the decision: above zero the answer is %s, else %s.", labels[1], labels[0])
	default:
		return fmt.Sprintf("The network gives each answer a score, its logit. The decision is the score of %s minus that of %s: above zero the answer is %s.", labels[1], labels[0], labels[1])
	}
}

func nothingYet(nothing, empty, explains bool) goapp.UI {
	switch {
	case !nothing || !explains:
		return goapp.Span()
	case empty:
		return goapp.P().Class("hint").Text("No words, no parts: only the biases would be left.")
	}
	return goapp.P().Class("hint").Text("The words appear here with the first answer.")
}

// wordsCard is a sentence as one model sees it: chips, chart, table, and the sum.
type wordsCard struct {
	goapp.Compo
	S       *session
	Level   int
	View    wordsView
	Without string
	Own     bool // the reader has a plan of his own for the model
	InOrder bool
	First   bool
}

func (c *wordsCard) Render() goapp.UI {
	v := c.View
	return goapp.Article().Class("card words-card").DataSet("model", v.Model).Aria("label", "The words as "+v.Model+" sees them").Body(
		goapp.Header().Body(goapp.P().Body(goapp.B().Text(v.Model)), goapp.P().Text(v.Parts.Verdict)),
		goapp.Div().Class("words-body").Body(
			goapp.Div().Class("chip-box").On("keydown", c.onKey).Body(
				goapp.Raw(v.Chips),
				goapp.P().Class("chips-more").Text(v.More),
				goapp.P().Class("tip-prompt").Aria("hidden", "true").Text("Choose a word to read more of it; the arrow keys walk through them."),
			),
			goapp.Raw(chipLegend(v.Classes)),
			goapp.P().Class("unknown-words").Text(v.Unknown),
			goapp.Div().Class("words-controls").Body(c.controls()...),
			goapp.Div().Class("words-parts").Body(c.parts()...),
		),
	)
}

func chipLegend(classes [2]string) string {
	return `<ul class="chip-legend" aria-label="What the chips show">` +
		`<li><svg width="16" height="6" viewBox="0 0 16 6" aria-hidden="true"><rect class="above" x="1" width="15" height="6"></rect><rect class="zero" width="2" height="6"></rect></svg>+ speaks for ` + chart.Escape(classes[1]) + `</li>` +
		`<li><svg width="16" height="6" viewBox="0 0 16 6" aria-hidden="true"><rect class="below" width="15" height="6"></rect><rect class="zero" x="14" width="2" height="6"></rect></svg>− speaks for ` + chart.Escape(classes[0]) + `</li>` +
		`<li><span class="chip unknown">unknown</span> the network does not see it</li>` +
		`<li><b class="times">×2</b> occurs twice; the number is for one time</li></ul>`
}

// controls choose the order, and the variant of which words are left out. Only the first card has them: they hold for all.
func (c *wordsCard) controls() []goapp.UI {
	if !c.First {
		return nil
	}
	options := []option{}
	for _, id := range wire.VariantIDs() {
		options = append(options, option{Value: id, Label: answerName(id)})
	}
	if c.Own {
		options = append(options, option{Value: wire.Custom, Label: customName})
	}
	orders := []option{{Value: "size", Label: "By size"}, {Value: "sentence", Label: "As in the sentence"}}
	chosen := orders[0].Value
	if c.InOrder {
		chosen = orders[1].Value
	}
	return []goapp.UI{
		goapp.FieldSet().Body(
			goapp.Legend().Text("Order of the words"),
			goapp.Div().Class("seg").Body(goapp.Range(orders).Slice(func(i int) goapp.UI {
				return goapp.Label().Body(
					check(goapp.Input().Type("radio"), orders[i].Value == chosen).Name("word-order").Value(orders[i].Value).OnChange(c.onOrder),
					goapp.Span().Text(orders[i].Label),
				)
			})),
		),
		goapp.Div().Class("field").Body(
			goapp.Label().For("without-variant").Text("Leave words out of"),
			goapp.Select().ID("without-variant").Name("without").Disabled(goapp.IsServer).OnChange(c.onWithout).Body(entries(options, c.Without)...),
		),
	}
}

func (c *wordsCard) parts() []goapp.UI {
	v := c.View.Parts
	switch {
	case v.TooLong:
		return []goapp.UI{goapp.P().Class("hint").Text(fmt.Sprintf("What each word adds is worked out for texts of up to %d bytes.", explainMost))}
	case v.Waiting:
		return []goapp.UI{goapp.P().Class("hint").Text("What each word adds is worked out when the keys rest.")}
	}
	body := []goapp.UI{goapp.Div().Class("sum").Body(sumLine(c.View.Classes, v.Sum)...)}
	if v.Chart == "" {
		body = append(body, goapp.P().Class("hint").Text("The network knows none of the words: its answer rests on the biases alone."))
	} else {
		body = append(body,
			goapp.Div().Class("parts-chart").Body(goapp.Raw(v.Chart), goapp.P().Class("hint").Text(v.Folded), asTable(v.Table)),
		)
	}
	return append(body, goapp.Dl().Class("parts-words").Body(
		goapp.Dt().Text("Adds"),
		goapp.Dd().Text("What the word passes on to the decision, exactly, in float32. Inside the network ReLUs let positive numbers through and stop the others. With each ReLU as this sentence sets it, the words’ parts and the biases, which are added whatever the sentence, sum to the decision. Figures are rounded to three decimals."),
		goapp.Dt().Text("Without it"),
		goapp.Dd().Text("By how much the decision falls when the word is left out, wherever it occurs, and the whole network is asked again, as "+answerName(v.Without)+"."),
		goapp.Dt().Text("Why they differ"),
		goapp.Dd().Text("Without a word other ReLUs let numbers through, so the other words pass on more or less. In fewer bits the decision also moves in steps of a grid. So only “Adds” adds up."),
	))
}

// sumLine is the sum with its terms, for the reader to check.
func sumLine(classes [2]string, v sumView) []goapp.UI {
	// A term and the sign before it stay together where the line breaks.
	group := func(sign, figure, words string) goapp.UI {
		return goapp.Span().Class("group").Body(
			goapp.Span().Class("sign").Text(sign),
			goapp.Span().Class("term").Body(goapp.B().Text(figure), goapp.Small().Text(words)),
		)
	}
	line := []goapp.UI{group("", v.Bias, "the biases"), group("+", "("+v.Words+")", v.Count), group("=", v.Sum, "the decision")}
	if v.Positive != "" {
		line = append(line, group("=", v.Positive, "logit of "+classes[1]), group("−", "("+v.Negative+")", "logit of "+classes[0]))
	}
	if v.Off != "" {
		line = append(line, goapp.P().Class("problem").Text(v.Off))
	}
	return line
}

func (c *wordsCard) onOrder(ctx goapp.Context, _ goapp.Event) {
	c.S.Type.InOrder = ctx.JSSrc().Get("value").String() == "sentence"
	c.S.remember()
}

func (c *wordsCard) onWithout(ctx goapp.Context, _ goapp.Event) {
	c.S.leaveOutOf(ctx.JSSrc().Get("value").String())
}

// leaveOutOf chooses the variant that is asked with each word left out.
func (s *session) leaveOutOf(variant string) {
	if variant != wire.Custom && !slices.Contains(wire.VariantIDs(), variant) {
		return
	}
	s.Type.Without = variant
	s.remember()
	s.askSentence(true)
}

// onKey walks from chip to chip.
func (c *wordsCard) onKey(ctx goapp.Context, e goapp.Event) {
	ctx.PreventUpdate()
	sibling := map[string]string{"ArrowRight": "nextElementSibling", "ArrowLeft": "previousElementSibling"}[e.Get("key").String()]
	if sibling == "" {
		return
	}
	chip := goapp.Window().Get("document").Get("activeElement")
	if next := chip.Get(sibling); next.Truthy() {
		chip.Set("tabIndex", -1)
		next.Set("tabIndex", 0)
		next.Call("focus")
	}
}
