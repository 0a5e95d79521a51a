package kernel

import (
	"fmt"
	"math"
	"math/big"
	"testing"
)

// The operations of training in mixed precision. All engines give the same bits.

// lowOperations are the products of m x k matrices, about half of them zeros, with k x n ones, and conversions.
func lowOperations(r *random, m, n, k int) []operation {
	var all []operation
	for _, t := range []LowType{BFloat16, Half} {
		left, right, ld := r.lowMatrix(m, k, t, 0.5), r.lowMatrix(k, n, t, 0.1), n+r.IntN(20)
		leftT, rightT := transposedLow(left, m+r.IntN(20)), transposedLow(right, k+r.IntN(20))
		product := func(kind string, call func(e *Engine, a *arena, c Matrix)) operation {
			return operation{name: fmt.Sprintf("%s of %v, %d x %d x %d", kind, t, m, k, n), exact: true, call: func(e *Engine, a *arena) outputs {
				c := Matrix{output[float32](a, "c", max(0, (m-1)*ld+n)), m, n, ld}
				call(e, a, c)
				return outputs{floats: c.elements(a)}
			}}
		}
		all = append(all,
			product("GemmNNLow", func(e *Engine, a *arena, c Matrix) { e.GemmNNLow(nil, c, left.place(a, "a"), right.place(a, "b")) }),
			product("GemmTNLow", func(e *Engine, a *arena, c Matrix) { e.GemmTNLow(nil, c, leftT.place(a, "a"), right.place(a, "b")) }),
			product("GemmNTLow", func(e *Engine, a *arena, c Matrix) { e.GemmNTLow(nil, c, left.place(a, "a"), rightT.place(a, "b")) }))
		all = append(all, conversions(r, m, k, t)...)
	}
	return all
}

// conversions between float32 and a low type, of rows x cols elements.
func conversions(r *random, rows, cols int, t LowType) []operation {
	values, low, ld := r.lowValues(rows, cols, t), r.lowMatrix(rows, cols, t, 0), cols+r.IntN(20)
	name := func(kind string) string { return fmt.Sprintf("%s of %v, %d x %d", kind, t, rows, cols) }
	size := max(0, (rows-1)*ld+cols)
	return []operation{
		{name: name("Lower"), exact: true, call: func(e *Engine, a *arena) outputs {
			dst := LowMatrix{output[uint16](a, "dst", size), rows, cols, ld, t}
			e.Lower(dst, values.place(a, "src"))
			return outputs{ints: dst.elements(a)}
		}},
		{name: name("Raise"), exact: true, call: func(e *Engine, a *arena) outputs {
			dst := Matrix{output[float32](a, "dst", size), rows, cols, ld}
			e.Raise(dst, low.place(a, "src"))
			return outputs{floats: dst.elements(a)}
		}},
		{name: name("RoundTo"), exact: true, call: func(e *Engine, a *arena) outputs {
			m := values.placeCopy(a, "m")
			e.RoundTo(t, m)
			return outputs{floats: m.Data}
		}},
	}
}

// lowValues returns a matrix of float32, some at and next to ties of the low type.
func (r *random) lowValues(rows, cols int, t LowType) Matrix {
	m := r.valueMatrix(rows, cols, 0.1)
	for i, v := range m.Data {
		if b := math.Float32bits(v); v == v && r.IntN(3) == 0 {
			places := 16
			if t == Half {
				places = 13
			}
			m.Data[i] = math.Float32frombits(b>>places<<places | 1<<(places-1) + uint32(r.IntN(3)) - 1)
		}
	}
	return m
}

// lowMatrix returns a matrix with about that share of zeros. Its data end with the last row's last element. If r is wild, there are
// infinities, NaN, subnormals, and numbers whose products are, or overflow.
func (r *random) lowMatrix(rows, cols int, t LowType, zeros float64) LowMatrix {
	ld := cols + r.IntN(20)
	m := LowMatrix{make([]uint16, max(0, (rows-1)*ld+cols)), rows, cols, ld, t}
	scale := float32(1)
	if r.wild && t == BFloat16 {
		scale = float32(math.Ldexp(1, []int{0, -20, -56, -60, -63, -70, 63}[r.IntN(7)]))
	}
	special := r.wild && r.IntN(2) == 0
	for i := range m.Data {
		v := float32(r.NormFloat64()) * scale
		switch m.Data[i] = lowered(v, t); {
		case r.Float64() < zeros:
			m.Data[i] = uint16(r.IntN(2)) << 15
		case special && r.IntN(40) == 0:
			m.Data[i] = uint16(r.Uint32())
		}
	}
	return m
}

func lowered(v float32, t LowType) uint16 {
	if t == Half {
		return toHalf(v)
	}
	return toBFloat16(v)
}

func transposedLow(m LowMatrix, ld int) LowMatrix {
	t := LowMatrix{make([]uint16, max(0, (m.Cols-1)*ld+m.Rows)), m.Cols, m.Rows, ld, m.Type}
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			t.Row(j)[i] = v
		}
	}
	return t
}

// value returns what the element h of m counts as in products.
func (m LowMatrix) value(h uint16) float32 {
	if m.Type == Half {
		return widen(h)
	}
	return flushed(math.Float32frombits(uint32(h) << 16))
}

// place returns m in the arena.
func (m LowMatrix) place(a *arena, name string) LowMatrix {
	return LowMatrix{input(a, name, m.Data), m.Rows, m.Cols, m.Stride, m.Type}
}

// elements returns the elements of an output matrix, all NaN as -1, and checks that what lies between its rows has been left alone.
func (m LowMatrix) elements(a *arena) []int32 {
	var all []int32
	for i := range m.Rows {
		for _, h := range m.Row(i) {
			if v := m.value(h); v != v {
				all = append(all, -1)
			} else {
				all = append(all, int32(h))
			}
		}
		if i+1 < m.Rows {
			for _, h := range m.Data[i*m.Stride+m.Cols : (i+1)*m.Stride] {
				if h != math.MaxUint16 {
					a.complaint = fmt.Errorf("writes between rows %d and %d of its output", i, i+1)
				}
			}
		}
	}
	return all
}

// definedLow returns element (i, j) of left·right as the package defines it.
func definedLow(left, right LowMatrix, i, j int) float32 {
	s := float32(0)
	add := func(k int) {
		s = definedAdd(left.value(left.Row(i)[k]), right.value(right.Row(k)[j]), s)
	}
	for k := 0; k < left.Cols; k += 2 {
		if left.Type == Half {
			add(k)
		}
		if k+1 < left.Cols {
			add(k + 1)
		}
		if left.Type == BFloat16 {
			add(k)
		}
	}
	return s
}

// definedAdd returns flush(fma(a, b, s)).
func definedAdd(a, b, s float32) float32 {
	p := float64(a) * float64(b)
	if math.IsInf(p, 0) || p != p || s-s != 0 {
		return float32(p + float64(s))
	}
	sum := new(big.Float).SetPrec(24)
	sum.Add(big.NewFloat(p), big.NewFloat(float64(s)))
	v, _ := sum.Float32()
	if sum.Cmp(big.NewFloat(leastNormal)) < 0 && sum.Cmp(big.NewFloat(-leastNormal)) > 0 {
		return 0
	}
	return v
}

// TestLowDefined compares products of low matrices with their definition.
func TestLowDefined(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 18
	}
	forEachEngine(t, func(t *testing.T, e *Engine) {
		for seed := range seeds {
			r := newRandom(seed)
			r.wild = seed%6 != 0
			m, n, k := r.size(40), r.size(70), r.size(60)
			for _, low := range []LowType{BFloat16, Half} {
				left, right, c := r.lowMatrix(m, k, low, 0.3), r.lowMatrix(k, n, low, 0.1), NewMatrix(m, n)
				for kind, product := range map[string]func(){
					"NN": func() { e.GemmNNLow(nil, c, left, right) },
					"TN": func() { e.GemmTNLow(nil, c, transposedLow(left, m), right) },
					"NT": func() { e.GemmNTLow(nil, c, left, transposedLow(right, k)) },
				} {
					product()
					for i := range m {
						for j, got := range c.Row(i) {
							if want := definedLow(left, right, i, j); !sameFloat(got, want) {
								t.Fatalf("seed %d, %s of %v, %d x %d x %d: (%d, %d) is %g (%#08x), not %g (%#08x)",
									seed, kind, low, m, k, n, i, j, got, math.Float32bits(got), want, math.Float32bits(want))
							}
						}
					}
				}
			}
		}
	})
}
