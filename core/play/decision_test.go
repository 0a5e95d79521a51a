package play

import (
	"math"
	"strings"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// checkSum holds for every explanation: what the different words add, and the biases' part, make up float32's decision.
func checkSum(t *testing.T, p *wire.Prediction, text string) {
	t.Helper()
	d := p.Decision
	if d == nil {
		t.Fatalf("%q: no decision", text)
	}
	total, seen := d.Bias, map[string]bool{}
	for _, w := range p.Words {
		if !w.Known && (w.Adds != 0 || w.Without != 0) {
			t.Errorf("%q: the unknown word %q adds %v, %v", text, w.Text, w.Adds, w.Without)
		}
		if w.Known && !seen[w.Text] {
			seen[w.Text] = true
			total += w.Adds
		}
	}
	if z := p.Answers[0].Logits; math.Abs(total-d.Float32) > 1e-4 || d.Float32 != sum(z) {
		t.Errorf("%q: the parts add up to %v, not %v", text, total, d.Float32)
	}
	if d.Variant == wire.Baseline && d.Sum != d.Float32 {
		t.Errorf("%q: two decisions of float32, %v and %v", text, d.Sum, d.Float32)
	}
}

func TestDecisionAddsUp(t *testing.T) {
	for _, model := range []string{"sst2-lab1", "sst2-lab2"} {
		src := trained(t, model)
		sentences, err := src.Sentences(t.Context(), nn.Spec{}, dataset.Dev, 200, nil)
		if err != nil {
			t.Skip(err)
		}
		b := newBench(t, src)
		for _, text := range sentences.Text {
			p, err := b.Predict(t.Context(), wire.PredictRequest{Model: model, Text: text, Explain: wire.Baseline})
			if err != nil {
				t.Fatal(err)
			}
			checkSum(t, p, text)
		}
	}
}

// What is told of a left-out word is what asking without it gives.
func TestWordsAreLeftOut(t *testing.T) {
	b := newBench(t, &fakeSource{})
	custom := &wire.Conversion{Plan: "dynamic-w4-a5"}
	for _, variant := range append(wire.VariantIDs(), wire.Custom) {
		ask := func(text string) *wire.Prediction {
			p, err := b.Predict(t.Context(), wire.PredictRequest{Model: "sst2-lab2", Text: text, Explain: variant, Custom: custom})
			if err != nil {
				t.Fatal(err)
			}
			checkSum(t, p, text)
			return p
		}
		whole := ask("w7 w100 w7 stranger w4000")
		if whole.Decision.Variant != variant || whole.Words[0] != whole.Words[2] {
			t.Errorf("%s: %+v, %+v", variant, whole.Decision, whole.Words)
		}
		for word, rest := range map[int]string{0: "w100 w4000", 1: "w7 w7 w4000", 4: "w100 w7 w7"} {
			want := whole.Decision.Sum - ask(rest).Decision.Sum
			if got := whole.Words[word].Without; math.Abs(got-want) > 1e-5 {
				t.Errorf("%s: without word %d the sum falls by %v, want %v", variant, word, got, want)
			}
		}
		if only := ask("w9"); math.Abs(only.Words[0].Without-(only.Decision.Sum-ask("nobody").Decision.Sum)) > 1e-5 {
			t.Errorf("%s: the only word is worth %v", variant, only.Words[0].Without)
		}
	}
}

// With a hidden layer that is never off, a word adds its weights, counted.
func TestContributionsByHand(t *testing.T) {
	net := nn.New(nn.Spec{In: 3, Hidden: []int{2}, Out: 2})
	copy(net.Layers[0].W, []float32{1, 2, 3, -1, -2, -3})
	copy(net.Layers[0].B, []float32{0.5, 1})
	copy(net.Layers[1].W, []float32{10, 0, 1, 5})
	copy(net.Layers[1].B, []float32{0, 4})
	bag := nn.Batch{Rows: 1, Cols: 3, Start: []int32{0, 2}, Index: []int32{0, 2}, Value: []float32{2, 1}}
	// Unit 0 is 2·1 + 3 + 0.5, unit 1 below 0. Positive less negative: (1-10)·5.5 + 4.
	adds, bias := contributions(net, bag)
	if adds[0] != -18 || adds[1] != -27 || bias != -4.5+4 {
		t.Errorf("%v and %v", adds, bias)
	}
	// One logit that is this difference is decided upon alike.
	one := nn.New(nn.Spec{In: 3, Hidden: []int{2}, Out: 1})
	one.Layers[0] = net.Layers[0]
	copy(one.Layers[1].W, []float32{1 - 10, 5})
	one.Layers[1].B[0] = 4
	if a, b := contributions(one, bag); a[0] != adds[0] || a[1] != adds[1] || b != bias {
		t.Errorf("with one logit %v and %v, with two %v and %v", a, b, adds, bias)
	}
	if got := sum([]float32{-2.5}); got != -2.5 {
		t.Errorf("the decision of one logit is %v", got)
	}
}

func TestDecisionOfManyWords(t *testing.T) {
	b := newBench(t, &fakeSource{})
	p, err := b.Predict(t.Context(), wire.PredictRequest{Model: "sst2-lab2", Text: strings.Join(numbered(300), " "), Explain: "fp32"})
	if err != nil {
		t.Fatal(err)
	}
	checkSum(t, p, "many words")
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "300 different words") || p.Words[255].Without == 0 || p.Words[256].Without != 0 {
		t.Errorf("notes %q", p.Notes)
	}
}
