//go:build !purego

package kernel

import (
	"sync"
	"unsafe"
)

// panelCols is how many outputs are packed together.
const panelCols = 32

const (
	rowDepth   = 16384 // inputs in a call for one row: bounds how long the call takes
	panelDepth = 768   // inputs in a call for a tile: its panels and its rows of a batch stay in a second-level cache
	batchRows  = 128   // rows that are computed together
)

// A panelLayer keeps the weights of a float layer in panels, w[panel][k][panelCols], the last one filled up with zeros.
// Every sum is one chain of fused multiply-adds in ascending order of the input, then the bias is added.
type panelLayer[T float32 | uint16] struct {
	f       *floatKernels
	r       *floatRoutines[T]
	w       []T
	bias    []float32 // nil for none
	out, in int
	relu    bool
}

func newPanelLayer[T float32 | uint16](f *floatKernels, r *floatRoutines[T], w []T, bias []float32, out, in int, relu bool) *panelLayer[T] {
	packed := aligned[T]((out + panelCols - 1) / panelCols * panelCols * in)
	for o := range out {
		panel := packed[o/panelCols*panelCols*in+o%panelCols:]
		for k, v := range w[o*in : (o+1)*in] {
			panel[k*panelCols] = v
		}
	}
	return &panelLayer[T]{f, r, packed, append([]float32(nil), bias...), out, in, relu}
}

func (p *panelLayer[T]) width() int { return panelCols }

func (p *panelLayer[T]) multiply(y, x []float32, rows, lo, hi int) {
	if rows == 1 || p.r.first != nil && rows <= p.f.fewRows {
		for r := range rows {
			p.row(y[r*p.out:], x[r*p.in:], lo, hi)
		}
		return
	}
	s := floatScratches.get()
	chunks := (rows + batchRows - 1) / batchRows
	for c := range chunks {
		r0, r1 := rows*c/chunks, rows*(c+1)/chunks
		p.batch(s, y[r0*p.out:], x[r0*p.in:], r1-r0, lo, hi)
	}
	floatScratches.put(s)
}

// A floatScratch holds copies that are faster to multiply than what they are of.
type floatScratch struct {
	wide []float32 // a block of weights widened to float32
	rows []float32 // a block of a batch
}

// floatScratches are those that no call uses at the moment: never more than threads ran at once.
var floatScratches scratchList

// A scratchList is a sync.Pool that the garbage collector leaves alone, so that no call allocates but the first ones.
type scratchList struct {
	mu   sync.Mutex
	free []*floatScratch
}

func (l *scratchList) get() *floatScratch {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.free) - 1
	if n < 0 {
		return &floatScratch{aligned[float32](panelDepth * panelCols), aligned[float32](batchRows * rowStride)}
	}
	s := l.free[n]
	l.free = l.free[:n]
	return s
}

func (l *scratchList) put(s *floatScratch) {
	l.mu.Lock()
	l.free = append(l.free, s)
	l.mu.Unlock()
}

// A rowBlock is a block of a batch: its first element, and the bytes from a row to the next.
type rowBlock struct {
	x      *float32
	stride int
}

// rowStride is the elements between rows of floatScratch.rows. It keeps the rows of a tile from falling on the same sets
// of a first-level cache, which has room for 8 to 12 lines in each.
const rowStride = panelDepth + 16

// rowBlock returns the inputs k0 to k1-1 of a batch. It copies them if rows lie too close to a multiple of 2 KB apart.
func (s *floatScratch) rowBlock(x []float32, rows, in, k0, k1 int) rowBlock {
	if off := (in + 16) % 512; off > 32 || rows < 8 {
		return rowBlock{&x[k0], in * 4}
	}
	for r := range rows {
		copy(s.rows[r*rowStride:], x[r*in+k0:r*in+k1])
	}
	return rowBlock{&s.rows[0], rowStride * 4}
}

// row computes one row, as many panels at a time as there are routines for.
func (p *panelLayer[T]) row(y, x []float32, lo, hi int) {
	for most := len(p.r.gemv); lo < hi; {
		n := (hi - lo + panelCols - 1) / panelCols
		if n == most+1 {
			n = most - 1 // rather than a single one at the end
		}
		n = min(n, most)
		end := min(lo+n*panelCols, hi)
		for k := 0; k < p.in; k += rowDepth {
			depth := min(p.in-k, rowDepth)
			bias, flags := p.ends(lo, k, depth)
			p.r.gemv[n-1](&y[lo], &x[k], &p.w[lo*p.in+k*panelCols], p.in*panelCols*sizeOf[T](), depth, end-lo, bias, flags)
		}
		lo = end
	}
}

// ends returns the bias and the flags for the inputs k to k+depth-1 of the outputs from o on.
func (p *panelLayer[T]) ends(o, k, depth int) (bias *float32, flags int) {
	if k > 0 {
		flags = addFlag
	}
	if k+depth == p.in {
		flags |= flagsOf(p.relu)
		if p.bias != nil {
			bias = &p.bias[o]
		}
	}
	return bias, flags
}

// batch computes up to batchRows rows.
func (p *panelLayer[T]) batch(s *floatScratch, y, x []float32, rows, lo, hi int) {
	blocks := (p.in + panelDepth - 1) / panelDepth
	for i := range blocks {
		k0, k1 := p.in*i/blocks, p.in*(i+1)/blocks
		block := s.rowBlock(x, rows, p.in, k0, k1)
		for o := lo; o < hi; o += panelCols {
			p.panel(s, y, block, rows, o, min(o+panelCols, hi), k0, k1)
		}
	}
}

// panel multiplies the inputs k0 to k1-1 of a batch by a panel. Meanwhile it has the next panel fetched.
func (p *panelLayer[T]) panel(s *floatScratch, y []float32, x rowBlock, rows, lo, hi, k0, k1 int) {
	at, depth, size := lo*p.in+k0*panelCols, k1-k0, sizeOf[T]()
	wide := unsafe.Pointer(&p.w[at])
	if p.r.first != nil {
		wide = unsafe.Pointer(&s.wide[0])
	}
	tiles := (rows + len(p.f.tiles) - 1) / len(p.f.tiles)
	later := p.w[min(at+p.in*panelCols, len(p.w)-1):]
	for o := lo; o < hi; o += p.f.tileCols {
		bias, flags := p.ends(o, k0, depth)
		n, b := min(hi-o, p.f.tileCols), (*float32)(unsafe.Add(wide, (o-lo)*4))
		for i := range tiles {
			r0, r1 := rows*i/tiles, rows*(i+1)/tiles
			next := &p.w[at]
			if fetch := i * depth / 2 * lineBytes / size; o == lo && fetch < min(depth*panelCols, len(later)) {
				next = &later[fetch]
			}
			c, a := &y[r0*p.out+o], (*float32)(unsafe.Add(unsafe.Pointer(x.x), r0*x.stride))
			if i == 0 && p.r.first != nil {
				p.r.first[r1-1](c, a, &p.w[at+o-lo], p.out*4, x.stride, 4, panelCols*size, depth, n, bias, flags, next, b)
				continue
			}
			p.f.tiles[r1-r0-1](c, a, b, p.out*4, x.stride, 4, panelCols*4, depth, n, bias, flags, (*float32)(unsafe.Pointer(next)))
		}
	}
}

func sizeOf[T any]() int {
	var zero T
	return int(unsafe.Sizeof(zero))
}
