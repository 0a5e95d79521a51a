package main

func ints(a *asm) {
	a.gemm("gemmDotNEON", dot)
	a.gemv("gemvDotNEON", dot)
	a.bytes("bytesNEON", false)
	a.bytes("bytesSafeNEON", true)
}

// bytes writes a function that multiplies a row by a panel with the instructions of ARMv8.0. A panel is, for every 16
// inputs, 16 columns of 16 bytes; every column has a sum of four lanes, which are added up at the end.
//
// Activations less 128 times weights are at most 128·128 = 2^14 in magnitude, 128·127 where no weight is -128. Two of the
// latter fit into 16 bits; of the former only one does, which the safe form allows for.
func (a *asm) bytes(name string, safe bool) {
	a.function(name, "y", "x", "w", "start", "n", "flags")
	const input, bias, free = 16, 17, 18
	for v := range 16 {
		a.zero(v)
	}
	a.op("VMOVI $128, V%d.B16", bias)
	loop := a.label()
	a.mark(loop)
	a.op("FMOVQ.P 16(R1), F%d", input)
	a.op("VEOR V%d.B16, V%d.B16, V%d.B16", bias, input, input)
	const group = 4 // columns at a time, to keep several products under way
	w := func(v int) int { return free + v%group }
	product := func(v int) int { return free + group + v%group }
	load := func(v int) { a.op("FMOVQ %d(R2), F%d", 16*v, w(v)) }
	for v := range group {
		load(v)
	}
	for v0 := 0; v0 < 16; v0 += group {
		for v := v0; v < v0+group; v++ {
			a.v(smull, product(v), w(v), input)
		}
		for v := v0; v < v0+group; v++ {
			if safe {
				a.v(sadalp, v, product(v))
				a.v(smull2, product(v), w(v), input)
			} else {
				a.v(smlal2, product(v), w(v), input)
			}
			if v+group < 16 {
				load(v + group)
			}
		}
		for v := v0; v < v0+group; v++ {
			a.v(sadalp, v, product(v))
		}
	}
	a.op("ADD $256, R2")
	a.op("SUBS $1, R4")
	a.op("BNE %s", loop)
	for n := 16; n > 4; n /= 2 {
		for v := range n / 2 {
			a.op("VADDP V%d.S4, V%d.S4, V%d.S4", 2*v+1, 2*v, v)
		}
	}
	from := a.label()
	a.op("TBZ $%d, R5, %s", continues, from)
	a.op("MOVD R0, R3")
	a.mark(from)
	for v := range 4 {
		a.op("FMOVQ %d(R3), F%d", 16*v, free)
		a.op("VADD V%d.S4, V%d.S4, V%d.S4", free, v, v)
		a.op("FMOVQ F%d, %d(R0)", v, 16*v)
	}
	a.op("RET")
}
