package chart

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// A Span is where an axis lies in a drawing: from From to To, in the drawing's units or in percent of its width.
type Span struct {
	From, To float64
	Percent  bool
}

// Point is the place of a share of the axis, as Scale.At gives it.
func (s Span) Point(share float64) float64 { return s.From + (s.To-s.From)*clamp01(share) }

// At writes Point as a coordinate.
func (s Span) At(share float64) string {
	if s.Percent {
		return Percent(s.Point(share) / 100)
	}
	return Place(s.Point(share))
}

// Across is the whole width.
var Across = Span{0, 100, true}

// Place writes a coordinate in the drawing's units, to a tenth.
func Place(v float64) string {
	if !Finite(v) {
		return "0"
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

// Percent writes a share as a coordinate in percent.
func Percent(share float64) string {
	return strconv.FormatFloat(math.Round(1e4*clamp01(share))/100, 'f', -1, 64) + "%"
}

// An Axis is a scale with its ticks.
type Axis struct {
	Scale Scale
	Span  Span
	Ticks []Tick // with a grid line each, and a label where there is one
	Title string // with its unit
}

// Point is the place of a number, and At writes it as a coordinate.
func (a Axis) Point(v float64) float64 { return a.Span.Point(a.Scale.At(v)) }
func (a Axis) At(v float64) string     { return a.Span.At(a.Scale.At(v)) }

// Heights of an axis's parts, in pixels below the plot's foot: the labels' base line, the title's, and all of it.
const (
	tickDrop   = 15
	titleDrop  = 32
	AxisHeight = 38
)

// Horizontal draws the axis under a plot: grid lines from y = top to foot, labels and title below.
func (a Axis) Horizontal(b *strings.Builder, top, foot float64) {
	b.WriteString(`<g class="x-axis" aria-hidden="true">`)
	for _, t := range a.Ticks {
		x := a.At(t.Value)
		Line(b, "grid", x, Place(top), x, Place(foot))
		if t.Label != "" {
			Text(b, "tick", "middle", x, Place(foot+tickDrop), t.Label)
		}
	}
	if a.Title != "" {
		Text(b, "axis", "middle", a.Span.At(.5), Place(foot+titleDrop), a.Title)
	}
	b.WriteString(`</g>`)
}

// Vertical draws the axis at the left of a plot: grid lines as wide as across, labels left of them, and the title above
// all, from x = 4 with its base line at y = 14.
func (a Axis) Vertical(b *strings.Builder, across Span) {
	b.WriteString(`<g class="y-axis" aria-hidden="true">`)
	label := "-6" // in the drawing's margin, where its width is a percentage
	if !across.Percent {
		label = Place(across.From - 6)
	}
	for _, t := range a.Ticks {
		y := a.Point(t.Value)
		Line(b, "grid", across.At(0), Place(y), across.At(1), Place(y))
		if t.Label != "" {
			Text(b, "tick", "end", label, Place(y+4), t.Label)
		}
	}
	if a.Title != "" {
		left := "4"
		if across.Percent {
			left = "-" + strconv.Itoa(leftMargin-4)
		}
		Text(b, "axis", "start", left, "14", a.Title)
	}
	b.WriteString(`</g>`)
}

// leftMargin is the room that web/chart.css leaves for the labels of a vertical axis, in pixels.
const leftMargin = 44

// Line draws a line between two places.
func Line(b *strings.Builder, class, x1, y1, x2, y2 string) {
	fmt.Fprintf(b, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"></line>`, class, x1, y1, x2, y2)
}

// Whisker draws an interval: a line from x1 to x2 at the height y, and lines that reach so far up and down at both ends.
func Whisker(b *strings.Builder, x1, x2 string, y, reach float64) {
	Line(b, "whisker", x1, Place(y), x2, Place(y))
	for _, x := range []string{x1, x2} {
		Line(b, "whisker", x, Place(y-reach), x, Place(y+reach))
	}
}

// Rect draws a rectangle.
func Rect(b *strings.Builder, class, x, y, width, height string) {
	fmt.Fprintf(b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"></rect>`, class, x, y, width, height)
}

// Text writes text at a place; anchor is start, middle or end.
func Text(b *strings.Builder, class, anchor, x, y, text string) {
	fmt.Fprintf(b, `<text class="%s" text-anchor="%s" x="%s" y="%s">%s</text>`, class, anchor, x, y, Escape(text))
}

// Beside is Text some pixels to the right of a place, or with dx below zero to the left.
func Beside(b *strings.Builder, class, anchor, x string, dx, y float64, text string) {
	fmt.Fprintf(b, `<text class="%s" text-anchor="%s" x="%s" dx="%s" y="%s">%s</text>`, class, anchor, x, Place(dx), Place(y), Escape(text))
}

// begin opens a drawing as wide as its box.
func begin(b *strings.Builder, class string, height float64, label string) {
	fmt.Fprintf(b, `<svg class="chart %s" width="100%%" height="%s" role="img" aria-label="%s">`, class, Place(height), Escape(label))
}

// Escape makes text harmless in SVG and HTML: also what XML has no place for, such as control characters.
func Escape(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	return html.EscapeString(text)
}
