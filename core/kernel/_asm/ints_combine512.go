package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// combine512 adds up 4 rows of weights at a time: interleaved by bytes, they are what VPDPBUSD multiplies by 4 values. That leaves the
// outputs in an order of its own, which is undone at the end: interleaving works within 16 bytes, so that vector j holds
// the outputs 4j to 4j+3 of each 16.
func combine512() {
	function("combine512", "func(acc *int32, n int, w *int8, ld int, index *int32, value *uint8, rows int, zero int32)",
		"combine512 adds a weighted sum of rows > 0 rows:", "",
		"	for j := range n {",
		"		for k := range rows {",
		"			acc[j] += (int32(value[k]) - zero) * int32(w[int(index[k])*ld+j])",
		"		}",
		"	}")
	acc, n, w, ld := reg.RDI, reg.RDX, reg.RBX, reg.R8
	index, value, count := reg.RSI, reg.R9, reg.RCX
	row := []reg.GPPhysical{reg.R10, reg.R11, reg.R12, reg.R13}
	sums, plain := zmm[0:4], zmm[4:8] // of products, and of weights
	rows, low, t := zmm[8:12], zmm[12:16], zmm[16:20]
	x, zero, ones := zmm[20], zmm[21], zmm[22]

	Load(Param("acc"), acc)
	Load(Param("n"), n)
	Load(Param("w"), w)
	Load(Param("ld"), ld)
	broadcast("zero", zero)
	MOVL(operand.U32(0x01010101), reg.EAX)
	VPBROADCASTD(reg.EAX, ones)

	Label("block")
	// K1 selects the block's outputs, all 64 or the n that are left.
	MOVQ(operand.I64(-1), reg.RAX)
	CMPQ(n, operand.Imm(64))
	JAE(operand.LabelRef("whole"))
	MOVQ(n, count)
	MOVL(operand.U32(1), reg.EAX)
	SHLQ(reg.CL, reg.RAX)
	DECQ(reg.RAX)
	Label("whole")
	KMOVQ(reg.RAX, reg.K1)
	for i := range 4 {
		VPXORD(sums[i], sums[i], sums[i])
		VPXORD(plain[i], plain[i], plain[i])
	}
	Load(Param("index"), index)
	Load(Param("value"), value)
	Load(Param("rows"), count)

	read := func(i int) {
		MOVLQSX(at(index, 4*i), row[i])
		IMULQ(ld, row[i])
		VMOVDQU8_Z(operand.Mem{Base: w, Index: row[i], Scale: 1}, reg.K1, rows[i])
	}
	multiply := func() {
		VPUNPCKLBW(rows[1], rows[0], low[0])
		VPUNPCKHBW(rows[1], rows[0], low[1])
		VPUNPCKLBW(rows[3], rows[2], low[2])
		VPUNPCKHBW(rows[3], rows[2], low[3])
		VPUNPCKLWD(low[2], low[0], t[0])
		VPUNPCKHWD(low[2], low[0], t[1])
		VPUNPCKLWD(low[3], low[1], t[2])
		VPUNPCKHWD(low[3], low[1], t[3])
		for i := range 4 {
			VPDPBUSD(t[i], x, sums[i])
			VPDPBUSD(t[i], ones, plain[i])
		}
	}
	SUBQ(operand.Imm(4), count)
	JB(operand.LabelRef("few"))
	align()
	Label("fours")
	for i := range 4 {
		read(i)
	}
	VPBROADCASTD(at(value, 0), x)
	multiply()
	ADDQ(operand.Imm(16), index)
	ADDQ(operand.Imm(4), value)
	SUBQ(operand.Imm(4), count)
	JAE(operand.LabelRef("fours"))
	Label("few")
	ADDQ(operand.Imm(4), count)
	JZ(operand.LabelRef("order"))
	// The rows that lack are zeros.
	for i := 1; i < 4; i++ {
		VPXORD(rows[i], rows[i], rows[i])
	}
	read(0)
	MOVBLZX(at(value, 0), reg.EAX)
	for i := 1; i < 3; i++ {
		CMPQ(count, operand.Imm(uint64(i)))
		JEQ(operand.LabelRef("last"))
		read(i)
		MOVBLZX(at(value, i), row[0].As32())
		SHLL(operand.Imm(uint64(8*i)), row[0].As32())
		ORL(row[0].As32(), reg.EAX)
	}
	Label("last")
	VPBROADCASTD(reg.EAX, x)
	multiply()

	Label("order")
	for i := range 4 {
		VPMULLD(zero, plain[i], plain[i])
		VPSUBD(plain[i], sums[i], sums[i])
	}
	// A 4 x 4 transposition of 16-byte parts.
	VSHUFI32X4(operand.U8(0x44), sums[1], sums[0], t[0])
	VSHUFI32X4(operand.U8(0xEE), sums[1], sums[0], t[1])
	VSHUFI32X4(operand.U8(0x44), sums[3], sums[2], t[2])
	VSHUFI32X4(operand.U8(0xEE), sums[3], sums[2], t[3])
	VSHUFI32X4(operand.U8(0x88), t[2], t[0], sums[0])
	VSHUFI32X4(operand.U8(0xDD), t[2], t[0], sums[1])
	VSHUFI32X4(operand.U8(0x88), t[3], t[1], sums[2])
	VSHUFI32X4(operand.U8(0xDD), t[3], t[1], sums[3])
	for i := range 4 {
		VPADDD(at(acc, 64*i), sums[i], reg.K1, sums[i])
		VMOVDQU32(sums[i], reg.K1, at(acc, 64*i))
		if i < 3 {
			KSHIFTRQ(operand.Imm(16), reg.K1, reg.K1)
		}
	}
	ADDQ(operand.I32(256), acc)
	ADDQ(operand.Imm(64), w)
	SUBQ(operand.Imm(64), n)
	JHI(operand.LabelRef("block"))
	leave()
}
