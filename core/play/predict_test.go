package play

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"quantlab/core/ink"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// reference is the network written out as its definition says, in float64.
func reference(net *nn.Network, x []float64) []float64 {
	for i := range net.Layers {
		l := &net.Layers[i]
		x = affine(l, x)
		for o := range x {
			if l.ReLU {
				x[o] = max(x[o], 0)
			}
		}
	}
	return x
}

func largest(x []float64) (at int) {
	for i, v := range x {
		if v > x[at] {
			at = i
		}
	}
	return at
}

// someDigit is a pattern over the whole field.
func someDigit() *ink.Digit {
	d := new(ink.Digit)
	for i := range d {
		d[i] = uint8(i * 7)
	}
	return d
}

func TestPredictDigit(t *testing.T) {
	b := newBench(t, &fakeSource{})
	for _, model := range []string{"mnist-lab1", "mnist-lab2"} {
		spec, _ := nn.SpecOf(model)
		digit := someDigit()
		p, err := b.Predict(t.Context(), wire.PredictRequest{Model: model, Drawing: digit.Drawing()})
		if err != nil {
			t.Fatal(err)
		}
		if p.Side != spec.Crop || len(p.Pixels) != spec.In || len(p.Labels) != 10 || len(p.Words) != 0 || !slices.Equal(p.Digit, digit[:]) {
			t.Errorf("%s saw %d x %d, %d pixels, labels %q", model, p.Side, p.Side, len(p.Pixels), p.Labels)
		}
		x := make([]float64, spec.In)
		for i, v := range p.Pixels {
			x[i] = float64(v) / 255
		}
		edge := (28 - spec.Crop) / 2
		if want := int(digit[edge*28+edge]); p.Pixels[0] != want {
			t.Errorf("%s: first pixel %d, want %d", model, p.Pixels[0], want)
		}
		logits := reference(randomNetwork(spec), x)
		checkAnswers(t, p, fmt.Sprint(largest(logits)))
		for i, z := range p.Answers[0].Logits {
			if math.Abs(z-logits[i]) > 1e-4 {
				t.Errorf("%s: logit %d is %v, want %v", model, i, z, logits[i])
			}
		}
	}
}

func TestPredictText(t *testing.T) {
	p, err := newBench(t, &fakeSource{}).Predict(t.Context(), wire.PredictRequest{Model: "sst2-lab2", Text: "W3 w17! strange w3"})
	if err != nil {
		t.Fatal(err)
	}
	w3 := wire.Word{Text: "w3", Known: true, Rank: 4, Count: 2}
	if want := []wire.Word{w3, {Text: "w17!"}, {Text: "strange"}, w3}; !slices.Equal(p.Words, want) || p.Side != 0 || p.Decision != nil {
		t.Errorf("words %+v", p.Words)
	}
	spec, _ := nn.SpecOf("sst2-lab2")
	x := make([]float64, 5000)
	x[3] = 2 // a bag counts
	checkAnswers(t, p, p.Labels[largest(reference(randomNetwork(spec), x))])
}

func checkAnswers(t *testing.T, p *wire.Prediction, base string) {
	t.Helper()
	if len(p.Answers) != len(wire.Variants()) {
		t.Fatalf("%d answers", len(p.Answers))
	}
	if p.Answers[0].Label != base {
		t.Errorf("float32 answers %q, want %q", p.Answers[0].Label, base)
	}
	for i, a := range p.Answers {
		if a.Variant != wire.VariantIDs()[i] || len(a.Probabilities) != len(p.Labels) || len(a.Logits) != len(p.Labels) || a.Call != nil {
			t.Fatalf("answer %d: %+v", i, a)
		}
		sum := 0.0
		for _, v := range a.Probabilities {
			sum += v
		}
		sorted := slices.Sorted(slices.Values(a.Probabilities))
		if want := sorted[len(sorted)-1] - sorted[len(sorted)-2]; a.Margin != want {
			t.Errorf("%s: margin %v of %v", a.Variant, a.Margin, a.Probabilities)
		}
		if best := p.Labels[largest(a.Probabilities)]; math.Abs(sum-1) > 1e-9 || a.Label != best || a.Agrees != (a.Label == base) {
			t.Errorf("%s: sum %v, answer %q of %q, agrees %v", a.Variant, sum, a.Label, best, a.Agrees)
		}
	}
}

func TestPredictWithAPlan(t *testing.T) {
	b := newBench(t, &fakeSource{})
	for _, c := range []struct {
		plan, q, dtype string
		like           string // the lab variant with the same answer, if any
	}{
		{"float16", "D", "float16", "dynamic-float16"},
		{"dynamic-w8-a8r", "D", "qint8", "dynamic-qint8"},
		{"static-w8c-a8r-histogram", "S", "qint8", "static-qint8"},
		{"static-w3-a4-minmax", "S", "qint8", ""},
		{"float32,dynamic-w2-a2", "D", "mixed", ""},
		{"dynamic-w8-a8,static-w8c-a8r-histogram", "S", "qint8", ""},
	} {
		req := wire.PredictRequest{Model: "mnist-lab1", Drawing: someDigit().Drawing(), Custom: &wire.Conversion{Plan: c.plan}}
		p, err := b.Predict(t.Context(), req)
		if err != nil {
			t.Fatalf("%s: %v", c.plan, err)
		}
		if len(p.Answers) != 5 {
			t.Fatalf("%s: %d answers", c.plan, len(p.Answers))
		}
		own := p.Answers[4]
		if own.Variant != wire.Custom || own.Q != c.q || own.DType != c.dtype || own.Label == "" {
			t.Errorf("%s: %+v", c.plan, own)
		}
		same := ""
		for _, a := range p.Answers[:4] {
			if slices.Equal(a.Logits, own.Logits) {
				same = a.Variant
			}
		}
		if same != c.like {
			t.Errorf("%s answers like %q, want %q", c.plan, same, c.like)
		}
	}
	n := b.nets["mnist-lab1"]
	if len(n.lab) != 4 || len(n.recent) != keptOthers || len(n.models) != 4+keptOthers {
		t.Errorf("%d models are kept, %d of the lab, %d others", len(n.models), len(n.lab), len(n.recent))
	}
}

func TestPredictTimes(t *testing.T) {
	b := newBench(t, &fakeSource{})
	p, err := b.Predict(t.Context(), wire.PredictRequest{
		Model: "mnist-lab1", Drawing: someDigit().Drawing(), Repeats: 6, Custom: &wire.Conversion{Plan: "float16"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range p.Answers {
		if a.Call == nil || len(a.Call.Samples) < fewRounds || len(a.Call.Samples) > 6 || a.Call.Calls < 1 || !(a.Call.Mean > 0) {
			t.Errorf("%s: %+v", a.Variant, a.Call)
		}
	}
}

// TestEnoughRounds: calm rows end with the budget, restless ones go on for as long as an outlier could be anywhere.
func TestEnoughRounds(t *testing.T) {
	calm := []measure.Series{{Samples: []float64{10, 11}}, {}, {Samples: []float64{3, 3}}}
	restless := []measure.Series{{Samples: []float64{10, 90}}, {}, {Samples: []float64{3, 3}}}
	for _, c := range []struct {
		rounds int
		took   time.Duration
		series []measure.Series
		want   bool
	}{
		{0, 0, nil, false},
		{1, time.Second, calm, false},
		{2, timingBudget, calm, false},
		{2, 2 * timingBudget, calm, false},
		{2, 3 * timingBudget, calm, true},
		{2, 3 * timingBudget, restless, false},
		{4, time.Second, restless, false},
		{5, time.Second, restless, true},
		{5, timingBudget, calm, false},
		{5, timingBudget + 1, calm, true},
	} {
		if got := enough(c.rounds, c.took, c.series); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestPredictWithoutKnownWords(t *testing.T) {
	p, err := newBench(t, &fakeSource{}).Predict(t.Context(), wire.PredictRequest{Model: "sst2-lab2", Text: "nothing here 🙂 \u202eשלום", Explain: "fp32"})
	if err != nil || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "none of the words") {
		t.Errorf("notes %q, error %v", p.Notes, err)
	}
}

func TestPredictManyWords(t *testing.T) {
	text := strings.Repeat("w1 nonsense ", 400) + "w2"
	p, err := newBench(t, &fakeSource{}).Predict(t.Context(), wire.PredictRequest{Model: "sst2-lab2", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Words) != wire.MaxWords || p.MoreWords != 801-wire.MaxWords || p.Words[0].Count != 400 {
		t.Errorf("%d words and %d more, the first %+v", len(p.Words), p.MoreWords, p.Words[0])
	}
}

func TestPredictWithoutSST2(t *testing.T) {
	src := &fakeSource{missing: true}
	ask := func() *wire.Prediction {
		p, err := newBench(t, src).Predict(t.Context(), wire.PredictRequest{Model: "sst2-lab2", Text: "w1", Explain: "static-qint8", Repeats: 1})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := ask()
	static := p.Answers[3]
	if static.Label != "" || static.Call != nil || !strings.Contains(static.Note, "SST-2 missing") || p.Decision.Variant != wire.Baseline || len(p.Notes) != 2 {
		t.Errorf("static without a calibration: %+v, %+v, notes %q", static, p.Decision, p.Notes)
	}
	spec, _ := nn.SpecOf("sst2-lab2")
	cal, err := lab.Calibrate(t.Context(), randomNetwork(spec), randomExamples(spec, 70, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	src.calibration = cal
	if p := ask(); p.Answers[3].Label == "" || p.Decision.Variant != "static-qint8" || len(p.Notes) > 0 {
		t.Errorf("static with a calibration in the model's file: %+v, notes %q", p.Answers[3], p.Notes)
	}
}

func TestPredictRefuses(t *testing.T) {
	digit := someDigit().Drawing()
	far := 1 << 40
	for _, c := range []struct {
		name  string
		req   wire.PredictRequest
		words int // of the vocabulary
		say   string
	}{
		{"model", wire.PredictRequest{Model: "resnet", Drawing: digit}, 0, `"resnet"`},
		{"text for digits", wire.PredictRequest{Model: "mnist-lab1", Text: "seven"}, 0, "reads digits"},
		{"digit for text", wire.PredictRequest{Model: "sst2-lab2", Drawing: digit}, 0, "reads sentences"},
		{"both", wire.PredictRequest{Model: "sst2-lab2", Drawing: digit, Text: "a"}, 0, "not both"},
		{"no words", wire.PredictRequest{Model: "sst2-lab2", Text: " \n"}, 0, "empty"},
		{"a book", wire.PredictRequest{Model: "sst2-lab2", Text: strings.Repeat("word ", 20000)}, 0, "100000 bytes"},
		{"short vocabulary", wire.PredictRequest{Model: "sst2-lab2", Text: "a"}, 7, "7 words"},
		{"repeats", wire.PredictRequest{Model: "mnist-lab1", Drawing: digit, Repeats: 51}, 0, "51 timed samples"},
		{"explain", wire.PredictRequest{Model: "sst2-lab2", Text: "w1", Explain: "custom"}, 0, `"custom"`},
		{"plan", wire.PredictRequest{Model: "mnist-lab1", Drawing: digit, Custom: &wire.Conversion{Plan: "int4"}}, 0, `"int4"`},
		{"empty drawing", wire.PredictRequest{Model: "mnist-lab1", Drawing: &wire.Drawing{}}, 0, "nothing is drawn"},
		{"far example", wire.PredictRequest{Model: "mnist-lab1", Drawing: &wire.Drawing{Example: &far}}, 0, "no test image"},
	} {
		p, err := newBench(t, &fakeSource{words: c.words}).Predict(t.Context(), c.req)
		if err == nil || p != nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: error %v does not say %q", c.name, err, c.say)
		}
	}
}

// A question costs what its answer must hold, and little else.
func TestPredictAllocatesLittle(t *testing.T) {
	b := newBench(t, &fakeSource{})
	req := wire.PredictRequest{Model: "mnist-lab1", Drawing: &wire.Drawing{Strokes: [][]int{{100, 100, 500, 800, 900, 200}}}}
	ask := func() {
		if _, err := b.Predict(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	if n := testing.AllocsPerRun(50, ask); n > 60 {
		t.Errorf("%v allocations", n)
	}
}

// The field names are a promise to whoever reads the JSON.
func TestPredictionFieldNames(t *testing.T) {
	b, err := json.Marshal(wire.Prediction{Answers: []wire.Answer{{}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"version", "model", "labels", "answers", "variant", "q", "dtype", "label", "probabilities", "logits", "agrees"} {
		if !strings.Contains(string(b), `"`+name+`":`) {
			t.Errorf("no field %s in %s", name, b)
		}
	}
}

func TestSoftmaxOfLargeLogits(t *testing.T) {
	if p := softmax([]float64{math.Log(3)}); len(p) != 2 || math.Abs(p[1]-0.75) > 1e-12 {
		t.Errorf("the probabilities of one logit are %v, want 0.25 and 0.75", p)
	}
	p := softmax([]float64{1000, 1000, -1000})
	if p[0] != 0.5 || p[1] != 0.5 || p[2] != 0 || margin(p) != 0 {
		t.Errorf("%v", p)
	}
}

// What an example gets alone it gets in a batch, too, whatever the plan.
func TestAloneInABatch(t *testing.T) {
	b := newBench(t, &fakeSource{})
	n, err := b.network(t.Context(), "mnist-lab1", nil)
	if err != nil {
		t.Fatal(err)
	}
	e := randomExamples(n.spec, 10, 2)
	var all, one nn.Batch
	e.Slice(&all, 0, 10)
	for _, v := range wire.VariantIDs() {
		m, _, err := b.model(t.Context(), n, v, nil, quant.Dense, func(wire.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		y, err := m.Forward(all)
		if err != nil {
			t.Fatal(err)
		}
		y = slices.Clone(y)
		for i := range 10 {
			e.Slice(&one, i, i+1)
			if z, err := m.Forward(one); err != nil || !slices.Equal(z, y[i*10:(i+1)*10]) {
				t.Errorf("%s, example %d: %v alone, %v in the batch, %v", v, i, z, y[i*10:(i+1)*10], err)
			}
		}
	}
}

func BenchmarkPredict(b *testing.B) {
	for _, model := range nn.IDs() {
		req := wire.PredictRequest{Model: model, Drawing: &wire.Drawing{Strokes: [][]int{{100, 100, 500, 800, 900, 200}}}}
		if strings.HasPrefix(model, "sst2") {
			req = wire.PredictRequest{Model: model, Text: "w1 w2 w3 w30 w40 w50 w60 w70 w80 w300 w400 w500 w600 w700"}
		}
		for _, repeats := range []int{0, 5} {
			b.Run(fmt.Sprint(model, "/", repeats), func(b *testing.B) {
				bench := newBench(b, &fakeSource{})
				req.Repeats = repeats
				b.ReportAllocs()
				for b.Loop() {
					if _, err := bench.Predict(b.Context(), req); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
