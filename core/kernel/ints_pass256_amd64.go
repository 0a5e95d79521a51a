//go:build !purego

package kernel

// The assembly of these wants at least a vector of elements, or a few: what is shorter is left to plain Go.

func dequantizeSumsAVX2(p *epilogue, y []float32, acc []int32, from int, xsum int32, g Grid) {
	if len(acc) < 8 {
		p.dequantize(y, acc, from, xsum, g)
		return
	}
	r := p.row(y, acc, from, xsum, g)
	rowFloats256(&r)
}

func requantizeSumsAVX2(q *requantizer, y []uint8, acc []int32, from int, xsum int32) {
	if len(acc) < 8 {
		q.requantize(y, acc, from, xsum)
		return
	}
	r := q.row(y, acc, from, xsum)
	rowBytes256(&r)
}

func rangeAVX2(x []float32) (lo, hi float32) {
	if len(x) < 32 {
		return rangeOf(x)
	}
	return range256(&x[0], len(x))
}

func quantizeAVX2(dst []uint8, x []float32, g Grid) {
	if len(x) < 32 {
		quantize(dst, x, g)
		return
	}
	zero, lo, hi := byteRange(g.Zero, g.Min, g.Max)
	quantize256(&dst[:len(x)][0], &x[0], len(x), 1/g.Scale, 0, lo, hi, zero)
}

func quantizeDynamicAVX2(dst []uint8, x []float32, g Grid) {
	if len(x) < 32 {
		quantizeDynamic(dst, x, g)
		return
	}
	_, lo, hi := byteRange(0, g.Min, g.Max)
	quantize256(&dst[:len(x)][0], &x[0], len(x), 1/g.Scale, float32(g.Zero), lo, hi, 0)
}

func dequantizeAVX2(dst []float32, x []uint8, g Grid) {
	if len(x) < 8 {
		dequantize(dst, x, g)
		return
	}
	dequantize256(&dst[:len(x)][0], &x[0], len(x), g.Scale, g.Zero)
}

// combineRows is how many rows combine256 is given at a time.
const combineRows = 64

func combineI8AVX2(acc []int32, w []int8, ld int, index []int32, value []uint8, zero int32) {
	n := len(acc)
	value = value[:len(index)]
	// Differences of values and the zero point have to fit 16 bits.
	if n < panel256 || zero < 0 || zero > 255 || !rowsWithin(index, len(w)-n, ld) {
		combineI8(acc, w, ld, index, value, zero)
		return
	}
	var at [combineRows]int
	var pairs [combineRows / 2]uint32
	for len(index) > 0 {
		k := min(len(index), combineRows)
		for i, from := range index[:k] {
			at[i] = int(from) * ld
			v := uint32(uint16(int32(value[i]) - zero))
			if i%2 == 0 {
				pairs[i/2] = v
			} else {
				pairs[i/2] |= v << 16
			}
		}
		if k%2 != 0 {
			at[k] = at[0] // times 0
		}
		combine256(&acc[0], n, &w[0], &at[0], &pairs[0], (k+1)/2)
		index, value = index[k:], value[k:]
	}
}
