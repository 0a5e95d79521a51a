package term

import (
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// RenderSensitivity draws a sensitivity for a terminal of that many columns; no line is wider.
func RenderSensitivity(w io.Writer, s wire.Sensitivity, width int, color bool) error {
	d := newDrawing(width, color)
	d.hardware(s.Hardware)
	d.paragraph(report.SettingText(s.Setting), d.style.plain)
	for _, model := range report.SensitivityModels(s) {
		t := report.SensitivityTable(s, model)
		d.inGroups(t, report.SensitivityGroups(t))
		d.notes(report.SensitivityFindings(s, model))
		if t := report.CorrelationTable(s, model); len(t.Rows) > 0 {
			d.inColumns(t, 2)
			d.notes(report.CorrelationSentences(s, model))
		}
	}
	d.notes(report.SensitivityNotes(s))
	return d.flush(w)
}

// inGroups draws a table, in several pieces where it does not fit: each has the columns of the first group and of as many others,
// in their order, as there is room for.
func (d *drawing) inGroups(t report.PlainTable, groups [][]string) {
	names, rest := groups[0], groups[1:]
	for first := true; len(rest) > 0; first = false {
		piece, n := t.Select(slices.Concat(names, rest[0])...), 1
		for ; n < len(rest); n++ {
			wider := t.Select(slices.Concat(names, slices.Concat(rest[:n+1]...))...)
			if _, total := columnWidths(wider); total > d.width {
				break
			}
			piece = wider
		}
		if !first {
			piece.Title, piece.Caption = t.Title+", continued", ""
		}
		d.plain(piece)
		rest = rest[n:]
	}
}

// inParts draws a table, or the narrower ones that it can be cut in where it does not fit.
func (d *drawing) inParts(t report.PlainTable, cut func(report.PlainTable) []report.PlainTable) {
	if _, total := columnWidths(t); total <= d.width {
		d.plain(t)
		return
	}
	for _, part := range cut(t) {
		d.inColumns(part, 1)
	}
}

// inColumns draws a table whose first columns, so many, name its rows: in one piece where it fits, else in several, else as
// running text. What tells of one batch size stays together.
func (d *drawing) inColumns(t report.PlainTable, names int) {
	groups := [][]string{nil}
	batch := ""
	for i, c := range t.Columns {
		_, of, _ := strings.Cut(c.Key, "-")
		last := len(groups) - 1
		if i < names || of != "" && of == batch {
			groups[last] = append(groups[last], c.Key)
			continue
		}
		groups, batch = append(groups, []string{c.Key}), of
	}
	_, whole := columnWidths(t)
	for _, g := range groups[1:] {
		if _, total := columnWidths(t.Select(slices.Concat(groups[0], g)...)); total > d.width {
			whole = 0 // a piece would not fit: running text
		}
	}
	if whole <= d.width {
		d.plain(t)
		return
	}
	d.inGroups(t, groups)
}

// columnWidths returns how wide each column is, and all of them with what separates them.
func columnWidths(t report.PlainTable) (widths []int, total int) {
	widths = make([]int, len(t.Columns))
	total = gap * (len(t.Columns) - 1)
	for i, c := range t.Columns {
		widths[i] = lipgloss.Width(c.Title)
		for _, row := range t.Rows {
			widths[i] = max(widths[i], lipgloss.Width(clean(row[i])))
		}
		total += widths[i]
	}
	return widths, total
}
