//go:build !purego

package kernel

// gemmDepth is how many rows of B are multiplied at a time: a panel's are 32 KB, two thirds of a first-level cache.
const gemmDepth = 256

// tiled is Engine.gemm on tiles of C whose sums stay in registers: each is one chain of fused multiply-adds, in ascending order
// from zero. So neither the size of the tiles nor the number of threads changes a bit.
func (j *gemmJob) tiled(f *floatKernels, part, parts int) {
	if j.kind == gemmSparse {
		j.portable(part, parts)
		return
	}
	g := split(part, parts, j.c.Rows, j.c.Cols, f.tileCols)
	if g.empty() {
		return
	}
	depth := j.a.Cols
	if j.kind == gemmTN {
		depth = j.a.Rows
	}
	s := &j.scratch[part]
	switch {
	case depth == 0:
		for r := g.r0; r < g.r1; r++ {
			clear(j.c.Row(r)[g.lo:g.hi])
		}
	case j.kind == gemmNN:
		j.straight(f, s, g, j.a.Stride, 1, depth)
	case j.kind == gemmTN:
		j.straight(f, s, g, 1, j.a.Stride, depth)
	default:
		j.crosswise(f, s, g, depth)
	}
}

// A view is the part of a matrix that begins at data. down is the distance to the next row of C, deep to the next of the products
// that are added up.
type view struct {
	data       []float32
	down, deep int
}

// zeros added to sums turn -0 into 0.
var zeros [32]float32

// panel writes rows x cols elements of C, cols being at most a tile's, from rows of A and a panel of B. If more, it adds to what C
// holds.
func (f *floatKernels) panel(c view, rows, cols int, a, b view, depth int, more, flush bool) {
	flags, bias := 0, (*float32)(nil)
	if more {
		flags = addFlag
	}
	if flush {
		flags |= flushFlag
		bias = &zeros[0]
	}
	// Tiles of nearly equal height: one of a few rows would take almost as long as a tall one.
	tiles := (rows + len(f.tiles) - 1) / len(f.tiles)
	height, taller := rows/tiles, rows%tiles
	right := &b.data[0]
	for i, r := 0, 0; i < tiles; i++ {
		n := height
		if i < taller {
			n++
		}
		f.tiles[n-1](&c.data[r*c.down], &a.data[r*a.down], right, c.down*4, a.down*4, a.deep*4, b.deep*4, depth, cols, bias, flags, right)
		r += n
	}
}

// straight computes a region of A·B or Aᵀ·B. down and deep are the distances between neighbours in A.
func (j *gemmJob) straight(f *floatKernels, s *gemmBlock, g region, down, deep, depth int) {
	a, b, c := j.a, j.b, j.c
	for k0 := 0; k0 < depth; k0 += gemmDepth {
		n := min(gemmDepth, depth-k0)
		for c0 := g.lo; c0 < g.hi; c0 += f.tileCols {
			cols, right := min(f.tileCols, g.hi-c0), view{}
			if cols == f.tileCols {
				right = view{b.Data[k0*b.Stride+c0:], 0, b.Stride}
			} else {
				// Tiles read whole rows of a panel.
				s.grow(gemmDepth * f.tileCols)
				for k := range n {
					copy(s.packed[k*f.tileCols:], b.Row(k0 + k)[c0:c0+cols])
				}
				right = view{s.packed, 0, f.tileCols}
			}
			left := view{a.Data[g.r0*down+k0*deep:], down, deep}
			f.panel(view{c.Data[g.r0*c.Stride+c0:], c.Stride, 0}, g.r1-g.r0, cols, left, right, n, k0 > 0, j.flush)
		}
	}
}

// crosswise computes a region of A·Bᵀ as the transpose of B·Aᵀ: in training A, a batch, is the smaller one to transpose. Each
// block of B·Aᵀ is transposed back on its way to C.
func (j *gemmJob) crosswise(f *floatKernels, s *gemmBlock, g region, depth int) {
	const blockOut = 56 // a few tiles; that much of B, 224 KB of the lab's models, is read again for every panel of Aᵀ
	a, b, c := j.a, j.b, j.c
	panels := (g.r1 - g.r0 + f.tileCols - 1) / f.tileCols
	s.grow(f.tileCols * (panels*depth + blockOut))
	block := s.packed[f.tileCols*panels*depth:]
	for p := range panels {
		r0 := g.r0 + p*f.tileCols
		transpose(s.packed[p*f.tileCols*depth:], f.tileCols, a.Data[r0*a.Stride:], a.Stride, min(f.tileCols, g.r1-r0), depth)
	}
	for o0 := g.lo; o0 < g.hi; o0 += blockOut {
		n := min(blockOut, g.hi-o0)
		for p := range panels {
			r0 := g.r0 + p*f.tileCols
			right := view{s.packed[p*f.tileCols*depth:], 0, f.tileCols}
			f.panel(view{block, f.tileCols, 0}, n, f.tileCols, view{b.Data[o0*b.Stride:], b.Stride, 1}, right, depth, false, j.flush)
			transpose(c.Data[r0*c.Stride+o0:], c.Stride, block, f.tileCols, n, min(f.tileCols, g.r1-r0))
		}
	}
}

// transpose writes to dst the transpose of src, rows x cols.
func transpose(dst []float32, dstStride int, src []float32, srcStride, rows, cols int) {
	whole := 0 // rows whose first wide columns are transposed in squares of 8
	wide := cols &^ 7
	if wide > 0 {
		whole = rows &^ 7
	}
	for r := 0; r < whole; r += 8 {
		transposeStrip(&dst[r], dstStride*4, &src[r*srcStride], srcStride*4, wide/8)
	}
	for r := range rows {
		from := wide
		if r >= whole {
			from = 0
		}
		for i, v := range src[r*srcStride:][from:cols] {
			dst[(from+i)*dstStride+r] = v
		}
	}
}
