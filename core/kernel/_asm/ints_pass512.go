package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The passes over activations and sums read and write 16 elements at a time, the last time those that K1 selects.

// pass runs body for each 16 of n elements, n in RCX; body sees K1, must keep RCX, and moves its pointers on.
func pass(body func()) {
	KXNORW(reg.K1, reg.K1, reg.K1)
	SUBQ(operand.Imm(16), reg.RCX)
	JB(operand.LabelRef("tail"))
	align()
	Label("loop")
	body()
	SUBQ(operand.Imm(16), reg.RCX)
	JAE(operand.LabelRef("loop"))
	Label("tail")
	ADDQ(operand.Imm(16), reg.RCX)
	JZ(operand.LabelRef("done"))
	tailMask(reg.K1)
	XORL(reg.ECX, reg.ECX)
	JMP(operand.LabelRef("loop"))
	Label("done")
}

// tailMask sets k to the first RCX < 16 of 16 elements.
func tailMask(k reg.Register) {
	MOVL(operand.U32(1), reg.EAX)
	SHLL(reg.CL, reg.EAX)
	DECL(reg.EAX)
	KMOVW(reg.EAX, k)
}

func range512() {
	function("range512", "func(x *float32, n int) (lo, hi float32)",
		"range512 returns the least and the greatest of n > 0 numbers, or NaN, NaN:", "",
		"	lo, hi = x[0], x[0]",
		"	for _, v := range x[:n] {",
		"		lo, hi, nan = min(lo, v), max(hi, v), nan || v != v",
		"	}")
	x, n := reg.RSI, reg.RCX
	Load(Param("x"), x)
	Load(Param("n"), n)
	const vectors = 4
	lo, hi, v := zmm[0:vectors], zmm[vectors:2*vectors], zmm[2*vectors:3*vectors]
	KXORW(reg.K1, reg.K1, reg.K1)
	VBROADCASTSS(at(x, 0), zmm[31])
	for i := range vectors {
		VMOVAPS(zmm[31], lo[i])
		VMOVAPS(zmm[31], hi[i])
	}
	SUBQ(operand.Imm(16*vectors), n)
	JB(operand.LabelRef("few"))
	align()
	Label("loop")
	for i := range vectors {
		VMOVUPS(at(x, 64*i), v[i])
		VMINPS(v[i], lo[i], lo[i])
		VMAXPS(v[i], hi[i], hi[i])
	}
	for i := 0; i < vectors; i += 2 {
		VCMPPS(operand.Imm(3), v[i], v[i+1], reg.K2) // unordered: one of them is NaN
		KORW(reg.K2, reg.K1, reg.K1)
	}
	ADDQ(operand.I32(64*vectors), x)
	SUBQ(operand.Imm(16*vectors), n)
	JAE(operand.LabelRef("loop"))
	Label("few")
	ADDQ(operand.Imm(16*vectors), n)
	JZ(operand.LabelRef("fold"))
	Label("one")
	KXNORW(reg.K3, reg.K3, reg.K3)
	CMPQ(n, operand.Imm(16))
	JAE(operand.LabelRef("whole"))
	tailMask(reg.K3)
	Label("whole")
	VMOVAPS(zmm[31], v[0])
	VMOVUPS(at(x, 0), reg.K3, v[0])
	VMINPS(v[0], lo[0], lo[0])
	VMAXPS(v[0], hi[0], hi[0])
	VCMPPS(operand.Imm(3), v[0], v[0], reg.K2)
	KORW(reg.K2, reg.K1, reg.K1)
	ADDQ(operand.Imm(64), x)
	SUBQ(operand.Imm(16), n)
	JHI(operand.LabelRef("one"))

	Label("fold")
	KORTESTW(reg.K1, reg.K1)
	JNZ(operand.LabelRef("nan"))
	fold := func(s []reg.VecPhysical, f func(...operand.Op)) reg.Register {
		f(s[1], s[0], s[0])
		f(s[3], s[2], s[2])
		f(s[2], s[0], s[0])
		VEXTRACTF64X4(operand.Imm(1), s[0], s[1].AsY())
		f(s[1].AsY(), s[0].AsY(), s[0].AsY())
		return foldHalf(s[0], s[1], f)
	}
	VMOVSS(fold(lo, VMINPS), result("lo"))
	VMOVSS(fold(hi, VMAXPS), result("hi"))
	leave()
	returnNaN()
}

// result is where a function's result goes.
func result(name string) operand.Mem {
	c, err := Return(name).Resolve()
	if err != nil {
		panic(err)
	}
	return c.Addr
}

func quantize512() {
	function("quantize512", "func(dst *uint8, x *float32, n int, inv, add, lo, hi float32, zero int32)",
		"quantize512 rounds n numbers, a NaN like infinity:", "",
		"	for i := range n {",
		"		dst[i] = uint8(roundeven(max(min(fma(x[i], inv, add), hi), lo)) + zero)",
		"	}")
	dst, x := reg.RDI, reg.RSI
	inv, add, lo, hi, zero := zmm[31], zmm[30], zmm[29], zmm[28], zmm[27]
	Load(Param("dst"), dst)
	Load(Param("x"), x)
	Load(Param("n"), reg.RCX)
	broadcast("inv", inv)
	broadcast("add", add)
	broadcast("lo", lo)
	broadcast("hi", hi)
	broadcast("zero", zero)
	round := func(v reg.VecPhysical) {
		VFMADD213PS(add, inv, v)
		VMINPS(hi, v, v) // the second source, here written first, is what a NaN gives
		VMAXPS(lo, v, v)
		VCVTPS2DQ(v, v)
		VPADDD(zero, v, v)
	}
	const vectors = 4
	SUBQ(operand.Imm(16*vectors), reg.RCX)
	JB(operand.LabelRef("few"))
	align()
	Label("many")
	for i := range vectors {
		VMOVUPS(at(x, 64*i), zmm[i])
		round(zmm[i])
		VPMOVDB(zmm[i], at(dst, 16*i))
	}
	ADDQ(operand.I32(64*vectors), x)
	ADDQ(operand.Imm(16*vectors), dst)
	SUBQ(operand.Imm(16*vectors), reg.RCX)
	JAE(operand.LabelRef("many"))
	Label("few")
	ADDQ(operand.Imm(16*vectors), reg.RCX)
	pass(func() {
		VMOVUPS_Z(at(x, 0), reg.K1, zmm[0])
		round(zmm[0])
		VPMOVDB(zmm[0], reg.K1, at(dst, 0))
		ADDQ(operand.Imm(64), x)
		ADDQ(operand.Imm(16), dst)
	})
	leave()
}

// broadcast fills v with a 4-byte parameter.
func broadcast(name string, v reg.VecPhysical) {
	c, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(c.Addr, v)
}

func dequantize512() {
	function("dequantize512", "func(dst *float32, x *uint8, n int, scale float32, zero int32)",
		"dequantize512 writes what n integers stand for:", "",
		"	for i := range n {",
		"		dst[i] = scale * float32(int32(x[i])-zero)",
		"	}")
	dst, x := reg.RDI, reg.RSI
	Load(Param("dst"), dst)
	Load(Param("x"), x)
	Load(Param("n"), reg.RCX)
	broadcast("scale", zmm[31])
	broadcast("zero", zmm[30])
	pass(func() {
		VPMOVZXBD_Z(at(x, 0), reg.K1, zmm[0])
		VPSUBD(zmm[30], zmm[0], zmm[0])
		VCVTDQ2PS(zmm[0], zmm[0])
		VMULPS(zmm[31], zmm[0], zmm[0])
		VMOVUPS(zmm[0], reg.K1, at(dst, 0))
		ADDQ(operand.Imm(16), x)
		ADDQ(operand.Imm(64), dst)
	})
	leave()
}

// A rowFunction is an epilogue of sums that are in memory: its pointers are in registers.
type rowFunction map[string]reg.GPPhysical

func (r rowFunction) pointer(name string) reg.GPPhysical { return r[name] }
func (r rowFunction) element(name string) operand.Mem    { return indexed(r[name], 4, 0) }
func (rowFunction) field(name string) operand.Mem {
	c, err := Param("r").Dereference(reg.RDX).Field(name).Resolve()
	if err != nil {
		panic(err)
	}
	return c.Addr
}

// beginRow begins a rowFunction; the number of sums is in RCX.
func beginRow(name string, bytes bool, count string) rowFunction {
	doc := []string{name + " rounds the sums of a row, " + count + ":", "", "	for o := range r.n {",
		"		a := r.acc[o] + r.factor*r.offset[o] + r.shift*r.wzero[o]"}
	if bytes {
		doc = append(doc, "		v := (float32(a) + r.bias[o]) * r.scale[o]",
			"		r.y[o] = uint8(roundeven(max(min(v, r.hi), r.lo)) + r.zero)", "	}")
	} else {
		doc = append(doc, "		r.y[o] = max(r.lo, fma(float32(a), r.gscale*r.scale[o], r.bias[o]))", "	}")
	}
	function(name, "func(r *intRow)", doc...)
	Load(Param("r"), reg.RDX)
	r := rowFunction{}
	for i, name := range []string{"y", "acc", "offset", "wzero", "scale", "bias"} {
		r[name] = []reg.GPPhysical{reg.RDI, reg.RSI, reg.R8, reg.R9, reg.R10, reg.R11}[i]
		MOVQ(r.field(name), r[name])
	}
	MOVQ(r.field("n"), reg.RCX)
	return r
}

// broadcast fills registers with what is the same for all outputs: hi and zero for bytes, gscale for floats.
func (r rowFunction) broadcast(bytes bool, factor, shift, gscale, lo, hi, zero operand.Op) {
	VBROADCASTSS(r.field("factor"), factor)
	VBROADCASTSS(r.field("shift"), shift)
	VBROADCASTSS(r.field("lo"), lo)
	if bytes {
		VBROADCASTSS(r.field("hi"), hi)
		VBROADCASTSS(r.field("zero"), zero)
	} else {
		VBROADCASTSS(r.field("gscale"), gscale)
	}
}

func row512(name string, bytes bool) {
	row := beginRow(name, bytes, "r.n > 0")
	factor, shift, gscale, lo, hi, zero := zmm[31], zmm[30], zmm[29], zmm[28], zmm[27], zmm[26]
	row.broadcast(bytes, factor, shift, gscale, lo, hi, zero)
	XORL(reg.EBX, reg.EBX)
	pass(func() {
		a, v := zmm[0], zmm[1]
		VMOVDQU32_Z(row.element("offset"), reg.K1, a)
		VPMULLD(factor, a, a)
		VPADDD(row.element("acc"), a, reg.K1, a)
		TESTQ(row.pointer("wzero"), row.pointer("wzero"))
		JZ(operand.LabelRef("corrected"))
		VMOVDQU32_Z(row.element("wzero"), reg.K1, v)
		VPMULLD(shift, v, v)
		VPADDD(v, a, a)
		Label("corrected")
		VCVTDQ2PS(a, a)
		VMOVUPS_Z(row.element("scale"), reg.K1, v)
		if bytes {
			VADDPS(row.element("bias"), a, reg.K1, a)
			VMULPS(v, a, a)
			VMINPS(hi, a, a)
			VMAXPS(lo, a, a)
			VCVTPS2DQ(a, a)
			VPADDD(zero, a, a)
			VPMOVDB(a, reg.K1, indexed(row.pointer("y"), 1, 0))
		} else {
			VMULPS(gscale, v, v)
			VMOVUPS_Z(row.element("bias"), reg.K1, zmm[2])
			VFMADD213PS(zmm[2], v, a)
			VMAXPS(a, lo, a)
			VMOVUPS(a, reg.K1, row.element("y"))
		}
		ADDQ(operand.Imm(16), reg.RBX)
	})
	leave()
}
