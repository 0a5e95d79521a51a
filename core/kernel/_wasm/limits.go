package main

// A peak is a function that multiplies and adds in registers. Its parameters are x and n: n times, it multiplies
// 8 neighbouring words of 32 bits at x, by turns, by half as many vectors as it keeps sums. It returns something that
// depends on all of them.
//
// The factors are read, because products of what doesn't change would be computed only once. Loads have ports of their own.
type peak struct {
	madd ternary
	sums int
}

func (p peak) build(_ *module, f *function) {
	x, n := f.params[0], f.params[1]
	factor, weights, sums := f.local(v128), f.many(p.sums/2, v128), f.many(p.sums, v128)
	for i, w := range weights {
		f.set(w, load(x, 4*i))
	}
	f.repeat(n, func() {
		for u := range 2 * unroll {
			f.set(factor, load32Splat(x, 4*u))
			for i, w := range weights {
				sum := sums[u%2*len(weights)+i]
				f.set(sum, p.madd(factor, w, sum))
			}
		}
	})
	for _, sum := range sums[1:] {
		f.set(sums[0], v128Xor(sums[0], sum))
	}
	f.leave(i8x16Bitmask(sums[0]))
}

// read has the parameters p and n. It reads n bytes, 128 at a time, and returns something that depends on all.
func read(_ *module, f *function) {
	p, n := f.params[0], f.params[1]
	sums := f.many(4, v128)
	f.while(n, 128, func() {
		for i := range 8 {
			f.set(sums[i%4], v128Xor(sums[i%4], loadBytes(p, 16*i)))
		}
		f.add(p, number(128))
	})
	f.leave(i8x16Bitmask(v128Xor(v128Xor(sums[0], sums[1]), v128Xor(sums[2], sums[3]))))
}
