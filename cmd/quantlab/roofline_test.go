package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quantlab/cmd/internal/prepare"
	"quantlab/core/lab/wire"
	"quantlab/core/roofline"
)

// The model that comes with the program is held against this machine's limits, which are measured once.
func TestRooflineWithoutData(t *testing.T) {
	folder := withoutData(t)
	args := []string{"roofline", "--models", "sst2-lab2", "--runs", "1", "--batches", "1,2", "--variants", "static-qint8"}
	status, stdout, stderr := command(t, append(args, "--format", "json")...)
	if status != statusOK || stderr != "" {
		t.Fatalf("status %d, stderr %q", status, stderr)
	}
	var r roofline.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Version == "" || r.Hardware.Engine == "" || r.Peaks == nil || len(r.Cells) != 4 || len(r.Layers) != 2*2*2 {
		t.Fatalf("JSON: %s", stdout)
	}
	for _, c := range r.Cells {
		if c.Model != "sst2-lab2" || !(c.Share > 0) || !(c.TimeUS > 0) || !strings.HasPrefix(c.Sentence, "bound by "+c.Bound) ||
			(c.Variant == wire.Baseline) != (c.Measured == 0) {
			t.Errorf("cell %+v", c)
		}
	}
	kept, err := os.ReadFile(filepath.Join(os.Getenv(prepare.EnvCache), "limits.json"))
	if err != nil || !strings.Contains(string(kept), r.Peaks.Engine) {
		t.Errorf("limits are not kept: %s, error %v", kept, err)
	}
	checkFiles(t, folder)

	args = append(args, "--layers=false")
	_, stdout, _ = command(t, append(args, "--format", "csv")...)
	lines, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil || len(lines) != 1+4 || lines[1][0] != "net" {
		t.Errorf("CSV %q, error %v", lines, err)
	}
	for format, say := range map[string]string{"md": "## In words", "table": "Every cell under its roof"} {
		status, stdout, stderr := command(t, append(args, "--format", format)...)
		if status != statusOK || !strings.Contains(stdout, say) || !strings.Contains(stderr, "%  sst2-lab2, ") {
			t.Errorf("%s: status %d, stderr %q\n%s", format, status, stderr, stdout)
		}
		checkPlain(t, format, stdout)
	}
	if again, _ := os.ReadFile(filepath.Join(os.Getenv(prepare.EnvCache), "limits.json")); string(again) != string(kept) {
		t.Error("limits that are known were measured again")
	}
}

func TestRooflineUsage(t *testing.T) {
	withoutData(t)
	for _, c := range []struct{ args, say string }{
		{"--engine abacus", `"abacus"`}, {"--batches 0", "batch 0"}, {"--models resnet", `"resnet"`}, {"--runs 0", "runs 0"}, {"--format pdf", `"pdf"`}, {"all", `"all"`},
	} {
		status, stdout, stderr := command(t, append([]string{"roofline"}, strings.Fields(c.args)...)...)
		if status != statusUsage || stdout != "" || !strings.Contains(stderr, c.say) {
			t.Errorf("%s: status %d, stdout %q, stderr %q", c.args, status, stdout, stderr)
		}
	}
}

func TestAboutLimits(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		age  time.Duration
		want string
	}{
		{0, "just now"}, {30 * time.Second, "less than a minute ago"}, {time.Minute, "1 minute ago"}, {5 * time.Hour, "5 hours ago"}, {49 * time.Hour, "2 days ago"},
	} {
		r := roofline.Report{Peaks: &wire.Peaks{Measured: now.Add(-c.age)}, Settings: wire.Request{Threads: 2}, Cells: []roofline.Cell{{Share: 1.2}}}
		notes := strings.Join(aboutLimits(r, now), "\n")
		for _, want := range []string{c.want, "2 threads", "--fresh"} {
			if !strings.Contains(notes, want) {
				t.Errorf("no %q in %q", want, notes)
			}
		}
	}
	if aboutLimits(roofline.Report{}, now) != nil {
		t.Error("notes about no limits")
	}
}
