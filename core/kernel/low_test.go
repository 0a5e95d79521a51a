package kernel

import (
	"math"
	"testing"
)

// TestLower rounds every number of a low type, every tie between two neighbours, and what lies next to the ties.
func TestLower(t *testing.T) {
	for _, low := range []LowType{BFloat16, Half} {
		all := LowMatrix{Type: low}
		var src, want []float32
		add := func(v, w float32) { src, want = append(src, v, -v), append(want, w, -w) }
		infinite := uint16(0x7F80)
		if low == Half {
			infinite = 0x7C00
		}
		for h := range infinite {
			v, next := raisedExactly(h, low), raisedExactly(h+1, low)
			tie := float32((float64(v) + float64(next)) / 2)
			if h+1 == infinite { // halfway to what would be the next number
				tie = v + (v-raisedExactly(h-1, low))/2
			}
			even := v
			if h%2 != 0 {
				even = next
			}
			add(v, v)
			add(math.Nextafter32(tie, 0), v)
			add(tie, even)
			add(math.Nextafter32(tie, math.MaxFloat32), next)
		}
		inf := float32(math.Inf(1))
		add(inf, inf)
		add(math.MaxFloat32, inf)
		add(float32(math.NaN()), float32(math.NaN()))
		add(math.Float32frombits(0x7F800001), float32(math.NaN()))
		for len(src)%31 != 0 {
			add(1, 1)
		}
		all.Rows, all.Cols, all.Stride = len(src)/31, 31, 31
		forEachEngine(t, func(t *testing.T, e *Engine) {
			m := Matrix{src, all.Rows, all.Cols, all.Stride}
			dst, got := all, Matrix{make([]float32, len(src)), all.Rows, all.Cols, all.Stride}
			dst.Data = make([]uint16, len(src))
			e.Lower(dst, m)
			e.Raise(got, dst)
			rounded := Matrix{append([]float32(nil), src...), all.Rows, all.Cols, all.Stride}
			e.RoundTo(low, rounded)
			for i, v := range src {
				if w := raisedExactly(dst.Data[i], low); !sameFloat(w, want[i]) || !sameFloat(got.Data[i], want[i]) || !sameFloat(rounded.Data[i], want[i]) {
					t.Fatalf("%g as %v is %#04x, %g, raised to %g, and rounded to %g: not %g", v, low, dst.Data[i], w, got.Data[i], rounded.Data[i], want[i])
				}
			}
		})
	}
}

// raisedExactly returns the value of a number of a low type, from its fields.
func raisedExactly(h uint16, t LowType) float32 {
	fraction, bias := 7, 127
	if t == Half {
		fraction, bias = 10, 15
	}
	exponent, f := int(h&0x7FFF)>>fraction, int(h)&(1<<fraction-1)
	v := math.Ldexp(float64(f), 1-bias-fraction)
	switch {
	case exponent == 2*bias+1 && f != 0:
		v = math.NaN()
	case exponent == 2*bias+1:
		v = math.Inf(1)
	case exponent > 0:
		v = math.Ldexp(float64(1<<fraction+f), exponent-bias-fraction)
	}
	if h>>15 != 0 {
		v = -v
	}
	return float32(v)
}

// TestGemmLowBits checks that threads don't change a bit, and that a team's second product of a shape allocates nothing, nor does a
// conversion.
func TestGemmLowBits(t *testing.T) {
	r := newRandom(14)
	for i, s := range []struct{ m, n, k int }{{64, 300, 30}, {100, 10, 512}, {3, 777, 121}, {40, 130, 33}, {3, 777, 64}} {
		r.wild = i > 2
		for _, low := range []LowType{BFloat16, Half} {
			a, b := r.lowMatrix(s.m, s.k, low, 0.3), r.lowMatrix(s.k, s.n, low, 0)
			at, bt := transposedLow(a, a.Rows), transposedLow(b, b.Rows+1)
			for kind, product := range map[string]func(e *Engine, t *Team, c Matrix){
				"NN": func(e *Engine, t *Team, c Matrix) { e.GemmNNLow(t, c, a, b) },
				"TN": func(e *Engine, t *Team, c Matrix) { e.GemmTNLow(t, c, at, b) },
				"NT": func(e *Engine, t *Team, c Matrix) { e.GemmNTLow(t, c, a, bt) },
			} {
				for _, e := range Engines() {
					alone, shared, lowered := NewMatrix(s.m, s.n), NewMatrix(s.m, s.n), NewLowMatrix(s.m, s.n, low)
					product(e, nil, alone)
					for _, threads := range []int{1, 3} {
						team := NewTeam(threads)
						product(e, team, shared)
						if !sameBits(alone.Data, shared.Data) {
							t.Errorf("%s, %s of %v, %d x %d x %d: %d threads give other bits than one", e.Name(), kind, low, s.m, s.k, s.n, threads)
						}
						n := testing.AllocsPerRun(3, func() {
							product(e, team, shared)
							e.Lower(lowered, shared)
							e.Raise(shared, lowered)
							e.RoundTo(low, shared)
						})
						if n != 0 {
							t.Errorf("%s, %s of %v, %d x %d x %d: %v allocations", e.Name(), kind, low, s.m, s.k, s.n, n)
						}
						team.Close()
					}
				}
			}
		}
	}
}

// TestLowShapes checks that what doesn't fit panics, and that nothing is written then.
func TestLowShapes(t *testing.T) {
	c := NewMatrix(2, 3)
	for name, call := range map[string]func(e *Engine){
		"other types":    func(e *Engine) { e.GemmNNLow(nil, c, NewLowMatrix(2, 4, Half), NewLowMatrix(4, 3, BFloat16)) },
		"other inputs":   func(e *Engine) { e.GemmNNLow(nil, c, NewLowMatrix(2, 4, Half), NewLowMatrix(5, 3, Half)) },
		"not transposed": func(e *Engine) { e.GemmTNLow(nil, c, NewLowMatrix(2, 4, Half), NewLowMatrix(4, 3, Half)) },
		"too short": func(e *Engine) {
			e.GemmNTLow(nil, c, LowMatrix{make([]uint16, 7), 2, 4, 4, Half}, NewLowMatrix(3, 4, Half))
		},
		"another shape":  func(e *Engine) { e.Lower(NewLowMatrix(3, 2, BFloat16), c) },
		"a short target": func(e *Engine) { e.Raise(Matrix{make([]float32, 5), 2, 3, 3}, NewLowMatrix(2, 3, BFloat16)) },
	} {
		forEachEngine(t, func(t *testing.T, e *Engine) {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call(e)
		})
	}
}
