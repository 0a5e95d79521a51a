package app

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
)

// An answersView is what every variant of one or more models answers to one input, as plain values: nothing is drawn again
// where they stay the same.
type answersView struct {
	Input  string // what was asked, for the tables' captions: "this drawing"
	Groups []answersGroup
}

// An answersGroup is one model's rows.
type answersGroup struct {
	Model, Shape string
	Rows         []answerRow
	Notes        []string
	Stale        bool // an answer to a newer input is on its way
}

// An answerRow is one variant's answer. Without a Label it holds the place of one.
type answerRow struct {
	Variant, Name, Kind string
	Label               string
	Verdict             string // "the baseline", "agrees with float32" or "differs from float32"
	Differs             bool
	Labels              []string  // of the classes
	Probabilities       []float64 // one a class
	Margin              string    // "96.2"
	Latency, Spread     string    // of this call: "19.4", " ± 0.8"; µs
	Held                bool      // Latency is of an earlier call: this one was not timed
	Note                string    // why there is no answer
}

// customName is what the reader's own plan is called among the variants.
const customName = "your plan"

// newAnswers lays out what a model answered; the rows are those of the lab's variants, and with custom one for the reader's own
// plan. With p nil they hold the places of the answers to come.
func newAnswers(spec nn.Spec, custom bool, p *wire.Prediction, timed timings) answersGroup {
	g, labels := answersGroup{Model: spec.ID, Shape: spec.Shape()}, spec.Labels()
	ids := wire.VariantIDs()
	if custom {
		ids = append(ids, wire.Custom)
	}
	for _, id := range ids {
		row := answerRow{Variant: id, Name: answerName(id), Kind: answerKind(id), Labels: labels}
		if p != nil {
			row.take(p)
			row.time(timed)
		}
		g.Rows = append(g.Rows, row)
	}
	if p != nil {
		for _, n := range p.Notes {
			g.Notes = append(g.Notes, sentence(n))
		}
	}
	return g
}

// take puts the variant's answer of a prediction into its row.
func (r *answerRow) take(p *wire.Prediction) {
	i := slices.IndexFunc(p.Answers, func(a wire.Answer) bool { return a.Variant == r.Variant })
	if i < 0 {
		return
	}
	a := p.Answers[i]
	r.Note = sentence(a.Note)
	if a.Label == "" {
		return
	}
	r.Label, r.Labels, r.Probabilities = a.Label, p.Labels, a.Probabilities
	r.Margin = strconv.FormatFloat(100*a.Margin, 'f', 1, 64)
	switch {
	case r.Variant == wire.Baseline:
		r.Verdict = "the baseline"
	case a.Agrees:
		r.Verdict = "agrees with float32"
	default:
		r.Verdict, r.Differs = "differs from float32", true
	}
}

// answerKind says in a few words what a variant's numbers are.
func answerKind(id string) string {
	switch id {
	case wire.Baseline:
		return "as trained"
	case "dynamic-float16":
		return "half the bytes"
	case "dynamic-qint8":
		return "integers, grid per call"
	case "static-qint8":
		return "integers, fixed grid"
	}
	return "from Inspect"
}

// leastTimed is how many timed passes a latency needs to be shown.
const leastTimed = 5

// leastSpread is the spread, as a share of the median, below which a handful of passes agree by chance.
const leastSpread = .005

// timings are the latest timings of a model's variants. An answer that is wanted at once comes without any; the ones before it
// are held meanwhile.
type timings struct {
	Calls map[string]wire.Latency // by variant
	Held  bool
}

// after returns the timings once a prediction has come.
func (t timings) after(p *wire.Prediction) timings {
	if p == nil {
		return t
	}
	calls := map[string]wire.Latency{}
	for _, a := range p.Answers {
		if a.Call != nil && len(a.Call.Samples) >= leastTimed {
			calls[a.Variant] = *a.Call
		}
	}
	if len(calls) == 0 {
		return timings{Calls: t.Calls, Held: true}
	}
	return timings{Calls: calls}
}

// time puts the variant's timing into its row: the median, which a busy moment of the machine does not move, and half the width of
// the samples' middle half.
func (r *answerRow) time(t timings) {
	c, ok := t.Calls[r.Variant]
	if !ok || r.Label == "" {
		return
	}
	samples := slices.Sorted(slices.Values(c.Samples))
	n := len(samples)
	spread := max((samples[n-1-n/4]-samples[n/4])/2, leastSpread*c.Median)
	r.Latency, r.Spread = report.Trim(c.Median, spread)
	if r.Spread = " ± " + r.Spread; spread > c.Median/2 {
		r.Latency, r.Spread = report.Figures(c.Median, 2), " unsteady" // the machine had other things to do
	}
	r.Held = t.Held
}

// answers shows them: a table a model, whose rows become cards where it is narrow. Every figure has a place of fixed width, so
// that nothing moves while the answers follow a hand.
type answers struct {
	goapp.Compo
	View answersView
}

func (a *answers) Render() goapp.UI {
	return goapp.Div().Class("answers").Body(goapp.Range(a.View.Groups).Slice(func(i int) goapp.UI { return a.group(a.View.Groups[i]) }))
}

// The roles are spelled out because the narrow layout takes the table's display away, and with it, in some browsers, the meaning.
func (a *answers) group(g answersGroup) goapp.UI {
	head := func(class, text, more string) goapp.UI {
		return goapp.Th().Scope("col").Role("columnheader").Class("answer-"+class).Body(goapp.Text(text+" "), goapp.Small().Text(more))
	}
	rows := make([]goapp.UI, len(g.Rows))
	for i, r := range g.Rows {
		rows[i] = answerLine(g.Model, r)
	}
	state := "fresh"
	if g.Stale {
		state = "stale"
	}
	return goapp.Article().Class("card answer-card").DataSet("model", g.Model).DataSet("state", state).Aria("label", g.Model).Body(
		goapp.Header().Body(
			goapp.P().Class("answer-model").Body(goapp.B().Text(g.Model), goapp.Text(" "), goapp.Small().Text(g.Shape)),
		),
		goapp.Table().Role("table").Class("answer-table").Body(
			goapp.Caption().Class("unseen").Text("What every variant of "+g.Model+" answers to "+a.View.Input),
			goapp.THead().Role("rowgroup").Body(goapp.Tr().Role("row").Body(
				head("variant", "Variant", ""),
				head("label", "Answer", "against float32"),
				head("classes", "Classes", "probability, %"),
				head("margin", "Margin", "points ahead of the second"),
				head("latency", "This call", "µs, median ± spread"),
			)),
			goapp.TBody().Role("rowgroup").Body(rows...),
		),
		goapp.Ul().Class("answer-notes").Body(goapp.Range(g.Notes).Slice(func(i int) goapp.UI { return goapp.Li().Text(g.Notes[i]) })),
	)
}

func answerLine(model string, r answerRow) goapp.UI {
	state := "empty"
	switch {
	case r.Label != "" && r.Differs:
		state = "differs"
	case r.Label != "":
		state = "answered"
	case r.Note != "":
		state = "absent"
	}
	return goapp.Tr().Role("row").Class("v-"+r.Variant).DataSet("model", model).DataSet("variant", r.Variant).DataSet("state", state).Body(
		goapp.Th().Scope("row").Role("rowheader").DataSet("col", "variant").Body(
			goapp.Span().Class("variant").Body(goapp.Raw(markerSVG(r.Variant)), goapp.Span().Text(r.Name)),
			goapp.Small().Text(r.Kind),
		),
		goapp.Td().Role("cell").DataSet("col", "answer").Body(answerWords(r)...),
		goapp.Td().Role("cell").DataSet("col", "classes").Body(newClassBars(r.Labels, r.Probabilities, slices.Index(r.Labels, r.Label))),
		goapp.Td().Role("cell").DataSet("col", "margin").DataSet("head", "Margin").Body(figureOr(r.Margin)),
		goapp.Td().Role("cell").DataSet("col", "latency").DataSet("head", "This call, µs").Body(callWords(r)...),
	)
}

// answerWords begin with the label: digit, or positive or negative.
func answerWords(r answerRow) []goapp.UI {
	if r.Label == "" {
		return []goapp.UI{goapp.B().Class("label").Text("–"), goapp.Small().Class("agreement").Text(r.Note)}
	}
	return []goapp.UI{goapp.B().Class("label").Text(r.Label), goapp.Small().Class("agreement").Text(" " + r.Verdict)}
}

func callWords(r answerRow) []goapp.UI {
	if r.Latency == "" {
		return []goapp.UI{figureOr("")}
	}
	class := "figure"
	if r.Held {
		class += " held"
	}
	out := []goapp.UI{goapp.Span().Class(class).Text(r.Latency)}
	return append(out, goapp.Small().Text(r.Spread))
}

func figureOr(text string) goapp.UI {
	if text == "" {
		return goapp.Span().Class("none").Text("–")
	}
	return goapp.Span().Class("figure").Text(text)
}

// answerName is a variant's name among the answers.
func answerName(id string) string {
	if id == wire.Custom {
		return customName
	}
	return variantName(id)
}

// baselineLabel is what float32 answers, "" where there is no such answer.
func baselineLabel(p *wire.Prediction) string {
	if p == nil {
		return ""
	}
	for _, a := range p.Answers {
		if a.Variant == wire.Baseline {
			return a.Label
		}
	}
	return ""
}

// answersSentence says what the variants answer: "All four variants say 7, float32 with 98%."
func answersSentence(p *wire.Prediction) string {
	var base wire.Answer
	var others []string
	n := 0
	for _, a := range p.Answers {
		switch {
		case a.Label == "":
			continue
		case a.Variant == wire.Baseline:
			base = a
		case !a.Agrees:
			others = append(others, answerName(a.Variant)+" says "+a.Label)
		}
		n++
	}
	if base.Label == "" {
		return "There is no answer."
	}
	with := fmt.Sprintf("float32 with %.0f%%", 100*slices.Max(append([]float64{0}, base.Probabilities...)))
	switch {
	case n == 1:
		return fmt.Sprintf("Float32 says %s%s.", base.Label, strings.TrimPrefix(with, "float32"))
	case len(others) == 0:
		return fmt.Sprintf("All %s variants say %s, %s.", smallNumber(n), base.Label, with)
	case len(others) == n-1:
		return fmt.Sprintf("Float32 says %s%s; %s.", base.Label, strings.TrimPrefix(with, "float32"), strings.Join(others, "; "))
	}
	return fmt.Sprintf("Float32 says %s%s; %s. The others agree with float32.", base.Label, strings.TrimPrefix(with, "float32"), strings.Join(others, "; "))
}

// smallNumber spells a number up to ten as a sentence does.
func smallNumber(n int) string {
	words := []string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
	if n < 0 || n >= len(words) {
		return strconv.Itoa(n)
	}
	return words[n]
}
