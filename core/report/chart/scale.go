// Package chart draws quantlab's small charts as SVG text: for the page, which shows it raw, and for reports. All of them share
// one scale and one axis. Most are as wide as the box they stand in: positions across are percentages, heights are pixels, and so
// text keeps its size and circles stay round at any width. Looks are classes of web/chart.css; no drawing carries a style.
package chart

import (
	"math"
	"strconv"

	"quantlab/core/report"
)

// A Scale says where on an axis a number lies: 0 is the axis's beginning, 1 its end. Numbers beyond the ends lie at the ends; what is
// no number, or is on an axis without extent, lies at the beginning.
type Scale interface {
	At(v float64) float64
	// Ticks returns round numbers on the axis, ascending: about n of them, never more than 2n.
	Ticks(n int) []Tick
}

// A Tick is a round number and how to write it.
type Tick struct {
	Value float64
	Label string
}

// Linear is the linear scale from Lo to Hi.
type Linear struct{ Lo, Hi float64 }

// Log is the logarithmic scale from Lo to Hi, both above 0.
type Log struct{ Lo, Hi float64 }

func (s Linear) At(v float64) float64 {
	if !Finite(v) || !Finite(s.Lo) || !Finite(s.Hi) || !(s.Hi > s.Lo) {
		return 0
	}
	return clamp01((v/2 - s.Lo/2) / (s.Hi/2 - s.Lo/2)) // halves, whose differences are never infinite
}

func (s Log) At(v float64) float64 {
	if !(v > 0) || !(s.Lo > 0) || !(s.Hi > s.Lo) {
		return 0
	}
	return clamp01((math.Log(v) - math.Log(s.Lo)) / (math.Log(s.Hi) - math.Log(s.Lo)))
}

// Ticks returns multiples of 1, 2 or 5 times a power of ten.
func (s Linear) Ticks(n int) []Tick {
	if !Finite(s.Hi-s.Lo) || !(s.Hi > s.Lo) || n < 1 {
		return nil
	}
	step, decimals := niceStep((s.Hi - s.Lo) / float64(n))
	if !Finite(step) || step == 0 {
		return nil
	}
	slack := step * 1e-9 // an end that is a multiple but for rounding is one
	first, last := math.Ceil((s.Lo-slack)/step), math.Floor((s.Hi+slack)/step)
	if math.Abs(first) > 1<<52 || math.Abs(last) > 1<<52 { // the ends differ by less than what is exact
		return nil
	}
	var out []Tick
	for i := first; i <= last; i++ {
		v := i * step
		out = append(out, Tick{v, number(v, decimals)})
	}
	return out
}

// Nice is the linear scale that holds lo and hi and ends at ticks, of which there are about n.
func Nice(lo, hi float64, n int) Linear {
	s := Linear{lo, hi}
	if !Finite(hi-lo) || n < 1 {
		return s
	}
	if !(hi > lo) {
		s = widened(lo, lo)
	}
	step, _ := niceStep((s.Hi - s.Lo) / float64(n))
	if !Finite(step) || step == 0 {
		return s
	}
	return Linear{step * math.Floor(s.Lo/step+1e-9), step * math.Ceil(s.Hi/step-1e-9)}
}

// niceStep returns the smallest of 1, 2 and 5 times a power of ten that is not below v, and how many decimals its multiples have.
func niceStep(v float64) (step float64, decimals int) {
	power := math.Floor(math.Log10(v))
	base := math.Pow(10, power)
	for _, m := range []float64{1, 2, 5, 10} {
		if m*base >= v*(1-1e-9) {
			if m == 10 {
				power++
			}
			return m * base, max(0, -int(power))
		}
	}
	return 10 * base, max(0, -int(power)-1)
}

// number writes a tick: plainly where six decimals and seven digits do, else with an exponent.
func number(v float64, decimals int) string {
	if v == 0 {
		return "0"
	}
	if decimals > 6 || math.Abs(v) >= 1e7 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return minus(report.Fixed(v, decimals))
}

// minus replaces a hyphen in front by a minus sign, which is as wide as a plus.
func minus(s string) string {
	if len(s) > 0 && s[0] == '-' {
		return "−" + s[1:]
	}
	return s
}

// Ticks returns powers of ten; of many, every second, third and so on.
func (s Log) Ticks(n int) []Tick {
	if n < 1 {
		return nil
	}
	powers := s.Powers(10)
	var out []Tick
	every := (len(powers) + n - 1) / n
	for i, p := range powers {
		if i%max(every, 1) == 0 {
			v := math.Pow(10, float64(p))
			out = append(out, Tick{v, number(v, max(0, -p))})
		}
	}
	return out
}

// Powers returns the exponents of the powers of a base that lie on the axis, ascending.
func (s Log) Powers(base float64) []int {
	if !(s.Lo > 0) || !(s.Hi > s.Lo) || math.IsInf(s.Hi, 0) || !(base > 1) {
		return nil
	}
	const slack = 1e-9
	lo, hi := math.Log(s.Lo)/math.Log(base), math.Log(s.Hi)/math.Log(base)
	var out []int
	for i := math.Ceil(lo - slack); i <= hi+slack; i++ {
		out = append(out, int(i))
	}
	return out
}

// Finite reports whether v is a number that can be drawn.
func Finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func clamp01(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return min(max(v, 0), 1)
}
