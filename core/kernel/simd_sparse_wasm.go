//go:build !purego

package kernel

import "unsafe"

// The functions of _wasm/sparse.go. They stop before the last outputs that don't fill a block.
//
//go:wasmimport kernels combine_f32
//go:noescape
func combineF32SIMD(y unsafe.Pointer, n int32, w unsafe.Pointer, ldw int32, index, value unsafe.Pointer, count int32)

//go:wasmimport kernels combine_f16
//go:noescape
func combineF16SIMD(y unsafe.Pointer, n int32, w unsafe.Pointer, ldw int32, index, value unsafe.Pointer, count int32)

//go:wasmimport kernels combine_f32_relaxed
//go:noescape
func combineF32Relaxed(y unsafe.Pointer, n int32, w unsafe.Pointer, ldw int32, index, value unsafe.Pointer, count int32)

//go:wasmimport kernels combine_f16_relaxed
//go:noescape
func combineF16Relaxed(y unsafe.Pointer, n int32, w unsafe.Pointer, ldw int32, index, value unsafe.Pointer, count int32)

//go:wasmimport kernels combine_i8
//go:noescape
func combineI8SIMD(acc unsafe.Pointer, n int32, w unsafe.Pointer, ldw int32, index, value unsafe.Pointer, count, zero int32)

// combineSIMD is one of those of floats.
type combineSIMD func(y unsafe.Pointer, n int32, w unsafe.Pointer, ldw int32, index, value unsafe.Pointer, count int32)

// sparseSIMD sets the combinations of rows: those of floats with strict arithmetic, which gives the portable engine's bits,
// or with relaxed multiply-adds.
func (e *Engine) sparseSIMD(relaxed bool) {
	f32, f16 := combineF32SIMD, combineF16SIMD
	if relaxed {
		f32, f16 = combineF32Relaxed, combineF16Relaxed
	}
	e.combineF32 = func(y, w []float32, ld int, index []int32, value []float32) {
		if rest := combineFloats(f32, 4, y, w, ld, index, value); rest < len(y) {
			combineF32(y[rest:], w[rest:], ld, index, value)
		}
	}
	e.combineF16 = func(y []float32, w []uint16, ld int, index []int32, value []float32) {
		if rest := combineFloats(f16, 2, y, w, ld, index, value); rest < len(y) {
			combineF16(y[rest:], w[rest:], ld, index, value)
		}
	}
	e.combineI8 = func(acc []int32, w []int8, ld int, index []int32, value []uint8, zero int32) {
		// value-zero must be an int16.
		if n := len(acc) &^ 7; n > 0 && len(index) > 0 && -1<<14 <= zero && zero <= 1<<14 {
			lastRow(len(w), ld, len(acc), index, len(value))
			combineI8SIMD(pointer(acc), int32(n), pointer(w), int32(ld), pointer(index), pointer(value), int32(len(index)), zero)
			acc, w = acc[n:], w[n:]
		}
		if len(acc) > 0 {
			combineI8(acc, w, ld, index, value, zero)
		}
	}
}

// combineFloats combines 4 outputs at a time and returns how many it did: all, unless the last rows of weights, each of
// that many bytes, end before a block does. The last outputs, fewer than 4, go through a buffer.
func combineFloats[T float32 | uint16](simd combineSIMD, size int, y []float32, w []T, ld int, index []int32, value []float32) int {
	if len(index) == 0 {
		return len(y)
	}
	last := lastRow(len(w), ld, len(y), index, len(value))
	n := len(y) &^ 3
	if n > 0 {
		simd(pointer(y), int32(n), pointer(w), int32(size*ld), pointer(index), pointer(value), int32(len(index)))
	}
	if n == len(y) || last*ld+n+4 > len(w) {
		return n
	}
	s := takeSpare()
	tail := s.floats[:4]
	copy(tail, y[n:])
	simd(pointer(tail), 4, pointer(w[n:]), int32(size*ld), pointer(index), pointer(value), int32(len(index)))
	copy(y[n:], tail)
	s.give()
	return len(y)
}

// lastRow returns the largest index. It panics unless the rows of w, n elements each and ld apart, are all there.
func lastRow(size, ld, n int, index []int32, values int) int {
	need("sparse Forward", "value", values, len(index))
	last := 0
	for _, i := range index {
		if i < 0 {
			panic("kernel: sparse Forward: a negative index")
		}
		last = max(last, int(i))
	}
	need("sparse Forward", "weights", size, last*ld+n)
	return last
}
