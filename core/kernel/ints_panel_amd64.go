//go:build !purego

package kernel

import (
	"math"
	"unsafe"
)

// intPanels holds int8 weights in panels of some outputs. A panel holds groups of 4 inputs, a group the 4 weights of one
// output after those of the other. What the outputs of the last panel lack is 0.
//
// Where the inputs are no multiple of 4, the last group begins before the end of the one before it, and holds zeros for the
// inputs which that one has: so all groups are read alike, and nothing is read beyond a row.
type intPanels struct {
	w       []int8
	out, in int
	cols    int // of a panel
	groups  int // of a panel, the last one included
	rest    int // by how many inputs the last group overlaps the one before it

	run func(t intTile, x []uint8, rows, lo, hi int) // computes the outputs lo to hi-1
}

// packPanels packs w, out x in, into panels of width outputs, the last of which is only half as wide where that is enough.
func packPanels(w []int8, out, in, width int) intPanels {
	p := intPanels{out: out, in: in, cols: width, groups: (in + 3) / 4}
	if in > 4 {
		p.rest = -in & 3
	}
	p.w = aligned[int8](p.groups * 4 * (out/width*width + tailWidth(out%width, width)))
	for o := range out {
		wide := width
		if o >= out/width*width {
			wide = tailWidth(out%width, width)
		}
		at := p.w[o/width*width*p.groups*4+o%width*4:]
		for k, v := range w[o*in : (o+1)*in] {
			if k >= in&^3 {
				k += p.rest
			}
			at[k/4*wide*4+k%4] = v
		}
	}
	return p
}

// tailWidth is the width of a panel for the last n outputs.
func tailWidth(n, width int) int {
	switch {
	case n == 0:
		return 0
	case n <= width/2:
		return width / 2
	}
	return width
}

func (p *intPanels) width() int { return p.cols }

func (p *intPanels) multiply(acc []int32, x []uint8, rows, lo, hi int) {
	t := p.inputs()
	t.sums(acc)
	p.run(t, x, rows, lo, hi)
}

func (p *intPanels) dynamic(y []float32, x []uint8, rows, lo, hi int, e *epilogue, g Grid) {
	t := p.inputs()
	t.floats(y, e, g)
	p.run(t, x, rows, lo, hi)
}

func (p *intPanels) static(y, x []uint8, rows, lo, hi int, r *requantizer) {
	t := p.inputs()
	t.bytes(y, r)
	p.run(t, x, rows, lo, hi)
}

// inputs returns what a tile needs to know of p.
func (p *intPanels) inputs() intTile {
	t := intTile{stride: uintptr(p.in), groups: uintptr(p.groups)}
	if p.rest != 0 {
		t.groups, t.rest = t.groups-1, uintptr(p.rest)
	}
	return t
}

// sums sets t up to write int32.
func (t *intTile) sums(acc []int32) {
	t.kind, t.y = tileSums, unsafe.Pointer(unsafe.SliceData(acc))
}

// floats sets t up to write what p and g make of the sums.
func (t *intTile) floats(y []float32, p *epilogue, g Grid) {
	t.kind, t.y = tileFloats, unsafe.Pointer(unsafe.SliceData(y))
	t.offset, t.factor, t.scale, t.gscale, t.bias = &p.wsum[0], -g.Zero, &p.wscale[0], g.Scale, &p.bias[0]
	t.lo = floor(p.relu)
}

// floor is the least output of a layer.
func floor(relu bool) float32 {
	if relu {
		return 0
	}
	return float32(math.Inf(-1))
}

// bytes sets t up to write what r makes of the sums.
func (t *intTile) bytes(y []uint8, r *requantizer) {
	t.kind, t.y = tileBytes, unsafe.Pointer(unsafe.SliceData(y))
	t.offset, t.factor, t.scale, t.bias = &r.offset[0], -1, &r.mult[0], &r.bias[0]
	t.zero, t.lo, t.hi = byteRange(r.zero, r.lo, r.hi)
}

// byteRange returns with what the assembly computes max(min(roundEven(v)+zero, hi), lo): it clamps v to least and most,
// rounds that and adds z. Both functions grow with v, step where v is a half, and have the same values at both ends.
func byteRange(zero, lo, hi int32) (z int32, least, most float32) {
	first, last := max(min(zero-roundLimit, hi), lo), max(min(zero+roundLimit, hi), lo)
	if first == last {
		zero = 0
	}
	return zero, float32(first - zero), float32(last - zero)
}

// outputSize is the size of what a tile of that kind writes.
func outputSize(kind uint32) int {
	if kind == tileBytes {
		return 1
	}
	return 4
}

// from returns a tile whose pointers are those of t moved on from output 0 to output o, which there must be.
func (t intTile) from(o int) intTile {
	t.y = unsafe.Add(t.y, o*outputSize(t.kind))
	if t.kind != tileSums {
		t.offset = (*int32)(unsafe.Add(unsafe.Pointer(t.offset), 4*o))
		t.scale = (*float32)(unsafe.Add(unsafe.Pointer(t.scale), 4*o))
		t.bias = (*float32)(unsafe.Add(unsafe.Pointer(t.bias), 4*o))
	}
	return t
}

const (
	// A call of assembly reads weights until it has multiplied so many bytes of them, about a millisecond at the most: Go
	// can't interrupt it.
	callBytes = 8 << 20
	// With several blocks of rows, every block reads the same weights: so many bytes stay in the second-level cache.
	cacheBytes = 256 << 10
)

// panelsAtOnce is how many panels of that many bytes to multiply blocks of rows by.
func panelsAtOnce(blocks, bytes int) int {
	if blocks > 1 {
		return max(1, cacheBytes/bytes)
	}
	return max(1, callBytes/bytes)
}
