package main

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

func TestInspectUsage(t *testing.T) {
	folder := withoutData(t)
	for say, args := range map[string][]string{
		"inspect needs a model":   {},
		`unexpected argument "x"`: {"mnist-lab1", "x"},
		`unknown model "mnist"`:   {"mnist"},
		`unknown variant "int4"`:  {"mnist-lab1", "--variant", "int4"},
		"not both":                {"mnist-lab1", "--variant", "fp32", "--plan", "float32"},
		"can't be read":           {"mnist-lab1", "--plan", "static"},
		"the network has 2":       {"mnist-lab1", "--plan", "float32,float32,float32"},
		"calibrating with -1":     {"mnist-lab1", "--calibration", "-1"},
		"1024 examples, not 2000": {"mnist-lab1", "--calibration", "2000"},
		"with 9000 examples":      {"mnist-lab1", "--calibration", "9000", "--calseed", "1"},
		"give a whole number":     {"mnist-lab1", "--calseed", "-1"},
		`unknown format "pdf"`:    {"mnist-lab1", "--format", "pdf"},
	} {
		status, stdout, stderr := command(t, append([]string{"inspect"}, args...)...)
		if status != statusUsage || stdout != "" || !strings.Contains(stderr, say) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
	if status, _, stderr := command(t, "inspect", "sst2-lab2"); status != statusFailed || !strings.Contains(stderr, "SST-2") {
		t.Errorf("without data: status %d, %q", status, stderr)
	}
	checkFiles(t, folder)
}

func TestInspectRealData(t *testing.T) {
	withModels(t, "mnist-lab1")
	args := []string{"inspect", "mnist-lab1", "--calibration", "64"}
	for format, say := range map[string]string{"table": "In words", "md": "| layers.1 | 512 → 10 |", "csv": "mnist-lab1,layers.0,784,512,", "json": `"plan": "static-w8c-a8r-histogram"`} {
		status, stdout, stderr := command(t, append(args, "-f", format)...)
		if status != statusOK || !strings.Contains(stdout, say) {
			t.Errorf("%s: status %d, stderr %q\n%s", format, status, stderr, stdout)
		}
		checkPlain(t, format, stdout)
	}
	_, stdout, _ := command(t, append(args, "-f", "json", "--plan", "dynamic-w4-a8,float16")...)
	var told wire.Inspection
	if err := json.Unmarshal([]byte(stdout), &told); err != nil || told.Examples != 64 || len(told.Layers) != 2 || told.Layers[1].Scheme != "float16" || len(told.Layers[0].Explain) == 0 {
		t.Errorf("%v: %+v", err, told)
	}
	_, stdout, _ = command(t, append(args, "-f", "csv", "--variant", "fp32")...)
	if lines, err := csv.NewReader(strings.NewReader(stdout)).ReadAll(); err != nil || len(lines) != 3 || lines[1][4] != "float32" {
		t.Errorf("%v: %q", err, lines)
	}
}
