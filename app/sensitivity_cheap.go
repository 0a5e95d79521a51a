package app

import (
	"fmt"
	"math"
	"slices"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/chart"
)

// A cheapView compares a cheap measure of the plans with what they do to the answers.
type cheapView struct {
	Measure string
	Says    string
	Plot    string            // SVG
	Table   report.PlainTable // the correlations
}

var cheapMeasures = []pick{{cheapWeights, "Weights"}, {cheapOutput, "Layer’s output"}, {cheapLogits, "Logits"}}

// cheapWhy says what a measure takes to have.
var cheapWhy = map[string]string{
	cheapWeights: "Of the weights alone: needs no example at all.",
	cheapOutput:  "Of the layer’s own output on the calibration examples: needs no labels, and only this layer.",
	cheapLogits:  "Of the network’s last output on the calibration examples: needs no labels, but the whole network.",
}

func fidelityOf(r wire.SensitivityRow, measure string) float64 {
	switch measure {
	case cheapWeights:
		return r.Fidelity.Weights
	case cheapLogits:
		return r.Fidelity.Logits
	}
	return r.Fidelity.Output
}

// A cheapPoint is one plan: what the measure says, and the share of answers that differ from float32's.
type cheapPoint struct {
	Variant, Mode, Name string
	X, Y                float64
}

// cheapPoints are the plans that lost something: the ratio of a lossless one has no place on an axis.
func cheapPoints(part wire.Sensitivity, c sensChoice) []cheapPoint {
	var out []cheapPoint
	for _, r := range part.Rows {
		x := fidelityOf(r, c.Cheap)
		if r.Model != c.Model || r.Paired == nil || r.Total < 1 || !finite(x) || x >= lossless {
			continue
		}
		out = append(out, cheapPoint{r.Variant, r.Mode, r.Layer, x, float64(len(r.Paired.Flipped)) / float64(r.Total)})
	}
	return out
}

func newCheapView(part wire.Sensitivity, c sensChoice) (cheapView, bool) {
	points := cheapPoints(part, c)
	if len(points) < 3 {
		return cheapView{}, false
	}
	v := cheapView{Measure: c.Cheap, Plot: cheapSVG(points, c)}
	v.Table = report.CorrelationTable(part, c.Model)
	part.Correlations = slices.DeleteFunc(slices.Clone(part.Correlations), func(k wire.Correlation) bool { return k.Measure != c.Cheap })
	v.Says = strings.Join(report.CorrelationSentences(part, c.Model), " ")
	return v, true
}

const (
	cheapTop, cheapFoot = 32.0, 232.0
	markReach           = 6 // of a marker, half its width
)

// cheapSVG draws the plans: the further right the truer the numbers, the higher the more answers differ.
func cheapSVG(points []cheapPoint, c sensChoice) string {
	lo, hi, most := math.Inf(1), math.Inf(-1), 0.0
	for _, p := range points {
		lo, hi, most = min(lo, p.X), max(hi, p.X), max(most, p.Y)
	}
	scale := chart.Nice(lo, hi, 6)
	x := chart.Axis{Scale: scale, Span: chart.Across, Ticks: scale.Ticks(6), Title: "SQNR, dB: truer numbers to the right"}
	up := chart.Nice(0, 100*max(most, 1e-4), 4)
	y := chart.Axis{Scale: up, Span: chart.Span{From: cheapFoot, To: cheapTop}, Ticks: up.Ticks(4), Title: "answers that differ from float32’s, %"}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart scatter" width="100%%" height="%s" role="img" aria-label="%s">`, chart.Place(cheapFoot+chart.AxisHeight),
		fmt.Sprintf("%d plans: signal-to-quantization-noise ratio from %s to %s decibels, and from 0 to %s percent of the answers differ", len(points), report.Fixed(lo, 1), report.Fixed(hi, 1), report.Fixed(100*most, 2)))
	x.Horizontal(&b, cheapTop, cheapFoot)
	y.Vertical(&b, chart.Across)
	for _, p := range points {
		shape, class := chart.Shape(p.Variant)
		fmt.Fprintf(&b, `<svg x="%s" y="%s" overflow="visible"><g class="mark v-%s mode-%s" transform="translate(-%d -%d)">%s</g></svg>`,
			x.At(p.X), chart.Place(y.Point(100*p.Y)), class, p.Mode, markReach, markReach, shape)
	}
	b.WriteString(`</svg>`)
	return b.String()
}

// sensCheap draws the cheap measure beside the costly one.
func (s *session) sensCheap(level int) goapp.UI {
	c := s.Sensitivity.choice()
	part, ok := s.Sensitivity.sensitivity(s.Study)
	v, ok2 := newCheapView(part, c)
	if !ok || !ok2 {
		return goapp.Div()
	}
	return goapp.Article().Class("card", "sens-cheap").Aria("labelledby", "sens-cheap").Body(
		goapp.Header().Body(heading(level, "sens-cheap", "Does the cheap measure predict the costly one?")),
		goapp.Div().Class("pad-box").Body(
			goapp.P().Class("sens-says").Text(typographic(v.Says)),
			s.sensSegment(keySensCheap, "SQNR of", c.Cheap, cheapMeasures),
			goapp.P().Class("hint").Text(cheapWhy[c.Cheap]),
			goapp.Ul().Class("roof-key").Body(s.cheapKey(part)...),
			goapp.Raw(v.Plot),
			asTable(scrolled(v.Table)),
		),
	)
}

// cheapKey names the markers.
func (s *session) cheapKey(part wire.Sensitivity) []goapp.UI {
	var out []goapp.UI
	for _, id := range layerVariants() {
		if slices.ContainsFunc(part.Rows, func(r wire.SensitivityRow) bool { return r.Variant == id }) {
			out = append(out, goapp.Li().Body(goapp.Raw(markerSVG(id)), goapp.Span().Text(variantName(id))))
		}
	}
	return append(out, goapp.Li().Text("filled: only one layer"), goapp.Li().Text("hollow: all but one"))
}
