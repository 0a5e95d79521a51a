package scheme

import "testing"

func TestShort(t *testing.T) {
	for text, want := range map[string]string{
		"float32":                                      "all float32",
		"static-w8c-a8r-histogram":                     "all static int8",
		"float16,dynamic-w8-a8r":                       "float16 · dynamic int8",
		"static-w4c-a8r-histogram,float32":             "static int4 · float32",
		"dynamic-w4c-a8r,static-w8c-a8-percentile99.9": "dynamic int4 (w4c-a8r) · static int8 (w8c-a8-percentile99.9)",
	} {
		p, err := ParsePlan(text, 2)
		if err != nil || p.Short() != want {
			t.Errorf("%s is %q, want %q (%v)", text, p.Short(), want, err)
		}
	}
	if p, _ := ParsePlan("static-w8c-a8r-histogram", 1); p.Short() != "static int8" {
		t.Errorf("of one layer: %q", p.Short())
	}
}
