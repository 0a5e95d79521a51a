package play

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/scheme"
)

// TestAdvise: what is advised is measured, and so is what it says: the plan with the change, evaluated, differs by as many
// examples.
func TestAdvise(t *testing.T) {
	const model = "sst2-lab2"
	b := newBench(t, trained(t, model))
	const plan = "float32,static-w8-a4-minmax,static-w2-a8-minmax,static-w8-a2-minmax"
	var all []wire.Advice
	fraction := 0.0
	err := b.Advise(t.Context(), wire.AdviseRequest{Model: model, Conversion: wire.Conversion{Plan: plan}}, func(e wire.Event) {
		if e.Advice != nil {
			all = append(all, *e.Advice)
		}
		if strings.Contains(e.Step, ", layer ") {
			if e.Fraction < fraction || e.Fraction > 1 {
				t.Errorf("progress %v after %v", e.Fraction, fraction)
			}
			fraction = e.Fraction
		}
	})
	if err != nil || len(all) != 3 {
		t.Fatalf("%v, %+v", err, all)
	}
	now := evaluated(t, b, wire.EvaluateRequest{Model: model, Conversion: wire.Conversion{Plan: plan}})[wire.Custom]
	recommendations := 0
	for i, a := range all {
		if a.Layer != i+1 || a.Total != 872 || a.P != measure.McNemar(a.Gained, a.Lost) {
			t.Errorf("%+v", a)
		}
		if (a.Scheme != "") != (a.Gained > a.Lost && a.P < 0.025) {
			t.Errorf("advised or not: %+v", a)
		}
		if a.Scheme == "" {
			if !strings.HasPrefix(a.Text, "nothing tried") {
				t.Errorf("%+v", a)
			}
			continue
		}
		recommendations++
		p, err := scheme.ParsePlan(plan, 4)
		if err != nil {
			t.Fatal(err)
		}
		if p[a.Layer], err = scheme.ParseScheme(a.Scheme); err != nil {
			t.Fatal(err)
		}
		then := evaluated(t, b, wire.EvaluateRequest{Model: model, Conversion: wire.Conversion{Plan: p.String()}})[wire.Custom]
		if gain := then[len(then)-1].Correct - now[len(now)-1].Correct; gain != a.Gained-a.Lost {
			t.Errorf("%+v, but the change gains %d", a, gain)
		}
	}
	if recommendations == 0 {
		t.Errorf("two bits can't be improved on? %+v", all)
	}
}

func TestAdviceWords(t *testing.T) {
	c := change{words: "percentile 99.9", from: "histogram"}
	for want, a := range map[string]wire.Advice{
		"percentile 99.9 instead of histogram gains 0.6 points (71 right, 11 wrong, p < 0.001), on the same test examples that it was chosen by":              {Gained: 71, Lost: 11, Total: 10000},
		"nothing tried changes accuracy by more than chance: the best, percentile 99.9 instead of histogram, leaves it as it is (2 right, 2 wrong, p = 1)":    {Gained: 2, Lost: 2, Total: 10000},
		"nothing tried changes accuracy by more than chance: the best, percentile 99.9 instead of histogram, gains 0.05 points (7 right, 2 wrong, p = 0.18)":  {Gained: 7, Lost: 2, Total: 10000},
		"nothing tried changes accuracy by more than chance: the best, percentile 99.9 instead of histogram, gains 0.1 points (14 right, 4 wrong, p = 0.031)": {Gained: 14, Lost: 4, Total: 10000},
		"nothing tried changes accuracy by more than chance: the best, percentile 99.9 instead of histogram, loses 1 point (0 right, 1 wrong, p = 1)":         {Gained: 0, Lost: 1, Total: 100},
		"nothing tried helps: even percentile 99.9 instead of histogram loses 10 points (0 right, 10 wrong, p = 0.002)":                                       {Gained: 0, Lost: 10, Total: 100},
	} {
		a.P = measure.McNemar(a.Gained, a.Lost)
		if got := c.sentence(&a); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestChanges: every change is another valid scheme, and float layers have none.
func TestChanges(t *testing.T) {
	for text, want := range map[string]int{
		"float32": 0, "float16": 0,
		"dynamic-w8-a8":               3, // per channel, affine weights, symmetric activations
		"dynamic-w4c-a6":              4, // a bit more of both, and the two symmetries
		"static-w8c-a8r-histogram":    7, // four observers, the whole range, the two symmetries
		"static-w2a-a2s-percentile99": 10,
	} {
		s, err := scheme.ParseScheme(text)
		if err != nil {
			t.Fatal(err)
		}
		all := changes(s)
		if len(all) != want {
			t.Errorf("%s: %d changes, want %d: %+v", text, len(all), want, all)
		}
		for _, c := range all {
			if c.scheme == s || c.scheme.Validate() != nil || c.words == "" || c.kind == "" {
				t.Errorf("%s: %+v", text, c)
			}
		}
	}
}

func TestAdviseEnds(t *testing.T) {
	b := newBench(t, &fakeSource{})
	ctx, cancel := context.WithCancel(t.Context())
	err := b.Advise(ctx, wire.AdviseRequest{Model: "mnist-lab1", Conversion: wire.Conversion{Plan: "static-w4-a4-minmax"}}, func(e wire.Event) {
		if strings.Contains(e.Step, "measuring") {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("went on: %v", err)
	}
	if err := b.Advise(t.Context(), wire.AdviseRequest{Model: "mnist-lab1", Conversion: wire.Conversion{Plan: "float32"}}, func(e wire.Event) {
		if e.Kind == wire.EventAdvice {
			t.Errorf("advice where nothing is quantized: %+v", e.Advice)
		}
	}); err != nil {
		t.Error(err)
	}
	if err := b.Advise(t.Context(), wire.AdviseRequest{Model: "mnist-lab1", Conversion: wire.Conversion{Plan: "int8"}}, func(wire.Event) {}); err == nil {
		t.Error("no plan, and yet advice")
	}
}

func TestPoints(t *testing.T) {
	for v, want := range map[float64]string{0.6: "0.6 points", 1: "1 point", 12.3456: "12.35 points", math.Pi: "3.14 points"} {
		if got := pointsOf(v); got != want {
			t.Errorf("%v: %s", v, got)
		}
	}
}
