package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Heights of the class bars, in pixels from the top: the room of the numbers, the bars' foot, and all of it.
const (
	classesTop    = 13
	classesFoot   = 42
	classesHeight = 58
)

// Classes draws an answer, the probabilities p of the classes, as bars with the classes' labels below and their percentages above. The
// answer's bar, with the index answer, is the emphasized one. It fits table cells from 200 pixels of width on and takes its colour
// from the variant's class around it. Without probabilities it holds their place.
func Classes(labels []string, p []float64, answer int) string {
	n := len(labels)
	p = slices.Clone(p[:min(len(p), n)])
	for i := range p {
		p[i] = clamp01(p[i])
	}
	var b strings.Builder
	class := "classes"
	if n <= 4 {
		class = "classes few"
	}
	begin(&b, class, classesHeight, classesWords(labels, p))
	axis := Axis{Scale: Linear{0, float64(max(n, 1))}, Span: Across}
	height := Span{From: classesFoot, To: classesTop}
	for i, label := range labels {
		mark := ""
		if i == answer && i < len(p) {
			mark = " answer"
		}
		x := axis.At(float64(i) + .5)
		b.WriteString(`<g class="class` + mark + `">`)
		if i < len(p) {
			Line(&b, "bar", x, Place(classesFoot), x, height.At(p[i]))
			if p[i] >= .005 || i == answer {
				fmt.Fprintf(&b, `<text class="number" text-anchor="middle" x="%s" y="%s">%s</text>`,
					x, Place(classesFoot-3-(classesFoot-classesTop)*p[i]), classPercent(p[i], i == answer))
			}
		}
		Text(&b, "name", "middle", x, Place(classesHeight-3), label)
		b.WriteString(`</g>`)
	}
	Line(&b, "base", "0%", Place(classesFoot+.5), "100%", Place(classesFoot+.5))
	b.WriteString(`</svg>`)
	return b.String()
}

// classPercent writes a number over a bar: short, and where there is room, as the style sheet decides, with a decimal.
func classPercent(p float64, answer bool) string {
	short, long := strconv.FormatFloat(100*p, 'f', 0, 64), strings.TrimSuffix(strconv.FormatFloat(100*p, 'f', 1, 64), ".0")
	if answer {
		short, long = short+"%", long+"%"
	}
	return `<tspan class="short">` + short + `</tspan><tspan class="long">` + long + `</tspan>`
}

// classesWords says all percentages, the likeliest class first.
func classesWords(labels []string, p []float64) string {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[j], p[i]) })
	var parts []string
	for _, i := range order {
		if p[i] < .0005 {
			break
		}
		parts = append(parts, labels[i]+" "+percentWords(p[i]))
	}
	switch {
	case len(p) == 0:
		return "No answer yet"
	case len(parts) == 0:
		return "Every class below 0.1%"
	case len(parts) == len(p)-1:
		parts = append(parts, labels[order[len(p)-1]]+" below 0.1%")
	case len(parts) < len(p):
		parts = append(parts, "the others below 0.1% each")
	}
	return "Probabilities: " + strings.Join(parts, ", ")
}

// percentWords writes a probability with one decimal.
func percentWords(p float64) string { return strconv.FormatFloat(100*p, 'f', 1, 64) + "%" }
