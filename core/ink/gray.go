package ink

import (
	"image"
	"image/color"
)

// Gray returns the picture in shades of grey, on white where it is transparent; the picture itself, if it is that already. It takes one
// byte a pixel: bound the size before. Package image/draw would do the same faster, but adds 12 KB to the page's download.
func Gray(picture image.Image) *image.Gray {
	b := picture.Bounds()
	if g, ok := picture.(*image.Gray); ok && b.Min == (image.Point{}) && g.Stride == b.Dx() {
		return g // as the digits of most data sets are stored
	}
	gray := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := picture.At(b.Min.X+x, b.Min.Y+y)
			r, g, bl, a := c.RGBA()
			white := 0xffff - a // the colours are premultiplied
			gray.SetGray(x, y, color.GrayModel.Convert(color.RGBA64{uint16(r + white), uint16(g + white), uint16(bl + white), 0xffff}).(color.Gray))
		}
	}
	return gray
}
