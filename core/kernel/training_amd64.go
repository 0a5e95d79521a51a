//go:build !purego

package kernel

func (e *Engine) trainingAVX2() { e.adam, e.adamIdle, e.gate = updateAVX2, idleAVX2, maskedSumAVX2 }

func (e *Engine) trainingAVX512() {
	e.adam, e.adamIdle, e.gate = updateAVX512, idleAVX512, maskedSumAVX512
}

// The most elements, and idle steps of as many, in one call of assembly.
const (
	adamElements = 1 << 14
	idleElements = 1 << 10
	idleSteps    = 1 << 9
)

func updateAVX512(r *AdamRates, s AdamStep, w, g, m, v []float32) {
	for len(w) > 0 {
		n := min(len(w), adamElements)
		adamAVX512(&w[0], &g[0], &m[0], &v[0], n, &r.Mean, &s.Size)
		w, g, m, v = w[n:], g[n:], m[n:], v[n:]
	}
}

func updateAVX2(r *AdamRates, s AdamStep, w, g, m, v []float32) {
	for len(w) >= 8 {
		n := min(len(w), adamElements) &^ 7
		adamAVX2(&w[0], &g[0], &m[0], &v[0], n, &r.Mean, &s.Size)
		w, g, m, v = w[n:], g[n:], m[n:], v[n:]
	}
	adam(r, s, w, g, m, v)
}

func idleAVX512(r *AdamRates, steps []AdamStep, w, m, v []float32) {
	for len(w) > 0 {
		n := min(len(w), idleElements)
		for t := 0; t < len(steps); t += idleSteps {
			adamIdleAVX512(&w[0], &m[0], &v[0], n, &r.Mean, &steps[t].Size, min(len(steps)-t, idleSteps))
		}
		w, m, v = w[n:], m[n:], v[n:]
	}
}

func idleAVX2(r *AdamRates, steps []AdamStep, w, m, v []float32) {
	for len(w) >= 16 {
		n := min(len(w), idleElements) &^ 15
		for t := 0; t < len(steps); t += idleSteps {
			adamIdleAVX2(&w[0], &m[0], &v[0], n, &r.Mean, &steps[t].Size, min(len(steps)-t, idleSteps))
		}
		w, m, v = w[n:], m[n:], v[n:]
	}
	adamIdle(r, steps, w, m, v)
}

func maskedSumAVX512(sum, dy, y []float32) {
	if n := len(dy); n > 0 {
		gateAVX512(&sum[0], &dy[0], &y[0], n)
	}
}

func maskedSumAVX2(sum, dy, y []float32) {
	n := len(dy) &^ 7
	if n > 0 {
		gateAVX2(&sum[0], &dy[0], &y[0], n)
	}
	gate(sum[n:], dy[n:], y[n:])
}
