package term

import (
	"io"

	"quantlab/core/report"
)

// RenderTable draws a table for a terminal of that many columns, in the first of its layouts that fits; where none does, the last as
// running text. Notes follow.
func RenderTable(w io.Writer, notes []string, width int, color bool, layouts ...report.PlainTable) error {
	d := newDrawing(width, color)
	for i, t := range layouts {
		if _, total := columnWidths(t); total <= d.width || i == len(layouts)-1 {
			d.plain(t)
			break
		}
	}
	d.notes(notes)
	return d.flush(w)
}
