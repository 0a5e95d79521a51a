package term

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"

	"quantlab/core/lab/wire"
)

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
