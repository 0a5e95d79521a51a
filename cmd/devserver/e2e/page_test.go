package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"quantlab/core/lab/wire"
)

// row is the selector of a measured row.
func row(model, variant, host string) string {
	return fmt.Sprintf(`tr[data-model="%s"][data-variant="%s"][data-host="%s"][data-state="done"]`, model, variant, host)
}

// rowsDone waits until every variant of the model has its row.
func (tb *tab) rowsDone(host string, models ...string) {
	tb.Helper()
	for _, m := range models {
		for _, v := range wire.VariantIDs() {
			tb.until("the row of "+m+", "+v+" "+host+" is there", `document.querySelector('`+row(m, v, host)+`')`)
		}
	}
}

// cell returns what a cell of a row says.
func (tb *tab) cell(model, variant, host, col string) string {
	tb.Helper()
	return js[string](tb, fmt.Sprintf(`document.querySelector('%s [data-col="%s"]').innerText`, row(model, variant, host), col))
}

// finished waits until nothing is running.
func (tb *tab) finished() {
	tb.Helper()
	tb.until("the run is over", `!document.querySelector('#cancel') && /^(Finished|Cancelled)/.test(document.querySelector('#step')?.innerText)`)
}

// results copies the rows as JSON, the way a reader would, who presses again where nothing happens: right after the end of a run the
// page is still taking in what that gave.
func (tb *tab) results() []wire.Row {
	tb.Helper()
	js[bool](tb, `(window.copiedText = "", navigator.clipboard.writeText = t => { window.copiedText = t; return Promise.resolve() }, true)`)
	tb.until("the JSON is copied", `window.copiedText || (document.querySelector('#copy-json').click(), false)`)
	text := js[string](tb, `window.copiedText`)
	if !strings.HasPrefix(text, "[") { // one host gives a result, two give an array of them
		text = "[" + text + "]"
	}
	var results []wire.Result
	if err := json.Unmarshal([]byte(text), &results); err != nil {
		tb.Fatalf("what was copied is not a result: %v\n%.300s", err, text)
	}
	var rows []wire.Row
	for _, r := range results {
		rows = append(rows, r.Rows...)
	}
	return rows
}

// picture keeps what the page shows, where QUANTLAB_SCREENSHOTS names a directory.
func picture(tb *tab, name string) {
	if dir := os.Getenv("QUANTLAB_SCREENSHOTS"); dir != "" {
		tb.shot(filepath.Join(dir, name+".png"))
	}
}

// The first table comes without a click, says that it is a quick run, and the page's frame is right.
func TestFirstTable(t *testing.T) {
	tb := open(t, "/", 2*time.Minute)
	tb.rowsDone(wire.Browser, "mnist-lab1")
	tb.finished()
	if title := js[string](tb, `document.querySelector('#results-title').innerText`); !strings.Contains(strings.ToLower(title), "quick") {
		t.Errorf("the first table is titled %q, not as a quick run", title)
	}
	for _, v := range wire.VariantIDs() {
		if acc := tb.cell("mnist-lab1", v, wire.Browser, "accuracy"); !strings.Contains(acc, "%") {
			t.Errorf("%s: accuracy %q", v, acc)
		}
		if lat := tb.cell("mnist-lab1", v, wire.Browser, "latency-64"); !strings.Contains(lat, "±") {
			t.Errorf("%s: latency %q has no spread", v, lat)
		}
	}
	if !js[bool](tb, `crossOriginIsolated`) {
		t.Error("the page is not cross-origin isolated: its clock is coarse")
	}
	if n := js[int](tb, `document.querySelectorAll('[style]').length`); n != 0 {
		t.Errorf("%d elements carry an inline style, which the policy forbids", n)
	}
	if src := js[string](tb, `performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin)).join(' ')`); src != "" {
		t.Errorf("the page fetched from elsewhere: %s", src)
	}
	picture(tb, "first-table")
}

// A full MNIST run in the browser: both models, every variant, the whole test set.
func TestFullMNISTInTheBrowser(t *testing.T) {
	tb := open(t, "/?models=mnist-lab1,mnist-lab2&where=browser&runs=2", 8*time.Minute)
	tb.click("#run")
	tb.rowsDone(wire.Browser, "mnist-lab1", "mnist-lab2")
	tb.finished()
	rows := tb.results()
	if len(rows) != 8 {
		t.Fatalf("%d rows, want 8", len(rows))
	}
	for _, r := range rows {
		name := r.Model + " " + r.Variant
		if r.Total != 10000 || r.Accuracy == nil || *r.Accuracy < 0.96 {
			t.Errorf("%s: %d of %d right", name, r.Correct, r.Total)
		}
		for _, b := range []string{"1", "64"} {
			if l := r.LatencyUS[b]; len(l.Samples) != 2 || l.Mean <= 0 {
				t.Errorf("%s, batch %s: samples %v", name, b, l.Samples)
			}
		}
		if r.Host != wire.Browser {
			t.Errorf("%s was measured by %q", name, r.Host)
		}
	}
	picture(tb, "mnist-browser")
}

// The browser and the native host quantize alike: the same answers are right in both.
func TestBothHostsAgree(t *testing.T) {
	tb := open(t, "/?models=mnist-lab1&where=both&runs=2", 5*time.Minute)
	tb.click("#run")
	tb.rowsDone(wire.Browser, "mnist-lab1")
	tb.rowsDone(wire.Native, "mnist-lab1")
	tb.finished()
	correct := map[string]int{}
	for _, r := range tb.results() {
		if other, ok := correct[r.Variant]; ok && other != r.Correct {
			t.Errorf("%s: %d right on one host, %d on the other", r.Variant, other, r.Correct)
		}
		correct[r.Variant] = r.Correct
	}
	if len(correct) != 4 {
		t.Errorf("variants measured: %v", correct)
	}
	picture(tb, "both-hosts")
}

func TestNativeRunOfSST2(t *testing.T) {
	tb := open(t, "/?models=sst2-lab2&where=native&runs=2", 3*time.Minute)
	tb.click("#run")
	tb.rowsDone(wire.Native, "sst2-lab2")
	tb.finished()
	for _, r := range tb.results() {
		if r.Accuracy == nil && !strings.Contains(r.Note, "SST-2") {
			t.Errorf("%s has no accuracy, and does not say why: %q", r.Variant, r.Note)
		}
	}
}

func TestCancel(t *testing.T) {
	for _, where := range []string{wire.Browser, wire.Native} {
		t.Run(where, func(t *testing.T) {
			tb := open(t, "/?models=mnist-lab2&runs=100&where="+where, 2*time.Minute)
			tb.click("#run")
			tb.until("it runs", running)
			tb.click("#cancel")
			tb.until("it is cancelled", `document.querySelector('#step').innerText.startsWith('Cancelled')`)
			tb.until("it can run again", `!document.querySelector('#run').disabled`)
		})
	}
}

// A link restores every setting; a damaged one says what it could not take.
func TestLinkRestoresSettings(t *testing.T) {
	query := "/?models=sst2-lab2&variants=fp32,static-qint8&batches=1,7&runs=3&where=native&input=sparse&weights=shipped&seed=42"
	tb := open(t, query, time.Minute)
	tb.until("the form is there", `document.querySelector('#setting-seed')?.value === '42'`)
	checked := js[string](tb, `[...document.querySelectorAll('.controls input:checked')].map(i => i.name + '=' + i.value).join(' ')`)
	if want := "models=sst2-lab2 variants=fp32 variants=static-qint8 where=native input=sparse weights=shipped"; checked != want {
		t.Errorf("checked: %s\nwant     %s", checked, want)
	}
	if b := js[string](tb, `document.querySelector('#setting-batches').value`); strings.ReplaceAll(b, " ", "") != "1,7" {
		t.Errorf("batches %q", b)
	}

	// A change goes into the address, without a reload.
	js[bool](tb, `window.sameDocument = true`)
	tb.click(`input[name="models"][value="mnist-lab1"]`)
	tb.until("the address follows", `new URLSearchParams(location.search).get('models') === 'mnist-lab1,sst2-lab2'`)
	if !js[bool](tb, `window.sameDocument === true`) {
		t.Error("a change of settings reloads the page")
	}

	bad := open(t, "/?models=resnet&runs=zero", time.Minute)
	bad.until("the notice names the culprits", `document.body.innerText.includes('resnet') && document.body.innerText.includes('zero')`)
}

// Everything can be reached and started by keyboard alone.
func TestKeyboard(t *testing.T) {
	tb := open(t, "/?models=mnist-lab1&where=native&runs=1", time.Minute)
	tb.until("the form is there", `document.querySelector('#run') && !document.querySelector('#run').disabled`)
	reached := false
	for range 60 {
		tb.do(chromedp.KeyEvent("\t"))
		if js[string](tb, `document.activeElement.id`) == "run" {
			reached = true
			break
		}
	}
	if !reached {
		t.Fatal("Tab never reaches Run")
	}
	tb.do(chromedp.KeyEvent("\r"))
	tb.rowsDone(wire.Native, "mnist-lab1")
	unnamed := js[string](tb, `[...document.querySelectorAll('button, input, a, progress')].filter(e =>
		!(e.innerText || e.getAttribute('aria-label') || e.labels?.length || e.title)).map(e => e.outerHTML).join('\n')`)
	if unnamed != "" {
		t.Errorf("without a name for a screen reader:\n%s", unnamed)
	}
}

// A worker that dies says so, and Retry brings it back.
func TestWorkerCrash(t *testing.T) {
	tb := open(t, "/?models=mnist-lab2&where=browser&runs=50", 3*time.Minute)
	tb.expect("killed by the test")
	tb.click("#run")
	tb.until("it runs", running)
	js[bool](tb, `new BroadcastChannel('kill').postMessage('now'), true`)
	tb.until("the page says so", `document.querySelector('.notice.bad #retry')`)
	picture(tb, "worker-crash")
	tb.click("#retry")
	tb.until("the run goes on", running)
	tb.click("#cancel")
	tb.finished()
}

// A shard that can't be had says so, and Retry fetches it once it is back.
func TestMissingShard(t *testing.T) {
	tb := elsewhere(t, "/?models=sst2-lab2&where=browser&runs=1&variants=fp32", 2*time.Minute)
	tb.finished() // the quick run has its shards; this model needs others, which no cache holds
	tb.expect("404", "Failed to load resource")
	front.breakData.Store(true)
	defer front.breakData.Store(false)
	tb.click("#run")
	tb.until("the page says so", `document.querySelector('.notice.bad #retry')`)
	if text := js[string](tb, `document.querySelector('.notice.bad').innerText`); !strings.Contains(text, "is not there") {
		t.Errorf("it does not say what happened: %q", text)
	}
	picture(tb, "missing-shard")
	front.breakData.Store(false)
	tb.click("#retry")
	tb.until("the row is there", `document.querySelector('`+row("sst2-lab2", "fp32", wire.Browser)+`')`)
}

// running holds when a run has come to measuring.
const running = `/batch|accuracy|test/i.test(document.querySelector('#step')?.innerText) && document.querySelector('#cancel')`
