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
	"quantlab/core/nn"
	"quantlab/core/report"
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
	x0, x1, y0, y1 float64 // the ends of the axes: multiply-adds a byte, 1e9 multiply-adds a second
	b              strings.Builder
}

// roofSVG draws the roofs and the cells under them. Every point can be reached by the keyboard and says what it is.
func roofSVG(cells []roofline.Cell, p *wire.Peaks, size roofSize) string {
	d := &roofPlot{roofSize: size}
	d.fit(cells, p)
	fmt.Fprintf(&d.b, `<svg class="roofplot" viewBox="0 0 %s %s" role="group" aria-label="Roofline: multiply-adds a second over multiply-adds for each byte of weights">`,
		place(size.width), place(size.height))
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

func (d *roofPlot) x(v float64) float64 {
	return d.left + (d.width-d.left-d.right)*along(v, d.x0, d.x1)
}

func (d *roofPlot) y(v float64) float64 {
	return d.height - d.bottom - (d.height-d.top-d.bottom)*along(v, d.y0, d.y1)
}

// along returns how far v is from lo to hi, on a logarithmic scale.
func along(v, lo, hi float64) float64 {
	if !(v > 0) || !(hi > lo) {
		return 0
	}
	return min(max(math.Log(v/lo)/math.Log(hi/lo), 0), 1)
}

// place writes a coordinate.
func place(v float64) string {
	if !finite(v) {
		return "0"
	}
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

func (d *roofPlot) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&d.b, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"></line>`, class, place(x1), place(y1), place(x2), place(y2))
}

func (d *roofPlot) text(class, anchor string, x, y float64, text string) {
	fmt.Fprintf(&d.b, `<text class="%s" text-anchor="%s" x="%s" y="%s">%s</text>`, class, anchor, place(x), place(y), html.EscapeString(text))
}

// axes draws a line for each power of 2 below and of 10 at the side.
func (d *roofPlot) axes() {
	foot := d.height - d.bottom
	d.b.WriteString(`<g aria-hidden="true">`)
	for i := int(math.Round(math.Log2(d.x0))); i <= int(math.Round(math.Log2(d.x1))); i++ {
		v := math.Exp2(float64(i))
		d.line("grid", d.x(v), d.top, d.x(v), foot)
		if (i%d.every+d.every)%d.every == 0 {
			d.text("tick", "middle", d.x(v), foot+15, power(i))
		}
	}
	for i := int(math.Ceil(math.Log10(d.y0))); math.Pow(10, float64(i)) <= d.y1*1.001; i++ {
		v := math.Pow(10, float64(i))
		d.line("grid", d.left, d.y(v), d.width-d.right, d.y(v))
		d.text("tick", "end", d.left-6, d.y(v)+4, strconv.FormatFloat(v, 'f', -1, 64))
	}
	d.text("axis", "middle", (d.left+d.width-d.right)/2, d.height-8, "multiply-adds for each byte of weights")
	d.text("axis", "start", 4, 14, "billion multiply-adds a second")
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

// across is the place of a cell from left to right: beside those of other models with as many multiply-adds a byte.
func (d *roofPlot) across(c roofline.Cell) float64 {
	models := nn.IDs()
	return d.x(c.Intensity()) + d.apart*(float64(slices.Index(models, c.Model))-float64(len(models)-1)/2)
}

// bound draws the way from a point to what the machine allows.
func (d *roofPlot) bound(c roofline.Cell) {
	x, y := d.across(c), d.y(c.MultiplyAdds/c.BoundUS/1e3)
	fmt.Fprintf(&d.b, `<g class="v-%s" aria-hidden="true">`, class(c.Variant))
	d.line("way", x, d.y(c.GMACs), x, y)
	d.line("way", x-3, y, x+3, y)
	d.b.WriteString(`</g>`)
}

func (d *roofPlot) point(c roofline.Cell) {
	words := fmt.Sprintf("%s: %s", report.CellName(c), shareText(c.Share))
	more := fmt.Sprintf("bound by %s, %s of %s billion a second", c.Bound, report.Figures(c.GMACs, 3), report.Figures(c.GMACs/c.Share, 3))
	fmt.Fprintf(&d.b, `<g class="point v-%s" tabindex="0" role="img" aria-label="%s">`, class(c.Variant), html.EscapeString(words+" of the bound, "+more))
	shape, ok := markers[c.Variant]
	if !ok {
		shape = `<circle cx="6" cy="6" r="4.5"></circle>`
	}
	fmt.Fprintf(&d.b, `<g class="mark" transform="translate(%s %s)">%s</g>`, place(d.across(c)-6), place(d.y(c.GMACs)-6), shape)
	d.b.WriteString(`<g class="tip" aria-hidden="true">`)
	d.text("strong", "start", 4, 32, words)
	d.text("", "start", 4, 48, more)
	d.b.WriteString(`</g></g>`)
}

// class is a variant's class, "other" for a variant that the page does not know.
func class(variant string) string {
	if _, ok := markers[variant]; !ok {
		return "other"
	}
	return variant
}
