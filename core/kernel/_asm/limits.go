package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// limits writes what measures the machine: multiply-adds on registers, and loads that nothing waits for.
func limits() {
	for _, w := range []width{avx2, avx512} {
		w.peakF32()
		w.peakF16()
		w.peakI8()
		w.read(1)
		w.read(2)
	}
}

// A width is a size of vector registers.
type width struct {
	name     string
	bytes    int
	sums     int // registers for sums: enough to hide the latency of two multipliers, 4 or 5 cycles
	register func() VecVirtual
}

var (
	avx2   = width{"AVX2", 32, 12, YMM}
	avx512 = width{"AVX512", 64, 24, ZMM}
)

// zeros returns n registers of zeros.
func (w width) zeros(n int) []VecVirtual {
	s := make([]VecVirtual, n)
	for i := range s {
		s[i] = w.register()
		w.xor(s[i], s[i])
	}
	return s
}

// peak writes a function that loops over the body.
func (w width) peak(kind, what string, macs int, body func(x VecVirtual, from Mem, sum VecVirtual)) {
	TEXT("peak"+kind+w.name, NOSPLIT, "func(rounds int, x *[64]byte)")
	Pragma("noescape")
	Doc(fmt.Sprintf("peak%s%s does rounds times %d multiply-adds of x in %d sums: %s.", kind, w.name, macs, w.sums, what))
	rounds := Load(Param("rounds"), GP64())
	from := Mem{Base: Load(Param("x"), GP64())}
	x := w.register()
	VMOVUPS(from, x)
	sums := w.zeros(w.sums)
	Label("loop")
	for _, s := range sums {
		body(x, from, s)
	}
	DECQ(rounds)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

func (w width) peakF32() {
	w.peak("F32", "VFMADD231PS", w.sums*w.bytes/4, func(x VecVirtual, _ Mem, sum VecVirtual) {
		VFMADD231PS(x, x, sum)
	})
}

func (w width) peakF16() {
	w.peak("F16", "VCVTPH2PS from memory, VFMADD231PS", w.sums*w.bytes/4, func(_ VecVirtual, from Mem, sum VecVirtual) {
		wide := w.register()
		VCVTPH2PS(from, wide)
		VFMADD231PS(wide, wide, sum)
	})
}

func (w width) peakI8() {
	if w.bytes == 64 {
		w.peak("I8", "VPDPBUSD", w.sums*64, func(x VecVirtual, _ Mem, sum VecVirtual) {
			VPDPBUSD(x, x, sum)
		})
		return
	}
	w.peak("I8", "VPMADDUBSW, VPMADDWD, VPADDD", w.sums*32, func(x VecVirtual, _ Mem, sum VecVirtual) {
		p := YMM()
		VPMADDUBSW(x, x, p)
		VPMADDWD(x, p, p)
		VPADDD(p, sum, sum)
	})
}

// read writes a function that reads one stream, or two: the halves of what it is given. Which one is faster depends on how
// the processor fetches ahead.
func (w width) read(streams int) {
	const round = 512
	ahead := round / streams
	name := fmt.Sprintf("read%d%s", streams, w.name)
	TEXT(name, NOSPLIT, "func(p *byte, rounds int, sum *[64]byte)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s reads rounds times %d bytes, in %d streams, and leaves the exclusive or of them, %d lanes, in sum.",
		name, round, streams, w.bytes))
	bases := []Register{Load(Param("p"), GP64())}
	rounds := Load(Param("rounds"), GP64())
	if streams == 2 {
		half := GP64()
		MOVQ(rounds, half)
		SHLQ(U8(8), half) // times ahead
		ADDQ(bases[0], half)
		bases = append(bases, half)
	}
	sums := w.zeros(4)
	Label("loop")
	n := 0
	for at := 0; at < ahead; at += w.bytes {
		for _, base := range bases {
			w.xor(Mem{Base: base, Disp: at}, sums[n%len(sums)])
			n++
		}
	}
	for _, base := range bases {
		ADDQ(U32(ahead), base)
	}
	DECQ(rounds)
	JNZ(LabelRef("loop"))
	for _, s := range sums[1:] {
		w.xor(s, sums[0])
	}
	VMOVUPS(sums[0], Mem{Base: Load(Param("sum"), GP64())})
	VZEROUPPER()
	RET()
}

// xor writes sum ^= x.
func (w width) xor(x Op, sum VecVirtual) {
	if w.bytes == 64 {
		VPXORQ(x, sum, sum)
	} else {
		VPXOR(x, sum, sum)
	}
}
