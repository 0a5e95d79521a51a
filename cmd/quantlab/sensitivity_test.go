package main

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

func TestSensitivityUsage(t *testing.T) {
	folder := withoutData(t)
	for say, args := range map[string][]string{
		`unexpected argument "mnist-lab1"`: {"mnist-lab1"},
		`unknown model "mnist"`:            {"--models", "mnist"},
		"no variant to quantize layers as": {"--variants", "fp32"},
		`unknown variant "int4"`:           {"--variants", "int4"},
		"batch 0 is out of range":          {"--batches", "0"},
		"runs 0 is out of range":           {"--runs", "0"},
		`unknown input "damp"`:             {"--input", "damp"},
		"abacus":                           {"--engine", "abacus"},
		"examples -1":                      {"--examples", "-1"},
		`unknown format "pdf"`:             {"--format", "pdf"},
		"unknown flag":                     {"--layers", "0"},
	} {
		status, stdout, stderr := command(t, append([]string{"sensitivity"}, args...)...)
		if status != statusUsage || stdout != "" || !strings.Contains(stderr, say) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
	checkFiles(t, folder)
}

// Without SST-2 the model that comes with the program is measured as far as that goes, in every format.
func TestSensitivityWithoutData(t *testing.T) {
	withoutData(t)
	args := []string{"sensitivity", "--models", "sst2-lab2", "--variants", "static-qint8", "--runs", "1", "--batches", "1"}
	for format, say := range map[string]string{"csv": "layers.3,except,", "json": `"mode": "except"`} {
		status, stdout, stderr := command(t, append(args, "-f", format)...)
		if status != statusOK || !strings.Contains(stdout, say) || format == "json" && stderr != "" {
			t.Errorf("%s: status %d, stderr %q\n%s", format, status, stderr, stdout)
		}
		checkPlain(t, format, stdout)
		switch format {
		case "json":
			var s wire.Sensitivity
			if err := json.Unmarshal([]byte(stdout), &s); err != nil || s.Version == "" || s.Settings.Runs != 1 || len(s.Rows) != 8 || len(s.References) != 2 {
				t.Errorf("%v: %s", err, stdout)
			}
		case "csv":
			if lines, err := csv.NewReader(strings.NewReader(stdout)).ReadAll(); err != nil || len(lines) != 1+2+8 {
				t.Errorf("%v: %q", err, lines)
			}
		}
	}
}
