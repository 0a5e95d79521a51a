package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// withoutSIMD serves the vector kernels as no browser accepts them, as one without their instructions does not.
func withoutSIMD(r *http.Response) {
	path := r.Request.URL.Path
	if !strings.HasSuffix(path, "/kernels/simd128.wasm") && !strings.HasSuffix(path, "/kernels/relaxed.wasm") || r.StatusCode != http.StatusOK {
		return
	}
	r.Body.Close()
	module := []byte("\x00asm\x01\x00\x00\x00\xfd\x00")
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(module)), int64(len(module))
	r.Header.Del("Content-Encoding")
	r.Header.Set("Content-Length", strconv.Itoa(len(module)))
}

// withoutIsolation serves the page as a host does that knows nothing of cross-origin isolation: there is no SharedArrayBuffer.
func withoutIsolation(r *http.Response) {
	r.Header.Del("Cross-Origin-Opener-Policy")
	r.Header.Del("Cross-Origin-Embedder-Policy")
}

// Without WebAssembly SIMD everything is computed in plain Go, and the page says so.
func TestWithoutSIMD(t *testing.T) {
	g := newGate(t, shared.base, withoutSIMD)
	tb := openAt(t, g.URL, "/draw"+emptyPad, 2*time.Minute)
	tb.padWorks()
	tb.mouseStroke(tb.pad(), seven(100))
	tb.until("all variants say 7", allSay("7", digitNets...))
	tb.goTo("/")
	tb.until("the page says what computes", `document.querySelector('#browser-machine').innerText.includes('engine plain Go')`)
	tb.until("and why", `/does not accept|no SIMD/.test(document.body.innerText)`)
	picture(tb, "without-simd")
}

// Without SharedArrayBuffer one thread computes, and the page says so.
func TestWithoutSharedMemory(t *testing.T) {
	g := newGate(t, shared.base, withoutIsolation)
	tb := openAt(t, g.URL, "/?models=mnist-lab1&variants=fp32&batches=64&runs=1&where=browser&threads=2", 2*time.Minute)
	if js[bool](tb, `typeof SharedArrayBuffer !== 'undefined' || crossOriginIsolated`) {
		t.Fatal("there is a SharedArrayBuffer")
	}
	tb.finished()
	tb.until("the page says that it is not isolated", `document.querySelector('#browser-machine').innerText.includes('isolated no')`)
	tb.click("#run")
	tb.until("the row is there", `document.querySelector('tr[data-model="mnist-lab1"][data-state="done"]')`)
	tb.finished()
	for _, r := range tb.results() {
		if r.Threads > 1 {
			t.Errorf("%d threads computed", r.Threads)
		}
	}
	if hint := js[string](tb, `document.querySelector('.controls').innerText`); !strings.Contains(hint, "This browser offers 1 thread and computes with no more.") {
		t.Errorf("the page does not say that one thread computes: %s", hint)
	}
	picture(tb, "without-shared-memory")
	tb.goTo("/draw")
	tb.padWorks()
	tb.mouseStroke(tb.pad(), seven(100))
	tb.until("all variants say 7", allSay("7", "mnist-lab1"))
}

// A browser that denies all storage shows the page, and answers.
func TestStorageDenied(t *testing.T) {
	profile := t.TempDir()
	if err := os.MkdirAll(filepath.Join(profile, "Default"), 0o755); err != nil {
		t.Fatal(err)
	}
	const block = `{"profile": {"default_content_setting_values": {"cookies": 2}}}`
	if err := os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(block), 0o644); err != nil {
		t.Fatal(err)
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), browserOptions(profile)...)
	t.Cleanup(cancelAlloc)
	ctx, cancel := chromedp.NewContext(alloc)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	tb := openIn(t, ctx, cancel, base+"/draw?strokes=", 2*time.Minute)
	tb.expect("service worker registration failed")
	tb.padWorks()
	tb.mouseStroke(tb.pad(), seven(100))
	tb.until("all variants say 7", allSay("7", "mnist-lab1"))
	tb.until("the page says so", `document.querySelector('footer').innerText.includes('This browser denies the page all storage')`)
	tb.goTo("/")
	tb.click("#run")
	tb.until("it runs", running)
	tb.click("#cancel")
	tb.finished()
}

// Two tabs work side by side: while one measures, the other one answers.
func TestSecondTab(t *testing.T) {
	one := drawing(t, "?strokes=")
	two := open(t, "/?models=mnist-lab2&runs=100&where=browser", 2*time.Minute)
	two.click("#run")
	two.until("it runs", running)
	one.mouseStroke(one.pad(), seven(100))
	one.until("all variants say 7", allSay("7", "mnist-lab1"))
	if !js[bool](two, `Boolean(document.querySelector('#cancel'))`) {
		t.Error("the other tab's run did not go on")
	}
	two.click("#cancel")
	two.finished()
}
