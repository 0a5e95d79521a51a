package main

import (
	"bytes"
	"fmt"
	"image/png"
	"io"
	"os"

	"quantlab/core/ink"
)

// Bounds of a picture that decodeDigit accepts.
const (
	maxPictureBytes = 16 << 20
	maxPictureSide  = 8192
	maxPicturePixel = 16 << 20 // 64 MB decoded at four bytes a pixel
)

func readDigit(path string) (*ink.Digit, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the picture: %w", err)
	}
	defer f.Close()
	d, err := decodeDigit(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// decodeDigit reads a PNG picture of a single digit and makes an MNIST image of it. A picture whose border is light is
// inverted, since MNIST's ink is light on dark. A picture of 28x28 pixels is otherwise taken as it is; any other is
// treated as MNIST treated its scans, after uneven light and what is no digit have been removed: see ink.ReadPicture.
func decodeDigit(r io.Reader) (*ink.Digit, error) {
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
	p, err := ink.ReadGray(ink.Gray(picture))
	if err != nil {
		return nil, err
	}
	return (*ink.Digit)(p.Centred), nil
}
