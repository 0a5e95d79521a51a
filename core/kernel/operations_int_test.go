package kernel

import (
	"fmt"
	"math"
)

// The operations on integers, and on what becomes integers. All are exact.

// intData are the arguments of an int8 layer.
type intData struct {
	rows, out, in int
	x             []uint8
	w             []int8
	wscale        []float32
	wzero         []int32
	bias          []float32
	relu          bool
	grids         []Grid // one, or one a row
	to            Grid
}

func (r *random) intData(rows, out, in int) intData {
	most := 127 + 128*r.IntN(2)
	d := intData{rows: rows, out: out, in: in, w: r.weights(out * in), x: r.activations(rows*in, most), bias: r.bias(out), relu: r.IntN(2) == 0}
	d.grids = r.gridsTo([]int{1, max(rows, 1)}[r.IntN(2)], most)
	d.to = r.gridsTo(1, 127+128*r.IntN(2))[0]
	d.wscale = r.scales([]int{1, out}[r.IntN(2)])
	if n := []int{0, 0, 0, 1, out}[r.IntN(5)]; n > 0 {
		d.wzero = r.zeros(n)
	}
	// Sums spread over the grid of the outputs, so that few of them are clamped.
	d.to.Scale = 0.1 * d.grids[0].Scale * d.wscale[0] * float32(math.Sqrt(float64(in))) * 64
	if r.IntN(2) == 0 { // powers of two make ties
		d.grids[0].Scale, d.to.Scale = 0x1p-4, float32(math.Ldexp(1, r.IntN(12)-8))
		for i := range d.wscale {
			d.wscale[i] = float32(math.Ldexp(1, -r.IntN(8)))
		}
		for i := range d.bias {
			d.bias[i] = float32(r.IntN(64)-32) / 64
		}
	}
	if d.bias != nil && r.IntN(2) == 0 {
		for range 1 + out/8 {
			d.bias[r.IntN(out)] = float32([]float64{math.NaN(), math.NaN(), math.Inf(1), math.Inf(-1), 1e30, -1e30}[r.IntN(6)])
		}
	}
	return d
}

// activations returns integers up to most: any, none above 127, only one above 127, or all the largest.
func (r *random) activations(n, most int) []uint8 {
	kind := r.IntN(6)
	x := fill(n, func() uint8 {
		switch kind {
		case 0:
			return uint8(most)
		case 1:
			return 127
		case 2, 3:
			return uint8(r.IntN(128))
		}
		return uint8(r.IntN(most + 1))
	})
	if kind == 2 && n > 0 {
		x[r.IntN(n)] = uint8(most)
	}
	return x
}

// weights returns any integers, the two extremes, or one of them.
func (r *random) weights(n int) []int8 {
	kind := r.IntN(5)
	return fill(n, func() int8 {
		switch kind {
		case 0:
			return -128
		case 1:
			return 127
		case 2:
			return int8(r.IntN(2)*255 - 128)
		}
		return int8(r.IntN(256) - 128)
	})
}

func (r *random) gridsTo(n, most int) []Grid {
	return fill(n, func() Grid {
		return Grid{Scale: 0.01 + r.Float32()/10, Zero: int32(r.IntN(most + 1)), Min: int32(r.IntN(4) / 3 * r.IntN(20)), Max: int32(most)}
	})
}

func (d *intData) name(kind string) string {
	return fmt.Sprintf("%s, %d rows of %d x %d, %d grids, %d weight scales, %d zero points", kind, d.rows, d.out, d.in, len(d.grids), len(d.wscale), len(d.wzero))
}

func (d *intData) pack(e *Engine, a *arena) *I8 {
	return e.PackI8(input(a, "w", d.w), d.out, d.in, input(a, "wscale", d.wscale), input(a, "wzero", d.wzero), input(a, "bias", d.bias), d.relu)
}

func (d *intData) scratch(a *arena) *Scratch { return &Scratch{output[int32](a, "sums", d.rows*d.out)} }

func intOperations(r *random, rows, out, in int) []operation {
	d := r.intData(rows, out, in)
	return []operation{
		{name: d.name("Accumulate"), exact: true, call: func(e *Engine, a *arena) outputs {
			p, acc := d.pack(e, a), output[int32](a, "acc", rows*out)
			relocate(a, p)
			p.Accumulate(nil, acc, input(a, "x", d.x), rows)
			return outputs{ints: acc}
		}},
		{name: d.name("Dynamic"), exact: true, call: func(e *Engine, a *arena) outputs {
			p, y := d.pack(e, a), output[float32](a, "y", rows*out)
			relocate(a, p)
			p.Dynamic(nil, y, input(a, "x", d.x), rows, input(a, "grids", d.grids), d.scratch(a))
			return outputs{floats: y}
		}},
		{name: d.name("Static"), exact: true, call: func(e *Engine, a *arena) outputs {
			p, y := d.pack(e, a).Requantize(d.grids[0], d.to), output[uint8](a, "y", rows*out)
			relocate(a, p)
			p.Forward(nil, y, input(a, "x", d.x), rows, d.scratch(a))
			return outputs{bytes: y}
		}},
	}
}

func sparseIntOperations(r *random, s sparseRows, rows, out, in int) []operation {
	d := r.intData(rows, out, in)
	value := r.activations(len(s.value), int(d.grids[0].Max))
	place := func(a *arena) (start, index []int32, v []uint8) {
		return input(a, "start", s.start), input(a, "index", s.index), input(a, "value", value)
	}
	pack := func(e *Engine, a *arena) *SparseI8 {
		return e.PackSparseI8(input(a, "w", d.w), out, in, input(a, "wscale", d.wscale), input(a, "wzero", d.wzero), input(a, "bias", d.bias), d.relu)
	}
	return []operation{
		{name: d.name("sparse Dynamic"), exact: true, call: func(e *Engine, a *arena) outputs {
			p, y := pack(e, a), output[float32](a, "y", rows*out)
			relocate(a, p)
			start, index, value := place(a)
			p.Dynamic(nil, y, start, index, value, rows, input(a, "grids", d.grids), d.scratch(a))
			return outputs{floats: y}
		}},
		{name: d.name("sparse Static"), exact: true, call: func(e *Engine, a *arena) outputs {
			p, y := pack(e, a).Requantize(d.grids[0], d.to), output[uint8](a, "y", rows*out)
			relocate(a, p)
			start, index, value := place(a)
			p.Forward(nil, y, start, index, value, rows, d.scratch(a))
			return outputs{bytes: y}
		}},
	}
}

// elementwiseOperations are what happens to n activations before and after a product.
func elementwiseOperations(r *random, n int) []operation {
	g := r.gridsTo(1, 127+128*r.IntN(2))[0]
	switch r.IntN(4) {
	case 0:
		g.Scale = float32(math.Ldexp(1, r.IntN(20)-10))
	case 1: // the reciprocal may be zero, infinite or subnormal
		g.Scale = math.Float32frombits(uint32(r.IntN(0x7F800001)))
	}
	x, q := awkward(r.Rand, n, g.Scale), r.bytes(n)
	if r.IntN(3) == 0 {
		x = r.wildFloats(n)
	}
	name := func(kind string) string { return fmt.Sprintf("%s, %d numbers on %+v", kind, n, g) }
	quantized := func(kind string, quantize func(e *Engine, dst []uint8, x []float32, g Grid)) operation {
		return operation{name: name(kind), exact: true, call: func(e *Engine, a *arena) outputs {
			dst := output[uint8](a, "dst", n)
			quantize(e, dst, input(a, "x", x), g)
			return outputs{bytes: dst}
		}}
	}
	return []operation{
		quantized("Quantize", (*Engine).Quantize),
		quantized("QuantizeDynamic", (*Engine).QuantizeDynamic),
		{name: name("Dequantize"), exact: true, call: func(e *Engine, a *arena) outputs {
			dst := output[float32](a, "dst", n)
			e.Dequantize(dst, input(a, "x", q), g)
			return outputs{floats: dst}
		}},
		{name: name("Range"), exact: true, call: func(e *Engine, a *arena) outputs {
			lo, hi := e.Range(input(a, "x", x))
			return outputs{floats: []float32{lo + 0, hi + 0}} // the sign of a zero may be either
		}},
	}
}

// rowOperations are the entries of an engine that work on a row of n outputs.
func rowOperations(r *random, n, depth int) []operation {
	s, ld, from, zero := r.sparseRows(1, depth, r.IntN(depth+1)), n+r.IntN(20), r.IntN(20), int32(r.IntN(256))
	y, bias, w, h, relu := r.values(n), r.bias(n), r.values((depth-1)*ld+n), r.halfValues((depth-1)*ld+n), r.IntN(2) == 0
	w8, value := r.weights((depth-1)*ld+n), r.activations(len(s.index), 255)
	acc := fill(n, func() int32 { return int32(r.Uint32()) >> r.IntN(32) })
	d, xsum := r.intData(1, from+n, 3), int32(r.IntN(1<<23))
	name := func(kind string) string {
		return fmt.Sprintf("%s, %d outputs, %d inputs, from %d", kind, n, len(s.index), from)
	}
	combined := func(w []float32) func() (y, bound []float64) {
		return func() ([]float64, []float64) {
			return exactSums(1, n, depth, y, false, func(_, o int, add func(x, w float32)) {
				s.terms(0, func(k int, v float32) { add(v, w[k*ld+o]) })
			})
		}
	}
	return []operation{
		{name: name("combineF32"), call: func(e *Engine, a *arena) outputs {
			s, y := s.place(a), placedCopy(a, "y", y)
			e.combineF32(y, input(a, "w", w), ld, s.index, s.value)
			return outputs{floats: y}
		}, want: combined(w)},
		{name: name("combineF16"), call: func(e *Engine, a *arena) outputs {
			s, y := s.place(a), placedCopy(a, "y", y)
			e.combineF16(y, input(a, "w", h), ld, s.index, s.value)
			return outputs{floats: y}
		}, want: combined(widened(h))},
		{name: name("combineI8"), exact: true, call: func(e *Engine, a *arena) outputs {
			acc := placedCopy(a, "acc", acc)
			e.combineI8(acc, input(a, "w", w8), ld, input(a, "index", s.index), input(a, "value", value), zero)
			return outputs{ints: acc}
		}},
		{name: name("finish"), exact: true, call: func(e *Engine, a *arena) outputs {
			y := placedCopy(a, "y", y)
			e.finish(y, input(a, "bias", bias), relu)
			return outputs{floats: y}
		}},
		{name: name("dequantizeSums"), exact: true, call: func(e *Engine, a *arena) outputs {
			p, y := newEpilogue(d.w, d.out, d.in, d.wscale, d.wzero, d.bias, d.relu), output[float32](a, "y", n)
			relocate(a, &p)
			e.dequantizeSums(&p, y, input(a, "acc", acc), from, xsum, d.grids[0])
			return outputs{floats: y}
		}},
		{name: name("requantizeSums"), exact: true, call: func(e *Engine, a *arena) outputs {
			p, y := newEpilogue(d.w, d.out, d.in, d.wscale, d.wzero, d.bias, d.relu), output[uint8](a, "y", n)
			q := p.requantizer(d.grids[0], d.to)
			relocate(a, &q)
			e.requantizeSums(&q, y, input(a, "acc", acc), from, xsum)
			return outputs{bytes: y}
		}},
	}
}

// placedCopy returns a copy of s to write to.
func placedCopy[T any](a *arena, name string, s []T) []T {
	p := output[T](a, name, len(s))
	copy(p, s)
	return p
}
