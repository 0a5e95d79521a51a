package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// ints writes the int8 kernels.
func ints() {
	Package("../ints_tile_amd64.go") // whose structs the assembly reads
	constants256()
	for _, vectors := range []int{2, 1} {
		for rows := 1; rows <= 14; rows++ {
			newTile512(rows, vectors)
		}
		for rows := 1; rows <= 4; rows++ {
			newTile256(rows, vectors)
		}
	}
	combine512()
	combine256()
	highBits256()
	range256()
	quantize256()
	dequantize256()
	row256("rowFloats256", false)
	row256("rowBytes256", true)
	range512()
	quantize512()
	dequantize512()
	row512("rowFloats512", false)
	row512("rowBytes512", true)
}

// function begins a function, whose signature may name the types of the file ints names.
func function(name, signature string, doc ...string) {
	TEXT(name, attr.NOSPLIT, signature)
	Pragma("noescape")
	Doc(doc...)
}

// align has the assembler pad with no-ops, so that a loop begins on a boundary that the decoder likes.
func align() {
	Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []operand.Op{operand.Imm(64)}})
}

// leave ends a function that used wide registers.
func leave() {
	VZEROUPPER()
	RET()
}

var (
	zmm = []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
	}
	ymm = []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}
)

// at is the memory disp bytes past a register.
func at(base reg.Register, disp int) operand.Mem { return operand.Mem{Base: base, Disp: disp} }
