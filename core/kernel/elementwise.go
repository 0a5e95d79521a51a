package kernel

import "math"

// A Grid is what an unsigned activation is quantized on: the integer q in [Min, Max] stands for Scale*(q-Zero).
//
// Max may lie beyond what the scale was computed for: PyTorch's reduce_range spreads the observed range over 0 to 127,
// but still clamps at 255.
type Grid struct {
	Scale          float32
	Zero, Min, Max int32
}

// roundLimit bounds what is rounded: beyond it every value is clamped anyway, and within it adding roundMagic to a
// float32 leaves the nearest integer, ties to even, in the low bits of the sum.
const (
	roundLimit = 1 << 21
	roundMagic = 3 << 22
	roundBits  = 0x4B400000 // math.Float32bits(roundMagic)
)

// roundEven rounds v to the nearest integer, ties to even, saturating at ±roundLimit. NaN gives roundLimit, as
// FBGEMM's minps does.
func roundEven(v float32) int32 {
	if !(v < roundLimit) {
		v = roundLimit
	}
	if v < -roundLimit {
		v = -roundLimit
	}
	return int32(math.Float32bits(v+roundMagic)) - roundBits
}

// Range returns the smallest and the largest element of x; nothing gives 0, 0. A NaN anywhere gives NaN, NaN.
func (e *Engine) Range(x []float32) (lo, hi float32) { return e.rangeOf(x) }

// Quantize writes x on the grid g as at::quantize_per_tensor does (fbgemm::Quantize, LEGACY false): the zero point is
// added after rounding,
//
//	inv := 1 / g.Scale
//	q = clamp(roundeven(float32(x*inv)) + g.Zero, g.Min, g.Max)
//
// NaN becomes g.Max. dst is at least as long as x.
func (e *Engine) Quantize(dst []uint8, x []float32, g Grid) {
	e.quantize(dst[:len(x)], x, g)
}

// QuantizeDynamic writes x on the grid g as a dynamic linear layer does (fbgemm::PackAWithQuantRowOffset, which calls
// QuantizeAvx2 with LEGACY true): one fused multiply-add, and the zero point is in before rounding,
//
//	inv := 1 / g.Scale
//	q = clamp(roundeven(fma(x, inv, g.Zero)), g.Min, g.Max)
//
// It differs from Quantize where x*inv lies at or next to a tie. NaN becomes g.Max. dst is at least as long as x.
func (e *Engine) QuantizeDynamic(dst []uint8, x []float32, g Grid) {
	e.quantizeDynamic(dst[:len(x)], x, g)
}

// Dequantize writes what the integers of x stand for on the grid g: g.Scale * float32(x-g.Zero). dst is at least as
// long as x.
func (e *Engine) Dequantize(dst []float32, x []uint8, g Grid) {
	e.dequantize(dst[:len(x)], x, g)
}

// rangeOf compares floats by their bits, which orders them like signed integers once negative ones are flipped; then
// minimum and maximum need no branch, and a NaN is what lies beyond an infinity.
func rangeOf(x []float32) (lo, hi float32) {
	if len(x) == 0 {
		return 0, 0
	}
	l := orderedBits(x[0])
	h := l
	for _, v := range x {
		b := orderedBits(v)
		l, h = min(l, b), max(h, b)
	}
	if inf := int32(0x7F800000); h > inf || l < ^inf {
		nan := float32(math.NaN())
		return nan, nan
	}
	return fromOrderedBits(l), fromOrderedBits(h)
}

// orderedBits maps floats to integers of the same order. A negative float's magnitude bits are inverted.
func orderedBits(v float32) int32 {
	b := int32(math.Float32bits(v))
	return b ^ (b >> 31 & math.MaxInt32)
}

func fromOrderedBits(b int32) float32 {
	return math.Float32frombits(uint32(b ^ (b >> 31 & math.MaxInt32)))
}

func quantize(dst []uint8, x []float32, g Grid) {
	dst = dst[:len(x)]
	inv, zero, lo, hi := 1/g.Scale, g.Zero, g.Min, g.Max
	for i, v := range x {
		q := roundEven(float32(v*inv)) + zero
		dst[i] = uint8(max(min(q, hi), lo))
	}
}

func quantizeDynamic(dst []uint8, x []float32, g Grid) {
	dst = dst[:len(x)]
	inv, zero, lo, hi := float64(1/g.Scale), float64(g.Zero), g.Min, g.Max
	for i, v := range x {
		p := float64(v) * inv // fma(v, inv, zero), which the compiler finds too large to inline
		s := p + zero
		if onTie(s) {
			s = offTie(p, zero, s)
		}
		dst[i] = uint8(max(min(roundEven(float32(s)), hi), lo))
	}
}

func dequantize(dst []float32, x []uint8, g Grid) {
	dst = dst[:len(x)]
	scale, zero := g.Scale, g.Zero
	for i, q := range x {
		dst[i] = scale * float32(int32(q)-zero)
	}
}
