package paper

import (
	"fmt"
	"slices"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/figure"
)

// plans writes the search for plans that are worth having.
func (w *writer) plans() {
	w.section(1, "plans", "Plans: a type for each layer")
	w.text("A plan gives each layer a type of its own. On the front are those plans that no other one beats in size, accuracy and predicted time at once.")
	if len(w.study.Plans) == 0 {
		w.missing("no search for plans", command{"quantlab", "plans"}.String())
		return
	}
	for i, p := range w.study.Plans {
		w.part(i, len(w.study.Plans), "plans", p.Setting)
		for _, s := range p.Searches {
			for _, t := range report.PlansParts(report.PlansTable(s, w.models)) {
				if len(t.Rows) > 0 {
					w.table(t)
				}
			}
			w.text(report.PlansSentences(s)...)
			for _, f := range frontFigures(s) {
				w.add(Block{Figure: &f})
			}
		}
	}
}

// frontFigures draws a search: accuracy over size, and over the predicted time at each batch size.
func frontFigures(s wire.PlanSearch) []figure.Figure {
	var batches []string
	for _, p := range s.Points {
		for b := range p.Predicted {
			if !slices.Contains(batches, b) {
				batches = append(batches, b)
			}
		}
	}
	slices.SortFunc(batches, func(a, b string) int { return batchOf(a) - batchOf(b) })
	size := figure.Figure{
		ID: "plans-" + anchor(s.Model), Title: "Plans of " + s.Model + ", size against accuracy", Caption: "Up and to the left is better. The intervals of the accuracies are in the table.",
		X: figure.Axis{Label: "Size of the file (MB)"}, Y: figure.Axis{Label: "Accuracy", Percent: true},
	}
	onFront := func(p wire.PlanPoint) bool { return len(p.Fronts) > 0 }
	out := []figure.Figure{front(size, s, onFront, func(p wire.PlanPoint) float64 { return float64(p.SizeBytes) / 1e6 })}
	for _, b := range batches {
		f := size
		f.ID, f.Title = f.ID+"-"+anchor(b), fmt.Sprintf("Plans of %s, predicted time against accuracy, batch %s", s.Model, b)
		f.X.Label = "Predicted time of a pass (µs)"
		out = append(out, front(f, s, func(p wire.PlanPoint) bool { return slices.Contains(p.Fronts, b) }, func(p wire.PlanPoint) float64 { return p.Predicted[b] }))
	}
	return slices.DeleteFunc(out, func(f figure.Figure) bool { return len(f.Series) == 0 })
}

// front fills a figure with the plans on a front, and the others.
func front(f figure.Figure, s wire.PlanSearch, on func(wire.PlanPoint) bool, x func(wire.PlanPoint) float64) figure.Figure {
	others, best := figure.Series{Name: "beaten", Kind: figure.Points}, figure.Series{Name: "on the front", Variant: wire.Custom, Kind: figure.Points}
	for _, p := range s.Points {
		if p.Accuracy == nil || !(x(p) > 0) {
			continue
		}
		point := figure.Point{X: x(p), Y: *p.Accuracy, Name: report.ShortPlan(p.Plan)}
		if !on(p) {
			others.Points = append(others.Points, point)
			continue
		}
		best.Points = append(best.Points, point)
	}
	f.Series = nil
	for _, s := range []figure.Series{others, best} {
		if len(s.Points) > 0 {
			f.Series = append(f.Series, s)
		}
	}
	return f
}

// sweeps writes how accuracy depends on the calibration examples.
func (w *writer) sweeps() {
	w.section(1, "sweep", "Calibration: how much of a lottery")
	w.text("Static quantization depends on the examples that calibrate it. The sweep draws samples of several sizes from the training set, calibrates with each, and tests on the same examples every time.")
	if len(w.study.Sweeps) == 0 {
		w.missing("no calibration sweep", command{"quantlab", "sweep"}.String())
		return
	}
	for i, s := range w.study.Sweeps {
		w.partTitle(i, len(w.study.Sweeps), "sweep", s.Setting)
		w.text(report.SweepSettings(s))
		for _, m := range report.SweepModels(s) {
			if t := report.SweepTable(s, m); len(t.Rows) > 0 {
				w.table(t)
			}
			w.text(report.SweepSentences(s, m)...)
			if f := sweepFigure(s, m); len(f.Series) > 0 {
				w.add(Block{Figure: &f})
			}
		}
	}
}

func sweepFigure(s wire.Sweep, m string) figure.Figure {
	f := figure.Figure{
		ID: "sweep-" + anchor(m), Title: "Calibration sweep, " + m, Caption: "Each marker is the network calibrated with another sample.",
		X: figure.Axis{Label: "Calibration examples", Log: true}, Y: figure.Axis{Label: "Accuracy", Percent: true},
	}
	single := figure.Series{Name: "single calibrations", Variant: "static-qint8", Kind: figure.Points}
	means := figure.Series{Name: "their mean", Variant: "static-qint8", Kind: figure.Line}
	reference := figure.Series{Name: "float32", Variant: wire.Baseline, Kind: figure.Line}
	for _, p := range s.Points {
		if p.Model == m && p.Examples > 0 && p.Total > 0 {
			single.Points = append(single.Points, figure.Point{X: float64(p.Examples), Y: float64(p.Correct) / float64(p.Total), Name: fmt.Sprintf("seed %d", p.Seed)})
		}
	}
	for _, p := range s.Spreads {
		if p.Model == m && p.Examples > 0 {
			means.Points = append(means.Points, figure.Point{X: float64(p.Examples), Y: p.Mean})
			reference.Points = append(reference.Points, figure.Point{X: float64(p.Examples), Y: p.Baseline})
		}
	}
	for _, s := range []figure.Series{single, means, reference} {
		if len(s.Points) > 0 {
			f.Series = append(f.Series, s)
		}
	}
	return f
}
