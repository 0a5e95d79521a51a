package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

// Every format tells of both trainings, and of the scale of float16's loss.
func TestAMP(t *testing.T) {
	withModels(t, "mnist-lab1")
	args := []string{"amp", "--models", "mnist-lab1", "--type", "f16", "--limit", "500", "--epochs", "1", "--seeds", "2", "--seed", "6", "--examples", "100", "--batches", "2", "--runs", "1"}
	status, stdout, stderr := command(t, append(args, "-f", "json")...)
	var amp wire.AMP
	if err := json.Unmarshal([]byte(stdout), &amp); status != statusOK || stderr != "" || err != nil {
		t.Fatalf("status %d, stderr %q, error %v", status, stderr, err)
	}
	if len(amp.Rows) != 1 || len(amp.Rows[0].Mixed) != 2 || amp.Settings.Seed != 6 || amp.Options.Limit != 500 {
		t.Fatalf("%+v", amp)
	}
	row := amp.Rows[0]
	if m := row.Mixed[1]; m.Seed != 7 || m.Type != wire.Float16 || m.Steps != 5 || m.Total != 100 || m.Curve[4].Scale == 0 || row.LatencyUS["2"].Mean == 0 {
		t.Errorf("%+v", row)
	}
	for format, say := range map[string]string{"md": "| mnist-lab1 | f16 | 7 |", "csv": "mnist-lab1,f16,true,f16,7,", "table": "Every training"} {
		status, stdout, _ := command(t, append(args, "-f", format)...)
		if status != statusOK || !strings.Contains(stdout, say) {
			t.Errorf("%s: status %d, no %q in:\n%s", format, status, say, stdout)
		}
		checkPlain(t, format, stdout)
	}
}

// Without data there is nothing to train on; the rows say so.
func TestAMPWithoutData(t *testing.T) {
	folder := withoutData(t)
	status, stdout, _ := command(t, "amp", "--models", "sst2-lab2", "-o", "amp.md")
	text, err := os.ReadFile("amp.md")
	if status != statusOK || stdout != "" || err != nil || !strings.Contains(string(text), "not measured here: SST-2 missing") {
		t.Errorf("status %d, stdout %q, error %v, file:\n%s", status, stdout, err, text)
	}
	checkFiles(t, folder, "amp.md")
}
