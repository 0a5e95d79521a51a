package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"quantlab/core/lab/wire"
)

// unreachable is what the console says when the server is down.
var unreachable = []string{"Failed to load resource", "net::ERR", "WebAssembly: network error"}

// After the first visit the page works without its server: it measures, and answers to a digit.
func TestWorksWithoutItsServer(t *testing.T) {
	g := newGate(t, shared.base)
	first := openAt(t, g.URL, "/draw?example=3", 2*time.Minute)
	first.when("there is an answer", firstAnswers["/draw?example=3"])
	first.installed()
	first.close()

	g.close()
	for path, answer := range firstAnswers {
		tb := openAt(t, g.URL, path, 2*time.Minute)
		tb.expect(unreachable...)
		took := tb.when("there is an answer", answer)
		t.Logf("%s: answered %.2f s after it was opened, without a server", path, took/1000)
		if !js[bool](tb, `crossOriginIsolated`) {
			t.Errorf("%s: the page is not cross-origin isolated", path)
		}
		if path == "/" {
			tb.rowsDone(wire.Browser, "mnist-lab1")
		}
		tb.do(chromedp.Reload())
		tb.when("there is an answer after a reload", answer)
		picture(tb, "without-server")
		tb.close()
	}
}

// A new build does not mix with the old one: pages of the old go on, a new visit gets all of the new one, and without the server
// there is one of them, whole. The old one is removed when no page is open any more.
func TestUpdateNeverMixes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "web")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "web"))); err != nil {
		t.Fatal(err)
	}
	s, err := start(root, nil, "--web", dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	g := newGate(t, s.base)
	visit := func(path string, more ...string) *tab {
		t.Helper()
		tb := openAt(t, g.URL, path, 3*time.Minute)
		tb.expect(append(more, unreachable...)...)
		tb.when("there is an answer", firstAnswers[path])
		return tb
	}
	one := visit("/draw?example=3")
	one.installed()
	old := one.builds()
	if len(old) != 1 {
		t.Fatalf("the page loaded the builds %q", old)
	}

	sheet := filepath.Join(dir, "quantlab.css")
	css, err := os.ReadFile(sheet)
	if err == nil {
		err = os.WriteFile(sheet, append(css, "\n/* another build */\n"...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	two := visit("/")
	young := two.builds()
	if len(young) != 1 || young[0] == old[0] {
		t.Fatalf("the new visit loaded the builds %q, the old one %q", young, old)
	}
	two.until("the new build is kept, too", `(navigator.serviceWorker.getRegistration().then(r => window.waits = r.waiting?.state), window.waits === 'installed')`)

	// The old page gets what it had not loaded yet, of its own build, which the server no longer has.
	status := `(window.statusOf = undefined, fetch('/v/` + old[0] + `/web/icon-512.png').then(r => window.statusOf = r.status), true)`
	js[bool](one, status)
	one.until("the file is there", `window.statusOf === 200`)
	one.click(`a[href^="/type"]`)
	one.until("the old page goes on", `document.querySelector('section.view[data-view="Type"]')`)

	// Both builds are kept, and a page that opens without the server is one of them.
	g.close()
	three := visit("/")
	if b := three.builds(); !slices.Equal(b, old) {
		t.Errorf("without the server the page loaded %q, want %q", b, old)
	}
	g.shut.Store(false)
	for _, tb := range []*tab{one, two, three} {
		tb.close()
	}

	four := visit("/")
	if b := four.builds(); !slices.Equal(b, young) {
		t.Errorf("the last visit loaded %q, want %q", b, young)
	}
	four.until("only the new build is kept", `(caches.keys().then(k => window.kept = k.filter(k => k.startsWith('quantlab page')).join()), window.kept === 'quantlab page `+young[0]+`')`)
	g.close()
	four.do(chromedp.Reload())
	four.when("there is an answer", firstAnswers["/"])
	if b := four.builds(); !slices.Equal(b, young) {
		t.Errorf("without the server the page loaded %q, want %q", b, young)
	}
}

// A browser that stores nothing says so, and the page works.
func TestStorageFull(t *testing.T) {
	g := newGate(t, shared.base)
	quota := 1000.0
	tb := openAt(t, g.URL, "/", 2*time.Minute, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: g.URL, QuotaSize: &quota})
		return err
	}))
	tb.rowsDone(wire.Browser, "mnist-lab1")
	tb.finished()
	tb.until("a note says that it does not work offline", `document.body.innerText.includes('does not work offline')`)
	picture(tb, "storage-full")
}

// Two tabs that measure at the same time know that they disturb each other.
func TestTwoTabsMeasure(t *testing.T) {
	var tabs []*tab
	for range 2 {
		tb := open(t, "/?models=mnist-lab1&where=browser&runs=20", 3*time.Minute)
		tb.finished() // the quick run
		tabs = append(tabs, tb)
	}
	for _, tb := range tabs {
		tb.until("it runs", `document.querySelector('#cancel') || (document.querySelector('#run').click(), false)`)
	}
	for _, tb := range tabs {
		tb.rowsDone(wire.Browser, "mnist-lab1")
		tb.finished()
		if text := js[string](tb, `document.body.innerText`); !strings.Contains(strings.ToLower(text), "another tab of this browser measured") {
			t.Errorf("no word of the other tab in:\n%s", text)
		}
	}
}

// What Chromium asks of a page that can be installed.
func TestInstallable(t *testing.T) {
	tb := open(t, "/", time.Minute)
	tb.until("the manifest is read", `(fetch(document.querySelector('link[rel=manifest]').href).then(r => r.json()).then(m => window.manifest = m), window.manifest)`)
	problems := js[string](tb, `(m => [
		m.name && m.short_name ? '' : 'no name', m.start_url === '/' && m.scope === '/' ? '' : 'start_url ' + m.start_url,
		m.display === 'standalone' ? '' : 'display ' + m.display, m.theme_color && m.background_color ? '' : 'no colours',
		['192x192', '512x512'].every(s => m.icons.some(i => i.sizes === s && i.type === 'image/png')) ? '' : 'icons',
	].filter(Boolean).join(', '))(window.manifest)`)
	if problems != "" {
		t.Errorf("the manifest lacks: %s", problems)
	}
}
