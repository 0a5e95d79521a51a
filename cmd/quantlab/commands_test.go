package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"quantlab/cmd/internal/prepare"
	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

func TestDefaultSeedInHelp(t *testing.T) {
	if defaultSeed != fmt.Sprint(prepare.DefaultSeed) {
		t.Errorf("help says seed %s, prepare trains from %d", defaultSeed, prepare.DefaultSeed)
	}
}

func TestHardware(t *testing.T) {
	for _, c := range []struct{ format, say string }{
		{"table", "Kernel engine"}, {"md", "| Kernel engine |"}, {"csv", "Kernel engine,"}, {"json", `"engine"`}, {"", "| Kernel engine |"},
	} {
		status, stdout, stderr := command(t, "hardware", "--format", c.format)
		if status != statusOK || stderr != "" || !strings.Contains(stdout, c.say) {
			t.Errorf("%s: status %d, stderr %q, stdout:\n%s", c.format, status, stderr, stdout)
		}
		checkPlain(t, c.format, stdout)
	}
	var hw wire.Hardware
	if _, stdout, _ := command(t, "hardware", "-f", "json"); json.Unmarshal([]byte(stdout), &hw) != nil || hw.Host != wire.Native || hw.Engine == "" || len(hw.Engines) == 0 || hw.Threads < 1 {
		t.Errorf("JSON gives %+v", hw)
	}
}

func TestEngineOfEnvironment(t *testing.T) {
	t.Setenv(kernel.Variable, "portable")
	if status, stdout, _ := command(t, "hardware", "-f", "json"); status != statusOK || !strings.Contains(stdout, `"engine": "portable"`) {
		t.Errorf("status %d: %s", status, stdout)
	}
	t.Setenv(kernel.Variable, "abacus")
	if status, _, stderr := command(t, "hardware"); status != statusUsage || !strings.Contains(stderr, "abacus") || !strings.Contains(stderr, "portable") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// Without SST-2 and without a network the model that comes with the program is converted and timed; its accuracy is
// not measured, and the reader hears why and what to do.
func TestRunWithoutData(t *testing.T) {
	folder := withoutData(t)
	args := []string{"run", "--models", "sst2-lab2,sst2-lab1", "--runs", "1", "--batches", "1"}

	status, stdout, stderr := command(t, append(args, "--format", "json")...)
	if status != statusOK || stderr != "" {
		t.Fatalf("status %d, stderr %q", status, stderr)
	}
	var result wire.Result
	if err := json.Unmarshal([]byte(stdout), &result); err != nil {
		t.Fatal(err)
	}
	if result.Version == "" || result.Hardware.Engine == "" || result.Settings.Runs != 1 || len(result.Rows) != 8 {
		t.Errorf("JSON: %s", stdout)
	}
	for _, r := range result.Rows {
		if r.Accuracy != nil || !strings.HasPrefix(r.Note, "not measured here: SST-2 missing") {
			t.Errorf("%s %s: accuracy %v, note %q", r.Model, r.Variant, r.Accuracy, r.Note)
		}
		if lab2 := r.Model == "sst2-lab2"; lab2 != (r.SizeBytes > 0) || lab2 != (r.LatencyUS["1"].Mean > 0) {
			t.Errorf("%s %s: size %d, latency %+v", r.Model, r.Variant, r.SizeBytes, r.LatencyUS)
		}
	}
	if notes := strings.Join(result.Notes, "\n"); !strings.Contains(notes, prepare.EnvData) {
		t.Errorf("notes don't say how to supply SST-2: %q", notes)
	}

	args = append(args, "--variants", "fp32")
	status, stdout, stderr = command(t, append(args, "--output", "r.md")...)
	text, err := os.ReadFile("r.md")
	if status != statusOK || stdout != "" || err != nil || !strings.Contains(string(text), "| sst2-lab2 |") {
		t.Errorf("status %d, stdout %q, error %v, file %q", status, stdout, err, text)
	}
	if !strings.Contains(stderr, "%  sst2-lab2, ") {
		t.Errorf("no progress in %q", stderr)
	}
	checkPlain(t, "r.md", string(text))
	checkPlain(t, "stderr", stderr)
	checkFiles(t, folder, "r.md")

	_, stdout, _ = command(t, append(args, "--format", "table")...)
	if !strings.Contains(stdout, "SST-2 missing") || !strings.Contains(stdout, "sst2-lab2") {
		t.Errorf("table:\n%s", stdout)
	}
	checkPlain(t, "table", stdout)
}

// Fresh weights need no model to be trained beforehand, only data; without it the rows say what is missing.
func TestRunFreshWithoutData(t *testing.T) {
	folder := withoutData(t)
	status, stdout, stderr := command(t, "run", "--models", "sst2-lab2", "--weights", "fresh", "--runs", "1", "--batches", "1", "--format", "json")
	var result wire.Result
	if err := json.Unmarshal([]byte(stdout), &result); status != statusOK || stderr != "" || err != nil {
		t.Fatalf("status %d, stderr %q, error %v", status, stderr, err)
	}
	for _, r := range result.Rows {
		if r.Note != "not measured here: SST-2 missing" || r.SizeBytes != 0 {
			t.Errorf("%s: note %q, %d bytes", r.Variant, r.Note, r.SizeBytes)
		}
	}
	status, stdout, stderr = command(t, "train", "sst2-lab2", "-o", "m.safetensors")
	last := stderr[strings.LastIndex(strings.TrimSpace(stderr), "\n")+1:]
	if status != statusFailed || stdout != "" || !strings.Contains(last, "SST-2") || !strings.Contains(last, prepare.EnvData) {
		t.Errorf("train: status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	checkFiles(t, folder)
}

func TestPredictWithoutData(t *testing.T) {
	withoutData(t)
	args := []string{"predict", "--model", "sst2-lab2", "--text", "It's a moving, wonderful \x1b[31m film."}
	_, stdout, _ := command(t, append(args, "-f", "json")...)
	var p wire.Prediction
	if err := json.Unmarshal([]byte(stdout), &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Answers) != 4 || p.Answers[0].Label != "positive" || len(p.Words) != 9 || len(p.Notes) != 0 || p.Words[1] != (wire.Word{Text: "'s", Known: true, Rank: 8, Count: 1}) {
		t.Errorf("prediction %+v", p)
	}
	_, stdout, _ = command(t, append(args, "-f", "csv")...)
	lines, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil || len(lines) != 5 || lines[1][4] != "positive" || lines[4][1] != "static-qint8" {
		t.Errorf("CSV %q, error %v", lines, err)
	}
	for format, say := range map[string]string{"md": "| -- | float32 | positive | baseline |", "table": "against float32"} {
		status, stdout, _ := command(t, append(args, "-f", format)...)
		if status != statusOK || !strings.Contains(stdout, say) {
			t.Errorf("%s: status %d\n%s", format, status, stdout)
		}
		checkPlain(t, format, stdout)
	}
}

// A run that is cancelled says so, and leaves no file.
func TestCanceled(t *testing.T) {
	folder := withoutData(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(500*time.Millisecond, cancel)
	status, stdout, stderr := commandWith(ctx, "run", "--models", "sst2-lab2", "--runs", "100", "-o", "r.json")
	if status != statusInterrupted || stdout != "" || stderr != "quantlab: interrupted\n" {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	checkFiles(t, folder)
}

// The trained models reach what is asked of them, and a run measures that again.
func TestRunRealData(t *testing.T) {
	store := withModels(t, nn.IDs()...)
	least := map[string]float64{"mnist-lab1": 0.965, "mnist-lab2": 0.965, "sst2-lab1": 0.80, "sst2-lab2": 0.805}
	trained := map[string]int{}
	for _, spec := range nn.Specs() {
		_, meta, err := store.Network(t.Context(), spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		if float64(meta.Correct) < least[spec.ID]*float64(meta.Total) {
			t.Errorf("%s: %d of %d right", spec.ID, meta.Correct, meta.Total)
		}
		trained[spec.ID] = meta.Correct
	}
	if testing.Short() {
		return
	}
	status, stdout, stderr := command(t, "run", "--models", "mnist-lab1,sst2-lab2", "--runs", "1", "--batches", "1", "--variants", "fp32,static-qint8", "-f", "json")
	var result wire.Result
	if err := json.Unmarshal([]byte(stdout), &result); err != nil || status != statusOK || len(result.Rows) != 4 {
		t.Fatalf("status %d, stderr %q, error %v, %d rows", status, stderr, err, len(result.Rows))
	}
	for _, r := range result.Rows {
		if r.Accuracy == nil || *r.Accuracy < least[r.Model]-0.005 || r.Variant == wire.Baseline && r.Correct != trained[r.Model] {
			t.Errorf("%s %s: %d of %d right, %d when it was trained", r.Model, r.Variant, r.Correct, r.Total, trained[r.Model])
		}
	}
}

func TestWriteFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "result.md")
	put := func(text string, fail error) error {
		return (&output{file: path}).write(func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return errors.Join(err, fail)
		})
	}
	if err := put("old", nil); err != nil {
		t.Fatal(err)
	}
	if err := put("half of new", errors.New("no more")); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "old" {
		t.Errorf("after a failure: %q, error %v", text, err)
	}
	checkFiles(t, folder, "result.md")
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		file, format string
		terminal     bool
		want         string
	}{
		{"", "", true, formatTable},
		{"", "", false, formatMD},
		{"", formatCSV, true, formatCSV},
		{"a.csv", "", true, formatCSV},
		{"a.json", formatMD, true, formatMD},
		{"a.md", "", false, formatMD},
		{"a.txt", "", true, formatMD},
		{"a", "", true, formatMD},
	} {
		t.Chdir(t.TempDir())
		o := &output{streams: &streams{outTerm: c.terminal}, format: c.format, file: c.file}
		if err := o.resolve(); err != nil || o.format != c.want {
			t.Errorf("%+v: %s, error %v", c, o.format, err)
		}
	}
}

func TestLinesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		m := &lines{w: &b}
		for i := range 100 { // ten seconds
			m.at(fmt.Sprint("step ", i), float64(i)/100)
			time.Sleep(100 * time.Millisecond)
		}
		m.say("done")
		m.close()
		if want := "  0%  step 0\n 20%  step 20\n 40%  step 40\n 60%  step 60\n 80%  step 80\ndone\n"; b.String() != want {
			t.Errorf("%q, want %q", b.String(), want)
		}
	})
}

func TestTrainCanceled(t *testing.T) {
	folder := withoutData(t)
	for _, args := range [][]string{{"train", "mnist-lab1"}, {"train", "mnist-lab1", "--seed", "7", "-o", "model.safetensors"}, {"prepare"}} {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		status, stdout, stderr := commandWith(ctx, args...)
		if strings.Contains(stderr, "MNIST missing") {
			t.Skip(stderr)
		}
		if status != statusInterrupted || stdout != "" || !strings.HasSuffix(stderr, "quantlab: interrupted\n") {
			t.Errorf("%q: status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
	checkFiles(t, folder)
	err := filepath.WalkDir(os.Getenv(prepare.EnvCache), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "lock" {
			t.Errorf("%s was left", path)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
