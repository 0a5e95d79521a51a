package play

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// inspected returns what Inspect tells.
func inspected(t testing.TB, b *Bench, model, plan string, units ...int) *wire.Inspection {
	t.Helper()
	var told *wire.Inspection
	err := b.Inspect(t.Context(), wire.InspectRequest{Model: model, Conversion: wire.Conversion{Plan: plan}, Units: units}, func(e wire.Event) {
		if e.Kind == wire.EventInspection {
			told = e.Inspection
		}
	})
	if err != nil {
		t.Fatalf("%s, %s: %v", model, plan, err)
	}
	return told
}

// plansOf are plans of every kind, for networks of so many layers.
func plansOf(layers int) []string {
	mixed := []string{"static-w8c-a8r-histogram", "float32", "dynamic-w5a-a8p", "static-w4-a6s-percentile99"}
	return append(mixed, "float16", "dynamic-w8-a8r", strings.Join(mixed[4-layers:], ","), strings.Join(append([]string{"dynamic-w8-a8"}, mixed[5-layers:]...), ","))
}

// TestChain: layers that are run one by one, each behind the ones before, give what the whole converted model gives, and
// losses are quant's own.
func TestChain(t *testing.T) {
	for _, model := range []string{"mnist-lab2", "sst2-lab2"} {
		b := newBench(t, &fakeSource{})
		n, err := b.network(t.Context(), model, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range plansOf(len(n.net.Layers)) {
			c := wire.Conversion{Plan: text}
			in, err := b.inspector(t.Context(), model, c, func(wire.Event) {})
			if err != nil {
				t.Fatal(err)
			}
			chain := make([][]float32, 2)
			var last wire.Layer
			for i := range in.plan {
				if last, err = in.layer(i, chain); err != nil {
					t.Fatal(err)
				}
			}
			cal, err := in.view.Calibrate(in.plan, nil)
			if err != nil {
				t.Fatal(err)
			}
			m, err := quant.Convert(n.net, in.plan, cal, quant.Options{MaxBatch: lab.EvalBatch})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			ints := !slices.ContainsFunc(in.plan, func(s scheme.Scheme) bool { return s.Mode == scheme.Float32 || s.Mode == scheme.Float16 })
			for k := range chain {
				logits, err := m.Forward(in.view.Input(k))
				if err != nil {
					t.Fatal(err)
				}
				if ints && !slices.Equal(chain[k], logits) {
					t.Errorf("%s, %s: batch %d: the chain gives other logits than the model", model, text, k)
				}
				if d := quant.Compare(logits, chain[k]); d.SQNR < 30 { // floats on another engine may fall on the next level
					t.Errorf("%s, %s: batch %d: the chain is off by %+v", model, text, k, d)
				}
			}
			want := quant.Compare(slices.Concat(in.view.Output(0, len(in.plan)-1), in.view.Output(1, len(in.plan)-1)), slices.Concat(chain...))
			if math.Abs(last.ChainLoss.SQNR-want.SQNR) > 1e-9 || last.ChainLoss.Max != want.Max {
				t.Errorf("%s, %s: chain %+v, want %+v", model, text, last.ChainLoss, want)
			}
		}
	}
}

// TestInspectWeights holds what is told of weights against quant's own results, and grids against the calibration's.
func TestInspectWeights(t *testing.T) {
	b := newBench(t, &fakeSource{})
	net := randomNetwork(mustSpec(t, "mnist-lab1"))
	for _, text := range []string{"static-w8c-a8r-histogram", "static-w3a-a5s-minmax", "dynamic-w4ca-a8", "float16", "float32"} {
		told := inspected(t, b, "mnist-lab1", text)
		plan, err := scheme.ParsePlan(text, 2)
		if err != nil {
			t.Fatal(err)
		}
		if told.Examples != 100 || told.Plan != text || len(told.Layers) != 2 {
			t.Fatalf("%s: %+v", text, told)
		}
		cal, err := lab.Calibrate(t.Context(), net, randomExamples(net.Spec, 100, 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range told.Layers {
			q, _ := quant.QuantizeLayer(net.Layers[i], plan[i], nil)
			back := make([]float32, len(net.Layers[i].W))
			for o := range q.Out {
				q.Dequantize(back[o*q.In:], o)
			}
			want := quant.Compare(net.Layers[i].W, back)
			if math.Abs(l.WeightLoss.SQNR-want.SQNR) > 1e-6 || l.WeightLoss.Max != want.Max || math.Abs(l.WeightLoss.Mean-want.Mean) > 1e-12 {
				t.Errorf("%s, layer %d: weights lose %+v, want %+v", text, i, l.WeightLoss, want)
			}
			if l.Weights.Clipped != 0 || l.Weights.Count != len(back) || total(l.Weights.Bins) != len(back) {
				t.Errorf("%s, layer %d: weights %+v", text, i, l.Weights)
			}
			if q.I8 != nil && (l.Weights.Grid == nil || l.Weights.Used < 2 || l.Weights.Used > 1<<plan[i].Weight.Bits || (len(l.Weights.Scales) == 5) != plan[i].Weight.PerChannel) {
				t.Errorf("%s, layer %d: grid of the weights %+v", text, i, l.Weights)
			}
			if scales := l.Weights.Scales; len(scales) > 0 && (!slices.IsSorted(scales) || scales[2] != l.Weights.Grid.Scale ||
				scales[0] != float64(slices.Min(q.Scale)) || scales[4] != float64(slices.Max(q.Scale))) {
				t.Errorf("%s, layer %d: scales %v, median's grid %+v", text, i, scales, l.Weights.Grid)
			}
			if text == "static-w8c-a8r-histogram" {
				g, p := l.Input.Grid, cal.Boundaries[i].QParams
				lo, hi := p.Range()
				if *g != (wire.Grid{Scale: p.Scale, Zero: p.Zero, Max: 255, Lo: lo, Hi: hi, Top: 127}) {
					t.Errorf("layer %d: input on %+v, calibrated to %+v", i, g, p)
				}
				if l.Output.Grid == nil || l.Output.Grid.Scale != cal.Boundaries[i+1].QParams.Scale {
					t.Errorf("layer %d: output on %+v", i, l.Output.Grid)
				}
			}
			if q.I8 == nil && (l.Input.Grid != nil || l.Weights.Grid != nil || l.InputLoss.SQNR != quant.MaxSQNR) {
				t.Errorf("%s, layer %d has grids", text, i)
			}
			if text == "float32" && (l.OutputLoss.SQNR != quant.MaxSQNR || l.ChainLoss.SQNR != quant.MaxSQNR || l.WeightLoss.SQNR != quant.MaxSQNR) {
				t.Errorf("float32 loses %+v", l.OutputLoss)
			}
			if len(l.Explain) == 0 || len(l.Explain) > mostSentences {
				t.Errorf("%s, layer %d: %q", text, i, l.Explain)
			}
			share := 0.0
			for k, r := range l.Rows {
				share += r.Share
				if k > 0 && r.Share > l.Rows[k-1].Share {
					t.Errorf("%s, layer %d: the worst rows are not in order", text, i)
				}
			}
			if text != "float32" && (len(l.Rows) != keptWorst || len(l.Cols) != keptWorst || share <= 0 || share > 1+1e-9) {
				t.Errorf("%s, layer %d: worst rows %v, columns %v", text, i, l.Rows, l.Cols)
			}
		}
	}
}

func total(x []int) (n int) {
	for _, v := range x {
		n += v
	}
	return n
}

// TestWeightLossByHand works out one layer: 2 bits on a step of 1 are the levels -2 to 1.
func TestWeightLossByHand(t *testing.T) {
	l := nn.Linear{Name: "layers.0", In: 3, Out: 2, W: []float32{-1.5, 0.25, 1.5, 0, 1, 0.75}, B: []float32{0, 0}}
	q, _ := quant.QuantizeLayer(l, scheme.Scheme{Mode: scheme.Dynamic, Weight: scheme.WeightQuantizer{Bits: 2, Symmetric: true}, Activation: scheme.ActivationQuantizer{Bits: 8}}, nil)
	lost, err := lossOf(l.W, &q, never)
	if err != nil {
		t.Fatal(err)
	}
	// They become -2, 0, 1, 0, 1, 1: errors of 0.5, 0.25, 0.5, 0, 0, 0.25.
	noise := 0.5*0.5 + 0.25*0.25 + 0.5*0.5 + 0.25*0.25
	if q.Scale[0] != 1 || lost.all.Max != 0.5 || lost.all.Mean != 0.25 || lost.used != 3 || lost.clipped != 0 || lost.vanished != 1 {
		t.Errorf("scale %v, %+v", q.Scale, lost)
	}
	if lost.rows[0].Index != 0 || math.Abs(lost.rows[0].Share-(noise-0.0625)/noise) > 1e-12 || len(lost.rows) != 2 {
		t.Errorf("rows %+v", lost.rows)
	}
	if lost.cols[0].Index != 2 || math.Abs(lost.cols[0].Share-0.3125/noise) > 1e-12 || math.Abs(lost.cols[0].SQNR-10*math.Log10((2.25+0.5625)/0.3125)) > 1e-9 {
		t.Errorf("columns %+v", lost.cols)
	}
}

func TestHalvesCounted(t *testing.T) {
	l := nn.Linear{Name: "layers.0", In: 4, Out: 1, W: []float32{1e5, 1e-5, 1, -1e-9}, B: []float32{0}}
	q, _ := quant.QuantizeLayer(l, scheme.Scheme{Mode: scheme.Float16}, nil)
	lost, err := lossOf(l.W, &q, never)
	if err != nil || lost.saturated != 1 || lost.subnormal != 2 || lost.vanished != 1 {
		t.Errorf("%+v, %v", lost, err)
	}
}

func TestFilters(t *testing.T) {
	b := newBench(t, &fakeSource{})
	for model, side := range map[string]int{"mnist-lab1": 28, "mnist-lab2": 20} {
		told := inspected(t, b, model, "dynamic-w4-a8", 3, 0, 511)
		if len(told.Filters) != 3 {
			t.Fatalf("%d filters", len(told.Filters))
		}
		net := randomNetwork(mustSpec(t, model))
		for i, f := range told.Filters {
			if f.Unit != []int{3, 0, 511}[i] || f.Side != side || len(f.Float) != side*side || len(f.Quantized) != side*side || len(f.Error) != side*side {
				t.Fatalf("filter %+v", f)
			}
			for k, v := range net.Layers[0].W[f.Unit*side*side : (f.Unit+1)*side*side] {
				if drawn := (float64(f.Float[k]) - 128) / 128 * f.Range; math.Abs(drawn-float64(v)) > f.Range/128 {
					t.Fatalf("%s, unit %d, weight %d: %v is drawn as %v", model, f.Unit, k, v, drawn)
				}
			}
		}
	}
	f := filterOf([]float32{-1, 0, 0.5, 1}, []float32{-1, 0, 0.25, 1})
	if f.Range != 1 || f.ErrorRange != 0.25 || !slices.Equal(f.Float, []byte{0, 128, 192, 255}) || !slices.Equal(f.Quantized, []byte{0, 128, 160, 255}) || !slices.Equal(f.Error, []byte{128, 128, 0, 128}) {
		t.Errorf("%+v", f)
	}
}

// hostile are requests that must be refused in a sentence.
func TestInspectRefuses(t *testing.T) {
	b := newBench(t, &fakeSource{})
	plan := "static-w8-a8-minmax"
	for say, req := range map[string]wire.InspectRequest{
		"unknown model":             {Model: "mnist-lab9", Conversion: wire.Conversion{Plan: plan}},
		"can't be read":             {Model: "mnist-lab1", Conversion: wire.Conversion{Plan: "static"}},
		"the network has 2":         {Model: "mnist-lab1", Conversion: wire.Conversion{Plan: "float32,float32,float32"}},
		"out of range: give 1 to":   {Model: "mnist-lab1", Conversion: wire.Conversion{Plan: plan, Examples: -1}},
		"8193 examples is out":      {Model: "mnist-lab1", Conversion: wire.Conversion{Plan: plan, Examples: 8193, Seed: 1}},
		"sample has 1024 examples":  {Model: "mnist-lab1", Conversion: wire.Conversion{Plan: plan, Examples: 1025}},
		"has no unit 512":           {Model: "mnist-lab1", Conversion: wire.Conversion{Plan: plan}, Units: []int{512}},
		"has no unit -1":            {Model: "mnist-lab1", Conversion: wire.Conversion{Plan: plan}, Units: []int{-1}},
		"33 units are too many":     {Model: "mnist-lab1", Conversion: wire.Conversion{Plan: plan}, Units: make([]int, 33)},
		"sst2-lab2 reads words":     {Model: "sst2-lab2", Conversion: wire.Conversion{Plan: plan}, Units: []int{0}},
		"weights of 9 bits are out": {Model: "sst2-lab2", Conversion: wire.Conversion{Plan: "dynamic-w9-a8"}},
	} {
		err := b.Inspect(t.Context(), req, func(e wire.Event) {
			if e.Kind == wire.EventInspection {
				t.Errorf("%s: %+v", say, e)
			}
		})
		if err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%v does not say %q", err, say)
		}
	}
	missing := newBench(t, &fakeSource{missing: true})
	err := missing.Inspect(t.Context(), wire.InspectRequest{Model: "sst2-lab2", Conversion: wire.Conversion{Plan: plan}}, func(wire.Event) {})
	var m *dataset.MissingError
	if !errors.As(err, &m) {
		t.Errorf("without data: %v", err)
	}
}

func TestInspectCanceled(t *testing.T) {
	b := newBench(t, &fakeSource{})
	ctx, cancel := context.WithCancel(t.Context())
	err := b.Inspect(ctx, wire.InspectRequest{Model: "mnist-lab1", Conversion: wire.Conversion{Plan: "float16"}}, func(wire.Event) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("went on: %v", err)
	}
	if inspected(t, b, "mnist-lab1", "float16") == nil {
		t.Error("the next question is not answered")
	}
}

// TestCalibrationIsQuants: grids are those of quant.Calibrate on the same examples in the same batches.
func TestCalibrationIsQuants(t *testing.T) {
	const model = "mnist-lab1"
	b := newBench(t, &fakeSource{})
	n, err := b.network(t.Context(), model, nil)
	if err != nil {
		t.Fatal(err)
	}
	train := randomExamples(n.spec, 300, 3)
	for _, c := range []struct {
		wire.Conversion
		of *dataset.Examples
	}{
		{wire.Conversion{}, randomExamples(n.spec, 100, 1)},
		{wire.Conversion{Examples: 70}, randomExamples(n.spec, 100, 1).Head(70)},
		{wire.Conversion{Examples: 3}, randomExamples(n.spec, 100, 1).Head(3)},
		{wire.Conversion{Examples: 64, Seed: 9}, train.Pick(dataset.Draw(300, 64, 9))},
		{wire.Conversion{Examples: 200, Seed: 9}, train.Pick(dataset.Draw(300, 200, 9))},
		{wire.Conversion{Examples: 8192, Seed: 7}, train.Pick(dataset.Draw(300, 300, 7))},
		{wire.Conversion{Examples: 130, Seed: 7}, train.Pick(dataset.Draw(300, 130, 7))},
	} {
		for _, text := range []string{"static-w8c-a8r-histogram", "static-w8-a5-percentile99", "dynamic-w8-a8,static-w8-a8-movingaverage"} {
			plan, err := scheme.ParsePlan(text, 2)
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.calibration(t.Context(), n, plan, c.Conversion, func(wire.Event) {})
			if err != nil {
				t.Fatal(err)
			}
			want, err := quant.Calibrate(t.Context(), n.net, plan, func(yield func(nn.Batch) bool) {
				for lo := 0; lo < c.of.Len(); lo += lab.EvalBatch {
					var batch nn.Batch
					c.of.Slice(&batch, lo, min(lo+lab.EvalBatch, c.of.Len()))
					if !yield(batch) {
						return
					}
				}
			})
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %s: %+v, want %+v, %v", c.Conversion, text, got, want, err)
			}
		}
	}
	if b.drawn == nil || b.drawn.seed != 7 || n.sample == nil {
		t.Error("what was drawn last is not kept")
	}
}

// TestFileGrids: the lab's sample needs no observing where the model's file has its grids.
func TestFileGrids(t *testing.T) {
	spec := mustSpec(t, "mnist-lab1")
	grids := &quant.Calibration{Examples: 7}
	b := newBench(t, &fakeSource{calibration: grids, stop: func() error { return errors.New("read") }})
	n, err := b.network(t.Context(), spec.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n.meta = (modelfile.Meta{Calibration: grids}); n.meta.Calibration == nil {
		t.Fatal("no grids")
	}
	for text, fromFile := range map[string]bool{"static-w8c-a8r-histogram": true, "static-w4-a8r-histogram": true, "static-w8c-a8-histogram": false} {
		plan, err := scheme.ParsePlan(text, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []wire.Conversion{{}, {Examples: 1024}, {Examples: 512}, {Seed: 3}} {
			cal, err := b.calibration(t.Context(), n, plan, c, func(wire.Event) {})
			if want := fromFile && c.Seed == 0 && c.Examples != 512; (cal == grids) != want || (err == nil) != want {
				t.Errorf("%s, %+v: %v, %v", text, c, cal, err)
			}
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add("mnist-lab1", "static-w8c-a8r-histogram", 64, uint64(0), 3)
	f.Add("mnist-lab1", "dynamic-w2ca-a2sp,float16", 1, uint64(5), -1)
	f.Add("sst2-lab2", "static-w4-a6-percentile99.9,float32,float16,dynamic-w8-a8", -5, uint64(1), 1<<40)
	b := newBench(f, &fakeSource{})
	f.Fuzz(func(t *testing.T, model, plan string, examples int, seed uint64, unit int) {
		req := wire.InspectRequest{Model: model, Conversion: wire.Conversion{Plan: plan, Examples: examples, Seed: seed}}
		if unit%2 != 0 {
			req.Units = []int{unit}
		}
		var told *wire.Inspection
		err := b.Inspect(t.Context(), req, func(e wire.Event) { told = e.Inspection })
		if (err == nil) != (told != nil) {
			t.Fatalf("error %v, told %+v", err, told)
		}
		if err != nil {
			return
		}
		for _, l := range told.Layers {
			for _, v := range []float64{l.WeightLoss.SQNR, l.InputLoss.SQNR, l.OutputLoss.Mean, l.ChainLoss.Max, l.Weights.Std, l.Input.Clipped, l.Output.Mean} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%s, %s: %+v can't be sent", model, plan, l)
				}
			}
		}
	})
}
