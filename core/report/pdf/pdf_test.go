package pdf

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"quantlab/core/report"
	"quantlab/core/report/figure"
	"quantlab/core/report/paper"
)

// poppler runs a tool of poppler-utils on the file; without the tool the test is skipped, or with QUANTLAB_REQUIRE_POPPLER
// fails.
func poppler(t *testing.T, tool string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		if os.Getenv("QUANTLAB_REQUIRE_POPPLER") != "" {
			t.Fatalf("%v: install poppler-utils", err)
		}
		t.Skipf("%v: poppler-utils reads the report back", err)
	}
	var out, stderr bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v: %s", tool, err, &stderr)
	}
	return out.String()
}

// written sets a paper and returns the file's name.
func written(t *testing.T, p paper.Paper) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func words(text string) []string { return strings.Fields(strings.ReplaceAll(text, "\u00a0", " ")) }

// Every word of every table is in the file as often as in the tables, and so are all other texts.
func TestTextsAreWhole(t *testing.T) {
	p := sample()
	text := poppler(t, "pdftotext", "-layout", written(t, p), "-")
	have := map[string]int{}
	for _, w := range words(text) {
		have[w]++
	}
	want := map[string]int{}
	expect := func(texts ...string) {
		for _, text := range texts {
			for _, w := range words(legible(text)) {
				want[w]++
			}
		}
	}
	expect(p.Title)
	expect(p.Warnings...)
	for _, s := range p.Sections {
		expect(s.Title)
		for _, b := range s.Blocks {
			expect(b.Text)
			expect(b.List...)
			for _, f := range b.Facts {
				expect(f[0], f[1])
			}
			if b.Table != nil {
				expect(b.Table.Title, b.Table.Caption)
				for _, c := range b.Table.Columns {
					expect(c.Title)
				}
				for _, row := range b.Table.Rows {
					expect(row...)
				}
			}
			if b.Figure != nil {
				expect(b.Figure.Title, b.Figure.Caption, b.Figure.X.Label)
				expect(b.Figure.Y.Categories...)
			}
			if b.Draft != nil {
				expect(b.Draft.Title, b.Draft.Words(), b.Draft.Code)
				if b.Draft.Own == "" {
					expect("Draft, from the numbers Rests on:")
				}
			}
		}
	}
	for w, n := range want {
		if have[w] < n {
			t.Errorf("%q is there %d times, want %d", w, have[w], n)
		}
	}
	for page := 1; page <= 3; page++ {
		if !strings.Contains(text, fmt.Sprintf("%d of ", page)) {
			t.Errorf("page %d has no number", page)
		}
	}
}

// A box is a word on a page.
type wordBox struct {
	Left   float64 `xml:"xMin,attr"`
	Top    float64 `xml:"yMin,attr"`
	Right  float64 `xml:"xMax,attr"`
	Bottom float64 `xml:"yMax,attr"`
	Text   string  `xml:",chardata"`
}

type boxedPage struct {
	Width  float64   `xml:"width,attr"`
	Height float64   `xml:"height,attr"`
	Words  []wordBox `xml:"word"`
}

func boxes(t *testing.T, file string) []boxedPage {
	t.Helper()
	var doc struct {
		Pages []boxedPage `xml:"body>doc>page"`
	}
	text := poppler(t, "pdftotext", "-bbox", file, "-")
	if err := xml.Unmarshal([]byte(text[strings.Index(text, "<html"):]), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Pages
}

// Nothing leaves the margins, no two words lie on each other, and there are pages of both orientations.
func TestNothingOverflows(t *testing.T) {
	pages := boxes(t, written(t, sample()))
	wide := 0
	for n, p := range pages {
		if p.Width > p.Height {
			wide++
		}
		for i, w := range p.Words {
			if w.Left < marginX-1 || w.Right > p.Width-marginX+1 || w.Top < 25 || w.Bottom > p.Height-20 {
				t.Errorf("page %d: %q lies at %.0f to %.0f of %.0f, %.0f to %.0f of %.0f", n+1, w.Text, w.Left, w.Right, p.Width, w.Top, w.Bottom, p.Height)
			}
			for _, v := range p.Words[:i] {
				across := min(w.Right, v.Right) - max(w.Left, v.Left)
				down := min(w.Bottom, v.Bottom) - max(w.Top, v.Top)
				if across > 1 && down > .45*min(w.Bottom-w.Top, v.Bottom-v.Top) {
					t.Errorf("page %d: %q lies on %q", n+1, w.Text, v.Text)
				}
			}
		}
	}
	if wide != 1 {
		t.Errorf("%d pages are landscape", wide)
	}
}

// A table that goes on begins each page with its header.
func TestHeaderIsRepeated(t *testing.T) {
	file := written(t, sample())
	n := 0
	for page := range strings.SplitSeq(poppler(t, "pdftotext", "-layout", file, "-"), "\f") {
		if strings.Contains(page, "layers.") {
			n++
			if !regexp.MustCompile(`Layer +Accuracy +A note`).MatchString(page) {
				t.Errorf("no header on\n%s", page)
			}
		}
	}
	if n < 2 {
		t.Errorf("the long table is on %d pages", n)
	}
}

func TestDocument(t *testing.T) {
	p := sample()
	file := written(t, p)
	info := poppler(t, "pdfinfo", file)
	for _, want := range []string{"Title:           Post-training quantization of four", "Creator:         quantlab v1.2.3", "Keywords:        post-training", "2026", "(A4)"} {
		if !strings.Contains(info, want) {
			t.Errorf("no %q in\n%s", want, info)
		}
	}
	pages, _ := strconv.Atoi(strings.TrimSpace(regexp.MustCompile(`Pages: +(\d+)`).FindStringSubmatch(info)[1]))
	if text := poppler(t, "pdftotext", file, "-"); !strings.Contains(text, fmt.Sprintf("%d of %d", pages, pages)) || strings.Contains(text, fmt.Sprintf("%d of", pages+1)) {
		t.Errorf("pages are not numbered up to %d", pages)
	}
	lines := strings.Split(strings.TrimSpace(poppler(t, "pdffonts", file)), "\n")[2:]
	for _, l := range lines {
		if !regexp.MustCompile(`Identity-H +yes +(yes|no) +yes`).MatchString(l) {
			t.Errorf("not embedded, or without Unicode: %s", l)
		}
	}
	if len(lines) != 4 {
		t.Errorf("%d fonts", len(lines))
	}
	outline := poppler(t, "pdftohtml", "-xml", "-stdout", "-i", file)
	outline = outline[strings.Index(outline, "<outline>"):]
	for _, s := range p.Sections {
		if !strings.Contains(outline, ">"+s.Title+"</item>") {
			t.Errorf("no bookmark %q", s.Title)
		}
	}
	for i, page := range contentsPages(t, file, p) {
		if !strings.Contains(pageText(t, file, page), p.Sections[i].Title) {
			t.Errorf("the contents say that %q is on page %d", p.Sections[i].Title, page)
		}
	}
}

func pageText(t *testing.T, file string, page int) string {
	return poppler(t, "pdftotext", "-layout", "-f", strconv.Itoa(page), "-l", strconv.Itoa(page), file, "-")
}

// contentsPages are what the table of contents says.
func contentsPages(t *testing.T, file string, p paper.Paper) (pages []int) {
	t.Helper()
	first := pageText(t, file, 1)
	for _, s := range p.Sections {
		m := regexp.MustCompile(`(?m)^ *` + regexp.QuoteMeta(s.Title) + ` +(\d+)$`).FindStringSubmatch(first)
		if m == nil {
			t.Fatalf("%q is not in the contents:\n%s", s.Title, first)
		}
		n, _ := strconv.Atoi(m[1])
		pages = append(pages, n)
	}
	return pages
}

func TestSamePaperSameBytes(t *testing.T) {
	var a, b bytes.Buffer
	if err := errors.Join(Write(&a, sample()), Write(&b, sample())); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two files of one paper differ")
	}
	if a.Len() < 50_000 || a.Len() > 400_000 {
		t.Errorf("%d bytes: fonts are missing, or whole", a.Len())
	}
}

// What must stay together does, wherever a page ends.
func TestBreaks(t *testing.T) {
	for filled := 0.; filled < longSide; filled += 7 {
		s := newSetter(paper.Paper{}, layout{})
		type place struct {
			page int
			name string
		}
		var places []place
		add := func(name string, height float64, keep bool) {
			s.add(piece{height: height, before: 5, keep: keep, draw: func(float64, float64) { places = append(places, place{s.doc.PageNo(), name}) }})
		}
		add("filler", filled, false)
		add("heading", 20, true)
		add("subheading", 15, true)
		add("text", 40, false)
		add("more", 40, false)
		s.flow()
		for i, p := range places[:len(places)-1] {
			if strings.HasSuffix(p.name, "heading") && places[i+1].page != p.page {
				t.Fatalf("filled to %.0f: the %s is alone on page %d", filled, p.name, p.page)
			}
		}
	}
	s := newSetter(paper.Paper{}, layout{})
	for n := range 12 {
		s.pieces = nil
		s.textLines(bodyFace, ink, make([]string, n+1), marginX, 6, nil)
		first, last := s.pieces[0].height, s.pieces[len(s.pieces)-1].height
		if single := bodyFace.leading() * 1.01; n > 0 && (first < single || last < single) {
			t.Errorf("of %d lines, one is alone", n+1)
		}
	}
}

// nothing is a writer on a full disk.
type nothing struct{}

var errFull = errors.New("no space left on device")

func (nothing) Write([]byte) (int, error) { return 0, errFull }

func TestDiskFull(t *testing.T) {
	if err := Write(nothing{}, sample()); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		defer full.Close()
		if err := Write(full, sample()); err == nil {
			t.Error("written to a full disk")
		}
	}
}

func TestOddPapers(t *testing.T) {
	nan := math.NaN()
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft", 60)
	many := &report.PlainTable{Columns: make([]report.Column, 200), Rows: [][]string{make([]string, 300)}}
	rows := make([]string, 300)
	categories := &figure.Figure{Y: figure.Axis{Categories: rows}, Series: []figure.Series{{Kind: figure.Bars}}}
	for i := range 300 {
		categories.Series[0].Points = append(categories.Series[0].Points, figure.Point{X: float64(i), Y: float64(i)})
	}
	for name, p := range map[string]paper.Paper{
		"nothing":  {},
		"no title": {Sections: []paper.Section{{}, {Level: 7, Blocks: []paper.Block{{}}}, {Level: -1}}},
		"long":     {Title: long, Facts: [][2]string{{long, long}}, Warnings: []string{long}, Sections: []paper.Section{{Title: long, Blocks: []paper.Block{{Text: long}, {List: []string{long}}, {Code: long}, {Draft: &paper.Draft{Title: long, Text: long, Cites: []string{long}}}}}}},
		"tables": {Sections: []paper.Section{{Blocks: []paper.Block{{Table: &report.PlainTable{}}, {Table: many},
			{Table: &report.PlainTable{Columns: []report.Column{{}}, Rows: [][]string{{}, {long, "x"}, nil}}},
			{Table: &report.PlainTable{Columns: []report.Column{{Title: "a"}, {Title: "b"}}, Rows: [][]string{{"1", strings.Repeat("many words ", 3000)}, {"2", "3"}}}}}}}},
		"figures": {Sections: []paper.Section{{Blocks: []paper.Block{{Figure: &figure.Figure{}}, {Figure: categories},
			{Figure: &figure.Figure{Title: long, Caption: long, X: figure.Axis{Label: long, Log: true}, Y: figure.Axis{Label: long}, Series: []figure.Series{
				{Name: long, Kind: "odd", Points: []figure.Point{{X: nan, Y: 1}, {X: 0, Y: math.Inf(1)}, {X: 1, Y: 1, Label: long, Span: &figure.Span{Low: nan}}}}, {Name: "b"}}}}}}}},
		"drafts": {Sections: []paper.Section{{Blocks: []paper.Block{{Draft: &paper.Draft{}}, {Draft: &paper.Draft{Cites: []string{"a"}}}, {Draft: &paper.Draft{Own: "\n\n"}}}}}},
		"signs":  {Title: "µ ± × – “ ” ≤ ≥ − → ² ρ", Sections: []paper.Section{{Title: "\x00\xff\u202e😀", Blocks: []paper.Block{{Text: "e\u0301 \t\ufeff漢字"}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			file := written(t, p)
			for n, page := range boxes(t, file) {
				for _, w := range page.Words {
					if w.Bottom > page.Height-20 || w.Left < marginX-2 {
						t.Fatalf("page %d: %.20q lies at %.0f, %.0f", n+1, w.Text, w.Left, w.Bottom)
					}
				}
			}
		})
	}
}

func TestLegible(t *testing.T) {
	for text, want := range map[string]string{
		"µ ± × – “ ” ≤ ≥ − → ρ □ …": "µ ± × – “ ” ≤ ≥ − → ρ □ …",
		"数 and 😀":                   "□ and □",
		"a\u2009b\u2011c\x07\u202e": "a b-c",
		"\xff":                      "□",
	} {
		if got := legible(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// The colours are the page's light ones.
func TestColours(t *testing.T) {
	css, err := os.ReadFile("../../../web/quantlab.css")
	if err != nil {
		t.Fatal(err)
	}
	for token, c := range map[string]rgb{"ink": ink, "muted": muted, "line": line, "edge": edge, "wash": wash, "warn": warn,
		"v-fp32": variantColour("fp32"), "v-float16": variantColour("dynamic-float16"), "v-dynamic": variantColour("dynamic-qint8"),
		"v-static": variantColour("static-qint8"), "v-amp": variantColour("amp"), "v-custom": variantColour("custom")} {
		want := fmt.Sprintf("--%s: light-dark(#%02x%02x%02x,", token, c.r, c.g, c.b)
		if !bytes.Contains(css, []byte(want)) {
			t.Errorf("web/quantlab.css has another %s than %q", token, want)
		}
	}
}
