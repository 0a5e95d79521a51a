package main

// fuses has the parameter x, 3 floats: it returns whether x[0]*x[1] + x[2], as the relaxed instruction computes it, isn't 0.
func fuses(_ *module, f *function) {
	x := f.params[0]
	f.leave(v128AnyTrue(f32x4RelaxedMadd(load32Splat(x, 0), load32Splat(x, 4), load32Splat(x, 8))))
}

// wide is a vector of 4 floats: as float64, or where the processor fuses, as float32 in lo.
type wide struct{ lo, hi local }

// A fusion multiplies and adds with a single rounding, as fma in core/kernel does: by the relaxed instruction where that
// fuses, or else in float64, where the product is exact, with a correction where the sum was rounded to a value halfway
// between two float32.
type fusion struct {
	f             *function
	fused         bool
	product, sum  wide
	tie           wide
	lost, towards local
}

func (f *function) fusion(fused bool) fusion {
	m := fusion{f: f, fused: fused}
	if !fused {
		m.product, m.sum, m.tie = m.factor(), m.factor(), m.factor()
		m.lost, m.towards = f.local(v128), f.local(v128)
	}
	return m
}

// factor declares what can be multiplied or added.
func (m fusion) factor() wide { return wide{m.f.local(v128), m.f.local(v128)} }

// widen sets w to a vector of float32.
func (m fusion) widen(w wide, v value) {
	f := m.f
	if m.fused {
		f.set(w.lo, v)
		return
	}
	f.set(w.hi, v)
	f.set(w.lo, f64x2PromoteLowF32x4(w.hi))
	f.set(w.hi, f64x2PromoteLowF32x4(shuffle(w.hi, w.hi, [16]byte{8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15})))
}

// set sets v to a*b + c.
func (m fusion) set(v local, a, b, c wide) {
	f := m.f
	if m.fused {
		f.set(v, f32x4RelaxedMadd(a.lo, b.lo, c.lo))
		return
	}
	half := func(a, b, c, product, sum, tie local) {
		f.set(product, f64x2Mul(a, b))
		f.set(sum, f64x2Add(product, c))
		f.set(tie, i64x2Eq(v128And(sum, longs(1<<29-1)), longs(1<<28)))
	}
	half(a.lo, b.lo, c.lo, m.product.lo, m.sum.lo, m.tie.lo)
	half(a.hi, b.hi, c.hi, m.product.hi, m.sum.hi, m.tie.hi)
	f.when(v128AnyTrue(v128Or(m.tie.lo, m.tie.hi)), func() {
		m.offTie(m.product.lo, c.lo, m.sum.lo, m.tie.lo)
		m.offTie(m.product.hi, c.hi, m.sum.hi, m.tie.hi)
	})
	f.set(v, shuffle(f32x4DemoteF64x2Zero(m.sum.lo), f32x4DemoteF64x2Zero(m.sum.hi),
		[16]byte{0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23}))
}

// offTie moves the sums on a tie, p+c rounded, by one bit towards the exact ones: see offTie in core/kernel.
func (m fusion) offTie(p, c, sum, tie local) {
	f := m.f
	f.set(m.lost, f64x2Sub(sum, p))
	f.set(m.lost, f64x2Add(f64x2Sub(p, f64x2Sub(sum, m.lost)), f64x2Sub(c, m.lost)))
	// A mask is -1 as an integer: this is 1 where what was lost is positive, and -1 where it is negative.
	f.set(m.towards, i64x2Sub(f64x2Lt(m.lost, words(0)), f64x2Gt(m.lost, words(0))))
	f.set(m.lost, i64x2ShrS(sum, number(63))) // a negative float grows as its bits get smaller
	f.set(m.towards, i64x2Sub(v128Xor(m.towards, m.lost), m.lost))
	f.set(sum, i64x2Add(sum, v128And(m.towards, tie)))
}

// dequantizeSums returns a function with the parameters y, acc, n, wsum, wscale, wzero (0 for none), bias, scale, zero,
// shift, relu: 4 at a time. Shift is what the weights' zero points are multiplied by.
func dequantizeSums(fused bool) func(_ *module, f *function) {
	return func(_ *module, f *function) {
		a := f.params
		y, acc, n, wsum, wscale, wzero, bias, relu := a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[10]
		scale, zero, shift := f.splat(f32x4Splat, a[7]), f.splat(i32x4Splat, a[8]), f.splat(i32x4Splat, a[9])
		v, m := f.local(v128), f.fusion(fused)
		sums, scales, biases := m.factor(), m.factor(), m.factor()
		f.while(n, 4, func() {
			f.set(v, i32x4Sub(load(acc, 0), i32x4Mul(zero, load(wsum, 0))))
			f.when(wzero, func() {
				f.set(v, i32x4Sub(v, i32x4Mul(shift, load(wzero, 0))))
				f.add(wzero, number(16))
			})
			m.widen(sums, f32x4ConvertI32x4S(v))
			m.widen(scales, f32x4Mul(scale, load(wscale, 0)))
			m.widen(biases, load(bias, 0))
			m.set(v, sums, scales, biases)
			f.when(relu, func() { f.set(v, f32x4PMax(v, words(0))) })
			f.store(y, 0, v)
			for _, p := range []local{y, acc, wsum, wscale, bias} {
				f.add(p, number(16))
			}
		})
	}
}

// requantizeSums has the parameters y, acc, n, offset, bias, mult, wzero (0 for none), xsum, zero, min, max: 4 at a time.
func requantizeSums(_ *module, f *function) {
	a := f.params
	y, acc, n, offset, bias, mult, wzero := a[0], a[1], a[2], a[3], a[4], a[5], a[6]
	xsum, zero := f.splat(i32x4Splat, a[7]), f.splat(i32x4Splat, a[8])
	lo, hi := f.splat(i32x4Splat, a[9]), f.splat(i32x4Splat, a[10])
	v := f.many(4, v128)
	block := func(v []local) func() {
		return func() {
			for i, l := range v {
				f.set(l, i32x4Sub(load(acc, 16*i), load(offset, 16*i)))
				f.when(wzero, func() { f.set(l, i32x4Sub(l, i32x4Mul(xsum, load(wzero, 16*i)))) })
				f.set(l, f32x4Mul(f32x4Add(f32x4ConvertI32x4S(l), load(bias, 16*i)), load(mult, 16*i)))
				f.roundEven(l)
				f.set(l, i32x4Add(l, zero))
			}
			for _, p := range []local{acc, offset, bias, mult} {
				f.add(p, number(int32(16*len(v))))
			}
			f.when(wzero, func() { f.add(wzero, number(int32(16*len(v)))) })
			f.storeClamped(y, v, lo, hi)
		}
	}
	f.while(n, 16, block(v))
	f.while(n, 4, block(v[:1]))
}
