package app

import (
	"encoding/xml"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/report/chart"
)

var percents = regexp.MustCompile(`(x1|x2|cx|width)="(-?[0-9.]+)%"`)

// drawing reads an SVG's horizontal positions back; it fails on anything that is no XML or leaves the box.
func drawing(t *testing.T, svg string) map[string][]float64 {
	t.Helper()
	if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
		t.Fatalf("%v in %s", err, svg)
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") || strings.Contains(svg, "style=") {
		t.Fatal(svg)
	}
	got := map[string][]float64{}
	for _, m := range percents.FindAllStringSubmatch(svg, -1) {
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil || v < 0 || v > 100 {
			t.Fatalf("%s in %s", m[0], svg)
		}
		got[m[1]] = append(got[m[1]], v)
	}
	return got
}

func TestPlotGeometry(t *testing.T) {
	l := wire.Latency{Mean: 50, Std: 5, Samples: []float64{45, 50, 75}, Outliers: []int{2}}
	svg := plotSVG(l, 100, wire.Native)
	got := drawing(t, svg)
	// The svg itself is 100% wide; the bar ends at the mean.
	if w := got["width"]; len(w) != 2 || w[0] != 100 || w[1] != 50 {
		t.Errorf("widths %v", w)
	}
	if got["x1"][0] != 45 || got["x2"][0] != 55 {
		t.Errorf("whisker from %v to %v", got["x1"], got["x2"])
	}
	if cx := got["cx"]; len(cx) != 3 || cx[0] != 45 || cx[2] != 75 {
		t.Errorf("dots at %v", cx)
	}
	if strings.Count(svg, "dot far") != 1 || !strings.Contains(svg, "plot native") {
		t.Error(svg)
	}
	if !strings.Contains(svg, `aria-label="3 runs from 45 to 75 microseconds, 1 far outlier kept"`) {
		t.Error(svg)
	}
}

func TestScaleHoldsEverything(t *testing.T) {
	ls := []wire.Latency{{Mean: 10, Std: 1, Samples: []float64{9, 30}}, {Mean: 20, Std: 15}, {Mean: math.NaN(), Std: math.Inf(1)}}
	scale := plotScale(ls)
	if scale < 35 || scale > 37 {
		t.Errorf("scale %v", scale)
	}
	for _, l := range ls {
		drawing(t, plotSVG(l, scale, wire.Browser))
	}
	if plotScale(nil) != 0 {
		t.Error("a scale of nothing")
	}
}

func TestEveryVariantHasItsSigns(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range wire.Variants() {
		svg := markerSVG(v.ID)
		drawing(t, svg)
		if shape, class := chart.Shape(v.ID); class != v.ID || seen[shape] {
			t.Errorf("%s has no shape of its own", v.ID)
		} else {
			seen[shape] = true
		}
		if explanations[v.ID] == "" {
			t.Errorf("%s is not explained", v.ID)
		}
	}
	drawing(t, markerSVG("never heard of"))
}

func FuzzPlot(f *testing.F) {
	f.Add(50.0, 5.0, 45.0, 100.0)
	f.Add(math.NaN(), math.Inf(1), -1.0, 0.0)
	f.Add(math.MaxFloat64, math.MaxFloat64, 5e-324, math.MaxFloat64)
	f.Fuzz(func(t *testing.T, mean, std, sample, scale float64) {
		l := wire.Latency{Mean: mean, Std: std, Samples: []float64{sample, mean}}
		drawing(t, plotSVG(l, scale, wire.Browser))
		drawing(t, plotSVG(l, plotScale([]wire.Latency{l}), wire.Native))
	})
}
