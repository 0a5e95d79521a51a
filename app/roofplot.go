package app

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/chart"
	"quantlab/core/roofline"
)

// A roofSize is the box that a roofline is drawn in, in the drawing's own units. There are two of them, because text that fits
// a wide window can't be read where the same drawing is made small.
type roofSize struct {
	width, height            float64
	left, right, top, bottom float64 // margins
	apart                    float64 // between the points of different models in one column
	every                    int     // a label for every so many powers of 2
}

var (
	wideRoof   = roofSize{960, 470, 56, 150, 58, 48, 9, 1}
	narrowRoof = roofSize{360, 390, 40, 14, 60, 44, 5, 2}
)

// A roofPlot maps figures to places: both axes are logarithmic.
type roofPlot struct {
	roofSize
	models         []string // in their order from left to right
	x0, x1, y0, y1 float64  // the ends of the axes: multiply-adds a byte, 1e9 multiply-adds a second
	b              strings.Builder
}

// roofSVG draws the roofs and the cells under them. Every point can be reached by the keyboard and says what it is.
func roofSVG(models []string, cells []roofline.Cell, p *wire.Peaks, size roofSize) string {
	d := &roofPlot{roofSize: size, models: models}
	d.fit(cells, p)
	fmt.Fprintf(&d.b, `<svg class="roofplot" viewBox="0 0 %s %s" role="group" aria-label="Roofline: multiply-adds a second over multiply-adds for each byte of weights">`,
		chart.Place(size.width), chart.Place(size.height))
	d.axes()
	d.roofs(cells, p)
	for _, c := range cells {
		d.bound(c)
	}
	for _, c := range cells {
		d.point(c)
	}
	d.b.WriteString(`</svg>`)
	return d.b.String()
}

// fit chooses ends of the axes that leave nothing out: whole powers.
func (d *roofPlot) fit(cells []roofline.Cell, p *wire.Peaks) {
	lowX, highX := math.Inf(1), 0.0
	lowY, highY := math.Inf(1), max(p.Float32, p.Int8)
	for _, c := range cells {
		lowX, highX = min(lowX, c.Intensity()), max(highX, c.Intensity())
		lowY, highY = min(lowY, c.GMACs), max(highY, c.GMACs, c.MultiplyAdds/c.BoundUS/1e3)
	}
	d.x0, d.x1 = math.Exp2(math.Floor(math.Log2(lowX)-0.5)), math.Exp2(math.Ceil(math.Log2(highX)+0.5))
	d.y0, d.y1 = math.Pow(10, math.Floor(math.Log10(lowY))), math.Pow(10, math.Log10(highY)+0.15)
}

// across and upright are the two axes.
func (d *roofPlot) across() chart.Axis {
	return chart.Axis{Scale: chart.Log{Lo: d.x0, Hi: d.x1}, Span: chart.Span{From: d.left, To: d.width - d.right}}
}

func (d *roofPlot) upright() chart.Axis {
	return chart.Axis{Scale: chart.Log{Lo: d.y0, Hi: d.y1}, Span: chart.Span{From: d.height - d.bottom, To: d.top}}
}

func (d *roofPlot) x(v float64) float64 { return d.across().Point(v) }
func (d *roofPlot) y(v float64) float64 { return d.upright().Point(v) }

func (d *roofPlot) line(class string, x1, y1, x2, y2 float64) {
	chart.Line(&d.b, class, chart.Place(x1), chart.Place(y1), chart.Place(x2), chart.Place(y2))
}

func (d *roofPlot) text(class, anchor string, x, y float64, text string) {
	chart.Text(&d.b, class, anchor, chart.Place(x), chart.Place(y), text)
}

// axes draws a line for each power of 2 below and of 10 at the side.
func (d *roofPlot) axes() {
	x, y := d.across(), d.upright()
	x.Title, y.Title = "multiply-adds for each byte of weights", "billion multiply-adds a second"
	for _, i := range (chart.Log{Lo: d.x0, Hi: d.x1}).Powers(2) {
		t := chart.Tick{Value: math.Exp2(float64(i))}
		if i%d.every == 0 {
			t.Label = power(i)
		}
		x.Ticks = append(x.Ticks, t)
	}
	y.Ticks = y.Scale.Ticks(20)
	x.Horizontal(&d.b, d.top, d.height-d.bottom)
	y.Vertical(&d.b, x.Span)
	d.b.WriteString(`<g aria-hidden="true">`)
	d.text("prompt", "start", 4, 32, "Point at a mark, tap it or tab to it, for its figures.")
	d.b.WriteString(`</g>`)
}

// power spells 2^i.
func power(i int) string {
	if i < 0 {
		return "1/" + strconv.Itoa(1<<min(-i, 62))
	}
	return strconv.Itoa(1 << min(i, 62))
}

// roofs draws the slopes of the fastest and the slowest memory that bounds a cell, and the level roofs of the arithmetics.
func (d *roofPlot) roofs(cells []roofline.Cell, p *wire.Peaks) {
	d.b.WriteString(`<g aria-hidden="true">`)
	fastest, slowest := bandwidths(cells)
	levels := levelsOf(cells, p)
	for _, b := range []float64{fastest, slowest} { // from where it enters the drawing to the highest roof
		from, to := max(d.x0, d.y0/b), min(levels[0].peak/b, d.x1)
		d.line("slope", d.x(from), d.y(from*b), d.x(to), d.y(to*b))
	}
	d.text("label", "start", d.left+6, d.top+12, "slopes: "+bandwidthText(fastest, slowest)+" GB/s")
	last := math.Inf(-1)
	for _, l := range levels {
		y := d.y(l.peak)
		d.line("level", d.x(max(d.x0, l.peak/fastest)), y, d.width-d.right, y)
		last = max(y, last+13) // labels keep clear of each other
		label := l.name + ": " + report.Figures(l.peak, 3)
		if d.right > 100 {
			d.text("label", "start", d.width-d.right+6, last+4, label)
		} else {
			d.text("label", "end", d.width-d.right, last-4, label)
		}
	}
	d.b.WriteString(`</g>`)
}

// A level is the roof of one arithmetic.
type level struct {
	name string
	peak float64
}

// levelsOf returns the roofs that bound the cells, the highest first.
func levelsOf(cells []roofline.Cell, p *wire.Peaks) []level {
	levels := []level{{"float32", p.Float32}, {"int8", p.Int8}}
	const apart = 0.9 // of float32's, or one line would lie on the other
	if p.Float16 < apart*p.Float32 && slices.ContainsFunc(cells, func(c roofline.Cell) bool { return c.Variant == "dynamic-float16" && c.Batch == 1 }) {
		levels = append(levels, level{"float16 at batch 1", p.Float16})
	}
	slices.SortFunc(levels, func(a, b level) int { return cmp.Compare(b.peak, a.peak) })
	return levels
}

// column is the place of a cell from left to right: beside those of other models with as many multiply-adds a byte.
func (d *roofPlot) column(c roofline.Cell) float64 {
	const many = 4 // models: more of them are nearer together
	apart := d.apart * min(1, many/float64(len(d.models)))
	return d.x(c.Intensity()) + apart*(float64(slices.Index(d.models, c.Model))-float64(len(d.models)-1)/2)
}

// bound draws the way from a point to what the machine allows.
func (d *roofPlot) bound(c roofline.Cell) {
	x, y := d.column(c), d.y(c.MultiplyAdds/c.BoundUS/1e3)
	_, class := chart.Shape(c.Variant)
	fmt.Fprintf(&d.b, `<g class="v-%s" aria-hidden="true">`, class)
	d.line("way", x, d.y(c.GMACs), x, y)
	d.line("way", x-3, y, x+3, y)
	d.b.WriteString(`</g>`)
}

func (d *roofPlot) point(c roofline.Cell) {
	words := fmt.Sprintf("%s: %s", report.CellName(c), shareText(c.Share))
	more := fmt.Sprintf("bound by %s, %s of %s billion a second", c.Bound, report.Figures(c.GMACs, 3), report.Figures(c.GMACs/c.Share, 3))
	shape, class := chart.Shape(c.Variant)
	fmt.Fprintf(&d.b, `<g class="point v-%s" tabindex="0" role="img" aria-label="%s">`, class, html.EscapeString(words+" of the bound, "+more))
	fmt.Fprintf(&d.b, `<g class="mark" transform="translate(%s %s)">%s</g>`, chart.Place(d.column(c)-6), chart.Place(d.y(c.GMACs)-6), shape)
	d.b.WriteString(`<g class="tip" aria-hidden="true">`)
	d.text("strong", "start", 4, 32, words)
	d.text("", "start", 4, 48, more)
	d.b.WriteString(`</g></g>`)
}
