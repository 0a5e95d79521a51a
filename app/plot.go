package app

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
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
	x := func(v float64) string {
		if scale <= 0 || !finite(v) {
			return "0%"
		}
		return strconv.FormatFloat(100*min(max(v/scale, 0), 1), 'f', 2, 64) + "%"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="plot %s" width="100%%" height="%d" role="img" aria-label="%s">`, hostName(host), plotHeight, plotWords(l))
	fmt.Fprintf(&b, `<rect class="bar" x="0" y="1" width="%s" height="%d" rx="1"></rect>`, x(l.Mean), plotHeight-2)
	if finite(l.Std) && l.Std > 0 {
		mid := plotHeight / 2
		fmt.Fprintf(&b, `<line class="whisker" x1="%s" x2="%s" y1="%d" y2="%d"></line>`, x(l.Mean-l.Std), x(l.Mean+l.Std), mid, mid)
		for _, end := range []float64{l.Mean - l.Std, l.Mean + l.Std} {
			fmt.Fprintf(&b, `<line class="whisker" x1="%s" x2="%s" y1="%d" y2="%d"></line>`, x(end), x(end), mid-3, mid+3)
		}
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
	return strconv.FormatFloat(math.Round(10*y)/10, 'f', -1, 64)
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

// markers are the variants' shapes in a box of 12 by 12; shape and colour each tell them apart alone.
var markers = map[string]string{
	"fp32":            `<rect x="1" y="1" width="10" height="10"></rect>`,
	"dynamic-float16": `<path d="M6 0l6 6-6 6-6-6z"></path>`,
	"dynamic-qint8":   `<path d="M6 .5l6 11H0z"></path>`,
	"static-qint8":    `<circle cx="6" cy="6" r="5.5"></circle>`,
	"amp":             `<path d="M4 0h4v4h4v4H8v4H4V8H0V4h4z"></path>`,
}

// markerSVG draws a variant's marker; an unknown variant gets a ring.
func markerSVG(variant string) string {
	shape, ok := markers[variant]
	if !ok {
		variant, shape = "other", `<circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" stroke-width="2"></circle>`
	}
	return fmt.Sprintf(`<svg class="marker v-%s" viewBox="0 0 12 12" width="12" height="12" fill="currentColor" aria-hidden="true">%s</svg>`, variant, shape)
}
