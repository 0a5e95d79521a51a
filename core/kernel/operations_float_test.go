package kernel

import (
	"fmt"
)

// The operations on floats: dense and sparse layers.

func floatOperations(r *random, rows, out, in int) []operation {
	x, w, h, bias, relu := r.values(rows*in), r.values(out*in), r.halfValues(out*in), r.bias(out), r.IntN(2) == 0
	name := func(kind string) string { return fmt.Sprintf("%s, %d rows of %d x %d", kind, rows, out, in) }
	forward := func(a *arena, packed any, forward func(*Team, []float32, []float32, int)) outputs {
		relocate(a, packed)
		y := output[float32](a, "y", rows*out)
		forward(nil, y, input(a, "x", x), rows)
		return outputs{floats: y}
	}
	return []operation{
		{name: name("F32"), call: func(e *Engine, a *arena) outputs {
			p := e.PackF32(input(a, "w", w), input(a, "bias", bias), out, in, relu)
			return forward(a, p, p.Forward)
		}, want: func() (y, bound []float64) { return exact(x, w, bias, rows, out, in, relu) }},
		{name: name("F16"), call: func(e *Engine, a *arena) outputs {
			p := e.PackF16(input(a, "w", h), input(a, "bias", bias), out, in, relu)
			return forward(a, p, p.Forward)
		}, want: func() (y, bound []float64) { return exact(x, widened(h), bias, rows, out, in, relu) }},
	}
}

// widened returns the values of halves.
func widened(h []uint16) []float32 {
	w := make([]float32, len(h))
	for i := range h {
		w[i] = widen(h[i])
	}
	return w
}

// sparseRows are sparse rows of in columns.
type sparseRows struct {
	start, index []int32
	value        []float32
	in           int
}

func (r *random) sparseRows(rows, in, each int) sparseRows {
	start, index, value := r.sparse(rows, in, each)
	return sparseRows{start, index, r.values(len(value)), in}
}

// terms calls product for each element of row i.
func (s sparseRows) terms(i int, product func(k int, v float32)) {
	for k := s.start[i]; k < s.start[i+1]; k++ {
		product(int(s.index[k]), s.value[k])
	}
}

func (s sparseRows) rows() int { return len(s.start) - 1 }

// place returns s in the arena.
func (s sparseRows) place(a *arena) sparseRows {
	return sparseRows{input(a, "start", s.start), input(a, "index", s.index), input(a, "value", s.value), s.in}
}

// exact returns s·wᵀ + bias and its bound. What a row leaves out adds nothing, not even times an infinity.
func (s sparseRows) exact(w, bias []float32, out int, relu bool) (y, bound []float64) {
	return exactSums(s.rows(), out, s.in, bias, relu, func(i, o int, add func(x, w float32)) {
		s.terms(i, func(k int, v float32) { add(v, w[o*s.in+k]) })
	})
}

func sparseOperations(r *random, rows, out, in int) []operation {
	s := r.sparseRows(rows, in, r.IntN(in+1))
	w, h, bias, relu := r.values(out*in), r.halfValues(out*in), r.bias(out), r.IntN(2) == 0
	name := func(kind string) string {
		return fmt.Sprintf("sparse %s, %d rows of %d x %d, %d elements", kind, rows, out, in, len(s.index))
	}
	forward := func(a *arena, packed any, forward func(*Team, []float32, []int32, []int32, []float32, int)) outputs {
		relocate(a, packed)
		y, s := output[float32](a, "y", rows*out), s.place(a)
		forward(nil, y, s.start, s.index, s.value, rows)
		return outputs{floats: y}
	}
	return append(sparseIntOperations(r, s, rows, out, in),
		operation{name: name("F32"), call: func(e *Engine, a *arena) outputs {
			p := e.PackSparseF32(input(a, "w", w), input(a, "bias", bias), out, in, relu)
			return forward(a, p, p.Forward)
		}, want: func() (y, bound []float64) { return s.exact(w, bias, out, relu) }},
		operation{name: name("F16"), call: func(e *Engine, a *arena) outputs {
			p := e.PackSparseF16(input(a, "w", h), input(a, "bias", bias), out, in, relu)
			return forward(a, p, p.Forward)
		}, want: func() (y, bound []float64) { return s.exact(widened(h), bias, out, relu) }},
	)
}
