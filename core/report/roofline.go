package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/roofline"
)

// A PlainTable is a table of text.
type PlainTable struct {
	Title, Caption string
	Columns        []Column
	Rows           [][]string
	Shares         []float64 // of the rows, in their order; nil where they have none
	Grouped        bool      // rows with the same first cell, which follow each other, belong together
}

// Shares of a bound that are good, and that are bad.
const (
	GoodShare = 0.85
	BadShare  = 0.5
)

// RooflineTables returns the tables of a roofline: the machine's limits, every cell, and every layer by itself where those were
// timed.
func RooflineTables(r roofline.Report) []PlainTable {
	var tables []PlainTable
	if r.Peaks != nil {
		tables = append(tables, peaksTable(r.Peaks), bandwidthTable(r.Peaks))
	}
	if len(r.Cells) > 0 {
		tables = append(tables, cellsTable(r.Cells))
	}
	if len(r.Layers) > 0 {
		tables = append(tables, layersTable(r.Layers))
	}
	return tables
}

func peaksTable(p *wire.Peaks) PlainTable {
	t := PlainTable{
		Title: "Limits of this machine",
		Caption: fmt.Sprintf("Multiply-adds a second with engine %s on %s, the fastest of many bursts of its own instructions.",
			p.Engine, threads(p.Threads)),
		Columns: []Column{{Key: "arithmetic", Title: "Arithmetic"}, {Key: "peak", Title: "Peak (GMAC/s)", Right: true}},
	}
	for _, k := range []struct {
		name string
		peak float64
	}{{"float32", p.Float32}, {"float16 weights, widened for one row", p.Float16}, {"int8", p.Int8}} {
		t.Rows = append(t.Rows, []string{k.name, Figures(k.peak, 3)})
	}
	return t
}

func bandwidthTable(p *wire.Peaks) PlainTable {
	t := PlainTable{
		Title:   "Read bandwidth",
		Caption: "Of working sets of so many bytes, read over and over; the sizes of the networks' weights are among them.",
		Columns: []Column{{Key: "bytes", Title: "Working set (MB)", Right: true}, {Key: "gbs", Title: "Bandwidth (GB/s)", Right: true}},
	}
	for _, b := range p.Read {
		t.Rows = append(t.Rows, []string{Figures(float64(b.Bytes)/1e6, 3), Figures(b.GBs, 3)})
	}
	return t
}

func cellsTable(cells []roofline.Cell) PlainTable {
	t := PlainTable{
		Title: "Every cell under its roof",
		Caption: "Time is the fastest; the bound is the least time that these limits allow; share is bound over time. " +
			"Speed-up is against float32: as the bounds predict it, and as measured.",
		Columns: []Column{
			{Key: "model", Title: "Model"}, {Key: "variant", Title: "Variant"}, {Key: "batch", Title: "Batch", Right: true},
			{Key: "time", Title: "Time (µs)", Right: true}, {Key: "bound-us", Title: "Bound (µs)", Right: true},
			{Key: "share", Title: "Share", Right: true}, {Key: "bound", Title: "Bound by"},
			{Key: "gmacs", Title: "GMAC/s", Right: true}, {Key: "gbs", Title: "GB/s", Right: true},
			{Key: "predicted", Title: "Predicted", Right: true}, {Key: "measured", Title: "Measured", Right: true},
		},
	}
	for _, c := range cells {
		predicted, measured := "baseline", ""
		if c.Predicted > 0 {
			predicted, measured = Times(c.Predicted, 0), Times(c.Measured, 0)
		}
		t.Rows = append(t.Rows, []string{
			c.Model, VariantTitle(c.Variant), strconv.Itoa(c.Batch), Figures(c.TimeUS, 3), Figures(c.BoundUS, 3), Share(c.Share), c.Bound,
			Figures(c.GMACs, 3), Figures(c.GBs, 3), predicted, measured,
		})
		t.Shares = append(t.Shares, c.Share)
	}
	if slices.ContainsFunc(cells, func(c roofline.Cell) bool { return roofline.Exceeds(c.Share) }) {
		t.Caption += " A share above 100% says that the limit was measured too low."
	}
	return t
}

func layersTable(layers []roofline.Layer) PlainTable {
	t := PlainTable{
		Title: "Dense layers by themselves",
		Caption: "Those of 256 outputs and more: the product with bias and ReLU, in int8 from activations that are quantized already. " +
			"The limits were measured in turns with each layer.",
		Columns: []Column{
			{Key: "layer", Title: "Layer"}, {Key: "variant", Title: "Variant"}, {Key: "batch", Title: "Batch", Right: true},
			{Key: "time", Title: "Time (µs)", Right: true}, {Key: "bound-us", Title: "Bound (µs)", Right: true},
			{Key: "share", Title: "Share", Right: true}, {Key: "bound", Title: "Bound by"}, {Key: "reached", Title: "Reached"},
		},
	}
	for _, l := range layers {
		of := "of"
		if l.Share > 1 {
			of = "above"
		}
		reached := fmt.Sprintf("%s %s %s GMAC/s", Figures(l.GMACs, 3), of, Figures(l.Peak, 3))
		if l.Bound == roofline.Memory {
			reached = fmt.Sprintf("%s %s %s GB/s", Figures(l.GBs, 3), of, Figures(l.Bandwidth, 3))
		}
		t.Rows = append(t.Rows, []string{
			fmt.Sprintf("%d x %d", l.In, l.Out), VariantTitle(l.Variant), strconv.Itoa(l.Batch),
			Figures(l.TimeUS, 3), Figures(l.BoundUS, 3), Share(l.Share), l.Bound, reached,
		})
		t.Shares = append(t.Shares, l.Share)
	}
	return t
}

// Share writes a share of a limit: "96%".
func Share(v float64) string {
	if !finite(v) {
		return Missing
	}
	return strconv.FormatFloat(100*v, 'f', 0, 64) + "%"
}

// VariantTitle is a variant's title without what follows a comma: "float32", "dynamic int8".
func VariantTitle(id string) string {
	v, err := wire.VariantOf(id)
	if err != nil {
		return id
	}
	title, _, _ := strings.Cut(v.Title, ",")
	return title
}

func threads(n int) string { return strconv.Itoa(n) + plural(n, " thread", " threads") }

// CellName names a cell: "mnist-lab1, float32, batch 1".
func CellName(c roofline.Cell) string {
	return fmt.Sprintf("%s, %s, batch %d", c.Model, VariantTitle(c.Variant), c.Batch)
}

// RooflineJSON writes the roofline as an object with the fields version, hardware, settings, peaks, cells, layers and notes.
func RooflineJSON(w io.Writer, r roofline.Report) error {
	if r.Cells == nil {
		r.Cells = []roofline.Cell{}
	}
	return encode(w, r)
}

// RooflineMarkdown writes the roofline as GitHub-flavoured Markdown.
func RooflineMarkdown(w io.Writer, r roofline.Report) error {
	var b strings.Builder
	b.WriteString("# Roofline\n\n" + escape(Settings(wire.Result{Version: r.Version, Hardware: r.Hardware, Settings: r.Settings})) + "\n\n")
	markdownHardware(&b, r.Hardware)
	for _, t := range RooflineTables(r) {
		markdownPlain(&b, t)
	}
	if len(r.Cells) > 0 {
		b.WriteString("## In words\n\n")
		for _, c := range r.Cells {
			b.WriteString("- " + escape(CellName(c)+": "+c.Sentence) + "\n")
		}
		b.WriteString("\n")
	}
	if len(r.Notes) > 0 {
		b.WriteString("## Notes\n\n")
		for _, n := range r.Notes {
			b.WriteString("- " + escape(n) + "\n")
		}
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// rooflineHeader names the columns of RooflineCSV; what says "layer" in the first one has its shape for a model.
var rooflineHeader = []string{
	"kind", "model", "variant", "batch", "engine", "threads", "input", "time_us", "bound_us", "share", "bound",
	"gmacs", "peak_gmacs", "gbs", "peak_gbs", "predicted", "measured", "sentence",
}

// RooflineCSV writes cells and layers as comma-separated values with a header, full precision.
func RooflineCSV(w io.Writer, r roofline.Report) error {
	c := csv.NewWriter(w)
	lines := [][]string{rooflineHeader}
	full := func(v float64) string { return number(v, v > 0) }
	for _, l := range r.Cells {
		lines = append(lines, []string{
			"net", l.Model, l.Variant, strconv.Itoa(l.Batch), l.Engine, strconv.Itoa(l.Threads), l.Input, full(l.TimeUS), full(l.BoundUS), full(l.Share), l.Bound,
			full(l.GMACs), full(l.Peak), full(l.GBs), full(l.Bandwidth), full(l.Predicted), full(l.Measured), l.Sentence,
		})
	}
	for _, l := range r.Layers {
		lines = append(lines, []string{
			"layer", fmt.Sprintf("%dx%d", l.In, l.Out), l.Variant, strconv.Itoa(l.Batch), l.Engine, strconv.Itoa(l.Threads), wire.Dense,
			full(l.TimeUS), full(l.BoundUS), full(l.Share), l.Bound, full(l.GMACs), full(l.Peak), full(l.GBs), full(l.Bandwidth), "", "", "",
		})
	}
	for _, line := range lines {
		for i := range line {
			line[i] = harmless(line[i])
		}
	}
	return c.WriteAll(lines)
}

// RooflineSummary says in a sentence how near the cells come to their bounds.
func RooflineSummary(cells []roofline.Cell) string {
	if len(cells) == 0 {
		return ""
	}
	least, good, beyond := cells[0], 0, 0
	for _, c := range cells {
		if c.Share < least.Share {
			least = c
		}
		if c.Share >= GoodShare {
			good++
		}
		if roofline.Exceeds(c.Share) {
			beyond++
		}
	}
	s := fmt.Sprintf("%d of %d cells reach %s of their bound or more; the least is %s with %s.",
		good, len(cells), Share(GoodShare), CellName(least), Share(least.Share))
	if beyond > 0 {
		s += fmt.Sprintf(" %d of them %s faster than that bound: its limits were measured too low, on a machine that was busy.", beyond, plural(beyond, "is", "are"))
	}
	return s
}
