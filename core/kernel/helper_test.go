package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// forEachEngine runs a test once on every engine that this machine has.
func forEachEngine(t *testing.T, test func(t *testing.T, e *Engine)) {
	t.Helper()
	for _, e := range Engines() {
		t.Run(e.Name(), func(t *testing.T) { test(t, e) })
	}
}

// A random makes test data. The same seed makes the same data.
type random struct {
	*rand.Rand
	wild bool // values are of every kind, NaN and infinities among them
}

func newRandom(seed uint64) *random { return &random{Rand: rand.New(rand.NewPCG(seed, 1))} }

func fill[T any](n int, next func() T) []T {
	s := make([]T, n)
	for i := range s {
		s[i] = next()
	}
	return s
}

func (r *random) floats(n int) []float32 {
	return fill(n, func() float32 { return float32(r.NormFloat64()) })
}

// values returns floats, wild ones if r is.
func (r *random) values(n int) []float32 {
	if r.wild {
		return r.wildFloats(n)
	}
	return r.floats(n)
}

// wildFloats returns mostly ordinary floats, some of any magnitude and a few that are special.
func (r *random) wildFloats(n int) []float32 {
	specials := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat32, math.MaxFloat32}
	rare := 1 + r.IntN(100)
	return fill(n, func() float32 {
		switch r.IntN(8 * rare) {
		case 0:
			return float32(specials[r.IntN(len(specials))])
		case 1:
			return math.Float32frombits(r.Uint32())
		case 2:
			return 0
		}
		return float32(r.NormFloat64())
	})
}

// halfValues returns the bits of halves, wild ones if r is.
func (r *random) halfValues(n int) []uint16 {
	h := r.halves(n)
	if r.wild && n > 0 {
		for range r.IntN(3) {
			h[r.IntN(n)] = uint16(r.Uint32())
		}
	}
	return h
}

// bias returns n values, or nil.
func (r *random) bias(n int) []float32 {
	if r.IntN(4) == 0 {
		return nil
	}
	return r.values(n)
}

func (r *random) scales(n int) []float32 {
	return fill(n, func() float32 { return 0.001 + r.Float32()/100 })
}

func (r *random) int8s(n int) []int8  { return fill(n, func() int8 { return int8(r.IntN(256) - 128) }) }
func (r *random) bytes(n int) []uint8 { return fill(n, func() uint8 { return uint8(r.IntN(256)) }) }
func (r *random) zeros(n int) []int32 {
	return fill(n, func() int32 { return int32(r.IntN(256) - 128) })
}
func (r *random) halves(n int) []uint16 {
	return fill(n, func() uint16 { return uint16(r.IntN(2))<<15 | uint16(5+r.IntN(12))<<10 | uint16(r.IntN(1024)) })
}

// sparse returns rows of in columns with up to each elements a row.
func (r *random) sparse(rows, in, each int) (start, index []int32, value []float32) {
	start = []int32{0}
	for range rows {
		row := r.Perm(in)[:min(each, in)]
		seen := make([]bool, in)
		for _, k := range row {
			seen[k] = true
		}
		for k, here := range seen {
			if here {
				index, value = append(index, int32(k)), append(value, float32(1+r.IntN(3)))
			}
		}
		start = append(start, int32(len(index)))
	}
	return start, index, value
}

// matrix returns a matrix with about that share of zeros.
func (r *random) matrix(rows, cols int, zeros float64) Matrix {
	m := NewMatrix(rows, cols)
	for i := range rows {
		for j := range cols {
			if r.Float64() >= zeros {
				m.Row(i)[j] = float32(r.NormFloat64())
			}
		}
	}
	return m
}

// sameBits compares floats by their bits, the sign of a zero included. All NaN are the same.
func sameBits(a, b []float32) bool { return slices.EqualFunc(a, b, sameFloat) }

func sameFloat(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}
