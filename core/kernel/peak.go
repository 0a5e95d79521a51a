package kernel

import "encoding/binary"

// A Kind is a kind of arithmetic that layers are computed in.
type Kind int

const (
	Float32 Kind = iota // float32 weights
	Float16             // half-precision weights, widened on the way into a float32 product
	Int8                // 8-bit weights and activations, 32-bit sums
)

// Peak does about n multiply-adds of that kind on registers alone, with the instructions that the engine's dense kernels
// use, and returns how many it did: timed, that is the most that any layer can reach on this engine. Nothing is
// read or written, so nothing but arithmetic bounds it.
func (e *Engine) Peak(k Kind, n int) int { return e.peak(k, n) }

// Read reads all of p, with the loads that the engine's kernels read weights with, and returns a byte that depends on all of
// them: timed, that is the read bandwidth of a working set of len(p) bytes.
func (e *Engine) Read(p []byte) byte { return e.read(p) }

// portablePeak is Engine.peak of the portable engine: eight independent sums, as multiplyAdd8 would have if it read nothing.
func portablePeak(k Kind, n int) int {
	rounds := (n + 7) / 8
	if k == Int8 {
		rounds = (n + 23) / 24 // three multiply-adds in one: see portableI8
		var s [8]uint64
		a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
		x := uint64(rounds) | 1
		for range rounds {
			a, b, c, d = a+a*x, b+b*x, c+c*x, d+d*x
			e, f, g, h = e+e*x, f+f*x, g+g*x, h+h*x
		}
		sink = float32(a + b + c + d + e + f + g + h)
		return rounds * 24
	}
	var s [8]float32
	a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	x := 1 / float32(rounds+1)
	for range rounds {
		a, b, c, d = a+float32(a*x), b+float32(b*x), c+float32(c*x), d+float32(d*x)
		e, f, g, h = e+float32(e*x), f+float32(f*x), g+float32(g*x), h+float32(h*x)
	}
	sink = a + b + c + d + e + f + g + h
	return rounds * 8
}

// sink keeps what Peak computes from being optimized away.
var sink float32

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
