// Package e2e drives the real page, served by the real devserver, in a real Chromium.
package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browsers are the names under which a Chromium may be found.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"}

func findBrowser() string {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if runtime.GOOS == "darwin" {
		for _, app := range []string{"Chromium", "Google Chrome"} {
			path := "/Applications/" + app + ".app/Contents/MacOS/" + app
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
	}
	return ""
}

var (
	front   *proxy
	shared  *devserver      // that all tests use but those with one of their own
	base    string          // the address of the page: the proxy before it
	server  string          // the devserver's program
	root    string          // the project's folder
	browser context.Context // one browser; every test opens tabs of its own
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	required := os.Getenv("QUANTLAB_REQUIRE_BROWSER") != ""
	skip := func(why string) int {
		fmt.Println("browser tests skipped:", why)
		if required {
			return 1
		}
		return 0
	}
	if findBrowser() == "" {
		return skip("no Chromium found; install one, or set CHROMIUM to its path")
	}
	var err error
	if root, err = filepath.Abs("../../.."); err != nil {
		return skip(err.Error())
	}
	if _, err := os.Stat(filepath.Join(root, "web", "app.wasm")); err != nil {
		return skip("web/app.wasm is not built; run `make build` first")
	}
	bin, err := os.MkdirTemp("", "quantlab-e2e-")
	if err != nil {
		return skip(err.Error())
	}
	defer os.RemoveAll(bin)
	server = filepath.Join(bin, "devserver")
	if out, err := exec.Command("go", "build", "-o", server, "quantlab/cmd/devserver").CombinedOutput(); err != nil {
		fmt.Printf("building the devserver: %v\n%s", err, out)
		return 1
	}
	s, err := start(root, nil)
	if err != nil {
		fmt.Println("starting the devserver:", err)
		return 1
	}
	defer s.stop()
	shared = s
	front, err = newProxy(s.base)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	base = front.URL

	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), browserOptions(filepath.Join(bin, "profile"))...)
	defer cancelAlloc()
	var cancel context.CancelFunc
	browser, cancel = chromedp.NewContext(alloc)
	defer cancel()
	if err := chromedp.Do(browser); err != nil {
		return skip("Chromium does not start: " + err.Error())
	}
	return m.Run()
}

// browserOptions start a Chromium with the profile in this folder.
func browserOptions(profile string) []chromedp.ExecAllocatorOption {
	return append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(findBrowser()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("headless", "new"), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
}

// A devserver is a running process.
type devserver struct {
	base string
	cmd  *exec.Cmd
	log  *logTail
}

var addressLine = regexp.MustCompile(`http://[0-9a-zA-Z.\[\]:-]+:[0-9]+`)

// start runs the devserver in the folder dir on a free port and waits for the line with its address, and until its models
// are ready. Flags are further ones, or others than the usual.
func start(dir string, env []string, flags ...string) (*devserver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.Command(server, append([]string{"--addr", addr, "--web", filepath.Join(root, "web")}, flags...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	tail := &logTail{}
	pipe, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = io.MultiWriter(tail, w), io.MultiWriter(tail, w)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &devserver{base: "http://" + addr, cmd: cmd, log: tail}
	ready, exited := make(chan struct{}), make(chan error, 1)
	go func() {
		defer io.Copy(io.Discard, pipe)
		for sc := bufio.NewScanner(pipe); sc.Scan(); {
			if addressLine.MatchString(sc.Text()) {
				close(ready)
				return
			}
		}
	}()
	go func() { exited <- cmd.Wait(); w.Close() }()
	select {
	case <-ready:
		if err := s.prepared(); err != nil {
			s.stop()
			return nil, err
		}
		return s, nil
	case err := <-exited:
		return nil, fmt.Errorf("it ended at once (%v):\n%s", err, tail)
	case <-time.After(time.Minute):
		cmd.Process.Kill()
		return nil, fmt.Errorf("it prints no address:\n%s", tail)
	}
}

// prepared waits until the models are there; on a new machine they are trained first.
func (s *devserver) prepared() error {
	deadline := time.Now().Add(15 * time.Minute)
	for {
		var status struct {
			Ready, Failed bool
			Step, Text    string
		}
		resp, err := http.Get(s.base + "/api/status")
		if err == nil {
			err = json.NewDecoder(resp.Body).Decode(&status)
			resp.Body.Close()
		}
		switch {
		case err != nil:
			return err
		case status.Ready:
			return nil
		case status.Failed || time.Now().After(deadline):
			return fmt.Errorf("its models are not ready: %s %s", status.Step, status.Text)
		}
		time.Sleep(time.Second)
	}
}

func (s *devserver) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	time.AfterFunc(10*time.Second, func() { s.cmd.Process.Kill() })
	s.cmd.Process.Wait()
}

// A logTail keeps the last part of what was written.
type logTail struct {
	mu  sync.Mutex
	buf []byte
}

func (l *logTail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(l.buf, p...)
	if n := len(l.buf) - 8192; n > 0 {
		l.buf = append(l.buf[:0], l.buf[n:]...)
	}
	return len(p), nil
}

func (l *logTail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.buf)
}

// A tab is one page of a test. Whatever the page complains about on its console fails the test.
type tab struct {
	*testing.T
	tab context.Context // lives as long as the test
	ctx context.Context // the same, with the test's time limit

	close func() // closes the tab before the test ends

	mu         sync.Mutex
	complaints []string
	expected   []string // complaints that contain one of these are the test's own doing
}

// open opens a tab; before runs ahead of the navigation (a window size, a colour scheme).
func open(t *testing.T, path string, limit time.Duration, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	return openAt(t, base, path, limit, before...)
}

// openAt is open with the page of another server.
func openAt(t *testing.T, base, path string, limit time.Duration, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	ctx, cancelTab := chromedp.NewContext(browser)
	return openIn(t, ctx, cancelTab, base+path, limit, before...)
}

// elsewhere is open in a browser that has never seen the page, as another reader's: nothing is cached or stored.
func elsewhere(t *testing.T, path string, limit time.Duration, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	ctx, cancelTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	return openIn(t, ctx, cancelTab, base+path, limit, before...)
}

// openIn opens a tab in a context that has none yet.
func openIn(t *testing.T, ctx context.Context, cancelTab func(), address string, limit time.Duration, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	tb := &tab{T: t, close: cancelTab}
	if err := chromedp.Do(ctx); err != nil { // opens the tab, which then lives until cancelTab
		t.Fatal(err)
	}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.Type == "assert" {
				tb.complain(m.String() + " " + m.URL)
			}
		}
	}()
	tb.tab = ctx
	ctx, cancel := context.WithTimeout(ctx, limit)
	tb.ctx = ctx
	t.Cleanup(func() {
		if t.Failed() {
			tb.explain()
		}
		cancel()
		cancelTab()
		tb.mu.Lock()
		defer tb.mu.Unlock()
		for _, c := range tb.complaints {
			if !slices.ContainsFunc(tb.expected, func(e string) bool { return strings.Contains(c, e) }) {
				t.Errorf("the console says: %s", c)
			}
		}
	})
	tb.do(chromedp.EmulateViewport(1280, 900))
	tb.do(append(before, chromedp.Navigate(address))...)
	return tb
}

func (tb *tab) complain(text string) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.complaints = append(tb.complaints, text)
}

// expect lets the console complain about what the test provokes.
func (tb *tab) expect(parts ...string) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.expected = append(tb.expected, parts...)
}

// explain leaves what the page showed when the test failed.
func (tb *tab) explain() {
	ctx, cancel := context.WithTimeout(tb.tab, 5*time.Second)
	defer cancel()
	tb.ctx = ctx
	if text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText.slice(0, 3000)`)); err == nil {
		tb.Logf("the page shows:\n%s", text)
	}
	picture(tb, "failed-"+strings.ReplaceAll(tb.Name(), "/", "-"))
}

// shot writes a picture of the whole page.
func (tb *tab) shot(path string) {
	if png, err := chromedp.Run(tb.ctx, chromedp.FullScreenshot(100)); err == nil {
		os.WriteFile(path, png, 0o644)
	}
}

func (tb *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	tb.Helper()
	if err := chromedp.Do(tb.ctx, actions...); err != nil {
		tb.Fatal(err)
	}
}

// click clicks on what the selector names, once it is there and works: until the page's WebAssembly runs, its buttons don't.
func (tb *tab) click(selector string) {
	tb.Helper()
	tb.until(selector+" can be clicked", `(e => e && !e.disabled && (e.scrollIntoView({block: 'nearest', behavior: 'instant'}), true))(document.querySelector('`+selector+`'))`)
	// A page that was just drawn may still move under the pointer.
	promised[bool](tb, `new Promise(rests => {
		let before
		const look = () => {
			const box = document.querySelector('`+selector+`')?.getBoundingClientRect(), now = box && [box.x, box.y].join()
			if (now && now === before) return rests(true)
			before = now
			setTimeout(look, 80)
		}
		look()
	})`)
	tb.do(chromedp.Click(selector))
}

// js evaluates an expression into a T.
func js[T any](tb *tab, expr string) T {
	tb.Helper()
	v, err := chromedp.Run(tb.ctx, chromedp.Evaluate[T](expr))
	if err != nil {
		tb.Fatalf("%s: %v", expr, err)
	}
	return v
}

// promised is js for what a promise will be.
func promised[T any](tb *tab, expr string) T {
	tb.Helper()
	v, err := chromedp.Run(tb.ctx, chromedp.Evaluate[T](expr, chromedp.EvalAwaitPromise))
	if err != nil {
		tb.Fatalf("%s: %v", expr, err)
	}
	return v
}

// until waits for a JavaScript condition.
func (tb *tab) until(what, cond string) {
	tb.Helper()
	for {
		ok, err := chromedp.Run(tb.ctx, chromedp.Evaluate[bool](`Boolean(`+cond+`)`))
		switch {
		case ok:
			return
		case errors.Is(err, context.DeadlineExceeded):
			tb.Fatalf("waited in vain until %s: %s", what, cond)
		}
		select {
		case <-tb.ctx.Done():
			tb.Fatalf("waited in vain until %s: %s", what, cond)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// prefer makes the browser's reader prefer something: media features and their values in turn.
func prefer(features ...string) chromedp.Action[chromedp.Void] {
	var media []*emulation.MediaFeature
	for i := 0; i+1 < len(features); i += 2 {
		media = append(media, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: media})
		return err
	})
}
