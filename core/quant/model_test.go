package quant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"quantlab/core/internal/must"
	"quantlab/core/kernel"
	"quantlab/core/nn"
	"quantlab/core/scheme"
)

func forEachEngine(t *testing.T, f func(t *testing.T, e *kernel.Engine)) {
	for _, e := range kernel.Engines() {
		t.Run(e.Name(), func(t *testing.T) { f(t, e) })
	}
}

// pytorchGrids is the calibration that PyTorch ended with.
func (s stack) pytorchGrids(t testing.TB, plan Plan) *Calibration {
	c := &Calibration{Examples: 1, Batches: 1}
	for i, q := range boundaries(plan) {
		g := s.Grids[i]
		c.Boundaries = append(c.Boundaries, Boundary{q, QParams{Scale: g[0], Zero: int32(g[1]), Max: 255}})
	}
	return c
}

func TestStaticMatchesPyTorch(t *testing.T) {
	for _, s := range stacks(t, "static") {
		t.Run(s.Name, func(t *testing.T) {
			forEachEngine(t, func(t *testing.T, e *kernel.Engine) {
				plan := s.plan(t)
				m := must.Have(Convert(s.network(t), plan, s.pytorchGrids(t, plan), Options{Engine: e}))(t)
				defer m.Close()
				for i, l := range m.Weights() {
					if !slices.Equal(l.I8, s.IntWeights[i].ints(t)) || !slices.Equal(l.Scale, s.WeightScales[i].floats(t)) {
						t.Fatalf("layer %d: integer weights or scales differ from PyTorch's", i)
					}
				}
				x := s.input(t)
				sig := signal{rows: x.Rows, f: x.Dense}
				q := make([]uint8, len(x.Dense))
				e.Quantize(q, x.Dense, m.Weights()[0].InGrid.Grid())
				if !slices.Equal(q, s.Activations[0].uints(t)) {
					t.Error("input integers differ from PyTorch's")
				}
				for i, step := range m.steps {
					var err error
					if sig, err = step.forward(m.workspace, sig); err != nil {
						t.Fatal(err)
					}
					if !slices.Equal(sig.q, s.Activations[i+1].uints(t)) {
						t.Errorf("layer %d: output integers %v differ from PyTorch's %v", i, sig.q, s.Activations[i+1].uints(t))
					}
				}
				y := must.Have(m.Forward(x))(t)
				if !slices.Equal(y, s.Y.floats(t)) {
					t.Error("outputs differ from PyTorch's")
				}
			})
		})
	}
}

func TestCalibrateMatchesPyTorch(t *testing.T) {
	for _, s := range stacks(t, "static") {
		plan := s.plan(t)
		c := must.Have(Calibrate(t.Context(), s.network(t), plan, slices.Values(s.batches(t))))(t)
		for i, b := range c.Boundaries {
			scale, zero := s.Grids[i][0], int32(s.Grids[i][1])
			off := math.Abs(b.QParams.Scale/scale - 1)
			if b.QParams.Zero != zero || off > 1e-6 || s.Exact && off != 0 {
				t.Errorf("%s, boundary %d: %+v, PyTorch has %v, %d", s.Name, i, b.QParams, scale, zero)
			}
		}
		if c.Batches != len(s.Calibration) {
			t.Errorf("%s: counted %d batches", s.Name, c.Batches)
		}
	}
}

func TestDynamicMatchesPyTorch(t *testing.T) {
	for _, s := range stacks(t, "dynamic") {
		for _, r := range s.Results {
			t.Run(r.Name+" "+s.Name, func(t *testing.T) {
				forEachEngine(t, func(t *testing.T, e *kernel.Engine) {
					variant, perChannel, tolerance := "dynamic-qint8", false, 0.0
					switch r.Name {
					case "dynamic qint8":
					case "dynamic per-channel":
						perChannel = true
					case "dynamic float16":
						variant, tolerance = "dynamic-float16", 1e-6
					default:
						t.Fatal("unknown golden")
					}
					plan := must.Have(Preset(variant, len(s.Dims)-1))(t)
					for i := range plan {
						plan[i].Weight.PerChannel = perChannel
					}
					m := must.Have(Convert(s.network(t), plan, nil, Options{Engine: e}))(t)
					defer m.Close()
					for i, a := range r.IntWeights {
						if !slices.Equal(m.Weights()[i].I8, a.ints(t)) {
							t.Errorf("layer %d: integer weights differ from PyTorch's", i)
						}
					}
					x := s.input(t)
					near(t, must.Have(m.Forward(x))(t), r.Y.floats(t), tolerance)
					x.Rows, x.Dense = 1, x.Dense[:x.Cols]
					near(t, must.Have(m.Forward(x))(t), r.Y1.floats(t), tolerance)
				})
			})
		}
	}
}

func near(t *testing.T, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d outputs, want %d", len(got), len(want))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= tolerance*max(1, math.Abs(float64(w)))) {
			t.Errorf("output %d is %v, in PyTorch %v", i, got[i], w)
			return
		}
	}
}

// random returns a network and a batch, dense and the same one sparse.
func random(seed uint64, rows int, dims ...int) (*nn.Network, nn.Batch, nn.Batch) {
	r := rand.New(rand.NewPCG(seed, 1))
	last := len(dims) - 1
	n := nn.New(nn.Spec{ID: "random", In: dims[0], Hidden: dims[1:last], Out: dims[last]})
	for _, l := range n.Layers {
		for i := range l.W {
			l.W[i] = float32(r.NormFloat64() / math.Sqrt(float64(l.In)/2))
		}
		for i := range l.B {
			l.B[i] = float32(r.NormFloat64() * 0.1)
		}
	}
	dense := nn.Batch{Rows: rows, Cols: dims[0], Dense: make([]float32, rows*dims[0])}
	sparse := nn.Batch{Rows: rows, Cols: dims[0], Start: []int32{0}}
	for i := range rows {
		for c := range dims[0] {
			if r.IntN(4) == 0 {
				v := float32(1 + r.IntN(3))
				dense.Dense[i*dims[0]+c] = v
				sparse.Index, sparse.Value = append(sparse.Index, int32(c)), append(sparse.Value, v)
			}
		}
		sparse.Start = append(sparse.Start, int32(len(sparse.Index)))
	}
	return n, dense, sparse
}

// variety returns schemes of every mode, granularity and symmetry.
func variety() []Scheme {
	s := []Scheme{{Mode: Float32}, {Mode: Float16}}
	for _, w := range []WeightQuantizer{
		{Bits: 8, Symmetric: true}, {Bits: 8, PerChannel: true, Symmetric: true}, {Bits: 8}, {Bits: 5, PerChannel: true}, {Bits: 3, Symmetric: true},
	} {
		for _, a := range []ActivationQuantizer{{Bits: 8, ReduceRange: true}, {Bits: 8, Symmetric: true}, {Bits: 6}, {Bits: 4, Symmetric: true, ReduceRange: true}} {
			s = append(s, Scheme{Mode: Dynamic, Weight: w, Activation: a})
			a.PerRow = true
			s = append(s, Scheme{Mode: Dynamic, Weight: w, Activation: a})
			a.PerRow, a.Observer = false, MinMax
			s = append(s, Scheme{Mode: Static, Weight: w, Activation: a})
		}
	}
	return s
}

// mixedPlans returns plans in which every scheme of variety meets others.
func mixedPlans(layers int) []Plan {
	r, v := rand.New(rand.NewPCG(5, 5)), variety()
	var plans []Plan
	for _, s := range v {
		plans = append(plans, slices.Repeat(Plan{s}, layers))
		p := make(Plan, layers)
		for i := range p {
			p[i] = v[r.IntN(len(v))]
		}
		p[r.IntN(layers)] = s
		plans = append(plans, p)
	}
	return plans
}

// TestSparseThreadsAndBatch: how a model runs changes nothing in what it computes.
func TestSparseThreadsAndBatch(t *testing.T) {
	net, dense, sparse := random(2, 33, 300, 128, 130, 3)
	for i, plan := range mixedPlans(3) {
		cal := must.Have(Calibrate(t.Context(), net, plan, slices.Values([]nn.Batch{sparse})))(t)
		run := func(x nn.Batch, opt Options) []float32 {
			opt.MaxBatch = 33
			opt.Engine = kernel.Engines()[0]
			m := must.Have(Convert(net, plan, cal, opt))(t)
			defer m.Close()
			return slices.Clone(must.Have(m.Forward(x))(t))
		}
		want := run(dense, Options{})
		for name, got := range map[string][]float32{
			"sparse":                   run(sparse, Options{Input: Sparse}),
			"sparse, 3 threads":        run(sparse, Options{Input: Sparse, Threads: 3}),
			"2 threads":                run(dense, Options{Threads: 2}),
			"a sparse batch scattered": run(sparse, Options{Input: Dense}),
		} {
			if !slices.Equal(got, want) {
				t.Errorf("plan %d, %+v: %s gives other outputs", i, plan, name)
			}
		}
	}
}

// TestForwardInterruptible: looking about in between changes nothing, and an error of look ends the call and no other.
func TestForwardInterruptible(t *testing.T) {
	net, dense, sparse := random(2, 33, 300, 128, 130, 3)
	stop := errors.New("stop")
	for i, plan := range mixedPlans(3) {
		cal := must.Have(Calibrate(t.Context(), net, plan, slices.Values([]nn.Batch{dense})))(t)
		for _, opt := range []Options{{}, {Threads: 2}, {Input: Sparse}} {
			x := dense
			if opt.Input == Sparse {
				x = sparse
			}
			m := must.Have(Convert(net, plan, cal, opt))(t)
			m.block = 1 // 8 rows at a time
			want := slices.Clone(must.Have(m.Forward(x))(t))
			looks, limit := 0, 1000
			look := func() error {
				if looks++; looks > limit {
					return stop
				}
				return nil
			}
			if got := must.Have(m.ForwardInterruptible(x, look))(t); !slices.Equal(got, want) {
				t.Errorf("plan %d, %+v: other outputs", i, opt)
			}
			if looks < 2*5 { // 33 rows of at least two dense layers
				t.Errorf("plan %d, %+v: only %d looks", i, opt, looks)
			}
			limit = looks + 3
			if _, err := m.ForwardInterruptible(x, look); err != stop || looks != limit+1 {
				t.Errorf("plan %d, %+v: error %v after %d looks", i, opt, err, looks)
			}
			if got := must.Have(m.Forward(x))(t); !slices.Equal(got, want) {
				t.Errorf("plan %d, %+v: other outputs after an interruption", i, opt)
			}
			m.Close()
		}
	}
}

// TestForwardPart: two models that have some rows each give together what one gives that has all.
func TestForwardPart(t *testing.T) {
	net, dense, _ := random(3, 33, 300, 128, 130, 3)
	for i, plan := range mixedPlans(3) {
		cal := must.Have(Calibrate(t.Context(), net, plan, slices.Values([]nn.Batch{dense})))(t)
		whole := must.Have(Convert(net, plan, cal, Options{}))(t)
		want := must.Have(whole.Forward(dense))(t)
		// Ranges go to and fro: each model learns the other's.
		ranges := [2]chan [2]float32{make(chan [2]float32, 1), make(chan [2]float32, 1)}
		forward := func(own, rows, from int) []float32 {
			m, err := Convert(net, plan, cal, Options{})
			if err != nil {
				t.Error(err)
				return nil
			}
			defer m.Close()
			y, err := m.ForwardPart(nn.Batch{Rows: rows, Cols: dense.Cols, Dense: dense.Dense[from*dense.Cols:]}, func(lo, hi float32) (float32, float32) {
				ranges[own] <- [2]float32{lo, hi}
				other := <-ranges[1-own]
				return min(lo, other[0]), max(hi, other[1])
			})
			if err != nil {
				t.Error(err)
			}
			return slices.Clone(y)
		}
		rest := make(chan []float32)
		go func() { rest <- forward(1, 13, 20) }()
		if got := append(forward(0, 20, 0), <-rest...); !slices.Equal(got, want) {
			t.Errorf("plan %d: other outputs", i)
		}
		whole.Close()
	}
}

func TestForwardAllocatesNothing(t *testing.T) {
	net, dense, sparse := random(3, 8, 64, 32, 32, 4)
	for i, plan := range mixedPlans(3) {
		cal := must.Have(Calibrate(t.Context(), net, plan, slices.Values([]nn.Batch{dense})))(t)
		for _, opt := range []Options{{}, {Threads: 2}, {Input: Sparse}} {
			m := must.Have(Convert(net, plan, cal, opt))(t)
			for _, x := range []nn.Batch{dense, sparse} {
				if opt.Input == Sparse && !x.IsSparse() {
					continue
				}
				if n := testing.AllocsPerRun(5, func() { m.Forward(x) }); n != 0 {
					t.Errorf("plan %d, %+v: %v allocations", i, opt, n)
				}
			}
			m.Close()
		}
	}
}

// TestMoreBitsLoseLess walks the whole range of bits in every int8 mode.
func TestMoreBitsLoseLess(t *testing.T) {
	net, x, _ := random(4, 64, 100, 80, 60, 10)
	exact := must.Have(Convert(net, must.Have(Preset("fp32", 3))(t), nil, Options{}))(t)
	defer exact.Close()
	want := slices.Clone(must.Have(exact.Forward(x))(t))
	for _, mode := range []Mode{Dynamic, Static} {
		for _, observer := range append(scheme.Observers(), "") {
			if (observer == "") != (mode == Dynamic) {
				continue
			}
			for _, symmetric := range []bool{false, true} {
				last := math.Inf(-1)
				var line []string
				for bits := 2; bits <= 8; bits++ {
					s := Scheme{
						Mode: mode, Weight: WeightQuantizer{Bits: bits, PerChannel: true, Symmetric: symmetric},
						Activation: ActivationQuantizer{Bits: bits, Symmetric: symmetric, Observer: observer},
					}
					if observer == Percentile {
						s.Activation.Percentile = 99.99
					}
					plan := slices.Repeat(Plan{s}, 3)
					cal := must.Have(Calibrate(t.Context(), net, plan, slices.Values([]nn.Batch{x})))(t)
					m := must.Have(Convert(net, plan, cal, Options{}))(t)
					got := Compare(want, must.Have(m.Forward(x))(t)).SQNR
					m.Close()
					line = append(line, fmt.Sprintf("%.1f", got))
					if got < last-2 && observer != Entropy { // which may clamp more with more levels
						t.Errorf("%s %s symmetric %v: %d bits give %.1f dB, %d gave %.1f", mode, observer, symmetric, bits, got, bits-1, last)
					}
					last = got
				}
				t.Log(mode, observer, symmetric, line)
				if last < 30 && observer != Entropy || last < 15 {
					t.Errorf("%s %s symmetric %v: 8 bits give only %.1f dB", mode, observer, symmetric, last)
				}
			}
		}
	}
}

// TestBoundaries: a layer's output is on its own grid, and what enters a static layer from another one on the grid that
// the layer entered asks for.
func TestBoundaries(t *testing.T) {
	static := func(bits int) Scheme {
		return Scheme{Mode: Static, Activation: ActivationQuantizer{Bits: bits, Observer: MinMax}}
	}
	float := Scheme{Mode: Float32}
	for _, c := range []struct {
		plan Plan
		bits []int // 0: not observed
	}{
		{Plan{float, float}, []int{0, 0, 0}},
		{Plan{static(5), static(6)}, []int{5, 5, 6}},
		{Plan{float, static(6), float}, []int{0, 6, 6, 0}},
		{Plan{static(5), float, static(7)}, []int{5, 5, 7, 7}},
	} {
		for i, q := range boundaries(c.plan) {
			if q.Bits != c.bits[i] {
				t.Errorf("%+v: boundary %d has %d bits, want %d", c.plan, i, q.Bits, c.bits[i])
			}
		}
	}
}

// TestCalibrationServesSubplans: the grids of a uniform static plan do for plans that keep some layers in float32, and
// survive JSON, which is how a model file carries them.
func TestCalibrationServesSubplans(t *testing.T) {
	net, x, _ := random(6, 20, 30, 20, 10, 4)
	full := must.Have(Preset("static-qint8", 3))(t)
	cal := must.Have(Calibrate(t.Context(), net, full, slices.Values([]nn.Batch{x})))(t)
	text := must.Have(json.Marshal(cal))(t)
	var stored Calibration
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	for mask := range 8 {
		plan := slices.Clone(full)
		for i := range plan {
			if mask>>i&1 == 1 {
				plan[i] = Scheme{Mode: Float32}
			}
		}
		own := must.Have(Calibrate(t.Context(), net, plan, slices.Values([]nn.Batch{x})))(t)
		a := must.Have(Quantize(net, plan, own))(t)
		b := must.Have(Quantize(net, plan, &stored))(t)
		for i := range a {
			if a[i].InGrid != nil && (*a[i].InGrid != *b[i].InGrid || *a[i].OutGrid != *b[i].OutGrid) {
				t.Errorf("plan %03b, layer %d: other grids than by its own calibration", mask, i)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	net, x, sparse := random(7, 4, 12, 8, 3)
	static := must.Have(Preset("static-qint8", 2))(t)
	cal := must.Have(Calibrate(t.Context(), net, static, slices.Values([]nn.Batch{x})))(t)
	other := slices.Clone(static)
	other[1].Activation.Observer = MinMax
	nan := slices.Clone(x.Dense)
	nan[5] = float32(math.NaN())
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	convert := func(p Plan, c *Calibration, o Options) error { _, err := Convert(net, p, c, o); return err }
	calibrate := func(ctx context.Context, bs ...nn.Batch) error {
		_, err := Calibrate(ctx, net, static, slices.Values(bs))
		return err
	}
	forward := func(variant string, o Options, b nn.Batch) error {
		m := must.Have(Convert(net, must.Have(Preset(variant, 2))(t), cal, o))(t)
		defer m.Close()
		_, err := m.Forward(b)
		return err
	}
	bad := func(change func(*nn.Batch)) nn.Batch {
		b := sparse
		b.Start, b.Index = slices.Clone(b.Start), slices.Clone(b.Index)
		change(&b)
		return b
	}
	_, presetErr := Preset("int4", 2)
	damaged := nn.New(nn.Spec{In: 2, Out: 2})
	damaged.Layers[0].W[1] = float32(math.Inf(1))
	_, damagedErr := Quantize(damaged, Plan{{Mode: Float16}}, nil)
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"unknown variant":       {presetErr, "choose from"},
		"damaged network":       {damagedErr, "train or import"},
		"short plan":            {convert(static[:1], cal, Options{}), "one scheme for each layer"},
		"no calibration":        {convert(static, nil, Options{}), "calibrate"},
		"empty calibration":     {convert(static, &Calibration{}, Options{}), "calibrate"},
		"other observer":        {convert(other, cal, Options{}), "calibrate"},
		"unknown mode":          {convert(Plan{{Mode: "int4"}, {Mode: Float32}}, nil, Options{}), "unknown mode"},
		"9 bits":                {convert(Plan{{Mode: Dynamic, Weight: WeightQuantizer{Bits: 9}}, {Mode: Float32}}, nil, Options{}), "2 to 8"},
		"unknown input":         {convert(Plan{{Mode: Float32}, {Mode: Float32}}, nil, Options{Input: "wet"}), "choose"},
		"negative threads":      {convert(Plan{{Mode: Float32}, {Mode: Float32}}, nil, Options{Threads: -1}), "negative"},
		"no examples":           {calibrate(t.Context()), "at least one"},
		"canceled":              {calibrate(canceled, x), "canceled"},
		"NaN in calibration":    {calibrate(t.Context(), nn.Batch{Rows: 4, Cols: 12, Dense: nan}), "NaN"},
		"wide calibration":      {calibrate(t.Context(), nn.Batch{Rows: 1, Cols: 13, Dense: make([]float32, 13)}), "12 inputs"},
		"large batch":           {forward("fp32", Options{MaxBatch: 3}, x), "MaxBatch"},
		"no rows":               {forward("fp32", Options{}, nn.Batch{Cols: 12}), "0 rows"},
		"short batch":           {forward("fp32", Options{}, nn.Batch{Rows: 2, Cols: 12, Dense: make([]float32, 23)}), "only 23"},
		"dense to sparse model": {forward("fp32", Options{Input: Sparse}, x), "dense input"},
		"NaN, dynamic":          {forward("dynamic-qint8", Options{}, nn.Batch{Rows: 4, Cols: 12, Dense: nan}), "NaN"},
		"column out of range":   {forward("static-qint8", Options{Input: Sparse}, bad(func(b *nn.Batch) { b.Index[b.Start[1]-1] = 12 })), "beyond"},
		"columns out of order":  {forward("fp32", Options{Input: Sparse}, bad(func(b *nn.Batch) { b.Index[1] = b.Index[0] })), "out of order"},
		"rows out of order":     {forward("fp32", Options{Input: Sparse}, bad(func(b *nn.Batch) { b.Start[2] = 0 })), "ends before"},
		"sparse too long":       {forward("fp32", Options{}, bad(func(b *nn.Batch) { b.Start[4]++ })), "longer"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) || strings.Contains(c.err.Error(), "\n") {
			t.Errorf("%s: error %q, expected one sentence with %q", name, c.err, c.says)
		}
	}
	// What need not be refused: NaN elsewhere, and a row of no words.
	for _, variant := range []string{"fp32", "dynamic-float16", "static-qint8"} {
		if err := forward(variant, Options{}, nn.Batch{Rows: 4, Cols: 12, Dense: nan}); err != nil {
			t.Errorf("%s: %v", variant, err)
		}
	}
	for _, variant := range []string{"fp32", "dynamic-float16", "dynamic-qint8", "static-qint8"} {
		if err := forward(variant, Options{Input: Sparse}, nn.Batch{Rows: 1, Cols: 12, Start: []int32{0, 0}}); err != nil {
			t.Errorf("%s, no words: %v", variant, err)
		}
	}
}
