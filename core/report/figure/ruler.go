package figure

import (
	"math"
	"strconv"
	"strings"

	"quantlab/core/report"
	"quantlab/core/report/chart"
)

// A Ruler is an axis with its extent and ticks. Scale maps Lo to 0 and Hi to 1.
type Ruler struct {
	Lo, Hi float64
	Log    bool
	Scale  chart.Scale
	Ticks  []chart.Tick
}

// Zero is where bars begin: at 0, or where that is not on the axis, at the end next to it.
func (r Ruler) Zero() float64 {
	if r.Log {
		return r.Lo
	}
	return min(max(0, r.Lo), r.Hi)
}

// Rulers returns both axes of a Drawable figure, which hold all of its numbers and end at round ones, with about so many
// ticks.
func (f Figure) Rulers(ticksX, ticksY int) (x, y Ruler) {
	return f.ruler(f.X, ticksX, f.extent(true)), f.ruler(f.Y, ticksY, f.extent(false))
}

// extent returns the least and the greatest number along an axis, ok false where there is none.
func (f Figure) extent(across bool) (e extent) {
	numbers := across == f.Sideways() // spans and samples lie along this axis
	for _, s := range f.Series {
		for _, p := range s.Points {
			v := p.Y
			if across {
				v = p.X
			}
			e.hold(v)
			if !numbers {
				continue
			}
			if s.Kind == Bars {
				e.zero = true
			}
			if p.Span != nil {
				e.hold(p.Span.Low)
				e.hold(p.Span.High)
			}
			for _, v := range p.Samples {
				e.hold(v)
			}
		}
	}
	return e
}

type extent struct {
	lo, hi float64
	some   bool
	zero   bool // bars begin at 0
}

func (e *extent) hold(v float64) {
	if !e.some {
		e.lo, e.hi, e.some = v, v, true
	}
	e.lo, e.hi = min(e.lo, v), max(e.hi, v)
}

func (f Figure) ruler(a Axis, ticks int, e extent) Ruler {
	if n := len(a.Categories); n > 0 {
		r := Ruler{Lo: -.5, Hi: float64(n) - .5}
		for i, name := range a.Categories {
			r.Ticks = append(r.Ticks, chart.Tick{Value: float64(i), Label: name})
		}
		r.Scale = chart.Linear{Lo: r.Lo, Hi: r.Hi}
		return r
	}
	if a.Log {
		return logRuler(e.lo, e.hi, ticks, a.Percent)
	}
	if a.Zero || e.zero {
		e.lo, e.hi = min(e.lo, 0), max(e.hi, 0)
	}
	if !e.some || e.lo == e.hi && e.lo == 0 {
		e.hi = e.lo + 1
	}
	if a.Percent { // a line along the axis's end would not be seen
		slack := (e.hi - e.lo) / 100
		e.lo, e.hi = e.lo-slack, e.hi+slack
	}
	return linearRuler(e.lo, e.hi, ticks, a.Percent)
}

func linearRuler(lo, hi float64, ticks int, percent bool) Ruler {
	unit := 1.0
	if percent {
		unit = 100
		if lo == hi { // one point to either side
			lo, hi = lo-.01, hi+.01
		}
	}
	s := chart.Nice(lo*unit, hi*unit, ticks)
	s = chart.Nice(s.Lo, s.Hi, ticks) // the wider axis may have wider steps, at which it ends
	if !(s.Hi > s.Lo) {               // the numbers are too large or too near each other for round ones
		s = chart.Linear{Lo: lo*unit - 1, Hi: hi*unit + 1}
		if math.Abs(s.Lo) > 1 {
			s = chart.Linear{Lo: min(.5*s.Lo, 2*s.Lo), Hi: max(.5*s.Hi, 2*s.Hi)}
		}
	}
	if percent && lo >= -.01 && hi <= 1.01 {
		s.Lo, s.Hi = max(s.Lo, 0), min(s.Hi, 100)
	}
	r := Ruler{Lo: s.Lo / unit, Hi: s.Hi / unit, Ticks: s.Ticks(ticks)}
	for i := range r.Ticks {
		r.Ticks[i].Value /= unit
		if percent {
			r.Ticks[i].Label += "%"
		}
	}
	r.Scale = chart.Linear{Lo: r.Lo, Hi: r.Hi}
	return r
}

// logRuler ends at 1, 2 or 5 times a power of ten. Its ticks are these, or, where that would be too many, powers of ten.
func logRuler(lo, hi float64, ticks int, percent bool) Ruler {
	r := Ruler{Lo: roundDown(lo), Hi: roundUp(hi), Log: true}
	if !(r.Hi > r.Lo) {
		r.Lo, r.Hi = r.Lo/2, r.Hi*2
	}
	r.Scale = chart.Log{Lo: r.Lo, Hi: r.Hi}
	var fine []chart.Tick
	for v := roundDown(r.Lo); v <= r.Hi*(1+1e-9) && len(fine) <= 2*ticks; v = above(v) {
		if v >= r.Lo*(1-1e-9) {
			fine = append(fine, chart.Tick{Value: v, Label: tickLabel(v)})
		}
	}
	r.Ticks = fine
	if coarse := (chart.Log{Lo: r.Lo, Hi: r.Hi}).Ticks(ticks); len(fine) > ticks+1 && len(coarse) >= 2 {
		r.Ticks = coarse
	}
	if percent {
		for i, t := range r.Ticks {
			r.Ticks[i].Label = tickLabel(100*t.Value) + "%"
		}
	}
	return r
}

// tickLabel writes 1, 2 or 5 times a power of ten.
func tickLabel(v float64) string {
	if v >= 1e7 || v < 1e-5 {
		return strings.Replace(strconv.FormatFloat(v, 'g', 2, 64), "e+", "e", 1)
	}
	return report.Figures(v, 1)
}

var rounds = []float64{1, 2, 5, 10}

// roundDown is the greatest 1, 2 or 5 times a power of ten that is not above v, and roundUp the least not below it.
func roundDown(v float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(v)))
	out := base
	for _, m := range rounds {
		if m*base <= v*(1+1e-9) {
			out = m * base
		}
	}
	return out
}

func roundUp(v float64) float64 {
	if d := roundDown(v); d >= v*(1-1e-9) {
		return d
	}
	return above(roundDown(v))
}

// above is the next of 1, 2 or 5 times a power of ten.
func above(v float64) float64 {
	base := math.Pow(10, math.Floor(math.Log10(v*(1+1e-9))))
	for _, m := range rounds {
		if m*base > v*(1+1e-6) {
			return m * base
		}
	}
	return 10 * base
}

// Number writes a number of the axis.
func (a Axis) Number(v float64) string {
	if i := int(v); len(a.Categories) > 0 && a.shows(v) {
		return a.Categories[i]
	}
	if !chart.Finite(v) {
		return report.Missing
	}
	if a.Percent {
		return signed(report.Fixed(100*v, 2)) + "%"
	}
	if v == math.Trunc(v) {
		return signed(report.Fixed(v, 0))
	}
	return signed(report.Figures(v, 4))
}

// signed has a minus sign instead of a hyphen.
func signed(s string) string {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return "−" + rest
	}
	return s
}
