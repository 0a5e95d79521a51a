package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transposeStrip writes the transposition of 8 rows, 8 columns at a time: pairs, then fours, then eights change places.
func transposeStrip() {
	TEXT("transposeStrip", NOSPLIT, "func(dst *float32, dstRow int, src *float32, srcRow int, blocks int)")
	Pragma("noescape")
	Doc("transposeStrip transposes 8 rows of 8*blocks columns, for avx2 and wider. Steps are in bytes; blocks is at least 1.",
		"",
		"\tfor i := range 8 {",
		"\t\tfor j := range 8 * blocks {",
		"\t\t\tdst[j*dstRow + i] = src[i*srcRow + j]",
		"\t\t}",
		"\t}")
	dst, dstRow, src, srcRow, blocks := RDI, R8, RSI, R9, RCX
	Load(Param("dst"), dst)
	Load(Param("dstRow"), dstRow)
	Load(Param("src"), src)
	Load(Param("srcRow"), srcRow)
	Load(Param("blocks"), blocks)
	dst3, src3, dst5, src5 := RAX, RBX, RDX, R10
	LEAQ(Mem{Base: srcRow, Index: srcRow, Scale: 2}, R11)
	LEAQ(Mem{Base: dstRow, Index: dstRow, Scale: 2}, R12)
	// Row i of a block, from pointers to its rows 0, 3 and 5.
	row := func(base, base3, base5, step GPPhysical, i int) Mem {
		switch {
		case i == 0:
			return Mem{Base: base}
		case i < 3:
			return Mem{Base: base, Index: step, Scale: uint8(i)}
		case i == 3:
			return Mem{Base: base3}
		case i == 4:
			return Mem{Base: base3, Index: step, Scale: 1}
		case i == 5:
			return Mem{Base: base5}
		}
		return Mem{Base: base5, Index: step, Scale: uint8(i - 5)}
	}
	Label("block")
	LEAQ(Mem{Base: src, Index: R11, Scale: 1}, src3)
	LEAQ(Mem{Base: src3, Index: srcRow, Scale: 2}, src5)
	LEAQ(Mem{Base: dst, Index: R12, Scale: 1}, dst3)
	LEAQ(Mem{Base: dst3, Index: dstRow, Scale: 2}, dst5)
	x := []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7}
	t := []VecPhysical{Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}
	for i := range 8 {
		VMOVUPS(row(src, src3, src5, srcRow, i), x[i])
	}
	for i := 0; i < 8; i += 2 {
		VUNPCKLPS(x[i+1], x[i], t[i])
		VUNPCKHPS(x[i+1], x[i], t[i+1])
	}
	for i := 0; i < 8; i += 4 {
		VUNPCKLPD(t[i+2], t[i], x[i])
		VUNPCKHPD(t[i+2], t[i], x[i+1])
		VUNPCKLPD(t[i+3], t[i+1], x[i+2])
		VUNPCKHPD(t[i+3], t[i+1], x[i+3])
	}
	for i := range 4 {
		VPERM2F128(Imm(0x20), x[i+4], x[i], t[i])
		VPERM2F128(Imm(0x31), x[i+4], x[i], t[i+4])
	}
	for i := range 8 {
		VMOVUPS(t[i], row(dst, dst3, dst5, dstRow, i))
	}
	ADDQ(Imm(32), src)
	LEAQ(Mem{Base: dst, Index: dstRow, Scale: 8}, dst)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}
