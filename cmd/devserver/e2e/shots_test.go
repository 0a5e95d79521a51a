package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A look is a window's width and what its reader prefers.
type look struct {
	width  int64
	scheme string
}

func (l look) String() string { return fmt.Sprintf("%d-%s", l.width, l.scheme) }

// looks are the widths of a phone, a tablet and a laptop, light and dark.
func looks() []look {
	var out []look
	for _, width := range []int64{360, 768, 1440} {
		for _, scheme := range []string{"light", "dark"} {
			out = append(out, look{width, scheme})
		}
	}
	return out
}

// look gives the window a look, and waits until it is drawn. Colours don't fade in.
func (tb *tab) look(l look) {
	tb.Helper()
	tb.do(chromedp.EmulateViewport(l.width, 900), prefer("prefers-color-scheme", l.scheme, "prefers-reduced-motion", "reduce"))
	promised[bool](tb, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// allViews is the page that shows all views together; the navigation need not name it.
const allViews = "/all"

// A content is how a view of a path comes to show something.
type content struct {
	query string
	shown string // the condition
	after string // the path from which the reader comes: what he did there is part of it
}

// contents are the views'. A view that is not named here is looked at as it is at first. What the experiments gave, earlier visits have
// kept.
var contents = map[string]content{
	"/":            {shown: measuredQuickly},
	"/draw":        {query: "?example=11", shown: answered},
	"/type":        {query: "?text=a+gorgeous+,+witty+mess+of+zzyzx", shown: answered},
	"/inspect":     {shown: inspected},
	"/sensitivity": {query: native + "&frontplan=float32,static-w4c-a8r-histogram", shown: layered},
	"/training":    {query: native + "&amp=f16", shown: trained},
	"/report":      {shown: writtenUp, after: "/"},
	allViews:       {query: native + "&amp=f16&example=11&text=a+gorgeous+,+witty+mess+of+zzyzx", shown: answered + " && " + inspected + " && " + layered + " && " + trained},
}

const (
	native          = "?" + asked + "&senswhere=native&trainwhere=native"
	measuredQuickly = `document.querySelector('tr[data-state="done"]') && !document.querySelector('#cancel')`
	layered         = `document.querySelector('tr[data-mode="except"]') && document.querySelector('svg.front .mark') && document.querySelector('svg.sweep .mean')`
	trained         = `document.querySelector('tr[data-variant="amp"]') && document.querySelector('#train-scale svg')`
	writtenUp       = `document.querySelectorAll('.paper .table').length > 6 && document.querySelector('.paper .draft')`
	answered        = `[...document.querySelectorAll('[data-col="answer"]')].some(e => /^(\d|positive|negative)/.test(e.innerText))`
	inspected       = `document.querySelector('svg.histogram .bins')`
)

// eachView opens every view, waits until it shows something, and hands it over.
func eachView(t *testing.T, f func(tb *tab, path string)) {
	keepStudied(t)
	home := open(t, "/", time.Minute)
	home.until("the navigation is there", `document.querySelector('header nav a')`)
	paths := strings.Fields(js[string](home, `[...document.querySelectorAll('header nav a')].map(a => new URL(a.href).pathname).join(' ')`))
	if len(paths) < 4 {
		t.Fatalf("the navigation names %v", paths)
	}
	seen := map[string]bool{}
	for _, path := range append(paths, allViews) {
		if seen[path] {
			continue
		}
		seen[path] = true
		t.Run("view"+strings.ReplaceAll(path, "/", "-"), func(t *testing.T) {
			c := contents[path]
			var tb *tab
			if c.after == "" {
				tb = open(t, path+c.query, 2*time.Minute)
			} else {
				tb = open(t, c.after+contents[c.after].query, 2*time.Minute)
				tb.until(c.after+" shows something", contents[c.after].shown)
				tb.goTo(path)
			}
			if c.shown != "" {
				tb.until(path+" shows something", c.shown)
			}
			tb.quiet()
			f(tb, path)
		})
	}
}

// quiet waits until nothing has changed on the page for a second.
func (tb *tab) quiet() {
	tb.Helper()
	tb.do(chromedp.Evaluate[chromedp.Void](`void (() => {
		window.lastChange = performance.now()
		new MutationObserver(() => window.lastChange = performance.now()).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true})
	})()`))
	tb.until("the page is quiet", `performance.now() - window.lastChange > 1000`)
}
