package lab

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

func TestRun(t *testing.T) {
	src := &fakeSource{examples: 150}
	req := testRequest("mnist-lab1", "sst2-lab2")
	result, events, err := record(t, t.Context(), testHost(), src, req)
	if err != nil {
		t.Fatal(err)
	}

	start := events[0].Result
	if start == nil || start.Version != "test" || len(start.Rows) != 0 || !reflect.DeepEqual(start.Settings, req) {
		t.Errorf("start: %+v", start)
	}
	hw := start.Hardware
	if hw.CPU != "a test's" || hw.Host != wire.Native || hw.Engine != kernel.Best().Name() || !slices.Contains(hw.Engines, hw.Engine) {
		t.Errorf("hardware: %+v", hw)
	}
	if !reflect.DeepEqual(rowsOf(events), result.Rows) || !reflect.DeepEqual(events[len(events)-1].Result, result) {
		t.Error("rows as they came, the last event's result and the returned one differ")
	}

	var names []string
	for _, r := range result.Rows {
		names = append(names, r.Model+" "+r.Variant)
		t.Run(r.Model+"/"+r.Variant, func(t *testing.T) { checkRow(t, r, req, 150) })
	}
	var want []string
	for _, m := range req.Models {
		for _, v := range req.Variants {
			want = append(want, m+" "+v)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("rows %q, want %q", names, want)
	}
	// The labels were made with the float32 network, every tenth of them wrong.
	for _, i := range []int{0, 4} {
		if r := result.Rows[i]; r.Correct != 135 {
			t.Errorf("%s float32: %d of 150, want 135", r.Model, r.Correct)
		}
	}
}

func checkRow(t *testing.T, r wire.Row, req wire.Request, examples int) {
	spec, _ := nn.SpecOf(r.Model)
	variant, _ := wire.VariantOf(r.Variant)
	if r.Q != variant.Q || r.DType != variant.DType || r.Host != wire.Native || r.Engine != kernel.Best().Name() ||
		r.Threads != 1 || r.Input != wire.Dense || r.Params != spec.Params() || r.Note != "" {
		t.Errorf("row: %+v", r)
	}
	smaller := map[string]float64{"float32": 1, "float16": 2, "qint8": 4}[r.DType]
	if math.Abs(r.Smaller-smaller) > 0.06 || math.Abs(float64(r.SizeBytes)*smaller/4/float64(r.Params)-1) > 0.02 {
		t.Errorf("%d bytes, %.3f times smaller", r.SizeBytes, r.Smaller)
	}
	if r.Accuracy == nil || r.Total != examples || *r.Accuracy != float64(r.Correct)/float64(r.Total) {
		t.Fatalf("accuracy %v, %d of %d", r.Accuracy, r.Correct, r.Total)
	}
	if r.Interval == nil || r.Interval[0] > *r.Accuracy || r.Interval[1] < *r.Accuracy {
		t.Errorf("interval %v around %v", r.Interval, *r.Accuracy)
	}
	base := r.Variant == wire.Baseline
	if (r.Paired == nil) != base {
		t.Errorf("paired: %+v", r.Paired)
	}
	if len(r.LatencyUS) != len(req.Batches) {
		t.Errorf("latencies: %v", r.LatencyUS)
	}
	for batch, l := range r.LatencyUS {
		if len(l.Samples) != req.Runs || l.Calls < 1 || l.Mean <= 0 || slices.Min(l.Samples) > l.Mean || slices.Max(l.Samples) < l.Mean {
			t.Errorf("batch %s: %+v", batch, l)
		}
		if (l.Verdict == nil) != base {
			t.Errorf("batch %s: verdict %+v", batch, l.Verdict)
		}
		if v := l.Verdict; v != nil && (v.Low > v.Ratio || v.High < v.Ratio || (v.Word == wire.Faster) != (v.Low > 1) || (v.Word == wire.Slower) != (v.High < 1)) {
			t.Errorf("batch %s: verdict %+v", batch, v)
		}
	}
}

// Size and accuracy come before any latency, and are those of the final row. Only what was asked for is told.
func TestRunTellsEarly(t *testing.T) {
	req := testRequest("mnist-lab1", "sst2-lab2")
	req.Runs, req.Variants = 1, []string{"dynamic-qint8", "static-qint8"}
	result, events, err := record(t, t.Context(), testHost(), &fakeSource{examples: 70, missing: map[string]bool{nn.SST2: true}}, req)
	if err != nil {
		t.Fatal(err)
	}
	var want []wire.Row
	for _, r := range result.Rows {
		if len(r.LatencyUS) == 0 { // not converted, so there is nothing to tell early
			continue
		}
		r.Partial, r.LatencyUS = true, map[string]wire.Latency{}
		r.Note, _, _ = strings.Cut(r.Note, "; latency")
		want = append(want, r)
	}
	if got := partial(events); !reflect.DeepEqual(got, want) || len(want) != 3 {
		t.Errorf("told early:\n%+v\nwant\n%+v", got, want)
	}
	batch, early := 0, 0
	for i, e := range events {
		if strings.Contains(e.Step, "mnist-lab1, batch 1") && batch == 0 {
			batch = i
		}
		if e.Kind == wire.EventRow && e.Row.Partial && e.Row.Model == "mnist-lab1" {
			early = i
		}
	}
	if early >= batch {
		t.Errorf("the last row is told early by event %d, but latency is measured from event %d on", early, batch)
	}
}

// The grids in a model's file do, and give what calibrating anew gives.
func TestRunTakesTheFilesCalibration(t *testing.T) {
	req := testRequest("mnist-lab1")
	req.Runs, req.Batches = 1, []int{1}
	anew, _, err := record(t, t.Context(), testHost(), &fakeSource{examples: 100}, req)
	if err != nil {
		t.Fatal(err)
	}
	src := &fakeSource{examples: 100}
	examples, err := src.Calibration(t.Context(), mustSpec(t, "mnist-lab1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	cal, err := Calibrate(t.Context(), randomNetwork(mustSpec(t, "mnist-lab1")), examples, nil)
	if err != nil {
		t.Fatal(err)
	}
	src = &fakeSource{examples: 100, meta: map[string]modelfile.Meta{"mnist-lab1": {Calibration: cal}}}
	filed, events, err := record(t, t.Context(), testHost(), src, req)
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(events, func(e wire.Event) bool { return strings.Contains(e.Step, "calibrating") }) {
		t.Error("it calibrated although the file has the grids")
	}
	if a, b := anew.Rows[3], filed.Rows[3]; a.Correct != b.Correct || !reflect.DeepEqual(a.Paired, b.Paired) {
		t.Errorf("with the file's grids %+v, calibrated anew %+v", b, a)
	}
}

func mustSpec(t *testing.T, id string) nn.Spec {
	t.Helper()
	spec, err := nn.SpecOf(id)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestRunMeasuresTheBaselineUnasked(t *testing.T) {
	req := testRequest("mnist-lab1")
	req.Variants = []string{"static-qint8"}
	result, events, err := record(t, t.Context(), testHost(), &fakeSource{examples: 70}, req)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Rows) != 1 || len(rowsOf(events)) != 1 {
		t.Fatalf("rows: %+v", result.Rows)
	}
	r := result.Rows[0]
	if r.Smaller < 3.9 || r.Paired == nil || r.LatencyUS["1"].Verdict == nil {
		t.Errorf("without its baseline: %+v", r)
	}
}

func TestRunIsReproducible(t *testing.T) {
	figures := func(change func(*wire.Request)) (out [][]int) {
		req := testRequest("mnist-lab1")
		req.Batches, req.Runs = []int{1}, 1
		change(&req)
		result, _, err := record(t, t.Context(), testHost(), &fakeSource{examples: 200}, req)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range result.Rows {
			out = append(out, []int{r.Correct, int(r.SizeBytes)})
			if r.Paired != nil {
				out = append(out, r.Paired.Flipped)
			}
		}
		return out
	}
	first := figures(func(*wire.Request) {})
	for name, change := range map[string]func(*wire.Request){
		"again":           func(*wire.Request) {},
		"two threads":     func(r *wire.Request) { r.Threads = 2 },
		"another batch":   func(r *wire.Request) { r.Batches = []int{100} },
		"another order":   func(r *wire.Request) { r.Seed = 99 },
		"portable engine": func(r *wire.Request) { r.Engine = "portable" },
	} {
		if got := figures(change); !reflect.DeepEqual(got, first) {
			t.Errorf("%s: %v, before %v", name, got, first)
		}
	}
}

func TestRunSparseGivesTheDenseAnswers(t *testing.T) {
	req := testRequest("sst2-lab2", "mnist-lab1")
	req.Runs = 1
	src := &fakeSource{examples: 100}
	dense, _, err := record(t, t.Context(), testHost(), src, req)
	if err != nil {
		t.Fatal(err)
	}
	req.Input = wire.Sparse
	sparse, _, err := record(t, t.Context(), testHost(), src, req)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range sparse.Rows {
		d := dense.Rows[i]
		want := map[string]string{"sst2-lab2": wire.Sparse, "mnist-lab1": wire.Dense}[s.Model]
		if s.Input != want || s.Correct != d.Correct || s.SizeBytes != d.SizeBytes {
			t.Errorf("%s %s: input %s, %d right, %d bytes; dense: %d, %d", s.Model, s.Variant, s.Input, s.Correct, s.SizeBytes, d.Correct, d.SizeBytes)
		}
	}
	if !slices.ContainsFunc(sparse.Notes, func(n string) bool { return strings.Contains(n, "MNIST models ran dense") }) {
		t.Errorf("notes: %q", sparse.Notes)
	}
}

func TestRunExamples(t *testing.T) {
	req := testRequest("mnist-lab1")
	req.Examples, req.Runs, req.Batches = 30, 1, []int{1, 40} // a batch larger than the test set
	result, _, err := record(t, t.Context(), testHost(), &fakeSource{examples: 100}, req)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range result.Rows {
		if r.Total != 30 {
			t.Errorf("%s: %d examples", r.Variant, r.Total)
		}
		if v := r.LatencyUS["40"].Verdict; v != nil {
			t.Errorf("%s: a verdict from one run: %+v", r.Variant, v)
		}
	}
}

func TestRunFreshWeights(t *testing.T) {
	req := testRequest("sst2-lab2")
	req.Weights, req.Runs, req.Batches, req.Variants = wire.Fresh, 1, []int{1}, []string{wire.Baseline}
	var heard []string
	src := &fakeSource{examples: 50, opened: func(what string) { heard = append(heard, what) }}
	_, events, err := record(t, t.Context(), testHost(), src, req)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(heard, "network") || slices.Contains(heard, "calibration") || !slices.Contains(heard, "train") {
		t.Errorf("the source was asked for %q", heard)
	}
	if !slices.ContainsFunc(events, func(e wire.Event) bool { return strings.Contains(e.Step, "training") }) {
		t.Error("no word of training")
	}
}

func TestRunWithoutSST2(t *testing.T) {
	for _, c := range []struct {
		name string
		meta map[string]modelfile.Meta
	}{
		{"calibrated file", map[string]modelfile.Meta{"sst2-lab2": {Calibration: calibrated(t, "sst2-lab2")}}},
		{"plain file", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := &fakeSource{examples: 70, missing: map[string]bool{nn.SST2: true}, meta: c.meta}
			req := testRequest("mnist-lab1", "sst2-lab1", "sst2-lab2")
			req.Runs = 1
			result, _, err := record(t, t.Context(), testHost(), src, req)
			if err != nil {
				t.Fatal(err)
			}
			if len(result.Rows) != 12 {
				t.Fatalf("%d rows", len(result.Rows))
			}
			hints := 0
			for _, n := range result.Notes {
				if strings.Contains(n, "put it there") {
					hints++
				}
			}
			if hints != 1 {
				t.Errorf("%d notes say how to supply SST-2: %q", hints, result.Notes)
			}
			for _, r := range result.Rows {
				measured := r.Model != "sst2-lab1" && (r.Variant != "static-qint8" || r.Model == "mnist-lab1" || c.meta != nil)
				if (r.Accuracy != nil) != (r.Model == "mnist-lab1") || (len(r.LatencyUS) == 2) != measured || (r.SizeBytes > 0) != measured {
					t.Errorf("%s %s: accuracy %v, size %d, latency %v", r.Model, r.Variant, r.Accuracy, r.SizeBytes, r.LatencyUS)
				}
				if r.Model != "mnist-lab1" && !strings.HasPrefix(r.Note, "not measured here: SST-2 missing") {
					t.Errorf("%s %s: note %q", r.Model, r.Variant, r.Note)
				}
				if b, err := json.Marshal(r); err != nil || !strings.Contains(string(b), `"latency_us":{`) {
					t.Errorf("JSON %s, error %v", b, err)
				}
			}
		})
	}
}

func TestRunRefuses(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name   string
		src    fakeSource
		change func(*wire.Request)
		say    []string
	}{
		{name: "NaN weight", src: fakeSource{damage: func(n *nn.Network) { n.Layers[1].W[3] = nan }}, say: []string{"mnist-lab1", "layers.1", "NaN"}},
		{name: "layer of another shape", src: fakeSource{damage: func(n *nn.Network) { n.Layers[0].Out++ }}, say: []string{"mnist-lab1", "layers.0"}},
		{name: "too few layers", src: fakeSource{damage: func(n *nn.Network) { n.Layers = n.Layers[:1] }}, say: []string{"mnist-lab1", "1 layers"}},
		{name: "other examples", src: fakeSource{testing: func(e *dataset.Examples) *dataset.Examples {
			return &dataset.Examples{Dim: 5, Pixels: make([]uint8, 5), Labels: make([]uint8, 1)}
		}}, say: []string{"5 features"}},
		{name: "no examples", src: fakeSource{testing: func(e *dataset.Examples) *dataset.Examples { return e.Head(0) }}, say: []string{"no test examples"}},
		{name: "unknown model", change: func(r *wire.Request) { r.Models = []string{"resnet"} }, say: []string{`"resnet"`}},
		{name: "unknown engine", change: func(r *wire.Request) { r.Engine = "abacus" }, say: []string{"abacus", "portable"}},
		{name: "too many threads", change: func(r *wire.Request) { r.Threads = 3 }, say: []string{"threads 3", "1 to 2"}},
		{name: "too large a batch", change: func(r *wire.Request) { r.Batches = []int{2000} }, say: []string{"batch 2000", "1 to 1000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := testRequest("mnist-lab1")
			if c.change != nil {
				c.change(&req)
			}
			c.src.examples = 20
			host := testHost()
			host.MaxBatch = 1000
			_, events, err := record(t, t.Context(), host, &c.src, req)
			if err == nil {
				t.Fatal("no error")
			}
			for _, s := range c.say {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
			if strings.ContainsAny(err.Error(), "\n") || len(rowsOf(events)) > 0 {
				t.Errorf("error %q, rows %v", err, rowsOf(events))
			}
		})
	}
}

// A cancelled run ends soon, whatever it was doing.
func TestRunCancel(t *testing.T) {
	checkCancel(t, wire.OpRun, "loading the model", "calibrating", "converting", "accuracy", "batch 64", ", run ")
}

// checkCancel cancels an experiment in each of these steps. The bound is generous: other processes share the test's machine.
func checkCancel(t *testing.T, op string, steps ...string) {
	req := testRequest("sst2-lab2")
	req.Runs, req.Batches = wire.MaxRuns, []int{64}
	randomExamples(mustSpec(t, "sst2-lab2"), 1000, 2) // made beforehand, since that takes a while
	for _, at := range steps {
		t.Run(at, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var events []wire.Event
			var since time.Time
			_, err := Do(ctx, testHost(), &fakeSource{examples: 1000}, wire.Command{Op: op, Request: &req}, func(e wire.Event) {
				events = append(events, e)
				if since.IsZero() && strings.Contains(e.Step, at) {
					since = time.Now()
					cancel()
				}
			})
			checkOrder(t, events, err)
			if !errors.Is(err, context.Canceled) || events[len(events)-1].Kind != wire.EventCancel {
				t.Fatalf("error %v, last event %+v", err, events[len(events)-1])
			}
			if d := time.Since(since); d > time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

func TestRunCanceledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, events, err := record(t, ctx, testHost(), &fakeSource{}, testRequest("mnist-lab1"))
	if !errors.Is(err, context.Canceled) || len(events) != 1 {
		t.Errorf("error %v, events %v", err, events)
	}
}

// A single-threaded host receives its messages while Yield runs.
func TestRunYields(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	host := testHost()
	yields := 0
	host.Yield = func() {
		if yields++; yields == 3 {
			cancel()
		}
	}
	_, _, err := record(t, ctx, host, &fakeSource{examples: 1000}, testRequest("sst2-lab2"))
	if !errors.Is(err, context.Canceled) || yields < 3 {
		t.Errorf("error %v after %d yields", err, yields)
	}
}

func TestUnsteady(t *testing.T) {
	row := func(std ...float64) wire.Row {
		r := wire.Row{LatencyUS: map[string]wire.Latency{}}
		for i, s := range std {
			r.LatencyUS[string(rune('1'+i))] = wire.Latency{Mean: 10, Std: s}
		}
		return r
	}
	for _, c := range []struct {
		rows []wire.Row
		want string
	}{
		{nil, ""},
		{[]wire.Row{row(0.1, 0.2), row(1.9)}, ""},
		{[]wire.Row{row(0.1, 3), row(0, 0)}, ""}, // one of four happens
		{[]wire.Row{row(0.1, 3), row(0)}, "1 of 3"},
		{[]wire.Row{row(5, 3), row(4)}, "3 of 3"},
	} {
		got := unsteady(c.rows)
		if !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%+v: %q, want %q", c.rows, got, c.want)
		}
	}
}
