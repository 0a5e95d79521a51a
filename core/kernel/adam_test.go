package kernel

import (
	"math"
	"testing"
)

// TestAdamIdle checks that idle steps are what Adam does with gradients of zero, for waits in which no mean fades, some do
// and all do.
func TestAdamIdle(t *testing.T) {
	rates := &AdamRates{Mean: 0.1, Keep: 0.999, Square: 0.001, Epsilon: 1e-8}
	var steps []AdamStep
	for i := range 1400 {
		at := float64(i + 1)
		steps = append(steps, AdamStep{Size: float32(-0.001 / (1 - math.Pow(0.9, at))), Root: float32(math.Sqrt(1 - math.Pow(0.999, at)))})
	}
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r := newRandom(12)
		for n := range 70 {
			for _, wait := range []int{0, 1, 2, 3, 30, 300, 1400 - n} {
				w, m, v, zero := r.floats(n), r.floats(n), r.floats(n), make([]float32, n)
				for i := range m {
					size := math.Ldexp(1, -r.IntN(60))
					m[i], v[i] = m[i]*float32(size), v[i]*v[i]*float32(size*size)
				}
				w2, m2, v2 := append([]float32{}, w...), append([]float32{}, m...), append([]float32{}, v...)
				from := r.IntN(len(steps) - wait + 1)
				e.AdamIdle(rates, steps[from:from+wait], w, m, v)
				for _, s := range steps[from : from+wait] {
					adam(rates, s, w2, zero, m2, v2)
				}
				if !sameBits(w, w2) || !sameBits(m, m2) || !sameBits(v, v2) {
					t.Fatalf("%d idle steps from number %d on, for %d elements, are not those of Adam", wait, from+1, n)
				}
			}
		}
	})
}
