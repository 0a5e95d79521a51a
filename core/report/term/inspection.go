package term

import (
	"io"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// RenderInspection draws an inspection for a terminal of that many columns; no line is wider.
func RenderInspection(w io.Writer, i wire.Inspection, width int, color bool) error {
	d := newDrawing(width, color)
	d.plain(report.InspectionTable(i))
	d.heading("In words")
	for _, l := range i.Layers {
		d.item("• ", l.Name+": "+strings.Join(l.Explain, " "), d.style.plain)
	}
	d.notes(i.Notes)
	return d.flush(w)
}
