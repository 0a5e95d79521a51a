package report

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// FrontPoints returns the plans of a search that are on a front, the smallest first.
func FrontPoints(s wire.PlanSearch) []wire.PlanPoint {
	return slices.DeleteFunc(slices.Clone(s.Points), func(p wire.PlanPoint) bool { return len(p.Fronts) == 0 })
}

// rowsOf returns the points' rows.
func rowsOf(points []wire.PlanPoint) []wire.Row {
	var rows []wire.Row
	for _, p := range points {
		rows = append(rows, p.Row)
	}
	return rows
}

// PlansTable tells of the plans that a search found worth having, of one of these models: those that no other one beats.
func PlansTable(s wire.PlanSearch, models nn.Catalog) PlainTable {
	points := FrontPoints(s)
	rows := rowsOf(points)
	batches := batchesOf(points)
	t := PlainTable{
		Title: "Plans of " + s.Model + " worth having",
		Caption: "On the front of a batch size is a plan if no other one is as small, as accurate and, as predicted, as fast there, and better in one. " +
			"A prediction is the sum of the layers' own times. " + caption(models, DataOf(models, s.Model), rows),
	}
	worth := append(sizes(rows), Column{Key: "smaller", Title: "Smaller", Right: true},
		Column{Key: "accuracy", Title: "Accuracy [95% interval]"}, Column{Key: "flips", Title: "Answers against float32"})
	t.Columns = append([]Column{{Key: "plan", Title: "Plan"}}, worth...)
	for _, b := range batches {
		t.Columns = append(t.Columns, Column{Key: "predicted-" + b, Title: "Batch " + b + ", predicted (µs)", Right: true},
			Column{Key: "latency-" + b, Title: "Measured (µs)", Right: true}, Column{Key: "verdict-" + b, Title: "against float32"})
	}
	t.Columns = append(t.Columns, Column{Key: "fronts", Title: "On the front of"})
	oneN := len(runCounts(rows)) <= 1
	for _, p := range points {
		line := []string{ShortPlan(p.Plan)}
		for _, c := range worth {
			line = append(line, cell(p.Row, c.Key, oneN))
		}
		for _, b := range batches {
			line = append(line, Figures(p.Predicted[b], 3), cell(p.Row, "latency-"+b, oneN), planVerdict(p, b))
		}
		t.Rows = append(t.Rows, append(line, "batch "+strings.Join(p.Fronts, " and ")))
	}
	return t
}

// PlansParts cuts the table in two that are narrower: what a plan is worth, and how long it takes.
func PlansParts(t PlainTable) []PlainTable {
	worth, time := []string{}, []string{"plan"}
	for _, c := range t.Columns {
		if strings.Contains(c.Key, "-") {
			time = append(time, c.Key)
		} else {
			worth = append(worth, c.Key)
		}
	}
	first, second := t.Select(worth...), t.Select(time...)
	second.Title, second.Caption = t.Title+": time", ""
	return []PlainTable{first, second}
}

// planVerdict words the verdict at a batch size without its interval.
func planVerdict(p wire.PlanPoint, batch string) string {
	l, ok := p.LatencyUS[batch]
	switch {
	case !ok:
		return Missing
	case l.Verdict != nil:
		return Verdict(l.Verdict)
	case p.Plan == "float32":
		return "baseline"
	}
	return "too few runs to tell"
}

// batchesOf returns the batch sizes that latencies were predicted at, ascending.
func batchesOf(points []wire.PlanPoint) []string {
	sizes := map[string]wire.Latency{}
	for _, p := range points {
		for b := range p.Predicted {
			sizes[b] = wire.Latency{}
		}
	}
	return Batches(wire.Row{LatencyUS: sizes})
}

// PlansSentences says in plain words which of a model's plans to take.
func PlansSentences(s wire.PlanSearch) []string {
	best := FrontPoints(s)
	if len(best) == 0 {
		return nil
	}
	tried := fmt.Sprintf("All %s plans were tried", Count(s.Plans))
	if !s.Exhaustive {
		tried = fmt.Sprintf("%s of %s plans were tried, those that a greedy search came by", Count(len(s.Points)), Count(s.Plans))
	}
	out := []string{fmt.Sprintf("%s; %s %s.", tried, Count(len(best)), plural(len(best), "is on a front", "are on a front"))}
	if p, ok := smallestKept(s.Points); ok {
		out = append(out, fmt.Sprintf("The smallest that loses no accuracy detectably is %s: %s MB, %s smaller%s; %s.",
			ShortPlan(p.Plan), MB(p.SizeBytes), Times(p.Smaller, 0), fasterBy(p), Flips(p.Paired)))
	}
	for _, b := range batchesOf(best) {
		p := slices.MinFunc(best, func(x, y wire.PlanPoint) int { return cmp.Compare(x.LatencyUS[b].Mean, y.LatencyUS[b].Mean) })
		if l, ok := p.LatencyUS[b]; ok {
			text := fmt.Sprintf("The fastest at batch %s, by its mean, is %s: %s µs", b, ShortPlan(p.Plan), PlusMinus(l.Mean, l.Std))
			if l.Verdict != nil {
				text += ", " + Verdict(l.Verdict)
			}
			out = append(out, text+"; "+accuracy(p.Row)+".")
		}
	}
	return append(out, greedyWords(s)...)
}

// smallestKept returns the smallest plan whose accuracy is not detectably less than float32's. It is on a front, unless a plan as small is
// better.
func smallestKept(points []wire.PlanPoint) (wire.PlanPoint, bool) {
	for _, p := range points {
		if q := p.Paired; q != nil && (q.P >= Significant || q.Gained >= q.Lost) {
			return p, true
		}
	}
	return wire.PlanPoint{}, false
}

// fasterBy tells a plan's verdicts: " and 1.7× faster at batch 1".
func fasterBy(p wire.PlanPoint) string {
	var parts []string
	for _, b := range Batches(p.Row) {
		if v := p.LatencyUS[b].Verdict; v != nil && v.Word != wire.NoDifference {
			parts = append(parts, Verdict(v)+" at batch "+b)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ", " + strings.Join(parts, ", ")
}

// greedyWords tells the way of the greedy search.
func greedyWords(s wire.PlanSearch) []string {
	if len(s.Greedy) < 2 {
		return nil
	}
	var steps []string
	for _, plan := range s.Greedy {
		text := ShortPlan(plan)
		if i := slices.IndexFunc(s.Points, func(p wire.PlanPoint) bool { return p.Plan == plan }); i >= 0 {
			text += fmt.Sprintf(" (%s MB, %s right)", MB(s.Points[i].SizeBytes), Count(s.Points[i].Correct))
		}
		steps = append(steps, text)
	}
	return []string{"One layer at a time, by what is saved for each answer lost, the greedy search goes from " + strings.Join(steps, " to ") + "."}
}

// PlansNotes returns what the reader must know of the whole and of single rows.
func PlansNotes(p wire.Plans) []string {
	var rows []wire.Row
	for _, s := range p.Searches {
		rows = append(rows, rowsOf(FrontPoints(s))...)
	}
	return append(outlierNotes(rows), p.Notes...)
}

// PlansJSON writes an object with the fields version, hardware, settings, searches and notes.
func PlansJSON(w io.Writer, p wire.Plans) error {
	if p.Searches == nil {
		p.Searches = []wire.PlanSearch{}
	}
	return encode(w, p)
}

// PlansCSV writes lines like CSV's for every plan that was tried, one a batch size, with the plan in front; behind, the predicted
// latency, whether the front of that batch size holds the plan, and the plan's place on the greedy search's way.
func PlansCSV(w io.Writer, p wire.Plans) error {
	lines := [][]string{append(append([]string{"plan"}, csvHeader...), "predicted_us", "on_front", "greedy_step")}
	for _, s := range p.Searches {
		batches := batchesOf(s.Points)
		for _, q := range s.Points {
			step := ""
			if i := slices.Index(s.Greedy, q.Plan); i >= 0 {
				step = strconv.Itoa(i)
			}
			for _, b := range batches {
				line := append([]string{harmless(q.Plan)}, csvLine(settingOf(p.Setting), q.Row, b)...)
				predicted, ok := q.Predicted[b]
				lines = append(lines, append(line, number(predicted, ok), strconv.FormatBool(slices.Contains(q.Fronts, b)), step))
			}
		}
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// PlansMarkdown writes each model's table and what it comes to in plain words.
func PlansMarkdown(w io.Writer, p wire.Plans) error {
	var b strings.Builder
	b.WriteString("# Plans worth having\n\n" + escape(SettingText(p.Setting)) + "\n\n")
	markdownHardware(&b, p.Hardware)
	for _, s := range p.Searches {
		markdownPlain(&b, PlansTable(s, Models(p.Settings)))
		markdownList(&b, PlansSentences(s))
	}
	markdownNotes(&b, PlansNotes(p))
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}
