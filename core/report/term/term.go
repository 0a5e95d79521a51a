// Package term draws results on a terminal: the hardware, the lab's tables, notes and a legend. Tables fit the width:
// where one with all figures does not, figures are worded shorter, then the table is split, and at last each row
// becomes a few lines.
package term

import (
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
	xterm "golang.org/x/term"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// Widths of a terminal that are drawn for; a width of 0 is DefaultWidth.
const (
	DefaultWidth = 80
	minWidth     = 20
	maxText      = 100 // running text is not wider: long lines are hard to read
)

// Width returns how many columns the terminal f has, DefaultWidth if f is none.
func Width(f *os.File) int {
	if width, _, err := xterm.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return DefaultWidth
}

// Color reports whether colours should be written to f: it must be a terminal that has them, and the user must not have
// set NO_COLOR (https://no-color.org).
func Color(f *os.File) bool {
	return xterm.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// Render draws a result for a terminal of that many columns; no line is wider.
func Render(w io.Writer, res wire.Result, width int, color bool) error {
	d := newDrawing(width, color)
	d.hardware(res.Hardware)
	d.paragraph(report.Settings(res), d.style.plain)
	for _, t := range report.Tables(res) {
		d.table(t)
	}
	if len(res.Rows) == 0 {
		d.paragraph("There are no rows.", d.style.plain)
	}
	d.notes(res.Notes)
	if len(res.Rows) > 0 {
		d.pairs(report.Legend(), d.style.faint)
	}
	return d.flush(w)
}

// RenderHardware draws a machine alone.
func RenderHardware(w io.Writer, h wire.Hardware, width int, color bool) error {
	d := newDrawing(width, color)
	d.hardware(h)
	return d.flush(w)
}

// A drawing is text being laid out for one width.
type drawing struct {
	b     strings.Builder
	width int
	style styles
}

// styles are made of the terminal's own 16 colours, which its user chose to be readable.
type styles struct {
	plain, bold, faint, title, good, bad, warn, rule lipgloss.Style
}

func newDrawing(width int, color bool) *drawing {
	if width <= 0 {
		width = DefaultWidth
	}
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.Ascii)
	if color {
		r.SetColorProfile(termenv.ANSI)
	}
	// The renderer would ask the terminal for its background, had it a reason; this spares the question.
	r.SetHasDarkBackground(true)
	s := r.NewStyle()
	return &drawing{width: max(width, minWidth), style: styles{
		plain: s, bold: s.Bold(true), faint: s.Faint(true), title: s.Bold(true).Foreground(lipgloss.Color("6")),
		good: s.Foreground(lipgloss.Color("2")), bad: s.Foreground(lipgloss.Color("1")), warn: s.Foreground(lipgloss.Color("3")),
		rule: s.Faint(true),
	}}
}

// flush writes the drawing. Blank ends of lines are cut off.
func (d *drawing) flush(w io.Writer) error {
	var out strings.Builder
	for line := range strings.Lines(strings.TrimRight(d.b.String(), "\n")) {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (d *drawing) line(s string) { d.b.WriteString(s + "\n") }

// heading begins a section.
func (d *drawing) heading(text string) {
	d.line(d.style.title.Render(ansi.Truncate(clean(text), d.width, "…")))
}

// paragraph writes running text, and an empty line.
func (d *drawing) paragraph(text string, style lipgloss.Style) {
	if text == "" {
		return
	}
	d.item("", text, style)
	d.line("")
}

// item writes running text behind a mark; its further lines are indented alike.
func (d *drawing) item(mark, text string, style lipgloss.Style) {
	indent := lipgloss.Width(mark)
	for i, line := range wrap(text, min(d.width, maxText)-indent) {
		if i > 0 {
			mark = strings.Repeat(" ", indent)
		}
		d.line(mark + style.Render(line))
	}
}

// notes writes points, and an empty line.
func (d *drawing) notes(notes []string) {
	for _, n := range notes {
		d.item("• ", n, d.style.plain)
	}
	if len(notes) > 0 {
		d.line("")
	}
}

// hardware draws the machine as names and values.
func (d *drawing) hardware(h wire.Hardware) {
	d.heading(report.HardwareTitle(h))
	d.pairs(report.HardwareRows(h), d.style.plain)
}

// pairs writes names in a column and values beside them, or below where the window is narrow, and an empty line.
func (d *drawing) pairs(rows [][2]string, style lipgloss.Style) {
	names := 0
	for _, r := range rows {
		names = max(names, lipgloss.Width(r[0]))
	}
	for _, r := range rows {
		if 3*names > d.width { // beside the name there is no room
			d.item("", r[0], d.style.faint)
			d.item("  ", r[1], style)
			continue
		}
		name := r[0] + strings.Repeat(" ", names-lipgloss.Width(r[0]))
		d.item(d.style.faint.Render(name)+"  ", r[1], style)
	}
	d.line("")
}

// clean makes foreign text safe for a terminal: no control characters, no escape sequences, one line.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
}

// wrap breaks text into lines of at most so many columns: between words, but not around "=" and "<", and within a word
// that is longer than a line.
func wrap(text string, width int) []string {
	const glue = "\u00a0"
	text = strings.NewReplacer(" = ", glue+"="+glue, " < ", glue+"<"+glue).Replace(clean(text))
	width = max(width, 10)
	var lines []string
	line := ""
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' }) {
		switch {
		case line == "":
			line = word
		case lipgloss.Width(line)+1+lipgloss.Width(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
		for lipgloss.Width(line) > width {
			head := ansi.Truncate(line, width, "")
			lines, line = append(lines, head), line[len(head):]
		}
	}
	lines = append(lines, line)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], glue, " ")
	}
	return lines
}
