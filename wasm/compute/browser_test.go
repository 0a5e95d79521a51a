//go:build !js

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"quantlab/core/lab/wire"
	"quantlab/web"
)

// browserFlags run Chromium without a display and without a word to the network.
var browserFlags = append(chromedp.DefaultExecAllocatorOptions[:],
	chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
	chromedp.Flag("disable-quic", true),
	chromedp.Flag("disable-background-networking", true),
	chromedp.Flag("disable-component-update", true),
	chromedp.Flag("disable-sync", true),
)

// A tab is a real page with the bridge and the worker, on a site with a small data set.
type tab struct {
	t      *testing.T
	ctx    context.Context
	server *httptest.Server
	query  string // of the page's address

	mu      sync.Mutex
	lost    string // the file that the site answers with 404
	broken  string // the file that the site answers with something else
	errors  []string
	fetched map[string]int
}

// newBrowser starts a browser. It skips the test where there is none.
func newBrowser(t *testing.T) *tab {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a browser and a build")
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), browserFlags...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx, fetched: map[string]int{}}
	console := chromedp.Console(ctx)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		if os.Getenv("QUANTLAB_REQUIRE_BROWSER") != "" {
			t.Fatalf("starting the browser: %v", err)
		}
		t.Skipf("no browser can be started here: %v", err)
	}
	go p.listen(console)
	return p
}

// open shows the page of a site that has these shards and files.
func (p *tab) open(site *memory, files map[string]string) {
	p.t.Helper()
	p.server = httptest.NewServer(p.handler(site, files))
	p.t.Cleanup(p.server.Close)
	if err := chromedp.Do(p.ctx, chromedp.Navigate(p.server.URL+"/"+p.query)); err != nil {
		p.t.Fatal(err)
	}
}

// newTab builds the worker's program and opens the page.
func newTab(t *testing.T) *tab {
	t.Helper()
	p := newBrowser(t)
	site, _ := newMemory(t)
	files := siteFiles(t)
	files["compute.wasm"] = program(t)
	p.open(site, files)
	p.eval(`window.said = [], quantlab.browser.subscribe((kind, text) => said.push({kind, ...JSON.parse(text)}))`)
	return p
}

// TestMain removes what the tests share.
func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// built is the worker's program, which is linked once for all tests.
var built struct {
	sync.Mutex
	dir string
}

func program(t *testing.T) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "compute")
		if err != nil {
			t.Fatal(err)
		}
		built.dir = dir // before the build, which may end the test
		compile(t, "build", "-o", filepath.Join(dir, "compute.wasm"), ".")
	}
	return filepath.Join(built.dir, "compute.wasm")
}

// compile runs the go command for the browser.
func compile(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// siteFiles returns what the programs need of web/: where each file is, by its path there.
func siteFiles(t *testing.T) map[string]string {
	t.Helper()
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"wasm_exec.js": filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "wasm_exec.js")}
	for _, name := range []string{"quantlab.js", "own.js", "files.js", "worker.js", "threads.js", "kernels.js", "kernels/link.wasm", "kernels/simd128.wasm", "kernels/relaxed.wasm"} {
		files[name] = filepath.Join("..", "..", "web", filepath.FromSlash(name))
	}
	return files
}

func (p *tab) handler(site *memory, files map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetHeaders(w.Header(), r.URL.Path)
		dir, name := filepath.Split(r.URL.Path)
		p.mu.Lock()
		p.fetched[name]++
		lost, broken := p.lost != "" && name == p.lost, p.broken != "" && name == p.broken
		p.mu.Unlock()
		file := files[strings.TrimPrefix(r.URL.Path, "/web/")]
		switch data, found := site.files[name]; {
		case lost:
			http.NotFound(w, r)
		case broken:
			fmt.Fprint(w, "\x00asm\x01\x00\x00\x00, so it seems")
		case dir == "/data/" && found:
			w.Write(data)
		case file != "":
			http.ServeFile(w, r, file)
		case r.URL.Path == "/":
			fmt.Fprint(w, `<!doctype html><title>test</title><link rel="icon" href="data:,"><script src="/web/quantlab.js"></script><script src="/web/own.js"></script><script src="/web/files.js"></script>`)
		default:
			http.NotFound(w, r)
		}
	})
}

// listen notes what the console reports, until the browser ends.
func (p *tab) listen(console iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range console {
		if err != nil {
			return
		}
		if m.IsException() || m.Type == "error" || m.Type == "warning" {
			p.mu.Lock()
			p.errors = append(p.errors, m.String())
			p.mu.Unlock()
		}
	}
}

func (p *tab) console() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errors
}

func (p *tab) lose(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = name
}

func (p *tab) damage(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken = name
}

// eval evaluates an expression in the page, for its effect.
func (p *tab) eval(expression string) {
	p.t.Helper()
	if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[any]("void ("+expression+")")); err != nil {
		p.t.Fatalf("%s: %v; console: %q; fetched %v", expression, err, p.console(), p.fetched)
	}
}

// A said is what the bridge told the page: a state or a message.
type said struct {
	Kind  string     `json:"kind"`
	State string     `json:"state"`
	Text  string     `json:"text"`
	ID    int        `json:"id"`
	Event wire.Event `json:"event"`
}

// await waits until the page was told something that matches, and returns it. What was told before is forgotten.
func (p *tab) await(what string, match func(said) bool) said {
	p.t.Helper()
	var past []said
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for {
			s, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]said](`said.splice(0, 1)`))
			if err != nil {
				p.t.Fatal(err)
			}
			if len(s) == 0 {
				break
			}
			if match(s[0]) {
				return s[0]
			}
			past = append(past, s[0])
		}
	}
	p.t.Fatalf("waited in vain for %s; heard %+v; console: %q", what, past, p.console())
	return said{}
}

func (p *tab) awaitState(state string) said {
	p.t.Helper()
	return p.await("the state "+state, func(s said) bool { return s.Kind == "state" && s.State == state })
}

func (p *tab) awaitEvent(id int, kind string) wire.Event {
	p.t.Helper()
	return p.await(fmt.Sprintf("the event %s of %d", kind, id), func(s said) bool {
		return s.Kind == "message" && s.ID == id && s.Event.Kind == kind
	}).Event
}

func (p *tab) send(c wire.Command) {
	p.t.Helper()
	text, err := json.Marshal(spelled(p.t, c))
	if err != nil {
		p.t.Fatal(err)
	}
	p.eval("quantlab.browser.send(" + string(text) + ")")
}

func request(change func(*wire.Request)) *wire.Request {
	r := wire.Quick()
	r.Models, r.Runs, r.Examples, r.Batches = []string{"mnist-lab1"}, 1, 200, []int{64}
	if change != nil {
		change(&r)
	}
	return &r
}

// inWorker evaluates an expression in the worker's own scope.
func (p *tab) inWorker(expression string) {
	p.t.Helper()
	targets, err := chromedp.Targets(p.ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, info := range targets {
		ofPage := slices.ContainsFunc(targets, func(o *target.Info) bool { return o.Type == "page" && o.TargetID == info.ParentID })
		if info.Type != "worker" || !ofPage { // a worker's worker is a helper, which may not be listening
			continue
		}
		ctx, cancel := chromedp.NewContext(p.ctx, chromedp.WithTargetID(info.TargetID))
		p.t.Cleanup(cancel)
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[any]("void ("+expression+")")); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	p.t.Fatalf("no worker among %d targets", len(targets))
}

// The whole way: bridge, worker, Go, fetched shards, and back.
func TestBrowser(t *testing.T) {
	t.Parallel()
	p := newTab(t)
	p.send(wire.Command{ID: 1, Op: wire.OpRun, Request: request(nil)}) // queued until the worker is ready
	if hello := p.awaitEvent(0, wire.EventStart).Result; hello.Hardware.Engine == "" || hello.Version == "" {
		t.Errorf("the worker introduces itself with %+v", hello)
	}
	p.awaitState("ready") // after that, because the page then asks for what this host has

	done := p.awaitEvent(1, wire.EventDone)
	if done.Result == nil || len(done.Result.Rows) != 4 {
		t.Fatalf("got %+v", done)
	}
	best := fastest(t, done.Result.Hardware)
	for _, row := range done.Result.Rows {
		if row.Engine != best {
			t.Errorf("%s ran on %s, not on %s", row.Variant, row.Engine, best)
		}
		if row.Host != wire.Browser || row.Total != 200 || row.LatencyUS["64"].Mean <= 0 {
			t.Errorf("row %+v", row)
		}
	}
	if hw := done.Result.Hardware; hw.Isolated == nil || !*hw.Isolated || hw.ClockNS > 20_000 {
		t.Errorf("the page is not cross-origin isolated, or its clock is coarse: %+v", hw)
	}

	if notes := strings.Join(done.Result.Notes, " "); strings.Contains(notes, "SIMD") {
		t.Errorf("notes %q", notes)
	}

	t.Run("plain Go", func(t *testing.T) {
		p.send(wire.Command{ID: 3, Op: wire.OpRun, Request: request(func(r *wire.Request) { r.Engine = "portable" })})
		for _, row := range p.awaitEvent(3, wire.EventDone).Result.Rows {
			if row.Engine != "portable" {
				t.Errorf("%s ran on %s", row.Variant, row.Engine)
			}
		}
	})

	t.Run("second run fetches nothing", func(t *testing.T) {
		p.mu.Lock()
		clear(p.fetched)
		p.mu.Unlock()
		p.send(wire.Command{ID: 2, Op: wire.OpRun, Request: request(nil)})
		p.awaitEvent(2, wire.EventDone)
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.fetched) > 0 {
			t.Errorf("fetched %v", p.fetched)
		}
	})

	// A cancel reaches Go, which has one thread, whatever it is doing.
	for _, c := range []struct {
		while   string
		request *wire.Request
	}{
		{"batch 64", request(func(r *wire.Request) { r.Runs = 100 })},
		{"accuracy", request(func(r *wire.Request) { r.Examples = 0 })},
		{"training", request(func(r *wire.Request) { r.Weights = wire.Fresh })},
	} {
		t.Run("cancel while "+c.while, func(t *testing.T) {
			id := 10 + len(c.while)
			p.send(wire.Command{ID: id, Op: wire.OpRun, Request: c.request})
			p.await("a step about "+c.while, func(s said) bool {
				return s.ID == id && (s.Event.Kind == wire.EventProgress && strings.Contains(s.Event.Step, c.while) || s.Event.Kind == wire.EventDone)
			})
			start := time.Now()
			p.send(wire.Command{ID: id, Op: wire.OpCancel})
			p.awaitEvent(id, wire.EventCancel)
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("the run ended %v after it was cancelled", took)
			} else {
				t.Logf("cancelled after %v", took)
			}
		})
	}

	t.Run("bad request", func(t *testing.T) {
		p.send(wire.Command{ID: 50, Op: wire.OpRun, Request: request(func(r *wire.Request) { r.Batches = []int{0} })})
		if e := p.awaitEvent(50, wire.EventError); !strings.Contains(e.Text, "batch 0 is out of range") {
			t.Errorf("text %q", e.Text)
		}
	})
	if errs := p.console(); len(errs) > 0 {
		t.Errorf("the console reports %q", errs)
	}

	t.Run("panic", func(t *testing.T) {
		p.inWorker(`(() => { const post = postMessage; postMessage = () => { postMessage = post; throw new Error("the pipe broke"); }; })()`)
		p.send(wire.Command{ID: 60, Op: wire.OpRun, Request: request(nil)})
		if s := p.awaitState("failed"); !strings.Contains(s.Text, "panic: ") || !strings.Contains(s.Text, "the pipe broke") {
			t.Errorf("text %q", s.Text)
		}
	})
	t.Run("restart", func(t *testing.T) {
		p.eval("quantlab.browser.restart()")
		p.send(wire.Command{ID: 61, Op: wire.OpRun, Request: request(nil)})
		p.awaitEvent(61, wire.EventDone)
	})
	t.Run("crash while it runs", func(t *testing.T) {
		p.send(wire.Command{ID: 62, Op: wire.OpRun, Request: request(func(r *wire.Request) { r.Runs = 100 })})
		p.awaitEvent(62, wire.EventProgress)
		p.inWorker(`setTimeout(() => { throw new WebAssembly.RuntimeError("unreachable"); })`)
		if s := p.awaitState("failed"); !strings.Contains(s.Text, "unreachable") {
			t.Errorf("text %q", s.Text)
		}
		p.eval("quantlab.browser.restart()")
		p.send(wire.Command{ID: 63, Op: wire.OpRun, Request: request(nil)})
		if e := p.await("an answer", func(s said) bool { return s.ID != 0 }); e.ID != 63 {
			t.Errorf("the old run goes on: %+v", e)
		}
		p.awaitEvent(63, wire.EventDone)
	})
}

// What can't be loaded is said, and can be tried again.
func TestBrowserLosesFiles(t *testing.T) {
	t.Parallel()
	p := newTab(t)
	p.awaitState("ready")
	for _, name := range []string{"worker.js", "threads.js", "kernels.js", "wasm_exec.js", "compute.wasm"} {
		p.lose(name)
		p.eval("quantlab.browser.restart()")
		if s := p.awaitState("failed"); !strings.Contains(s.Text, "could not be loaded") && !strings.Contains(s.Text, name) {
			t.Errorf("%s: text %q", name, s.Text)
		} else {
			t.Log(s.Text)
		}
	}
	p.lose("manifest.json")
	p.eval("quantlab.browser.restart()")
	p.send(wire.Command{ID: 1, Op: wire.OpRun, Request: request(nil)})
	if e := p.awaitEvent(1, wire.EventError); !strings.Contains(e.Text, "manifest.json") {
		t.Errorf("text %q", e.Text)
	} else {
		t.Log(e.Text)
	}
	p.lose("")
	p.send(wire.Command{ID: 2, Op: wire.OpRun, Request: request(nil)})
	p.awaitEvent(2, wire.EventDone)
}
