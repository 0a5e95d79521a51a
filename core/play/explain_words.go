package play

import (
	"cmp"
	"math"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// levels is over how many levels a grid's range is spread.
func levels(g *wire.Grid) int {
	return int(cmp.Or(g.Top, g.Max)-g.Min) + 1
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// plural is one for 1, else many, in which %s, if it is there, is the number.
func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return strings.Replace(many, "%s", report.Count(n), 1)
}

// and joins words: "0, 1 and 2".
func and(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

func fraction(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// percent writes a share with two figures that tells all from almost all.
func percent(share float64) string {
	switch p := 100 * share; {
	case share > 0 && p < 0.01:
		return "less than 0.01%"
	case p > 99.9 && share < 1:
		return "over 99.9%"
	case p >= 99:
		return trimmed(report.Fixed(p, 1)) + "%"
	default:
		return trimmed(report.Figures(p, 2)) + "%"
	}
}

// figure writes a number with three figures.
func figure(v float64) string { return trimmed(report.Figures(v, 3)) }

// trimmed drops zeros behind the point.
func trimmed(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func dB(v float64) string {
	if math.Abs(v) < 0.05 { // no "-0.0"
		v = 0
	}
	return report.Fixed(v, 1) + " dB"
}

// gained writes what an observer gains; of more than any grid but an exact one could, only that.
func gained(v float64) string {
	const most = 60 // dB: eight bits reach 50
	if v > most {
		return "more than " + dB(most)
	}
	return dB(v)
}

// errs is the size of errors relative to what they are made on, root mean squares both, in percent.
func errs(sqnr float64) string { return percent(math.Pow(10, -sqnr/20)) }
