package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"quantlab/core/scheme"
)

// ownPlan is a query of a plan of the reader's own for the model, of two layers.
func ownPlan(t *testing.T, model string) string {
	t.Helper()
	plan, err := scheme.Preset("static-qint8", 2)
	if err != nil {
		t.Fatal(err)
	}
	if plan[1], err = plan[1].With(scheme.WeightBits, "3"); err != nil {
		t.Fatal(err)
	}
	return "net=" + model + "&plan=" + url.QueryEscape(plan.String()) + "&calibration=64&calseed=0"
}

// answersAre is JavaScript for all that the rows say, but for what a clock says.
const answersAre = `[...document.querySelectorAll('tr[data-variant][data-model]')].map(r => r.dataset.model + ' ' + r.dataset.variant + ': ' +
	[...r.querySelectorAll('td')].filter(c => c.dataset.col !== 'latency').map(c => c.innerText.replace(/\s+/g, ' ')).join(' | ')).join('\n')`

// allAnswered holds when no row waits for its answer.
const allAnswered = `(cards => cards.length && cards.every(c => c.dataset.state === 'fresh'))([...document.querySelectorAll('.answer-card')]) &&
	[...document.querySelectorAll('.answer-card td[data-col="answer"]')].every(e => /^(\d|positive|negative)/.test(e.innerText))`

// copied returns what Copy link gives, without the server.
func (tb *tab) copied() string {
	tb.Helper()
	js[bool](tb, `navigator.clipboard.writeText = t => { window.copiedText = t; return Promise.resolve() }, window.copiedText = undefined, true`)
	tb.click("#copy-link")
	tb.until("the link is copied", `window.copiedText`)
	path, ok := strings.CutPrefix(js[string](tb, `window.copiedText`), base)
	if !ok {
		tb.Fatalf("the link is %s", js[string](tb, `window.copiedText`))
	}
	return path
}

// A copied link brings the same to a reader who has never been here: strokes, picture, sentence and plan, and so every answer to the
// last digit.
func TestLinksRestoreAnswers(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "seven.png")
	if err := os.WriteFile(seen, photo(t), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		do         func(tb *tab)
		rows       int
	}{
		{"strokes", "/draw" + emptyPad + "&asdrawn=1&" + ownPlan(t, "mnist-lab2"), func(tb *tab) {
			pad := tb.pad()
			tb.mouseStroke(pad, seven(200))
			tb.mouseStroke(pad, []int{400, 520, 500, 525, 640, 530})
		}, 9},
		{"picture", "/draw" + emptyPad + "&" + ownPlan(t, "mnist-lab1"), func(tb *tab) {
			tb.do(chromedp.SetUploadFiles("#picture-file", []string{seen}, chromedp.NodeReady))
		}, 9},
		{"sentence", "/type?sentences=both&" + ownPlan(t, "sst2-lab2"), func(tb *tab) {
			tb.do(chromedp.Click("#sentence"))
			js[bool](tb, `document.querySelector('#sentence').select() || true`)
			tb.do(chromedp.KeyEvent("Not  bad, & not = “good” + 100% 🎬\nsecond line"))
		}, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb := open(t, c.path, 2*time.Minute)
			tb.works()
			tb.until("there are rows", fmt.Sprintf(`document.querySelectorAll('.answer-card tr[data-variant]').length === %d`, c.rows))
			before := js[string](tb, `location.search`)
			c.do(tb)
			tb.until("the address follows", fmt.Sprintf(`location.search !== %q`, before))
			tb.until("all is answered", allAnswered)
			want := js[string](tb, answersAre)
			link := tb.copied()
			other := elsewhere(t, link, 2*time.Minute)
			other.works()
			other.until("all is answered", allAnswered+fmt.Sprintf(` && document.querySelectorAll('.answer-card tr[data-variant]').length === %d`, c.rows))
			if got := js[string](other, answersAre); got != want {
				t.Errorf("the link brings\n%s\nnot\n%s", got, want)
			}
			if again := other.copied(); again != link {
				t.Errorf("the link became %s, and was %s", again, link)
			}
			if n := js[string](other, `[...document.querySelectorAll('.notices .notice')].map(e => e.innerText).join('\n')`); n != "" {
				t.Errorf("the page complains of its own link: %s", n)
			}
		})
	}
}

// A link to Inspect brings its plan, and the plan's figures.
func TestLinkRestoresPlan(t *testing.T) {
	tb := inspecting(t, "?"+ownPlan(t, "mnist-lab1")+"&layer=2")
	told := `document.querySelector('#plan-says').innerText + ' ' + ` + liveAccuracy + ` + ' ' + document.querySelector('#paired').innerText`
	want := js[string](tb, told)
	other := elsewhere(t, tb.copied(), 2*time.Minute)
	other.measured()
	if got := js[string](other, told); got != want {
		t.Errorf("the link brings %q, not %q", got, want)
	}
	if !strings.Contains(want, "weights of layer 2 in 3 bits") || !strings.Contains(want, "calibrated on 64 examples") {
		t.Errorf("the plan is %q", want)
	}
}

// Garbage in any part of an address: each has a sentence, and the page works.
func TestGarbageInLinks(t *testing.T) {
	bad := []string{
		`%F0%9F%92%A9%3Cscript%3Edocument.title=%22hostile%22%3C/script%3E%00%FF'%22`,
		strings.Repeat("A", 3000), "-1", "1e9", "99999999999999999999", "%2e",
	}
	for _, c := range []struct {
		path, works string
		keys        []string
	}{
		{"/draw", allAnswered, []string{"digits", "example", "asdrawn", "invert", "strokes", "picture"}},
		{"/type", allAnswered, []string{"sentences"}},
		{"/inspect", fresh, []string{"net", "plan", "calibration", "calseed", "layer"}},
		{"/", `document.querySelector('#run')?.disabled === false`,
			[]string{"models", "variants", "batches", "runs", "where", "input", "weights", "seed", "threads", "examples", "engine"}},
		{"/draw", allAnswered, []string{"hide"}},
	} {
		for round := range 2 {
			var query []string
			for i, key := range c.keys {
				query = append(query, key+"="+bad[(i+4*round)%len(bad)])
			}
			t.Run(fmt.Sprintf("%s%s-%d", c.path[1:], c.keys[0], round), func(t *testing.T) {
				tb := open(t, c.path+"?"+strings.Join(query, "&"), time.Minute)
				tb.until("the page works", c.works)
				notices := js[[]string](tb, `[...document.querySelectorAll('.notices .notice')].map(e => e.innerText)`)
				for _, key := range c.keys {
					if !slices.ContainsFunc(notices, func(n string) bool { return strings.Contains(n, key) }) {
						t.Errorf("nothing is said of %s in %q", key, notices)
					}
				}
				for _, n := range notices {
					if len(n) > 400 {
						t.Errorf("a notice of %d bytes: %.100s", len(n), n)
					}
				}
				if js[string](tb, `document.title`) == "hostile" {
					t.Error("a link's text was run")
				}
				if w := js[int](tb, `document.scrollingElement.scrollWidth`); w > 1280 {
					t.Errorf("the page is %d px wide", w)
				}
			})
		}
	}
}
