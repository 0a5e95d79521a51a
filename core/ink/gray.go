package ink

import (
	"image"
	"image/color"
	"image/draw"
)

// Gray returns the picture in shades of grey, on white where it is transparent. It takes one byte a pixel: bound the size before.
func Gray(picture image.Image) *image.Gray {
	b := picture.Bounds()
	gray := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(gray, gray.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(gray, gray.Rect, picture, b.Min, draw.Over)
	return gray
}
