package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
)

// SensitivityModels returns the models that the rows are of, in their order.
func SensitivityModels(s wire.Sensitivity) []string {
	var models []string
	for _, r := range s.Rows {
		if !slices.Contains(models, r.Model) {
			models = append(models, r.Model)
		}
	}
	return models
}

// SensitivityTable tells what quantizing single layers of a model does: the references first, then layer by layer. Rows of a
// layer have the same first cell.
func SensitivityTable(s wire.Sensitivity, model string) PlainTable {
	references, rows := sensitivityOf(s, model)
	models, all := Models(s.Settings), slices.Clone(references)
	for _, r := range rows {
		all = append(all, r.Row)
	}
	t := PlainTable{
		Title:   "Which layers of " + model + " can't bear quantization",
		Caption: caption(models, DataOf(models, model), all) + " " + aboutFidelity(rows),
		Grouped: true,
		Columns: []Column{
			{Key: "layer", Title: "Layer"}, {Key: "mode", Title: "Quantized"}, {Key: "variant", Title: "As"},
			{Key: "size", Title: "Size (MB)", Right: true}, {Key: "accuracy", Title: "Accuracy [95% interval]"}, {Key: "flips", Title: "Answers against float32"},
			{Key: "weights", Title: "Weights dB", Right: true}, {Key: "output", Title: "Output dB", Right: true}, {Key: "logits", Title: "Logits dB", Right: true},
		},
	}
	batches := Batches(all...)
	for _, b := range batches {
		t.Columns = append(t.Columns,
			Column{Key: "latency-" + b, Title: "Batch " + b + " (µs)", Right: true}, Column{Key: "verdict-" + b, Title: "against float32"})
	}
	oneN := len(runCounts(all)) <= 1
	add := func(layer, mode string, r wire.Row, fidelity []string) {
		line := []string{layer, mode, VariantTitle(r.Variant), cell(r, "size", oneN), accuracy(r), cell(r, "flips", oneN)}
		line = append(line, fidelity...)
		for _, b := range batches {
			line = append(line, cell(r, "latency-"+b, oneN), sensitivityVerdict(r, b))
		}
		t.Rows = append(t.Rows, line)
	}
	for _, r := range references {
		mode := "all"
		if r.Variant == wire.Baseline {
			mode = "none"
		}
		add("all layers", mode, r, []string{Missing, Missing, Missing})
	}
	for _, layer := range Layers(rows) {
		for _, r := range rows {
			if r.Layer == layer {
				add(layer, Quantizes(r.Mode), r.Row, fidelityCells(r))
			}
		}
	}
	return t
}

// SensitivityGroups returns the keys of the table's columns that are best read together. The first group names the rows; where
// there is little room, each of the others may stand in a table of its own beside it.
func SensitivityGroups(t PlainTable) [][]string {
	groups := [][]string{{"layer", "mode", "variant"}, {"size", "accuracy"}, {"flips"}, {"weights", "output", "logits"}}
	for _, c := range t.Columns {
		if batch, ok := strings.CutPrefix(c.Key, "latency-"); ok {
			groups = append(groups, []string{c.Key, "verdict-" + batch})
		}
	}
	return groups
}

// SensitivityParts cuts the table in two that are narrower: what is lost, and how large and how fast it is.
func SensitivityParts(t PlainTable) []PlainTable {
	groups := SensitivityGroups(t)
	lost, timed := slices.Clone(groups[0]), append(slices.Clone(groups[0]), "size")
	for _, g := range groups[1:] {
		if strings.HasPrefix(g[0], "latency-") {
			timed = append(timed, g...)
		} else {
			lost = append(lost, slices.DeleteFunc(g, func(key string) bool { return key == "size" })...)
		}
	}
	first, second := t.Select(lost...), t.Select(timed...)
	second.Title, second.Caption = t.Title+": size and time", ""
	return []PlainTable{first, second}
}

// Select returns the table with some of its columns only. There must be columns of these keys.
func (t PlainTable) Select(keys ...string) PlainTable {
	var at []int
	columns, rows := t.Columns, t.Rows
	t.Columns, t.Rows = nil, nil
	for _, key := range keys {
		i := slices.IndexFunc(columns, func(c Column) bool { return c.Key == key })
		at, t.Columns = append(at, i), append(t.Columns, columns[i])
	}
	for _, row := range rows {
		var line []string
		for _, i := range at {
			line = append(line, row[i])
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}

// Quantizes says what a mode quantizes, in the words of the table: "only it", "all but it".
func Quantizes(mode string) string {
	switch mode {
	case wire.Only:
		return "only it"
	case wire.Except:
		return "all but it"
	}
	return mode
}

// sensitivityOf returns what is told of one model.
func sensitivityOf(s wire.Sensitivity, model string) (references []wire.Row, rows []wire.SensitivityRow) {
	for _, r := range s.References {
		if r.Model == model {
			references = append(references, r)
		}
	}
	for _, r := range s.Rows {
		if r.Model == model {
			rows = append(rows, r)
		}
	}
	return references, rows
}

// Layers names the rows' layers, in the order in which they came.
func Layers(rows []wire.SensitivityRow) []string {
	return distinct(rows, func(r wire.SensitivityRow) string { return r.Layer })
}

// aboutFidelity says what the decibels are of.
func aboutFidelity(rows []wire.SensitivityRow) string {
	text := "dB are signal-to-quantization-noise ratios: of the quantized weights"
	for _, r := range rows {
		if n := r.Fidelity.Examples; n > 0 {
			return text + ", of the layer's own outputs on what float32 feeds it (of several layers the worst), and of the logits, on " +
				Count(n) + " " + plural(n, "example", "examples") + "."
		}
	}
	return text + "."
}

func fidelityCells(r wire.SensitivityRow) []string {
	if r.QuantizesNothing() {
		return []string{Missing, Missing, Missing}
	}
	if r.Fidelity.Examples == 0 {
		weights := Missing
		if r.Fidelity.Weights != 0 {
			weights = decibels(r.Fidelity.Weights)
		}
		return []string{weights, Missing, Missing}
	}
	return []string{decibels(r.Fidelity.Weights), decibels(r.Fidelity.Output), decibels(r.Fidelity.Logits)}
}

// sensitivityVerdict words the verdict at a batch size without its interval.
func sensitivityVerdict(r wire.Row, batch string) string {
	l, ok := r.LatencyUS[batch]
	switch {
	case !ok:
		return Missing
	case r.Variant == wire.Baseline:
		return "baseline"
	case l.Verdict != nil:
		return Verdict(l.Verdict)
	case len(l.Samples) < 2:
		return "too few runs to tell"
	}
	return "float32 itself"
}

// CorrelationTable tells whether the measures that take no labels rank a model's plans as accuracy does. It has no rows where
// there are no correlations.
func CorrelationTable(s wire.Sensitivity, model string) PlainTable {
	t := PlainTable{
		Title: "Does a cheap measure of " + model + " predict the costly one?",
		Caption: "Spearman's rank correlation of a measure that takes no labels with the right answers, and with the answers that differ from float32's; " +
			"p is two-sided. Each plan counts once.",
		Columns: []Column{
			{Key: "measure", Title: "SQNR of"}, {Key: "mode", Title: "Over"}, {Key: "n", Title: "Plans", Right: true},
			{Key: "accuracy", Title: "Against accuracy"}, {Key: "flips", Title: "Against differing answers"},
		},
	}
	for _, measure := range measures {
		for _, mode := range []string{"", wire.Only, wire.Except} {
			row := []string{"the " + measure.plural, overMode(mode), Missing, Missing, Missing}
			for i, against := range []string{"accuracy", "flips"} {
				if c, ok := correlationOf(s, model, mode, measure.key, against); ok {
					row[2], row[3+i] = strconv.Itoa(c.N), rho(c)
				}
			}
			if row[2] != Missing {
				t.Rows = append(t.Rows, row)
			}
		}
	}
	return t
}

func overMode(mode string) string {
	switch mode {
	case wire.Only:
		return "one layer quantized"
	case wire.Except:
		return "all but one"
	}
	return "both"
}

// rho writes a correlation: "rho 0.86 (p = 0.001)".
func rho(c wire.Correlation) string {
	return fmt.Sprintf("rho %s (%s)", minus(strconv.FormatFloat(c.Rho, 'f', 2, 64)), PValue(c.P))
}

// minus writes a number's sign as type sets it, and zero without one.
func minus(number string) string {
	if strings.Trim(number, "-0.") == "" {
		return strings.TrimPrefix(number, "-")
	}
	return strings.Replace(number, "-", "−", 1)
}

func correlationOf(s wire.Sensitivity, model, mode, measure, against string) (wire.Correlation, bool) {
	for _, c := range s.Correlations {
		if c.Model == model && c.Mode == mode && c.Measure == measure && c.Against == against {
			return c, true
		}
	}
	return wire.Correlation{}, false
}
