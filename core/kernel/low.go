package kernel

import (
	"fmt"
	"math"
)

// A LowType is a floating-point type of 16 bits, for training in mixed precision.
type LowType uint8

const (
	BFloat16 LowType = iota // the upper half of a float32: 8 bits of exponent and 7 of fraction
	Half                    // IEEE binary16: 5 bits of exponent and 10 of fraction
)

func (t LowType) String() string {
	if t == BFloat16 {
		return "bfloat16"
	}
	return "float16"
}

// A LowMatrix is a row-major matrix of a low type; the bits of element (i, j) are Data[i*Stride+j].
type LowMatrix struct {
	Data               []uint16
	Rows, Cols, Stride int
	Type               LowType
}

// NewLowMatrix returns a matrix of zeros whose stride suits the products.
func NewLowMatrix(rows, cols int, t LowType) LowMatrix {
	ld := lowStride(cols)
	return LowMatrix{aligned[uint16](rows * ld), rows, cols, ld, t}
}

// lowStride is stride for elements of 2 bytes.
func lowStride(width int) int { return (width+31)&^31 + 32 }

// Row returns row i.
func (m LowMatrix) Row(i int) []uint16 { return m.Data[i*m.Stride : i*m.Stride+m.Cols] }

// Head returns the first n rows. It shares m's memory.
func (m LowMatrix) Head(n int) LowMatrix {
	return LowMatrix{m.Data[:n*m.Stride], n, m.Cols, m.Stride, m.Type}
}

// Lower rounds src to the nearest values of dst's type, ties to even, as PyTorch's Tensor.to does. Subnormals stay, what is too
// large becomes an infinity, and a NaN stays one. The matrices have the same shape. All engines give the same bits, but for those
// of a NaN.
func (e *Engine) Lower(dst LowMatrix, src Matrix) {
	needSameShape("Lower", src, dst)
	lower := e.lower[dst.Type]
	for i := range src.Rows {
		lower(dst.Row(i), src.Row(i))
	}
}

// Raise writes the values of src, which has dst's shape.
func (e *Engine) Raise(dst Matrix, src LowMatrix) {
	needSameShape("Raise", dst, src)
	raise := e.raise[src.Type]
	for i := range dst.Rows {
		raise(dst.Row(i), src.Row(i))
	}
}

// RoundTo rounds m to values of the low type, as Lower and Raise do.
func (e *Engine) RoundTo(t LowType, m Matrix) {
	needMatrix("RoundTo", m)
	round := e.round[t]
	for i := range m.Rows {
		round(m.Row(i))
	}
}

func needSameShape(op string, m Matrix, low LowMatrix) {
	if m.Rows != low.Rows || m.Cols != low.Cols {
		panic(fmt.Sprintf("kernel: %s: shapes %d x %d and %d x %d differ", op, m.Rows, m.Cols, low.Rows, low.Cols))
	}
	needMatrix(op, m)
	needLow(op, low)
}

func needLow(op string, m LowMatrix) {
	need(op, "matrix", len(m.Data), max(0, (m.Rows-1)*m.Stride+m.Cols))
}

// lowTypes holds something for each LowType.
type lowTypes[T any] [2]T

// What follows is the portable engine's; lowerings[t] is its Engine.lower of type t.
var (
	lowerings = lowTypes[func(dst []uint16, src []float32)]{lowerBFloat16, lowerHalf}
	raisings  = lowTypes[func(dst []float32, src []uint16)]{raiseBFloat16, raiseHalf}
	roundings = lowTypes[func(x []float32)]{roundBFloat16, roundHalf}
)

// toBFloat16 adds a little less than half of the last place that stays, or half where that place is odd, and cuts off the rest.
// The carry goes on into the exponent, up to an infinity.
func toBFloat16(v float32) uint16 {
	if v != v {
		return 0x7FC0
	}
	b := math.Float32bits(v)
	return uint16((b + 0x7FFF + b>>16&1) >> 16)
}

// toHalf does likewise for normal halves. A subnormal one's last place is 2^-24, that of the float32 between 0.5 and 1: adding 0.5
// rounds to it.
func toHalf(v float32) uint16 {
	b := math.Float32bits(v)
	sign, size := uint16(b>>16&0x8000), b&0x7FFFFFFF
	switch {
	case size > 0x7F800000:
		return sign | 0x7E00
	case size >= 0x47800000: // 2^16
		return sign | 0x7C00
	case size < 0x38800000: // 2^-14
		return sign | uint16(math.Float32bits(math.Float32frombits(size)+0.5)-0x3F000000)
	}
	size += 0xFFF + size>>13&1
	return sign | uint16((size-(127-15)<<23)>>13)
}

func lowerBFloat16(dst []uint16, src []float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = toBFloat16(v)
	}
}

func lowerHalf(dst []uint16, src []float32) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = toHalf(v)
	}
}

func raiseBFloat16(dst []float32, src []uint16) {
	dst = dst[:len(src)]
	for i, h := range src {
		dst[i] = math.Float32frombits(uint32(h) << 16)
	}
}

func raiseHalf(dst []float32, src []uint16) {
	dst = dst[:len(src)]
	for i, h := range src {
		dst[i] = widen(h)
	}
}

func roundBFloat16(x []float32) {
	for i, v := range x {
		x[i] = math.Float32frombits(uint32(toBFloat16(v)) << 16)
	}
}

func roundHalf(x []float32) {
	for i, v := range x {
		x[i] = widen(toHalf(v))
	}
}
