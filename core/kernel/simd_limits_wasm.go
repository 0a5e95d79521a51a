//go:build !purego

package kernel

import (
	"math"
	"unsafe"
)

// The functions of _wasm/limits.go.
//
//go:wasmimport kernels peak_f32
//go:noescape
func peakF32SIMD(x unsafe.Pointer, n int32) int32

//go:wasmimport kernels peak_i16
//go:noescape
func peakI16SIMD(x unsafe.Pointer, n int32) int32

//go:wasmimport kernels peak_f32_relaxed
//go:noescape
func peakF32Relaxed(x unsafe.Pointer, n int32) int32

//go:wasmimport kernels peak_i8_relaxed
//go:noescape
func peakI8Relaxed(x unsafe.Pointer, n int32) int32

//go:wasmimport kernels read
//go:noescape
func readSIMD(p unsafe.Pointer, n int32) int32

// peakFactors is what the peaks multiply by. Zeros stay what they are, however long they are summed up.
var peakFactors [24]int32

// A peakLoop is one of those functions, with how many multiply-adds it does each time.
type peakLoop struct {
	run  func(x unsafe.Pointer, n int32) int32
	each int
}

func (l peakLoop) peak(n int) int {
	times := min(max((n+l.each-1)/l.each, 1), math.MaxInt32)
	l.run(unsafe.Pointer(&peakFactors), int32(times))
	return times * l.each
}

// limits sets the peaks: that of halves is that of floats, into which they are widened.
func (e *Engine) limits(floats, ints peakLoop) {
	e.peak = func(k Kind, n int) int {
		if k == Int8 {
			return ints.peak(n)
		}
		return floats.peak(n)
	}
	e.read = readStream
	e.readAlso = readStreams
}

// readStream returns the exclusive or of all bytes of p.
func readStream(p []byte) byte {
	n := len(p) &^ 127
	v := readSIMD(pointer(p), int32(n))
	return byte(v^v>>8^v>>16^v>>24) ^ portableRead(p[n:])
}

// readStreams is readStream from four places in turns, as a product with a single row reads its panels: processors fetch
// ahead for each.
func readStreams(p []byte) (x byte) {
	const streams, stretch = 4, 4096
	part := len(p) / streams &^ (stretch - 1)
	for at := 0; at < part; at += stretch {
		for s := range streams {
			x ^= readStream(p[s*part+at:][:stretch])
		}
	}
	return x ^ readStream(p[streams*part:])
}

// What a peak does each time: 4 times as many rows as it has, by 2 vectors of 4 sums, of one product or more each.
func (e *Engine) limitsSIMD() {
	e.limits(peakLoop{peakF32SIMD, 4 * 4 * 8}, peakLoop{peakI16SIMD, 4 * 4 * 8 * 2})
}

func (e *Engine) limitsRelaxed() {
	e.limits(peakLoop{peakF32Relaxed, 4 * 6 * 8}, peakLoop{peakI8Relaxed, 4 * 6 * 8 * 4})
}
