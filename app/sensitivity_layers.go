package app

import (
	"fmt"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/chart"
)

// sensitivity returns what is known of single layers of the chosen model where it was to be measured: all of the latest experiment
// that was finished, or what one has given that was not. ok is false where there is nothing.
func (st *SensitivityState) sensitivity(study wire.Study) (part wire.Sensitivity, ok bool) {
	c := st.choice()
	if q := &st.Layers; q.unfinished(c) && len(q.Rows) > 0 {
		return wire.Sensitivity{Setting: q.Setting, Rows: q.Rows, References: q.References}, true
	}
	for _, part := range slices.Backward(study.Sensitivity) {
		if part.Hardware.Host == c.Where && c.concerns(part.Settings) && slices.ContainsFunc(part.Rows, func(r wire.SensitivityRow) bool { return r.Model == c.Model }) {
			return part, true
		}
	}
	return part, false
}

// A sensView is what single layers of one model do.
type sensView struct {
	Model, Facts string
	Batches      []int
	Groups       []sensGroup
	Notes        []string
	Table        report.PlainTable // all figures
}

// A sensGroup is one variant's: that of all layers, then layer by layer.
type sensGroup struct {
	Variant, Name, Says string
	Blocks              []sensBlock
}

// A sensBlock is one layer's rows, or those to compare with.
type sensBlock struct {
	Layer, Title, Shape string
	Rows                []sensRow
}

// A sensRow is one plan, as plain values.
type sensRow struct {
	rowView
	Variant string
	Mode    string // wire.Only, wire.Except, or "" for a plan to compare with
	What    string // is quantized
	Change  string // of the accuracy, against float32: "−0.12"
	Range   string // its interval
	Bar     string // SVG
	Better  bool   // more answers became right than wrong
	SQNR    string // of the layer's output, dB
	Plan    string // "" where there is none to look at
}

// A layersMemo holds the rows that were laid out last: the page is drawn more often than they change.
type layersMemo struct {
	first  *wire.SensitivityRow
	rows   int
	choice string
	view   sensView
}

// of lays out the rows of the model.
func (m *layersMemo) of(part wire.Sensitivity, c sensChoice) sensView {
	if first, choice := &part.Rows[0], c.Model+c.Where; m.first != first || m.rows != len(part.Rows) || m.choice != choice {
		*m = layersMemo{first, len(part.Rows), choice, layersView(part, c)}
	}
	return m.view
}

// layersView lays out the rows of the model.
func layersView(part wire.Sensitivity, c sensChoice) sensView {
	v := sensView{Model: c.Model, Batches: part.Settings.Batches, Facts: sensFacts(part, c)}
	rows, refs := part.Rows, part.References
	rows = slices.DeleteFunc(slices.Clone(rows), func(r wire.SensitivityRow) bool { return r.Model != c.Model })
	refs = slices.DeleteFunc(slices.Clone(refs), func(r wire.Row) bool { return r.Model != c.Model })
	l := sensLayout{choice: c, batches: v.Batches, scales: sensScales(rows, refs), change: changeAxis(rows, refs)}
	for _, id := range layerVariants() {
		if g := l.group(id, rows, refs); len(g.Blocks) > 0 {
			g.Says = variantFinding(part, c.Model, id)
			v.Groups = append(v.Groups, g)
		}
	}
	for _, n := range report.SensitivityNotes(part) {
		v.Notes = append(v.Notes, sentence(n))
	}
	v.Table = report.SensitivityTable(part, c.Model)
	return v
}

// variantFinding says in plain words what quantizing single layers as one variant does; which variant it is stands above.
func variantFinding(part wire.Sensitivity, model, variant string) string {
	part.Rows = slices.DeleteFunc(slices.Clone(part.Rows), func(r wire.SensitivityRow) bool { return r.Variant != variant })
	said := strings.Join(report.SensitivityFindings(part, model), " ")
	if _, rest, ok := strings.Cut(said, ": "); ok {
		said = rest
	}
	return upperFirst(said)
}

// A sensLayout is what all rows have in common.
type sensLayout struct {
	choice  sensChoice
	batches []int
	scales  map[string]float64 // of the latencies, by batch size
	change  chart.Axis         // of the accuracies, in points
}

func (l sensLayout) group(variant string, rows []wire.SensitivityRow, refs []wire.Row) sensGroup {
	g := sensGroup{Variant: variant, Name: variantName(variant)}
	mine := slices.DeleteFunc(slices.Clone(rows), func(r wire.SensitivityRow) bool { return r.Variant != variant })
	if len(mine) == 0 {
		return g
	}
	compare := sensBlock{Title: "To compare"}
	for _, id := range []string{wire.Baseline, variant} {
		if i := slices.IndexFunc(refs, func(r wire.Row) bool { return r.Variant == id }); i >= 0 {
			row := l.row(refs[i])
			row.What = "every layer"
			if id == wire.Baseline {
				row.What = "no layer: float32"
			}
			compare.Rows = append(compare.Rows, row)
		}
	}
	if len(compare.Rows) > 0 {
		g.Blocks = append(g.Blocks, compare)
	}
	for _, layer := range report.Layers(mine) {
		b := sensBlock{Layer: layer, Title: layer}
		if n, ok := layerNumber(layer); ok {
			dims := l.choice.spec().Dims()
			b.Title, b.Shape = fmt.Sprintf("Layer %d", n+1), layer
			if n+1 < len(dims) {
				b.Shape += ", " + report.Count(dims[n]) + " → " + report.Count(dims[n+1])
			}
		}
		for _, r := range mine {
			if r.Layer == layer {
				b.Rows = append(b.Rows, l.layerRow(r))
			}
		}
		g.Blocks = append(g.Blocks, b)
	}
	return g
}

// layerNumber reads the number of a layer of that name, from 0.
func layerNumber(name string) (int, bool) {
	var n int
	if _, err := fmt.Sscanf(name, "layers.%d", &n); err != nil || n < 0 {
		return 0, false
	}
	return n, true
}

func (l sensLayout) layerRow(r wire.SensitivityRow) sensRow {
	row := l.row(r.Row)
	row.Mode, row.Plan, row.SQNR = r.Mode, r.Plan, sqnr(r.Fidelity.Output)
	row.What = "only this layer"
	if r.Mode == wire.Except {
		row.What = "all but this one"
	}
	return row
}

func (l sensLayout) row(r wire.Row) sensRow {
	row := sensRow{rowView: measuredRow(r, l.batches, l.scales), Variant: r.Variant}
	if d, ok := report.ChangeOf(r); ok {
		row.Change, row.Range = d.Words(r.Total)
		row.Bar, row.Better = changeBar(d, r.Total, l.change), d.Points > 0
	}
	return row
}

// sensScales gives each batch size the scale that all the bars share.
func sensScales(rows []wire.SensitivityRow, refs []wire.Row) map[string]float64 {
	byBatch := map[string][]wire.Latency{}
	add := func(r wire.Row) {
		for batch, l := range r.LatencyUS {
			byBatch[batch] = append(byBatch[batch], l)
		}
	}
	for _, r := range refs {
		add(r)
	}
	for _, r := range rows {
		add(r.Row)
	}
	scales := map[string]float64{}
	for batch, ls := range byBatch {
		scales[batch] = plotScale(ls)
	}
	return scales
}

// sensFacts says how the rows were measured.
func sensFacts(part wire.Sensitivity, c sensChoice) string {
	facts := []string{upperFirst(inHost(c.Where)), testedOn(c.spec(), part.Settings, 0), plural(part.Settings.Runs, "run") + ", interleaved"}
	for _, r := range part.Rows {
		if r.Model == c.Model {
			facts[1] = testedOn(c.spec(), part.Settings, r.Total)
			facts = append(facts, engineFact(r.Row))
			break
		}
	}
	return strings.Join(facts, " · ")
}

// changeAxis holds all the changes, and zero.
func changeAxis(rows []wire.SensitivityRow, refs []wire.Row) chart.Axis {
	lo, hi := 0.0, 0.0
	add := func(r wire.Row) {
		if d, ok := report.ChangeOf(r); ok {
			lo, hi = min(lo, d.Low), max(hi, d.High)
		}
	}
	for _, r := range refs {
		add(r)
	}
	for _, r := range rows {
		add(r.Row)
	}
	slack := .03 * (hi - lo)
	return chart.Axis{Scale: chart.Linear{Lo: lo - slack, Hi: hi + slack}, Span: chart.Across}
}

// changeBar draws a change: a bar from zero and a whisker over its interval.
func changeBar(d report.Change, total int, x chart.Axis) string {
	var b strings.Builder
	points, interval := d.Words(total)
	fmt.Fprintf(&b, `<svg class="plot change" width="100%%" height="%d" role="img" aria-label="%s points, interval %s">`, plotHeight, points, interval)
	from, to := x.Scale.At(min(0, d.Points)), x.Scale.At(max(0, d.Points))
	chart.Rect(&b, "bar", x.Span.At(from), "1", chart.Percent(to-from), chart.Place(plotHeight-2))
	chart.Whisker(&b, x.At(d.Low), x.At(d.High), plotHeight/2, 3)
	chart.Line(&b, "zero", x.At(0), "0", x.At(0), chart.Place(plotHeight))
	b.WriteString(`</svg>`)
	return b.String()
}
