package term

import (
	"bytes"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"

	"quantlab/core/lab/wire"
)

func TestRenderAMP(t *testing.T) {
	training := wire.Training{Model: "sst2-lab1", Type: wire.Float16, Seconds: 2, Matrix: 1, Steps: 674, Curve: []wire.CurvePoint{{Step: 674, Loss: 0.25, Scale: 65536}}}
	a := wire.AMP{
		Options: wire.AMPOptions{Type: wire.Float16, Seeds: 1}, Notes: []string{"a note"},
		Rows: []wire.AMPRow{{Row: wire.Row{Model: "sst2-lab1", Note: "emulated"}, Type: wire.Float16, Emulated: true, Float32: []wire.Training{training}, Mixed: []wire.Training{training}}},
	}
	for _, width := range []int{40, 80, 160} {
		var b bytes.Buffer
		if err := RenderAMP(&b, a, width, false); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, want := range []string{"Every training", "65,536", "a note"} {
			if !strings.Contains(text, want) {
				t.Errorf("%d columns: no %q in\n%s", width, want, text)
			}
		}
		for line := range strings.Lines(text) {
			if lipgloss.Width(strings.TrimSuffix(line, "\n")) > width {
				t.Errorf("wider than %d: %q", width, line)
			}
		}
	}
}
