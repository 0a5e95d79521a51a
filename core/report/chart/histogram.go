package chart

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// A HistogramView is a distribution of numbers, how to draw it, and what to call it.
type HistogramView struct {
	Distribution wire.Distribution
	Of           string // for the text alternative: "weights of layer 1"
	Title        string // of the horizontal axis, with its unit: "weight"
	Log          bool   // a logarithmic count, which shows the few outliers that stretch a grid
}

// Heights of a histogram's parts, in pixels from the top.
const (
	histogramTop    = 26
	histogramFoot   = 142 // of the bars, where the strip of levels begins
	histogramStrip  = 9
	histogramHeight = histogramFoot + histogramStrip + AxisHeight
)

// Levels are drawn at least so many pixels apart in the narrowest drawing that is still readable, which is so many wide.
const (
	levelsApart   = 3
	narrowestPlot = 270
)

// Histogram draws a distribution: the counts, below them the levels of its grid and the zero point, and shaded what the grid
// clips. The axis holds both all numbers and all levels. Without numbers it holds its place.
func Histogram(v HistogramView) string {
	d := v.Distribution
	var b strings.Builder
	begin(&b, "histogram", histogramHeight, histogramWords(v))
	if !filled(d) {
		Text(&b, "axis", "middle", "50%", Place(histogramFoot/2), "no numbers")
		b.WriteString(`</svg>`)
		return b.String()
	}
	grid := d.Grid
	if !drawable(grid) {
		grid = nil
	}
	lo, hi := d.Lo, d.Hi
	if grid != nil {
		lo, hi = min(lo, grid.Lo), max(hi, grid.Hi)
	}
	x := Axis{Scale: widened(lo, hi), Span: Across, Title: v.Title}
	x.Ticks = x.Scale.Ticks(5)
	if grid != nil {
		clipped(&b, x, d)
	}
	x.Horizontal(&b, histogramTop, histogramFoot+histogramStrip)
	y := countAxis(d.Bins, v.Log)
	y.Vertical(&b, Across)
	silhouette(&b, d, x.Scale, y)
	Line(&b, "base", "0%", Place(histogramFoot+.5), "100%", Place(histogramFoot+.5))
	if grid != nil {
		levels(&b, x, grid)
	}
	b.WriteString(`</svg>`)
	return b.String()
}

// filled reports whether a distribution has numbers in its bins.
func filled(d wire.Distribution) bool {
	return Finite(d.Lo) && Finite(d.Hi) && d.Lo <= d.Hi && slices.ContainsFunc(d.Bins, func(n int) bool { return n > 0 })
}

// drawable reports whether a grid's levels are numbers in order.
func drawable(g *wire.Grid) bool {
	return g != nil && Finite(g.Scale) && g.Scale > 0 && g.Min < g.Max && Finite(g.Lo) && Finite(g.Hi) && g.Lo < g.Hi
}

// widened is a scale from lo to hi with a little room beside them.
func widened(lo, hi float64) Linear {
	room := (hi/2 - lo/2) * .04
	if room == 0 {
		room = max(math.Abs(lo)*.5, .5)
	}
	return Linear{max(lo-room, -math.MaxFloat64), min(hi+room, math.MaxFloat64)}
}

// countAxis is the vertical axis of the bins.
func countAxis(bins []int, log bool) Axis {
	top := 1
	for _, n := range bins {
		top = max(top, n)
	}
	a := Axis{Scale: Linear{0, float64(top)}, Span: Span{From: histogramFoot, To: histogramTop}, Title: "count"}
	if log {
		a.Scale, a.Title = Log{.5, float64(top)}, "count, log scale" // 1 is more than nothing
	}
	for _, t := range a.Scale.Ticks(4) {
		if t.Value == math.Trunc(t.Value) { // there is no half a number
			a.Ticks = append(a.Ticks, t)
		}
	}
	return a
}

// silhouette draws the bins as one outline, in a box of 1000 units' width that is stretched to the drawing's.
func silhouette(b *strings.Builder, d wire.Distribution, x Scale, y Axis) {
	fmt.Fprintf(b, `<svg x="0" y="0" width="100%%" height="%d" viewBox="0 0 1000 %d" preserveAspectRatio="none">`, histogramFoot, histogramFoot)
	first, width := x.At(d.Lo), x.At(d.Hi)-x.At(d.Lo)
	if width == 0 { // all numbers are the same: a line has to be seen
		first, width = first-.004, .008
	}
	at := func(i int) string { return Place(1000 * (first + width*float64(i)/float64(len(d.Bins)))) }
	fmt.Fprintf(b, `<path class="bins" d="M%s %d`, at(0), histogramFoot)
	for i, n := range d.Bins {
		fmt.Fprintf(b, "V%sH%s", y.At(float64(n)), at(i+1))
	}
	fmt.Fprintf(b, `V%dZ"></path></svg>`, histogramFoot)
}

// clipped shades where numbers lie more than half a step beyond the grid's ends.
func clipped(b *strings.Builder, x Axis, d wire.Distribution) {
	shade := func(from, to float64) {
		if from < to {
			Rect(b, "clip", x.At(from), Place(histogramTop), Percent(x.Scale.At(to)-x.Scale.At(from)), Place(histogramFoot+histogramStrip-histogramTop))
		}
	}
	shade(d.Lo, d.Grid.Lo-d.Grid.Scale/2)
	shade(d.Grid.Hi+d.Grid.Scale/2, d.Hi)
}

// levels draws the grid's levels under the bins, only every so many where they are dense, and the zero point.
func levels(b *strings.Builder, x Axis, g *wire.Grid) {
	every := levelsEvery(x.Scale, g)
	first := g.Min + ((g.Zero-g.Min)%every+every)%every // zero, if it is a level, is drawn
	fmt.Fprintf(b, `<svg x="0" y="%d" width="100%%" height="%d" viewBox="0 0 1000 %d" preserveAspectRatio="none"><path class="levels" vector-effect="non-scaling-stroke" d="`,
		histogramFoot+1, histogramStrip, histogramStrip)
	n := 0
	for q := first; q <= g.Max && n <= narrowestPlot; q += every {
		fmt.Fprintf(b, "M%s 1v5", Place(1000*x.Scale.At(g.Scale*float64(q-g.Zero))))
		n++
	}
	b.WriteString(`"></path></svg>`)
	for _, end := range []float64{g.Lo, g.Hi} {
		Line(b, "end", x.At(end), Place(histogramTop), x.At(end), Place(histogramFoot+histogramStrip))
	}
	if g.Zero >= g.Min && g.Zero <= g.Max {
		fmt.Fprintf(b, `<svg class="zero" x="%s" y="%d" overflow="visible"><path d="M0 1l4 7h-8z"></path></svg>`, x.At(0), histogramFoot+1)
	}
	Text(b, "tick", "end", "100%", "14", levelsWords(g, every))
}

// levelsEvery returns of how many levels one is drawn: a power of 2.
func levelsEvery(x Scale, g *wire.Grid) int32 {
	steps := float64(g.Max) - float64(g.Min)
	apart := narrowestPlot * (x.At(g.Hi) - x.At(g.Lo)) / steps
	every := int32(1)
	for apart*float64(every) < levelsApart && float64(every) < steps {
		every *= 2
	}
	return every
}

func levelsWords(g *wire.Grid, every int32) string {
	s := report.Count(int(g.Max)-int(g.Min)+1) + " levels"
	switch every {
	case 1:
		return s
	case 2:
		return s + ", every 2nd drawn"
	}
	return s + ", every " + strconv.Itoa(int(every)) + "th drawn"
}

// histogramWords says what a histogram shows.
func histogramWords(v HistogramView) string {
	d := v.Distribution
	if !filled(d) {
		return fmt.Sprintf("Histogram of the %s: no numbers", v.Of)
	}
	s := fmt.Sprintf("Histogram of the %s: %s numbers from %s to %s", v.Of, report.Count(d.Count), figures(d.Lo), figures(d.Hi))
	if g := d.Grid; drawable(g) {
		s += fmt.Sprintf("; a grid of %s levels from %s to %s, zero point %d, clips %s of them",
			report.Count(int(g.Max)-int(g.Min)+1), figures(g.Lo), figures(g.Hi), g.Zero, shareWords(d.Clipped))
	}
	return s
}

// figures writes a number with three figures and a minus sign.
func figures(v float64) string {
	if v != 0 && (math.Abs(v) < 1e-4 || math.Abs(v) >= 1e7) {
		return minus(strconv.FormatFloat(v, 'g', 3, 64))
	}
	return minus(report.Figures(v, 3))
}

// shareWords writes a share in percent, however small.
func shareWords(share float64) string {
	switch {
	case share == 0:
		return "none"
	case share < .0001:
		return "less than 0.01%"
	}
	return strconv.FormatFloat(100*share, 'f', 2, 64) + "%"
}
