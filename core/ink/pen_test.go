package ink

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/dataset/mnisttest"
	"quantlab/core/ink/trace"
)

// Digits traced from MNIST and drawn again must look like MNIST's: as much ink, as many full pixels, as soft an edge.
func TestPenDrawsLikeMNIST(t *testing.T) {
	images, err := dataset.ReadMNIST(os.DirFS(mnisttest.Dir(t)), dataset.Test)
	if err != nil {
		t.Fatal(err)
	}
	const n = 1000
	type looks struct{ ink, full, grey, longer, x, y float64 }
	look := func(sum *looks, d *Digit) {
		box, _ := d.box()
		sum.longer += float64(max(box.Dx(), box.Dy()))
		x, y := d.massCentre()
		sum.x, sum.y = sum.x+x, sum.y+y
		for _, v := range d {
			sum.ink += float64(v) / 255
			if v >= 250 {
				sum.full++
			} else if v > 5 {
				sum.grey++
			}
		}
	}
	var want, got looks
	for i := range n {
		d := Digit(images.Pixels[i*len(Digit{}):])
		look(&want, &d)
		look(&got, Draw(trace.Trace(d), false))
	}
	for _, c := range []struct {
		what      string
		want, got float64
		within    float64
	}{
		{"ink, in full pixels", want.ink, got.ink, 0.04},
		{"full pixels", want.full, got.full, 0.06},
		{"grey pixels", want.grey, got.grey, 0.06},
		{"longer side", want.longer, got.longer, 0.02},
		{"centre of mass, x", want.x, got.x, 0.01},
		{"centre of mass, y", want.y, got.y, 0.01},
	} {
		t.Logf("%s: MNIST %.2f, pen %.2f", c.what, c.want/n, c.got/n)
		if math.Abs(c.got-c.want) > c.within*c.want {
			t.Errorf("%s: %.2f instead of %.2f", c.what, c.got/n, c.want/n)
		}
	}
}

func TestDrawingIsFittedAndCentred(t *testing.T) {
	for _, c := range []struct {
		name       string
		strokes    [][]int
		wide, high int
	}{
		{"a tall line in a corner", [][]int{{5, 5, 5, 300}}, 4, 20},
		{"a flat line", [][]int{{5, 900, 1020, 900}}, 20, 4},
		{"all of the field", [][]int{{0, 0, 1023, 1023}, {1023, 0, 0, 1023}}, 20, 20},
		{"a tap", [][]int{{1000, 3}}, 4, 4},
		{"a tap of an unsteady hand", [][]int{{1000, 3, 1001, 4, 1000, 4}}, 5, 5},
	} {
		d := Draw(c.strokes, false)
		box, _ := d.box()
		if math.Abs(float64(box.Dx()-c.wide)) > 1 || math.Abs(float64(box.Dy()-c.high)) > 1 {
			t.Errorf("%s: the ink fills %v, want %d x %d", c.name, box, c.wide, c.high)
		}
		if x, y := d.massCentre(); math.Abs(x-14.5) > 0.51 || math.Abs(y-14.5) > 0.51 {
			t.Errorf("%s: centre of mass at %.2f, %.2f", c.name, x, y)
		}
	}
}

func TestDrawingAsDrawn(t *testing.T) {
	d := Draw([][]int{{100, 50}}, true) // 2.75 and 1.38 pixels from the corner
	if box, _ := d.box(); box.Min.X != 1 || box.Max.X > 5 || box.Min.Y != 0 || box.Max.Y > 4 || d[28+2] != 255 {
		t.Errorf("a dot fills %v", box)
	}
	if d := Draw([][]int{{1023, 1023}}, true); d[len(d)-1] != 255 {
		t.Errorf("a dot in the corner: %d", d[len(d)-1])
	}
}

// Drawings are the same bytes on every machine.
func TestDrawingIsDeterministic(t *testing.T) {
	var s []int
	for i := range 300 {
		a := float64(i) / 20
		s = append(s, int(512+300*math.Cos(a)+float64(i)/3), int(512+250*math.Sin(1.3*a)))
	}
	sum := sha256.New()
	for _, asDrawn := range []bool{false, true} {
		sum.Write(Draw([][]int{s, {3, 3}, s[:40]}, asDrawn)[:])
	}
	const want = "928abaf8eece61b4"
	if got := fmt.Sprintf("%x", sum.Sum(nil)[:8]); got != want {
		t.Errorf("the drawings' hash is %s, want %s", got, want)
	}
}

func TestDrawingBadStrokes(t *testing.T) {
	for _, s := range [][]int{nil, {}, {7}} {
		if got := Draw([][]int{s}, true); *got != (Digit{}) {
			t.Errorf("%v draws something", s)
		}
	}
	for _, asDrawn := range []bool{false, true} {
		if Draw([][]int{{1, 2, 900, 3, 5}}, asDrawn).Ink() == 0 {
			t.Error("half a point spoils the stroke")
		}
		Draw([][]int{{math.MinInt, 5, math.MaxInt, -5}}, asDrawn) // must return
	}
}

// 300 points are a digit drawn by a slow hand.
func BenchmarkDrawing(b *testing.B) {
	var s []int
	for i := range 300 {
		a := float64(i) / 20
		s = append(s, int(512+300*math.Cos(a)), int(512+250*math.Sin(1.3*a)))
	}
	b.ReportAllocs()
	for b.Loop() {
		Draw([][]int{s}, false)
	}
}
