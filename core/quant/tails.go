package quant

import "math"

// tails counts magnitudes and signs in bins that double in width when a value exceeds them; it serves the percentile
// and entropy observers. The bins of each sign cover [0, top), where top is the power of two above the largest
// magnitude seen, so the counts depend neither on the order of the examples nor on the cut into batches.
type tails struct {
	q ActivationQuantizer
	extent
	top   float64     // 0: only zeros so far
	count [2][]uint64 // of values >= 0 and of values < 0, by magnitude
	zeros uint64      // values seen while top was 0
}

func (o *tails) Reset() { *o = tails{q: o.q} }

func (o *tails) Observe(x []float32) error { return o.ObserveSparse(x, 0) }

func (o *tails) ObserveSparse(x []float32, zeros int) error {
	x, more, err := o.include(x, zeros)
	if err != nil || !more {
		return err
	}
	largest := float64(max(-o.lo, o.hi))
	if largest == 0 {
		o.zeros += uint64(len(x) + zeros)
		return nil
	}
	o.grow(largest)
	o.count[0][0] += uint64(zeros)
	scale := bins / o.top
	for _, v := range x {
		if v >= 0 {
			o.count[0][int(float64(v)*scale)]++
		} else {
			o.count[1][int(float64(-v)*scale)]++
		}
	}
	return nil
}

func (o *tails) as(q ActivationQuantizer) Observer {
	c := *o
	c.q = q
	return &c
}

// grow makes room for a magnitude.
func (o *tails) grow(largest float64) {
	_, exp := math.Frexp(largest) // largest < 2^exp
	top := math.Ldexp(1, exp)
	if o.top == 0 {
		o.top = top
		o.count = [2][]uint64{make([]uint64, bins), make([]uint64, bins)}
		o.count[0][0] = o.zeros
	}
	for ; o.top < top; o.top *= 2 {
		for _, c := range o.count {
			for i := range bins / 2 {
				c[i] = c[2*i] + c[2*i+1]
			}
			clear(c[bins/2:])
		}
	}
}

func (o *tails) QParams() QParams {
	if !o.seen {
		return unobserved(o.q)
	}
	if o.top == 0 {
		return observedGrid(o.q, 0, 0)
	}
	if o.q.Observer == Percentile {
		lo, hi := o.percentile()
		return observedGrid(o.q, lo, hi)
	}
	t := o.entropy(o.levels())
	return observedGrid(o.q, max(o.lo, -t), min(o.hi, t))
}

// percentile cuts the same number of values off both tails (off the largest magnitudes where the grid is symmetric),
// at bin edges, and never goes beyond the extremes; ONNX Runtime's compute_percentile does the same on its bins.
func (o *tails) percentile() (lo, hi float32) {
	width := o.top / bins
	out := 100 - o.q.Percentile
	if o.q.Symmetric {
		all := o.magnitudes()
		n := uint64(0)
		for _, c := range all {
			n += c
		}
		cut := uint64(float64(n) * out / 100)
		i := bins - 1
		for ; cut >= all[i]; i-- {
			cut -= all[i]
		}
		t := min(float32(float64(i+1)*width), max(-o.lo, o.hi))
		return -t, t
	}
	n := uint64(0)
	for _, sign := range o.count {
		for _, c := range sign {
			n += c
		}
	}
	// Bin i of the line: negative magnitudes descending, then the others ascending; bin i ends at (i+1-bins)*width.
	at := func(i int) uint64 {
		if i < bins {
			return o.count[1][bins-1-i]
		}
		return o.count[0][i-bins]
	}
	cut := uint64(float64(n) * out / 200)
	left, right := 0, 2*bins-1
	for rest := cut; rest >= at(left); left++ {
		rest -= at(left)
	}
	for rest := cut; rest >= at(right); right-- {
		rest -= at(right)
	}
	lo = max(o.lo, float32(float64(left-bins)*width))
	hi = min(o.hi, float32(float64(right+1-bins)*width))
	return lo, hi
}

// magnitudes adds the two signs.
func (o *tails) magnitudes() []uint64 {
	all := make([]uint64, bins)
	for i := range all {
		all[i] = o.count[0][i] + o.count[1][i]
	}
	return all
}

// levels is how many grid steps lie between 0 and the threshold: all where the values have one sign and the grid
// follows them, else half.
func (o *tails) levels() int {
	n := int(activationSpread(o.q).max) + 1
	if o.q.Symmetric || o.lo < 0 && o.hi > 0 {
		n /= 2
	}
	return n
}

// fewestBins is the least number of bins that a threshold of the entropy observer keeps.
const fewestBins = 128

// entropy returns the magnitude beyond which to clamp: the one whose clamped and quantized distribution diverges least
// from the clamped one. It is TensorRT's calibration (S. Migacz, "8-bit Inference with TensorRT", GTC 2017, pages 38 to
// 40) with what NVIDIA's pytorch-quantization (calib/histogram.py, _compute_amax_entropy) adds: zeros don't count, at
// least 128 bins are kept, and of equally good thresholds the largest wins. Ours is that no threshold clamps more than
// half of the values: where no value is near 0, a last bin that swallows everything would match perfectly.
func (o *tails) entropy(levels int) float32 {
	all := o.magnitudes()
	all[0] = all[1]
	used, total := 0, 0.0
	for i, c := range all {
		total += float64(c)
		if c != 0 {
			used = i + 1
		}
	}
	best, at := math.Inf(1), used
	clamped := total
	for i, c := range all[:used] {
		clamped -= float64(c)
		if i+1 < min(fewestBins, used) || clamped*2 > total {
			continue
		}
		// Thresholds that differ by rounding only are equally good.
		if kl := divergence(all[:i+1], clamped, total, levels); kl < best+1e-12 {
			best, at = min(kl, best), i+1
		}
	}
	return min(float32(float64(at)*(o.top/bins)), max(-o.lo, o.hi))
}

// divergence is KL(P, Q): P is hist with the clamped values in its last bin, Q is hist merged into levels and spread
// again, evenly, over the bins where P is not zero. It is infinite where P is not zero and Q is.
func divergence(hist []uint64, clamped, total float64, levels int) float64 {
	n, kept := len(hist), total-clamped
	kl := 0.0
	for level := range levels {
		from, to := level*n/levels, (level+1)*n/levels
		mass, live := 0.0, 0.0
		for i, c := range hist[from:to] {
			mass += float64(c)
			if c != 0 || from+i == n-1 && clamped != 0 {
				live++
			}
		}
		if live == 0 {
			continue
		}
		if mass == 0 {
			return math.Inf(1)
		}
		q := mass / live / kept
		for i, c := range hist[from:to] {
			p := float64(c)
			if from+i == n-1 {
				p += clamped
			}
			if p != 0 {
				p /= total
				kl += p * math.Log(p/q)
			}
		}
	}
	return kl
}
