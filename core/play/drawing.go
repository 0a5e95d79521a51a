package play

import (
	"context"
	"errors"
	"fmt"

	"quantlab/core/ink"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// render makes an MNIST image of a drawing.
func (b *Bench) render(ctx context.Context, spec nn.Spec, d *wire.Drawing) (*ink.Digit, error) {
	points, err := checkDrawing(d)
	if err != nil {
		return nil, err
	}
	under, err := b.under(ctx, spec, d)
	if err != nil {
		return nil, err
	}
	var digit *ink.Digit
	switch {
	case points == 0 && under == nil:
		return nil, errors.New("nothing is drawn yet: draw a digit, or choose one")
	case points == 0:
		digit = new(ink.Digit)
		copy(digit[:], under)
	default:
		digit = ink.Draw(d.Strokes, d.AsDrawn || under != nil)
		for i, v := range under {
			digit[i] = max(digit[i], v)
		}
	}
	if d.Invert {
		for i, v := range digit {
			digit[i] = 255 - v
		}
	}
	return digit, nil
}

// checkDrawing refuses a drawing that is malformed or too large, and counts its points.
func checkDrawing(d *wire.Drawing) (points int, err error) {
	for i, s := range d.Strokes {
		if len(s) == 0 || len(s)%2 != 0 {
			return 0, fmt.Errorf("stroke %d of the drawing has %d numbers: give x and y of at least one point", i+1, len(s))
		}
		if points += len(s) / 2; points > wire.MaxPoints {
			return 0, fmt.Errorf("the drawing has more than %d points: clear it and draw fewer strokes", wire.MaxPoints)
		}
		for _, v := range s {
			if v < 0 || v >= wire.DrawingGrid {
				return 0, fmt.Errorf("stroke %d of the drawing leaves the field: %d is not between 0 and %d", i+1, v, wire.DrawingGrid-1)
			}
		}
	}
	if d.Picture != nil && d.Example != nil {
		return 0, errors.New("a picture and an example can't both lie under the strokes: give one of them")
	}
	if p := d.Picture; p != nil && (len(p.Centred) != len(ink.Digit{}) || len(p.AsDrawn) != len(ink.Digit{})) {
		return 0, fmt.Errorf("the picture under the drawing has %d and %d pixels: give %d x %d", len(p.Centred), len(p.AsDrawn), wire.DigitSide, wire.DigitSide)
	}
	return points, nil
}

// under returns the image under the strokes, nil if there is none.
func (b *Bench) under(ctx context.Context, spec nn.Spec, d *wire.Drawing) ([]byte, error) {
	switch {
	case d.Example != nil:
		return b.example(ctx, spec, *d.Example)
	case d.Picture != nil && d.AsDrawn:
		return d.Picture.AsDrawn, nil
	case d.Picture != nil:
		return d.Picture.Centred, nil
	}
	return nil, nil
}

// firstExamples is how many test images are read where one of them is wanted: what the page's first run has read already.
const firstExamples = 1000

// example returns an image of the test set of spec's model, uncropped.
func (b *Bench) example(ctx context.Context, spec nn.Spec, index int) ([]byte, error) {
	whole, err := uncropped(spec)
	if err != nil {
		return nil, err
	}
	n := 0
	if index < firstExamples {
		n = firstExamples
	}
	images, err := b.src.Test(ctx, whole, n, nil)
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= images.Len() {
		return nil, fmt.Errorf("there is no test image %d: give 0 to %d", index, images.Len()-1)
	}
	return images.Pixels[index*images.Dim : (index+1)*images.Dim], nil
}
