package e2e

import (
	"strings"
	"testing"
	"time"

	"quantlab/core/lab/wire"
)

// best returns the engine that the page's browser must have chosen, and what the page calls it.
func (tb *tab) best() (engine, words string) {
	tb.Helper()
	tb.until("the browser introduces itself", `document.querySelector('#browser-machine').innerText.includes('engine')`)
	machine := js[string](tb, `document.querySelector('#browser-machine').innerText`)
	switch {
	case strings.Contains(machine, "SIMD relaxed"):
		engine, words = "relaxed", "relaxed SIMD"
	case strings.Contains(machine, "SIMD simd128"):
		engine, words = "simd128", "SIMD128"
	default:
		engine, words = "portable", "plain Go"
	}
	if !strings.Contains(machine, "engine "+words) {
		tb.Errorf("the engine is not %s in: %s", words, machine)
	}
	return engine, words
}

// The page says which kernels compute, and can force others: in the form, the address, the banner, the rows and the exports.
func TestKernelEngine(t *testing.T) {
	tb := open(t, "/?models=mnist-lab1&where=browser&runs=1&engine=portable", 3*time.Minute)
	engine, words := tb.best()
	t.Logf("this browser computes with %s", words)
	tb.until("the list shows it", `document.querySelector('#setting-engine').value === 'portable'`)
	if banner := js[string](tb, `document.querySelector('#departures').innerText`); !strings.Contains(banner, "the kernel engine plain Go instead of the fastest") {
		t.Errorf("the banner says %q", banner)
	}
	tb.click("#run")
	tb.rowsDone(wire.Browser, "mnist-lab1")
	tb.finished()
	slow := map[string]float64{}
	for _, r := range tb.results() {
		slow[r.Variant] = r.LatencyUS["64"].Mean
		if r.Engine != "portable" {
			t.Errorf("%s ran on %s", r.Variant, r.Engine)
		}
	}
	if facts := js[string](tb, `document.querySelector('#card-mnist-lab1 header').innerText`); !strings.Contains(facts, "browser: plain Go") {
		t.Errorf("the card says %q", facts)
	}
	picture(tb, "engine-forced")

	js[bool](tb, `(e => { e.value = 'fastest'; return e.dispatchEvent(new Event('change', {bubbles: true})) })(document.querySelector('#setting-engine'))`)
	tb.until("the address follows", `new URLSearchParams(location.search).get('engine') === 'fastest'`)
	tb.until("the banner no longer speaks of it", `!document.querySelector('#departures')?.innerText.includes('engine')`)
	tb.click("#run")
	tb.until("the old rows are gone", `!document.querySelector('tr[data-engine="portable"]')`)
	tb.rowsDone(wire.Browser, "mnist-lab1")
	tb.finished()
	for _, r := range tb.results() {
		if r.Engine != engine {
			t.Errorf("%s ran on %s, not on %s", r.Variant, r.Engine, engine)
		}
		t.Logf("%s, batch 64: plain Go %.0f µs, %s %.0f µs", r.Variant, slow[r.Variant], words, r.LatencyUS["64"].Mean)
	}
	picture(tb, "engine-fastest")
}

// An engine that one host has is forced there; the other one computes with its fastest, and the page says so.
func TestEngineOfOneHost(t *testing.T) {
	tb := open(t, "/?models=mnist-lab1&variants=fp32&batches=1&runs=1&where=both&engine=simd128", 2*time.Minute)
	if engine, _ := tb.best(); engine == "portable" {
		t.Skip("this browser has no SIMD")
	}
	tb.until("the hint says so", `document.querySelector('.hint').innerText.includes('The native host has no SIMD128')`)
	tb.click("#run")
	for _, host := range []string{wire.Browser, wire.Native} {
		tb.until("the row "+host+" is there", `document.querySelector('`+row("mnist-lab1", "fp32", host)+`')`)
	}
	tb.finished()
	for _, r := range tb.results() {
		if (r.Engine == "simd128") != (r.Host == wire.Browser) {
			t.Errorf("%s ran on %s", r.Host, r.Engine)
		}
	}
	picture(tb, "engine-one-host")
}

// Two workers share a batch on the real site, whose policy lets the page's worker start its helper.
func TestThreads(t *testing.T) {
	tb := open(t, "/?models=mnist-lab1&variants=fp32&batches=64&runs=1&where=browser&threads=2", 2*time.Minute)
	if js[int](tb, `navigator.hardwareConcurrency`) < 2 {
		t.Skip("this browser has one thread")
	}
	tb.until("the field shows it", `document.querySelector('#setting-threads').value === '2'`)
	tb.click("#run")
	tb.until("the row is there", `document.querySelector('#card-mnist-lab1 header')?.innerText.includes(', 2 threads')`)
	tb.finished()
	for _, r := range tb.results() {
		if r.Threads != 2 || r.LatencyUS["64"].Mean <= 0 {
			t.Errorf("%d threads, latency %+v", r.Threads, r.LatencyUS["64"])
		}
	}
}

// The 10,000 MNIST test images through every variant of mnist-lab2. The time is logged, not judged: machines differ.
func TestAccuracyTime(t *testing.T) {
	tb := open(t, "/?models=mnist-lab2&batches=1&runs=1&where=browser", 5*time.Minute)
	tb.finished() // the quick run
	js[bool](tb, `(window.took = {}, quantlab.browser.subscribe((kind, text) => {
		const step = kind === 'message' && JSON.parse(text).event.step || ''
		if (step.includes('accuracy')) {
			took.last = performance.now()
			took.first ??= took.last
		}
	}), true)`)
	_, words := tb.best()
	tb.click("#run")
	tb.rowsDone(wire.Browser, "mnist-lab2")
	t.Logf("10,000 images through all four variants with %s: %.2f s", words, js[float64](tb, `(took.last - took.first) / 1000`))
}
