package main

// limits writes what the roofline measures.
func limits(a *asm) {
	a.peak("peakF32NEON", 24, func(v int) { a.lane(fmlaLane, v, 30, 31, v%4) })
	a.peak("peakDotNEON", 24, func(v int) { a.lane(sdotLane, v, 30, 31, v%4) })
	a.peak("peakBytesNEON", 16, func(v int) {
		product := 16 + v%8
		a.v(smull, product, 30, 31)
		a.v(smlal2, product, 30, 31)
		a.v(sadalp, v, product)
	})

	a.function("readNEON", "p", "n", "out") // n: 128 bytes at a time
	for v := range 4 {
		a.zero(v)
	}
	loop := a.label()
	a.mark(loop)
	for v := range 8 {
		a.op("FMOVQ %d(R0), F%d", 16*v, 8+v)
	}
	for v := range 8 {
		a.op("VEOR V%d.B16, V%d.B16, V%d.B16", 8+v, v%4, v%4)
	}
	a.op("ADD $128, R0")
	a.op("SUBS $1, R1")
	a.op("BNE %s", loop)
	a.op("VEOR V1.B16, V0.B16, V0.B16")
	a.op("VEOR V3.B16, V2.B16, V2.B16")
	a.op("VEOR V2.B16, V0.B16, V0.B16")
	a.op("FMOVQ F0, (R2)")
	a.op("RET")
}

// peak writes a function that goes n times through four rounds of instructions on that many independent sums.
func (a *asm) peak(name string, sums int, multiply func(v int)) {
	a.function(name, "n")
	for v := range 32 {
		a.zero(v)
	}
	loop := a.label()
	a.mark(loop)
	for range 4 {
		for v := range sums {
			multiply(v)
		}
	}
	a.op("SUBS $1, R0")
	a.op("BNE %s", loop)
	a.op("RET")
}
