package paper

import (
	"testing"

	"quantlab/core/report/figure"
)

// TestThinned: a long series keeps its ends and its order, a short one every point, and the figure itself stays whole.
func TestThinned(t *testing.T) {
	line := func(n int) (s figure.Series) {
		for i := range n {
			s.Points = append(s.Points, figure.Point{X: float64(i)})
		}
		return s
	}
	whole := figure.Figure{Series: []figure.Series{line(1000), line(longest), line(longest + 1)}}
	f, left := thinned(whole)
	if left != 1000-longest+1 || len(whole.Series[0].Points) != 1000 {
		t.Errorf("%d points left out, of the whole %d remain", left, len(whole.Series[0].Points))
	}
	for i, last := range []float64{999, longest - 1, longest} {
		points := f.Series[i].Points
		if len(points) != longest || points[0].X != 0 || points[len(points)-1].X != last {
			t.Fatalf("series %d: %d points, from %v to %v", i, len(points), points[0].X, points[len(points)-1].X)
		}
		for j := 1; j < len(points); j++ {
			if points[j].X <= points[j-1].X {
				t.Errorf("series %d: point %d is not behind the one before", i, j)
			}
		}
	}
}
