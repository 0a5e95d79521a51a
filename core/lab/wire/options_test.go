package wire

import (
	"slices"
	"strings"
	"testing"

	"quantlab/core/scheme"
)

func TestPlansOptions(t *testing.T) {
	lab := PlansOptions{}.WithDefaults()
	if err := lab.Validate(); err != nil || !slices.Equal(lab.Schemes, DefaultSchemes()) {
		t.Errorf("defaults %q: %v", lab.Schemes, err)
	}
	for i, id := range VariantIDs() { // int4 comes after them
		if plan, err := scheme.Preset(id, 1); err != nil || plan.String() != lab.Schemes[i] {
			t.Errorf("scheme %s is not the lab's %s", lab.Schemes[i], id)
		}
	}
	if o := (PlansOptions{Schemes: []string{"float16"}}).WithDefaults(); !slices.Equal(o.Schemes, []string{"float32", "float16"}) {
		t.Errorf("float32 is not tried: %q", o.Schemes)
	}
	for says, schemes := range map[string][]string{
		"int4":                         {"int4"},
		"named twice":                  {"float16", "float16"},
		"9 schemes are too many":       strings.Fields("float16 dynamic-w2-a8 dynamic-w3-a8 dynamic-w4-a8 dynamic-w5-a8 dynamic-w6-a8 dynamic-w7-a8 dynamic-w8-a8"),
		"activations on different gri": {"static-w8c-a8r-histogram", "static-w8c-a8-histogram"},
	} {
		if err := (PlansOptions{Schemes: schemes}).Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want one with %q", schemes, err, says)
		}
	}
}

func TestSweepOptions(t *testing.T) {
	lab := SweepOptions{}.WithDefaults()
	if err := lab.Validate(Request{Models: []string{"mnist-lab2", "sst2-lab1"}}); err != nil || lab.Seeds != 10 || !slices.Contains(lab.Sizes, 1024) {
		t.Errorf("defaults %+v: %v", lab, err)
	}
	if plan, err := scheme.Preset("static-qint8", 3); err != nil || plan.String() != lab.Plan {
		t.Errorf("plan %q is not the lab's", lab.Plan)
	}
	if o := (SweepOptions{Sizes: []int{64, 8}}).WithDefaults(); !slices.Equal(o.Sizes, []int{8, 64}) {
		t.Errorf("sizes %v", o.Sizes)
	}
	for says, o := range map[string]SweepOptions{
		"no static layer":            {Plan: "float16"},
		"has schemes for 2 layers":   {Plan: "float32,static-w8c-a8r-histogram"},
		"can't be read":              {Plan: "int8"},
		"0 examples is out of range": {Sizes: []int{8, 0}},
		"8193 examples":              {Sizes: []int{8193}},
		"8 is named twice":           {Sizes: []int{8, 16, 8}},
		"17 calibration sizes":       {Sizes: slices.Repeat([]int{1}, 17)},
		"seeds 101":                  {Seeds: 101},
		"seeds -1":                   {Seeds: -1},
	} {
		if err := o.Validate(Request{Models: []string{"mnist-lab2"}}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: error %v, want one with %q", o, err, says)
		}
	}
	if err := (SweepOptions{}).Validate(Request{Models: []string{"mnist-lab9"}}); err == nil {
		t.Error("an unknown model was taken")
	}
}
