package site

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/app"
	"quantlab/cmd/internal/precompress"
	"quantlab/web"
)

// files are a web directory like the built one.
func files(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"app.wasm": "\x00asm app", "compute.wasm": "\x00asm compute", "wasm_exec.js": "// the toolchain's",
		"quantlab.js": strings.Repeat("quantlab();\n", 200), "worker.js": "worker()", "quantlab.css": "body{}",
		"chart.css": ".chart{}", "figure.css": ".plotted{}", "draw.css": ".draw{}", "type.css": ".type{}", "inspect.css": ".inspect{}", "sensitivity.css": ".sens{}", "paper.css": ".paper{}", "report.css": ".report{}", "training.css": ".training{}", "models.css": ".models{}", "threads.js": "threads()", "pictures.js": "pictures()", "own.js": "own()", "files.js": "files()",
		"icon.svg": "<svg/>", "icon-192.png": "png", "icon-512.png": "png", "headers.go": "package web",
		"kernels/link.wasm": strings.Repeat("\x00asm link", 200),
	} {
		write(t, dir, name, text)
	}
	if _, err := precompress.Dir(t.Context(), filepath.Join(dir, "kernels"), precompress.Options{Quality: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := precompress.Dir(t.Context(), dir, precompress.Options{Quality: 1}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *Site {
	t.Helper()
	s, err := Open(dir, app.Handler)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(h http.Handler, path string, header ...string) (*http.Response, string) {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	res := w.Result()
	body, _ := io.ReadAll(res.Body)
	return res, string(body)
}

// The page must work under a policy that allows nothing inline, and every file that it or its loader names must be there.
func TestPage(t *testing.T) {
	s := open(t, files(t))
	res, page := get(s, "/")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("status %d, %v", res.StatusCode, res.Header)
	}
	for _, script := range regexp.MustCompile(`(?is)<script\b[^>]*>(.*?)</script>`).FindAllStringSubmatch(page, -1) {
		if strings.TrimSpace(script[1]) != "" || !strings.Contains(script[0], "src=") {
			t.Errorf("an inline script: %s", script[0])
		}
	}
	if m := regexp.MustCompile(`(?i)<style\b|<[^>]*\s(style|on[a-z]+)=`).FindString(page); m != "" {
		t.Errorf("inline style or handler: %s", m)
	}
	if strings.Count(page, `name="viewport"`) != 1 || strings.Contains(page, "user-scalable") {
		t.Error("the page can't be enlarged on a phone")
	}
	if strings.Contains(page, "http://") && strings.Contains(page, "src=\"http") {
		t.Error("the page loads something from elsewhere")
	}
	_, loader := get(s, "/app.js")
	_, manifest := get(s, "/manifest.webmanifest")
	links := regexp.MustCompile(`(?:src|href)="(/[^"]*)"|"(/v/[^"/]+/[^"]+)"|"(/[a-z-]+\.js)"`)
	seen := map[string]bool{}
	for _, m := range links.FindAllStringSubmatch(page+loader+manifest, -1) {
		path := m[1] + m[2] + m[3]
		if seen[path] || strings.HasPrefix(path, "/#") {
			continue
		}
		seen[path] = true
		if res, _ := get(s, path); res.StatusCode != 200 {
			t.Errorf("%s, which the page refers to: status %d", path, res.StatusCode)
		}
	}
	root := "/v/" + s.Version()
	for _, want := range []string{root + "/app.js", root + "/web/wasm_exec.js", root + "/web/app.wasm", root + "/web/quantlab.js", "/app-worker.js"} {
		if !seen[want] {
			t.Errorf("the page doesn't refer to %s, only to %v", want, seen)
		}
	}
	// What a page loads is of its own build, whatever the server has by then.
	for _, m := range regexp.MustCompile(`<(?:script|link rel="stylesheet")[^>]* (?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], root+"/") {
			t.Errorf("the page loads %s, which has no version", m[1])
		}
	}
	if !strings.Contains(loader, web.RawLength) {
		t.Errorf("the loader doesn't look at %s", web.RawLength)
	}
	if _, js := get(s, "/wasm_exec.js"); js != "// the toolchain's" {
		t.Errorf("wasm_exec.js is not the toolchain's: %.60q", js)
	}
}

// The service worker keeps every file of the build, and the page of every view.
func TestServiceWorkerKeepsAll(t *testing.T) {
	s := open(t, files(t))
	_, script := get(s, "/app-worker.js")
	list := regexp.MustCompile(`(?m)^const resources = (\[.*\]);$`).FindStringSubmatch(script)
	if list == nil || !strings.Contains(script, `"quantlab page "`) || !strings.Contains(script, `prefix + "`+s.Version()+`"`) {
		t.Fatalf("the script is\n%s", script)
	}
	var kept []string
	if err := json.Unmarshal([]byte(list[1]), &kept); err != nil {
		t.Fatal(err)
	}
	for _, path := range kept {
		if res, _ := get(s, path); res.StatusCode != 200 {
			t.Errorf("%s: status %d", path, res.StatusCode)
		}
	}
	root := "/v/" + s.Version() + "/"
	for _, want := range []string{"/", "/draw", "/type", "/inspect", "/all", "/manifest.webmanifest", root + "app.js", root + "app.css",
		root + "web/app.wasm", root + "web/compute.wasm", root + "web/worker.js", root + "web/threads.js", root + "web/kernels/link.wasm", root + "web/chart.css"} {
		if !slices.Contains(kept, want) {
			t.Errorf("%s is not kept, only %q", want, kept)
		}
	}
}

func TestPaths(t *testing.T) {
	s := open(t, files(t))
	for path, want := range map[string]int{
		"/":                                  200,
		"/web/quantlab.js":                   200,
		"/app-worker.js":                     200,
		"/web/headers.go":                    404,
		"/web/app.wasm.br":                   404,
		"/web/kernels/link.wasm":             200,
		"/web/kernels/link.wasm.br":          404,
		"/web/kernels/":                      404,
		"/web/kernels":                       404,
		"/web/../go.mod":                     404,
		"/web/":                              404,
		"/web/.precompressed.json":           404,
		"/v/000000000000/web/quantlab.js":    404,
		"/v/" + s.Version() + "/web/none.js": 404,
		"/v/" + s.Version() + "/web/kernels/link.wasm": 200,
		"/v/" + s.Version() + "/app.js":                200,
		"/v/" + s.Version() + "/app-worker.js":         404,
		"/v/" + s.Version() + "/":                      404,
		"/v/":                                          404,
		"/no-such-page":                                404,
		"/robots.txt":                                  404,
		"/app.wasm":                                    404,
	} {
		if res, _ := get(s, path); res.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, res.StatusCode, want)
		} else if want == 404 && res.Header.Get("Cache-Control") != web.NoStore {
			t.Errorf("%s: a 404 that may be stored: %q", path, res.Header.Get("Cache-Control"))
		}
	}
}

func TestCompressedOnDiskAndInMemory(t *testing.T) {
	s := open(t, files(t))
	for _, path := range []string{"/web/quantlab.js", "/v/" + s.Version() + "/web/quantlab.js", "/web/kernels/link.wasm", "/", "/app.js"} {
		for _, encoding := range []string{"br", "gzip"} {
			if res, _ := get(s, path, "Accept-Encoding", encoding); res.Header.Get("Content-Encoding") != encoding {
				t.Errorf("%s: Content-Encoding %q, want %s", path, res.Header.Get("Content-Encoding"), encoding)
			}
		}
	}
}

func TestQueryAndHostDoNotShapeThePage(t *testing.T) {
	s := open(t, files(t))
	r := httptest.NewRequest("GET", "/?models=evil%22%3E", nil)
	r.Host = "evil.example"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if strings.Contains(w.Body.String(), "evil") {
		t.Error("the request's host or query is in a page that is kept for others")
	}
}

// A build that appears while the server runs is served at the next page view, and the old page's files are refused
// rather than answered with the new ones, which may be kept for a year under the old name.
func TestRebuild(t *testing.T) {
	dir := files(t)
	s := open(t, dir)
	old := s.Version()
	res, _ := get(s, "/")
	tag := res.Header.Get("ETag")
	if res, _ := get(s, "/", "If-None-Match", tag); res.StatusCode != 304 {
		t.Errorf("unchanged: status %d", res.StatusCode)
	}
	write(t, dir, "quantlab.css", "body{color:red}")
	if res, _ := get(s, "/", "If-None-Match", tag); res.StatusCode != 200 {
		t.Errorf("changed: status %d", res.StatusCode)
	}
	if s.Version() == old {
		t.Error("the version stayed")
	}
	if res, body := get(s, "/v/"+old+"/web/quantlab.css"); res.StatusCode != 404 || !strings.Contains(body, "reload") {
		t.Errorf("old version: status %d, %q", res.StatusCode, body)
	}
	if _, body := get(s, "/v/"+s.Version()+"/web/quantlab.css"); body != "body{color:red}" {
		t.Errorf("new version: %q", body)
	}
	for _, change := range []func() error{
		func() error { return os.WriteFile(filepath.Join(dir, "kernels", "link.wasm"), []byte("other"), 0o644) },
		func() error { return os.RemoveAll(filepath.Join(dir, "kernels")) },
	} {
		before := s.Version()
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if get(s, "/"); s.Version() == before {
			t.Error("another kernel, but the same version")
		}
	}
	// Siblings of the old content must not be sent for the new one.
	write(t, dir, "quantlab.js", strings.Repeat("other();\n", 200))
	get(s, "/")
	if res, _ := get(s, "/web/quantlab.js", "Accept-Encoding", "br"); res.Header.Get("Content-Encoding") != "" {
		t.Error("a stale brotli sibling was sent")
	}
	// A build that is half there doesn't take the page down.
	if err := os.Remove(filepath.Join(dir, "app.wasm")); err != nil {
		t.Fatal(err)
	}
	if res, _ := get(s, "/"); res.StatusCode != 200 {
		t.Errorf("while building: status %d", res.StatusCode)
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	dir := files(t)
	if err := os.Remove(filepath.Join(dir, "compute.wasm")); err != nil {
		t.Fatal(err)
	}
	page := func(string) *goapp.Handler { return &goapp.Handler{} }
	for d, want := range map[string]string{dir: "compute.wasm is missing: run make build", filepath.Join(dir, "none"): "no such file"} {
		if _, err := Open(d, page); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
