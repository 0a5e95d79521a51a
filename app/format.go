package app

import (
	"fmt"
	"math"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// plural spells a count with its noun: "1 run", "5 runs".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return report.Count(n) + " " + noun + "s"
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// A verdictView is a verdict in words: "2.31× faster", "2.25–2.38×".
type verdictView struct {
	Class, Words, Interval string
}

func verdict(v *wire.Verdict) verdictView {
	view := verdictView{Class: "none"}
	view.Words, view.Interval = report.VerdictInterval(v)
	if v != nil && v.Word == wire.Faster {
		view.Class = "good"
	}
	if v != nil && v.Word == wire.Slower {
		view.Class = "bad"
	}
	return view
}

// inHost, runName and hostName name where a row was measured.
func inHost(host string) string {
	if host == wire.Native {
		return "natively"
	}
	return "in this browser"
}

func runName(host string) string {
	if host == wire.Native {
		return "The native run"
	}
	return "The run in this browser"
}

func hostName(host string) string {
	if host == wire.Native {
		return "native"
	}
	return "browser"
}

// engineName is a kernel engine in plain words; one that this page does not know has its own name.
func engineName(id string) string {
	switch id {
	case "portable":
		return "plain Go"
	case "simd128":
		return "SIMD128"
	case "relaxed":
		return "relaxed SIMD"
	case "avx2":
		return "AVX2"
	case "avx512":
		return "AVX-512"
	case "neon":
		return "NEON"
	}
	return id
}

// hostThat names a host as the subject of a sentence.
func hostThat(host string) string {
	if host == wire.Native {
		return "the native host"
	}
	return "this browser"
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
	if !startsWithName(s) {
		s = upperFirst(s)
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

func lowerFirst(s string) string {
	if s != "" && s[0] >= 'A' && s[0] <= 'Z' {
		s = strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

func upperFirst(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}

// startsWithName reports whether the first word is an identifier or a path, which has no capital to take.
func startsWithName(s string) bool {
	word, _, _ := strings.Cut(s, " ")
	return strings.ContainsAny(word, "-=/._0123456789")
}

// sayRow tells a row to those who listen.
func sayRow(r wire.Row) string {
	parts := []string{}
	if r.Accuracy != nil && finite(*r.Accuracy) {
		parts = append(parts, "accuracy "+report.Percent(*r.Accuracy, r.Total))
	}
	for _, b := range report.Batches(r) {
		l := r.LatencyUS[b]
		if l.Verdict == nil {
			mean, _ := report.Trim(l.Mean, l.Std)
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
