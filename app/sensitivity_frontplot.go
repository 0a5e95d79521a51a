package app

import (
	"fmt"
	"html"
	"math"
	"strings"

	"quantlab/core/report"
	"quantlab/core/report/chart"
)

const frontTop, frontFoot = 32.0, 352.0

// A frontPlot draws plans: accuracy over size or time. A marker's size tells the measure that is not on an axis.
type frontPlot struct {
	x, y   chart.Axis
	choice sensChoice
	lo, hi float64 // of what the markers' sizes tell
	b      strings.Builder
}

// newFrontPlot fits axes to the points, of which there is at least one.
func newFrontPlot(points []frontPoint, c sensChoice) *frontPlot {
	d := &frontPlot{choice: c, lo: math.Inf(1)}
	x0, x1, y0, y1 := math.Inf(1), 0.0, math.Inf(1), 0.0
	best := 0.0
	for _, p := range points {
		best = max(best, p.Share)
	}
	for _, p := range points {
		x0, x1 = min(x0, p.across(c)), max(x1, p.across(c))
		if p.Share >= best-farBelow || p.Front {
			y0 = min(y0, 100*p.Share)
		}
		y1 = max(y1, 100*p.Share)
		if o := p.other(c); finite(o) {
			d.lo, d.hi = min(d.lo, o), max(d.hi, o)
		}
	}
	slack := max(.04*(y1-y0), .02)
	y := chart.Nice(y0-slack, y1+slack, 6)
	d.y = chart.Axis{Scale: y, Span: chart.Span{From: frontFoot, To: frontTop}, Ticks: y.Ticks(6), Title: "accuracy, %"}
	xs := chart.Linear{Lo: max(0, x0-.06*(x1-x0)), Hi: x1 + .06*(x1-x0)}
	title := "size, MB"
	if c.Across == timeAcross {
		title = fmt.Sprintf("time of batch %d, µs", c.Batch)
	}
	d.x = chart.Axis{Scale: xs, Span: chart.Across, Ticks: xs.Ticks(6), Title: title}
	return d
}

// farBelow is how much less accurate than the best a plan may be before it is drawn at the foot, lest it press all others together.
const farBelow = .1

// other is the measure that is not on an axis.
func (p frontPoint) other(c sensChoice) float64 {
	if c.Across == timeAcross {
		return float64(p.SizeBytes) / 1e6
	}
	return p.Time
}

// scale is how large a marker is: from 0.75 for the smallest of the other measure to 1.75 for the largest.
func (d *frontPlot) scale(p frontPoint) float64 {
	return .75 + chart.Linear{Lo: d.lo, Hi: d.hi}.At(p.other(d.choice))
}

func (d *frontPlot) at(p frontPoint) (x, y string) {
	return d.x.At(p.across(d.choice)), chart.Place(d.y.Point(100 * p.Share))
}

// frontSVG draws all plans as faint dots, the front as markers that a line joins, and the greedy search's path.
func frontSVG(points, greedy []frontPoint, c sensChoice, selected string) string {
	if len(points) == 0 {
		return ""
	}
	d := newFrontPlot(points, c)
	front := 0
	for _, p := range points {
		if p.Front {
			front++
		}
	}
	label := fmt.Sprintf("Accuracy over %s of %s; %s on the front. The table below has the same plans.", d.x.Title, plural(len(points), "plan"), report.Count(front))
	fmt.Fprintf(&d.b, `<svg class="chart front" width="100%%" height="%s" role="img" aria-label="%s">`, chart.Place(frontFoot+chart.AxisHeight), html.EscapeString(label))
	d.x.Horizontal(&d.b, frontTop, frontFoot)
	d.y.Vertical(&d.b, chart.Across)
	chart.Rect(&d.b, "ground", "0", chart.Place(frontTop), "100%", chart.Place(frontFoot-frontTop))
	d.dots(points)
	d.path("greedy", greedy)
	var edge []frontPoint
	for _, p := range points {
		if p.Edge {
			edge = append(edge, p)
		}
	}
	d.path("edge", edge)
	for _, p := range points {
		if p.Front {
			d.mark(p, selected)
		} else if p.Plan == selected {
			d.ring(p)
		}
	}
	d.b.WriteString(`</svg>`)
	return d.b.String()
}

// dots draws each place of a plan once.
func (d *frontPlot) dots(points []frontPoint) {
	seen := map[string]bool{}
	for _, p := range points {
		x, y := d.at(p)
		if !p.Front && !seen[x+y] {
			seen[x+y] = true
			fmt.Fprintf(&d.b, `<circle class="tried" cx="%s" cy="%s" r="2.5"></circle>`, x, y)
		}
	}
}

func (d *frontPlot) path(class string, points []frontPoint) {
	for i := 1; i < len(points); i++ {
		x1, y1 := d.at(points[i-1])
		x2, y2 := d.at(points[i])
		chart.Line(&d.b, class, x1, y1, x2, y2)
	}
}

func (d *frontPlot) mark(p frontPoint, selected string) {
	x, y := d.at(p)
	if p.Plan == selected {
		d.ring(p)
	}
	fmt.Fprintf(&d.b, `<circle class="mark" cx="%s" cy="%s" r="%s"><title>%s</title></circle>`, x, y, chart.Place(5*d.scale(p)), html.EscapeString(p.says()))
}

func (d *frontPlot) ring(p frontPoint) {
	x, y := d.at(p)
	fmt.Fprintf(&d.b, `<circle class="chosen" cx="%s" cy="%s" r="%s"></circle>`, x, y, chart.Place(5*d.scale(p)+4))
}

// nearest is the plan at a place of the drawing, in pixels from its left end and its top, if there is one within reach. Markers
// are taken before dots.
func (d *frontPlot) nearest(points []frontPoint, left, top, width float64) (frontPoint, bool) {
	const reach = 16
	best, found := frontPoint{}, false
	least := math.Inf(1)
	for _, p := range points {
		dx, dy := left-width*d.x.Point(p.across(d.choice))/100, top-d.y.Point(100*p.Share)
		distance := math.Hypot(dx, dy)
		if p.Front {
			distance -= 6
		}
		if distance < min(least, reach) {
			best, least, found = p, distance, true
		}
	}
	return best, found
}
