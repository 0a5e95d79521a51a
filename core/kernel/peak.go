package kernel

import "encoding/binary"

// A Kind is a kind of arithmetic that layers are computed in.
type Kind int

const (
	Float32 Kind = iota // float32 weights
	Float16             // half-precision weights, widened on the way into a float32 product
	Int8                // 8-bit weights and activations, 32-bit sums
	Mixed               // bfloat16 factors and float32 sums, as training in mixed precision has them: see LowEmulated
)

// Peak does about n multiply-adds of that kind with the instructions that the engine's dense kernels use, and returns how
// many it did: timed, that is the most that any layer can reach on this engine. They work on registers, but for
// Float16, which widens halves from one cache line as a single row's product does: nothing but arithmetic bounds them. Where products
// of bfloat16 are emulated, their peak is Float32's.
func (e *Engine) Peak(k Kind, n int) int { return e.peak(k, n) }

// Read reads all of p, with loads as wide as those that the engine's kernels read weights with, and returns the exclusive or
// of its bytes: timed, that is the read bandwidth of a working set of len(p) bytes.
func (e *Engine) Read(p []byte) byte { return e.read(p) }

// Reads returns the ways to read that the engine has, Read among them: which one is the fastest depends on how a processor
// fetches ahead, and the fastest one is the limit.
func (e *Engine) Reads() []func(p []byte) byte {
	if e.readAlso == nil {
		return []func(p []byte) byte{e.read}
	}
	return []func(p []byte) byte{e.read, e.readAlso}
}

// Buffer returns n bytes that lie in memory as packed weights do. They have been written to, because systems map memory
// that never was to a single page of zeros.
func Buffer(n int) []byte {
	p := aligned[uint8](n)
	for i := range min(n, 256) {
		p[i] = byte(i)
	}
	for done := 256; done < n; done *= 2 {
		copy(p[done:], p[:done])
	}
	return p
}

// portablePeak is Engine.peak of the portable engine.
func portablePeak(k Kind, n int) int {
	if k == Int8 {
		rounds := max((n+23)/24, 1)
		portablePeakI8(rounds, &integers)
		return rounds * 24
	}
	rounds := max((n+15)/16, 1)
	portablePeakF32(rounds, &floats)
	return rounds * 16
}

// What the portable peaks compute with are variables, so that no compiler knows the results.
var (
	integers = [9]uint64{1, 3, 5, 7, 9, 11, 13, 15, 17}
	floats   = [4]float32{0.5, 0.75, 1, 1.25}
)

// portablePeakF32 adds products to eight independent sums. Its factors change places, for else a compiler might multiply
// them once, before the loop. It returns what depends on all of them, lest they be optimized away.
//
//go:noinline
func portablePeakF32(rounds int, x *[4]float32) float32 {
	var a, b, c, d, e, f, g, h float32
	p, q, r, s := x[0], x[1], x[2], x[3]
	for range rounds {
		a, b, c, d = a+float32(p*q), b+float32(p*r), c+float32(p*s), d+float32(q*r)
		e, f, g, h = e+float32(q*s), f+float32(r*s), g+float32(p*p), h+float32(q*q)
		p, q, r, s = q, r, s, p
		a, b, c, d = a+float32(p*q), b+float32(p*r), c+float32(p*s), d+float32(q*r)
		e, f, g, h = e+float32(q*s), f+float32(r*s), g+float32(p*p), h+float32(q*q)
		p, q, r, s = q, r, s, p
	}
	return a + b + c + d + e + f + g + h
}

// portablePeakI8 multiplies and adds words of three lanes each: see portableI8. What it returns depends on all of them.
//
//go:noinline
func portablePeakI8(rounds int, s *[9]uint64) uint64 {
	a, b, c, d, e, f, g, h, x := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8]
	for range rounds {
		a, b, c, d = a+a*x, b+b*x, c+c*x, d+d*x
		e, f, g, h = e+e*x, f+f*x, g+g*x, h+h*x
	}
	return a + b + c + d + e + f + g + h
}

// portableRead is Engine.read of the portable engine.
func portableRead(p []byte) byte {
	var sum uint64
	for len(p) >= 64 {
		w := p[:64]
		sum ^= binary.LittleEndian.Uint64(w) ^ binary.LittleEndian.Uint64(w[8:]) ^ binary.LittleEndian.Uint64(w[16:]) ^ binary.LittleEndian.Uint64(w[24:])
		sum ^= binary.LittleEndian.Uint64(w[32:]) ^ binary.LittleEndian.Uint64(w[40:]) ^ binary.LittleEndian.Uint64(w[48:]) ^ binary.LittleEndian.Uint64(w[56:])
		p = p[64:]
	}
	for _, v := range p {
		sum ^= uint64(v)
	}
	return byte(sum ^ sum>>8 ^ sum>>16 ^ sum>>24 ^ sum>>32 ^ sum>>40 ^ sum>>48 ^ sum>>56)
}
