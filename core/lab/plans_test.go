package lab

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// recordPlans carries out the experiment and returns what happened.
func recordPlans(t *testing.T, ctx context.Context, host Host, src Source, req wire.Request, o wire.PlansOptions) (*wire.Plans, []wire.Event, error) {
	t.Helper()
	var events []wire.Event
	study, err := Do(ctx, host, src, wire.Command{Op: wire.OpPlans, Request: &req, Plans: &o}, func(e wire.Event) { events = append(events, e) })
	checkOrder(t, events, err)
	if err != nil {
		return nil, events, err
	}
	if len(study.Plans) != 1 || events[len(events)-1].Study != study {
		t.Fatalf("the study holds %d parts", len(study.Plans))
	}
	return &study.Plans[0], events, nil
}

func planOf(t *testing.T, text string, layers int) scheme.Plan {
	t.Helper()
	p, err := scheme.ParsePlan(text, layers)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlans(t *testing.T) {
	src := &fakeSource{examples: 130}
	req := testRequest("mnist-lab1")
	part, events, err := recordPlans(t, t.Context(), testHost(), src, req, wire.PlansOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(part.Searches) != 1 || part.Version != "test" || part.Hardware.CPU != "a test's" {
		t.Fatalf("%+v", part)
	}
	s := part.Searches[0]
	if s.Model != "mnist-lab1" || s.Plans != 25 || !s.Exhaustive || len(s.Points) != 25 || !slices.Equal(s.Schemes, wire.DefaultSchemes()) {
		t.Fatalf("%s: %d of %d plans, exhaustive %v, of %q", s.Model, len(s.Points), s.Plans, s.Exhaustive, s.Schemes)
	}
	checkPoints(t, src, s, req)

	var told []wire.PlanPoint
	for _, e := range events {
		if e.Kind == wire.EventPlan {
			told = append(told, *e.Plan)
		}
	}
	best := slices.DeleteFunc(slices.Clone(s.Points), func(p wire.PlanPoint) bool { return len(p.Fronts) == 0 })
	if !reflect.DeepEqual(told, best) {
		t.Errorf("%d plans were told, %d are on a front", len(told), len(best))
	}
	if s.Greedy[0] != "float32" || len(s.Greedy) < 2 {
		t.Errorf("the greedy search went %q", s.Greedy)
	}
	for _, words := range []string{"are off by", "a greedy search"} {
		if !slices.ContainsFunc(part.Notes, func(n string) bool { return strings.Contains(n, words) }) {
			t.Errorf("no note with %q in %q", words, part.Notes)
		}
	}
}

// checkPoints holds for every search: each point is what converting by its plan gives, and fronts are what they are.
func checkPoints(t *testing.T, src *fakeSource, s wire.PlanSearch, req wire.Request) {
	t.Helper()
	spec, err := nn.SpecOf(s.Model)
	if err != nil {
		t.Fatal(err)
	}
	net, test := randomNetwork(spec), randomExamples(spec, src.examples, 2)
	layers := len(net.Layers)
	cal, err := Calibrate(t.Context(), net, randomExamples(spec, 100, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{runner: testRunner(t, src, req, nil), spec: spec, test: test}
	seen := map[string]bool{}
	for i, p := range s.Points {
		plan := planOf(t, p.Plan, layers)
		m, err := quant.Convert(net, plan, cal, quant.Options{})
		if err != nil {
			t.Fatal(err)
		}
		size, err := modelfile.Size(m)
		if err != nil {
			t.Fatal(err)
		}
		answers, err := tr.classes(t.Context(), m, nil)
		m.Close()
		if err != nil {
			t.Fatal(err)
		}
		var want wire.Row
		Score(&want, answers, test.Labels)
		if seen[p.Plan] || p.SizeBytes != size || p.Correct != want.Correct || p.Total != want.Total || p.Variant != wire.Custom {
			t.Errorf("%s: %d bytes, %d right; want %d, %d", p.Plan, p.SizeBytes, p.Correct, size, want.Correct)
		}
		seen[p.Plan] = true
		if i > 0 && p.SizeBytes < s.Points[i-1].SizeBytes {
			t.Errorf("%s is smaller than the plan before it", p.Plan)
		}
		if onFront := len(p.Fronts) > 0; onFront != (len(p.LatencyUS) > 0) && p.Plan != "float32" || !onFront && p.Paired != nil && p.Paired.Flipped != nil {
			t.Errorf("%s: fronts %q, latencies %v, flipped %v", p.Plan, p.Fronts, p.LatencyUS, p.Paired)
		}
		if len(p.Predicted) != len(req.Batches) {
			t.Errorf("%s: predicted %v", p.Plan, p.Predicted)
		}
		for b, us := range p.Predicted {
			if !(us > 0) || us > 1e6 {
				t.Errorf("%s: predicted %v µs at batch %s", p.Plan, us, b)
			}
		}
	}
	for _, p := range s.Points {
		for b, us := range p.Predicted {
			beaten := slices.ContainsFunc(s.Points, func(q wire.PlanPoint) bool {
				return worth{q.SizeBytes, q.Correct, timeStep(q.Predicted[b])}.beats(worth{p.SizeBytes, p.Correct, timeStep(us)})
			})
			if beaten == slices.Contains(p.Fronts, b) {
				t.Errorf("%s, batch %s: beaten %v, on the fronts %q", p.Plan, b, beaten, p.Fronts)
			}
		}
	}
}

// Any number of layers will do: all plans of one, and of eight those that a greedy search comes by.
func TestPlansOfFewAndManyLayers(t *testing.T) {
	static := wire.DefaultSchemes()[3]
	for _, hidden := range [][]int{nil, {20, 20, 20, 20, 20, 20, 20}} {
		src := &digitSource{fakeSource: &fakeSource{}, t: t, spec: smallDigits(hidden...)}
		req := testRequest("mnist-lab1")
		req.Batches = []int{2}
		var schemes []scheme.Scheme
		for _, text := range []string{"float32", "float16", "dynamic-w8-a8r", static} {
			schemes = append(schemes, planOf(t, text, 1)[0])
		}
		s := newSearch(testRunner(t, src, req, nil), src.spec, schemes)
		s.most = 120
		found, err := s.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all := int(math.Pow(4, float64(len(hidden)+1)))
		if found.Plans != all || found.Exhaustive != (all == 4) || len(found.Points) > 120 || all == 4 && len(found.Points) != 4 {
			t.Errorf("%d layers: %d of %d plans, exhaustive %v", len(hidden)+1, len(found.Points), found.Plans, found.Exhaustive)
		}
		if len(found.Greedy) < 2 {
			t.Errorf("%d layers: greedy search %q", len(hidden)+1, found.Greedy)
		}
		if cut := slices.ContainsFunc(s.result.Notes, func(n string) bool { return strings.Contains(n, "ended after") }); all == 4 && cut || !found.Exhaustive && !cut {
			t.Errorf("%d layers, %d plans: notes %q", len(hidden)+1, len(found.Points), s.result.Notes)
		}
		if first := found.Points[len(found.Points)-1]; first.Correct < 150 {
			t.Errorf("%d layers: the largest plan gets %d of 500 right", len(hidden)+1, first.Correct)
		}
	}
}

// planted returns a search whose points are known: three schemes, two layers, sizes and right answers by plan. All are equally
// fast.
func planted(t *testing.T, worths map[string]worth) *search {
	t.Helper()
	req := testRequest("mnist-lab1")
	req.Batches = []int{1}
	var schemes []scheme.Scheme
	for _, text := range []string{"float32", "float16", "dynamic-w8-a8r"} {
		schemes = append(schemes, planOf(t, text, 1)[0])
	}
	s := newSearch(testRunner(t, &fakeSource{}, req, nil), nn.Spec{ID: "planted"}, schemes)
	s.net = &nn.Network{Layers: make([]nn.Linear, 2)}
	for text, w := range worths {
		p := planOf(t, text, 2)
		row := wire.Row{SizeBytes: w.size, Correct: w.correct}
		s.points[p.String()] = &wire.PlanPoint{Row: row, Plan: p.String(), Predicted: map[string]float64{"1": float64(w.time)}}
	}
	return s
}

func TestGreedy(t *testing.T) {
	// The second layer may be int8 at once; of the first, float16 costs nothing, and int8 everything.
	s := planted(t, map[string]worth{
		"float32": {200, 90, 10}, "float32,float16": {150, 90, 10}, "float32,dynamic-w8-a8r": {125, 89, 10},
		"float16,float32": {150, 90, 10}, "float16": {100, 90, 10}, "float16,dynamic-w8-a8r": {75, 90, 10},
		"dynamic-w8-a8r,float32": {125, 40, 10}, "dynamic-w8-a8r,float16": {75, 40, 10}, "dynamic-w8-a8r": {50, 39, 10},
	})
	path, tried, err := s.greedy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range path {
		got = append(got, p.String())
	}
	// Of equal ratios the first layer's change comes first; int8 of layer 2 saves more at the same loss than float16 does.
	want := []string{"float32", "float16,float32", "float16,dynamic-w8-a8r", "dynamic-w8-a8r"}
	if !slices.Equal(got, want) || tried != 9 {
		t.Errorf("went %q, tried %d; want %q, 9", got, tried, want)
	}
	if !s.nextTo(path, planOf(t, "dynamic-w8-a8r,float16", 2)) || s.nextTo(path[:1], planOf(t, "float16", 2)) {
		t.Error("which plans lie next to the way is wrong")
	}
}

// A change that makes a layer slower is not taken for the bytes alone if it costs more than it saves.
func TestGreedyWeighsTime(t *testing.T) {
	s := planted(t, map[string]worth{
		"float32": {200, 90, 10}, "float32,float16": {190, 90, 12}, "float32,dynamic-w8-a8r": {200, 90, 11},
		"float16,float32": {200, 90, 10}, "dynamic-w8-a8r,float32": {199, 90, 10},
		"dynamic-w8-a8r,float16": {190, 90, 12}, "dynamic-w8-a8r": {199, 90, 11}, "float16": {190, 90, 12}, "float16,dynamic-w8-a8r": {199, 90, 12},
	})
	path, _, err := s.greedy(t.Context())
	if err != nil || len(path) != 2 || path[1].String() != "dynamic-w8-a8r,float32" {
		t.Errorf("went %v, error %v", path, err)
	}
}

func TestPlansWithoutData(t *testing.T) {
	req := testRequest("sst2-lab2", "mnist-lab1")
	req.Batches, req.Runs = []int{1}, 1
	part, _, err := recordPlans(t, t.Context(), testHost(), &fakeSource{examples: 70, missing: map[string]bool{nn.SST2: true}}, req,
		wire.PlansOptions{Schemes: []string{"float16"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(part.Searches) != 1 || part.Searches[0].Model != "mnist-lab1" || part.Searches[0].Plans != 4 || !slices.ContainsFunc(part.Notes, func(n string) bool { return strings.Contains(n, "SST-2") }) {
		t.Errorf("%d searches, notes %q", len(part.Searches), part.Notes)
	}
}

// Without calibration examples there are no static layers.
func TestPlansWithoutCalibration(t *testing.T) {
	req := testRequest("sst2-lab2")
	req.Batches, req.Runs = []int{1}, 1
	src := &uncalibrated{fakeSource{examples: 70, missing: map[string]bool{}}}
	part, _, err := recordPlans(t, t.Context(), testHost(), src, req, wire.PlansOptions{Schemes: []string{"float16", "static-w8c-a8r-minmax"}})
	if err != nil {
		t.Fatal(err)
	}
	if s := part.Searches[0]; s.Plans != 16 || !slices.Equal(s.Schemes, []string{"float32", "float16"}) {
		t.Errorf("%d plans of %q", s.Plans, s.Schemes)
	}
	if !slices.ContainsFunc(part.Notes, func(n string) bool { return strings.Contains(n, "static layers were left out") }) {
		t.Errorf("notes %q", part.Notes)
	}
}

func TestPlansRefuse(t *testing.T) {
	_, events, err := recordPlans(t, t.Context(), testHost(), &fakeSource{}, testRequest("mnist-lab1"), wire.PlansOptions{Schemes: []string{"int4"}})
	if err == nil || len(events) != 1 || events[0].Kind != wire.EventError {
		t.Errorf("error %v, events %v", err, events)
	}
}

// A cancel ends a search wherever it comes.
func TestPlansCancelled(t *testing.T) {
	for _, during := range []string{"loading the test", "converting", "timing layers", "lab1, accuracy", "lab1, batch 1"} {
		ctx, cancel := context.WithCancel(t.Context())
		var last wire.Event
		req := testRequest("mnist-lab1")
		host := testHost()
		reached := false
		host.Yield = func() {
			if reached {
				cancel()
			}
		}
		_, err := Do(ctx, host, &fakeSource{examples: 400}, wire.Command{Op: wire.OpPlans, Request: &req}, func(e wire.Event) {
			if strings.Contains(e.Step, during) {
				reached = true
			}
			last = e
		})
		if cancel(); !reached || !errors.Is(err, context.Canceled) || last.Kind != wire.EventCancel {
			t.Errorf("during %q: reached %v, error %v, last event %q", during, reached, err, last.Kind)
		}
	}
}
