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
	forEachEngine(t, func(t *testing.T, e *Engine) {
		for name, pattern := range patterns {
			for _, most := range []uint8{127, 255} {
				for _, in := range []int{1, 2, 31, 32, 33, 64, 65, 257, 14816, 32768} {
					const rows, out = 3, 7
					x, w := make([]uint8, rows*in), make([]int8, out*in)
					for i := range x {
						x[i] = most
					}
					for i := range w {
						w[i] = pattern(i/in, i%in)
					}
					acc := make([]int32, rows*out)
					e.PackI8(w, out, in, []float32{1}, nil, nil, false).Accumulate(nil, acc, x, rows)
					if want := naive(x, w, rows, out, in); !slices.Equal(acc, want) {
						t.Fatalf("%d times weights %s, %d inputs: %v, not %v", most, name, in, acc, want)
					}
				}
			}
		}
	})
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

// TestEnginesAgree compares every engine's integers, and its float outputs of integers, with the portable engine's.
func TestEnginesAgree(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r, s := newRandom(7), &Scratch{}
		int8Layers(r, func(rows, out, in int, w []int8, wscale []float32, wzero []int32, bias []float32) {
			x, g, to := r.bytes(rows*in), grids(r, rows), Grid{Scale: 9, Zero: 12, Max: 255}
			run := func(e *Engine) ([]float32, []uint8) {
				p := e.PackI8(w, out, in, wscale, wzero, bias, true)
				y, q := make([]float32, rows*out), make([]uint8, rows*out)
				p.Dynamic(nil, y, x, rows, g, s)
				p.Requantize(g[0], to).Forward(nil, q, x, rows, s)
				return y, q
			}
			y, q := run(e)
			wantY, wantQ := run(Engines()[0])
			if !sameBits(y, wantY) || !slices.Equal(q, wantQ) {
				t.Fatalf("%d rows of %d x %d: not what the portable engine gives", rows, out, in)
			}
		})
	})
}

func FuzzAccumulate(f *testing.F) {
	f.Add([]byte{1, 2, 3, 255, 128, 7}, uint8(1), uint8(1))
	f.Add(make([]byte, 400), uint8(3), uint8(5))
	f.Fuzz(func(t *testing.T, data []byte, rows, out uint8) {
		n, m := int(max(rows, 1)), int(max(out, 1))
		in := len(data) / (n + m)
		if in == 0 {
			return
		}
		x, w := data[:n*in], make([]int8, m*in)
		for i := range w {
			w[i] = int8(data[n*in+i])
		}
		for _, e := range Engines() {
			acc := make([]int32, n*m)
			e.PackI8(w, m, in, []float32{1}, nil, nil, false).Accumulate(nil, acc, x, n)
			if !slices.Equal(acc, naive(x, w, n, m, in)) {
				t.Fatalf("%s: %d rows of %d x %d: wrong sums", e.Name(), n, m, in)
			}
		}
	})
}
