//go:build !purego

package kernel

import (
	"math"
	"unsafe"
)

// The functions of _wasm/elementwise.go and epilogue.go. They stop before the last elements that don't fill a block.
//
//go:wasmimport kernels finish
//go:noescape
func finishSIMD(y, bias unsafe.Pointer, n, relu int32)

//go:wasmimport kernels range_of
//go:noescape
func rangeOfSIMD(out, x unsafe.Pointer, n int32)

//go:wasmimport kernels quantize
//go:noescape
func quantizeSIMD(dst, x unsafe.Pointer, n int32, inv float32, zero, lo, hi int32)

//go:wasmimport kernels quantize_dynamic
//go:noescape
func quantizeDynamicSIMD(dst, x unsafe.Pointer, n int32, inv float32, zero, lo, hi int32)

//go:wasmimport kernels dequantize
//go:noescape
func dequantizeSIMD(dst, x unsafe.Pointer, n int32, scale float32, zero int32)

//go:wasmimport kernels dequantize_sums
//go:noescape
func dequantizeSumsSIMD(y, acc unsafe.Pointer, n int32, wsum, wscale, wzero, bias unsafe.Pointer, scale float32, zero, shift, relu int32)

//go:wasmimport kernels requantize_sums
//go:noescape
func requantizeSumsSIMD(y, acc unsafe.Pointer, n int32, offset, bias, mult, wzero unsafe.Pointer, xsum, zero, lo, hi int32)

//go:wasmimport kernels fuses
//go:noescape
func fuses(x unsafe.Pointer) int32

//go:wasmimport kernels quantize_dynamic_fused
//go:noescape
func quantizeDynamicFused(dst, x unsafe.Pointer, n int32, inv float32, zero, lo, hi int32)

//go:wasmimport kernels dequantize_sums_fused
//go:noescape
func dequantizeSumsFused(y, acc unsafe.Pointer, n int32, wsum, wscale, wzero, bias unsafe.Pointer, scale float32, zero, shift, relu int32)

func (e *Engine) elementwiseSIMD() {
	e.finish = func(y, bias []float32, relu bool) {
		n := len(y) &^ 3
		if bias != nil {
			bias = bias[:len(y)]
		}
		finishSIMD(pointer(y), pointer(bias), int32(n), oneIf(relu))
		if bias != nil {
			bias = bias[n:]
		}
		finish(y[n:], bias, relu)
	}
	e.rangeOf = func(x []float32) (lo, hi float32) {
		n := len(x) &^ 3
		if n == 0 {
			return rangeOf(x)
		}
		var ends [2][4]int32
		rangeOfSIMD(unsafe.Pointer(&ends), pointer(x), int32(n))
		l := min(ends[0][0], ends[0][1], ends[0][2], ends[0][3])
		h := max(ends[1][0], ends[1][1], ends[1][2], ends[1][3])
		for _, v := range x[n:] {
			b := orderedBits(v)
			l, h = min(l, b), max(h, b)
		}
		return endsOf(l, h)
	}
	e.quantize = func(dst []uint8, x []float32, g Grid) {
		n := len(x) &^ 3
		dst = dst[:len(x)]
		quantizeSIMD(pointer(dst), pointer(x), int32(n), 1/g.Scale, g.Zero, g.Min, g.Max)
		quantize(dst[n:], x[n:], g)
	}
	e.dequantize = func(dst []float32, x []uint8, g Grid) {
		n := len(x) &^ 7
		dst = dst[:len(x)]
		dequantizeSIMD(pointer(dst), pointer(x), int32(n), g.Scale, g.Zero)
		dequantize(dst[n:], x[n:], g)
	}
	e.requantizeSums = (*requantizer).requantizeSIMD
	e.fusionsSIMD(quantizeDynamicSIMD, dequantizeSumsSIMD)
}

// elementwiseRelaxed replaces what needs a fused multiply-add, if relaxed ones are fused here. The specification has them be
// so always or never.
func (e *Engine) elementwiseRelaxed() {
	const a = 1 + 0x1p-12
	x := [3]float32{a, a, -(1 + 0x1p-11)} // a*a is 1 + 2^-11 + 2^-24, whose last bit rounding takes away
	if fuses(unsafe.Pointer(&x)) != 0 {
		e.fusionsSIMD(quantizeDynamicFused, dequantizeSumsFused)
	}
}

// fusionsSIMD sets what needs a fused multiply-add.
func (e *Engine) fusionsSIMD(quantize func(dst, x unsafe.Pointer, n int32, inv float32, zero, lo, hi int32),
	dequantize func(y, acc unsafe.Pointer, n int32, wsum, wscale, wzero, bias unsafe.Pointer, scale float32, zero, shift, relu int32)) {
	e.quantizeDynamic = func(dst []uint8, x []float32, g Grid) {
		n := len(x) &^ 3
		dst = dst[:len(x)]
		quantize(pointer(dst), pointer(x), int32(n), 1/g.Scale, g.Zero, g.Min, g.Max)
		quantizeDynamic(dst[n:], x[n:], g)
	}
	e.dequantizeSums = func(p *epilogue, y []float32, acc []int32, from int, xsum int32, g Grid) {
		n := len(acc) &^ 3
		y = y[:len(acc)]
		wsum, wscale, bias := p.wsum[from:][:n], p.wscale[from:][:n], p.bias[from:][:n]
		var wzero []int32
		if p.wzero != nil {
			wzero = p.wzero[from:][:n]
		}
		dequantize(pointer(y), pointer(acc), int32(n), pointer(wsum), pointer(wscale), pointer(wzero), pointer(bias),
			g.Scale, g.Zero, xsum-int32(p.in)*g.Zero, oneIf(p.relu))
		if n < len(acc) {
			p.dequantize(y[n:], acc[n:], from+n, xsum, g)
		}
	}
}

// endsOf returns the ends of a range given as ordered bits, or twice NaN if one lies beyond an infinity.
func endsOf(l, h int32) (lo, hi float32) {
	if inf := int32(0x7F800000); h > inf || l < ^inf {
		nan := float32(math.NaN())
		return nan, nan
	}
	return fromOrderedBits(l), fromOrderedBits(h)
}

func oneIf(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

// requantizeSIMD is requantize.
func (r *requantizer) requantizeSIMD(y []uint8, acc []int32, from int, xsum int32) {
	n := len(acc) &^ 3
	y = y[:len(acc)]
	offset, bias, mult := r.offset[from:][:n], r.bias[from:][:n], r.mult[from:][:n]
	var wzero []int32
	if r.wzero != nil {
		wzero = r.wzero[from:][:n]
	}
	requantizeSumsSIMD(pointer(y), pointer(acc), int32(n), pointer(offset), pointer(bias), pointer(mult), pointer(wzero),
		xsum, r.zero, r.lo, r.hi)
	if n < len(acc) {
		r.requantize(y[n:], acc[n:], from+n, xsum)
	}
}
