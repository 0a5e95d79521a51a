package kernel

import (
	"slices"
	"testing"
)

// naive is Σ x·w.
func naive(x []uint8, w []int8, rows, out, in int) []int32 {
	acc := make([]int32, rows*out)
	for i := range acc {
		for k := range in {
			acc[i] += int32(x[i/out*in+k]) * int32(w[i%out*in+k])
		}
	}
	return acc
}

func TestAccumulate(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r := newRandom(4)
		sizes(func(rows, out, in int) {
			x, w := r.bytes(rows*in), r.int8s(out*in)
			acc := r.zeros(rows * out) // what was there must not matter
			e.PackI8(w, out, in, []float32{1}, nil, nil, false).Accumulate(nil, acc, x, rows)
			if !slices.Equal(acc, naive(x, w, rows, out, in)) {
				t.Fatalf("%d rows of %d x %d: wrong sums", rows, out, in)
			}
		})
	})
}

// TestSaturation multiplies the largest integers, where 16-bit sums saturate and narrow lanes overflow: all of one sign,
// signs alternating between neighbouring outputs, and between neighbouring inputs.
func TestSaturation(t *testing.T) {
	patterns := map[string]func(o, k int) int8{
		"-128":              func(o, k int) int8 { return -128 },
		"127":               func(o, k int) int8 { return 127 },
		"by output":         func(o, k int) int8 { return int8(o%2*255 - 128) },
		"by input":          func(o, k int) int8 { return int8(k%2*255 - 128) },
		"by pairs of input": func(o, k int) int8 { return int8(k/2%2*255 - 128) },
		"by 3 outputs":      func(o, k int) int8 { return int8(min(o%3, 1)*255 - 128) },
	}
	const rows, out = 7, 21
	from, to := []Grid{{Scale: 1, Zero: 3, Max: 255}}, Grid{Scale: 1 << 20, Zero: 100, Max: 255}
	for name, pattern := range patterns {
		for _, most := range []uint8{127, 255} {
			for _, in := range []int{1, 2, 31, 32, 33, 64, 65, 257, 14816, 32768} {
				if testing.Short() && in == 14816 {
					continue
				}
				x, w := slices.Repeat([]uint8{most}, rows*in), make([]int8, out*in)
				for i := range w {
					w[i] = pattern(i/in, i%in)
				}
				want := naive(x[:in], w, 1, out, in) // the same for every row
				for _, e := range Engines() {
					p, s := e.PackI8(w, out, in, []float32{1}, nil, nil, false), &Scratch{}
					static := p.Requantize(from[0], to)
					for _, n := range []int{1, rows} {
						acc, y, q := make([]int32, n*out), make([]float32, n*out), make([]uint8, n*out)
						p.Accumulate(nil, acc, x, n)
						p.Dynamic(nil, y, x, n, from, s)
						static.Forward(nil, q, x, n, s)
						for i := range acc {
							sum := want[i%out]
							corrected := float32(sum - 3*p.epilogue.wsum[i%out])
							rounded := uint8(max(min(roundEven(corrected*0x1p-20)+100, 255), 0))
							if acc[i] != sum || y[i] != corrected || q[i] != rounded {
								t.Fatalf("%s: %d times weights %s, %d inputs, %d rows: %d, %g and %d, not %d, %g and %d",
									e.Name(), most, name, in, n, acc[i], y[i], q[i], sum, corrected, rounded)
							}
						}
					}
				}
			}
		}
	}
}

// reference is the float64 value of an int8 layer, straight from the definition: Σ sx(q-zx)·sw(w-zw) + bias.
func reference(x []uint8, w []int8, out, in, r, o int, g Grid, wscale []float32, wzero []int32, bias []float32) float64 {
	sum, zw := int64(0), int64(0)
	if wzero != nil {
		zw = int64(wzero[o%len(wzero)])
	}
	for k := range in {
		sum += (int64(x[r*in+k]) - int64(g.Zero)) * (int64(w[o*in+k]) - zw)
	}
	return float64(sum)*float64(g.Scale)*float64(wscale[o%len(wscale)]) + float64(bias[o])
}

// int8Layers runs through granularities, zero points and shapes.
func int8Layers(r *random, test func(rows, out, in int, w []int8, wscale []float32, wzero []int32, bias []float32)) {
	for _, s := range []struct{ rows, out, in int }{{1, 1, 1}, {1, 10, 33}, {4, 3, 17}, {5, 65, 40}, {2, 200, 129}, {3, 2, 14816}} {
		for _, channels := range []int{1, s.out} {
			for _, zeros := range []int{0, 1, s.out} {
				var wzero []int32
				if zeros > 0 {
					wzero = r.zeros(zeros)
				}
				test(s.rows, s.out, s.in, r.int8s(s.out*s.in), r.scales(channels), wzero, r.floats(s.out))
			}
		}
	}
}

func grids(r *random, n int) []Grid {
	return fill(n, func() Grid {
		return Grid{Scale: 0.01 + r.Float32()/10, Zero: int32(r.IntN(128)), Max: 255}
	})
}

func TestDynamic(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r, s := newRandom(5), &Scratch{}
		int8Layers(r, func(rows, out, in int, w []int8, wscale []float32, wzero []int32, bias []float32) {
			for _, n := range []int{1, rows} {
				x, g := r.bytes(rows*in), grids(r, n)
				y := make([]float32, rows*out)
				e.PackI8(w, out, in, wscale, wzero, bias, false).Dynamic(nil, y, x, rows, g, s)
				for i, got := range y {
					want := reference(x, w, out, in, i/out, i%out, gridOf(g, i/out), wscale, wzero, bias)
					if diff := float64(got) - want; !(max(diff, -diff) <= 4e-7*(max(want, -want)+float64(max(bias[i%out], -bias[i%out])))) {
						t.Fatalf("%d rows of %d x %d, %d grids: element %d is %g, not %g", rows, out, in, n, i, got, want)
					}
				}
				relu := make([]float32, rows*out)
				e.PackI8(w, out, in, wscale, wzero, bias, true).Dynamic(nil, relu, x, rows, g, s)
				for i := range y {
					if relu[i] != max(0, y[i]) {
						t.Fatalf("ReLU of %g is %g", y[i], relu[i])
					}
				}
			}
		})
	})
}

func TestStatic(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r, s := newRandom(6), &Scratch{}
		int8Layers(r, func(rows, out, in int, w []int8, wscale []float32, wzero []int32, bias []float32) {
			x, from := r.bytes(rows*in), grids(r, 1)[0]
			to := Grid{Scale: 20 + r.Float32(), Zero: 40, Max: 127}
			for _, relu := range []bool{false, true} {
				y := make([]uint8, rows*out)
				e.PackI8(w, out, in, wscale, wzero, bias, relu).Requantize(from, to).Forward(nil, y, x, rows, s)
				for i, got := range y {
					want := reference(x, w, out, in, i/out, i%out, from, wscale, wzero, bias)/float64(to.Scale) + float64(to.Zero)
					want = min(max(want, 0), 127)
					if relu {
						want = max(want, 40)
					}
					if diff := float64(got) - want; max(diff, -diff) > 0.501 {
						t.Fatalf("%d rows of %d x %d: element %d is %d, not %g", rows, out, in, i, got, want)
					}
				}
			}
		})
	})
}
