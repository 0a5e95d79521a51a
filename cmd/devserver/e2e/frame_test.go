package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// works waits until the page's WebAssembly runs.
func (tb *tab) works() {
	tb.Helper()
	tb.until("the page works", `document.querySelector('#copy-link')?.disabled === false &&
		[...document.querySelectorAll('.view-body')].every(body => body.querySelector(':is(button, input, select, textarea):enabled'))`)
}

// view waits until the page shows the view alone.
func (tb *tab) view(title string) {
	tb.Helper()
	tb.until("the page shows "+title, `[...document.querySelectorAll('main .view')].map(v => v.dataset.view).join() === '`+title+`'`)
}

// at waits until the address is that path, and the query's part, too.
func (tb *tab) at(path, part string) {
	tb.Helper()
	tb.until("the address is "+path+" with "+part, fmt.Sprintf(`location.pathname === %q && location.search.includes(%q)`, path, part))
}

// A reader goes from view to view and comes back with the browser's buttons: every view is as he left it, the window is called
// what it shows, and a screen reader's cursor is at what is new.
func TestBackAndForward(t *testing.T) {
	tb := open(t, "/?where=browser", 2*time.Minute)
	tb.works()
	tb.do(chromedp.SetValue("#setting-runs", "9"))
	js[bool](tb, `document.querySelector('#setting-runs').dispatchEvent(new Event('change', {bubbles: true}))`)
	tb.at("/", "runs=9")
	js[bool](tb, `scrollTo(0, 400), true`)
	tb.click(`nav a[href^="/type"]`)
	tb.view("Type")
	tb.until("it begins at the top", `scrollY === 0`)
	if title := js[string](tb, `document.title`); !strings.HasSuffix(title, "· quantlab") {
		t.Errorf("the window is called %q", title)
	}
	if tag := js[string](tb, `document.activeElement.tagName`); tag != "H1" {
		t.Errorf("the focus is on %s", tag)
	}
	if n := js[int](tb, `document.querySelectorAll('nav [aria-current="page"]').length`); n != 1 {
		t.Errorf("%d views are the current one", n)
	}
	tb.click(`.next`)
	tb.view("Inspect")

	js[any](tb, `history.back()`)
	tb.view("Type")
	js[any](tb, `history.back()`)
	tb.view("Experiments")
	tb.at("/", "runs=9")
	tb.until("the setting is there", `document.querySelector('#setting-runs').value === '9'`)
	tb.until("it is where it was left", `Math.abs(scrollY - 400) < 2`)
	js[any](tb, `history.go(2)`)
	tb.view("Inspect")
	tb.click(`nav a[href^="/?"]`)
	tb.view("Experiments")
	if runs := js[string](tb, `document.querySelector('#setting-runs').value`); runs != "9" {
		t.Errorf("a link to Experiments brings %s runs", runs)
	}
}

// What Copy link gives restores the view in another tab.
func TestCopyLink(t *testing.T) {
	tb := open(t, "/type?text=not+bad", 2*time.Minute)
	tb.works()
	js[bool](tb, `navigator.clipboard.writeText = t => { window.copiedText = t; return Promise.resolve() }, true`)
	tb.click("#copy-link")
	tb.until("it says so", `document.querySelector('#copy-link').innerText === 'Copied' && document.querySelector('#announcer').innerText.includes('Link copied')`)
	link := js[string](tb, `window.copiedText`)
	path, ok := strings.CutPrefix(link, base)
	if !ok || !strings.HasPrefix(path, "/type?") {
		t.Fatalf("the link is %s", link)
	}
	other := open(t, path, time.Minute)
	other.works()
	other.until("the sentence is there", `document.querySelector('textarea')?.value === 'not bad'`)
	if again := js[string](other, `location.href`); again != link {
		t.Errorf("the link became %s", again)
	}

	// Where there is no clipboard, the link is shown.
	js[bool](tb, `document.execCommand = () => false, navigator.clipboard.writeText = () => Promise.reject(new Error('no')), true`)
	tb.click("#copy-link")
	tb.until("the link is shown", `document.querySelector('#refused-link')?.value === '`+link+`'`)
}

// All views stand below each other; the navigation follows the reader, and takes him to each.
func TestAllViews(t *testing.T) {
	tb := open(t, "/all", 2*time.Minute)
	tb.works()
	if order := js[string](tb, `[...document.querySelectorAll('main .view')].map(v => v.id).join()`); order != "experiments,draw,type,inspect,sensitivity,training" {
		t.Fatalf("the views are %s", order)
	}
	tb.click(`nav a[href$="#type"]`)
	tb.until("Type is in sight", `Math.abs(document.querySelector('#type').getBoundingClientRect().top) < 120`)
	tb.until("the navigation says so", `document.querySelector('nav [aria-current="location"]')?.innerText === 'Type'`)
	js[any](tb, `document.querySelector('#inspect').scrollIntoView()`)
	tb.until("the navigation follows", `document.querySelector('nav [aria-current="location"]')?.innerText === 'Inspect'`)
	tb.click(`#type .next`)
	tb.view("Type")
	js[any](tb, `history.back()`)
	tb.until("all views are there", `document.querySelectorAll('main .view').length === 6`)
}

// The navigation can be used on a phone: nothing sticks out, the current view is visible, and each link is big enough for a finger.
func TestNavigationOnAPhone(t *testing.T) {
	for _, path := range []string{"/", "/inspect", "/report", "/all"} {
		tb := open(t, path, time.Minute, chromedp.EmulateViewport(360, 740))
		tb.works()
		if small := js[string](tb, `[...document.querySelectorAll('nav a, .share button')].filter(a => { const b = a.getBoundingClientRect(); return b.height < 32 || b.width < 24 }).map(a => a.innerText).join()`); small != "" {
			t.Errorf("%s: too small for a finger: %s", path, small)
		}
		tb.until(path+": the link to the current view is in sight", `(b => b.left >= 0 && b.right <= innerWidth)(document.querySelector('nav [aria-current]').getBoundingClientRect())`)
		tb.until(path+" fits", `document.scrollingElement.scrollWidth <= 360`)
	}
}

// A page of another site shows a view in a frame: it computes there, asks no native engine, and has a way out with its state.
func TestFrameInAnotherSite(t *testing.T) {
	slides := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path != "/" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		fmt.Fprintf(w, `<!DOCTYPE html><title>slides</title><iframe src="%s/embed/type?text=not+bad&amp;hide=lede" width="800" height="600"></iframe>`, base)
	}))
	t.Cleanup(slides.Close)
	tb := openAt(t, base, "/embed/type?text=not+bad&hide=lede", 2*time.Minute)
	tb.until("it answers", `/^(positive|negative)/.test(document.querySelector('td[data-col="answer"]')?.innerText)`)
	if n := js[int](tb, `document.querySelectorAll('header.top, nav, .next').length`); n != 0 {
		t.Errorf("a frame has %d parts of the whole page", n)
	}
	if js[bool](tb, `performance.getEntriesByType('resource').some(e => e.name.includes('/api/'))`) {
		t.Error("a frame asks the native engine")
	}
	if href := js[string](tb, `document.querySelector('.open-whole').getAttribute('href')`); !strings.HasPrefix(href, "/type?") || !strings.Contains(href, "text=not+bad") {
		t.Errorf("the way out is %s", href)
	}
	if !js[bool](tb, `getComputedStyle(document.querySelector('.lede')).display === 'none'`) {
		t.Error("what the address leaves out is there")
	}

	other := openAt(t, strings.Replace(slides.URL, "127.0.0.1", "localhost", 1), "/", 2*time.Minute)
	frame := other.frame(base + "/embed/")
	frame.until("the frame answers", `/^(positive|negative)/.test(document.querySelector('td[data-col="answer"]')?.innerText)`)
}

// frame attaches to the frame of another site whose address begins like this.
func (tb *tab) frame(address string) *tab {
	tb.Helper()
	for {
		infos, err := chromedp.Targets(tb.ctx)
		if err != nil {
			tb.Fatal(err)
		}
		for _, info := range infos {
			if info.Type == "iframe" && strings.HasPrefix(info.URL, address) {
				ctx, cancel := chromedp.NewContext(tb.ctx, chromedp.WithTargetID(info.TargetID))
				tb.Cleanup(cancel)
				return &tab{T: tb.T, tab: ctx, ctx: ctx}
			}
		}
		select {
		case <-tb.ctx.Done():
			tb.Fatalf("there is no frame of %s", address)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Buttons for a link and for a frame can be had by keyboard, and the frame's address is that of what is shown.
func TestEmbedBox(t *testing.T) {
	tb := open(t, "/type?text=not+bad", time.Minute)
	tb.works()
	js[any](tb, `document.querySelector('#embed').focus()`)
	tb.do(chromedp.KeyEvent("\r"))
	tb.until("the box is open", `document.querySelector('#embed').getAttribute('aria-expanded') === 'true' && document.querySelector('#frame-address')`)
	tb.click(`input[name="leave-out"][value="controls"]`)
	tb.until("the address follows", `document.querySelector('#frame-address').value === '`+base+`/embed/type?text=not+bad&hide=controls'`)
	if html := js[string](tb, `document.querySelector('#frame-html').value`); !strings.Contains(html, "<iframe src=\""+base+"/embed/type?") {
		t.Errorf("the HTML is %s", html)
	}
}
