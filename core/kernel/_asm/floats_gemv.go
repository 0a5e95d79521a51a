package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// panelCols is how many outputs are packed together.
const panelCols = 32

// gemv writes the product of one row and some neighbouring panels. Every sum is one chain of multiply-adds: it
// takes 8 registers of them to hide the latency.
func (w width) gemv(panels int, half bool) {
	const cols = panelCols
	kind, element, size := "", "float32", w.bytes
	if half {
		kind, element, size = "Half", "uint16", w.bytes/2
	}
	name := fmt.Sprintf("gemv%s%dx%d%s", kind, panels, cols, w.name)
	TEXT(name, NOSPLIT, fmt.Sprintf("func(y, x *float32, w *%s, panel, k, n int, bias *float32, flags int)", element))
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes n outputs, %d < n <= %d, from panels that are panel bytes apart. The last one is whole,", name, (panels-1)*cols, panels*cols),
		"however large n is; y and the bias, which may be nil, have n elements:", "",
		"	for j := range n {",
		"		s := y[j] if flags&1 != 0, else 0",
		"		for t := range k {",
		fmt.Sprintf("			s = fma(x[t], w[j/%d*panel][t][j%%%d], s)", cols, cols),
		"		}",
		"		y[j] = relu(s + bias[j]), relu if flags&2 != 0",
		"	}")

	perPanel := cols / w.lanes()
	acc := w.registers(perPanel * panels)
	w.startRow(acc, panels)
	x := Load(Param("x"), GP64())
	b := tileRows{rows: panels, first: Load(Param("w"), GP64()), stride: Load(Param("panel"), GP64())}
	b.prepare()
	weights := func(i, t int) Mem {
		return b.at(i / perPanel).Offset((t*perPanel + i%perPanel) * size)
	}
	steps := func(n int) {
		for t := range n {
			v := w.register()
			VBROADCASTSS(Mem{Base: x, Disp: 4 * t}, v)
			if half && w.bytes == 64 { // conversions keep the loads from running ahead of them far enough
				for p := range panels {
					PREFETCHT0(weights(p*perPanel, t).Offset(512))
				}
			}
			for i, r := range acc {
				if half {
					wide := w.register()
					VCVTPH2PS(weights(i, t), wide)
					VFMADD231PS(wide, v, r)
				} else {
					VFMADD231PS(weights(i, t), v, r)
				}
			}
		}
		ADDQ(Imm(uint64(4*n)), x)
		b.advance(U32(uint32(perPanel * size * n)))
	}
	const unroll = 4
	k := Load(Param("k"), GP64())
	SUBQ(Imm(unroll), k)
	JL(LabelRef("rest"))
	align()
	Label("loop")
	steps(unroll)
	SUBQ(Imm(unroll), k)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(unroll), k)
	JZ(LabelRef("finish"))
	Label("one")
	steps(1)
	DECQ(k)
	JNZ(LabelRef("one"))
	Label("finish")
	w.finishRow(acc, panels)
	leave()
}

// startRow loads y, or zeros.
func (w width) startRow(acc []vec, panels int) {
	w.zeroUnlessAdding(acc)
	y, mask := Load(Param("y"), GP64()), w.lastPanel(panels)
	for i, r := range acc {
		if from, last := (Mem{Base: y, Disp: i * w.bytes}), i-len(acc)+len(acc)/panels; last < 0 {
			VMOVUPS(from, r)
		} else {
			mask.load(last, from, r)
		}
	}
	Label("start")
}

// finishRow adds the bias, applies the ReLU and stores y.
func (w width) finishRow(acc []vec, panels int) {
	mask := w.lastPanel(panels)
	bias := Load(Param("bias"), GP64())
	TESTQ(bias, bias)
	JZ(LabelRef("unbiased"))
	for i, r := range acc {
		if from, last := (Mem{Base: bias, Disp: i * w.bytes}), i-len(acc)+len(acc)/panels; last < 0 {
			VADDPS(from, r, r)
		} else {
			b := w.register()
			mask.load(last, from, b)
			VADDPS(b, r, r)
		}
	}
	w.reluIfAsked(acc)
	y := Load(Param("y"), GP64())
	for i, r := range acc {
		if to, last := (Mem{Base: y, Disp: i * w.bytes}), i-len(acc)+len(acc)/panels; last < 0 {
			VMOVUPS(r, to)
		} else {
			mask.store(last, r, to)
		}
	}
}

// lastPanel sets masks for the last of the panels.
func (w width) lastPanel(panels int) columns {
	Load(Param("n"), RCX)
	SUBQ(Imm(uint64((panels-1)*panelCols)), RCX)
	return w.columnsOf()
}
