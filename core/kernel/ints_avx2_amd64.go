//go:build !purego

package kernel

import "unsafe"

// The panels of the avx2 engine: 16 outputs are two vectors of sums. 4 rows of them leave half of the registers.
const (
	panel256 = 16
	rows256  = 4
)

type int8AVX2 struct{ intPanels }

func packI8AVX2(w []int8, out, in int) intProduct {
	p := &int8AVX2{packPanels(w, out, in, panel256)}
	p.run = p.tiles
	return p
}

// tiles is intPanels.run.
func (p *int8AVX2) tiles(tile intTile, x []uint8, rows, lo, hi int) {
	if wide(x[:rows*p.in]) {
		tile.widened = 1
	}
	tile.ystride = uintptr(p.out * outputSize(tile.kind))
	blocks := (rows + rows256 - 1) / rows256
	bytes := p.groups * 4 * panel256
	for step := panelsAtOnce(blocks, bytes); hi-lo >= panel256; {
		n := min((hi-lo)/panel256, step)
		t := tile.from(lo)
		t.w, t.panels = &p.w[lo*p.groups*4], uintptr(n)
		p.panels(&t, x, rows, 2)
		lo += n * panel256
	}
	if lo < hi {
		t := tile.from(lo)
		t.w, t.panels = &p.w[lo*p.groups*4], 1
		p.tail(&t, x, rows, hi-lo)
	}
}

// panels multiplies all rows by t's panels.
func (p *int8AVX2) panels(tile *intTile, x []uint8, rows, vectors int) {
	t := *tile
	for from := 0; from < rows; from += rows256 {
		n := min(rows256, rows-from)
		t.y = unsafe.Add(tile.y, uintptr(from)*tile.ystride)
		p.block(&t, x[from*p.in:], n, vectors)
	}
}

// block multiplies n rows by t's panels.
func (p *int8AVX2) block(tile *intTile, x []uint8, n, vectors int) {
	if p.in >= 4 {
		tile.x = &x[0]
		tile256(tile, n, vectors)
		return
	}
	t := *tile
	var short [4 * rows256]uint8
	for r := range n {
		copy(short[4*r:4*r+4], x[r*p.in:][:p.in])
	}
	t.x, t.stride = &short[0], 4
	tile256(&t, n, vectors)
}

// tail multiplies all rows by a panel that has only n outputs: the assembly works on copies of what belongs to them.
func (p *int8AVX2) tail(tile *intTile, x []uint8, rows, n int) {
	var (
		offset      [panel256]int32
		scale, bias [panel256]float32
		y           [rows256][4 * panel256]byte
	)
	t, size, vectors := *tile, outputSize(tile.kind), tailWidth(n, panel256)/(panel256/2)
	if t.kind != tileSums {
		copy(offset[:], unsafe.Slice(t.offset, n))
		copy(scale[:], unsafe.Slice(t.scale, n))
		copy(bias[:], unsafe.Slice(t.bias, n))
		t.offset, t.scale, t.bias = &offset[0], &scale[0], &bias[0]
	}
	t.y, t.ystride = unsafe.Pointer(&y), uintptr(len(y[0]))
	for from := 0; from < rows; from += rows256 {
		block := min(rows256, rows-from)
		p.block(&t, x[from*p.in:], block, vectors)
		for r := range block {
			to := unsafe.Add(tile.y, uintptr(from+r)*tile.ystride)
			copy(unsafe.Slice((*byte)(to), n*size), y[r][:])
		}
	}
}

// wide reports whether x holds numbers above 127.
func wide(x []uint8) bool {
	if len(x) >= 32 {
		return highBits256(&x[0], len(x)) != 0
	}
	var bits uint8
	for _, v := range x {
		bits |= v
	}
	return bits > 127
}

// tile256 multiplies rows by panels of so many vectors of 8 outputs.
func tile256(t *intTile, rows, vectors int) {
	switch rows*2 + vectors - 2 {
	case 1:
		tile256x1x8(t)
	case 2:
		tile256x1x16(t)
	case 3:
		tile256x2x8(t)
	case 4:
		tile256x2x16(t)
	case 5:
		tile256x3x8(t)
	case 6:
		tile256x3x16(t)
	case 7:
		tile256x4x8(t)
	case 8:
		tile256x4x16(t)
	}
}
