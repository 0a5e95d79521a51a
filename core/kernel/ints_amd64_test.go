//go:build !purego

package kernel

import (
	"math"
	"slices"
	"testing"
)

// TestByteRange compares what the assembly does with a byteRange with the definition, where zero points and limits are
// ordinary, far apart, the wrong way round or beyond what is rounded.
func TestByteRange(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	zeros := []int32{0, 1, 7, 127, 128, 255, 256, -1, -300, roundLimit, -roundLimit, roundLimit + 9, -roundLimit - 200, 1 << 24, -1 << 24}
	limits := []int32{0, 1, 3, 127, 254, 255}
	for _, zero := range zeros {
		for _, lo := range limits {
			for _, hi := range limits {
				z, least, most := byteRange(zero, lo, hi)
				values := []float32{nan, inf, -inf, 0, math.MaxFloat32, -math.MaxFloat32, roundLimit, -roundLimit, roundLimit - 0.5, 0.5 - roundLimit}
				for _, edge := range []int32{lo - zero, hi - zero, 0, 8} {
					for quarter := range int32(13) {
						v := float32(edge) + float32(quarter-6)/4
						values = append(values, v, math.Nextafter32(v, inf), math.Nextafter32(v, -inf))
					}
				}
				for _, v := range values {
					clamped := v
					if !(v < most) {
						clamped = most
					}
					clamped = max(clamped, least)
					got := uint8(int32(math.RoundToEven(float64(clamped))) + z)
					if want := uint8(max(min(roundEven(v)+zero, hi), lo)); got != want {
						t.Fatalf("zero point %d, %d to %d: %v becomes %d, not %d", zero, lo, hi, v, got, want)
					}
				}
			}
		}
	}
}

// TestCombineIndex gives indexes of rows that lie outside the weights, wholly or in part.
func TestCombineIndex(t *testing.T) {
	const ld, rows, n = 64, 5, 40
	w, acc := newRandom(11).int8s((rows-1)*ld+n), make([]int32, n)
	forEachEngine(t, func(t *testing.T, e *Engine) {
		for _, bad := range []int32{-1, rows, 1 << 30, math.MinInt32} {
			for at := range 6 {
				index, value := []int32{0, 1, 2, 3, 4, 0}, make([]uint8, 6)
				index[at] = bad
				panicked := func() (yes bool) {
					defer func() { yes = recover() != nil }()
					e.combineI8(acc, w[:len(w):len(w)], ld, index, value, 3)
					return false
				}()
				if !panicked {
					t.Errorf("row %d of %d is taken", bad, rows)
				}
			}
		}
		e.combineI8(acc, w, ld, []int32{rows - 1}, []uint8{4}, 3) // the last row is whole
	})
}

// TestPasses has more elements than one call of assembly is given.
func TestPasses(t *testing.T) {
	g := Grid{Scale: 0.01, Zero: 90, Max: 255}
	x := newRandom(12).floats(2*passElements + 21)
	lowest, highest := 3, passElements+7
	x[lowest], x[highest] = -100, 100
	portable := Engines()[0]
	want, back := make([]uint8, len(x)), make([]float32, len(x))
	wantBack := make([]float32, len(x))
	for _, e := range Engines() {
		for _, quantize := range []func(e *Engine, dst []uint8){
			func(e *Engine, dst []uint8) { e.Quantize(dst, x, g) },
			func(e *Engine, dst []uint8) { e.QuantizeDynamic(dst, x, g) },
		} {
			got := make([]uint8, len(x))
			quantize(e, got)
			quantize(portable, want)
			if !slices.Equal(got, want) {
				t.Errorf("%s: not the integers of the portable engine", e.Name())
			}
		}
		e.Dequantize(back, want, g)
		portable.Dequantize(wantBack, want, g)
		if !sameBits(back, wantBack) {
			t.Errorf("%s: not the numbers of the portable engine", e.Name())
		}
		if lo, hi := e.Range(x); lo != -100 || hi != 100 {
			t.Errorf("%s: the range is %v to %v", e.Name(), lo, hi)
		}
	}
	for _, at := range []int{0, passElements, len(x) - 1} {
		was := x[at]
		x[at] = float32(math.NaN())
		for _, e := range Engines() {
			if lo, hi := e.Range(x); lo == lo || hi == hi {
				t.Errorf("%s: a NaN at %d is lost: %v to %v", e.Name(), at, lo, hi)
			}
		}
		x[at] = was
	}
}

// TestAhead multiplies a single row by as many weights as are fetched ahead: whole panels, and with a rest of inputs or outputs.
func TestAhead(t *testing.T) {
	for _, l := range []struct{ out, in int }{{512, 784}, {500, 787}, {48, 8001}, {1040, 301}} {
		if n := l.out * l.in; n < aheadLeast || n > aheadMost {
			t.Fatalf("%d weights are not fetched ahead", n)
		}
		r := newRandom(13)
		w, x := r.int8s(l.out*l.in), r.bytes(l.in)
		want, got := make([]int32, l.out), make([]int32, l.out)
		for _, e := range Engines() {
			e.PackI8(w, l.out, l.in, []float32{1}, nil, nil, false).Accumulate(nil, got, x, 1)
			if e.Name() == "portable" {
				copy(want, got)
			} else if !slices.Equal(got, want) {
				t.Errorf("%s, %d x %d: not the sums of the portable engine", e.Name(), l.out, l.in)
			}
		}
	}
}
