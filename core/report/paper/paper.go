// Package paper assembles the lab's write-up from a study: its tables, figures and a discussion drafted from the numbers by
// rules. A Paper is data; Markdown and HTML are written here, the page shows one live, and package pdf sets one on A4. It links
// nothing heavy.
package paper

import (
	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/report/figure"
)

// A Paper is a write-up. None of its texts holds a control character (but the line breaks of paragraphs and commands) or one
// that turns the direction of writing; they may hold anything else, such as markup, which is to be shown as it is.
type Paper struct {
	Title    string
	Version  string      // of the program that makes it
	Made     string      // when its numbers were put together, RFC 3339; "" not known
	Facts    [][2]string // who, when, on what: version, date, machine
	Warnings []string    // what the reader must know before anything else: an older version's results, another machine's, missing models
	Sections []Section
}

// A Section is a part with a heading.
type Section struct {
	ID     string // of its anchor: "static"
	Title  string
	Level  int // 1 is a section, 2 one within
	Blocks []Block
}

// A Block is one thing in a section: exactly one of its fields is set.
type Block struct {
	Text   string   // a paragraph
	List   []string // short points
	Facts  [][2]string
	Table  *report.PlainTable
	Figure *figure.Figure
	Draft  *Draft
	Code   string // commands, to be typed, a line each
}

// A Draft is what rules made from the numbers, or the reader's own words instead.
type Draft struct {
	ID    string   // what notes name it by: "dynamic-1"
	Title string   // "Precision, dynamic quantization"
	Text  string   // the draft: plain text, paragraphs parted by empty lines
	Cites []string // the rows that it rests on: "mnist-lab2, static int8, batch 64"
	Code  string   // the commands that it proposes, a line each; "" where there are none. They stay below the reader's own words, too
	Own   string   // the reader's words, plain text, paragraphs parted by empty lines; "" where there are none
}

// Words are the draft's text, or the reader's own in its place.
func (d Draft) Words() string {
	if d.Own != "" {
		return d.Own
	}
	return d.Text
}

// A Context is what a paper knows beside the study.
type Context struct {
	Machine *wire.Hardware // where the paper is made; nil: not known, as in a browser that measured itself
	Version string         // of the program that makes it
	Notices []string       // what reading the study and the notes had to say
}

// Drafts are the paper's drafts, in their order.
func (p Paper) Drafts() []*Draft {
	var out []*Draft
	for _, s := range p.Sections {
		for _, b := range s.Blocks {
			if b.Draft != nil {
				out = append(out, b.Draft)
			}
		}
	}
	return out
}
