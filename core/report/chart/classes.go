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

// A Bar is what of a class's bar follows from its probability.
type Bar struct {
	Class       string // of its group: the answer's bar is emphasized
	Top         string // where it ends, and
	NumberAt    string // where the number over it stands, in pixels from the top
	Short, Long string // the number; the style sheet decides by the room which one is shown
}

// Bars returns the bars of the probabilities p; the one with the index answer is the answer.
func Bars(p []float64, answer int) []Bar {
	height := Span{From: classesFoot, To: classesTop}
	bars := make([]Bar, len(p))
	for i, v := range p {
		v = clamp01(v)
		b := Bar{Class: "class", Top: height.At(v), NumberAt: Place(classesFoot - 3 - (classesFoot-classesTop)*v)}
		if v >= .005 || i == answer {
			b.Short, b.Long = strconv.FormatFloat(100*v, 'f', 0, 64), strings.TrimSuffix(strconv.FormatFloat(100*v, 'f', 1, 64), ".0")
		}
		if i == answer {
			b.Class, b.Short, b.Long = "class answer", b.Short+"%", b.Long+"%"
		}
		bars[i] = b
	}
	return bars
}

// Classes draws an answer, the probabilities p of the classes, as bars with the classes' labels below and their percentages above. The
// answer's bar, with the index answer, is the emphasized one. It fits table cells from 200 pixels of width on and takes its colour
// from the variant's class around it. Without probabilities it holds their place. Other probabilities of as many classes change
// nothing but the label, which ClassesWords gives, and what Bars gives: for each, in this order, a group with a line and a text of
// two spans.
func Classes(labels []string, p []float64, answer int) string {
	n := len(labels)
	p = p[:min(len(p), n)]
	bars := Bars(p, answer)
	var b strings.Builder
	class := "classes"
	switch {
	case n <= 4:
		class = "classes few"
	case n > 12: // thinner ones, and numbers over the answer's only
		class = "classes many"
	}
	begin(&b, class, classesHeight, ClassesWords(labels, p))
	axis := Axis{Scale: Linear{0, float64(max(n, 1))}, Span: Across}
	for i, label := range labels {
		x := axis.At(float64(i) + .5)
		if i < len(bars) {
			bar := bars[i]
			b.WriteString(`<g class="` + bar.Class + `">`)
			Line(&b, "bar", x, Place(classesFoot), x, bar.Top)
			fmt.Fprintf(&b, `<text class="number" text-anchor="middle" x="%s" y="%s"><tspan class="short">%s</tspan><tspan class="long">%s</tspan></text>`,
				x, bar.NumberAt, bar.Short, bar.Long)
		} else {
			b.WriteString(`<g class="class">`)
		}
		Text(&b, "name", "middle", x, Place(classesHeight-3), nameOf(label, n))
		b.WriteString(`</g>`)
	}
	Line(&b, "base", "0%", Place(classesFoot+.5), "100%", Place(classesFoot+.5))
	b.WriteString(`</svg>`)
	return b.String()
}

// nameOf is a class's label as far as there is room for it under one of n bars. One of which too little would be left is left out.
func nameOf(label string, n int) string {
	const room = 32 // letters under all of them
	most := max(1, room/max(n, 1))
	if letters := []rune(label); len(letters) > most {
		if most < 3 {
			return ""
		}
		return string(letters[:most-1]) + "…"
	}
	return label
}

// ClassesWords says all percentages, the likeliest class first.
func ClassesWords(labels []string, p []float64) string {
	p = slices.Clone(p)
	for i := range p {
		p[i] = clamp01(p[i])
	}
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
