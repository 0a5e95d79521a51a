//go:build !purego

package kernel

import (
	"math"
	"testing"
)

// TestBFloat16Instruction compares VDPBF16PS, where there is one, with the definition: on any bits, and on factors whose products
// lie around where sums become subnormal, powers of 2 among them, with which sums come next to 2^-126.
func TestBFloat16Instruction(t *testing.T) {
	e, err := Lookup("avx512")
	if err != nil || e.LowEmulated(BFloat16) {
		t.Skip("this processor has no instruction for products of bfloat16")
	}
	r := newRandom(31)
	whatever := func() uint16 { return uint16(r.Uint32()) }
	near := func(exponent, n int) func() uint16 {
		return func() uint16 {
			return uint16(r.IntN(2))<<15 | uint16(127+exponent+r.IntN(n))<<7 | uint16(r.IntN(128))
		}
	}
	power := func() uint16 {
		return uint16(r.IntN(2))<<15 | uint16(127-63-r.IntN(14))<<7 | uint16(r.IntN(2))<<6
	}
	for name, next := range map[string]func() uint16{
		"any bits": whatever, "near 1": near(-3, 6), "near the least normal": near(-66, 6), "powers of 2": power, "overflowing": near(60, 8), "subnormal": near(-127, 3),
	} {
		const n = 32
		rounds := 2000
		if testing.Short() {
			rounds = 200
		}
		for range rounds {
			k := 2 + 2*r.IntN(3)
			left, right, c := NewLowMatrix(1, k, BFloat16), NewLowMatrix(k, n, BFloat16), NewMatrix(1, n)
			for p := range k {
				left.Row(0)[p] = next()
				for j := range n {
					right.Row(p)[j] = next()
				}
			}
			e.GemmNNLow(nil, c, left, right)
			for j, got := range c.Row(0) {
				if want := definedLow(left, right, 0, j); !sameFloat(got, want) {
					t.Fatalf("%s: %d products sum to %g (%#08x), not %g (%#08x)", name, k, got, math.Float32bits(got), want, math.Float32bits(want))
				}
			}
		}
	}
}

// TestEmulatedBFloat16 runs every product on AVX-512 as if there were no instruction for it.
func TestEmulatedBFloat16(t *testing.T) {
	if _, err := Lookup("avx512"); err != nil {
		t.Skip("this processor has no AVX-512")
	}
	e := newAVX512()
	e.gemmLow[BFloat16] = nil
	r := newRandom(32)
	for i, s := range shapes() {
		r.wild = i%2 == 0
		for _, op := range lowOperations(r, s.rows, s.out, s.in) {
			if err := op.verify(e, onLine); err != nil {
				t.Fatal(err)
			}
		}
	}
}
