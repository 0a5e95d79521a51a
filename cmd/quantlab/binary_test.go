//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"quantlab/core/lab/wire"
)

// build makes the real program. It is built once a test that needs it, from the build cache.
func build(t *testing.T) (path string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the program")
	}
	path = filepath.Join(t.TempDir(), "quantlab")
	cmd := exec.Command("go", "build", "-o", path, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func TestBinary(t *testing.T) {
	path := build(t)
	folder := withoutData(t)
	for _, c := range []struct {
		args   []string
		status int
		stdout string // what stdout holds
		stderr string
	}{
		{[]string{"--help"}, statusOK, "Available Commands", ""},
		{[]string{"hardware", "-f", "json"}, statusOK, `"instructions"`, ""},
		{[]string{"hardware"}, statusOK, "| CPU |", ""},
		{[]string{"run", "--runs", "0"}, statusUsage, "", "runs 0"},
		{[]string{"fly"}, statusUsage, "", `"fly"`},
		{[]string{"predict", "--model", "mnist-lab1", "--image", "absent.png"}, statusFailed, "", "absent.png"},
		{[]string{"predict", "--model", "sst2-lab2", "--text", "good", "-f", "json"}, statusOK, `"positive"`, ""},
	} {
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(path, c.args...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if got := cmd.ProcessState.ExitCode(); got != c.status {
			t.Errorf("%q: status %d, want %d", c.args, got, c.status)
		}
		for name, s := range map[string][2]string{"stdout": {stdout.String(), c.stdout}, "stderr": {stderr.String(), c.stderr}} {
			if got, want := s[0], s[1]; want == "" && got != "" || !strings.Contains(got, want) {
				t.Errorf("%q: %s %q, want %q", c.args, name, got, want)
			}
			checkPlain(t, name, s[0])
		}
	}
	checkFiles(t, folder)
}

// A signal at any moment ends the program soon, with its own status and without half a file.
func TestBinaryInterrupted(t *testing.T) {
	path := build(t)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, at := range []string{"loading", "converting", "run "} {
			folder := withoutData(t)
			cmd := exec.Command(path, "run", "--models", "sst2-lab2", "--runs", "100", "--format", "csv", "-o", "result.csv")
			var stdout bytes.Buffer
			cmd.Stdout = &stdout
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stderr)
			last, sent := "", time.Time{}
			for lines.Scan() {
				last = lines.Text()
				// Lines come every two seconds, so a step is met or it is not; the first line will do as well.
				if sent.IsZero() && (strings.Contains(last, at) || at == "converting") {
					sent = time.Now()
					if err := cmd.Process.Signal(signal); err != nil {
						t.Fatal(err)
					}
				}
			}
			took := time.Since(sent)
			if err := cmd.Wait(); cmd.ProcessState == nil {
				t.Fatal(err)
			}
			if got := cmd.ProcessState.ExitCode(); got != statusInterrupted || last != "quantlab: interrupted" || stdout.Len() > 0 {
				t.Errorf("%v at %s: status %d, last line %q, stdout %q", signal, at, got, last, stdout.String())
			}
			if took > 3*time.Second { // generous: other programs share the machine
				t.Errorf("%v at %s: it took %v", signal, at, took)
			}
			checkFiles(t, folder)
		}
	}
}

// What JSON says on standard output is one object and nothing else, however the program is called.
func TestBinaryJSON(t *testing.T) {
	path := build(t)
	withoutData(t)
	cmd := exec.Command(path, "run", "--models", "sst2-lab2", "--variants", "static-qint8", "--batches", "1", "--runs", "2", "--format", "json")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("error %v, stderr %q", err, stderr.String())
	}
	d := json.NewDecoder(bytes.NewReader(stdout))
	d.DisallowUnknownFields()
	var result wire.Result
	if err := d.Decode(&result); err != nil || d.More() || len(result.Rows) != 1 {
		t.Errorf("error %v, %d rows:\n%s", err, len(result.Rows), stdout)
	}
	if _, err := os.Stat("result.json"); err == nil {
		t.Error("a file nobody asked for")
	}
}
