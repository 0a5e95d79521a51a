package term

import (
	"io"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// RenderAMP draws mixed-precision training for a terminal of that many columns; no line is wider.
func RenderAMP(w io.Writer, a wire.AMP, width int, color bool) error {
	d := newDrawing(width, color)
	d.hardware(a.Hardware)
	d.paragraph(report.SettingText(a.Setting), d.style.plain)
	for _, t := range report.AMPTables(a) {
		names := 1
		if t.Columns[1].Key == "batch" {
			names = 2
		}
		d.inColumns(t, names)
	}
	d.notes(report.AMPNotes(a))
	return d.flush(w)
}
