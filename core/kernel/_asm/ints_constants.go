package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// The constants of the AVX2 functions, which can't make them as cheaply as AVX-512 ones.
var (
	lowBytes     operand.Mem // of each 16 bits
	quarterBytes operand.Mem // of each 32 bits
	lowWords     operand.Mem // 1 in each 16 bits
	packedOrder  operand.Mem // undoes what two rounds of packing do to the order of 32-bit parts
	lastOutputs  operand.Mem // 16 times -1 in 32 bits, after 16 times 0
)

func constants256() {
	constant := func(name string, values ...uint64) operand.Mem {
		m := GLOBL(name, attr.RODATA|attr.NOPTR)
		for i, v := range values {
			DATA(8*i, operand.U64(v))
		}
		return m
	}
	repeat := func(v uint64, n int) []uint64 {
		s := make([]uint64, n)
		for i := range s {
			s[i] = v
		}
		return s
	}
	lowBytes = constant("lowBytes", repeat(0x00FF00FF00FF00FF, 4)...)
	quarterBytes = constant("quarterBytes", repeat(0x000000FF000000FF, 4)...)
	lowWords = constant("lowWords", repeat(0x0001000100010001, 4)...)
	packedOrder = constant("packedOrder", 4<<32, 1|5<<32, 2|6<<32, 3|7<<32)
	lastOutputs = constant("lastOutputs", append(repeat(0, 8), repeat(1<<64-1, 8)...)...)
}
