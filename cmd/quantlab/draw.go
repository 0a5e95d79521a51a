package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"

	"quantlab/core/lab/wire"
)

// drawPrediction draws what the net saw beside what each variant answers; below it where the terminal is narrow.
func drawPrediction(w io.Writer, out *output, p *wire.Prediction) error {
	_, width := out.terminal()
	style := out.renderer(w)
	bold, faint := style.NewStyle().Bold(true), style.NewStyle().Faint(true)

	seen := bold.Render(p.Model+" read") + "\n" + drawWords(p, bold, faint)
	if p.Side > 0 {
		seen = bold.Render(fmt.Sprintf("%s saw %d x %d pixels", p.Model, p.Side, p.Side)) + "\n" + drawDigit(p.Pixels, p.Side)
	}
	answers := drawAnswers(style, p)
	body := seen + "\n\n" + answers
	if p.Side > 0 && lipgloss.Width(seen)+3+lipgloss.Width(answers) <= max(width, 80) {
		body = lipgloss.JoinHorizontal(lipgloss.Top, seen, "   ", answers)
	}
	if width > 0 && p.Side == 0 {
		body = lipgloss.NewStyle().MaxWidth(width).Render(body)
	}
	for _, n := range p.Notes {
		body += "\n\n" + style.NewStyle().Width(min(max(width, 80), 100)).Render(n)
	}
	_, err := fmt.Fprintln(w, body)
	return err
}

// renderer draws colours where the result goes to a terminal that has them.
func (o *output) renderer(w io.Writer) *lipgloss.Renderer {
	if is, _ := o.terminal(); is {
		return lipgloss.NewRenderer(o.out)
	}
	return lipgloss.NewRenderer(w) // which is no terminal, so nothing is coloured
}

// drawWords writes the words in a line, those that were dropped in parentheses.
func drawWords(p *wire.Prediction, bold, faint lipgloss.Style) string {
	var words []string
	dropped := false
	for _, w := range p.Words {
		if w.Known {
			words = append(words, bold.Render(w.Text))
		} else {
			words = append(words, faint.Render("("+w.Text+")"))
			dropped = true
		}
	}
	s := "  " + strings.Join(words, " ") + "\n" + faint.Render("  in any order: a bag of words knows none")
	if dropped {
		s += faint.Render("; in parentheses: never seen, dropped")
	}
	return s
}

// drawDigit draws the pixels with one character for each two that stand above each other, since a character is about
// twice as high as wide.
func drawDigit(pixels []int, side int) string {
	shades := []rune(" ░▒▓█")
	at := func(x, y int) int {
		if i := y*side + x; y < side && i < len(pixels) {
			return pixels[i]
		}
		return 0
	}
	edge := strings.Repeat("─", side)
	lines := []string{"┌" + edge + "┐"}
	for y := 0; y < side; y += 2 {
		var b strings.Builder
		for x := range side {
			top, bottom := at(x, y), at(x, y+1)
			switch mean := (top + bottom) / 2; {
			case top >= 160 && bottom < 48:
				b.WriteRune('▀')
			case bottom >= 160 && top < 48:
				b.WriteRune('▄')
			default:
				b.WriteRune(shades[min(mean*len(shades)/256, len(shades)-1)])
			}
		}
		lines = append(lines, "│"+b.String()+"│")
	}
	return strings.Join(append(lines, "└"+edge+"┘"), "\n")
}

// drawAnswers is a table with a column for each variant and a row for each class.
func drawAnswers(style *lipgloss.Renderer, p *wire.Prediction) string {
	head, answer, verdict := []string{"dtype"}, []string{"answer"}, []string{"against float32"}
	for _, a := range p.Answers {
		head = append(head, strings.TrimSpace(strings.TrimPrefix(a.Q, "--")+" "+a.DType))
		if a.Label == "" {
			answer, verdict = append(answer, "–"), append(verdict, "not here")
			continue
		}
		answer, verdict = append(answer, a.Label), append(verdict, agreement(a))
	}
	rows := [][]string{answer, verdict}
	for class, label := range p.Labels {
		row := []string{"probability of " + label + ", %"}
		if len(p.Labels) > 2 {
			row[0] = "P(" + label + "), %"
		}
		for _, a := range p.Answers {
			cell := "–"
			if class < len(a.Probabilities) {
				cell = percent(a.Probabilities[class])
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	cell := style.NewStyle().Padding(0, 1)
	return table.New().Headers(head...).Rows(rows...).Border(lipgloss.RoundedBorder()).BorderStyle(style.NewStyle().Faint(true)).
		StyleFunc(func(row, col int) lipgloss.Style {
			s := cell
			if col > 0 {
				s = s.Align(lipgloss.Right)
			}
			switch {
			case row == table.HeaderRow || row == 0:
				return s.Bold(true)
			case row > 1 && col > 0 && p.Answers[col-1].Label != "" && p.Answers[col-1].Label == p.Labels[row-2]:
				return s.Bold(true)
			case col == 0:
				return s.Faint(true)
			}
			return s
		}).String()
}
