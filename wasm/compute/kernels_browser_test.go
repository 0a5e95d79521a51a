//go:build !js

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"quantlab/core/lab/wire"
)

// fastest returns the engine that a browser with this SIMD must have chosen.
func fastest(t *testing.T, hw wire.Hardware) string {
	t.Helper()
	t.Logf("%s: SIMD %s, engines %v", hw.Browser, hw.SIMD, hw.Engines)
	if hw.SIMD == "none" {
		return "portable"
	}
	if !slices.Contains(hw.Engines, hw.SIMD) {
		t.Errorf("a browser with SIMD %s has only the engines %v", hw.SIMD, hw.Engines)
	}
	return hw.SIMD
}

// A browser that can't have its kernels' files computes all the same, and says why it is slower.
func TestBrowserLosesKernels(t *testing.T) {
	t.Parallel()
	p := newTab(t)
	hw := p.awaitEvent(0, wire.EventStart).Result.Hardware
	p.awaitState("ready")
	if hw.SIMD != "relaxed" {
		t.Skipf("this browser has SIMD %s only", hw.SIMD)
	}
	for i, c := range []struct {
		file   string
		engine string
		spoil  func(string)
	}{
		{"relaxed.wasm", "simd128", p.lose},
		{"simd128.wasm", "portable", p.lose},
		{"relaxed.wasm", "simd128", p.damage},
		{"link.wasm", "portable", p.damage},
	} {
		c.spoil(c.file)
		p.eval("quantlab.browser.restart()")
		p.send(wire.Command{ID: i + 1, Op: wire.OpRun, Request: request(func(r *wire.Request) {
			r.Variants, r.Batches, r.Examples = []string{wire.Baseline}, []int{1}, 20
		})})
		result := p.awaitEvent(i+1, wire.EventDone).Result
		if got := result.Hardware.Engine; got != c.engine || len(result.Rows) != 1 || result.Rows[0].Engine != c.engine {
			t.Errorf("without %s: engine %s, %d rows", c.file, got, len(result.Rows))
		}
		if notes := strings.Join(result.Notes, " "); !strings.Contains(notes, c.file) || !strings.Contains(notes, "so slower ones compute") {
			t.Errorf("without %s: notes %q", c.file, notes)
		} else {
			t.Log(notes)
		}
		c.spoil("")
	}
}

// testWorker runs a package's tests in a worker, as worker.js runs compute.wasm. It posts what they print, and at the end
// their exit code, or why there is none.
const testWorker = `"use strict";
importScripts("kernels.js", "wasm_exec.js");
const decoder = new TextDecoder();
fs.writeSync = (fd, bytes) => (postMessage({ text: decoder.decode(bytes, { stream: true }) }), bytes.length);
// Fuzz tests look for a folder of examples, which is not here.
fs.constants.O_DIRECTORY = 1 << 16;
fs.open = (path, flags, mode, callback) => callback(Object.assign(new Error(path), { code: "ENOENT" }));
(async () => {
  const kernels = await quantlabKernels.load(location.href), go = new Go();
  if (kernels.problem) postMessage({ text: "kernels: " + kernels.problem + "\\n" });
  go.argv = ["package.test", ...new URLSearchParams(location.search).getAll("arg")];
  let code = -1;
  go.exit = (c) => { code = c; };
  await quantlabKernels.run(go, await WebAssembly.compileStreaming(fetch("package.test.wasm")), kernels);
  postMessage({ code });
})().catch((error) => postMessage({ text: String(error?.stack ?? error), code: -1 }));
`

// testBridge stands in for quantlab.js: it starts the worker and keeps what it posts.
const testBridge = `"use strict";
window.test = { text: "", code: null };
const worker = new Worker("/web/worker.js" + location.search);
worker.onerror = (event) => { test.text += event.message; test.code ??= -1; }; // Go complains of timers that come after its end
worker.onmessage = ({ data }) => {
  test.text += data.text ?? "";
  test.code ??= data.code ?? null;
};
`

// The kernels' own tests, in the browser: on every engine that it has.
func TestKernelsInTheBrowser(t *testing.T) {
	t.Parallel()
	p := newBrowser(t)
	files, dir := siteFiles(t), t.TempDir()
	put := func(name, text string) {
		files[name] = filepath.Join(dir, name)
		if err := os.WriteFile(files[name], []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("worker.js", testWorker)
	put("quantlab.js", testBridge)
	files["package.test.wasm"] = filepath.Join(dir, "package.test.wasm")
	compile(t, "test", "-c", "-o", files["package.test.wasm"], "quantlab/core/kernel")
	p.query = "?arg=-test.v&arg=-test.short"
	p.open(&memory{}, files)

	var test struct {
		Text string `json:"text"`
		Code *int   `json:"code"`
	}
	start := time.Now()
	for test.Code == nil {
		if time.Since(start) > 5*time.Minute {
			break
		}
		time.Sleep(100 * time.Millisecond)
		text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`JSON.stringify(test)`))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(text), &test); err != nil {
			t.Fatal(err)
		}
	}
	if test.Code == nil || *test.Code != 0 {
		t.Errorf("the kernels' tests fail in the browser; console: %q; they print:\n%s", p.console(), tail(test.Text, 8000))
	}
	engines := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^ *--- PASS: Test\w+/(portable|simd128|relaxed)\b`).FindAllStringSubmatch(test.Text, -1) {
		engines[m[1]]++
	}
	t.Logf("tests passed in %v, by engine: %v", time.Since(start).Round(100*time.Millisecond), engines)
	tested := regexp.MustCompile(`kernel engines tested: (.*)`).FindStringSubmatch(test.Text)
	if tested == nil {
		t.Fatal("the tests do not say which engines they ran on")
	}
	for name := range strings.SplitSeq(tested[1], ", ") {
		if engines[name] == 0 {
			t.Errorf("no test ran on the engine %s", name)
		}
	}
}

// tail returns the end of a text.
func tail(text string, n int) string {
	if len(text) > n {
		return fmt.Sprintf("[%d bytes before]\n%s", len(text)-n, text[len(text)-n:])
	}
	return text
}
