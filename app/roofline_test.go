package app

import (
	"encoding/xml"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/roofline"
)

func roofPeaks() *wire.Peaks {
	return &wire.Peaks{
		Engine: "simd128", Threads: 1, Float32: 20, Float16: 12, Int8: 45,
		Read: []wire.Bandwidth{{Bytes: 16 << 10, GBs: 90}, {Bytes: 64 << 20, GBs: 25}},
	}
}

// roofState holds every cell of the lab, measured in the browser.
func roofState() *State {
	s := quickState()
	for _, model := range nn.IDs() {
		for i, v := range wire.VariantIDs() {
			s.upsert(wire.Browser, wire.Row{
				Model: model, Variant: v, Engine: "simd128", Threads: 1, Input: wire.Dense,
				LatencyUS: map[string]wire.Latency{"1": {Samples: []float64{900 / float64(i+1)}}, "64": {Samples: []float64{50000}}},
			})
		}
	}
	return &s
}

// The limits come with the end of a run; before that there is no roofline.
func TestRooflineAppearsWithLimits(t *testing.T) {
	s := roofState()
	if got := s.roofs(); got != nil {
		t.Fatalf("a roofline without limits: %+v", got)
	}
	if html := goapp.HTMLString((&roof{}).Render()); strings.Contains(html, "Roofline") {
		t.Errorf("a section without a roofline: %s", html)
	}
	s.merge(wire.Browser, &wire.Result{Peaks: roofPeaks()})
	views := s.roofs()
	if len(views) != 1 || views[0].Host != wire.Browser || len(views[0].Groups) != len(nn.IDs()) {
		t.Fatalf("%+v", views)
	}
	for _, g := range views[0].Groups {
		if len(g.Cells) != 8 {
			t.Errorf("%s has %d cells", g.Model, len(g.Cells))
		}
		for _, c := range g.Cells {
			if !strings.HasPrefix(c.Sentence, "Bound by ") || !strings.HasSuffix(c.Sentence, ".") || !strings.HasSuffix(c.Share, "%") {
				t.Errorf("%+v", c)
			}
		}
	}
	if exported := s.exported(); len(exported) != 1 || exported[0].Peaks == nil {
		t.Errorf("what is copied lacks the limits: %+v", exported)
	}
	s.merge(wire.Browser, &wire.Result{Peaks: &wire.Peaks{Engine: "portable", Threads: 1, Float32: 1, Float16: 1, Int8: 1, Read: roofPeaks().Read}})
	if got := s.roofs(); got != nil {
		t.Errorf("rows of one engine stand under the limits of another: %+v", got)
	}
}

func TestShareText(t *testing.T) {
	for share, want := range map[float64]string{0.449: "45%", 1: "100%", 1.004: "100%", 1.02: "about 100%", 1.19: "over 100%"} {
		if got := shareText(share); got != want {
			t.Errorf("%v: %s, want %s", share, got, want)
		}
	}
}

func TestRooflineMarkup(t *testing.T) {
	s := roofState()
	s.merge(wire.Browser, &wire.Result{Peaks: roofPeaks()})
	html := goapp.HTMLString((&roof{View: s.roofs()}).Render())
	for _, want := range []string{
		`aria-labelledby="roofline"`, `id="roof-browser-mnist-lab1"`, `data-variant="static-qint8"`, `<caption class="unseen">What bounds every pass of mnist-lab1 in this browser`,
		`role="img" aria-label="mnist-lab2, dynamic int8, batch 64: `, "of the bound: memory",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s", want)
		}
	}
	if m := inline.FindString(html); m != "" {
		t.Errorf("inline: %q", m)
	}
	if n := strings.Count(html, `tabindex="0"`); n != 2*32 { // of the wide and the narrow drawing, of which one is shown
		t.Errorf("%d points", n)
	}
}

var coordinates = regexp.MustCompile(`\s(x|y|x1|x2|y1|y2)="(-?[0-9.]+)"`)

// checkRoof fails on anything that is no XML or leaves the drawing.
func checkRoof(t *testing.T, svg string, size roofSize) {
	t.Helper()
	if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
		t.Fatalf("%v in %s", err, svg)
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") || strings.Contains(svg, "style=") {
		t.Fatal(svg)
	}
	for _, m := range coordinates.FindAllStringSubmatch(svg, -1) {
		limit := size.width
		if strings.HasPrefix(m[1], "y") {
			limit = size.height
		}
		if v, err := strconv.ParseFloat(m[2], 64); err != nil || v < 0 || v > limit {
			t.Fatalf("%s leaves the drawing: %s", m[0], svg)
		}
	}
}

// A faster cell is drawn higher, and its bound above it.
func TestRooflineGeometry(t *testing.T) {
	s := roofState()
	cells := roofline.Cells(s.Results.Rows, nn.CatalogOf(nil), roofPeaks())
	for _, size := range []roofSize{wideRoof, narrowRoof} {
		checkRoof(t, roofSVG(nn.IDs(), cells, roofPeaks(), size), size)
		d := &roofPlot{roofSize: size}
		d.fit(cells, roofPeaks())
		for _, c := range cells {
			if c.Share <= 1 && d.y(c.MultiplyAdds/c.BoundUS/1e3) > d.y(c.GMACs) {
				t.Errorf("the bound of %+v lies below it", c)
			}
			if x := d.column(c); x < d.left || x > size.width-d.right {
				t.Errorf("%+v lies at %v", c, x)
			}
		}
		if d.y(2) <= d.y(4) || d.x(2) >= d.x(4) || math.Abs((d.x(4)-d.x(2))-(d.x(8)-d.x(4))) > 1e-9 {
			t.Error("the axes are not logarithmic")
		}
	}
}

func FuzzRoofline(f *testing.F) {
	f.Add(100.0, 20.0, 45.0, 90.0)
	f.Add(1e-9, 1e300, 5e-324, 1e-300)
	f.Add(math.MaxFloat64, math.NaN(), math.Inf(1), 0.0)
	f.Fuzz(func(t *testing.T, us, f32, i8, gbs float64) {
		p := &wire.Peaks{Float32: f32, Float16: f32, Int8: i8, Read: []wire.Bandwidth{{Bytes: 1, GBs: gbs}}}
		rows := []wire.Row{{Model: "mnist-lab1", Variant: "fp32", LatencyUS: map[string]wire.Latency{"1": {Samples: []float64{us}}}}}
		cells := roofline.Cells(rows, nn.CatalogOf(nil), p)
		if len(cells) > 0 {
			roofGroups(nn.IDs(), cells)
			roofText(p, cells)
			checkRoof(t, roofSVG(nn.IDs(), cells, p, narrowRoof), narrowRoof)
		}
	})
}
