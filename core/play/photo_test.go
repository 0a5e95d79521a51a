package play

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"quantlab/core/ink"
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
			p, err := ink.ReadPicture(g)
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
