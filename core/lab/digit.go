package lab

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"

	"golang.org/x/image/draw"
)

// Bounds of a picture that ReadDigit accepts.
const (
	maxPictureBytes = 16 << 20
	maxPictureSide  = 8192
	maxPicturePixel = 16 << 20 // 64 MB decoded at four bytes a pixel
)

const (
	digitSide = 28 // of an MNIST image
	inkSide   = 20 // of the box that MNIST fits the ink into
)

// A Digit is an image as MNIST has them: 28x28, row-major, 0 is background and 255 is ink.
type Digit [digitSide * digitSide]uint8

// ReadDigit reads a PNG picture of a single digit and makes an MNIST image of it. A picture whose border is light is
// inverted, since MNIST's ink is light on dark. A picture of 28x28 pixels is otherwise taken as it is; any other is
// treated as MNIST treated its scans: the ink's bounding box is scaled, its aspect kept, to fit 20x20, and placed so
// that its centre of mass is the centre of the 28x28 field; its grey levels are stretched to 0 to 255.
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
	return digitOf(picture)
}

func digitOf(picture image.Image) (*Digit, error) {
	gray := lightOnDark(picture)
	d := new(Digit)
	if gray.Rect.Dx() == digitSide && gray.Rect.Dy() == digitSide {
		copy(d[:], gray.Pix)
		return d, nil
	}
	ink := inkBox(gray)
	if ink.Empty() {
		return nil, fmt.Errorf("the picture is empty: draw a digit that differs from its background")
	}
	stretch(gray)
	// The longer side becomes 20 pixels, the shorter one at least 1.
	scale := inkSide / float64(max(ink.Dx(), ink.Dy()))
	w := max(1, int(math.Round(float64(ink.Dx())*scale)))
	h := max(1, int(math.Round(float64(ink.Dy())*scale)))
	small := image.NewGray(image.Rect(0, 0, w, h))
	draw.BiLinear.Scale(small, small.Rect, gray, ink, draw.Src, nil)
	left, top := centre(small)
	for y := range h {
		copy(d[(top+y)*digitSide+left:], small.Pix[y*small.Stride:y*small.Stride+w])
	}
	return d, nil
}

// lightOnDark returns the picture in grey, on white where it is transparent, inverted if its border is light.
func lightOnDark(picture image.Image) *image.Gray {
	b := picture.Bounds()
	gray := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(gray, gray.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(gray, gray.Rect, picture, b.Min, draw.Over)
	sum, n := 0, 0
	for y := range b.Dy() {
		for x := range b.Dx() {
			if x == 0 || y == 0 || x == b.Dx()-1 || y == b.Dy()-1 {
				sum += int(gray.Pix[y*gray.Stride+x])
				n++
			}
		}
	}
	if sum > n*127 {
		for i := range gray.Pix {
			gray.Pix[i] = 255 - gray.Pix[i]
		}
	}
	return gray
}

// inkBox returns the smallest rectangle that holds every pixel more than a quarter of the way from the darkest to the
// brightest: uneven paper is no ink. It is empty for a flat picture.
func inkBox(gray *image.Gray) image.Rectangle {
	darkest, brightest := levels(gray)
	box := image.Rectangle{}
	if brightest-darkest < 16 {
		return box
	}
	for i, p := range gray.Pix {
		if int(p)-darkest > (brightest-darkest)/4 {
			x, y := i%gray.Stride, i/gray.Stride
			box = box.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return box
}

func levels(gray *image.Gray) (darkest, brightest int) {
	return int(slices.Min(gray.Pix)), int(slices.Max(gray.Pix))
}

// stretch makes the darkest pixel 0 and the brightest 255, as in MNIST.
func stretch(gray *image.Gray) {
	darkest, brightest := levels(gray)
	if brightest == darkest {
		return
	}
	for i, p := range gray.Pix {
		gray.Pix[i] = uint8((int(p) - darkest) * 255 / (brightest - darkest))
	}
}

// centre returns where the image's corner goes so that its centre of mass comes to the field's centre, as far as the
// field has room.
func centre(ink *image.Gray) (left, top int) {
	var mass, sumX, sumY float64
	for y := range ink.Rect.Dy() {
		for x := range ink.Rect.Dx() {
			m := float64(ink.Pix[y*ink.Stride+x])
			mass, sumX, sumY = mass+m, sumX+m*(float64(x)+0.5), sumY+m*(float64(y)+0.5)
		}
	}
	if mass == 0 {
		return (digitSide - ink.Rect.Dx()) / 2, (digitSide - ink.Rect.Dy()) / 2
	}
	place := func(middle float64, size int) int {
		return min(max(int(math.Round(digitSide/2-middle)), 0), digitSide-size)
	}
	return place(sumX/mass, ink.Rect.Dx()), place(sumY/mass, ink.Rect.Dy())
}
