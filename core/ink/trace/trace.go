// Package trace turns images of digits back into strokes of a pen, for tests that draw the digits of a test set: it thins the
// ink to lines one pixel wide and follows them. The strokes' order and direction are not the writer's.
package trace

import (
	"math"
	"slices"

	"quantlab/core/lab/wire"
)

const (
	fine = 4                     // pixels of the thinned picture to a pixel of the image
	side = fine * wire.DigitSide // of the thinned picture
	spur = 5                     // a branch of fewer thin pixels is an artefact of thinning
)

// Trace returns strokes that look like the image, DigitSide x DigitSide with 0 for background, when they are drawn: x, y, x,
// y, … on wire's DrawingGrid. An image without ink has none.
func Trace(digit [wire.DigitSide * wire.DigitSide]byte) [][]int {
	p := enlarge(&digit)
	blots := p.blots()
	p.thin()
	for _, b := range blots {
		if !slices.ContainsFunc(b.pixels, func(i int) bool { return p[i] }) {
			p[b.middle] = true // thinning peels a square away
		}
	}
	p.prune()
	var strokes [][]int
	for _, line := range p.lines() {
		strokes = append(strokes, points(line))
	}
	return strokes
}

// A picture is black or white, with a margin of one pixel so that every pixel inside has eight neighbours.
type picture [(side + 2) * (side + 2)]bool

const stride = side + 2

// around are the neighbours of a pixel, clockwise from the one above.
var around = [8]int{-stride, -stride + 1, 1, stride + 1, stride, stride - 1, -1, -stride - 1}

// enlarge interpolates the image and cuts at half of full ink.
func enlarge(digit *[wire.DigitSide * wire.DigitSide]byte) *picture {
	at := func(x, y int) float64 {
		if x < 0 || y < 0 || x >= wire.DigitSide || y >= wire.DigitSide {
			return 0
		}
		return float64(digit[y*wire.DigitSide+x])
	}
	p := new(picture)
	for y := range side {
		for x := range side {
			fx, fy := (float64(x)+0.5)/fine-0.5, (float64(y)+0.5)/fine-0.5
			left, top := int(math.Floor(fx)), int(math.Floor(fy))
			rx, ry := fx-float64(left), fy-float64(top)
			v := (1-ry)*((1-rx)*at(left, top)+rx*at(left+1, top)) + ry*((1-rx)*at(left, top+1)+rx*at(left+1, top+1))
			p[(y+1)*stride+x+1] = v >= 128
		}
	}
	return p
}

// A blot is connected ink.
type blot struct {
	pixels []int
	middle int // the pixel at their mean
}

// blots returns the picture's ink.
func (p *picture) blots() (blots []blot) {
	seen := new(picture)
	for i, ink := range p {
		if !ink || seen[i] {
			continue
		}
		seen[i] = true
		b, x, y := blot{pixels: []int{i}}, 0, 0
		for k := 0; k < len(b.pixels); k++ {
			at := b.pixels[k]
			x, y = x+at%stride, y+at/stride
			for _, d := range around {
				if p[at+d] && !seen[at+d] {
					seen[at+d] = true
					b.pixels = append(b.pixels, at+d)
				}
			}
		}
		b.middle = y/len(b.pixels)*stride + x/len(b.pixels)
		blots = append(blots, b)
	}
	return blots
}

// thin peels the ink from all sides until lines are left, by Zhang and Suen's algorithm (A fast parallel algorithm for thinning
// digital patterns, 1984).
func (p *picture) thin() {
	for peeled := true; peeled; {
		peeled = false
		for pass := range 2 {
			var gone []int
			for i, ink := range p {
				if ink && p.peels(i, pass) {
					gone = append(gone, i)
				}
			}
			for _, i := range gone {
				p[i], peeled = false, true
			}
		}
	}
}

func (p *picture) peels(i, pass int) bool {
	neighbours, changes := 0, 0
	for k, d := range around {
		if p[i+d] {
			neighbours++
		} else if p[i+around[(k+1)%8]] {
			changes++
		}
	}
	up, right, down, left := p[i-stride], p[i+1], p[i+stride], p[i-1]
	if pass == 0 {
		return neighbours >= 2 && neighbours <= 6 && changes == 1 && !(up && right && down) && !(right && down && left)
	}
	return neighbours >= 2 && neighbours <= 6 && changes == 1 && !(up && right && left) && !(up && down && left)
}

// next returns the pixels that a line can go on to from i. A diagonal neighbour counts only where no straight step leads to it.
func (p *picture) next(i int) (out []int) {
	for k, d := range around {
		if p[i+d] && (k%2 == 0 || !p[i+around[(k+1)%8]] && !p[i+around[(k+7)%8]]) {
			out = append(out, i+d)
		}
	}
	return out
}

// prune removes short branches that end freely, but not a line that is no branch.
func (p *picture) prune() {
	for i, ink := range p {
		if !ink || len(p.next(i)) != 1 {
			continue
		}
		branch, at := []int{i}, p.next(i)[0]
		for len(p.next(at)) == 2 && len(branch) <= spur {
			from := branch[len(branch)-1]
			branch = append(branch, at)
			if n := p.next(at); n[0] == from {
				at = n[1]
			} else {
				at = n[0]
			}
		}
		if len(branch) < spur && len(p.next(at)) > 2 {
			for _, k := range branch {
				p[k] = false
			}
		}
	}
}

// lines follows the lines: from their free ends and forks first, then round what is left, which are loops. At a fork a
// line goes straight on as far as it can.
func (p *picture) lines() (lines [][]int) {
	walked := map[[2]int]bool{}
	walk := func(i int) {
		for {
			line := []int{i}
			for at := i; ; {
				to := p.straightest(line, walked)
				if to < 0 {
					break
				}
				walked[[2]int{at, to}], walked[[2]int{to, at}] = true, true
				line, at = append(line, to), to
			}
			if len(line) < 2 {
				return
			}
			lines = append(lines, line)
		}
	}
	for _, loops := range []bool{false, true} {
		for i, ink := range p {
			if ink && (loops || len(p.next(i)) != 2) {
				walk(i)
			}
			if ink && !loops && len(p.next(i)) == 0 {
				lines = append(lines, []int{i}) // a dot
			}
		}
	}
	return lines
}

// straightest returns the step from the line's end that has not been walked and bends least, -1 if there is none.
func (p *picture) straightest(line []int, walked map[[2]int]bool) int {
	at := line[len(line)-1]
	from := line[max(len(line)-1-2*fine, 0)]
	best, most := -1, math.Inf(-1)
	for _, to := range p.next(at) {
		if walked[[2]int{at, to}] {
			continue
		}
		ax, ay := float64(at%stride-from%stride), float64(at/stride-from/stride)
		bx, by := float64(to%stride-at%stride), float64(to/stride-at/stride)
		if along := (ax*bx + ay*by) / math.Hypot(bx, by); along > most {
			best, most = to, along
		}
	}
	return best
}

// points places a line on the drawing's grid, smoothed over neighbouring pixels, every second one of them.
func points(line []int) (out []int) {
	for i := range line {
		if i%2 != 0 && i != len(line)-1 {
			continue
		}
		reach := min(fine, i, len(line)-1-i) // ends stay where they are
		var x, y float64
		for _, k := range line[i-reach : i+reach+1] {
			x, y = x+float64(k%stride)-0.5, y+float64(k/stride)-0.5
		}
		n := float64(2*reach + 1)
		out = append(out, grid(x/n), grid(y/n))
	}
	return out
}

// grid converts a length in pixels of the thinned picture.
func grid(v float64) int { return min(max(int(v*wire.DrawingGrid/side), 0), wire.DrawingGrid-1) }
