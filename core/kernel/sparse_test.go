package kernel

import (
	"math"
	"slices"
	"strings"
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

// TestSparseMisuse checks that a column beyond the weights panics, where plain Go would, too.
func TestSparseMisuse(t *testing.T) {
	const out, in = 20, 9
	grids, to := []Grid{{Scale: 1, Max: 255}}, Grid{Scale: 1, Max: 255}
	forEachEngine(t, func(t *testing.T, e *Engine) {
		for _, column := range []int32{in, in + 1, -1, 1 << 28, math.MaxInt32, math.MinInt32} {
			for at := range 9 {
				index, start := make([]int32, 9), []int32{0, 9}
				index[at] = column
				value, q, y, s := make([]float32, 9), make([]uint8, 9), make([]float32, out), &Scratch{}
				i8 := e.PackSparseI8(make([]int8, out*in), out, in, []float32{1}, nil, nil, false)
				for name, call := range map[string]func(){
					"float32": func() {
						e.PackSparseF32(make([]float32, out*in), nil, out, in, false).Forward(nil, y, start, index, value, 1)
					},
					"float16": func() {
						e.PackSparseF16(make([]uint16, out*in), nil, out, in, false).Forward(nil, y, start, index, value, 1)
					},
					"dynamic": func() { i8.Dynamic(nil, y, start, index, q, 1, grids, s) },
					"static":  func() { i8.Requantize(grids[0], to).Forward(nil, make([]uint8, out), start, index, q, 1, s) },
					"gemm":    func() { e.GemmSparse(nil, NewMatrix(1, out), start, index, value, NewMatrix(in, out)) },
				} {
					a := &arena{}
					if err := a.run(call); err == nil || !strings.HasPrefix(err.Error(), "panics") {
						t.Fatalf("%s: column %d of %d: %v", name, column, in, err)
					}
				}
			}
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
