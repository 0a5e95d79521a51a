package term

import (
	"bytes"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"

	"quantlab/core/lab/wire"
)

func TestRenderInspection(t *testing.T) {
	i := wire.Inspection{Model: "sst2-lab1", Plan: "dynamic-w8-a8r", Examples: 1, Layers: []wire.Layer{{
		Name: "layers.0", In: 14816, Out: 512, Explain: []string{strings.Repeat("A sentence. ", 20)},
	}}}
	for _, width := range []int{40, 80, 160} {
		var b bytes.Buffer
		if err := RenderInspection(&b, i, width, false); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if !strings.Contains(text, "In words") || !strings.Contains(text, "14816 → 512") {
			t.Errorf("%d columns:\n%s", width, text)
		}
		for line := range strings.Lines(text) {
			if lipgloss.Width(strings.TrimSuffix(line, "\n")) > width {
				t.Errorf("wider than %d: %q", width, line)
			}
		}
	}
}
