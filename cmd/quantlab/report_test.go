package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quantlab/cmd/internal/prepare"
	"quantlab/core/lab/wire"
	"quantlab/core/report/paper"
)

// small measures as little as can be: the model that comes with the program, without data.
var small = []string{"--models", "sst2-lab2", "--runs", "1", "--batches", "1"}

// withResults leaves r.json, what quantlab run wrote, in the folder of a machine without data.
func withResults(t *testing.T) (folder string) {
	t.Helper()
	folder = withoutData(t)
	if status, _, stderr := command(t, append([]string{"run", "-o", "r.json"}, small...)...); status != statusOK {
		t.Fatal(stderr)
	}
	return folder
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestReportFrom(t *testing.T) {
	folder := withResults(t)
	for name, begin := range map[string]string{"a.pdf": "%PDF-1", "a.md": "# Post-training", "a.html": "<!doctype html>", "a.json": "{"} {
		status, stdout, stderr := command(t, "report", "--from", "r.json", "-o", name)
		if status != statusOK || stdout != "" || stderr != "" {
			t.Fatalf("%s: status %d, stdout %q, stderr %q", name, status, stdout, stderr)
		}
		if text := readFile(t, name); !strings.HasPrefix(text, begin) || len(text) < 2000 {
			t.Errorf("%s begins with %.40q", name, text)
		}
	}
	again := readFile(t, "a.pdf")
	command(t, "report", "--from", "a.json", "-o", "b.pdf")
	if readFile(t, "b.pdf") != again {
		t.Error("the report of a study differs from that of the part that it was made of")
	}
	status, stdout, _ := command(t, "report", "--from", "r.json", "--from", "a.json")
	if status != statusOK || !strings.Contains(stdout, "sst2-lab2") {
		t.Errorf("status %d, %.100q", status, stdout)
	}
	checkFiles(t, folder, "a.html", "a.json", "a.md", "a.pdf", "b.pdf", "r.json")

	job := &reportJob{out: &output{streams: newStreams(&bytes.Buffer{}, &bytes.Buffer{}), format: formatMD, file: "stdin.md"}, from: []string{"-"}}
	if err := job.run(t.Context(), strings.NewReader(readFile(t, "r.json"))); err != nil {
		t.Fatal(err)
	}
	if readFile(t, "stdin.md") != readFile(t, "a.md") {
		t.Error("standard input gives another report")
	}
}

// Drafts become notes, and notes the report's words, whatever they hold.
func TestReportNotes(t *testing.T) {
	withResults(t)
	status, stdout, stderr := command(t, "report", "--from", "r.json", "--write-notes", "n.md")
	if status != statusOK || stdout != "" {
		t.Fatalf("status %d, stdout %.80q, stderr %q", status, stdout, stderr)
	}
	notes := readFile(t, "n.md")
	begin := strings.Index(notes, "\n## ")
	if begin < 0 {
		t.Fatalf("no drafts in %s", notes)
	}
	id, _, _ := strings.Cut(notes[begin+4:], "\n")
	if status, _, stderr := command(t, "report", "--from", "r.json", "--write-notes", "n.md"); status != statusFailed || !strings.Contains(stderr, "n.md is there already") {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	if err := os.WriteFile("n.md", []byte("## "+id+"\n\nMy <script>alert(1)</script> words.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"o.html": "My &lt;script&gt;alert(1)&lt;/script&gt; words.", "o.md": `My \<script>alert(1)\</script> words.`} {
		if status, _, stderr := command(t, "report", "--from", "r.json", "--notes", "n.md", "-o", name); status != statusOK {
			t.Fatal(stderr)
		}
		if text := readFile(t, name); !strings.Contains(text, want) || strings.Contains(strings.ReplaceAll(text, `\<`, ""), "<script>") {
			t.Errorf("%s does not hold %q, or as markup", name, want)
		}
	}
}

func TestReportWrongUsage(t *testing.T) {
	folder := withoutData(t)
	if err := os.WriteFile("bad.json", []byte(`{"rows": 7}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   string
		status int
		say    string
	}{
		{"report --format docx", statusUsage, "pdf, md, html, json"},
		{"report -o report.docx", statusUsage, "--format"},
		{"report -o report", statusUsage, "--format"},
		{"report --without tables", statusUsage, "sensitivity, plans, sweep, amp"},
		{"report --missing", statusUsage, "--from"},
		{"report --quick --from bad.json", statusUsage, "--missing"},
		{"report --from - --from -", statusUsage, "once"},
		{"report --models resnet", statusUsage, "mnist-lab1"},
		{"report now", statusUsage, `"now"`},
		{"report --from absent.json", statusFailed, "absent.json"},
		{"report --from bad.json", statusFailed, "bad.json"},
		{"report --from bad.json -o absent/r.pdf", statusFailed, "folder absent"},
		{"report --from bad.json --notes absent.md", statusFailed, "absent.md"},
		{"report --from bad.json --write-notes absent/n.md", statusFailed, "folder absent"},
	} {
		status, stdout, stderr := command(t, strings.Fields(c.args)...)
		if status != c.status || stdout != "" || !strings.Contains(stderr, c.say) {
			t.Errorf("%s: status %d, stdout %q, stderr %q", c.args, status, stdout, stderr)
		}
		checkSentence(t, c.args, stderr)
	}
	checkFiles(t, folder, "bad.json")
}

// readKept checks that a file holds a study of so many runs.
func readKept(t *testing.T, name string, runs int) wire.Study {
	t.Helper()
	study, _, err := paper.ReadStudy(strings.NewReader(readFile(t, name)))
	if err != nil || len(study.Results) != runs {
		t.Fatalf("%s: %d runs, %v", name, len(study.Results), err)
	}
	return study
}

// What was measured outlives a report that can't be written.
func TestReportDiskFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no full disk to write to: ", err)
	}
	defer full.Close()
	folder := withoutData(t)
	var stderr bytes.Buffer
	args := append([]string{"report", "--format", "pdf", "--without", "sensitivity,plans,sweep,amp"}, small...)
	if status := execute(t.Context(), args, full, &stderr); status != statusFailed || !strings.Contains(stderr.String(), "no space left") {
		t.Fatalf("status %d, %s", status, &stderr)
	}
	_, kept, _ := strings.Cut(stderr.String(), "the results are kept in ")
	kept, _, _ = strings.Cut(kept, ":")
	if !strings.HasPrefix(kept, os.Getenv(prepare.EnvCache)) {
		t.Errorf("kept in %q", kept)
	}
	study := readKept(t, kept, 1)
	if study.Command == "" || study.Made == "" || study.Version == "" {
		t.Errorf("study of %q, %q, %q", study.Command, study.Made, study.Version)
	}
	checkFiles(t, folder)
}

// An interruption loses only the part that was under way, and says how to go on; going on measures only what is missing.
func TestReportInterrupted(t *testing.T) {
	folder := withoutData(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(folder, "r.partial.json")); err == nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	args := append([]string{"report", "-o", "r.pdf"}, small...)
	status, stdout, stderr := commandWith(ctx, args...)
	if status != statusInterrupted || stdout != "" || !strings.Contains(stderr, "quantlab report --from r.partial.json --missing") {
		t.Fatalf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	checkFiles(t, folder, "r.partial.json")
	before := readKept(t, "r.partial.json", 1)

	args = append([]string{"report", "--from", "r.partial.json", "--missing", "--without", "sensitivity,plans,sweep,amp", "-o", "on.md"}, small...)
	if status, _, stderr := command(t, args...); status != statusOK || strings.Contains(stderr, "part 1") {
		t.Fatalf("status %d, stderr %q", status, stderr)
	}
	if after := readKept(t, "r.partial.json", 1); after.Made != before.Made {
		t.Error("the results were touched")
	}
}

func TestKeeper(t *testing.T) {
	dir := t.TempDir()
	k := &keeper{beside: filepath.Join(dir, "absent", "r"), cache: filepath.Join(dir, "cache", "reports", "x")}
	study := wire.Study{Format: wire.StudyFormat}
	if err := k.save(study, partialSuffix); err != nil || k.path != k.cache+partialSuffix {
		t.Fatalf("kept in %q, %v", k.path, err)
	}
	k.beside = filepath.Join(dir, "r") // the folder is there again
	if err := k.save(study, finalSuffix); err != nil || k.path != k.beside+finalSuffix {
		t.Fatalf("kept in %q, %v", k.path, err)
	}
	checkFiles(t, filepath.Join(dir, "cache", "reports"))
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	k = &keeper{beside: filepath.Join(dir, "file", "r"), cache: filepath.Join(dir, "file", "x")}
	if err := k.save(study, finalSuffix); err == nil || !strings.Contains(err.Error(), "neither") {
		t.Error(err)
	}
}

func TestRest(t *testing.T) {
	began := time.Now().Add(-time.Minute)
	for fraction, want := range map[float64]string{0: "", .04: "", .1: ", 9 min left", .5: ", 1 min left", .8: ", 15 s left"} {
		if got := rest(began, fraction); got != want && got != strings.Replace(want, "1 min", "60 s", 1) {
			t.Errorf("at %v: %q", fraction, got)
		}
	}
}
