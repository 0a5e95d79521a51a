package figure

import (
	"cmp"
	"fmt"
	"strings"

	"quantlab/core/report"
	"quantlab/core/report/chart"
)

// A Mark is how the key shows a name.
type Mark struct {
	Series
	Again int // as Repeats tells it
}

// Marks returns what the key holds: each name of its colour once, and none at all where there is only one.
func (f Figure) Marks() []Mark {
	var out []Mark
	again := f.Repeats()
	for i, s := range f.Series {
		known := false
		for k := range out {
			if out[k].Name == s.Name && out[k].Variant == s.Variant {
				known = true
				if out[k].Kind != Points && s.Kind == Points { // a marker says more than its line
					out[k].Kind = Points
				}
			}
		}
		if !known && s.Name != "" {
			out = append(out, Mark{s, again[i]})
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// Key writes the key as an HTML list, "" where there is nothing to tell apart.
func (f Figure) Key() string {
	marks := f.Marks()
	if marks == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(`<ul class="figure-key">`)
	for _, m := range marks {
		shape, class := chart.Shape(m.Variant)
		sign := `<g class="mark">` + shape + `</g>`
		switch m.Kind {
		case Line, Steps:
			sign = `<path class="line" d="M-5 6h22"></path>`
		case Bars:
			sign = `<rect class="bar" x="0" y="1" width="12" height="10"></rect>`
		}
		fmt.Fprintf(&b, `<li><svg class="chart plotted" viewBox="-6 0 24 12" width="24" height="12" aria-hidden="true"><g class="series v-%s again-%d">%s</g></svg> %s</li>`,
			class, min(m.Again, 2), sign, chart.Escape(m.Name))
	}
	b.WriteString(`</ul>`)
	return b.String()
}

// HTML writes the whole figure, numbered from 1: its title, key and drawing, its caption, and the numbers as a table to open.
func (f Figure) HTML(number int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<figure class="plot-figure" id="%s"><p class="figure-title">Figure %d. %s</p>%s<div class="figure-box">%s</div>`,
		chart.Escape("figure-"+f.ID), number, chart.Escape(f.Title), f.Key(), f.SVG())
	fmt.Fprintf(&b, `<figcaption>%s</figcaption>`, chart.Escape(f.Caption))
	t := f.Table()
	headers := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		headers[i] = c.Title
	}
	if len(t.Rows) > 0 {
		b.WriteString(`<details class="as-table"><summary>The numbers as a table</summary><div class="scroll" tabindex="0" role="group" aria-label="` +
			chart.Escape("Numbers of figure "+fmt.Sprint(number)) + `">` + chart.Table(f.Title, headers, t.Rows) + `</div></details>`)
	}
	b.WriteString(`</figure>`)
	return b.String()
}

// pointWords names a point: "dynamic int8, batch 64: 142.3".
func (f Figure) pointWords(s Series, p Point) string {
	at, value, axis := f.X.Number(p.X), f.Y.Number(p.Y), f.Y
	if f.Sideways() {
		at, value, axis = value, at, f.X
	}
	var names []string
	for _, name := range []string{s.Name, p.Label} {
		if name != "" {
			names = append(names, name)
		}
	}
	words := strings.Join(append(names, at), ", ") + ": " + value
	if p.Span != nil {
		words += ", " + p.Span.text(axis)
	}
	return words
}

// fewPoints are read out one by one; of more, only how many there are.
const fewPoints = 8

// words is the drawing's text alternative.
func (f Figure) words() string {
	parts := []string{cmp.Or(f.Title, "Figure")}
	for _, s := range f.Series {
		if len(s.Points) > fewPoints {
			parts = append(parts, cmp.Or(s.Name, "a series")+", "+report.Count(len(s.Points))+" points")
			continue
		}
		for _, p := range s.Points {
			parts = append(parts, f.pointWords(s, p))
		}
	}
	if len(parts) == 1 {
		parts = append(parts, "nothing to draw")
	}
	if len(parts) > 2*fewPoints {
		parts = append(parts[:2*fewPoints], "and more, which the table below holds")
	}
	return strings.Join(parts, "; ")
}
