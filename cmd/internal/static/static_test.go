package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"quantlab/cmd/internal/precompress"
	"quantlab/web"
)

var text = bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog\n"), 1000)

// files returns the same content served from memory and from disk.
func files(t *testing.T) map[string]*File {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.js"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := precompress.Dir(t.Context(), dir, precompress.Options{Quality: 11}); err != nil {
		t.Fatal(err)
	}
	record, err := precompress.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := FromDisk(dir, "a.js", "text/javascript", record)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*File{"memory": FromBytes("a.js", "text/javascript", text), "disk": disk}
}

func get(f *File, method string, header ...string) *http.Response {
	r := httptest.NewRequest(method, "/a.js", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Result()
}

func TestNegotiation(t *testing.T) {
	for where, f := range files(t) {
		for accept, want := range map[string]string{
			"":                                "",
			"identity":                        "",
			"gzip":                            "gzip",
			"x-gzip":                          "gzip",
			"gzip, deflate, br, zstd":         "br",
			"br;q=0, gzip":                    "gzip",
			"br;q=0.5, gzip;q=0.8":            "gzip",
			"GZIP;Q=1.0":                      "gzip",
			"*":                               "br",
			"*;q=0":                           "",
			"br;q=0, *":                       "gzip",
			"br;q=NaN":                        "",
			"br;q=7":                          "",
			"deflate, zstd":                   "",
			strings.Repeat("gzip;q=0,", 1000): "",
		} {
			res := get(f, "GET", "Accept-Encoding", accept)
			if got := res.Header.Get("Content-Encoding"); got != want {
				t.Errorf("%s: Accept-Encoding %.40q gives %q, want %q", where, accept, got, want)
			}
			if res.Header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s: no Vary header", where)
			}
			raw, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := res.Header.Get("Content-Length"); got != strconv.Itoa(len(raw)) {
				t.Errorf("%s: Content-Length %s of %d bytes", where, got, len(raw))
			}
			if got := res.Header.Get(web.RawLength); got != strconv.Itoa(len(text)) {
				t.Errorf("%s: %s %s, want %d", where, web.RawLength, got, len(text))
			}
			var body io.Reader = bytes.NewReader(raw)
			switch want {
			case "br":
				body = brotli.NewReader(body)
			case "gzip":
				if body, err = gzip.NewReader(body); err != nil {
					t.Fatal(err)
				}
			}
			if plain, err := io.ReadAll(body); err != nil || !bytes.Equal(plain, text) {
				t.Errorf("%s: %q decodes to another content (%v)", where, accept, err)
			}
		}
	}
}

func TestRevalidation(t *testing.T) {
	for where, f := range files(t) {
		plain, br := get(f, "GET").Header.Get("ETag"), get(f, "GET", "Accept-Encoding", "br").Header.Get("ETag")
		if plain == br || plain == "" || br == "" || strings.HasPrefix(br, "W/") {
			t.Errorf("%s: entity tags %q and %q of two forms", where, plain, br)
		}
		for header, want := range map[string]int{
			plain: 304, "W/" + plain: 304, `"x", ` + plain: 304, "*": 304, br: 200, `"x"`: 200, "": 200,
		} {
			res := get(f, "GET", "If-None-Match", header)
			if res.StatusCode != want {
				t.Errorf("%s: If-None-Match %q: status %d, want %d", where, header, res.StatusCode, want)
			}
			if body, _ := io.ReadAll(res.Body); want == 304 && (len(body) > 0 || res.Header.Get("Content-Length") != "") {
				t.Errorf("%s: a 304 with a body or a length", where)
			}
		}
	}
}

func TestMethods(t *testing.T) {
	for where, f := range files(t) {
		head := get(f, "HEAD", "Accept-Encoding", "gzip")
		body, _ := io.ReadAll(head.Body)
		if head.StatusCode != 200 || len(body) != 0 || head.Header.Get("Content-Length") == "" || head.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: HEAD: status %d, %d bytes, %v", where, head.StatusCode, len(body), head.Header)
		}
		post := get(f, "POST")
		if post.StatusCode != 405 || post.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: POST: status %d, Allow %q", where, post.StatusCode, post.Header.Get("Allow"))
		}
	}
}

// A file that is replaced while the server runs must not go out under the old file's tag and length.
func TestReplacedOnDisk(t *testing.T) {
	f := files(t)["disk"]
	if err := os.WriteFile(f.forms[len(f.forms)-1].path, []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	res := get(f, "GET")
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Cache-Control") != web.NoStore || res.Header.Get("ETag") != "" {
		t.Errorf("status %d, headers %v", res.StatusCode, res.Header)
	}
}

func TestTypeOf(t *testing.T) {
	for name, want := range map[string]string{"app.wasm": "application/wasm", "a.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		if got, ok := TypeOf(name); !ok || got != want {
			t.Errorf("%s: %q, %v", name, got, ok)
		}
	}
	for _, name := range []string{"headers.go", ".precompressed.json", "app.wasm.br", "Makefile", ".js"} {
		if got, ok := TypeOf(name); ok {
			t.Errorf("%s is served as %q", name, got)
		}
	}
}

func FuzzQuality(f *testing.F) {
	for _, s := range []string{"gzip, br", "br;q=0.5", "*;q=0, gzip", ";;;,,,q=", "br;q=1e309"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		for _, coding := range []string{"br", "gzip"} {
			if q := quality(accept, coding); !(q >= 0 && q <= 1) {
				t.Errorf("%q gives %s the weight %v", accept, coding, q)
			}
		}
	})
}
