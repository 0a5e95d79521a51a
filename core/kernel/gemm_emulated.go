package kernel

import (
	"math"
	"math/bits"
)

// emulate computes a product in float32.
func (j *lowJob) emulate(t *Team) {
	s := j.s
	way := plain
	if !j.e.gemmFlushes {
		way = j.fastest(t)
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

// Ways to compute the defined bits of a product in float32.
const (
	plain   = iota // the float32 product
	scaled         // see combineScaled
	careful        // see combineCarefully
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

var noSpan = span{least: math.MaxInt16}

func (s span) union(r span) span { return span{min(s.least, r.least), max(s.greatest, r.greatest)} }

// spanOf returns the span of the rows from r0 to r1-1.
func (m LowMatrix) spanOf(r0, r1 int) span {
	zero := uint16(1)
	if m.Type == BFloat16 {
		zero = 1 << 7 // of the first exponent, that of subnormals
	}
	s := noSpan
	for i := r0; i < r1; i++ {
		for _, h := range m.Row(i) {
			if h &= math.MaxInt16; h >= zero {
				s = span{min(s.least, h), max(s.greatest, h)}
			}
		}
	}
	return s
}

// fastest returns the fastest way. Float32 products, which may leave out zeros of the left matrix and round products and sums apart,
// give the defined bits if there is no infinity or NaN, no product overflows, and all are multiples of 2^-126, as their sums are
// then. Scaled ones do if there is no infinity or NaN and nothing overflows that is scaled.
func (j *lowJob) fastest(t *Team) int {
	for i := range j.s.blocks {
		j.s.blocks[i].a, j.s.blocks[i].b = noSpan, noSpan // of parts that nobody is given
	}
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
	least, greatest := exponent(a.least)+exponent(b.least), exponent(a.greatest)+exponent(b.greatest)
	switch {
	case max(a.greatest, b.greatest) >= 0x7F80:
	case least-2*7 >= -126 && greatest+2 <= 128:
		return plain
	case exponent(max(a.greatest, b.greatest))+32 <= 127 && greatest+2+2*32+bits.Len(uint(j.depth)) <= 127:
		return scaled
	}
	return careful
}

// exponent returns that of the magnitude of a bfloat16.
func exponent(h uint16) int { return int(h>>7) - 127 }

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
