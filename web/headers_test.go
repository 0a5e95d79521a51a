package web

import (
	"net/http"
	"strings"
	"testing"
)

func TestCacheControl(t *testing.T) {
	for path, want := range map[string]string{
		"/":                         Revalidate,
		"/app.js":                   Revalidate,
		"/web/app.wasm":             Revalidate,
		"/v/0123456789ab/web/a.css": Immutable,
		"/data/mnist-test-01.qlsh":  Immutable,
		"/data/manifest.json":       Revalidate,
		"/api/status":               NoStore,
		"/healthz":                  NoStore,
		"/vintage":                  Revalidate,
	} {
		h := http.Header{}
		SetHeaders(h, path)
		if got := h.Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", path, got, want)
		}
	}
}

// The policy must stay strict: a reader of the page trusts that no text can become code.
func TestPolicyAllowsNothingInline(t *testing.T) {
	for _, word := range []string{"'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "*"} {
		if strings.Contains(Policy, word) {
			t.Errorf("the policy contains %s: %s", word, Policy)
		}
	}
	for _, want := range []string{"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval';", "style-src 'self';", "frame-ancestors 'none'"} {
		if !strings.Contains(Policy, want) {
			t.Errorf("the policy lacks %s: %s", want, Policy)
		}
	}
}

// Other sites may frame the views made for that, and nothing else.
func TestFraming(t *testing.T) {
	for _, path := range []string{"/", "/draw", "/embedded", "/embedded/draw", "/v/x/embed/draw", "/api/run", "/data/x"} {
		h := http.Header{}
		SetHeaders(h, path)
		if h.Get("X-Frame-Options") != "DENY" || h.Get("Content-Security-Policy") != Policy || h.Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%s can be framed: %v", path, h)
		}
	}
	for _, path := range []string{"/embed", "/embed/draw"} {
		h := http.Header{}
		SetHeaders(h, path)
		if _, framed := h["X-Frame-Options"]; framed || h.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s can't be framed: %v", path, h)
		}
		if got, want := h.Get("Content-Security-Policy"), strings.Replace(Policy, "frame-ancestors 'none'", "frame-ancestors *", 1); got != want {
			t.Errorf("%s has the policy %s, want %s", path, got, want)
		}
		for key, want := range map[string]string{"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp", "Cache-Control": Revalidate} {
			if got := h.Get(key); got != want {
				t.Errorf("/embed/draw: %s %q, want %q", key, got, want)
			}
		}
	}
}

func TestEveryResponseIsIsolated(t *testing.T) {
	for _, path := range []string{"/", "/web/worker.js", "/v/x/web/worker.js", "/data/x", "/api/run", "/missing"} {
		h := http.Header{}
		SetHeaders(h, path)
		for key, want := range map[string]string{
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Embedder-Policy": "require-corp",
			"Cross-Origin-Resource-Policy": "same-origin",
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
		} {
			if got := h.Get(key); got != want {
				t.Errorf("%s: %s %q, want %q", path, key, got, want)
			}
		}
	}
}
