package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quantlab/cmd/internal/precompress"
	"quantlab/core/lab/wire"
)

func TestEveryAnswerHasTheHeaders(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/", "/web/x.js", "/v/1/web/x.js", "/data/manifest.json", "/data/none", "/api/hardware", "/api/status", "/api/none", "/api/run", "/healthz"} {
		res := f.send(t, t.Context(), "GET", path, "")
		for key, want := range map[string]string{
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Embedder-Policy": "require-corp",
			"Cross-Origin-Resource-Policy": "same-origin",
			"X-Content-Type-Options":       "nosniff",
			"X-Frame-Options":              "DENY",
			"Referrer-Policy":              "no-referrer",
		} {
			if got := res.Header.Get(key); got != want {
				t.Errorf("%s: %s %q, want %q", path, key, got, want)
			}
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self' 'wasm-unsafe-eval'") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
		if res.Header.Get("Permissions-Policy") == "" {
			t.Errorf("%s: no Permissions-Policy", path)
		}
	}
}

func TestAPI(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/healthz", 200, "ok\n"},
		{"HEAD", "/healthz", 200, ""},
		{"GET", "/api/hardware", 200, `"cpu":"a test"`},
		{"GET", "/api/status", 200, `{"ready":true,"step":"","fraction":1,"text":""}`},
		{"GET", "/api/run", 405, "send POST to /api/run"},
		{"POST", "/api/hardware", 405, "send GET"},
		{"GET", "/api/none", 404, "there is no /api/none"},
		{"GET", "/", 200, "page"},
	} {
		res := f.send(t, t.Context(), c.method, c.path, "")
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != c.status || !strings.Contains(string(body), c.body) {
			t.Errorf("%s %s: status %d, %q; want %d, %q", c.method, c.path, res.StatusCode, body, c.status, c.body)
		}
		if c.status == 405 && res.Header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow header", c.method, c.path)
		}
	}
}

func TestStatusStream(t *testing.T) {
	f := newUnprepared(t)
	res := f.send(t, t.Context(), "GET", "/api/status", "", "Accept", "text/event-stream")
	lines := bufio.NewScanner(res.Body)
	next := func() (s status) {
		t.Helper()
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), &s); err != nil {
					t.Fatal(err)
				}
				return s
			}
		}
		t.Fatal("the stream ended")
		return s
	}
	if s := next(); s.Ready || s.Failed || s.Step == "" {
		t.Errorf("at first: %+v", s)
	}
	f.report("training sst2-lab1, epoch 2 of 2", 0.75)
	if s := next(); s.Step != "training sst2-lab1, epoch 2 of 2" || s.Fraction != 0.75 {
		t.Errorf("then: %+v", s)
	}
	f.ready <- nil
	if s := next(); !s.Ready || s.Fraction != 1 {
		t.Errorf("at last: %+v", s)
	}
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "data") {
			t.Errorf("after ready: %s", lines.Text())
		}
	}
}

func TestDataWhilePreparing(t *testing.T) {
	f := newUnprepared(t)
	res := f.send(t, t.Context(), "GET", "/data/manifest.json", "")
	if res.StatusCode != 503 || res.Header.Get("Retry-After") != "1" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("preparing: status %d, %v", res.StatusCode, res.Header)
	}
	f.prepared(t, errors.New("the disk is full: free some space"))
	res = f.send(t, t.Context(), "GET", "/data/manifest.json", "")
	if body, _ := io.ReadAll(res.Body); res.StatusCode != 500 || !strings.Contains(string(body), "the disk is full") {
		t.Errorf("failed: status %d, %s", res.StatusCode, body)
	}
	var s status
	if err := json.NewDecoder(f.send(t, t.Context(), "GET", "/api/status", "").Body).Decode(&s); err != nil || !s.Failed || s.Ready {
		t.Errorf("status %+v, %v", s, err)
	}
}

func TestData(t *testing.T) {
	f := newFixture(t)
	shard := strings.Repeat("0123456789", 10_000)
	for name, text := range map[string]string{"manifest.json": `{"version":1}`, "test-0011aabb.qlsh": shard, "secret.go": "x", "UPPER": "x"} {
		if err := os.WriteFile(filepath.Join(f.shards, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(f.shards, ".hidden")); err != nil {
		t.Fatal(err)
	}
	if _, err := precompress.Dir(t.Context(), f.shards, precompress.Options{}); err != nil {
		t.Fatal(err)
	}
	res := f.send(t, t.Context(), "GET", "/data/test-0011aabb.qlsh", "", "Accept-Encoding", "br")
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 || res.Header.Get("Content-Encoding") != "br" || len(body) >= len(shard) ||
		res.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || res.Header.Get("X-Raw-Length") != "100000" {
		t.Errorf("shard: status %d, %d bytes, %v", res.StatusCode, len(body), res.Header)
	}
	res = f.send(t, t.Context(), "GET", "/data/manifest.json", "")
	tag := res.Header.Get("ETag")
	if res.StatusCode != 200 || res.Header.Get("Cache-Control") != "no-cache" || res.Header.Get("Content-Type") != "application/json" || tag == "" {
		t.Errorf("manifest: status %d, %v", res.StatusCode, res.Header)
	}
	if res = f.send(t, t.Context(), "GET", "/data/manifest.json", "", "If-None-Match", tag); res.StatusCode != 304 {
		t.Errorf("manifest again: status %d", res.StatusCode)
	}
	for _, path := range []string{"/data/", "/data/none.qlsh", "/data/.hidden", "/data/..", "/data/%2e%2e%2fx", "/data/a/b", "/data/test-0011aabb.qlsh.br", "/data/UPPER"} {
		if res := f.send(t, t.Context(), "GET", path, ""); res.StatusCode == 200 && res.Request.URL.Path != "/" || strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: status %d, %s", path, res.StatusCode, res.Header.Get("Cache-Control"))
		}
	}
	if res := f.send(t, t.Context(), "POST", "/data/manifest.json", quick()); res.StatusCode != 405 {
		t.Errorf("POST: status %d", res.StatusCode)
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:80": true, "127.0.0.1:8000": true, "127.9.9.9": true, "[::1]:8000": true, "[::1]": true, "::1": true,
		"": false, "evil.example": false, "localhost.evil.example": false, "127.0.0.1.evil.example:80": false, "0.0.0.0:80": false, "192.168.1.2": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestHardwareIsWire(t *testing.T) {
	f := newFixture(t)
	var hw wire.Hardware
	if err := json.NewDecoder(f.send(t, t.Context(), "GET", "/api/hardware", "").Body).Decode(&hw); err != nil || hw.Host != wire.Native {
		t.Errorf("%+v, %v", hw, err)
	}
}
