package kernel

import (
	"slices"
	"testing"
)

// scatter returns sparse rows as dense ones.
func scatter[T any](start, index []int32, value []T, rows, in int, zero func(r int) T) []T {
	x := make([]T, rows*in)
	for r := range rows {
		for k := range in {
			x[r*in+k] = zero(r)
		}
		for k := start[r]; k < start[r+1]; k++ {
			x[r*in+int(index[k])] = value[k]
		}
	}
	return x
}

var sparseShapes = []struct{ rows, out, in, each int }{
	{1, 1, 1, 0}, {1, 1, 1, 1}, {3, 10, 40, 7}, {1, 33, 50, 13}, {4, 256, 300, 20}, {7, 67, 65, 65}, {1, 300, 1000, 16}, {2, 64, 14816, 20},
}

func TestSparseFloat(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r := newRandom(8)
		for _, s := range sparseShapes {
			start, index, value := r.sparse(s.rows, s.in, s.each)
			x := scatter(start, index, value, s.rows, s.in, func(int) float32 { return 0 })
			w, h, bias := r.floats(s.out*s.in), r.halves(s.out*s.in), r.floats(s.out)
			wide := make([]float32, len(h))
			for i := range h {
				wide[i] = widen(h[i])
			}
			y, dense := r.floats(s.rows*s.out), make([]float32, s.rows*s.out)
			check := func(what string, w []float32) {
				t.Helper()
				want, bound := exact(x, w, bias, s.rows, s.out, s.in, true)
				checkBound(t, what, y, want, bound)
				if e.Name() == "portable" && !sameBits(y, dense) {
					t.Fatalf("%s: %v: sparse and dense differ", what, s)
				}
			}
			e.PackF32(w, bias, s.out, s.in, true).Forward(nil, dense, x, s.rows)
			e.PackSparseF32(w, bias, s.out, s.in, true).Forward(nil, y, start, index, value, s.rows)
			check("float32", w)
			e.PackF16(h, bias, s.out, s.in, true).Forward(nil, dense, x, s.rows)
			e.PackSparseF16(h, bias, s.out, s.in, true).Forward(nil, y, start, index, value, s.rows)
			check("float16", wide)
		}
	})
}

func TestSparseInt8(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r, s := newRandom(9), &Scratch{}
		for _, shape := range sparseShapes {
			for _, zeros := range []int{0, 1, shape.out} {
				rows, out, in := shape.rows, shape.out, shape.in
				start, index, _ := r.sparse(rows, in, shape.each)
				value, g, to := r.bytes(len(index)), grids(r, rows), Grid{Scale: 5, Zero: 30, Max: 127}
				w, wscale, wzero, bias := r.int8s(out*in), r.scales(out), r.zeros(zeros), r.floats(out)
				dense, sparse := e.PackI8(w, out, in, wscale, wzero, bias, true), e.PackSparseI8(w, out, in, wscale, wzero, bias, true)

				y, wantY := make([]float32, rows*out), make([]float32, rows*out)
				sparse.Dynamic(nil, y, start, index, value, rows, g, s)
				dense.Dynamic(nil, wantY, scatter(start, index, value, rows, in, func(r int) uint8 { return uint8(g[r].Zero) }), rows, g, s)
				if !sameBits(y, wantY) {
					t.Fatalf("dynamic %v: sparse and dense differ", shape)
				}

				q, wantQ := make([]uint8, rows*out), make([]uint8, rows*out)
				sparse.Requantize(g[0], to).Forward(nil, q, start, index, value, rows, s)
				dense.Requantize(g[0], to).Forward(nil, wantQ, scatter(start, index, value, rows, in, func(int) uint8 { return uint8(g[0].Zero) }), rows, s)
				if !slices.Equal(q, wantQ) {
					t.Fatalf("static %v: sparse and dense differ", shape)
				}
			}
		}
	})
}
