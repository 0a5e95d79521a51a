package app

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
	"quantlab/core/report/chart"
)

const (
	mostChips = 100 // that are shown of a sentence
	mostBars  = 24  // of the chart
	mostLines = 40  // of the table
)

// A wordsView is a sentence as one model sees it.
type wordsView struct {
	Model   string
	Classes [2]string // that it decides between: the one of a decision below zero, the one of one above
	Chips   string    // HTML: the words in their order
	Unknown string    // which words the model does not know
	More    string    // how many words have no chip
	Parts   partsView
}

// A partsView is what the words add to the decision.
type partsView struct {
	Chart, Table string // SVG and HTML; empty where nothing was worked out
	Sum          sumView
	Verdict      string // what the decision says
	Without      string // the variant that was asked with each word left out
	Folded       string // words that have no bar
	Waiting      bool   // it is being worked out
	TooLong      bool
}

// A sumView is the sum that a reader can check.
type sumView struct {
	Bias, Words, Sum, Positive, Negative string
	Count                                string // "9 words"
	Off                                  string // what is wrong with it
}

// newWords lays out what a model makes of a sentence's words.
func newWords(spec nn.Spec, p *wire.Prediction, without string, inOrder bool) wordsView {
	v := wordsView{Model: p.Model, Classes: twoClasses(spec), Chips: chipsHTML(spec, p), Unknown: unknownWords(spec, p)}
	if more := len(p.Words) + p.MoreWords - mostChips; more > 0 {
		v.More = "and " + plural(more, "more word")
	}
	v.Parts.Without = without
	if d := p.Decision; d != nil {
		v.Parts = newParts(v.Classes, p, inOrder)
	}
	return v
}

// onceEach returns a sentence's known words, each once, in the order in which they come first.
func onceEach(p *wire.Prediction) []wire.Word {
	var out []wire.Word
	seen := map[string]bool{}
	for _, w := range p.Words {
		if w.Known && !seen[w.Text] {
			seen[w.Text] = true
			out = append(out, w)
		}
	}
	return out
}

func newParts(classes [2]string, p *wire.Prediction, inOrder bool) partsView {
	d, words := p.Decision, onceEach(p)
	total := 0.0
	for _, w := range words {
		total += w.Adds
	}
	// What Words leaves out is the rest of the sum.
	rest := 0.0
	if p.MoreWords > 0 {
		rest = d.Float32 - d.Bias - total
	}
	bySize := slices.Clone(words)
	slices.SortStableFunc(bySize, func(a, b wire.Word) int { return cmp.Compare(math.Abs(b.Adds), math.Abs(a.Adds)) })
	shown := bySize[:min(len(bySize), mostBars)]
	lines := bySize
	if inOrder {
		lines = words
		shown = slices.DeleteFunc(slices.Clone(words), func(w wire.Word) bool {
			return !slices.ContainsFunc(shown, func(s wire.Word) bool { return s.Text == w.Text })
		})
	}
	v := partsView{Without: d.Variant, Sum: newSum(p, total+rest, len(words)), Verdict: decisionWords(classes, d)}
	if n := len(words) - len(shown); n > 0 {
		v.Folded = fmt.Sprintf("The chart shows the %d words that add most; the table has %s.", len(shown), plural(n, "more word"))
	}
	if len(words) == 0 {
		return v
	}
	rows := make([]chart.DivergingRow, len(shown))
	for i, w := range shown {
		rows[i] = chart.DivergingRow{Label: wordTimes(w), Bar: w.Adds, Dot: w.Without}
	}
	v.Chart = chart.Diverging(chart.DivergingView{
		Rows: rows, Of: "what the words of the sentence add to the decision of " + p.Model,
		Bar: "adds, float32, exact", Dot: "without it, " + answerName(d.Variant),
		Title: decisionTitle(classes, p), Before: classes[0], After: classes[1],
	})
	v.Table = chart.Table("What each word adds to the decision of "+p.Model, []string{"Word", "Adds", "Without it"}, partLines(lines, d.Bias, rest, total+rest))
	return v
}

// twoClasses are the classes that a model decides between. One of more than two is not asked for its decision.
func twoClasses(spec nn.Spec) (classes [2]string) {
	copy(classes[:], spec.Labels())
	return classes
}

// decisionTitle says what a decision is. A network with one logit has no second one to take from it.
func decisionTitle(classes [2]string, p *wire.Prediction) string {
	if slices.ContainsFunc(p.Answers, func(a wire.Answer) bool { return len(a.Logits) == 1 }) {
		return "logit of " + classes[1]
	}
	return "logit of " + classes[1] + " minus logit of " + classes[0]
}

// partLines are the table's rows: the words, the biases, and all together.
func partLines(words []wire.Word, bias, rest, total float64) [][]string {
	var rows [][]string
	folded := rest
	for i, w := range words {
		if i < mostLines {
			rows = append(rows, []string{wordTimes(w), signedLogit(w.Adds), signedLogit(w.Without)})
		} else {
			folded += w.Adds
		}
	}
	if folded != 0 {
		rows = append(rows, []string{"other words", signedLogit(folded)})
	}
	return append(rows, []string{"the biases", signedLogit(bias)}, []string{"all together", signedLogit(total + bias)})
}

// wordTimes is a word with how often it occurs.
func wordTimes(w wire.Word) string {
	if w.Count > 1 {
		return w.Text + " ×" + strconv.Itoa(w.Count)
	}
	return w.Text
}

// sumSlack is by how much the parts' sum, in float64, may differ from the float32 network's, for every unit of what is summed.
const sumSlack = 1e-4

func newSum(p *wire.Prediction, words float64, count int) sumView {
	d := p.Decision
	v := sumView{Bias: signedLogit(d.Bias), Words: signedLogit(words), Sum: signedLogit(d.Bias + words), Count: plural(count, "known word")}
	if p.MoreWords > 0 {
		v.Count = "all known words"
	}
	i := slices.IndexFunc(p.Answers, func(a wire.Answer) bool { return a.Variant == wire.Baseline })
	if i >= 0 && len(p.Answers[i].Logits) == 2 {
		v.Negative, v.Positive = signedLogit(p.Answers[i].Logits[0]), signedLogit(p.Answers[i].Logits[1])
	}
	if off := math.Abs(d.Bias + words - d.Float32); off > sumSlack*max(1, math.Abs(d.Bias)+math.Abs(words)) {
		v.Off = fmt.Sprintf("The parts miss float32’s own difference, %s, by %.2g: that is more than rounding.", signedLogit(d.Float32), off)
	}
	return v
}

// decisionWords says what the difference of the logits means.
func decisionWords(classes [2]string, d *wire.Decision) string {
	verdict := classes[1]
	if d.Float32 <= 0 {
		verdict = classes[0]
	}
	words := "Float32 decides for " + verdict + ": " + signedLogit(d.Float32)
	if d.Variant != wire.Baseline {
		words += ". " + upperFirst(answerName(d.Variant)) + " arrives at " + signedLogit(d.Sum)
	}
	return words + "."
}

// signedLogit writes a logit or a part of one, with a sign that is as wide as a digit.
func signedLogit(v float64) string {
	if !finite(v) {
		return report.Missing
	}
	s := strconv.FormatFloat(math.Abs(v), 'f', 3, 64)
	switch {
	case s == "0.000":
		return s
	case v < 0:
		return "−" + s
	}
	return "+" + s
}

// unknownWords says which words the model does not see, each once.
func unknownWords(spec nn.Spec, p *wire.Prediction) string {
	const most = 12
	var words []string
	for _, w := range p.Words {
		if !w.Known && !slices.Contains(words, w.Text) {
			words = append(words, w.Text)
		}
	}
	if len(words) == 0 {
		return ""
	}
	_, unknown := vocabulary(spec)
	more, are := "", "are"
	if n := len(words) - most; n > 0 {
		words, more = words[:most], fmt.Sprintf(" and %s more", report.Count(n))
	} else if len(words) == 1 {
		are = "is"
	}
	for i, w := range words {
		words[i] = "“" + isolate(visible(shortWord(w))) + "”"
	}
	return fmt.Sprintf("%s%s %s %s, so the network does not see %s.", strings.Join(words, ", "), more, are, unknown, map[string]string{"is": "it", "are": "them"}[are])
}

// isolate keeps a word's writing direction to the word.
func isolate(word string) string { return "\u2068" + word + "\u2069" }

// shortWord cuts a word that is too long to be shown.
func shortWord(word string) string {
	const most = 40
	if runes := []rune(cutText(word, 4*most+4)); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return word
}

// chipsHTML writes a sentence's words as a list of chips. A chip shows what one occurrence of its word adds, and can be focused for
// more.
func chipsHTML(spec nn.Spec, p *wire.Prediction) string {
	words := p.Words[:min(len(p.Words), mostChips)]
	most := 0.0
	for _, w := range words {
		most = max(most, math.Abs(once(w)))
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<ol class="chips" aria-label="The words as %s sees them, in their order">`, html.EscapeString(p.Model))
	for i, w := range words {
		chip(&b, spec, p, w, most, i == 0)
	}
	b.WriteString(`</ol>`)
	return b.String()
}

// once is what one occurrence of a word adds.
func once(w wire.Word) float64 { return w.Adds / float64(max(w.Count, 1)) }

func chip(b *strings.Builder, spec nn.Spec, p *wire.Prediction, w wire.Word, most float64, first bool) {
	class, index := "unknown", -1
	if w.Known {
		class = "known"
	}
	if first {
		index = 0
	}
	fmt.Fprintf(b, `<li class="chip %s" tabindex="%d"><bdi class="word">%s</bdi>`, class, index, html.EscapeString(visible(shortWord(w.Text))))
	if w.Count > 1 {
		fmt.Fprintf(b, `<span class="times">×%d</span>`, w.Count)
	}
	if w.Known && p.Decision != nil {
		fmt.Fprintf(b, `<span class="adds">%s</span>%s`, signedLogit(once(w)), chipBar(once(w), most))
	}
	if !w.Known {
		b.WriteString(`<span class="adds">unknown</span>`)
	}
	fmt.Fprintf(b, `<span class="tip">%s</span></li>`, html.EscapeString(chipWords(spec, p, w)))
}

// chipBar draws what a word adds from the middle, on the sentence's scale.
func chipBar(v, most float64) string {
	const half = 50
	wide := 0.0
	if most > 0 {
		wide = half * min(math.Abs(v)/most, 1)
	}
	x, class := float64(half), "above"
	if v < 0 {
		x, class = half-wide, "below"
	}
	return fmt.Sprintf(`<svg class="chip-bar" viewBox="0 0 100 4" preserveAspectRatio="none" width="100%%" height="4" aria-hidden="true">`+
		`<rect class="%s" x="%.1f" y="0" width="%.1f" height="4"></rect><rect class="zero" x="49" y="0" width="2" height="4"></rect></svg>`, class, x, wide)
}

// chipWords say what a chip shows, and how frequent its word is.
func chipWords(spec nn.Spec, p *wire.Prediction, w wire.Word) string {
	known, unknown := vocabulary(spec)
	name := "“" + isolate(visible(shortWord(w.Text))) + "”"
	if !w.Known {
		return name + " is " + unknown + ": the network does not see it."
	}
	words := fmt.Sprintf("%s is the %s most frequent %s", name, ordinal(w.Rank), known)
	if spec.Own { // whose vocabulary may be in any order
		words = fmt.Sprintf("%s is number %s %s", name, report.Count(w.Rank), known)
	}
	if w.Count > 1 {
		words += fmt.Sprintf(" and occurs %s times", report.Count(w.Count))
	}
	words += "."
	d := p.Decision
	if d == nil {
		return words
	}
	if w.Count > 1 {
		words += fmt.Sprintf(" Each time it adds %s, together %s.", signedLogit(once(w)), signedLogit(w.Adds))
	} else {
		words += fmt.Sprintf(" It adds %s.", signedLogit(w.Adds))
	}
	return words + fmt.Sprintf(" Without it the decision of %s changes by %s.", answerName(d.Variant), signedLogit(-w.Without))
}

// visible shows what has no shape: control characters as the pictures that Unicode has for them.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ':
			return '\u2400' + r
		case r == 0x7f:
			return '\u2421'
		case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // would turn the writing direction of what follows
			return '\ufffd'
		}
		return r
	}, s)
}

// ordinal spells a rank: "1st", "812th", "1,011th".
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return report.Count(n) + suffix
}
