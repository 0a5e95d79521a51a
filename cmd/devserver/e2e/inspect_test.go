package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"quantlab/core/lab/wire"
)

// inspecting opens the Inspect view, and waits until its plan is measured.
func inspecting(t *testing.T, query string) *tab {
	t.Helper()
	tb := open(t, "/inspect"+query, 3*time.Minute)
	tb.measured()
	return tb
}

const (
	fresh        = `document.querySelector('#live')?.dataset.state === 'fresh'`
	liveAccuracy = `document.querySelector('#live [data-col="accuracy"] b').innerText`
)

// measured waits until the figures are those of the plan, on the whole test set.
func (tb *tab) measured() {
	tb.Helper()
	tb.until("the plan is measured", fresh+` && /\d/.test(`+liveAccuracy+`)`)
}

// accuracy is what the figure says, in percent.
func (tb *tab) accuracy() float64 {
	tb.Helper()
	text := js[string](tb, liveAccuracy)
	v, err := strconv.ParseFloat(strings.TrimRight(text, " %\u00a0\u202f"), 64)
	if err != nil {
		tb.Fatalf("the accuracy is %q", text)
	}
	return v
}

// slide presses an arrow key on a slider, and waits until it says this.
func (tb *tab) slide(knob, key string, times int, says string) {
	tb.Helper()
	tb.until(knob+" can be moved", `(e => e && !e.disabled)(document.querySelector('#`+knob+`'))`)
	js[bool](tb, `document.querySelector('#`+knob+`').focus() || true`)
	for range times {
		tb.do(chromedp.KeyEvent(key))
	}
	tb.until(knob+" says "+says, `document.querySelector('output[for="`+knob+`"]').innerText === '`+says+`'`)
}

// Moved by keyboard down to 2 bits, the plan's accuracy collapses; it comes back step by step, and with the lab's settings it is the
// experiments' to the last image. Meanwhile it is a variant of its own in Draw.
func TestInspectSliders(t *testing.T) {
	table := open(t, "/?models=mnist-lab1&variants=fp32,static-qint8&batches=1&runs=1&where=browser", 2*time.Minute)
	table.click("#run")
	table.until("the row is there", `document.querySelector('`+row("mnist-lab1", "static-qint8", wire.Browser)+`')`)
	table.finished()
	rows := table.results()
	lab := fmt.Sprintf("%.2f", 100**rows[len(rows)-1].Accuracy)
	table.close()

	tb := inspecting(t, "")
	const plan = `document.querySelector('#plan-says').innerText`
	if got := js[string](tb, liveAccuracy); !strings.HasPrefix(got, lab) {
		t.Errorf("the lab's plan has %s%%, the experiments' %s%%", got, lab)
	}
	tb.slide("knob-weight-bits", kb.ArrowLeft, 6, "2 bits, 4 levels")
	tb.measured()
	tb.until("the plan is told", plan+`.includes('weights of all layers in 2 bits instead of 8')`)
	coarse := tb.accuracy()
	tb.slide("knob-activation-bits", kb.ArrowLeft, 6, "2 bits, 4 levels")
	tb.measured()
	t.Logf("static int8 %s%%, weights of 2 bits %.2f%%, activations too %.2f%%", lab, coarse, tb.accuracy())
	if best, _ := strconv.ParseFloat(lab, 64); tb.accuracy() > best-20 {
		t.Errorf("with 2 bits the accuracy is %.2f%%", tb.accuracy())
	}
	tb.until("the address has the plan", `new URLSearchParams(location.search).get('plan')`)

	tb.click(`nav a[href^="/draw"]`)
	tb.view("Draw")
	tb.until("the plan is a variant of Draw", `/^\d/.test(document.querySelector('tr[data-model="mnist-lab1"][data-variant="custom"] [data-col="answer"]')?.innerText)`)
	tb.until("by its name", `document.querySelector('tr[data-variant="custom"] th').innerText.includes('your plan')`)
	js[any](tb, `history.back()`)
	tb.view("Inspect")

	for range 6 { // by script, step by step: the view has just come, and its parts still move
		was := js[string](tb, plan)
		tb.press("#plan-undo")
		tb.until("undo goes back a step", fmt.Sprintf(`%s !== %q`, plan, was))
	}
	tb.until("undo goes back by steps", plan+`.endsWith('weights of all layers in 2 bits instead of 8.')`)
	tb.measured()
	if got := tb.accuracy(); got != coarse {
		t.Errorf("after undo the accuracy is %.2f%%, not %.2f%%", got, coarse)
	}
	tb.press("#plan-redo")
	tb.until("redo goes forth", plan+`.includes('activations of all layers in 7 bits')`)
	tb.press("#plan-lab")
	tb.until("the plan is the lab's", plan+`.startsWith('This is the lab’s static int8')`)
	tb.measured()
	if got := js[string](tb, liveAccuracy); !strings.HasPrefix(got, lab) {
		t.Errorf("back at the lab's settings the accuracy is %s, the experiments' %s", got, lab)
	}
	picture(tb, "inspect-lab")
}

// What follows a key on a slider, in milliseconds. Times are logged: machines differ.
func TestInspectTime(t *testing.T) {
	for _, model := range digitNets {
		tb := inspecting(t, "?net="+model)
		for bits := 7; bits >= 6; bits-- {
			js[bool](tb, `(() => {
				window.took = {}
				document.addEventListener('keydown', () => {
					const start = performance.now(), live = document.querySelector('#live')
					const look = () => {
						const state = live.dataset.state, now = performance.now() - start
						if (state !== 'fresh') took.changed ??= now
						if (state === 'partial') took.partial ??= now
						if (took.changed && state === 'fresh') return took.full = now
						requestAnimationFrame(look)
					}
					look()
				}, {once: true, capture: true})
				return true
			})()`)
			tb.slide("knob-weight-bits", kb.ArrowLeft, 1, fmt.Sprintf("%d bits, %d levels", bits, 1<<bits))
			tb.until("it is measured", `took.full`)
			took := js[struct{ Partial, Full float64 }](tb, `took`)
			t.Logf("%s, weights of %d bits: the first figure after %.0f ms, all after %.0f ms", model, bits, took.Partial, took.Full)
		}
		tb.close()
	}
}

// Of a plan that loses much, the page finds out what would do better; used, that becomes the plan, and is better.
func TestInspectAdvice(t *testing.T) {
	tb := inspecting(t, "?net=mnist-lab2")
	tb.slide("knob-weight-bits", kb.ArrowLeft, 5, "3 bits, 8 levels")
	tb.measured()
	before, address := tb.accuracy(), js[string](tb, `location.search`)
	tb.press("#advise")
	tb.until("there is advice", `document.querySelector('#advice-says').innerText.includes('suggestion')`)
	t.Logf("%.2f%%: %s", before, js[string](tb, `document.querySelector('.advice-list').innerText`))
	picture(tb, "inspect-advice")
	js[bool](tb, `document.querySelector('.advice-list button').click() || true`)
	tb.until("it is the plan", fmt.Sprintf(`location.search !== %q`, address))
	tb.measured()
	if after := tb.accuracy(); after <= before {
		t.Errorf("the advice brought the accuracy from %.2f%% to %.2f%%", before, after)
	}
}
