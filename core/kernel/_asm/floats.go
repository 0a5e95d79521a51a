package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// floats writes the float kernels.
func floats() {
	columnMasks()
	for rows := 1; rows <= 14; rows++ {
		avx512.tile(rows)
		avx512.tileHalf(rows)
	}
	for rows := 1; rows <= 6; rows++ {
		avx2.tile(rows)
		avx2.tileHalf(rows)
	}
	for _, half := range []bool{false, true} {
		for panels := 1; panels <= 4; panels++ {
			avx512.gemv(panels, half)
			if panels < 4 {
				avx2.gemv(panels, half)
			}
		}
		for outs := 1; outs <= 4; outs++ {
			avx512.dot(1, outs, half)
			avx512.dot(4, outs, half)
			avx2.dot(1, outs, half)
		}
	}
	for _, w := range []width{avx512, avx2} {
		w.combine(false)
		w.combine(true)
		w.finish()
	}
}

// What a tile or a GEMV starts from and ends with: the bits of flags. The Go code has the same constants.
const (
	addFlag   = 1 // start from what the output holds
	reluFlag  = 2
	flushFlag = 4 // take subnormals for zeros and leave none
)

// lanes is how many float32 a register holds.
func (w width) lanes() int { return w.bytes / 4 }

func (w width) zero(r Register) {
	if w.bytes == 64 {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// A vec is a vector register, physical or not.
type vec interface {
	Register
	Vec
}

// registers returns n registers.
func (w width) registers(n int) []vec {
	s := make([]vec, n)
	for i := range s {
		s[i] = w.register()
	}
	return s
}

// relu keeps a NaN and the sign of a zero: VMAXPS returns its first operand, in Go's order, where there is no larger one.
func (w width) relu(regs []vec) {
	z := w.register()
	w.zero(z)
	for _, r := range regs {
		VMAXPS(r, z, r)
	}
}

// columnMasks writes 32 lanes of ones, then 32 of zeros.
func columnMasks() {
	GLOBL("columnMask", RODATA|NOPTR)
	for i := range 16 {
		DATA(8*i, U64(1<<64-1))
	}
	for i := range 16 {
		DATA(128+8*i, U64(0))
	}
}

// columns are the first n lanes of some neighbouring registers.
type columns struct {
	w     width
	k     [2]Register // the lanes of two registers: AVX-512
	table Mem         // the masks of all registers: AVX2
}

// columnsOf expects n in RCX, at most 32, and changes it.
func (w width) columnsOf() columns {
	c := columns{w: w}
	if w.bytes == 64 {
		m := GP64()
		MOVQ(I32(1), m)
		SHLQ(CL, m)
		DECQ(m)
		c.k = [2]Register{K(), K()}
		KMOVW(m.As32(), c.k[0])
		SHRQ(Imm(16), m)
		KMOVW(m.As32(), c.k[1])
		return c
	}
	c.table = Mem{Base: GP64(), Index: RCX, Scale: 4}
	LEAQ(NewDataAddr(NewStaticSymbol("columnMask"), 128), c.table.Base)
	NEGQ(RCX)
	return c
}

// mask is the mask of register i.
func (c columns) mask(i int) Register {
	if c.w.bytes == 64 {
		return c.k[i]
	}
	m := YMM()
	VMOVUPS(c.table.Offset(32*i), m)
	return m
}

// load loads the columns of register i, and zeros elsewhere. Nothing else is read.
func (c columns) load(i int, from Mem, to Register) {
	if c.w.bytes == 64 {
		VMOVUPS_Z(from, c.mask(i), to)
	} else {
		VMASKMOVPS(from, c.mask(i), to)
	}
}

// store stores the columns of register i.
func (c columns) store(i int, from Register, to Mem) {
	if c.w.bytes == 64 {
		VMOVUPS(from, c.mask(i), to)
	} else {
		VMASKMOVPS(from, c.mask(i), to)
	}
}

// zeroUnlessAdding begins sums: with zeros, and on to the label start; what follows, with addFlag, is to load them.
func (w width) zeroUnlessAdding(acc []vec) {
	flags := Load(Param("flags"), GP64())
	TESTQ(U32(addFlag), flags)
	JNZ(LabelRef("add"))
	for _, r := range acc {
		w.zero(r)
	}
	JMP(LabelRef("start"))
	Label("add")
}

// reluIfAsked ends sums, which come here from the label unbiased where there is no bias.
func (w width) reluIfAsked(acc []vec) {
	Label("unbiased")
	flags := Load(Param("flags"), GP64())
	TESTQ(U32(reluFlag), flags)
	JZ(LabelRef("store"))
	w.relu(acc)
	Label("store")
}
