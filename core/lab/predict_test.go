package lab

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// calibrated returns what a model's file holds for hosts without the data.
func calibrated(t *testing.T, model string) *quant.Calibration {
	t.Helper()
	spec, err := nn.SpecOf(model)
	if err != nil {
		t.Fatal(err)
	}
	cal, err := Calibrate(t.Context(), randomNetwork(spec), randomExamples(spec, 70, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

func TestCalibrateTellsHowFar(t *testing.T) {
	spec, _ := nn.SpecOf("mnist-lab1")
	var told []string
	_, err := Calibrate(t.Context(), randomNetwork(spec), randomExamples(spec, 150, 1), func(done, total int) {
		told = append(told, fmt.Sprint(done, "/", total))
	})
	if want := []string{"64/150", "128/150", "150/150"}; err != nil || !slices.Equal(told, want) {
		t.Errorf("told %q, error %v", told, err)
	}
}

// numbered returns a vocabulary of so many words: w0, w1, …
func numbered(n int) (words []string) {
	for i := range n {
		words = append(words, fmt.Sprint("w", i))
	}
	return words
}

func TestPredictDigit(t *testing.T) {
	for _, model := range []string{"mnist-lab1", "mnist-lab2"} {
		spec, _ := nn.SpecOf(model)
		digit := new(Digit)
		for i := range digit {
			digit[i] = uint8(i * 7)
		}
		p, err := Predict(t.Context(), testHost(), &fakeSource{examples: 1}, model, Input{Digit: digit})
		if err != nil {
			t.Fatal(err)
		}
		if p.Side != spec.Crop || len(p.Pixels) != spec.In || len(p.Labels) != 10 || len(p.Words) != 0 {
			t.Errorf("%s saw %d x %d, %d pixels, labels %q", model, p.Side, p.Side, len(p.Pixels), p.Labels)
		}
		x := make([]float32, spec.In)
		for i, v := range p.Pixels {
			x[i] = float32(v) / 255
		}
		edge := (28 - spec.Crop) / 2
		if want := int(digit[edge*28+edge]); p.Pixels[0] != want {
			t.Errorf("%s: first pixel %d, want %d", model, p.Pixels[0], want)
		}
		checkAnswers(t, p, fmt.Sprint(reference(randomNetwork(spec), x)))
	}
}

func TestPredictText(t *testing.T) {
	src := &fakeSource{meta: modelfile.Meta{Vocabulary: numbered(5000)}}
	p, err := Predict(t.Context(), testHost(), src, "sst2-lab2", Input{Text: "W3 w17! strange w3"})
	if err != nil {
		t.Fatal(err)
	}
	want := []wire.Word{{Text: "w3", Known: true}, {Text: "w17!"}, {Text: "strange"}, {Text: "w3", Known: true}}
	if !slices.Equal(p.Words, want) || p.Side != 0 {
		t.Errorf("words %+v", p.Words)
	}
	spec, _ := nn.SpecOf("sst2-lab2")
	x := make([]float32, 5000)
	x[3] = 2 // a bag counts
	checkAnswers(t, p, Label(nn.SST2, reference(randomNetwork(spec), x)))
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
		if a.Variant != wire.VariantIDs()[i] || len(a.Probabilities) != len(p.Labels) || len(a.Logits) != len(p.Labels) {
			t.Fatalf("answer %d: %+v", i, a)
		}
		sum, best := 0.0, 0
		for c, v := range a.Probabilities {
			sum += v
			if v > a.Probabilities[best] {
				best = c
			}
		}
		if math.Abs(sum-1) > 1e-9 || a.Label != p.Labels[best] || a.Agrees != (a.Label == base) {
			t.Errorf("%s: sum %v, answer %q of %q, agrees %v", a.Variant, sum, a.Label, p.Labels[best], a.Agrees)
		}
	}
}

func TestPredictWithoutKnownWords(t *testing.T) {
	src := &fakeSource{meta: modelfile.Meta{Vocabulary: numbered(5000)}}
	p, err := Predict(t.Context(), testHost(), src, "sst2-lab2", Input{Text: "nothing here"})
	if err != nil || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "none of the words") {
		t.Errorf("notes %q, error %v", p.Notes, err)
	}
}

func TestPredictWithoutSST2(t *testing.T) {
	src := &fakeSource{missing: map[string]bool{nn.SST2: true}, meta: modelfile.Meta{Vocabulary: numbered(5000)}}
	p, err := Predict(t.Context(), testHost(), src, "sst2-lab2", Input{Text: "w1"})
	if err != nil {
		t.Fatal(err)
	}
	static := p.Answers[3]
	if static.Label != "" || !strings.Contains(static.Note, "SST-2 missing") || len(p.Notes) != 1 {
		t.Errorf("static without a calibration: %+v, notes %q", static, p.Notes)
	}
	src.meta.Calibration = calibrated(t, "sst2-lab2")
	p, err = Predict(t.Context(), testHost(), src, "sst2-lab2", Input{Text: "w1"})
	if err != nil {
		t.Fatal(err)
	}
	if p.Answers[3].Label == "" || len(p.Notes) > 0 {
		t.Errorf("static with a calibration in the model's file: %+v, notes %q", p.Answers[3], p.Notes)
	}
}

func TestPredictRefuses(t *testing.T) {
	digit := new(Digit)
	for _, c := range []struct {
		name, model string
		in          Input
		meta        modelfile.Meta
		say         string
	}{
		{"model", "resnet", Input{Digit: digit}, modelfile.Meta{}, `"resnet"`},
		{"text for digits", "mnist-lab1", Input{Text: "seven"}, modelfile.Meta{}, "reads digits"},
		{"digit for text", "sst2-lab2", Input{Digit: digit}, modelfile.Meta{}, "reads sentences"},
		{"both", "sst2-lab2", Input{Digit: digit, Text: "a"}, modelfile.Meta{}, "not both"},
		{"no words", "sst2-lab2", Input{Text: " \n"}, modelfile.Meta{}, "empty"},
		{"a book", "sst2-lab2", Input{Text: strings.Repeat("word ", 20000)}, modelfile.Meta{}, "100000 bytes"},
		{"no vocabulary", "sst2-lab2", Input{Text: "a"}, modelfile.Meta{}, "vocabulary"},
		{"short vocabulary", "sst2-lab2", Input{Text: "a"}, modelfile.Meta{Vocabulary: numbered(7)}, "7 words"},
	} {
		p, err := Predict(t.Context(), testHost(), &fakeSource{meta: c.meta}, c.model, c.in)
		if err == nil || p != nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: error %v does not say %q", c.name, err, c.say)
		}
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
	p := softmax([]float64{1000, 1000, -1000})
	if p[0] != 0.5 || p[1] != 0.5 || p[2] != 0 {
		t.Errorf("%v", p)
	}
}
