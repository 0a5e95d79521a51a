package kernel

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestEngines says which engines the tests run on.
func TestEngines(t *testing.T) {
	var names []string
	for _, e := range Engines() {
		names = append(names, e.Name())
	}
	t.Log("kernel engines tested:", strings.Join(names, ", "))
	if names[0] != "portable" {
		t.Errorf("the first engine is %q, not portable", names[0])
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(Engines()) {
		t.Errorf("two engines have the same name: %v", names)
	}
}

func TestLookup(t *testing.T) {
	all := Engines()
	fastest := all[len(all)-1]
	find := func(name string, want *Engine) {
		t.Helper()
		if got, err := Lookup(name); err != nil || got != want {
			t.Errorf("Lookup(%q) = %v, %v", name, got, err)
		}
	}
	t.Setenv(Variable, "")
	find("", fastest)
	if Best() != fastest {
		t.Errorf("Best is %s, not %s", Best().Name(), fastest.Name())
	}
	for _, e := range all {
		t.Setenv(Variable, e.Name())
		find(e.Name(), e)
		find("", e)
		find("portable", all[0])
		if Best() != e {
			t.Errorf("%s=%s: Best is %s", Variable, e.Name(), Best().Name())
		}
	}
	if _, err := Lookup("abacus"); err == nil || strings.Contains(err.Error(), Variable) || !strings.Contains(err.Error(), "abacus") {
		t.Errorf("Lookup of an abacus: %v", err)
	}
	t.Setenv(Variable, "abacus")
	if _, err := Lookup(""); err == nil || !strings.Contains(err.Error(), Variable) {
		t.Errorf("%s=abacus: %v", Variable, err)
	}
	find(fastest.Name(), fastest)
	if Best() != fastest {
		t.Errorf("%s=abacus: Best is %s", Variable, Best().Name())
	}
}

// TestOperations compares every operation with the portable engine where all engines give the same bits, and with exact
// arithmetic where they don't: on ordinary numbers, then with NaN, infinities and subnormals among them. The sign of a zero
// counts only where bits are compared.
func TestOperations(t *testing.T) {
	for _, wild := range []bool{false, true} {
		r, c := newRandom(21), newChecker(t)
		r.wild = wild
		for i, s := range shapes() {
			if wild && i%2 != 0 {
				continue // a matter of time
			}
			c.each(operations(r, s.rows, s.out, s.in), func(op *operation, e *Engine) error { return op.verify(e, onLine) })
		}
	}
}

// TestSiblings checks that the engines for one architecture give the same bits, floats included: which of them runs must not
// decide about an answer.
func TestSiblings(t *testing.T) {
	r, c := newRandom(26), newChecker(t)
	for newer, older := range map[string]string{"avx512": "avx2", "neon-dotprod": "neon"} {
		sibling, err := Lookup(older)
		if err != nil {
			continue
		}
		for _, s := range shapes() {
			c.each(operations(r, s.rows, s.out, s.in), func(op *operation, e *Engine) error {
				if op.exact || e.Name() != newer {
					return nil
				}
				want, err := op.result(sibling, onLine)
				if err != nil {
					return err
				}
				got, err := op.result(e, onLine)
				if err == nil && !got.same(want) {
					err = fmt.Errorf("%s: %s as on %s", op.name, got.difference(want), older)
				}
				return err
			})
		}
	}
}

// TestReproducible checks that every engine which claims so has float32 layers of the portable engine's bits.
func TestReproducible(t *testing.T) {
	r, c := newRandom(27), newChecker(t)
	for _, s := range shapes() {
		layers := slices.Concat(floatOperations(r, s.rows, s.out, s.in), sparseOperations(r, s.rows, s.out, s.in))
		c.each(layers, func(op *operation, e *Engine) error {
			if !e.definedFloats {
				return nil
			}
			want, err := op.result(registry[0], onLine)
			if err != nil {
				return err
			}
			got, err := op.result(e, onLine)
			if err == nil && !got.same(want) {
				err = fmt.Errorf("%s: %s as on the portable engine", op.name, got.difference(want))
			}
			return err
		})
	}
	if e := Reproducible(); !e.definedFloats {
		t.Errorf("%s is no engine to reproduce with", e.Name())
	}
}

// TestNothing gives every operation that takes it nothing to do.
func TestNothing(t *testing.T) {
	r, c := newRandom(22), newChecker(t)
	nothing := slices.Concat(
		floatOperations(r, 0, 17, 3), intOperations(r, 0, 17, 3), sparseOperations(r, 0, 17, 3), elementwiseOperations(r, 0),
		gemmOperations(r, 0, 17, 3), gemmOperations(r, 5, 0, 3), gemmOperations(r, 5, 17, 0),
		lowOperations(r, 0, 17, 3), lowOperations(r, 5, 0, 3), lowOperations(r, 5, 17, 0),
		activationOperations(r, 0, 17), activationOperations(r, 5, 0), adamOperations(r, 0),
	)
	for _, p := range []placement{onLine, flushEnd, flushStart} {
		c.each(nothing, func(op *operation, e *Engine) error { return op.verify(e, p) })
	}
}

// TestRows checks that a row's bits don't depend on the batch that it is in, nor on its place there.
func TestRows(t *testing.T) {
	batches := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 17, 20, 28, 33, 63, 64, 65}
	widths := []int{1, 2, 3, 8, 10, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 100, 130, 257}
	if testing.Short() {
		batches, widths = []int{1, 2, 5, 14, 33}, []int{2, 10, 16, 17, 33, 64, 100}
	}
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r := newRandom(23)
		for _, out := range widths {
			const rows = 67
			in := []int{1, 5, 32, 71, 200}[r.IntN(5)]
			layers := rowLayers(e, r, rows, out, in)
			for _, n := range batches {
				checkRows(t, e, layers, rows, out, in, r.IntN(rows-n+1), n)
			}
		}
	})
}

// checkRows compares n rows with the same rows in the batch of all of them.
func checkRows(t *testing.T, e *Engine, layers []rowLayer, rows, out, in, from, n int) {
	t.Helper()
	for _, l := range layers {
		want := l.forward(0, rows).slice(from*out, (from+n)*out)
		if got := l.forward(from, n); !got.same(want) {
			t.Fatalf("%s: %s of %d x %d: %d rows from row %d on don't give the bits they give in a batch of %d: %s",
				e.Name(), l.name, out, in, n, from, rows, got.difference(want))
		}
	}
}

// TestShared runs the same layers on several goroutines at a time.
func TestShared(t *testing.T) {
	const rows, in = 24, 70
	forEachEngine(t, func(t *testing.T, e *Engine) {
		for _, out := range []int{10, 90} {
			for _, l := range rowLayers(e, newRandom(27), rows, out, in) {
				whole := l.forward(0, rows)
				var all sync.WaitGroup
				for from := range 6 {
					all.Go(func() {
						for n := range 16 {
							if got := l.forward(from, 1+n); !got.same(whole.slice(from*out, (from+1+n)*out)) {
								t.Errorf("%s of %d x %d: another goroutine disturbs %d rows from row %d on", l.name, out, in, 1+n, from)
								return
							}
						}
					})
				}
				all.Wait()
			}
		}
	})
}

func (o outputs) slice(from, to int) outputs {
	if o.bytes != nil {
		return outputs{bytes: o.bytes[from:to]}
	}
	return outputs{floats: o.floats[from:to]}
}

// A rowLayer runs a layer on some of its rows.
type rowLayer struct {
	name    string
	forward func(from, n int) outputs
}

func rowLayers(e *Engine, r *random, rows, out, in int) []rowLayer {
	x, w, h, bias, sp := r.values(rows*in), r.values(out*in), r.halfValues(out*in), r.values(out), r.sparseRows(rows, in, in/2+1)
	f32, f16 := e.PackF32(w, bias, out, in, true), e.PackF16(h, bias, out, in, true)
	s32, s16 := e.PackSparseF32(w, bias, out, in, true), e.PackSparseF16(h, bias, out, in, true)
	q := r.bytes(rows * in)
	for i := range q[:rows/2*in] {
		q[i] &= 127 // some rows have no large integers
	}
	g, to := grids(r, rows), Grid{Scale: 3, Zero: 100, Max: 255}
	i8 := e.PackI8(r.int8s(out*in), out, in, r.scales(out), nil, bias, false)
	static := i8.Requantize(g[0], to)
	dense := func(forward func(*Team, []float32, []float32, int)) func(from, n int) outputs {
		return func(from, n int) outputs {
			y := make([]float32, n*out)
			forward(nil, y, x[from*in:], n)
			return outputs{floats: y}
		}
	}
	sparse := func(forward func(*Team, []float32, []int32, []int32, []float32, int)) func(from, n int) outputs {
		return func(from, n int) outputs {
			y := make([]float32, n*out)
			forward(nil, y, sp.start[from:], sp.index, sp.value, n)
			return outputs{floats: y}
		}
	}
	return []rowLayer{
		{"F32", dense(f32.Forward)}, {"F16", dense(f16.Forward)}, {"sparse F32", sparse(s32.Forward)}, {"sparse F16", sparse(s16.Forward)},
		{"Dynamic on one grid", func(from, n int) outputs {
			y := make([]float32, n*out)
			i8.Dynamic(nil, y, q[from*in:], n, g[:1], &Scratch{})
			return outputs{floats: y}
		}},
		{"Dynamic on a grid a row", func(from, n int) outputs {
			y := make([]float32, n*out)
			i8.Dynamic(nil, y, q[from*in:], n, g[from:from+n], &Scratch{})
			return outputs{floats: y}
		}},
		{"Static", func(from, n int) outputs {
			y := make([]uint8, n*out)
			static.Forward(nil, y, q[from*in:], n, &Scratch{})
			return outputs{bytes: y}
		}},
	}
}

// TestPanels checks what a team relies on: a product of some panels writes those outputs alone, with the same bits as the
// whole product.
func TestPanels(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r := newRandom(24)
		for _, out := range []int{1, 10, 16, 17, 33, 64, 100, 200, 513} {
			for _, rows := range []int{1, 3, 7, 20} {
				const in = 37
				x, q, bias := r.floats(rows*in), r.bytes(rows*in), r.floats(out)
				f32 := e.PackF32(r.floats(out*in), bias, out, in, true).product
				f16 := e.PackF16(r.halves(out*in), bias, out, in, true).product
				i8 := e.PackI8(r.int8s(out*in), out, in, []float32{0.01}, nil, bias, true)
				g, requantizer := Grid{Scale: 0.1, Zero: 9, Max: 255}, i8.Requantize(grids(r, 1)[0], Grid{Scale: 3, Zero: 100, Max: 255}).r
				checkPanels(t, e.Name()+" F32", f32.width(), rows, out, 12345, func(y []float32, lo, hi int) { f32.multiply(y, x, rows, lo, hi) })
				checkPanels(t, e.Name()+" F16", f16.width(), rows, out, 12345, func(y []float32, lo, hi int) { f16.multiply(y, x, rows, lo, hi) })
				checkPanels(t, e.Name()+" I8", i8.product.width(), rows, out, 1<<30, func(y []int32, lo, hi int) { i8.product.multiply(y, q, rows, lo, hi) })
				if i8.fused == nil {
					continue
				}
				checkPanels(t, e.Name()+" Dynamic", i8.fused.width(), rows, out, 12345, func(y []float32, lo, hi int) {
					i8.fused.dynamic(y, q, rows, lo, hi, &i8.epilogue, g)
				})
				checkPanels(t, e.Name()+" Static", i8.fused.width(), rows, out, 99, func(y []uint8, lo, hi int) {
					i8.fused.static(y, q, rows, lo, hi, &requantizer)
				})
			}
		}
	})
}

// checkPanels leaves mark where multiply shouldn't write.
func checkPanels[T uint8 | int32 | float32](t *testing.T, what string, width, rows, out int, mark T, multiply func(y []T, lo, hi int)) {
	t.Helper()
	whole := slices.Repeat([]T{mark}, rows*out)
	multiply(whole, 0, out)
	for lo := 0; lo < out; lo += width {
		for _, panels := range []int{1, 2, 3, 5} {
			hi := min(lo+panels*width, out)
			y := slices.Repeat([]T{mark}, rows*out)
			multiply(y, lo, hi)
			for i, v := range y {
				want := mark
				if o := i % out; lo <= o && o < hi {
					want = whole[i]
				}
				if v != want {
					t.Fatalf("%s, %d rows, outputs %d to %d of %d: row %d, output %d is %v, not %v", what, rows, lo, hi, out, i/out, i%out, v, want)
				}
			}
		}
	}
}

// TestPairs multiplies every activation by every weight, alone and beside others.
func TestPairs(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		for _, in := range []int{1, 2, 3, 4, 5} {
			x, w := make([]uint8, 256*in), make([]int8, 256*in)
			for i := range x {
				x[i], w[i] = uint8(i/in), int8(i/in-128)
			}
			acc := make([]int32, 256*256)
			e.PackI8(w, 256, in, []float32{1}, nil, nil, false).Accumulate(nil, acc, x, 256)
			for i, got := range acc {
				if want := int32(in * (i / 256) * (i%256 - 128)); got != want {
					t.Fatalf("%d times %d·%d is %d, not %d", in, i/256, i%256-128, got, want)
				}
			}
		}
	})
}

// TestOneLarge puts a single integer above 127 at each place of a row among the largest that fit 7 bits: engines that look for
// such integers must find it, and those which take narrow sums must not saturate.
func TestOneLarge(t *testing.T) {
	const rows, out = 3, 19
	forEachEngine(t, func(t *testing.T, e *Engine) {
		for _, in := range []int{1, 4, 31, 64, 65, 67, 130, 259} {
			w := make([]int8, out*in)
			for i := range w {
				w[i] = []int8{-128, 127, -127}[i/in%3]
			}
			p := e.PackI8(w, out, in, []float32{1}, nil, nil, false)
			for at := range rows * in {
				for _, large := range []uint8{128, 255} {
					x, acc := slices.Repeat([]uint8{127}, rows*in), make([]int32, rows*out)
					x[at] = large
					p.Accumulate(nil, acc, x, rows)
					for i, got := range acc {
						want := int32(in) * 127
						if i/out == at/in {
							want += int32(large) - 127
						}
						if want *= int32(w[i%out*in]); got != want {
							t.Fatalf("%d at input %d of %d, row %d: output %d of row %d is %d, not %d", large, at%in, in, at/in, i%out, i/out, got, want)
						}
					}
				}
			}
		}
	})
}

// TestHalves multiplies every half by 1, dense and sparse, alone and in a batch: subnormals, infinities and NaN included.
func TestHalves(t *testing.T) {
	const out = 1 << 16
	h := make([]uint16, out)
	for i := range h {
		h[i] = uint16(i)
	}
	forEachEngine(t, func(t *testing.T, e *Engine) {
		p, s := e.PackF16(h, nil, out, 1, false), e.PackSparseF16(h, nil, out, 1, false)
		for _, rows := range []int{1, 2, 15} {
			x, y := slices.Repeat([]float32{1}, rows), make([]float32, rows*out)
			start, index := make([]int32, rows+1), make([]int32, rows)
			for i := range start {
				start[i] = int32(i)
			}
			for name, forward := range map[string]func(){
				"dense":  func() { p.Forward(nil, y, x, rows) },
				"sparse": func() { s.Forward(nil, y, start, index, x, rows) },
			} {
				forward()
				for i, got := range y {
					if want := widen(uint16(i % out)); got != want && !(got != got && want != want) {
						t.Fatalf("%s, %d rows: half %#04x is %g, not %g", name, rows, i%out, got, want)
					}
				}
			}
		}
	})
}
