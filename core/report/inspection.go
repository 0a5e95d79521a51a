package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
)

// exact is the SQNR, in dB, from which on nothing was lost.
const exact = 400

// InspectionTable tells what a conversion did, a row a layer.
func InspectionTable(i wire.Inspection) PlainTable {
	t := PlainTable{
		Title: fmt.Sprintf("%s, converted to %s", i.Model, i.Plan),
		Caption: fmt.Sprintf("On %s calibration examples. SQNR is the signal-to-quantization-noise ratio in dB: of the weights, of the activations that enter, "+
			"of the layer's outputs alone, and of its outputs behind converted layers (chain); errors are those of the last.", Count(i.Examples)),
		Columns: []Column{
			{Key: "layer", Title: "Layer"}, {Key: "shape", Title: "Shape"},
			{Key: "weight_scale", Title: "Weight scale", Right: true}, {Key: "scale", Title: "Input scale", Right: true}, {Key: "zero", Title: "Zero", Right: true},
			{Key: "weights", Title: "Weights dB", Right: true}, {Key: "input", Title: "Input dB", Right: true},
			{Key: "output", Title: "Output dB", Right: true}, {Key: "chain", Title: "Chain dB", Right: true},
			{Key: "mean", Title: "Mean error", Right: true}, {Key: "max", Title: "Max error", Right: true},
			{Key: "clipped", Title: "Clipped %", Right: true}, {Key: "dead", Title: "Dead", Right: true},
		},
	}
	mixed := strings.Contains(i.Plan, ",")
	if mixed {
		t.Columns = append(t.Columns, Column{Key: "scheme", Title: "Scheme"})
	}
	for _, l := range i.Layers {
		scale, zero := gridCells(l.Input.Grid)
		weightScale, _ := gridCells(l.Weights.Grid)
		clipped := Missing
		if l.Input.Grid != nil {
			clipped = short(100 * l.Input.Clipped)
		}
		row := []string{
			l.Name, fmt.Sprintf("%d → %d", l.In, l.Out), weightScale, scale, zero,
			decibels(l.WeightLoss.SQNR), decibels(l.InputLoss.SQNR), decibels(l.OutputLoss.SQNR), decibels(l.ChainLoss.SQNR),
			Figures(l.ChainLoss.Mean, 3), Figures(l.ChainLoss.Max, 3), clipped, dead(l),
		}
		if mixed {
			row = append(row, l.Scheme)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func gridCells(g *wire.Grid) (scale, zero string) {
	if g == nil {
		return Missing, Missing
	}
	return Figures(g.Scale, 3), strconv.Itoa(int(g.Zero))
}

func decibels(v float64) string {
	if v >= exact {
		return "exact"
	}
	return Fixed(v, 1)
}

// dead counts the units that are never positive, where there is a ReLU.
func dead(l wire.Layer) string {
	if !l.ReLU {
		return Missing
	}
	return strconv.Itoa(len(l.Dead))
}

// InspectionJSON writes an inspection as JSON.
func InspectionJSON(w io.Writer, i wire.Inspection) error { return encode(w, i) }

// InspectionCSV writes a line a layer, at full precision.
func InspectionCSV(w io.Writer, i wire.Inspection) error {
	lines := [][]string{{
		"model", "layer", "in", "out", "scheme", "bytes", "weight_scale", "input_scale", "input_zero", "weights_sqnr_db", "input_sqnr_db",
		"output_sqnr_db", "chain_sqnr_db", "mean_error", "max_error", "clipped", "dead", "explanation",
	}}
	full := func(v float64) string { return number(v, true) }
	for _, l := range i.Layers {
		line := []string{i.Model, l.Name, strconv.Itoa(l.In), strconv.Itoa(l.Out), l.Scheme, strconv.FormatInt(l.Bytes, 10), "", "", ""}
		if g := l.Weights.Grid; g != nil {
			line[6] = full(g.Scale)
		}
		clipped := ""
		if g := l.Input.Grid; g != nil {
			line[7], line[8], clipped = full(g.Scale), strconv.Itoa(int(g.Zero)), full(l.Input.Clipped)
		}
		line = append(line, full(l.WeightLoss.SQNR), full(l.InputLoss.SQNR), full(l.OutputLoss.SQNR), full(l.ChainLoss.SQNR),
			full(l.ChainLoss.Mean), full(l.ChainLoss.Max), clipped, strconv.Itoa(len(l.Dead)), harmless(strings.Join(l.Explain, " ")))
		lines = append(lines, line)
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// InspectionMarkdown writes the table and what explains each layer.
func InspectionMarkdown(w io.Writer, i wire.Inspection) error {
	var b strings.Builder
	markdownPlain(&b, InspectionTable(i))
	for _, l := range i.Layers {
		b.WriteString("- " + escape(l.Name+": "+strings.Join(l.Explain, " ")) + "\n")
	}
	for _, n := range i.Notes {
		b.WriteString("\n" + escape(n) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
