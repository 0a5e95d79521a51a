package ink

import (
	"image"
	"slices"
)

// A mark is a connected piece of ink.
type mark struct {
	pixels []int
	mass   float32 // of its ink
	box    image.Rectangle
	edge   int // pixels on the picture's edge
}

// marks returns the pieces of ink above the threshold, which hang together by sides or corners.
func (p plane) marks(threshold float32) (out []mark) {
	seen := make([]bool, len(p.v))
	for i, v := range p.v {
		if v <= threshold || seen[i] {
			continue
		}
		seen[i] = true
		m := mark{pixels: []int{i}}
		for k := 0; k < len(m.pixels); k++ {
			x, y := m.pixels[k]%p.w, m.pixels[k]/p.w
			m.mass += p.v[m.pixels[k]]
			m.box = m.box.Union(image.Rect(x, y, x+1, y+1))
			if x == 0 || y == 0 || x == p.w-1 || y == p.h-1 {
				m.edge++
			}
			for ny := max(y-1, 0); ny <= min(y+1, p.h-1); ny++ {
				for nx := max(x-1, 0); nx <= min(x+1, p.w-1); nx++ {
					if n := ny*p.w + nx; !seen[n] && p.v[n] > threshold {
						seen[n] = true
						m.pixels = append(m.pixels, n)
					}
				}
			}
		}
		out = append(out, m)
	}
	return out
}

// What makes marks a digit.
const (
	frameShare = 0.12 // of the picture's edge: a mark that lies along more of it is a shadow, or the table under the paper
	nearBy     = 0.25 // of the digit's longer side: so near to it a mark can belong to it,
	notSpeck   = 0.02 // if it has so much of its ink
)

// withoutFrame leaves out the marks that lie along the picture's edge, unless there are no others.
func (p plane) withoutFrame(all []mark) []mark {
	most := int(frameShare * float64(2*(p.w+p.h)))
	inner := slices.DeleteFunc(slices.Clone(all), func(m mark) bool { return m.edge > most })
	if len(inner) == 0 {
		return all
	}
	return inner
}

// digit returns the mark of most ink with those near it, and those near these.
func digit(all []mark) []mark {
	if len(all) == 0 {
		return nil
	}
	left := slices.SortedFunc(slices.Values(all), func(a, b mark) int {
		switch {
		case a.mass > b.mass:
			return -1
		case a.mass < b.mass:
			return 1
		}
		return 0
	})
	kept, box, least := left[:1:1], left[0].box, notSpeck*left[0].mass
	left = slices.DeleteFunc(left[1:], func(m mark) bool { return m.mass < least })
	for grew := true; grew; {
		grew = false
		reach := int(nearBy * float64(max(box.Dx(), box.Dy())))
		around := box.Inset(-max(reach, 1))
		left = slices.DeleteFunc(left, func(m mark) bool {
			if !m.box.Overlaps(around) {
				return false
			}
			kept, box, grew = append(kept, m), box.Union(m.box), true
			return true
		})
	}
	return kept
}
