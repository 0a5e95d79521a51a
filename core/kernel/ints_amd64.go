//go:build !purego

package kernel

func (e *Engine) intsAVX2() {
	e.packI8 = packI8AVX2
	e.combineI8 = combineI8AVX2
	e.rangeOf = rangeAVX2
	e.quantize = quantizeAVX2
	e.quantizeDynamic = quantizeDynamicAVX2
	e.dequantize = dequantizeAVX2
	e.dequantizeSums = dequantizeSumsAVX2
	e.requantizeSums = requantizeSumsAVX2
}

func (e *Engine) intsAVX512() {
	e.packI8 = packI8AVX512
	e.combineI8 = combineI8AVX512
	e.rangeOf = rangeAVX512
	e.quantize = quantizeAVX512
	e.quantizeDynamic = quantizeDynamicAVX512
	e.dequantize = dequantizeAVX512
	e.dequantizeSums = dequantizeSumsAVX512
	e.requantizeSums = requantizeSumsAVX512
}
