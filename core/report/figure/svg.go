package figure

import (
	"fmt"
	"strings"

	"quantlab/core/report/chart"
)

// Heights and widths of a drawing's parts, in pixels.
const (
	plotTop     = 26  // below the vertical axis's title
	plotHeight  = 232 // of numbers
	laneHeight  = 15  // of a lane beside others
	laneAlone   = 19
	nameHeight  = 15 // of a category's name above its bars
	nameRunes   = 15 // of a category's name that fits beside them
	namesEnd    = 30 // where these end, in percent
	slantRunes  = 28 // of all names below a horizontal axis that fit at 360 px
	slantRune   = 5  // pixels down that a rune of a slanted name takes
	markReach   = 6  // of a marker, half its width
	whiskerHalf = 4
)

// SVG draws the figure, as wide as its box: see package chart. Its looks are classes of web/figure.css, its key is Key's, and
// its text alternative a summary; all numbers are in Table.
func (f Figure) SVG() string {
	d := drawing{Figure: f.Drawable()}
	d.lanes, d.most = d.Lanes()
	d.x, d.y = d.Rulers(5, 6)
	d.across, d.top, d.foot = chart.Across, plotTop, plotTop+plotHeight
	class := "upright"
	if d.Sideways() {
		class, d.top = "sideways", 8
		if d.beside() {
			d.across = chart.Span{From: namesEnd, To: 100, Percent: true}
		}
		d.foot = d.top + d.rowHeight()*float64(len(d.Y.Categories))
	}
	fmt.Fprintf(&d.b, `<svg class="chart plotted %s" width="100%%" height="%s" role="img" aria-label="%s">`, class, chart.Place(d.foot+d.axisHeight()), chart.Escape(f.words()))
	d.axes()
	for i := range d.Series {
		d.series(i)
	}
	d.labels()
	d.b.WriteString(`</svg>`)
	return d.b.String()
}

type drawing struct {
	Figure
	b         strings.Builder
	x, y      Ruler
	lanes     [][]Lane
	most      int // lanes of a category
	across    chart.Span
	top, foot float64
}

// beside reports whether the categories' names stand left of their rows; they stand above where one is too long.
func (d *drawing) beside() bool {
	for _, name := range d.Y.Categories {
		if len([]rune(name)) > nameRunes {
			return false
		}
	}
	return true
}

func (d *drawing) rowHeight() float64 {
	h := laneHeight*float64(d.most) + 9
	if d.most == 1 {
		h = laneAlone + 9
	}
	if !d.beside() {
		h += nameHeight
	}
	return h
}

// slant returns how far the slanted names below the plot reach down; 0 where they are level.
func (d *drawing) slant() float64 {
	all, longest := 0, 0
	for _, name := range d.X.Categories {
		n := len([]rune(name))
		all, longest = all+n, max(longest, n)
	}
	if all <= slantRunes {
		return 0
	}
	return 10 + slantRune*float64(min(longest, 24))
}

func (d *drawing) axisHeight() float64 {
	h := float64(chart.AxisHeight)
	if d.X.Label == "" {
		h -= 16
	}
	if s := d.slant(); s > 0 {
		h += s - 14
	}
	return h
}

// px and py are where a number lies.
func (d *drawing) px(v float64) string { return d.across.At(d.x.Scale.At(v)) }

func (d *drawing) py(v float64) float64 {
	share := d.y.Scale.At(v)
	if !d.Sideways() {
		return d.foot + (d.top-d.foot)*share
	}
	y := d.top + (d.foot-d.top)*share
	if !d.beside() {
		y += nameHeight / 2
	}
	return y
}

func (d *drawing) axes() {
	d.b.WriteString(`<g class="axes" aria-hidden="true">`)
	if d.Sideways() {
		d.rowNames()
	} else {
		for _, t := range d.y.Ticks {
			y := chart.Place(d.py(t.Value))
			chart.Line(&d.b, "grid", d.across.At(0), y, d.across.At(1), y)
			chart.Text(&d.b, "tick", "end", "-7", chart.Place(d.py(t.Value)+4), t.Label)
		}
		chart.Text(&d.b, "axis", "start", "-50", "12", d.Y.Label)
	}
	slanted := d.slant() > 0
	for _, t := range d.x.Ticks {
		x := d.px(t.Value)
		if len(d.X.Categories) == 0 {
			chart.Line(&d.b, "grid", x, chart.Place(d.top), x, chart.Place(d.foot))
		}
		if slanted {
			fmt.Fprintf(&d.b, `<svg x="%s" y="%s" overflow="visible"><text class="tick" text-anchor="end" transform="rotate(-40)">%s</text></svg>`,
				x, chart.Place(d.foot+12), chart.Escape(chart.Shorten(t.Label, 24)))
			continue
		}
		chart.Text(&d.b, "tick", "middle", x, chart.Place(d.foot+16), t.Label)
	}
	if d.X.Label != "" {
		chart.Text(&d.b, "axis", "middle", d.across.At(.5), chart.Place(d.foot+d.axisHeight()-6), d.X.Label)
	}
	base := chart.Place(d.foot)
	if d.Sideways() {
		at := d.px(d.x.Zero())
		chart.Line(&d.b, "base", at, chart.Place(d.top), at, base)
	} else {
		at := chart.Place(d.py(d.y.Zero()))
		chart.Line(&d.b, "base", d.across.At(0), at, d.across.At(1), at)
	}
	d.b.WriteString(`</g>`)
}

// rowNames writes the categories' names, and parts the rows where they hold several lanes.
func (d *drawing) rowNames() {
	for i, name := range d.Y.Categories {
		top := d.top + d.rowHeight()*float64(i)
		if i > 0 && (d.most > 1 || !d.beside()) {
			chart.Line(&d.b, "grid", "0%", chart.Place(top), "100%", chart.Place(top))
		}
		if d.beside() {
			chart.Text(&d.b, "name", "end", chart.Percent((namesEnd-3)/100.), chart.Place(d.py(float64(i))+4), name)
		} else {
			chart.Text(&d.b, "name", "start", "0%", chart.Place(top+13), chart.Shorten(name, 46))
		}
	}
}

func (d *drawing) series(i int) {
	s := d.Series[i]
	_, class := chart.Shape(s.Variant)
	fmt.Fprintf(&d.b, `<g class="series v-%s again-%d">`, class, min(d.Repeats()[i], 2))
	switch s.Kind {
	case Line, Steps:
		d.line(s)
	case Bars:
		d.bars(i)
	}
	for k, p := range s.Points {
		d.samples(p, d.lanes[i][k])
	}
	for k, p := range s.Points {
		d.whisker(p, d.lanes[i][k])
	}
	if s.Kind == Points {
		for k, p := range s.Points {
			d.mark(s, p, d.lanes[i][k])
		}
	}
	d.b.WriteString(`</g>`)
}

// line draws through the points; the path has coordinates of its own, since those of a path can't be percentages.
func (d *drawing) line(s Series) {
	if len(s.Points) == 0 {
		return
	}
	const wide = 1000
	fmt.Fprintf(&d.b, `<svg x="%s" y="0" width="%s" height="%s" viewBox="0 0 %d %s" preserveAspectRatio="none" overflow="visible"><path class="line" vector-effect="non-scaling-stroke" d="`,
		d.across.At(0), chart.Percent((d.across.To-d.across.From)/100), chart.Place(d.foot), wide, chart.Place(d.foot))
	for i, p := range s.Points {
		x, y := chart.Place(wide*d.x.Scale.At(p.X)), chart.Place(d.py(p.Y))
		switch {
		case i == 0:
			d.b.WriteString("M" + x + " " + y)
		case s.Kind == Steps:
			d.b.WriteString("H" + x + "V" + y)
		default:
			d.b.WriteString("L" + x + " " + y)
		}
	}
	if len(s.Points) == 1 {
		d.b.WriteString("h.01") // a dot, by its round ends
	}
	d.b.WriteString(`"></path></svg>`)
}

func (d *drawing) bars(i int) {
	for k, p := range d.Series[i].Points {
		lane := d.lanes[i][k]
		if d.Sideways() {
			zero, end := d.x.Scale.At(d.x.Zero()), d.x.Scale.At(p.X)
			width := (d.across.To - d.across.From) / 100 * (max(zero, end) - min(zero, end))
			high := float64(laneHeight)
			if d.most == 1 {
				high = laneAlone
			}
			high -= 3
			chart.Rect(&d.b, "bar", d.across.At(min(zero, end)), chart.Place(d.lane(p, lane)-high/2), chart.Percent(width), chart.Place(high))
			continue
		}
		half := .5 / float64(len(d.x.Ticks)+1)
		if lane.Width > 0 {
			half = .46 * lane.Width / (d.x.Hi - d.x.Lo)
		}
		mid := d.x.Scale.At(p.X + lane.Offset)
		zero, end := d.py(d.y.Zero()), d.py(p.Y)
		left, right := max(mid-half, 0), min(mid+half, 1)
		chart.Rect(&d.b, "bar", d.across.At(left), chart.Place(min(zero, end)), chart.Percent(right-left), chart.Place(max(zero, end)-min(zero, end)))
	}
}

// lane is the height at which a point of a category lies.
func (d *drawing) lane(p Point, lane Lane) float64 {
	if !d.Sideways() {
		return d.py(p.Y)
	}
	if lane.Width == 0 {
		return d.py(p.Y)
	}
	return d.py(p.Y) + laneHeight*lane.Offset/lane.Width
}

func (d *drawing) samples(p Point, lane Lane) {
	for _, v := range p.Samples {
		x, y := d.px(p.X+lane.Offset), d.py(v)
		if d.Sideways() {
			x, y = d.px(v), d.lane(p, lane)
		}
		fmt.Fprintf(&d.b, `<circle class="sample" cx="%s" cy="%s" r="2"></circle>`, x, chart.Place(y))
	}
}

func (d *drawing) whisker(p Point, lane Lane) {
	if p.Span == nil {
		return
	}
	if d.Sideways() {
		chart.Whisker(&d.b, d.px(p.Span.Low), d.px(p.Span.High), d.lane(p, lane), whiskerHalf)
		return
	}
	x, low, high := d.px(p.X+lane.Offset), chart.Place(d.py(p.Span.Low)), chart.Place(d.py(p.Span.High))
	chart.Line(&d.b, "whisker", x, low, x, high)
	for _, y := range []string{low, high} {
		fmt.Fprintf(&d.b, `<svg x="%s" y="%s" overflow="visible"><path class="whisker" d="M-%d 0h%d"></path></svg>`, x, y, whiskerHalf, 2*whiskerHalf)
	}
}

// mark draws a point's marker, which names itself to a pointer.
func (d *drawing) mark(s Series, p Point, lane Lane) {
	shape, _ := chart.Shape(s.Variant)
	x := d.px(p.X + lane.Offset)
	if d.Sideways() {
		x = d.px(p.X)
	}
	fmt.Fprintf(&d.b, `<svg x="%s" y="%s" overflow="visible"><g class="mark" transform="translate(-%d -%d)">%s<title>%s</title></g></svg>`,
		x, chart.Place(d.lane(p, lane)), markReach, markReach, shape, chart.Escape(d.pointWords(s, p)))
}
