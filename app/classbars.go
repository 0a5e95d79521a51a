package app

import (
	"cmp"
	"slices"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/report/chart"
)

// classBars shows an answer as chart.Classes draws it. Answers follow a hand, and parsing a drawing takes longer than all else about
// them: what is in the page stays there, and only what differs is changed in it.
type classBars struct {
	goapp.Compo
	Labels []string
	P      []float64 // one a label, or none
	Answer int       // index of the answer, -1 for none

	svg    string   // as it was put into the page
	labels []string // of it
	drawn  []chart.Bar
	bars   []barElements // of the drawing in the page, nil until they were looked for
}

// mostBarred is how many classes have a bar each; of more, so many of the likeliest have.
const mostBarred, likeliest = 40, 10

// newClassBars chooses the classes that are drawn, in their order.
func newClassBars(labels []string, p []float64, answer int) *classBars {
	if len(labels) <= mostBarred {
		return &classBars{Labels: labels, P: p, Answer: answer}
	}
	order := make([]int, len(labels))
	for i := range order {
		order[i] = i
	}
	if len(p) == len(labels) {
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[j], p[i]) })
	}
	order = slices.Sorted(slices.Values(order[:likeliest]))
	b := &classBars{Answer: slices.Index(order, answer)}
	for _, i := range order {
		b.Labels = append(b.Labels, labels[i])
		if len(p) == len(labels) {
			b.P = append(b.P, p[i])
		}
	}
	return b
}

// barElements are what chart.Bar describes.
type barElements struct {
	group, line, number, short, long goapp.Value
}

// Render draws anew where the number of bars or their labels are others.
func (b *classBars) Render() goapp.UI {
	if b.svg == "" || len(b.drawn) != len(b.P) || !slices.Equal(b.labels, b.Labels) {
		b.svg = chart.Classes(b.Labels, b.P, b.Answer)
		b.labels, b.drawn, b.bars = b.Labels, chart.Bars(b.P, b.Answer), nil
	}
	return goapp.Raw(b.svg)
}

// OnUpdate runs when a field has changed.
func (b *classBars) OnUpdate(goapp.Context) {
	svg := b.JSValue()
	if b.bars == nil {
		b.find(svg)
	}
	changed := false
	now := chart.Bars(b.P, b.Answer)
	for i, e := range b.bars {
		if was, bar := b.drawn[i], now[i]; was != bar {
			e.show(was, bar)
			changed = true
		}
	}
	if changed {
		svg.Call("setAttribute", "aria-label", chart.ClassesWords(b.Labels, b.P))
		b.drawn = now
	}
}

// find looks for the bars' elements.
func (b *classBars) find(svg goapp.Value) {
	groups := svg.Call("querySelectorAll", "g.class")
	for i := range min(len(b.drawn), groups.Length()) {
		group := groups.Index(i)
		number := group.Call("querySelector", ".number")
		b.bars = append(b.bars, barElements{
			group: group, line: group.Call("querySelector", ".bar"),
			number: number, short: number.Get("firstChild"), long: number.Get("lastChild"),
		})
	}
}

// show changes a bar.
func (e barElements) show(was, bar chart.Bar) {
	if was.Class != bar.Class {
		e.group.Call("setAttribute", "class", bar.Class)
	}
	if was.Top != bar.Top {
		e.line.Call("setAttribute", "y2", bar.Top)
	}
	if was.NumberAt != bar.NumberAt {
		e.number.Call("setAttribute", "y", bar.NumberAt)
	}
	if was.Short != bar.Short {
		e.short.Set("textContent", bar.Short)
	}
	if was.Long != bar.Long {
		e.long.Set("textContent", bar.Long)
	}
}
