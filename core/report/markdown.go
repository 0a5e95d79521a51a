package report

import (
	"io"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
)

// Markdown writes results as GitHub-flavoured Markdown: a hardware section for each host, the lab's tables with the rows
// of all hosts side by side, notes, and a legend. Whatever text the results hold, it stays text.
func Markdown(w io.Writer, results ...wire.Result) error {
	var b strings.Builder
	b.WriteString("# Post-training quantization, measured\n\n")
	for _, r := range results {
		b.WriteString(escape(Settings(r)) + "\n\n")
	}
	for _, r := range results {
		markdownHardware(&b, r.Hardware)
	}
	for _, t := range Tables(results...) {
		markdownTable(&b, t)
	}
	if notes := resultNotes(results); len(notes) > 0 {
		b.WriteString("## Notes\n\n")
		for _, n := range notes {
			b.WriteString("- " + escape(n) + "\n")
		}
		b.WriteString("\n")
	}
	b.WriteString("## Legend\n\n")
	for _, l := range Legend() {
		b.WriteString("- " + escape(l[0]+": "+l[1]) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// HardwareMarkdown writes the hardware section alone.
func HardwareMarkdown(w io.Writer, h wire.Hardware) error {
	var b strings.Builder
	markdownHardware(&b, h)
	_, err := io.WriteString(w, strings.TrimSuffix(b.String(), "\n"))
	return err
}

func markdownHardware(b *strings.Builder, h wire.Hardware) {
	b.WriteString("## " + HardwareTitle(h) + "\n\n| | |\n|---|---|\n")
	for _, row := range HardwareRows(h) {
		b.WriteString("| " + escape(row[0]) + " | " + escape(row[1]) + " |\n")
	}
	b.WriteString("\n")
}

func markdownTable(b *strings.Builder, t Table) {
	plain := PlainTable{Title: t.Title, Caption: t.Caption, Columns: t.Columns}
	for _, row := range t.Rows {
		plain.Rows = append(plain.Rows, row.Cells)
	}
	markdownPlain(b, plain)
	for _, n := range t.Notes {
		b.WriteString("- " + escape(n) + "\n")
	}
	if len(t.Notes) > 0 {
		b.WriteString("\n")
	}
}

func markdownPlain(b *strings.Builder, t PlainTable) {
	b.WriteString("## " + escape(t.Title) + "\n\n" + escape(t.Caption) + "\n\n")
	MarkdownGrid(b, t)
	b.WriteString("\n")
}

// MarkdownGrid writes a table's columns and rows alone.
func MarkdownGrid(b *strings.Builder, t PlainTable) {
	b.WriteString("|")
	for _, c := range t.Columns {
		b.WriteString(" " + escape(c.Title) + " |")
	}
	b.WriteString("\n|")
	for _, c := range t.Columns {
		if c.Right {
			b.WriteString("---:|")
		} else {
			b.WriteString("---|")
		}
	}
	b.WriteString("\n")
	for _, row := range t.Rows {
		b.WriteString("|")
		for _, cell := range row {
			b.WriteString(" " + escape(cell) + " |")
		}
		b.WriteString("\n")
	}
}

// measuredBy says which program measured, and where: "quantlab v1, native".
func measuredBy(version, host string) string {
	s := "quantlab"
	if version != "" {
		s += " " + version
	}
	switch host {
	case wire.Browser:
		s += " in the browser"
	case wire.Native:
		s += ", native"
	}
	return s
}

// Settings says in a sentence how a result was measured.
func Settings(r wire.Result) string {
	q := r.Settings
	var batches []string
	for _, n := range q.Batches {
		batches = append(batches, strconv.Itoa(n))
	}
	s := measuredBy(r.Version, r.Hardware.Host) + ": " + strconv.Itoa(q.Runs) + plural(q.Runs, " run", " runs")
	if len(batches) > 0 {
		s += ", batch " + strings.Join(batches, " and ")
	}
	s += ", " + strconv.Itoa(q.Threads) + plural(q.Threads, " thread", " threads") + ", " + q.Input + " input"
	if q.Weights == wire.Fresh {
		s += ", weights trained anew"
	}
	s += ", seed " + strconv.FormatUint(q.Seed, 10) + "."
	if q.Examples > 0 {
		s += " Accuracy on the first " + Count(q.Examples) + " test examples only."
	}
	if !q.IsLab() {
		s += " These are not the lab's settings."
	}
	return s
}

// resultNotes collects the notes of all results, each once.
func resultNotes(results []wire.Result) []string {
	var out []string
	seen := map[string]bool{}
	for _, r := range results {
		for _, n := range r.Notes {
			if n != "" && !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}

// markdownEscapes makes text of everything that GitHub's Markdown could read as something else in a line: emphasis,
// code, links, HTML, formulas, strike-through, the bars of a table. An interval's brackets may stay: a link needs more.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, `|`, `\|`, "`", "\\`", `*`, `\*`, `_`, `\_`, `~`, `\~`, `$`, `\$`, `<`, `\<`, `&`, `\&`,
	`](`, `]\(`, `]:`, `]\:`, `][`, `]\[`, `![`, `!\[`, "\r\n", " ", "\r", " ", "\n", " ", "\t", " ", "\x00", "",
)

// EscapeMarkdown writes text so that Markdown shows it as it is, in one line.
func EscapeMarkdown(text string) string { return escape(text) }

// escape writes text so that Markdown shows it as it is, in one line.
func escape(text string) string {
	text = markdownEscapes.Replace(text)
	text = strings.TrimLeft(text, " ")
	// At the beginning of a line these would make a heading, a list or a rule.
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	switch {
	case text == "" || text == "--":
	case strings.ContainsRune("#+-=>", rune(text[0])):
		return `\` + text
	case digits > 0 && digits < len(text) && strings.ContainsRune(".)", rune(text[digits])) && strings.HasPrefix(text[digits+1:], " "):
		return text[:digits] + `\` + text[digits:]
	}
	return text
}
