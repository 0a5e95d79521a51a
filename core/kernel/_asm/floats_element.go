package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// finish writes Engine.finish.
func (w width) finish() {
	TEXT("finish"+w.name, NOSPLIT, "func(y *float32, n int, bias *float32, flags int)")
	Pragma("noescape")
	Doc("finish"+w.name+" adds the bias, nil for none, and applies the ReLU, which keeps a NaN, if flags&2 != 0:", "",
		"	for j := range n {",
		"		y[j] = relu(y[j] + bias[j])",
		"	}")
	y, n, bias, flags := Load(Param("y"), GP64()), Load(Param("n"), GP64()), Load(Param("bias"), GP64()), Load(Param("flags"), GP64())
	least := w.register() // what the result is at least: zero, or minus infinity
	w.zero(least)
	TESTQ(U32(reluFlag), flags)
	JNZ(LabelRef("start"))
	bits := GP32()
	MOVL(U32(0xFF800000), bits)
	VMOVD(bits, least.AsX())
	VBROADCASTSS(least.AsX(), least)
	Label("start")
	TESTQ(bias, bias)
	JZ(LabelRef("unbiased"))
	w.finishLoop("biased", y, n, bias, least)
	Label("unbiased")
	w.finishLoop("plain", y, n, nil, least)
}

// finishLoop is finish with a bias or, nil, without.
func (w width) finishLoop(name string, y, n, bias Register, least VecVirtual) {
	add := func(from Mem, r Register) {
		if bias != nil {
			VADDPS(from, r, r)
		}
	}
	advance := func(lanes int) {
		ADDQ(Imm(uint64(4*lanes)), y)
		if bias != nil {
			ADDQ(Imm(uint64(4*lanes)), bias)
		}
	}
	SUBQ(Imm(uint64(w.lanes())), n)
	JL(LabelRef(name + "rest"))
	Label(name + "loop")
	r := w.register()
	VMOVUPS(Mem{Base: y}, r)
	add(Mem{Base: bias}, r)
	VMAXPS(r, least, r)
	VMOVUPS(r, Mem{Base: y})
	advance(w.lanes())
	SUBQ(Imm(uint64(w.lanes())), n)
	JGE(LabelRef(name + "loop"))
	Label(name + "rest")
	ADDQ(Imm(uint64(w.lanes())), n)
	JZ(LabelRef(name + "done"))
	if w.bytes == 64 {
		MOVQ(n, RCX)
		mask := w.columnsOf()
		r, b := ZMM(), ZMM()
		mask.load(0, Mem{Base: y}, r)
		if bias != nil {
			mask.load(0, Mem{Base: bias}, b)
			VADDPS(b, r, r)
		}
		VMAXPS(r, least, r)
		mask.store(0, r, Mem{Base: y})
	} else {
		Label(name + "one")
		r := XMM()
		VMOVSS(Mem{Base: y}, r)
		if bias != nil {
			VADDSS(Mem{Base: bias}, r, r)
		}
		VMAXSS(r, least.AsX(), r)
		VMOVSS(r, Mem{Base: y})
		advance(1)
		DECQ(n)
		JNZ(LabelRef(name + "one"))
	}
	Label(name + "done")
	leave()
}
