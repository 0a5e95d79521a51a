package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// gate writes the way back through a ReLU.
func (a rowWriter) gate() {
	TEXT("gate"+a.name, NOSPLIT, "func(sum, dy, y *float32, n int)")
	Pragma("noescape")
	a.doc("gate"+a.name, "gate")
	sum, dy, y, n := Load(Param("sum"), GP64()), Load(Param("dy"), GP64()), Load(Param("y"), GP64()), Load(Param("n"), GP64())
	at, zero := GP64(), a.new()
	XORQ(at, at)
	VXORPS(zero.(Vec).AsX(), zero.(Vec).AsX(), zero.(Vec).AsX())
	a.vectors(n, at, func(mask Op) {
		in := func(p Register) Mem { return Mem{Base: p, Index: at, Scale: 4} }
		s, d, v := a.load(in(sum), mask), a.load(in(dy), mask), a.load(in(y), mask)
		if a.wide == 16 {
			k := K()
			VCMPPS(Imm(0x1E), zero, v, k) // above, and no NaN
			VMOVAPS_Z(d, k, d)
		} else {
			VCMPPS(Imm(0x1E), zero, v, v)
			VANDPS(v, d, d)
		}
		VADDPS(d, s, s)
		a.store(d, in(dy), mask)
		a.store(s, in(sum), mask)
	})
	VZEROUPPER()
	RET()
}
