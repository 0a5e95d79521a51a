package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A tile is a microkernel of int8 products: it multiplies some rows of activations by panels of weights. Its sums stay in
// registers for a whole panel, until they are rounded and stored.
type tile interface {
	begin()  // a panel's sums
	reduce() // the parts of the sums to one
	sums()   // stores them,
	floats() // or dequantizes and stores them,
	bytes()  // or requantizes and stores them
	paths() []path
}

// A path is a way to multiply.
type path struct {
	when   string // the field of the intTile that chooses it; none for the first path
	unroll int
	start  func()      // or nil
	group  func(u int) // adds the products of 4 inputs, those of group u from where the pointers are
	finish func()      // or nil
}

// A tileShape is how many rows a tile multiplies by how many vectors of outputs, of so many bytes each.
type tileShape struct{ rows, vectors, vectorBytes int }

func (t tileShape) panelBytes() int { return t.vectors * t.vectorBytes }

var (
	call    = reg.RDX // *intTile
	weights = reg.RBX
	count   = reg.RCX
	output  = reg.RDI
	ystride = reg.R13
	outputs = reg.RSI // bytes into the epilogue's vectors
	panels  = reg.R14
	xrows   = tileRows{first: reg.RAX, second: reg.R12, stride: reg.R8, multiples: [8]reg.Register{3: reg.R9, 5: reg.R10, 7: reg.R11}}
)

// field is a field of the intTile that call points to.
func field(name string) operand.Mem {
	c, err := Param("t").Dereference(call).Field(name).Resolve()
	if err != nil {
		panic(err)
	}
	return c.Addr
}

// vector is one of a panel's vectors in memory at base.
func (t tileShape) vector(base reg.Register, j int) operand.Mem {
	return operand.Mem{Base: base, Index: outputs, Scale: 1, Disp: t.vectorBytes * j}
}

// function writes the tile's function.
func (t tileShape) function(engine string, kernel tile) {
	width := t.panelBytes() / 4
	name := fmt.Sprintf("tile%sx%dx%d", engine, t.rows, width)
	function(name, "func(t *intTile)",
		fmt.Sprintf("%s multiplies rows, here %d, by panels of %d outputs, w[panel][k/4][output][k%%4]:", name, t.rows, width), "",
		fmt.Sprintf("	for o := range %d*t.panels {", width),
		"		for r := range rows {",
		"			s := t.factor * t.offset[o]",
		"			for k := range in {",
		"				s += int32(t.x[r*t.stride+k]) * int32(t.w[o][k])",
		"			}",
		"			t.y[r*t.ystride+o] = round(s, t.kind)",
		"		}",
		"	}")
	Load(Param("t"), call)
	xrows.rows = t.rows
	MOVQ(field("stride"), xrows.stride)
	MOVQ(field("w"), weights)
	MOVQ(field("y"), output)
	MOVQ(field("ystride"), ystride)
	MOVQ(field("panels"), panels)
	XORL(outputs.As32(), outputs.As32())
	xrows.multiply()

	Label("panel")
	kernel.begin()
	MOVQ(field("x"), xrows.first)
	xrows.restart()
	MOVQ(field("groups"), count)
	paths := kernel.paths()
	if len(paths) > 1 {
		CMPL(field(paths[1].when), operand.Imm(0))
		JNE(operand.LabelRef(paths[1].when + "_groups"))
	}
	for i, p := range paths {
		t.products(p)
		if i < len(paths)-1 {
			JMP(operand.LabelRef("reduce"))
		}
	}
	Label("reduce")
	kernel.reduce()

	CMPL(field("kind"), operand.Imm(1))
	JEQ(operand.LabelRef("floats"))
	JHI(operand.LabelRef("bytes"))
	kernel.sums()
	JMP(operand.LabelRef("next"))
	Label("floats")
	kernel.floats()
	Label("next")
	ADDQ(operand.I32(t.panelBytes()), output)
	Label("next_vectors")
	ADDQ(operand.I32(t.panelBytes()), outputs)
	DECQ(panels)
	JNZ(operand.LabelRef("panel"))
	leave()
	Label("bytes")
	kernel.bytes()
	ADDQ(operand.I32(t.panelBytes()/4), output)
	JMP(operand.LabelRef("next_vectors"))
}

// products adds the products of all inputs.
func (t tileShape) products(p path) {
	prefix := ""
	if p.when != "" {
		prefix = p.when + "_"
	}
	label := func(name string) operand.LabelRef { return operand.LabelRef(prefix + name) }
	begin := func(name string) { Label(prefix + name) }
	advance := func(groups int) {
		xrows.advance(operand.I32(4 * groups))
		ADDQ(operand.I32(t.panelBytes()*groups), weights)
	}
	begin("groups")
	if p.start != nil {
		p.start()
	}
	SUBQ(operand.I32(p.unroll), count)
	JB(label("remainder"))
	align()
	begin("loop")
	for u := range p.unroll {
		p.group(u)
	}
	advance(p.unroll)
	SUBQ(operand.I32(p.unroll), count)
	JAE(label("loop"))
	begin("remainder")
	ADDQ(operand.I32(p.unroll), count)
	JZ(label("rest"))
	begin("single")
	p.group(0)
	advance(1)
	DECQ(count)
	JNZ(label("single"))
	begin("rest")
	MOVQ(field("rest"), count)
	NEGQ(count)
	JZ(label("summed"))
	xrows.advance(count)
	p.group(0)
	ADDQ(operand.I32(t.panelBytes()), weights)
	begin("summed")
	if p.finish != nil {
		p.finish()
	}
}

// store writes all sums, as vectors of so many bytes.
func (t tileShape) store(bytes int, write func(row, vector int, m operand.Mem)) {
	MOVQ(output, reg.RAX)
	for i := range t.rows {
		for j := range t.vectors {
			write(i, j, at(reg.RAX, bytes*j))
		}
		if i < t.rows-1 {
			ADDQ(ystride, reg.RAX)
		}
	}
}
