package figure

import (
	"cmp"
	"strings"

	"quantlab/core/report"
)

// Table gives all numbers of the figure as text, also those that no drawing can show. Columns that would be empty are left
// out.
func (f Figure) Table() report.PlainTable {
	has := f.parts()
	numbers := f.Y
	if f.Sideways() {
		numbers = f.X
	}
	t := report.PlainTable{Title: f.Title}
	add := func(some bool, key, title string, right bool) {
		if some {
			t.Columns = append(t.Columns, report.Column{Key: key, Title: title, Right: right})
		}
	}
	first, second := f.X, f.Y
	if f.Sideways() {
		first, second = f.Y, f.X
	}
	add(has.name, "series", "Series", false)
	add(has.label, "label", "Point", false)
	add(true, "at", title(first, "Category"), len(first.Categories) == 0)
	add(true, "value", title(second, "Value"), true)
	add(has.span, "interval", "Interval", true)
	add(has.samples, "samples", "Single measurements", false)
	for _, s := range f.Series {
		for _, p := range s.Points {
			var row []string
			cell := func(some bool, text string) {
				if some {
					row = append(row, text)
				}
			}
			at, value := p.X, p.Y
			if f.Sideways() {
				at, value = value, at
			}
			cell(has.name, s.Name)
			cell(has.label, cmp.Or(p.Name, p.Label))
			cell(true, first.Number(at))
			cell(true, second.Number(value))
			cell(has.span, p.Span.text(numbers))
			cell(has.samples, list(p.Samples, numbers))
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

func title(a Axis, otherwise string) string {
	if a.Label == "" {
		return otherwise
	}
	return a.Label
}

type parts struct{ name, label, span, samples bool }

// parts tells what there is in any point.
func (f Figure) parts() (has parts) {
	for _, s := range f.Series {
		has.name = has.name || s.Name != ""
		for _, p := range s.Points {
			has.label = has.label || p.Label != "" || p.Name != ""
			has.span = has.span || p.Span != nil
			has.samples = has.samples || len(p.Samples) > 0
		}
	}
	return has
}

func (s *Span) text(a Axis) string {
	if s == nil {
		return ""
	}
	return a.Number(s.Low) + " to " + a.Number(s.High)
}

func list(v []float64, a Axis) string {
	words := make([]string, len(v))
	for i, x := range v {
		words[i] = a.Number(x)
	}
	return strings.Join(words, "; ")
}
