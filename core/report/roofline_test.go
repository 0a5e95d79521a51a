package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/roofline"
)

// sampleRoofline is made up.
func sampleRoofline() roofline.Report {
	p := &wire.Peaks{
		Engine: "avx2", Threads: 1, Float32: 58.5, Float16: 40, Int8: 117,
		Read: []wire.Bandwidth{{Bytes: 16384, GBs: 210}, {Bytes: 1626112, GBs: 101}, {Bytes: 67108864, GBs: 30}},
	}
	var rows []wire.Row
	for i, v := range wire.VariantIDs() {
		us := 30 / float64(i+1)
		rows = append(rows, wire.Row{
			Model: "mnist-lab1", Variant: v, Host: wire.Native, Engine: "avx2", Threads: 1, Input: wire.Dense,
			LatencyUS: map[string]wire.Latency{"1": {Samples: []float64{us + 1, us}}, "64": {Samples: []float64{30 * us}}},
		})
	}
	return roofline.Report{
		Version: "v1.2.3", Hardware: wire.Hardware{Host: wire.Native, CPU: "a | b", Accelerator: "none", Engine: "avx2"}, Settings: wire.Lab(),
		Peaks: p, Cells: roofline.Cells(rows, Models(), p), Notes: []string{"a *note*"},
		Layers: roofline.Layers([]wire.LayerTime{
			{In: 784, Out: 512, Variant: "fp32", Batch: 1, Engine: "avx2", Threads: 1, TimeUS: 17, Peak: 58.5, Bandwidth: 101},
			{In: 784, Out: 512, Variant: "static-qint8", Batch: 64, Engine: "avx2", Threads: 1, TimeUS: 240, Peak: 117, Bandwidth: 120},
		}),
	}
}

func TestRooflineJSON(t *testing.T) {
	var b bytes.Buffer
	if err := RooflineJSON(&b, sampleRoofline()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Peaks map[string]any
		Cells []map[string]any
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Cells) != 8 || got.Peaks["float32_gmacs"] != 58.5 {
		t.Errorf("%s", b.String())
	}
	for _, c := range got.Cells {
		for _, name := range []string{"model", "variant", "batch", "bound", "share", "sentence"} {
			if c[name] == nil {
				t.Errorf("no %s in %v", name, c)
			}
		}
	}
	b.Reset()
	if err := RooflineJSON(&b, roofline.Report{}); err != nil || !strings.Contains(b.String(), `"cells": []`) {
		t.Errorf("an empty roofline is %s, error %v", b.String(), err)
	}
}

func TestRooflineMarkdown(t *testing.T) {
	var b bytes.Buffer
	if err := RooflineMarkdown(&b, sampleRoofline()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"## Limits of this machine", "| float32 | 58.5 |", "| 1.63 | 101 |", `a \| b`, `a \*note\*`,
		"| mnist-lab1 | float32 | 1 | 30.0 | 16.1 | 54% | memory | 13.6 | 54.2 | baseline |  |",
		"- mnist-lab1, float32, batch 1: bound by memory: 1.6 MB of weights at 54 of 101 GB/s, only 54% of what the machine allows; int8 is 4× smaller, so up to 4.6× faster",
		"| 784 x 512 | float32 | 1 | 17.0 | 15.9 | 94% | memory | 94.4 of 101 GB/s |",
		"| 784 x 512 | static int8 | 64 | 240 | 220 | 91% | arithmetic | 107 of 117 GMAC/s |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
}

// What is faster than its bound is not called so much of less.
func TestLayersBeyondTheirBound(t *testing.T) {
	r := roofline.Report{Layers: roofline.Layers([]wire.LayerTime{
		{In: 784, Out: 512, Variant: "fp32", Batch: 1, TimeUS: 15, Peak: 58.5, Bandwidth: 101},
		{In: 784, Out: 512, Variant: "static-qint8", Batch: 64, TimeUS: 200, Peak: 117, Bandwidth: 120},
	})}
	rows := RooflineTables(r)[0].Rows
	for i, want := range []string{"107 above 101 GB/s", "128 above 117 GMAC/s"} {
		if got := rows[i][len(rows[i])-1]; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestRooflineCSV(t *testing.T) {
	var b bytes.Buffer
	if err := RooflineCSV(&b, sampleRoofline()); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(lines) != 1+8+2 || lines[1][0] != "net" || lines[9][0] != "layer" || lines[9][1] != "784x512" {
		t.Errorf("%q, error %v", lines, err)
	}
}

func TestRooflineSummary(t *testing.T) {
	cells := []roofline.Cell{
		{Model: "mnist-lab1", Variant: "fp32", Batch: 1, Share: 0.9},
		{Model: "mnist-lab1", Variant: "static-qint8", Batch: 1, Share: 0.7},
	}
	want := "1 of 2 cells reach 85% of their bound or more; the least is mnist-lab1, static int8, batch 1 with 70%."
	if got := RooflineSummary(cells); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	cells = append(cells, roofline.Cell{Model: "mnist-lab1", Variant: "fp32", Batch: 64, Share: 1.04}, roofline.Cell{Model: "mnist-lab1", Variant: "static-qint8", Batch: 64, Share: 1.2})
	want = "3 of 4 cells reach 85% of their bound or more; the least is mnist-lab1, static int8, batch 1 with 70%. " +
		"1 of them is faster than that bound: its limits were measured too low, on a machine that was busy."
	if got := RooflineSummary(cells); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := RooflineTables(roofline.Report{Cells: cells})[0].Caption; !strings.HasSuffix(got, "A share above 100% says that the limit was measured too low.") {
		t.Errorf("caption %q", got)
	}
	if RooflineSummary(nil) != "" {
		t.Error("a summary of nothing")
	}
}
