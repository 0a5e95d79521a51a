package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// low writes what training in mixed precision needs.
func low() {
	for rows := 1; rows <= 14; rows++ {
		tileBFloat16(rows)
	}
	interleave()
	peakBFloat16()
	for _, a := range rowWriters {
		a.lowerBFloat16()
		a.raiseBFloat16()
		a.roundBFloat16()
		a.lowerHalf()
		a.raiseHalf()
		a.roundHalf()
	}
}

// conversion writes a loop from elements of src, so many bytes each, to those of dst.
func (a rowWriter) conversion(name, dstType, srcType string, body func() func(src, dst Mem, mask Op)) {
	size := map[string]uint8{"uint16": 2, "float32": 4}
	multiple := ""
	if a.wide == 8 {
		multiple = ", a multiple of 8"
	}
	function(name+a.name, fmt.Sprintf("func(dst *%s, src *%s, n int)", dstType, srcType),
		fmt.Sprintf("%s does what %s does, for n > 0 elements%s. dst may be src.", name+a.name, name, multiple))
	dst, src, n, at := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64()), GP64()
	XORQ(at, at)
	convert := body()
	a.vectors(n, at, func(mask Op) {
		convert(Mem{Base: src, Index: at, Scale: size[srcType]}, Mem{Base: dst, Index: at, Scale: size[dstType]}, mask)
	})
	VZEROUPPER()
	RET()
}

// nearest returns a function that rounds a vector to bfloat16, in the upper half of each element; the lower one is whatever it is.
func (a *rowWriter) nearest() func(v VecVirtual) VecVirtual {
	one, half, nan := a.pattern(1), a.pattern(0x7FFF), a.pattern(0x7FC00000)
	return func(v VecVirtual) VecVirtual {
		t := a.new()
		VPSRLD(Imm(16), v, t)
		if a.wide == 16 {
			k := K()
			VPANDD(one, t, t)
			VPADDD(half, t, t)
			VPADDD(v, t, t)
			VCMPPS(Imm(3), v, v, k) // NaN
			VMOVDQA32(nan, k, t)
			return t
		}
		VPAND(one, t, t)
		VPADDD(half, t, t)
		VPADDD(v, t, t)
		VCMPPS(Imm(3), v, v, v)
		VPBLENDVB(v, nan, t, t)
		return t
	}
}

func (a rowWriter) lowerBFloat16() {
	a.conversion("lowerBFloat16", "uint16", "float32", func() func(src, dst Mem, mask Op) {
		nearest := a.nearest()
		return func(src, dst Mem, mask Op) {
			t := nearest(a.load(src, mask))
			VPSRLD(Imm(16), t, t)
			if a.wide == 8 {
				upper := XMM()
				VEXTRACTI128(Imm(1), t, upper)
				VPACKUSDW(upper, t.AsX(), upper)
				VMOVDQU(upper, dst)
			} else if mask == nil {
				VPMOVDW(t, dst)
			} else {
				VPMOVDW(t, mask, dst)
			}
		}
	})
}

// halfwords loads elements of 2 bytes into those of 4.
func (a *rowWriter) halfwords(src Mem, mask Op) VecVirtual {
	v := a.new()
	if mask == nil {
		VPMOVZXWD(src, v)
	} else {
		VPMOVZXWD_Z(src, mask, v)
	}
	return v
}

func (a rowWriter) raiseBFloat16() {
	a.conversion("raiseBFloat16", "float32", "uint16", func() func(src, dst Mem, mask Op) {
		return func(src, dst Mem, mask Op) {
			v := a.halfwords(src, mask)
			VPSLLD(Imm(16), v, v)
			a.store(v, dst, mask)
		}
	})
}

func (a rowWriter) roundBFloat16() {
	a.conversion("roundBFloat16", "float32", "float32", func() func(src, dst Mem, mask Op) {
		nearest := a.nearest()
		upper := a.pattern(0xFFFF0000)
		return func(src, dst Mem, mask Op) {
			t := nearest(a.load(src, mask))
			if a.wide == 16 {
				VPANDD(upper, t, t)
			} else {
				VPAND(upper, t, t)
			}
			a.store(t, dst, mask)
		}
	})
}

func (a rowWriter) lowerHalf() {
	a.conversion("lowerHalf", "uint16", "float32", func() func(src, dst Mem, mask Op) {
		return func(src, dst Mem, mask Op) {
			if v := a.load(src, mask); mask == nil {
				VCVTPS2PH(Imm(0), v, dst)
			} else {
				VCVTPS2PH(Imm(0), v, mask, dst)
			}
		}
	})
}

func (a rowWriter) raiseHalf() {
	a.conversion("raiseHalf", "float32", "uint16", func() func(src, dst Mem, mask Op) {
		return func(src, dst Mem, mask Op) {
			v := a.new()
			if mask == nil {
				VCVTPH2PS(src, v)
			} else {
				VCVTPH2PS_Z(src, mask, v)
			}
			a.store(v, dst, mask)
		}
	})
}

func (a rowWriter) roundHalf() {
	a.conversion("roundHalf", "float32", "float32", func() func(src, dst Mem, mask Op) {
		return func(src, dst Mem, mask Op) {
			v := a.load(src, mask)
			var h VecVirtual = YMM()
			if a.wide == 8 {
				h = XMM()
			}
			VCVTPS2PH(Imm(0), v, h)
			VCVTPH2PS(h, v)
			a.store(v, dst, mask)
		}
	})
}
