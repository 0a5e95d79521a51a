package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// forEachEngine runs a test once on every engine that this machine has.
func forEachEngine(t *testing.T, test func(t *testing.T, e *Engine)) {
	t.Helper()
	for _, e := range Engines() {
		t.Run(e.Name(), func(t *testing.T) { test(t, e) })
	}
}

// TestEngines says which engines the tests ran on.
func TestEngines(t *testing.T) {
	for _, e := range Engines() {
		t.Log("engine:", e.Name())
	}
	if first := Engines()[0].Name(); first != "portable" {
		t.Errorf("the first engine is %q, not portable", first)
	}
	for _, e := range Engines() {
		if got, err := Lookup(e.Name()); err != nil || got != e {
			t.Errorf("Lookup(%q) = %v, %v", e.Name(), got, err)
		}
	}
	if got, err := Lookup(""); err != nil || got != Best() {
		t.Errorf(`Lookup("") = %v, %v`, got, err)
	}
	if _, err := Lookup("abacus"); err == nil || err.Error() == "" {
		t.Error("Lookup found an abacus")
	}
}

// A random makes test data. The same seed makes the same data.
type random struct{ *rand.Rand }

func newRandom(seed uint64) *random { return &random{rand.New(rand.NewPCG(seed, 1))} }

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

// bits compares floats by their bits, NaN included.
func sameBits(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return false
		}
	}
	return true
}
