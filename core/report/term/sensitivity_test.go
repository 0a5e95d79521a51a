package term

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"

	"quantlab/core/lab/wire"
)

// TestRenderSensitivity draws package report's sample in windows of several widths: in one table, or in pieces that each name
// their rows.
func TestRenderSensitivity(t *testing.T) {
	data, err := os.ReadFile("../testdata/sensitivity.json")
	if err != nil {
		t.Fatal(err)
	}
	var s wire.Sensitivity
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	for width, pieces := range map[int]int{240: 1, 130: 3, 80: 5, 30: 5} {
		var b bytes.Buffer
		if err := RenderSensitivity(&b, s, width, false); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for line := range strings.Lines(text) {
			if lipgloss.Width(strings.TrimSuffix(line, "\n")) > width {
				t.Errorf("wider than %d: %q", width, line)
			}
		}
		if width > 30 && (strings.Count(text, "mnist-lab2 can't bear quantization") != pieces || !strings.Contains(strings.Join(strings.Fields(text), " "), "layers.2 in float32 wins 45")) {
			t.Errorf("%d columns, not in %d pieces:\n%s", width, pieces, text)
		}
		path := filepath.Join("testdata", fmt.Sprintf("sensitivity-%d.txt", width))
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(path); err != nil || text != string(want) {
			t.Errorf("%s differs (go test -update writes it anew): %v\n%s", path, err, text)
		}
	}
}
