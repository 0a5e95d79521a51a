package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

// samplePlans has one model whose plans were all tried, and one whose greedy search was all.
func samplePlans() wire.Plans {
	faster := &wire.Verdict{Word: wire.Faster, Ratio: 4, Low: 3.9, High: 4.1}
	point := func(plan string, size int64, gained, lost int, p float64, us1, us64 float64, fronts ...string) wire.PlanPoint {
		correct := 9740 + gained - lost
		accuracy := float64(correct) / 10000
		row := wire.Row{
			Model: "mnist-lab2", Variant: wire.Custom, Q: "S", DType: "mixed", Host: wire.Native, Engine: "avx512", Threads: 1, Input: wire.Dense,
			SizeBytes: size, Smaller: 5882472 / float64(size), Params: 1470474,
			Accuracy: &accuracy, Correct: correct, Total: 10000, Interval: &[2]float64{accuracy - 0.003, accuracy + 0.003},
			Paired: &wire.Paired{Gained: gained, Lost: lost, P: p},
		}
		if len(fronts) > 0 {
			row.Paired.Flipped = make([]int, gained+lost+2)
			row.LatencyUS = map[string]wire.Latency{"1": latency(us1, us1/50, faster), "64": latency(us64, us64/50, faster)}
		}
		return wire.PlanPoint{Row: row, Plan: plan, Predicted: map[string]float64{"1": us1 * 1.03, "64": us64 * 0.97}, Fronts: fronts}
	}
	plain := point("float32", 5882472, 0, 0, 1, 58, 870)
	plain.Paired, plain.Smaller = nil, 1
	plain.LatencyUS = map[string]wire.Latency{"1": latency(58, 1, nil), "64": latency(870, 9, nil)}
	s8, s4 := "static-w8c-a8r-histogram", "static-w4c-a8r-histogram"
	all := wire.PlanSearch{Model: "mnist-lab2", Schemes: []string{"float32", s8, s4}, Plans: 27, Exhaustive: true, Points: []wire.PlanPoint{
		point(s4, 752440, 5, 60, 0.0001, 14.5, 209, "1", "64"),
		point(s8+","+s4+","+s8, 962360, 14, 10, 0.54, 14.9, 214, "64"),
		point(s8, 1486648, 16, 11, 0.44, 15.6, 215),
		plain,
	}, Greedy: []string{"float32", s8 + "," + s4 + "," + s8, s4}}
	few := all
	few.Model, few.Exhaustive, few.Plans, few.Greedy = "own", false, 390625, []string{"float32"}
	return wire.Plans{
		Setting: wire.Setting{Version: "v0.1.0", Hardware: sample().Hardware, Settings: wire.Lab()}, Searches: []wire.PlanSearch{all, few}, Notes: []string{"a note"},
	}
}

func TestPlansGolden(t *testing.T) {
	golden(t, "plans.md", func(w io.Writer) error { return PlansMarkdown(w, samplePlans()) })
	golden(t, "plans.csv", func(w io.Writer) error { return PlansCSV(w, samplePlans()) })
	golden(t, "plans-empty.json", func(w io.Writer) error { return PlansJSON(w, wire.Plans{}) })
	golden(t, "plans-empty.md", func(w io.Writer) error { return PlansMarkdown(w, wire.Plans{Notes: []string{"there is no data"}}) })
}

func TestPlansSentences(t *testing.T) {
	told := strings.Join(PlansSentences(samplePlans().Searches[0]), " ")
	for _, words := range []string{
		"All 27 plans were tried; 2 are on a front.",
		"The smallest that loses no accuracy detectably is static int8 · static int4 · static int8: 0.962 MB, 6.11× smaller, 4.00× faster at batch 1",
		"The fastest at batch 1, by its mean, is all static int4",
		"goes from all float32 (5.882 MB, 9,740 right) to static int8 · static int4 · static int8 (0.962 MB, 9,744 right) to all static int4 (0.752 MB, 9,685 right).",
	} {
		if !strings.Contains(told, words) {
			t.Errorf("no %q in %q", words, told)
		}
	}
	told = strings.Join(PlansSentences(samplePlans().Searches[1]), " ")
	if !strings.Contains(told, "4 of 390,625 plans were tried, those that a greedy search came by") || strings.Contains(told, "goes from") {
		t.Errorf("%q", told)
	}
	if told := PlansSentences(wire.PlanSearch{}); told != nil {
		t.Errorf("of nothing: %q", told)
	}
}

func TestPlansParts(t *testing.T) {
	whole := PlansTable(samplePlans().Searches[0], Models())
	parts := PlansParts(whole)
	var keys []string
	for _, p := range parts {
		for _, c := range p.Columns {
			keys = append(keys, c.Key)
		}
		if len(p.Rows) != 2 || len(p.Rows[0]) != len(p.Columns) {
			t.Errorf("%+v", p)
		}
	}
	for _, c := range whole.Columns {
		if !slices.Contains(keys, c.Key) {
			t.Errorf("column %s is in no part", c.Key)
		}
	}
}

// A file of another program can hold anything.
func TestHostilePlans(t *testing.T) {
	p := samplePlans()
	q := &p.Searches[0].Points[0]
	q.Plan, q.Paired, q.Accuracy, q.Predicted = "=cmd|x", nil, nil, map[string]float64{"x|y": -1}
	p.Searches[0].Greedy = []string{"a", "b"}
	for _, write := range []func(io.Writer, wire.Plans) error{PlansMarkdown, PlansCSV, PlansJSON} {
		var b strings.Builder
		if err := write(&b, p); err != nil {
			t.Error(err)
		}
	}
	var b strings.Builder
	_ = PlansCSV(&b, p)
	if lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll(); err != nil || lines[1][0] != "'=cmd|x" {
		t.Errorf("%v, %q", err, lines)
	}
}
