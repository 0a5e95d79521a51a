package ink

import (
	"image"
	"image/color"
	"math"
	"testing"
)

func mustRead(t testing.TB, picture *image.Gray) *Digit {
	t.Helper()
	p, err := ReadGray(picture)
	if err != nil {
		t.Fatal(err)
	}
	return (*Digit)(p.Centred)
}

// bar returns a w x h picture of paper with one rectangle of ink.
func bar(w, h int, rect image.Rectangle, paper, ink uint8) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, w, h))
	for i := range g.Pix {
		g.Pix[i] = paper
		if (image.Point{i % w, i / w}).In(rect) {
			g.Pix[i] = ink
		}
	}
	return g
}

// box returns the box of all ink, and that of the darker one.
func (d *Digit) box() (all, dark image.Rectangle) {
	for i, p := range d {
		x, y := i%digitSide, i/digitSide
		if p > 0 {
			all = all.Union(image.Rect(x, y, x+1, y+1))
		}
		if p > 64 {
			dark = dark.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return all, dark
}

func (d *Digit) massCentre() (x, y float64) {
	var mass float64
	for i, p := range d {
		m := float64(p)
		mass, x, y = mass+m, x+m*(float64(i%digitSide)+0.5), y+m*(float64(i/digitSide)+0.5)
	}
	return x / mass, y / mass
}

func TestDigitOfMNISTSizeIsTakenAsItIs(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 28, 28))
	for i := range g.Pix {
		x, y := i%28, i/28
		if x > 3 && x < 9 && y > 2 && y < 25 { // off centre, and it stays there
			g.Pix[i] = uint8(5 * (x + y))
		}
	}
	want := Digit(g.Pix)
	if d := mustRead(t, g); *d != want {
		t.Error("light on dark: pixels changed")
	}
	for i := range g.Pix {
		g.Pix[i] = 255 - g.Pix[i]
	}
	if d := mustRead(t, g); *d != want {
		t.Error("dark on light: not the inverse")
	}
}

func TestDigitIsFittedAndCentred(t *testing.T) {
	for _, c := range []struct {
		name       string
		w, h       int
		rect       image.Rectangle
		paper, ink uint8
		wide, high int
	}{
		{"tall, in a corner, dark on light", 300, 200, image.Rect(2, 20, 42, 180), 255, 0, 5, 20},
		{"tall, light on dark", 300, 200, image.Rect(200, 20, 240, 180), 0, 255, 5, 20},
		{"grey paper, pale ink", 120, 400, image.Rect(30, 100, 90, 130), 200, 120, 20, 10},
		{"smaller than MNIST", 12, 12, image.Rect(1, 1, 6, 11), 0, 255, 10, 20},
		{"a hair line, made wider", 500, 500, image.Rect(250, 10, 252, 490), 255, 0, 2, 20},
		{"to the edge but for a corner", 100, 50, image.Rect(1, 1, 99, 49), 255, 0, 20, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := mustRead(t, bar(c.w, c.h, c.rect, c.paper, c.ink))
			if _, box := d.box(); box.Dx() != c.wide || box.Dy() != c.high {
				t.Errorf("the ink fills %v, want %d x %d", box, c.wide, c.high)
			}
			x, y := d.massCentre()
			if math.Abs(x-14.5) > 0.51 || math.Abs(y-14.5) > 0.51 {
				t.Errorf("centre of mass at %.2f, %.2f, want 14.5, 14.5", x, y)
			}
			if d[0] != 0 || d[digitSide*digitSide-1] != 0 {
				t.Error("paper is not 0")
			}
		})
	}
}

func TestDigitCentresMassNotBox(t *testing.T) {
	// A heavy foot: the box is symmetric about another point than the mass.
	g := bar(200, 200, image.Rect(90, 20, 110, 180), 255, 0)
	for y := 140; y < 180; y++ {
		for x := 40; x < 160; x++ {
			g.SetGray(x, y, color.Gray{})
		}
	}
	_, y := mustRead(t, g).massCentre()
	if math.Abs(y-14.5) > 0.51 {
		t.Errorf("centre of mass at height %.2f, want 14.5", y)
	}
}
