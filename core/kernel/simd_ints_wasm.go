//go:build !purego

package kernel

import "unsafe"

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
func splitU8(dst, src unsafe.Pointer, n int32) int32

//go:wasmimport kernels combine_quads_relaxed
//go:noescape
func combineQuadsRelaxed(acc unsafe.Pointer, n int32, w unsafe.Pointer, ldw int32, index, value unsafe.Pointer, count int32)

func (e *Engine) intsSIMD() {
	e.packI8 = func(w []int8, out, in int) intProduct {
		return &simdI16{panels(w, out, in, 2), out, in, (in + 1) / 2}
	}
}

func (e *Engine) intsRelaxed() {
	e.packI8 = func(w []int8, out, in int) intProduct {
		return &relaxedI8{panels(w, out, in, 4), out, in, (in + 3) / 4}
	}
}

// simdI16 packs pairs of weights. Activations are widened to int16, and a dot product of pairs is exact.
type simdI16 struct {
	w              []int8
	out, in, pairs int
}

func (p *simdI16) width() int { return 4 * panel }

func (p *simdI16) multiply(acc []int32, x []uint8, rows, lo, hi int) {
	s := takeSpare()
	ld := 2 * p.pairs
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
		x, w := s.x[r0*ld:(r0+rows)*ld], p.w[lo*ld:(lo+n)*ld]
		gemmI16(int32(rows), int32(p.pairs), int32(n/panel), pointer(x), int32(2*ld), pointer(w), int32(panel*ld),
			pointer(acc), int32(4*ldacc), productFirst)
	})
	s.give()
}

// relaxedI8 packs fours of weights. The dot product of fours is exact for activations of 7 bits. What has more is taken
// apart: x = (x & 127) + 128·(x >> 7), and the second part, which few activations have, multiplied on its own.
type relaxedI8 struct {
	w              []int8
	out, in, quads int
}

func (p *relaxedI8) width() int { return 4 * panel }

func (p *relaxedI8) multiply(acc []int32, x []uint8, rows, lo, hi int) {
	s := takeSpare()
	x7, ld, over := x[:rows*p.in], p.in, over7(x[:rows*p.in])
	if over || p.in%4 != 0 {
		ld = 4 * p.quads
		s.x7 = grown(s.x7, rows*ld)
		for r := range rows {
			low7(s.x7[r*ld:(r+1)*ld], x[r*p.in:(r+1)*p.in])
		}
		x7 = s.x7
	}
	size := 4 * p.quads // of an output's weights
	spread(acc, s.ints[:], p.out, rows, lo, hi, func(acc []int32, ldacc, r0, rows, lo, n int) {
		x, w := x7[r0*ld:(r0+rows)*ld], p.w[lo*size:(lo+n)*size]
		gemmI8Relaxed(int32(rows), int32(p.quads), int32(n/panel), pointer(x), int32(ld), pointer(w), int32(panel*size),
			pointer(acc), int32(4*ldacc), productFirst)
	})
	if over {
		for r := range rows {
			p.addOver(acc[r*p.out:(r+1)*p.out], x[r*p.in:(r+1)*p.in], lo, hi, s)
		}
	}
	s.give()
}

// addOver adds 128·(x >> 7)·w to the outputs lo to hi-1 of a row.
func (p *relaxedI8) addOver(acc []int32, x []uint8, lo, hi int, s *spare) {
	s.index, s.quads = s.index[:0], s.quads[:0]
	for q := range p.quads {
		var v [4]uint8
		any := uint8(0)
		for i, b := range x[4*q : min(4*q+4, p.in)] {
			v[i] = b >> 7
			any |= v[i]
		}
		if any != 0 {
			s.index, s.quads = append(s.index, int32(q)), append(s.quads, v)
		}
	}
	if len(s.index) == 0 {
		return
	}
	sums := s.ints[:panel]
	for c := lo; c < hi; c += panel {
		clear(sums)
		w := p.w[c*4*p.quads:][:panel*4*p.quads]
		combineQuadsRelaxed(pointer(sums), panel, pointer(w), 4*panel, pointer(s.index), pointer(s.quads), int32(len(s.index)))
		for i, v := range sums[:min(panel, hi-c)] {
			acc[c+i] += v << 7
		}
	}
}

// over7 reports whether an element has more than 7 bits.
func over7(x []uint8) bool {
	n := len(x) &^ 15
	any := splitU8(nil, pointer(x), int32(n)) != 0
	for _, v := range x[n:] {
		any = any || v > 127
	}
	return any
}

// low7 writes the low 7 bits of x to dst, and zeros to what remains of it.
func low7(dst, x []uint8) {
	splitU8(pointer(dst), pointer(x), int32(len(x)))
	for i := len(x) &^ 15; i < len(x); i++ {
		dst[i] = x[i] & 127
	}
	clear(dst[len(x):])
}
