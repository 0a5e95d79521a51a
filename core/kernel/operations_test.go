package kernel

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// An operation is a call of an engine with arguments of its own, which it puts into an arena. The same operation runs on
// every engine and in every placement.
type operation struct {
	name  string
	exact bool // all engines give the same bits
	call  func(e *Engine, a *arena) outputs
	want  func() (y, bound []float64) // of floats that aren't exact

	// What the result should be, once that has been found out.
	portable *outputs
	y, bound []float64
}

// outputs are what an operation wrote.
type outputs struct {
	floats []float32
	ints   []int32
	bytes  []uint8
}

func (o outputs) same(p outputs) bool {
	return sameBits(o.floats, p.floats) && slices.Equal(o.ints, p.ints) && slices.Equal(o.bytes, p.bytes)
}

// difference names the first element in which o is not what it should be.
func (o outputs) difference(want outputs) string {
	for i, v := range o.floats {
		if i < len(want.floats) && !sameFloat(v, want.floats[i]) {
			return fmt.Sprintf("element %d is %g (%#08x), not %g (%#08x)", i, v, math.Float32bits(v), want.floats[i], math.Float32bits(want.floats[i]))
		}
	}
	for i, v := range o.ints {
		if i < len(want.ints) && v != want.ints[i] {
			return fmt.Sprintf("element %d is %d, not %d", i, v, want.ints[i])
		}
	}
	for i, v := range o.bytes {
		if i < len(want.bytes) && v != want.bytes[i] {
			return fmt.Sprintf("element %d is %d, not %d", i, v, want.bytes[i])
		}
	}
	return "the same"
}

// kind is the part of the name that isn't about shapes.
func (op *operation) kind() string {
	kind, _, _ := strings.Cut(op.name, ",")
	return kind
}

// result runs the operation. What it touches that it shouldn't is an error.
func (op *operation) result(e *Engine, p placement) (o outputs, err error) {
	a := &arena{placement: p}
	err = a.run(func() {
		o = op.call(e, a)
		o = outputs{slices.Clone(o.floats), slices.Clone(o.ints), slices.Clone(o.bytes)} // the arena's memory is used again
	})
	if err != nil {
		err = fmt.Errorf("%s, %v: %w", op.name, p, err)
	}
	return o, err
}

// verify runs the operation and compares its result with the portable engine's, or with exact arithmetic.
func (op *operation) verify(e *Engine, p placement) error {
	got, err := op.result(e, p)
	if err != nil {
		return err
	}
	if !op.exact {
		if op.y == nil {
			op.y, op.bound = op.want()
		}
		return outside(op.name, got.floats, op.y, op.bound)
	}
	if op.portable == nil {
		want, err := op.result(Engines()[0], onLine)
		if err != nil {
			return err
		}
		op.portable = &want
	}
	if !got.same(*op.portable) {
		return fmt.Errorf("%s: %s", op.name, got.difference(*op.portable))
	}
	return nil
}

// A checker runs checks on operations, but no longer on a kind that has failed on an engine.
type checker struct {
	t      *testing.T
	failed map[string]bool
}

func newChecker(t *testing.T) checker { return checker{t, map[string]bool{}} }

// each runs check on every engine with each of the operations.
func (c checker) each(operations []operation, check func(op *operation, e *Engine) error) {
	c.t.Helper()
	for i := range operations {
		op := &operations[i]
		for _, e := range Engines() {
			kind := e.Name() + " " + op.kind()
			if c.failed[kind] {
				continue
			}
			if err := check(op, e); err != nil {
				c.failed[kind] = true
				c.t.Errorf("%s: %v", e.Name(), err)
			}
		}
	}
}

// A shape is that of a layer and its batch.
type shape struct{ rows, out, in int }

// shapes pairs sizes from 1 to 67, those next to what vectors and panels hold, and odd larger ones.
func shapes() []shape {
	var all []shape
	for n := 1; n <= 67; n++ {
		all = append(all, shape{1 + n%20, n, 68 - n}, shape{1 + n*7%20, 68 - n, n}, shape{n, 1 + n%19, 1 + n%11})
	}
	rows := []int{1, 6, 2, 14, 3, 4, 5, 7, 8, 13, 15, 16, 20, 1, 63, 64, 65}
	edges := []int{15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 95, 96, 97, 127, 128, 129}
	for i, out := range edges {
		for j, in := range edges {
			if (i+j)%5 == 0 {
				all = append(all, shape{rows[(i*7+j)%len(rows)], out, in})
			}
		}
	}
	all = append(all, shape{1, 1, 3001}, shape{2, 13, 1000}, shape{1, 771, 31}, shape{5, 257, 129}, shape{1, 512, 300}, shape{65, 10, 400},
		shape{15, 33, 3001}, shape{20, 600, 40}, shape{1100, 35, 20}, shape{1, 40, 17000}, shape{70, 40, 700})
	for n := 1; n <= 14; n++ { // tiles of so many rows, in more than one pass over the inputs
		all = append(all, shape{n, 40 + 3*n, 790 + n})
	}
	if testing.Short() {
		all = slices.DeleteFunc(all, func(s shape) bool { return (s.rows+3*s.out+5*s.in)%11 != 0 })
	}
	return all
}

// operations returns every kind of call on data of that shape.
func operations(r *random, rows, out, in int) []operation {
	return slices.Concat(
		floatOperations(r, rows, out, in),
		intOperations(r, rows, out, in),
		sparseOperations(r, rows, out, in),
		gemmOperations(r, rows, out, in),
		lowOperations(r, rows, out, in),
		elementwiseOperations(r, rows*in),
		rowOperations(r, out, in),
		activationOperations(r, rows, out),
		adamOperations(r, out),
	)
}
