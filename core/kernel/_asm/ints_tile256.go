package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A tile256 multiplies in one of two ways. VPMADDUBSW adds two products in 16 bits, which is exact where activations are at most 127:
// 2*127*128 < 2^15. Larger ones are widened to 16 bits first.
type tile256 struct{ tileShape }

func newTile256(rows, vectors int) {
	t := tile256{tileShape{rows, vectors, 32}}
	t.function("256", t)
}

func (t tile256) acc(row, vector int) reg.VecPhysical { return ymm[row*t.vectors+vector] }

// spare is a register that holds no sum: there are 8.
func (t tile256) spare(i int) reg.VecPhysical { return ymm[8+i] }

func (t tile256) begin() {
	for j := range t.vectors {
		VPXOR(t.acc(0, j), t.acc(0, j), t.acc(0, j))
	}
	MOVQ(field("offset"), reg.RAX)
	TESTQ(reg.RAX, reg.RAX)
	JZ(operand.LabelRef("copies"))
	VPBROADCASTD(field("factor"), t.spare(0))
	for j := range t.vectors {
		VPMULLD(t.vector(reg.RAX, j), t.spare(0), t.acc(0, j))
	}
	Label("copies")
	for i := 1; i < t.rows; i++ {
		for j := range t.vectors {
			VMOVDQA(t.acc(0, j), t.acc(i, j))
		}
	}
	VMOVDQU(lowWords, t.spare(7))
}

func (t tile256) paths() []path {
	if t.rows == 1 {
		return []path{{unroll: 4, group: t.narrow}, {when: "widened", unroll: 4, start: t.startPairs, group: t.pairs, finish: t.addPairs}}
	}
	return []path{{unroll: 2, group: t.narrow}, {when: "widened", unroll: 2, group: t.wide}}
}

func (t tile256) narrow(u int) {
	x, ones := t.spare(6), t.spare(7)
	w := func(j int) operand.Op { return at(weights, (u*t.vectors+j)*32) }
	if t.rows > 1 {
		for j := range t.vectors {
			VMOVDQU(w(j), t.spare(j))
		}
		w = func(j int) operand.Op { return t.spare(j) }
	}
	for i := range t.rows {
		VPBROADCASTD(xrows.at(i).Offset(4*u), x)
		for j := range t.vectors {
			s := t.spare(2 + (i*t.vectors+j)%4)
			VPMADDUBSW(w(j), x, s)
			VPMADDWD(ones, s, s)
			VPADDD(s, t.acc(i, j), t.acc(i, j))
		}
	}
}

// wide splits the weights of all inputs into even and odd ones: a few shifts, which serve all rows.
func (t tile256) wide(u int) {
	even, odd, s := t.spare(4), t.spare(5), t.spare(6)
	for j := range t.vectors {
		VMOVDQU(at(weights, (u*t.vectors+j)*32), t.spare(j))
		VPSRAW(operand.Imm(8), t.spare(j), t.spare(2+j))
		VPSLLW(operand.Imm(8), t.spare(j), t.spare(j))
		VPSRAW(operand.Imm(8), t.spare(j), t.spare(j))
	}
	for i := range t.rows {
		VPBROADCASTD(xrows.at(i).Offset(4*u), even)
		VPSRLW(operand.Imm(8), even, odd)
		VPAND(lowBytes, even, even)
		for j := range t.vectors {
			VPMADDWD(t.spare(j), even, s)
			VPADDD(s, t.acc(i, j), t.acc(i, j))
			VPMADDWD(t.spare(2+j), odd, s)
			VPADDD(s, t.acc(i, j), t.acc(i, j))
		}
	}
}

// pairs is what wide is to more rows than one: no shifts, but two sums an output, of the inputs 0 and 1 and of 2 and 3 of
// each group.
func (t tile256) pairs(u int) {
	x := t.spare(6)
	VPBROADCASTD(xrows.at(0).Offset(4*u), x.AsX())
	VPMOVZXBW(x.AsX(), x)
	for j := range 2 * t.vectors {
		w := t.spare(4 + j%2)
		VPMOVSXBW(at(weights, u*t.panelBytes()+16*j), w)
		VPMADDWD(w, x, w)
		VPADDD(w, t.spare(j), t.spare(j))
	}
}

func (t tile256) startPairs() {
	for j := range 2 * t.vectors {
		VPXOR(t.spare(j), t.spare(j), t.spare(j))
	}
}

func (t tile256) addPairs() {
	for j := range t.vectors {
		sums := t.spare(2 * j)
		VPHADDD(t.spare(2*j+1), sums, sums)
		VPERMQ(operand.U8(0xD8), sums, sums)
		VPADDD(sums, t.acc(0, j), t.acc(0, j))
	}
}

func (t tile256) reduce() {}

func (t tile256) sums() {
	t.store(32, func(i, j int, m operand.Mem) { VMOVDQU(t.acc(i, j), m) })
}

func (t tile256) floats() {
	MOVQ(field("scale"), reg.RAX)
	MOVQ(field("bias"), count)
	scale, bias, low := t.spare(0), t.spare(1), t.spare(2)
	VBROADCASTSS(field("lo"), low)
	for j := range t.vectors {
		VBROADCASTSS(field("gscale"), scale)
		VMULPS(t.vector(reg.RAX, j), scale, scale)
		VMOVUPS(t.vector(count, j), bias)
		for i := range t.rows {
			acc := t.acc(i, j)
			VCVTDQ2PS(acc, acc)
			VFMADD213PS(bias, scale, acc)
			VMAXPS(acc, low, acc) // the second source, here written first, is what a NaN gives
		}
	}
	t.store(32, func(i, j int, m operand.Mem) { VMOVUPS(t.acc(i, j), m) })
}

func (t tile256) bytes() {
	MOVQ(field("scale"), reg.RAX)
	MOVQ(field("bias"), count)
	mult, bias, low, high, zero, temp := t.spare(0), t.spare(1), t.spare(2), t.spare(3), t.spare(4), t.spare(5)
	VBROADCASTSS(field("lo"), low)
	VBROADCASTSS(field("hi"), high)
	VPBROADCASTD(field("zero"), zero)
	for j := range t.vectors {
		VMOVUPS(t.vector(reg.RAX, j), mult)
		VMOVUPS(t.vector(count, j), bias)
		for i := range t.rows {
			acc := t.acc(i, j)
			VCVTDQ2PS(acc, acc)
			VADDPS(bias, acc, acc)
			VMULPS(mult, acc, acc)
			VMINPS(high, acc, acc) // a NaN becomes high
			VMAXPS(low, acc, acc)
			VCVTPS2DQ(acc, acc)
			VPADDD(zero, acc, acc)
			VPAND(quarterBytes, acc, acc)
		}
	}
	t.store(8, func(i, j int, m operand.Mem) { storeBytes(t.acc(i, j), temp, m) })
}

// storeBytes writes the low bytes of 8 integers below 256.
func storeBytes(v, temp reg.VecPhysical, m operand.Mem) {
	VEXTRACTI128(operand.Imm(1), v, temp.AsX())
	VPACKUSDW(temp.AsX(), v.AsX(), v.AsX())
	VPACKUSWB(v.AsX(), v.AsX(), v.AsX())
	VMOVQ(v.AsX(), m)
}
