package measure

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// The words of a verdict.
const (
	Faster       = "faster"
	Slower       = "slower"
	NoDifference = "no difference detected"
)

// clockShare is how much of a run's length the clock can hide: one of its steps in minSteps.
const clockShare = 1.0 / minSteps

// CompareRatio compares two series that were measured in the same rounds, by their ratio base/other in each round:
// above 1, other is faster. It returns the geometric mean of the ratios, its 95% interval by Student's t on their
// logarithms, and a verdict: a difference is detected where the interval leaves out 1. Of two variants that are
// equally fast, about one comparison in twenty therefore calls one of them faster.
//
// Ratios that are all alike (a coarse clock gives them) have no spread to judge by; then a difference is detected where
// the ratio is further from 1 than a step of the clock in a shortest run, and the interval is that step wide.
// One round gives a ratio, without an interval and without a verdict: low = high = ratio, word = "". Series that can't
// be paired, or hold a time that is not above zero, give no ratio: 0, 0, 0, "".
func CompareRatio(base, other []float64) (ratio, low, high float64, word string) {
	n := len(base)
	if n == 0 || n != len(other) {
		return 0, 0, 0, ""
	}
	logs := make([]float64, n)
	for i := range logs {
		logs[i] = math.Log(base[i]) - math.Log(other[i])
		if !(base[i] > 0 && other[i] > 0) || math.IsInf(logs[i], 0) || math.IsNaN(logs[i]) {
			return 0, 0, 0, ""
		}
	}
	if n == 1 {
		ratio = math.Exp(logs[0])
		return ratio, ratio, ratio, ""
	}
	mean, std := stat.MeanStdDev(logs, nil)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(n - 1)}
	half := t.Quantile(0.975) * std / math.Sqrt(float64(n))
	if std <= 1e-12 { // nothing but rounding
		half = clockShare
	}
	ratio, low, high = math.Exp(mean), math.Exp(mean-half), math.Exp(mean+half)
	switch {
	case low > 1:
		word = Faster
	case high < 1:
		word = Slower
	default:
		word = NoDifference
	}
	return ratio, low, high, word
}
