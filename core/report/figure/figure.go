// Package figure describes a report's figures as plain data, and draws them as SVG. Whoever draws them otherwise, on paper say,
// reads the same data, and asks Drawable, Rulers and Lanes where things lie. It links nothing heavy, so that the page can use it
// too.
package figure

// A Figure is one plot.
type Figure struct {
	ID, Title, Caption string // Caption says what is drawn and how to read it
	X, Y               Axis
	Series             []Series
}

// An Axis is a figure's horizontal or vertical one.
type Axis struct {
	Label      string   // with the unit: "Latency (µs)"
	Log        bool     // logarithmic; only where all values are above 0
	Zero       bool     // begins at 0
	Categories []string // names for 0, 1, 2, …, of a vertical axis from the top; none: numbers
	Percent    bool     // numbers are shares, written as percent
}

// The kinds of Series.
const (
	Points = "points" // markers
	Line   = "line"   // a line through the points, in their order
	Steps  = "steps"  // a line that keeps each value until the next point
	Bars   = "bars"   // from 0 along the numbers' axis, a bar for each point's category
)

// A Series is what has one name, colour and marker.
type Series struct {
	Name    string
	Variant string // whose colour and marker it has: see chart.Shape; "" is a neutral one
	Kind    string
	Points  []Point
}

// A Point is at X, Y. On an axis with categories the coordinate is the number of one; several series' bars of one category
// lie beside each other.
type Point struct {
	X, Y    float64
	Span    *Span     // an interval along the numbers' axis: X's where Y has categories, Y's else
	Samples []float64 // single measurements along it, drawn as dots
	Label   string    // written at the point; "" nothing
	Name    string    // what it is, for the table and a tip: "mnist-lab1, batch 64"; "" where its coordinates say it all
}

// A Span is an interval that is drawn as a whisker.
type Span struct{ Low, High float64 }
