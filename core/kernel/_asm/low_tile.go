package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// tileBFloat16 writes the microkernel of bfloat16 products: a tile of C, rows x two registers, stays in registers while pairs of
// inputs go by.
func tileBFloat16(rows int) {
	name := fmt.Sprintf("tile%dx32BFloat16", rows)
	function(name, "func(c, a, b *float32, ldc, rs, cs, ldb, pairs, n, flags int, next *float32, nexts int)",
		fmt.Sprintf("%s computes a tile of %d x n, n <= 32, of pairs > 0. Strides are in bytes. Only n columns of c are touched,", name, rows),
		"but 32 of b are read. a[i*rs+t*cs] is a pair of elements for row i of c, the first one in the lower half, and b[t*ldb][j] one",
		"for column j. On the way a cache line is fetched for every pair, from next on, nexts bytes apart: what the caller will need later.", "",
		fmt.Sprintf("	for i := range %d {", rows),
		"		for j := range n {",
		"			s := c[i][j] if flags&1 != 0, else 0",
		"			for t := range pairs {",
		"				s = flush(fma(a[i*rs+t*cs].second, b[t*ldb][j].second, s))",
		"				s = flush(fma(a[i*rs+t*cs].first, b[t*ldb][j].first, s))",
		"			}",
		"			c[i][j] = s + 0",
		"		}",
		"	}")
	t := tileRows{rows: rows, first: Load(Param("a"), GP64()), stride: Load(Param("rs"), GP64())}
	t.prepare()
	acc := make([]vec, 2*rows)
	for i := range acc {
		acc[i] = zmm[i]
	}
	avx512.startTile(acc)

	b, ldb, cs := Load(Param("b"), GP64()), Load(Param("ldb"), GP64()), Load(Param("cs"), GP64())
	pairs, next, nexts := Load(Param("pairs"), GP64()), Load(Param("next"), GP64()), Load(Param("nexts"), GP64())
	b0, b1, a := zmm[28], zmm[29], zmm[30:]
	align()
	Label("loop")
	PREFETCHT1(Mem{Base: next})
	ADDQ(nexts, next)
	VMOVUPS(Mem{Base: b}, b0)
	VMOVUPS(Mem{Base: b, Disp: 64}, b1)
	for i := range rows {
		VBROADCASTSS(t.at(i), a[i%2])
		dotBFloat16(b0, a[i%2], zmm[2*i])
		dotBFloat16(b1, a[i%2], zmm[2*i+1])
	}
	ADDQ(ldb, b)
	t.advance(cs)
	DECQ(pairs)
	JNZ(LabelRef("loop"))
	zero := zmm[31]
	VPXORD(zero, zero, zero)
	for _, r := range acc {
		VADDPS(zero, r, r)
	}
	Load(Param("n"), RCX)
	avx512.storeTile(acc, avx512.columnsOf())
	leave()
}

// peakBFloat16 writes what width.peak writes for other kinds.
func peakBFloat16() {
	const sums = 24
	function("peakBFloat16AVX512", "func(rounds int, x *[64]byte)",
		fmt.Sprintf("peakBFloat16AVX512 does rounds times %d multiply-adds of x in %d sums: VDPBF16PS.", sums*32, sums))
	rounds, x := Load(Param("rounds"), GP64()), zmm[sums]
	VMOVUPS(Mem{Base: Load(Param("x"), GP64())}, x)
	for _, s := range zmm[:sums] {
		VPXORD(s, s, s)
	}
	Label("loop")
	for _, s := range zmm[:sums] {
		dotBFloat16(x, x, s)
	}
	DECQ(rounds)
	JNZ(LabelRef("loop"))
	leave()
}

// dotBFloat16 writes VDPBF16PS of whole registers, which neither avo nor Go's assembler knows: EVEX.512.F3.0F38.W0 52 /r.
func dotBFloat16(y, x, sum VecPhysical) {
	rm, v, r := uint32(y.PhysicalIndex()), uint32(x.PhysicalIndex()), uint32(sum.PhysicalIndex())
	not := func(bit uint32) uint32 { return ^bit & 1 }
	prefix := 0x62 | (not(r>>3)<<7|not(rm>>4)<<6|not(rm>>3)<<5|not(r>>4)<<4|2)<<8 | ((^v&15)<<3|6)<<16 | (2<<5|not(v>>4)<<3)<<24
	Comment("VDPBF16PS " + y.Asm() + ", " + x.Asm() + ", " + sum.Asm())
	Instruction(&ir.Instruction{Opcode: "LONG", Operands: []Op{U32(prefix)}})
	Instruction(&ir.Instruction{Opcode: "WORD", Operands: []Op{U16(0x52 | (3<<6|r&7<<3|rm&7)<<8)}})
}

// interleave writes the packing of pairs: of two rows of bfloat16 into one of pairs.
func interleave() {
	function("interleaveAVX512", "func(dst *float32, ldd int, first, second *uint16, lds, pairs, n int)",
		"interleaveAVX512 pairs the elements of rows, n > 0 of each, and fills the pairs up with zeros to 32. Strides are in bytes.", "",
		"	for t := range pairs {",
		"		for j := range n {",
		"			dst[t*ldd][j] = first[t*lds][j] | second[t*lds][j]<<16",
		"		}",
		"	}")
	Load(Param("n"), RCX)
	bits, k := GP64(), K()
	MOVQ(I32(1), bits)
	SHLQ(CL, bits)
	DECQ(bits)
	KMOVD(bits.As32(), k)
	lower, upper := ZMM(), ZMM()
	order := NewDataAddr(NewStaticSymbol("pairOrder"), 0)
	GLOBL("pairOrder", RODATA|NOPTR)
	for i := range 32 {
		DATA(4*i, U32(i|(32+i)<<16))
	}
	VMOVDQU64(order, lower)
	VMOVDQU64(order.Offset(64), upper)
	dst, ldd, lds := Load(Param("dst"), GP64()), Load(Param("ldd"), GP64()), Load(Param("lds"), GP64())
	first, second, pairs := Load(Param("first"), GP64()), Load(Param("second"), GP64()), Load(Param("pairs"), GP64())
	Label("loop")
	x, y, z := ZMM(), ZMM(), ZMM()
	VMOVDQU16_Z(Mem{Base: first}, k, x)
	VMOVDQU16_Z(Mem{Base: second}, k, y)
	VMOVDQA64(x, z)
	VPERMT2W(y, lower, x)
	VPERMT2W(y, upper, z)
	VMOVDQU64(x, Mem{Base: dst})
	VMOVDQU64(z, Mem{Base: dst, Disp: 64})
	ADDQ(lds, first)
	ADDQ(lds, second)
	ADDQ(ldd, dst)
	DECQ(pairs)
	JNZ(LabelRef("loop"))
	leave()
}
