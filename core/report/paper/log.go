package paper

import (
	"fmt"
	"math"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// A ratio is a factor with its 95% interval, all three as natural logarithms: differences of these are ratios, and "no effect"
// is 0.
type ratio struct{ mid, low, high float64 }

// least is the smallest factor, as a logarithm, that the interval leaves possible: 0 where it holds "no effect".
func (r ratio) least() float64 {
	switch {
	case r.low > 0:
		return r.low
	case r.high < 0:
		return -r.high
	}
	return 0
}

// over is the ratio of two ratios. Its interval follows from theirs by the method of variance estimates recovery: Zou and Donner,
// Construction of confidence limits about effect measures, Statistics in Medicine 27 (2008). It takes them as independent.
func (r ratio) over(d ratio) ratio {
	mid := r.mid - d.mid
	return ratio{mid, mid - math.Hypot(r.mid-r.low, d.high-d.mid), mid + math.Hypot(r.high-r.mid, d.mid-d.low)}
}

// inverse turns the ratio round.
func (r ratio) inverse() ratio { return ratio{-r.mid, -r.high, -r.low} }

func (r ratio) times(factor float64) ratio {
	l := math.Log(factor)
	return ratio{r.mid + l, r.low + l, r.high + l}
}

func (r ratio) finite() bool {
	for _, v := range []float64{r.mid, r.low, r.high} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// up is the ratio told so that it is above 1.
func (r ratio) up() ratio {
	if r.mid < 0 {
		return r.inverse()
	}
	return r
}

// words are the factor and its interval: "4.0", "3.9–4.1".
func (r ratio) words() (factor, interval string) {
	v := &wire.Verdict{Word: wire.Faster, Ratio: math.Exp(r.mid), Low: math.Exp(r.low), High: math.Exp(r.high)}
	factor, interval = report.VerdictInterval(v)
	return strings.TrimSuffix(strings.TrimSuffix(factor, " faster"), "×"), strings.TrimSuffix(interval, "×")
}

// String is "4.0 (95% interval 3.9–4.1)".
func (r ratio) String() string {
	factor, interval := r.words()
	return factor + within(interval)
}

// asLong is "4.0 times (95% interval 3.9–4.1)".
func (r ratio) asLong() string {
	factor, interval := r.words()
	return factor + " times" + within(interval)
}

func within(interval string) string { return fmt.Sprintf(" (95%% interval %s)", interval) }

// ofVerdict is a verdict's ratio.
func ofVerdict(v *wire.Verdict) (ratio, bool) {
	if v == nil || !(v.Low > 0) || v.Word == "" {
		return ratio{}, false
	}
	r := ratio{math.Log(v.Ratio), math.Log(v.Low), math.Log(v.High)}
	return r, r.finite()
}

// leastHalf is half of the width of an interval of times that are all alike: what the clock may hide, as in core/measure.
const leastHalf = 0.01

// ofSamples is the geometric mean of times, with Student's interval on their logarithms.
func ofSamples(samples []float64) (ratio, bool) {
	n := float64(len(samples))
	if n < 2 {
		return ratio{}, false
	}
	mean := 0.0
	for _, s := range samples {
		mean += math.Log(s) / n
	}
	squares := 0.0
	for _, s := range samples {
		squares += (math.Log(s) - mean) * (math.Log(s) - mean)
	}
	half := student(n-1) * math.Sqrt(squares/(n-1)/n)
	if half < 1e-12 {
		half = leastHalf
	}
	r := ratio{mean, mean - half, mean + half}
	return r, r.finite()
}

// student is the 97.5% quantile of Student's t with that many degrees of freedom: exact for 1 and 2, beyond by the expansion of
// Cornish and Fisher (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5), right to a hundredth for 3 and to a thousandth
// from 4 on.
func student(nu float64) float64 {
	const z = 1.959963984540054
	switch nu {
	case 1:
		return math.Tan(math.Pi * 0.475)
	case 2:
		const a = 4 * 0.975 * 0.025
		return 2 * 0.475 * math.Sqrt(2/a)
	}
	g1 := z * (z*z + 1) / 4
	g2 := z * (5*math.Pow(z, 4) + 16*z*z + 3) / 96
	g3 := z * (3*math.Pow(z, 6) + 19*math.Pow(z, 4) + 17*z*z - 15) / 384
	g4 := z * (79*math.Pow(z, 8) + 776*math.Pow(z, 6) + 1482*math.Pow(z, 4) - 1920*z*z - 945) / 92160
	return z + g1/nu + g2/(nu*nu) + g3/math.Pow(nu, 3) + g4/math.Pow(nu, 4)
}

// mistakes is the share of wrong answers with Wilson's interval, which the row has for the right ones.
func mistakes(r wire.Row) (ratio, bool) {
	if r.Accuracy == nil || r.Interval == nil || r.Total == 0 {
		return ratio{}, false
	}
	e := ratio{math.Log(1 - *r.Accuracy), math.Log(1 - r.Interval[1]), math.Log(1 - r.Interval[0])}
	return e, e.finite()
}

// paired is the ratio of a row's mistakes to the baseline's on the same examples: Agresti, Categorical Data Analysis, on ratios of
// matched pairs. McNemar's test says whether it is supported; the interval, which is an approximation, must agree.
func paired(r wire.Row) (ratio, bool) {
	if r.Paired == nil || r.Accuracy == nil || r.Total == 0 {
		return ratio{}, false
	}
	here := float64(r.Total - r.Correct)
	base := here + float64(r.Paired.Gained) - float64(r.Paired.Lost)
	if here <= 0 || base <= 0 {
		return ratio{}, false
	}
	mid := math.Log(here / base)
	half := 1.96 * math.Sqrt(float64(r.Paired.Gained+r.Paired.Lost)/(here*base))
	return ratio{mid, mid - half, mid + half}, true
}
