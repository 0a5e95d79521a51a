package play

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

// A photo says how a digit was put on paper and photographed.
type photo struct {
	name        string
	paper, ink  float64    // brightness
	light       [2]float64 // the light's at the left and at the right edge
	noise       float64    // standard deviation
	blocks      bool       // JPEG's
	turn        float64    // radians
	thin        bool       // a pencil's line: the middle of the stroke alone
	frame       bool       // a dark table at the left
	specks      int
	digitShare  float64 // of the picture's height
	leastOf1000 int     // read by mnist-lab1
}

// take photographs the strokes of a digit.
func (c photo) take(strokes [][]int, random *rand.Rand) wire.GrayPicture {
	const w, h = 320, 240
	side := c.digitShare * h / 20 * 28 // of the field
	left, top := (w-side)*(0.2+0.6*random.Float64()), (h-side)*(0.2+0.6*random.Float64())
	if c.frame {
		left = max(left, 50)
	}
	width := 1.3 * side / 28
	if c.thin {
		width = 1
	}
	picture := make([]float64, w*h)
	for i := range picture {
		picture[i] = 1
	}
	sin, cos := math.Sincos(c.turn * (2*random.Float64() - 1))
	place := func(x, y int) (float64, float64) {
		fx, fy := float64(x-wire.DrawingGrid/2), float64(y-wire.DrawingGrid/2)
		fx, fy = fx*cos-fy*sin, fx*sin+fy*cos
		return left + side/2 + fx*side/1024, top + side/2 + fy*side/1024
	}
	for _, s := range strokes {
		for i := 0; i+1 < len(s); i += 2 {
			x0, y0 := place(s[i], s[i+1])
			k := min(i+2, len(s)-2)
			x1, y1 := place(s[k], s[k+1])
			inkLine(picture, w, h, x0, y0, x1, y1, width)
		}
	}
	for range c.specks {
		x, y := float64(random.IntN(w)), float64(random.IntN(h))
		inkLine(picture, w, h, x, y, x+1, y, 1)
	}
	g := wire.GrayPicture{Width: w, Height: h, Gray: make([]byte, w*h)}
	for i, share := range picture {
		x := float64(i%w) / w
		v := (c.ink + (c.paper-c.ink)*share) * (c.light[0] + (c.light[1]-c.light[0])*x)
		if c.frame && i%w < 25 {
			v = 25
		}
		v += c.noise * random.NormFloat64()
		if c.blocks {
			v = math.Round(v/8)*8 + 3*math.Sin(float64(i%w/8)) // coarse steps, and blocks of eight
		}
		g.Gray[i] = uint8(min(max(v, 0), 255))
	}
	return g
}

// inkLine darkens the picture along a line, with a soft edge.
func inkLine(picture []float64, w, h int, x0, y0, x1, y1, width float64) {
	for y := max(int(min(y0, y1)-width-2), 0); y <= min(int(max(y0, y1)+width+2), h-1); y++ {
		for x := max(int(min(x0, x1)-width-2), 0); x <= min(int(max(x0, x1)+width+2), w-1); x++ {
			px, py, dx, dy := float64(x)-x0, float64(y)-y0, x1-x0, y1-y0
			along := 0.0
			if l := dx*dx + dy*dy; l > 0 {
				along = min(max((px*dx+py*dy)/l, 0), 1)
			}
			d := math.Hypot(px-along*dx, py-along*dy)
			picture[y*w+x] = min(picture[y*w+x], min(max(d-width+0.5, 0), 1))
		}
	}
}

var photos = []photo{
	{name: "a clean scan", paper: 255, ink: 0, light: [2]float64{1, 1}, digitShare: 0.6, leastOf1000: 920},
	{name: "a pencil on paper", paper: 230, ink: 140, light: [2]float64{1, 1}, noise: 4, thin: true, digitShare: 0.5, leastOf1000: 880},
	{name: "chalk on a board", paper: 40, ink: 200, light: [2]float64{1, 1}, noise: 6, digitShare: 0.4, leastOf1000: 920},
	{name: "light from the left", paper: 220, ink: 60, light: [2]float64{1.1, 0.45}, noise: 5, digitShare: 0.5, leastOf1000: 920},
	{name: "a phone's photo", paper: 190, ink: 70, light: [2]float64{0.6, 1.2}, noise: 7, blocks: true, turn: 0.15, specks: 12, digitShare: 0.4, leastOf1000: 880},
	{name: "pencil in bad light", paper: 200, ink: 110, light: [2]float64{1.2, 0.6}, noise: 4, blocks: true, thin: true, turn: 0.1, specks: 5, digitShare: 0.6, leastOf1000: 850},
	{name: "paper on a dark table", paper: 210, ink: 60, light: [2]float64{0.8, 1.1}, noise: 5, frame: true, digitShare: 0.5, leastOf1000: 900},
	{name: "small on a large sheet", paper: 235, ink: 40, light: [2]float64{1, 0.8}, noise: 5, specks: 8, digitShare: 0.15, leastOf1000: 880},
}

func TestPhotosAreRead(t *testing.T) {
	src := trained(t, "mnist-lab1")
	b := newBench(t, src)
	n := 60
	if testing.Short() {
		n = 20
	}
	_, strokes, labels := traced(t, src, n)
	for _, c := range photos {
		random := rand.New(rand.NewPCG(1, 2))
		right := 0
		for i, label := range labels {
			g := c.take(strokes[i], random)
			p, err := ReadPicture(g)
			if err != nil {
				t.Errorf("%s, image %d: %v", c.name, i, err)
				continue
			}
			answer, err := b.Predict(t.Context(), wire.PredictRequest{Model: "mnist-lab1", Drawing: &wire.Drawing{Picture: p}})
			if err != nil {
				t.Fatal(err)
			}
			if answer.Answers[0].Label == fmt.Sprint(label) {
				right++
			}
		}
		t.Logf("%s: %d of %d are read", c.name, right, n)
		if right*1000 < c.leastOf1000*n {
			t.Errorf("%s: %d of %d are read", c.name, right, n)
		}
	}
}

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
