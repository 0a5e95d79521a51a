package app

import (
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

func TestTheSumCanBeChecked(t *testing.T) {
	p := predicted(wire.PredictRequest{Model: sentenceLab2, Text: "fine fine plot qux", Explain: "fp32"})
	v := newWords(nn.Specs()[3], p, "fp32", false)
	sum := v.Parts.Sum
	if sum.Bias != "−0.500" || sum.Words != "+3.000" || sum.Sum != "+2.500" || sum.Positive != "+2.250" || sum.Negative != "−0.250" || sum.Count != "2 known words" || sum.Off != "" {
		t.Errorf("%+v", sum)
	}
	for _, want := range []string{"fine ×2", "+2.000", "+1.000", "the biases", "−0.500", "all together", "+2.500"} {
		if !strings.Contains(v.Parts.Table, want) {
			t.Errorf("the table has no %s", want)
		}
	}
	p.Decision.Float32 += .01
	if off := newWords(nn.Specs()[3], p, "fp32", false).Parts.Sum.Off; !strings.Contains(off, "more than rounding") {
		t.Errorf("a sum that is off is not told: %q", off)
	}
}

func TestOrderOfTheWords(t *testing.T) {
	p := predicted(wire.PredictRequest{Model: sentenceLab2, Text: "a remarkable film", Explain: "fp32"})
	for inOrder, want := range map[bool][]string{false: {"remarkable", "film", ">a<"}, true: {">a<", "remarkable", "film"}} {
		table, at := newWords(nn.Specs()[3], p, "fp32", inOrder).Parts.Table, 0
		for _, w := range want {
			i := strings.Index(table[at:], w)
			if i < 0 {
				t.Fatalf("in order %v: %s is not in its place", inOrder, w)
			}
			at += i
		}
	}
}

// However many words there are, what is drawn is bounded, and the table still adds up.
func TestManyWords(t *testing.T) {
	var text strings.Builder
	for i := range 300 {
		text.WriteString(strings.Repeat("x", i%30+1) + string(rune('a'+i/30)) + " ")
	}
	p := predicted(wire.PredictRequest{Model: sentenceLab2, Text: text.String(), Explain: "fp32"})
	p.Words, p.MoreWords = p.Words[:250], 50
	v := newWords(nn.Specs()[3], p, "fp32", true)
	if n := strings.Count(v.Chips, "<li"); n != mostChips {
		t.Errorf("%d chips", n)
	}
	if v.More != "and 200 more words" || !strings.Contains(v.Parts.Folded, "the 24 words that add most; the table has 226 more words.") || !strings.Contains(v.Parts.Table, "other words") {
		t.Errorf("%q, %q", v.More, v.Parts.Folded)
	}
	if v.Parts.Sum.Off != "" || v.Parts.Sum.Sum != signedLogit(p.Decision.Float32) {
		t.Errorf("%+v", v.Parts.Sum)
	}
}

// What people type is text, never markup, and can't turn the page's writing direction.
func TestHostileWords(t *testing.T) {
	p := &wire.Prediction{Model: sentenceLab2, Words: []wire.Word{
		{Text: `<img src=x onerror=alert(1)>`}, {Text: `"'&`}, {Text: "\x00\x1b"}, {Text: "\u202e\u2066abc"}, {Text: "</li></ol>"},
		{Text: strings.Repeat("ab", 1<<15)}, {Text: "<b>", Known: true, Rank: 1, Count: 2, Adds: 1},
	}, Decision: &wire.Decision{Variant: "fp32"}}
	v := newWords(nn.Specs()[3], p, "fp32", false)
	for _, html := range []string{v.Chips, v.Parts.Table, v.Parts.Chart} {
		if strings.Contains(html, "<img") || strings.Contains(html, "<b>") || strings.ContainsAny(html, "\x00\x1b\u202e\u2066") || inline.MatchString(html) {
			t.Errorf("%.400q", html)
		}
	}
	if len(v.Chips) > 8<<10 || strings.Count(v.Chips, "</li>") != len(p.Words) {
		t.Errorf("%d bytes, %d chips", len(v.Chips), strings.Count(v.Chips, "</li>"))
	}
	if strings.ContainsAny(v.Unknown, "\x00\u202e") || !strings.Contains(v.Unknown, "are not among the 5000 most frequent") {
		t.Errorf("%q", v.Unknown)
	}
}

func TestChipWords(t *testing.T) {
	for _, tt := range []struct {
		model string
		word  wire.Word
		want  string
	}{
		{sentenceLab2, wire.Word{Text: "blorp"}, "“blorp” is not among the 5000 most frequent: the network does not see it."},
		{sentenceLab1, wire.Word{Text: "blorp"}, "“blorp” is not in the training set: the network does not see it."},
		{sentenceLab2, wire.Word{Text: "film", Known: true, Rank: 21, Count: 1, Adds: .25, Without: .5}, "“film” is the 21st most frequent of its 5000 words. It adds +0.250. Without it the decision of float32 changes by −0.500."},
		{sentenceLab1, wire.Word{Text: "film", Known: true, Rank: 1012, Count: 2, Adds: -1, Without: -.5},
			"“film” is the 1,012th most frequent of the 14816 words of the training set and occurs 2 times. Each time it adds −0.500, together −1.000. Without it the decision of float32 changes by +0.500."},
	} {
		spec, err := nn.SpecOf(tt.model)
		if err != nil {
			t.Fatal(err)
		}
		p := &wire.Prediction{Model: tt.model, Decision: &wire.Decision{Variant: "fp32"}}
		if got := strings.NewReplacer("\u2068", "", "\u2069", "").Replace(chipWords(spec, p, tt.word)); got != tt.want {
			t.Errorf("%s", got)
		}
	}
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 111: "111th", 4999: "4,999th"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
