package pdf

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// A canvas is a part of a page that gonum's plots are drawn on. Its origin is at its lower left corner, y grows upward, and
// transformations are applied here, so that the page sees places of its own only.
type canvas struct {
	s          *setter
	left, foot float64
	state      state
	stack      []state
}

type state struct {
	m     matrix
	color rgb
	width vg.Length
	dash  []float64
	phase float64
}

// A matrix maps x to a·x + c·y + e and y to b·x + d·y + f.
type matrix struct{ a, b, c, d, e, f float64 }

// of is the map that applies n first.
func (m matrix) of(n matrix) matrix {
	return matrix{
		m.a*n.a + m.c*n.b, m.b*n.a + m.d*n.b,
		m.a*n.c + m.c*n.d, m.b*n.c + m.d*n.d,
		m.a*n.e + m.c*n.f + m.e, m.b*n.e + m.d*n.f + m.f,
	}
}

func newCanvas(s *setter, left, foot float64) *canvas {
	c := &canvas{s: s, left: left, foot: foot, state: state{m: matrix{a: 1, d: 1}}}
	vg.Initialize(c)
	return c
}

// at is a place on the page.
func (c *canvas) at(p vg.Point) (x, y float64) {
	px, py := p.X.Points(), p.Y.Points()
	m := c.state.m
	return c.left + m.a*px + m.c*py + m.e, c.foot - (m.b*px + m.d*py + m.f)
}

func (c *canvas) SetLineWidth(w vg.Length) { c.state.width = w }

func (c *canvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	c.state.dash, c.state.phase = nil, offset.Points()
	for _, l := range pattern {
		c.state.dash = append(c.state.dash, l.Points())
	}
}

func (c *canvas) SetColor(clr color.Color) {
	if clr == nil {
		clr = color.Black
	}
	r, g, b, _ := clr.RGBA()
	c.state.color = rgb{int(r >> 8), int(g >> 8), int(b >> 8)}
}

func (c *canvas) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	c.state.m = c.state.m.of(matrix{cos, sin, -sin, cos, 0, 0})
}

func (c *canvas) Translate(p vg.Point) {
	c.state.m = c.state.m.of(matrix{1, 0, 0, 1, p.X.Points(), p.Y.Points()})
}

func (c *canvas) Scale(x, y float64) { c.state.m = c.state.m.of(matrix{x, 0, 0, y, 0, 0}) }

func (c *canvas) Push() { c.stack = append(c.stack, c.state) }

func (c *canvas) Pop() {
	c.state = c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
}

func (c *canvas) Stroke(p vg.Path) {
	if c.state.width <= 0 {
		return
	}
	doc, col := c.s.doc, c.state.color
	doc.SetDrawColor(col.r, col.g, col.b)
	doc.SetLineWidth(c.state.width.Points())
	doc.SetDashPattern(c.state.dash, c.state.phase)
	doc.SetLineCapStyle("round")
	doc.SetLineJoinStyle("round")
	c.path(p, "D")
	doc.SetLineCapStyle("butt")
	doc.SetLineJoinStyle("miter")
	doc.SetDashPattern(nil, 0)
}

func (c *canvas) Fill(p vg.Path) {
	c.s.fill(c.state.color)
	c.path(p, "F")
}

// path draws a path; arcs become curves of at most a quarter circle.
func (c *canvas) path(p vg.Path, style string) {
	doc := c.s.doc
	for _, part := range p {
		switch part.Type {
		case vg.MoveComp:
			doc.MoveTo(c.at(part.Pos))
		case vg.LineComp:
			doc.LineTo(c.at(part.Pos))
		case vg.ArcComp:
			c.arc(part)
		case vg.CurveComp:
			x, y := c.at(part.Pos)
			x1, y1 := c.at(part.Control[0])
			if len(part.Control) == 1 {
				doc.CurveTo(x1, y1, x, y)
			} else {
				x2, y2 := c.at(part.Control[1])
				doc.CurveBezierCubicTo(x1, y1, x2, y2, x, y)
			}
		case vg.CloseComp:
			doc.ClosePath()
		}
	}
	doc.DrawPath(style)
}

func (c *canvas) arc(part vg.PathComp) {
	steps := max(1, int(math.Ceil(math.Abs(part.Angle)/(math.Pi/2)-1e-9)))
	step := part.Angle / float64(steps)
	k := vg.Length(4. / 3 * math.Tan(step/4)) // the usual approximation by a cubic Bézier curve
	on := func(angle float64) (p, tangent vg.Point) {
		sin, cos := math.Sincos(angle)
		return vg.Point{X: part.Pos.X + part.Radius*vg.Length(cos), Y: part.Pos.Y + part.Radius*vg.Length(sin)},
			vg.Point{X: -part.Radius * vg.Length(sin), Y: part.Radius * vg.Length(cos)}
	}
	for i := range steps {
		from, t1 := on(part.Start + step*float64(i))
		to, t2 := on(part.Start + step*float64(i+1))
		x1, y1 := c.at(vg.Point{X: from.X + k*t1.X, Y: from.Y + k*t1.Y})
		x2, y2 := c.at(vg.Point{X: to.X - k*t2.X, Y: to.Y - k*t2.Y})
		x, y := c.at(to)
		if i == 0 {
			c.s.doc.LineTo(c.at(from))
		}
		c.s.doc.CurveBezierCubicTo(x1, y1, x2, y2, x, y)
	}
}

// FillString writes text in the paper's own font; how it is turned is told by where the transformation takes the axis.
func (c *canvas) FillString(f font.Face, p vg.Point, text string) {
	if f.Font.Size <= 0 {
		return
	}
	x, y := c.at(p)
	c.s.ink(c.state.color)
	angle := math.Atan2(c.state.m.b, c.state.m.a) * 180 / math.Pi
	if angle != 0 {
		c.s.doc.TransformBegin()
		c.s.doc.TransformRotate(angle, x, y)
		defer c.s.doc.TransformEnd()
	}
	c.s.write(face{sans, "", f.Font.Size.Points()}, x, y, text)
}

// DrawImage draws nothing: no figure holds a picture.
func (c *canvas) DrawImage(vg.Rectangle, image.Image) {}
