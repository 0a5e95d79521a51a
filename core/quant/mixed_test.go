package quant

import (
	"math"
	"slices"
	"testing"

	"quantlab/core/internal/must"
	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// TestMixedPlans compares every engine with a few lines that follow the definitions, number by number.
func TestMixedPlans(t *testing.T) {
	net, x, sparse := random(1, 9, 37, 20, 19, 5)
	for i, plan := range mixedPlans(3) {
		cal := must.Have(Calibrate(t.Context(), net, plan, slices.Values([]nn.Batch{x, sparse})))(t)
		for _, e := range kernel.Engines() {
			m := must.Have(Convert(net, plan, cal, Options{Engine: e, MaxBatch: 9}))(t)
			want := reference(m.Weights(), x)
			got := must.Have(m.Forward(x))(t)
			if d := Compare(want, got); d.Max > 1e-4 {
				t.Errorf("plan %d on %s, %+v: off by %v", i, e.Name(), plan, d.Max)
			}
			m.Close()
		}
	}
}

// reference runs quantized layers by the definitions, one number at a time: a slow, separate path.
func reference(layers []QuantizedLayer, x nn.Batch) []float32 {
	v := slices.Clone(x.Dense)
	var q []int64 // v as integers on a grid of grids, one a row
	grids := make([]kernel.Grid, x.Rows)
	for _, l := range layers {
		a := l.Scheme.Activation
		switch l.Scheme.Mode {
		case Static:
			if q == nil {
				for r := range grids {
					grids[r] = l.InGrid.Grid()
				}
				for _, f := range v {
					q = append(q, clampTo(grids[0], math.RoundToEven(float64(f*(1/grids[0].Scale)))+float64(grids[0].Zero)))
				}
			}
		case Dynamic:
			v, q = values(v, q, grids, l.In), nil
			n := len(v)
			if a.PerRow {
				n = l.In
			}
			for start := 0; start < len(v); start += n {
				part := v[start : start+n]
				g := DynamicGrid(a, slices.Min(part), slices.Max(part)).Grid()
				for r := start / l.In; r < (start+n)/l.In; r++ {
					grids[r] = g
				}
				for _, f := range part {
					sum := float32(math.FMA(float64(f), float64(1/g.Scale), float64(g.Zero)))
					q = append(q, clampTo(g, math.RoundToEven(float64(sum))))
				}
			}
		default:
			v, q = values(v, q, grids, l.In), nil
		}
		y, yq := make([]float32, x.Rows*l.Out), []int64(nil)
		for r := range x.Rows {
			for o := range l.Out {
				at := r*l.Out + o
				if l.I8 == nil {
					s := float64(l.Bias[o])
					for k := range l.In {
						s += float64(v[r*l.In+k]) * l.weight(o, k)
					}
					y[at] = float32(s)
				} else {
					z, acc := int64(0), int64(0)
					if l.Zero != nil {
						z = int64(l.Zero[o%len(l.Zero)])
					}
					for k := range l.In {
						acc += (q[r*l.In+k] - int64(grids[r].Zero)) * (int64(l.I8[o*l.In+k]) - z)
					}
					s := grids[r].Scale * l.Scale[o%len(l.Scale)]
					if l.Scheme.Mode == Dynamic {
						y[at] = float32(math.FMA(float64(float32(acc)), float64(s), float64(l.Bias[o])))
					} else {
						g := l.OutGrid.Grid()
						bias := l.Bias[o] / s
						if len(l.Scale) == 1 {
							bias = l.Bias[o] * (1 / s)
						}
						u := math.RoundToEven(float64((float32(acc)+bias)*(s/g.Scale))) + float64(g.Zero)
						if l.ReLU {
							u = max(u, float64(g.Zero))
						}
						yq = append(yq, clampTo(g, u))
					}
				}
				if l.ReLU {
					y[at] = max(y[at], 0)
				}
			}
		}
		if v, q = y, yq; q != nil {
			for r := range grids {
				grids[r] = l.OutGrid.Grid()
			}
		}
	}
	return values(v, q, grids, layers[len(layers)-1].Out)
}

func clampTo(g kernel.Grid, v float64) int64 {
	return int64(max(min(v, float64(g.Max)), float64(g.Min)))
}

// values is what the integers stand for, or v where there are none.
func values(v []float32, q []int64, grids []kernel.Grid, cols int) []float32 {
	if q == nil {
		return v
	}
	v = make([]float32, len(q))
	for i, n := range q {
		g := grids[i/cols]
		v[i] = g.Scale * float32(n-int64(g.Zero))
	}
	return v
}

// weight is what the float layer's weight o, k stands for.
func (l *QuantizedLayer) weight(o, k int) float64 {
	i := o*l.In + k
	switch {
	case l.F32 != nil:
		return float64(l.F32[i])
	case l.F16 != nil:
		h := l.F16[i]
		exp, frac := int(h>>10&31), float64(h&1023)
		v := math.Ldexp(frac, -24)
		if exp != 0 {
			v = math.Ldexp(1024+frac, exp-25)
		}
		if h>>15 == 1 {
			v = -v
		}
		return v
	}
	panic("int8 weights are computed with as integers")
}
