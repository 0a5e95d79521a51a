package quant

import (
	"math"
	"slices"
	"sort"
)

// bins is how many bins the histogram observer keeps.
const bins = 2048

// histogram is torch.ao.quantization.HistogramObserver as of PyTorch 2.6, operation by operation in float32, so that
// it decides alike: a running histogram whose range grows with the batches, then a search for the range that loses the
// least when its bins are put on the grid. Because old bins are spread over new ones, the cut into batches matters.
type histogram struct {
	q      ActivationQuantizer
	seen   bool
	lo, hi float32
	count  [bins]float32
}

func (o *histogram) Reset() { *o = histogram{q: o.q} }

func (o *histogram) Observe(x []float32) error { return o.ObserveSparse(x, 0) }

func (o *histogram) ObserveSparse(x []float32, zeros int) error {
	x, lo, hi, err := extremes(x, zeros)
	if err != nil || len(x)+zeros == 0 {
		return err
	}
	if !o.seen {
		o.seen, o.lo, o.hi = true, lo, hi
		o.count = histc(x, zeros, lo, hi)
		return nil
	}
	lo, hi = min(lo, o.lo), max(hi, o.hi)
	update := histc(x, zeros, lo, hi)
	old := o.count
	switch {
	case lo == o.lo && hi == o.hi:
	case o.lo == o.hi:
		// PyTorch gives the lone old value the weight of the new batch, not of the old ones.
		weight := sum(&update)
		old = histc([]float32{o.lo}, 0, lo, hi)
		for i := range old {
			old[i] *= weight
		}
	default:
		old = o.rescale(lo, hi)
	}
	for i := range o.count {
		o.count[i] = update[i] + old[i]
	}
	o.lo, o.hi = lo, hi
	return nil
}

func (o *histogram) as(q ActivationQuantizer) Observer {
	c := *o
	c.q = q
	return &c
}

// histc is torch.histc of x and that many zeros: the counts of equal bins over [lo, hi]. A range of one value is widened by
// 1 on both sides.
func histc(x []float32, zeros int, lo, hi float32) (count [bins]float32) {
	if lo == hi {
		lo, hi = lo-1, hi+1
	}
	if width := hi - lo; width > 0 {
		var n [bins]uint32
		for _, v := range x {
			n[binOf(float32(v-lo)/width)]++
		}
		if zeros > 0 {
			n[binOf(float32(0-lo)/width)] += uint32(zeros)
		}
		for i, c := range n {
			count[i] = float32(c)
		}
		return count
	}
	count[bins/2] = float32(len(x) + zeros) // too large for 1 to make a difference: PyTorch refuses
	return count
}

// binOf returns the bin at the share f of the range; f may be rounded up to 1, or be NaN where the range overflows.
func binOf(f float32) int {
	if !(f > 0) {
		return 0
	}
	if f *= bins; f < bins-1 {
		return int(f)
	}
	return bins - 1
}

// upsample is how many pieces a bin is cut into before it is spread over new bins.
const upsample = 16

// rescale spreads the histogram over the range from lo to hi, which includes its own (_upscale_histogram).
func (o *histogram) rescale(lo, hi float32) (count [bins]float32) {
	half := 0.5 * float32((o.hi-o.lo)/(bins*upsample))
	edges := make([]float32, bins+1)
	for i := range edges {
		edges[i] = linspace(lo, hi, bins+1, i)
	}
	bin := 0
	for i := range bins * upsample {
		middle := linspace(o.lo, o.hi, bins*upsample+1, i) + half
		// The first edge above middle ends its bin, which mostly is the one before's.
		if !(edges[bin] <= middle && middle < edges[bin+1]) {
			bin = sort.Search(len(edges), func(k int) bool { return edges[k] > middle }) - 1
			bin = max(min(bin, bins-1), 0)
		}
		count[bin] += o.count[i/upsample] / upsample
	}
	return count
}

// linspace is element i of torch.linspace(start, end, n): counted from the nearer end, with fused multiply-adds.
func linspace(start, end float32, n, i int) float32 {
	step := float32(end-start) / float32(n-1)
	if i < n/2 {
		return float32(float64(start) + float64(step)*float64(i))
	}
	return float32(float64(end) - float64(step)*float64(n-i-1))
}

func (o *histogram) QParams() QParams {
	if !o.seen {
		return unobserved(o.q)
	}
	lo, hi := o.search()
	return observedGrid(o.q, lo, hi)
}

// search narrows the range by quantiles for as long as the error falls (_non_linear_param_search, which follows
// caffe2/quantization/server/norm_minimization.cc) and returns the range it ends with.
func (o *histogram) search() (lo, hi float32) {
	const step = 1e-5
	width := float32(o.hi-o.lo) / bins
	if width == 0 || width > math.MaxFloat32 {
		return o.lo, o.hi
	}
	total := float64(sum(&o.count))
	var cumulated [bins]float32
	running := 0.0
	for i, c := range o.count {
		running += float64(c)
		cumulated[i] = float32(running)
	}
	alpha, beta := 0.0, 1.0
	start, end := 0, bins-1
	least := math.Inf(1)
	for alpha < beta {
		nextAlpha, nextBeta := alpha+step, beta-step
		l, r := start, end
		for l < end && cumulated[l] < float32(nextAlpha*total) {
			l++
		}
		for r > start && cumulated[r] > float32(nextBeta*total) {
			r--
		}
		nextStart, nextEnd := start, end
		if l-start > end-r {
			nextStart, alpha = l, nextAlpha
		} else {
			nextEnd, beta = r, nextBeta
		}
		if nextStart == start && nextEnd == end {
			continue
		}
		norm := o.quantizationError(nextStart, nextEnd)
		if norm > least {
			break
		}
		least, start, end = norm, nextStart, nextEnd
	}
	return o.lo + float32(width*float32(start)), o.lo + float32(width*float32(end+1))
}

// quantizationError is the squared error when the bins from start to end are put on the grid and what lies outside is
// clamped, the values of a bin being spread evenly over it (_compute_quantization_error).
func (o *histogram) quantizationError(start, end int) float64 {
	levels := 1 << o.q.Bits
	binWidth := (float64(o.hi) - float64(o.lo)) / bins
	levelWidth := binWidth * float64(end-start+1) / float64(levels)
	if levelWidth == 0 {
		return 0
	}
	bw, lw, half, last := float32(binWidth), float32(levelWidth), float32(levelWidth/2), float32(levels-1)
	cubeHalf := cube(half)
	whole := float32(cubeHalf-cube(-half)) / 3
	var norm [bins]float32
	for i, c := range o.count {
		begin := float32(float32(i-start) * bw)
		stop := begin + bw
		first, final := levelOf(begin, lw, last), levelOf(stop, lw, last)
		density := c / bw
		fromCenter := begin - float32(float32(first+0.5)*lw)
		n := float32(density * (float32(cubeHalf-cube(fromCenter)) / 3))
		n += float32((final - first - 1) * float32(density*whole))
		fromCenter = stop - (float32(final*lw) + half)
		n += float32(density * (float32(cube(fromCenter)-cube(-half)) / 3))
		norm[i] = n
	}
	return float64(sum(&norm))
}

// levelOf is the grid level that x falls on, clamped. The quotient of two float32 in float64 has the exact floor.
func levelOf(x, width, last float32) float32 {
	f := float32(math.Floor(float64(x) / float64(width)))
	if f < 0 {
		return 0
	}
	if f > last {
		return last
	}
	return f
}

func cube(x float32) float32 { return float32(float32(x*x) * x) }

// sum adds in the order of ATen's cascade_sum for a contiguous row (aten/src/ATen/native/cpu/SumKernel.cpp): 4 vectors
// of 8 lanes, in blocks of 16 steps. The search compares sums that differ in their last bits, so the order matters.
func sum(x *[bins]float32) float32 {
	const lanes, block = 32, 16 * 32
	var total [lanes]float32
	for b := range slices.Chunk(x[:], block) {
		var part [lanes]float32
		for row := range slices.Chunk(b, lanes) {
			for k, v := range row {
				part[k] += v
			}
		}
		for k, v := range part {
			total[k] += v
		}
	}
	var s float32
	for k := range 8 {
		s += total[k] + total[8+k] + total[16+k] + total[24+k]
	}
	return s
}
