package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

// sampleSensitivity has a layer that can't bear static int8, one that dynamic int8 makes slower, and a model whose data is missing.
func sampleSensitivity() wire.Sensitivity {
	run := sample()
	s := wire.Sensitivity{Setting: wire.Setting{Version: run.Version, Hardware: run.Hardware, Settings: run.Settings}, Notes: run.Notes}
	base := run.Rows[4]
	row := func(variant string, gained, lost int, p, ratio1, ratio64 float64) wire.Row {
		r := base
		v, _ := wire.VariantOf(variant)
		r.Variant, r.Q, r.DType, r.SizeBytes, r.Smaller = variant, v.Q, v.DType, 1477336, 3.98
		r.Correct += gained - lost
		share := float64(r.Correct) / float64(r.Total)
		r.Accuracy, r.Interval = &share, &[2]float64{share - 0.003, share + 0.003}
		r.Paired = &wire.Paired{Flipped: make([]int, gained+lost+1), Gained: gained, Lost: lost, P: p}
		r.LatencyUS = map[string]wire.Latency{"1": latency(61.7/ratio1, 0.8, verdictOf(ratio1, 0.03)), "64": latency(1748.2/ratio64, 9, verdictOf(ratio64, 0.03))}
		return r
	}
	add := func(r wire.Row, layer, mode, plan string, f wire.Fidelity) {
		s.Rows = append(s.Rows, wire.SensitivityRow{Row: r, Layer: layer, Mode: mode, Plan: plan, Fidelity: f})
	}
	s.References = []wire.Row{base, row("dynamic-qint8", 3, 5, 0.7265625, 3.3, 4), row("static-qint8", 6, 52, 0.0000001, 3.9, 4.1)}
	const d, st = "dynamic-w8-a8r", "static-w8c-a8r-histogram"
	add(row("dynamic-qint8", 1, 1, 1, 1.2, 1.3), "layers.0", wire.Only, d+",float32,float32", wire.Fidelity{Weights: 36.5, Output: 40.2, Logits: 49.9, Examples: 256})
	add(row("dynamic-qint8", 2, 4, 0.6875, 1.9, 2.2), "layers.0", wire.Except, "float32,"+d+","+d, wire.Fidelity{Weights: 33.9, Output: 43, Logits: 48.3, Examples: 256})
	add(row("dynamic-qint8", 2, 5, 0.453125, 1.9, 2.2), "layers.1", wire.Only, "float32,"+d+",float32", wire.Fidelity{Weights: 33.9, Output: 43, Logits: 49.8, Examples: 256})
	add(row("dynamic-qint8", 1, 1, 1, 1.2, 1.3), "layers.1", wire.Except, d+",float32,"+d, wire.Fidelity{Weights: 36.6, Output: 40.2, Logits: 48.2, Examples: 256})
	add(row("dynamic-qint8", 0, 0, 1, 0.93, 1), "layers.2", wire.Only, "float32,float32,"+d, wire.Fidelity{Weights: 38.7, Output: 53.7, Logits: 53.7, Examples: 256})
	add(row("dynamic-qint8", 3, 5, 0.7265625, 3.2, 3.9), "layers.2", wire.Except, d+","+d+",float32", wire.Fidelity{Weights: 34.8, Output: 40.2, Logits: 46.8, Examples: 256})
	add(row("static-qint8", 1, 2, 1, 1.2, 1.3), "layers.0", wire.Only, st+",float32,float32", wire.Fidelity{Weights: 42.7, Output: 36.9, Logits: 49.3, Examples: 256})
	add(row("static-qint8", 5, 48, 0.0000001, 2, 2.2), "layers.0", wire.Except, "float32,"+st+","+st, wire.Fidelity{Weights: 40.4, Output: 14.9, Logits: 14.7, Examples: 256})
	add(row("static-qint8", 0, 3, 0.25, 1.9, 2.2), "layers.1", wire.Only, "float32,"+st+",float32", wire.Fidelity{Weights: 40.4, Output: 39.8, Logits: 50.3, Examples: 256})
	add(row("static-qint8", 5, 50, 0.0000001, 1.2, 1.3), "layers.1", wire.Except, st+",float32,"+st, wire.Fidelity{Weights: 42.6, Output: 14.9, Logits: 14.7, Examples: 256})
	add(row("static-qint8", 4, 45, 0.0000001, 1, 1), "layers.2", wire.Only, "float32,float32,"+st, wire.Fidelity{Weights: 40.6, Output: 14.9, Logits: 14.9, Examples: 256})
	add(row("static-qint8", 3, 4, 1, 3.8, 4), "layers.2", wire.Except, st+","+st+",float32", wire.Fidelity{Weights: 41.2, Output: 36.9, Logits: 48.7, Examples: 256})
	for _, c := range []struct {
		mode, measure, against string
		rho, p                 float64
		n                      int
	}{
		{"", "logits", "accuracy", 0.862, 0.0003, 12}, {"", "logits", "flips", -0.91, 0.00004, 12}, {"", "output", "accuracy", 0.61, 0.034, 12},
		{"", "output", "flips", -0.41, 0.18, 12}, {"", "weights", "accuracy", -0.72, 0.008, 12}, {"", "weights", "flips", -0.004, 0.99, 12},
		{wire.Only, "logits", "accuracy", 0.943, 0.0167, 6}, {wire.Except, "logits", "accuracy", 1, 0.0028, 6},
	} {
		s.Correlations = append(s.Correlations, wire.Correlation{Model: "mnist-lab2", Mode: c.mode, Measure: c.measure, Against: c.against, Rho: c.rho, P: c.p, N: c.n})
	}
	missing := wire.Row{Model: "sst2-lab2", Variant: "static-qint8", Q: "S", DType: "qint8", Host: wire.Native, Note: "not measured here: SST-2 missing", LatencyUS: map[string]wire.Latency{}}
	s.References = append(s.References, missing)
	add(missing, "layers.0", wire.Only, st+",float32,float32,float32", wire.Fidelity{Weights: 41})
	return s
}

func TestSensitivityGoldens(t *testing.T) {
	s := sampleSensitivity()
	golden(t, "sensitivity.md", func(w io.Writer) error { return SensitivityMarkdown(w, s) })
	golden(t, "sensitivity.csv", func(w io.Writer) error { return SensitivityCSV(w, s) })
	golden(t, "sensitivity.json", func(w io.Writer) error { return SensitivityJSON(w, s) })
}

// The JSON has the fields that programs are promised: those of a run's rows, and layer, mode, plan and fidelity beside them.
func TestSensitivityJSON(t *testing.T) {
	var b bytes.Buffer
	if err := SensitivityJSON(&b, sampleSensitivity()); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	has := func(what string, v any, keys ...string) {
		for _, k := range keys {
			if _, ok := v.(map[string]any)[k]; !ok {
				t.Errorf("%s lacks %q", what, k)
			}
		}
	}
	has("the object", any(got), "version", "hardware", "settings", "rows", "references", "correlations")
	row := got["rows"].([]any)[0]
	has("a row", row, "model", "layer", "mode", "plan", "fidelity", "variant", "q", "dtype", "size_bytes", "params", "accuracy", "correct", "total",
		"interval", "paired", "latency_us")
	has("a fidelity", row.(map[string]any)["fidelity"], "weights", "output", "logits", "examples")
	b.Reset()
	if err := SensitivityJSON(&b, wire.Sensitivity{}); err != nil || !strings.Contains(b.String(), `"rows": []`) || !strings.Contains(b.String(), `"references": []`) {
		t.Errorf("of nothing: %s, %v", &b, err)
	}
}

func TestSensitivityCSV(t *testing.T) {
	s := sampleSensitivity()
	s.Rows[0].Layer = "=1+1"
	var b bytes.Buffer
	if err := SensitivityCSV(&b, s); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(lines) != 1+2*3+1+2*12+1 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	if got := lines[1+7][0]; got != "'=1+1" {
		t.Errorf("a formula stays one: %q", got)
	}
}

func TestSensitivityParts(t *testing.T) {
	whole := SensitivityTable(sampleSensitivity(), "mnist-lab2")
	parts := SensitivityParts(whole)
	var keys []string
	for i, p := range parts {
		for _, c := range p.Columns {
			if i == 0 || c.Key != "layer" && c.Key != "mode" && c.Key != "variant" {
				keys = append(keys, c.Key)
			}
		}
		if len(p.Rows) != len(whole.Rows) || !p.Grouped {
			t.Errorf("part %d: %d rows", i, len(p.Rows))
		}
	}
	slices.Sort(keys)
	var all []string
	for _, c := range whole.Columns {
		all = append(all, c.Key)
	}
	slices.Sort(all)
	if !slices.Equal(keys, all) {
		t.Errorf("columns %q, want %q", keys, all)
	}
	if got, want := parts[1].Rows[3], []string{"layers.0", "only it", "dynamic int8", "1.477", "51.4 ± 0.8", "1.20× faster", "1345 ± 9", "1.30× faster"}; !slices.Equal(got, want) {
		t.Errorf("row %q, want %q", got, want)
	}
}

func TestSensitivityFindings(t *testing.T) {
	// only makes a row of one layer alone; p is McNemar's.
	only := func(layer string, gained, lost, other int, p float64) wire.SensitivityRow {
		accuracy := 0.9
		return wire.SensitivityRow{Layer: layer, Mode: wire.Only, Row: wire.Row{
			Model: "m", Variant: "static-qint8", Accuracy: &accuracy, Total: 10000,
			Paired: &wire.Paired{Flipped: make([]int, gained+lost+other), Gained: gained, Lost: lost, P: p},
		}}
	}
	for name, c := range map[string]struct {
		rows []wire.SensitivityRow
		says string
	}{
		"nothing changed":       {[]wire.SensitivityRow{only("a", 0, 0, 0, 1), only("b", 0, 0, 0, 1)}, "Static int8: no layer's quantization changes a single answer."},
		"one gains by chance":   {[]wire.SensitivityRow{only("a", 0, 0, 0, 1), only("b", 3, 0, 0, 0.25)}, "none loses right answers on balance"},
		"chance":                {[]wire.SensitivityRow{only("a", 1, 3, 2, 0.6), only("b", 0, 0, 0, 1)}, "detectably; the worst, a, loses 2 right answers of 10,000 on balance (6 differ (+1 −3), p = 0.60) when it alone is quantized, which chance can explain."},
		"one of three, no":      {[]wire.SensitivityRow{only("a", 0, 6, 0, 0.031), only("b", 0, 0, 0, 1), only("c", 0, 0, 0, 1)}, "no layer's quantization changes the accuracy detectably"},
		"one alone, yes":        {[]wire.SensitivityRow{only("a", 0, 6, 0, 0.031)}, "quantized alone, a loses 6 right answers of 10,000 on balance (6 differ (+0 −6), p = 0.031); that is more than chance."},
		"one of three, yes":     {[]wire.SensitivityRow{only("a", 0, 12, 0, 0.0005), only("b", 0, 0, 0, 1), only("c", 0, 1, 0, 1)}, "even as the worst of 3 layers"},
		"two":                   {[]wire.SensitivityRow{only("a", 0, 12, 0, 0.0005), only("b", 0, 20, 0, 0.00001)}, "several layers lose more than chance when they alone are quantized: a loses 12"},
		"a detectable gain":     {[]wire.SensitivityRow{only("a", 12, 0, 0, 0.0005), only("b", 0, 1, 0, 1)}, "no layer loses detectably when it alone is quantized; a gains 12 right answers"},
		"one answer":            {[]wire.SensitivityRow{only("a", 0, 1, 0, 1)}, "loses 1 right answer of"},
		"accuracy not had":      {[]wire.SensitivityRow{{Layer: "a", Mode: wire.Only, Row: wire.Row{Model: "m", Variant: "static-qint8", Note: "not measured here: SST-2 missing"}}}, "Static int8: accuracy was not measured here: SST-2 missing."},
		"only all-but-one":      {[]wire.SensitivityRow{{Layer: "a", Mode: wire.Except, Row: wire.Row{Model: "m", Variant: "static-qint8"}}}, ""},
		"a variant we know not": {[]wire.SensitivityRow{{Layer: "a", Mode: wire.Only, Row: wire.Row{Model: "m", Variant: "int2"}}}, ""},
	} {
		got := strings.Join(SensitivityFindings(wire.Sensitivity{Rows: c.rows}, "m"), "\n")
		if !strings.Contains(got, c.says) || c.says == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
	}
	found := strings.Join(SensitivityFindings(sampleSensitivity(), "mnist-lab2"), "\n")
	for _, say := range []string{
		"At batch 1 layers.1 alone wins most (1.90× faster), layers.2 alone costs most (1.08× slower).",
		"All layers together lose 46 right answers of 10,000 on balance (59 differ (+6 −52), p < 0.001); keeping layers.2 in float32 wins 45 of them back.",
	} {
		if !strings.Contains(found, say) {
			t.Errorf("%q is not in\n%s", say, found)
		}
	}
}

func TestCorrelationSentences(t *testing.T) {
	got := CorrelationSentences(sampleSensitivity(), "mnist-lab2")
	want := []string{
		"The logits' SQNR, which needs no labels, ranks the plans as accuracy does: rho 0.86 (p < 0.001); it tells which plans answer like float32: rho −0.91 (p < 0.001), over 12 plans.",
		"The SQNR of the layers' own outputs, which needs no labels, ranks the plans as accuracy does: rho 0.61 (p = 0.034), but it does not detectably tell which plans answer like float32: rho −0.41 (p = 0.18), over 12 plans.",
		"The weights' SQNR, which needs no data at all, ranks the plans in the reverse order of their accuracy: rho −0.72 (p = 0.008), but it does not detectably tell which plans answer like float32: rho 0.00 (p = 0.99), over 12 plans.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if other := CorrelationSentences(sampleSensitivity(), "sst2-lab2"); len(other) != 0 {
		t.Errorf("of nothing: %q", other)
	}
}
