package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A rowWriter writes loops over rows of parameters for one length of vectors. Adam's arithmetic is in the order of kernel.Adam,
// each operation rounded on its own.
type rowWriter struct {
	name                    string
	wide                    int // elements of a vector
	new                     func() VecVirtual
	mean, keep, square, eps VecVirtual // kernel.AdamRates
	sign, limit             VecVirtual // to find out which means have faded
	size, root              VecVirtual // kernel.AdamStep
}

var rowWriters = []rowWriter{{name: "AVX512", wide: 16, new: ZMM}, {name: "AVX2", wide: 8, new: YMM}}

// constants loads what all steps have in common.
func (a *rowWriter) constants() {
	rates := Load(Param("r"), GP64())
	for i, v := range []*VecVirtual{&a.mean, &a.keep, &a.square, &a.eps} {
		*v = a.new()
		VBROADCASTSS(Mem{Base: rates, Disp: 4 * i}, *v)
	}
	a.sign, a.limit = a.pattern(0x7FFFFFFF), a.pattern((127-100)<<23-1)
}

// pattern fills a vector with an integer.
func (a *rowWriter) pattern(bits uint32) VecVirtual {
	v, x, r := a.new(), XMM(), GP32()
	MOVL(U32(bits), r)
	MOVD(r, x)
	VPBROADCASTD(x, v)
	return v
}

// step loads what depends on the number of the step.
func (a *rowWriter) step(p Register) {
	a.size, a.root = a.new(), a.new()
	VBROADCASTSS(Mem{Base: p}, a.size)
	VBROADCASTSS(Mem{Base: p, Disp: 4}, a.root)
}

// fade makes m 0 where it has faded.
func (a *rowWriter) fade(m VecVirtual) {
	t := a.new()
	if a.wide == 16 {
		k := K()
		VPANDD(a.sign, m, t)
		VPCMPUD(Imm(6), a.limit, t, k) // above
		VMOVAPS_Z(m, k, m)
		return
	}
	VPAND(a.sign, m, t)
	VPCMPGTD(a.limit, t, t)
	VPAND(t, m, m)
}

// move adds to w what the averages m and v call for.
func (a *rowWriter) move(w, m, v VecVirtual) {
	t, u := a.new(), a.new()
	VSQRTPS(v, t)
	VDIVPS(a.root, t, t)
	VADDPS(a.eps, t, t)
	VMULPS(a.size, m, u)
	VDIVPS(t, u, u)
	VADDPS(u, w, w)
}

func (a *rowWriter) load(m Mem, mask Op) VecVirtual {
	v := a.new()
	if mask == nil {
		VMOVUPS(m, v)
	} else {
		VMOVUPS_Z(m, mask, v)
	}
	return v
}

func (a *rowWriter) store(v VecVirtual, m Mem, mask Op) {
	if mask == nil {
		VMOVUPS(v, m)
	} else {
		VMOVUPS(v, mask, m)
	}
}

// maskOf returns a mask of the first n of 16 elements.
func maskOf(n Register) Register {
	k, ones := K(), GP32()
	MOVL(U32(0xFFFF), ones)
	SHLXL(n.(GP).As32(), ones, ones)
	NOTL(ones)
	KMOVW(ones, k)
	return k
}

// dense writes one step for many elements.
func (a rowWriter) dense() {
	TEXT("adam"+a.name, NOSPLIT, "func(w, grad, m, v *float32, n int, r, s *float32)")
	Pragma("noescape")
	a.doc("adam"+a.name, "adam")
	a.constants()
	a.step(Load(Param("s"), GP64()))
	p := []Register{Load(Param("w"), GP64()), Load(Param("grad"), GP64()), Load(Param("m"), GP64()), Load(Param("v"), GP64())}
	n, at := Load(Param("n"), GP64()), GP64()
	XORQ(at, at)
	update := func(mask Op) {
		in := func(i int) Mem { return Mem{Base: p[i], Index: at, Scale: 4} }
		w, g, m, v := a.load(in(0), mask), a.load(in(1), mask), a.load(in(2), mask), a.load(in(3), mask)
		t, u := a.new(), a.new()
		VSUBPS(m, g, t)
		VMULPS(a.mean, t, t)
		VADDPS(t, m, m)
		a.fade(m)
		VMULPS(a.square, g, u)
		VMULPS(g, u, u)
		VMULPS(a.keep, v, v)
		VADDPS(u, v, v)
		a.move(w, m, v)
		a.store(w, in(0), mask)
		a.store(m, in(2), mask)
		a.store(v, in(3), mask)
	}
	a.vectors(n, at, update)
	VZEROUPPER()
	RET()
}

// vectors calls body for n elements, a vector at a time from index at on, the last of AVX-512's by mask.
func (a *rowWriter) vectors(n, at Register, body func(mask Op)) {
	SUBQ(Imm(uint64(a.wide)), n)
	JLT(LabelRef("tail"))
	Label("vector")
	body(nil)
	ADDQ(Imm(uint64(a.wide)), at)
	SUBQ(Imm(uint64(a.wide)), n)
	JGE(LabelRef("vector"))
	Label("tail")
	if a.wide == 16 {
		ADDQ(Imm(uint64(a.wide)), n)
		JZ(LabelRef("done"))
		body(maskOf(n))
		Label("done")
	}
}

// idle writes many steps without a gradient, for two vectors at a time that stay in registers: one would wait for its own mean.
func (a rowWriter) idle() {
	TEXT("adamIdle"+a.name, NOSPLIT, "func(w, m, v *float32, n int, r, s *float32, steps int)")
	Pragma("noescape")
	a.doc("adamIdle"+a.name, "adamIdle")
	a.constants()
	p := []Register{Load(Param("w"), GP64()), Load(Param("m"), GP64()), Load(Param("v"), GP64())}
	n := Load(Param("n"), GP64())
	s, count := GP64(), GP64()

	Label("block")
	masks := []Op{nil, nil} // of the first and second vector of the block
	if a.wide == 16 {
		most, left, ones := GP64(), GP64(), GP64()
		MOVQ(U32(32), most)
		MOVQ(n, left)
		CMPQ(n, most)
		CMOVQGT(most, left)
		MOVQ(I32(-1), ones)
		SHLXQ(left, ones, ones)
		NOTQ(ones)
		low, high := K(), K()
		KMOVD(ones.As32(), low)
		KSHIFTRD(Imm(16), low, high)
		masks = []Op{low, high}
	}
	var w, m, v [2]VecVirtual
	for h := range 2 {
		for i, x := range []*VecVirtual{&w[h], &m[h], &v[h]} {
			*x = a.load(Mem{Base: p[i], Disp: h * 4 * a.wide}, masks[h])
		}
	}
	Load(Param("s"), s)
	Load(Param("steps"), count)

	Label("step")
	a.step(s)
	for h := range 2 {
		t := a.new()
		VMULPS(a.mean, m[h], t)
		VSUBPS(t, m[h], m[h])
		a.fade(m[h])
		VMULPS(a.keep, v[h], v[h])
		a.move(w[h], m[h], v[h])
	}
	ADDQ(Imm(8), s)
	DECQ(count)
	JZ(LabelRef("store"))
	any := a.new()
	if a.wide == 16 {
		k := K()
		VPORD(m[0], m[1], any)
		VPTESTMD(any, any, k)
		KORTESTW(k, k)
	} else {
		VPOR(m[0], m[1], any)
		VPTEST(any, any)
	}
	JNZ(LabelRef("step"))

	Comment("All means are 0: w stays, v decays.")
	Label("decay")
	for h := range 2 {
		VMULPS(a.keep, v[h], v[h])
	}
	DECQ(count)
	JNZ(LabelRef("decay"))

	Label("store")
	for h := range 2 {
		for i, x := range []VecVirtual{w[h], m[h], v[h]} {
			a.store(x, Mem{Base: p[i], Disp: h * 4 * a.wide}, masks[h])
		}
	}
	for _, x := range p {
		ADDQ(Imm(uint64(8*a.wide)), x)
	}
	SUBQ(Imm(uint64(2*a.wide)), n)
	JGT(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// doc names the portable function that the routine stands for.
func (a rowWriter) doc(name, of string) {
	multiple := ""
	if a.wide == 8 {
		multiple = fmt.Sprintf(", a multiple of %d", map[string]int{"adam": 8, "adamIdle": 16, "gate": 8}[of])
	}
	Doc(fmt.Sprintf("%s does what %s does, for n elements%s. No count is 0.", name, of, multiple))
}
