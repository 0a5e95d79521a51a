package paper

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"quantlab/core/report"
	"quantlab/core/report/figure"
)

var (
	rootRule  = regexp.MustCompile(`(?s):root \{.*?\n\}\n`)
	variants  = regexp.MustCompile(`(?m)^\.v-[a-z0-9-]+ \{.*\}\n`)
	notInside = regexp.MustCompile(`(?s)/\*.*?\*/\n?`)
)

// pageStyles is what a paper has of the page's styles: the colours, and the rules of charts and figures.
func pageStyles(t *testing.T) string {
	t.Helper()
	read := func(name string) string {
		data, err := os.ReadFile("../../../web/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	page := read("quantlab.css")
	css := rootRule.FindString(page) + strings.Join(variants.FindAllString(page, -1), "") + read("chart.css") + read("figure.css") + read("paper.css")
	return "/* Made of web/quantlab.css, chart.css, figure.css and paper.css by TestSharedStyles. */\n" + notInside.ReplaceAllString(css, "")
}

// The file's styles are the page's. QUANTLAB_WRITE_STYLES=1 makes them anew.
func TestSharedStyles(t *testing.T) {
	want := pageStyles(t)
	if os.Getenv("QUANTLAB_WRITE_STYLES") != "" {
		if err := os.WriteFile("shared.css", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if sharedCSS != want {
		t.Error("shared.css is not what web/ holds: run QUANTLAB_WRITE_STYLES=1 go test -run TestSharedStyles ./core/report/paper")
	}
	if !strings.Contains(want, "--v-static:") || !strings.Contains(want, ".v-static-qint8 {") {
		t.Error("colours are missing")
	}
}

// hostile is a paper each of whose texts tries to be markup.
func hostile() Paper {
	const evil = `</style><script>alert("x")</script><img src=x onerror=alert(1)>&amp;`
	table := report.PlainTable{Title: evil, Caption: evil, Columns: []report.Column{{Title: evil, Right: true}, {Title: "b"}}, Rows: [][]string{{evil}, {evil, evil, evil}}}
	fig := figure.Figure{ID: evil, Title: evil, Caption: evil, X: figure.Axis{Label: evil}, Y: figure.Axis{Categories: []string{evil}},
		Series: []figure.Series{{Name: evil, Variant: evil, Kind: evil, Points: []figure.Point{{Label: evil}}}, {Name: "b"}}}
	return Paper{
		Title: evil, Version: evil, Made: evil, Facts: [][2]string{{evil, evil}}, Warnings: []string{evil},
		Sections: []Section{
			{ID: evil, Title: evil, Level: -3, Blocks: []Block{{Text: evil + "\n\n" + evil}, {List: []string{evil}}, {Facts: [][2]string{{evil, evil}}}, {Code: evil}}},
			{Level: 9, Blocks: []Block{{Table: &table}, {Figure: &fig}, {}}},
			{Blocks: []Block{{Draft: &Draft{ID: evil, Title: evil, Text: evil, Cites: []string{evil}, Code: evil}}}},
			{Blocks: []Block{{Draft: &Draft{ID: evil, Title: evil, Text: evil, Own: evil + "\n\njavascript:alert(1) https://example.org/\"onclick=alert(1)"}}}},
		},
	}
}

// Whatever a paper's texts hold, there are no elements and attributes but those that are written here.
func TestHTMLIsInert(t *testing.T) {
	var b bytes.Buffer
	if err := HTML(&b, hostile()); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if strings.Count(text, "</style>") != 1 || strings.Count(text, "<style>") != 1 {
		t.Error("the style sheet can be left")
	}
	text = text[:strings.Index(text, "<style>")] + text[strings.Index(text, "</style>")+len("</style>"):]
	d := xml.NewDecoder(strings.NewReader(regexp.MustCompile(`<meta [^>]*>|<!doctype html>`).ReplaceAllString(text, "")))
	allowed := " html head title body main header h1 h2 h3 h4 dl dt dd section ul li nav a p pre code div table caption b thead tbody tr th td figure figcaption " +
		"svg g line rect circle path text title details summary footer "
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !strings.Contains(allowed, " "+e.Name.Local+" ") {
			t.Errorf("element %s", e.Name.Local)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" || a.Name.Local == "src" {
				t.Errorf("attribute %s of %s", a.Name.Local, e.Name.Local)
			}
			if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") && !strings.HasPrefix(a.Value, "https://") {
				t.Errorf("link to %s", a.Value)
			}
		}
	}
	for _, want := range []string{"default-src &#39;none&#39;", "Draft, from the numbers"} {
		if !strings.Contains(b.String(), want) && !strings.Contains(b.String(), strings.ReplaceAll(want, "&#39;", "'")) {
			t.Errorf("no %s", want)
		}
	}
}

type brokenWriter struct{}

var errDisk = errors.New("disk full")

func (brokenWriter) Write([]byte) (int, error) { return 0, errDisk }

func TestHTMLWriteFails(t *testing.T) {
	if err := HTML(brokenWriter{}, hostile()); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}

var tag = regexp.MustCompile(`<[^>]*>`)

// All texts of a paper are there, in their order, and nothing else is but what this file adds.
func TestHTMLText(t *testing.T) {
	p := Paper{
		Title: "A title", Version: "v1", Facts: [][2]string{{"CPU", "a < b"}}, Warnings: []string{"Beware."},
		Sections: []Section{
			{ID: "one", Title: "One", Level: 1, Blocks: []Block{{Text: "First.\n\nSecond, see https://example.org/a_b."}, {List: []string{"point"}}}},
			{ID: "two", Title: "Two", Level: 2, Blocks: []Block{
				{Table: &report.PlainTable{Title: "Rows", Caption: "How.", Columns: []report.Column{{Title: "Name"}, {Title: "Size", Right: true}}, Rows: [][]string{{"a", "1.5"}, {"b"}}}},
				{Draft: &Draft{Title: "Axis", Text: "Drafted.", Cites: []string{"x", "y"}, Code: "quantlab run"}},
				{Draft: &Draft{Title: "Other", Text: "Drafted.", Cites: []string{"z"}, Own: "Mine & only mine."}}, {Code: "quantlab report"}}},
		},
	}
	var b bytes.Buffer
	if err := HTML(&b, p); err != nil {
		t.Fatal(err)
	}
	body := b.String()[strings.Index(b.String(), "<body>"):]
	got := strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(body, " "))), " ")
	want := "A title CPU a < b Beware. One First. Second, see https://example.org/a_b . point Two Table 1. Rows. How. Name Size a 1.5 b " +
		"Draft, from the numbers Axis Drafted. quantlab run Rests on: x; y. Other Mine & only mine. quantlab report Made by quantlab v1."
	if got != want {
		t.Errorf("text is\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(body, `<a href="https://example.org/a_b" rel="noreferrer">`) {
		t.Error("the address can't be followed")
	}
}
