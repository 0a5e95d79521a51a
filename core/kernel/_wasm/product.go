package main

// A product is a kernel that multiplies rows of activations by packed weights. Its parameters are
//
//	rows, k, panels        how many
//	x, ldx                 the rows of activations, 4 bytes for each step of k, and how many bytes they are apart
//	w, ldw                 the panels of weights, and how many bytes they are apart
//	y, ldy                 the rows of outputs, 4 bytes each, and how many bytes they are apart
//	bias                   one float32 an output; integer products have no such parameter
//	flags                  see below
//
// A panel holds the weights of 8 neighbouring outputs. Each step of k multiplies 4 bytes of activations: a float32, two
// int16 or four int8. The outputs of a panel are two vectors of 4 lanes.
//
// The loop that it implements, for all rows r, outputs o and, from 0 up, steps k:
//
//	y[r][o] = flags&flagFirst != 0 ? 0 : y[r][o]
//	y[r][o] = madd(x[r][k], w[o/8][k][o%8], y[r][o])
//	if flags&flagLast != 0 { y[r][o] += bias[o] }
//	if flags&flagReLU != 0 && y[r][o] < 0 { y[r][o] = 0 }
type product struct {
	floats  bool
	halves  bool // IEEE halves and scaled activations: see loadHalfPair
	bytes   int  // of a vector of weights in memory
	weights loader
	madd    ternary // activations, weights, sums
	tallest int     // rows that are multiplied at a time: two vectors of sums each must fit into registers; 1 is for single rows only
}

const (
	flagFirst = 1 // begin at 0, not at what is in y
	flagLast  = 2 // add the bias
	flagReLU  = 4
)

const (
	groupPanels = 4 // neighbouring panels that a single row is multiplied by at a time: enough sums to hide latencies
	unroll      = 4
)

func maddF32(x, w, sum value) expression { return f32x4Add(sum, f32x4Mul(x, w)) }

// maddI16 takes int16.
func maddI16(x, w, sum value) expression { return i32x4Add(sum, i32x4DotI16x8S(x, w)) }

// dotI8 takes activations of 0 to 127.
func dotI8(x, w, sum value) expression { return i32x4RelaxedDotI8x16I7x16AddS(w, x, sum) }

// A shape is a number of rows and panels whose sums are kept in registers.
type shape struct{ rows, panels int }

func (p product) build(m *module, f *function) {
	a := f.params
	rows, k, panels, x, ldx, w, ldw, y, ldy := a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]
	bias, flags := a[len(a)-2], a[len(a)-1] // bias is a parameter only where there are floats

	tiles := map[shape]*function{}
	// call multiplies the rows from px on, whose outputs begin at py, by the panels from the given one on.
	call := func(s shape, px, py value, panel int32) {
		if tiles[s] == nil {
			tiles[s] = p.tile(m, s)
		}
		args := []value{k, px, ldx, i32Add(w, i32Mul(ldw, number(panel))), ldw, py, ldy}
		if p.floats {
			args = append(args, i32Add(bias, number(32*panel)))
		}
		f.call(tiles[s], append(args, flags)...)
	}
	left, count, px, py := f.local(i32), f.local(i32), f.local(i32), f.local(i32)
	advance := func(panels int32) {
		f.add(w, i32Mul(ldw, number(panels)))
		f.add(y, number(32*panels))
		if p.floats {
			f.add(bias, number(32*panels))
		}
	}
	// block multiplies as many rows as there are whole tiles for, panel by panel; then the rest, all panels at once.
	block := func(panels int) {
		f.set(count, number(int32(panels)))
		f.repeat(count, func() {
			f.set(left, rows)
			f.set(px, x)
			f.set(py, y)
			next := func(rows int32) {
				call(shape{int(rows), 1}, px, py, 0)
				f.add(px, i32Mul(ldx, number(rows)))
				f.add(py, i32Mul(ldy, number(rows)))
			}
			for rows := p.tallest; rows >= 3; rows-- {
				if rows == p.tallest || rows <= 4 {
					f.while(left, int32(rows), func() { next(int32(rows)) })
				}
			}
			advance(1)
		})
		advance(int32(-panels))
		f.set(py, i32Sub(py, number(int32(32*(panels-1)))))
		for rest := 1; rest <= min(p.tallest, 2); rest++ {
			f.when(i32Eq(left, number(int32(rest))), func() {
				wide := groupPanels / rest
				for panel := 0; panel < panels; panel += wide {
					call(shape{rest, min(wide, panels-panel)}, px, i32Add(py, number(int32(32*panel))), int32(panel))
				}
			})
		}
		advance(int32(panels))
	}
	f.while(panels, groupPanels, func() { block(groupPanels) })
	f.each(panels, groupPanels-1, block)
}

// tile returns a function that computes the sums of a few rows and panels, with all of them in registers.
func (p product) tile(m *module, s shape) *function {
	params := []kind{i32, i32, i32, i32, i32, i32, i32, i32}
	if p.floats {
		params = append(params, i32)
	}
	f := m.function(signature{params: params})
	k, x, ldx, w, ldw, y, ldy := f.params[0], f.params[1], f.params[2], f.params[3], f.params[4], f.params[5], f.params[6]
	flags := f.params[len(params)-1]
	has := func(flag int32) value { return i32And(flags, number(flag)) }

	xs, ys, ws := []local{x}, []local{y}, []local{w}
	for range s.rows - 1 {
		xs = append(xs, f.copyOf(i32Add(xs[len(xs)-1], ldx)))
		ys = append(ys, f.copyOf(i32Add(ys[len(ys)-1], ldy)))
	}
	for range s.panels - 1 {
		ws = append(ws, f.copyOf(i32Add(ws[len(ws)-1], ldw)))
	}
	factor, spare, weight := f.local(v128), f.local(v128), f.many(2*s.panels, v128)
	sums := make([][]local, s.rows) // a row's, by vector
	for r := range sums {
		sums[r] = f.many(2*s.panels, v128)
	}
	each := func(do func(r, v int, sum local)) {
		for r := range sums {
			for v, sum := range sums[r] {
				do(r, v, sum)
			}
		}
	}

	f.when(i32Eqz(has(flagFirst)), func() {
		each(func(r, v int, sum local) { f.set(sum, load(ys[r], 16*v)) })
	})
	step := func(u int) {
		if s.rows > 1 { // the weights serve several rows
			for v := range weight {
				f.set(weight[v], p.weights(ws[v/2], 2*p.bytes*u+v%2*p.bytes))
			}
		}
		for r := range sums {
			f.set(factor, load32Splat(xs[r], 4*u))
			for v, sum := range sums[r] {
				if p.halves && v%2 == 0 {
					f.loadHalfPair(weight[v], weight[v+1], spare, ws[v/2], 2*p.bytes*u)
				}
				var by value = weight[v]
				if s.rows == 1 && !p.halves {
					by = p.weights(ws[v/2], 2*p.bytes*u+v%2*p.bytes)
				}
				f.set(sum, p.madd(factor, by, sum))
			}
		}
	}
	steps := func(n int32) func() {
		return func() {
			for u := range n {
				step(int(u))
			}
			for _, p := range xs {
				f.add(p, number(4*n))
			}
			for _, l := range ws {
				f.add(l, number(int32(2*p.bytes)*n))
			}
		}
	}
	f.while(k, unroll, steps(unroll))
	f.repeat(k, steps(1))

	if p.floats {
		bias := f.params[len(params)-2]
		f.when(has(flagLast), func() {
			each(func(r, v int, sum local) {
				if p.halves {
					f.set(sum, f32x4Mul(sum, singles(halfScale/activationScale)))
				}
				f.set(sum, f32x4Add(sum, load(bias, 16*v)))
			})
		})
		f.when(has(flagReLU), func() {
			each(func(r, v int, sum local) { f.set(sum, f32x4PMax(sum, words(0))) })
		})
	}
	each(func(r, v int, sum local) { f.store(ys[r], 16*v, sum) })
	return f
}
