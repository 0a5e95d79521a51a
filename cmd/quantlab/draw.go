package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
	"github.com/muesli/termenv"

	"quantlab/core/lab/wire"
)

// drawPrediction draws what the net saw beside what each variant answers; below it where there is no room.
func drawPrediction(w io.Writer, p *wire.Prediction, width int, color bool) error {
	style := lipgloss.NewRenderer(io.Discard)
	style.SetHasDarkBackground(true) // spares a question to the terminal, whose answer nothing here depends on
	style.SetColorProfile(termenv.Ascii)
	if color {
		style.SetColorProfile(termenv.ANSI)
	}
	title := style.NewStyle().Bold(true).Foreground(lipgloss.Color("6"))

	var body string
	answers := drawAnswers(style, p)
	if p.Side > 0 {
		body = title.Render(fmt.Sprintf("%s saw %d x %d pixels", p.Model, p.Side, p.Side)) + "\n" + drawDigit(p.Pixels, p.Side)
		if lipgloss.Width(body)+3+lipgloss.Width(answers) <= width {
			body = lipgloss.JoinHorizontal(lipgloss.Top, body, "   ", answers)
		} else {
			body += "\n\n" + answers
		}
	} else {
		body = title.Render(p.Model+" read") + "\n" + style.NewStyle().Width(min(width, textWidth)).Render(drawWords(style, p)) + "\n\n" + answers
	}
	for _, n := range p.Notes {
		body += "\n\n" + style.NewStyle().Width(min(width, textWidth)).Render(n)
	}
	for line := range strings.Lines(body + "\n") {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// textWidth is how wide running text gets at the most: long lines are hard to read.
const textWidth = 100

// drawWords writes the words as they were read, those that were dropped in parentheses.
func drawWords(style *lipgloss.Renderer, p *wire.Prediction) string {
	bold, faint := style.NewStyle().Bold(true), style.NewStyle().Faint(true)
	var words []string
	about := "The order does not matter to a bag of words."
	for _, w := range p.Words {
		text := strings.Map(visible, w.Text)
		if w.Known {
			words = append(words, bold.Render(text))
			continue
		}
		words = append(words, faint.Render("("+text+")"))
		about = "The order does not matter to a bag of words. Words in parentheses are not in the vocabulary and were dropped."
	}
	return strings.Join(words, " ") + "\n" + faint.Render(about)
}

// visible drops what could steer a terminal.
func visible(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return -1
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
	cell := style.NewStyle().PaddingRight(2)
	return table.New().Headers(head...).Rows(rows...).Border(lipgloss.NormalBorder()).BorderStyle(style.NewStyle().Faint(true)).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).Wrap(false).
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
