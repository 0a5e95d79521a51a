package torch

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/x448/float16"
)

// A DType names the type of a tensor's numbers as PyTorch does, without "torch.".
type DType string

// The types whose numbers can be read here.
const (
	Float64  DType = "float64"
	Float32  DType = "float32"
	Float16  DType = "float16"
	BFloat16 DType = "bfloat16"
	Int64    DType = "int64"
	Int32    DType = "int32"
	Int16    DType = "int16"
	Int8     DType = "int8"
	UInt8    DType = "uint8"
	Bool     DType = "bool"
	QInt8    DType = "qint8"
	QUInt8   DType = "quint8"
	QInt32   DType = "qint32"
)

// itemSizes are the bytes of a number of each type that a file may name.
var itemSizes = map[DType]int{
	Float64: 8, Float32: 4, Float16: 2, BFloat16: 2, Int64: 8, Int32: 4, Int16: 2, Int8: 1, UInt8: 1, Bool: 1,
	QInt8: 1, QUInt8: 1, QInt32: 4, "quint4x2": 1, "quint2x4": 1, "complex32": 4, "complex64": 8, "complex128": 16,
	"uint16": 2, "uint32": 4, "uint64": 8, "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1,
}

// A storageType is a class of storages, by the type of its numbers.
type storageType DType

// storageTypes are PyTorch's classes of storages.
var storageTypes = map[string]storageType{
	"DoubleStorage": storageType(Float64), "FloatStorage": storageType(Float32), "HalfStorage": storageType(Float16),
	"BFloat16Storage": storageType(BFloat16), "LongStorage": storageType(Int64), "IntStorage": storageType(Int32),
	"ShortStorage": storageType(Int16), "CharStorage": storageType(Int8), "ByteStorage": storageType(UInt8),
	"BoolStorage": storageType(Bool), "QInt8Storage": storageType(QInt8), "QUInt8Storage": storageType(QUInt8),
	"QInt32Storage": storageType(QInt32), "QUInt4x2Storage": "quint4x2", "QUInt2x4Storage": "quint2x4",
	"ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128", "UntypedStorage": storageType(UInt8),
}

// A storage is the numbers that tensors are views of.
type storage struct {
	dtype DType
	count int    // of numbers
	data  []byte // little-endian
}

// checked returns an error unless the storage has the bytes of its numbers.
func (s *storage) checked() error {
	if len(s.data)/itemSizes[s.dtype] < s.count {
		return damaged("a tensor's numbers take %d bytes, and it claims %d of type %s", len(s.data), s.count, s.dtype)
	}
	return nil
}

// A Tensor is one of a file's tensors: a view of numbers that are decoded only when they are asked for.
type Tensor struct {
	Name     string // in the state_dict: "net.0.weight"
	Position int    // in the state_dict; PackedLinears count in the same order
	Shape    []int  // empty for a single number
	DType    DType

	storage *storage
	offset  int   // of the first number in the storage
	stride  []int // as many as Shape
	grids   *grids
}

// grids say how a tensor is quantized: by one scale and zero point, or by as many as there are slices along an axis.
type grids struct {
	scale         float64
	zero          int64
	axis          int // -1: one for all
	scales, zeros *Tensor
}

// Len returns how many numbers the tensor has.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// each calls f with every number's position in the tensor, row by row, and its place in the storage.
func (t *Tensor) each(f func(i, at int)) {
	n := t.Len()
	index := make([]int, len(t.Shape))
	at := t.offset
	for i := range n {
		f(i, at)
		for d := len(index) - 1; d >= 0; d-- {
			index[d]++
			at += t.stride[d]
			if index[d] < t.Shape[d] {
				break
			}
			at -= index[d] * t.stride[d]
			index[d] = 0
		}
	}
}

// Float32 returns the numbers, row by row. Those of quantized tensors are scale * (integer - zero point), computed in float32
// as PyTorch does; float64 is rounded, which may give infinities. Integers and booleans are an error.
func (t *Tensor) Float32() ([]float32, error) {
	if t.grids != nil {
		return t.dequantize()
	}
	out, b := make([]float32, t.Len()), t.storage.data
	switch t.DType {
	case Float64:
		t.each(func(i, at int) { out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(b[8*at:]))) })
	case Float32:
		t.each(func(i, at int) { out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*at:])) })
	case Float16:
		t.each(func(i, at int) { out[i] = float16.Frombits(binary.LittleEndian.Uint16(b[2*at:])).Float32() })
	case BFloat16:
		t.each(func(i, at int) { out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(b[2*at:])) << 16) })
	default:
		return nil, fmt.Errorf("tensor %.60q is of type %s, not of floating-point numbers", t.Name, t.DType)
	}
	return out, nil
}

// integers returns the numbers of a tensor of integers, quantized or not.
func (t *Tensor) integers() ([]int64, error) {
	out, b := make([]int64, t.Len()), t.storage.data
	switch t.DType {
	case Int64:
		t.each(func(i, at int) { out[i] = int64(binary.LittleEndian.Uint64(b[8*at:])) })
	case Int32, QInt32:
		t.each(func(i, at int) { out[i] = int64(int32(binary.LittleEndian.Uint32(b[4*at:]))) })
	case Int8, QInt8:
		t.each(func(i, at int) { out[i] = int64(int8(b[at])) })
	case UInt8, QUInt8:
		t.each(func(i, at int) { out[i] = int64(b[at]) })
	default:
		return nil, fmt.Errorf("tensor %.60q is of type %s, not of integers", t.Name, t.DType)
	}
	return out, nil
}

// doubles returns the numbers of a tensor of float64 or float32.
func (t *Tensor) doubles() ([]float64, error) {
	out := make([]float64, t.Len())
	if t.DType == Float64 {
		t.each(func(i, at int) { out[i] = math.Float64frombits(binary.LittleEndian.Uint64(t.storage.data[8*at:])) })
		return out, nil
	}
	values, err := t.Float32()
	for i, v := range values {
		out[i] = float64(v)
	}
	return out, err
}
