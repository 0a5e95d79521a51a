package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

func sampleInspection() wire.Inspection {
	return wire.Inspection{
		Model: "mnist-lab1", Plan: "static-w8-a8-minmax,float32", Examples: 1024, Notes: []string{"a note"},
		Layers: []wire.Layer{{
			Name: "layers.0", In: 784, Out: 512, ReLU: true, Scheme: "static-w8-a8-minmax", Bytes: 403456,
			Weights:    wire.Distribution{Grid: &wire.Grid{Scale: 0.0027}},
			Input:      wire.Distribution{Grid: &wire.Grid{Scale: 1.0 / 127, Zero: 3}, Clipped: 0.0125},
			WeightLoss: wire.Distortion{SQNR: 41.52}, InputLoss: wire.Distortion{SQNR: 50}, OutputLoss: wire.Distortion{SQNR: 34.6},
			ChainLoss: wire.Distortion{SQNR: 33.3, Mean: 0.00123, Max: 0.5}, Dead: []int{3, 9},
			Explain: []string{"First.", "Second | third."},
		}, {
			Name: "layers.1", In: 512, Out: 10, Scheme: "float32",
			WeightLoss: wire.Distortion{SQNR: 400}, InputLoss: wire.Distortion{SQNR: 400}, OutputLoss: wire.Distortion{SQNR: 400},
			ChainLoss: wire.Distortion{SQNR: 30}, Explain: []string{"=Nothing."},
		}},
	}
}

func TestInspectionTable(t *testing.T) {
	table := InspectionTable(sampleInspection())
	want := [][]string{
		{"layers.0", "784 → 512", "0.00270", "0.00787", "3", "41.5", "50.0", "34.6", "33.3", "0.00123", "0.500", "1.2", "2", "static-w8-a8-minmax"},
		{"layers.1", "512 → 10", Missing, Missing, Missing, "exact", "exact", "exact", "30.0", "0", "0", Missing, Missing, "float32"},
	}
	if !reflect.DeepEqual(table.Rows, want) {
		t.Errorf("%q", table.Rows)
	}
	if len(table.Columns) != len(want[0]) || !strings.Contains(table.Caption, "1,024") {
		t.Errorf("%+v", table)
	}
}

func TestInspectionFormats(t *testing.T) {
	i := sampleInspection()
	var b bytes.Buffer
	if err := InspectionCSV(&b, i); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%v: %q", err, lines)
	}
	cell := func(line int, column string) string {
		for k, c := range lines[0] {
			if c == column {
				return lines[line][k]
			}
		}
		return "no such column"
	}
	for column, want := range map[string]string{
		"clipped": "0.0125", "input_zero": "3", "dead": "2", "bytes": "403456", "explanation": "First. Second | third.", "max_error": "0.5",
	} {
		if got := cell(1, column); got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	if got := cell(2, "explanation"); strings.HasPrefix(got, "=") || cell(2, "input_scale") != "" {
		t.Errorf("a spreadsheet would compute %q", got)
	}
	b.Reset()
	if err := InspectionMarkdown(&b, i); err != nil || !strings.Contains(b.String(), `Second \| third.`) || !strings.Contains(b.String(), "a note") || !strings.Contains(b.String(), "|---:|") {
		t.Errorf("%v:\n%s", err, b.String())
	}
	b.Reset()
	var back wire.Inspection
	if err := InspectionJSON(&b, i); err != nil || json.Unmarshal(b.Bytes(), &back) != nil || !reflect.DeepEqual(back, i) {
		t.Errorf("%v: %+v", err, back)
	}
}
