package paper

import (
	"fmt"
	"math"
	"slices"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/figure"
)

// amp writes what mixed-precision training buys.
func (w *writer) amp() {
	w.section(1, "amp", "Mixed-precision training")
	w.text("Weights stay in float32; matrix products are computed in the low type and summed in float32; the loss is computed in float32. " +
		"With float16 the loss is scaled, so that small gradients do not vanish, and a step whose gradients overflow is skipped. The networks are evaluated in float32.")
	if len(w.study.AMP) == 0 {
		w.missing("no mixed-precision training", command{"quantlab", "amp"}.String())
		return
	}
	var rows []wire.AMPRow
	for i, a := range w.study.AMP {
		w.part(i, len(w.study.AMP), "amp", a.Setting)
		for _, t := range report.AMPTables(a) {
			w.table(t)
		}
		if notes := report.AMPNotes(wire.AMP{Rows: a.Rows}); len(notes) > 0 {
			w.add(Block{List: sentenceList(notes)})
		}
		for _, r := range a.Rows {
			for _, f := range curveFigures(r) {
				w.add(Block{Figure: &f})
			}
		}
		rows = append(rows, a.Rows...)
	}
	w.section(2, "amp-discussion", "Discussion")
	w.drafts(discussion{"amp", "mixed-precision training", []string{precision, model, task, batchSize}}.drafts(ampEffects(rows)))
}

// ampEffects compares the trainings' times and the trained networks' mistakes with float32's, and the gains of any two models.
func ampEffects(rows []wire.AMPRow) []effect {
	var out []effect
	for i, r := range rows {
		if e, ok := ampFlips(r); ok {
			out = append(out, e)
		}
		v, ok := ofVerdict(r.Time)
		if !ok || r.Emulated {
			continue
		}
		out = append(out, trainingTime(r, v))
		for _, t := range rows[i+1:] {
			u, ok := ofVerdict(t.Time)
			if a := axisOf(subject{row: r.Row}, subject{row: t.Row}); ok && !t.Emulated && t.Type == r.Type && a != "" {
				out = append(out, trainingsUnlike(a, r, t, v.over(u)))
			}
		}
	}
	return out
}

// lowType names a row's low type.
func lowType(r wire.AMPRow) string { return line(report.TypeName(r.Type)) }

func ampCite(r wire.AMPRow) string { return r.Model + ", trained in " + lowType(r) }

func ampFlips(r wire.AMPRow) (effect, bool) {
	b := &bench{rows: []wire.Row{r.Baseline}}
	e, ok := flips(b, subject{row: r.Row})
	if !ok {
		return e, false
	}
	e.tell = func() telling { return ampFlipsTold(r) }
	return e, true
}

func ampFlipsTold(r wire.AMPRow) telling {
	e := telling{cites: []string{ampCite(r), r.Model + ", trained in float32"}}
	e.what = fmt.Sprintf("Trained in %s, %s answers differently from the network trained in float32 from the same seed: %s. Accuracy is %s, float32's %s.",
		lowType(r), r.Model, report.Flips(r.Paired), accuracy(r.Row), accuracy(r.Baseline))
	e.why = "A roofline says nothing of accuracy. Two trainings that round differently part ways step by step, so they differ much as two seeds do: " + seeds(r)
	return e
}

// seeds tells the accuracies of all trainings.
func seeds(r wire.AMPRow) string {
	spread := func(ts []wire.Training) string {
		var shares []float64
		total := 0
		for _, t := range ts {
			if t.Total > 0 {
				shares = append(shares, float64(t.Correct)/float64(t.Total))
				total = t.Total
			}
		}
		if len(shares) == 0 {
			return "not known"
		}
		low, high := slices.Min(shares), slices.Max(shares)
		if low == high {
			return report.Percent(low, total)
		}
		return report.Percent(low, total) + " to " + report.Percent(high, total)
	}
	return fmt.Sprintf("over %s float32 gives %s, mixed precision %s.", number(len(r.Mixed), "seed", "seeds"), spread(r.Float32), spread(r.Mixed))
}

// trainingTime compares with float32.
func trainingTime(r wire.AMPRow, v ratio) effect {
	return effect{precision, v, v.least() > 0, func() telling { return trainingTimeTold(r, v) }}
}

func trainingTimeTold(r wire.AMPRow, v ratio) telling {
	e := telling{cites: []string{ampCite(r), r.Model + ", trained in float32"}}
	e.what = fmt.Sprintf("Training %s in %s is %s: %s s against %s s over %s.", r.Model, lowType(r), subject{ratio: v}.faster("in float32"),
		seconds(r.Mixed), seconds(r.Float32), number(len(r.Mixed), "seed", "seeds"))
	e.why = matrixShare(r)
	if r.Paired != nil {
		e.more = fmt.Sprintf("The network's accuracy is %s: %s.", accuracy(r.Row), judged(r.Paired))
	}
	return e
}

// matrixShare says how much of a training is matrix products, the only part that a low type makes faster.
func matrixShare(r wire.AMPRow) string {
	all, matrix := 0.0, 0.0
	for _, t := range r.Float32 {
		all, matrix = all+t.Seconds, matrix+t.Matrix
	}
	v, ok := ofVerdict(r.Matrix)
	if !(all > 0) || !(matrix > 0) || matrix > all {
		return ""
	}
	share := matrix / all
	s := fmt.Sprintf("Matrix products take %s of float32's training time", report.Share(share))
	if ok {
		bound := 1 / (1 - share + share/math.Exp(v.mid))
		s += fmt.Sprintf(", and they are %s in %s; were all else the same, training would be %s times as fast", subject{ratio: v}.faster("in float32"), lowType(r), report.Fixed(bound, 2))
	}
	return s + "."
}

// seconds is the mean time of some trainings and its deviation.
func seconds(ts []wire.Training) string {
	return report.OverSeeds(ts, func(t wire.Training) float64 { return t.Seconds })
}

// trainingsUnlike compares two models' gains.
func trainingsUnlike(axis string, r, t wire.AMPRow, d ratio) effect {
	if d.mid < 0 {
		r, t, d = t, r, d.inverse()
	}
	return effect{axis, d, d.least() > 0, func() telling {
		v, _ := ofVerdict(r.Time)
		u, _ := ofVerdict(t.Time)
		return telling{
			what: fmt.Sprintf("Training in %s is %s, and %s. The two differ by a factor of %s.",
				lowType(r), subject{ratio: v}.faster("in float32 on "+r.Model), subject{ratio: u}.faster("in float32 on "+t.Model), d),
			why:   sentences(matrixOf(r), matrixOf(t)),
			more:  weights(r.Model, t.Model),
			cites: []string{ampCite(r), ampCite(t)},
		}
	}}
}

func matrixOf(r wire.AMPRow) string {
	s := matrixShare(r)
	if s == "" {
		return ""
	}
	return "On " + r.Model + ": " + lower(s)
}

// curveFigures draws the first seed's trainings: the loss, and the loss scale with the steps that were skipped.
func curveFigures(r wire.AMPRow) []figure.Figure {
	loss := figure.Figure{
		ID: "loss-" + anchor(r.Model+" "+r.Type), Title: fmt.Sprintf("Training loss of %s, %s", r.Model, lowType(r)), Caption: "Each point is the mean of the steps since the one before.",
		X: figure.Axis{Label: "Step"}, Y: figure.Axis{Label: "Loss", Zero: true},
	}
	scale := figure.Figure{
		ID: "scale-" + anchor(r.Model+" "+r.Type), Title: fmt.Sprintf("Loss scale of %s, %s", r.Model, lowType(r)), Caption: "Markers are where steps were skipped because gradients overflowed.",
		X: figure.Axis{Label: "Step"}, Y: figure.Axis{Label: "Loss scale", Log: true},
	}
	curve := func(ts []wire.Training, name, variant string) {
		if len(ts) == 0 || len(ts[0].Curve) == 0 {
			return
		}
		losses := figure.Series{Name: name, Variant: variant, Kind: figure.Line}
		scales := figure.Series{Name: name, Variant: variant, Kind: figure.Steps}
		skips := figure.Series{Name: "skipped", Variant: variant, Kind: figure.Points}
		before := 0
		for _, p := range ts[0].Curve {
			losses.Points = append(losses.Points, figure.Point{X: float64(p.Step), Y: p.Loss})
			if p.Scale > 0 {
				scales.Points = append(scales.Points, figure.Point{X: float64(p.Step), Y: p.Scale})
			}
			if p.Scale > 0 && p.Skipped > before {
				skips.Points = append(skips.Points, figure.Point{X: float64(p.Step), Y: p.Scale, Name: fmt.Sprintf("%d skipped", p.Skipped-before)})
			}
			before = p.Skipped
		}
		loss.Series = append(loss.Series, losses)
		for _, s := range []figure.Series{scales, skips} {
			if len(s.Points) > 0 {
				scale.Series = append(scale.Series, s)
			}
		}
	}
	curve(r.Float32, "float32", wire.Baseline)
	curve(r.Mixed, lowType(r), wire.AMPVariant)
	return slices.DeleteFunc([]figure.Figure{loss, scale}, func(f figure.Figure) bool { return len(f.Series) == 0 })
}
