package term

import (
	"bytes"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/roofline"
)

func sampleRoofline() roofline.Report {
	p := &wire.Peaks{Engine: "avx2", Threads: 1, Float32: 58.5, Float16: 40, Int8: 117, Read: []wire.Bandwidth{{Bytes: 1626112, GBs: 101}}}
	var rows []wire.Row
	for _, model := range []string{"mnist-lab1", "mnist-lab2"} {
		for i, v := range wire.VariantIDs() {
			rows = append(rows, wire.Row{
				Model: model, Variant: v, Host: wire.Native, Engine: "avx2", Threads: 1, Input: wire.Dense,
				LatencyUS: map[string]wire.Latency{"1": {Fastest: 70 / float64(i+1)}, "64": {Fastest: 2000}},
			})
		}
	}
	return roofline.Report{
		Hardware: wire.Hardware{Host: wire.Native, CPU: "\x1b[2Jcpu"}, Settings: wire.Lab(), Peaks: p, Cells: roofline.Cells(rows, nn.CatalogOf(nil), p),
		Layers: roofline.Layers([]wire.LayerTime{{In: 784, Out: 512, Variant: "fp32", Batch: 1, TimeUS: 17, Peak: 58.5, Bandwidth: 101}}),
		Notes:  []string{"a note"},
	}
}

// Whatever the window's width, no line is wider, and no figure is lost.
func TestRooflineFits(t *testing.T) {
	for width := minWidth; width <= 220; width += 1 + width/12 {
		var plain, colored bytes.Buffer
		if err := RenderRoofline(&plain, sampleRoofline(), width, false); err != nil {
			t.Fatal(err)
		}
		if err := RenderRoofline(&colored, sampleRoofline(), width, true); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{plain.String(), colored.String()} {
			for line := range strings.Lines(text) {
				if w := lipgloss.Width(strings.TrimSuffix(line, "\n")); w > width {
					t.Fatalf("width %d: a line of %d: %q", width, w, line)
				}
			}
		}
		if strings.ContainsRune(plain.String(), '\x1b') || !strings.Contains(colored.String(), "\x1b[32m") {
			t.Errorf("width %d: colour where none was asked for, or none", width)
		}
		flat := strings.Join(strings.Fields(plain.String()), " ")
		for _, figure := range []string{"58.5", "94.4 of 101", "94%", "1.6 MB of weights at", "a note"} {
			if !strings.Contains(flat, figure) {
				t.Errorf("width %d lacks %q:\n%s", width, figure, plain.String())
			}
		}
	}
	var wide bytes.Buffer
	if err := RenderRoofline(&wide, sampleRoofline(), 160, false); err != nil || !strings.Contains(wide.String(), "███") {
		t.Errorf("no bars: %s, error %v", wide.String(), err)
	}
	var empty bytes.Buffer
	if err := RenderRoofline(&empty, roofline.Report{Notes: []string{"a note"}}, 80, false); err != nil || strings.Contains(empty.String(), "In words") || !strings.Contains(empty.String(), "a note") {
		t.Errorf("nothing measured: %s, error %v", empty.String(), err)
	}
	if err := RenderRoofline(full{}, sampleRoofline(), 80, false); err == nil {
		t.Error("no error on a full disk")
	}
}
