// Package ink makes MNIST images of what people draw: strokes of a pen, photos and scans of paper.
package ink

import (
	"math"

	"quantlab/core/lab/wire"
)

const (
	digitSide = wire.DigitSide
	inkSide   = 20 // of the box that MNIST fits the ink into
)

// A Digit is an image as MNIST has them: 28x28, row-major, 0 is background and 255 is ink.
type Digit [digitSide * digitSide]uint8

// centred returns the digit shifted by whole pixels so that its centre of mass comes to the field's centre.
func (d *Digit) centred() (out Digit) {
	var mass, sumX, sumY int
	for i, v := range d {
		mass, sumX, sumY = mass+int(v), sumX+int(v)*(i%digitSide), sumY+int(v)*(i/digitSide)
	}
	if mass == 0 {
		return *d
	}
	right, down := shift(sumX, mass), shift(sumY, mass)
	for i, v := range d {
		if x, y := i%digitSide+right, i/digitSide+down; v > 0 && x >= 0 && x < digitSide && y >= 0 && y < digitSide {
			out[y*digitSide+x] = v
		}
	}
	return out
}

// shift returns by how many pixels a mean position must move to come to the field's centre, which for MNIST is in the middle
// of pixel 14: there the centres of mass of its test images lie on average. Of two places as good it takes the one further to
// the left or top, where a crop of 20x20 keeps all of a digit that fills its box.
func shift(sum, mass int) int {
	const centre = digitSide / 2
	return int(math.Ceil(float64(centre*mass-sum)/float64(mass) - 0.5))
}

// Drawing returns the digit as a drawing that is shown as it is.
func (d *Digit) Drawing() *wire.Drawing {
	return &wire.Drawing{Picture: &wire.Picture{Centred: d[:], AsDrawn: d[:]}}
}

// Ink returns the digit's ink as a share of a field full of it.
func (d *Digit) Ink() float64 {
	sum := 0
	for _, v := range d {
		sum += int(v)
	}
	return float64(sum) / float64(255*len(d))
}
