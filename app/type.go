package app

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
)

// typeView lets the reader type a sentence and shows what every variant answers.
func typeView() view {
	return view{
		Path: "/type", Title: "Type",
		Headline: "Is this sentence praise or blame?",
		Lede: "Type a sentence about a film. The network says whether it is positive or negative, in float32 and in fewer bits, at " +
			"every key. Below stands which words it knows and what each of them adds to the decision.",
		Render: renderType, Late: []string{"type-words"},
		Visit: visitType,
		Named: []string{"sentences"},
		Query: func(s *session) string { return s.Type.query() },
		Enter: func(s *session) {
			s.askSentence(true)
			s.askSamples()
		},
		Leave: func(s *session) {
			if s.Type.Hunt.Going { // it would keep Inspect waiting
				s.stopHunt()
			}
		},
	}
}

// The choices of models.
const (
	sentenceLab1 = "sst2-lab1"
	sentenceLab2 = "sst2-lab2"
)

// firstSentence is what the box holds at first, so that there is an answer before the first key.
const firstSentence = "A gorgeous, witty mess: not the film I hoped for, but I loved every minute of it."

const (
	fromStart   = "An example to start with: change it as you like."
	fromLink    = "The sentence of the link."
	fromShuffle = "The same words in another order."
)

// maxLinkText bounds the sentence in a link, in bytes: with a script of three bytes a letter the link is three times as long.
const maxLinkText = 4000

// mostSentence bounds what the box takes, in bytes: less than the nets would read, because a browser needs some milliseconds
// to lay out each kilobyte of emoji.
const mostSentence = 8 << 10

// A TypeState is what the Type view knows: the reader's sentence, what was answered to it, and what was found.
type TypeState struct {
	Sentences string // a model that reads sentences, or Both of the lab's
	Text      string
	Without   string // the variant that is asked with each word left out
	InOrder   bool   // what the words add in the sentence's order, not by size

	Given  string // the text that the page last put into the box
	Placed int    // how often it did
	Origin string // where the text comes from, if the reader did not type it
	Cut    bool   // the text was longer than the box takes
	Before string // what Put back brings back
	Undo   bool   // there is something to put back

	Turn    int              // counts the changes, so that what waited for a pause can tell whether there was one
	Replies map[string]reply // by model
	Unsaid  bool             // the answers to come are to be announced

	Mix     mix
	Samples sentenceSamples
	Hunt    hunt
}

// A reply is what one model answers.
type reply struct {
	Text       string // that was answered
	Prediction *wire.Prediction
	Timed      timings
	Step       string // what goes on before there is an answer
	Fraction   float64
	Failed     string
}

// models are those that are asked, in the order in which they are shown.
func (t *TypeState) models() []string {
	switch t.Sentences {
	case Both:
		return []string{sentenceLab2, sentenceLab1}
	case "":
		return []string{sentenceLab2}
	}
	return []string{t.Sentences}
}

// forgetOwn forgets what was said of models and examples of the reader's own: others may have their names now.
func (t *TypeState) forgetOwn() {
	maps.DeleteFunc(t.Replies, func(model string, _ reply) bool { return model != sentenceLab1 && model != sentenceLab2 })
	if t.Samples.Of != "" {
		t.Samples = sentenceSamples{Seed: t.Samples.Seed}
	}
	if h := t.Hunt; h.Model != sentenceLab1 && h.Model != sentenceLab2 {
		t.Hunt = hunt{Model: h.Model, Variant: h.Variant}
	}
}

// typeTest is the set that sentences to begin with are of: that of the first model that is asked.
func (s *session) typeTest() testSet { return testSetOf(s.spec(s.Type.models()[0]), s.Own, "") }

// empty reports whether there is nothing to answer.
func (t *TypeState) empty() bool { return strings.TrimSpace(t.Text) == "" }

// answered reports whether all models have answered the text as it stands.
func (t *TypeState) answered() bool {
	return !t.empty() && !slices.ContainsFunc(t.models(), func(model string) bool {
		r := t.Replies[model]
		return r.Prediction == nil || r.Text != t.Text
	})
}

// place puts a text into the box.
func (t *TypeState) place(text, origin string) {
	t.change(text)
	t.Given, t.Origin = t.Text, origin
	t.Placed++
}

// change takes over the text of the box, as much of it as the nets read.
func (t *TypeState) change(text string) {
	t.Text = cutText(text, mostSentence)
	t.Origin, t.Undo, t.Before = "", false, ""
	t.Cut = len(t.Text) < len(text)
	t.Mix = mix{}
	t.Turn++
}

// cutText cuts text to at most n bytes, between two characters.
func cutText(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// linkable reports whether the text fits into an address.
func (t *TypeState) linkable() bool { return len(t.Text) <= maxLinkText }

// query spells what the reader chose; "" is the state at first.
func (t *TypeState) query() string {
	var parts []string
	add := func(key, value, first string) {
		if value != first {
			parts = append(parts, key+"="+url.QueryEscape(value))
		}
	}
	add("sentences", t.Sentences, sentenceLab2)
	add("without", t.Without, wire.Baseline)
	if t.InOrder {
		parts = append(parts, "order=sentence")
	}
	if t.linkable() {
		add("text", t.Text, firstSentence)
	}
	return strings.Join(parts, "&")
}

// parseType reads what query spells, and says what it could not take.
func parseType(query url.Values, models nn.Catalog) (t TypeState, notices []string) {
	refuse := func(format string, args ...any) { notices = append(notices, fmt.Sprintf(format, args...)) }
	t = TypeState{Sentences: sentenceLab2, Without: wire.Baseline, Text: firstSentence}
	if v := query.Get("sentences"); v != "" {
		if readers := modelsOn(nn.SST2, models).IDs(); v == Both || slices.Contains(readers, v) {
			t.Sentences = v
		} else {
			refuse("The link says sentences=%.40q: choose from %s and %s.", v, strings.Join(readers, ", "), Both)
		}
	}
	if v := query.Get("without"); v != "" {
		if _, err := wire.VariantOf(v); err == nil || v == wire.Custom {
			t.Without = v
		} else {
			refuse("The link says without=%.40q: choose from %s, %s.", v, strings.Join(wire.VariantIDs(), ", "), wire.Custom)
		}
	}
	switch v := query.Get("order"); v {
	case "", "size":
	case "sentence":
		t.InOrder = true
	default:
		refuse("The link says order=%.40q: choose size or sentence.", v)
	}
	if !query.Has("text") {
		return t, notices
	}
	text := lineEnds.Replace(query.Get("text"))
	switch {
	case len(text) > maxLinkText:
		refuse("The link’s sentence has %d bytes: a link carries at most %d. The box holds an example instead.", len(text), maxLinkText)
	case !utf8.ValidString(text):
		refuse("The link’s sentence is damaged: it is not UTF-8. The box holds an example instead.")
	default:
		t.Text = text
	}
	return t, notices
}

// lineEnds writes them as a text box does.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// visitType takes over what an address says. Answers stay where they are still true.
func visitType(s *session, query url.Values) []string {
	next, notices := parseType(query, s.catalog())
	t := &s.Type
	t.Sentences, t.Without, t.InOrder = next.Sentences, next.Without, next.InOrder
	if !slices.Contains(t.models(), t.Hunt.Model) {
		s.drop("type-search")
		t.Hunt = hunt{Model: t.models()[0], Variant: "static-qint8"}
	}
	if t.Placed > 0 && (t.Text == next.Text || !t.linkable() && !query.Has("text")) {
		return notices
	}
	origin := fromLink
	if next.Text == firstSentence {
		origin = fromStart
	}
	t.place(next.Text, origin)
	return notices
}

// custom is the reader's own plan for a model, or nil.
func (s *session) customFor(model string) *wire.Conversion { return s.Inspect.custom(model) }

// leftOut is the variant that is asked with each word left out: the one chosen, or float32 where that is a plan which the
// model has not got.
func (s *session) leftOut(model string) string {
	if s.Type.Without == wire.Custom && s.customFor(model) == nil {
		return wire.Baseline
	}
	return s.Type.Without
}

// vocabulary says which words a model knows.
func vocabulary(spec nn.Spec) (known, unknown string) {
	switch {
	case spec.Own:
		return fmt.Sprintf("of its %s words", report.Count(spec.Vocab)), "not in its vocabulary"
	case spec.Vocab > 0:
		return fmt.Sprintf("of its %d words", spec.Vocab), fmt.Sprintf("not among the %d most frequent", spec.Vocab)
	}
	return fmt.Sprintf("of the %d words of the training set", spec.In), "not in the training set"
}

func renderType(s *session, level int) goapp.UI {
	t := &s.Type
	return goapp.Div().Class("type").Body(
		goapp.Div().Class("type-stage").Body(
			goapp.Section().Class("type-ask").Aria("label", "Your sentence").Body(
				&sentenceBox{S: s, Models: s.sentenceModels(), Sentences: t.Sentences, Given: t.Given, Placed: t.Placed, Rows: boxRows(t.Text)},
				s.part("type-state", func() goapp.UI { return s.sentenceState() }),
			),
			goapp.Section().Class("type-answers").Aria("label", "Answers").Body(
				s.part("type-answers", func() goapp.UI { return s.sentenceAnswers() }),
			),
			&sentenceExamples{S: s, Test: s.typeTest(), View: t.Samples},
		),
		s.part("type-words", func() goapp.UI { return s.sentenceWords(level) }),
		&sentenceHunt{S: s, Level: level, View: s.huntView()},
	)
}
