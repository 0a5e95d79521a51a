package figure

import (
	"math"
	"slices"

	"quantlab/core/report/chart"
)

// Sideways reports whether the numbers run across, each beside its category.
func (f Figure) Sideways() bool { return len(f.Y.Categories) > 0 }

// Drawable returns the figure without what no drawing can show: numbers that are none, those not above 0 on a logarithmic
// axis, and categories that don't exist. An axis that would have no number left is not logarithmic. Series stay, if empty.
func (f Figure) Drawable() Figure {
	f.X.Log = f.X.Log && len(f.X.Categories) == 0 && f.anyAbove(func(p Point) float64 { return p.X })
	f.Y.Log = f.Y.Log && len(f.Y.Categories) == 0 && f.anyAbove(func(p Point) float64 { return p.Y })
	numbers := f.Y
	if f.Sideways() {
		numbers = f.X
	}
	series := make([]Series, len(f.Series))
	for i, s := range f.Series {
		series[i] = s
		series[i].Points = nil
		for _, p := range s.Points {
			if !f.X.shows(p.X) || !f.Y.shows(p.Y) {
				continue
			}
			series[i].Points = append(series[i].Points, p.drawable(numbers))
		}
	}
	f.Series = series
	return f
}

func (f Figure) anyAbove(of func(Point) float64) bool {
	for _, s := range f.Series {
		for _, p := range s.Points {
			if v := of(p); chart.Finite(v) && v > 0 {
				return true
			}
		}
	}
	return false
}

// drawable drops the parts of a point that can't be drawn along the axis of its numbers. Of an interval that reaches down
// to 0 on a logarithmic axis the whisker begins at the point.
func (p Point) drawable(numbers Axis) Point {
	if p.Span != nil {
		span := *p.Span
		if numbers.Log && !(span.Low > 0) {
			span.Low = math.Min(span.High, max(p.X, p.Y))
		}
		p.Span = nil
		if numbers.shows(span.Low) && numbers.shows(span.High) && span.Low <= span.High {
			p.Span = &span
		}
	}
	samples := p.Samples
	p.Samples = nil
	for _, v := range samples {
		if numbers.shows(v) {
			p.Samples = append(p.Samples, v)
		}
	}
	return p
}

// vast bounds what is drawn: differences of larger numbers overflow.
const vast = 1e300

// shows reports whether the number has a place on the axis.
func (a Axis) shows(v float64) bool {
	switch {
	case !chart.Finite(v):
		return false
	case len(a.Categories) > 0:
		return v == math.Trunc(v) && v >= 0 && v < float64(len(a.Categories))
	case a.Log:
		return v >= 1/vast && v <= vast
	}
	return math.Abs(v) <= vast
}

// A Lane is where within its category a point lies: so far from the middle, and so wide, in categories.
type Lane struct{ Offset, Width float64 }

// laneShare is how much of a category its lanes take; the rest parts it from its neighbours.
const laneShare = .8

// Lanes returns a lane for each point of each series: points of different series that share a category lie beside each
// other, all lanes being equally wide. Without categories, and for lines, it is the zero Lane.
func (f Figure) Lanes() (lanes [][]Lane, most int) {
	lanes = make([][]Lane, len(f.Series))
	for i, s := range f.Series {
		lanes[i] = make([]Lane, len(s.Points))
	}
	n := max(len(f.X.Categories), len(f.Y.Categories))
	if n == 0 {
		return lanes, 1
	}
	users := make([][]int, n) // series in each category
	for i, s := range f.Series {
		if s.Kind == Line || s.Kind == Steps {
			continue
		}
		for _, p := range s.Points {
			if c := f.category(p); len(users[c]) == 0 || users[c][len(users[c])-1] != i {
				users[c] = append(users[c], i)
			}
		}
	}
	most = 1
	for _, u := range users {
		most = max(most, len(u))
	}
	width := laneShare / float64(most)
	for c, u := range users {
		for lane, i := range u {
			for k, p := range f.Series[i].Points {
				if f.category(p) == c {
					lanes[i][k] = Lane{width * (float64(lane) - float64(len(u)-1)/2), width}
				}
			}
		}
	}
	return lanes, most
}

func (f Figure) category(p Point) int {
	if f.Sideways() {
		return int(p.Y)
	}
	return int(p.X)
}

// Repeats tells for each series how many others of the same colour and look, but not the same name, come before it: they need
// another look to be told apart.
func (f Figure) Repeats() []int {
	type look struct{ variant, kind string }
	out := make([]int, len(f.Series))
	names := map[look][]string{}
	for i, s := range f.Series {
		l := look{s.Variant, s.Kind}
		if l.kind == Steps {
			l.kind = Line
		}
		out[i] = slices.Index(names[l], s.Name)
		if out[i] < 0 {
			out[i] = len(names[l])
			names[l] = append(names[l], s.Name)
		}
	}
	return out
}
