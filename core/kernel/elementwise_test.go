package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRange(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	negativeNaN := math.Float32frombits(0xFFC00000)
	tiny := float32(1e-45)
	for _, e := range Engines() {
		for _, c := range []struct {
			x      []float32
			lo, hi float32
		}{
			{nil, 0, 0}, {[]float32{3}, 3, 3}, {[]float32{-2, -1}, -2, -1}, {[]float32{1, 5, -7, 2, 4}, -7, 5},
			{[]float32{tiny, -tiny, 0}, -tiny, tiny}, {[]float32{inf, 1}, 1, inf}, {[]float32{-inf, inf, 0}, -inf, inf},
			{[]float32{nan}, nan, nan}, {[]float32{1, 2, nan}, nan, nan}, {[]float32{negativeNaN, 1, 2, 3}, nan, nan},
		} {
			lo, hi := e.Range(c.x)
			same := func(a, b float32) bool { return a == b || a != a && b != b }
			if !same(lo, c.lo) || !same(hi, c.hi) {
				t.Errorf("%s: Range(%v) = %v, %v, want %v, %v", e.Name(), c.x, lo, hi, c.lo, c.hi)
			}
		}
		r := rand.New(rand.NewPCG(1, 1))
		for n := range 70 {
			x := make([]float32, n+1)
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			if lo, hi := e.Range(x); lo != slices.Min(x) || hi != slices.Max(x) {
				t.Errorf("%s: Range of %d numbers is %v, %v", e.Name(), len(x), lo, hi)
			}
		}
	}
}

// awkward returns numbers of which many fall on or next to ties once divided by scale.
func awkward(r *rand.Rand, n int, scale float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = (float32(r.IntN(600)-300) + 0.5) * scale
		switch r.IntN(6) {
		case 0:
			x[i] = math.Nextafter32(x[i], 1e9)
		case 1:
			x[i] = math.Nextafter32(x[i], -1e9)
		case 2:
			x[i] = float32(r.NormFloat64()) * 100 * scale
		case 3:
			x[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(250)-125))
		}
	}
	return x
}

// TestQuantizeRounding compares the two roundings with exact arithmetic.
func TestQuantizeRounding(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, e := range Engines() {
		for range 300 {
			g := Grid{Scale: float32(math.Ldexp(1+r.Float64(), r.IntN(20)-10)), Zero: int32(r.IntN(256)), Max: 255}
			if r.IntN(3) == 0 {
				g.Scale, g.Max = 0.25, int32(1+r.IntN(255))
				g.Zero = min(g.Zero, g.Max)
			}
			x := awkward(r, 1+r.IntN(40), g.Scale)
			a, b := make([]uint8, len(x)), make([]uint8, len(x))
			e.Quantize(a, x, g)
			e.QuantizeDynamic(b, x, g)
			inv := 1 / g.Scale
			for i, v := range x {
				clamp := func(q float64) uint8 { return uint8(max(min(q, float64(g.Max)), float64(g.Min))) }
				if want := clamp(math.RoundToEven(float64(float32(v*inv))) + float64(g.Zero)); a[i] != want {
					t.Fatalf("%s: Quantize of %v on %+v is %d, want %d", e.Name(), v, g, a[i], want)
				}
				fused := new(big.Float).SetPrec(400).Mul(big.NewFloat(float64(v)), big.NewFloat(float64(inv)))
				f, _ := fused.Add(fused, big.NewFloat(float64(g.Zero))).Float32()
				if want := clamp(math.RoundToEven(float64(f))); b[i] != want {
					t.Fatalf("%s: QuantizeDynamic of %v on %+v is %d, want %d", e.Name(), v, g, b[i], want)
				}
			}
		}
	}
}

func TestQuantizeExtremes(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	x := []float32{inf, -inf, nan, math.MaxFloat32, -math.MaxFloat32, 1e-45, 0}
	want := []uint8{200, 3, 200, 200, 3, 100, 100}
	g := Grid{Scale: 0.5, Zero: 100, Min: 3, Max: 200}
	for _, e := range Engines() {
		got := make([]uint8, len(x))
		e.Quantize(got, x, g)
		if !slices.Equal(got, want) {
			t.Errorf("%s: Quantize gives %v, want %v", e.Name(), got, want)
		}
		clear(got)
		e.QuantizeDynamic(got, x, g)
		if !slices.Equal(got, want) {
			t.Errorf("%s: QuantizeDynamic gives %v, want %v", e.Name(), got, want)
		}
		back := make([]float32, len(x))
		e.Dequantize(back, got, g)
		if !slices.Equal(back, []float32{50, -48.5, 50, 50, -48.5, 0, 0}) {
			t.Errorf("%s: Dequantize gives %v", e.Name(), back)
		}
	}
}

// TestRequantize pins FBGEMM's static rounding on cases worked by hand.
func TestRequantize(t *testing.T) {
	in, out := Grid{Scale: 0.5, Zero: 2, Max: 255}, Grid{Scale: 1, Zero: 10, Max: 20}
	for _, c := range []struct {
		name  string
		x     uint8
		w     int8
		scale float32
		wzero []int32
		bias  float32
		relu  bool
		want  uint8
	}{
		{"plain", 6, 3, 1, nil, 0, false, 16},                // (6-2)*3*0.5 = 6
		{"tie to even, down", 3, 1, 1, nil, 0, false, 10},    // 0.5
		{"tie to even, up", 5, 1, 1, nil, 0, false, 12},      // 1.5
		{"bias makes the tie", 4, 1, 1, nil, 0.5, false, 12}, // 1.5
		{"below zero", 0, 4, 1, nil, 0, false, 6},            // -4
		{"ReLU stops at the zero point", 0, 4, 1, nil, 0, true, 10},
		{"clamped below", 0, 127, 1, nil, 0, false, 0},
		{"clamped above", 255, 127, 1, nil, 0, false, 20},
		{"weight zero point", 6, 3, 1, []int32{1}, 0, false, 14}, // (6-2)*(3-1)*0.5 = 4
		{"weight scale", 6, 3, 0.25, nil, 1, false, 12},          // 1.5 + 1 = 2.5
	} {
		for _, e := range Engines() {
			p := e.PackI8([]int8{c.w}, 1, 1, []float32{c.scale}, c.wzero, []float32{c.bias}, c.relu).Requantize(in, out)
			y := make([]uint8, 1)
			p.Forward(nil, y, []uint8{c.x}, 1, &Scratch{})
			if y[0] != c.want {
				t.Errorf("%s on %s: %d, want %d", c.name, e.Name(), y[0], c.want)
			}
		}
	}
}

// TestRequantizerBias pins how FBGEMM divides the bias: by each output's scale, but with one scale for the layer by
// multiplying with its reciprocal, which may differ in the last bit.
func TestRequantizerBias(t *testing.T) {
	grid := Grid{Scale: 0.3, Max: 255}
	bias := []float32{1, 2, 3, 5, 7, 11}
	differ := false
	for _, scales := range [][]float32{{0.7}, slices.Repeat([]float32{0.7}, len(bias))} {
		p := newEpilogue(make([]int8, len(bias)), len(bias), 1, scales, nil, bias, false)
		r := p.requantizer(grid, grid)
		s := float32(grid.Scale * 0.7)
		for o, b := range bias {
			want := b / s
			if len(scales) == 1 {
				want = b * (1 / s)
				differ = differ || want != b/s
			}
			if r.bias[o] != want || r.mult[o] != s/grid.Scale {
				t.Errorf("%d scales: bias %v becomes %v, want %v", len(scales), b, r.bias[o], want)
			}
		}
	}
	if !differ {
		t.Error("the two ways agree on all of these numbers, which shows nothing")
	}
}

func BenchmarkElementwise(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 3))
	x := make([]float32, 64*1024)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	q, g := make([]uint8, len(x)), Grid{Scale: 0.05, Zero: 64, Max: 255}
	for _, e := range Engines() {
		for name, f := range map[string]func(){
			"Range":           func() { e.Range(x) },
			"Quantize":        func() { e.Quantize(q, x, g) },
			"QuantizeDynamic": func() { e.QuantizeDynamic(q, x, g) },
			"Dequantize":      func() { e.Dequantize(x, q, g) },
		} {
			b.Run(e.Name()+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(4 * len(x)))
				for b.Loop() {
					f()
				}
			})
		}
	}
}

// A float32 fma is the exact sum, rounded once. What lies next to a tie is where rounding twice shows.
func TestFMARoundsOnce(t *testing.T) {
	check := func(a, b, c float32) {
		t.Helper()
		exact := func(v float32) *big.Float { return new(big.Float).SetPrec(400).SetFloat64(float64(v)) }
		sum := exact(a)
		sum.Mul(sum, exact(b)).Add(sum, exact(c))
		if want, _ := sum.Float32(); fma(a, b, c) != want {
			t.Fatalf("fma(%x, %x, %x) = %x, want %x", a, b, c, fma(a, b, c), want)
		}
	}
	r := newRandom(10)
	for shift := 9; shift < 23; shift++ {
		e := float32(math.Ldexp(1, -shift))
		for _, c := range []float32{1, 1 + 0x1p-23, 1 + 0x1p-22, 2 - 0x1p-23, 1.5} {
			for _, sign := range []float32{1, -1} {
				check(0x1p-12*(1+e), 0x1p-12*(1-e), sign*c) // just below half a bit of c
				check(0x1p-12*(1+e), -0x1p-12*(1-e), sign*c)
				check(0x1p-12*(1+e), 0x1p-12*(1-e)+0x1p-35, sign*c)
				check(0x1p-12*(1+e), 0x1p-12*(1+e), sign*c)
			}
		}
	}
	for _, v := range r.floats(10000) {
		check(v, float32(math.Ldexp(1, -12)), 1+v)
		check(v, v/3, 60)
	}
	check(0, 1, 0)
	inf := float32(math.Inf(1))
	if got := fma(inf, 1, 1); got != inf {
		t.Errorf("fma(Inf, 1, 1) = %v", got)
	}
	if got := fma(inf, 0, 1); got == got {
		t.Errorf("fma(Inf, 0, 1) = %v", got)
	}
}

// What rounding twice would put on another integer.
func TestQuantizeDynamicRoundsOnce(t *testing.T) {
	for _, c := range []struct {
		scale, x float32
		want     uint8
	}{
		{0x1.9d76b6p-01, 0x1.9d7854p-02, 193}, {0x1.70c3d4p-01, 0x1.70c544p-02, 193}, {0x1.636dfep-01, 0x1.636f62p-02, 193},
		{0x1.9d76b6p-01, -0x1.9d7854p-02, 191}, {0x1.70c3d4p-01, -0x1.70c544p-02, 191},
	} {
		for _, e := range Engines() {
			q := []uint8{0}
			if e.QuantizeDynamic(q, []float32{c.x}, Grid{Scale: c.scale, Zero: 192, Max: 255}); q[0] != c.want {
				t.Errorf("%s: %x at scale %x and zero point 192 is %d, want %d", e.Name(), c.x, c.scale, q[0], c.want)
			}
		}
	}
}
