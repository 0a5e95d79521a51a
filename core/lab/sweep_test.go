package lab

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// An uncalibrated source has no training examples, and none to calibrate with.
type uncalibrated struct{ fakeSource }

func (s *uncalibrated) Calibration(_ context.Context, _ nn.Spec, _ func(done, total int64)) (*dataset.Examples, error) {
	return nil, &dataset.MissingError{What: "training set", Path: "somewhere", Hint: "put it there"}
}

func (s *uncalibrated) Train(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*dataset.Examples, error) {
	return s.Calibration(ctx, spec, progress)
}

func recordSweep(t *testing.T, ctx context.Context, host Host, src Source, req wire.Request, o wire.SweepOptions) (*wire.Sweep, []wire.Event, error) {
	t.Helper()
	var events []wire.Event
	study, err := Do(ctx, host, src, wire.Command{Op: wire.OpSweep, Request: &req, Sweep: &o}, func(e wire.Event) { events = append(events, e) })
	checkOrder(t, events, err)
	if err != nil {
		return nil, events, err
	}
	return &study.Sweeps[0], events, nil
}

// Every point is what converting with that sample gives.
func TestSweep(t *testing.T) {
	src := &fakeSource{examples: 150}
	req := testRequest("sst2-lab2", "mnist-lab1")
	o := wire.SweepOptions{Sizes: []int{90, 4, 4096}, Seeds: 3, Plan: "static-w4-a6-minmax"}
	sweep, events, err := recordSweep(t, t.Context(), testHost(), src, req, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(sweep.Points) != 2*2*3 || len(sweep.Spreads) != 2*2 { // there are 300 training examples
		t.Fatalf("%d points, %d spreads", len(sweep.Points), len(sweep.Spreads))
	}
	if !slices.ContainsFunc(sweep.Notes, func(n string) bool { return strings.Contains(n, "mnist-lab1 has 300 training examples") }) {
		t.Errorf("notes %q", sweep.Notes)
	}
	told := map[wire.SweepPoint]bool{}
	for _, e := range events {
		if e.Kind == wire.EventSweep {
			told[*e.Sweep] = true
		}
	}
	for i, p := range sweep.Points {
		spec, _ := nn.SpecOf(p.Model)
		wantModel, wantSize, wantSeed := req.Models[i/6], []int{4, 90}[i/3%2], uint64(i%3+1)
		if p.Model != wantModel || p.Examples != wantSize || p.Seed != wantSeed || !told[p] {
			t.Errorf("point %d is %+v", i, p)
		}
		net, test := randomNetwork(spec), randomExamples(spec, 150, 2)
		plan := planOf(t, o.Plan, len(net.Layers))
		sample := randomExamples(spec, 300, 3).Sample(p.Examples, p.Seed)
		cal, err := quant.Calibrate(t.Context(), net, plan, inBatches(sample, nil))
		if err != nil {
			t.Fatal(err)
		}
		tr := &trial{runner: testRunner(t, src, req, nil), spec: spec, test: test}
		answers := func(plan quant.Plan) []int {
			m, err := quant.Convert(net, plan, cal, quant.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			a, err := tr.classes(t.Context(), m, nil)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		base, own := answers(planOf(t, "float32", len(plan))), answers(plan)
		var want wire.Row
		Score(&want, own, test.Labels)
		if paired := Paired(base, own, test.Labels); p.Correct != want.Correct || p.Total != 150 || p.Differ != len(paired.Flipped) {
			t.Errorf("%+v, want %d right, %d that differ", p, want.Correct, len(paired.Flipped))
		}
	}
}

func TestSpreads(t *testing.T) {
	at := func(seed uint64, correct, gained, lost int) try {
		return try{wire.SweepPoint{Model: "m", Examples: 8, Seed: seed, Correct: correct, Total: 100}, gained, lost}
	}
	got := spreadOf([]try{at(1, 90, 2, 2), at(2, 94, 6, 2), at(3, 92, 5, 3)})
	sampling := math.Sqrt((4 + (8 - 0.16) + (8 - 0.04)) / 3 / 1e4)
	want := wire.SweepSpread{Model: "m", Examples: 8, Seeds: 3, Mean: 0.92, Std: 0.02, Lowest: 0.90, Highest: 0.94, Sampling: sampling}
	for _, pair := range [][2]*float64{{&got.Mean, &want.Mean}, {&got.Std, &want.Std}, {&got.Sampling, &want.Sampling}} {
		if math.Abs(*pair[0]-*pair[1]) < 1e-12 {
			*pair[0] = *pair[1]
		}
	}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if one := spreadOf([]try{at(1, 90, 0, 0)}); one.Std != 0 || one.Sampling != 0 || one.Lowest != 0.9 {
		t.Errorf("of one calibration: %+v", one)
	}
}

// On real digits, larger samples agree better with each other.
func TestSweepOfDigits(t *testing.T) {
	src := &digitSource{fakeSource: &fakeSource{}, t: t, spec: smallDigits(32, 16)}
	r := testRunner(t, src, testRequest("mnist-lab1"), nil)
	s := &sweep{trial: &trial{runner: r, spec: src.spec, cost: costing{spec: src.spec}}, options: wire.SweepOptions{Plan: "static-w8c-a8-minmax", Sizes: []int{1, 1024}, Seeds: 6}.WithDefaults()}
	if err := s.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	points, spreads := s.points(), s.spreads()
	if len(points) != 12 || len(spreads) != 2 {
		t.Fatalf("%d points, %d spreads", len(points), len(spreads))
	}
	few, many := spreads[0], spreads[1]
	if few.Std <= many.Std || many.Baseline < 0.75 || math.Abs(many.Mean-many.Baseline) > 0.02 || many.Sampling <= 0 || many.Sampling > 0.02 {
		t.Errorf("spreads %+v", spreads)
	}
	if !reflect.DeepEqual(points, s.points()) {
		t.Error("points come in another order")
	}
}

func TestSweepWithoutData(t *testing.T) {
	req := testRequest("mnist-lab1")
	sweep, _, err := recordSweep(t, t.Context(), testHost(), &uncalibrated{fakeSource{examples: 50}}, req, wire.SweepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(sweep.Points) != 0 || sweep.Points == nil || len(sweep.Notes) != 1 || !strings.Contains(sweep.Notes[0], "training set") {
		t.Errorf("%+v", sweep)
	}
	if _, events, err := recordSweep(t, t.Context(), testHost(), &fakeSource{}, req, wire.SweepOptions{Plan: "float16"}); err == nil || len(events) != 1 {
		t.Errorf("a plan without static layers: error %v, events %v", err, events)
	}
}

func TestSweepCancelled(t *testing.T) {
	for _, during := range []string{"training examples", "float32, accuracy", "seed 2 of 10"} {
		ctx, cancel := context.WithCancel(t.Context())
		req := testRequest("mnist-lab1")
		var last wire.Event
		_, err := Do(ctx, testHost(), &fakeSource{examples: 300}, wire.Command{Op: wire.OpSweep, Request: &req}, func(e wire.Event) {
			if strings.Contains(e.Step, during) {
				cancel()
			}
			last = e
		})
		if cancel(); !errors.Is(err, context.Canceled) || last.Kind != wire.EventCancel {
			t.Errorf("during %q: error %v, last event %q", during, err, last.Kind)
		}
	}
}
