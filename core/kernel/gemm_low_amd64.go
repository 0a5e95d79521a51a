//go:build !purego

package kernel

import "unsafe"

// A pair of neighbouring inputs fills an element of 32 bits, the first one in its lower half. Packed pairs are kept as the bits of
// float32.

const (
	pairCols  = 32  // columns of a tile of bfloat16
	lowDepth  = 512 // inputs that are multiplied at a time: a panel's are 32 KB, two thirds of a first-level cache
	lowOutput = 56  // see gemmJob.crosswise
)

// pairTile is one of the routines in low_stub_amd64.go.
type pairTile func(c, a, b *float32, ldc, rs, cs, ldb, pairs, n, flags int, next *float32, nexts int)

var pairTiles = []pairTile{
	tile1x32BFloat16, tile2x32BFloat16, tile3x32BFloat16, tile4x32BFloat16, tile5x32BFloat16, tile6x32BFloat16, tile7x32BFloat16,
	tile8x32BFloat16, tile9x32BFloat16, tile10x32BFloat16, tile11x32BFloat16, tile12x32BFloat16, tile13x32BFloat16, tile14x32BFloat16,
}

// dots is the step of a lowJob on instructions for bfloat16.
func (j *lowJob) dots(part, parts int) {
	g := split(part, parts, j.c.Rows, j.c.Cols, pairCols)
	switch s := &j.s.blocks[part]; {
	case g.empty():
	case j.depth == 0:
		for r := g.r0; r < g.r1; r++ {
			clear(j.c.Row(r)[g.lo:g.hi])
		}
	case j.kind == gemmNT:
		j.crosswise(s, g)
	default:
		j.straight(s, g)
	}
}

// A pairView is a matrix of pairs that begins at first: see view. Its distances are in bytes.
type pairView struct {
	first      unsafe.Pointer
	down, deep int
}

// A fetch is so many cache lines, step bytes apart, that a panel should fetch on the way, before those of C that come next.
type fetch struct {
	first       unsafe.Pointer
	lines, step int
}

// panel writes rows x cols elements of C, cols being at most a tile's. b is packed.
func (a pairView) panel(c []float32, ldc, rows, cols int, b []float32, pairs int, more bool, later fetch) {
	flags := 0
	if more {
		flags = addFlag
	}
	tiles := (rows + len(pairTiles) - 1) / len(pairTiles)
	for i := range tiles {
		r0, r1 := rows*i/tiles, rows*(i+1)/tiles
		next, step := unsafe.Pointer(&b[0]), 0
		switch {
		case i*pairs < later.lines:
			next, step = unsafe.Add(later.first, i*pairs*later.step), later.step
		case r1 < rows:
			next, step = unsafe.Pointer(&c[r1*ldc]), ldc*4
		}
		pairTiles[r1-r0-1](&c[r0*ldc], (*float32)(unsafe.Add(a.first, r0*a.down)), &b[0], ldc*4, a.down, a.deep, pairCols*4, pairs, cols, flags,
			(*float32)(next), step)
	}
}

// straight computes a region of A·B or Aᵀ·B.
func (j *lowJob) straight(s *lowBlock, g region) {
	a, c, rows, deepest := j.a, j.c, g.r1-g.r0, min(lowDepth, (j.depth+1)&^1)
	ld := 0 // of A's pairs, where they have to be packed
	if j.kind == gemmNN {
		a = a.wholePairs(&s.whole, g.r0, g.r1)
	} else {
		ld = stride((rows + pairCols - 1) / pairCols * pairCols)
	}
	left, right := room(&s.left, ld*deepest/2), room(&s.right, pairCols*deepest/2)
	for k0 := 0; k0 < j.depth; k0 += lowDepth {
		depth := min(lowDepth, j.depth-k0)
		var view pairView
		if j.kind == gemmNN {
			view = pairView{unsafe.Pointer(&a.Data[k0]), a.Stride * 2, 4}
		} else {
			for r := 0; r < rows; r += pairCols {
				interleave(left[r:], ld, a, k0, depth, g.r0+r, min(pairCols, rows-r))
			}
			view = pairView{unsafe.Pointer(&left[0]), 4, ld * 4}
		}
		for c0 := g.lo; c0 < g.hi; c0 += pairCols {
			interleave(right, pairCols, j.b, k0, depth, c0, min(pairCols, g.hi-c0))
			later := fetch{}
			if c0+pairCols < g.hi {
				later = fetch{unsafe.Pointer(&j.b.Data[k0*j.b.Stride+c0+pairCols]), depth, j.b.Stride * 2}
			}
			view.panel(c.Data[g.r0*c.Stride+c0:], c.Stride, rows, min(pairCols, g.hi-c0), right, (depth+1)/2, k0 > 0, later)
		}
	}
}

// crosswise computes a region of A·Bᵀ as gemmJob.crosswise does.
func (j *lowJob) crosswise(s *lowBlock, g region) {
	pairs, panels := (j.depth+1)/2, (g.r1-g.r0+pairCols-1)/pairCols
	a, b, c := j.a.wholePairs(&s.whole, g.r0, g.r1), j.b, j.c
	right, block := room(&s.right, panels*pairs*pairCols), room(&s.left, lowOutput*pairCols)
	for p := range panels {
		r := p * pairCols
		rows := unsafe.Slice((*float32)(unsafe.Pointer(&a.Data[r*a.Stride])), len(a.Data[r*a.Stride:])/2)
		transpose(right[r*pairs:], pairCols, rows, a.Stride/2, min(pairCols, a.Rows-r), pairs)
	}
	for o0 := g.lo; o0 < g.hi; o0 += lowOutput {
		n := min(lowOutput, g.hi-o0)
		left := b.wholePairs(&s.whole, o0, o0+n)
		view := pairView{unsafe.Pointer(&left.Data[0]), left.Stride * 2, 4}
		for p := range panels {
			r := p * pairCols
			view.panel(block, pairCols, n, pairCols, right[r*pairs:], pairs, false, fetch{})
			transpose(c.Data[(g.r0+r)*c.Stride+o0:], c.Stride, block, pairCols, n, min(pairCols, a.Rows-r))
		}
	}
}

// wholePairs returns the rows r0 to r1-1 of m, which begin with whole pairs: in a copy if those of m don't.
func (m LowMatrix) wholePairs(s *[]uint16, r0, r1 int) LowMatrix {
	rows := LowMatrix{m.Data[r0*m.Stride : (r1-1)*m.Stride+m.Cols], r1 - r0, m.Cols, m.Stride, m.Type}
	if m.Cols%2 == 0 && m.Stride%2 == 0 {
		return rows
	}
	ld := lowStride(m.Cols)
	whole := LowMatrix{room(s, (r1-r0)*ld), r1 - r0, m.Cols, ld, m.Type}
	for i := range whole.Rows {
		whole.Data[i*ld+copy(whole.Row(i), rows.Row(i))] = 0
	}
	return whole
}

// noRow is the second of a pair of rows that there is no second one for.
var noRow [pairCols]uint16

// interleave packs n rows of m from row k0 on, its columns from c0 on, at most pairCols: pairs of rows, ld apart.
func interleave(dst []float32, ld int, m LowMatrix, k0, n, c0, cols int) {
	first, step := m.Data[k0*m.Stride+c0:], m.Stride*2*2
	if n > 1 {
		interleaveAVX512(&dst[0], ld*4, &first[0], &first[m.Stride], step, n/2, cols)
	}
	if n%2 != 0 {
		interleaveAVX512(&dst[n/2*ld], ld*4, &first[(n-1)*m.Stride], &noRow[0], step, 1, cols)
	}
}

// room returns n elements of *s, which grows if it has to.
func room[T uint16 | float32](s *[]T, n int) []T {
	if len(*s) < n {
		*s = aligned[T](n + n/4)
	}
	return (*s)[:n]
}
