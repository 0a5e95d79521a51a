package ink

// How the paper's brightness is estimated where the light is uneven.
const (
	paperCells = 10   // of a grid along the picture's longer side;
	paperShare = 0.8  // in a cell with its neighbours so much is darker than the paper, or as dark
	surelyInk  = 0.2  // what is darker than that paper by such a share is left out of a second estimate,
	enoughLeft = 0.25 // if so much of a cell is left
	evenBorder = 0.15 // of the picture's contrast: a border that varies by no more is evenly lit paper
	leastPaper = 16   // paper is at least this bright, whatever was measured
)

// inkOf returns how much darker each pixel is than the paper there, in 255ths of the paper's brightness; less than 0 where it is
// brighter. Where the writing is light on dark the picture is inverted first, which is reported.
func inkOf(p plane) (ink plane, inverted bool) {
	border := p.border()
	lo, hi := quantile(p.v, 0.001), quantile(p.v, 0.999)
	even := quantile(border, 0.9)-quantile(border, 0.1) <= evenBorder*(hi-lo)
	if even {
		inverted = quantile(border, 0.5) < (lo+hi)/2
	} else {
		inverted = p.skew() > 0
	}
	if inverted {
		light := newPlane(p.w, p.h)
		for i, v := range p.v {
			light.v[i] = 255 - v
		}
		p = light
	}
	if !even {
		return p.against(p.paper()), inverted
	}
	return p.against(plane{1, 1, []float32{quantile(p.border(), 0.5)}}), inverted
}

// against returns how much darker each pixel is than the paper, whose brightness is given on a coarse grid.
func (p plane) against(paper plane) plane {
	ink := newPlane(p.w, p.h)
	p.within(func(i, x, y int) {
		bright := max(paper.between(x, y, p.w, p.h), leastPaper)
		ink.v[i] = 255 * (1 - p.v[i]/bright)
	})
	return ink
}

// border returns the pixels of the picture's frame.
func (p plane) border() (out []float32) {
	width := max(min(p.w, p.h)/32, 1)
	p.within(func(i, x, y int) {
		if x < width || y < width || x >= p.w-width || y >= p.h-width {
			out = append(out, p.v[i])
		}
	})
	return out
}

// grid returns the size of a grid of square cells over the picture.
func (p plane) grid() (w, h int) { return fitted(p.w, p.h, min(paperCells, max(p.w, p.h))) }

// cells calls f for each cell of the grid with the pixels of it and of those up to reach cells away.
func (p plane) cells(reach int, f func(cell int, pixels []float32)) {
	w, h := p.grid()
	var pixels []float32
	for cell := range w * h {
		x, y := cell%w, cell/w
		left, right := max(x-reach, 0)*p.w/w, min(x+reach+1, w)*p.w/w
		pixels = pixels[:0]
		for row := max(y-reach, 0) * p.h / h; row < min(y+reach+1, h)*p.h/h; row++ {
			pixels = append(pixels, p.v[row*p.w+left:row*p.w+right]...)
		}
		f(cell, pixels)
	}
}

// skew is above 0 where what sticks out of its surroundings is brighter than these, below 0 where it is darker. Light that
// changes over the picture does not count.
func (p plane) skew() (sum float64) {
	p.cells(1, func(_ int, pixels []float32) {
		middle := quantile(pixels, 0.5)
		for _, v := range pixels {
			d := float64(v - middle)
			sum += d * d * d
		}
	})
	return sum
}

// paper returns the paper's brightness on a coarse grid. What is bright around a cell is a first estimate; where the light
// changes that is too much, so the second one is the mean of all in the cell that is not ink by the first.
func (p plane) paper() plane {
	w, h := p.grid()
	first, second := newPlane(w, h), newPlane(w, h)
	p.cells(1, func(cell int, pixels []float32) { first.v[cell] = quantile(pixels, paperShare) })
	p.cells(0, func(cell int, pixels []float32) {
		n, sum := 0, float32(0)
		for _, v := range pixels {
			if v >= (1-surelyInk)*first.v[cell] {
				n, sum = n+1, sum+v
			}
		}
		second.v[cell] = first.v[cell]
		if float64(n) > enoughLeft*float64(len(pixels)) {
			second.v[cell] = sum / float32(n)
		}
	})
	return second
}

// between returns the coarse plane's value under pixel x, y of a picture of w x h: linear between the middles of its cells, and
// beyond the outermost ones as between the last two.
func (p plane) between(x, y, w, h int) float32 {
	at := func(k, n, cells int) (cell int, rest float32) {
		f := (float32(k)+0.5)*float32(cells)/float32(n) - 0.5
		cell = min(max(int(f), 0), max(cells-2, 0))
		return cell, f - float32(cell)
	}
	cx, rx := at(x, w, p.w)
	cy, ry := at(y, h, p.h)
	row := func(cy int) float32 {
		return (1-rx)*p.v[cy*p.w+cx] + rx*p.v[cy*p.w+min(cx+1, p.w-1)]
	}
	return (1-ry)*row(cy) + ry*row(min(cy+1, p.h-1))
}
