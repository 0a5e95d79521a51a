package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// combine256 adds up 2 rows of weights at a time: widened and interleaved, they are what VPMADDWD multiplies by 2 values. That
// works within 16 bytes: it leaves the outputs 0 to 3 and 8 to 11 of each 16 in one vector, the others in another.
func combine256() {
	function("combine256", "func(acc *int32, n int, w *int8, row *int, value *uint32, pairs int)",
		"combine256 adds a weighted sum of an even number of rows to n >= 16 sums, where value holds two 16-bit integers in one:", "",
		"	for j := range n {",
		"		for k := range 2 * pairs {",
		"			acc[j] += int32(int16(value[k/2]>>(k%2*16))) * int32(w[row[k]+j])",
		"		}",
		"	}")
	acc, n, w := reg.RDI, reg.RDX, reg.RBX
	row, value, count := reg.RSI, reg.R9, reg.RCX
	at0, at1 := reg.R10, reg.R11
	Load(Param("acc"), acc)
	Load(Param("n"), n)
	Load(Param("w"), w)

	// block sums so many times 16 outputs, up to 64.
	block := func(name string, parts int) {
		for i := range 2 * parts {
			VPXOR(ymm[i], ymm[i], ymm[i])
		}
		Load(Param("row"), row)
		Load(Param("value"), value)
		Load(Param("pairs"), count)
		align()
		Label(name)
		MOVQ(at(row, 0), at0)
		MOVQ(at(row, 8), at1)
		VPBROADCASTD(at(value, 0), ymm[8])
		for i := range parts {
			t := ymm[9+3*(i%2):]
			VPMOVSXBW(operand.Mem{Base: w, Index: at0, Scale: 1, Disp: 16 * i}, t[0])
			VPMOVSXBW(operand.Mem{Base: w, Index: at1, Scale: 1, Disp: 16 * i}, t[1])
			VPUNPCKLWD(t[1], t[0], t[2])
			VPUNPCKHWD(t[1], t[0], t[0])
			VPMADDWD(ymm[8], t[2], t[2])
			VPADDD(t[2], ymm[2*i], ymm[2*i])
			VPMADDWD(ymm[8], t[0], t[0])
			VPADDD(t[0], ymm[2*i+1], ymm[2*i+1])
		}
		ADDQ(operand.Imm(16), row)
		ADDQ(operand.Imm(4), value)
		DECQ(count)
		JNZ(operand.LabelRef(name))
		for i := range parts {
			VPERM2I128(operand.U8(0x20), ymm[2*i+1], ymm[2*i], ymm[8])
			VPERM2I128(operand.U8(0x31), ymm[2*i+1], ymm[2*i], ymm[2*i+1])
			VMOVDQA(ymm[8], ymm[2*i])
		}
	}
	add := func(i int) {
		VPADDD(at(acc, 32*i), ymm[i], ymm[i])
		VMOVDQU(ymm[i], at(acc, 32*i))
	}
	SUBQ(operand.Imm(64), n)
	JB(operand.LabelRef("few"))
	Label("wide")
	block("wide_rows", 4)
	for i := range 8 {
		add(i)
	}
	ADDQ(operand.I32(256), acc)
	ADDQ(operand.Imm(64), w)
	SUBQ(operand.Imm(64), n)
	JAE(operand.LabelRef("wide"))
	Label("few")
	ADDQ(operand.Imm(64), n)
	JZ(operand.LabelRef("done"))
	Label("narrow")
	CMPQ(n, operand.Imm(16))
	JB(operand.LabelRef("last"))
	block("narrow_rows", 1)
	add(0)
	add(1)
	ADDQ(operand.Imm(64), acc)
	ADDQ(operand.Imm(16), w)
	SUBQ(operand.Imm(16), n)
	JNZ(operand.LabelRef("narrow"))
	leave()

	// The last 16 outputs, of which those before the last n are done already: they get nothing more.
	Label("last")
	SUBQ(operand.Imm(16), n)
	ADDQ(n, w)
	LEAQ(operand.Mem{Base: acc, Index: n, Scale: 4}, acc)
	block("last_rows", 1)
	SHLQ(operand.Imm(2), n)
	LEAQ(lastOutputs, reg.RAX)
	ADDQ(n, reg.RAX)
	VPAND(at(reg.RAX, 64), ymm[0], ymm[0])
	VPAND(at(reg.RAX, 96), ymm[1], ymm[1])
	add(0)
	add(1)
	Label("done")
	leave()
}
