package paper

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/figure"
)

// JSON writes the study that papers are made of.
func JSON(w io.Writer, study wire.Study) error { return report.StudyJSON(w, study) }

// Markdown writes the paper as GitHub-flavoured Markdown. Tables and figures are numbered; a figure is the table of its numbers.
// Whatever text the paper holds, it stays text.
func Markdown(w io.Writer, p Paper) error {
	m := &markdown{}
	m.line("# " + report.EscapeMarkdown(p.Title))
	if len(p.Warnings) > 0 {
		m.line("**What to know first**")
		m.list(p.Warnings)
	}
	m.pairs(p.Facts)
	for _, s := range p.Sections {
		m.line(strings.Repeat("#", s.Level+1) + " " + report.EscapeMarkdown(s.Title))
		for _, b := range s.Blocks {
			m.block(b)
		}
	}
	_, err := io.WriteString(w, strings.TrimRight(m.String(), "\n")+"\n")
	return err
}

// A markdown is a document under construction.
type markdown struct {
	strings.Builder
	tables, figures int
}

// line writes one that stands by itself.
func (m *markdown) line(text string) { m.WriteString(text + "\n\n") }

func (m *markdown) text(text string) { m.line(report.EscapeMarkdown(text)) }

func (m *markdown) list(points []string) {
	for _, p := range points {
		m.WriteString("- " + report.EscapeMarkdown(p) + "\n")
	}
	m.WriteString("\n")
}

func (m *markdown) pairs(rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	m.WriteString("| | |\n|---|---|\n")
	for _, r := range rows {
		m.WriteString("| " + report.EscapeMarkdown(r[0]) + " | " + report.EscapeMarkdown(r[1]) + " |\n")
	}
	m.WriteString("\n")
}

func (m *markdown) block(b Block) {
	switch {
	case b.Table != nil:
		m.tables++
		m.grid(fmt.Sprintf("Table %d", m.tables), *b.Table)
	case b.Figure != nil:
		m.figures++
		f, left := thinned(*b.Figure)
		t := f.Table()
		t.Title, t.Caption = f.Title, f.Caption
		if left > 0 {
			t.Caption = sentences(t.Caption, fmt.Sprintf("Of the longest series every so many points are told here; the results as JSON hold the %s left out.", number(left, "point", "points")))
		}
		number := "Figure %d, as numbers"
		if n := len(t.Rows); n > mostNumbers {
			number = "Figure %d"
			t.Caption += fmt.Sprintf(" Text can't draw it, and its %s rows of numbers would bury the rest: the report as HTML has both.", report.Count(n))
			t.Columns, t.Rows = nil, nil
		}
		m.grid(fmt.Sprintf(number, m.figures), t)
	case b.Draft != nil:
		m.draft(*b.Draft)
	case len(b.Facts) > 0:
		m.pairs(b.Facts)
	case len(b.List) > 0:
		m.list(b.List)
	case b.Code != "":
		m.code(b.Code)
	case b.Text != "":
		m.text(b.Text)
	}
}

// mostNumbers bounds the rows that stand for a figure.
const mostNumbers = 100

// longest is how many points of a series are told as text: as many as someone would read.
const longest = 24

// thinned is a figure without most points of its longest series, and how many it lacks. First and last points stay.
func thinned(f figure.Figure) (figure.Figure, int) {
	left := 0
	f.Series = slices.Clone(f.Series)
	for i, s := range f.Series {
		n := len(s.Points)
		if n <= longest {
			continue
		}
		left += n - longest
		f.Series[i].Points = nil
		for k := range longest {
			f.Series[i].Points = append(f.Series[i].Points, s.Points[k*(n-1)/(longest-1)])
		}
	}
	return f, left
}

func (m *markdown) grid(number string, t report.PlainTable) {
	m.line("**" + number + ".** " + report.EscapeMarkdown(sentence(t.Title)))
	if t.Caption != "" {
		m.text(t.Caption)
	}
	if len(t.Columns) > 0 {
		report.MarkdownGrid(&m.Builder, t)
		m.WriteString("\n")
	}
}

// draft writes a draft, marked as one, or the reader's own words.
func (m *markdown) draft(d Draft) {
	mark := " (draft, " + d.ID + ")"
	if d.Own != "" {
		mark = ""
	}
	m.line("**" + report.EscapeMarkdown(d.Title+mark) + "**")
	for _, p := range Paragraphs(d.Words()) {
		m.text(p)
	}
	if d.Code != "" {
		m.code(d.Code)
	}
	if len(d.Cites) > 0 && d.Own == "" {
		m.line("*Rests on:* " + report.EscapeMarkdown(strings.Join(d.Cites, "; ")+"."))
	}
}

// code writes commands in a fence that is longer than any run of backticks within.
func (m *markdown) code(text string) {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	m.line(fence + "\n" + text + "\n" + fence)
}
