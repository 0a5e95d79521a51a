package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/build"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares what write writes with testdata/name.
func golden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s differs; look at it, then go test -update. Got:\n%s", path, b.String())
	}
}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name    string
		results []wire.Result
	}{
		{"native", []wire.Result{sample()}},
		{"missing", []wire.Result{missingData()}},
		{"both", []wire.Result{sample(), inBrowser()}},
		{"hostile", []wire.Result{hostile()}},
		{"empty", []wire.Result{{Settings: wire.Lab(), Rows: []wire.Row{}}}},
	} {
		golden(t, tt.name+".md", func(w io.Writer) error { return Markdown(w, tt.results...) })
		golden(t, tt.name+".csv", func(w io.Writer) error { return CSV(w, tt.results...) })
	}
	golden(t, "native.json", func(w io.Writer) error { return JSON(w, sample()) })
	golden(t, "missing.json", func(w io.Writer) error { return JSON(w, missingData()) })
	golden(t, "hostile.json", func(w io.Writer) error { return JSON(w, hostile()) })
	golden(t, "both.json", func(w io.Writer) error { return JSON(w, sample(), inBrowser()) })
	golden(t, "hardware.md", func(w io.Writer) error { return HardwareMarkdown(w, inBrowser().Hardware) })
	golden(t, "hardware.csv", func(w io.Writer) error { return HardwareCSV(w, hostile().Hardware) })
	golden(t, "hardware.json", func(w io.Writer) error { return HardwareJSON(w, sample().Hardware) })
}

func TestTablesAreTheLabs(t *testing.T) {
	r := sample()
	slices.Reverse(r.Rows) // rows may come in any order
	tables := Tables(r)
	if len(tables) != 2 || tables[0].Title != "MNIST" || tables[1].Title != "SST-2" {
		t.Fatalf("%d tables: %+v", len(tables), tables)
	}
	m := tables[0]
	if m.Column("where") >= 0 {
		t.Error("one host, but a column says where")
	}
	want := []string{"mnist-lab1", "--", "float32", "1.629", "1.630", "1.00×", "407,050", "97.06% [96.73, 97.39]", "9,706 of 10,000", "baseline",
		"17.0 ± 0.4", "baseline", "453.2 ± 2.3", "baseline"}
	if !reflect.DeepEqual(m.Rows[0].Cells, want) {
		t.Errorf("first row %q, want %q", m.Rows[0].Cells, want)
	}
	var order []string
	for _, row := range m.Rows {
		order = append(order, row.Model+" "+row.Variant)
		if len(row.Cells) != len(m.Columns) {
			t.Errorf("%d cells under %d columns", len(row.Cells), len(m.Columns))
		}
	}
	if !slices.IsSorted(order[:1]) || order[0] != "mnist-lab1 fp32" || order[3] != "mnist-lab1 static-qint8" || order[4] != "mnist-lab2 fp32" {
		t.Errorf("rows in the order %q", order)
	}
	if got := m.Rows[1].Cells[m.Column("verdict-64")]; got != "no difference detected" {
		t.Errorf("float16 at batch 64: %q", got)
	}
	if got := tables[1].Rows[1].Cells[tables[1].Column("verdict-64")]; got != "7.59× slower (7.57–7.62×)" {
		t.Errorf("static int8 at batch 64: %q", got)
	}
	if !strings.Contains(m.Caption, "n = 5 runs") || !strings.Contains(m.Caption, "10,000 test images") || !strings.Contains(m.Caption, "Engine portable, 1 thread, dense input") {
		t.Errorf("caption %q", m.Caption)
	}
	if len(m.Notes) != 1 || !strings.Contains(m.Notes[0], "1 of 5") {
		t.Errorf("the outlier is not flagged: %q", m.Notes)
	}
}

func TestHostsStandSideBySide(t *testing.T) {
	m := Tables(sample(), inBrowser())[0]
	where, dtype := m.Column("where"), m.Column("dtype")
	if where < 0 {
		t.Fatal("two hosts, but no column says where")
	}
	for i, want := range []string{"browser float32", "native float32", "browser float16", "native float16"} {
		if got := m.Rows[i].Cells[where] + " " + m.Rows[i].Cells[dtype]; got != want {
			t.Errorf("row %d is %s, want %s", i, got, want)
		}
	}
	// The hosts made different numbers of runs, so each cell says its own.
	l := m.Column("latency-1")
	if got := m.Rows[0].Cells[l] + ", " + m.Rows[1].Cells[l]; got != "153 ± 8 (n = 3), 17.0 ± 0.4 (n = 5)" {
		t.Errorf("batch 1: %s", got)
	}
	if !strings.Contains(m.Caption, "Browser: engine portable, 1 thread, dense input; native: engine portable") {
		t.Errorf("caption %q", m.Caption)
	}
}

func TestMissingDataIsSaid(t *testing.T) {
	s := Tables(missingData())[1]
	accuracy := s.Column("accuracy")
	for _, row := range s.Rows {
		if got := row.Cells[accuracy]; got != "not measured here: SST-2 missing" {
			t.Errorf("%s, %s: accuracy %q", row.Model, row.Variant, got)
		}
	}
	if got := s.Rows[0].Cells[s.Column("latency-1")]; s.Rows[0].Model != "sst2-lab1" || got != Missing {
		t.Errorf("the skipped model has latency %q", got)
	}
	if !slices.Contains(s.Notes, "sst2-lab2: latency was measured on made-up inputs") {
		t.Errorf("notes %q", s.Notes)
	}
	if notes := Tables(sample())[1].Notes; len(notes) != 0 {
		t.Errorf("nothing is missing, but: %q", notes)
	}
}

func TestOneRunHasNoVerdict(t *testing.T) {
	r := sample()
	for i := range r.Rows {
		for b, l := range r.Rows[i].LatencyUS {
			l.Samples, l.Std, l.Verdict, l.Outliers = l.Samples[:1], 0, nil, nil
			r.Rows[i].LatencyUS[b] = l
		}
	}
	m := Tables(r)[0]
	if got := m.Rows[1].Cells[m.Column("latency-1")] + ", " + m.Rows[1].Cells[m.Column("verdict-1")]; got != "9.953, too few runs to tell" {
		t.Errorf("one run reads %q", got)
	}
	if !strings.Contains(m.Caption, "n = 1 run.") {
		t.Errorf("caption %q", m.Caption)
	}
}

func TestCSVReadsBack(t *testing.T) {
	var b bytes.Buffer
	if err := CSV(&b, sample(), hostile(), missingData()); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	// 8 rows by 2 batches, 1 by 2, and 8 by 2 plus one without latencies.
	if want := 1 + 16 + 2 + 17; len(lines) != want {
		t.Errorf("%d lines, want %d", len(lines), want)
	}
	at := func(line int, column string) string { return lines[line][slices.Index(lines[0], column)] }
	if at(0, "mean_us") != "mean_us" {
		t.Error("no header")
	}
	want := sample().Rows[0]
	for column, v := range map[string]float64{
		"mean_us": want.LatencyUS["64"].Mean, "std_us": want.LatencyUS["64"].Std, "accuracy": *want.Accuracy, "accuracy_low": want.Interval[0],
		"batch": 64, "runs": 5, "size_bytes": float64(want.SizeBytes), "correct": 9706,
	} {
		if got, err := strconv.ParseFloat(at(2, column), 64); err != nil || got != v {
			t.Errorf("%s is %q, want %v exactly", column, at(2, column), v)
		}
	}
	if got := len(strings.Fields(at(2, "samples_us"))); got != 5 {
		t.Errorf("%d samples", got)
	}
	for i, line := range lines {
		for j, cell := range line {
			if cell != "" && cell != "--" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
				t.Errorf("line %d, %s: a spreadsheet would run %q", i, lines[0][j], cell)
			}
		}
	}
}

func TestJSONHasTheDocumentedFields(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, sample()); err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"rows", "hardware", "settings", "version"} {
		if _, ok := v[field]; !ok {
			t.Errorf("the result lacks %s", field)
		}
	}
	row := v["rows"].([]any)[0].(map[string]any)
	for _, field := range []string{"model", "variant", "q", "dtype", "size_bytes", "params", "accuracy", "correct", "total", "latency_us"} {
		if _, ok := row[field]; !ok {
			t.Errorf("the row lacks %s", field)
		}
	}
	cell := row["latency_us"].(map[string]any)["64"].(map[string]any)
	for _, field := range []string{"mean", "std", "median", "samples"} {
		if _, ok := cell[field]; !ok {
			t.Errorf("the latency lacks %s", field)
		}
	}
	var back wire.Result
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || !reflect.DeepEqual(back, sample()) {
		t.Errorf("the result does not read back: %v", err)
	}

	b.Reset()
	if err := JSON(&b, sample(), inBrowser()); err != nil {
		t.Fatal(err)
	}
	var both []wire.Result
	if err := json.Unmarshal(b.Bytes(), &both); err != nil || len(both) != 2 || both[1].Hardware.Browser != "Chromium 156" {
		t.Errorf("two results: %v, %d", err, len(both))
	}
	b.Reset()
	if err := JSON(&b); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("no results: %v, %q", err, b.String())
	}
}

func TestDamagedFigures(t *testing.T) {
	r := sample()
	nan := math.NaN()
	r.Rows[1].Accuracy, r.Rows[1].Interval, r.Rows[1].Smaller = &nan, &[2]float64{nan, nan}, math.Inf(1)
	l := r.Rows[1].LatencyUS["1"]
	l.Mean, l.Std, l.Verdict = nan, nan, &wire.Verdict{Word: "odd", Ratio: nan, Low: nan, High: nan}
	r.Rows[1].LatencyUS["1"], r.Rows[1].LatencyUS["x"] = l, l
	r.Rows = append(r.Rows, wire.Row{})
	for _, write := range []func(io.Writer, ...wire.Result) error{Markdown, CSV} {
		var b bytes.Buffer
		if err := write(&b, r); err != nil || strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
			t.Errorf("error %v, %s", err, b.String())
		}
	}
	if err := JSON(io.Discard, r); err == nil {
		t.Error("JSON can't hold NaN, but there was no error")
	}
}

func TestHardwareRows(t *testing.T) {
	get := func(h wire.Hardware) string {
		var b strings.Builder
		for _, r := range HardwareRows(h) {
			fmt.Fprintf(&b, "%s: %s\n", r[0], r[1])
		}
		return b.String()
	}
	no := false
	for _, tt := range []struct {
		name  string
		h     wire.Hardware
		wants []string
	}{
		{"nothing known", wire.Hardware{Host: wire.Native}, []string{"CPU: unknown\n", "Memory: unknown\n", "Accelerator: unknown\n"}},
		{"GPU", wire.Hardware{Host: wire.Native, Accelerator: "NVIDIA L4", Cores: 1, Threads: 1, CPU: "X"},
			[]string{"Accelerator: NVIDIA L4 (not used: everything runs on the CPU)\n", "CPU: X (1 core, 1 hardware thread usable)\n"}},
		{"engines", wire.Hardware{Host: wire.Native, Engine: "avx2", Engines: []string{"portable", "avx2", "avx512"}}, []string{"Kernel engine: avx2 (also here: portable, avx512)\n"}},
		{"browser", inBrowser().Hardware, []string{"Browser: Chromium 156\n", "CPU: 4 logical cores, model not told by browsers\n", "SIMD: 128 bit, relaxed\n", "Clock: steps of 5 µs, page is cross-origin isolated\n"}},
		{"bare browser", wire.Hardware{Host: wire.Browser, Isolated: &no, ClockNS: 1e5}, []string{"Browser: unknown\n", "Memory: not told by browsers\n", "steps of 100 µs, page is not cross-origin isolated"}},
	} {
		got := get(tt.h)
		for _, want := range tt.wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %q:\n%s", tt.name, want, got)
			}
		}
	}
}

// failing fails to take the nth write.
type failing struct{ n int }

func (f *failing) Write(p []byte) (int, error) {
	if f.n--; f.n < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestWritersReportErrors(t *testing.T) {
	r := sample()
	for name, write := range map[string]func(io.Writer) error{
		"Markdown": func(w io.Writer) error { return Markdown(w, r) }, "CSV": func(w io.Writer) error { return CSV(w, r) },
		"JSON": func(w io.Writer) error { return JSON(w, r) }, "HardwareMarkdown": func(w io.Writer) error { return HardwareMarkdown(w, r.Hardware) },
		"HardwareCSV": func(w io.Writer) error { return HardwareCSV(w, r.Hardware) }, "HardwareJSON": func(w io.Writer) error { return HardwareJSON(w, r.Hardware) },
	} {
		if err := write(&failing{}); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("%s on a full disk: %v", name, err)
		}
	}
}

// The page links this package: it must stay as light as its imports.
func TestImportsStayLight(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range p.Imports {
		light := slices.Contains([]string{"quantlab/core/nn", "quantlab/core/scheme", "quantlab/core/lab/wire", "quantlab/core/roofline"}, path)
		if strings.Contains(path, ".") || strings.HasPrefix(path, "quantlab/") && !light {
			t.Errorf("package report imports %s", path)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("a|b\n- c", "=1+1")
	f.Add("<b>", "\"")
	f.Fuzz(func(t *testing.T, a, b string) {
		r := sample()
		r.Rows = r.Rows[:2]
		r.Rows[0].DType, r.Rows[1].Note, r.Hardware.CPU = a, b, a+b
		var md, c bytes.Buffer
		if err := Markdown(&md, r); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(md.String()) {
			if bars := strings.Count(line, "|") - strings.Count(line, `\|`); strings.HasPrefix(line, "| mnist") && bars != 15 {
				t.Errorf("%d bars in %q", bars, line)
			}
		}
		if err := CSV(&c, r); err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(&c).ReadAll()
		if err != nil || len(lines) != 5 {
			t.Errorf("%d lines, %v", len(lines), err)
		}
	})
}
