package paper

import (
	_ "embed"
	"fmt"
	"io"
	"strings"

	"quantlab/core/report"
	"quantlab/core/report/chart"
)

// The page's looks: shared.css holds its colours, charts, figures and how it sets a paper, as a test makes it of web/;
// document.css is what a file of its own needs beside.
var (
	//go:embed shared.css
	sharedCSS string
	//go:embed document.css
	documentCSS string
)

// HTML writes the paper as one file that shows itself without asking for another: styles and drawings are in it, scripts are
// not, and its policy forbids both requests and scripts. Whatever text the paper holds, it stays text.
func HTML(w io.Writer, p Paper) error {
	h := &hypertext{}
	h.head(p)
	h.printf(`<body><main class="paper"><header><h1>%s</h1>`, p.Title)
	h.pairs(p.Facts)
	if len(p.Warnings) > 0 {
		h.printf(`<section class="warnings" aria-label="What to know first">`)
		h.list(p.Warnings)
		h.printf(`</section>`)
	}
	h.printf(`</header>`)
	h.contents(p.Sections)
	for i, s := range p.Sections {
		h.heading(i, s)
		for _, b := range s.Blocks {
			h.block(b)
		}
	}
	if p.Version != "" {
		h.printf(`<footer><p>Made by quantlab %s.</p></footer>`, p.Version)
	}
	h.printf(`</main></body></html>`)
	_, err := io.WriteString(w, h.String()+"\n")
	return err
}

// A hypertext is a document under construction.
type hypertext struct {
	strings.Builder
	tables, figures int
}

// printf writes HTML with values that stay text.
func (h *hypertext) printf(format string, values ...any) {
	for i, v := range values {
		if s, ok := v.(string); ok {
			values[i] = chart.Escape(s)
		}
	}
	fmt.Fprintf(h, format, values...)
}

func (h *hypertext) head(p Paper) {
	h.printf(`<!doctype html><html lang="en-GB"><head><meta charset="utf-8">` +
		`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">` +
		`<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">`)
	h.printf(`<meta name="generator" content="%s">`, strings.TrimSpace("quantlab "+p.Version))
	if p.Made != "" {
		h.printf(`<meta name="date" content="%s">`, p.Made)
	}
	h.printf(`<title>%s</title><style>`, p.Title)
	h.WriteString(sharedCSS + documentCSS)
	h.printf(`</style></head>`)
}

// fewSections need no table of contents.
const fewSections = 3

func (h *hypertext) contents(sections []Section) {
	if len(sections) <= fewSections {
		return
	}
	h.printf(`<nav class="contents" aria-label="Contents"><ul>`)
	for i, s := range sections {
		h.printf(`<li class="level-%d"><a href="#%s">%s</a></li>`, s.level(), sectionID(i, s), s.Title)
	}
	h.printf(`</ul></nav>`)
}

// level is the section's, 1 or 2.
func (s Section) level() int { return min(max(s.Level, 1), 2) }

// sectionID is a section's name in links.
func sectionID(i int, s Section) string {
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, strings.ToLower(s.ID))
	if id == "" {
		id = fmt.Sprint(i + 1)
	}
	return "section-" + id
}

func (h *hypertext) heading(i int, s Section) {
	h.printf(`<h%d id="%s">%s</h%d>`, s.level()+1, sectionID(i, s), s.Title, s.level()+1)
}

func (h *hypertext) block(b Block) {
	switch {
	case b.Table != nil:
		h.tables++
		h.table(*b.Table)
	case b.Figure != nil:
		h.figures++
		h.WriteString(b.Figure.HTML(h.figures))
	case b.Draft != nil:
		h.draft(*b.Draft)
	case len(b.Facts) > 0:
		h.pairs(b.Facts)
	case len(b.List) > 0:
		h.list(b.List)
	case b.Code != "":
		h.printf(`<pre><code>%s</code></pre>`, b.Code)
	default:
		h.text(b.Text)
	}
}

func (h *hypertext) text(text string) {
	for _, p := range Paragraphs(text) {
		h.printf(`<p>`)
		h.linked(p)
		h.printf(`</p>`)
	}
}

// linked writes text in which addresses can be followed.
func (h *hypertext) linked(text string) {
	for i, word := range strings.Split(text, " ") {
		if i > 0 {
			h.WriteString(" ")
		}
		begin := len(word) - len(strings.TrimLeft(word, "(<“"))
		end := len(strings.TrimRight(word, ".,;:)>”"))
		if begin < end && (strings.HasPrefix(word[begin:], "https://") || strings.HasPrefix(word[begin:], "http://")) {
			h.printf(`%s<a href="%s" rel="noreferrer">%s</a>%s`, word[:begin], word[begin:end], word[begin:end], word[end:])
			continue
		}
		h.printf(`%s`, word)
	}
}

func (h *hypertext) list(points []string) {
	h.printf(`<ul>`)
	for _, p := range points {
		h.printf(`<li>`)
		h.linked(p)
		h.printf(`</li>`)
	}
	h.printf(`</ul>`)
}

func (h *hypertext) pairs(rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	h.printf(`<dl>`)
	for _, r := range rows {
		h.printf(`<dt>%s</dt><dd>%s</dd>`, r[0], r[1])
	}
	h.printf(`</dl>`)
}

func (h *hypertext) table(t report.PlainTable) {
	h.printf(`<p class="table-name" id="table-%d"><b>Table %d. %s.</b> %s</p>`, h.tables, h.tables, t.Title, t.Caption)
	h.printf(`<div class="table" tabindex="0" role="region" aria-labelledby="table-%d"><table aria-labelledby="table-%d"><thead><tr>`, h.tables, h.tables)
	class := func(i int) string {
		if t.Columns[i].Right {
			return ` class="right"`
		}
		return ""
	}
	for i, c := range t.Columns {
		h.WriteString(`<th scope="col"` + class(i) + `>`)
		h.printf(`%s</th>`, c.Title)
	}
	h.printf(`</tr></thead><tbody>`)
	for _, row := range t.Rows {
		h.printf(`<tr>`)
		for i := range t.Columns {
			cell := ""
			if i < len(row) {
				cell = row[i]
			}
			h.WriteString(`<td` + class(i) + `>`)
			h.printf(`%s</td>`, cell)
		}
		h.printf(`</tr>`)
	}
	h.printf(`</tbody></table></div>`)
}

// draft writes a draft, marked as one, or the reader's own words.
func (h *hypertext) draft(d Draft) {
	class := "own"
	if d.Own == "" {
		class = "draft"
	}
	h.printf(`<section class="%s">`, class)
	if d.Own == "" {
		h.printf(`<p class="draft-mark">Draft, from the numbers</p>`)
	}
	if d.Title != "" {
		h.printf(`<h4>%s</h4>`, d.Title)
	}
	h.text(d.Words())
	if d.Code != "" {
		h.printf(`<pre><code>%s</code></pre>`, d.Code)
	}
	if d.Own == "" && len(d.Cites) > 0 {
		h.printf(`<p class="cites">Rests on: %s.</p>`, strings.Join(d.Cites, "; "))
	}
	h.printf(`</section>`)
}
