package app

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

func TestStrokesRoundTrip(t *testing.T) {
	const edge = wire.DrawingGrid - 1
	for name, strokes := range map[string][][]int{
		"none":    nil,
		"a dot":   {{512, 512}},
		"seven":   {{200, 200, 700, 210, 400, 900}, {300, 500, 600, 500}},
		"corners": {{0, 0, edge, edge, 0, edge, edge, 0}, {edge, 0}, {0, edge}},
	} {
		got, err := decodeStrokes(encodeStrokes(strokes))
		if err != nil || !reflect.DeepEqual(got, strokes) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// A drawing as a quick hand makes it must fit into a link.
func TestADrawingFitsIntoALink(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var strokes [][]int
	for range 3 {
		var s []int
		x, y := 300+r.IntN(300), 200
		for range 250 { // a second of coalesced points of a pen
			x, y = x+r.IntN(9)-4, y+r.IntN(5)
			s = append(s, min(x, 1023), min(y, 1023))
		}
		strokes = append(strokes, s)
	}
	if n := len(encodeStrokes(strokes)); n > maxLink/3 {
		t.Errorf("750 points take %d characters", n)
	}
}

func TestHostileStrokes(t *testing.T) {
	raw := base64.RawURLEncoding.EncodeToString
	for name, text := range map[string]string{
		"no base64":       "a b",
		"no points":       raw([]byte{0}),
		"points missing":  raw([]byte{2, 10, 10}),
		"half a point":    raw([]byte{1, 10}),
		"left of it":      raw([]byte{1, 1, 0}),
		"far out":         raw([]byte{1, 0xfe, 0x7f, 0}),
		"huge count":      raw([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}),
		"overlong varint": raw(bytes.Repeat([]byte{0xff}, 12)),
		"huge":            strings.Repeat("A", 1<<20),
		"too many points": encodeStrokes([][]int{make([]int, 2*wire.MaxPoints), {1, 1}}),
	} {
		if got, err := decodeStrokes(text); err == nil {
			t.Errorf("%s: read as %d strokes", name, len(got))
		}
	}
}

func picture(seed uint64) *wire.Picture {
	r := rand.New(rand.NewPCG(seed, 0))
	image := func() []byte {
		b := make([]byte, digitPixels)
		for i := range b {
			if i/wire.DigitSide > 4 && r.IntN(3) == 0 {
				b[i] = byte(r.IntN(256))
			}
		}
		return b
	}
	return &wire.Picture{Centred: image(), AsDrawn: image()}
}

func TestPictureRoundTrip(t *testing.T) {
	full := bytes.Repeat([]byte{255}, digitPixels)
	empty := make([]byte, digitPixels)
	for _, p := range []*wire.Picture{picture(1), picture(2), {Centred: full, AsDrawn: empty}, {Centred: empty, AsDrawn: full}} {
		text := encodePicture(p)
		got, err := decodePicture(text)
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%d characters: %v", len(text), err)
		}
		if len(text) > maxLink/2 {
			t.Errorf("a picture takes %d characters", len(text))
		}
	}
}

func TestHostilePictures(t *testing.T) {
	whole := encodePicture(picture(1))
	for name, text := range map[string]string{
		"nothing":   "",
		"no base64": "!",
		"half":      whole[:len(whole)/2],
		"more":      whole + "AAAA",
		"stuck":     base64.RawURLEncoding.EncodeToString(make([]byte, 100)),
		"huge":      strings.Repeat("A", 1<<20),
	} {
		if _, err := decodePicture(text); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

// Whatever an address holds, what is read from it is in bounds and spells itself again.
func FuzzDrawingTexts(f *testing.F) {
	f.Add(encodeStrokes([][]int{{1, 2, 3, 4}, {1000, 0}}))
	f.Add(encodePicture(picture(3)))
	f.Fuzz(func(t *testing.T, text string) {
		if strokes, err := decodeStrokes(text); err == nil {
			n := 0
			for _, s := range strokes {
				n += len(s) / 2
				for _, v := range s {
					if v < 0 || v >= wire.DrawingGrid {
						t.Fatalf("%d is off the grid", v)
					}
				}
			}
			again, err := decodeStrokes(encodeStrokes(strokes))
			if n > wire.MaxPoints || err != nil || !reflect.DeepEqual(again, strokes) {
				t.Fatalf("%d points: %v", n, err)
			}
		}
		if p, err := decodePicture(text); err == nil {
			again, err := decodePicture(encodePicture(p))
			if err != nil || !reflect.DeepEqual(again, p) || len(p.Centred) != digitPixels || len(p.AsDrawn) != digitPixels {
				t.Fatal(err)
			}
		}
	})
}
