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
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// studySensitivity does the experiment and returns it with what happened.
func studySensitivity(t *testing.T, ctx context.Context, host Host, src Source, req wire.Request) (*wire.Sensitivity, []wire.Event, error) {
	t.Helper()
	var events []wire.Event
	study, err := Do(ctx, host, src, wire.Command{Op: wire.OpSensitivity, Request: &req}, func(e wire.Event) { events = append(events, e) })
	checkOrder(t, events, err)
	if err != nil {
		return nil, events, err
	}
	if study.Format != wire.StudyFormat || len(study.Sensitivity) != 1 || events[len(events)-1].Study != study {
		t.Fatalf("study: %+v", study)
	}
	return &study.Sensitivity[0], events, nil
}

// sensitivityOf measures a model that the lab does not know.
func sensitivityOf(t *testing.T, src Source, spec nn.Spec, req wire.Request) *wire.Sensitivity {
	t.Helper()
	r, err := newRunner(t.Context(), testHost(), src, req, func(wire.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	part := &wire.Sensitivity{}
	if err := r.sensitivity(t.Context(), spec, part); err != nil {
		t.Fatal(err)
	}
	part.References, part.Notes = r.result.Rows, r.result.Notes
	return part
}

// tiny is a model of so many layers.
func tiny(layers int) nn.Spec {
	spec := nn.Spec{ID: "tiny", Data: nn.MNIST, In: 30, Out: 6}
	for i := 1; i < layers; i++ {
		spec.Hidden = append(spec.Hidden, 40-2*i)
	}
	spec.ID += nn.LayerName(layers)
	return spec
}

// timeless is the row without what differs from one run to the next.
func timeless(r wire.Row) wire.Row {
	r.LatencyUS = nil
	return r
}

// The uniform variants have the run's numbers, plans come in the order that is promised, and a plan that two rows have in
// common is measured once.
func TestSensitivity(t *testing.T) {
	src := &fakeSource{examples: 150}
	req := testRequest("mnist-lab1", "sst2-lab2")
	run, _, err := record(t, t.Context(), testHost(), src, req)
	if err != nil {
		t.Fatal(err)
	}
	got, events, err := studySensitivity(t, t.Context(), testHost(), src, req)
	if err != nil {
		t.Fatal(err)
	}
	if got.Version != "test" || got.Hardware.CPU != "a test's" || !reflect.DeepEqual(got.Settings, req) || !slices.Equal(got.Notes, run.Notes) {
		t.Errorf("setting %+v, notes %q; the run's %q", got.Setting, got.Notes, run.Notes)
	}
	if len(got.References) != len(run.Rows) {
		t.Fatalf("%d references", len(got.References))
	}
	for i, r := range got.References {
		if !reflect.DeepEqual(timeless(r), timeless(run.Rows[i])) || len(r.LatencyUS) != 2 {
			t.Errorf("reference %+v\nthe run has %+v", r, run.Rows[i])
		}
	}
	var told []wire.SensitivityRow
	for _, e := range events {
		if e.Kind == wire.EventSensitivity {
			told = append(told, *e.Sensitivity)
		}
	}
	if !reflect.DeepEqual(told, got.Rows) || !reflect.DeepEqual(rowsOf(events), got.References) {
		t.Error("what was told on the way is not what was told in the end")
	}
	i := 0
	for _, id := range req.Models {
		spec := mustSpec(t, id)
		for _, v := range wire.Variants()[1:] {
			for layer := range len(spec.Dims()) - 1 {
				for _, mode := range []string{wire.Only, wire.Except} {
					checkSensitivityRow(t, got.Rows[i], id, v, layer, mode, req)
					i++
				}
			}
		}
	}
	if i != len(got.Rows) {
		t.Errorf("%d rows, want %d", len(got.Rows), i)
	}
	// Of two layers, the first alone is all but the second.
	a, b := got.Rows[0], got.Rows[3]
	if a.Plan != b.Plan || !reflect.DeepEqual(a.Row, b.Row) || a.Fidelity != b.Fidelity {
		t.Errorf("equal plans differ:\n%+v\n%+v", a, b)
	}
	if len(got.Correlations) == 0 {
		t.Error("no correlations")
	}
}

func checkSensitivityRow(t *testing.T, r wire.SensitivityRow, model string, v wire.Variant, layer int, mode string, req wire.Request) {
	t.Helper()
	layers := len(mustSpec(t, model).Dims()) - 1
	uniform, _ := quant.Preset(v.ID, layers)
	plan, _ := quant.Preset(wire.Baseline, layers)
	for i := range plan {
		if (i == layer) == (mode == wire.Only) {
			plan[i] = uniform[i]
		}
	}
	if r.Model != model || r.Variant != v.ID || r.Q != v.Q || r.DType != v.DType || r.Layer != nn.LayerName(layer) || r.Mode != mode || r.Plan != plan.String() {
		t.Errorf("row %+v, want %s %s %s of layer %d", r, model, v.ID, mode, layer)
	}
	if r.Accuracy == nil || r.Interval == nil || r.Total != 150 || r.Paired == nil || r.Smaller <= 1 || len(r.LatencyUS) != len(req.Batches) || r.Note != "" {
		t.Errorf("row %+v", r)
	}
	for b, l := range r.LatencyUS {
		if l.Mean <= 0 || len(l.Samples) != req.Runs || l.Verdict == nil {
			t.Errorf("batch %s: %+v", b, l)
		}
	}
	if f := r.Fidelity; f.Examples != 100 || f.Weights < 25 || f.Weights > 100 || f.Output < 20 || f.Output > 120 || f.Logits < 10 || f.Logits > 120 {
		t.Errorf("%s %s: fidelity %+v", r.Layer, r.Mode, f)
	}
}

// A model of one layer: the layer alone is the whole model, all but it is float32. One of eight has all its rows.
func TestSensitivityOfOneLayerAndEight(t *testing.T) {
	req := testRequest()
	req.Batches, req.Runs = []int{1, 2}, 2
	for _, layers := range []int{1, 8} {
		got := sensitivityOf(t, &fakeSource{examples: 90}, tiny(layers), req)
		if len(got.References) != 4 || len(got.Rows) != 3*2*layers {
			t.Fatalf("%d layers: %d references, %d rows", layers, len(got.References), len(got.Rows))
		}
		if layers == 8 {
			last := got.Rows[len(got.Rows)-1]
			if last.Layer != "layers.7" || last.Mode != wire.Except || last.Accuracy == nil {
				t.Errorf("last row %+v", last)
			}
			continue
		}
		for i := range 3 {
			only, except := got.Rows[2*i], got.Rows[2*i+1]
			if !reflect.DeepEqual(only.Row, got.References[1+i]) {
				t.Errorf("the only layer: %+v, the whole model %+v", only.Row, got.References[1+i])
			}
			base := got.References[0]
			if except.Plan != "float32" || except.Variant != only.Variant || except.Correct != base.Correct || except.SizeBytes != base.SizeBytes ||
				except.Paired == nil || len(except.Paired.Flipped) != 0 || except.Paired.P != 1 || except.Fidelity.Logits != quant.MaxSQNR || except.Fidelity.Weights != quant.MaxSQNR {
				t.Errorf("all but the only layer: %+v", except)
			}
		}
		for _, c := range got.Correlations {
			if c.N != 3 || c.Mode == wire.Except {
				t.Errorf("correlation %+v of three plans", c)
			}
		}
	}
}

// Where data is missing, what can be measured is, and rows say what is not and why.
func TestSensitivityWithoutSST2(t *testing.T) {
	src := &fakeSource{examples: 70, missing: map[string]bool{nn.SST2: true}}
	req := testRequest("sst2-lab1", "sst2-lab2")
	req.Runs = 1
	got, _, err := studySensitivity(t, t.Context(), testHost(), src, req)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Rows) != 3*2*2+3*2*4 || len(got.References) != 8 || len(got.Correlations) != 0 {
		t.Fatalf("%d rows, %d references, correlations %v", len(got.Rows), len(got.References), got.Correlations)
	}
	if !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, "put it there") }) {
		t.Errorf("notes %q", got.Notes)
	}
	for _, r := range got.Rows {
		measured := r.Model == "sst2-lab2" && r.Variant != "static-qint8"
		if r.Accuracy != nil || (len(r.LatencyUS) == 2) != measured || (r.SizeBytes > 0) != measured || !strings.HasPrefix(r.Note, "not measured here: SST-2 missing") {
			t.Errorf("%s %s %s: %+v", r.Variant, r.Mode, r.Layer, r.Row)
		}
		if f := r.Fidelity; f.Examples != 0 || f.Logits != 0 || f.Output != 0 || (f.Weights > 0) != (r.Model == "sst2-lab2") {
			t.Errorf("%s %s %s: fidelity %+v", r.Variant, r.Mode, r.Layer, f)
		}
	}
	// With grids in the file, static layers can be timed.
	src.meta = map[string]modelfile.Meta{"sst2-lab2": {Calibration: calibrated(t, "sst2-lab2")}}
	req.Models, req.Variants = []string{"sst2-lab2"}, []string{"static-qint8"}
	if got, _, err = studySensitivity(t, t.Context(), testHost(), src, req); err != nil {
		t.Fatal(err)
	}
	for _, r := range got.Rows {
		if len(r.LatencyUS) != 2 || !strings.Contains(r.Note, "made-up") {
			t.Errorf("%+v", r.Row)
		}
	}
}

// Test examples serve to compare where the calibration examples are not here.
func TestSensitivityComparesOnTestExamples(t *testing.T) {
	spec := mustSpec(t, "mnist-lab1")
	src := &noCalibration{fakeSource{examples: 70, meta: map[string]modelfile.Meta{spec.ID: {Calibration: calibrated(t, spec.ID)}}}}
	req := testRequest(spec.ID)
	req.Runs, req.Batches = 1, []int{1}
	got, _, err := studySensitivity(t, t.Context(), testHost(), src, req)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got.Rows {
		if r.Fidelity.Examples != 70 || r.Fidelity.Logits == 0 {
			t.Errorf("%+v", r.Fidelity)
		}
	}
	if !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, "compared on test examples") }) {
		t.Errorf("notes %q", got.Notes)
	}
}

// noCalibration lacks the calibration examples only.
type noCalibration struct{ fakeSource }

func (s *noCalibration) Calibration(context.Context, nn.Spec, func(done, total int64)) (*dataset.Examples, error) {
	return nil, &dataset.MissingError{What: "MNIST's training set", Path: "somewhere", Hint: "put it there"}
}

func TestSensitivityRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*wire.Request)
		src    fakeSource
		says   string
	}{
		"only float32":  {change: func(r *wire.Request) { r.Variants = []string{wire.Baseline} }, says: "no variant to quantize"},
		"unknown model": {change: func(r *wire.Request) { r.Models = []string{"resnet"} }, says: "resnet"},
		"damaged model": {src: fakeSource{damage: func(n *nn.Network) { n.Layers[1].B[0] = float32(math.NaN()) }}, says: "layers.1"},
	} {
		req := testRequest("mnist-lab1")
		if c.change != nil {
			c.change(&req)
		}
		c.src.examples = 20
		_, events, err := studySensitivity(t, t.Context(), testHost(), &c.src, req)
		if err == nil || !strings.Contains(err.Error(), c.says) || events[len(events)-1].Kind != wire.EventError {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A cancelled experiment ends soon, whatever it was doing.
func TestSensitivityCancel(t *testing.T) {
	checkCancel(t, wire.OpSensitivity, "loading the model", "calibrating", "converting", "accuracy", "comparing", "warming up", ", run ")
}

// A single-threaded host receives its messages while Yield runs: whenever it cancels, the experiment ends there.
func TestSensitivityYields(t *testing.T) {
	req := testRequest("mnist-lab2")
	req.Runs = 1
	src := &fakeSource{examples: 300}
	all := 0
	host := testHost()
	host.Yield = func() { all++ }
	if _, _, err := studySensitivity(t, t.Context(), host, src, req); err != nil || all < 8 {
		t.Fatalf("error %v after %d yields", err, all)
	}
	for _, at := range []int{1, 3, all / 2} {
		ctx, cancel := context.WithCancel(t.Context())
		yields := 0
		host.Yield = func() {
			if yields++; yields == at {
				cancel()
			}
		}
		if _, _, err := studySensitivity(t, ctx, host, src, req); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v after %d yields, cancelled by number %d", err, yields, at)
		}
	}
}

// Threads that have no memory in common would each hold every plan.
func TestSensitivityHasOneThreadInABrowser(t *testing.T) {
	host := testHost()
	host.Share = func(context.Context, []*quant.Model, int) (Shared, error) { return nil, errors.New("shared") }
	req := testRequest("mnist-lab1")
	req.Threads, req.Runs = 2, 1
	got, _, err := studySensitivity(t, t.Context(), host, &fakeSource{examples: 20}, req)
	if err != nil {
		t.Fatal(err)
	}
	if got.Settings.Threads != 1 || got.Rows[0].Threads != 1 || !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, "one thread") }) {
		t.Errorf("%d threads, notes %q", got.Settings.Threads, got.Notes)
	}
}

func TestCorrelate(t *testing.T) {
	row := func(mode, plan string, logits float64, correct, flips int) wire.SensitivityRow {
		return wire.SensitivityRow{
			Row: wire.Row{Model: "m", Correct: correct, Paired: &wire.Paired{Flipped: make([]int, flips)}}, Mode: mode, Plan: plan,
			Fidelity: wire.Fidelity{Weights: 30, Output: logits, Logits: logits, Examples: 9},
		}
	}
	unmeasured := row(wire.Only, "d,float32", 99, 0, 0)
	unmeasured.Paired = nil
	rows := []wire.SensitivityRow{
		row(wire.Only, "a,float32", 50, 90, 1), row(wire.Only, "b,float32", 40, 80, 3), row(wire.Only, "c,float32", 30, 85, 2),
		row(wire.Except, "a,float32", 50, 90, 1),           // the same again
		row(wire.Except, "float32", 400, 1, 0), unmeasured, // nothing to compare
		row(wire.Except, "e,float32", 20, 70, 9),
	}
	got, err := correlate(rows, func() error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{ // by mode and effect; weights are all alike, and two plans are too few
		"accuracy": 0.8, "flips": -0.8, "only accuracy": 0.5, "only flips": -0.5,
	}
	for _, c := range got {
		key := strings.TrimSpace(c.Mode + " " + c.Against)
		n := 4
		if c.Mode == wire.Only {
			n = 3
		}
		if c.Measure == "weights" || math.Abs(c.Rho-want[key]) > 1e-12 || c.N != n || c.Model != "m" {
			t.Errorf("%+v", c)
		}
	}
	if len(got) != 2*len(want) {
		t.Errorf("%d correlations, want %d", len(got), 2*len(want))
	}
	stop := errors.New("stop")
	if _, err := correlate(rows, func() error { return stop }); err != stop {
		t.Errorf("error %v", err)
	}
}
