//go:build !purego

package kernel

import "unsafe"

// The panels of the avx512 engine: 32 outputs are two vectors of sums. 14 rows of them leave registers for the weights and
// for the activations.
const (
	panel512 = 32
	rows512  = 14
)

// The product of a single row has its weights fetched ahead where they are so many bytes. Those stay in a second-level cache but
// hardly in a first-level one, and it is faster by an eighth. With fewer it makes no difference; of more, only a part stays in the
// second-level cache, and it would be slower.
const aheadLeast, aheadMost = 256<<10 + 1, 512 << 10

type int8AVX512 struct{ intPanels }

func packI8AVX512(w []int8, out, in int) intProduct {
	p := &int8AVX512{packPanels(w, out, in, panel512)}
	p.run = p.tiles
	return p
}

// tiles is intPanels.run.
func (p *int8AVX512) tiles(tile intTile, x []uint8, rows, lo, hi int) {
	tile.ystride = uintptr(p.out * outputSize(tile.kind))
	blocks := (rows + rows512 - 1) / rows512
	bytes := p.groups * 4 * panel512
	if n := (hi - lo) * p.groups * 4; n >= aheadLeast && n <= aheadMost {
		tile.ahead = 1
	}
	for step := panelsAtOnce(blocks, bytes); lo < hi; {
		vectors := 2
		n := min((hi-lo+panel512/2-1)/panel512, step)
		if n == 0 {
			vectors, n = 1, 1
		}
		next := min(lo+n*panel512, hi)
		t := tile.from(lo)
		t.w, t.panels = &p.w[lo*p.groups*4], uintptr(n)
		t.mask = uint32(1)<<((next-lo-1)%panel512)<<1 - 1
		p.panels(&t, x, rows, blocks, vectors)
		lo = next
	}
}

// panels multiplies all rows by t's panels.
func (p *int8AVX512) panels(tile *intTile, x []uint8, rows, blocks, vectors int) {
	t := *tile
	var short [4 * rows512]uint8
	for from := 0; blocks > 0; blocks-- {
		n := (rows - from + blocks - 1) / blocks
		t.x, t.y = &x[from*p.in], unsafe.Add(tile.y, uintptr(from)*tile.ystride)
		if p.in < 4 {
			for r := range n {
				copy(short[4*r:4*r+4], x[(from+r)*p.in:][:p.in])
			}
			t.x, t.stride = &short[0], 4
		}
		tile512(&t, n, vectors)
		from += n
	}
}

// tile512 multiplies rows by panels of so many vectors of 16 outputs.
func tile512(t *intTile, rows, vectors int) {
	switch rows*2 + vectors - 2 {
	case 1:
		tile512x1x16(t)
	case 2:
		tile512x1x32(t)
	case 3:
		tile512x2x16(t)
	case 4:
		tile512x2x32(t)
	case 5:
		tile512x3x16(t)
	case 6:
		tile512x3x32(t)
	case 7:
		tile512x4x16(t)
	case 8:
		tile512x4x32(t)
	case 9:
		tile512x5x16(t)
	case 10:
		tile512x5x32(t)
	case 11:
		tile512x6x16(t)
	case 12:
		tile512x6x32(t)
	case 13:
		tile512x7x16(t)
	case 14:
		tile512x7x32(t)
	case 15:
		tile512x8x16(t)
	case 16:
		tile512x8x32(t)
	case 17:
		tile512x9x16(t)
	case 18:
		tile512x9x32(t)
	case 19:
		tile512x10x16(t)
	case 20:
		tile512x10x32(t)
	case 21:
		tile512x11x16(t)
	case 22:
		tile512x11x32(t)
	case 23:
		tile512x12x16(t)
	case 24:
		tile512x12x32(t)
	case 25:
		tile512x13x16(t)
	case 26:
		tile512x13x32(t)
	case 27:
		tile512x14x16(t)
	case 28:
		tile512x14x32(t)
	}
}
