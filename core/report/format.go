package report

import (
	"math"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
)

// Missing is what stands for a figure that there is none of.
const Missing = "–"

// Trim writes a mean and its standard deviation with the digits that the deviation leaves certain: 142.3 and 1.8.
//
// The rule is the Particle Data Group's: of the deviation's first three digits, 100 to 354 keep two, 355 to 949 keep
// one, 950 to 999 are rounded up to 1000 and keep two; the mean has the same last place. Without a deviation the mean has
// four figures and std is "". A mean that is not finite is Missing.
func Trim(mean, std float64) (string, string) {
	if !finite(mean) {
		return Missing, ""
	}
	if !finite(std) || std <= 0 {
		return Figures(mean, 4), ""
	}
	decimals := deviationDecimals(std)
	return Fixed(mean, decimals), Fixed(std, decimals)
}

// PlusMinus is Trim in one string: "142.3 ± 1.8".
func PlusMinus(mean, std float64) string {
	m, s := Trim(mean, std)
	if s == "" {
		return m
	}
	return m + " ± " + s
}

// deviationDecimals returns how many decimals of a number with that uncertainty are worth writing; below zero, how many
// places before the point are not.
func deviationDecimals(std float64) int {
	digits := strconv.FormatFloat(std, 'e', 2, 64) // "1.80e+00"
	first, exponent, _ := strings.Cut(digits, "e")
	power, _ := strconv.Atoi(exponent)
	three, _ := strconv.Atoi(strings.Replace(first, ".", "", 1))
	if three <= 354 {
		return 1 - power
	}
	return -power // one digit, or, from 950 on, the two of 1.0 times the next power
}

// Fixed writes v with so many decimals, at most 9; with decimals below zero it is rounded to tens, hundreds and so on.
// From 10,000 on, commas group the digits.
func Fixed(v float64, decimals int) string {
	if !finite(v) {
		return Missing
	}
	if decimals < 0 {
		p := math.Pow10(min(-decimals, 300))
		v, decimals = math.RoundToEven(v/p)*p, 0
	}
	s := strconv.FormatFloat(v, 'f', min(decimals, 9), 64)
	if whole, _, _ := strings.Cut(strings.TrimPrefix(s, "-"), "."); len(whole) <= 4 {
		return s
	}
	return commas(s)
}

// Figures writes v with n significant figures, but never rounds its whole part.
func Figures(v float64, n int) string {
	if v == 0 || !finite(v) {
		return Fixed(v, 0)
	}
	power := int(math.Floor(math.Log10(math.Abs(v))))
	return Fixed(v, max(n-1-power, 0))
}

// Count writes a whole number, digits grouped by commas: "407,050".
func Count(n int) string { return commas(strconv.Itoa(n)) }

// commas groups the digits before the point by three.
func commas(s string) string {
	end := len(s)
	if i := strings.IndexByte(s, '.'); i >= 0 {
		end = i
	}
	begin := 0
	if strings.HasPrefix(s, "-") {
		begin = 1
	}
	for i := end - 3; i > begin; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// MB writes a file's size in megabytes (1e6 bytes) with the lab's three decimals: "1.628".
func MB(bytes int64) string { return Fixed(float64(bytes)/1e6, 3) }

// Memory writes an amount of memory in GiB (2^30 bytes): "23.5 GiB".
func Memory(bytes uint64) string {
	gib := float64(bytes) / (1 << 30)
	s := strconv.FormatFloat(gib, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0") + " GiB"
}

// Percent writes a share of total with the decimals that so many examples can carry: 97.1% of 1,000, 97.06% of 10,000.
func Percent(share float64, total int) string {
	if !finite(share) {
		return Missing
	}
	return percentDigits(share, total) + "%"
}

func percentDigits(share float64, total int) string {
	decimals := 1
	if total >= 5000 {
		decimals = 2
	}
	return strconv.FormatFloat(100*share, 'f', decimals, 64)
}

// Interval writes the two ends of an interval of shares, in percent: "[96.71, 97.37]".
// An interval that is not finite is "".
func Interval(ends [2]float64, total int) string {
	if !finite(ends[0]) || !finite(ends[1]) {
		return ""
	}
	return "[" + percentDigits(ends[0], total) + ", " + percentDigits(ends[1], total) + "]"
}

// PValue writes a p-value as one reports it: "p = 0.51", "p < 0.001".
func PValue(p float64) string {
	switch {
	case !finite(p):
		return "p unknown"
	case p < 0.001:
		return "p < 0.001"
	case p < 0.1: // where it matters on which side of 0.05 it lies
		return "p = " + strconv.FormatFloat(p, 'f', 3, 64)
	case p >= 0.995:
		return "p = 1"
	}
	return "p = " + strconv.FormatFloat(p, 'f', 2, 64)
}

// Flips writes how a variant's answers differ from the baseline's: "3 differ (+1 −2), p = 1". The signed numbers are the
// answers that became right and that became wrong.
func Flips(p *wire.Paired) string {
	if p == nil {
		return Missing
	}
	if len(p.Flipped) == 0 {
		return "none differ"
	}
	verb := " differ"
	if len(p.Flipped) == 1 {
		verb = " differs"
	}
	return Count(len(p.Flipped)) + verb + " (+" + strconv.Itoa(p.Gained) + " −" + strconv.Itoa(p.Lost) + "), " + PValue(p.P)
}

// Times writes a ratio with that uncertainty: "1.71×". It has at least two figures, and at most two decimals.
func Times(ratio, uncertainty float64) string {
	if !finite(ratio) || ratio <= 0 {
		return Missing
	}
	return Fixed(ratio, timesDecimals(ratio, uncertainty)) + "×"
}

func timesDecimals(ratio, uncertainty float64) int {
	most := 2
	switch {
	case ratio >= 99.95:
		most = 0
	case ratio >= 9.995:
		most = 1
	}
	if finite(uncertainty) && uncertainty > 0 {
		return min(max(deviationDecimals(uncertainty), most-1, 0), most)
	}
	return most
}

// Verdict words a verdict: "1.71× faster", "1.05× slower", "no difference detected". A slowdown is told as how many times
// slower, so that both directions read alike. No verdict is "".
func Verdict(v *wire.Verdict) string {
	words, _ := VerdictInterval(v)
	return words
}

// VerdictInterval is Verdict with the 95% interval of the ratio, told in the same direction: "1.68–1.74×".
func VerdictInterval(v *wire.Verdict) (words, interval string) {
	if v == nil {
		return "", ""
	}
	ratio, low, high := v.Ratio, v.Low, v.High
	if v.Word == wire.Slower {
		ratio, low, high = 1/v.Ratio, 1/v.High, 1/v.Low
	}
	half := (high - low) / 2
	words = v.Word
	if v.Word == wire.Faster || v.Word == wire.Slower {
		words = Times(ratio, half) + " " + v.Word
	}
	if finite(low) && finite(high) && low > 0 {
		first := timesDecimals(low, half)
		if v.Word != wire.NoDifference {
			// "1.9× faster, 1.0–3.5×" would read as a contradiction: the interval leaves out 1, so show that it does.
			for low > 1 && first < 4 && Fixed(low, first) == Fixed(1, first) {
				first++
			}
		}
		interval = Fixed(low, first) + "–" + Times(high, half)
	}
	return words, interval
}

// Nanoseconds writes a short time: "30 ns", "5 µs", "100 µs", "1 ms".
func Nanoseconds(ns float64) string {
	switch {
	case !finite(ns) || ns <= 0:
		return "unknown"
	case ns < 999.5:
		return short(ns) + " ns"
	case ns < 999.5e3:
		return short(ns/1e3) + " µs"
	}
	return short(ns/1e6) + " ms"
}

// short writes v with two figures, or its whole part, without zeros behind the point.
func short(v float64) string {
	s := Figures(v, 2)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
