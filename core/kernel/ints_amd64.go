//go:build !purego

package kernel

func (e *Engine) intsAVX2() {
	e.packI8 = packI8AVX2
	e.combineI8 = combineI8AVX2
	e.rangeOf = rangeInPasses(rangeAVX2)
	e.quantize = inPasses(quantizeAVX2)
	e.quantizeDynamic = inPasses(quantizeDynamicAVX2)
	e.dequantize = inPasses(dequantizeAVX2)
	e.dequantizeSums = dequantizeSumsAVX2
	e.requantizeSums = requantizeSumsAVX2
}

func (e *Engine) intsAVX512() {
	e.packI8 = packI8AVX512
	e.combineI8 = combineI8AVX512
	e.rangeOf = rangeInPasses(rangeAVX512)
	e.quantize = inPasses(quantizeAVX512)
	e.quantizeDynamic = inPasses(quantizeDynamicAVX512)
	e.dequantize = inPasses(dequantizeAVX512)
	e.dequantizeSums = dequantizeSumsAVX512
	e.requantizeSums = requantizeSumsAVX512
}
