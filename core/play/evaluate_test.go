package play

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/scheme"
)

// evaluated returns the rows that Evaluate tells, by variant.
func evaluated(t testing.TB, b *Bench, req wire.EvaluateRequest) map[string][]wire.Row {
	t.Helper()
	rows := map[string][]wire.Row{}
	err := b.Evaluate(t.Context(), req, func(e wire.Event) {
		if e.Kind == wire.EventRow {
			rows[e.Row.Variant] = append(rows[e.Row.Variant], *e.Row)
		}
	})
	if err != nil {
		t.Fatalf("%+v: %v", req, err)
	}
	return rows
}

// TestEvaluateIsARun: the lab's plans give the lab's sizes and accuracies exactly, on trained models and the whole test sets.
func TestEvaluateIsARun(t *testing.T) {
	models := []string{"mnist-lab1", "sst2-lab2"}
	src := trained(t, models...)
	for _, model := range models {
		req := wire.Lab()
		req.Models, req.Batches, req.Runs = []string{model}, []int{1}, 1
		host := testHost()
		host.MinRun = time.Millisecond
		run, err := lab.Run(t.Context(), host, src, req, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(t, src)
		for _, want := range run.Rows {
			plan, err := scheme.Preset(want.Variant, 4)
			if err != nil {
				t.Fatal(err)
			}
			rows := evaluated(t, b, wire.EvaluateRequest{Model: model, Conversion: wire.Conversion{Plan: plan[:1].String()}})
			own := rows[wire.Custom]
			got := own[len(own)-1]
			if got.SizeBytes != want.SizeBytes || got.Smaller != want.Smaller || got.Correct != want.Correct || got.Total != want.Total ||
				*got.Accuracy != *want.Accuracy || *got.Interval != *want.Interval || got.Q != want.Q || got.DType != want.DType || got.Params != want.Params {
				t.Errorf("%s, %s: %+v, a run gives %+v", model, want.Variant, got, want)
			}
			if want.Paired != nil && !reflect.DeepEqual(got.Paired, want.Paired) {
				t.Errorf("%s, %s: paired %+v, a run gives %+v", model, want.Variant, got.Paired, want.Paired)
			}
			if base := rows[wire.Baseline]; len(base) != 1 || base[0].Correct != run.Rows[0].Correct || base[0].Smaller != 1 {
				t.Errorf("%s, %s: float32 is told as %+v", model, want.Variant, base)
			}
		}
	}
}

// TestEvaluateGrows: rows are told of more and more examples, each what a row of so many examples says.
func TestEvaluateGrows(t *testing.T) {
	b := newBench(t, &fakeSource{})
	req := wire.EvaluateRequest{Model: "mnist-lab1", Conversion: wire.Conversion{Plan: "static-w5-a6-minmax"}, Examples: 700}
	for again := range 2 {
		own := evaluated(t, b, req)[wire.Custom]
		if len(own) < 2 || own[0].Total != firstAnswers {
			t.Fatalf("%d rows, the first of %d examples", len(own), own[0].Total)
		}
		for i, r := range own {
			lo, hi := measure.Wilson(r.Correct, r.Total)
			if i > 0 && r.Total < own[i-1].Total || *r.Interval != [2]float64{lo, hi} || *r.Accuracy != float64(r.Correct)/float64(r.Total) {
				t.Errorf("row %d: %+v", i, r)
			}
			if again == 1 && (r.Paired == nil || len(r.Paired.Flipped) < r.Paired.Gained+r.Paired.Lost) {
				t.Errorf("row %d is not paired though float32's answers are known", i)
			}
		}
		if last := own[len(own)-1]; last.Total != 700 || last.Paired == nil || last.SizeBytes == 0 || last.Smaller < 1 {
			t.Errorf("the last row is %+v", last)
		}
	}
	if n := b.nets["mnist-lab1"]; len(n.known.answers) != 700 {
		t.Errorf("%d answers of float32 are kept", len(n.known.answers))
	}
	fewer, more := req, req
	fewer.Examples, more.Examples = 300, 900
	for _, r := range []wire.EvaluateRequest{fewer, more} {
		rows := evaluated(t, b, r)
		own := rows[wire.Custom]
		fresh := evaluated(t, newBench(t, &fakeSource{}), r)[wire.Custom]
		if got, want := own[len(own)-1], fresh[len(fresh)-1]; !reflect.DeepEqual(got, want) || got.Total != r.Examples {
			t.Errorf("%d examples after 700: %+v, at first %+v", r.Examples, got, want)
		}
	}
}

func TestEvaluateLatency(t *testing.T) {
	host := testHost()
	host.MinRun = time.Millisecond
	b := NewBench(host, &fakeSource{})
	t.Cleanup(b.Close)
	rows := evaluated(t, b, wire.EvaluateRequest{Model: "sst2-lab2", Conversion: wire.Conversion{Plan: "dynamic-w8-a8r"}, Examples: 100, Batches: []int{3, 1}})
	own, base := rows[wire.Custom], rows[wire.Baseline]
	last, float := own[len(own)-1], base[len(base)-1]
	for _, key := range []string{"1", "3"} {
		l, f := last.LatencyUS[key], float.LatencyUS[key]
		if len(l.Samples) != latencyRuns || l.Mean <= 0 || l.Verdict == nil || len(f.Samples) != latencyRuns || f.Verdict != nil {
			t.Errorf("batch %s: %+v, float32 %+v", key, l, f)
		}
	}
	if last.Total != 100 || last.Paired == nil || len(own[0].LatencyUS) != 0 {
		t.Errorf("rows %+v", own)
	}
}

func TestEvaluateRefuses(t *testing.T) {
	host := testHost()
	host.MaxBatch = 512
	b := NewBench(host, &fakeSource{})
	t.Cleanup(b.Close)
	good := wire.Conversion{Plan: "static-w8-a8-minmax"}
	for say, req := range map[string]wire.EvaluateRequest{
		"unknown model":       {Model: "x", Conversion: good},
		"can't be read":       {Model: "mnist-lab1"},
		"-1 test examples":    {Model: "mnist-lab1", Conversion: good, Examples: -1},
		"batch 513 is out":    {Model: "mnist-lab1", Conversion: good, Batches: []int{1, 513}},
		"batch 0 is out":      {Model: "mnist-lab1", Conversion: good, Batches: []int{0}},
		"9 batch sizes":       {Model: "mnist-lab1", Conversion: good, Batches: make([]int, 9)},
		"calibrating with -2": {Model: "mnist-lab1", Conversion: wire.Conversion{Plan: good.Plan, Examples: -2}},
	} {
		err := b.Evaluate(t.Context(), req, func(e wire.Event) {
			if e.Kind == wire.EventRow {
				t.Errorf("%s: %+v", say, e.Row)
			}
		})
		if err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%v does not say %q", err, say)
		}
	}
}

// TestEvaluateCanceled: it ends soon, and what is known of float32 by then is right and used.
func TestEvaluateCanceled(t *testing.T) {
	b := newBench(t, &fakeSource{})
	req := wire.EvaluateRequest{Model: "mnist-lab1", Conversion: wire.Conversion{Plan: "float16"}, Examples: 3000}
	for _, total := range []int{firstAnswers, req.Examples} { // while the conversion is asked, and while float32 is
		ctx, cancel := context.WithCancel(t.Context())
		var at time.Time
		err := b.Evaluate(ctx, req, func(e wire.Event) {
			if e.Kind == wire.EventRow && e.Row.Total == total && at.IsZero() {
				at = time.Now()
				cancel()
			}
		})
		if late := time.Since(at); !errors.Is(err, context.Canceled) || late > time.Second {
			t.Errorf("cancelled after %d examples: %v, %v late", total, err, late)
		}
		cancel()
	}
	known := slices.Clone(b.nets[req.Model].known.answers)
	evaluated(t, b, req)
	if all := b.nets[req.Model].known.answers; len(all) != 3000 || !slices.Equal(all[:len(known)], known) {
		t.Errorf("%d answers of float32, other ones than before", len(all))
	}
}

// TestEvaluateReuses: weights that an inspection converted serve, and only where they are the plan's.
func TestEvaluateReuses(t *testing.T) {
	b := newBench(t, &fakeSource{})
	for _, inspect := range []string{"dynamic-w4-a8", "static-w4-a5-minmax", "dynamic-w4c-a8", "float16", "float32"} {
		inspected(t, b, "mnist-lab1", inspect)
		for _, plan := range []string{"dynamic-w4-a8", "static-w4-a7-minmax", "float16", "float32,dynamic-w4-a8"} {
			req := wire.EvaluateRequest{Model: "mnist-lab1", Conversion: wire.Conversion{Plan: plan}, Examples: 200}
			got := evaluated(t, b, req)[wire.Custom]
			want := evaluated(t, newBench(t, &fakeSource{}), req)[wire.Custom]
			if !reflect.DeepEqual(got[len(got)-1], want[len(want)-1]) {
				t.Errorf("%s after %s was inspected: %+v, alone %+v", plan, inspect, got[len(got)-1], want[len(want)-1])
			}
		}
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add("mnist-lab1", "static-w3-a2s-entropy", 100, uint64(0), 5, 1)
	f.Add("sst2-lab2", "dynamic-w8-a8p", 1, uint64(3), -1, 0)
	f.Add("mnist-lab2", "float16,,", 0, uint64(1), 1<<30, 1<<40)
	host := testHost()
	host.MinRun, host.MaxBatch = time.Microsecond, 4
	b := NewBench(host, &fakeSource{})
	f.Cleanup(b.Close)
	f.Fuzz(func(t *testing.T, model, plan string, calibration int, seed uint64, examples, batch int) {
		req := wire.EvaluateRequest{Model: model, Conversion: wire.Conversion{Plan: plan, Examples: calibration, Seed: seed}, Examples: examples % 400}
		if batch%2 != 0 {
			req.Batches = []int{batch}
		}
		var last *wire.Row
		err := b.Evaluate(t.Context(), req, func(e wire.Event) {
			if e.Kind == wire.EventRow {
				last = e.Row
			}
		})
		if err == nil && (last == nil || last.Variant != wire.Custom || last.Total == 0 || last.Paired == nil) {
			t.Fatalf("%+v ends with %+v", req, last)
		}
	})
}
