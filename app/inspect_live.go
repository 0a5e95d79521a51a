package app

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/chart"
)

// A liveView is the figures of the plan, as plain values. They are those of the last plan, and said to be, until the new
// plan's arrive.
type liveView struct {
	Variant, Name, Says string
	Model               string
	Fresh               bool // the row is of this plan
	Partial             bool // of some of the examples
	Accuracy, Interval  string
	Of                  string // "10,000 test images"
	Paired              string
	Certain             bool
	Size, Smaller       string
	Cells               []liveCell
	Timed               bool   // the latencies are of this plan
	Plot                string // SVG
	Table               [][]string
	Line                errandView
}

// A liveCell is the latency of one batch size.
type liveCell struct {
	Batch     int
	Mean, Std string
	Verdict   verdictView
	Baseline  bool
}

// waitingFor is what the worker waits for before it can answer anything; empty once it can.
func (s *session) waitingFor() string {
	if s.Native.Phase != NativePreparing && s.Engine.Phase != EngineLoading {
		return ""
	}
	return s.waitsFor(&Run{Host: wire.Browser})
}

// live lays out the figures.
func (i *InspectState) live(waiting string) liveView {
	p, e := i.planner(), &i.Evaluation
	v := liveView{Variant: p.variant(), Model: p.Model, Says: sayPlan(p), Line: lineOf(e.errand, p.Model, waiting, "Measuring")}
	if e.Phase == errandDone {
		v.Line = lineOf(e.Timing, p.Model, waiting, "Timing")
	}
	v.Name = customName
	if v.Variant != wire.Custom {
		v.Name = variantName(v.Variant)
	}
	for _, b := range timedBatches {
		v.Cells = append(v.Cells, liveCell{Batch: b})
	}
	r := e.Row
	if r == nil || r.Model != p.Model {
		return v
	}
	conversion := p.conversion()
	v.Fresh = e.Of.Conversion == conversion
	v.Timed = e.LateOf.Conversion == conversion && e.LateOf.Model == p.Model
	v.Partial = v.Fresh && e.Phase == errandAsked && e.Last != r
	v.accuracy(p, r)
	if r.SizeBytes > 0 {
		v.Size, v.Smaller = report.MB(r.SizeBytes), smallerWords(*r)
	}
	if e.LateOf.Model == p.Model {
		for n := range v.Cells {
			v.Cells[n].take(e.Latency)
		}
	}
	v.plot(e)
	return v
}

func smallerWords(r wire.Row) string {
	switch {
	case !finite(r.Smaller) || r.Smaller <= 0:
		return ""
	case r.Smaller > 0.995 && r.Smaller < 1.005:
		return "as large as float32"
	}
	return report.Times(r.Smaller, 0) + " smaller"
}

func (v *liveView) accuracy(p Planner, r *wire.Row) {
	if r.Accuracy == nil || !finite(*r.Accuracy) {
		v.Paired = sentence(r.Note)
		return
	}
	v.Accuracy = report.Percent(*r.Accuracy, r.Total)
	if r.Interval != nil {
		v.Interval = report.Interval(*r.Interval, r.Total)
	}
	v.Of = "of " + testSetOf(p.spec(), p.Own, "").count(r.Total)
	if v.Partial {
		v.Of = "of " + report.Count(r.Total) + " so far"
	}
	v.Paired, v.Certain = pairedWords(r.Paired)
}

// pairedWords compares a plan's answers with float32's on the same examples, and says whether the test finds a difference.
func pairedWords(p *wire.Paired) (string, bool) {
	if p == nil {
		return "", false
	}
	if len(p.Flipped) == 0 {
		return "Every answer is float32’s.", false
	}
	verb := " answers differ from float32’s: "
	if len(p.Flipped) == 1 {
		verb = " answer differs from float32’s: "
	}
	certain := p.P < 0.05
	finding := "no difference detected"
	if certain {
		finding = "a difference that chance does not explain"
	}
	text := fmt.Sprintf("%s%s%s right only with this plan, %s right only without; %s, %s.", report.Count(len(p.Flipped)), verb, report.Count(p.Gained), report.Count(p.Lost), report.PValue(p.P), finding)
	return strings.NewReplacer("p = ", "p\u00a0=\u00a0", "p < ", "p\u00a0<\u00a0").Replace(text), certain
}

func (c *liveCell) take(latencies map[string]wire.Latency) {
	l, ok := latencies[strconv.Itoa(c.Batch)]
	if !ok {
		return
	}
	c.Mean, c.Std = report.Trim(l.Mean, l.Std)
	c.Verdict, c.Baseline = verdict(l.Verdict), l.Verdict == nil
}

// plot draws the accuracy beside float32's and that of the plan before.
func (v *liveView) plot(e *evaluation) {
	view := chart.IntervalView{Of: "accuracy on the test set", Title: "accuracy, %, with 95% interval", Least: 1}
	add := func(variant, label string, r *wire.Row, partial bool) {
		share := *r.Accuracy
		row := chart.IntervalRow{Variant: variant, Label: label, Text: report.Percent(share, r.Total), Value: 100 * share, Lo: math.NaN(), Hi: math.NaN(), Partial: partial}
		line := []string{label, row.Text, ""}
		if r.Interval != nil {
			row.Lo, row.Hi = 100*r.Interval[0], 100*r.Interval[1]
			line[2] = report.Interval(*r.Interval, r.Total)
		}
		view.Rows, v.Table = append(view.Rows, row), append(v.Table, line)
	}
	if base, ok := e.baseline(); ok {
		add(wire.Baseline, "float32", &base, false)
	}
	before := e.Before
	if v.Partial || !v.Fresh {
		before = e.Last
	}
	if before != nil && before.Accuracy != nil && before != e.Row {
		add("other", "before", before, false)
	}
	if e.Row.Accuracy != nil {
		add(v.Variant, v.Name, e.Row, v.Partial)
	}
	if len(view.Rows) > 0 {
		v.Plot = chart.Intervals(view)
	}
}

// baseline is float32's row on the examples of the plan's. While those are only some, the paired comparison tells its accuracy.
func (e *evaluation) baseline() (wire.Row, bool) {
	r := e.Row
	if b := e.Base; b != nil && b.Model == r.Model && b.Total == r.Total && b.Accuracy != nil {
		return *b, true
	}
	if r.Paired == nil || r.Total == 0 {
		return wire.Row{}, false
	}
	correct := r.Correct - r.Paired.Gained + r.Paired.Lost
	share := float64(correct) / float64(r.Total)
	return wire.Row{Accuracy: &share, Correct: correct, Total: r.Total}, true
}

// words tells the figures to those who listen.
func (e *evaluation) words() string {
	r := e.Row
	parts := []string{sentence(r.Note)}
	if r.Accuracy != nil && finite(*r.Accuracy) {
		paired, _ := pairedWords(r.Paired)
		parts = []string{"Accuracy " + report.Percent(*r.Accuracy, r.Total) + ".", paired}
	}
	if w := smallerWords(*r); w != "" {
		parts = append(parts, sentence(strings.ReplaceAll(w, "×", " times")))
	}
	for _, b := range timedBatches {
		if l, ok := e.Latency[strconv.Itoa(b)]; ok && l.Verdict != nil && sameEvaluation(e.LateOf, e.Asked) {
			parts = append(parts, fmt.Sprintf("Batch %d: %s.", b, strings.ReplaceAll(verdict(l.Verdict).Words, "×", " times")))
		}
	}
	return strings.Join(parts, " ")
}

// inspectLive shows the figures in a bar that stays in sight while the reader scrolls; every figure has a place of fixed width.
type inspectLive struct {
	goapp.Compo
	View liveView
}

func (l *inspectLive) Render() goapp.UI {
	v := l.View
	state := "fresh"
	switch {
	case !v.Fresh:
		state = "stale"
	case v.Partial:
		state = "partial"
	}
	return goapp.Section().Class("live", "v-"+v.Variant).ID("live").Aria("label", "What the plan is worth").DataSet("state", state).Body(
		goapp.P().Class("live-plan").Body(goapp.Raw(chart.Marker(v.Variant)), goapp.B().Text(v.Name), goapp.Small().Text(v.Model)),
		l.figure("accuracy", "Accuracy", v.Accuracy, v.Interval, v.Of),
		l.figure("size", "Size, MB", v.Size, "", v.Smaller),
		l.latency(v.Cells[0]),
		l.latency(v.Cells[1]),
	)
}

// inspectWords says what the plan is, how its answers differ from float32's, and what is going on.
type inspectWords struct {
	goapp.Compo
	S    *session
	View liveView
}

func (w *inspectWords) Render() goapp.UI {
	v := w.View
	return goapp.Div().Class("live-words").Body(
		goapp.Div().Class("live-says").Body(
			goapp.P().ID("paired").Class(certainClass(v.Certain)).Text(v.Paired),
			goapp.P().ID("plan-says").Text(v.Says),
			&errandLine{S: w.S, Lane: "evaluate", View: v.Line},
		),
		goapp.Div().Class("live-plot").Body(plotBox(v)...),
	)
}

func plotBox(v liveView) []goapp.UI {
	if v.Plot == "" {
		return nil
	}
	return []goapp.UI{goapp.Raw(v.Plot), asTable(chart.Table("Accuracy on the test set", []string{"", "accuracy", "95% interval"}, v.Table))}
}

func certainClass(certain bool) string {
	if certain {
		return "flips certain"
	}
	return "flips"
}

func (l *inspectLive) figure(col, label, value, beside, below string) goapp.UI {
	if value == "" {
		value = "–"
	}
	return goapp.Div().Class("live-figure").DataSet("col", col).Body(
		goapp.Small().Class("live-label").Text(label),
		goapp.Span().Class("live-value").Body(goapp.B().Text(value), goapp.Small().Text(beside)),
		goapp.Small().Class("live-below").Text(below),
	)
}

func (l *inspectLive) latency(c liveCell) goapp.UI {
	label, col, std := fmt.Sprintf("µs, batch %d", c.Batch), "latency-"+strconv.Itoa(c.Batch), ""
	if c.Std != "" {
		std = "± " + c.Std
	}
	words, class := c.Verdict.Words, c.Verdict.Class
	switch {
	case c.Mean == "":
		words, class = "", "none"
	case c.Baseline:
		words = "baseline"
	}
	timed := "timed"
	if !l.View.Timed {
		timed = "untimed"
	}
	mean := c.Mean
	if mean == "" {
		mean = "–"
	}
	return goapp.Div().Class("live-figure", timed).DataSet("col", col).Body(
		goapp.Small().Class("live-label").Text(label),
		goapp.Span().Class("live-value").Body(goapp.B().Text(mean), goapp.Small().Text(std)),
		goapp.Small().Class("live-below verdict", class).Text(words),
	)
}
