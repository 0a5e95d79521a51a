package pdf

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"quantlab/core/report/chart"
	"quantlab/core/report/figure"
)

// A plotter draws a figure's series, as package figure does on the page.
type plotter struct {
	figure.Figure
	x, y  figure.Ruler
	lanes [][]figure.Lane
	again []int
}

// Looks of what is drawn, in points.
const (
	markSize    = 7.2
	lineWidth   = 1.2
	whiskWidth  = .9
	whiskReach  = 2.6
	sampleSize  = 1.3
	barOpacity  = .68
	baseWidth   = .6
	gridWidth   = .4
	labelHeight = 8.5
	mostLabels  = 400
)

var dashes = [][]vg.Length{nil, {5, 3}, {.1, 3}}

// Plot implements plot.Plotter.
func (p *plotter) Plot(c draw.Canvas, plt *plot.Plot) {
	at := p.places(c)
	p.grid(c, at)
	for i, s := range p.Series {
		again := min(p.again[i], len(dashes)-1)
		_, class := chart.Shape(s.Variant)
		color := variantColour(class)
		switch s.Kind {
		case figure.Line, figure.Steps:
			drawLine(c, at, s, color, again)
		case figure.Bars:
			p.bars(c, at, i, color, again)
		}
		for k, q := range s.Points {
			p.samples(c, at, q, p.lanes[i][k], color, s.Kind == figure.Bars)
		}
		for k, q := range s.Points {
			p.whisker(c, at, q, p.lanes[i][k], color, s.Kind == figure.Bars)
		}
		if s.Kind == figure.Points {
			for k, q := range s.Points {
				x, y := p.place(q, p.lanes[i][k])
				drawMark(c, s.Variant, at(x, y), markSize, color, again)
			}
		}
	}
	p.base(c, at)
	p.labels(c, at)
}

// places maps numbers to the canvas.
func (p *plotter) places(c draw.Canvas) func(x, y float64) vg.Point {
	return func(x, y float64) vg.Point {
		up := p.y.Scale.At(y)
		if p.Sideways() {
			up = 1 - up
		}
		return vg.Point{X: c.X(p.x.Scale.At(x)), Y: c.Y(up)}
	}
}

// place is where a point lies, in the axes' numbers.
func (p *plotter) place(q figure.Point, lane figure.Lane) (x, y float64) {
	if p.Sideways() {
		return q.X, q.Y + lane.Offset
	}
	return q.X + lane.Offset, q.Y
}

func (p *plotter) grid(c draw.Canvas, at func(x, y float64) vg.Point) {
	style := draw.LineStyle{Color: line, Width: gridWidth}
	if len(p.X.Categories) == 0 {
		for _, t := range p.x.Ticks {
			c.StrokeLine2(style, at(t.Value, 0).X, c.Min.Y, at(t.Value, 0).X, c.Max.Y)
		}
	}
	if len(p.Y.Categories) == 0 {
		for _, t := range p.y.Ticks {
			c.StrokeLine2(style, c.Min.X, at(0, t.Value).Y, c.Max.X, at(0, t.Value).Y)
		}
	}
}

// base is the line that the bars stand on, or the foot.
func (p *plotter) base(c draw.Canvas, at func(x, y float64) vg.Point) {
	style := draw.LineStyle{Color: edge, Width: baseWidth}
	if p.Sideways() {
		x := at(p.x.Zero(), 0).X
		c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
		return
	}
	y := at(0, p.y.Zero()).Y
	c.StrokeLine2(style, c.Min.X, y, c.Max.X, y)
}

// drawLine draws through the points in their order.
func drawLine(c draw.Canvas, at func(x, y float64) vg.Point, s figure.Series, color rgb, again int) {
	if len(s.Points) == 0 {
		return
	}
	var path vg.Path
	for i, q := range s.Points {
		next := at(q.X, q.Y)
		switch {
		case i == 0:
			path.Move(next)
			path.Line(next) // of a single point, a dot by its round ends
		case s.Kind == figure.Steps:
			path.Line(vg.Point{X: next.X, Y: at(q.X, s.Points[i-1].Y).Y})
			path.Line(next)
		default:
			path.Line(next)
		}
	}
	c.SetLineStyle(draw.LineStyle{Color: color, Width: lineWidth, Dashes: dashes[again]})
	c.Stroke(path)
}

func (p *plotter) bars(c draw.Canvas, at func(x, y float64) vg.Point, i int, color rgb, again int) {
	fill := color.on(barOpacity / (1 + .9*float64(again)))
	for k, q := range p.Series[i].Points {
		lane := p.lanes[i][k]
		x, y := p.place(q, lane)
		half := .43 * lane.Width
		var from, to vg.Point
		switch {
		case p.Sideways():
			from, to = at(p.x.Zero(), y-half), at(q.X, y+half)
		case lane.Width > 0:
			from, to = at(x-half, p.y.Zero()), at(x+half, q.Y)
		default:
			from, to = at(x, p.y.Zero()), at(x, q.Y)
			from.X, to.X = from.X-3, to.X+3
		}
		c.FillPolygon(fill, []vg.Point{from, {X: to.X, Y: from.Y}, to, {X: from.X, Y: to.Y}})
	}
}

func (p *plotter) samples(c draw.Canvas, at func(x, y float64) vg.Point, q figure.Point, lane figure.Lane, color rgb, onBar bool) {
	for _, v := range q.Samples {
		x, y := q.X+lane.Offset, v
		if p.Sideways() {
			x, y = v, q.Y+lane.Offset
		}
		dot := circle(at(x, y), sampleSize)
		c.SetColor(color)
		if onBar {
			c.SetColor(white)
		}
		c.Fill(dot)
		c.SetLineStyle(draw.LineStyle{Color: white, Width: .4})
		if onBar {
			c.SetLineStyle(draw.LineStyle{Color: color, Width: .6})
		}
		c.Stroke(dot)
	}
}

func (p *plotter) whisker(c draw.Canvas, at func(x, y float64) vg.Point, q figure.Point, lane figure.Lane, color rgb, onBar bool) {
	if q.Span == nil {
		return
	}
	style := draw.LineStyle{Color: color, Width: whiskWidth}
	if onBar {
		style.Color = ink
	}
	x, y := p.place(q, lane)
	if p.Sideways() {
		a, b := at(q.Span.Low, y), at(q.Span.High, y)
		c.StrokeLine2(style, a.X, a.Y, b.X, b.Y)
		for _, e := range []vg.Point{a, b} {
			c.StrokeLine2(style, e.X, e.Y-whiskReach, e.X, e.Y+whiskReach)
		}
		return
	}
	a, b := at(x, q.Span.Low), at(x, q.Span.High)
	c.StrokeLine2(style, a.X, a.Y, b.X, b.Y)
	for _, e := range []vg.Point{a, b} {
		c.StrokeLine2(style, e.X-whiskReach, e.Y, e.X+whiskReach, e.Y)
	}
}

// labels writes the points' labels where they meet neither each other nor a marker.
func (p *plotter) labels(c draw.Canvas, at func(x, y float64) vg.Point) {
	type spot struct {
		p    vg.Point
		text string
	}
	var spots []spot
	var taken []figure.Box
	for i, s := range p.Series {
		for k, q := range s.Points {
			x, y := p.place(q, p.lanes[i][k])
			if p.Sideways() && q.Span != nil {
				x = q.Span.High
			}
			here := at(x, y)
			taken = append(taken, boxAround(here))
			if q.Span != nil && !p.Sideways() {
				low, high := boxAround(at(x, q.Span.Low)), boxAround(at(x, q.Span.High))
				taken = append(taken, figure.Box{Left: low.Left, Right: low.Right, Top: high.Top, Bottom: low.Bottom})
			}
			if q.Label != "" {
				spots = append(spots, spot{here, q.Label})
			}
		}
	}
	if len(taken) > mostLabels {
		return
	}
	f := style(labelSize, ink)
	within := figure.Box{Left: c.Min.X.Points(), Right: c.Max.X.Points() + 6, Top: -c.Max.Y.Points() - 4, Bottom: -c.Min.Y.Points()}
	for _, s := range spots {
		width := f.Width(s.text).Points()
		side, box, ok := figure.Place(s.p.X.Points(), -s.p.Y.Points(), width, labelHeight, .62, taken, within)
		if !ok {
			continue
		}
		taken = append(taken, box)
		c.FillText(f, vg.Point{X: vg.Points(box.Left), Y: s.p.Y - vg.Points(side.DY)}, s.text)
	}
}

// boxAround is the room of a marker, y downward.
func boxAround(p vg.Point) figure.Box {
	const r = markSize / 2
	return figure.Box{Left: p.X.Points() - r, Right: p.X.Points() + r, Top: -p.Y.Points() - r, Bottom: -p.Y.Points() + r}
}

func circle(p vg.Point, radius float64) vg.Path {
	var path vg.Path
	path.Move(vg.Point{X: p.X + vg.Points(radius), Y: p.Y})
	path.Arc(p, vg.Points(radius), 0, 2*3.141592653589793)
	path.Close()
	return path
}

// drawMark draws a variant's marker, as wide as size; hollow the second time.
func drawMark(c vg.Canvas, variant string, p vg.Point, size float64, color rgb, again int) {
	corners, radius := chart.Outline(variant)
	unit := size / 12
	path := circle(p, radius*unit)
	if corners != nil {
		path = nil
		for i, k := range corners {
			q := vg.Point{X: p.X + vg.Points((k[0]-6)*unit), Y: p.Y - vg.Points((k[1]-6)*unit)}
			if i == 0 {
				path.Move(q)
			} else {
				path.Line(q)
			}
		}
		path.Close()
	}
	inner, outer, width := color, white, .4
	if again > 0 {
		inner, outer, width = white, color, 1.1
	}
	c.SetColor(inner)
	c.Fill(path)
	c.SetLineDash(nil, 0)
	c.SetLineWidth(vg.Points(width))
	c.SetColor(outer)
	c.Stroke(path)
}

// drawSign draws what stands for a series in the key, around the canvas's origin.
func drawSign(c vg.Canvas, m figure.Mark) {
	again := min(m.Again, len(dashes)-1)
	_, class := chart.Shape(m.Variant)
	color := variantColour(class)
	var path vg.Path
	switch m.Kind {
	case figure.Line, figure.Steps:
		path.Move(vg.Point{X: -7})
		path.Line(vg.Point{X: 7})
		c.SetColor(color)
		c.SetLineWidth(lineWidth)
		c.SetLineDash(dashes[again], 0)
		c.Stroke(path)
	case figure.Bars:
		c.SetColor(color.on(barOpacity / (1 + .9*float64(again))))
		for i, p := range []vg.Point{{X: -5, Y: -3}, {X: 5, Y: -3}, {X: 5, Y: 3}, {X: -5, Y: 3}} {
			if i == 0 {
				path.Move(p)
			} else {
				path.Line(p)
			}
		}
		path.Close()
		c.Fill(path)
	default:
		drawMark(c, m.Variant, vg.Point{}, markSize+.6, color, again)
	}
}
