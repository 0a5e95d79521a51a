package kernel

// A SparseI8 is an I8 that reads sparse rows: an element that a row leaves out is the real 0, whose integer is the grid's
// zero point. It gives the same integers as the dense layer.
type SparseI8 struct {
	e        *Engine
	w        []int8 // in x ld
	epilogue epilogue
	out, ld  int
}

// PackSparseI8 packs a layer; its arguments are PackI8's.
func (e *Engine) PackSparseI8(w []int8, out, in int, wscale []float32, wzero []int32, bias []float32, relu bool) *SparseI8 {
	needShape("PackSparseI8", len(w), len(bias), out, in)
	needScales("PackSparseI8", len(wscale), len(wzero), out)
	ld := stride(out)
	return &SparseI8{e, transposed(w, out, in, ld), newEpilogue(w, out, in, wscale, wzero, bias, relu), out, ld}
}

// Dynamic writes float outputs y, rows x out, from sparse rows whose values are quantized on one grid for all rows or one
// a row.
func (p *SparseI8) Dynamic(t *Team, y []float32, start, index []int32, value []uint8, rows int, grids []Grid, s *Scratch) {
	need("sparse Dynamic", "y", len(y), rows*p.out)
	needGrids("sparse Dynamic", len(grids), rows)
	s.Reserve(rows, p.out)
	p.run(t, sparseInt8Job{acc: s.acc, start: start, index: index, value: value, rows: rows, y: y, grids: grids})
}

// Requantize fixes the grids of the layer's inputs and outputs.
func (p *SparseI8) Requantize(in, out Grid) *SparseStatic {
	return &SparseStatic{p, in.Zero, p.epilogue.requantizer(Grid{Scale: in.Scale}, out)} // see Run
}

// A SparseStatic is a SparseI8 between two fixed grids.
type SparseStatic struct {
	p    *SparseI8
	zero int32 // of the inputs
	r    requantizer
}

// Forward writes y, rows x out, from sparse rows whose values are quantized on the input's grid.
func (p *SparseStatic) Forward(t *Team, y []uint8, start, index []int32, value []uint8, rows int, s *Scratch) {
	need("sparse Forward", "y", len(y), rows*p.p.out)
	s.Reserve(rows, p.p.out)
	p.p.run(t, sparseInt8Job{acc: s.acc, start: start, index: index, value: value, rows: rows, q: y, zero: p.zero, r: &p.r})
}

func (p *SparseI8) run(t *Team, job sparseInt8Job) {
	if job.rows < 1 {
		return
	}
	n := needSparse("sparse int8 layer", job.start, len(job.index), len(job.value), job.rows)
	job.p = p
	if t.solo(n * p.out) {
		job.Run(0, 1)
		return
	}
	t.sparseInt8 = job
	t.Do(&t.sparseInt8)
	t.sparseInt8 = sparseInt8Job{}
}

type sparseInt8Job struct {
	p            *SparseI8
	acc          []int32
	start, index []int32
	value        []uint8
	rows         int
	y            []float32 // dynamic
	grids        []Grid
	q            []uint8 // static
	zero         int32
	r            *requantizer
}

func (j *sparseInt8Job) Run(part, parts int) {
	p := j.p
	g := split(part, parts, j.rows, p.out, 16)
	if g.empty() {
		return
	}
	for r := g.r0; r < g.r1; r++ {
		index, value := j.index[j.start[r]:j.start[r+1]], j.value[j.start[r]:j.start[r+1]]
		grid := Grid{Zero: j.zero}
		if j.q == nil {
			grid = gridOf(j.grids, r)
		}
		// All elements but those stored equal the zero point, so Σ (xq-zx)·wq is a sum over the stored ones. What is
		// left for the epilogue to remove are the weights' zero points, as if the activations' were 0.
		from, to := r*p.out+g.lo, r*p.out+g.hi
		acc := j.acc[from:to]
		clear(acc)
		p.e.combineI8(acc, p.w[g.lo:], p.ld, index, value, grid.Zero)
		var xsum int32
		if p.epilogue.wzero != nil {
			xsum = sum(value) - int32(len(value))*grid.Zero
		}
		if j.q != nil {
			p.e.requantizeSums(j.r, j.q[from:to], acc, g.lo, xsum)
		} else {
			p.e.dequantizeSums(&p.epilogue, j.y[from:to], acc, g.lo, xsum, Grid{Scale: grid.Scale})
		}
	}
}
