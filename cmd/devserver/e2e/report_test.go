package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	devtools "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/paper"
)

// hostileWords are typed into the report: they must stay words.
const hostileWords = `My own words: 2 < 3 & "quotes". <script>document.title = "hostile"</script><img src=x onerror=document.title=1>`

// What was measured is in the report, natively and in this browser. Words typed by keyboard take a draft's place, in every download and
// at the next visit.
func TestReport(t *testing.T) {
	g := newGate(t, shared.base)
	tb := openAt(t, g.URL, "/sensitivity?"+asked+"&senswhere=native", 4*time.Minute)
	tb.press("#sens-measure")
	tb.over(wire.OpSensitivity)
	tb.layersAre(studied(t).Sensitivity[0])
	tb.goTo("/")
	tb.until("the quick run is over", measuredQuickly)
	rows := tb.results()
	tb.goTo("/report")
	tb.until("the report is written", `document.querySelector('.paper .draft')`)
	tb.inReport(rows)

	draft := js[string](tb, `document.querySelector('.draft[data-draft^="sensitivity"]').dataset.draft`)
	tb.writeWords(draft, hostileWords)

	dir := t.TempDir()
	if err := downloadInto(tb.tab, dir); err != nil {
		t.Fatal(err)
	}
	markdown := tb.downloaded("#save-markdown", filepath.Join(dir, "quantlab-report.md"))
	html := tb.downloaded("#save-html", filepath.Join(dir, "quantlab-report.html"))
	data := tb.downloaded("#save-json", filepath.Join(dir, "quantlab-results.json"))
	study, notices, err := paper.ReadStudy(strings.NewReader(data))
	if err != nil || len(notices) > 0 {
		t.Fatalf("the JSON is not read: %v %q", err, notices)
	}
	if study.Words[draft] != hostileWords {
		t.Errorf("the JSON has the words %q", study.Words)
	}
	if len(study.Results) != 1 || len(study.Results[0].Rows) != len(rows) || len(study.Sensitivity) != 1 || len(study.Sensitivity[0].Rows) != 12 {
		t.Errorf("the JSON has %d results and %d analyses", len(study.Results), len(study.Sensitivity))
	}
	if !strings.Contains(markdown, "My own words") || strings.Count(markdown, "<script") != strings.Count(markdown, `\<script`) || !strings.Contains(markdown, "| ") {
		t.Errorf("the Markdown has not the words as words, or no table:\n%.2000s", markdown)
	}
	if strings.Contains(html, "<script") || strings.Contains(html, "<img") {
		t.Error("the HTML has markup that was typed")
	}
	tb.fromDisk(filepath.Join(dir, "quantlab-report.html"))
	tb.printed()

	tb.do(chromedp.Reload())
	tb.until("the words are still there", fmt.Sprintf(`document.querySelector('#draft-%s .draft-words')?.innerText.includes('My own words')`, draft))
	tb.press("#back-" + draft)
	tb.until("the draft is back", fmt.Sprintf(`document.querySelector('#draft-%s .mark').innerText.startsWith('Draft')`, draft))
}

// inReport looks for every row of the run and of the single layers.
func (tb *tab) inReport(rows []wire.Row) {
	tb.Helper()
	text := tb.text(".paper table")
	want := func(name string, r wire.Row) {
		tb.Helper()
		for _, figure := range []string{r.Model, report.Percent(*r.Accuracy, r.Total), report.MB(r.SizeBytes)} {
			if !strings.Contains(text, figure) {
				tb.Errorf("%s: no %q in the report's tables", name, figure)
			}
		}
	}
	for _, r := range rows {
		want(r.Variant, r)
	}
	for _, r := range tb.kept(wire.OpSensitivity).Sensitivity[0].Rows {
		want(r.Variant+" "+r.Mode+" "+r.Layer, r.Row)
		if !strings.Contains(text, report.Flips(r.Paired)) {
			tb.Errorf("no %q in the report's tables", report.Flips(r.Paired))
		}
	}
}

// writeWords replaces a draft, by keyboard alone.
func (tb *tab) writeWords(draft, words string) {
	tb.Helper()
	tb.key("#edit-"+draft, "\r")
	tb.until("the text box is open, with the draft and the focus", fmt.Sprintf(`(e => e && e === document.activeElement && e.value.length > 20)(document.querySelector('#words-%s'))`, draft))
	js[bool](tb, `document.activeElement.select() || true`)
	tb.do(chromedp.KeyEvent(kb.Delete), chromedp.KeyEvent(words))
	tb.do(chromedp.KeyEvent("\t"))
	tb.until("Tab comes to Keep", fmt.Sprintf(`document.activeElement.id === 'keep-%s'`, draft))
	tb.do(chromedp.KeyEvent("\r"))
	tb.until("the words are in the report", fmt.Sprintf(`(e => e && e.querySelector('.mark').innerText === 'Your words' && e.querySelector('.draft-words').innerText.includes('<script>document.title'))(document.querySelector('#draft-%s'))`, draft))
	if title := js[string](tb, `document.title`); strings.Contains(title, "hostile") {
		tb.Error("what was typed was run")
	}
}

// downloadInto has the browser save downloads in a folder, unasked.
func downloadInto(ctx context.Context, dir string) error {
	return chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, devtools.SetDownloadBehavior, devtools.SetDownloadBehaviorParams{
			Behavior: devtools.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir,
		})
		return err
	}))
}

// downloaded presses a button and returns the file that it saves.
func (tb *tab) downloaded(button, path string) string {
	tb.Helper()
	tb.press(button)
	for {
		if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
			return string(data)
		}
		select {
		case <-tb.ctx.Done():
			tb.Fatalf("%s saves no %s", button, filepath.Base(path))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// fromDisk opens the report as a file: it asks for nothing else, and runs nothing.
func (tb *tab) fromDisk(path string) {
	tb.Helper()
	file := openAt(tb.T, "", "file://"+path, time.Minute)
	defer file.close()
	if n := js[int](file, `document.querySelectorAll('script, link[rel="stylesheet"], iframe, [onerror], [onload], [onclick]').length`); n != 0 {
		tb.Errorf("the HTML has %d elements that load or run something", n)
	}
	if asked := js[string](file, `performance.getEntriesByType('resource').map(e => e.name).join(' ')`); asked != "" {
		tb.Errorf("the HTML asks for %s", asked)
	}
	if title := js[string](file, `document.title`); title == "" || title == "hostile" || title == "1" {
		tb.Errorf("the HTML is called %q", title)
	}
	if !js[bool](file, `document.body.innerText.includes('My own words: 2 < 3 & "quotes". <script>')`) {
		tb.Error("the HTML has not the words as they were typed")
	}
	cells := `[...document.querySelectorAll('.paper td')].map(e => e.innerText.replace(/\s+/g, ' ').trim()).join('|')`
	if mine, theirs := js[string](tb, cells), js[string](file, cells); mine != theirs {
		tb.Errorf("the tables of the HTML are not those of the page:\n%.1000s\n%.1000s", theirs, mine)
	}
	picture(file, "report-from-disk")
}

// blanks part words; a hyphen may stand where a line ends.
var blanks = regexp.MustCompile(`[\s\p{Zs}\x{ad}]+`)

// printed prints the report: every cell of its tables is on the paper, and nothing to press.
func (tb *tab) printed() {
	tb.Helper()
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		tb.Logf("without poppler-utils nothing reads what was printed: %v", err)
		return
	}
	pdf, err := chromedp.Run(tb.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPreferCSSPageSize()))
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), "printed.pdf")
	if err := os.WriteFile(path, pdf, 0o644); err != nil {
		tb.Fatal(err)
	}
	raw, err := exec.Command(tool, "-raw", path, "-").Output() // in the order in which it was written: cell by cell
	if err != nil {
		tb.Fatal(err)
	}
	text := blanks.ReplaceAllString(string(raw), "")
	missing := 0
	for _, cell := range js[[]string](tb, `[...document.querySelectorAll('.paper :is(td, th, caption, h2, h3)')].map(e => e.innerText)`) {
		if cell = blanks.ReplaceAllString(cell, ""); !strings.Contains(text, cell) {
			if missing++; missing < 10 {
				tb.Errorf("what is printed has no %q", cell)
			}
		}
	}
	for _, button := range js[[]string](tb, `[...document.querySelectorAll('header.top a, header.top button, .report-tools button, .draft button, footer a')].map(e => e.innerText)`) {
		if button = strings.TrimSpace(button); len(button) > 6 && strings.Contains(string(raw), "\n"+button+"\n") {
			tb.Errorf("the button or link %q is printed", button)
		}
	}
	if dir := os.Getenv("QUANTLAB_SCREENSHOTS"); dir != "" {
		os.WriteFile(filepath.Join(dir, "report-printed.pdf"), pdf, 0o644)
	}
}
