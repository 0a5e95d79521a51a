package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

// sampleAMP has a model with times, and one that is missing.
func sampleAMP(kind string, emulated bool) wire.AMP {
	training := func(kind string, seed uint64, seconds float64) wire.Training {
		t := wire.Training{Model: "mnist-lab2", Type: kind, Seed: seed, Seconds: seconds, Matrix: seconds / 2, Correct: 9750, Total: 10000, Steps: 1876}
		for _, p := range []wire.CurvePoint{{Step: 8, Loss: 1.5}, {Step: 16, Loss: 0.5}, {Step: 1876, Loss: 0.03125}} {
			if kind == wire.Float16 {
				p.Scale, p.Skipped = map[int]float64{8: 65536, 16: 32768, 1876: 65536}[p.Step], min(p.Step/16, 1)
				t.Skipped = 1
			}
			t.Curve = append(t.Curve, p)
		}
		return t
	}
	accuracy := 0.975
	base := wire.Row{Model: "mnist-lab2", Variant: wire.Baseline, Engine: "avx512", Threads: 1, SizeBytes: 5882000, Correct: 9750, Total: 10000, Accuracy: &accuracy,
		Interval: &[2]float64{0.972, 0.978}, LatencyUS: map[string]wire.Latency{"1": latency(59, 0.4, nil), "64": latency(875, 9, nil)}}
	mixed := base
	mixed.Variant, mixed.Q = wire.AMPVariant, wire.AMPQ
	mixed.Paired = &wire.Paired{Flipped: []int{3, 5, 8}, Gained: 1, Lost: 2, P: 1}
	same := &wire.Verdict{Word: wire.NoDifference, Ratio: 1, Low: 0.99, High: 1.01}
	mixed.LatencyUS = map[string]wire.Latency{"1": latency(59, 0.4, same), "64": latency(875, 9, same)}
	row := wire.AMPRow{Row: mixed, Type: kind, Emulated: emulated, Baseline: base,
		Float32: []wire.Training{training("float32", 7, 6), training("float32", 8, 6.2), training("float32", 9, 6.1)},
		Mixed:   []wire.Training{training(kind, 7, 4), training(kind, 8, 4.1), training(kind, 9, 4.2)},
	}
	if emulated {
		row.Note = "emulated: accuracy only, no speed claim"
	} else {
		row.Time = &wire.Verdict{Word: wire.Faster, Ratio: 1.488, Low: 1.45, High: 1.53}
		row.Matrix = &wire.Verdict{Word: wire.Faster, Ratio: 1.9, Low: 1.8, High: 2}
	}
	gone := wire.Row{Model: "sst2-lab1", Note: "not measured here: SST-2 missing"}
	settings := wire.Lab()
	settings.Seed = 7
	return wire.AMP{
		Setting: wire.Setting{Version: "test", Hardware: wire.Hardware{Host: wire.Native, CPU: "=cpu"}, Settings: settings},
		Options: wire.AMPOptions{Type: kind, Seeds: 3, Limit: 6400}, Rows: []wire.AMPRow{row, {Row: gone, Baseline: gone, Type: kind}}, Notes: []string{"a note"},
	}
}

func TestAMPTables(t *testing.T) {
	tables := AMPTables(sampleAMP(wire.BFloat16, false))
	if len(tables) != 4 {
		t.Fatalf("%d tables", len(tables))
	}
	for i, want := range [][][]string{{
		{"mnist-lab2", "6.10 ± 0.10", "4.10 ± 0.10", "1.49× faster (1.45–1.53×)", "3.05 ± 0.05", "2.05 ± 0.05", "1.90× faster (1.80–2.00×)"},
		{"sst2-lab1", Missing, Missing, Missing, Missing, Missing, Missing},
	}, {
		{"mnist-lab2", "97.50%", "97.50% [97.20, 97.80]", "3 differ (+1 −2), p = 1", "5.882"},
		{"sst2-lab1", "not measured here: SST-2 missing", "not measured here: SST-2 missing", Missing, Missing},
	}, {
		{"mnist-lab2", "1", "59.0 ± 0.4", "59.0 ± 0.4", "no difference detected"},
		{"mnist-lab2", "64", "875 ± 9", "875 ± 9", "no difference detected"},
	}} {
		if !reflect.DeepEqual(tables[i].Rows, want) || len(tables[i].Columns) != len(want[0]) {
			t.Errorf("table %d: %q", i, tables[i].Rows)
		}
	}
	trainings := tables[3]
	if want := []string{"mnist-lab2", "bf16", "7", "4.00", "2.00", "1,876", "0.0312", "9,750 of 10,000"}; len(trainings.Rows) != 6 || !slices.Equal(trainings.Rows[3], want) {
		t.Errorf("%q", trainings.Rows)
	}
	for _, table := range tables {
		for _, row := range table.Rows {
			if len(row) != len(table.Columns) {
				t.Errorf("%s: %d cells in %d columns", table.Title, len(row), len(table.Columns))
			}
		}
	}
	if AMPTables(wire.AMP{}) != nil {
		t.Error("tables of nothing")
	}

	// Emulated, nothing is said of time; in float16 the scale is told.
	tables = AMPTables(sampleAMP(wire.Float16, true))
	if row := tables[0].Rows[0]; row[3] != "emulated" || row[6] != "emulated" || !strings.Contains(tables[0].Caption, "emulated") || !strings.Contains(tables[0].Caption, "first 6,400 examples") {
		t.Errorf("%q, %s", row, tables[0].Caption)
	}
	if row := tables[3].Rows[3]; row[8] != "1" || row[9] != "65,536; 32,768 by step 16; 65,536 by step 1,876" {
		t.Errorf("%q", row)
	}
}

func TestScaleHistory(t *testing.T) {
	var v wire.Training
	if got := ScaleHistory(v); got != Missing {
		t.Errorf("nothing: %q", got)
	}
	v.Curve = []wire.CurvePoint{{Step: 1}, {Step: 2}}
	if got := ScaleHistory(v); got != Missing {
		t.Errorf("not scaled: %q", got)
	}
	v.Curve = nil
	for i := range 9 {
		v.Curve = append(v.Curve, wire.CurvePoint{Step: i + 1, Scale: float64(int(65536) >> i)})
	}
	if got, want := ScaleHistory(v), "65,536; 32,768 by step 2; 16,384 by step 3; 8192 by step 4; 4096 by step 5; 3 more changes; 256 by step 9"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTrainingSummary(t *testing.T) {
	a := sampleAMP(wire.Float16, true)
	for want, v := range map[string]wire.Training{
		"Trained in f16: 1,876 steps in 4.00 s, 2.00 s of these in matrix products; 1 step was skipped. Loss scale: 65,536; 32,768 by step 16; 65,536 by step 1,876.": a.Rows[0].Mixed[0],
		"Trained in float32: 1,876 steps in 6.00 s, 3.00 s of these in matrix products.":                                                                              a.Rows[0].Float32[0],
	} {
		if got := TrainingSummary(v); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAMPFormats(t *testing.T) {
	a := sampleAMP(wire.BFloat16, false)
	var b bytes.Buffer
	if err := AMPCSV(&b, a); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(lines) != 8 {
		t.Fatalf("%v: %q", err, lines)
	}
	cell := func(line int, column string) string {
		i := slices.Index(lines[0], column)
		if i < 0 {
			t.Fatalf("no column %s", column)
		}
		return lines[line][i]
	}
	for _, c := range []struct {
		line         int
		column, want string
	}{
		{1, "trained", "float32"}, {1, "time_ratio", ""}, {1, "size_bytes", "5882000"}, {1, "mean_us_64", "875"}, {2, "mean_us_64", ""},
		{4, "trained", "bf16"}, {4, "seed", "7"}, {4, "time_ratio", "1.488"}, {4, "matrix_verdict", "faster"}, {4, "flipped", "3"}, {5, "flipped", ""},
		{4, "last_loss", "0.03125"}, {4, "last_scale", ""}, {4, "cpu", "'=cpu"}, {7, "model", "sst2-lab1"}, {7, "note", "not measured here: SST-2 missing"}, {7, "seconds", ""},
	} {
		if got := cell(c.line, c.column); got != c.want {
			t.Errorf("line %d: %s is %q, want %q", c.line, c.column, got, c.want)
		}
	}
	b.Reset()
	if err := AMPMarkdown(&b, a); err != nil || strings.Count(b.String(), "\n|---|") != 5 || !strings.Contains(b.String(), "- a note") {
		t.Errorf("%v:\n%s", err, b.String())
	}
	b.Reset()
	var back wire.AMP
	if err := AMPJSON(&b, a); err != nil || json.Unmarshal(b.Bytes(), &back) != nil || !reflect.DeepEqual(back.Rows[0], a.Rows[0]) {
		t.Errorf("%v: %+v", err, back)
	}
	b.Reset()
	if err := AMPJSON(&b, wire.AMP{}); err != nil || !strings.Contains(b.String(), `"rows": []`) {
		t.Errorf("%v: %s", err, b.String())
	}
}
