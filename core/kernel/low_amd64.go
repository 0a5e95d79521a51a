//go:build !purego

package kernel

import "github.com/klauspost/cpuid/v2"

func (e *Engine) lowAVX2() {
	e.gemmFlushes = true
	e.lower = lowTypes[func(dst []uint16, src []float32)]{
		func(dst []uint16, src []float32) { eights(dst, src, lowerBFloat16AVX2, lowerBFloat16) },
		func(dst []uint16, src []float32) { eights(dst, src, lowerHalfAVX2, lowerHalf) },
	}
	e.raise = lowTypes[func(dst []float32, src []uint16)]{
		func(dst []float32, src []uint16) { eights(dst, src, raiseBFloat16AVX2, raiseBFloat16) },
		func(dst []float32, src []uint16) { eights(dst, src, raiseHalfAVX2, raiseHalf) },
	}
	e.round = lowTypes[func(x []float32)]{
		func(x []float32) { eights(x, x, roundBFloat16AVX2, func(_, x []float32) { roundBFloat16(x) }) },
		func(x []float32) { eights(x, x, roundHalfAVX2, func(_, x []float32) { roundHalf(x) }) },
	}
}

func (e *Engine) lowAVX512() {
	e.gemmFlushes = true
	e.lower = lowTypes[func(dst []uint16, src []float32)]{
		func(dst []uint16, src []float32) { sixteens(dst, src, lowerBFloat16AVX512) },
		func(dst []uint16, src []float32) { sixteens(dst, src, lowerHalfAVX512) },
	}
	e.raise = lowTypes[func(dst []float32, src []uint16)]{
		func(dst []float32, src []uint16) { sixteens(dst, src, raiseBFloat16AVX512) },
		func(dst []float32, src []uint16) { sixteens(dst, src, raiseHalfAVX512) },
	}
	e.round = lowTypes[func(x []float32)]{
		func(x []float32) { sixteens(x, x, roundBFloat16AVX512) },
		func(x []float32) { sixteens(x, x, roundHalfAVX512) },
	}
	if cpuid.CPU.Supports(cpuid.AVX512BF16) {
		e.gemmLow[BFloat16] = (*lowJob).dots
		peak := e.peak
		e.peak = func(k Kind, n int) int {
			if k == Mixed {
				return nativePeak(peakBFloat16AVX512, 24*32, n)
			}
			return peak(k, n)
		}
	}
}

// convertElements is the most elements in one call of assembly.
const convertElements = 1 << 14

// sixteens has all elements converted by a routine that takes any number of them.
func sixteens[D, S uint16 | float32](dst []D, src []S, convert func(dst *D, src *S, n int)) {
	for dst = dst[:len(src)]; len(src) > 0; {
		n := min(len(src), convertElements)
		convert(&dst[0], &src[0], n)
		dst, src = dst[n:], src[n:]
	}
}

// eights has eights of elements converted by a routine, and the rest in Go.
func eights[D, S uint16 | float32](dst []D, src []S, convert func(dst *D, src *S, n int), rest func(dst []D, src []S)) {
	n := len(src) &^ 7
	sixteens(dst[:n], src[:n], convert)
	rest(dst[n:], src[n:])
}
