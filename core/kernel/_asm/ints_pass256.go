package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// AVX2 has no masks to speak of. Its passes take at least a vector of elements, and where their number is no multiple of
// one, they do the last few elements twice.

// overlapping runs body for the elements from RBX on, RBX = 0, step, 2*step, … and at last n-step. n is kept.
func overlapping(n reg.GPPhysical, step int, body func()) {
	XORL(reg.EBX, reg.EBX)
	SUBQ(operand.I32(step), n)
	align()
	Label("loop")
	body()
	ADDQ(operand.I32(step), reg.RBX)
	CMPQ(reg.RBX, n)
	JBE(operand.LabelRef("loop"))
	ADDQ(operand.I32(step), n)
	CMPQ(reg.RBX, n)
	JAE(operand.LabelRef("done"))
	MOVQ(n, reg.RBX)
	SUBQ(operand.I32(step), reg.RBX)
	SUBQ(operand.I32(step), n)
	JMP(operand.LabelRef("loop"))
	Label("done")
}

// indexed is the memory of element RBX + skip.
func indexed(base reg.Register, size, skip int) operand.Mem {
	return operand.Mem{Base: base, Index: reg.RBX, Scale: uint8(size), Disp: size * skip}
}

func highBits256() {
	function("highBits256", "func(x *uint8, n int) (bits uint32)",
		"highBits256 returns 0 if no element of x[:n], n >= 32, is above 127:", "",
		"	for _, v := range x[:n] {",
		"		bits |= uint32(v >> 7)",
		"	}")
	Load(Param("x"), reg.RSI)
	Load(Param("n"), reg.RCX)
	VPXOR(reg.Y0, reg.Y0, reg.Y0)
	VPXOR(reg.Y1, reg.Y1, reg.Y1)
	SUBQ(operand.I32(128), reg.RCX)
	JB(operand.LabelRef("few"))
	align()
	Label("many")
	for i := range 4 {
		VPOR(at(reg.RSI, 32*i), ymm[i%2], ymm[i%2])
	}
	ADDQ(operand.I32(128), reg.RSI)
	SUBQ(operand.I32(128), reg.RCX)
	JAE(operand.LabelRef("many"))
	Label("few")
	ADDQ(operand.I32(128), reg.RCX)
	Label("one")
	CMPQ(reg.RCX, operand.Imm(32))
	JB(operand.LabelRef("last"))
	VPOR(at(reg.RSI, 0), reg.Y0, reg.Y0)
	ADDQ(operand.Imm(32), reg.RSI)
	SUBQ(operand.Imm(32), reg.RCX)
	JMP(operand.LabelRef("one"))
	Label("last")
	VPOR(operand.Mem{Base: reg.RSI, Index: reg.RCX, Scale: 1, Disp: -32}, reg.Y0, reg.Y0)
	VPOR(reg.Y1, reg.Y0, reg.Y0)
	VPMOVMSKB(reg.Y0, reg.EAX)
	MOVL(reg.EAX, result("bits"))
	leave()
}

func range256() {
	function("range256", "func(x *float32, n int) (lo, hi float32)",
		"range256 returns the least and the greatest of n >= 32 numbers, or NaN, NaN:", "",
		"	lo, hi = x[0], x[0]",
		"	for _, v := range x[:n] {",
		"		lo, hi, nan = min(lo, v), max(hi, v), nan || v != v",
		"	}")
	x, n := reg.RSI, reg.RCX
	const vectors = 4
	lo, hi, v, nan := ymm[0:vectors], ymm[vectors:2*vectors], ymm[2*vectors:3*vectors], ymm[15]
	Load(Param("x"), x)
	Load(Param("n"), n)
	VPXOR(nan, nan, nan)
	for i := range vectors {
		VBROADCASTSS(at(x, 0), lo[i])
		VBROADCASTSS(at(x, 0), hi[i])
	}
	overlapping(n, 8*vectors, func() {
		for i := range vectors {
			VMOVUPS(indexed(x, 4, 8*i), v[i])
			VMINPS(v[i], lo[i], lo[i])
			VMAXPS(v[i], hi[i], hi[i])
		}
		for i := 0; i < vectors; i += 2 {
			VCMPPS(operand.Imm(3), v[i], v[i+1], v[i]) // unordered: one of them is NaN
			VORPS(v[i], nan, nan)
		}
	})
	VMOVMSKPS(nan, reg.EAX)
	TESTL(reg.EAX, reg.EAX)
	JNZ(operand.LabelRef("nan"))
	fold := func(s []reg.VecPhysical, f func(...operand.Op)) reg.Register {
		f(s[1], s[0], s[0])
		f(s[3], s[2], s[2])
		f(s[2], s[0], s[0])
		return foldHalf(s[0], s[1], f)
	}
	VMOVSS(fold(lo, VMINPS), result("lo"))
	VMOVSS(fold(hi, VMAXPS), result("hi"))
	leave()
	returnNaN()
}

// foldHalf returns the register that holds f of the 8 elements of s.
func foldHalf(s, temp reg.VecPhysical, f func(...operand.Op)) reg.Register {
	x, t := s.AsX(), temp.AsX()
	VEXTRACTF128(operand.Imm(1), s.AsY(), t)
	f(t, x, x)
	for _, order := range []operand.U8{0x4E, 0xB1} { // swap pairs, then neighbours
		VPSHUFD(order, x, t)
		f(t, x, x)
	}
	return x
}

// returnNaN returns NaN as lo and hi.
func returnNaN() {
	Label("nan")
	MOVL(operand.U32(0x7FC00000), reg.EAX)
	MOVL(reg.EAX, result("lo"))
	MOVL(reg.EAX, result("hi"))
	leave()
}

func quantize256() {
	function("quantize256", "func(dst *uint8, x *float32, n int, inv, add, lo, hi float32, zero int32)",
		"quantize256 rounds n >= 32 numbers, a NaN like infinity:", "",
		"	for i := range n {",
		"		dst[i] = uint8(roundeven(max(min(fma(x[i], inv, add), hi), lo)) + zero)",
		"	}")
	dst, x, n := reg.RDI, reg.RSI, reg.RCX
	inv, add, lo, hi, zero, low, order := ymm[15], ymm[14], ymm[13], ymm[12], ymm[11], ymm[10], ymm[9]
	Load(Param("dst"), dst)
	Load(Param("x"), x)
	Load(Param("n"), n)
	broadcast("inv", inv)
	broadcast("add", add)
	broadcast("lo", lo)
	broadcast("hi", hi)
	broadcast("zero", zero)
	VMOVDQU(quarterBytes, low)
	VMOVDQU(packedOrder, order)
	overlapping(n, 32, func() {
		for i := range 4 {
			v := ymm[i]
			VMOVUPS(indexed(x, 4, 8*i), v)
			VFMADD213PS(add, inv, v)
			VMINPS(hi, v, v) // the second source, here written first, is what a NaN gives
			VMAXPS(lo, v, v)
			VCVTPS2DQ(v, v)
			VPADDD(zero, v, v)
			VPAND(low, v, v)
		}
		VPACKUSDW(ymm[1], ymm[0], ymm[0])
		VPACKUSDW(ymm[3], ymm[2], ymm[2])
		VPACKUSWB(ymm[2], ymm[0], ymm[0])
		VPERMD(ymm[0], order, ymm[0])
		VMOVDQU(ymm[0], indexed(dst, 1, 0))
	})
	leave()
}

func dequantize256() {
	function("dequantize256", "func(dst *float32, x *uint8, n int, scale float32, zero int32)",
		"dequantize256 writes what n >= 8 integers stand for:", "",
		"	for i := range n {",
		"		dst[i] = scale * float32(int32(x[i])-zero)",
		"	}")
	dst, x, n := reg.RDI, reg.RSI, reg.RCX
	Load(Param("dst"), dst)
	Load(Param("x"), x)
	Load(Param("n"), n)
	broadcast("scale", ymm[15])
	broadcast("zero", ymm[14])
	overlapping(n, 8, func() {
		VPMOVZXBD(indexed(x, 1, 0), ymm[0])
		VPSUBD(ymm[14], ymm[0], ymm[0])
		VCVTDQ2PS(ymm[0], ymm[0])
		VMULPS(ymm[15], ymm[0], ymm[0])
		VMOVUPS(ymm[0], indexed(dst, 4, 0))
	})
	leave()
}

// row256 is row512 for at least 8 sums.
func row256(name string, bytes bool) {
	row := beginRow(name, bytes, "r.n >= 8")
	factor, shift, gscale, lo, hi, zero := ymm[15], ymm[14], ymm[13], ymm[12], ymm[11], ymm[10]
	row.broadcast(bytes, factor, shift, gscale, lo, hi, zero)
	overlapping(reg.RCX, 8, func() {
		a, v, temp := ymm[0], ymm[1], ymm[2]
		VPMULLD(row.element("offset"), factor, a)
		VPADDD(row.element("acc"), a, a)
		TESTQ(row.pointer("wzero"), row.pointer("wzero"))
		JZ(operand.LabelRef("corrected"))
		VPMULLD(row.element("wzero"), shift, v)
		VPADDD(v, a, a)
		Label("corrected")
		VCVTDQ2PS(a, a)
		if bytes {
			VADDPS(row.element("bias"), a, a)
			VMULPS(row.element("scale"), a, a)
			VMINPS(hi, a, a)
			VMAXPS(lo, a, a)
			VCVTPS2DQ(a, a)
			VPADDD(zero, a, a)
			VPAND(quarterBytes, a, a)
			storeBytes(a, temp, indexed(row.pointer("y"), 1, 0))
		} else {
			VMULPS(row.element("scale"), gscale, v)
			VFMADD213PS(row.element("bias"), v, a)
			VMAXPS(a, lo, a)
			VMOVUPS(a, row.element("y"))
		}
	})
	leave()
}
