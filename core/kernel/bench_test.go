package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// The benchmarks report multiply-adds per nanosecond over the whole run, and of its fastest call: on a shared machine
// only the latter says what the code can do.

func benchmark(b *testing.B, work int, call func()) {
	b.Helper()
	call()
	fastest := time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		call()
		fastest = min(fastest, time.Since(start))
	}
	total := float64(work) * float64(b.N)
	b.ReportMetric(total/float64(b.Elapsed().Nanoseconds()), "GMAC/s")
	b.ReportMetric(float64(work)/float64(max(fastest, 1)), "best-GMAC/s")
}

// benchLayers are the large layers of the lab's four models.
var benchLayers = []struct{ out, in int }{{512, 784}, {1024, 400}, {1024, 1024}, {512, 14816}, {256, 5000}, {256, 256}, {10, 1024}, {2, 256}}

func benchmarkLayers(b *testing.B, run func(b *testing.B, e *Engine, r *random, out, in, rows int)) {
	for _, e := range Engines() {
		for _, l := range benchLayers {
			for _, rows := range []int{1, 64} {
				b.Run(fmt.Sprintf("%s/%dx%d/rows=%d", e.Name(), l.in, l.out, rows), func(b *testing.B) {
					run(b, e, newRandom(1), l.out, l.in, rows)
				})
			}
		}
	}
}

func BenchmarkF32(b *testing.B) {
	benchmarkLayers(b, func(b *testing.B, e *Engine, r *random, out, in, rows int) {
		p := e.PackF32(r.floats(out*in), r.floats(out), out, in, true)
		x, y := r.floats(rows*in), make([]float32, rows*out)
		benchmark(b, rows*out*in, func() { p.Forward(nil, y, x, rows) })
	})
}

func BenchmarkF16(b *testing.B) {
	benchmarkLayers(b, func(b *testing.B, e *Engine, r *random, out, in, rows int) {
		p := e.PackF16(r.halves(out*in), r.floats(out), out, in, true)
		x, y := r.floats(rows*in), make([]float32, rows*out)
		benchmark(b, rows*out*in, func() { p.Forward(nil, y, x, rows) })
	})
}

func BenchmarkDynamic(b *testing.B) {
	benchmarkLayers(b, func(b *testing.B, e *Engine, r *random, out, in, rows int) {
		p := e.PackI8(r.int8s(out*in), out, in, []float32{0.01}, nil, r.floats(out), true)
		x, y, grids, s := r.bytes(rows*in), make([]float32, rows*out), []Grid{{Scale: 0.1, Zero: 7, Max: 255}}, &Scratch{}
		benchmark(b, rows*out*in, func() { p.Dynamic(nil, y, x, rows, grids, s) })
	})
}

func BenchmarkStatic(b *testing.B) {
	benchmarkLayers(b, func(b *testing.B, e *Engine, r *random, out, in, rows int) {
		p := e.PackI8(r.int8s(out*in), out, in, r.scales(out), nil, r.floats(out), true).
			Requantize(Grid{Scale: 0.1, Zero: 7, Max: 255}, Grid{Scale: 30, Zero: 3, Max: 255})
		x, y, s := r.bytes(rows*in), make([]uint8, rows*out), &Scratch{}
		benchmark(b, rows*out*in, func() { p.Forward(nil, y, x, rows, s) })
	})
}

// BenchmarkSparse counts the multiply-adds of the elements that are stored: 20 a row of 14,816.
func BenchmarkSparse(b *testing.B) {
	const out, in, each = 512, 14816, 20
	for _, e := range Engines() {
		for _, rows := range []int{1, 64} {
			r := newRandom(1)
			start, index, value := r.sparse(rows, in, each)
			f, h, i8 := r.floats(out*in), r.halves(out*in), r.int8s(out*in)
			y, grids, s := make([]float32, rows*out), []Grid{{Scale: 0.1, Zero: 7, Max: 255}}, &Scratch{}
			p32, p16 := e.PackSparseF32(f, nil, out, in, true), e.PackSparseF16(h, nil, out, in, true)
			p8 := e.PackSparseI8(i8, out, in, []float32{0.01}, nil, nil, true)
			q := r.bytes(len(value))
			name := func(what string) string { return fmt.Sprintf("%s/%s/rows=%d", e.Name(), what, rows) }
			b.Run(name("float32"), func(b *testing.B) {
				benchmark(b, len(value)*out, func() { p32.Forward(nil, y, start, index, value, rows) })
			})
			b.Run(name("float16"), func(b *testing.B) {
				benchmark(b, len(value)*out, func() { p16.Forward(nil, y, start, index, value, rows) })
			})
			b.Run(name("int8"), func(b *testing.B) {
				benchmark(b, len(value)*out, func() { p8.Dynamic(nil, y, start, index, q, rows, grids, s) })
			})
		}
	}
}

// BenchmarkGemm counts all multiply-adds, those with zeros included, of the 1024 x 1024 layer at batch 64 with the given
// share of zeros in the left matrix.
func BenchmarkGemm(b *testing.B) {
	const batch, in, out = 64, 1024, 1024
	for _, e := range Engines() {
		for _, zeros := range []float64{0, 0.6} {
			r := newRandom(1)
			x, w, y := r.matrix(batch, in, zeros), r.matrix(in, out, 0), r.matrix(batch, out, zeros)
			dw, dx := NewMatrix(in, out), NewMatrix(batch, in)
			name := func(what string) string { return fmt.Sprintf("%s/%s/zeros=%g", e.Name(), what, zeros) }
			b.Run(name("NN"), func(b *testing.B) { benchmark(b, batch*in*out, func() { e.GemmNN(nil, y, x, w) }) })
			y = r.matrix(batch, out, zeros)
			b.Run(name("TN"), func(b *testing.B) { benchmark(b, batch*in*out, func() { e.GemmTN(nil, dw, x, y) }) })
			b.Run(name("NT"), func(b *testing.B) { benchmark(b, batch*in*out, func() { e.GemmNT(nil, dx, y, w) }) })
		}
	}
}

// BenchmarkAdam counts elements and steps: a step of a 1024 x 1024 layer, and steps that 512 weights have missed.
func BenchmarkAdam(b *testing.B) {
	const size, each = 1024, 512
	rates := &AdamRates{Mean: 0.1, Keep: 0.999, Square: 0.001, Epsilon: 1e-8}
	for _, e := range Engines() {
		r := newRandom(1)
		w, g, m, v := r.matrix(size, size, 0), r.matrix(size, size, 0), r.matrix(size, size, 0), r.matrix(size, size, 0)
		for i, x := range v.Data {
			v.Data[i] = x * x
		}
		step := AdamStep{Size: -0.001, Root: 0.9}
		b.Run(e.Name()+"/step", func(b *testing.B) {
			benchmark(b, size*size, func() {
				for i := range size {
					e.Adam(rates, step, w.Row(i), g.Row(i), m.Row(i), v.Row(i))
				}
			})
		})
		for _, missed := range []int{1, 10, 100} {
			steps, m2, v2 := slices.Repeat([]AdamStep{step}, missed), make([]float32, each), make([]float32, each)
			b.Run(fmt.Sprintf("%s/missed=%d", e.Name(), missed), func(b *testing.B) {
				benchmark(b, missed*each, func() {
					copy(m2, m.Row(0))
					copy(v2, v.Row(0))
					e.AdamIdle(rates, steps, w.Row(0)[:each], m2, v2)
				})
			})
		}
	}
}

func BenchmarkTeam(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprint("threads=", threads), func(b *testing.B) {
			t := NewTeam(threads)
			defer t.Close()
			for b.Loop() {
				t.Do(nothing{})
			}
		})
	}
}

type nothing struct{}

func (nothing) Run(part, parts int) {}
