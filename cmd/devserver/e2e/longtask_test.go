package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// longTask is how long the UI thread may be busy without a break, in milliseconds: what the Long Tasks API calls long.
const longTask = 50

// watchTasks notes every long task of the page from its very beginning, and what went on.
const watchTasks = `window.doing = 'starting'; window.round = 0; window.longTasks = [];
new PerformanceObserver(list => { for (const e of list.getEntries()) window.longTasks.push({Start: e.startTime, Duration: e.duration, Doing: window.doing, Round: window.round}) })
	.observe({type: 'longtask', buffered: true})`

// A task is a long one.
type task struct {
	Start, Duration float64 // ms
	Doing           string
	Round           int
}

// first runs a script ahead of the page's own.
func first(script string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

// rounds is how often everything is done. The browser's threads share the machine with the run and with whatever else is on it, and a
// thread that waits for a processor seems to work: what is long each time is the page's fault.
const rounds = 3

// While a full run goes on, someone goes from view to view, draws, types and scrolls: nothing keeps the UI thread for long.
func TestNoLongTasks(t *testing.T) {
	tb := open(t, "/?models=mnist-lab1,mnist-lab2&where=browser&runs=100", 4*time.Minute, first(watchTasks))
	tb.until("the page has started", `document.querySelector('#run') && !document.querySelector('#run').disabled`)
	tb.finished() // the quick run that begins by itself
	tb.quiet()
	tb.click("#run")
	tb.until("it runs", running)
	for round := 1; round <= rounds; round++ {
		js[int](tb, fmt.Sprintf(`window.round = %d`, round))
		for _, path := range []string{"/draw", "/type", "/inspect", allViews, "/"} {
			tb.goTo(path)
			switch path {
			case "/draw":
				tb.stroke()
			case "/type":
				tb.typeWords()
			}
			tb.scroll()
		}
		tb.Logf("round %d: %s", round, js[string](tb, `document.querySelector('#step').innerText`))
	}
	tb.click("#cancel") // it was under way all the time
	judge(tb, js[[]task](tb, `window.longTasks`))
}

// judge tells every long task, and fails on what was long in every round.
func judge(tb *tab, tasks []task) {
	worst := map[string][rounds + 1]float64{}
	for _, k := range tasks {
		w := worst[k.Doing]
		w[k.Round] = max(w[k.Round], k.Duration)
		worst[k.Doing] = w
	}
	for doing, w := range worst {
		if doing == "starting" {
			tb.Logf("starting: at most %.0f ms", w[0])
			continue
		}
		tb.Logf("%s: at most %.0f ms", doing, w[1:])
		if least := slices.Min(w[1:]); least > longTask {
			tb.Errorf("%s keeps the UI thread for %.0f ms each time, more than %d", doing, least, longTask)
		}
	}
}

// goTo follows a link within the page, as a click on the navigation does.
func (tb *tab) goTo(path string) {
	tb.Helper()
	js[bool](tb, fmt.Sprintf(`(() => {
		window.doing = 'going to %[1]s'
		const link = [...document.querySelectorAll('a[href]')].find(a => new URL(a.href).pathname === '%[1]s')
		if (link) link.click()
		return Boolean(link)
	})()`, path))
	tb.until("the page is at "+path, fmt.Sprintf(`location.pathname === '%s'`, path))
	tb.do(chromedp.Sleep(600 * time.Millisecond))
}

// stroke draws a seven with the pointer.
func (tb *tab) stroke() {
	tb.Helper()
	js[string](tb, `window.doing = 'drawing'`)
	box := js[struct{ X, Y, Width, Height float64 }](tb, `(e => { e.scrollIntoView({block: 'center'}); return e.getBoundingClientRect().toJSON() })(document.querySelector('canvas'))`)
	at := func(x, y float64) (float64, float64) { return box.X + x*box.Width, box.Y + y*box.Height }
	x, y := at(.25, .25)
	tb.do(chromedp.MouseEvent("mousePressed", x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	for i := range 30 {
		if i < 15 {
			x, y = at(.25+.5*float64(i)/14, .25)
		} else {
			x, y = at(.75-.3*float64(i-15)/14, .25+.5*float64(i-15)/14)
		}
		tb.do(chromedp.MouseEvent("mouseMoved", x, y, chromedp.ButtonLeft), chromedp.Sleep(16*time.Millisecond))
	}
	tb.do(chromedp.MouseEvent("mouseReleased", x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	tb.do(chromedp.Sleep(300 * time.Millisecond))
}

// typeWords types a sentence.
func (tb *tab) typeWords() {
	tb.Helper()
	js[string](tb, `window.doing = 'typing'`)
	tb.until("there is a box for a sentence", `document.querySelector('textarea, input[type="text"]')`)
	js[bool](tb, `(e => (e.scrollIntoView({block: 'center'}), e.focus(), true))(document.querySelector('[data-view="Type"] textarea, [data-view="Type"] input[type="text"]') || document.querySelector('textarea'))`)
	for _, r := range "a gorgeous , witty mess " {
		tb.do(chromedp.KeyEvent(string(r)), chromedp.Sleep(30*time.Millisecond))
	}
	tb.do(chromedp.Sleep(300 * time.Millisecond))
}

// scroll goes down the page and up again.
func (tb *tab) scroll() {
	tb.Helper()
	js[string](tb, `window.doing = 'scrolling ' + location.pathname`)
	for _, y := range []int{600, 1800, 5000, 0} {
		js[bool](tb, fmt.Sprintf(`(scrollTo(0, %d), true)`, y))
		tb.do(chromedp.Sleep(100 * time.Millisecond))
	}
}
