package app

import (
	"fmt"
	"html"
	"slices"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/chart"
)

// sweep returns what is known of calibrations of the chosen model where they were to be tried. ok is false where there is nothing.
func (st *SensitivityState) sweep(study wire.Study) (part wire.Sweep, ok bool) {
	c := st.choice()
	if q := &st.Sweep; q.unfinished(c) && len(q.Points) > 0 {
		return wire.Sweep{Setting: q.Setting, Points: q.Points}, true
	}
	for _, part := range slices.Backward(study.Sweeps) {
		if part.Hardware.Host == c.Where && c.concerns(part.Settings) && slices.ContainsFunc(part.Points, func(p wire.SweepPoint) bool { return p.Model == c.Model }) {
			return part, true
		}
	}
	return part, false
}

// A sweepColumn is the calibrations with samples of one size.
type sweepColumn struct {
	Examples int
	Shares   []float64         // accuracies, seed by seed
	Spread   *wire.SweepSpread // nil while calibrations are still to come
}

func sweepColumns(part wire.Sweep, model string) []sweepColumn {
	var out []sweepColumn
	for _, p := range part.Points {
		if p.Model != model || p.Total < 1 {
			continue
		}
		i := slices.IndexFunc(out, func(c sweepColumn) bool { return c.Examples == p.Examples })
		if i < 0 {
			i = len(out)
			out = append(out, sweepColumn{Examples: p.Examples})
			if k := slices.IndexFunc(part.Spreads, func(s wire.SweepSpread) bool { return s.Model == model && s.Examples == p.Examples }); k >= 0 {
				out[i].Spread = &part.Spreads[k]
			}
		}
		out[i].Shares = append(out[i].Shares, float64(p.Correct)/float64(p.Total))
	}
	slices.SortFunc(out, func(a, b sweepColumn) int { return a.Examples - b.Examples })
	return out
}

// sensSweep draws the third question.
func (s *session) sensSweep() goapp.UI {
	c := s.Sensitivity.choice()
	part, ok := s.Sensitivity.sweep(s.Study)
	columns := sweepColumns(part, c.Model)
	if !ok || len(columns) == 0 {
		return goapp.Div().Body(s.emptySweep())
	}
	return goapp.Div().Class("card", "sweep-card").DataSet("model", c.Model).Body(goapp.Div().Class("pad-box").Body(
		sensSays(report.SweepSentences(part, c.Model)),
		goapp.P().Class("hint").Text(fmt.Sprintf("Static int8 %s, %s, %s.", inHost(c.Where), plural(len(part.Points), "calibration"), testedOn(c.spec(), part.Settings, part.Points[0].Total))),
		goapp.Ul().Class("roof-key", "sweep-key").Body(sweepKey(columns)...),
		goapp.Raw(sweepSVG(columns)),
		asTable(scrolled(report.SweepTable(part, c.Model))),
		&hints{Level: 4, View: sentences(part.Notes)},
	))
}

func sentences(notes []string) []string {
	out := make([]string, len(notes))
	for i, n := range notes {
		out[i] = sentence(n)
	}
	return out
}

// namedLayers is up to which layer sentences are set by number.
const namedLayers = 32

// typographic sets a sentence of a report as the page does: apostrophes as print has them, and layers counted from 1 as above the bars.
func typographic(text string) string {
	text = strings.ReplaceAll(text, "'", "’")
	for n := namedLayers; n > 0; n-- { // the higher first: layers.1 begins layers.10
		text = strings.ReplaceAll(text, fmt.Sprintf("layers.%d", n-1), fmt.Sprintf("layer %d", n))
	}
	return upperFirst(text)
}

// sensSays tells in plain words what an experiment found.
func sensSays(said []string) goapp.UI {
	return goapp.Ul().Class("sens-says").Body(goapp.Range(said).Slice(func(i int) goapp.UI { return goapp.Li().Text(typographic(said[i])) }))
}

func (s *session) emptySweep() goapp.UI {
	c := s.Sensitivity.choice()
	return goapp.Div().Class("empty").Body(goapp.P().Body(
		goapp.B().Text("Draw lots"),
		goapp.Text(fmt.Sprintf(" calibrates static int8 %s times, with %s of %s examples each, drawn from the training set, and measures every time the accuracy on %s. ",
			report.Count(c.Seeds*len(c.Sizes)), plural(c.Seeds, "sample"), strings.ReplaceAll(joinInts(c.Sizes), " and ", " or "), c.examplesWords())+c.takes(costSweep, c.Seeds*len(c.Sizes))),
	))
}

func sweepKey(columns []sweepColumn) []goapp.UI {
	key := []goapp.UI{goapp.Li().Class("key-sample").Text("one calibration")}
	if columns[0].Spread != nil {
		key = append(key,
			goapp.Li().Class("key-mean").Text("mean ± standard deviation"),
			goapp.Li().Class("key-float").Text("float32"),
			goapp.Li().Class("key-noise").Text("what another test set could change, ± one standard deviation"),
		)
	}
	return key
}

const sweepTop, sweepFoot = 32.0, 272.0

// sweepSVG draws every calibration as a dot, in a column for each size of the sample; where all are there, their means with whiskers
// of one standard deviation, float32's line, and a band around it that the choice of the test examples alone explains.
func sweepSVG(columns []sweepColumn) string {
	y := sweepAxis(columns)
	lo, hi := 1.0, 0.0
	for _, c := range columns {
		lo, hi = min(lo, slices.Min(c.Shares)), max(hi, slices.Max(c.Shares))
	}
	label := fmt.Sprintf("Accuracy after calibrating with %s to %s: from %s to %s percent", plural(columns[0].Examples, "example"),
		report.Count(columns[len(columns)-1].Examples), report.Fixed(100*lo, 2), report.Fixed(100*hi, 2))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart sweep v-static-qint8" width="100%%" height="%s" role="img" aria-label="%s">`, chart.Place(sweepFoot+chart.AxisHeight), html.EscapeString(label))
	y.Vertical(&b, chart.Across)
	width := 1 / float64(len(columns))
	for i, c := range columns {
		mid := (float64(i) + .5) * width
		chart.Text(&b, "tick", "middle", chart.Percent(mid), chart.Place(sweepFoot+15), report.Count(c.Examples))
		if s := c.Spread; s != nil {
			above, below := y.Point(100*(s.Baseline+s.Sampling)), y.Point(100*(s.Baseline-s.Sampling))
			chart.Rect(&b, "noise", chart.Percent(float64(i)*width), chart.Place(above), chart.Percent(width), chart.Place(below-above))
		}
	}
	if s := columns[0].Spread; s != nil {
		at := chart.Place(y.Point(100 * s.Baseline))
		chart.Line(&b, "float", "0", at, "100%", at)
	}
	for i, c := range columns {
		sweepMarks(&b, c, (float64(i)+.5)*width, width, y)
	}
	chart.Text(&b, "axis", "middle", "50%", chart.Place(sweepFoot+32), "calibration examples")
	b.WriteString(`</svg>`)
	return b.String()
}

// sweepMarks draws a column: its dots left of the middle, mean and whisker right of it.
func sweepMarks(b *strings.Builder, c sweepColumn, mid, width float64, y chart.Axis) {
	for k, share := range c.Shares {
		x := mid - width*(.32-.28*float64(k)/float64(max(len(c.Shares)-1, 1)))
		fmt.Fprintf(b, `<circle class="sample" cx="%s" cy="%s" r="3"></circle>`, chart.Percent(x), chart.Place(y.Point(100*share)))
	}
	s := c.Spread
	if s == nil {
		return
	}
	x := chart.Percent(mid + .14*width)
	low, high := y.Point(100*(s.Mean-s.Std)), y.Point(100*(s.Mean+s.Std))
	chart.Line(b, "whisker", x, chart.Place(low), x, chart.Place(high))
	for _, end := range []float64{low, high} {
		fmt.Fprintf(b, `<svg x="%s" y="%s" overflow="visible"><path class="whisker" d="M-5 0h10"></path></svg>`, x, chart.Place(end))
	}
	fmt.Fprintf(b, `<svg x="%s" y="%s" overflow="visible"><path class="mean" d="M-7 0l7-7 7 7-7 7z"></path></svg>`, x, chart.Place(y.Point(100*s.Mean)))
}

// sweepAxis holds all that is drawn, in percent.
func sweepAxis(columns []sweepColumn) chart.Axis {
	lo, hi := 100.0, 0.0
	add := func(share float64) { lo, hi = min(lo, 100*share), max(hi, 100*share) }
	for _, c := range columns {
		for _, share := range c.Shares {
			add(share)
		}
		if s := c.Spread; s != nil {
			add(s.Mean - s.Std)
			add(s.Mean + s.Std)
			add(s.Baseline - s.Sampling)
			add(s.Baseline + s.Sampling)
		}
	}
	scale := chart.Nice(lo, hi, 6)
	return chart.Axis{Scale: scale, Span: chart.Span{From: sweepFoot, To: sweepTop}, Ticks: scale.Ticks(6), Title: "accuracy, %"}
}
