package roofline

import (
	"encoding/json"
	"go/build"
	"math"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// machine is made up: 100 GB/s for everything up to 1 MB and 50 GB/s from 16 MB on.
func machine() *wire.Peaks {
	return &wire.Peaks{
		Engine: "abacus", Threads: 1, Float32: 100, Float16: 40, Int8: 400,
		Read: []wire.Bandwidth{{Bytes: 16 << 10, GBs: 100}, {Bytes: 1 << 20, GBs: 100}, {Bytes: 16 << 20, GBs: 50}},
	}
}

// row is one row of mnist-lab1 or of the model named.
func row(model, variant string, us map[string]float64) wire.Row {
	r := wire.Row{Model: model, Variant: variant, Host: wire.Native, Engine: "abacus", Threads: 1, Input: wire.Dense, LatencyUS: map[string]wire.Latency{}}
	for b, t := range us {
		r.LatencyUS[b] = wire.Latency{Samples: []float64{2 * t, t, 3 * t}}
	}
	return r
}

const weights = 784*512 + 512*10 // of mnist-lab1

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }

func TestBounds(t *testing.T) {
	p := machine()
	for _, c := range []struct {
		name, variant string
		batch         string
		us            float64 // of the bound
		bound         string
	}{
		// The weights and the input fill 1.63 MB, where 16 times more bytes halve the bandwidth.
		{"float32 reads", "fp32", "1", (4*weights + 4*784) / (100 - 50*math.Log((4*weights+4*784.0)/(1<<20))/math.Log(16)) / 1e3, Memory},
		{"float32 multiplies", "fp32", "64", 64 * weights / 100.0 / 1e3, Arithmetic},
		{"float16 widens each weight", "dynamic-float16", "1", weights / 40.0 / 1e3, Arithmetic},
		{"float16 multiplies in float32", "dynamic-float16", "64", 64 * weights / 100.0 / 1e3, Arithmetic},
		{"int8 reads a quarter", "static-qint8", "1", (weights + 4*784) / 100.0 / 1e3, Memory},
		{"int8 multiplies four times as fast", "static-qint8", "64", 64 * weights / 400.0 / 1e3, Arithmetic},
		// The range of the input is found before anything else: that reads it once more.
		{"dynamic int8 reads the input twice", "dynamic-qint8", "1", (weights + 2*4*784) / 100.0 / 1e3, Memory},
		{"dynamic int8 at a batch", "dynamic-qint8", "64", 64*4*784/100.0/1e3 + 64*weights/400.0/1e3, Arithmetic},
	} {
		cells := Cells([]wire.Row{row("mnist-lab1", c.variant, map[string]float64{c.batch: 2 * c.us})}, nn.CatalogOf(nil), p)
		if len(cells) != 1 {
			t.Fatalf("%s: %d cells", c.name, len(cells))
		}
		got := cells[0]
		if c.us < overheadUS { // the other half of so short a time is overhead, but for a hair
			cells = Cells([]wire.Row{row("mnist-lab1", c.variant, map[string]float64{c.batch: 1.9 * c.us})}, nn.CatalogOf(nil), p)
			got.Bound = cells[0].Bound
		}
		if !near(got.BoundUS, c.us) || got.Bound != c.bound || !near(got.Share, 0.5) || !near(got.TimeUS, 2*c.us) {
			t.Errorf("%s: bound %v µs by %s, want %v by %s; share %v", c.name, got.BoundUS, got.Bound, c.us, c.bound, got.Share)
		}
	}
}

// A sparse first layer reads and multiplies what is there.
func TestSparseBound(t *testing.T) {
	r := row("sst2-lab1", "fp32", map[string]float64{"1": 2})
	r.Input = wire.Sparse
	l := r.LatencyUS["1"]
	l.NonZeros, l.Columns = 20, 15
	r.LatencyUS["1"] = l
	got := Cells([]wire.Row{r}, nn.CatalogOf(nil), machine())[0]
	const macs, read = 20*512 + 512*2, 15*512 + 512*2
	if !near(got.MultiplyAdds, macs) || !near(got.WeightBytes, 4*read) || !near(got.BoundUS, 4*read/100.0/1e3) || got.Bound != Overhead {
		t.Errorf("%+v", got)
	}
}

func TestCellsInOrder(t *testing.T) {
	rows := []wire.Row{
		row("sst2-lab2", "fp32", map[string]float64{"1": 100}),
		row("mnist-lab1", "static-qint8", map[string]float64{"64": 200, "1": 10}),
		row("mnist-lab1", "fp32", map[string]float64{"1": 40, "64": 400}),
		row("mnist-lab1", "amp", map[string]float64{"1": 40}),  // unknown here
		row("another", "fp32", map[string]float64{"1": 40}),    // likewise
		row("mnist-lab2", "fp32", map[string]float64{"x": 40}), // no batch
		row("mnist-lab2", "fp32", map[string]float64{"1": 0}),  // not measured
		{Model: "mnist-lab2", Variant: "fp32", Engine: "fingers", Threads: 1, LatencyUS: map[string]wire.Latency{"1": {Samples: []float64{1}}}},
		{Model: "mnist-lab2", Variant: "fp32", Engine: "abacus", Threads: 2, LatencyUS: map[string]wire.Latency{"1": {Samples: []float64{1}}}},
	}
	cells := Cells(rows, nn.CatalogOf(nil), machine())
	var got []string
	for _, c := range cells {
		got = append(got, c.Model+" "+c.Variant+" "+string(rune('0'+c.Batch%10)))
		if c.Variant == wire.Baseline && (c.Predicted != 0 || c.Measured != 0) {
			t.Errorf("the baseline is compared with itself: %+v", c)
		}
	}
	want := "mnist-lab1 fp32 1, mnist-lab1 fp32 4, mnist-lab1 static-qint8 1, mnist-lab1 static-qint8 4, sst2-lab2 fp32 1"
	if strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
	if c := cells[2]; !near(c.Measured, 4) || !near(c.Predicted, cells[0].BoundUS/c.BoundUS) {
		t.Errorf("predicted %v, measured %v", c.Predicted, c.Measured)
	}
	useless := machine()
	useless.Float32, useless.Int8, useless.Read = 0, 0, []wire.Bandwidth{{Bytes: 1}}
	if c := Cells(rows, nn.CatalogOf(nil), useless); c != nil {
		t.Errorf("limits of zero give cells %+v", c)
	}
	if Cells(rows, nn.CatalogOf(nil), nil) != nil || Cells(rows, nn.CatalogOf(nil), &wire.Peaks{Engine: "abacus", Threads: 1}) != nil {
		t.Error("cells without limits")
	}
}

func TestFastestBurstBeforeRuns(t *testing.T) {
	r := row("mnist-lab1", "fp32", map[string]float64{"1": 40})
	l := r.LatencyUS["1"]
	l.Fastest = 30
	r.LatencyUS["1"] = l
	if c := Cells([]wire.Row{r}, nn.CatalogOf(nil), machine())[0]; c.TimeUS != 30 {
		t.Errorf("time %v", c.TimeUS)
	}
}

// In WebAssembly it is no fault of the kernel's that halves gain little at batch 1.
func TestHalvesInWebAssembly(t *testing.T) {
	const reason = "as fast as float32, though the limits allow 2.2× faster; WebAssembly has no instruction that widens a half"
	for engine, want := range map[string]bool{"simd128": true, "relaxed": true, "abacus": false} {
		p := machine()
		p.Engine, p.Float16 = engine, 100
		var rows []wire.Row
		for _, v := range []string{"fp32", "dynamic-float16"} {
			r := row("mnist-lab1", v, map[string]float64{"1": 19})
			r.Engine = engine
			rows = append(rows, r)
		}
		if got := Cells(rows, nn.CatalogOf(nil), p)[1].Sentence; strings.Contains(got, reason) != want {
			t.Errorf("%s: %s", engine, got)
		}
	}
}

func TestSentences(t *testing.T) {
	rows := func(base, other float64, variant, batch string) []wire.Row {
		return []wire.Row{
			row("mnist-lab1", "fp32", map[string]float64{batch: base}),
			row("mnist-lab1", variant, map[string]float64{batch: other}),
		}
	}
	for _, c := range []struct {
		name string
		rows []wire.Row
		want [2]string
	}{
		{"near the limits", rows(18.6, 4.5, "static-qint8", "1"), [2]string{
			"bound by memory: 1.6 MB of weights at 87 of 92 GB/s; int8 is 4× smaller, so up to 4.3× faster",
			"bound by memory: 0.41 MB of weights at 90 of 99 GB/s; 4.1× faster than float32, of 4.3× that the limits allow",
		}},
		{"a batch", rows(280, 80, "static-qint8", "64"), [2]string{
			"bound by arithmetic: 26 million multiply-adds at 93 of 100 billion a second; int8 does 4.0× as many a second, so up to 4.0× faster",
			"bound by arithmetic: 26 million multiply-adds at 325 of 400 billion a second; 3.5× faster than float32, of 4.0× that the limits allow",
		}},
		{"a poorer batch", rows(280, 90, "static-qint8", "64"), [2]string{
			"bound by arithmetic: 26 million multiply-adds at 93 of 100 billion a second; int8 does 4.0× as many a second, so up to 4.0× faster",
			"bound by arithmetic: 26 million multiply-adds at 289 of 400 billion a second; 3.1× faster than float32, not the 4.0× that the limits allow, because float32 reaches 93% of its limit and this 72%",
		}},
		{"float16 at a batch", rows(280, 300, "dynamic-float16", "64"), [2]string{
			"bound by arithmetic: 26 million multiply-adds at 93 of 100 billion a second; int8 does 4.0× as many a second, so up to 4.0× faster",
			"bound by arithmetic: 26 million multiply-adds at 87 of 100 billion a second; float16 is multiplied in float32, so it can't be faster: 0.9× float32's speed",
		}},
		{"a slow int8", rows(280, 560, "static-qint8", "64"), [2]string{
			"bound by arithmetic: 26 million multiply-adds at 93 of 100 billion a second; int8 does 4.0× as many a second, so up to 4.0× faster",
			"bound by arithmetic: 26 million multiply-adds at 46 of 400 billion a second, only 12% of what the machine allows; 2.0× slower than float32, though the limits allow 4.0× faster, because float32 reaches 93% of its limit and this 12%",
		}},
		{"a slow float32", rows(560, 280, "dynamic-float16", "64"), [2]string{
			"bound by arithmetic: 26 million multiply-adds at 46 of 100 billion a second, only 46% of what the machine allows; int8 does 4.0× as many a second, so up to 4.0× faster",
			"bound by arithmetic: 26 million multiply-adds at 93 of 100 billion a second; 2.0× float32's speed, where the limits allow 1.0×, because float32 reaches 46% of its limit",
		}},
		{"all of it", rows(18.6, 4.35, "static-qint8", "1"), [2]string{
			"bound by memory: 1.6 MB of weights at 87 of 92 GB/s; int8 is 4× smaller, so up to 4.3× faster",
			"bound by memory: 0.41 MB of weights at 93 of 99 GB/s; 4.3× faster than float32, all that the limits allow",
		}},
		{"a little above the limit", rows(17.4, 4, "static-qint8", "1"), [2]string{
			"bound by memory: 1.6 MB of weights at 93 GB/s, above the measured limit of 92; int8 is 4× smaller, so up to 4.3× faster",
			"bound by memory: 0.41 MB of weights at 102 GB/s, above the measured limit of 99; 4.3× faster than float32, all that the limits allow",
		}},
		{"limits measured too low", rows(130, 50, "static-qint8", "64"), [2]string{
			"bound by arithmetic: 26 million multiply-adds at 200 billion a second, above the measured limit of 100",
			"bound by arithmetic: 26 million multiply-adds at 520 billion a second, above the measured limit of 400; 2.6× faster than float32",
		}},
		{"no faster", rows(280, 275, "static-qint8", "64"), [2]string{
			"bound by arithmetic: 26 million multiply-adds at 93 of 100 billion a second; int8 does 4.0× as many a second, so up to 4.0× faster",
			"bound by arithmetic: 26 million multiply-adds at 95 of 400 billion a second, only 24% of what the machine allows; as fast as float32, though the limits allow 4.0× faster, because float32 reaches 93% of its limit and this 24%",
		}},
		{"overhead", rows(18.6, 12, "static-qint8", "1"), [2]string{
			"bound by memory: 1.6 MB of weights at 87 of 92 GB/s; int8 is 4× smaller, so up to 4.3× faster",
			"bound by overhead: of 12 µs only 4.1 are the least that its products take, the rest are calls and passes over activations; 1.6× faster than float32, not the 4.3× that the limits allow, because float32 reaches 95% of its limit and this 34%",
		}},
	} {
		cells := Cells(c.rows, nn.CatalogOf(nil), machine())
		for i, want := range c.want {
			if got := cells[i].Sentence; got != want {
				t.Errorf("%s:\n got %s\nwant %s", c.name, got, want)
			}
		}
	}
}

// With bandwidths that grow smaller the larger the set, what is read faster takes less time, and no bound is zero.
func TestBoundsAreMonotonic(t *testing.T) {
	p := machine()
	for _, spec := range nn.Specs() {
		last := 0.0
		for _, batch := range []int{1, 2, 3, 8, 64, 512} {
			bounds := map[string]float64{}
			for _, v := range wire.VariantIDs() {
				w, ok := workOf(spec, v, batch, input{})
				if bounds[v] = w.bound(p).total(); !ok || !(bounds[v] > 0) {
					t.Fatalf("%s %s: %v", spec.ID, v, bounds[v])
				}
			}
			if bounds["fp32"] < last || bounds["static-qint8"] > bounds["dynamic-qint8"] || bounds["static-qint8"] > bounds["fp32"] {
				t.Errorf("%s, batch %d: %v after %v", spec.ID, batch, bounds, last)
			}
			last = bounds["fp32"]
		}
	}
}

func TestBandwidth(t *testing.T) {
	p := machine()
	for _, c := range []struct{ bytes, want float64 }{
		{1, 100}, {16 << 10, 100}, {100_000, 100}, {1 << 20, 100}, {4 << 20, 75}, {16 << 20, 50}, {1e12, 50},
	} {
		if got := BandwidthOf(p, c.bytes); !near(got, c.want) {
			t.Errorf("%v bytes: %v GB/s, want %v", c.bytes, got, c.want)
		}
	}
}

func TestLayers(t *testing.T) {
	layers := Layers([]wire.LayerTime{
		{In: 1000, Out: 500, Variant: "fp32", Batch: 1, TimeUS: 40, Peak: 100, Bandwidth: 100},
		{In: 1000, Out: 500, Variant: "static-qint8", Batch: 64, TimeUS: 100, Peak: 400, Bandwidth: 100},
	})
	if l := layers[0]; l.Bound != Memory || !near(l.Share, 0.5) || !near(l.GBs, 50) || !near(l.BoundUS, 20) {
		t.Errorf("%+v", l)
	}
	if l := layers[1]; l.Bound != Arithmetic || !near(l.Share, 0.8) || !near(l.GMACs, 320) {
		t.Errorf("%+v", l)
	}
}

// The field names are a promise to whoever reads the JSON.
func TestFieldNames(t *testing.T) {
	r := Report{Peaks: machine(), Cells: Cells([]wire.Row{row("mnist-lab1", "fp32", map[string]float64{"1": 40})}, nn.CatalogOf(nil), machine())}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"peaks", "cells", "model", "variant", "batch", "bound", "share", "sentence", "float32_gmacs", "float16_gmacs", "int8_gmacs", "read", "bytes", "gbs"} {
		if !strings.Contains(string(b), `"`+name+`":`) {
			t.Errorf("no field %s in %s", name, b)
		}
	}
}

// The page links this package: it must stay as light as its imports.
func TestImportsStayLight(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range p.Imports {
		if strings.Contains(path, ".") || strings.HasPrefix(path, "quantlab/") && path != "quantlab/core/nn" && path != "quantlab/core/lab/wire" {
			t.Errorf("package roofline imports %s", path)
		}
	}
}
