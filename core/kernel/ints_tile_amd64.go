//go:build !purego

package kernel

import "unsafe"

// An intTile is what the assembly of an int8 product works on: a few rows of activations times a run of panels of packed
// weights. The generator in _asm reads this file, so the assembly's offsets follow the fields.
type intTile struct {
	x      *uint8
	stride uintptr // bytes between rows of x
	w      *int8   // the first panel
	groups uintptr // whole groups of 4 inputs
	rest   uintptr // if not 0, there is one group more, which begins so many bytes before the end of the others
	panels uintptr // at least 1

	y       unsafe.Pointer // int32, float32 or uint8, by kind
	ystride uintptr        // bytes between rows of y

	// The epilogue's vectors, from the first panel's first output on. Sums start from factor*offset.
	offset *int32
	scale  *float32
	bias   *float32
	factor int32
	mask   uint32 // which outputs of the last panel there are

	kind    uint32  // tileSums, tileFloats or tileBytes
	gscale  float32 // tileFloats: the activations' scale
	lo, hi  float32 // tileFloats: lo is 0 for a ReLU, else -Inf; tileBytes: see byteRange
	zero    int32   // tileBytes
	widened uint32  // avx2: some activation is above 127
	ahead   uint32  // avx512, one row: have weights fetched ahead
}

const (
	tileSums   = iota // int32: Σ x·w
	tileFloats        // float32: as (*epilogue).dequantize, without zero points of weights
	tileBytes         // uint8: as (*requantizer).requantize, likewise
)

// An intRow is what the assembly of an epilogue works on: neighbouring sums of one row.
type intRow struct {
	y   unsafe.Pointer // float32 or uint8
	acc *int32
	n   uintptr

	offset *int32 // corrected = acc + factor*offset + shift*wzero
	wzero  *int32 // or nil
	scale  *float32
	bias   *float32
	factor int32
	shift  int32

	gscale float32 // of what becomes float32
	lo, hi float32 // as in an intTile
	zero   int32
}
