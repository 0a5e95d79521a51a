package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// tile writes the microkernel of the float products: a tile of C, rows x two registers, stays in registers while k runs. A may
// be transposed or not: it has a stride for either direction.
func (w width) tile(rows int) {
	cols := 2 * w.lanes()
	name := fmt.Sprintf("tile%dx%d%s", rows, cols, w.name)
	TEXT(name, NOSPLIT, "func(c, a, b *float32, ldc, rs, cs, ldb, k, n int, bias *float32, flags int, next *float32)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes a tile of %d x n, n <= %d. Strides are in bytes; k may be 0; bias may be nil. Only n columns of c", name, rows, cols),
		fmt.Sprintf("and of the bias are touched, but %d of b are read. On the way a cache line is fetched for every other k, from next on:", cols),
		"what the caller will need later. If flags&4 != 0, fma takes subnormals for zeros and leaves none.", "",
		fmt.Sprintf("	for i := range %d {", rows),
		"		for j := range n {",
		"			s := c[i][j] if flags&1 != 0, else 0",
		"			for t := range k {",
		"				s = fma(a[i*rs+t*cs], b[t*ldb][j], s)",
		"			}",
		"			c[i][j] = relu(s + bias[j]), relu if flags&2 != 0",
		"		}",
		"	}")
	control := AllocLocal(8)
	flushing(control)
	w.tileBody(rows, func(b Register, b0, b1 VecVirtual) {
		VMOVUPS(Mem{Base: b}, b0)
		VMOVUPS(Mem{Base: b, Disp: w.bytes}, b1)
	}, func() { flushed(control) })
}

// tileHalf writes the same for halves, which it leaves widened for further rows.
func (w width) tileHalf(rows int) {
	cols := 2 * w.lanes()
	name := fmt.Sprintf("tileHalf%dx%d%s", rows, cols, w.name)
	TEXT(name, NOSPLIT, "func(c, a *float32, b *uint16, ldc, rs, cs, ldb, k, n int, bias *float32, flags int, next *uint16, wide *float32)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s is tile%dx%d%s with halves. It also writes", name, rows, cols, w.name), "",
		"	for t := range k {",
		fmt.Sprintf("		for j := range %d {", cols),
		"			wide[t*32+j] = float32(b[t*ldb][j])",
		"		}",
		"	}")
	wide := Load(Param("wide"), GP64())
	w.tileBody(rows, func(b Register, b0, b1 VecVirtual) {
		VCVTPH2PS(Mem{Base: b}, b0)
		VCVTPH2PS(Mem{Base: b, Disp: w.bytes / 2}, b1)
		VMOVUPS(b0, Mem{Base: wide})
		VMOVUPS(b1, Mem{Base: wide, Disp: w.bytes})
		ADDQ(Imm(4*panelCols), wide)
	}, func() {})
}

// flushing has subnormals flushed if the flags ask for it. It keeps how they were treated before.
func flushing(control Mem) {
	TESTQ(U32(flushFlag), Load(Param("flags"), GP64()))
	JZ(LabelRef("keeping"))
	VSTMXCSR(control)
	flush := GP32()
	MOVL(control, flush)
	ORL(U32(1<<15|1<<6), flush) // results, operands
	MOVL(flush, control.Offset(4))
	VLDMXCSR(control.Offset(4))
	Label("keeping")
}

// flushed undoes flushing.
func flushed(control Mem) {
	TESTQ(U32(flushFlag), Load(Param("flags"), GP64()))
	JZ(LabelRef("kept"))
	VLDMXCSR(control)
	Label("kept")
}

// tileBody writes a tile whose row of b load leaves in two registers. What summed writes comes when the sums are complete.
func (w width) tileBody(rows int, load func(b Register, b0, b1 VecVirtual), summed func()) {
	t := tileRows{rows: rows, first: Load(Param("a"), GP64()), stride: Load(Param("rs"), GP64())}
	t.prepare()
	acc := w.registers(2 * rows)
	w.startTile(acc)

	b, ldb, cs := Load(Param("b"), GP64()), Load(Param("ldb"), GP64()), Load(Param("cs"), GP64())
	k, odd, next := Load(Param("k"), GP64()), GP64(), Load(Param("next"), GP64())
	step := func() {
		b0, b1 := w.register(), w.register()
		load(b, b0, b1)
		for i := range rows {
			a := w.register()
			VBROADCASTSS(t.at(i), a)
			VFMADD231PS(b0, a, acc[2*i])
			VFMADD231PS(b1, a, acc[2*i+1])
		}
		ADDQ(ldb, b)
		t.advance(cs)
	}
	MOVQ(k, odd)
	ANDQ(Imm(1), odd)
	SHRQ(Imm(1), k)
	JZ(LabelRef("last"))
	align()
	Label("loop")
	PREFETCHT1(Mem{Base: next})
	ADDQ(Imm(64), next)
	step()
	step()
	DECQ(k)
	JNZ(LabelRef("loop"))
	Label("last")
	TESTQ(odd, odd)
	JZ(LabelRef("finish"))
	step()
	Label("finish")
	summed()
	w.finishTile(acc)
	leave()
}

// startTile loads the tile of c, or zeros.
func (w width) startTile(acc []vec) {
	w.zeroUnlessAdding(acc)
	Load(Param("n"), RCX)
	mask := w.columnsOf()
	c, ldc := Load(Param("c"), GP64()), Load(Param("ldc"), GP64())
	for i, r := range acc {
		mask.load(i%2, Mem{Base: c, Disp: i % 2 * w.bytes}, r)
		if i%2 == 1 && i+1 < len(acc) {
			ADDQ(ldc, c)
		}
	}
	Label("start")
}

// finishTile adds the bias, applies the ReLU and stores the tile.
func (w width) finishTile(acc []vec) {
	Load(Param("n"), RCX)
	mask := w.columnsOf()
	bias := Load(Param("bias"), GP64())
	TESTQ(bias, bias)
	JZ(LabelRef("unbiased"))
	for j := range 2 {
		b := w.register()
		mask.load(j, Mem{Base: bias, Disp: j * w.bytes}, b)
		for i := j; i < len(acc); i += 2 {
			VADDPS(b, acc[i], acc[i])
		}
	}
	w.reluIfAsked(acc)
	w.storeTile(acc, mask)
}

// storeTile stores the columns of the mask.
func (w width) storeTile(acc []vec, mask columns) {
	c, ldc := Load(Param("c"), GP64()), Load(Param("ldc"), GP64())
	rows := func(store func(j int, r vec, to Mem)) {
		for i, r := range acc {
			store(i%2, r, Mem{Base: c, Disp: i % 2 * w.bytes})
			if i%2 == 1 && i+1 < len(acc) {
				ADDQ(ldc, c)
			}
		}
	}
	if w.bytes == 32 { // masked stores take long on some processors
		CMPQ(Load(Param("n"), GP64()), Imm(uint64(2*w.lanes())))
		JNE(LabelRef("masked"))
		rows(func(_ int, r vec, to Mem) { VMOVUPS(r, to) })
		leave()
		Label("masked")
	}
	rows(func(j int, r vec, to Mem) { mask.store(j, r, to) })
}

// tileRows addresses up to 14 rows that are a stride apart. It takes further registers where it is given none.
type tileRows struct {
	rows          int
	first, second Register // row 0 and, for more than 9 rows, row 9
	stride        Register
	multiples     [8]Register // of the stride: 3, 5 and 7
}

// prepare computes what the rows need.
func (t *tileRows) prepare() {
	t.multiply()
	t.restart()
}

// multiply computes the multiples of the stride.
func (t *tileRows) multiply() {
	s := t.stride
	if t.rows > 3 {
		LEAQ(Mem{Base: s, Index: s, Scale: 2}, given(&t.multiples[3]))
	}
	if t.rows > 5 {
		LEAQ(Mem{Base: s, Index: s, Scale: 4}, given(&t.multiples[5]))
	}
	if t.rows > 7 {
		LEAQ(Mem{Base: t.multiples[3], Index: s, Scale: 4}, given(&t.multiples[7]))
	}
}

// restart sets second from first.
func (t *tileRows) restart() {
	if t.rows > 9 {
		LEAQ(Mem{Base: t.first, Index: t.stride, Scale: 8}, given(&t.second))
		ADDQ(t.stride, t.second)
	}
}

// given returns *r, which becomes a register if it is none.
func given(r *Register) Register {
	if *r == nil {
		*r = GP64()
	}
	return *r
}

// at is the current element of row i.
func (t *tileRows) at(i int) Mem {
	m := Mem{Base: t.first}
	if i >= 9 {
		m.Base, i = t.second, i-9
	}
	switch i {
	case 1, 2, 4, 8:
		m.Index, m.Scale = t.stride, uint8(i)
	case 3, 6:
		m.Index, m.Scale = t.multiples[3], uint8(i/3)
	case 5, 7:
		m.Index, m.Scale = t.multiples[i], 1
	}
	return m
}

// advance moves on to the next element of every row.
func (t *tileRows) advance(by Op) {
	ADDQ(by, t.first)
	if t.rows > 9 {
		ADDQ(by, t.second)
	}
}
