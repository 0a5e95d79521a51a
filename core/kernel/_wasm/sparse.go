package main

// A combination is a kernel that adds a weighted sum of rows to y. Its parameters are
//
//	y, n          float32 outputs
//	w, ldw        the rows of weights, and how many bytes they are apart
//	index, value  int32 and float32: which rows, and their weights
//	count         how many of them
//
// The loop that it implements, for 4 outputs o at a time and, from 0 up, k:
//
//	y[o] = madd(value[k], w[index[k]][o], y[o])
type combination struct {
	bytes   int    // of a vector of weights in memory
	weights loader // nil for halves
	madd    ternary
}

func (c combination) build(_ *module, f *function) {
	a := f.params
	y, n, w, ldw, index, value, count := a[0], a[1], a[2], a[3], a[4], a[5], a[6]
	left, at, row, factor, sums := f.local(i32), f.local(i32), f.local(i32), f.local(v128), f.many(8, v128)
	weights := c.weights
	if weights == nil {
		weights = f.loadAnyHalves()
	}
	block := func(vectors int) func() {
		return func() {
			for i, sum := range sums[:vectors] {
				f.set(sum, load(y, 16*i))
			}
			f.set(left, count)
			f.set(at, number(0))
			f.repeat(left, func() {
				f.set(row, i32Add(w, i32Mul(ldw, i32Load(i32Add(index, at), 0))))
				f.set(factor, load32Splat(i32Add(value, at), 0))
				for i, sum := range sums[:vectors] {
					f.set(sum, c.madd(factor, weights(row, c.bytes*i), sum))
				}
				f.add(at, number(4))
			})
			for i, sum := range sums[:vectors] {
				f.store(y, 16*i, sum)
			}
			f.add(y, number(int32(16*vectors)))
			f.add(w, number(int32(c.bytes*vectors)))
		}
	}
	f.while(n, 32, block(8))
	f.while(n, 4, block(1))
}

// combineI8 has the parameters acc, n, w, ldw, index, value (uint8), count, zero: 8 at a time,
//
//	acc[o] += (value[k] - zero) * w[index[k]][o]
//
// Two rows at a time: their weights are interleaved, so that a dot product of pairs of int16 adds both.
func combineI8(_ *module, f *function) {
	a := f.params
	acc, n, w, ldw, index, values, count, zero := a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]
	left, pi, pv, first, second := f.local(i32), f.local(i32), f.local(i32), f.local(i32), f.local(i32)
	factors, b0, b1, sums := f.local(v128), f.local(v128), f.local(v128), f.many(8, v128)
	row := func(offset int) value { return i32Add(w, i32Mul(ldw, i32Load(pi, offset))) }
	factor := func(offset int) value { return i32Sub(i32Load8U(pv, offset), zero) }
	multiply := func(vectors int) {
		for i := 0; i < vectors; i += 2 {
			f.set(b0, load8x8S(first, 4*i))
			f.set(b1, load8x8S(second, 4*i))
			f.set(sums[i], i32x4Add(sums[i], i32x4DotI16x8S(factors, shuffle(b0, b1, interleave(0)))))
			f.set(sums[i+1], i32x4Add(sums[i+1], i32x4DotI16x8S(factors, shuffle(b0, b1, interleave(8)))))
		}
	}
	block := func(vectors int) func() {
		return func() {
			for i, sum := range sums[:vectors] {
				f.set(sum, load(acc, 16*i))
			}
			f.set(left, count)
			f.set(pi, index)
			f.set(pv, values)
			f.while(left, 2, func() {
				f.set(first, row(0))
				f.set(second, row(4))
				f.set(factors, i32x4Splat(i32Or(i32And(factor(0), number(0xFFFF)), i32Shl(factor(1), number(16)))))
				multiply(vectors)
				f.add(pi, number(8))
				f.add(pv, number(2))
			})
			f.when(left, func() {
				f.set(first, row(0))
				f.set(second, first)
				f.set(factors, i32x4Splat(i32And(factor(0), number(0xFFFF))))
				multiply(vectors)
			})
			for i, sum := range sums[:vectors] {
				f.store(acc, 16*i, sum)
			}
			f.add(acc, number(int32(16*vectors)))
			f.add(w, number(int32(4*vectors)))
		}
	}
	f.while(n, 32, block(8))
	f.while(n, 8, block(2))
}

// interleave takes 4 words of 16 bits from a byte on of each of two vectors, by turns.
func interleave(from byte) (lanes [16]byte) {
	for i := range lanes {
		lanes[i] = from + byte(i/4*2+i%2) + byte(i/2%2*16)
	}
	return lanes
}

// addHigh has the parameters acc, panels, w, ldw, index, value, count: value holds four bytes of 0 or 1 for each of count
// steps of k, whose numbers are in index. For all outputs o of the panels,
//
//	acc[o] += 128 * (value[i] · w[o/8][index[i]][o%8])
func addHigh(_ *module, f *function) {
	a := f.params
	acc, panels, w, ldw, index, values, count := a[0], a[1], a[2], a[3], a[4], a[5], a[6]
	left, at, step, factor, sums := f.local(i32), f.local(i32), f.local(i32), f.local(v128), f.many(2, v128)
	f.repeat(panels, func() {
		for _, sum := range sums {
			f.set(sum, words(0))
		}
		f.set(left, count)
		f.set(at, number(0))
		f.repeat(left, func() {
			f.set(step, i32Add(w, i32Shl(i32Load(i32Add(index, at), 0), number(5))))
			f.set(factor, load32Splat(i32Add(values, at), 0))
			for i, sum := range sums {
				f.set(sum, dotI8(factor, loadBytes(step, 16*i), sum))
			}
			f.add(at, number(4))
		})
		for i, sum := range sums {
			f.store(acc, 16*i, i32x4Add(load(acc, 16*i), i32x4Shl(sum, number(7))))
		}
		f.add(acc, number(32))
		f.add(w, ldw)
	})
}
