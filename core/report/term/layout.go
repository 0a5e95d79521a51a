package term

import (
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// gap separates columns.
const gap = 2

// A view is one table of a stack: some columns, at full or at short length.
type view struct {
	columns []column
	rows    [][]string // by the table's rows
}

type column struct {
	key, title string
	right      bool
}

// table draws one of the lab's tables in the first layout that fits.
func (d *drawing) table(t report.Table) {
	d.heading(t.Title)
	d.paragraph(t.Caption, d.style.faint)
	for _, stack := range layouts(t) {
		if slices.ContainsFunc(stack, func(v view) bool { return v.width() > d.width }) {
			continue
		}
		for _, v := range stack {
			d.view(t, v)
		}
		d.notes(t.Notes)
		return
	}
	d.cards(t)
	d.notes(t.Notes)
}

// layouts returns the ways to draw a table, the best first: each a stack of views.
func layouts(t report.Table) [][]view {
	var name, size, answers, figures []string
	var batches [][]string
	for _, c := range t.Columns {
		kind, batch, _ := strings.Cut(c.Key, "-")
		switch kind {
		case "where", "q", "dtype":
			name = append(name, c.Key)
		case "size", "torch", "smaller":
			size = append(size, c.Key)
		case "accuracy", "flips":
			if kind != "flips" || slices.ContainsFunc(t.Rows, func(r report.Row) bool { return r.Paired != nil }) {
				answers = append(answers, c.Key)
			}
		case "latency":
			pair := []string{"latency-" + batch, "verdict-" + batch}
			figures = append(figures, pair...)
			batches = append(batches, pair)
		}
	}
	with := func(keys ...[]string) []string { return slices.Concat(append([][]string{name}, keys...)...) }
	worth := with(size, answers)
	var stacks [][]view
	add := func(short bool, sets ...[]string) {
		var stack []view
		for _, keys := range sets {
			stack = append(stack, newView(t, keys, short))
		}
		stacks = append(stacks, stack)
	}
	each := [][]string{worth}
	apart := [][]string{with(size), with(answers)}
	for _, pair := range batches {
		each, apart = append(each, with(pair)), append(apart, with(pair))
	}
	for _, sets := range [][][]string{{with(size, answers, figures)}, {worth, with(figures)}, each, apart} {
		add(false, sets...)
		add(true, sets...)
	}
	return stacks
}

// titles are the columns' names where there is little room; the caption says the units.
var titles = map[string]string{"size": "MB", "torch": "PyTorch's", "smaller": "Smaller", "accuracy": "Accuracy [95% interval]", "flips": "Differ from float32"}

func newView(t report.Table, keys []string, short bool) view {
	v := view{rows: make([][]string, len(t.Rows))}
	for _, key := range keys {
		c := t.Columns[t.Column(key)]
		title, batch := c.Title, ""
		if kind, b, ok := strings.Cut(key, "-"); ok {
			batch = b
			title = "Batch " + batch + ", µs"
			if kind == "verdict" {
				title = "against float32"
			}
		}
		if s, ok := titles[key]; ok {
			title = s
		}
		v.columns = append(v.columns, column{key: key, title: title, right: c.Right})
		cells := make([]string, len(t.Rows))
		for i, r := range t.Rows {
			cells[i] = clean(r.Cells[t.Column(key)])
			if short {
				cells[i] = shorten(key, r, cells[i])
			}
		}
		if strings.HasPrefix(key, "latency-") {
			alignDeviations(cells)
		}
		for i, s := range cells {
			v.rows[i] = append(v.rows[i], s)
		}
	}
	return v
}

// shorten words a cell shorter.
func shorten(key string, r report.Row, cell string) string {
	kind, batch, _ := strings.Cut(key, "-")
	switch kind {
	case "flips":
		return strings.Replace(strings.Replace(cell, " differ ", " ", 1), " differs ", " ", 1)
	case "verdict":
		if v := r.LatencyUS[batch].Verdict; v != nil && v.Word == wire.NoDifference {
			return "no difference"
		} else if v != nil {
			return report.Verdict(v)
		}
		return strings.TrimSuffix(cell, " to tell")
	}
	return cell
}

// alignDeviations pads what follows the ± signs, so that right-aligned cells have them in one column.
func alignDeviations(cells []string) {
	widest := 0
	for _, s := range cells {
		if _, after, ok := strings.Cut(s, "±"); ok {
			widest = max(widest, lipgloss.Width(after))
		}
	}
	for i, s := range cells {
		if _, after, ok := strings.Cut(s, "±"); ok {
			cells[i] = s + strings.Repeat(" ", widest-lipgloss.Width(after))
		}
	}
}

// widths returns how wide each column is.
func (v view) widths() []int {
	w := make([]int, len(v.columns))
	for i, c := range v.columns {
		w[i] = lipgloss.Width(c.title)
		for _, row := range v.rows {
			w[i] = max(w[i], lipgloss.Width(row[i]))
		}
	}
	return w
}

func (v view) width() int {
	total := gap * (len(v.columns) - 1)
	for _, w := range v.widths() {
		total += w
	}
	return total
}

// view draws a table whose rows are grouped under their models' names.
func (d *drawing) view(t report.Table, v view) {
	grid := table.New().Border(lipgloss.NormalBorder()).BorderStyle(d.style.rule).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).BorderHeader(true).Wrap(false)
	var heads []string
	for _, c := range v.columns {
		heads = append(heads, c.title)
	}
	grid.Headers(heads...).Rows(v.rows...).StyleFunc(func(row, col int) lipgloss.Style {
		style := d.style.bold
		if row != table.HeaderRow {
			style = d.cell(t.Rows[row], v.columns[col].key)
		}
		if v.columns[col].right {
			style = style.Align(lipgloss.Right)
		}
		if col < len(v.columns)-1 {
			style = style.PaddingRight(gap)
		}
		return style
	})
	lines := strings.Split(grid.String(), "\n")
	d.line(lines[0])
	d.line(lines[1])
	for i, line := range lines[2:] {
		if i == 0 || t.Rows[i].Model != t.Rows[i-1].Model {
			if i > 0 {
				d.line("")
			}
			d.model(t, t.Rows[i])
		}
		d.line(line)
	}
	d.line("")
}

// model writes the line over a model's rows.
func (d *drawing) model(t report.Table, r report.Row) {
	about := ""
	if spec, err := t.Models.Of(r.Model); err == nil {
		about = "  " + spec.Shape() + ", " + report.Count(spec.Params()) + " parameters"
	}
	name := clean(r.Model)
	if lipgloss.Width(name+about) > d.width {
		about = ""
	}
	d.line(d.style.bold.Render(name) + d.style.faint.Render(about))
}

// cell is the style of a figure: what is remarkable stands out, what says nothing steps back.
func (d *drawing) cell(r report.Row, key string) lipgloss.Style {
	kind, batch, _ := strings.Cut(key, "-")
	switch kind {
	case "verdict":
		v := r.LatencyUS[batch].Verdict
		switch {
		case v == nil || v.Word == wire.NoDifference:
			return d.style.faint
		case v.Word == wire.Faster:
			return d.style.good
		case v.Word == wire.Slower:
			return d.style.bad
		}
	case "flips":
		switch {
		case r.Paired == nil || len(r.Paired.Flipped) == 0:
			return d.style.faint
		case r.Paired.P < 0.05 && r.Paired.Lost > r.Paired.Gained:
			return d.style.bad
		}
	case "accuracy":
		if r.Accuracy == nil {
			return d.style.warn
		}
	case "dtype":
		return d.style.bold
	}
	return d.style.plain
}

// cards draws each row as a few lines, for windows that no table fits.
func (d *drawing) cards(t report.Table) {
	for i, r := range t.Rows {
		if i == 0 || r.Model != t.Rows[i-1].Model {
			d.model(t, r)
		}
		var head []string
		for _, key := range []string{"where", "q", "dtype"} {
			if at := t.Column(key); at >= 0 {
				head = append(head, clean(r.Cells[at]))
			}
		}
		d.item("  ", strings.Join(head, " "), d.style.bold)
		for k, c := range t.Columns {
			switch kind, _, _ := strings.Cut(c.Key, "-"); kind {
			case "size", "torch", "smaller", "accuracy", "flips", "latency", "verdict":
				if r.Cells[k] != report.Missing && r.Cells[k] != "baseline" {
					d.item("    ", c.Title+": "+clean(r.Cells[k]), d.cell(r, c.Key))
				}
			}
		}
		d.line("")
	}
}
