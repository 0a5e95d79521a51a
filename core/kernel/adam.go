package kernel

import "math"

// AdamRates are Adam's constants: Kingma and Ba, Adam: A Method for Stochastic Optimization, algorithm 1.
type AdamRates struct {
	Mean    float32 // 1-β1: how much of a gradient enters its moving average
	Keep    float32 // β2: how much of the squares' average stays
	Square  float32 // 1-β2: how much of a gradient's square enters it
	Epsilon float32
}

// An AdamStep is what depends on the number t of a step, counted from 1. The learning rate lr is above 0.
type AdamStep struct {
	Size float32 // -lr / (1-β1^t)
	Root float32 // sqrt(1-β2^t)
}

// Adam updates the weights w by their gradient g and its moving averages, m of the gradient and v of its square:
//
//	m = m + Mean·(g - m), but 0 where that is below 2^-100 in magnitude
//	v = v·Keep + (Square·g)·g
//	w = w + Size·m / (sqrt(v)/Root + Epsilon)
//
// Every operation is rounded to float32, so that all engines give the same bits. g, m and v are at least as long as w.
//
// A mean that fades goes to 0 because it would soon be subnormal, and stay so for ever: arithmetic with subnormals takes several
// times as long.
func (e *Engine) Adam(r *AdamRates, s AdamStep, w, g, m, v []float32) {
	need("Adam", "g", len(g), len(w))
	need("Adam", "m", len(m), len(w))
	need("Adam", "v", len(v), len(w))
	e.adam(r, s, w, g, m, v)
}

// AdamIdle does what as many calls of Adam as there are steps do, the gradient being zero in all of them. m and v are at least
// as long as w.
func (e *Engine) AdamIdle(r *AdamRates, steps []AdamStep, w, m, v []float32) {
	need("AdamIdle", "m", len(m), len(w))
	need("AdamIdle", "v", len(v), len(w))
	e.adamIdle(r, steps, w, m, v)
}

// faded returns m, or 0 where that is below 2^-100 in magnitude. A NaN stays.
func faded(m float32) float32 {
	if math.Float32bits(m)&^(1<<31) < (127-100)<<23 {
		return 0
	}
	return m
}

// adam is the portable Engine.adam.
func adam(r *AdamRates, s AdamStep, w, g, m, v []float32) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i := range w {
		gi := g[i]
		mi := faded(m[i] + float32(r.Mean*(gi-m[i])))
		vi := float32(v[i]*r.Keep) + float32(float32(r.Square*gi)*gi)
		m[i], v[i] = mi, vi
		w[i] += s.move(r, mi, vi)
	}
}

// move returns how far a step takes a weight.
func (s AdamStep) move(r *AdamRates, m, v float32) float32 {
	root := float32(math.Sqrt(float64(v)))
	return float32(s.Size*m) / (root/s.Root + r.Epsilon)
}

// adamIdle is the portable Engine.adamIdle. It takes a few elements at a time through all steps, in the first-level cache.
func adamIdle(r *AdamRates, steps []AdamStep, w, m, v []float32) {
	const block = 64
	for lo := 0; lo < len(w); lo += block {
		hi := min(lo+block, len(w))
		adamIdleBlock(r, steps, w[lo:hi], m[lo:hi], v[lo:hi])
	}
}

func adamIdleBlock(r *AdamRates, steps []AdamStep, w, m, v []float32) {
	m, v = m[:len(w)], v[:len(w)]
	for t, s := range steps {
		moving := false
		for i := range w {
			mi, vi := faded(m[i]-float32(r.Mean*m[i])), float32(v[i]*r.Keep)
			m[i], v[i] = mi, vi
			w[i] += s.move(r, mi, vi)
			moving = moving || mi != 0
		}
		if !moving { // then w stays, and v decays
			for i := range v {
				for range steps[t+1:] {
					v[i] = float32(v[i] * r.Keep)
				}
			}
			return
		}
	}
}
