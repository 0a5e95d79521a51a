//go:build !purego

package kernel

import "unsafe"

// passElements is how many elements a call of assembly passes over, which takes well under a millisecond.
const passElements = 1 << 20

// inPasses calls f for a part of x at a time.
func inPasses[D, X any](f func(dst []D, x []X, g Grid)) func(dst []D, x []X, g Grid) {
	return func(dst []D, x []X, g Grid) {
		for len(x) > passElements {
			f(dst[:passElements], x[:passElements], g)
			dst, x = dst[passElements:], x[passElements:]
		}
		f(dst, x, g)
	}
}

// rangeInPasses does the same for a range.
func rangeInPasses(f func(x []float32) (lo, hi float32)) func(x []float32) (lo, hi float32) {
	return func(x []float32) (lo, hi float32) {
		lo, hi = f(x[:min(len(x), passElements)])
		for len(x) > passElements {
			x = x[passElements:]
			l, h := f(x[:min(len(x), passElements)])
			lo, hi = min(lo, l), max(hi, h)
		}
		return lo, hi
	}
}

// row sets up an intRow of the outputs from, from+1, … of one row, without what is particular to what they become.
func (p *epilogue) row(y []float32, acc []int32, from int, xsum int32, g Grid) intRow {
	n := len(acc)
	r := intRow{
		y: unsafe.Pointer(&y[:n][0]), acc: &acc[0], n: uintptr(n),
		offset: &p.wsum[from:][:n][0], scale: &p.wscale[from:][:n][0], bias: &p.bias[from:][:n][0],
		factor: -g.Zero, gscale: g.Scale, lo: floor(p.relu),
	}
	if p.wzero != nil {
		r.wzero, r.shift = &p.wzero[from:][:n][0], int32(p.in)*g.Zero-xsum
	}
	return r
}

// row is the same for what becomes integers.
func (q *requantizer) row(y []uint8, acc []int32, from int, xsum int32) intRow {
	n := len(acc)
	r := intRow{
		y: unsafe.Pointer(&y[:n][0]), acc: &acc[0], n: uintptr(n),
		offset: &q.offset[from:][:n][0], scale: &q.mult[from:][:n][0], bias: &q.bias[from:][:n][0], factor: -1,
	}
	r.zero, r.lo, r.hi = byteRange(q.zero, q.lo, q.hi)
	if q.wzero != nil {
		r.wzero, r.shift = &q.wzero[from:][:n][0], -xsum
	}
	return r
}

// rowsWithin reports whether rows that are ld apart begin at most at last.
func rowsWithin(index []int32, last, ld int) bool {
	if last < 0 || ld <= 0 {
		return false
	}
	var most uint32
	for _, i := range index {
		most = max(most, uint32(i))
	}
	return uint64(most) <= uint64(last)/uint64(ld)
}
