package e2e

import (
	"strings"
	"testing"
	"time"

	"quantlab/core/lab/wire"
)

// At the end of a run the page shows how near to the browser's limits it came, as a drawing that the keyboard reaches and in
// words, at any width.
func TestRoofline(t *testing.T) {
	tb := open(t, "/", 2*time.Minute)
	tb.rowsDone(wire.Browser, "mnist-lab1")
	tb.finished()
	tb.until("the roofline is there", `document.querySelector('.roof[data-host="browser"] .point')`)
	const visible = `[...document.querySelectorAll('.roof .point')].filter(p => p.getClientRects().length)`
	if n := js[int64](tb, visible+`.length`); n != 8 {
		t.Errorf("%d points, want one for each of 4 variants at 2 batch sizes", n)
	}
	tip := js[string](tb, `(() => { const p = `+visible+`[0]; p.focus(); return getComputedStyle(p.querySelector('.tip')).display + p.getAttribute('aria-label') })()`)
	if !strings.HasPrefix(tip, "blockmnist-lab1, float32, batch 1: ") {
		t.Errorf("a point says %q", tip)
	}
	if !js[bool](tb, `getComputedStyle(`+visible+`[0].ownerSVGElement.querySelector('.prompt')).display === 'none'`) {
		t.Error("the prompt lies under what a point says")
	}
	tb.click("#roof-browser-mnist-lab1 summary")
	words := js[string](tb, `document.querySelector('#roof-browser-mnist-lab1').innerText`)
	if n := strings.Count(words, "Bound by "); n != 8 {
		t.Errorf("%d sentences in %q", n, words)
	}
}
