package kernel

import (
	"encoding/binary"
	"fmt"
)

// A Scratch holds the int32 sums between a layer's products and its rounding. The zero value is ready to use; it grows
// as needed, so that a model which reserves its widest layer up front never allocates afterwards.
type Scratch struct{ acc []int32 }

// Reserve makes room for layers of up to width outputs and batches of up to rows.
func (s *Scratch) Reserve(rows, width int) {
	if n := rows * width; len(s.acc) < n {
		s.acc = make([]int32, n)
	}
}

// An I8 is a layer with int8 weights, for activations on unsigned 8-bit grids.
type I8 struct {
	e        *Engine
	product  intProduct
	fused    fusedProduct // product, if it is one and the weights have no zero points; or nil
	epilogue epilogue
	out, in  int
}

// PackI8 packs the weights' integers w, out x in. Their scales are one for all or one an output; their zero points nil for
// all zero, one or one an output; the bias out elements or nil for none.
func (e *Engine) PackI8(w []int8, out, in int, wscale []float32, wzero []int32, bias []float32, relu bool) *I8 {
	needShape("PackI8", len(w), len(bias), out, in)
	needScales("PackI8", len(wscale), len(wzero), out)
	p := &I8{e: e, product: e.packI8(w, out, in), epilogue: newEpilogue(w, out, in, wscale, wzero, bias, relu), out: out, in: in}
	if p.epilogue.wzero == nil {
		p.fused, _ = p.product.(fusedProduct)
	}
	return p
}

func needScales(op string, scales, zeros, out int) {
	if (scales != 1 && scales != out) || (zeros != 0 && zeros != 1 && zeros != out) {
		panic(fmt.Sprintf("kernel: %s: %d scales and %d zero points do not fit %d outputs", op, scales, zeros, out))
	}
}

func needGrids(op string, grids, rows int) {
	if grids != 1 && grids != rows {
		panic(fmt.Sprintf("kernel: %s: %d grids for %d rows, need one for all or one a row", op, grids, rows))
	}
}

// Accumulate writes the plain integer products acc = Σ x·w, rows x out, of x, rows x in. Zero points stay in.
func (p *I8) Accumulate(t *Team, acc []int32, x []uint8, rows int) {
	need("Accumulate", "acc", len(acc), rows*p.out)
	p.run(t, int8Job{acc: acc, x: x, rows: rows})
}

// Dynamic writes float outputs y, rows x out, from x, rows x in, quantized on one grid for all rows or one a row:
// y = corrected·(scale·wscale) + bias with a single rounding, then the ReLU.
func (p *I8) Dynamic(t *Team, y []float32, x []uint8, rows int, grids []Grid, s *Scratch) {
	need("Dynamic", "y", len(y), rows*p.out)
	needGrids("Dynamic", len(grids), rows)
	s.Reserve(rows, p.out)
	p.run(t, int8Job{acc: s.acc, x: x, rows: rows, y: y, grids: grids})
}

// Requantize fixes the grids of the layer's inputs and outputs.
func (p *I8) Requantize(in, out Grid) *Static { return &Static{p, p.epilogue.requantizer(in, out)} }

// A Static is an I8 between two fixed grids: integers in, integers out.
type Static struct {
	p *I8
	r requantizer
}

// Forward writes y, rows x out, from x, rows x in. They must not overlap. The ReLU clamps at the output's zero point.
func (p *Static) Forward(t *Team, y, x []uint8, rows int, s *Scratch) {
	need("Forward", "y", len(y), rows*p.p.out)
	s.Reserve(rows, p.p.out)
	p.p.run(t, int8Job{acc: s.acc, x: x, rows: rows, q: y, r: &p.r})
}

func (p *I8) run(t *Team, job int8Job) {
	if job.rows < 1 {
		return
	}
	need("int8 layer", "x", len(job.x), job.rows*p.in)
	job.p = p
	if t.solo(job.rows * p.out * p.in / 4) {
		job.Run(0, 1)
		return
	}
	t.int8 = job
	t.Do(&t.int8)
	t.int8 = int8Job{}
}

// An int8Job leaves its sums in acc and, where y or q is set, their dequantized or requantized values there.
type int8Job struct {
	p     *I8
	acc   []int32
	x     []uint8
	rows  int
	y     []float32 // dynamic
	grids []Grid
	q     []uint8 // static
	r     *requantizer
}

func (j *int8Job) Run(part, parts int) {
	p := j.p
	g := split(part, parts, j.rows, p.out, p.product.width())
	if g.empty() {
		return
	}
	y0, y1, x := g.r0*p.out, g.r1*p.out, j.x[g.r0*p.in:g.r1*p.in]
	switch {
	case p.fused != nil && j.q != nil:
		p.fused.static(j.q[y0:y1], x, g.r1-g.r0, g.lo, g.hi, j.r)
		return
	case p.fused != nil && j.y != nil && len(j.grids) == 1:
		p.fused.dynamic(j.y[y0:y1], x, g.r1-g.r0, g.lo, g.hi, &p.epilogue, j.grids[0])
		return
	}
	p.product.multiply(j.acc[y0:y1], x, g.r1-g.r0, g.lo, g.hi)
	if j.y == nil && j.q == nil {
		return
	}
	for r := g.r0; r < g.r1; r++ {
		var xsum int32
		if p.epilogue.wzero != nil {
			xsum = sum(j.x[r*p.in : (r+1)*p.in])
		}
		from, to := r*p.out+g.lo, r*p.out+g.hi
		if j.q != nil {
			p.e.requantizeSums(j.r, j.q[from:to], j.acc[from:to], g.lo, xsum)
		} else {
			p.e.dequantizeSums(&p.epilogue, j.y[from:to], j.acc[from:to], g.lo, xsum, gridOf(j.grids, r))
		}
	}
}

// gridOf returns row r's grid of one for all or one a row.
func gridOf(grids []Grid, r int) Grid {
	if len(grids) == 1 {
		return grids[0]
	}
	return grids[r]
}

// sum adds up 8 elements at a time, two in each 16 bits of lanes. Those have room for 128 times two.
func sum(x []uint8) int32 {
	const even = 0x00FF00FF00FF00FF
	var s int32
	for len(x) >= 8 {
		block := x[:min(len(x), 128*8)&^7]
		x = x[len(block):]
		var lanes uint64
		for ; len(block) >= 8; block = block[8:] {
			v := binary.LittleEndian.Uint64(block)
			lanes += v&even + v>>8&even
		}
		s += int32(lanes&0xFFFF + lanes>>16&0xFFFF + lanes>>32&0xFFFF + lanes>>48)
	}
	for _, v := range x {
		s += int32(v)
	}
	return s
}
