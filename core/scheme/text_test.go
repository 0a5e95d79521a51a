package scheme

import (
	"slices"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for text, want := range map[string]Scheme{
		"float32":                  {Mode: Float32},
		"float16":                  {Mode: Float16},
		"dynamic-w8-a8r":           {Dynamic, WeightQuantizer{Bits: 8, Symmetric: true}, ActivationQuantizer{Bits: 8, ReduceRange: true}},
		"dynamic-w3a-a5sp":         {Dynamic, WeightQuantizer{Bits: 3}, ActivationQuantizer{Bits: 5, Symmetric: true, PerRow: true}},
		"static-w8c-a8r-histogram": {Static, WeightQuantizer{Bits: 8, PerChannel: true, Symmetric: true}, ActivationQuantizer{Bits: 8, ReduceRange: true, Observer: Histogram}},
		"static-w4ca-a6-percentile99.9": {Static, WeightQuantizer{Bits: 4, PerChannel: true},
			ActivationQuantizer{Bits: 6, Observer: Percentile, Percentile: 99.9}},
		"static-w8-a8-movingaverage": {Static, WeightQuantizer{Bits: 8, Symmetric: true}, ActivationQuantizer{Bits: 8, Observer: MovingAverage}},
	} {
		got, err := ParseScheme(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if s := want.String(); s != text {
			t.Errorf("%+v: %s, want %s", want, s, text)
		}
	}
}

func TestTextOfPlans(t *testing.T) {
	for text, layers := range map[string]int{"float32": 1, "dynamic-w8-a8r": 4, "float32,static-w8c-a8r-minmax,float16": 3} {
		p, err := ParsePlan(text, layers)
		if err != nil || len(p) != layers || p.String() != text {
			t.Errorf("%s for %d layers: %v, %v", text, layers, p, err)
		}
	}
	for _, text := range []string{
		"", "float64", "dynamic", "dynamic-w8", "dynamic-w9-a8", "dynamic-w1-a8", "dynamic-w-a8", "dynamic-w8-a8-histogram", "dynamic-w8ac-a8",
		"static-w8-a8", "static-w8-a8p-minmax", "static-w8-a8-best", "static-w8-a8-percentile", "static-w8-a8-percentile40", "static-w8-a8-percentileNaN",
		"float32,float32", "float32,float32,float32,float32", strings.Repeat("float32,", 600),
	} {
		if p, err := ParsePlan(text, 3); err == nil {
			t.Errorf("%.40q was read as %v", text, p)
		}
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add("static-w4ca-a6rs-percentile99.9,float32", 2)
	f.Add("dynamic-w8-a8r", 3)
	f.Fuzz(func(t *testing.T, text string, layers int) {
		layers = min(max(layers, 1), 8)
		p, err := ParsePlan(text, layers)
		if err != nil {
			return
		}
		if err := p.Validate(layers); err != nil {
			t.Fatalf("%q gives an invalid plan: %v", text, err)
		}
		again, err := ParsePlan(p.String(), layers)
		if err != nil || !slices.Equal(again, p) {
			t.Fatalf("%q becomes %q, which is read as %v, %v", text, p, again, err)
		}
	})
}
