package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"quantlab/cmd/internal/prepare"
)

// axe-core is Deque's accessibility checker (MPL 2.0). npm fetches it for the tests, and it is kept beside the data sets; it is no
// part of what is shipped.
const (
	axeVersion   = "4.14.1"
	axeArchive   = "axe-core-" + axeVersion + ".tgz"                                                          // as npm calls it
	axeIntegrity = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==" // SHA-512, the registry's
	axeBytes     = 8 << 20                                                                                    // no more are read
)

// axeScript returns axe-core's program.
func axeScript() (string, error) {
	archive, err := fetchAxe()
	if err != nil {
		return "", err
	}
	return unpack(archive, "package/axe.min.js")
}

// fetchAxe returns the archive, from the cache or by npm.
func fetchAxe() ([]byte, error) {
	store, err := prepare.Open(prepare.Options{})
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(store.CacheDir(), "test")
	path := filepath.Join(dir, axeArchive)
	if b, err := os.ReadFile(path); err == nil && intact(b) {
		return b, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", dir, "axe-core@"+axeVersion).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("axe-core can't be fetched: npm: %w: %s", err, out)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, axeBytes))
	if err != nil {
		return nil, fmt.Errorf("axe-core can't be read: %w", err)
	}
	if !intact(b) {
		return nil, fmt.Errorf("what npm gives is not what the registry signed as axe-core %s", axeVersion)
	}
	return b, nil
}

func intact(b []byte) bool {
	sum := sha512.Sum512(b)
	return base64.StdEncoding.EncodeToString(sum[:]) == axeIntegrity
}

// unpack returns one file of a gzipped tar archive.
func unpack(archive []byte, name string) (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return "", err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return "", fmt.Errorf("the archive has no %s", name)
		}
		if err != nil {
			return "", err
		}
		if h.Name == name {
			b, err := io.ReadAll(io.LimitReader(r, axeBytes))
			return string(b), err
		}
	}
}

// axeRun asks for every rule that axe applies unasked, its best practices too, and for the size of targets; it answers with a line for
// each element that breaks one. Only colours differ between light and dark.
const axeRun = `axe.run(document, {resultTypes: ['violations'], preload: false, %s}).then(r => r.violations.flatMap(v =>
	v.nodes.map(n => v.id + ' (' + v.impact + '): ' + v.help + '\n    ' + n.target.join(' ') + '\n    ' + n.html.slice(0, 200) + '\n    ' + n.failureSummary.replace(/\s+/g, ' '))).join('\n'))`

const (
	everyRule  = `rules: {'target-size': {enabled: true}}`
	colourRule = `runOnly: ['color-contrast', 'link-in-text-block']`
)

// On every view nothing breaks a rule of axe-core or makes it scroll sideways, at any width, light or dark, and Tab comes to everything
// that can be used.
func TestViews(t *testing.T) {
	script, err := axeScript()
	if err != nil && os.Getenv("QUANTLAB_REQUIRE_BROWSER") != "" {
		t.Error(err)
	}
	if err != nil {
		t.Log("without axe-core: ", err)
	}
	eachView(t, func(tb *tab, path string) {
		if script != "" {
			tb.do(chromedp.Evaluate[chromedp.Void](script))
		}
		tb.unfold()
		for _, l := range looks() {
			tb.look(l)
			tb.lightOrDark(path, l)
			if script != "" && (l.scheme == "light" || l.width != 768) { // colours don't hang on the width but for the phone's cards
				tb.axe(path, l)
			}
			if w := js[int64](tb, `document.scrollingElement.scrollWidth`); w > l.width {
				tb.Errorf("%s at %s is %d px wide: %s", path, l, w, js[string](tb, fmt.Sprintf(tooWide, l.width)))
			}
			picture(tb, "view"+strings.ReplaceAll(path, "/", "-")+"-"+l.String())
		}
		js[bool](tb, `document.querySelectorAll('main details').forEach(d => d.open = false) || true`)
		tb.tabThrough(path)
	})
}

// unfold opens whatever is folded, and asks for advice where there is some.
func (tb *tab) unfold() {
	tb.Helper()
	if js[bool](tb, `Boolean(document.querySelector('#advise'))`) {
		js[any](tb, `document.querySelector('#advise').click()`)
		tb.until("there is advice", `document.querySelector('#advice-says').innerText`)
	}
	js[bool](tb, `document.querySelectorAll('main details').forEach(d => d.open = true) || true`)
}

// lightOrDark fails where the background is not of the reader's scheme.
func (tb *tab) lightOrDark(path string, l look) {
	tb.Helper()
	light := js[float64](tb, `(() => { const c = document.createElement('canvas').getContext('2d'); c.fillStyle = getComputedStyle(document.body).backgroundColor;
		c.fillRect(0, 0, 1, 1); const d = c.getImageData(0, 0, 1, 1).data; return (d[0] + d[1] + d[2]) / 765 })()`)
	if dark := light < 0.5; dark != (l.scheme == "dark") {
		tb.Errorf("%s at %s: the background's lightness is %.2f", path, l, light)
	}
}

// axe fails on what axe-core finds.
func (tb *tab) axe(path string, l look) {
	tb.Helper()
	rules := everyRule
	if l.scheme == "dark" {
		rules = colourRule
	}
	if found := promised[string](tb, fmt.Sprintf(axeRun, rules)); found != "" {
		tb.Errorf("%s at %s:\n%s", path, l, found)
	}
}

// tooWide names the elements that reach beyond a width.
const tooWide = `[...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > %d + 1)
	.slice(0, 5).map(e => e.tagName + '.' + e.getAttribute('class') + '#' + e.id).join(', ')`

// prepareStops numbers everything that Tab should stop at: what takes the focus, is shown and enabled; of a group of radio buttons one.
const prepareStops = `(() => {
	const groups = new Set()
	const stops = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')].filter(e => {
		if (e.tabIndex < 0 || e.disabled || e.type === 'hidden' || !e.checkVisibility({visibilityProperty: true})) return false
		if (e.type !== 'radio') return true
		const group = e.name || e.id
		return !groups.has(group) && groups.add(group)
	})
	stops.forEach((e, i) => e.dataset.stop = i)
	document.activeElement.blur()
	return stops.length
})()`

// describeStop tells of what has the focus: its number or its radio group's, whether a ring around it, its label or its mark is
// there to see, and whether something lies over it.
const describeStop = `(() => {
	const e = document.activeElement
	if (!e || e === document.body) return {stop: -1}
	const group = e.type === 'radio' ? [...document.getElementsByName(e.name)].find(r => r.dataset.stop) : e
	const ring = n => { const s = getComputedStyle(n); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1 }
	const seen = [e, ...(e.labels || []), ...e.querySelectorAll('*')].some(ring)
	const r = e.getBoundingClientRect(), x = (r.left + r.right) / 2
	const top = document.querySelector('.top')?.getBoundingClientRect()
	return {stop: +(group?.dataset.stop ?? -1), seen, hidden: Boolean(top && top.top <= 0 && r.bottom <= top.bottom && !e.closest('.top, .skip') && r.height > 1),
		name: e.tagName + '#' + e.id + ' ' + (e.getAttribute('aria-label') || e.innerText || e.name || '').slice(0, 40)}
})()`

// tabThrough presses Tab until it has come to everything that can be used. It has to show where it is, and must never be held.
func (tb *tab) tabThrough(path string) {
	tb.Helper()
	n := js[int](tb, prepareStops)
	reached := map[int]bool{}
	for range n + 20 { // boxes that scroll are stops too
		tb.do(chromedp.KeyEvent("\t"))
		at := js[struct {
			Stop         int
			Seen, Hidden bool
			Name         string
		}](tb, describeStop)
		if at.Stop >= 0 && !reached[at.Stop] {
			reached[at.Stop] = true
			if !at.Seen {
				tb.Errorf("%s: no ring shows that the focus is on %s", path, at.Name)
			}
			if at.Hidden {
				tb.Errorf("%s: the header hides the focus on %s", path, at.Name)
			}
		}
		if len(reached) == n {
			return
		}
	}
	tb.Errorf("%s: Tab reaches %d of %d, not %s", path, len(reached), n, js[string](tb, fmt.Sprintf(
		`[...document.querySelectorAll('[data-stop]')].filter(e => !%s.includes(+e.dataset.stop)).slice(0, 8).map(e => e.outerHTML.slice(0, 120)).join('\n')`, list(reached))))
}

// list writes a set of numbers as a JavaScript array.
func list(set map[int]bool) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range set {
		fmt.Fprintf(&b, "%d,", i)
	}
	b.WriteByte(']')
	return b.String()
}
