package ink

import (
	"bytes"
	"image"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

func gray(w, h int, f func(x, y int) int) wire.GrayPicture {
	g := wire.GrayPicture{Width: w, Height: h, Gray: make([]byte, w*h)}
	for i := range g.Gray {
		g.Gray[i] = byte(f(i%w, i/w))
	}
	return g
}

func TestReadPictureRefuses(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		name string
		g    wire.GrayPicture
		say  string
	}{
		{"nothing", wire.GrayPicture{}, "0 x 0"},
		{"too few bytes", wire.GrayPicture{Width: 10, Height: 10, Gray: []byte{1}}, "1 bytes"},
		{"a size that overflows", wire.GrayPicture{Width: math.MaxInt, Height: 3, Gray: []byte{1}}, "bytes"},
		{"too large", wire.GrayPicture{Width: 1025, Height: 1024, Gray: make([]byte, 1025*1024)}, "at most 1048576"},
		{"all black", gray(100, 80, func(int, int) int { return 0 }), "empty"},
		{"all white", gray(100, 80, func(int, int) int { return 255 }), "empty"},
		{"one pixel", gray(1, 1, func(int, int) int { return 9 }), "empty"},
		{"grey of MNIST's size", gray(28, 28, func(int, int) int { return 90 }), "empty"},
		{"light from one side", gray(200, 100, func(x, _ int) int { return 80 + x/2 }), "empty"},
		{"noise", gray(200, 150, func(int, int) int { return 128 + int(8*random.NormFloat64()) }), ""},
	} {
		p, err := ReadPicture(c.g)
		if err == nil || p != nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: error %v does not say %q", c.name, err, c.say)
		}
	}
}

func TestPictureAsDrawnIsAllOfIt(t *testing.T) {
	p, err := ReadPicture(gray(280, 140, func(x, y int) int { // a bar in the left half, in the middle of its height
		if x >= 60 && x < 80 && y >= 30 && y < 110 {
			return 20
		}
		return 240
	}))
	if err != nil {
		t.Fatal(err)
	}
	d := Digit(p.AsDrawn)
	if all, _ := d.box(); all != image.Rect(6, 10, 8, 18) {
		t.Errorf("the bar is at %v", all)
	}
	if !strings.Contains(p.Note, "inverted") {
		t.Errorf("note %q", p.Note)
	}
}

func FuzzReadPicture(f *testing.F) {
	f.Add(7, 5, []byte("a picture is bytes, row by row"))
	f.Add(28, 28, make([]byte, 784))
	f.Add(1, 40, []byte(strings.Repeat("\x00\xff", 20)))
	f.Fuzz(func(t *testing.T, w, h int, data []byte) {
		if w > 0 && w < 1000 && h > 0 && h < 1000 && len(data) > 0 { // the bytes over again, as many as there should be
			data = bytes.Repeat(data, w*h/len(data)+1)[:w*h]
		}
		p, err := ReadPicture(wire.GrayPicture{Width: w, Height: h, Gray: data})
		if (p == nil) == (err == nil) || p != nil && (len(p.Centred) != 784 || len(p.AsDrawn) != 784) {
			t.Fatalf("picture %v and error %v", p, err)
		}
	})
}

func BenchmarkReadPicture(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	for name, g := range map[string]wire.GrayPicture{
		"bar": gray(1024, 1024, func(x, y int) int {
			if x > 400 && x < 450 && y > 200 && y < 800 {
				return 50 + int(8*random.NormFloat64())
			}
			return 200 + x/40 + int(8*random.NormFloat64())
		}),
		"confetti": gray(400, 400, func(int, int) int { return 255 * random.IntN(5) / 4 }),
		"sand":     gray(400, 400, func(int, int) int { return 255 * (random.IntN(12) / 11) }),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ReadPicture(g) // of confetti nothing may be made
			}
		})
	}
}
