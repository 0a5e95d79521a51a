package app

import (
	"fmt"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/chart"
)

// plotHeight is the height of one host's bar with its samples, in CSS pixels. The width is the cell's: positions are
// percentages, so that circles stay round at any width.
const plotHeight = 16

// maxDots bounds how many samples are drawn one by one.
const maxDots = 100

// plotScale is what the full width of the bars stands for: a little more than the largest mean, whisker and sample of
// all the latencies, which share it.
func plotScale(latencies []wire.Latency) float64 {
	top := 0.0
	grow := func(v float64) {
		if finite(v) {
			top = max(top, v)
		}
	}
	for _, l := range latencies {
		grow(l.Mean)
		grow(l.Mean + l.Std)
		for _, s := range l.Samples {
			grow(s)
		}
	}
	return top * 1.02
}

// plotSVG draws a latency on its scale: a bar to the mean, a whisker of one standard deviation to each side, and every
// sample as a dot, the first on top. Far outliers are hollow.
func plotSVG(l wire.Latency, scale float64, host string) string {
	x := chart.Axis{Scale: chart.Linear{Hi: scale}, Span: chart.Across}.At
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="plot %s" width="100%%" height="%d" role="img" aria-label="%s">`, hostName(host), plotHeight, plotWords(l))
	fmt.Fprintf(&b, `<rect class="bar" x="0" y="1" width="%s" height="%d" rx="1"></rect>`, x(l.Mean), plotHeight-2)
	if finite(l.Std) && l.Std > 0 {
		chart.Whisker(&b, x(l.Mean-l.Std), x(l.Mean+l.Std), plotHeight/2, 3)
	}
	n := min(len(l.Samples), maxDots)
	for i, s := range l.Samples[:n] {
		class := "dot"
		if slices.Contains(l.Outliers, i) {
			class = "dot far"
		}
		fmt.Fprintf(&b, `<circle class="%s" cx="%s" cy="%s" r="%s"></circle>`, class, x(s), dotY(i, n), dotRadius(n))
	}
	b.WriteString(`</svg>`)
	return b.String()
}

// dotY spreads n dots over the height, the first on top.
func dotY(i, n int) string {
	y := plotHeight / 2.0
	if n > 1 {
		y = 2.5 + (plotHeight-5)*float64(i)/float64(n-1)
	}
	return chart.Place(y)
}

func dotRadius(n int) string {
	if n > 20 {
		return "1"
	}
	return "1.8"
}

// plotWords says what the drawing shows.
func plotWords(l wire.Latency) string {
	if len(l.Samples) == 0 {
		return "no samples"
	}
	lo, _ := report.Trim(slices.Min(l.Samples), l.Std)
	hi, _ := report.Trim(slices.Max(l.Samples), l.Std)
	s := fmt.Sprintf("%s from %s to %s microseconds", plural(len(l.Samples), "run"), lo, hi)
	if len(l.Outliers) > 0 {
		s += fmt.Sprintf(", %s kept", plural(len(l.Outliers), "far outlier"))
	}
	return s
}

// markerSVG draws a variant's marker; an unknown variant gets a ring.
func markerSVG(variant string) string { return chart.Marker(variant) }
