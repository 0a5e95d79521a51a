package report

import (
	"math"
	"strings"

	"quantlab/core/lab/wire"
)

// A Change is how a plan's accuracy differs from float32's, in percentage points, with its 95% interval.
type Change struct{ Points, Low, High float64 }

// ChangeOf compares a row's answers with float32's on the same examples; ok is false where they were not compared. The interval is
// Bonett and Price's adjusted Wald interval for paired proportions (Journal of Educational and Behavioral Statistics 37, 2012), which
// keeps its level also where hardly an answer differs.
func ChangeOf(r wire.Row) (c Change, ok bool) {
	p, n := r.Paired, float64(r.Total)
	if p == nil || r.Total < 1 {
		return Change{}, false
	}
	gained, lost := float64(p.Gained), float64(p.Lost)
	up, down := (gained+1)/(n+2), (lost+1)/(n+2)
	half := 1.959964 * math.Sqrt(max(up+down-(up-down)*(up-down), 0)/(n+2))
	return Change{100 * (gained - lost) / n, 100 * (up - down - half), 100 * (up - down + half)}, true
}

// Words writes the change and its interval with as many decimals as so many examples can carry: "−0.31", "[−0.44, −0.18]".
func (c Change) Words(total int) (points, interval string) {
	decimals := 1
	if total >= 5000 {
		decimals = 2
	}
	return signed(c.Points, decimals), "[" + signed(c.Low, decimals) + ", " + signed(c.High, decimals) + "]"
}

// signed writes a number with its sign, where it is not 0 as written.
func signed(v float64, decimals int) string {
	text := minus(Fixed(v, decimals))
	if v > 0 && strings.Trim(text, "0.") != "" {
		return "+" + text
	}
	return text
}
