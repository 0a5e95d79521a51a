package ink

import (
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
)

// ReadPicture makes MNIST images of a photo or scan of a digit. The digit may be dark on light or light on dark, the light
// uneven; specks and dark edges are ignored. One of DigitSide x DigitSide pixels is taken as it is, inverted if its border is
// light.
func ReadPicture(g wire.GrayPicture) (*wire.Picture, error) {
	if g.Width < 1 || g.Height < 1 || g.Width > wire.MaxGrayPixels/g.Height || len(g.Gray) != g.Width*g.Height {
		return nil, fmt.Errorf("a picture of %d x %d pixels came with %d bytes: give one a pixel, and at most %d", g.Width, g.Height, len(g.Gray), wire.MaxGrayPixels)
	}
	return ReadGray(&image.Gray{Pix: g.Gray, Stride: g.Width, Rect: image.Rect(0, 0, g.Width, g.Height)})
}

const (
	workSide    = 400 // longer side, in pixels, of the picture in which a digit is looked for
	fineSide    = 80  // longer side of the digit when its strokes are made as wide as MNIST's: four times that of MNIST's box
	noiseFactor = 5   // ink is darker than the paper by so many standard deviations of its noise,
	leastInk    = 14  // by so much of 255 at least,
	inkShare    = 0.4 // and by so much of the ink's usual darkness
	leastDigit  = 33  // the picture's longer side is at most so many times the digit's
)

var errEmpty = errors.New("the picture is empty: give one of a digit that differs from its background")

// ReadGray is ReadPicture for pictures of any size. It takes up to eight bytes a pixel: bound the size before.
func ReadGray(g *image.Gray) (*wire.Picture, error) {
	if g.Rect.Empty() {
		return nil, errEmpty
	}
	if g.Rect.Dx() == digitSide && g.Rect.Dy() == digitSide {
		return readSmall(g)
	}
	p := newPlane(g.Rect.Dx(), g.Rect.Dy())
	p.within(func(i, x, y int) { p.v[i] = float32(g.Pix[y*g.Stride+x]) })
	if max(p.w, p.h) > workSide {
		w, h := fitted(p.w, p.h, workSide)
		p = p.scaled(0, 0, p.w, p.h, w, h)
	}
	if lo, hi := span(p.v); hi-lo < leastInk {
		return nil, errEmpty
	}
	ink, inverted := inkOf(p)
	marks, strength, err := ink.find()
	if err != nil {
		return nil, err
	}
	cut, box := ink.cut(marks, strength)
	small, thickened := cut.normalized(box)
	centred := small.centred()
	asDrawn := ink.squeezed(strength)
	out := &wire.Picture{Centred: centred[:], AsDrawn: asDrawn[:]}
	var notes []string
	if !inverted {
		notes = append(notes, "inverted: the models read light ink on a dark field")
	}
	if thickened {
		notes = append(notes, "its thin lines were made as wide as MNIST's")
	}
	out.Note = strings.Join(notes, "; ")
	return out, nil
}

// readSmall takes a picture of an MNIST image's size as it is, but for its polarity.
func readSmall(g *image.Gray) (*wire.Picture, error) {
	d, sum := new(Digit), 0
	for i := range d {
		x, y := i%digitSide, i/digitSide
		d[i] = g.Pix[y*g.Stride+x]
		if x == 0 || y == 0 || x == digitSide-1 || y == digitSide-1 {
			sum += int(d[i])
		}
	}
	if slices.Min(d[:]) == slices.Max(d[:]) {
		return nil, errEmpty
	}
	out := &wire.Picture{Centred: d[:], AsDrawn: d[:]}
	if sum > 127*4*(digitSide-1) {
		for i, v := range d {
			d[i] = 255 - v
		}
		out.Note = "inverted: the models read light ink on a dark field"
	}
	return out, nil
}

// find returns the marks that are the digit, and how dark ink usually is in them.
func (p plane) find() (marks []mark, strength float32, err error) {
	middle, top := quantile(p.v, 0.5), quantile(p.v, 0.999)
	paper := min(middle, top/10) // where most is ink, the middle is no paper
	floor := max(paper+noiseFactor*p.noise(), leastInk)

	inner := newPlane(p.w, p.h)
	var strong []float32
	for _, m := range p.withoutFrame(p.marks(floor)) {
		for _, i := range m.pixels {
			inner.v[i] = p.v[i]
			strong = append(strong, p.v[i])
		}
	}
	if len(strong) == 0 {
		return nil, 0, errEmpty
	}
	strength = quantile(strong, 0.9)
	marks = digit(inner.marks(max(floor, inkShare*strength)))
	box := image.Rectangle{}
	for _, m := range marks {
		box = box.Union(m.box)
	}
	if max(box.Dx(), box.Dy())*leastDigit < max(p.w, p.h) {
		return nil, 0, errors.New("there are only specks in the picture: give one in which the digit is larger")
	}
	return marks, strength, nil
}

// noise estimates the standard deviation of the picture's noise from what neighbouring pixels differ by, which ink hardly
// changes.
func (p plane) noise() float32 {
	differences := make([]float32, 0, len(p.v))
	for i := 1; i < len(p.v); i++ {
		differences = append(differences, max(p.v[i]-p.v[i-1], p.v[i-1]-p.v[i]))
	}
	if len(differences) == 0 {
		return 0
	}
	const sigma = 1.4826 / math.Sqrt2 // of a normal distribution, in median differences of two of its values
	return sigma * quantile(differences, 0.5)
}

// cut returns the marks alone, with the soft edge around them, from 0 to 255, and their box.
func (p plane) cut(marks []mark, strength float32) (plane, image.Rectangle) {
	out, box := newPlane(p.w, p.h), image.Rectangle{}
	for _, m := range marks {
		box = box.Union(m.box)
		for _, i := range m.pixels {
			for y := max(i/p.w-1, 0); y <= min(i/p.w+1, p.h-1); y++ {
				for x := max(i%p.w-1, 0); x <= min(i%p.w+1, p.w-1); x++ {
					k := y*p.w + x
					out.v[k] = 255 * min(max(p.v[k]/strength, 0), 1)
				}
			}
		}
	}
	return out, box
}

// squeezed returns the whole picture, its aspect kept, shrunk into the field.
func (p plane) squeezed(strength float32) (d Digit) {
	bounded := newPlane(p.w, p.h)
	for i, v := range p.v {
		bounded.v[i] = 255 * min(max(v/strength, 0), 1)
	}
	w, h := fitted(p.w, p.h, digitSide)
	d.put(bounded.scaled(0, 0, p.w, p.h, w, h), 1)
	return d
}

// put places the plane in the middle of the empty digit, its values multiplied.
func (d *Digit) put(p plane, gain float32) {
	left, top := (digitSide-p.w)/2, (digitSide-p.h)/2
	p.within(func(i, x, y int) {
		d[(top+y)*digitSide+left+x] = uint8(min(gain*p.v[i], 255) + 0.5)
	})
}

// normalized scales the box to fit inkSide x inkSide, its strokes made no thinner than MNIST's.
func (p plane) normalized(box image.Rectangle) (d Digit, thickened bool) {
	w, h := fitted(box.Dx(), box.Dy(), fineSide)
	fine := p.scaled(box.Min.X, box.Min.Y, box.Max.X, box.Max.Y, w, h)
	fine.stretch()
	if radius := fine.missing(); radius >= 1 {
		thickened = true
		// Room for what the strokes gain.
		w, h = fitted(box.Dx(), box.Dy(), fineSide-2*radius)
		room := newPlane(w+2*radius, h+2*radius)
		fine = p.scaled(box.Min.X, box.Min.Y, box.Max.X, box.Max.Y, w, h)
		fine.stretch()
		fine.within(func(i, x, y int) { room.v[(y+radius)*room.w+x+radius] = fine.v[i] })
		fine = room.spread(radius)
	}
	w, h = fitted(fine.w, fine.h, inkSide)
	small := fine.scaled(0, 0, fine.w, fine.h, w, h)
	_, darkest := span(small.v)
	d.put(small, 255/max(darkest, 1))
	return d, thickened
}

// stretch makes the usual ink full.
func (p plane) stretch() {
	var ink []float32
	for _, v := range p.v {
		if v > 32 {
			ink = append(ink, v)
		}
	}
	if len(ink) == 0 {
		return
	}
	full := quantile(ink, 0.8)
	for i, v := range p.v {
		p.v[i] = min(255*v/full, 255)
	}
}

// missing returns by how many pixels the strokes of a digit of fineSide must grow on each side to be as wide as MNIST's. Their
// width is twice their area over the length of their outline.
func (p plane) missing() int {
	const usual = (penCore + penEdge) * fineSide / inkSide
	area, outline := 0, 0
	dark := func(x, y int) bool { return x >= 0 && y >= 0 && x < p.w && y < p.h && p.v[y*p.w+x] > 127 }
	p.within(func(_, x, y int) {
		if !dark(x, y) {
			return
		}
		area++
		for _, n := range [4]image.Point{{x - 1, y}, {x + 1, y}, {x, y - 1}, {x, y + 1}} {
			if !dark(n.X, n.Y) {
				outline++
			}
		}
	})
	if area == 0 {
		return 0
	}
	return int((usual - 2*float64(area)/float64(outline)) / 2)
}

// spread takes for each pixel the darkest ink within the radius.
func (p plane) spread(radius int) plane {
	out := newPlane(p.w, p.h)
	p.within(func(i, x, y int) {
		if p.v[i] == 0 {
			return
		}
		for dy := max(-radius, -y); dy <= min(radius, p.h-1-y); dy++ {
			for dx := max(-radius, -x); dx <= min(radius, p.w-1-x); dx++ {
				if dx*dx+dy*dy <= radius*radius {
					k := i + dy*p.w + dx
					out.v[k] = max(out.v[k], p.v[i])
				}
			}
		}
	})
	return out
}
