package term

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

var update = flag.Bool("update", false, "write the golden files anew")

// read reads a result that package report's tests wrote. Several are put into one.
func read(t testing.TB, name string) wire.Result {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var results []wire.Result
	if data[0] == '{' {
		data = []byte("[" + string(data) + "]")
	}
	if err := json.Unmarshal(data, &results); err != nil {
		t.Fatal(err)
	}
	for _, r := range results[1:] {
		results[0].Rows = append(results[0].Rows, r.Rows...)
	}
	return results[0]
}

func draw(t testing.TB, r wire.Result, width int, color bool) string {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, r, width, color); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, name := range []string{"native", "missing", "both"} {
		for _, width := range []int{50, 80, 100, 140, 180} {
			path := filepath.Join("testdata", fmt.Sprintf("%s-%d.txt", name, width))
			got := draw(t, read(t, name), width, false)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs; look at it, then go test -update. Got:\n%s", path, got)
			}
		}
	}
}

// Whatever the window's width, no line is wider, and no figure is lost or cut.
func TestEverythingFits(t *testing.T) {
	for _, name := range []string{"native", "missing", "both", "hostile"} {
		r := read(t, name)
		for width := minWidth; width <= 220; width += 1 + width/12 {
			for _, color := range []bool{false, true} {
				text := draw(t, r, width, color)
				for line := range strings.Lines(text) {
					if w := lipgloss.Width(strings.TrimSuffix(line, "\n")); w > width {
						t.Fatalf("%s, width %d: a line of %d: %q", name, width, w, line)
					}
				}
				if name != "native" || color {
					continue
				}
				flat := strings.Join(strings.Fields(text), " ")
				for _, figure := range []string{"1.629", "3.98×", "97.06%", "96.73, 97.39", "17.0 ± 0.4", "453.2 ± 2.3", "12,411 ± 35", "7.59× slower", "p < 0.001"} {
					if !strings.Contains(flat, figure) {
						t.Errorf("width %d lacks %q", width, figure)
					}
				}
			}
		}
	}
}

func TestManyBatchesAreStacked(t *testing.T) {
	r := read(t, "native")
	for i := range r.Rows {
		for _, b := range []string{"2", "4", "8", "16", "32", "256"} {
			r.Rows[i].LatencyUS[b] = r.Rows[i].LatencyUS["64"]
		}
	}
	text := draw(t, r, 80, false)
	for _, b := range []string{"1", "2", "256"} {
		if n := strings.Count(text, "Batch "+b+", µs"); n != 2 {
			t.Errorf("batch %s heads %d columns, want one a data set", b, n)
		}
	}
	if strings.Index(text, "Batch 8,") > strings.Index(text, "Batch 16,") {
		t.Error("batches are not in order")
	}
}

func TestColorOnlyWhereAsked(t *testing.T) {
	r := read(t, "native")
	plain, colored := draw(t, r, 120, false), draw(t, r, 120, true)
	if strings.ContainsRune(plain, '\x1b') {
		t.Error("escape sequences without colour")
	}
	if !strings.Contains(colored, "\x1b[32m") || !strings.Contains(colored, "\x1b[31m") {
		t.Error("faster is not green, or slower is not red")
	}
	unpadded := func(s string) string {
		var b strings.Builder
		for line := range strings.Lines(s) {
			b.WriteString(strings.TrimRight(line, " \n") + "\n")
		}
		return b.String()
	}
	if unpadded(ansi.Strip(colored)) != plain {
		t.Error("the coloured text is not the plain text")
	}
}

// Text from elsewhere must not steer the terminal.
func TestForeignTextStaysText(t *testing.T) {
	r := read(t, "hostile")
	r.Hardware.CPU = "\x1b[2J\x1b]0;owned\x07 \u202ecpu\u009b31m"
	r.Rows[0].DType, r.Rows[0].Note, r.Rows[0].Model = "\x1b[31mred", "a\x1b[H\nb\tc", "m\x08\x08x"
	r.Version, r.Notes = "\x1bc", []string{"\x1b[5m"}
	for _, width := range []int{30, 80, 160} {
		for _, c := range draw(t, r, width, false) {
			if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
				t.Errorf("control character %q on the terminal", c)
			}
		}
	}
}

func TestColor(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if Color(f) || Width(f) != DefaultWidth {
		t.Error("a file is no terminal")
	}
}

func TestRenderReportsErrors(t *testing.T) {
	r := read(t, "native")
	if err := Render(full{}, r, 80, false); err == nil {
		t.Error("no error on a full disk")
	}
	if err := RenderHardware(full{}, r.Hardware, 80, false); err == nil {
		t.Error("no error on a full disk")
	}
	if text := draw(t, wire.Result{}, 0, false); !strings.Contains(text, "There are no rows.") {
		t.Errorf("an empty result reads %q", text)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// The line over a model of the reader's own tells its layers, as that over one of the lab's does.
func TestOwnModelsHaveShapes(t *testing.T) {
	r := read(t, "native")
	spec := nn.Spec{ID: "mine", Own: true, Data: nn.MNIST, Crop: 2, In: 4, Hidden: []int{3}, Out: 10}
	r.Settings.Own = &wire.Own{Models: []wire.OwnModel{{Spec: spec}}}
	r.Settings.Models = append(r.Settings.Models, spec.ID)
	r.Rows = append(r.Rows, wire.Row{Model: spec.ID, Variant: wire.Baseline, Host: wire.Native, Params: spec.Params()})
	if text := draw(t, r, 140, false); !strings.Contains(text, "mine  4 – 3 – 10, 55 parameters") {
		t.Error(text)
	}
}
