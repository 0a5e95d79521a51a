package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"quantlab/cmd/internal/version"
)

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"--adr", "x"}, {"--addr", "nonsense"}, {"--addr", "a:b:c"}, {"extra"}, {"--log=perhaps"}} {
		var out, errs bytes.Buffer
		if err := run(t.Context(), args, &out, &errs); !errors.Is(err, errUsage) {
			t.Errorf("%v: %v", args, err)
		}
		if out.Len() > 0 || errs.Len() == 0 {
			t.Errorf("%v: printed %q and %q", args, &out, &errs)
		}
	}
}

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--version"}, &out, io.Discard); err != nil || out.String() != "devserver "+version.String()+"\n" {
		t.Errorf("printed %q, error %v", &out, err)
	}
}

func TestPagesFilesAreMissing(t *testing.T) {
	err := run(t.Context(), []string{"--web", t.TempDir()}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "run make build") {
		t.Errorf("got %v", err)
	}
}

func TestAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8000": "http://127.0.0.1:8000",
		"0.0.0.0:80":     "http://127.0.0.1:80",
		"[::]:80":        "http://127.0.0.1:80",
		"[::1]:80":       "http://[::1]:80",
	} {
		a, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := address(a); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

// serve lets a response that is under way end, and then returns.
func TestServeDrains(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	entered, waited := make(chan bool), false
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-ctx.Done()
		time.Sleep(20 * time.Millisecond)
		io.WriteString(w, "whole")
	})
	served := make(chan error, 1)
	go func() { served <- serve(ctx, listener, slow, func() { waited = true }) }()
	got := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			got <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		got <- string(body)
	}()
	<-entered
	stop()
	if body := <-got; body != "whole" {
		t.Errorf("the response was %q", body)
	}
	if err := <-served; err != nil || !waited {
		t.Errorf("serve: %v, waited %v", err, waited)
	}
}

// pages are the files without which the server doesn't start.
func pages(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"app.wasm", "compute.wasm", "wasm_exec.js"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	t.Setenv("QUANTLAB_CACHE", t.TempDir())
	var out bytes.Buffer
	err = run(t.Context(), []string{"--addr", taken.Addr().String(), "--web", pages(t)}, &out, io.Discard)
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()+" is in use") || strings.Contains(err.Error(), "\n") || out.Len() > 0 {
		t.Errorf("got %v; printed %q", err, &out)
	}
}

// The page is served at once, whatever has to be prepared first; a signal ends all of it.
func TestServesBeforeItIsPrepared(t *testing.T) {
	t.Setenv("QUANTLAB_CACHE", t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	out, line := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--addr", "127.0.0.1:0", "--web", pages(t)}, line, io.Discard)
		line.Close()
	}()
	reader := bufio.NewReader(out)
	said, err := reader.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := regexp.MustCompile(`^quantlab is at (http://127\.0\.0\.1:[0-9]+)\n$`).FindStringSubmatch(said)
	if url == nil {
		t.Fatalf("printed %q", said)
	}
	for path, want := range map[string]int{"/": 200, "/healthz": 200, "/api/status": 200, "/web/app.wasm": 200, "/data/manifest.json": 503} {
		res, err := http.Get(url[1] + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, res.StatusCode, want)
		}
	}
	start := time.Now()
	stop()
	if err := <-done; err != nil {
		t.Errorf("stopped: %v", err)
	}
	if took := time.Since(start); took > shutdownTime+2*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if rest, _ := io.ReadAll(reader); len(rest) > 0 {
		t.Errorf("printed more than one line: %q", rest)
	}
}
