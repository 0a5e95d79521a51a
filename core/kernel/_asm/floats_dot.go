package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// dotLanes is how many chains a sum of a narrow layer has, on every instruction set, so that all give the same bits.
const dotLanes = 16

// A dot is a microkernel of narrow layers: the products of some rows of x with some rows of weights, at most 4, along k.
type dot struct {
	w          width
	rows, outs int
	half       bool
	acc        []vec // acc[(row*outs+out)*perSum+i]
}

// perSum is how many registers hold the chains of a sum.
func (d *dot) perSum() int { return dotLanes / d.w.lanes() }

// dot writes the microkernel.
func (w width) dot(rows, outs int, half bool) {
	d := dot{w: w, rows: rows, outs: outs, half: half}
	kind, element, size := "", "float32", 4
	if half {
		kind, element, size = "Half", "uint16", 2
	}
	name := fmt.Sprintf("dot%s%dx%d%s", kind, rows, outs, w.name)
	TEXT(name, NOSPLIT, fmt.Sprintf("func(y, x *float32, w *%s, ldy, ldx, ldw, k int, bias *float32, flags int)", element))
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes %d outputs of %d rows. Strides are in bytes. Rows of w are filled up with zeros to a multiple of %d,", name, outs, rows, dotLanes),
		"the bias to one of 4; it may be nil. A sum has 16 chains, which are added in pairs 8, 4, 2 and then 1 apart:", "",
		fmt.Sprintf("	for i := range %d {", rows),
		fmt.Sprintf("		for o := range %d {", outs),
		"			var s [16]float32",
		"			for t := range k {",
		"				s[t%16] = fma(x[i][t], w[o][t], s[t%16])",
		"			}",
		"			y[i][o] = relu(sum(s) + bias[o]), relu if flags&2 != 0",
		"		}",
		"	}")

	d.acc = w.registers(rows * outs * d.perSum())
	for _, r := range d.acc {
		w.zero(r)
	}
	x := tileRows{rows: rows, first: Load(Param("x"), GP64()), stride: Load(Param("ldx"), GP64())}
	x.prepare()
	weights := tileRows{rows: outs, first: Load(Param("w"), GP64()), stride: Load(Param("ldw"), GP64())}
	weights.prepare()
	k := Load(Param("k"), GP64())
	SUBQ(Imm(dotLanes), k)
	JL(LabelRef("rest"))
	align()
	Label("loop")
	d.step(&x, &weights, func(_ int, from Mem, to Register) { VMOVUPS(from, to) })
	ADDQ(Imm(4*dotLanes), x.first)
	ADDQ(Imm(uint64(size*dotLanes)), weights.first)
	SUBQ(Imm(dotLanes), k)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(dotLanes), k)
	JZ(LabelRef("sum"))
	MOVQ(k, RCX)
	mask := w.columnsOf()
	d.step(&x, &weights, mask.load)
	Label("sum")
	d.finish()
	leave()
}

// step adds the products of 16 inputs, which load loads into the registers of a row.
func (d *dot) step(x, weights *tileRows, load func(i int, from Mem, to Register)) {
	n := d.perSum()
	for p := range n {
		var in []VecVirtual
		for i := range d.rows {
			r := d.w.register()
			load(p, x.at(i).Offset(p*d.w.bytes), r)
			in = append(in, r)
		}
		for o := range d.outs {
			if d.rows == 1 && !d.half {
				VFMADD231PS(weights.at(o).Offset(p*d.w.bytes), in[0], d.acc[o*n+p])
				continue
			}
			r := d.w.register()
			if d.half {
				VCVTPH2PS(weights.at(o).Offset(p*d.w.bytes/2), r)
			} else {
				VMOVUPS(weights.at(o).Offset(p*d.w.bytes), r)
			}
			for i := range d.rows {
				VFMADD231PS(r, in[i], d.acc[(i*d.outs+o)*n+p])
			}
		}
	}
}

// finish adds the chains up, then the bias, applies the ReLU and stores.
func (d *dot) finish() {
	sums := make([]VecVirtual, d.rows)
	for i := range sums {
		var four [4]Register
		for o := range four {
			if four[o] = four[max(o, 1)-1]; o < d.outs {
				four[o] = d.fold(i, o)
			}
		}
		sums[i] = transposeAdd(four)
	}
	bias := Load(Param("bias"), GP64())
	TESTQ(bias, bias)
	JZ(LabelRef("unbiased"))
	for _, s := range sums {
		VADDPS(Mem{Base: bias}, s, s)
	}
	Label("unbiased")
	flags := Load(Param("flags"), GP64())
	TESTQ(U32(reluFlag), flags)
	JZ(LabelRef("store"))
	zero := XMM()
	VXORPS(zero, zero, zero)
	for _, s := range sums {
		VMAXPS(s, zero, s)
	}
	Label("store")
	y, ldy := Load(Param("y"), GP64()), Load(Param("ldy"), GP64())
	for i, s := range sums {
		if i > 0 {
			ADDQ(ldy, y)
		}
		switch to := (Mem{Base: y}); d.outs {
		case 1:
			VMOVSS(s, to)
		case 2:
			VMOVSD(s, to)
		case 3:
			VMOVSD(s, to)
			VEXTRACTPS(Imm(2), s, to.Offset(8))
		case 4:
			VMOVUPS(s, to)
		}
	}
}

// fold adds the 16 chains of a sum up to 4.
func (d *dot) fold(row, out int) Register {
	at := (row*d.outs + out) * d.perSum()
	s, high := d.acc[at].AsY(), vec(YMM())
	if d.w.bytes == 64 {
		VEXTRACTF64X4(Imm(1), d.acc[at], high)
	} else {
		high = d.acc[at+1]
	}
	eight, upper, four := YMM(), XMM(), XMM()
	VADDPS(high, s, eight)
	if d.w.bytes == 64 { // the older instruction can't name all registers
		VEXTRACTF32X4(Imm(1), eight, upper)
	} else {
		VEXTRACTF128(Imm(1), eight, upper)
	}
	VADDPS(upper, eight.AsX(), four)
	return four
}

// transposeAdd returns the sums of the 4 lanes of each of 4 registers.
func transposeAdd(r [4]Register) VecVirtual {
	var pair [2]VecVirtual
	for i := range pair {
		low, high := XMM(), XMM()
		VUNPCKLPS(r[2*i+1], r[2*i], low)
		VUNPCKHPS(r[2*i+1], r[2*i], high)
		pair[i] = XMM()
		VADDPS(high, low, pair[i])
	}
	low, high, sum := XMM(), XMM(), XMM()
	VMOVLHPS(pair[1], pair[0], low)
	VMOVHLPS(pair[0], pair[1], high)
	VADDPS(high, low, sum)
	return sum
}
