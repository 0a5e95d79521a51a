package play

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/ink"
	"quantlab/core/ink/trace"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// traced returns the first n test images, their strokes and their labels.
func traced(t *testing.T, src *trainedSource, n int) (images []ink.Digit, strokes [][][]int, labels []uint8) {
	t.Helper()
	im, err := src.images(dataset.Test)
	if err != nil {
		t.Skip(err)
	}
	for i := range n {
		d := ink.Digit(im.Pixels[i*len(ink.Digit{}):])
		images, strokes = append(images, d), append(strokes, trace.Trace(d))
	}
	return images, strokes, im.Labels[:n]
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
		d, err := b.render(t.Context(), nn.Spec{}, &c.d)
		if err != nil || d[28+1] != c.first || d[783] != c.last {
			t.Errorf("%s: %d and %d, %v", c.name, d[28+1], d[783], err)
		}
	}
	d, err := b.render(t.Context(), nn.Spec{}, &wire.Drawing{Example: &five})
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
		if d, err := b.render(t.Context(), nn.Spec{}, &c.d); err == nil || d != nil || !strings.Contains(err.Error(), c.say) {
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
		if out, err := b.render(t.Context(), nn.Spec{}, &d); (out == nil) == (err == nil) {
			t.Fatalf("image %v and error %v", out != nil, err)
		}
	})
}
