package play

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"

	"quantlab/core/lab/wire"
)

// Bounds of a picture that ReadDigit accepts.
const (
	maxPictureBytes = 16 << 20
	maxPictureSide  = 8192
	maxPicturePixel = 16 << 20 // 64 MB decoded at four bytes a pixel
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

// mostlyInk is more ink than a digit has: a share of a field of 255s.
const mostlyInk = 0.6

// ink returns the share of a full field's ink.
func (d *Digit) ink() float64 {
	sum := 0
	for _, v := range d {
		sum += int(v)
	}
	return float64(sum) / float64(255*len(d))
}

// ReadDigit reads a PNG picture of a single digit and makes an MNIST image of it. A picture whose border is light is
// inverted, since MNIST's ink is light on dark. A picture of 28x28 pixels is otherwise taken as it is; any other is
// treated as MNIST treated its scans, after uneven light and what is no digit have been removed: see ReadPicture.
func ReadDigit(r io.Reader) (*Digit, error) {
	file, err := io.ReadAll(io.LimitReader(r, maxPictureBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the picture: %w", err)
	}
	if len(file) > maxPictureBytes {
		return nil, fmt.Errorf("the picture's file is over %d MB: give a smaller one", maxPictureBytes>>20)
	}
	config, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("not a PNG picture (%w): give a PNG file", err)
	}
	if config.Width > maxPictureSide || config.Height > maxPictureSide || config.Width*config.Height > maxPicturePixel {
		return nil, fmt.Errorf("the picture has %d x %d pixels: give one of at most %d million", config.Width, config.Height, maxPicturePixel>>20)
	}
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("the PNG picture is damaged (%w): save it again", err)
	}
	p, err := readGray(grey(picture))
	if err != nil {
		return nil, err
	}
	d := Digit(p.Centred)
	return &d, nil
}

// grey returns the picture in shades of grey, on white where it is transparent.
func grey(picture image.Image) *image.Gray {
	b := picture.Bounds()
	gray := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(gray, gray.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(gray, gray.Rect, picture, b.Min, draw.Over)
	return gray
}
