package main

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A prose is running text for a terminal, or for whatever takes its place.
type prose struct {
	width int // columns
	b     strings.Builder
}

// say adds a paragraph behind a mark; its further lines are indented alike. Lines end between words only, lest names are torn.
func (p *prose) say(mark, text string) {
	indent := ansi.StringWidth(mark)
	room := min(p.width, textWidth) - indent
	p.b.WriteString(mark)
	at := 0
	for i, word := range strings.Fields(text) {
		word = printable(word)
		width := ansi.StringWidth(word)
		switch {
		case i == 0:
		case at+1+width > room:
			p.b.WriteString("\n" + strings.Repeat(" ", indent))
			at = 0
		default:
			p.b.WriteString(" ")
			at++
		}
		p.b.WriteString(word)
		at += width
	}
	p.b.WriteString("\n")
}

// gap adds an empty line.
func (p *prose) gap() { p.b.WriteString("\n") }

// printable drops what could steer a terminal: texts name files, and quote them.
func printable(text string) string { return strings.Map(visible, text) }
