package main

import (
	"encoding/binary"
	"math"
)

const (
	opLoop         = 0x03
	opIf           = 0x04
	opEnd          = 0x0B
	opBranchIf     = 0x0D
	opCall         = 0x10
	opCallIndirect = 0x11
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opI32Const     = 0x41
	opSIMD         = 0xFD // the prefix of all vector instructions
	blockEmpty     = 0x40
)

type (
	unary   func(a value) expression
	binaryF func(a, b value) expression
	ternary func(a, b, c value) expression
)

func plain1(op byte) unary {
	return func(a value) expression { return concat(a.code(), []byte{op}) }
}

func plain2(op byte) binaryF {
	return func(a, b value) expression { return concat(a.code(), b.code(), []byte{op}) }
}

func vector1(op uint32) unary {
	return func(a value) expression { return concat(a.code(), []byte{opSIMD}, unsigned(op)) }
}

func vector2(op uint32) binaryF {
	return func(a, b value) expression { return concat(a.code(), b.code(), []byte{opSIMD}, unsigned(op)) }
}

func vector3(op uint32) ternary {
	return func(a, b, c value) expression {
		return concat(a.code(), b.code(), c.code(), []byte{opSIMD}, unsigned(op))
	}
}

// Scalars.
var (
	i32Eqz = plain1(0x45)
	i32Eq  = plain2(0x46)
	i32GeS = plain2(0x4E)
	i32Add = plain2(0x6A)
	i32Sub = plain2(0x6B)
	i32Mul = plain2(0x6C)
	i32And = plain2(0x71)
	i32Or  = plain2(0x72)
	i32Shl = plain2(0x74)
)

// Vectors, by their names in the specification.
var (
	i32x4Splat = vector1(0x11)
	f32x4Splat = vector1(0x13)

	f32x4Ne = vector2(0x42)
	f32x4Lt = vector2(0x43)
	f32x4Le = vector2(0x45)
	f32x4Gt = vector2(0x44)
	f32x4Ge = vector2(0x46)
	f64x2Lt = vector2(0x49)
	f64x2Gt = vector2(0x4A)

	v128Not     = vector1(0x4D)
	v128And     = vector2(0x4E)
	v128Or      = vector2(0x50)
	v128Xor     = vector2(0x51)
	v128AnyTrue = vector1(0x53)

	f32x4DemoteF64x2Zero = vector1(0x5E)
	f64x2PromoteLowF32x4 = vector1(0x5F)

	i8x16ShrU             = vector2(0x6D)
	i8x16Bitmask          = vector1(0x64)
	i8x16NarrowI16x8U     = vector2(0x66)
	i16x8NarrowI32x4S     = vector2(0x85)
	i16x8ExtendLowI8x16U  = vector1(0x89)
	i16x8ExtendHighI8x16U = vector1(0x8A)
	i16x8Shl              = vector2(0x8B)
	i16x8ShrS             = vector2(0x8C)

	i32x4ExtendLowI16x8S  = vector1(0xA7)
	i32x4ExtendHighI16x8S = vector1(0xA8)
	i32x4Shl              = vector2(0xAB)
	i32x4ShrS             = vector2(0xAC)
	i32x4Add              = vector2(0xAE)
	i32x4Sub              = vector2(0xB1)
	i32x4Mul              = vector2(0xB5)
	i32x4GtS              = vector2(0x3B)
	i32x4MinS             = vector2(0xB6)
	i32x4MaxS             = vector2(0xB8)
	i32x4DotI16x8S        = vector2(0xBA)

	i64x2ShrS = vector2(0xCC)
	i64x2Add  = vector2(0xCE)
	i64x2Sub  = vector2(0xD1)
	i64x2Eq   = vector2(0xD6)

	f32x4Add  = vector2(0xE4)
	f32x4Sub  = vector2(0xE5)
	f32x4Div  = vector2(0xE7)
	f32x4Sqrt = vector1(0xE3)
	f32x4Mul  = vector2(0xE6)
	f32x4PMin = vector2(0xEA)
	f32x4PMax = vector2(0xEB)

	f64x2Add = vector2(0xF0)
	f64x2Sub = vector2(0xF1)
	f64x2Mul = vector2(0xF2)

	f32x4ConvertI32x4S = vector1(0xFA)

	f32x4RelaxedMadd              = vector3(0x105)
	i32x4RelaxedDotI8x16I7x16AddS = vector3(0x113)
)

// i32x4ExtractLane0 is the first of a vector's 4 words.
func i32x4ExtractLane0(v value) expression { return concat(v.code(), []byte{opSIMD, 0x1B, 0}) }

// A loader reads a vector from a pointer and a constant offset in bytes.
type loader func(pointer value, offset int) expression

// memory returns a loader; align is the logarithm of what the address is a multiple of.
func memory(op uint32, align byte) loader {
	return func(pointer value, offset int) expression {
		return concat(pointer.code(), []byte{opSIMD}, unsigned(op), []byte{align}, unsigned(uint32(offset)))
	}
}

var (
	loadBytes   = memory(0x00, 0) // 16 bytes
	load        = memory(0x00, 2) // 4 words of 32 bits
	load8x8S    = memory(0x01, 0)
	load16x4S   = memory(0x03, 1)
	load32Splat = memory(0x09, 0)
	load64Zero  = memory(0x5D, 0)
)

// i32Load reads a word of 32 bits.
func i32Load(pointer value, offset int) expression {
	return concat(pointer.code(), []byte{0x28, 2}, unsigned(uint32(offset)))
}

// i32Load8U reads a byte.
func i32Load8U(pointer value, offset int) expression {
	return concat(pointer.code(), []byte{0x2D, 0}, unsigned(uint32(offset)))
}

// store writes the 16 bytes of a vector.
func (f *function) store(pointer value, offset int, v value) {
	f.do(pointer.code(), v.code(), []byte{opSIMD, 0x0B, 0}, unsigned(uint32(offset)))
}

// store32 writes the first 4 bytes of a vector.
func (f *function) store32(pointer value, offset int, v value) {
	f.do(pointer.code(), v.code(), []byte{opSIMD, 0x5A, 0}, unsigned(uint32(offset)), []byte{0})
}

// shuffle picks 16 bytes of two vectors' 32.
func shuffle(a, b value, lanes [16]byte) expression {
	return concat(a.code(), b.code(), []byte{opSIMD, 0x0D}, lanes[:])
}

// constant is the code of a number.
func constant(v int32) []byte { return append([]byte{opI32Const}, signed(v)...) }

// number is a constant of kind i32.
func number(v int32) expression { return constant(v) }

// words is a vector of one word of 32 bits four times.
func words(v uint32) expression { return longs(uint64(v)<<32 | uint64(v)) }

// longs is a vector of one word of 64 bits twice.
func longs(v uint64) expression {
	b := []byte{opSIMD, 0x0C}
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, v), v)
}

// singles is a vector of one float32 four times.
func singles(v float32) expression { return words(math.Float32bits(v)) }
