package main

import "math"

// The loops that these functions implement are those of the same names in core/kernel, for as many elements as their
// blocks divide; Go does the rest.

// widenU8 has the parameters dst, src, n: dst[i] = int16(src[i]), 16 at a time.
func widenU8(_ *module, f *function) {
	dst, src, n := f.params[0], f.params[1], f.params[2]
	b := f.local(v128)
	f.while(n, 16, func() {
		f.set(b, loadBytes(src, 0))
		f.store(dst, 0, i16x8ExtendLowI8x16U(b))
		f.store(dst, 16, i16x8ExtendHighI8x16U(b))
		f.add(dst, number(32))
		f.add(src, number(16))
	})
}

// splitU8 has the parameters low, high, src, n: low[i] = src[i] & 127 and high[i] = src[i] >> 7, 16 at a time. It returns
// whether anything is high. With no low and high it only looks.
func splitU8(_ *module, f *function) {
	low, high, src, n := f.params[0], f.params[1], f.params[2], f.params[3]
	b, all := f.local(v128), f.local(v128)
	f.while(n, 16, func() {
		f.set(b, loadBytes(src, 0))
		f.set(all, v128Or(all, b))
		f.when(low, func() {
			f.store(low, 0, v128And(b, words(0x7F7F7F7F)))
			f.store(high, 0, i8x16ShrU(b, number(7)))
			f.add(low, number(16))
			f.add(high, number(16))
		})
		f.add(src, number(16))
	})
	f.leave(i8x16Bitmask(all))
}

// finish has the parameters y, bias (0 for none), n, relu: 4 at a time.
func finish(_ *module, f *function) {
	y, bias, n, relu := f.params[0], f.params[1], f.params[2], f.params[3]
	v := f.local(v128)
	f.while(n, 4, func() {
		f.set(v, load(y, 0))
		f.when(bias, func() {
			f.set(v, f32x4Add(v, load(bias, 0)))
			f.add(bias, number(16))
		})
		f.when(relu, func() { f.set(v, f32x4PMax(v, words(0))) })
		f.store(y, 0, v)
		f.add(y, number(16))
	})
}

// rangeOf has the parameters out, x, n: out gets the 4 smallest and the 4 largest by lane, as ordered integers; n is 4 or
// more, 4 at a time.
func rangeOf(_ *module, f *function) {
	out, x, n := f.params[0], f.params[1], f.params[2]
	v, lo, hi := f.local(v128), f.local(v128), f.local(v128)
	ordered := func(offset int) {
		f.set(v, loadBytes(x, offset))
		f.set(v, v128Xor(v, v128And(i32x4ShrS(v, number(31)), words(math.MaxInt32))))
	}
	ordered(0)
	f.set(lo, v)
	f.set(hi, v)
	block := func(vectors int) func() {
		return func() {
			for i := range vectors {
				ordered(16 * i)
				f.set(lo, i32x4MinS(lo, v))
				f.set(hi, i32x4MaxS(hi, v))
			}
			f.add(x, number(int32(16*vectors)))
		}
	}
	f.while(n, 16, block(4))
	f.while(n, 4, block(1))
	f.store(out, 0, lo)
	f.store(out, 16, hi)
}

// See roundEven in core/kernel.
const (
	roundLimit = 1 << 21
	roundMagic = 3 << 22
	roundBits  = 0x4B400000
)

// roundEven sets a vector of floats to the integers nearest to them.
func (f *function) roundEven(v local) {
	f.set(v, f32x4PMin(singles(roundLimit), v)) // a NaN becomes the limit
	f.set(v, f32x4PMax(v, singles(-roundLimit)))
	f.set(v, i32x4Sub(f32x4Add(v, singles(roundMagic)), words(roundBits)))
}

// storeClamped stores vectors of integers, each 0 to 255 once clamped, as bytes: 4 vectors, or a single one.
func (f *function) storeClamped(dst local, v []local, lo, hi local) {
	for _, l := range v {
		f.set(l, i32x4MaxS(i32x4MinS(l, hi), lo))
	}
	if len(v) == 1 {
		half := i16x8NarrowI32x4S(v[0], v[0])
		f.store32(dst, 0, i8x16NarrowI16x8U(half, half))
	} else {
		f.store(dst, 0, i8x16NarrowI16x8U(i16x8NarrowI32x4S(v[0], v[1]), i16x8NarrowI32x4S(v[2], v[3])))
	}
	f.add(dst, number(int32(4*len(v))))
}

// splat declares a vector whose lanes all have one value.
func (f *function) splat(of unary, v value) local {
	l := f.local(v128)
	f.set(l, of(v))
	return l
}

// quantize has the parameters dst, x, n, 1/scale, zero, min, max: 4 at a time.
func quantize(_ *module, f *function) {
	dst, x, n := f.params[0], f.params[1], f.params[2]
	inv, zero := f.splat(f32x4Splat, f.params[3]), f.splat(i32x4Splat, f.params[4])
	lo, hi := f.splat(i32x4Splat, f.params[5]), f.splat(i32x4Splat, f.params[6])
	v := f.many(4, v128)
	block := func(v []local) func() {
		return func() {
			for i, l := range v {
				f.set(l, f32x4Mul(load(x, 16*i), inv))
				f.roundEven(l)
				f.set(l, i32x4Add(l, zero))
			}
			f.add(x, number(int32(16*len(v))))
			f.storeClamped(dst, v, lo, hi)
		}
	}
	f.while(n, 16, block(v))
	f.while(n, 4, block(v[:1]))
}

// quantizeDynamic returns a function with quantize's parameters.
func quantizeDynamic(fused bool) func(_ *module, f *function) {
	return func(_ *module, f *function) {
		dst, x, n := f.params[0], f.params[1], f.params[2]
		m := f.fusion(fused)
		inv, zero, w := m.factor(), m.factor(), m.factor()
		m.widen(inv, f32x4Splat(f.params[3]))
		m.widen(zero, f32x4ConvertI32x4S(i32x4Splat(f.params[4])))
		lo, hi := f.splat(i32x4Splat, f.params[5]), f.splat(i32x4Splat, f.params[6])
		v := f.many(4, v128)
		block := func(v []local) func() {
			return func() {
				for i, l := range v {
					m.widen(w, load(x, 16*i))
					m.set(l, w, inv, zero)
					f.roundEven(l)
				}
				f.add(x, number(int32(16*len(v))))
				f.storeClamped(dst, v, lo, hi)
			}
		}
		f.while(n, 16, block(v))
		f.while(n, 4, block(v[:1]))
	}
}

// dequantize has the parameters dst, x, n, scale, zero: 8 at a time.
func dequantize(_ *module, f *function) {
	dst, x, n := f.params[0], f.params[1], f.params[2]
	scale, zero := f.splat(f32x4Splat, f.params[3]), f.splat(i32x4Splat, f.params[4])
	b := f.local(v128)
	f.while(n, 8, func() {
		f.set(b, i16x8ExtendLowI8x16U(load64Zero(x, 0)))
		f.store(dst, 0, f32x4Mul(scale, f32x4ConvertI32x4S(i32x4Sub(i32x4ExtendLowI16x8S(b), zero))))
		f.store(dst, 16, f32x4Mul(scale, f32x4ConvertI32x4S(i32x4Sub(i32x4ExtendHighI16x8S(b), zero))))
		f.add(dst, number(32))
		f.add(x, number(8))
	})
}
