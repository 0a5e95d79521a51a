package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What shows that the page has an answer, by its path: the first figures of the quick run, and all four variants' answers to a
// sample digit.
var firstAnswers = map[string]string{
	"/":               `document.querySelector('#card-mnist-lab1 td[data-col="accuracy"] .figure')`,
	"/draw?example=3": `[...document.querySelectorAll('tr[data-model="mnist-lab1"] td[data-col="answer"]')].filter(e => /^\d/.test(e.innerText)).length === 4`,
}

// The first answer takes at most 5.5 MB. Times are logged: machines differ.
func TestFirstAnswer(t *testing.T) {
	const limit = 5_500_000 // bytes
	quality := brotliQuality(t)
	for path, answer := range firstAnswers {
		t.Run(path, func(t *testing.T) {
			g := newGate(t, shared.base)
			for _, visit := range []string{"cold", "warm", "with its service worker"} {
				before := g.bytes.Load()
				tb := openAt(t, g.URL, path, 2*time.Minute)
				took := tb.when("there is an answer", answer)
				bytes := g.bytes.Load() - before
				t.Logf("%s: the first answer after %.2f s and %.2f MB", visit, took/1000, float64(bytes)/1e6)
				if took > 30_000 {
					t.Errorf("%s: it took %.1f s", visit, took/1000)
				}
				if visit == "cold" && bytes > limit && quality >= 10 {
					t.Errorf("%d bytes before the first answer, at most %d are allowed", bytes, limit)
				}
				if visit != "cold" && bytes > limit/20 {
					t.Errorf("%s: %d bytes came again", visit, bytes)
				}
				if visit == "warm" {
					tb.installed()
				}
				tb.close()
			}
		})
	}
}

// when waits for a JavaScript condition, and returns after how many milliseconds since the navigation it held.
func (tb *tab) when(what, cond string) float64 {
	tb.Helper()
	js[bool](tb, `(() => {
		const look = () => { if (`+cond+`) return window.heldAt = performance.now(); requestAnimationFrame(look) }
		look()
		return true
	})()`)
	tb.until(what, `window.heldAt`)
	return js[float64](tb, `window.heldAt`)
}

// installed waits until the service worker has kept the page.
func (tb *tab) installed() {
	tb.Helper()
	tb.until("the service worker is active", `navigator.serviceWorker.controller?.state === 'activated'`)
}

// brotliQuality is how well the build compressed app.wasm, from 1 to 11.
func brotliQuality(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "web", ".precompressed.json"))
	if err != nil {
		t.Fatal(err)
	}
	var record map[string]struct{ Quality int }
	if err := json.Unmarshal(data, &record); err != nil {
		t.Fatal(err)
	}
	return record["app.wasm"].Quality
}
