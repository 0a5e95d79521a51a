package app

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
)

// plural spells a count with its noun: "1 run", "5 runs".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// count writes a whole number with commas: "10,000".
func count(n int) string { return commas(strconv.Itoa(n)) }

// commas groups the digits before the decimal point by three.
func commas(s string) string {
	whole, rest, _ := strings.Cut(s, ".")
	if rest != "" {
		rest = "." + rest
	}
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + rest
}

// measured writes a mean and its standard deviation with the digits that the deviation leaves certain: two figures of
// the deviation, and the mean to the same place. Without a deviation the mean has three figures and std is "".
func measured(mean, std float64) (string, string) {
	if !finite(mean) {
		return "–", ""
	}
	if !finite(std) || std <= 0 {
		return figures(mean, 3), ""
	}
	places := min(max(1-int(math.Floor(math.Log10(std))), -9), 3)
	if s := roundTo(std, places); s >= math.Pow(10, float64(2-places)) {
		places-- // 0.996 became 1.00
	}
	places = min(places, 3)
	return fixed(roundTo(mean, places), places), fixed(roundTo(std, places), places)
}

// figures writes v with n significant figures, and whole numbers in full.
func figures(v float64, n int) string {
	if v == 0 || !finite(v) {
		return "0"
	}
	places := n - 1 - int(math.Floor(math.Log10(math.Abs(v))))
	return fixed(v, min(max(places, 0), 6))
}

func roundTo(v float64, places int) float64 {
	p := math.Pow(10, float64(places))
	return math.RoundToEven(v*p) / p
}

func fixed(v float64, places int) string {
	return commas(strconv.FormatFloat(v, 'f', max(places, 0), 64))
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// megabytes writes a file's size in MB with the lab's three decimals.
func megabytes(bytes int64) string { return fixed(float64(bytes)/1e6, 3) }

// percent writes a share of total with the decimals that total can carry: 97.1% of 1,000, 97.06% of 10,000.
func percent(share float64, total int) string { return percentDigits(share, total) + "%" }

func percentDigits(share float64, total int) string {
	places := 1
	if total >= 5000 {
		places = 2
	}
	return fixed(100*share, places)
}

// pvalue writes a p-value as one reports it.
func pvalue(p float64) string {
	switch {
	case !finite(p):
		return "p unknown"
	case p < 0.001:
		return "p < 0.001"
	case p >= 0.995:
		return "p = 1"
	}
	return "p = " + strconv.FormatFloat(p, 'f', places2(p), 64)
}

func places2(p float64) int {
	if p < 0.01 {
		return 3
	}
	return 2
}

// A verdictView is a verdict in words: "2.31× faster", "2.25–2.38".
type verdictView struct {
	Class, Words, Interval string
}

// verdict words a verdict. Slower is told as how many times slower, so that both directions read alike.
func verdict(v *wire.Verdict) verdictView {
	if v == nil {
		return verdictView{Class: "none"}
	}
	ratio, low, high := v.Ratio, v.Low, v.High
	class := "none"
	switch v.Word {
	case wire.Faster:
		class = "good"
	case wire.Slower:
		class = "bad"
		if ratio > 0 && low > 0 && high > 0 {
			ratio, low, high = 1/ratio, 1/high, 1/low
		}
	}
	view := verdictView{Class: class, Words: v.Word}
	if class != "none" {
		view.Words = times(ratio) + "× " + v.Word
	}
	if finite(low) && finite(high) && low > 0 {
		view.Interval = times(low) + "–" + times(high) + "×"
	}
	return view
}

// times writes a ratio: two decimals below 10, one below 100, none above.
func times(r float64) string {
	switch {
	case !finite(r):
		return "?"
	case r < 9.995:
		return fixed(r, 2)
	case r < 99.95:
		return fixed(r, 1)
	}
	return fixed(r, 0)
}

// duration writes a clock's step.
func duration(ns float64) string {
	switch {
	case !finite(ns) || ns <= 0:
		return "unknown"
	case ns < 1000:
		return figures(ns, 2) + " ns"
	case ns < 1e6:
		return figures(ns/1e3, 2) + " µs"
	}
	return figures(ns/1e6, 2) + " ms"
}

// inHost and hostName name where a row was measured.
func inHost(host string) string {
	if host == wire.Native {
		return "natively"
	}
	return "in this browser"
}

func hostName(host string) string {
	if host == wire.Native {
		return "native"
	}
	return "browser"
}

// variantName is the variant's short title: "dynamic int8".
func variantName(id string) string {
	v, err := wire.VariantOf(id)
	if err != nil {
		return id
	}
	title, _, _ := strings.Cut(v.Title, ",")
	return title
}

// sentence gives a fragment a capital and a full stop.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	if !strings.ContainsAny(s[:1], "0123456789") && s[0] < 0x80 && !startsWithName(s) {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

// startsWithName reports whether the first word is an identifier, such as a model's, that has no capital.
func startsWithName(s string) bool {
	word, _, _ := strings.Cut(s, " ")
	return strings.ContainsAny(word, "-=/0123456789")
}

// sayRow tells a row to those who listen.
func sayRow(r wire.Row) string {
	parts := []string{}
	if r.Accuracy != nil && finite(*r.Accuracy) {
		parts = append(parts, "accuracy "+percent(*r.Accuracy, r.Total))
	}
	for _, b := range sortedBatches(r.LatencyUS) {
		l := r.LatencyUS[b]
		if l.Verdict == nil {
			mean, _ := measured(l.Mean, l.Std)
			parts = append(parts, fmt.Sprintf("batch %s %s microseconds", b, mean))
			continue
		}
		parts = append(parts, fmt.Sprintf("batch %s %s", b, strings.ReplaceAll(verdict(l.Verdict).Words, "×", " times")))
	}
	if len(parts) == 0 {
		parts = append(parts, r.Note)
	}
	return fmt.Sprintf("%s, %s, %s: %s.", r.Model, variantName(r.Variant), inHost(r.Host), strings.Join(parts, ", "))
}
