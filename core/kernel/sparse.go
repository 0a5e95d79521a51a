package kernel

// Sparse rows are compressed as in nn.Batch: row r holds value[k] in column index[k] for start[r] <= k < start[r+1], columns
// ascending. A layer that reads them keeps its weights transposed, in x out, so that a row of inputs sums a few rows of
// weights.

// A SparseF32 is an F32 that reads sparse rows. On the portable engine it gives the same bits.
type SparseF32 struct {
	sparseLayer
	w []float32 // in x ld
}

// A SparseF16 is an F16 that reads sparse rows. On the portable engine it gives the same bits.
type SparseF16 struct {
	sparseLayer
	w []uint16 // in x ld
}

type sparseLayer struct {
	e           *Engine
	out, in, ld int
	bias        []float32 // nil for none
	relu        bool
}

// PackSparseF32 packs the weights w, out x in, and the bias, out elements or nil for none.
func (e *Engine) PackSparseF32(w, bias []float32, out, in int, relu bool) *SparseF32 {
	needShape("PackSparseF32", len(w), len(bias), out, in)
	p := &SparseF32{sparseLayer: sparseLayer{e, out, in, stride(out), append([]float32(nil), bias...), relu}}
	p.w = transposed(w, out, in, p.ld)
	return p
}

// PackSparseF16 packs the weights w, out x in, given as the bits of IEEE halves, and the bias, out elements or nil.
func (e *Engine) PackSparseF16(w []uint16, bias []float32, out, in int, relu bool) *SparseF16 {
	needShape("PackSparseF16", len(w), len(bias), out, in)
	p := &SparseF16{sparseLayer: sparseLayer{e, out, in, stride(out), append([]float32(nil), bias...), relu}}
	p.w = transposed(w, out, in, p.ld)
	return p
}

// stride returns the distance between rows of width elements of up to 4 bytes: at least a cache line more than the row, so that
// rows of a power of two don't all fall on the same cache sets, and reading one never waits for a store to another
// whose address has the same low 12 bits.
func stride(width int) int { return (width+15)&^15 + 16 }

// transposed returns the transpose of w, out x in, with rows ld apart.
func transposed[T any](w []T, out, in, ld int) []T {
	t := make([]T, in*ld)
	for o := range out {
		for k, v := range w[o*in : (o+1)*in] {
			t[k*ld+o] = v
		}
	}
	return t
}

// Forward writes y, rows x out, from sparse rows of in columns.
func (p *SparseF32) Forward(t *Team, y []float32, start, index []int32, value []float32, rows int) {
	p.run(t, sparseJob{w32: p.w, y: y, start: start, index: index, value: value, rows: rows})
}

// Forward writes y, rows x out, from sparse rows of in columns.
func (p *SparseF16) Forward(t *Team, y []float32, start, index []int32, value []float32, rows int) {
	p.run(t, sparseJob{w16: p.w, y: y, start: start, index: index, value: value, rows: rows})
}

func (p *sparseLayer) run(t *Team, job sparseJob) {
	if job.rows < 1 {
		return
	}
	need("sparse Forward", "y", len(job.y), job.rows*p.out)
	n := needSparse("sparse Forward", job.start, len(job.index), len(job.value), job.rows)
	job.p = p
	if t.solo(n * p.out) {
		job.Run(0, 1)
		return
	}
	t.sparse = job
	t.Do(&t.sparse)
	t.sparse = sparseJob{}
}

// needSparse panics unless start, index and value make that many sparse rows, and returns how many elements those hold.
func needSparse(op string, start []int32, indexes, values, rows int) int {
	need(op, "start", len(start), rows+1)
	need(op, "index", indexes, int(start[rows]))
	need(op, "value", values, int(start[rows]))
	return int(start[rows] - start[0])
}

// A sparseJob multiplies by w32 or w16.
type sparseJob struct {
	p            *sparseLayer
	w32          []float32
	w16          []uint16
	y            []float32
	start, index []int32
	value        []float32
	rows         int
}

func (j *sparseJob) Run(part, parts int) {
	p := j.p
	g := split(part, parts, j.rows, p.out, 16)
	if g.empty() {
		return
	}
	for r := g.r0; r < g.r1; r++ {
		y := j.y[r*p.out+g.lo : r*p.out+g.hi]
		index, value := j.index[j.start[r]:j.start[r+1]], j.value[j.start[r]:j.start[r+1]]
		clear(y)
		if j.w32 != nil {
			p.e.combineF32(y, j.w32[g.lo:], p.ld, index, value)
		} else {
			p.e.combineF16(y, j.w16[g.lo:], p.ld, index, value)
		}
		p.e.finish(y, biasOf(p.bias, g.lo, g.hi), p.relu)
	}
}

func addBias(y, bias []float32) {
	bias = bias[:len(y)]
	for o := range y {
		y[o] += bias[o]
	}
}
