package quant

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"quantlab/core/internal/must"
	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// everyPlan returns all plans of the schemes.
func everyPlan(schemes []Scheme, layers int) []Plan {
	plans := []Plan{{}}
	for range layers {
		var longer []Plan
		for _, p := range plans {
			for _, s := range schemes {
				longer = append(longer, append(slices.Clone(p), s))
			}
		}
		plans = longer
	}
	return plans
}

// oneOfEach returns a scheme of each mode, and another dynamic and another static one.
func oneOfEach() []Scheme {
	symmetric, channels := WeightQuantizer{Bits: 8, Symmetric: true}, WeightQuantizer{Bits: 4, PerChannel: true}
	usual := ActivationQuantizer{Bits: 8, ReduceRange: true}
	static := ActivationQuantizer{Bits: 8, ReduceRange: true, Observer: MinMax}
	return []Scheme{
		{Mode: Float32}, {Mode: Float16},
		{Mode: Dynamic, Weight: symmetric, Activation: usual}, {Mode: Dynamic, Weight: channels, Activation: ActivationQuantizer{Bits: 6, PerRow: true}},
		{Mode: Static, Weight: symmetric, Activation: static}, {Mode: Static, Weight: channels, Activation: static},
	}
}

// bits are the logits as they are, NaN and signs of zeros included.
func bitsOf(x []float32) []uint32 {
	b := make([]uint32, len(x))
	for i, v := range x {
		b[i] = math.Float32bits(v)
	}
	return b
}

// TestForestMatchesModels: every plan's logits are those of its own model, bit for bit, whatever other plans are around.
func TestForestMatchesModels(t *testing.T) {
	net, dense, sparse := random(11, 21, 90, 48, 40, 5)
	plans := everyPlan(oneOfEach(), 3)
	uniform := slices.Repeat(Plan{oneOfEach()[4]}, 3)
	cal := must.Have(Calibrate(t.Context(), net, uniform, slices.Values([]nn.Batch{dense})))(t)
	plans = append(plans, plans[7], uniform, plans[7]) // some again
	forEachEngine(t, func(t *testing.T, e *kernel.Engine) {
		for _, opt := range []Options{{}, {Threads: 2}, {Input: Sparse}} {
			opt.Engine, opt.MaxBatch = e, 21
			few := plans
			if opt.Threads == 2 { // threads are the models' business
				few = plans[:40]
			}
			f := must.Have(NewForest(net, few, cal, opt))(t)
			for _, x := range []nn.Batch{dense, sparse, {Rows: 1, Cols: 90, Start: sparse.Start, Index: sparse.Index, Value: sparse.Value}} {
				if opt.Input == Sparse && !x.IsSparse() {
					continue
				}
				got := make([][]uint32, len(few))
				err := f.Forward(x, func(plan int, logits []float32) error {
					if got[plan] != nil {
						t.Errorf("plan %d came twice", plan)
					}
					got[plan] = bitsOf(logits)
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				for i, p := range few {
					m := must.Have(Convert(net, p, cal, opt))(t)
					want := bitsOf(must.Have(m.Forward(x))(t))
					if !slices.Equal(got[i], want) {
						t.Errorf("%+v, %s: other logits than the plan's own model's", opt, p)
					}
					if own := bitsOf(must.Have(f.Model(i).Forward(x))(t)); !slices.Equal(own, want) {
						t.Errorf("%+v, %s: the forest's model gives other logits", opt, p)
					}
					m.Close()
				}
			}
			f.Close()
		}
	})
}

// TestForestShapes: one layer, and eight, and plans that begin with static layers and end in every way.
func TestForestShapes(t *testing.T) {
	for _, dims := range [][]int{{12, 3}, {12, 9, 3}, {16, 15, 14, 13, 12, 11, 10, 9, 4}} {
		layers := len(dims) - 1
		net, x, _ := random(12, 5, dims...)
		schemes := oneOfEach()
		cal := must.Have(Calibrate(t.Context(), net, slices.Repeat(Plan{schemes[4]}, layers), slices.Values([]nn.Batch{x})))(t)
		var plans []Plan
		for _, s := range schemes {
			for i := range layers {
				only := slices.Repeat(Plan{{Mode: Float32}}, layers)
				except := slices.Repeat(Plan{s}, layers)
				only[i], except[i] = s, Scheme{Mode: Float32}
				plans = append(plans, only, except)
			}
		}
		f := must.Have(NewForest(net, plans, cal, Options{}))(t)
		seen := 0
		err := f.Forward(x, func(plan int, logits []float32) error {
			seen++
			m := must.Have(Convert(net, plans[plan], cal, Options{}))(t)
			defer m.Close()
			if !slices.Equal(bitsOf(must.Have(m.Forward(x))(t)), bitsOf(logits)) {
				t.Errorf("%v, %s: other logits", dims, plans[plan])
			}
			return nil
		})
		if err != nil || seen != len(plans) {
			t.Errorf("%v: %d plans of %d, error %v", dims, seen, len(plans), err)
		}
		f.Close()
	}
}

// countingStep counts how often it runs.
type countingStep struct {
	step
	runs *int
}

func (s countingStep) forward(w *workspace, in signal) (signal, error) {
	*s.runs++
	return s.step.forward(w, in)
}

// TestForestSharesWork: what plans have in common is packed once, and computed once a batch.
func TestForestSharesWork(t *testing.T) {
	net, x, _ := random(13, 4, 20, 16, 12, 10, 3)
	schemes := oneOfEach()[:5]
	cal := must.Have(Calibrate(t.Context(), net, slices.Repeat(Plan{schemes[4]}, 4), slices.Values([]nn.Batch{x})))(t)
	f := must.Have(NewForest(net, everyPlan(schemes, 4), cal, Options{}))(t)
	defer f.Close()
	if len(f.packed) != 4*5 {
		t.Errorf("%d layers were packed, want 20", len(f.packed))
	}
	runs := 0
	for _, l := range f.packed {
		l.step = countingStep{l.step, &runs}
	}
	if err := f.Forward(x, func(int, []float32) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if want := 5 + 25 + 125 + 625; runs != want {
		t.Errorf("%d layers were run, want %d", runs, want)
	}
}

// TestForestMemory: room hangs on the network, not on how many plans there are.
func TestForestMemory(t *testing.T) {
	net, x, _ := random(13, 4, 20, 16, 12, 10, 3)
	schemes := oneOfEach()
	cal := must.Have(Calibrate(t.Context(), net, slices.Repeat(Plan{schemes[4]}, 4), slices.Values([]nn.Batch{x})))(t)
	room := func(plans []Plan) (floats, ints int) {
		f := must.Have(NewForest(net, plans, cal, Options{MaxBatch: 10}))(t)
		defer f.Close()
		for i := range f.floats {
			floats, ints = floats+len(f.floats[i]), ints+len(f.ints[i])
		}
		return floats + len(f.unpack), ints + len(f.quantize)
	}
	floats, ints := room(everyPlan(schemes, 4))
	if widths := 16 + 12 + 10 + 3; floats != 10*(widths+16) || ints != 10*(widths+20) {
		t.Errorf("room for %d floats and %d integers", floats, ints)
	}
}

func TestForestAllocatesNothing(t *testing.T) {
	net, dense, sparse := random(14, 8, 64, 32, 32, 4)
	schemes := oneOfEach()
	cal := must.Have(Calibrate(t.Context(), net, slices.Repeat(Plan{schemes[4]}, 3), slices.Values([]nn.Batch{dense})))(t)
	for _, opt := range []Options{{}, {Threads: 2}, {Input: Sparse}, {Look: func() error { return nil }}} {
		f := must.Have(NewForest(net, everyPlan(schemes, 3), cal, opt))(t)
		x := dense
		if opt.Input == Sparse {
			x = sparse
		}
		total := float32(0)
		each := func(_ int, logits []float32) error { total += logits[0]; return nil }
		if n := testing.AllocsPerRun(3, func() { f.Forward(x, each) }); n != 0 {
			t.Errorf("%+v: %v allocations", opt, n)
		}
		f.Close()
	}
}

// TestForestInterrupted: look's error ends the making and a pass, the function's ends a pass, and the next pass is whole again.
func TestForestInterrupted(t *testing.T) {
	net, x, _ := random(15, 33, 300, 128, 130, 3)
	plans := everyPlan(oneOfEach()[:4], 3)
	stop, looks, limit := errors.New("stop"), 0, 1<<30
	look := func() error {
		if looks++; looks > limit {
			return stop
		}
		return nil
	}
	f := must.Have(NewForest(net, plans, nil, Options{Look: look}))(t)
	defer f.Close()
	if looks < 3*4 {
		t.Errorf("only %d looks while it was made", looks)
	}
	f.block = 1 // 8 rows at a time
	pass := func() (n int, err error) {
		looks = 0
		err = f.Forward(x, func(int, []float32) error { n++; return nil })
		return n, err
	}
	if n, err := pass(); n != 64 || err != nil || looks < (4+16+64)*5 {
		t.Errorf("%d plans, error %v, %d looks", n, err, looks)
	}
	limit = 100
	if n, err := pass(); err != stop || n == 0 || n == 64 || looks != 101 {
		t.Errorf("%d plans, error %v, %d looks", n, err, looks)
	}
	limit = 1 << 30
	n := 0
	if err := f.Forward(x, func(int, []float32) error { n++; return stop }); err != stop || n != 1 {
		t.Errorf("%d plans, error %v", n, err)
	}
	if n, err := pass(); n != 64 || err != nil {
		t.Errorf("afterwards %d plans, error %v", n, err)
	}
	looks = 0
	if must.Have(f.Model(5).Forward(x))(t); looks != 0 { // it may be timed
		t.Errorf("a model's own pass looked %d times", looks)
	}
	limit, looks = 3, 0
	if _, err := NewForest(net, plans, nil, Options{Look: look}); err != stop {
		t.Errorf("making one: %v", err)
	}
}

func TestForestRefusals(t *testing.T) {
	net, x, _ := random(16, 4, 12, 8, 3)
	static := must.Have(Preset("static-qint8", 2))(t)
	float := must.Have(Preset("fp32", 2))(t)
	nan := slices.Clone(x.Dense)
	nan[0] = float32(math.NaN())
	broken := nn.New(nn.Spec{In: 2, Out: 2})
	broken.Layers[0].B[0] = float32(math.Inf(1))
	make := func(net *nn.Network, opt Options, plans ...Plan) error {
		_, err := NewForest(net, plans, nil, opt)
		return err
	}
	forward := func(p Plan, opt Options, b nn.Batch) error {
		f := must.Have(NewForest(net, []Plan{p}, nil, opt))(t)
		defer f.Close()
		return f.Forward(b, func(int, []float32) error { return nil })
	}
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"no plans":         {make(net, Options{}), "1 to 4096"},
		"too many plans":   {make(net, Options{}, slices.Repeat([]Plan{float}, MaxPlans+1)...), "1 to 4096"},
		"short plan":       {make(net, Options{}, float, float[:1]), "plan 1"},
		"no calibration":   {make(net, Options{}, float, static), "calibrate"},
		"damaged network":  {make(broken, Options{}, float[:1]), "train or import"},
		"unknown input":    {make(net, Options{Input: "wet"}, float), "choose"},
		"large batch":      {forward(float, Options{MaxBatch: 3}, x), "MaxBatch"},
		"other features":   {forward(float, Options{}, nn.Batch{Rows: 1, Cols: 3, Dense: x.Dense}), "12 inputs"},
		"dense for sparse": {forward(float, Options{Input: Sparse}, x), "dense input"},
		"NaN":              {forward(must.Have(Preset("dynamic-qint8", 2))(t), Options{}, nn.Batch{Rows: 4, Cols: 12, Dense: nan}), "NaN"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) || strings.Contains(c.err.Error(), "\n") {
			t.Errorf("%s: error %q, expected one sentence with %q", name, c.err, c.says)
		}
	}
}

// BenchmarkForest compares a pass of all plans with the passes of their models.
func BenchmarkForest(b *testing.B) {
	net, x, _ := random(17, 64, 400, 1024, 1024, 10)
	schemes := oneOfEach()[:5]
	cal := must.Have(Calibrate(b.Context(), net, slices.Repeat(Plan{schemes[4]}, 3), slices.Values([]nn.Batch{x})))(b)
	f := must.Have(NewForest(net, everyPlan(schemes, 3), cal, Options{}))(b)
	defer f.Close()
	b.Run("forest", func(b *testing.B) {
		for b.Loop() {
			if err := f.Forward(x, func(int, []float32) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("models", func(b *testing.B) {
		var models []*Model
		for i := range f.plans {
			models = append(models, f.Model(i))
		}
		for b.Loop() {
			for _, m := range models {
				if _, err := m.Forward(x); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Log(fmt.Sprint(len(f.plans), " plans"))
}
