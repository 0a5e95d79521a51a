package main

// combine writes a function that adds a weighted sum of rows of w, ld bytes apart, to a row of columns. Columns are taken 64,
// 16, 4 and at last one at a time; the sums of so many stay in registers while the rows go by.
func (a *asm) combine(name string, size int, args []string, each func(columns int)) {
	a.function(name, append([]string{"y", "w", "ld", "columns", "index", "value", "n"}, args...)...)
	for _, columns := range []int{64, 16, 4, 1} {
		block, row, next := a.label(), a.label(), a.label()
		vectors, move, bytes := (columns+3)/4, "FMOVQ", 16
		if columns == 1 {
			move, bytes = "FMOVS", 4
		}
		a.mark(block)
		a.op("SUBS $%d, R3", columns)
		a.op("BLT %s", next)
		for v := range vectors {
			a.op("%s %d(R0), F%d", move, 16*v, v)
		}
		a.op("MOVD R4, R9")
		a.op("MOVD R5, R10")
		a.op("MOVD R6, R11")
		a.mark(row)
		a.op("MOVW.P 4(R9), R12")
		a.op("MADD R2, R1, R12, R12")
		each(columns)
		a.op("SUBS $1, R11")
		a.op("BNE %s", row)
		for v := range vectors {
			a.op("%s.P F%d, %d(R0)", move, v, bytes)
		}
		a.op("ADD $%d, R1", columns*size)
		a.op("B %s", block)
		a.mark(next)
		if columns > 1 {
			a.op("ADD $%d, R3", columns)
		}
	}
	a.op("RET")
}

const (
	weight = 16 // the vector that holds the row's weight
	spare  = 17 // the first one for columns of the row
)

func sparse(a *asm) {
	a.combine("combineF32NEON", 4, nil, func(columns int) {
		a.op("FMOVS.P 4(R10), F%d", weight)
		for v := range (columns + 3) / 4 {
			if columns == 1 {
				a.op("FMOVS (R12), F%d", spare)
			} else {
				a.op("FMOVQ %d(R12), F%d", 16*v, spare+v%8)
			}
			a.lane(fmlaLane, v, spare+v%8, weight, 0)
		}
	})
	a.combine("combineF16NEON", 2, nil, func(columns int) {
		a.op("FMOVS.P 4(R10), F%d", weight)
		for v := 0; v < (columns+3)/4; v += 2 {
			lo := spare + v%8
			switch columns {
			case 1:
				a.op("VLD1R (R12), [V%d.H4]", lo)
			case 4:
				a.op("FMOVD (R12), F%d", lo)
			default:
				a.op("FMOVQ %d(R12), F%d", 8*v, lo)
				a.v(fcvtl2, lo+1, lo)
			}
			a.v(fcvtl, lo, lo)
			a.lane(fmlaLane, v, lo, weight, 0)
			if columns > 4 {
				a.lane(fmlaLane, v+1, lo+1, weight, 0)
			}
		}
	})
	a.combine("combineI8NEON", 1, []string{"zero"}, func(columns int) {
		a.op("MOVBU.P 1(R10), R13")
		a.op("SUB R7, R13")
		a.op("VDUP R13, V%d.H8", weight)
		for v := 0; v < (columns+3)/4; v += 4 {
			lo := spare + v%8
			switch columns {
			case 1:
				a.op("VLD1R (R12), [V%d.B8]", lo)
			case 4:
				a.op("FMOVS (R12), F%d", lo)
			default:
				a.op("FMOVQ %d(R12), F%d", 4*v, lo)
				a.v(sxtl2x8, lo+1, lo)
			}
			a.v(sxtl8, lo, lo)
			a.v(smlal4, v, lo, weight)
			if columns > 4 {
				a.v(smlal2x4, v+1, lo, weight)
				a.v(smlal4, v+2, lo+1, weight)
				a.v(smlal2x4, v+3, lo+1, weight)
			}
		}
	})
}
