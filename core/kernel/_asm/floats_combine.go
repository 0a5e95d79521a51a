package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A combiner is a kernel that adds a weighted sum of rows.
type combiner struct {
	w                   width
	half                bool
	y, from, ld, limit  Register
	index, value, count Register
}

// combine writes Engine.combineF32 or combineF16. A block of y stays in registers while all rows are added to it.
func (w width) combine(half bool) {
	kind, element := "F32", "float32"
	if half {
		kind, element = "F16", "uint16"
	}
	name := "combine" + kind + w.name
	TEXT(name, NOSPLIT, fmt.Sprintf("func(y *float32, n int, w *%s, ld, limit int, index *int32, value *float32, count int) bool", element))
	Pragma("noescape")
	Doc(name+" returns false, having written nothing, where a row would begin after limit. Both ld and limit are in bytes:", "",
		"	for k := range count {",
		"		if uint(index[k]*ld) > uint(limit) {",
		"			return false",
		"		}",
		"		for j := range n {",
		"			y[j] = fma(value[k], w[index[k]*ld+j], y[j])",
		"		}",
		"	}",
		"	return true")

	c := combiner{w: w, half: half}
	c.y, c.from = Load(Param("y"), GP64()), Load(Param("w"), GP64())
	c.ld, c.limit = Load(Param("ld"), GP64()), Load(Param("limit"), GP64())
	c.index, c.value, c.count = Load(Param("index"), GP64()), Load(Param("value"), GP64()), Load(Param("count"), GP64())
	n := Load(Param("n"), GP64())
	TESTQ(c.count, c.count)
	JZ(LabelRef("done"))
	LEAQ(Mem{Base: c.index, Index: c.count, Scale: 4}, c.index)
	LEAQ(Mem{Base: c.value, Index: c.count, Scale: 4}, c.value)
	NEGQ(c.count)
	for vectors := 8; vectors > 0; vectors /= 2 {
		again, next := fmt.Sprintf("by%d", vectors), fmt.Sprintf("less%d", vectors)
		lanes := vectors * w.lanes()
		Label(again)
		CMPQ(n, U32(uint32(lanes)))
		JL(LabelRef(next))
		c.block(again, w.registers(vectors), c.whole(w.bytes))
		c.advance(lanes)
		SUBQ(U32(uint32(lanes)), n)
		if vectors == 8 {
			JMP(LabelRef(again))
		}
		Label(next)
	}
	c.tail(n)
	Label("done")
	c.result(1)
	Label("outside")
	c.result(0)
}

func (c *combiner) result(ok uint64) {
	r := GP8()
	MOVB(U8(ok), r)
	Store(r, ReturnIndex(0))
	leave()
}

// An access is how a block reads and writes memory.
type access struct {
	load, store func(a, b Operand)
	add         func(weight Mem, value, sum Register)
}

// Operand is an operand of an instruction.
type Operand = Op

// size is the bytes of a weight.
func (c *combiner) size() int {
	if c.half {
		return 2
	}
	return 4
}

func (c *combiner) advance(lanes int) {
	ADDQ(U32(uint32(4*lanes)), c.y)
	ADDQ(U32(uint32(c.size()*lanes)), c.from)
}

// whole accesses whole registers of that many bytes.
func (c *combiner) whole(bytes int) access {
	return access{
		load:  func(from, to Operand) { VMOVUPS(from, to) },
		store: func(from, to Operand) { VMOVUPS(from, to) },
		add: func(weight Mem, value, sum Register) {
			if !c.half {
				VFMADD231PS(weight, value, sum)
				return
			}
			wide := c.register(bytes)
			VCVTPH2PS(weight, wide)
			VFMADD231PS(wide, value, sum)
		},
	}
}

func (c *combiner) register(bytes int) VecVirtual {
	if bytes == 16 {
		return XMM()
	}
	return c.w.register()
}

// block adds all rows to the registers sums of y.
func (c *combiner) block(name string, sums []vec, a access) {
	bytes := int(sums[0].Size())
	for i, s := range sums {
		a.load(Mem{Base: c.y, Disp: i * bytes}, s)
	}
	k, row, value := GP64(), GP64(), c.register(bytes)
	MOVQ(c.count, k)
	Label(name + "rows")
	MOVLQSX(Mem{Base: c.index, Index: k, Scale: 4}, row)
	IMULQ(c.ld, row)
	CMPQ(row, c.limit)
	JHI(LabelRef("outside"))
	VBROADCASTSS(Mem{Base: c.value, Index: k, Scale: 4}, value)
	for i, s := range sums {
		a.add(Mem{Base: c.from, Index: row, Scale: 1, Disp: i * bytes / 4 * c.size()}, value, s)
	}
	INCQ(k)
	JNZ(LabelRef(name + "rows"))
	for i, s := range sums {
		a.store(s, Mem{Base: c.y, Disp: i * bytes})
	}
}

// tail adds to the last n columns, fewer than a register has lanes.
func (c *combiner) tail(n Register) {
	if c.w.bytes == 64 {
		TESTQ(n, n)
		JZ(LabelRef("done"))
		MOVQ(n, RCX)
		mask := c.w.columnsOf().k[0]
		c.block("tail", c.w.registers(1), access{
			load:  func(from, to Operand) { VMOVUPS_Z(from, mask, to) },
			store: func(from, to Operand) { VMOVUPS(from, mask, to) },
			add: func(weight Mem, value, sum Register) {
				wide := ZMM()
				if c.half {
					VCVTPH2PS_Z(weight, mask, wide)
				} else {
					VMOVUPS_Z(weight, mask, wide)
				}
				VFMADD231PS(wide, value, sum)
			},
		})
		return
	}
	CMPQ(n, Imm(4))
	JL(LabelRef("ones"))
	c.block("four", []vec{XMM()}, c.whole(16))
	c.advance(4)
	SUBQ(Imm(4), n)
	Label("ones")
	TESTQ(n, n)
	JZ(LabelRef("done"))
	c.block("one", []vec{XMM()}, access{
		load:  func(from, to Operand) { VMOVSS(from, to) },
		store: func(from, to Operand) { VMOVSS(from, to) },
		add: func(weight Mem, value, sum Register) {
			if !c.half {
				VFMADD231SS(weight, value, sum)
				return
			}
			h, wide := GP32(), XMM()
			MOVWLZX(weight, h)
			VMOVD(h, wide)
			VCVTPH2PS(wide, wide)
			VFMADD231SS(wide, value, sum)
		},
	})
	c.advance(1)
	DECQ(n)
	JMP(LabelRef("ones"))
}
