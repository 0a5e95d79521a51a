package app

import (
	"encoding/base64"
	"encoding/binary"
	"errors"

	"quantlab/core/lab/wire"
)

// The texts of a drawing in an address, in base64url. Strokes are, each, the number of its points and then the points' distances
// from the one before in x and y, the first one's from the end of the last stroke; all are varints, the distances signed, so that most
// take one byte. A picture is its two images, one after the other, each as runs: how many pixels are background, how many follow that
// are not, and those.

// maxLink is how long an address may get, in characters, and still be carried by mail programs and servers.
const maxLink = 8000

var (
	errStrokes = errors.New("these strokes can't be read")
	errPicture = errors.New("this picture can't be read")
)

// encodeStrokes spells strokes, x, y, x, y, … on the drawing's grid; decodeStrokes reads them. No strokes are "".
func encodeStrokes(strokes [][]int) string {
	var b []byte
	x, y := 0, 0
	for _, s := range strokes {
		b = binary.AppendUvarint(b, uint64(len(s)/2))
		for i := 0; i+1 < len(s); i += 2 {
			b = binary.AppendVarint(b, int64(s[i]-x))
			b = binary.AppendVarint(b, int64(s[i+1]-y))
			x, y = s[i], s[i+1]
		}
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func decodeStrokes(text string) ([][]int, error) {
	const most = wire.MaxPoints * 6 // bytes: two varints of at most two bytes a point, and a count for each stroke
	if len(text) > base64.RawURLEncoding.EncodedLen(most) {
		return nil, errStrokes
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errStrokes
	}
	var strokes [][]int
	total, at := 0, [2]int{}
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n == 0 || n > uint64(wire.MaxPoints-total) {
			return nil, errStrokes
		}
		b, total = b[size:], total+int(n)
		var s []int
		for range n {
			for i := range at {
				d, size := binary.Varint(b)
				if size <= 0 || d < -wire.DrawingGrid || d > wire.DrawingGrid {
					return nil, errStrokes
				}
				b = b[size:]
				if at[i] += int(d); at[i] < 0 || at[i] >= wire.DrawingGrid {
					return nil, errStrokes
				}
			}
			s = append(s, at[0], at[1])
		}
		strokes = append(strokes, s)
	}
	return strokes, nil
}

const digitPixels = wire.DigitSide * wire.DigitSide

// encodePicture spells a picture's two images; decodePicture reads them. The picture's note is left behind.
func encodePicture(p *wire.Picture) string {
	var b []byte
	for _, image := range [][]byte{p.Centred, p.AsDrawn} {
		b = appendRuns(b, image)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func appendRuns(b, image []byte) []byte {
	for len(image) > 0 {
		dark := run(image, func(v byte) bool { return v == 0 })
		image = image[dark:]
		ink := run(image, func(v byte) bool { return v != 0 })
		b = binary.AppendUvarint(b, uint64(dark))
		b = binary.AppendUvarint(b, uint64(ink))
		b = append(b, image[:ink]...)
		image = image[ink:]
	}
	return b
}

// run returns how many bytes at the beginning are alike.
func run(b []byte, alike func(byte) bool) int {
	for i, v := range b {
		if !alike(v) {
			return i
		}
	}
	return len(b)
}

func decodePicture(text string) (*wire.Picture, error) {
	if len(text) > 8*digitPixels { // two images of no runs at all take half of that
		return nil, errPicture
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errPicture
	}
	p := &wire.Picture{}
	for _, image := range []*[]byte{&p.Centred, &p.AsDrawn} {
		if *image, b, err = readRuns(b); err != nil {
			return nil, err
		}
	}
	if len(b) > 0 {
		return nil, errPicture
	}
	return p, nil
}

// readRuns reads one image, and returns what follows it.
func readRuns(b []byte) (image, rest []byte, err error) {
	image = make([]byte, 0, digitPixels)
	for len(image) < digitPixels {
		dark, size := binary.Uvarint(b)
		if size <= 0 || dark > uint64(digitPixels-len(image)) {
			return nil, nil, errPicture
		}
		b, image = b[size:], image[:len(image)+int(dark)]
		ink, size := binary.Uvarint(b)
		if size <= 0 || ink > uint64(digitPixels-len(image)) || ink > uint64(len(b)-size) || dark+ink == 0 {
			return nil, nil, errPicture
		}
		b, image = b[size+int(ink):], append(image, b[size:size+int(ink)]...)
	}
	return image, b, nil
}
