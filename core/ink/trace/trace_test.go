package trace

import (
	"testing"

	"quantlab/core/lab/wire"
)

// drawn returns an image with the rectangles inked: x0, y0, x1, y1.
func drawn(boxes ...[4]int) (d [wire.DigitSide * wire.DigitSide]byte) {
	for _, b := range boxes {
		for y := b[1]; y < b[3]; y++ {
			for x := b[0]; x < b[2]; x++ {
				d[y*wire.DigitSide+x] = 255
			}
		}
	}
	return d
}

func TestTrace(t *testing.T) {
	const unit = wire.DrawingGrid / wire.DigitSide
	for _, c := range []struct {
		name    string
		image   [wire.DigitSide * wire.DigitSide]byte
		strokes int
		box     [4]int // of the strokes, in pixels
	}{
		{"nothing", drawn(), 0, [4]int{}},
		{"a bar", drawn([4]int{12, 4, 15, 24}), 1, [4]int{13, 5, 14, 23}},
		{"two bars", drawn([4]int{4, 4, 7, 24}, [4]int{20, 4, 23, 24}), 2, [4]int{5, 5, 22, 23}},
		{"a ring", drawn([4]int{4, 4, 24, 7}, [4]int{4, 21, 24, 24}, [4]int{4, 7, 7, 21}, [4]int{21, 7, 24, 21}), 1, [4]int{5, 5, 23, 23}},
		{"a dot", drawn([4]int{10, 10, 13, 13}), 1, [4]int{11, 11, 12, 12}},
		{"a bar along the edge", drawn([4]int{0, 0, 3, 28}), 1, [4]int{1, 1, 2, 27}},
	} {
		strokes := Trace(c.image)
		if len(strokes) != c.strokes {
			t.Errorf("%s: %d strokes, want %d", c.name, len(strokes), c.strokes)
		}
		box := [4]int{wire.DrawingGrid, wire.DrawingGrid, 0, 0}
		for _, s := range strokes {
			if len(s) < 2 || len(s)%2 != 0 {
				t.Fatalf("%s: a stroke of %d numbers", c.name, len(s))
			}
			for i, v := range s {
				if v < 0 || v >= wire.DrawingGrid {
					t.Errorf("%s: %d is off the grid", c.name, v)
				}
				box[i%2], box[i%2+2] = min(box[i%2], v), max(box[i%2+2], v)
			}
		}
		for i, v := range box {
			if off := v - c.box[i]*unit; len(strokes) > 0 && (off < -unit || off > unit) {
				t.Errorf("%s: the strokes reach from %v, want about %v pixels", c.name, box, c.box)
				break
			}
		}
	}
}

func FuzzTrace(f *testing.F) {
	f.Add([]byte("any pixels"), 3)
	f.Fuzz(func(t *testing.T, data []byte, every int) {
		var d [wire.DigitSide * wire.DigitSide]byte
		for i := range d {
			if len(data) > 0 && every > 0 && i%(every%7+1) == 0 {
				d[i] = data[i%len(data)]
			}
		}
		for _, s := range Trace(d) {
			for _, v := range s {
				if v < 0 || v >= wire.DrawingGrid {
					t.Fatalf("%d is off the grid", v)
				}
			}
		}
	})
}
