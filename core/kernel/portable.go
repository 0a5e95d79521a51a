package kernel

// newPortable returns the engine in plain Go that every machine has. Other engines start from its table and replace what
// they do faster.
//
// What limits plain Go are the instructions around each scalar multiplication, not the multiplications, and registers
// (Go hoists every load of a basic block to its top and spills what doesn't fit). So the float kernels work on columns of
// 8 inputs: one base pointer, 8 coefficients that stay in registers, 8 products a load and store of the output. The int8
// kernel does 3 multiplications in one.
func newPortable() *Engine {
	return &Engine{
		name:          "portable",
		definedFloats: true,

		packF32:    packPortableF32,
		packF16:    packPortableF16,
		packI8:     packPortableI8,
		combineF32: combineF32,
		combineF16: combineF16,
		combineI8:  combineI8,
		finish:     finish,

		rangeOf:         rangeOf,
		quantize:        quantize,
		quantizeDynamic: quantizeDynamic,
		dequantize:      dequantize,
		dequantizeSums:  (*epilogue).dequantize,
		requantizeSums:  (*requantizer).requantize,

		lower: lowerings, raise: raisings, round: roundings,

		gemm: (*gemmJob).portable,
		adam: adam, adamIdle: adamIdle, gate: gate,

		peak: portablePeak,
		read: portableRead,
	}
}

const (
	columnBlock = 128 // outputs that a batch is multiplied by at a time
	depthBlock  = 32  // inputs, likewise: 128 x 32 float32 weights fill half of a first-level cache
)

// columns returns how many outputs of lo to hi-1 to compute at a time. A single row reads every weight once, so it
// reads them in the order in which they lie; for more rows a block of weights is kept in the first-level cache.
func columns(rows, lo, hi, block int) int {
	if rows == 1 {
		return hi - lo
	}
	return block
}
