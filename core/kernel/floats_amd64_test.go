//go:build !purego

package kernel

import (
	"math"
	"slices"
	"testing"
)

// fusedMultiplyAdd returns x*w + s, rounded once. The product is exact in float64. So that rounding the sum twice does no
// harm, it is first rounded to odd (Boldo and Melquiond, Emulation of FMA and correctly rounded sums, 2008).
func fusedMultiplyAdd(x, w, s float32) float32 {
	p, c := float64(x)*float64(w), float64(s)
	sum := p + c
	rest := sum - p
	rest = (p - (sum - rest)) + (c - rest) // what the rounding left off
	if rest != 0 && math.Float64bits(sum)&1 == 0 {
		sum = math.Nextafter(sum, math.Inf(int(math.Copysign(1, rest))))
	}
	return float32(sum)
}

// definedSum is a sum of products as the assembly defines it.
func definedSum(x, w []float32, narrow bool) float32 {
	if !narrow {
		s := float32(0)
		for k := range x {
			s = fusedMultiplyAdd(x[k], w[k], s)
		}
		return s
	}
	var s [narrowLane]float32
	for k := range x {
		s[k%narrowLane] = fusedMultiplyAdd(x[k], w[k], s[k%narrowLane])
	}
	for apart := narrowLane / 2; apart > 0; apart /= 2 {
		for i := range apart {
			s[i] += s[i+apart]
		}
	}
	return s[0]
}

// TestFloatsDefined checks the bits themselves: dense and sparse, float32 and float16, one row and many, all engines in
// assembly give the same.
func TestFloatsDefined(t *testing.T) {
	layers := []struct{ out, in, rows int }{
		{1, 1, 1}, {2, 15, 9}, {10, 33, 4}, {16, 100, 7}, {17, 5, 3}, {31, 64, 2}, {48, 770, 17}, {65, 31, 30}, {96, 40, 5}, {160, 23, 1},
		{224, 9, 1}, {33, 512, 9}, {40, 1024, 8}, {70, panelDepth + 1, batchRows + 5}, {33, 2*panelDepth + 7, 2}, {80, rowDepth + 3, 1},
	}
	forEachEngine(t, func(t *testing.T, e *Engine) {
		if e.name == "portable" {
			t.Skip("adds without fusing: TestF32Defined")
		}
		r := newRandom(31)
		for _, l := range layers {
			x, h, bias := r.floats(l.rows*l.in), r.halves(l.out*l.in), r.floats(l.out)
			w := make([]float32, len(h))
			for i := range h {
				w[i] = widen(h[i])
			}
			start, index := []int32{0}, make([]int32, 0, len(x))
			for row := range l.rows {
				for k := range l.in {
					index = append(index, int32(k))
				}
				start = append(start, int32((row+1)*l.in))
			}
			defined := func(narrow bool) []float32 {
				y := make([]float32, l.rows*l.out)
				for i := range y {
					row, o := i/l.out, i%l.out
					y[i] = max(0, definedSum(x[row*l.in:(row+1)*l.in], w[o*l.in:(o+1)*l.in], narrow)+bias[o])
				}
				return y
			}
			dense, sparse := defined(l.out <= narrowOut), defined(false)
			check := func(what string, want []float32, forward func(y []float32)) {
				t.Helper()
				y := make([]float32, len(want))
				if forward(y); !sameBits(y, want) {
					t.Errorf("%s, %d rows of %d x %d: not the sums that are defined", what, l.rows, l.out, l.in)
				}
			}
			check("F32", dense, func(y []float32) { e.PackF32(w, bias, l.out, l.in, true).Forward(nil, y, x, l.rows) })
			check("F16", dense, func(y []float32) { e.PackF16(h, bias, l.out, l.in, true).Forward(nil, y, x, l.rows) })
			check("sparse F32", sparse, func(y []float32) {
				e.PackSparseF32(w, bias, l.out, l.in, true).Forward(nil, y, start, index, x, l.rows)
			})
			check("sparse F16", sparse, func(y []float32) {
				e.PackSparseF16(h, bias, l.out, l.in, true).Forward(nil, y, start, index, x, l.rows)
			})
		}
	})
}

// TestCombineOutside checks that an index beyond the weights panics; in assembly, before anything is written.
func TestCombineOutside(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		const ld, rows = 160, 4
		for _, n := range []int{1, 7, 64, 130} {
			for _, bad := range []int32{rows, -1, math.MaxInt32, math.MinInt32} {
				index, value := []int32{1, bad}, []float32{1, 1}
				y, w, h := make([]float32, n), make([]float32, (rows-1)*ld+n), make([]uint16, (rows-1)*ld+n)
				for i := range w {
					w[i], h[i] = 1, 0x3C00
				}
				for what, call := range map[string]func(){
					"combineF32": func() { e.combineF32(y, w, ld, index, value) },
					"combineF16": func() { e.combineF16(y, h, ld, index, value) },
				} {
					func() {
						defer func() {
							if recover() == nil {
								t.Errorf("%s of %d columns: index %d of %d rows did not panic", what, n, bad, rows)
							}
						}()
						call()
					}()
				}
				if e.name != "portable" && slices.Max(y) != 0 {
					t.Errorf("%d columns: written before index %d of %d rows was found", n, bad, rows)
				}
			}
		}
	})
}
