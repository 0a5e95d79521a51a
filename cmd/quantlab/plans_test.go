package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

// Every format tells of the plans on a front.
func TestPlansRealData(t *testing.T) {
	withModels(t, "mnist-lab1")
	args := []string{"plans", "--models", "mnist-lab1", "--schemes", "static-w8c-a8r-histogram, dynamic-w4-a8", "--batches", "2", "--runs", "1", "--examples", "200"}
	status, stdout, stderr := command(t, append(args, "-f", "json")...)
	var plans wire.Plans
	if err := json.Unmarshal([]byte(stdout), &plans); status != statusOK || stderr != "" || err != nil {
		t.Fatalf("status %d, stderr %q, error %v", status, stderr, err)
	}
	if len(plans.Searches) != 1 || len(plans.Searches[0].Points) != 9 || plans.Settings.Examples != 200 {
		t.Fatalf("%+v", plans)
	}
	for _, p := range plans.Searches[0].Points {
		if p.Total != 200 || p.Correct < 150 || p.Predicted["2"] <= 0 {
			t.Errorf("%+v", p)
		}
	}
	for format, say := range map[string]string{"md": "All 9 plans were tried", "csv": "\"static-w8c-a8r-histogram,float32\",mnist-lab1,custom", "table": "Plans of mnist-lab1 worth having"} {
		status, stdout, _ := command(t, append(args, "-f", format)...)
		if status != statusOK || !strings.Contains(stdout, say) {
			t.Errorf("%s: status %d, no %q in:\n%s", format, status, say, stdout)
		}
		checkPlain(t, format, stdout)
	}
}

func TestSweepRealData(t *testing.T) {
	withModels(t, "mnist-lab1")
	args := []string{"sweep", "--models", "mnist-lab1", "--sizes", "64,4", "--seeds", "2", "--examples", "100"}
	status, stdout, stderr := command(t, append(args, "-f", "json")...)
	var sweep wire.Sweep
	if err := json.Unmarshal([]byte(stdout), &sweep); status != statusOK || stderr != "" || err != nil {
		t.Fatalf("status %d, stderr %q, error %v", status, stderr, err)
	}
	if len(sweep.Points) != 4 || len(sweep.Spreads) != 2 || sweep.Spreads[0].Examples != 4 || sweep.Points[3].Total != 100 {
		t.Fatalf("%+v", sweep)
	}
	_, stdout, _ = command(t, append(args, "-f", "csv")...)
	if lines, err := csv.NewReader(strings.NewReader(stdout)).ReadAll(); err != nil || len(lines) != 5 || lines[1][2] != "4" {
		t.Errorf("%v: %q", err, lines)
	}
	for format, say := range map[string]string{"md": "alibration", "table": "Calibrating mnist-lab1"} {
		status, stdout, _ := command(t, append(args, "-f", format)...)
		if status != statusOK || !strings.Contains(stdout, say) {
			t.Errorf("%s: status %d, no %q in:\n%s", format, status, say, stdout)
		}
		checkPlain(t, format, stdout)
	}
}

// Without data there is nothing to search or to calibrate with; the notes say what is missing.
func TestPlansAndSweepWithoutData(t *testing.T) {
	folder := withoutData(t)
	for _, name := range []string{"plans", "sweep"} {
		status, stdout, _ := command(t, name, "--models", "sst2-lab2", "-o", name+".md")
		text, err := os.ReadFile(name + ".md")
		if status != statusOK || stdout != "" || err != nil || !strings.Contains(string(text), "SST-2") {
			t.Errorf("%s: status %d, stdout %q, error %v, file:\n%s", name, status, stdout, err, text)
		}
	}
	checkFiles(t, folder, "plans.md", "sweep.md")
}

func TestPlansAndSweepUsage(t *testing.T) {
	folder := withoutData(t)
	for say, line := range map[string]string{
		`unexpected argument "x"`:     "plans x",
		`scheme "int4" can't be read`: "plans --schemes int4",
		"is named twice":              "plans --schemes float16,float16",
		"on different grids":          "plans --schemes static-w8-a8-minmax,static-w8-a8r-minmax",
		"schemes are too many":        "plans --schemes float16,dynamic-w2-a8,dynamic-w3-a8,dynamic-w4-a8,dynamic-w5-a8,dynamic-w6-a8,dynamic-w7-a8,dynamic-w8-a8",
		"batch 0 is out of range":     "plans --batches 0",
		`unknown model "mnist"`:       "sweep --models mnist",
		"seeds 0 is out of range":     "sweep --seeds 0",
		"seeds 101 is out of range":   "sweep --seeds 101",
		"with 9000 examples":          "sweep --sizes 9000",
		"has no static layer":         "sweep --plan float16",
		"the network has 3":           "sweep --models mnist-lab2 --plan float32,static-w8-a8-minmax",
		"give a whole number":         "sweep --sizes eight",
	} {
		status, stdout, stderr := command(t, strings.Fields(line)...)
		if status != statusUsage || stdout != "" || !strings.Contains(stderr, say) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, stdout %q, stderr %q", line, status, stdout, stderr)
		}
	}
	checkFiles(t, folder)
}
