package lab

import (
	"context"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// An ownSource has a model of the reader's own.
type ownSource struct {
	fakeSource
	spec nn.Spec
}

func (s *ownSource) Own(context.Context) (*wire.Own, error) {
	return &wire.Own{Models: []wire.OwnModel{{Spec: s.spec}}}, nil
}

// ownRequest asks for it.
func ownRequest(spec nn.Spec) wire.Request {
	r := testRequest(spec.ID)
	r.Own = &wire.Own{Models: []wire.OwnModel{{Spec: spec}}}
	return r
}

// A model of one logit is right where the logit's sign is, in every variant that float32 leaves no doubt of.
func TestOneLogit(t *testing.T) {
	for _, spec := range []nn.Spec{
		{ID: "one-digit", Title: "x", Own: true, Data: nn.MNIST, Crop: 6, In: 36, Hidden: []int{20}, Out: 1},
		{ID: "one-sentence", Title: "x", Own: true, Data: nn.SST2, Vocab: 50, In: 50, Hidden: []int{20, 20}, Out: 1},
	} {
		result, _, err := record(t, t.Context(), testHost(), &ownSource{fakeSource{examples: 200}, spec}, ownRequest(spec))
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Rows) != len(wire.Variants()) {
			t.Fatalf("%s: %d rows", spec.ID, len(result.Rows))
		}
		for _, row := range result.Rows {
			// Every tenth label is wrong.
			if row.Variant == wire.Baseline && row.Correct != 180 || row.Correct < 150 || row.Total != 200 || row.SizeTorch <= 0 {
				t.Errorf("%s, %s: %d of %d right, %d bytes in PyTorch", spec.ID, row.Variant, row.Correct, row.Total, row.SizeTorch)
			}
		}
	}
}

// A model with more inputs than int8 sums can have is measured in its other variants.
func TestTooWideForInt8(t *testing.T) {
	spec := nn.Spec{ID: "wide", Title: "x", Own: true, Data: nn.SST2, Vocab: 40000, In: 40000, Hidden: []int{2}, Out: 2}
	result, _, err := record(t, t.Context(), testHost(), &ownSource{fakeSource{examples: 50}, spec}, ownRequest(spec))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range result.Rows {
		int8 := slices.Contains([]string{"dynamic-qint8", "static-qint8"}, row.Variant)
		if int8 != strings.Contains(row.Note, "too many for int8") || int8 == (row.Accuracy != nil) || int8 == (len(row.LatencyUS) > 0) {
			t.Errorf("%s: note %q, %d of %d, %d latencies", row.Variant, row.Note, row.Correct, row.Total, len(row.LatencyUS))
		}
	}
}
