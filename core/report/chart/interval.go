package chart

import (
	"fmt"
	"strings"
)

// An IntervalView is estimates with their intervals on one axis.
type IntervalView struct {
	Rows  []IntervalRow
	Of    string // for the text alternative: "accuracy on the test set"
	Title string // of the axis, with its unit: "accuracy, %"

	// Least is the smallest width of the axis, in its unit, so that it stands still while an estimate settles.
	Least float64
}

// An IntervalRow is one estimate. Colour and marker are its variant's.
type IntervalRow struct {
	Variant       string
	Label         string
	Text          string // the estimate as it is written beside the drawing: "97.12%"
	Value, Lo, Hi float64
	Partial       bool // of some of the examples only: hollow
}

const intervalRow = 26

// Intervals draws for each row a marker at its estimate and a line from end to end of its interval; a thin line marks the first
// row's estimate, the one to compare with.
func Intervals(v IntervalView) string {
	const top = 6.0
	x := intervalAxis(v)
	foot := top + intervalRow*float64(len(v.Rows))
	var b strings.Builder
	begin(&b, "intervals", foot+AxisHeight, intervalWords(v))
	x.Horizontal(&b, top, foot)
	if len(v.Rows) > 1 && Finite(v.Rows[0].Value) {
		Line(&b, "reference", x.At(v.Rows[0].Value), Place(top), x.At(v.Rows[0].Value), Place(foot))
	}
	for i, r := range v.Rows {
		mid := top + intervalRow*(float64(i)+.5)
		Text(&b, "name", "end", Percent((divergingLeft-3)/100.), Place(mid+4), Shorten(r.Label, labelRunes))
		intervalMarks(&b, r, x, mid)
		Beside(&b, "number", "start", "100%", 8, mid+4, r.Text)
	}
	Line(&b, "base", x.Span.At(0), Place(foot+.5), x.Span.At(1), Place(foot+.5))
	b.WriteString(`</svg>`)
	return b.String()
}

func intervalMarks(b *strings.Builder, r IntervalRow, x Axis, mid float64) {
	if !Finite(r.Value) {
		return
	}
	shape, class := Shape(r.Variant)
	state := "whole"
	if r.Partial {
		state = "partial"
	}
	fmt.Fprintf(b, `<g class="estimate %s v-%s">`, state, class)
	if Finite(r.Lo) && Finite(r.Hi) {
		Whisker(b, x.At(r.Lo), x.At(r.Hi), mid, 4)
	}
	fmt.Fprintf(b, `<svg x="%s" y="%s" overflow="visible"><g class="mark" transform="translate(-6 -6)">%s</g></svg></g>`, x.At(r.Value), Place(mid), shape)
}

// intervalAxis holds all intervals and ends at ticks.
func intervalAxis(v IntervalView) Axis {
	first := true
	lo, hi := 0.0, 0.0
	for _, r := range v.Rows {
		for _, x := range []float64{r.Value, r.Lo, r.Hi} {
			switch {
			case !Finite(x):
			case first:
				lo, hi, first = x, x, false
			default:
				lo, hi = min(lo, x), max(hi, x)
			}
		}
	}
	if short := v.Least - (hi - lo); short > 0 {
		lo, hi = lo-short/2, hi+short/2
	}
	s := Nice(lo, hi, 4)
	return Axis{Scale: s, Span: Span{divergingLeft, divergingRight, true}, Ticks: s.Ticks(4), Title: v.Title}
}

func intervalWords(v IntervalView) string {
	parts := make([]string, 0, len(v.Rows))
	for _, r := range v.Rows {
		if !Finite(r.Value) {
			continue
		}
		s := fmt.Sprintf("%s %s", r.Label, r.Text)
		if Finite(r.Lo) && Finite(r.Hi) {
			s += fmt.Sprintf(", interval %s to %s", figures(r.Lo), figures(r.Hi))
		}
		if r.Partial {
			s += ", of some examples only"
		}
		parts = append(parts, s)
	}
	if len(parts) == 0 {
		return upperFirst(v.Of) + ": nothing yet"
	}
	return upperFirst(v.Of) + ": " + strings.Join(parts, "; ")
}
