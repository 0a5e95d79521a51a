package kernel

import "fmt"

// GemmNNLow writes C = A·B, as GemmNN does, of matrices that are both of one low type, summed in float32. C is m x n, A m x k and
// B k x n. All engines give the same bits, for every number of threads.
//
// Bfloat16 products are what VDPBF16PS computes, which adds the products of a pair one after the other, the second one first, each
// in a fused multiply-add. It takes subnormal numbers for zeros and leaves none:
//
//	s := float32(0)
//	for p := 0; p < k; p += 2 {
//		if p+1 < k {
//			s = flush(fma(flush(a[p+1]), flush(b[p+1]), s))
//		}
//		s = flush(fma(flush(a[p]), flush(b[p]), s))
//	}
//	c = s
//
// where flush(x) is 0 if |x| < 2^-126, after x has been rounded to 24 bits, and else x; a sum of -0 is given as 0. So says Intel's
// Software Developer's Manual of VDPBF16PS, which rounds each of the two steps to nearest even and flushes subnormals before and
// after them, and so do AMD's processors, as the tests find. The product of two bfloat16 has 16 significant bits: where neither it
// nor a sum can be subnormal or overflow, fma is a multiplication and an addition of float32.
//
// Half products are exact in float32, subnormal halves included, and added in ascending order:
//
//	s := float32(0)
//	for p := range k {
//		s += float32(a[p]) * float32(b[p])
//	}
//	c = s
func (e *Engine) GemmNNLow(t *Team, c Matrix, a, b LowMatrix) {
	needLows("GemmNNLow", c, a, b, a.Rows == c.Rows && a.Cols == b.Rows && b.Cols == c.Cols)
	e.runLow(t, lowJob{kind: gemmNN, c: c, a: a, b: b, depth: a.Cols})
}

// GemmTNLow writes C = Aᵀ·B, with the sums of GemmNNLow. C is m x n, A k x m and B k x n.
func (e *Engine) GemmTNLow(t *Team, c Matrix, a, b LowMatrix) {
	needLows("GemmTNLow", c, a, b, a.Cols == c.Rows && a.Rows == b.Rows && b.Cols == c.Cols)
	e.runLow(t, lowJob{kind: gemmTN, c: c, a: a, b: b, depth: a.Rows})
}

// GemmNTLow writes C = A·Bᵀ, likewise. C is m x n, A m x k and B n x k.
func (e *Engine) GemmNTLow(t *Team, c Matrix, a, b LowMatrix) {
	needLows("GemmNTLow", c, a, b, a.Rows == c.Rows && a.Cols == b.Cols && b.Rows == c.Cols)
	e.runLow(t, lowJob{kind: gemmNT, c: c, a: a, b: b, depth: a.Cols})
}

// LowEmulated reports whether products of that type are computed with float32 instructions, for want of others: with the same
// bits, but no faster.
func (e *Engine) LowEmulated(t LowType) bool { return e.gemmLow[t] == nil }

func needLows(op string, c Matrix, a, b LowMatrix, fit bool) {
	if !fit {
		panic(fmt.Sprintf("kernel: %s: shapes %d x %d, %d x %d and %d x %d do not fit", op, c.Rows, c.Cols, a.Rows, a.Cols, b.Rows, b.Cols))
	}
	if a.Type != b.Type {
		panic(fmt.Sprintf("kernel: %s: a matrix of %v does not fit one of %v", op, a.Type, b.Type))
	}
	needMatrix(op, c)
	needLow(op, a)
	needLow(op, b)
}

// A lowJob is a product of low matrices. Emulated it is a job of several steps, each of which the team shares.
type lowJob struct {
	e           *Engine
	step        func(j *lowJob, part, parts int)
	kind, depth int
	c           Matrix
	a, b        LowMatrix
	scale       float32 // of raised factors
	s           *lowScratch
}

func (j *lowJob) Run(part, parts int) { j.step(j, part, parts) }

// A lowScratch is what a team keeps for products of low matrices.
type lowScratch struct {
	blocks []lowBlock // one a part
	a, b   Matrix     // the matrices in float32
}

// A lowBlock is a thread's scratch.
type lowBlock struct {
	a, b        span
	left, right []float32 // what is packed
	whole       []uint16
}

func (e *Engine) runLow(t *Team, job lowJob) {
	if t == nil {
		t = &Team{}
	}
	job.e, job.s = e, &t.lowScratch
	if job.s.blocks == nil {
		job.s.blocks = make([]lowBlock, t.Threads())
	}
	t.low = job
	if step := e.gemmLow[job.a.Type]; step != nil {
		t.low.do(t, step)
	} else {
		t.low.emulate(t)
	}
	t.low = lowJob{}
}

func (j *lowJob) do(t *Team, step func(j *lowJob, part, parts int)) {
	j.step = step
	if t.solo(j.c.Rows * j.c.Cols * j.depth) {
		j.Run(0, 1)
	} else {
		t.Do(j)
	}
}
