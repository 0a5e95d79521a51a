package kernel

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// The operations of training.

// gemmOperations are the products of an m x k matrix, about half of it zeros, with a k x n one.
func gemmOperations(r *random, m, n, k int) []operation {
	left, right := r.valueMatrix(m, k, 0.5), r.valueMatrix(k, n, 0)
	leftT, rightT := transposedMatrix(left, m+r.IntN(20)), transposedMatrix(right, k+r.IntN(20))
	s, ld := r.sparseRows(m, k, r.IntN(k+1)), n+r.IntN(20)
	want := sync.OnceValues(func() (y, bound []float64) {
		return exactSums(m, n, k, nil, false, func(i, j int, add func(x, w float32)) {
			for p, v := range left.Row(i) {
				if v != 0 {
					add(v, right.Row(p)[j])
				}
			}
		})
	})
	product := func(kind string, call func(e *Engine, a *arena, c Matrix)) operation {
		return operation{name: fmt.Sprintf("%s, %d x %d x %d", kind, m, k, n), want: want, call: func(e *Engine, a *arena) outputs {
			c := Matrix{output[float32](a, "c", max(0, (m-1)*ld+n)), m, n, ld}
			call(e, a, c)
			return outputs{floats: c.elements(a)}
		}}
	}
	dense := func(kind string, call func(e *Engine, a *arena, c Matrix)) operation {
		op := product(kind, call)
		inner := op.call
		op.call = func(e *Engine, a *arena) outputs { return excuseZeros(inner(e, a), left, right, want) }
		return op
	}
	sparse := product("GemmSparse", func(e *Engine, a *arena, c Matrix) {
		s := s.place(a)
		e.GemmSparse(nil, c, s.start, s.index, s.value, right.place(a, "b"))
	})
	sparse.want = func() (y, bound []float64) {
		return exactSums(m, n, k, nil, false, func(i, j int, add func(x, w float32)) {
			s.terms(i, func(p int, v float32) { add(v, right.Row(p)[j]) })
		})
	}
	return []operation{
		sparse,
		dense("GemmNN", func(e *Engine, a *arena, c Matrix) { e.GemmNN(nil, c, left.place(a, "a"), right.place(a, "b")) }),
		dense("GemmTN", func(e *Engine, a *arena, c Matrix) { e.GemmTN(nil, c, leftT.place(a, "a"), right.place(a, "b")) }),
		dense("GemmNT", func(e *Engine, a *arena, c Matrix) { e.GemmNT(nil, c, left.place(a, "a"), rightT.place(a, "b")) }),
	}
}

// excuseZeros replaces a NaN that an engine may have got from a zero of the left matrix times a NaN or an infinity by what the
// sum is without that product.
func excuseZeros(o outputs, left, right Matrix, want func() (y, bound []float64)) outputs {
	for i, v := range o.floats {
		if v == v {
			continue
		}
		for p, x := range left.Row(i / right.Cols) {
			if w := right.Row(p)[i%right.Cols]; x == 0 && w-w != 0 {
				y, _ := want()
				o.floats[i] = float32(y[i])
				break
			}
		}
	}
	return o
}

// activationOperations are what happens to outputs, rows x cols, and to their gradients. All engines give the same bits.
func activationOperations(r *random, rows, cols int) []operation {
	y, dy, bias, relu := r.valueMatrix(rows, cols, 0.4), r.valueMatrix(rows, cols, 0.1), r.values(cols), r.IntN(2) == 0
	name := func(kind string) string { return fmt.Sprintf("%s, %d x %d", kind, rows, cols) }
	return []operation{
		{name: name("Activate"), exact: true, call: func(e *Engine, a *arena) outputs {
			y := y.placeCopy(a, "y")
			e.Activate(y, input(a, "bias", bias), relu)
			return outputs{floats: y.Data}
		}},
		{name: name("Gate"), exact: true, call: func(e *Engine, a *arena) outputs {
			dy, sum := dy.placeCopy(a, "dy"), output[float32](a, "sum", cols)
			e.Gate(sum, dy, y.place(a, "y"))
			return outputs{floats: slices.Concat(sum, dy.Data)}
		}},
	}
}

// adamOperations are steps of Adam on n weights. All engines give the same bits.
func adamOperations(r *random, n int) []operation {
	rates := AdamRates{Mean: 0.1, Keep: 0.999, Square: 0.001, Epsilon: 1e-8}
	step := func() AdamStep { return AdamStep{Size: -r.Float32() / 100, Root: 0.03 + r.Float32()*0.9} }
	one, steps := step(), fill(r.IntN(20), step)
	w, g, m, v := r.values(n), r.values(n), r.values(n), r.values(n)
	alike, kind := []int{1, 1, 8, n + 1}[r.IntN(4)], 0 // so many neighbours are of a kind
	for i := range v {
		v[i] *= v[i]
		if i%alike == 0 {
			kind = r.IntN(4)
		}
		switch kind {
		case 0: // a weight that had no gradient so far, and may get none now
			m[i], v[i], g[i] = 0, 0, float32(r.IntN(2))*g[i]
		case 1: // a mean that fades
			m[i], g[i] = float32(math.Ldexp(float64(m[i]), -r.IntN(110))), 0
		}
		m[i] += 0 // Adam leaves no -0 there,
		if v[i] != v[i] {
			m[i] = v[i] // and a NaN in both or in neither
		}
	}
	call := func(kind string, steps int, update func(e *Engine, a *arena, w, m, v []float32)) operation {
		return operation{name: fmt.Sprintf("%s, %d weights, %d steps", kind, n, steps), exact: true, call: func(e *Engine, a *arena) outputs {
			w, m, v := placedCopy(a, "w", w), placedCopy(a, "m", m), placedCopy(a, "v", v)
			update(e, a, w, m, v)
			return outputs{floats: slices.Concat(w, m, v)}
		}}
	}
	return []operation{
		call("Adam", 1, func(e *Engine, a *arena, w, m, v []float32) { e.Adam(&rates, one, w, input(a, "g", g), m, v) }),
		call("AdamIdle", len(steps), func(e *Engine, a *arena, w, m, v []float32) {
			e.AdamIdle(&rates, input(a, "steps", steps), w, m, v)
		}),
	}
}

// valueMatrix returns a matrix with about that share of zeros. Its data end with the last row's last element.
func (r *random) valueMatrix(rows, cols int, zeros float64) Matrix {
	ld := cols + r.IntN(20)
	m := Matrix{r.values(max(0, (rows-1)*ld+cols)), rows, cols, ld}
	for i := range rows {
		for j := range cols {
			if r.Float64() < zeros {
				m.Row(i)[j] = 0
			}
		}
	}
	return m
}

func transposedMatrix(m Matrix, ld int) Matrix {
	t := Matrix{make([]float32, max(0, (m.Cols-1)*ld+m.Rows)), m.Cols, m.Rows, ld}
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			t.Row(j)[i] = v
		}
	}
	return t
}

// place returns m in the arena.
func (m Matrix) place(a *arena, name string) Matrix {
	return Matrix{input(a, name, m.Data), m.Rows, m.Cols, m.Stride}
}

// placeCopy returns a copy of m to write to.
func (m Matrix) placeCopy(a *arena, name string) Matrix {
	return Matrix{placedCopy(a, name, m.Data), m.Rows, m.Cols, m.Stride}
}

// elements returns the elements of an output matrix and checks that what lies between its rows has been left alone.
func (m Matrix) elements(a *arena) []float32 {
	var all []float32
	for i := range m.Rows {
		all = append(all, m.Row(i)...)
		if i+1 < m.Rows {
			for _, v := range m.Data[i*m.Stride+m.Cols : (i+1)*m.Stride] {
				if math.Float32bits(v) != math.MaxUint32 {
					a.complaint = fmt.Errorf("writes between rows %d and %d of its output", i, i+1)
				}
			}
		}
	}
	return all
}
