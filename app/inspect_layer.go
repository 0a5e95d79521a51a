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
	"quantlab/core/scheme"
)

// layerCard shows what a conversion did to one layer.
type layerCard struct {
	goapp.Compo
	Level    int
	Model    string
	Index    int
	Layer    *wire.Layer
	Examples int // that the activations come from
}

func (c *layerCard) Render() goapp.UI {
	l := c.Layer
	id := fmt.Sprintf("layer-%d", c.Index+1)
	of := fmt.Sprintf("layer %d", c.Index+1)
	return goapp.Article().Class("card layer").Aria("labelledby", id).Body(
		goapp.Header().Body(
			heading(c.Level, id, fmt.Sprintf("Layer %d: %s → %s%s", c.Index+1, report.Count(l.In), report.Count(l.Out), reluText(l.ReLU))),
			goapp.P().Text(fmt.Sprintf("%s · %s MB", schemeWords(l.Scheme), report.MB(l.Bytes))),
		),
		goapp.Ul().Class("explain").Body(goapp.Range(l.Explain).Slice(func(i int) goapp.UI { return goapp.Li().Text(l.Explain[i]) })),
		goapp.Div().Class("distributions").Body(
			c.distribution("Weights", "weights of "+of, "weight", l.Weights, gridWords("weights", l)),
			c.distribution("What enters", "input of "+of, "activation", l.Input, gridWords("input", l)),
			c.distribution("What leaves", "output of "+of, "activation", l.Output, gridWords("output", l)),
		),
		goapp.Div().Class("losses").Body(
			goapp.Raw(chart.Table("Error of the grid", []string{"", "SQNR", "mean error", "largest error"}, lossRows(l))),
			goapp.Raw(worstTable("Outputs whose weights lose most", "unit", l.Rows, strconv.Itoa)),
			goapp.Raw(worstTable("Inputs whose weights lose most", c.inputNoun(), l.Cols, c.inputName)),
		),
		goapp.P().Class("why").Text(deadWords(l, c.Examples)),
	)
}

func reluText(relu bool) string {
	if relu {
		return ", ReLU"
	}
	return ""
}

// distribution is a histogram with its facts.
func (c *layerCard) distribution(title, of, axis string, d wire.Distribution, grid string) goapp.UI {
	return goapp.Figure().Class("distribution").Body(
		goapp.FigCaption().Body(goapp.B().Text(title), goapp.Small().Text(countWords(d))),
		goapp.Raw(chart.Histogram(chart.HistogramView{Distribution: d, Of: of, Title: axis, Log: true})),
		goapp.P().Class("grid-words").Text(grid),
		asTable(chart.Table(upperFirst(of), []string{"", "value"}, factRows(d))),
	)
}

func countWords(d wire.Distribution) string {
	s := report.Count(d.Count) + " numbers"
	if d.Count > 0 && d.Zeros*100 >= d.Count {
		s += fmt.Sprintf(", %s exactly zero", percentShare(float64(d.Zeros)/float64(d.Count)))
	}
	return s
}

// gridWords says in a sentence on which grid a layer's numbers are, or why they are on none.
func gridWords(what string, l *wire.Layer) string {
	d := map[string]wire.Distribution{"weights": l.Weights, "input": l.Input, "output": l.Output}[what]
	s, err := scheme.ParseScheme(l.Scheme)
	if d.Grid != nil {
		return gridSentence(d, s, what)
	}
	switch {
	case err != nil || s.Mode == scheme.Float32:
		return "No grid: float32 as trained."
	case s.Mode == scheme.Float16 && what == "weights":
		return "No even grid: IEEE half rounds each weight to 11 significant bits, finer near zero."
	case s.Mode == scheme.Float16:
		return "No grid: activations stay float32."
	case s.Mode == scheme.Dynamic && what == "output":
		return "No grid: a dynamic layer gives out float32."
	}
	return "No grid here."
}

// gridSentence describes the grid of a distribution.
func gridSentence(d wire.Distribution, s scheme.Scheme, what string) string {
	g := d.Grid
	text := fmt.Sprintf("Grid: %s levels, scale %s, zero point %d, from %s to %s.", report.Count(int(g.Max)-int(g.Min)+1), figure(g.Scale), g.Zero, figure(g.Lo), figure(g.Hi))
	switch n := len(d.Scales); {
	case what == "weights" && n > 0:
		text = fmt.Sprintf("A grid for each output; drawn is the median’s: scale %s, zero point %d. The scales go from %s to %s: what lies in the shade is on wider grids.", figure(g.Scale), g.Zero, figure(d.Scales[0]), figure(d.Scales[n-1]))
	case what == "input" && s.Mode == scheme.Dynamic:
		each := "batch"
		if s.Activation.PerRow {
			each = "example"
		}
		text = fmt.Sprintf("A new grid for each %s; drawn is the middle one: scale %s, zero point %d.", each, figure(g.Scale), g.Zero)
	}
	if g.Top > 0 && g.Top < g.Max {
		text += fmt.Sprintf(" Reduced range: calibrated values end at level %d.", g.Top)
	}
	return text + fmt.Sprintf(" %s levels used; %s clipped.", report.Count(d.Used), percentShare(d.Clipped))
}

// factRows are a distribution's figures.
func factRows(d wire.Distribution) [][]string {
	rows := [][]string{
		{"numbers", report.Count(d.Count)}, {"exactly zero", report.Count(d.Zeros)},
		{"smallest", figure(d.Lo)}, {"largest", figure(d.Hi)}, {"mean", figure(d.Mean)}, {"standard deviation", figure(d.Std)},
	}
	if g := d.Grid; g != nil {
		rows = append(rows, [][]string{
			{"scale: the step between two neighbouring levels", figure(g.Scale)},
			{"zero point: the level that stands for 0", strconv.Itoa(int(g.Zero))},
			{"levels", fmt.Sprintf("%d to %d", g.Min, g.Max)},
			{"the grid’s range", figure(g.Lo) + " to " + figure(g.Hi)},
			{"levels used", report.Count(d.Used)},
			{"clipped: beyond the grid’s ends", percentShare(d.Clipped)},
		}...)
	}
	for i, name := range []string{"smallest scale", "lower quartile", "median scale", "upper quartile", "largest scale"} {
		if len(d.Scales) == 5 {
			rows = append(rows, []string{name, figure(d.Scales[i])})
		}
	}
	most, total := d.Bins, 0
	for _, n := range most {
		total += n
	}
	width := (d.Hi - d.Lo) / float64(max(len(d.Bins), 1))
	const parts = 8 // of the range, so that the table stays readable
	for i := range parts {
		from, to := i*len(d.Bins)/parts, (i+1)*len(d.Bins)/parts
		n := 0
		for _, b := range d.Bins[from:to] {
			n += b
		}
		if total > 0 {
			rows = append(rows, []string{fmt.Sprintf("from %s to %s", figure(d.Lo+width*float64(from)), figure(d.Lo+width*float64(to))), report.Count(n)})
		}
	}
	return rows
}

func lossRows(l *wire.Layer) [][]string {
	var rows [][]string
	for _, x := range []struct {
		name string
		loss wire.Distortion
	}{
		{"weights", l.WeightLoss}, {"what enters", l.InputLoss}, {"what leaves, this layer alone", l.OutputLoss}, {"what leaves, all layers so far", l.ChainLoss},
	} {
		if x.loss.SQNR >= lossless {
			rows = append(rows, []string{x.name, "nothing lost", "0", "0"})
			continue
		}
		rows = append(rows, []string{x.name, sqnr(x.loss.SQNR) + " dB", figure(x.loss.Mean), figure(x.loss.Max)})
	}
	return rows
}

// shownLosses bounds the rows of the tables of what loses most.
const shownLosses = 5

// worstTable lists rows or columns of weights that lose most; without any it is empty.
func worstTable(caption, noun string, losses []wire.Loss, name func(int) string) string {
	if len(losses) == 0 {
		return "<div></div>"
	}
	var rows [][]string
	for _, l := range losses[:min(len(losses), shownLosses)] {
		rows = append(rows, []string{name(l.Index), sqnr(l.SQNR) + " dB", percentShare(l.Share)})
	}
	return chart.Table(caption, []string{noun, "SQNR", "share of the layer’s error"}, rows)
}

// inputNoun and inputName say what an input is: a pixel of the first layer of an MNIST net, else a number.
func (c *layerCard) inputNoun() string {
	if c.pixelSide() > 0 {
		return "pixel (row, column)"
	}
	return "input"
}

func (c *layerCard) inputName(i int) string {
	if side := c.pixelSide(); side > 0 {
		return fmt.Sprintf("%d (%d, %d)", i, i/side+1, i%side+1)
	}
	return strconv.Itoa(i)
}

func (c *layerCard) pixelSide() int {
	if c.Index != 0 || !(Planner{Model: c.Model}).showsDigits() {
		return 0
	}
	return int(math.Sqrt(float64(c.Layer.In)))
}

func deadWords(l *wire.Layer, examples int) string {
	if !l.ReLU {
		return ""
	}
	of := fmt.Sprintf("the %s that calibrate", plural(examples, "example"))
	switch n := len(l.Dead); n {
	case 0:
		return "No dead ReLU: each unit is positive for at least one of " + of + "."
	case 1:
		return fmt.Sprintf("1 of %s units is dead: no example of %s makes it positive (unit %d).", report.Count(l.Out), of, l.Dead[0])
	default:
		return fmt.Sprintf("%d of %s units are dead: no example of %s makes them positive (units %s).", n, report.Count(l.Out), of, someInts(l.Dead, 8))
	}
}

// someInts lists numbers, at most n of them.
func someInts(v []int, n int) string {
	parts := make([]string, 0, n+1)
	for i, x := range v {
		if i == n {
			parts = append(parts, "…")
			break
		}
		parts = append(parts, strconv.Itoa(x))
	}
	return strings.Join(parts, ", ")
}

// lossless is the signal-to-noise ratio that stands for no loss at all, dB.
const lossless = 400

func sqnr(db float64) string {
	switch {
	case !finite(db):
		return report.Missing
	case db >= lossless:
		return "∞"
	case math.Abs(db) < .05:
		return "0.0"
	}
	return strings.Replace(report.Fixed(db, 1), "-", "−", 1)
}

// percentShare writes a share with the decimals that make it readable.
func percentShare(share float64) string {
	switch {
	case !finite(share):
		return report.Missing
	case share == 0:
		return "0%"
	case share < 0.0001:
		return "< 0.01%"
	case share < 0.1:
		return strconv.FormatFloat(100*share, 'f', 2, 64) + "%"
	}
	return strconv.FormatFloat(100*share, 'f', 1, 64) + "%"
}

// figure writes a number with three figures.
func figure(v float64) string {
	switch {
	case !finite(v):
		return report.Missing
	case v != 0 && math.Abs(v) < 1e-4:
		return strings.ReplaceAll(strconv.FormatFloat(v, 'e', 1, 64), "-", "−")
	}
	return strings.Replace(report.Figures(v, 3), "-", "−", 1)
}

// filterItem is one unit's weights: float32, quantized, difference.
type filterItem struct {
	goapp.Compo
	Filter *wire.Filter
}

func (f *filterItem) Render() goapp.UI {
	v := f.Filter
	picture := func(pixels []byte, title, label string) goapp.UI {
		return goapp.Span().Class("filter").Body(goapp.Raw(chart.Pixels(v.Side, pixels, true, label)), goapp.Small().Text(title))
	}
	return goapp.Li().Body(
		goapp.P().Body(goapp.B().Text(fmt.Sprintf("Unit %d", v.Unit)), goapp.Small().Text(" "+sqnr(v.SQNR)+" dB")),
		goapp.Div().Class("filter-row").Body(
			picture(v.Float, "float32", fmt.Sprintf("weights of unit %d in float32", v.Unit)),
			picture(v.Quantized, "quantized", "the same, quantized"),
			picture(v.Error, "difference", "the difference of the two"),
		),
		goapp.Small().Text(fmt.Sprintf("±%s; difference ±%s", figure(v.Range), figure(v.ErrorRange))),
	)
}
