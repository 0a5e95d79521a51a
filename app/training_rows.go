package app

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/chart"
)

// trainRows shows what the trainings gave, host by host.
func (s *session) trainRows(level int) goapp.UI {
	var body []goapp.UI
	for _, host := range inOrderHosts {
		if part, row, ok := s.Training.trained(s.Study, host); ok {
			body = append(body, trainResult(level+1, part, row))
		}
	}
	if len(body) == 0 {
		body = append(body, goapp.P().Class("empty").Text("Times, accuracies and latencies of both kinds stand here once a training of "+
			s.Training.choice().Model+" has ended."))
	}
	return goapp.Section().Class("section train-results").Aria("labelledby", "train-rows").Body(append([]goapp.UI{
		goapp.Div().Class("head").Body(
			heading(level, "train-rows", "What it cost and what it gave"),
			goapp.P().Text("Both are evaluated in float32, so that they differ in how they were trained and in nothing else."),
		),
	}, body...)...)
}

// trainResult is one host's: a row a kind, what happened in words, and every training as a table.
func trainResult(level int, part wire.AMP, row wire.AMPRow) goapp.UI {
	host := part.Hardware.Host
	id := "train-" + host
	facts := strings.Join([]string{row.Model, report.TypeName(row.Type), engineFact(row.Row)}, " · ")
	tables := report.AMPTables(wire.AMP{Setting: part.Setting, Options: part.Options, Rows: []wire.AMPRow{row}})
	var below []goapp.UI
	if len(tables) > 0 {
		below = append(below, goapp.P().Class("hint").Text(tables[0].Caption))
	}
	for _, t := range tables {
		below = append(below, goapp.Details().Class("as-table").Body(goapp.Summary().Text(t.Title), goapp.Raw(scrolled(t))))
	}
	notes := []string{}
	for _, n := range report.AMPNotes(part) {
		if n = sentence(n); !slices.Contains(notes, n) {
			notes = append(notes, n)
		}
	}
	return goapp.Div().Class("card train-card").ID(id).Body(
		goapp.Header().Body(headingOf(level, "", goapp.Text(upperFirst(inHost(host)))), goapp.P().Text(facts)),
		goapp.Div().Class("scroll").Body(goapp.Table().Role("table").Class("results", "train-table").Body(
			goapp.Caption().Class("unseen").Text("Training in float32 and with mixed precision, "+inHost(host)),
			goapp.THead().Role("rowgroup").Body(goapp.Tr().Role("row").Body(goapp.Range(trainColumns).Slice(func(i int) goapp.UI {
				return goapp.Th().Scope("col").Role("columnheader").Text(trainColumns[i])
			}))),
			trainLine(row, row.Baseline, row.Float32),
			trainLine(row, row.Row, row.Mixed),
		)),
		goapp.Div().Class("pad-box stack").Body(
			goapp.Div().Class("note-box stack").Body(goapp.Range(happened(row)).Slice(func(i int) goapp.UI { return goapp.P().Text(happened(row)[i]) })),
			goapp.Div().Class("hints").Body(goapp.Ul().Body(goapp.Range(notes).Slice(func(i int) goapp.UI { return goapp.Li().Text(notes[i]) }))),
			goapp.Div().Class("stack").Body(below...),
		),
	)
}

// scrolled writes a table of the report as HTML, in a box that scrolls.
func scrolled(t report.PlainTable) string {
	heads := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = c.Title
	}
	return `<div class="scroll" tabindex="0" role="group" aria-label="` + chart.Escape(t.Title) + `">` + chart.Table(t.Title, heads, t.Rows) + `</div>`
}

var trainColumns = []string{"Products", "Training, s", "Matrix part, s", "Accuracy", "Size, MB", "Batch 1, µs", "Batch 64, µs"}

// trainLine is the row of one kind.
func trainLine(all wire.AMPRow, r wire.Row, trainings []wire.Training) goapp.UI {
	mixed := r.Variant == wire.AMPVariant
	scales := map[string]float64{}
	for _, b := range timedBatches {
		key := strconv.Itoa(b)
		scales[key] = plotScale([]wire.Latency{all.Baseline.LatencyUS[key], all.LatencyUS[key]})
	}
	v := measuredRow(r, timedBatches, scales)
	v.Note, v.Smaller = "", "" // it stands below; both files are as large
	name, kind, variant := "float32", "the baseline", wire.Baseline
	time, matrix := verdictView{Class: "none", Words: "baseline"}, verdictView{Class: "none", Words: "baseline"}
	if mixed {
		name, kind, variant = report.TypeName(all.Type)+", mixed", "products in "+all.Type, wire.AMPVariant
		time, matrix = trainVerdict(all, all.Time), trainVerdict(all, all.Matrix)
	}
	cells := []goapp.UI{
		goapp.Th().Scope("row").Role("rowheader").DataSet("col", "variant").Body(
			goapp.Span().Class("variant").Body(goapp.Raw(markerSVG(variant)), goapp.Span().Text(name)),
			goapp.Small().Text(kind),
		),
		trainCell("time", 1, report.OverSeeds(trainings, func(t wire.Training) float64 { return t.Seconds }), time),
		trainCell("matrix", 2, report.OverSeeds(trainings, func(t wire.Training) float64 { return t.Matrix }), matrix),
		goapp.Td().Role("cell").DataSet("col", "accuracy").DataSet("head", trainColumns[3]).Body(accuracyLines(v)...),
		goapp.Td().Role("cell").DataSet("col", "size").DataSet("head", trainColumns[4]).Body(sizeLines(v)...),
	}
	for i, b := range timedBatches {
		cells = append(cells, goapp.Td().Role("cell").Class("latency").DataSet("col", "latency-"+strconv.Itoa(b)).DataSet("head", trainColumns[5+i]).
			Body(latencyLines(v.State, v.Cells[i])...))
	}
	return goapp.TBody().Role("rowgroup").Class("v-" + variant).Body(
		goapp.Tr().Role("row").DataSet("variant", variant).DataSet("model", r.Model).Body(cells...),
	)
}

// trainCell is how long something took, and what that is against float32's.
func trainCell(col string, column int, text string, v verdictView) goapp.UI {
	body := []goapp.UI{goapp.Span().Class("figure").Body(goapp.B().Text(text)), goapp.Span().Class("words").Body(goapp.Span().Class("verdict", v.Class).Text(v.Words))}
	if v.Interval != "" {
		body = append(body, goapp.Small().Class("interval").Text(v.Interval))
	}
	return goapp.Td().Role("cell").DataSet("col", col).DataSet("head", trainColumns[column]).Body(body...)
}

// trainVerdict words how trainings compare with float32's.
func trainVerdict(r wire.AMPRow, v *wire.Verdict) verdictView {
	switch {
	case len(r.Mixed) == 0:
		return verdictView{Class: "none"}
	case r.Emulated:
		return verdictView{Class: "none", Words: "emulated: no claim"}
	case v == nil:
		return verdictView{Class: "none", Words: "too few seeds to tell"}
	}
	return verdict(v)
}

// happened tells in words how the mixed training of the first seed went.
func happened(r wire.AMPRow) []string {
	if len(r.Mixed) == 0 || len(r.Float32) == 0 {
		return []string{sentence(r.Note)}
	}
	base, mixed := r.Float32[0], r.Mixed[0]
	out := []string{scaleWords(mixed)}
	if n, m := len(base.Curve), len(mixed.Curve); n > 0 && m > 0 {
		out = append(out, fmt.Sprintf("After %s the loss was %s in float32 and %s with mixed precision. %s",
			plural(mixed.Steps, "step"), report.Figures(base.Curve[n-1].Loss, 3), report.Figures(mixed.Curve[m-1].Loss, 3), closeWords(base, mixed)))
	}
	if p := r.Paired; p != nil && r.Total > 0 {
		answer := "alike every time"
		if n := len(p.Flipped); n > 0 {
			answer = "differently " + times(n)
		}
		out = append(out, fmt.Sprintf("On %s the two networks answer %s: %s.", plural(r.Total, "test example"), answer, chanceWords(p)))
	}
	return append(out, costWords(r, base, mixed))
}

// closeWords says how near the two losses stay to each other, which no drawing shows where one lies on the other.
func closeWords(base, mixed wire.Training) string {
	most, at := 0.0, 0
	for i := range min(len(base.Curve), len(mixed.Curve)) {
		if d := math.Abs(base.Curve[i].Loss - mixed.Curve[i].Loss); d > most {
			most, at = d, base.Curve[i].Step
		}
	}
	if at == 0 {
		return "The two losses are the same to the last digit."
	}
	return fmt.Sprintf("The two losses are never more than %s apart (at step %s).", report.Figures(most, 2), report.Count(at))
}

// scaleWords tells how the loss scale went.
func scaleWords(t wire.Training) string {
	if t.Type == wire.BFloat16 {
		return fmt.Sprintf("bfloat16 has float32’s range, up to 3.4 × 10³⁸: no gradient of the %s overflowed, and the loss needs no scale. "+
			"It pays with precision: 8 significant bits in place of 24.", plural(t.Steps, "step"))
	}
	if len(t.Curve) == 0 {
		return ""
	}
	first, last := firstScale(t), t.Curve[len(t.Curve)-1].Scale
	start := fmt.Sprintf("float16 ends at 65,504 and rounds what is below 0.00000003 to zero, so the loss was multiplied by %s to lift small gradients into its range. ",
		report.Figures(first, 1))
	if t.Skipped == 0 {
		return start + fmt.Sprintf("None of %s overflowed: every one was taken, and the scale ended at %s.", plural(t.Steps, "step"), report.Figures(last, 1))
	}
	by := 0
	for _, p := range t.Curve {
		if p.Skipped == t.Skipped {
			by = p.Step
			break
		}
	}
	return start + fmt.Sprintf("float16 overflowed %s in the first %s: those steps were skipped, each halved the scale, and it ended at %s after %s.",
		times(t.Skipped), plural(by, "step"), report.Figures(last, 1), report.Count(t.Steps))
}

// firstScale is the scale that training began with: the first point may come after a skipped step, which has halved it.
func firstScale(t wire.Training) float64 {
	p := t.Curve[0]
	scale := p.Scale
	for range min(p.Skipped, 64) {
		scale *= 2
	}
	return scale
}

// times counts occasions.
func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return report.Count(n) + " times"
}

// chanceWords says whether differing answers differ in how many are right.
func chanceWords(p *wire.Paired) string {
	if len(p.Flipped) == 0 {
		return "mixed precision cost no answer"
	}
	if p.Gained+p.Lost == 0 {
		return "then both are wrong, in different ways"
	}
	text := fmt.Sprintf("%s right with mixed precision only, %s in float32 only", report.Count(p.Gained), report.Count(p.Lost))
	if p.P < .05 {
		return text + ", more than chance would do (" + report.PValue(p.P) + ")"
	}
	return text + ", which chance alone may do (" + report.PValue(p.P) + ")"
}

// costWords says what the time means.
func costWords(r wire.AMPRow, base, mixed wire.Training) string {
	share := func(t wire.Training) string {
		if t.Seconds <= 0 {
			return report.Missing
		}
		return fmt.Sprintf("%.0f%%", 100*t.Matrix/t.Seconds)
	}
	if r.Emulated {
		return fmt.Sprintf("The products were emulated: factors are rounded to %s, then multiplied and added in float32, as an instruction for %s would do it. "+
			"The numbers are the same; the seconds say nothing of mixed precision.", report.TypeName(r.Type), report.TypeName(r.Type))
	}
	return fmt.Sprintf("Matrix products took %s of the time in float32 and %s with mixed precision, conversions included. The rest, Adam above all, is float32 in both and "+
		"bounds what faster products can gain.", share(base), share(mixed))
}

// trainWords explains what mixed precision is.
func trainWords(level int) goapp.UI {
	terms := [][2]string{
		{"Autocast", "Before each matrix product both factors are rounded to 16 bits; products are added up in float32. " +
			"Softmax, the loss and everything that adds up many small numbers stay float32."},
		{"Master weights", "Adam keeps the weights in float32 and changes those. An update is often smaller than a 16-bit weight’s last bit: added to one, it would be lost."},
		{"Loss scaling (GradScaler)", "float16 has a small range: tiny gradients would become zero. So the loss is multiplied by a large factor, and the gradients are divided by it before Adam " +
			"sees them. Where one overflows, the step is skipped and the factor halved; after 2,000 good steps it is doubled. bfloat16 needs none of this."},
	}
	var body []goapp.UI
	for _, t := range terms {
		body = append(body, goapp.Dt().Text(t[0]), goapp.Dd().Text(t[1]))
	}
	return goapp.Section().Class("section note-box train-words").Aria("labelledby", "train-how").Body(
		heading(level, "train-how", "How mixed precision works"),
		goapp.Dl().Body(body...),
	)
}
