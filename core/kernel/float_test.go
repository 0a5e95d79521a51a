package kernel

import (
	"fmt"
	"math"
	"testing"
)

// exact returns x·wᵀ + bias in float64, and the largest error that the package's bound allows for each element.
func exact(x, w, bias []float32, rows, out, in int, relu bool) (y, bound []float64) {
	return exactSums(rows, out, in, bias, relu, func(r, o int, add func(x, w float32)) {
		w := w[o*in : (o+1)*in]
		for k, v := range x[r*in : (r+1)*in] {
			add(v, w[k])
		}
	})
}

// exactSums is exact for rows whose element o is the sum of the products that terms adds. NaN and infinities come out as the
// arithmetic of float64 has them, where nothing overflows. Sums that could overflow in float32 have an infinite bound.
func exactSums(rows, out, in int, bias []float32, relu bool, terms func(r, o int, add func(x, w float32))) (y, bound []float64) {
	const u = 1.0 / (1 << 24)
	gamma := float64(in+1) * u / (1 - float64(in+1)*u)
	var sum, size float64
	add := func(x, w float32) {
		p := float64(x) * float64(w)
		sum += p
		if magnitude := math.Abs(p); magnitude <= math.MaxFloat64 {
			size += magnitude
		}
	}
	for r := range rows {
		for o := range out {
			sum, size = 0, 0
			terms(r, o, add)
			if bias != nil {
				add(1, bias[o])
			}
			if relu && sum < 0 {
				sum = 0
			}
			error := gamma*size + 1e-40
			if size > math.MaxFloat32/2 {
				error = math.Inf(1)
			}
			y, bound = append(y, sum), append(bound, error)
		}
	}
	return y, bound
}

func within(got, want, bound float64) bool {
	switch {
	case want != want:
		return got != got
	case math.IsInf(bound, 1):
		return true
	case math.IsInf(want, 0):
		return got == want
	}
	return math.Abs(got-want) <= bound
}

// outside returns an error if an element is farther from what it should be than its bound.
func outside(what string, got []float32, want, bound []float64) error {
	for i := range got {
		if diff := math.Abs(float64(got[i]) - want[i]); !within(float64(got[i]), want[i], bound[i]) {
			return fmt.Errorf("%s: element %d is %g, exactly %g: off by %g, allowed %g", what, i, got[i], want[i], diff, bound[i])
		}
	}
	return nil
}

func checkBound(t *testing.T, what string, got []float32, want, bound []float64) {
	t.Helper()
	if err := outside(what, got, want, bound); err != nil {
		t.Fatal(err)
	}
}

// sizes are layers of every width and depth from 1 to 67, and odd larger ones.
func sizes(test func(rows, out, in int)) {
	for n := 1; n <= 67; n++ {
		test(1+n%5, n, 68-n)
		test(1+n%3, 68-n, n*3)
		test(3, n, n)
	}
	test(2, 193, 33)
	test(5, 257, 129)
	test(1, 771, 31)
	test(1, 1, 14816)
	test(2, 13, 14816)
	test(67, 10, 40)
}

func TestF32(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r := newRandom(1)
		sizes(func(rows, out, in int) {
			relu := out%2 == 0
			x, w, bias := r.floats(rows*in), r.floats(out*in), r.floats(out)
			if in%3 == 0 {
				bias = nil
			}
			y := r.floats(rows * out)
			e.PackF32(w, bias, out, in, relu).Forward(nil, y, x, rows)
			want, bound := exact(x, w, bias, rows, out, in, relu)
			checkBound(t, fmt.Sprintf("%d rows of %d x %d", rows, out, in), y, want, bound)
		})
	})
}

// TestF32Defined checks what the package documentation promises of the portable engine: the bits themselves.
func TestF32Defined(t *testing.T) {
	r := newRandom(2)
	sizes(func(rows, out, in int) {
		x, w, bias := r.floats(rows*in), r.floats(out*in), r.floats(out)
		y, want := make([]float32, rows*out), make([]float32, rows*out)
		newPortable().PackF32(w, bias, out, in, true).Forward(nil, y, x, rows)
		for i := range want {
			sum := float32(0)
			for k := range in {
				sum += float32(x[i/out*in+k] * w[i%out*in+k])
			}
			want[i] = max(0, sum+bias[i%out])
		}
		if !sameBits(y, want) {
			t.Fatalf("%d rows of %d x %d: not the products in ascending order", rows, out, in)
		}
	})
}

func TestF16(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r := newRandom(3)
		sizes(func(rows, out, in int) {
			relu := out%2 == 1
			x, h, bias := r.floats(rows*in), r.halves(out*in), r.floats(out)
			w := make([]float32, len(h))
			for i := range h {
				w[i] = widen(h[i])
			}
			y := make([]float32, rows*out)
			e.PackF16(h, bias, out, in, relu).Forward(nil, y, x, rows)
			want, bound := exact(x, w, bias, rows, out, in, relu)
			checkBound(t, fmt.Sprintf("%d rows of %d x %d", rows, out, in), y, want, bound)
		})
	})
}

// TestWiden compares every half with its definition in IEEE 754.
func TestWiden(t *testing.T) {
	table := halves()
	for h := range 1 << 16 {
		sign, exponent, fraction := 1-2*float64(h>>15), h>>10&31, float64(h&1023)
		want := sign * (1024 + fraction) * math.Ldexp(1, exponent-25)
		switch {
		case exponent == 0:
			want = sign * fraction * math.Ldexp(1, -24)
		case exponent == 31 && fraction == 0:
			want = math.Inf(int(sign))
		case exponent == 31:
			want = math.NaN()
		}
		for _, got := range []float32{widen(uint16(h)), table[h]} {
			if float64(got) != want && !(got != got && math.IsNaN(want)) {
				t.Fatalf("half %#04x is %g, not %g", h, got, want)
			}
			if h == 0x8000 && !math.Signbit(float64(got)) {
				t.Fatal("half -0 lost its sign")
			}
		}
	}
}

// TestSpecial puts one NaN or infinity into x, then into w: exactly the outputs that it meets must show it, also where
// it meets a zero, and a ReLU must not hide a NaN.
func TestSpecial(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	const rows, out, in = 5, 19, 37
	forEachEngine(t, func(t *testing.T, e *Engine) {
		for _, special := range []float32{nan, inf, -inf} {
			for _, relu := range []bool{false, true} {
				for at := range in {
					x, w := make([]float32, rows*in), make([]float32, out*in)
					for i := range x {
						x[i] = 1
					}
					for i := range w {
						w[i] = 0.5
					}
					x[2*in+at] = special
					w[7*in+at] = 0 // NaN where it meets an infinity
					y := make([]float32, rows*out)
					e.PackF32(w, nil, out, in, relu).Forward(nil, y, x, rows)
					checkSpecial(t, "float32", y, special, relu, func(r, o int) bool { return r == 2 }, func(r, o int) bool { return o == 7 })

					h := make([]uint16, len(w))
					for i, v := range w {
						if v != 0 {
							h[i] = 0x3800
						}
					}
					e.PackF16(h, nil, out, in, relu).Forward(nil, y, x, rows)
					checkSpecial(t, "float16 activation", y, special, relu, func(r, o int) bool { return r == 2 }, func(r, o int) bool { return o == 7 })

					x[2*in+at] = 1
					x[4*in+at] = 0
					w[7*in+at] = special
					e.PackF32(w, nil, out, in, relu).Forward(nil, y, x, rows)
					checkSpecial(t, "float32 weight", y, special, relu, func(r, o int) bool { return o == 7 }, func(r, o int) bool { return r == 4 })
					h[7*in+at] = map[bool]uint16{true: 0x7E00, false: uint16(math.Float32bits(special)>>31)<<15 | 0x7C00}[special != special]
					e.PackF16(h, nil, out, in, relu).Forward(nil, y, x, rows)
					checkSpecial(t, "float16 weight", y, special, relu, func(r, o int) bool { return o == 7 }, func(r, o int) bool { return r == 4 })
				}
			}
		}
	})
}

func checkSpecial(t *testing.T, what string, y []float32, special float32, relu bool, meets, zero func(r, o int) bool) {
	t.Helper()
	const out = 19
	for i, v := range y {
		r, o := i/out, i%out
		want := special
		if special != special || zero(r, o) {
			want = float32(math.NaN())
		} else if relu {
			want = max(want, 0)
		}
		switch got := v; {
		case !meets(r, o):
			if got != got || math.IsInf(float64(got), 0) {
				t.Fatalf("%s: %g reached row %d, output %d: %g", what, special, r, o, got)
			}
		case got != want && !(got != got && want != want):
			t.Fatalf("%s: row %d, output %d is %g, not %g", what, r, o, got, want)
		}
	}
}
