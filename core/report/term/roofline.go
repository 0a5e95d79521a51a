package term

import (
	"io"
	"math"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/roofline"
)

// RenderRoofline draws a roofline for a terminal of that many columns; no line is wider.
func RenderRoofline(w io.Writer, r roofline.Report, width int, color bool) error {
	d := newDrawing(width, color)
	d.hardware(r.Hardware)
	d.paragraph(report.Settings(wire.Result{Version: r.Version, Hardware: r.Hardware, Settings: r.Settings}), d.style.plain)
	for _, t := range report.RooflineTables(r) {
		d.plain(t)
	}
	if len(r.Cells) > 0 {
		d.heading("In words")
	}
	for i, c := range r.Cells {
		if i > 0 && c.Model != r.Cells[i-1].Model {
			d.line("")
		}
		d.item("• ", report.CellName(c)+": "+c.Sentence, d.share(c.Share))
	}
	if len(r.Cells) > 0 {
		d.line("")
		d.paragraph(report.RooflineSummary(r.Cells), d.style.bold)
	}
	d.notes(r.Notes)
	return d.flush(w)
}

// share is the style of what reaches that share of its bound.
func (d *drawing) share(v float64) lipgloss.Style {
	switch {
	case v >= report.GoodShare:
		return d.style.good
	case v < report.BadShare:
		return d.style.warn
	}
	return d.style.plain
}

// plain draws a table: with a bar for each share where there is room, and each row as running text where there is none for
// the columns.
func (d *drawing) plain(t report.PlainTable) {
	d.heading(t.Title)
	if t.Caption != "" {
		d.item("", t.Caption, d.style.faint)
	}
	widths, total := columnWidths(t)
	if total > d.width {
		for i, row := range t.Rows {
			if i > 0 && t.Grouped && row[0] != t.Rows[i-1][0] {
				d.line("")
			}
			d.item("• ", running(t.Columns, row), d.rowStyle(t, i))
		}
		d.line("")
		return
	}
	bar := min(d.width-total-gap, maxBar)
	d.line(d.style.bold.Render(padded(t.Columns, widths, titlesOf(t.Columns))))
	d.line(d.style.rule.Render(strings.Repeat("─", total)))
	for i, row := range t.Rows {
		if i > 0 && (t.Grouped || t.Shares != nil) && row[0] != t.Rows[i-1][0] {
			d.line("")
		}
		line := padded(t.Columns, widths, row)
		if t.Shares != nil && bar >= minBar {
			line += strings.Repeat(" ", gap) + shareBar(t.Shares[i], bar)
		}
		d.line(d.rowStyle(t, i).Render(line))
	}
	d.line("")
}

func (d *drawing) rowStyle(t report.PlainTable, row int) lipgloss.Style {
	if t.Shares == nil {
		return d.style.plain
	}
	return d.share(t.Shares[row])
}

func titlesOf(columns []report.Column) []string {
	var out []string
	for _, c := range columns {
		out = append(out, c.Title)
	}
	return out
}

// padded puts cells into columns of those widths.
func padded(columns []report.Column, widths []int, cells []string) string {
	var b strings.Builder
	for i, cell := range cells {
		cell = clean(cell)
		blank := strings.Repeat(" ", max(widths[i]-lipgloss.Width(cell), 0))
		if i > 0 {
			b.WriteString(strings.Repeat(" ", gap))
		}
		if columns[i].Right {
			b.WriteString(blank + cell)
		} else {
			b.WriteString(cell + blank)
		}
	}
	return b.String()
}

// running writes a row as text.
func running(columns []report.Column, cells []string) string {
	var parts []string
	for i, cell := range cells {
		if cell != "" {
			parts = append(parts, columns[i].Title+": "+cell)
		}
	}
	return strings.Join(parts, ", ")
}

// Widths of the bars of shares.
const minBar, maxBar = 8, 20

// shareBar draws a share of 1 in so many columns.
func shareBar(share float64, width int) string {
	n := int(math.Round(min(max(share, 0), 1) * float64(width)))
	return strings.Repeat("█", n) + strings.Repeat("░", width-n)
}
