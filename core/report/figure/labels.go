package figure

import "quantlab/core/report/chart"

// Widths of a plot for which labels are placed, in pixels: on a telephone, and where there is room.
const (
	narrowPlot = 270
	widePlot   = 560
	labelRune  = 6.2 // of a label, on average
)

// A Box is where something lies, in the unit of whoever draws.
type Box struct{ Left, Top, Right, Bottom float64 }

func (b Box) meets(c Box) bool {
	return b.Left < c.Right && c.Left < b.Right && b.Top < c.Bottom && c.Top < b.Bottom
}

func (b Box) within(c Box) bool {
	return b.Left >= c.Left && b.Right <= c.Right && b.Top >= c.Top && b.Bottom <= c.Bottom
}

// A Side is where beside its point a label stands: DX and DY from it to the text's anchor on its base line, y downward.
type Side struct {
	Anchor string // as SVG's text-anchor
	DX, DY float64
}

// sides are tried in this order; for markers of 12 by 12 and letters of 11.5 pixels.
var sides = []Side{
	{"start", 9, 4}, {"end", -9, 4}, {"middle", 0, -10}, {"middle", 0, 19},
	{"start", 7, -7}, {"end", -7, -7}, {"start", 7, 15}, {"end", -7, 15},
}

// box is where a label of that width and height lies at a point.
func (s Side) box(x, y, width, height float64) Box {
	left := x + s.DX
	switch s.Anchor {
	case "end":
		left -= width
	case "middle":
		left -= width / 2
	}
	return Box{left, y + s.DY - .8*height, left + width, y + s.DY + .2*height}
}

// Place finds a side for a label of that width and height at a point where it meets nothing that is taken, and stays
// within. The lengths of a Side are times scale.
func Place(x, y, width, height, scale float64, taken []Box, within Box) (Side, Box, bool) {
	for _, s := range sides {
		s.DX, s.DY = s.DX*scale, s.DY*scale
		box := s.box(x, y, width, height)
		free := box.within(within)
		for _, t := range taken {
			free = free && !box.meets(t)
		}
		if free {
			return s, box, true
		}
	}
	return Side{}, Box{}, false
}

// A spot is a point that may have a label.
type spot struct {
	share, y float64
	low, top float64 // of its whisker, where that is upright
	text     string
	side     *Side // once it is placed
}

const (
	labelHeight = 12
	mostSpots   = 400 // points; of more, labels would only be noise
)

func (s spot) width() float64 { return labelRune * float64(len([]rune(s.text))) }

// labels writes the points' labels where there is room: on a telephone as many as go without meeting each other or a marker,
// the rest only in a wide drawing. What finds no room is in the table.
func (d *drawing) labels() {
	spots := d.spots()
	if len(spots) > mostSpots {
		return
	}
	for _, pass := range []struct {
		plot  float64
		class string
	}{{narrowPlot, "label"}, {widePlot, "label wide"}} {
		plot := pass.plot * (d.across.To - d.across.From) / 100
		within := Box{-8, d.top - 10, plot + 10, d.foot}
		var taken []Box
		for _, s := range spots {
			x := s.share * plot
			taken = append(taken, Box{x - markReach, s.top - markReach, x + markReach, s.low + markReach})
			if s.side != nil {
				taken = append(taken, s.side.box(x, s.y, s.width(), labelHeight))
			}
		}
		for i := range spots {
			s := &spots[i]
			if s.text == "" || s.side != nil {
				continue
			}
			if side, box, ok := Place(s.share*plot, s.y, s.width(), labelHeight, 1, taken, within); ok {
				s.side, taken = &side, append(taken, box)
				chart.Beside(&d.b, pass.class, side.Anchor, d.across.At(s.share), side.DX, s.y+side.DY, s.text)
			}
		}
	}
}

// spots returns where the labels belong: at their points, and in a row at the end of its whisker.
func (d *drawing) spots() []spot {
	var out []spot
	for i, s := range d.Series {
		for k, p := range s.Points {
			lane := d.lanes[i][k]
			at := spot{share: d.x.Scale.At(p.X + lane.Offset), y: d.py(p.Y), text: p.Label}
			at.low, at.top = at.y, at.y
			if p.Span != nil {
				at.low, at.top = d.py(p.Span.Low), d.py(p.Span.High)
			}
			if d.Sideways() {
				at.share, at.y = d.x.Scale.At(p.X), d.lane(p, lane)
				at.low, at.top = at.y, at.y
				if p.Span != nil {
					at.share = d.x.Scale.At(p.Span.High)
				}
			}
			out = append(out, at)
		}
	}
	return out
}
