package paper

import (
	"quantlab/core/report"
	"quantlab/core/roofline"
)

// roofline writes how near the passes come to the machine's limits, with the figures of latency, size and the roofline itself.
func (w *writer) roofline() {
	w.section(1, "figures", "Latency, size and accuracy")
	figures := w.latencies()
	for _, f := range append(figures, w.sizes()...) {
		w.add(Block{Figure: &f})
	}
	if len(figures) == 0 {
		w.missing("no latencies to draw", "quantlab run")
	}
	w.section(1, "roofline", "Why: the roofline")
	var any bool
	for _, b := range w.benches {
		if len(b.cells) == 0 {
			continue
		}
		any = true
		w.text("No pass can take less time than its multiply-adds at the machine's peak, nor less than reading its weights at the machine's bandwidth. "+
			"The larger of the two, layer by layer, is its bound; the share says how near the pass comes.", report.RooflineSummary(b.cells))
		w.add(Block{Figure: roofs(b)})
		for _, t := range report.RooflineTables(roofline.Report{Peaks: b.peaks, Cells: b.cells}) {
			if len(w.benches) > 1 {
				t.Title += ", " + b.name
			}
			w.table(t)
		}
		break
	}
	if !any {
		w.missing("no limits of the machine, which the roofline needs", "quantlab report -o report.pdf")
	}
}
