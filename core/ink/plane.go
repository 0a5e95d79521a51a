package ink

// A plane is a picture in shades of grey, 0 to 255, row-major.
type plane struct {
	w, h int
	v    []float32
}

func newPlane(w, h int) plane { return plane{w, h, make([]float32, w*h)} }

// within calls f for every pixel of the plane with its place.
func (p plane) within(f func(i, x, y int)) {
	for i := range p.v {
		f(i, i%p.w, i/p.w)
	}
}

// scaled returns the part of the plane from left, top to right, bottom as a plane of w x h, each pixel the mean of the area that
// it stands for.
func (p plane) scaled(left, top, right, bottom, w, h int) plane {
	across, down := shares(left, right, w), shares(top, bottom, h)
	rows := newPlane(w, bottom-top)
	for y := range rows.h {
		line := p.v[(top+y)*p.w : (top+y+1)*p.w]
		for x, s := range across {
			rows.v[y*w+x] = s.mean(line, 1)
		}
	}
	out := newPlane(w, h)
	for i := range down {
		down[i].from -= top
	}
	for y, s := range down {
		for x := range w {
			out.v[y*w+x] = s.mean(rows.v[x:], w)
		}
	}
	return out
}

// A share is what one pixel of a scaled line is the mean of.
type share struct {
	from   int
	weight []float32 // of the pixels there; together 1
}

// shares divides the pixels lo to hi-1 among n.
func shares(lo, hi, n int) []share {
	out := make([]share, n)
	step := float64(hi-lo) / float64(n)
	for i := range out {
		a, b := float64(lo)+float64(i)*step, float64(lo)+float64(i+1)*step
		out[i].from = int(a)
		for k := int(a); k < hi && float64(k) < b; k++ {
			covered := min(b, float64(k+1)) - max(a, float64(k))
			out[i].weight = append(out[i].weight, float32(covered/step))
		}
	}
	return out
}

// mean returns the weighted mean of pixels that lie stride apart.
func (s share) mean(line []float32, stride int) (sum float32) {
	for k, w := range s.weight {
		sum += w * line[(s.from+k)*stride]
	}
	return sum
}

// fitted returns the size of a w x h picture that is scaled, its aspect kept, so that its longer side is side.
func fitted(w, h, side int) (int, int) {
	long := max(w, h)
	return max((2*w*side+long)/(2*long), 1), max((2*h*side+long)/(2*long), 1)
}

// span returns the smallest and the largest of the values, of which there is one at least.
func span(values []float32) (lo, hi float32) {
	lo, hi = values[0], values[0]
	for _, v := range values {
		if v < lo {
			lo = v
		} else if v > hi {
			hi = v
		}
	}
	return lo, hi
}

// quantile returns the value below which the given share of the values lies, to a two-thousandth of their range.
func quantile(values []float32, share float64) float32 {
	const bins = 2048
	lo, hi := span(values)
	if lo == hi {
		return lo
	}
	var count [bins]int
	scale := (bins - 1) / (hi - lo)
	for _, v := range values {
		count[int((v-lo)*scale)]++
	}
	below := int(share * float64(len(values)))
	for i, n := range count {
		if below -= n; below < 0 {
			return lo + float32(i)/scale
		}
	}
	return hi
}
