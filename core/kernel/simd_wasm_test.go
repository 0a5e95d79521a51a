//go:build !purego

package kernel

import (
	"math"
	"slices"
	"testing"
)

// TestSIMDFloatsDefined checks that strict vectors give the portable engine's bits: in every shape, for one row and many,
// and for activations of any size.
func TestSIMDFloatsDefined(t *testing.T) {
	if level() < levelSIMD128 {
		t.Skip("no vectors here")
	}
	e, portable := newSIMD128(), newPortable()
	r := newRandom(21)
	for _, s := range []struct{ rows, out, in int }{
		{1, 1, 1}, {1, 10, 37}, {1, 31, 64}, {1, 40, 300}, {2, 24, 9}, {3, 33, 5}, {5, 26, 18}, {6, 100, 70}, {7, 8, 257}, {17, 10, 31}, {67, 13, 600},
	} {
		for _, size := range []float32{1, 1e-9, 1e-30, 1e15, 1e30} {
			x, w, h, bias := r.floats(s.rows*s.in), r.floats(s.out*s.in), r.halves(s.out*s.in), r.floats(s.out)
			for i := range x {
				x[i] *= size
			}
			for i := 0; i < len(h); i += 3 {
				h[i] &= 0x83FF // subnormal
			}
			for name, run := range map[string]func(e *Engine, y []float32){
				"float32": func(e *Engine, y []float32) { e.PackF32(w, bias, s.out, s.in, true).Forward(nil, y, x, s.rows) },
				"float16": func(e *Engine, y []float32) { e.PackF16(h, bias, s.out, s.in, false).Forward(nil, y, x, s.rows) },
			} {
				got, want := make([]float32, s.rows*s.out), make([]float32, s.rows*s.out)
				run(e, got)
				run(portable, want)
				if !sameBits(got, want) {
					t.Fatalf("%s, %v, activations of about %g: not the portable engine's bits", name, s, size)
				}
			}
		}
	}
}

// TestSIMDHighActivations has no, few and many activations of more than 7 bits, in all rows or the last one only.
func TestSIMDHighActivations(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r := newRandom(22)
		for _, s := range []struct{ rows, out, in int }{{1, 33, 64}, {1, 8, 3}, {4, 70, 31}, {3, 16, 100}, {9, 10, 257}} {
			for _, high := range []float64{0, 0.02, 0.5, 1} {
				for _, from := range []int{0, s.rows - 1} {
					x, w := r.bytes(s.rows*s.in), r.int8s(s.out*s.in)
					for i := range x {
						x[i] &= 127
						if i >= from*s.in && r.Float64() < high {
							x[i] |= 128
						}
					}
					acc := make([]int32, s.rows*s.out)
					e.PackI8(w, s.out, s.in, []float32{1}, nil, nil, false).Accumulate(nil, acc, x, s.rows)
					if !slices.Equal(acc, naive(x, w, s.rows, s.out, s.in)) {
						t.Fatalf("%v, a share of %g from row %d on: wrong sums", s, high, from)
					}
				}
			}
		}
	})
}

// TestSIMDHalves multiplies by every finite half, as a product with halves does: a matrix with others takes another way.
func TestSIMDHalves(t *testing.T) {
	var h []uint16
	for i := range 1 << 16 {
		if i&0x7C00 != 0x7C00 {
			h = append(h, uint16(i))
		}
	}
	forEachEngine(t, func(t *testing.T, e *Engine) {
		p := e.PackF16(h, nil, len(h), 1, false)
		for rows := 1; rows <= 3; rows++ {
			x, y := make([]float32, rows), make([]float32, rows*len(h))
			for r := range x {
				x[r] = 3
			}
			p.Forward(nil, y, x, rows)
			for i, got := range y {
				if want := 3 * widen(h[i%len(h)]); got != want {
					t.Fatalf("%d rows: 3 times half %#04x is %g, not %g", rows, h[i%len(h)], got, want)
				}
			}
		}
	})
}

// TestSIMDTies compares the quantization of values at and next to ties, and of the largest ones, with the portable engine's.
func TestSIMDTies(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		var x []float32
		for k := range 300 {
			v := float32(k) - 20.5
			x = append(x, v, math.Nextafter32(v, 1e9), math.Nextafter32(v, -1e9), v/3, -v*1e9)
		}
		x = append(x, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0, float32(math.Copysign(0, -1)), 1e-45, math.MaxFloat32)
		for _, scale := range []float32{1, 0.1, 1.0 / 3, 0.007843138, 3e-39} {
			for _, zero := range []int32{0, 1, 64, 127, 255} {
				for n := len(x) - 9; n <= len(x); n++ {
					g := Grid{Scale: scale, Zero: zero, Min: zero / 4, Max: 255 - zero/8}
					got, want := make([]uint8, n), make([]uint8, n)
					for name, of := range map[string]func(e *Engine) func([]uint8, []float32, Grid){
						"Quantize":        func(e *Engine) func([]uint8, []float32, Grid) { return e.Quantize },
						"QuantizeDynamic": func(e *Engine) func([]uint8, []float32, Grid) { return e.QuantizeDynamic },
					} {
						of(e)(got, x[:n], g)
						of(Engines()[0])(want, x[:n], g)
						for i := range got {
							if got[i] != want[i] {
								t.Fatalf("%s of %g on %+v is %d, not %d", name, x[i], g, got[i], want[i])
							}
						}
					}
				}
			}
		}
	})
}

// TestSIMDSums compares dequantized and requantized sums with the portable engine's, sums of every size among them.
func TestSIMDSums(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r := newRandom(25)
		for _, out := range []int{1, 3, 4, 7, 21, 64} {
			for _, zeros := range []int{0, out} {
				for range 200 {
					bias := r.floats(out)
					acc := fill(out, func() int32 { return int32(r.Uint32()) >> r.IntN(31) })
					p := newEpilogue(r.int8s(out*2), out, 2, r.scales(out), r.zeros(zeros), bias, r.IntN(2) == 0)
					g, to := Grid{Scale: r.Float32(), Zero: int32(r.IntN(256)), Max: 255}, Grid{Scale: r.Float32() * 100, Zero: 9, Max: 200}
					for o := range bias { // ties: a sum halfway between two float32
						if r.IntN(2) == 0 {
							bias[o] = float32(1 << 24)
							p.wscale[o], g.Scale = 1, 0.5
						}
					}
					copy(p.bias, bias)
					from := r.IntN(out)
					y, wantY, q, wantQ := make([]float32, out-from), make([]float32, out-from), make([]uint8, out-from), make([]uint8, out-from)
					e.dequantizeSums(&p, y, acc[from:], from, 77, g)
					p.dequantize(wantY, acc[from:], from, 77, g)
					if !sameBits(y, wantY) {
						t.Fatalf("dequantized: %v, not %v", y, wantY)
					}
					rq := p.requantizer(g, to)
					e.requantizeSums(&rq, q, acc[from:], from, 77)
					rq.requantize(wantQ, acc[from:], from, 77)
					if !slices.Equal(q, wantQ) {
						t.Fatalf("requantized: %v, not %v", q, wantQ)
					}
				}
			}
		}
	})
}
