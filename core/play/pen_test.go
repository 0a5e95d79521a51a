package play

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/play/trace"
)

func drawn(strokes [][]int, asDrawn bool) *Digit {
	d := new(Digit)
	drawStrokes(d, strokes, asDrawn)
	return d
}

// traced returns the first n test images, their strokes and their labels.
func traced(t *testing.T, src *trainedSource, n int) (images []Digit, strokes [][][]int, labels []uint8) {
	t.Helper()
	im, err := src.images(dataset.Test)
	if err != nil {
		t.Skip(err)
	}
	for i := range n {
		d := Digit(im.Pixels[i*len(Digit{}):])
		images, strokes = append(images, d), append(strokes, trace.Trace(d))
	}
	return images, strokes, im.Labels[:n]
}

// Digits traced from MNIST and drawn again must look like MNIST's: as much ink, as many full pixels, as soft an edge.
func TestPenDrawsLikeMNIST(t *testing.T) {
	images, strokes, _ := traced(t, &trainedSource{t}, 1000)
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
	for i := range images {
		look(&want, &images[i])
		look(&got, drawn(strokes[i], false))
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
		n := float64(len(images))
		t.Logf("%s: MNIST %.2f, pen %.2f", c.what, c.want/n, c.got/n)
		if math.Abs(c.got-c.want) > c.within*c.want {
			t.Errorf("%s: %.2f instead of %.2f", c.what, c.got/n, c.want/n)
		}
	}
}

// The models answer drawings about as well as the images that these were traced from; without centring a shift spoils that.
func TestDrawnDigitsAreRead(t *testing.T) {
	const n = 200
	for _, model := range []string{"mnist-lab1", "mnist-lab2"} {
		src := trained(t, model)
		b := newBench(t, src)
		images, strokes, labels := traced(t, src, n)
		right := func(what string, drawing func(i int) *wire.Drawing) (count int) {
			for i, label := range labels {
				p, err := b.Predict(t.Context(), wire.PredictRequest{Model: model, Drawing: drawing(i)})
				if err != nil {
					t.Fatal(err)
				}
				if p.Answers[0].Label == fmt.Sprint(label) {
					count++
				}
			}
			t.Logf("%s: %d of %d %s are read", model, count, n, what)
			return count
		}
		original := right("originals", func(i int) *wire.Drawing { return images[i].Drawing() })
		centred := right("drawings", func(i int) *wire.Drawing { return &wire.Drawing{Strokes: strokes[i]} })
		moved := right("drawings shifted, centred", func(i int) *wire.Drawing { return &wire.Drawing{Strokes: shifted(strokes[i])} })
		asDrawn := right("drawings as drawn", func(i int) *wire.Drawing { return &wire.Drawing{Strokes: strokes[i], AsDrawn: true} })
		off := right("drawings shifted, as drawn", func(i int) *wire.Drawing { return &wire.Drawing{Strokes: shifted(strokes[i]), AsDrawn: true} })
		if centred < original-n*4/100 || moved < original-n*4/100 || asDrawn < original-n*6/100 || off > n*60/100 {
			t.Errorf("%s: that is too few, or too many of those shifted", model)
		}
	}
}

// shifted moves the strokes to the left by six pixels, as far as there is room.
func shifted(strokes [][]int) (out [][]int) {
	by := 6 * wire.DrawingGrid / wire.DigitSide
	for _, s := range strokes {
		for i := 0; i < len(s); i += 2 {
			by = min(by, s[i])
		}
	}
	for _, s := range strokes {
		s = slices.Clone(s)
		for i := 0; i < len(s); i += 2 {
			s[i] -= by
		}
		out = append(out, s)
	}
	return out
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
		d := drawn(c.strokes, false)
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
	d := drawn([][]int{{100, 50}}, true) // 2.75 and 1.38 pixels from the corner
	if box, _ := d.box(); box.Min.X != 1 || box.Max.X > 5 || box.Min.Y != 0 || box.Max.Y > 4 || d[28+2] != 255 {
		t.Errorf("a dot fills %v", box)
	}
	if d := drawn([][]int{{1023, 1023}}, true); d[len(d)-1] != 255 {
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
		sum.Write(drawn([][]int{s, {3, 3}, s[:40]}, asDrawn)[:])
	}
	const want = "928abaf8eece61b4"
	if got := fmt.Sprintf("%x", sum.Sum(nil)[:8]); got != want {
		t.Errorf("the drawings' hash is %s, want %s", got, want)
	}
}

func TestRenderLayersAndInverts(t *testing.T) {
	b := newBench(t, &fakeSource{})
	centred, squeezed := bytes.Repeat([]byte{9}, 784), bytes.Repeat([]byte{7}, 784)
	picture := &wire.Picture{Centred: centred, AsDrawn: squeezed}
	strokes := [][]int{{40, 40}}
	five := 5
	for _, c := range []struct {
		name        string
		d           wire.Drawing
		first, last byte // 2 pixels from the left, 1 from the top; and the bottom right
	}{
		{"picture", wire.Drawing{Picture: picture}, 9, 9},
		{"as drawn", wire.Drawing{Picture: picture, AsDrawn: true}, 7, 7},
		{"inverted", wire.Drawing{Picture: picture, Invert: true}, 246, 246},
		{"strokes over a picture stay in place", wire.Drawing{Picture: picture, Strokes: strokes}, 255, 9},
		{"inverted strokes", wire.Drawing{Picture: picture, Strokes: strokes, Invert: true}, 0, 246},
	} {
		d, err := b.render(t.Context(), &c.d)
		if err != nil || d[28+1] != c.first || d[783] != c.last {
			t.Errorf("%s: %d and %d, %v", c.name, d[28+1], d[783], err)
		}
	}
	d, err := b.render(t.Context(), &wire.Drawing{Example: &five})
	e, _ := b.src.Test(t.Context(), mustSpec(t, "mnist-lab1"), firstExamples, nil)
	if err != nil || !slices.Equal(d[:], e.Pixels[5*784:6*784]) {
		t.Errorf("an example is not shown as it is: %v", err)
	}
}

func TestRenderRefuses(t *testing.T) {
	b := newBench(t, &fakeSource{})
	n := 0
	for _, c := range []struct {
		name string
		d    wire.Drawing
		say  string
	}{
		{"nothing", wire.Drawing{}, "nothing is drawn"},
		{"an empty stroke", wire.Drawing{Strokes: [][]int{{1, 2}, {}}}, "stroke 2"},
		{"half a point", wire.Drawing{Strokes: [][]int{{1, 2, 3}}}, "stroke 1"},
		{"left of the field", wire.Drawing{Strokes: [][]int{{-1, 2}}}, "-1 is not"},
		{"below the field", wire.Drawing{Strokes: [][]int{{0, 1024}}}, "1024 is not"},
		{"too many points", wire.Drawing{Strokes: [][]int{make([]int, 2*wire.MaxPoints), {1, 1}}}, "20000 points"},
		{"a small picture", wire.Drawing{Picture: &wire.Picture{Centred: []byte{1}}}, "28 x 28"},
		{"two things under it", wire.Drawing{Picture: &wire.Picture{}, Example: &n}, "one of them"},
	} {
		if d, err := b.render(t.Context(), &c.d); err == nil || d != nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: error %v does not say %q", c.name, err, c.say)
		}
	}
}

func FuzzDrawing(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6}, 4, true, false)
	f.Add([]byte{255, 255, 0, 0}, 2, false, true)
	b := NewBench(testHost(), &fakeSource{})
	f.Fuzz(func(t *testing.T, data []byte, length int, asDrawn, picture bool) {
		d := wire.Drawing{AsDrawn: asDrawn, Invert: picture}
		if picture {
			d.Picture = &wire.Picture{Centred: data, AsDrawn: data}
		}
		var s []int
		for i, v := range data {
			s = append(s, int(v)*5-100)
			if length > 0 && i%length == length-1 {
				d.Strokes, s = append(d.Strokes, s), nil
			}
		}
		if out, err := b.render(t.Context(), &d); (out == nil) == (err == nil) {
			t.Fatalf("image %v and error %v", out != nil, err)
		}
	})
}

// 300 points are a digit drawn by a slow hand.
func BenchmarkDrawing(b *testing.B) {
	var s []int
	for i := range 300 {
		a := float64(i) / 20
		s = append(s, int(512+300*math.Cos(a)), int(512+250*math.Sin(1.3*a)))
	}
	d := new(Digit)
	b.ReportAllocs()
	for b.Loop() {
		drawStrokes(d, [][]int{s}, false)
	}
}
