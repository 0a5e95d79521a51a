//go:build !purego

package kernel

func dequantizeSumsAVX512(p *epilogue, y []float32, acc []int32, from int, xsum int32, g Grid) {
	if len(acc) > 0 {
		r := p.row(y, acc, from, xsum, g)
		rowFloats512(&r)
	}
}

func requantizeSumsAVX512(q *requantizer, y []uint8, acc []int32, from int, xsum int32) {
	if len(acc) > 0 {
		r := q.row(y, acc, from, xsum)
		rowBytes512(&r)
	}
}

func rangeAVX512(x []float32) (lo, hi float32) {
	if len(x) == 0 {
		return 0, 0
	}
	return range512(&x[0], len(x))
}

func quantizeAVX512(dst []uint8, x []float32, g Grid) {
	if len(x) > 0 {
		zero, lo, hi := byteRange(g.Zero, g.Min, g.Max)
		quantize512(&dst[:len(x)][0], &x[0], len(x), 1/g.Scale, 0, lo, hi, zero)
	}
}

func quantizeDynamicAVX512(dst []uint8, x []float32, g Grid) {
	if len(x) > 0 {
		_, lo, hi := byteRange(0, g.Min, g.Max)
		quantize512(&dst[:len(x)][0], &x[0], len(x), 1/g.Scale, float32(g.Zero), lo, hi, 0)
	}
}

func dequantizeAVX512(dst []float32, x []uint8, g Grid) {
	if len(x) > 0 {
		dequantize512(&dst[:len(x)][0], &x[0], len(x), g.Scale, g.Zero)
	}
}

func combineI8AVX512(acc []int32, w []int8, ld int, index []int32, value []uint8, zero int32) {
	n := len(acc)
	value = value[:len(index)]
	if n == 0 || len(index) == 0 {
		return
	}
	if !rowsWithin(index, len(w)-n, ld) {
		combineI8(acc, w, ld, index, value, zero) // knows how to panic
		return
	}
	for len(index) > 0 {
		k := min(len(index), max(4, callBytes/n))
		combine512(&acc[0], n, &w[0], ld, &index[0], &value[0], k, zero)
		index, value = index[k:], value[k:]
	}
}
