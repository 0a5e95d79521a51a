package chart

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"image/png"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/report/chart/charttest"
)

var (
	nan, inf = math.NaN(), math.Inf(1)
	digits   = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
)

// check fails on a drawing that is no XML, that has numbers which are none, styles of its own, places outside or no description, and
// returns its description.
func check(t *testing.T, svg string) string {
	t.Helper()
	label := charttest.Check(t, svg)
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Fatal(svg)
	}
	return label
}

func near(a, b, slack float64) bool { return math.Abs(a-b) <= slack }

func TestClassBarsAreProportional(t *testing.T) {
	p := []float64{.5, .25, .125, 0, 0, 0, 0, .125, 0, 0}
	svg := Classes(digits, p, 0)
	if label := check(t, svg); label != "Probabilities: 0 50.0%, 1 25.0%, 2 12.5%, 7 12.5%, the others below 0.1% each" {
		t.Error(label)
	}
	x, tops := charttest.Attributes(t, svg, "bar", "x1"), charttest.Attributes(t, svg, "bar", "y2")
	if len(x) != 10 || len(tops) != 10 {
		t.Fatalf("%d bars", len(x))
	}
	for i := range p {
		if want := classesFoot - (classesFoot-classesTop)*p[i]; !near(tops[i], want, .06) {
			t.Errorf("bar %d ends at %v, want %v", i, tops[i], want)
		}
		if want := 5 + 10*float64(i); x[i] != want {
			t.Errorf("bar %d is at %v%%, want %v%%", i, x[i], want)
		}
	}
	if strings.Count(svg, `class answer`) != 1 || len(written.FindAllString(svg, -1)) != 4 {
		t.Error(svg)
	}
}

// written finds the numbers over bars.
var written = regexp.MustCompile(`class="short">[0-9]+%?<`)

func TestClassesOfBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		labels []string
		p      []float64
		answer int
		want   string
	}{
		"nothing":     {nil, nil, 0, "No answer yet"},
		"no answer":   {digits, nil, 0, "No answer yet"},
		"two":         {[]string{"negative", "positive"}, []float64{.134, .866}, 1, "Probabilities: positive 86.6%, negative 13.4%"},
		"one is none": {[]string{"negative", "positive"}, []float64{0, 1}, 1, "Probabilities: positive 100.0%, negative below 0.1%"},
		"no numbers":  {[]string{"a", "b"}, []float64{nan, inf}, -1, "Probabilities: b 100.0%, a below 0.1%"},
		"all small":   {[]string{"a", "b"}, []float64{-1, nan}, 7, "Every class below 0.1%"},
		"too many":    {[]string{"a"}, []float64{.5, .5}, 0, "Probabilities: a 50.0%"},
		"markup":      {[]string{`"<b>&`, "\x00\xff"}, []float64{.9, .1}, 0, "Probabilities: \"<b>& 90.0%, \ufffd 10.0%"},
	} {
		if got := check(t, Classes(c.labels, c.p, c.answer)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func histogram(lo, hi float64, bins ...int) wire.Distribution {
	d := wire.Distribution{Lo: lo, Hi: hi, Bins: bins}
	for _, n := range bins {
		d.Count += n
	}
	return d
}

var outline = regexp.MustCompile(`[VH]([0-9.]+)`)

func TestHistogramIsProportional(t *testing.T) {
	d := histogram(-1, 1, 10, 40, 20, 0)
	svg := Histogram(HistogramView{Distribution: d, Of: "weights", Title: "weight"})
	if label := check(t, svg); label != "Histogram of the weights: 70 numbers from −1.00 to 1.00" {
		t.Error(label)
	}
	path := svg[strings.Index(svg, `class="bins"`):]
	var v []float64
	for _, m := range outline.FindAllStringSubmatch(path[:strings.Index(path, "Z")], -1) {
		x, _ := strconv.ParseFloat(m[1], 64)
		v = append(v, x)
	}
	if len(v) != 9 {
		t.Fatalf("outline %v", v)
	}
	for i, n := range d.Bins {
		if want := histogramFoot - (histogramFoot-histogramTop)*float64(n)/40; !near(v[2*i], want, .06) {
			t.Errorf("bin %d is as high as %v, want %v", i, v[2*i], want)
		}
		if i > 0 && !near(v[2*i+1]-v[2*i-1], v[3]-v[1], .15) {
			t.Errorf("bins are not equally wide: %v", v)
		}
	}
}

// A level lies where its number lies on the axis, the zero point at zero, and what is clipped is shaded.
func TestHistogramShowsTheGrid(t *testing.T) {
	d := histogram(-1, 2.85, 10, 40, 20, 1)
	d.Grid = &wire.Grid{Scale: .25, Zero: 4, Min: 0, Max: 15, Lo: -1, Hi: 2.75}
	svg := Histogram(HistogramView{Distribution: d, Of: "activations", Title: "activation", Log: true})
	check(t, svg)
	if strings.Contains(svg, `class="clip"`) {
		t.Error("numbers within half a step of the last level are shown as clipped")
	}
	x := widened(-1, 2.85)
	for q := 0; q <= 15; q++ {
		if want := "M" + Place(1000*x.At(.25*float64(q-4))) + " 1v5"; !strings.Contains(svg, want) {
			t.Errorf("level %d is not drawn at %s", q, want)
		}
	}
	if want := `<svg class="zero" x="` + Percent(x.At(0)) + `"`; !strings.Contains(svg, want) {
		t.Errorf("no %s", want)
	}

	d.Grid = &wire.Grid{Scale: .125, Zero: 8, Min: 0, Max: 15, Lo: -1, Hi: .875}
	d.Clipped = .25
	svg = Histogram(HistogramView{Distribution: d, Of: "activations"})
	if label := check(t, svg); !strings.HasSuffix(label, "a grid of 16 levels from −1.00 to 0.875, zero point 8, clips 25.00% of them") {
		t.Error(label)
	}
	from, wide := charttest.Attributes(t, svg, "clip", "x"), charttest.Attributes(t, svg, "clip", "width")
	if len(from) != 1 || !near(from[0], 100*x.At(.875+.0625), .01) || !near(wide[0], 100*(x.At(2.85)-x.At(.9375)), .01) {
		t.Errorf("shaded from %v, %v wide", from, wide)
	}
}

// Dense levels are thinned out, and the one of zero stays.
func TestDenseLevels(t *testing.T) {
	x := Linear{-1, 1}
	for _, c := range []struct {
		g    wire.Grid
		want int32
	}{
		{wire.Grid{Scale: 1. / 128, Min: -128, Max: 127, Lo: -1, Hi: 127. / 128}, 4},
		{wire.Grid{Scale: .25, Min: -4, Max: 4, Lo: -1, Hi: 1}, 1},
		{wire.Grid{Scale: 1e-9, Min: math.MinInt32, Max: math.MaxInt32, Lo: -1, Hi: 1}, 1 << 26},
	} {
		if got := levelsEvery(x, &c.g); got != c.want {
			t.Errorf("%+v: every %d, want %d", c.g, got, c.want)
		}
	}
	if got := levelsWords(&wire.Grid{Min: -128, Max: 127}, 4); got != "256 levels, every 4th drawn" {
		t.Error(got)
	}
}

func TestHistogramsOfBadInput(t *testing.T) {
	for name, d := range map[string]wire.Distribution{
		"nothing":       {},
		"zero counts":   histogram(0, 1, 0, 0),
		"negative":      histogram(0, 1, -5, 3),
		"one number":    histogram(2, 2, 9),
		"no range":      {Lo: nan, Hi: inf, Bins: []int{3}, Count: 3},
		"backwards":     histogram(2, 1, 9),
		"all numbers":   histogram(-math.MaxFloat64, math.MaxFloat64, 1, 2),
		"tiny":          histogram(5e-324, 1e-323, 1, 2),
		"large counts":  histogram(0, 1, math.MaxInt32, 1),
		"broken grid":   {Lo: 0, Hi: 1, Count: 1, Bins: []int{1}, Grid: &wire.Grid{Scale: nan, Max: 3, Hi: 1}},
		"distant grid":  {Lo: 0, Hi: 1, Count: 1, Bins: []int{1}, Grid: &wire.Grid{Scale: 1e300, Zero: math.MaxInt32, Min: -8, Max: 7, Lo: 1e305, Hi: 1e306}},
		"immense grid":  {Lo: 0, Hi: 1, Count: 1, Bins: []int{1}, Grid: &wire.Grid{Scale: 1e-9, Min: math.MinInt32, Max: math.MaxInt32, Lo: -2, Hi: 2}},
		"zero far away": {Lo: 5, Hi: 6, Count: 1, Bins: []int{1}, Grid: &wire.Grid{Scale: .1, Zero: -50, Min: 0, Max: 10, Lo: 5, Hi: 6}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, log := range []bool{false, true} {
				svg := Histogram(HistogramView{Distribution: d, Of: `"<b>`, Title: "<&>", Log: log})
				check(t, svg)
				if len(svg) > 20000 {
					t.Errorf("%d bytes", len(svg))
				}
			}
		})
	}
}

func TestDivergingIsProportional(t *testing.T) {
	v := DivergingView{Of: "contributions", Bar: "adds", Dot: "without", Before: "negative", After: "positive", Rows: []DivergingRow{
		{"good", 2, 1}, {"bad", -1, -2}, {"a word that is far too long", 0, 0},
	}}
	svg := Diverging(v)
	if label := check(t, svg); label != "Contributions, 3 rows; most towards positive: good +2.00; most towards negative: bad −1.00" {
		t.Error(label)
	}
	wide := append(charttest.Attributes(t, svg, "bar above", "width"), charttest.Attributes(t, svg, "bar below", "width")...)
	if len(wide) != 3 || !near(wide[0], 2*wide[2], .02) || wide[1] != 0 {
		t.Errorf("bars are %v wide", wide)
	}
	zero := divergingAxis(v).Point(0)
	left, dots := charttest.Attributes(t, svg, "bar below", "x"), charttest.Attributes(t, svg, "dot below", "cx")
	if !near(left[0]+wide[2], zero, .02) || !near(zero-dots[0], wide[0], .02) {
		t.Errorf("zero at %v, bar from %v, dot at %v", zero, left, dots)
	}
	if !strings.Contains(svg, ">a word that i…<") {
		t.Error("a long label is not cut")
	}
}

func TestDivergingOfBadInput(t *testing.T) {
	for name, rows := range map[string][]DivergingRow{
		"nothing":    nil,
		"zeros":      {{"a", 0, 0}},
		"no numbers": {{"a", nan, inf}, {"b", -inf, nan}},
		"extremes":   {{"a", math.MaxFloat64, -math.MaxFloat64}, {"b", 5e-324, 0}},
		"markup":     {{"<script>&\"\x01\xff", 1, -1}},
	} {
		for _, dot := range []string{"", "without"} {
			svg := Diverging(DivergingView{Of: name, Bar: "<b>", Dot: dot, Title: "<i>", Before: "<", After: ">", Rows: rows})
			check(t, svg)
			if dot == "" && strings.Contains(svg, "circle") {
				t.Errorf("%s: dots that nobody named", name)
			}
		}
	}
}

func TestIntervals(t *testing.T) {
	v := IntervalView{Of: "accuracy", Title: "accuracy, %", Rows: []IntervalRow{
		{"fp32", "float32", "97%", 97, 96, 98, false},
		{"custom", "your plan", "96%", 96, 94, 98, true},
		{"new", "<b>", "–", nan, nan, inf, false},
	}}
	svg := Intervals(v)
	if label := check(t, svg); label != "Accuracy: float32 97%, interval 96.0 to 98.0; your plan 96%, interval 94.0 to 98.0, of some examples only" {
		t.Error(label)
	}
	if strings.Count(svg, "estimate whole v-fp32") != 1 || strings.Count(svg, "estimate partial v-custom") != 1 || strings.Contains(svg, "v-other") {
		t.Error(svg)
	}
	from, to := charttest.Attributes(t, svg, "whisker", "x1"), charttest.Attributes(t, svg, "whisker", "x2")
	if len(from) != 6 || !near(2*(to[0]-from[0]), to[3]-from[3], .03) {
		t.Errorf("intervals from %v to %v", from, to)
	}
	if s := intervalAxis(v).Scale; s != (Linear{94, 98}) {
		t.Errorf("axis %v", s)
	}
	// Room that was asked for is kept while intervals shrink.
	v.Least = 10
	if s := intervalAxis(v).Scale.(Linear); s.Hi-s.Lo < 10 {
		t.Errorf("axis %v", s)
	}
	for _, rows := range [][]IntervalRow{nil, {{Value: nan}}, {{Value: 1, Lo: 1, Hi: 1}}, {{Value: 1e308, Lo: -1e308, Hi: inf}}} {
		check(t, Intervals(IntervalView{Of: "accuracy", Rows: rows}))
	}
}

// What Pixels writes is read back by the standard library's decoder.
func TestPixels(t *testing.T) {
	for _, diverging := range []bool{false, true} {
		gray := make([]byte, 28*28)
		for i := range gray {
			gray[i] = byte(i)
		}
		html := Pixels(28, gray, diverging, `a "ring"`)
		_, data, _ := strings.Cut(html, "base64,")
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(data, `">`))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range gray {
			r, g, b, _ := img.At(i%28, i/28).RGBA()
			switch {
			case !diverging && (byte(r>>8) != want || byte(b>>8) != want):
				t.Fatalf("pixel %d is %d, want %d", i, r>>8, want)
			case diverging && want < 120 && b <= r, diverging && want > 136 && r <= b, diverging && want == 128 && g>>8 < 250:
				t.Fatalf("%d is drawn as %d %d %d", want, r>>8, g>>8, b>>8)
			}
		}
		if !strings.Contains(html, `alt="a &#34;ring&#34;"`) {
			t.Error(html[:100])
		}
	}
	large := stored(make([]byte, 70000))
	if len(large) != 70000+2+2*5+4 || large[2] != 0 || large[2+5+65535] != 1 {
		t.Error("more than one block is not framed right")
	}
	for _, side := range []int{-1, 0, 257} {
		if got := Pixels(side, nil, false, "nothing"); got != `<span class="pixels" role="img" aria-label="nothing"></span>` {
			t.Error(got)
		}
	}
	Pixels(28, []byte{1, 2, 3}, true, "too few")
	Pixels(1, make([]byte, 100), true, "too many")
}

func TestTable(t *testing.T) {
	got := Table("A & B", []string{"", "adds"}, [][]string{{"<b>", "1", "too much"}, {"x"}})
	want := `<table class="chart-table"><caption>A &amp; B</caption>` +
		`<thead><tr><td></td><th scope="col">adds</th></tr></thead>` +
		`<tbody><tr><th scope="row">&lt;b&gt;</th><td>1</td></tr><tr><th scope="row">x</th><td></td></tr></tbody></table>`
	if got != want {
		t.Error(got)
	}
}

func TestMarkersDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, v := range append(wire.VariantIDs(), wire.Custom, "never heard of") {
		shape, class := Shape(v)
		if other, ok := seen[shape]; ok {
			t.Errorf("%s looks like %s", v, other)
		}
		seen[shape] = v
		if err := xml.Unmarshal([]byte(Marker(v)), new(struct{})); err != nil {
			t.Error(err)
		}
		if (class == v) == (v == "never heard of") {
			t.Errorf("%s has the class %s", v, class)
		}
	}
}
