package lab

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/train"
)

// recordAMP carries out the experiment and returns what happened.
func recordAMP(t *testing.T, ctx context.Context, host Host, src Source, req wire.Request, o wire.AMPOptions) (*wire.AMP, []wire.Event, error) {
	t.Helper()
	var events []wire.Event
	study, err := Do(ctx, host, src, wire.Command{Op: wire.OpAMP, Request: &req, AMP: &o}, func(e wire.Event) { events = append(events, e) })
	checkOrder(t, events, err)
	if err != nil {
		return nil, events, err
	}
	if len(study.AMP) != 1 || events[len(events)-1].Study != study {
		t.Fatalf("the study holds %d parts", len(study.AMP))
	}
	return &study.AMP[0], events, nil
}

func TestAMP(t *testing.T) {
	for _, kind := range []string{wire.BFloat16, wire.Float16} {
		t.Run(kind, func(t *testing.T) {
			src := &fakeSource{examples: 40}
			req := testRequest("mnist-lab1", "sst2-lab2")
			req.Seed = 4
			amp, events, err := recordAMP(t, t.Context(), testHost(), src, req, wire.AMPOptions{Type: kind, Seeds: 2, Epochs: 3})
			if err != nil {
				t.Fatal(err)
			}
			if events[0].Result.Settings.Seed != 4 || amp.Settings.Seed != 4 || amp.Hardware.CPU != "a test's" || amp.Options.Seeds != 2 || len(amp.Rows) != 2 {
				t.Errorf("%+v", amp)
			}
			emulated := kernel.Best().LowEmulated(map[string]kernel.LowType{wire.BFloat16: kernel.BFloat16, wire.Float16: kernel.Half}[kind])
			for i, row := range amp.Rows {
				checkAMPRow(t, row, req.Models[i], kind, emulated)
				checkTrainingEvents(t, events, row)
			}
			var told []string
			for _, e := range events {
				if e.Kind == wire.EventAMP {
					told = append(told, e.AMP.Model)
				}
			}
			if !slices.Equal(told, req.Models) {
				t.Errorf("rows of %v were told", told)
			}
		})
	}
}

func checkAMPRow(t *testing.T, row wire.AMPRow, model, kind string, emulated bool) {
	t.Helper()
	b := row.Baseline
	if row.Model != model || row.Variant != wire.AMPVariant || row.Q != wire.AMPQ || row.DType != "float32" || row.Type != kind || b.Variant != wire.Baseline {
		t.Errorf("%s: %+v", model, row.Row)
	}
	if row.Emulated != emulated || emulated != (row.Note == EmulatedNote) || emulated != (row.Time == nil) || emulated != (row.Matrix == nil) {
		t.Errorf("%s: emulated %v, note %q, verdicts %v and %v", model, row.Emulated, row.Note, row.Time, row.Matrix)
	}
	if row.Paired == nil || b.Paired != nil || row.Accuracy == nil || row.Total != 40 || row.SizeBytes != b.SizeBytes || row.SizeBytes == 0 {
		t.Errorf("%s: %+v", model, row.Row)
	}
	for _, batch := range []string{"1", "3"} {
		if row.LatencyUS[batch].Verdict == nil || b.LatencyUS[batch].Verdict != nil || !(b.LatencyUS[batch].Mean > 0) {
			t.Errorf("%s: batch %s: %+v against %+v", model, batch, row.LatencyUS[batch], b.LatencyUS[batch])
		}
	}
	if len(row.Float32) != 2 || len(row.Mixed) != 2 || row.Mixed[0].Correct != row.Correct || row.Float32[0].Correct != b.Correct {
		t.Fatalf("%s: trainings %+v and %+v", model, row.Float32, row.Mixed)
	}
	for i := range row.Mixed {
		f, m := row.Float32[i], row.Mixed[i]
		if f.Type != "float32" || m.Type != kind || f.Seed != uint64(4+i) || m.Seed != f.Seed || f.Skipped != 0 {
			t.Errorf("%s: %+v and %+v", model, f, m)
		}
		for _, v := range []wire.Training{f, m} {
			last := v.Curve[len(v.Curve)-1]
			if !(v.Matrix > 0 && v.Matrix <= v.Seconds) || v.Model != model || v.Total != 40 || last.Step != v.Steps || len(v.Curve) != v.Steps || last.Skipped != v.Skipped {
				t.Errorf("%s: %+v", model, v)
			}
			if scaled := v.Type == wire.Float16; scaled != (last.Scale > 0) || !(last.Loss > 0) || !(last.Loss < v.Curve[0].Loss) {
				t.Errorf("%s: the curve of %s ends with %+v after %+v", model, v.Type, last, v.Curve[0])
			}
		}
	}
}

// checkTrainingEvents puts the row's trainings together from the events.
func checkTrainingEvents(t *testing.T, events []wire.Event, row wire.AMPRow) {
	t.Helper()
	for _, want := range slices.Concat(row.Float32, row.Mixed) {
		var curve []wire.CurvePoint
		var last wire.Training
		for _, e := range events {
			if v := e.Training; v != nil && v.Model == want.Model && v.Type == want.Type && v.Seed == want.Seed {
				curve, last = append(curve, v.Curve...), *v
			}
		}
		if !slices.Equal(curve, want.Curve) || last.Seconds != want.Seconds || last.Correct != want.Correct || last.Steps != want.Steps {
			t.Errorf("%s, %s, seed %d: events tell of %d points, %+v", want.Model, want.Type, want.Seed, len(curve), last)
		}
	}
}

// With a single seed nothing can be said of time; a model whose data is missing has a row that says so.
func TestAMPWithLess(t *testing.T) {
	src := &fakeSource{examples: 20, missing: map[string]bool{nn.SST2: true}}
	amp, events, err := recordAMP(t, t.Context(), testHost(), src, testRequest("sst2-lab1", "mnist-lab1"), wire.AMPOptions{Type: wire.BFloat16, Seeds: 1, Limit: 130})
	if err != nil {
		t.Fatal(err)
	}
	absent, there := amp.Rows[0], amp.Rows[1]
	if want := "not measured here: SST-2 missing"; absent.Note != want || absent.Baseline.Note != want || absent.Accuracy != nil || len(absent.Mixed) != 0 || absent.Time != nil {
		t.Errorf("%+v", absent)
	}
	if len(amp.Notes) == 0 || !strings.Contains(amp.Notes[0], "put it there") {
		t.Errorf("notes %q", amp.Notes)
	}
	if there.Time != nil || there.Matrix != nil || len(there.Mixed) != 1 || there.Mixed[0].Steps != 4 { // 2 epochs of 130 examples in batches of 100
		t.Errorf("%+v", there)
	}
	if n := slices.IndexFunc(events, func(e wire.Event) bool { return e.Kind == wire.EventNote }); n < 0 {
		t.Error("no note was told")
	}
}

func TestAMPOptions(t *testing.T) {
	good := wire.AMPOptions{Type: wire.BFloat16, Seeds: 1}
	for want, change := range map[string]func(*wire.AMPOptions){
		`unknown type "float8": choose bf16 or f16`: func(o *wire.AMPOptions) { o.Type = "float8" },
		"seeds 21 is out of range: give 1 to 20":    func(o *wire.AMPOptions) { o.Seeds = 21 },
		"seeds -1 is out of range":                  func(o *wire.AMPOptions) { o.Seeds = -1 },
		"epochs 51 is out of range: give 1 to 50":   func(o *wire.AMPOptions) { o.Epochs = 51 },
		"epochs -1 is out of range":                 func(o *wire.AMPOptions) { o.Epochs = -1 },
		"limit -1 is out of range: give 0 for all":  func(o *wire.AMPOptions) { o.Limit = -1 },
	} {
		o := good
		change(&o)
		_, events, err := recordAMP(t, t.Context(), testHost(), &fakeSource{}, testRequest("mnist-lab1"), o)
		if err == nil || !strings.Contains(err.Error(), want) || len(events) != 1 {
			t.Errorf("%+v: %v, %d events, not %q", o, err, len(events), want)
		}
	}
}

// A cancel ends the experiment at once, wherever it is.
func TestAMPCancel(t *testing.T) {
	for _, at := range []string{"loading the training", "training in float32", "training in bf16", "accuracy", "batch 1"} {
		ctx, cancel := context.WithCancel(t.Context())
		req := testRequest("mnist-lab1")
		var ends []string
		_, err := Do(ctx, testHost(), &fakeSource{examples: 200}, wire.Command{Op: wire.OpAMP, Request: &req}, func(e wire.Event) {
			if e.Kind == wire.EventProgress && strings.Contains(e.Step, at) {
				cancel()
			}
			if e.Kind == wire.EventCancel || e.Kind == wire.EventDone || e.Kind == wire.EventError {
				ends = append(ends, e.Kind)
			}
		})
		if cancel(); !errors.Is(err, context.Canceled) || !slices.Equal(ends, []string{wire.EventCancel}) {
			t.Errorf("cancelled at %q: %v, %v", at, err, ends)
		}
	}
}

// A host with a single thread has its turn while training goes on.
func TestAMPYields(t *testing.T) {
	host, turns := testHost(), 0
	host.Yield = func() { turns++ }
	begin := time.Now()
	if _, _, err := recordAMP(t, t.Context(), host, &fakeSource{examples: 10}, testRequest("mnist-lab1"), wire.AMPOptions{Type: wire.Float16, Seeds: 1}); err != nil {
		t.Fatal(err)
	}
	if most := int(time.Since(begin)/breathEvery) + 1; turns == 0 || turns > most {
		t.Errorf("%d turns, of at most %d", turns, most)
	}
}

// TestRecorder checks the curve: at most 256 points, evenly spread, whose losses are means; a loss that is none is left out.
func TestRecorder(t *testing.T) {
	for _, steps := range []int{1, 7, 256, 257, 1000} {
		r := NewRecorder("m", train.Options{Seed: 9, Precision: train.Float16})
		told := 0
		for i := 1; i <= 2*steps; i++ {
			p := train.Progress{Epoch: 1 + (i-1)/steps, Epochs: 2, Step: 1 + (i-1)%steps, Steps: steps, Loss: float64(i), Scale: 8, Skipped: i / 2,
				Time: time.Duration(i) * time.Second, Matrix: time.Duration(i) * time.Millisecond}
			if i%5 == 3 {
				p.Loss = math.NaN()
			}
			r.Record(p)
			if i%50 == 0 {
				told += len(r.News().Curve)
			}
		}
		told += len(r.News().Curve)
		r.Score(3, 4)
		v := r.Training()
		if v.Seed != 9 || v.Type != wire.Float16 || v.Steps != 2*steps || v.Seconds != float64(2*steps) || v.Correct != 3 || v.Total != 4 || v.Skipped != steps {
			t.Errorf("%d steps: %+v", 2*steps, v)
		}
		if len(v.Curve) != min(2*steps, 256) || told != len(v.Curve) || v.Curve[len(v.Curve)-1].Step != 2*steps {
			t.Fatalf("%d steps give %d points, %d told, up to %d", 2*steps, len(v.Curve), told, v.Curve[len(v.Curve)-1].Step)
		}
		before, gap := 0, (2*steps+255)/256
		loss := 0.0
		for _, p := range v.Curve {
			sum, n := 0.0, 0
			for i := before + 1; i <= p.Step; i++ {
				if i%5 != 3 {
					sum, n = sum+float64(i), n+1
				}
			}
			if n > 0 {
				loss = sum / float64(n)
			}
			if d := p.Step - before; d < 1 || d > gap || math.Abs(p.Loss-loss) > 1e-9*loss || p.Scale != 8 || p.Skipped != p.Step/2 {
				t.Errorf("%d steps: %+v after step %d, loss %v", 2*steps, p, before, loss)
			}
			before = p.Step
		}
	}
}
