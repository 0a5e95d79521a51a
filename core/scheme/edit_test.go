package scheme

import (
	"slices"
	"testing"
)

func TestWith(t *testing.T) {
	const lab, dynamic = "static-w8c-a8r-histogram", "dynamic-w8-a8r"
	for _, c := range []struct {
		from    string
		setting Setting
		value   string
		want    string // empty where it must fail
	}{
		{lab, WeightBits, "4", "static-w4c-a8r-histogram"},
		{lab, WeightBits, "1", ""},
		{lab, WeightBits, "9", ""},
		{lab, WeightBits, "many", ""},
		{lab, PerChannel, "false", "static-w8-a8r-histogram"},
		{lab, WeightSymmetric, "false", "static-w8ca-a8r-histogram"},
		{lab, ActivationBits, "2", "static-w8c-a2r-histogram"},
		{lab, ActivationSymmetric, "true", "static-w8c-a8rs-histogram"},
		{lab, ReduceRange, "false", "static-w8c-a8-histogram"},
		{lab, ReduceRange, "perhaps", ""},
		{lab, PerRow, "true", ""},
		{lab, ObserverOf, MovingAverage, "static-w8c-a8r-movingaverage"},
		{lab, ObserverOf, Percentile, "static-w8c-a8r-percentile99.9"},
		{lab, ObserverOf, "best", ""},
		{lab, PercentileOf, "99", ""},
		{"static-w8c-a8r-percentile99.9", PercentileOf, "99", "static-w8c-a8r-percentile99"},
		{"static-w8c-a8r-percentile99.9", PercentileOf, "12", ""},
		{"static-w8c-a8r-percentile99.9", ObserverOf, MinMax, "static-w8c-a8r-minmax"},
		{dynamic, PerRow, "true", "dynamic-w8-a8rp"},
		{dynamic, ObserverOf, MinMax, ""},
		{"float16", WeightBits, "4", ""},
		{"float16", Setting("colour"), "blue", ""},

		{lab, ModeOf, "float32", "float32"},
		{lab, ModeOf, "dynamic", dynamic},
		{dynamic, ModeOf, "static", lab},
		{"float32", ModeOf, "static", lab},
		{"float32", ModeOf, "float16", "float16"},
		{"static-w4ca-a6s-percentile99", ModeOf, "dynamic", "dynamic-w4ca-a6s"},
		{"dynamic-w4-a6p", ModeOf, "static", "static-w4-a6-histogram"},
		{"static-w4-a6-minmax", ModeOf, "static", "static-w4-a6-minmax"},
		{lab, ModeOf, "int1", ""},
	} {
		from, err := ParseScheme(c.from)
		if err != nil {
			t.Fatal(err)
		}
		got, err := from.With(c.setting, c.value)
		if (err != nil) != (c.want == "") || err == nil && got.String() != c.want {
			t.Errorf("%s with %s %s: %s, %v; want %s", c.from, c.setting, c.value, got, err, c.want)
		}
	}
}

func TestPlanWith(t *testing.T) {
	p, err := ParsePlan("static-w8c-a8r-histogram,float16,dynamic-w8-a8r", 3)
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(p)
	for _, c := range []struct {
		layer   int
		setting Setting
		value   string
		want    string
	}{
		{0, WeightBits, "4", "static-w4c-a8r-histogram,float16,dynamic-w8-a8r"},
		{1, WeightBits, "4", ""},
		{3, WeightBits, "4", ""},
		{-1, WeightBits, "4", "static-w4c-a8r-histogram,float16,dynamic-w4-a8r"},
		{-1, PerRow, "true", "static-w8c-a8r-histogram,float16,dynamic-w8-a8rp"},
		{-1, PercentileOf, "99", ""},
		{-1, ModeOf, "float32", "float32"},
	} {
		got, err := p.With(c.layer, c.setting, c.value)
		if (err != nil) != (c.want == "") || err == nil && got.String() != c.want {
			t.Errorf("layer %d with %s %s: %s, %v; want %s", c.layer, c.setting, c.value, got, err, c.want)
		}
		if !slices.Equal(p, before) {
			t.Fatal("the plan itself was changed")
		}
	}
}

// What Setting spells, With reads: every setting of a scheme can be set to what it is.
func TestSettingIsWhatWithReads(t *testing.T) {
	for _, text := range []string{"float32", "float16", "dynamic-w3a-a5sp", "static-w8c-a8r-histogram", "static-w4ca-a6-percentile99.9"} {
		s, err := ParseScheme(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, setting := range s.Settings() {
			if got, err := s.With(setting, s.Setting(setting)); err != nil || got.String() != text {
				t.Errorf("%s of %s: %v, %v", setting, text, got, err)
			}
		}
	}
}
