package main

// An array is an argument that a sweep goes through: its register, and the binary logarithm of its elements' size.
type array struct{ register, log int }

// sweep writes a loop over n (an R register) elements of arrays, at least 16, sixteen at a time. body advances the registers.
// What is left at the end is done with the last 16 elements: some are done twice.
func (a *asm) sweep(n int, arrays []array, body func()) {
	loop, done := a.label(), a.label()
	a.op("SUBS $16, R%d", n)
	a.mark(loop)
	body()
	a.op("SUBS $16, R%d", n)
	a.op("BGE %s", loop)
	a.op("CMN $16, R%d", n)
	a.op("BEQ %s", done)
	for _, p := range arrays {
		a.op("ADD R%d<<%d, R%d", n, p.log, p.register)
	}
	a.op("MOVD $0, R%d", n)
	a.op("B %s", loop)
	a.mark(done)
}

// load loads 16 elements of 4 bytes into four vectors and advances the register.
func (a *asm) load(register, v int) {
	for i := range 4 {
		a.op("FMOVQ.P 16(R%d), F%d", register, v+i)
	}
}

// spread loads 4 bytes at R register + offset into every lane of vector v.
func (a *asm) spread(register, offset, v int) {
	a.op("ADD $%d, R%d, R17", offset, register)
	a.op("VLD1R (R17), [V%d.S4]", v)
}

// bytesOf narrows four vectors of int32 from v on to 16 bytes and stores them at R register, which it advances.
func (a *asm) bytesOf(v, register int) {
	a.v(xtn4, v, v)
	a.v(xtn2x4, v, v+1)
	a.v(xtn4, v+2, v+2)
	a.v(xtn2x4, v+2, v+3)
	a.v(xtn8, v, v)
	a.v(xtn2x8, v, v+2)
	a.op("FMOVQ.P F%d, 16(R%d)", v, register)
}

// Vectors that hold the same number in all lanes while a sweep lasts.
const (
	limit, negative  = 24, 25 // ±roundLimit
	zero, low, high  = 26, 27, 28
	factor, zeroBias = 29, 30
)

// limits loads ±roundLimit, 2^21.
func (a *asm) limits() {
	a.op("MOVD $0x4A000000, R17")
	a.op("VDUP R17, V%d.S4", limit)
	a.op("MOVD $0xCA000000, R17")
	a.op("VDUP R17, V%d.S4", negative)
}

// roundEven rounds four vectors of float32 to int32, ties to even, saturating at ±roundLimit. NaN gives roundLimit.
func (a *asm) roundEven(v int) {
	a.four(v, func(v int) { a.v(fminnm, v, v, limit) })
	a.four(v, func(v int) { a.v(fmaxnm, v, v, negative) })
	a.four(v, func(v int) { a.v(fcvtns, v, v) })
}

// clamp keeps four vectors of int32 between low and high, where low wins.
func (a *asm) clamp(v int) {
	a.four(v, func(v int) { a.v(smin, v, v, high) })
	a.four(v, func(v int) { a.v(smax, v, v, low) })
}

func (a *asm) four(v int, do func(v int)) {
	for i := range 4 {
		do(v + i)
	}
}

func (a *asm) add(v, n, m int) { a.op("VADD V%d.S4, V%d.S4, V%d.S4", m, n, v) }
func (a *asm) sub(v, n, m int) { a.op("VSUB V%d.S4, V%d.S4, V%d.S4", m, n, v) }

func rounding(a *asm) {
	a.rangeOf()
	a.quantize("quantizeNEON", false)
	a.quantize("quantizeDynamicNEON", true)
	a.dequantize()
	a.dequantizeSums("dequantizeSumsNEON", false)
	a.dequantizeSums("dequantizeSumsZerosNEON", true)
	a.requantizeSums("requantizeSumsNEON", false)
	a.requantizeSums("requantizeSumsZerosNEON", true)
	a.finishing()
}

// rangeOf: minimum and maximum keep a NaN, and -0 is less than 0.
func (a *asm) rangeOf() {
	a.function("rangeNEON", "x", "n", "out")
	a.op("VLD1R (R0), [V0.S4]")
	for v := 1; v < 8; v++ {
		a.op("VORR V0.B16, V0.B16, V%d.B16", v)
	}
	a.sweep(1, []array{{0, 2}}, func() {
		a.load(0, 8)
		a.four(0, func(v int) { a.v(fmin, v, v, v+8) })
		a.four(4, func(v int) { a.v(fmax, v, v, v+4) })
	})
	for i, f := range []struct{ both, all form }{{fmin, fminv}, {fmax, fmaxv}} {
		v := 4 * i
		a.v(f.both, v, v, v+1)
		a.v(f.both, v+2, v+2, v+3)
		a.v(f.both, v, v, v+2)
		a.v(f.all, v, v)
		a.op("FMOVS F%d, %d(R2)", v, 4*i)
	}
	a.op("RET")
}

// quantize expects at p: 1/scale, and the zero point as float32 where it is fused, else int32; low and high.
func (a *asm) quantize(name string, fused bool) {
	a.function(name, "dst", "x", "n", "p")
	a.limits()
	a.spread(3, 0, factor)
	a.spread(3, 4, zero)
	a.spread(3, 8, low)
	a.spread(3, 12, high)
	a.sweep(2, []array{{0, 0}, {1, 2}}, func() {
		v := 0
		a.load(1, 0)
		if fused {
			v = 4
			a.four(v, func(v int) { a.op("VORR V%d.B16, V%d.B16, V%d.B16", zero, zero, v) })
			a.four(v, func(v int) { a.v(fmla, v, v-4, factor) })
			a.roundEven(v)
		} else {
			a.four(v, func(v int) { a.v(fmul, v, v, factor) })
			a.roundEven(v)
			a.four(v, func(v int) { a.add(v, v, zero) })
		}
		a.clamp(v)
		a.bytesOf(v, 0)
	})
	a.op("RET")
}

// dequantize expects at p: scale and zero point.
func (a *asm) dequantize() {
	a.function("dequantizeNEON", "dst", "x", "n", "p")
	a.spread(3, 0, factor)
	a.spread(3, 4, zero)
	a.sweep(2, []array{{0, 2}, {1, 0}}, func() {
		a.op("FMOVQ.P 16(R1), F4")
		a.op("VUXTL V4.B8, V5.H8")
		a.op("VUXTL2 V4.B16, V6.H8")
		a.op("VUXTL V5.H4, V0.S4")
		a.op("VUXTL2 V5.H8, V1.S4")
		a.op("VUXTL V6.H4, V2.S4")
		a.op("VUXTL2 V6.H8, V3.S4")
		a.four(0, func(v int) { a.sub(v, v, zero) })
		a.four(0, func(v int) { a.v(scvtf, v, v) })
		a.four(0, func(v int) { a.v(fmul, v, v, factor) })
		a.four(0, func(v int) { a.op("FMOVQ.P F%d, 16(R0)", v) })
	})
	a.op("RET")
}

// dequantizeSums expects at p: the activations' scale and zero point, a mask of ones where there is a ReLU, and what
// multiplies the weights' zero points.
func (a *asm) dequantizeSums(name string, zeros bool) {
	args, arrays := []string{"y", "acc", "wsum", "wscale", "bias", "n", "p"}, []array{{0, 2}, {1, 2}, {2, 2}, {3, 2}, {4, 2}}
	if zeros {
		args, arrays = append(args, "wzero"), append(arrays, array{7, 2})
	}
	const mask, shift = low, zeroBias
	a.function(name, args...)
	a.spread(6, 0, factor)
	a.spread(6, 4, zero)
	a.spread(6, 8, mask)
	a.spread(6, 12, shift)
	a.sweep(5, arrays, func() {
		a.load(1, 0)
		a.load(2, 4)
		a.four(0, func(v int) { a.v(mls, v, v+4, zero) })
		if zeros {
			a.load(7, 4)
			a.four(0, func(v int) { a.v(mls, v, v+4, shift) })
		}
		a.load(3, 4)
		a.load(4, 8)
		a.four(0, func(v int) { a.v(scvtf, v, v) })
		a.four(4, func(v int) { a.v(fmul, v, v, factor) })
		a.four(8, func(v int) { a.v(fmla, v, v-8, v-4) })
		a.four(8, func(v int) {
			a.v(fcmlt, v-8, v)
			a.op("VAND V%d.B16, V%d.B16, V%d.B16", mask, v-8, v-8)
			a.v(bic, v, v, v-8)
			a.op("FMOVQ.P F%d, 16(R0)", v)
		})
	})
	a.op("RET")
}

// requantizeSums expects at p: the sum of the row's activations, and the output's zero point, low and high.
func (a *asm) requantizeSums(name string, zeros bool) {
	args, arrays := []string{"y", "acc", "offset", "bias", "mult", "n", "p"}, []array{{0, 0}, {1, 2}, {2, 2}, {3, 2}, {4, 2}}
	if zeros {
		args, arrays = append(args, "wzero"), append(arrays, array{7, 2})
	}
	const xsum = zeroBias
	a.function(name, args...)
	a.limits()
	a.spread(6, 0, xsum)
	a.spread(6, 4, zero)
	a.spread(6, 8, low)
	a.spread(6, 12, high)
	a.sweep(5, arrays, func() {
		a.load(1, 0)
		a.load(2, 4)
		a.four(0, func(v int) { a.sub(v, v, v+4) })
		if zeros {
			a.load(7, 4)
			a.four(0, func(v int) { a.v(mls, v, v+4, xsum) })
		}
		a.load(3, 4)
		a.load(4, 8)
		a.four(0, func(v int) { a.v(scvtf, v, v) })
		a.four(0, func(v int) { a.v(fadd, v, v, v+4) })
		a.four(0, func(v int) { a.v(fmul, v, v, v+8) })
		a.roundEven(0)
		a.four(0, func(v int) { a.add(v, v, zero) })
		a.clamp(0)
		a.bytesOf(0, 0)
	})
	a.op("RET")
}

// finishing adds a bias, if there is one, to a multiple of 4 elements and applies the ReLU if relu is not 0.
func (a *asm) finishing() {
	a.function("finishNEON", "y", "bias", "n", "relu")
	loop, plain, positive := a.label(), a.label(), a.label()
	a.mark(loop)
	a.op("FMOVQ (R0), F0")
	a.op("CBZ R1, %s", plain)
	a.op("FMOVQ.P 16(R1), F1")
	a.v(fadd, 0, 0, 1)
	a.mark(plain)
	a.op("CBZ R3, %s", positive)
	a.relu(0, 1)
	a.mark(positive)
	a.op("FMOVQ.P F0, 16(R0)")
	a.op("SUBS $4, R2")
	a.op("BNE %s", loop)
	a.op("RET")
}
