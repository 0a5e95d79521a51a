package term

import (
	"io"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// RenderPlans draws a search for plans for a terminal of that many columns; no line is wider.
func RenderPlans(w io.Writer, p wire.Plans, width int, color bool) error {
	d := newDrawing(width, color)
	d.hardware(p.Hardware)
	d.paragraph(report.SettingText(p.Setting), d.style.plain)
	for _, s := range p.Searches {
		d.inParts(report.PlansTable(s, report.Models(p.Settings)), report.PlansParts)
		d.notes(report.PlansSentences(s))
	}
	d.notes(report.PlansNotes(p))
	return d.flush(w)
}

// RenderSweep draws a calibration sweep for a terminal of that many columns; no line is wider.
func RenderSweep(w io.Writer, s wire.Sweep, width int, color bool) error {
	d := newDrawing(width, color)
	d.hardware(s.Hardware)
	d.paragraph(report.SweepSettings(s), d.style.plain)
	for _, model := range report.SweepModels(s) {
		d.inColumns(report.SweepTable(s, model), 1)
		d.notes(report.SweepSentences(s, model))
	}
	d.notes(s.Notes)
	return d.flush(w)
}
