package main

// Vectors that hold Adam's constants in all lanes.
const (
	mean, keep, square, epsilon = 24, 25, 26, 27
	size, root, fading          = 28, 29, 30
)

func training(a *asm) {
	a.adam()
	a.adamIdle()
	a.gate()
}

func (a *asm) rates(register int) {
	a.spread(register, 0, mean)
	a.spread(register, 4, keep)
	a.spread(register, 8, square)
	a.spread(register, 12, epsilon)
	a.op("MOVD $0x%X, R17", (127-100)<<23) // 2^-100
	a.op("VDUP R17, V%d.S4", fading)
}

// faded makes vector m zero where it is below 2^-100 in magnitude, with vector t to spare.
func (a *asm) faded(m, t int) {
	a.v(fabs, t, m)
	a.v(cmgt, t, fading, t)
	a.v(bic, m, m, t)
}

// move adds to w how far a step takes it, with vectors s and t to spare.
func (a *asm) move(w, m, v, s, t int) {
	a.v(fsqrt, s, v)
	a.v(fdiv, s, s, root)
	a.v(fadd, s, s, epsilon)
	a.v(fmul, t, m, size)
	a.v(fdiv, t, t, s)
	a.v(fadd, w, w, t)
}

// adam takes a multiple of 4 elements.
func (a *asm) adam() {
	const w, g, m, v, s, t = 0, 1, 2, 3, 4, 5
	a.function("adamNEON", "w", "grad", "m", "v", "n", "rates", "step")
	a.rates(5)
	a.spread(6, 0, size)
	a.spread(6, 4, root)
	loop := a.label()
	a.mark(loop)
	a.op("FMOVQ (R0), F%d", w)
	a.op("FMOVQ.P 16(R1), F%d", g)
	a.op("FMOVQ (R2), F%d", m)
	a.op("FMOVQ (R3), F%d", v)
	a.v(fsub, s, g, m)
	a.v(fmul, s, s, mean)
	a.v(fadd, m, m, s)
	a.faded(m, s)
	a.v(fmul, v, v, keep)
	a.v(fmul, t, g, square)
	a.v(fmul, t, t, g)
	a.v(fadd, v, v, t)
	a.move(w, m, v, s, t)
	a.op("FMOVQ.P F%d, 16(R0)", w)
	a.op("FMOVQ.P F%d, 16(R2)", m)
	a.op("FMOVQ.P F%d, 16(R3)", v)
	a.op("SUBS $4, R4")
	a.op("BNE %s", loop)
	a.op("RET")
}

// adamIdle takes a multiple of 16 elements through steps without a gradient, 16 at a time. Once their means are zero their
// weights stay.
func (a *asm) adamIdle() {
	const w, m, v, s = 0, 4, 8, 12
	a.function("adamIdleNEON", "w", "m", "v", "n", "rates", "step", "steps")
	a.rates(4)
	block, next, stay, done := a.label(), a.label(), a.label(), a.label()
	a.mark(block)
	for i := range 4 {
		a.op("FMOVQ %d(R0), F%d", 16*i, w+i)
		a.op("FMOVQ %d(R1), F%d", 16*i, m+i)
		a.op("FMOVQ %d(R2), F%d", 16*i, v+i)
	}
	a.op("MOVD R5, R9")
	a.op("MOVD R6, R10")
	a.mark(next)
	a.op("VLD1R.P 4(R9), [V%d.S4]", size)
	a.op("VLD1R.P 4(R9), [V%d.S4]", root)
	a.four(0, func(i int) { a.v(fmul, s+i, m+i, mean) })
	a.four(0, func(i int) { a.v(fsub, m+i, m+i, s+i) })
	a.four(0, func(i int) { a.faded(m+i, s+i) })
	a.four(0, func(i int) { a.v(fmul, v+i, v+i, keep) })
	a.four(0, func(i int) { a.move(w+i, m+i, v+i, s+i, s+4+i) })
	a.op("SUBS $1, R10")
	a.op("BEQ %s", done)
	a.op("VORR V%d.B16, V%d.B16, V%d.B16", m, m+1, s)
	a.op("VORR V%d.B16, V%d.B16, V%d.B16", m+2, m+3, s+1)
	a.op("VORR V%d.B16, V%d.B16, V%d.B16", s, s+1, s)
	a.op("VMOV V%d.D[0], R11", s)
	a.op("VMOV V%d.D[1], R12", s)
	a.op("ORR R11, R12")
	a.op("CBNZ R12, %s", next)
	a.mark(stay)
	a.four(0, func(i int) { a.v(fmul, v+i, v+i, keep) })
	a.op("SUBS $1, R10")
	a.op("BNE %s", stay)
	a.mark(done)
	for i := range 4 {
		a.op("FMOVQ.P F%d, 16(R0)", w+i)
		a.op("FMOVQ.P F%d, 16(R1)", m+i)
		a.op("FMOVQ.P F%d, 16(R2)", v+i)
	}
	a.op("SUBS $16, R3")
	a.op("BNE %s", block)
	a.op("RET")
}

// gate takes a multiple of 4 elements.
func (a *asm) gate() {
	a.function("gateNEON", "sum", "dy", "y", "n")
	loop := a.label()
	a.mark(loop)
	a.op("FMOVQ (R0), F0")
	a.op("FMOVQ (R1), F1")
	a.op("FMOVQ.P 16(R2), F2")
	a.v(fcmgt, 2, 2)
	a.op("VAND V2.B16, V1.B16, V1.B16")
	a.v(fadd, 0, 0, 1)
	a.op("FMOVQ.P F0, 16(R0)")
	a.op("FMOVQ.P F1, 16(R1)")
	a.op("SUBS $4, R3")
	a.op("BNE %s", loop)
	a.op("RET")
}
