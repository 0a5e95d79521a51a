package main

// A kind is what a tile multiplies.
type kind int

const (
	float kind = iota // float32 weights: a panel is 16 columns of float32 for every input
	half              // weights in half precision, likewise
	dot               // int8 weights and SDOT: a panel is, for every 4 inputs, 16 columns of 4 bytes
)

// What a caller tells a tile in its flags.
const (
	continues = iota // bit 0: go on from what y holds
	ends             // bit 1: these are the last inputs: add the bias
	rectifies        // bit 2: then apply the ReLU
)

// A tile is rows x (16 x panels) outputs whose sums stay in registers while the inputs go by, in ascending order: one chain of
// fused multiply-adds an output. Only a tile of several chains deals the inputs out to them, four at a time.
//
// Its sums take V0 and up, then come four inputs of every row, and weights go round in what is left.
type tile struct {
	*asm
	kind                 kind
	rows, panels, chains int
	x, y, w              []int // R registers: of each row, each row, each panel
	count                int   // R register: inputs, or for dot, sixteens of them
	bias, flags          int
}

func (t *tile) sums() int           { return 4 * t.rows * t.panels * t.chains }
func (t *tile) input(r int) int     { return t.sums() + r }
func (t *tile) sum(c, r, i int) int { return ((c%t.chains)*t.rows+r)*4*t.panels + i } // i: vector of the row, from 0

// emit writes the tile, to the function's end.
func (t *tile) emit() {
	t.start()
	if t.kind == dot {
		loop := t.label()
		t.mark(loop)
		t.round(4, 0)
		t.op("SUBS $1, R%d", t.count)
		t.op("BNE %s", loop)
	} else {
		loop, rest, done := t.label(), t.label(), t.label()
		t.op("SUBS $4, R%d", t.count)
		t.op("BLT %s", rest)
		t.mark(loop)
		t.round(4, 0)
		t.op("SUBS $4, R%d", t.count)
		t.op("BGE %s", loop)
		t.mark(rest)
		t.op("ADDS $4, R%d", t.count)
		t.op("BEQ %s", done)
		if t.chains == 1 {
			last := t.label()
			t.mark(last)
			t.round(1, 0)
			t.op("SUBS $1, R%d", t.count)
			t.op("BNE %s", last)
		} else {
			for c := range 3 {
				t.round(1, c)
				if c < 2 {
					t.op("SUBS $1, R%d", t.count)
					t.op("BEQ %s", done)
				}
			}
		}
		t.mark(done)
	}
	t.finish()
}

// start sets the sums to zero or, where the flags say so, to what y holds. Those of dot begin with the bias: what makes
// up for activations that are 128 too small.
func (t *tile) start() {
	fresh, ready := t.label(), t.label()
	t.op("TBZ $%d, R%d, %s", continues, t.flags, fresh)
	for r := range t.rows {
		for i := range 4 * t.panels {
			t.op("FMOVQ %d(R%d), F%d", 16*i, t.y[r], t.sum(0, r, i))
		}
	}
	t.op("B %s", ready)
	t.mark(fresh)
	for r := range t.rows {
		for i := range 4 * t.panels {
			if t.kind == dot {
				t.op("FMOVQ %d(R%d), F%d", 16*i, t.bias, t.sum(0, r, i))
			} else {
				t.zero(t.sum(0, r, i))
			}
		}
	}
	t.mark(ready)
	for i := 4 * t.rows * t.panels; i < t.sums(); i++ {
		t.zero(i)
	}
}

func (a *asm) zero(v int) { a.op("VEOR V%d.B16, V%d.B16, V%d.B16", v, v, v) }

// round multiplies that many lanes of inputs, beginning with the given chain. Each load is written ahead of the products
// before it, as far as there are registers to load into: processors that go in order need that.
func (t *tile) round(lanes, chain int) {
	free := t.sums() + t.rows // the first vector for weights
	for r := range t.rows {
		if lanes == 4 {
			t.op("FMOVQ.P 16(R%d), F%d", t.x[r], t.input(r))
		} else {
			t.op("FMOVS.P 4(R%d), F%d", t.x[r], t.input(r))
		}
	}
	if t.kind == dot { // 0 to 255 becomes -128 to 127
		t.op("VMOVI $128, V%d.B16", free)
		for r := range t.rows {
			t.op("VEOR V%d.B16, V%d.B16, V%d.B16", free, t.input(r), t.input(r))
		}
	}
	if t.kind == half {
		t.halves(lanes, chain, free)
		return
	}
	slots := min(32-free, 8)
	n := lanes * t.panels * 4
	load := func(i int) {
		p := i / 4 % t.panels
		t.op("FMOVQ %d(R%d), F%d", i/(4*t.panels)*64+i%4*16, t.w[p], free+i%slots)
	}
	for i := range min(slots-1, n) {
		load(i)
	}
	for i := range n {
		if next := i + slots - 1; next < n {
			load(next)
		}
		t.multiply(chain, i/(4*t.panels), i%(4*t.panels), free+i%slots)
	}
	for _, w := range t.w {
		t.op("ADD $%d, R%d", lanes*64, w)
	}
}

// halves is round for weights in half precision, which come 8 at a time.
func (t *tile) halves(lanes, chain, free int) {
	slots := min(32-free, 8) / 2
	n := lanes * t.panels * 2
	load := func(i int) {
		p, v := i/2%t.panels, free+i%slots*2
		t.op("FMOVQ %d(R%d), F%d", i/(2*t.panels)*32+i%2*16, t.w[p], v+1)
	}
	for i := range min(slots-1, n) {
		load(i)
	}
	for i := range n {
		if next := i + slots - 1; next < n {
			load(next)
		}
		v := free + i%slots*2
		t.v(fcvtl, v, v+1)
		t.v(fcvtl2, v+1, v+1)
		lane, at := i/(2*t.panels), i%(2*t.panels)*2
		t.multiply(chain, lane, at, v)
		t.multiply(chain, lane, at+1, v+1)
	}
	for _, w := range t.w {
		t.op("ADD $%d, R%d", lanes*32, w)
	}
}

// multiply adds the products of the weights in vector w with that lane of every row's inputs.
func (t *tile) multiply(chain, lane, i, w int) {
	f := fmlaLane
	if t.kind == dot {
		f = sdotLane
	}
	for r := range t.rows {
		t.lane(f, t.sum(chain+lane, r, i), w, t.input(r), lane)
	}
}

// finish adds the chains up, then adds the bias and applies the ReLU where the flags say so, and stores.
func (t *tile) finish() {
	row := 4 * t.panels
	for half := t.chains / 2; half > 0; half /= 2 { // (0+2) + (1+3)
		for c := range half {
			for i := range row {
				if t.kind == dot {
					t.op("VADD V%d.S4, V%d.S4, V%d.S4", t.sum(c+half, 0, i), t.sum(c, 0, i), t.sum(c, 0, i))
				} else {
					t.v(fadd, t.sum(c, 0, i), t.sum(c, 0, i), t.sum(c+half, 0, i))
				}
			}
		}
	}
	if t.kind != dot {
		free, store := t.sums(), t.label()
		t.op("TBZ $%d, R%d, %s", ends, t.flags, store)
		for i := range row {
			v := free + i%4
			t.op("FMOVQ %d(R%d), F%d", 16*i, t.bias, v)
			for r := range t.rows {
				t.v(fadd, t.sum(0, r, i), t.sum(0, r, i), v)
			}
		}
		t.op("TBZ $%d, R%d, %s", rectifies, t.flags, store)
		for i := range row * t.rows {
			t.relu(i, free+i%4)
		}
		t.mark(store)
	}
	for r := range t.rows {
		for i := range row {
			t.op("FMOVQ F%d, %d(R%d)", t.sum(0, r, i), 16*i, t.y[r])
		}
	}
	t.op("RET")
}

// The R registers that rows and panels take.
var (
	xRows  = []int{9, 10, 11, 12, 13, 14}
	yRows  = []int{15, 16, 17, 19, 20, 21}
	panels = []int{9, 10, 11, 12}
)

// gemm writes a function that multiplies up to 6 rows by a panel.
func (a *asm) gemm(name string, k kind) {
	bias := "bias"
	if k == dot {
		bias = "start"
	}
	a.function(name, "y", "x", "w", bias, "n", "rows", "ldx", "ldy", "flags")
	a.op("MOVD R1, R%d", xRows[0])
	a.op("MOVD R0, R%d", yRows[0])
	for r := 1; r < 6; r++ {
		a.op("ADD R6, R%d, R%d", xRows[r-1], xRows[r])
		a.op("ADD R7, R%d, R%d", yRows[r-1], yRows[r])
	}
	a.choose(5, 6, func(rows int) {
		(&tile{a, k, rows, 1, 1, xRows[:rows], yRows[:rows], []int{2}, 4, 3, 8}).emit()
	})
}

// gemv writes a function that multiplies a row by up to 4 panels, stride bytes apart.
func (a *asm) gemv(name string, k kind) {
	bias := "bias"
	if k == dot {
		bias = "start"
	}
	a.function(name, "y", "x", "w", bias, "n", "panels", "stride", "flags")
	a.op("MOVD R2, R%d", panels[0])
	for p := 1; p < 4; p++ {
		a.op("ADD R6, R%d, R%d", panels[p-1], panels[p])
	}
	a.choose(5, 4, func(n int) {
		chains := 1
		if k == dot && n == 1 {
			chains = 4 // the order of integers doesn't matter
		}
		(&tile{a, k, 1, n, chains, []int{1}, []int{0}, panels[:n], 4, 3, 7}).emit()
	})
}

// choose writes a variant for every value from most, tried first, down to 1 of an R register.
func (a *asm) choose(register, most int, variant func(n int)) {
	for n := most; n > 0; n-- {
		next := a.label()
		if n > 1 {
			a.op("CMP $%d, R%d", n, register)
			a.op("BNE %s", next)
		}
		variant(n)
		if n > 1 {
			a.mark(next)
		}
	}
}

// head writes a function that multiplies a row by the only panel of a layer.
func (a *asm) head(name string, k kind) {
	a.function(name, "y", "x", "w", "bias", "n", "flags")
	(&tile{a, k, 1, 1, 4, []int{1}, []int{0}, []int{2}, 4, 3, 5}).emit()
}

func floats(a *asm) {
	a.gemm("gemmF32NEON", float)
	a.gemv("gemvF32NEON", float)
	a.head("headF32NEON", float)
	a.gemv("gemvF16NEON", half)
	a.head("headF16NEON", half)
	a.widen()
}

// widen writes a function that widens n halves, a multiple of 16.
func (a *asm) widen() {
	a.function("widenNEON", "dst", "src", "n")
	loop := a.label()
	a.mark(loop)
	for v := range 2 {
		a.op("FMOVQ.P 16(R1), F%d", 2*v)
		a.v(fcvtl2, 2*v+1, 2*v)
		a.v(fcvtl, 2*v, 2*v)
	}
	for v := range 4 {
		a.op("FMOVQ.P F%d, 16(R0)", v)
	}
	a.op("SUBS $16, R2")
	a.op("BNE %s", loop)
	a.op("RET")
}
