package kernel

import (
	"fmt"
	"math"
	"math/bits"
)

// The products of training in mixed precision: of matrices of a low type, both of the same one, summed in float32. They are
// those of GemmNN, GemmTN and GemmNT in every other respect, and all engines give the same bits, for every number of threads.
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
// where flush(x) is 0 if |x| < 2^-126, after x has been rounded to 24 bits, and else x; a sum of -0 is given as 0. This order was
// found out on processors of AMD; it is that of the Intel Architecture Instruction Set Extensions Programming Reference, too, whose
// description of VDPBF16PS says of the rest that it rounds to nearest even and flushes subnormals before and after. The product of
// two bfloat16 has 16 significant bits. So where neither it nor a sum can be subnormal or overflow, fma is a multiplication and an
// addition of float32.
//
// Half products are exact in float32, subnormal halves included, and added in ascending order:
//
//	s := float32(0)
//	for p := range k {
//		s += float32(a[p]) * float32(b[p])
//	}
//	c = s

// GemmNNLow writes C = A·B. C is m x n, A m x k and B k x n.
func (e *Engine) GemmNNLow(t *Team, c Matrix, a, b LowMatrix) {
	needLows("GemmNNLow", c, a, b, a.Rows == c.Rows && a.Cols == b.Rows && b.Cols == c.Cols)
	e.runLow(t, lowJob{kind: gemmNN, c: c, a: a, b: b, depth: a.Cols})
}

// GemmTNLow writes C = Aᵀ·B. C is m x n, A k x m and B k x n.
func (e *Engine) GemmTNLow(t *Team, c Matrix, a, b LowMatrix) {
	needLows("GemmTNLow", c, a, b, a.Cols == c.Rows && a.Rows == b.Rows && b.Cols == c.Cols)
	e.runLow(t, lowJob{kind: gemmTN, c: c, a: a, b: b, depth: a.Rows})
}

// GemmNTLow writes C = A·Bᵀ. C is m x n, A m x k and B n x k.
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

// emulate computes a product in float32.
func (j *lowJob) emulate(t *Team) {
	s := j.s
	way := plain
	if !j.e.gemmFlushes {
		way = j.choose(t)
	}
	j.scale = 1
	if way == scaled {
		j.scale = operandScale
	}
	s.a, s.b = s.a.resized(j.a.Rows, j.a.Cols), s.b.resized(j.b.Rows, j.b.Cols)
	j.do(t, (*lowJob).raise)
	job := gemmJob{kind: j.kind, c: j.c, a: s.a, b: s.b, flush: j.a.Type == BFloat16}
	switch way {
	case scaled:
		job.combine = combineScaled
	case careful:
		job.combine, job.zeros = combineCarefully, true
	}
	j.e.runGemm(t, job, j.c.Rows*j.c.Cols*j.depth)
	if way == scaled {
		j.do(t, (*lowJob).unscale)
	}
}

// A way to compute the defined bits of a product in float32.
type way int

const (
	plain   way = iota // the float32 product
	scaled             // see combineScaled
	careful            // see combineCarefully
)

// resized returns a matrix of that shape, in m's memory if it suffices.
func (m Matrix) resized(rows, cols int) Matrix {
	ld := stride(cols)
	if cap(m.Data) < rows*ld {
		return NewMatrix(rows, cols)
	}
	return Matrix{m.Data[:rows*ld], rows, cols, ld}
}

// A span is the least and the greatest magnitude of some elements, as their bits, zeros and subnormals of bfloat16 left out.
type span struct{ least, greatest uint16 }

func (s span) union(r span) span { return span{min(s.least, r.least), max(s.greatest, r.greatest)} }

// spanOf returns the span of the rows from r0 to r1-1.
func (m LowMatrix) spanOf(r0, r1 int) span {
	zero := uint16(1)
	if m.Type == BFloat16 {
		zero = 1 << 7 // of the first exponent, that of subnormals
	}
	s := span{least: math.MaxInt16}
	for i := r0; i < r1; i++ {
		for _, h := range m.Row(i) {
			if h &= math.MaxInt16; h >= zero {
				s = span{min(s.least, h), max(s.greatest, h)}
			}
		}
	}
	return s
}

// choose returns the fastest way. Float32 products, which may leave out zeros of the left matrix and round products and sums apart,
// give the defined bits if there is no infinity or NaN, no product overflows, and all are multiples of 2^-126, as their sums are
// then. Scaled ones do if there is no infinity or NaN and nothing overflows that is scaled.
func (j *lowJob) choose(t *Team) way {
	j.do(t, func(j *lowJob, part, parts int) {
		s := &j.s.blocks[part]
		s.a = j.a.spanOf(j.a.Rows*part/parts, j.a.Rows*(part+1)/parts)
		s.b = j.b.spanOf(j.b.Rows*part/parts, j.b.Rows*(part+1)/parts)
	})
	a, b := j.s.blocks[0].a, j.s.blocks[0].b
	for _, s := range j.s.blocks[1:] {
		a, b = a.union(s.a), b.union(s.b)
	}
	if j.a.Type == Half {
		if max(a.greatest, b.greatest) < 0x7C00 {
			return plain
		}
		return careful
	}
	const bias = 127
	least := int(a.least>>7) + int(b.least>>7) - 2*bias
	greatest := int(a.greatest>>7) + int(b.greatest>>7) - 2*bias
	switch {
	case max(a.greatest, b.greatest) >= 0x7F80:
	case least-2*7 >= -126 && greatest+2 <= 128:
		return plain
	case max(a.greatest, b.greatest)>>7-bias < 127-32 && greatest+2+2*32+bits.Len(uint(j.depth)) < 127:
		return scaled
	}
	return careful
}

// partner returns the place of input k in the order in which products are added.
func (j *lowJob) partner(k int) int {
	if j.a.Type == BFloat16 && k^1 < j.depth {
		return k ^ 1
	}
	return k
}

// raise writes the matrices in float32, their inputs in the order of addition and bfloat16's subnormals as zeros, but where gemm
// flushes them anyway.
func (j *lowJob) raise(part, parts int) {
	for i := j.a.Rows * part / parts; i < j.a.Rows*(part+1)/parts; i++ {
		j.raiseRow(j.s.a, j.a, i, j.kind == gemmTN)
	}
	for i := j.b.Rows * part / parts; i < j.b.Rows*(part+1)/parts; i++ {
		j.raiseRow(j.s.b, j.b, i, j.kind != gemmNT)
	}
}

// raiseRow raises row i of m, which holds an input, or else one of every input.
func (j *lowJob) raiseRow(dst Matrix, m LowMatrix, i int, input bool) {
	to := i
	if input {
		to = j.partner(i)
	}
	row := dst.Row(to)
	j.e.raise[m.Type](row, m.Row(i))
	if m.Type == Half {
		return
	}
	if !j.e.gemmFlushes {
		for k, v := range row {
			row[k] = flushed(v) * j.scale
		}
	}
	if !input {
		for k := 1; k < len(row); k += 2 {
			row[k-1], row[k] = row[k], row[k-1]
		}
	}
}

const leastNormal = 0x1p-126

// flushed returns v, but 0 for what is subnormal.
func flushed(v float32) float32 {
	if v < leastNormal && v > -leastNormal {
		return 0
	}
	return v
}

// Scaled products are those of factors times 2^32. What is to be flushed is normal then, and rounded to 24 bits: see combineScaled.
const (
	operandScale = 0x1p32
	leastScaled  = leastNormal * operandScale * operandScale
)

// unscale ends scaled products.
func (j *lowJob) unscale(part, parts int) {
	for i := j.c.Rows * part / parts; i < j.c.Rows*(part+1)/parts; i++ {
		row := j.c.Row(i)
		for k := range row {
			row[k] *= 1 / (operandScale * operandScale)
		}
	}
}

// combineScaled is combineF32 with sums flushed that are below leastScaled. A product may itself be subnormal and inexact; then it is
// less than a quarter of the last place of any sum that isn't 0, which stays as it is, and flushed if the sum is 0.
func combineScaled(y, w []float32, ld int, index []int32, value []float32) {
	n := len(y)
	for len(index) >= 4 {
		w0, w1, w2, w3 := w[int(index[0])*ld:][:n], w[int(index[1])*ld:][:n], w[int(index[2])*ld:][:n], w[int(index[3])*ld:][:n]
		v0, v1, v2, v3 := value[0], value[1], value[2], value[3]
		for j, s := range y {
			s = flushScaled(s + float32(v0*w0[j]))
			s = flushScaled(s + float32(v1*w1[j]))
			s = flushScaled(s + float32(v2*w2[j]))
			y[j] = flushScaled(s + float32(v3*w3[j]))
		}
		index, value = index[4:], value[4:]
	}
	for k, i := range index {
		row, v := w[int(i)*ld:][:n], value[k]
		for j, s := range y {
			y[j] = flushScaled(s + float32(v*row[j]))
		}
	}
}

// flushScaled has no branch: whether v is small can't be predicted.
func flushScaled(v float32) float32 {
	b := math.Float32bits(v)
	kept := b
	if b<<1 < math.Float32bits(leastScaled)<<1 {
		kept = 0
	}
	return math.Float32frombits(kept)
}

// combineCarefully is combineF32 with y = flush(fma(v, w, y)) for any numbers. In float64 the product is exact.
func combineCarefully(y, w []float32, ld int, index []int32, value []float32) {
	for k, i := range index {
		row, v := w[int(i)*ld:][:len(y)], float64(value[k])
		for j, s := range y {
			p := v * float64(row[j])
			sum := p + float64(s)
			if onTie(sum) || sum < leastNormal && sum > -leastNormal && sum != 0 {
				sum = settled(p, float64(s), sum)
			}
			y[j] = float32(sum)
		}
	}
}

// settled returns what rounds to flush(p+s) given sum, that sum rounded to float64. Numbers from 2^-126 - 2^-151 on are 2^-126
// when rounded to 24 bits.
func settled(p, s, sum float64) float64 {
	if onTie(sum) {
		sum = offTie(p, s, sum)
	}
	if math.Abs(sum) < leastNormal-0x1p-151 {
		return 0
	}
	return sum
}
