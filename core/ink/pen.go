package ink

import (
	"math"

	"quantlab/core/lab/wire"
)

const (
	// The pen's ink is full up to penCore pixels from its path, and from there falls evenly to none at penEdge. Of all pens this
	// is the one whose drawings come nearest to MNIST's test images, when both hold the same digits: in all their ink, and
	// in how many pixels are full and how many are grey. TestPenDrawsLikeMNIST has the figures.
	penCore = 0.7
	penEdge = 1.9

	// mostEnlarged is how much a small drawing is enlarged at the most: a tap of an unsteady hand stays a dot.
	mostEnlarged = 8
)

// pixel is the side of a pixel of the field in units of a drawing's grid.
const pixel = float64(wire.DrawingGrid) / digitSide

// Draw draws strokes as wire.Drawing has them; points off its grid are cut away at the field's edge. Unless asDrawn says
// otherwise the strokes are placed as MNIST placed its digits: scaled, their aspect kept, so that the ink fits a box of 20x20,
// and shifted by whole pixels so that its centre of mass comes to the field's centre (LeCun, Cortes, Burges: The MNIST
// database of handwritten digits). The pen is never scaled.
//
// Every machine draws the same bytes: no product is fused with a sum.
func Draw(strokes [][]int, asDrawn bool) *Digit {
	p := &pen{}
	for i := range p.near {
		p.near[i] = penEdge * penEdge
	}
	if asDrawn {
		p.scale, p.left, p.top = 1/pixel, 0.5/pixel, 0.5/pixel
	} else {
		p.fit(strokes)
	}
	for _, s := range strokes {
		p.stroke(s)
	}
	d := new(Digit)
	for i, near := range p.near {
		d[i] = inkAt(near)
	}
	if !asDrawn {
		*d = d.centred()
	}
	return d
}

// inkAt returns the ink at so many square pixels from the pen's path.
func inkAt(near float64) uint8 {
	share := (penEdge - math.Sqrt(near)) / (penEdge - penCore)
	return uint8(float64(255*min(max(share, 0), 1)) + 0.5)
}

// A pen knows where a drawing's points come to lie, and how near its path has come to each pixel's centre.
type pen struct {
	scale, left, top float64
	near             [digitSide * digitSide]float64 // square pixels
}

// fit scales the strokes' box to fill, with the ink around it, a square of inkSide in the middle of the field.
func (p *pen) fit(strokes [][]int) {
	lo, hi := [2]int{wire.DrawingGrid, wire.DrawingGrid}, [2]int{}
	for _, s := range strokes {
		for i, v := range s {
			lo[i%2], hi[i%2] = min(lo[i%2], v), max(hi[i%2], v)
		}
	}
	p.scale = mostEnlarged / pixel
	if longer := max(hi[0]-lo[0], hi[1]-lo[1]); longer > 0 {
		p.scale = min(p.scale, (inkSide-2*penEdge)/float64(longer))
	}
	p.left = digitSide/2 - float64(p.scale*float64(lo[0]+hi[0])/2)
	p.top = digitSide/2 - float64(p.scale*float64(lo[1]+hi[1])/2)
}

// at returns where a point of the drawing lies on the field.
func (p *pen) at(x, y int) (float64, float64) {
	return float64(p.scale*float64(x)) + p.left, float64(p.scale*float64(y)) + p.top
}

// tooNear is a distance, in pixels, to the last point within which a further point is left out: nobody sees it, and a slow
// hand makes many.
const tooNear = 0.05

// stroke draws one polyline. One without a whole point draws nothing.
func (p *pen) stroke(s []int) {
	if len(s) < 2 {
		return
	}
	x0, y0 := p.at(s[0], s[1])
	p.segment(x0, y0, x0, y0)
	for i := 2; i+1 < len(s); i += 2 {
		x1, y1 := p.at(s[i], s[i+1])
		if max(math.Abs(x1-x0), math.Abs(y1-y0)) < tooNear && i < len(s)-2 {
			continue
		}
		p.segment(x0, y0, x1, y1)
		x0, y0 = x1, y1
	}
}

// segment brings the path near the pixels beside it.
func (p *pen) segment(x0, y0, x1, y1 float64) {
	dx, dy := x1-x0, y1-y0
	length := float64(dx*dx) + float64(dy*dy)
	left, right := reach(min(x0, x1), max(x0, x1))
	top, bottom := reach(min(y0, y1), max(y0, y1))
	for y := top; y < bottom; y++ {
		for x := left; x < right; x++ {
			px, py := float64(x)+0.5-x0, float64(y)+0.5-y0
			if length > 0 {
				along := min(max((float64(px*dx)+float64(py*dy))/length, 0), 1)
				px, py = px-float64(along*dx), py-float64(along*dy)
			}
			i := y*digitSide + x
			p.near[i] = min(p.near[i], float64(px*px)+float64(py*py))
		}
	}
}

// reach returns the pixels, from first to end-1, whose centres the ink of a path from lo to hi can touch.
func reach(lo, hi float64) (first, end int) {
	return min(max(int(lo-penEdge), 0), digitSide), min(max(int(hi+penEdge)+1, 0), digitSide)
}
