//go:build !purego

package kernel

import (
	"encoding/binary"
	"unsafe"
)

// The functions of _wasm/product.go. Distances are in bytes.
//
//go:wasmimport kernels gemm_i16
//go:noescape
func gemmI16(rows, k, panels int32, x unsafe.Pointer, ldx int32, w unsafe.Pointer, ldw int32, acc unsafe.Pointer, ldacc int32, flags int32)

//go:wasmimport kernels gemm_i8_relaxed
//go:noescape
func gemmI8Relaxed(rows, k, panels int32, x unsafe.Pointer, ldx int32, w unsafe.Pointer, ldw int32, acc unsafe.Pointer, ldacc int32, flags int32)

//go:wasmimport kernels widen_u8
//go:noescape
func widenU8(dst, src unsafe.Pointer, n int32)

//go:wasmimport kernels split_u8
//go:noescape
func splitU8(low, high, src unsafe.Pointer, n int32) int32

//go:wasmimport kernels add_high_relaxed
//go:noescape
func addHighRelaxed(acc unsafe.Pointer, panels int32, w unsafe.Pointer, ldw int32, index, value unsafe.Pointer, count int32)

func (e *Engine) intsSIMD() {
	e.packI8 = func(w []int8, out, in int) intProduct {
		return &simdI16{pack(w, out, in, 2), out, in}
	}
}

func (e *Engine) intsRelaxed() {
	e.packI8 = func(w []int8, out, in int) intProduct {
		return &relaxedI8{pack(w, out, in, 4), out, in}
	}
}

// simdI16 packs pairs of weights. Activations are widened to int16, and a dot product of pairs is exact.
type simdI16 struct {
	w       packed[int8]
	out, in int
}

func (p *simdI16) width() int { return 4 * panel }

func (p *simdI16) multiply(acc []int32, x []uint8, rows, lo, hi int) {
	s := takeSpare()
	ld := 2 * p.w.steps
	s.x = grown(s.x, rows*ld)
	for r := range rows {
		from, to := x[r*p.in:(r+1)*p.in], s.x[r*ld:(r+1)*ld]
		to[ld-1] = 0 // for an odd number of inputs
		widenU8(pointer(to), pointer(from), int32(len(from)))
		for k := len(from) &^ 15; k < len(from); k++ {
			to[k] = int16(from[k])
		}
	}
	spread(acc, s.ints[:], p.out, rows, lo, hi, func(acc []int32, ldacc, r0, rows, lo, n int) {
		x := s.x[r0*ld : (r0+rows)*ld]
		gemmI16(int32(rows), int32(p.w.steps), int32(n/panel), pointer(x), int32(2*ld), p.w.from(lo, n), int32(p.w.ld),
			pointer(acc), int32(4*ldacc), productFirst)
	})
	s.give()
}

// relaxedI8 packs fours of weights. The dot product of fours is exact for activations of 7 bits. What has more is taken
// apart, x = (x & 127) + 128·(x >> 7), and the second part multiplied on its own: only the fours that have one, if those
// are few, else all.
type relaxedI8 struct {
	w       packed[int8]
	out, in int
}

func (p *relaxedI8) width() int { return 4 * panel }

func (p *relaxedI8) multiply(acc []int32, x []uint8, rows, lo, hi int) {
	s := takeSpare()
	x = x[:rows*p.in]
	low, ld := x, p.in
	over := over7(x)
	if over || p.in%4 != 0 {
		low, ld = s.split(x, rows, p.in, 4*p.w.steps)
	}
	many := over && s.highFours() > rows*p.w.steps/8
	multiply := func(x []uint8, acc []int32, ldacc, rows, lo, n int, flags int32) {
		gemmI8Relaxed(int32(rows), int32(p.w.steps), int32(n/panel), pointer(x), int32(ld), p.w.from(lo, n), int32(p.w.ld),
			pointer(acc), int32(4*ldacc), flags)
	}
	spread(acc, s.ints[:], p.out, rows, lo, hi, func(acc []int32, ldacc, r0, rows, lo, n int) {
		from, to := r0*ld, (r0+rows)*ld
		if !many {
			multiply(low[from:to], acc, ldacc, rows, lo, n, productFirst)
			return
		}
		multiply(s.high[from:to], acc, ldacc, rows, lo, n, productFirst)
		for r := range rows {
			for o := range acc[r*ldacc : r*ldacc+n] {
				acc[r*ldacc+o] <<= 7
			}
		}
		multiply(low[from:to], acc, ldacc, rows, lo, n, 0)
	})
	if over && !many {
		for r := range rows {
			p.addHigh(acc[r*p.out:(r+1)*p.out], s.high[r*ld:(r+1)*ld], lo, hi, s)
		}
	}
	s.give()
}

// addHigh adds 128·high·w to the outputs lo to hi-1 of a row.
func (p *relaxedI8) addHigh(acc []int32, high []uint8, lo, hi int, s *spare) {
	s.index, s.fours = s.index[:0], s.fours[:0]
	for i := 0; i+4 <= len(high); i += 4 {
		if four := binary.LittleEndian.Uint32(high[i:]); four != 0 {
			s.index, s.fours = append(s.index, int32(i/4)), append(s.fours, four)
		}
	}
	if len(s.index) == 0 {
		return
	}
	add := func(acc []int32, c int) {
		addHighRelaxed(pointer(acc), int32(len(acc)/panel), p.w.from(c, len(acc)), int32(p.w.ld), pointer(s.index), pointer(s.fours), int32(len(s.index)))
	}
	whole := (hi - lo) / panel * panel
	add(acc[lo:lo+whole], lo)
	if c := lo + whole; c < hi {
		tail := s.ints[:panel]
		copy(tail, acc[c:hi])
		add(tail, c)
		copy(acc[c:hi], tail)
	}
}

// over7 reports whether an element has more than 7 bits.
func over7(x []uint8) bool {
	n := len(x) &^ 15
	any := splitU8(nil, nil, pointer(x), int32(n)) != 0
	for _, v := range x[n:] {
		any = any || v > 127
	}
	return any
}

// split takes the elements of x, rows x in, apart: it returns the low 7 bits, with rows ld apart, and leaves the rest in
// s.high. What lies between rows is 0.
func (s *spare) split(x []uint8, rows, in, ld int) (low []uint8, lowStride int) {
	s.low, s.high = grown(s.low, rows*ld), grown(s.high, rows*ld)
	n := in &^ 15
	for r := range rows {
		from, low, high := x[r*in:(r+1)*in], s.low[r*ld:(r+1)*ld], s.high[r*ld:(r+1)*ld]
		splitU8(pointer(low), pointer(high), pointer(from), int32(n))
		clear(low[n:])
		clear(high[n:])
		for i, v := range from[n:] {
			low[n+i], high[n+i] = v&127, v>>7
		}
	}
	return s.low, ld
}

// highFours returns about how many neighbouring fours have anything high.
func (s *spare) highFours() int {
	n := 0
	for i := 0; i+8 <= len(s.high); i += 8 {
		if binary.LittleEndian.Uint64(s.high[i:]) != 0 {
			n++
		}
	}
	return n
}
