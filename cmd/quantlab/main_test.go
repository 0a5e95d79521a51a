package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"quantlab/cmd/internal/prepare"
	"quantlab/core/nn"
)

func TestMain(m *testing.M) {
	// No test may reach the network. Go reads this once a process.
	os.Setenv("HTTP_PROXY", "http://127.0.0.1:9")
	os.Setenv("HTTPS_PROXY", "http://127.0.0.1:9")
	os.Exit(m.Run())
}

// command runs a command line in this process.
func command(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return commandWith(t.Context(), args...)
}

func commandWith(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = execute(ctx, args, &out, &err)
	return status, out.String(), err.String()
}

// withoutData moves the test to a machine that has no data, no network and an empty cache.
func withoutData(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	t.Chdir(folder)
	t.Setenv(prepare.EnvCache, filepath.Join(t.TempDir(), "cache"))
	t.Setenv(prepare.EnvData, filepath.Join(folder, "nothing"))
	return folder
}

// withModels skips the test unless the models are trained already. Data is looked for in $QUANTLAB_DATA, or in the
// folders data and shared/data beside this one or further up.
func withModels(t *testing.T, models ...string) *prepare.Store {
	t.Helper()
	if os.Getenv(prepare.EnvData) == "" {
		t.Setenv(prepare.EnvData, dataAbove(t))
	}
	store, err := prepare.Open(prepare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, model := range models {
		spec, err := nn.SpecOf(model)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := store.Network(t.Context(), spec, nil); err != nil {
			t.Skipf("%v (make test prepares it)", err)
		}
		if _, err := store.Test(t.Context(), spec, 1, nil); err != nil {
			t.Skip(err)
		}
	}
	return store
}

// dataAbove returns the nearest folder upward that holds SST-2, "" if there is none.
func dataAbove(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		for _, name := range []string{"data", "shared/data"} {
			if _, err := os.Stat(filepath.Join(dir, name, "sst2", "dev.tsv")); err == nil {
				return filepath.Join(dir, name)
			}
		}
	}
	return ""
}

// checkPlain holds for whatever is written to something that is no terminal.
func checkPlain(t *testing.T, name, text string) {
	t.Helper()
	if strings.ContainsAny(text, "\x1b\r") {
		t.Errorf("%s holds escape codes: %q", name, text)
	}
}

func TestWrongUsage(t *testing.T) {
	withoutData(t)
	for _, c := range []struct {
		args string
		say  string
	}{
		{"fly", `"fly"`},
		{"--fly", "--fly"},
		{"run --fly", "quantlab run --help"},
		{"run now", `"now"`},
		{"run --models resnet", "mnist-lab1"},
		{"run --models mnist-lab1,mnist-lab1", "twice"},
		{"run --models=", "no model"},
		{"run --variants int4", "static-qint8"},
		{"run --batches 0", "1 to 4096"},
		{"run --batches 1000000000", "1000000000"},
		{"run --batches 99999999999999999999", "99999999999999999999"},
		{"run --batches -1", "-1"},
		{"run --batches many", `"many"`},
		{"run --batches 1,,2", "batch"},
		{"run --runs 0", "runs 0"},
		{"run --runs few", "whole number"},
		{"run --runs 99999999999999999999", "whole number"},
		{"run --threads 65", "threads 65"},
		{"run --input damp", `"damp"`},
		{"run --engine abacus", "portable"},
		{"run --weights stale", `"stale"`},
		{"run --examples -1", "examples -1"},
		{"run --seed -1", "whole number"},
		{"run --format xml", "table, md, csv, json"},
		{"hardware --format xml", "xml"},
		{"hardware here", `"here"`},
		{"prepare more", `"more"`},
		{"train", "name of a model"},
		{"train resnet", `"resnet"`},
		{"train mnist-lab1 mnist-lab2", `"mnist-lab2"`},
		{"train mnist-lab1 --amp float8", "choose bf16 or f16"},
		{"amp --type float8", "choose bf16 or f16"},
		{"amp --seeds 0", "seeds 0"},
		{"amp --seeds 21", "1 to 20"},
		{"amp --epochs 51", "epochs 51"},
		{"amp --limit -1", "limit -1"},
		{"amp --models resnet", "mnist-lab1"},
		{"amp --batches 0", "1 to 4096"},
		{"amp now", `"now"`},
		{"predict", "--model"},
		{"predict --model resnet --text a", `"resnet"`},
		{"predict --model mnist-lab1", "--image"},
		{"predict --model mnist-lab1 --text a", "--image"},
		{"predict --model sst2-lab2 --image a.png", "--text"},
		{"predict --model sst2-lab2 --image a.png --text a", "not both"},
		{"predict --model sst2-lab2 --text a --format xml", "xml"},
	} {
		status, stdout, stderr := command(t, strings.Fields(c.args)...)
		if status != statusUsage || stdout != "" || !strings.Contains(stderr, c.say) {
			t.Errorf("%s: status %d, stdout %q, stderr %q", c.args, status, stdout, stderr)
		}
		checkSentence(t, c.args, stderr)
	}
}

// checkSentence holds for every error: one line that says who speaks.
func checkSentence(t *testing.T, name, stderr string) {
	t.Helper()
	if !strings.HasPrefix(stderr, "quantlab: ") || strings.Count(stderr, "\n") != 1 || strings.HasSuffix(stderr, ".\n") {
		t.Errorf("%s: %q is not one sentence", name, stderr)
	}
}

func TestFailures(t *testing.T) {
	folder := withoutData(t)
	if err := os.WriteFile("note.png", []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		say  string
	}{
		{[]string{"predict", "--model", "mnist-lab1", "--image", "absent.png"}, "absent.png"},
		{[]string{"predict", "--model", "mnist-lab1", "--image", "note.png"}, "not a PNG"},
		{[]string{"predict", "--model", "mnist-lab1", "--image", "folder"}, "folder"},
		{[]string{"predict", "--model", "sst2-lab2", "--text", "  "}, "empty"},
		{[]string{"hardware", "-o", "absent/result.json"}, "folder absent"},
		{[]string{"hardware", "-o", "folder"}, "not a regular file"},
		{[]string{"train", "mnist-lab1", "-o", "folder"}, "not a regular file"},
		{[]string{"run", "--models", "sst2-lab2", "-o", "absent/result.json"}, "folder absent"},
	} {
		status, stdout, stderr := command(t, c.args...)
		lines := strings.SplitAfter(strings.TrimSuffix(stderr, "\n"), "\n") // progress may come first
		last := lines[len(lines)-1] + "\n"
		if status != statusFailed || stdout != "" || !strings.Contains(last, c.say) {
			t.Errorf("%q: status %d, stdout %q, stderr %q", c.args, status, stdout, stderr)
		}
		checkSentence(t, strings.Join(c.args, " "), last)
	}
	checkFiles(t, folder, "folder", "note.png")
}

// checkFiles compares what a folder holds.
func checkFiles(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", folder, got, want)
	}
}

func TestHelp(t *testing.T) {
	for args, say := range map[string][]string{
		"":                {"post-training quantization", "static-qint8", "mnist-lab1", "Examples:", "quantlab prepare"},
		"--help":          {"static-qint8", "Available Commands:"},
		"help run":        {"--batches", "quantlab run -o results.md"},
		"run --help":      {"--runs int", "default 5", "95% interval"},
		"prepare --help":  {"$QUANTLAB_DATA", "$QUANTLAB_CACHE"},
		"train --help":    {"train MODEL", "from seed " + defaultSeed, "--amp type"},
		"amp --help":      {"--type type", "GradScaler", "AVX512_BF16"},
		"predict --help":  {"--image", "28x28"},
		"hardware --help": {"--format"},
	} {
		status, stdout, stderr := command(t, strings.Fields(args)...)
		if status != statusOK || stderr != "" {
			t.Errorf("%q: status %d, stderr %q", args, status, stderr)
		}
		for _, s := range say {
			if !strings.Contains(stdout, s) {
				t.Errorf("%q does not say %q:\n%s", args, s, stdout)
			}
		}
		for line := range strings.Lines(stdout) {
			if strings.Contains(line, "quantlab [flags]") {
				t.Errorf("%q teaches %q", args, line)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	status, stdout, _ := command(t, "--version")
	if status != statusOK || !strings.HasPrefix(stdout, "quantlab ") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("status %d, %q", status, stdout)
	}
}
