package main

import "math"

// transpose has the parameters dst, src, ld, n: dst[k*8+i] = src[i*ld+k] for 8 rows i, ld bytes apart, and 4 of the n
// columns k at a time.
func transpose(_ *module, f *function) {
	dst, src, ld, n := f.params[0], f.params[1], f.params[2], f.params[3]
	row, r, pairs := f.local(i32), f.many(4, v128), f.many(4, v128)
	low := [16]byte{0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23}
	high := [16]byte{8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31}
	lower := [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23}
	upper := [16]byte{8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31}
	f.while(n, 4, func() {
		f.set(row, src)
		for half := range 2 {
			for i := range r {
				f.set(r[i], load(row, 0))
				f.add(row, ld)
			}
			f.set(pairs[0], shuffle(r[0], r[1], low))
			f.set(pairs[1], shuffle(r[0], r[1], high))
			f.set(pairs[2], shuffle(r[2], r[3], low))
			f.set(pairs[3], shuffle(r[2], r[3], high))
			for k := range 4 {
				lanes := lower
				if k%2 == 1 {
					lanes = upper
				}
				f.store(dst, 32*k+16*half, shuffle(pairs[k/2], pairs[2+k/2], lanes))
			}
		}
		f.add(dst, number(4*32))
		f.add(src, number(16))
	})
}

// gate has the parameters sum, dy, y, n: 4 at a time.
func gate(_ *module, f *function) {
	sum, dy, y, n := f.params[0], f.params[1], f.params[2], f.params[3]
	v := f.local(v128)
	f.while(n, 4, func() {
		f.set(v, v128And(load(dy, 0), f32x4Gt(load(y, 0), words(0))))
		f.store(dy, 0, v)
		f.store(sum, 0, f32x4Add(load(sum, 0), v))
		for _, p := range []local{sum, dy, y} {
			f.add(p, number(16))
		}
	})
}

// A weightStep is a step of Adam in vectors: see core/kernel's Adam. Rates are 4 floats: Mean, Keep, Square, Epsilon.
type weightStep struct {
	f                           *function
	mean, keep, square, epsilon local
	size, root                  local
	w, m, v                     local
}

func newWeightStep(f *function, rates local) weightStep {
	splat := func(i int) local {
		l := f.local(v128)
		f.set(l, load32Splat(rates, 4*i))
		return l
	}
	vectors := f.many(5, v128)
	return weightStep{f, splat(0), splat(1), splat(2), splat(3), vectors[0], vectors[1], vectors[2], vectors[3], vectors[4]}
}

// setStep reads a step's Size and Root.
func (s weightStep) setStep(step local) {
	s.f.set(s.size, load32Splat(step, 0))
	s.f.set(s.root, load32Splat(step, 4))
}

// fade makes the mean 0 where it is below 2^-100 in magnitude.
func (s weightStep) fade() {
	large := i32x4GtS(v128And(s.m, words(math.MaxInt32)), words((127-100)<<23-1))
	s.f.set(s.m, v128And(s.m, large))
}

// move moves the weights.
func (s weightStep) move() {
	by := f32x4Div(f32x4Mul(s.size, s.m), f32x4Add(f32x4Div(f32x4Sqrt(s.v), s.root), s.epsilon))
	s.f.set(s.w, f32x4Add(s.w, by))
}

// adam has the parameters w, g, m, v, n, rates, step: 4 at a time.
func adam(_ *module, f *function) {
	w, g, m, v, n, rates, step := f.params[0], f.params[1], f.params[2], f.params[3], f.params[4], f.params[5], f.params[6]
	s, grad := newWeightStep(f, rates), f.local(v128)
	s.setStep(step)
	f.while(n, 4, func() {
		f.set(grad, load(g, 0))
		f.set(s.w, load(w, 0))
		f.set(s.m, load(m, 0))
		f.set(s.m, f32x4Add(s.m, f32x4Mul(s.mean, f32x4Sub(grad, s.m))))
		s.fade()
		f.set(s.v, f32x4Add(f32x4Mul(load(v, 0), s.keep), f32x4Mul(f32x4Mul(s.square, grad), grad)))
		s.move()
		f.store(w, 0, s.w)
		f.store(m, 0, s.m)
		f.store(v, 0, s.v)
		for _, p := range []local{w, g, m, v} {
			f.add(p, number(16))
		}
	})
}

// adamIdle has the parameters w, m, v, n, rates, steps, count: 4 weights at a time through all steps. Once the means have
// faded, only the squares go on.
func adamIdle(_ *module, f *function) {
	w, m, v, n, rates, steps, count := f.params[0], f.params[1], f.params[2], f.params[3], f.params[4], f.params[5], f.params[6]
	s, step, left, fading := newWeightStep(f, rates), f.local(i32), f.local(i32), f.local(i32)
	f.while(n, 4, func() {
		f.set(s.w, load(w, 0))
		f.set(s.m, load(m, 0))
		f.set(s.v, load(v, 0))
		f.set(step, steps)
		f.set(left, count)
		f.set(fading, number(1))
		f.repeat(left, func() {
			f.set(s.v, f32x4Mul(s.v, s.keep))
			f.when(fading, func() {
				s.setStep(step)
				f.set(s.m, f32x4Sub(s.m, f32x4Mul(s.mean, s.m)))
				s.fade()
				s.move()
				f.add(step, number(8))
				f.set(fading, v128AnyTrue(s.m))
			})
		})
		f.store(w, 0, s.w)
		f.store(m, 0, s.m)
		f.store(v, 0, s.v)
		for _, p := range []local{w, m, v} {
			f.add(p, number(16))
		}
	})
}
