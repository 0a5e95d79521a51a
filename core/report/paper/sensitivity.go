package paper

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
	"quantlab/core/report/figure"
)

// sensitivity writes what quantizing single layers does.
func (w *writer) sensitivity() {
	w.section(1, "sensitivity", "Sensitivity, layer by layer")
	w.text("Each row quantizes one layer and leaves the others in float32, or all layers but one. A layer's ReLU goes with it.")
	if len(w.study.Sensitivity) == 0 {
		w.missing("no sensitivity", command{"quantlab", "sensitivity"}.String())
		return
	}
	for i, s := range w.study.Sensitivity {
		w.part(i, len(w.study.Sensitivity), "sensitivity", s.Setting)
		for _, m := range report.SensitivityModels(s) {
			for _, t := range report.SensitivityParts(report.SensitivityTable(s, m)) {
				w.table(t)
			}
			if t := report.CorrelationTable(s, m); len(t.Rows) > 0 {
				w.table(t)
			}
			for _, f := range layerFigures(s, m) {
				w.add(Block{Figure: &f})
			}
		}
	}
	s := w.study.Sensitivity[0]
	w.section(2, "sensitivity-discussion", "Discussion")
	d := discussion{"sensitivity", "sensitivity", []string{layer, precision, model, task, batchSize}}
	w.drafts(append(d.drafts(sensitivityEffects(s)), bearing(s)))
}

// part says which of several parts comes, and where it was measured.
func (w *writer) part(i, of int, id string, s wire.Setting) {
	w.partTitle(i, of, id, s)
	if len(s.Settings.Models) > 0 {
		w.text(report.SettingText(s))
	}
}

func (w *writer) partTitle(i, of int, id string, s wire.Setting) {
	if of > 1 {
		w.section(2, fmt.Sprintf("%s-%d", id, i+1), fmt.Sprintf("Measurement %d of %d, %s", i+1, of, w.machines.name(s.Hardware)))
	}
}

// sensitivityEffects compares rows that quantize one layer with float32 and with each other.
func sensitivityEffects(s wire.Sensitivity) []effect {
	b := &bench{rows: s.References}
	var subjects []subject
	var out []effect
	for _, r := range s.Rows {
		if r.Mode != wire.Only {
			continue
		}
		for _, key := range report.Batches(r.Row) {
			if v, ok := ofVerdict(r.LatencyUS[key].Verdict); ok {
				subjects = append(subjects, subject{row: r.Row, batch: batchOf(key), layer: r.Layer, ratio: v})
			}
		}
		if e, ok := flips(b, subject{row: r.Row, layer: r.Layer}); ok {
			out = append(out, e)
		}
	}
	return append(out, speedups(b, subjects)...)
}

// layerShare says how much of a network a layer is, and so how much faster it can make a pass.
func layerShare(model, name string) string {
	spec, err := nn.SpecOf(model)
	digits, ok := strings.CutPrefix(name, "layers.")
	i, err2 := strconv.Atoi(digits)
	dims := spec.Dims()
	if err != nil || err2 != nil || !ok || i < 0 || i+1 >= len(dims) {
		return ""
	}
	all := 0
	for j := 1; j < len(dims); j++ {
		all += dims[j-1] * dims[j]
	}
	share := float64(dims[i]*dims[i+1]) / float64(all)
	s := fmt.Sprintf("On %s, %s holds %s%% of the weights, and of the multiply-adds; ", model, name, report.Figures(100*share, 2))
	switch most := 1 / (1 - share); {
	case most < 1.01:
		return s + "hardly any of a pass is this layer."
	case share < 1 && most < 20:
		return s + fmt.Sprintf("by that share, a pass would be %s times faster if the layer took no time at all.", report.Figures(most, 3))
	}
	return s + "nearly all of a pass is this layer."
}

// bearing says which layers can't bear quantization, and whether the cheap measures would have told.
func bearing(s wire.Sensitivity) Draft {
	d := Draft{ID: "sensitivity-3", Title: "Which layer cannot bear it, sensitivity"}
	var parts []string
	for _, m := range report.SensitivityModels(s) {
		text, cites := bearingOf(s, m)
		parts = append(parts, sentences(append([]string{text}, report.CorrelationSentences(s, m)...)...))
		d.Cites = append(d.Cites, cites...)
	}
	d.Text = paragraphs(parts...)
	return d
}

// bearingOf says which of a model's rows lose and gain accuracy. As several are compared with float32, a p-value counts as many times
// as there are rows (Bonferroni).
func bearingOf(s wire.Sensitivity, m string) (text string, cites []string) {
	var tested []wire.SensitivityRow
	for _, r := range s.Rows {
		if r.Model == m && r.Mode == wire.Only && r.Paired != nil && r.Accuracy != nil {
			tested = append(tested, r)
		}
	}
	var worst *wire.SensitivityRow
	var gain []string
	n, hurt := len(tested), 0
	for i, r := range tested {
		switch detected := r.Paired.P*float64(n) < report.Significant; {
		case detected && r.Paired.Gained > r.Paired.Lost:
			gain = append(gain, fmt.Sprintf("%s in %s (%s)", variantName(r.Variant), r.Layer, report.Flips(r.Paired)))
			cites = append(cites, subject{row: r.Row, layer: r.Layer}.cite())
		case detected && r.Paired.Gained < r.Paired.Lost:
			hurt++
		}
		if worst == nil || *r.Accuracy < *worst.Accuracy {
			worst = &tested[i]
		}
	}
	if worst == nil {
		return fmt.Sprintf("Of %s the results hold no accuracies to compare.", m), nil
	}
	cites = append([]string{subject{row: worst.Row, layer: worst.Layer}.cite()}, cites...)
	lowest := fmt.Sprintf("Accuracy is lowest with %s in %s alone, %s: %s.", variantName(worst.Variant), worst.Layer, accuracy(worst.Row), report.Flips(worst.Paired))
	if worst.Paired.Gained == 0 && worst.Paired.Lost == 0 {
		lowest = ""
	}
	rows := number(n, "row that quantizes", "rows that quantize")
	switch {
	case hurt == 0 && n == 1:
		text = fmt.Sprintf("On %s the one layer that was quantized alone does not lose accuracy detectably.", m)
	case hurt == 0:
		text = fmt.Sprintf("On %s none of %s one layer loses accuracy detectably.", m, rows)
	default:
		text = fmt.Sprintf("On %s, %d of %s one layer %s accuracy detectably.", m, hurt, rows, plural(hurt, "loses", "lose"))
	}
	if len(gain) > 0 {
		lowest = sentences(lowest, fmt.Sprintf("Detectably more accurate than float32: %s.", list(gain)))
	}
	if n > 1 {
		lowest = sentences(lowest, fmt.Sprintf("As %d rows are compared, only p-values below %s count as a difference here (Bonferroni).", n, report.Figures(report.Significant/float64(n), 2)))
	}
	return sentences(text, lowest), cites
}

// layerFigures draws a model's rows: accuracy against float32's, and latency at each batch size.
func layerFigures(s wire.Sensitivity, m string) []figure.Figure {
	var rows []wire.SensitivityRow
	for _, mode := range []string{wire.Only, wire.Except} {
		for _, r := range s.Rows {
			if r.Model == m && r.Mode == mode {
				rows = append(rows, r)
			}
		}
	}
	name := func(r wire.SensitivityRow) string {
		if r.Mode == wire.Except {
			return "all but " + r.Layer
		}
		return "only " + r.Layer
	}
	var categories []string
	for _, r := range rows {
		if n := name(r); !slices.Contains(categories, n) {
			categories = append(categories, n)
		}
	}
	at := func(r wire.SensitivityRow) float64 { return float64(slices.Index(categories, name(r))) }
	change := figure.Figure{
		ID: "sensitivity-" + anchor(m), Title: "Accuracy against float32, " + m, Caption: "In percentage points; left of 0 is worse. Whiskers are 95% intervals of the paired difference.",
		X: figure.Axis{Label: "Change of accuracy (percentage points)"}, Y: figure.Axis{Categories: categories},
	}
	figures := []figure.Figure{}
	for _, r := range rows {
		if d, ok := report.ChangeOf(r.Row); ok {
			bar(&change, r.Row, figure.Point{X: d.Points, Y: at(r), Span: &figure.Span{Low: d.Low, High: d.High}})
		}
	}
	if len(change.Series) > 0 {
		figures = append(figures, change)
	}
	var plain []wire.Row
	for _, r := range rows {
		plain = append(plain, r.Row)
	}
	for _, b := range report.Batches(plain...) {
		f := figure.Figure{
			ID: "sensitivity-" + anchor(m) + "-" + b, Title: fmt.Sprintf("Latency of %s, batch %s, layer by layer", m, b),
			Caption: "Bars are means, whiskers one standard deviation up and down, dots the single runs.",
			X:       figure.Axis{Label: "Latency of a pass (µs)", Zero: true}, Y: figure.Axis{Categories: categories},
		}
		for _, r := range rows {
			if l, ok := r.LatencyUS[b]; ok {
				bar(&f, r.Row, figure.Point{X: l.Mean, Y: at(r), Span: &figure.Span{Low: max(l.Mean-l.Std, 0), High: l.Mean + l.Std}, Samples: l.Samples})
			}
		}
		figures = append(figures, f)
	}
	return figures
}

// bar adds a row's bar to its variant's series.
func bar(f *figure.Figure, r wire.Row, p figure.Point) {
	byVariant([]wire.Row{r}, func(s *figure.Series, _ wire.Row) {
		s.Kind = figure.Bars
		s.Points = append(s.Points, p)
	}, f)
}
