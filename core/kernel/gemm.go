package kernel

import "fmt"

// A Matrix is a row-major float32 matrix for training; element (i, j) is Data[i*Stride+j].
type Matrix struct {
	Data               []float32
	Rows, Cols, Stride int
}

// NewMatrix returns a matrix of zeros whose stride suits the products.
func NewMatrix(rows, cols int) Matrix {
	ld := stride(cols)
	return Matrix{aligned[float32](rows * ld), rows, cols, ld}
}

// Row returns row i.
func (m Matrix) Row(i int) []float32 { return m.Data[i*m.Stride : i*m.Stride+m.Cols] }

// Head returns the first n rows. It shares m's memory.
func (m Matrix) Head(n int) Matrix { return Matrix{m.Data[:n*m.Stride], n, m.Cols, m.Stride} }

// The products of training. C must not overlap A or B. The bits do not depend on the number of threads; avx2 and avx512 give the
// same ones. With a Team, only its first product allocates, and one that needs more scratch than any before; without one, each
// does. On the portable engine zeros in the left matrix cost next to nothing, which for pixels and what a ReLU lets through is most
// of the work; avx2 and avx512 multiply them: leaving them out breaks even only where two of three are zero.

// GemmNN writes C = A·B. C is m x n, A m x k and B k x n.
func (e *Engine) GemmNN(t *Team, c, a, b Matrix) {
	needMatrices("GemmNN", c, a, b, a.Rows == c.Rows && a.Cols == b.Rows && b.Cols == c.Cols)
	e.runGemm(t, gemmJob{kind: gemmNN, c: c, a: a, b: b}, c.Rows*c.Cols*a.Cols)
}

// GemmTN writes C = Aᵀ·B. C is m x n, A k x m and B k x n.
func (e *Engine) GemmTN(t *Team, c, a, b Matrix) {
	needMatrices("GemmTN", c, a, b, a.Cols == c.Rows && a.Rows == b.Rows && b.Cols == c.Cols)
	e.runGemm(t, gemmJob{kind: gemmTN, c: c, a: a, b: b}, c.Rows*c.Cols*a.Rows)
}

// GemmNT writes C = A·Bᵀ. C is m x n, A m x k and B n x k.
func (e *Engine) GemmNT(t *Team, c, a, b Matrix) {
	needMatrices("GemmNT", c, a, b, a.Rows == c.Rows && a.Cols == b.Cols && b.Rows == c.Cols)
	e.runGemm(t, gemmJob{kind: gemmNT, c: c, a: a, b: b}, c.Rows*c.Cols*a.Cols)
}

// GemmSparse writes C = S·B. S holds c.Rows sparse rows: see nn.Batch.
func (e *Engine) GemmSparse(t *Team, c Matrix, start, index []int32, value []float32, b Matrix) {
	needMatrices("GemmSparse", c, c, b, b.Cols == c.Cols)
	n := needSparse("GemmSparse", start, len(index), len(value), c.Rows)
	e.runGemm(t, gemmJob{kind: gemmSparse, c: c, b: b, start: start, index: index, value: value}, n*c.Cols)
}

func needMatrices(op string, c, a, b Matrix, fit bool) {
	if !fit {
		panic(fmt.Sprintf("kernel: %s: shapes %d x %d, %d x %d and %d x %d do not fit", op, c.Rows, c.Cols, a.Rows, a.Cols, b.Rows, b.Cols))
	}
	needMatrix(op, c)
	needMatrix(op, a)
	needMatrix(op, b)
}

func needMatrix(op string, m Matrix) {
	need(op, "matrix", len(m.Data), max(0, (m.Rows-1)*m.Stride+m.Cols))
}

func (e *Engine) runGemm(t *Team, job gemmJob, work int) {
	job.e = e
	if t == nil {
		t = &Team{}
	}
	if t.blocks == nil {
		t.blocks = make([]gemmBlock, t.Threads())
	}
	job.scratch = t.blocks
	t.gemm = job
	if t.solo(work) {
		t.gemm.Run(0, 1)
	} else {
		t.Do(&t.gemm)
	}
	t.gemm = gemmJob{}
}

const (
	gemmNN = iota
	gemmTN
	gemmNT
	gemmSparse
)

type gemmJob struct {
	e            *Engine
	kind         int
	c, a, b      Matrix
	start, index []int32
	value        []float32
	scratch      []gemmBlock // one a part
	flush        bool        // count subnormals as zeros, and -0 as 0: for engines whose gemmFlushes

	// If combine is set, the portable product runs, with it; if zeros is, too, with the products of zeros.
	combine func(y, w []float32, ld int, index []int32, value []float32)
	zeros   bool
}

// A block of A, and of B where it has to be transposed. 32 rows of C, 64 deep, 128 columns wide: those of B are 32 KB.
const (
	blockRows  = 32
	blockDepth = 64
	blockCols  = 128
	tileCols   = 64
	tileStride = tileCols + 16
)

// A gemmBlock is a thread's scratch. The portable engine keeps there the elements of a block of A other than zeros, by rows of C,
// and packs a tile of Bᵀ; others keep what they pack.
type gemmBlock struct {
	count [blockRows]int
	index [blockRows][blockDepth]int32
	value [blockRows][blockDepth]float32

	packed []float32
}

// grow makes room for n packed elements.
func (s *gemmBlock) grow(n int) {
	if len(s.packed) < n {
		s.packed = aligned[float32](n + n/4)
	}
}

func (j *gemmJob) Run(part, parts int) {
	if j.combine != nil {
		j.portable(part, parts)
		return
	}
	j.e.gemm(j, part, parts)
}

// add is Engine.combineF32, or what the job has in its place.
func (j *gemmJob) add(y, w []float32, ld int, index []int32, value []float32) {
	if j.combine != nil {
		j.combine(y, w, ld, index, value)
		return
	}
	j.e.combineF32(y, w, ld, index, value)
}

// portable is the portable Engine.gemm.
func (j *gemmJob) portable(part, parts int) {
	c := j.c
	if j.kind == gemmSparse {
		for r := c.Rows * part / parts; r < c.Rows*(part+1)/parts; r++ {
			y, from, to := c.Row(r), j.start[r], j.start[r+1]
			clear(y)
			j.e.combineF32(y, j.b.Data, j.b.Stride, j.index[from:to], j.value[from:to])
		}
		return
	}
	s := &j.scratch[part]
	if j.kind == gemmNT {
		g := split(part, parts, c.Rows, c.Cols, tileCols)
		for c0 := g.lo; c0 < g.hi; c0 += tileCols {
			j.transposing(s, g.r0, g.r1, c0, min(c0+tileCols, g.hi))
		}
		return
	}
	r1 := c.Rows * (part + 1) / parts
	for r0 := c.Rows * part / parts; r0 < r1; r0 += blockRows {
		j.blocks(s, r0, min(r0+blockRows, r1))
	}
}

// blocks computes up to blockRows rows of A·B or Aᵀ·B.
func (j *gemmJob) blocks(s *gemmBlock, r0, r1 int) {
	c, b := j.c, j.b
	for r := r0; r < r1; r++ {
		clear(c.Row(r))
	}
	for k0 := 0; k0 < b.Rows; k0 += blockDepth {
		k1 := min(k0+blockDepth, b.Rows)
		if j.kind == gemmNN {
			s.gatherRows(j.a, r0, r1, k0, k1, j.zeros)
		} else {
			s.gatherColumns(j.a, r0, r1, k0, k1, j.zeros)
		}
		for c0 := 0; c0 < c.Cols; c0 += blockCols {
			c1 := min(c0+blockCols, c.Cols)
			for r := r0; r < r1; r++ {
				n := s.count[r-r0]
				j.add(c.Row(r)[c0:c1], b.Data[k0*b.Stride+c0:], b.Stride, s.index[r-r0][:n], s.value[r-r0][:n])
			}
		}
	}
}

// transposing computes the columns c0 to c1-1, at most tileCols, of the rows r0 to r1-1 of A·Bᵀ.
func (j *gemmJob) transposing(s *gemmBlock, r0, r1, c0, c1 int) {
	a := j.a
	s.grow(blockDepth * tileStride)
	tile := s.packed
	for r := r0; r < r1; r++ {
		clear(j.c.Row(r)[c0:c1])
	}
	for k0 := 0; k0 < a.Cols; k0 += blockDepth {
		k1 := min(k0+blockDepth, a.Cols)
		for o := c0; o < c1; o++ {
			for k, v := range j.b.Row(o)[k0:k1] {
				tile[k*tileStride+o-c0] = v
			}
		}
		for b0 := r0; b0 < r1; b0 += blockRows {
			b1 := min(b0+blockRows, r1)
			s.gatherRows(a, b0, b1, k0, k1, j.zeros)
			for r := b0; r < b1; r++ {
				n := s.count[r-b0]
				j.add(j.c.Row(r)[c0:c1], tile, tileStride, s.index[r-b0][:n], s.value[r-b0][:n])
			}
		}
	}
}

// gatherRows finds what isn't zero, or all, in the rows r0 to r1-1 and columns k0 to k1-1 of a.
func (s *gemmBlock) gatherRows(a Matrix, r0, r1, k0, k1 int, zeros bool) {
	for r := r0; r < r1; r++ {
		n, index, value := 0, &s.index[r-r0], &s.value[r-r0]
		for k, v := range a.Row(r)[k0:k1] {
			// Written unconditionally: whether v is zero can't be predicted.
			index[n&(blockDepth-1)], value[n&(blockDepth-1)] = int32(k), v
			if v != 0 || zeros {
				n++
			}
		}
		s.count[r-r0] = n
	}
}

// gatherColumns finds what isn't zero, or all, in the columns r0 to r1-1 and rows k0 to k1-1 of a.
func (s *gemmBlock) gatherColumns(a Matrix, r0, r1, k0, k1 int, zeros bool) {
	clear(s.count[:])
	for k := k0; k < k1; k++ {
		for r, v := range a.Row(k)[r0:r1] {
			n := s.count[r%blockRows]
			s.index[r%blockRows][n&(blockDepth-1)], s.value[r%blockRows][n&(blockDepth-1)] = int32(k-k0), v
			if v != 0 || zeros {
				n++
			}
			s.count[r%blockRows] = n
		}
	}
}
