package play

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// A specSource has one model of the reader's own.
type specSource struct {
	fakeSource
	spec nn.Spec
}

func (s *specSource) Own(context.Context) (*wire.Own, error) {
	return &wire.Own{Models: []wire.OwnModel{{Spec: s.spec}}}, nil
}

// A model of one logit answers with two probabilities, and its words add up to the logit.
func TestOneLogitIsAnswered(t *testing.T) {
	src := &specSource{spec: nn.Spec{ID: "one-logit", Title: "x", Own: true, Data: nn.SST2, Vocab: 120, In: 120, Hidden: []int{9}, Out: 1}}
	b := newBench(t, src)
	for _, variant := range wire.VariantIDs() {
		p, err := b.Predict(t.Context(), wire.PredictRequest{Model: "one-logit", Text: "w7 w100 w7 stranger", Explain: variant})
		if err != nil {
			t.Fatal(err)
		}
		checkSum(t, p, variant)
		for _, a := range p.Answers {
			if len(a.Logits) != 1 || len(a.Probabilities) != 2 {
				t.Fatalf("%s: %+v", a.Variant, a)
			}
			z := a.Logits[0]
			sigmoid := 1 / (1 + math.Exp(-z))
			if math.Abs(a.Probabilities[1]-sigmoid) > 1e-9 || (a.Label == "positive") != (z > 0) || math.Abs(a.Margin-math.Abs(2*sigmoid-1)) > 1e-9 {
				t.Errorf("%s: logit %v gives %v, %s, margin %v", a.Variant, z, a.Probabilities, a.Label, a.Margin)
			}
		}
	}
}

// A model of several classes of sentences answers without telling what words add to positive or negative.
func TestManyClassesOfSentences(t *testing.T) {
	src := &specSource{spec: nn.Spec{ID: "stars", Title: "x", Own: true, Data: nn.SST2, Vocab: 120, In: 120, Hidden: []int{9}, Out: 5}}
	p, err := newBench(t, src).Predict(t.Context(), wire.PredictRequest{Model: "stars", Text: "w7 w100", Explain: wire.Baseline})
	if err != nil || p.Decision != nil || len(p.Labels) != 5 || !slices.Contains(p.Labels, p.Answers[0].Label) {
		t.Errorf("%+v, error %v", p, err)
	}
}

// A model that is too wide for int8 answers in its other variants.
func TestTooWideForInt8IsTold(t *testing.T) {
	src := &specSource{spec: nn.Spec{ID: "wide", Title: "x", Own: true, Data: nn.SST2, Vocab: 40000, In: 40000, Hidden: []int{2}, Out: 2}}
	p, err := newBench(t, src).Predict(t.Context(), wire.PredictRequest{Model: "wide", Text: "w7 w100"})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range p.Answers {
		int8 := strings.HasSuffix(a.Variant, "qint8")
		if int8 != strings.Contains(a.Note, "too many for int8") || int8 == (a.Label != "") {
			t.Errorf("%+v", a)
		}
	}
}
