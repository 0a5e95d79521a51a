package term

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// TestInColumns: pieces each name their rows and keep a batch size together; where no piece fits, rows are running text.
func TestInColumns(t *testing.T) {
	table := report.PlainTable{Title: "Times", Rows: [][]string{{"a plan", "9.9", "14.3", "14.9"}}, Columns: []report.Column{
		{Key: "plan", Title: "Plan"}, {Key: "size", Title: "Size of the file"}, {Key: "predicted-1", Title: "Predicted"}, {Key: "latency-1", Title: "Measured"},
	}}
	for width, want := range map[int]string{
		60: "Times Plan Size of the file Predicted Measured a plan 9.9 14.3 14.9",
		30: "Times Plan Size of the file a plan 9.9 Times, continued Plan Predicted Measured a plan 14.3 14.9",
		20: "Times • Plan: a plan, Size of the file: 9.9, Predicted: 14.3, Measured: 14.9",
	} {
		var b bytes.Buffer
		d := newDrawing(width, false)
		d.inColumns(table, 1)
		if err := d.flush(&b); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(b.String(), "─", "")
		if got := strings.Join(strings.Fields(text), " "); got != want {
			t.Errorf("%d columns: %q, want %q", width, got, want)
		}
	}
}

// Whatever the window's width, no line is wider, and no figure is lost.
func TestPlansAndSweepFit(t *testing.T) {
	accuracy := 0.974
	row := wire.Row{Model: "mnist-lab2", Variant: wire.Custom, SizeBytes: 962360, Smaller: 6.11, Accuracy: &accuracy, Correct: 9740, Total: 10000,
		LatencyUS: map[string]wire.Latency{"1": {Mean: 14.9, Std: 0.2, Samples: []float64{14.7, 15.1}}}}
	plans := wire.Plans{Notes: []string{"a note"}, Searches: []wire.PlanSearch{{Model: "mnist-lab2", Plans: 27, Exhaustive: true, Points: []wire.PlanPoint{
		{Row: row, Plan: "static-w8c-a8r-histogram,float32,float16", Predicted: map[string]float64{"1": 14.3}, Fronts: []string{"1"}},
	}}}}
	sweep := wire.Sweep{Notes: []string{"a note"},
		Points:  []wire.SweepPoint{{Model: "mnist-lab2", Plan: "static-w8c-a8r-histogram", Examples: 512, Seed: 1, Correct: 9740, Total: 10000, Differ: 31}},
		Spreads: []wire.SweepSpread{{Model: "mnist-lab2", Examples: 512, Seeds: 2, Mean: 0.9741, Std: 0.0004, Lowest: 0.974, Highest: 0.9742, Baseline: 0.974, Sampling: 0.0005}},
	}
	for width := 20; width <= 200; width += 12 {
		for figures, render := range map[string]func(io.Writer) error{
			"0.962 14.9 14.3 97.40% a note": func(w io.Writer) error { return RenderPlans(w, plans, width, false) },
			"97.41% 0.04 0.05 31 a note":    func(w io.Writer) error { return RenderSweep(w, sweep, width, false) },
		} {
			var b bytes.Buffer
			if err := render(&b); err != nil {
				t.Fatal(err)
			}
			for _, figure := range strings.Fields(figures) {
				if !strings.Contains(b.String(), figure) {
					t.Errorf("width %d lacks %q:\n%s", width, figure, b.String())
				}
			}
			for line := range strings.Lines(b.String()) {
				if w := lipgloss.Width(strings.TrimSuffix(line, "\n")); w > width {
					t.Fatalf("width %d: a line of %d: %q", width, w, line)
				}
			}
		}
	}
}
