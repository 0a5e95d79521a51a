package figure

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"quantlab/core/report/chart/charttest"
)

var (
	nan, inf = math.NaN(), math.Inf(1)
)

// check fails on a drawing that is no XML, that has numbers which are none, styles of its own, places outside or no description, and
// returns its description.
func check(t *testing.T, svg string) string {
	t.Helper()
	label := charttest.Check(t, svg)
	drawn := svg[strings.Index(svg, ">"):] // a series may be named NaN
	if strings.Contains(drawn, `"NaN`) || strings.Contains(drawn, `Inf"`) {
		t.Fatal(svg)
	}
	return label
}

func near(a, b, slack float64) bool { return math.Abs(a-b) <= slack }

func latency() Figure {
	return Figure{
		ID: "latency", Title: "Latency, batch 1", Caption: "Mean and standard deviation.",
		X: Axis{Label: "Latency (µs)", Zero: true}, Y: Axis{Categories: []string{"mnist-lab1", "mnist-lab2"}},
		Series: []Series{
			{Name: "float32", Variant: "fp32", Kind: Bars, Points: []Point{
				{X: 40, Y: 0, Span: &Span{38, 42}, Samples: []float64{38, 40, 42}}, {X: 100, Y: 1}}},
			{Name: "static int8", Variant: "static-qint8", Kind: Bars, Points: []Point{{X: 20, Y: 0}, {X: 50, Y: 1, Label: "2.0×"}}},
		},
	}
}

// Bars are as long as their numbers, those of a category lie beside each other, and whiskers lie where their ends are.
func TestBarsAreProportional(t *testing.T) {
	svg := latency().SVG()
	want := "Latency, batch 1; float32, mnist-lab1: 40, 38 to 42; float32, mnist-lab2: 100; static int8, mnist-lab1: 20; static int8, 2.0×, mnist-lab2: 50"
	if label := check(t, svg); label != want {
		t.Errorf("described as %q", label)
	}
	wide, y := charttest.Attributes(t, svg, "bar", "width"), charttest.Attributes(t, svg, "bar", "y")
	if len(wide) != 4 || !near(wide[1], 100*(1-.3), .01) || !near(wide[0], .4*wide[1], .01) || !near(wide[2], .2*wide[1], .01) {
		t.Fatalf("bars are %v wide", wide)
	}
	if !near(y[2]-y[0], laneHeight, .01) || !near(y[3]-y[1], laneHeight, .01) || y[1] <= y[2] {
		t.Errorf("bars lie at %v", y)
	}
	from, to := charttest.Attributes(t, svg, "whisker", "x1"), charttest.Attributes(t, svg, "whisker", "x2")
	if !near(from[0], 30+.7*38, .01) || !near(to[0], 30+.7*42, .01) {
		t.Errorf("whisker from %v to %v", from[0], to[0])
	}
	if dots := charttest.Attributes(t, svg, "sample", "cx"); len(dots) != 3 || !near(dots[2], 30+.7*42, .01) {
		t.Errorf("samples at %v", dots)
	}
}

// Of upright bars the height counts, and negative ones hang from zero.
func TestUprightBars(t *testing.T) {
	f := Figure{Title: "Loss of accuracy", X: Axis{Categories: []string{"a", "b"}}, Y: Axis{Label: "points"},
		Series: []Series{{Kind: Bars, Points: []Point{{X: 0, Y: 2}, {X: 1, Y: -1}}}}}
	svg := f.SVG()
	check(t, svg)
	y, high := charttest.Attributes(t, svg, "bar", "y"), charttest.Attributes(t, svg, "bar", "height")
	if !near(high[0], 2*high[1], .2) || !near(y[0]+high[0], y[1], .2) {
		t.Errorf("bars at %v, %v high", y, high)
	}
}

// A line's path and a step's path go through the points, on a logarithmic axis too.
func TestLines(t *testing.T) {
	points := []Point{{X: 1, Y: 0}, {X: 10, Y: 5}, {X: 100, Y: 10}}
	f := Figure{Title: "Curve", X: Axis{Log: true}, Series: []Series{{Name: "a", Kind: Line, Points: points}, {Name: "b", Kind: Steps, Points: points}}}
	svg := f.SVG()
	check(t, svg)
	for _, want := range []string{`d="M0 258L500 142L1000 26"`, `d="M0 258H500V142H1000V26"`, `again-0`, `again-1`} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in %s", want, svg)
		}
	}
}

func TestRulers(t *testing.T) {
	for _, c := range []struct {
		axis   Axis
		values []float64
		lo, hi float64
		ticks  string
	}{
		{Axis{}, []float64{3, 97}, 0, 100, "0 20 40 60 80 100"},
		{Axis{Zero: true}, []float64{40, 97}, 0, 100, "0 20 40 60 80 100"},
		{Axis{Percent: true}, []float64{.961, .979}, .96, .98, "96.0% 96.5% 97.0% 97.5% 98.0%"},
		{Axis{Percent: true}, []float64{.97, .97}, .96, .98, "96.0% 96.5% 97.0% 97.5% 98.0%"},
		{Axis{Percent: true}, []float64{.5, 1}, .4, 1, "40% 60% 80% 100%"},
		{Axis{Log: true}, []float64{3, 40}, 2, 50, "2 5 10 20 50"},
		{Axis{Log: true}, []float64{.2, 40000}, .2, 50000, "1 10 100 1000 10,000"},
		{Axis{Log: true}, []float64{7, 7}, 5, 10, "5 10"},
		{Axis{Log: true}, []float64{5, 5}, 2.5, 10, "5 10"},
		{Axis{Log: true}, []float64{0, -3}, -3, 0, "−3 −2 −1 0"},
		{Axis{}, []float64{0, 0}, 0, 1, "0 0.2 0.4 0.6 0.8 1.0"},
		{Axis{}, nil, 0, 1, "0 0.2 0.4 0.6 0.8 1.0"},
		{Axis{Categories: []string{"a", "b"}}, []float64{0, 1}, -.5, 1.5, "a b"},
	} {
		f := Figure{X: c.axis, Series: []Series{{Kind: Points}}}
		for _, v := range c.values {
			f.Series[0].Points = append(f.Series[0].Points, Point{X: v})
		}
		x, _ := f.Drawable().Rulers(5, 5)
		var ticks []string
		for _, tick := range x.Ticks {
			ticks = append(ticks, tick.Label)
		}
		if got := strings.Join(ticks, " "); !near(x.Lo, c.lo, 1e-9) || !near(x.Hi, c.hi, 1e-9) || got != c.ticks {
			t.Errorf("%+v of %v: from %v to %v, ticks %q", c.axis, c.values, x.Lo, x.Hi, got)
		}
	}
}

func TestTable(t *testing.T) {
	table := latency().Table()
	var titles []string
	for _, c := range table.Columns {
		titles = append(titles, c.Title)
	}
	if got := strings.Join(titles, "|"); got != "Series|Point|Category|Latency (µs)|Interval|Single measurements" {
		t.Errorf("columns %s", got)
	}
	if got := strings.Join(table.Rows[0], "|"); got != "float32||mnist-lab1|40|38 to 42|38; 40; 42" {
		t.Errorf("row %s", got)
	}
	odd := Figure{X: Axis{Percent: true}, Series: []Series{{Points: []Point{{X: -.5, Y: nan}, {X: .97061, Y: inf}}}}}.Table()
	if got := strings.Join(odd.Rows[0], "|") + " " + strings.Join(odd.Rows[1], "|"); got != "−50.00%|– 97.06%|–" {
		t.Errorf("rows %s", got)
	}
}

// Labels stay apart from each other and from markers, and what has no room is not written.
func TestLabels(t *testing.T) {
	f := Figure{Title: "Front", Series: []Series{{Kind: Points}}}
	for i := range 60 {
		f.Series[0].Points = append(f.Series[0].Points, Point{X: float64(i % 8), Y: float64(i * i % 31), Label: "plan " + strconv.Itoa(i)})
	}
	svg := f.SVG()
	check(t, svg)
	narrow, wide := strings.Count(svg, `class="label"`), strings.Count(svg, `class="label wide"`)
	if narrow < 8 || wide < 8 {
		t.Errorf("%d labels, and %d where there is room", narrow, wide)
	}
	for i := range f.Series[0].Points {
		f.Series[0].Points[i].X, f.Series[0].Points[i].Y = 1+float64(i%2), 1
	}
	if n := strings.Count(f.SVG(), `class="label`); n > 10 {
		t.Errorf("%d labels at two points", n)
	}
}

func TestPlace(t *testing.T) {
	within := Box{0, 0, 200, 100}
	taken := []Box{{94, 44, 106, 56}}
	for i := range sides {
		side, box, ok := Place(100, 50, 40, 12, 1, taken, within)
		if !ok {
			if i < 4 {
				t.Errorf("room for %d labels only", i)
			}
			break
		}
		for _, b := range taken {
			if box.meets(b) {
				t.Fatalf("%+v at %+v meets %+v", box, side, b)
			}
		}
		if !box.within(within) {
			t.Fatalf("%+v is not within", box)
		}
		taken = append(taken, box)
	}
	if _, _, ok := Place(100, 50, 40, 12, 1, []Box{within}, within); ok {
		t.Error("room where all is taken")
	}
	if side, _, ok := Place(195, 50, 40, 12, 1, nil, within); !ok || side.Anchor != "end" {
		t.Errorf("at the edge: %+v", side)
	}
}

func TestBadFigures(t *testing.T) {
	many := make([]Point, 1000)
	for i := range many {
		many[i] = Point{X: float64(i), Y: math.Sin(float64(i)), Label: "p", Samples: []float64{0, 1}}
	}
	for name, points := range map[string][]Point{
		"none":      nil,
		"one":       {{X: 1, Y: 1, Label: "only"}},
		"NaN":       {{X: nan, Y: 1}, {X: 0, Y: nan}, {X: 1, Y: inf, Span: &Span{nan, 2}, Samples: []float64{nan, -inf}}},
		"zeros":     {{}, {}},
		"extremes":  {{X: -math.MaxFloat64, Y: math.MaxFloat64}, {X: math.MaxFloat64, Y: -math.MaxFloat64}, {X: 1e300, Y: -1e300}, {X: -1e300, Y: 1e300}},
		"tiny":      {{X: 5e-324, Y: 1e-323}, {X: 1e-300, Y: 2e-300}},
		"same":      {{X: 7, Y: 7}, {X: 7, Y: 7}},
		"near":      {{X: 1, Y: 1}, {X: math.Nextafter(1, 2), Y: math.Nextafter(1, 2)}},
		"huge":      {{X: 1e17, Y: 1e17}, {X: 1e17 + 64, Y: 1e17 + 64}},
		"negative":  {{X: -1, Y: -5, Span: &Span{3, -3}}},
		"no labels": {{X: 1, Y: 1, Label: "\x00<b>\xff"}},
		"many":      many,
	} {
		for _, kind := range []string{Points, Line, Steps, Bars, "unheard of"} {
			for _, x := range []Axis{{}, {Log: true}, {Percent: true}, {Zero: true}, {Categories: []string{"a", "<b>", "a name that is too long for its place"}}} {
				for _, y := range []Axis{{}, {Log: true, Percent: true}, {Zero: true, Label: "<i>"}, {Categories: []string{"", "y"}}} {
					f := Figure{ID: `"`, Title: name, X: x, Y: y, Series: []Series{{Name: "<&>", Kind: kind, Points: points}, {Variant: "fp32", Kind: kind, Points: points}, {}}}
					check(t, f.SVG())
					if name == "many" {
						continue // the same, at length
					}
					if html := f.HTML(1); strings.Contains(html, "<b>") || strings.Contains(html, "<&>") {
						t.Fatal("markup gets through")
					}
				}
			}
		}
	}
	check(t, Figure{}.SVG())
}

func TestKey(t *testing.T) {
	if key := latency().Key(); strings.Count(key, "<li>") != 2 || !strings.Contains(key, "v-static-qint8") {
		t.Error(key)
	}
	one := Figure{Series: []Series{{Name: "a", Kind: Line}, {Name: "a", Kind: Points}}}
	if key := one.Key(); key != "" {
		t.Error(key)
	}
}
