package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/web"
)

func get(t *testing.T, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	Handler("test").ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d, %v", path, w.Code, err)
	}
	return string(b)
}

// inline matches what a strict Content-Security-Policy forbids: style attributes, event attributes, inline scripts.
var inline = regexp.MustCompile(`\sstyle=|<style|\son[a-z]+="|<script>|javascript:`)

func TestFirstPaint(t *testing.T) {
	html := get(t, "/")
	for _, want := range []string{
		">What does a network lose when its numbers get smaller?</h1>", `id="run"`, "Quick run: first 1,000 test images, 3 runs", `data-model="mnist-lab1"`,
		`data-col="latency-64"`, `data-state="pending"`, `aria-live="polite"`, `content="width=device-width, initial-scale=1, viewport-fit=cover"`,
		`src="/web/quantlab.js"`, `href="/web/quantlab.css"`, `lang="en"`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the first paint has no %s", want)
		}
	}
	if m := inline.FindString(html); m != "" {
		t.Errorf("inline: %q", m)
	}
	if strings.Contains(html, `="false"`) && regexp.MustCompile(`(checked|disabled|open|hidden)="false"`).MatchString(html) {
		t.Error("a boolean attribute is present, and so set, with the value false")
	}
	if n := strings.Count(html, "<tr"); n != 1+len(wire.Variants()) {
		t.Errorf("%d table rows", n)
	}
}

// The server draws the controls as the address says, so that nothing changes under the reader's eyes.
func TestFirstPaintHeedsTheAddress(t *testing.T) {
	html := get(t, "/?runs=20&seed=42&where=native&batches=bad")
	for _, want := range []string{`value="20"`, `value="42"`, "The link says batches=bad", "These are not the lab’s settings: 20 runs instead of 5."} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, input := range regexp.MustCompile(`<input[^>]*name="where"[^>]*>`).FindAllString(html, -1) {
		if strings.Contains(input, "checked") != strings.Contains(input, `value="native"`) {
			t.Error(input)
		}
	}
}

// go-app does not escape attributes on the server; nothing of a request may get into one.
func TestHostileAddress(t *testing.T) {
	const evil = `"><script>alert(1)</script>`
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.RawQuery, r.Host = "runs="+evil+"&"+evil+"=1&seed="+evil, evil
	w := httptest.NewRecorder()
	Handler("test").ServeHTTP(w, r)
	if body := w.Body.String(); strings.Contains(body, "<script>") {
		t.Error(body[strings.Index(body, "<script>")-80:][:200])
	}
}

func TestUnknownPathIsNotFound(t *testing.T) {
	w := httptest.NewRecorder()
	Handler("test").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/drew", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("status %d", w.Code)
	}
}

// Whatever the state, what is drawn keeps to the policy, and every row says what it is.
func TestRenderedStates(t *testing.T) {
	for name, setup := range map[string]func(*session){
		"measured": func(s *session) {
			s.Plan(wire.Lab(), inOrderHosts, false)
			for _, v := range wire.VariantIDs() {
				s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", v, wire.Browser)})
			}
			put(&s.Hardware, wire.Browser, wire.Hardware{Browser: "Chromium 156", Cores: 8, Engine: "portable", ClockNS: 5000, Isolated: new(bool), SIMD: "relaxed"})
			put(&s.Hardware, wire.Native, wire.Hardware{CPU: "a CPU", Cores: 2, Threads: 4, Instructions: []string{"AVX2"}, MemoryBytes: 1 << 33})
			s.Native.Phase = NativeReady
			s.note(wire.Browser, "a <note>")
		},
		"failed": func(s *session) {
			s.Engine = Engine{Phase: EngineFailed, Text: "<b>dead</b>"}
			s.Apply(wire.Browser, wire.Event{Kind: wire.EventError, Text: "<b>dead</b>"})
			s.Native = Native{Phase: NativeAbsent, Text: "none"}
		},
		"drafts": func(s *session) {
			s.Drafts = map[string]Draft{"runs": {"0", "No."}, "models": {"", "None."}, "batches": {"one", "No."}}
			s.CopyText, s.Copied = "text", "Copied."
			s.Runs[0].Hidden = true
		},
	} {
		p := newPage()
		p.session.visit("/", nil)
		setup(p.session)
		var b strings.Builder
		goapp.PrintHTML(&b, p)
		html := b.String()
		if m := inline.FindString(html); m != "" {
			t.Errorf("%s: inline %q", name, m)
		}
		if strings.Contains(html, "<b>dead") || strings.Contains(html, "<note>") {
			t.Errorf("%s: text was taken for markup", name)
		}
		switch name {
		case "measured":
			for _, want := range []string{
				`data-model="mnist-lab1"`, `data-variant="static-qint8"`, `data-engine="portable"`, `data-host="native"`, `data-state="done"`,
				"2.00× faster", "[95.8, 97.9]", "clock", "a CPU", "4 threads",
			} {
				if !strings.Contains(html, want) {
					t.Errorf("no %s", want)
				}
			}
			if n := strings.Count(html, "<tr") - strings.Count(html, "<thead"); n != 4*4*2 {
				t.Errorf("%d rows", n)
			}
		case "failed":
			if !strings.Contains(html, `id="retry"`) || !strings.Contains(html, "No native engine serves this page") {
				t.Error("the failure is not told")
			}
		case "drafts":
			if strings.Count(html, `aria-invalid`) != 2 || !strings.Contains(html, `id="hidden-tab"`) || !strings.Contains(html, `id="copy-text"`) {
				t.Error("drafts and notices are not shown")
			}
		}
	}
}

// Every page has one first headline and a name of its own, says which view it is, and links the others.
func TestPages(t *testing.T) {
	titles := map[string]string{}
	for _, path := range paths() {
		html := get(t, path)
		title := regexp.MustCompile(`<title>([^<]*)</title>`).FindStringSubmatch(html)[1]
		if other, taken := titles[title]; taken && strings.TrimPrefix(path, embedPath) != strings.TrimSuffix(other, "/") && embedPath+path != other {
			t.Errorf("%s and %s are both called %s", path, other, title)
		}
		titles[title] = path
		if n := strings.Count(html, "<h1"); n != 1 {
			t.Errorf("%s has %d first headlines", path, n)
		}
		if m := inline.FindString(html); m != "" {
			t.Errorf("%s: inline %q", path, m)
		}
		ids := map[string]bool{}
		for _, m := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(html, -1) {
			if ids[m[1]] || m[1] == "" {
				t.Errorf("%s: the id %q is there twice, or empty", path, m[1])
			}
			ids[m[1]] = true
		}
		level := 0
		for _, m := range regexp.MustCompile(`<h([1-6])`).FindAllStringSubmatch(html, -1) {
			if n := int(m[1][0] - '0'); n > level+1 {
				t.Errorf("%s: a headline of level %d after one of level %d", path, n, level)
			} else {
				level = n
			}
		}
		if strings.HasPrefix(path, embedPath) {
			continue
		}
		if current := strings.Count(html, `aria-current="page"`); current != 1 {
			t.Errorf("%s: %d links are the current page's", path, current)
		}
		for _, v := range views() {
			href := v.Path
			if path == allPath && !v.Alone {
				href = allPath + "#" + v.id()
			}
			if !regexp.MustCompile(`<a[^>]*href="` + href + `"`).MatchString(html) {
				t.Errorf("%s does not link to %s", path, href)
			}
		}
	}
}

func TestTheReportHasAllViewsInOrder(t *testing.T) {
	html, at := get(t, allPath), 0
	for _, v := range viewsAt(allPath) {
		i := strings.Index(html, `id="`+v.id()+`"`)
		if i < at || !strings.Contains(html, v.Headline+"</h2>") {
			t.Errorf("%s is not there, or not in its place", v.Title)
		}
		at = i
	}
}

func TestFramesAreBare(t *testing.T) {
	for _, v := range views() {
		html := get(t, v.embedded())
		for _, no := range []string{"<header class=\"top", "<nav", `id="copy-link"`, `class="next"`} {
			if strings.Contains(html, no) {
				t.Errorf("%s has %s", v.embedded(), no)
			}
		}
		// go-app writes attributes in any order.
		out := regexp.MustCompile(`<a [^>]*class="open-whole"[^>]*>`).FindString(html)
		if !strings.Contains(out, ` href="`+v.Path+`"`) || !strings.Contains(out, ` target="_blank"`) {
			t.Errorf("%s has no way out: %q", v.embedded(), out)
		}
	}
}

func TestWhatAnAddressLeavesOut(t *testing.T) {
	html := get(t, "/draw?hide=controls,footer&asdrawn=1")
	if !strings.Contains(html, `class="page hide-controls hide-footer"`) {
		t.Error("the page's root does not say what is to be left out")
	}
	if !strings.Contains(get(t, "/draw?hide=everything"), "only controls, notes, lede, nav, footer can be hidden") {
		t.Error("an unknown flag is not told")
	}
}

// The page must stay light: plain data, and no engine.
func TestThePageLinksNoEngine(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "quantlab/wasm/page")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		t.Skip("go list does not run here: ", err)
	}
	allowed := map[string]bool{"quantlab/app": true, "quantlab/core/report/chart": true, "quantlab/core/report/figure": true, "quantlab/core/report/paper": true,
		"quantlab/wasm/page": true, "quantlab/core/nn": true, "quantlab/core/lab/wire": true, "quantlab/core/report": true, "quantlab/core/roofline": true,
		"quantlab/core/scheme": true}
	for _, path := range strings.Fields(string(out)) {
		if strings.HasPrefix(path, "quantlab/") && !allowed[path] {
			t.Errorf("the page links %s", path)
		}
	}
}

func TestTheServerStatesTheRawSizeWhereTheLoaderLooks(t *testing.T) {
	if RawSizeHeader != web.RawLength {
		t.Errorf("%s is not %s", RawSizeHeader, web.RawLength)
	}
}

// Every class that the style sheet must know for a variant is there, and the files that the handler names.
func TestFilesOfThePage(t *testing.T) {
	css, err := os.ReadFile("../web/quantlab.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range wire.Variants() {
		if !strings.Contains(string(css), ".v-"+v.ID+" ") {
			t.Errorf("the style sheet has no colour for %s", v.ID)
		}
	}
	if strings.Contains(string(css), "url(") || strings.Contains(string(css), "@import") {
		t.Error("the style sheet loads something")
	}
	h := Handler("test")
	for _, path := range []string{h.Icon.Default, h.Icon.Large, h.Icon.SVG} {
		if _, err := os.Stat(".." + path); err != nil {
			t.Error(err)
		}
	}
}
