package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A tile512 computes each sum in a number of chains, which the processor works on at the same time: VPDPBUSD takes 4 cycles or more,
// and two begin in each.
type tile512 struct {
	tileShape
	chains int
}

func newTile512(rows, vectors int) {
	t := tile512{tileShape{rows, vectors, 64}, 1}
	for t.chains < 4 && rows*vectors*t.chains*2 <= 28 {
		t.chains *= 2
	}
	if vectors == 1 && rows == 1 {
		t.chains = 8
	}
	t.function("512", t)
}

func (t tile512) acc(chain, row, vector int) reg.VecPhysical {
	return zmm[(chain*t.rows+row)*t.vectors+vector]
}

// spare is a register that holds no sum.
func (t tile512) spare(i int) reg.VecPhysical { return zmm[t.rows*t.vectors*t.chains+i] }

func mask(vector int) reg.Register { return []reg.Register{reg.K1, reg.K2}[vector] }

// begin sets K1 and K2 to the outputs of the panel that there are, and the sums to factor*offset.
func (t tile512) begin() {
	MOVL(operand.I32(-1), reg.EAX)
	CMPQ(panels, operand.Imm(1))
	CMOVLEQ(field("mask"), reg.EAX)
	KMOVW(reg.EAX, reg.K1)
	if t.vectors > 1 {
		SHRL(operand.Imm(16), reg.EAX)
		KMOVW(reg.EAX, reg.K2)
	}
	for j := range t.vectors {
		VPXORD(t.acc(0, 0, j), t.acc(0, 0, j), t.acc(0, 0, j))
	}
	MOVQ(field("offset"), reg.RAX)
	TESTQ(reg.RAX, reg.RAX)
	JZ(operand.LabelRef("copies"))
	for j := range t.vectors {
		VMOVDQU32_Z(t.vector(reg.RAX, j), mask(j), t.acc(0, 0, j))
		VPMULLD_BCST(field("factor"), t.acc(0, 0, j), t.acc(0, 0, j))
	}
	Label("copies")
	for c := range t.chains {
		for i := range t.rows {
			for j := range t.vectors {
				switch acc := t.acc(c, i, j); {
				case c > 0:
					VPXORD(acc, acc, acc)
				case i > 0:
					VMOVDQA64(t.acc(0, 0, j), acc)
				}
			}
		}
	}
}

func (t tile512) paths() []path {
	p := []path{{unroll: max(t.chains, 2), group: t.group}}
	if t.rows == 1 && t.vectors == 2 {
		p = append(p, path{when: "ahead", unroll: t.chains, group: t.groupAhead})
	}
	return p
}

// aheadBytes is how far ahead of the product groupAhead has weights fetched.
const aheadBytes = 8192

func (t tile512) groupAhead(u int) {
	for j := range t.vectors {
		PREFETCHT0(at(weights, (u*t.vectors+j)*64+aheadBytes))
	}
	t.group(u)
}

func (t tile512) group(u int) {
	w := func(j int) operand.Op { return at(weights, (u*t.vectors+j)*64) }
	x := []reg.VecPhysical{t.spare(0), t.spare(1)}
	if t.rows > 1 {
		for j := range t.vectors {
			VMOVDQU64(w(j), t.spare(j))
		}
		w = func(j int) operand.Op { return t.spare(j) }
		x = []reg.VecPhysical{t.spare(t.vectors), t.spare(t.vectors + 1)}
	}
	for i := range t.rows {
		xi := x[(i+u)%2]
		VPBROADCASTD(xrows.at(i).Offset(4*u), xi)
		for j := range t.vectors {
			VPDPBUSD(w(j), xi, t.acc(u%t.chains, i, j))
		}
	}
}

func (t tile512) reduce() {
	for half := t.chains / 2; half > 0; half /= 2 {
		for c := range half {
			for i := range t.rows {
				for j := range t.vectors {
					VPADDD(t.acc(c+half, i, j), t.acc(c, i, j), t.acc(c, i, j))
				}
			}
		}
	}
}

func (t tile512) sums() {
	t.store(64, func(i, j int, m operand.Mem) { VMOVDQU32(t.acc(0, i, j), mask(j), m) })
}

func (t tile512) floats() {
	MOVQ(field("scale"), reg.RAX)
	MOVQ(field("bias"), count)
	scale, bias, low := t.spare(0), t.spare(1), t.spare(2)
	VBROADCASTSS(field("lo"), low)
	for j := range t.vectors {
		VMOVUPS_Z(t.vector(reg.RAX, j), mask(j), scale)
		VMULPS_BCST(field("gscale"), scale, scale)
		VMOVUPS_Z(t.vector(count, j), mask(j), bias)
		for i := range t.rows {
			acc := t.acc(0, i, j)
			VCVTDQ2PS(acc, acc)
			VFMADD213PS(bias, scale, acc)
			VMAXPS(acc, low, acc) // the second source, here written first, is what a NaN gives
		}
	}
	t.store(64, func(i, j int, m operand.Mem) { VMOVUPS(t.acc(0, i, j), mask(j), m) })
}

func (t tile512) bytes() {
	MOVQ(field("scale"), reg.RAX)
	MOVQ(field("bias"), count)
	mult, bias, low, high := t.spare(0), t.spare(1), t.spare(2), t.spare(3)
	VBROADCASTSS(field("lo"), low)
	VBROADCASTSS(field("hi"), high)
	for j := range t.vectors {
		VMOVUPS_Z(t.vector(reg.RAX, j), mask(j), mult)
		VMOVUPS_Z(t.vector(count, j), mask(j), bias)
		for i := range t.rows {
			acc := t.acc(0, i, j)
			VCVTDQ2PS(acc, acc)
			VADDPS(bias, acc, acc)
			VMULPS(mult, acc, acc)
			VMINPS(high, acc, acc) // a NaN becomes high
			VMAXPS(low, acc, acc)
			VCVTPS2DQ(acc, acc)
			VPADDD_BCST(field("zero"), acc, acc)
		}
	}
	t.store(16, func(i, j int, m operand.Mem) { VPMOVDB(t.acc(0, i, j), mask(j), m) })
}
