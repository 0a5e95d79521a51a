package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"quantlab/cmd/internal/prepare"
	"quantlab/core/hardware"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/report/paper"
)

// asked is what these tests have measured, as the addresses of Sensitivity and Training spell it: little, so that it is soon over.
const asked = "sens=mnist-lab1&sensexamples=1000&sensruns=2&sweepsizes=8,64&sweepseeds=3&trainlimit=2000&trainepochs=1&trainseeds=1"

// commands are what the page asks a host with these choices: each experiment, and a training of each type.
func commands() []wire.Command {
	r := wire.Lab()
	r.Models, r.Runs, r.Examples = []string{"mnist-lab1"}, 2, 1000
	out := []wire.Command{
		{Op: wire.OpSensitivity, Request: &r},
		{Op: wire.OpPlans, Request: &r, Plans: &wire.PlansOptions{}},
		{Op: wire.OpSweep, Request: &r, Sweep: &wire.SweepOptions{Sizes: []int{8, 64}, Seeds: 3}},
	}
	for _, kind := range []string{wire.BFloat16, wire.Float16} {
		out = append(out, wire.Command{Op: wire.OpAMP, Request: &r, AMP: &wire.AMPOptions{Type: kind, Seeds: 1, Epochs: 1, Limit: 2000}})
	}
	return out
}

// measuredHere is what the experiments give in this process, without a server or a page.
var measuredHere = sync.OnceValues(func() (wire.Study, error) {
	store, err := prepare.Open(prepare.Options{})
	if err != nil {
		return wire.Study{}, err
	}
	host := lab.Host{Name: wire.Native, Version: "e2e", Hardware: hardware.Detect, MinRun: 5 * time.Millisecond}
	whole := wire.Study{Made: time.Now().Format(time.RFC3339)}
	for _, c := range commands() {
		study, err := lab.Do(context.Background(), host, store, c, nil)
		if err != nil {
			return wire.Study{}, fmt.Errorf("%s: %w", c.Op, err)
		}
		whole = paper.Merge(whole, *study)
	}
	return whole, nil
})

func studied(t *testing.T) wire.Study {
	t.Helper()
	study, err := measuredHere()
	if err != nil {
		t.Fatal(err)
	}
	return study
}

// The cache in which the page keeps what experiments gave, and its place there.
const keptIn, keptAt = "quantlab results", "/results.json"

// keepStudied gives the shared browser what experiments gave at an earlier visit. It is forgotten at the end of the test.
func keepStudied(t *testing.T) {
	t.Helper()
	text, err := json.Marshal(studied(t))
	if err != nil {
		t.Fatal(err)
	}
	tb := open(t, "/api/hardware", 20*time.Minute) // until the test ends
	tb.expect("favicon.ico")
	promised[bool](tb, fmt.Sprintf(`caches.open('%s').then(c => c.put('%s', new Response(%q))).then(() => true)`, keptIn, keptAt, text))
	t.Cleanup(func() { promised[bool](tb, `caches.delete('`+keptIn+`')`) })
}

// kept returns the study that the page keeps for later visits, once it has what an operation gave.
func (tb *tab) kept(op string) wire.Study {
	tb.Helper()
	part := map[string]string{wire.OpSensitivity: "sensitivity", wire.OpPlans: "plans", wire.OpSweep: "sweeps", wire.OpAMP: "amp"}[op]
	tb.until("what "+op+" gave is kept", `(caches.match('`+keptAt+`', {cacheName: '`+keptIn+`'}).then(r => r?.text()).then(t => window.keptText = t),
		window.keptText && JSON.parse(window.keptText).`+part+`)`)
	study, _, err := paper.ReadStudy(strings.NewReader(js[string](tb, `window.keptText`)))
	if err != nil {
		tb.Fatal(err)
	}
	return study
}

// press clicks by script on what the selector names, once it is there and works: the page may still move.
func (tb *tab) press(selector string) {
	tb.Helper()
	tb.until(selector+" can be pressed", `(e => e && !e.disabled && (e.click(), true))(document.querySelector('`+selector+`'))`)
}

// under waits until an experiment is under way on its host.
func (tb *tab) under(op string) {
	tb.Helper()
	tb.until(op+" goes on", `/^(This browser|Natively): /.test(document.querySelector('#`+op+`-step')?.innerText) && document.querySelector('#`+op+`-cancel')`)
}

// over waits until an experiment has ended well.
func (tb *tab) over(op string) {
	tb.Helper()
	tb.until(op+" is over", `/^Finished/.test(document.querySelector('#`+op+`-step')?.innerText)`)
}

// text is what all that the selector names says, its spaces made alike.
func (tb *tab) text(selector string) string {
	tb.Helper()
	return strings.Join(strings.Fields(js[string](tb, `[...document.querySelectorAll('`+selector+`')].map(e => e.innerText).join('\n')`)), " ")
}

// The buttons that start experiments, by operation, and the views in which they are.
var starts = map[string]struct{ button, view string }{
	wire.OpSensitivity: {"#sens-measure", "/sensitivity"},
	wire.OpPlans:       {"#front-search", "/sensitivity"},
	wire.OpSweep:       {"#sweep-draw", "/sensitivity"},
	wire.OpAMP:         {"#train", "/training"},
}

// Each experiment can be cancelled, on both hosts, and started again.
func TestCancelExperiments(t *testing.T) {
	const long = "sens=mnist-lab2&sensruns=100&sweepsizes=1024,2048&sweepseeds=100&trainlimit=all&trainepochs=50&train=mnist-lab2"
	for _, host := range []string{wire.Browser, wire.Native} {
		for _, path := range []string{"/sensitivity", "/training"} {
			tb := open(t, path+"?"+long+"&senswhere="+host+"&trainwhere="+host, 2*time.Minute)
			for op, start := range starts {
				if start.view != path {
					continue
				}
				tb.press(start.button)
				tb.under(op)
				tb.press("#" + op + "-cancel")
				tb.until(op+" is cancelled", `document.querySelector('#`+op+`-step').innerText === 'Cancelled.'`)
				tb.until(op+" can be started again", `!document.querySelector('`+start.button+`').disabled`)
			}
			tb.close()
		}
	}
}

// Whatever fails says what and why, and Retry carries it out.
func TestExperimentFails(t *testing.T) {
	const failed = `.notice.bad #sensitivity-retry`
	tb := elsewhere(t, "/sensitivity?"+asked, 2*time.Minute)
	tb.expect("404", "Failed to load resource", "killed by the test")
	fails := func(why string) {
		t.Helper()
		tb.until("the page says why", `document.querySelector('`+failed+`') && document.querySelector('.notice.bad').innerText.includes('`+why+`')`)
	}
	front.breakData.Store(true)
	defer front.breakData.Store(false)
	tb.press("#sens-measure")
	fails("is not there")
	front.breakData.Store(false)
	tb.press("#sensitivity-retry")
	tb.under(wire.OpSensitivity)
	js[bool](tb, `new BroadcastChannel('kill').postMessage('now'), true`)
	fails("engine stopped")
	picture(tb, "sensitivity-failed")
	tb.press("#sensitivity-retry")
	tb.over(wire.OpSensitivity)
}

// Without its server a native experiment says that nobody answers.
func TestServerEndsUnderAnExperiment(t *testing.T) {
	g := newGate(t, shared.base)
	tb := openAt(t, g.URL, "/training?trainwhere=native&train=mnist-lab2&trainlimit=all", 2*time.Minute)
	tb.expect(unreachable...)
	tb.press("#train")
	tb.under(wire.OpAMP)
	g.close()
	tb.until("the page says so", `document.querySelector('.notice.bad #amp-retry') && document.querySelector('.notice.bad').innerText.includes('Is it still running?')`)
	g.shut.Store(false)
	// The first try may go to a connection that is gone, as a reader's would, who then presses again.
	tb.until("tried again, it goes on", `/^Natively: /.test(document.querySelector('#amp-step')?.innerText) && document.querySelector('#amp-cancel') || (document.querySelector('#amp-retry')?.click(), false)`)
	tb.press("#amp-cancel")
	tb.until("it is cancelled", `document.querySelector('#amp-step').innerText === 'Cancelled.'`)
}

// key presses a key on what the selector names, which has the focus then.
func (tb *tab) key(selector, key string) {
	tb.Helper()
	tb.until(selector+" can take a key", `(e => e && !e.disabled && (e.focus(), document.activeElement === e))(document.querySelector('`+selector+`'))`)
	tb.do(chromedp.KeyEvent(key))
}
