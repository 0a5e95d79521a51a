package measure

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Summary describes samples. No figure leaves any sample out.
type Summary struct {
	N        int
	Mean     float64
	Std      float64 // sample standard deviation (divisor N-1); 0 for one sample
	Min, Max float64
	Median   float64
	P95      float64
	Outliers []int // positions in the samples, ascending, beyond Tukey's far fences
}

// Summarize describes samples. Quantiles interpolate linearly between order statistics (Hyndman and Fan's type 7, the
// default of numpy and R). An outlier lies more than 3 interquartile ranges outside the quartiles: Tukey, Exploratory
// Data Analysis (1977), "far out". Fewer than four samples have none. No samples give the zero Summary.
func Summarize(samples []float64) Summary {
	n := len(samples)
	if n == 0 {
		return Summary{}
	}
	sorted := slices.Sorted(slices.Values(samples))
	s := Summary{
		N: n, Mean: samples[0], Min: sorted[0], Max: sorted[n-1],
		Median: quantile(sorted, 0.5), P95: quantile(sorted, 0.95),
	}
	if n > 1 {
		s.Mean, s.Std = stat.MeanStdDev(samples, nil)
	}
	if n >= 4 {
		q1, q3 := quantile(sorted, 0.25), quantile(sorted, 0.75)
		far := 3 * (q3 - q1)
		for i, v := range samples {
			if v < q1-far || v > q3+far {
				s.Outliers = append(s.Outliers, i)
			}
		}
	}
	return s
}

// quantile returns the p-quantile of sorted, which is not empty.
func quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Wilson returns the 95% score interval of a probability of which k successes in n trials were seen:
// Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
// Nothing is known after no trials: 0 to 1.
func Wilson(k, n int) (low, high float64) {
	if n <= 0 {
		return 0, 1
	}
	k = min(max(k, 0), n)
	z := distuv.UnitNormal.Quantile(0.975)
	p, trials := float64(k)/float64(n), float64(n)
	center := (p + z*z/(2*trials)) / (1 + z*z/trials)
	half := z / (1 + z*z/trials) * math.Sqrt(p*(1-p)/trials+z*z/(4*trials*trials))
	low, high = max(center-half, 0), min(center+half, 1)
	if k == 0 {
		low = 0 // exactly, where rounding would leave 1e-19
	}
	if k == n {
		high = 1
	}
	return low, high
}

// McNemar returns the exact two-sided p-value of McNemar's test on paired answers, where b examples changed one way and
// c the other: twice the probability that of b+c tosses of a fair coin at most min(b, c) are heads, but not above 1.
// Nothing underflows on the way; a result below 5e-324 is 0. Fewer than 6 changes never reach 0.05.
func McNemar(b, c int) float64 {
	b, c = max(b, 0), max(c, 0)
	n, k := b+c, min(b, c)
	if b == c {
		return 1
	}
	// The largest term, C(n, k) / 2^n, as a product of n-k+i over i; top · 2^exponent holds it.
	top, exponent := 1.0, -n
	for i := 1; i <= k; i++ {
		top *= float64(n-k+i) / float64(i)
		if top > 1<<500 {
			top, exponent = top/(1<<500), exponent+500
		}
	}
	// The other terms in units of the largest: C(n, i-1) / C(n, i) = i / (n-i+1), less than 1.
	sum, term := 1.0, 1.0
	for i := k; i >= 1 && term > 0x1p-60*sum; i-- {
		term *= float64(i) / float64(n-i+1)
		sum += term
	}
	return min(math.Ldexp(top*sum, exponent+1), 1)
}
