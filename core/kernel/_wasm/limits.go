package main

// A peak is a function that multiplies and adds in registers, as a tile of a product does. Its parameters are x and n: n
// times, it multiplies 2 vectors by 4 times so many neighbouring words at x, as many of them as there are rows into sums of
// their own. It returns something that depends on all sums.
//
// The factors are read, as those of a tile are, because products of what doesn't change would be computed only once; loads
// have ports of their own.
type peak struct {
	madd ternary
	rows int
}

func (p peak) build(_ *module, f *function) {
	x, n := f.params[0], f.params[1]
	factor, weights, sums := f.local(v128), f.many(2, v128), f.many(2*p.rows, v128)
	for i, w := range weights {
		f.set(w, load(x, 16*i))
	}
	f.repeat(n, func() {
		for u := range peakUnroll * p.rows {
			f.set(factor, load32Splat(x, 4*u))
			for i, w := range weights {
				sum := sums[u%p.rows*2+i]
				f.set(sum, p.madd(factor, w, sum))
			}
		}
	})
	for _, sum := range sums[1:] {
		f.set(sums[0], v128Xor(sums[0], sum))
	}
	f.leave(i8x16Bitmask(sums[0]))
}

const peakUnroll = 4

// read has the parameters p and n. It returns the exclusive or of n/4 words, 32 at a time.
func read(_ *module, f *function) {
	p, n := f.params[0], f.params[1]
	sums := f.many(4, v128)
	f.while(n, 128, func() {
		for i := range 8 {
			f.set(sums[i%4], v128Xor(sums[i%4], loadBytes(p, 16*i)))
		}
		f.add(p, number(128))
	})
	for _, sum := range sums[1:] {
		f.set(sums[0], v128Xor(sums[0], sum))
	}
	f.set(sums[0], v128Xor(sums[0], shuffle(sums[0], sums[0], [16]byte{8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7})))
	f.set(sums[0], v128Xor(sums[0], shuffle(sums[0], sums[0], [16]byte{4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11})))
	f.leave(i32x4ExtractLane0(sums[0]))
}
