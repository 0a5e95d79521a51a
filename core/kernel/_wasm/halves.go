package main

import "math"

// Words of IEEE halves, moved to where float32 has its sign, exponent and fraction.
const (
	halfShift = 13
	halfMask  = 0x8FFFE000
	halfScale = 0x1p112 // the exponents' biases are 15 and 127
)

// A product with halves takes them as they are moved, which makes them smaller by halfScale, and activations larger by
// activationScale; its sums are scaled back at the end. Nothing of that rounds: of activations that are 0 or within
// activationMin and activationMax, no product gets so small that it loses bits, nor any so large that it overflows.
const (
	activationScale = 0x1p56
	activationMin   = 0x1p-40
	activationMax   = 0x1p40
)

// scale has the parameters dst, src, n: dst[i] = src[i] * activationScale, 4 at a time. It returns 0 if all are such that a
// product with halves is exact.
func scale(_ *module, f *function) {
	dst, src, n := f.params[0], f.params[1], f.params[2]
	v, size, bad := f.local(v128), f.local(v128), f.local(v128)
	f.while(n, 4, func() {
		f.set(v, load(src, 0))
		f.set(size, v128And(v, words(math.MaxInt32)))
		small := v128And(f32x4Lt(size, singles(activationMin)), f32x4Ne(size, words(0)))
		large := v128Not(f32x4Le(size, singles(activationMax))) // or NaN
		f.set(bad, v128Or(bad, v128Or(small, large)))
		f.store(dst, 0, f32x4Mul(v, singles(activationScale)))
		f.add(src, number(16))
		f.add(dst, number(16))
	})
	f.leave(v128AnyTrue(bad))
}

// loadHalfPair moves 8 halves to where float32 has their bits, 4 to lo and 4 to hi. The upper 16 bits of a float32 have the
// sign, the exponent and the first bits of the fraction, the lower ones its last 3 bits.
func (f *function) loadHalfPair(lo, hi, spare, pointer local, offset int) {
	f.set(hi, loadBytes(pointer, offset))
	f.set(spare, i16x8Shl(hi, number(halfShift)))
	f.set(hi, v128And(i16x8ShrS(hi, number(16-halfShift)), words(halfMask>>16|halfMask&0xFFFF0000)))
	f.set(lo, shuffle(spare, hi, interleave(0)))
	f.set(hi, shuffle(spare, hi, interleave(8)))
}

// loadHalves widens 4 halves to float32. It is exact for all but infinities and NaN.
func loadHalves(pointer value, offset int) expression {
	bits := v128And(i32x4Shl(load16x4S(pointer, offset), number(halfShift)), words(halfMask))
	return f32x4Mul(bits, singles(halfScale))
}

// loadAnyHalves returns a loader that is exact for infinities too, and keeps a NaN a NaN.
func (f *function) loadAnyHalves() loader {
	v := f.local(v128)
	return func(pointer value, offset int) expression {
		f.set(v, loadHalves(pointer, offset))
		huge := f32x4Ge(v128And(v, words(math.MaxInt32)), singles(1<<16))
		return v128Or(v, v128And(huge, words(0x7F800000)))
	}
}

// widenF16 has the parameters dst, src, n: dst[i] = float32(src[i]), 8 at a time.
func widenF16(_ *module, f *function) {
	dst, src, n := f.params[0], f.params[1], f.params[2]
	f.while(n, 8, func() {
		f.store(dst, 0, loadHalves(src, 0))
		f.store(dst, 16, loadHalves(src, 8))
		f.add(dst, number(32))
		f.add(src, number(16))
	})
}
