package paper

import (
	"maps"
	"slices"
	"strings"

	"quantlab/core/nn"
	"quantlab/core/report"
)

// number counts things: "1 run", "5 runs", "1,024 examples".
func number(n int, one, many string) string { return report.Count(n) + " " + plural(n, one, many) }

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// list joins things as a sentence does: "a", "a and b", "a, b and c".
func list(things []string) string { return join(things, " and ") }

func join(things []string, word string) string {
	if len(things) < 2 {
		return strings.Join(things, "")
	}
	return strings.Join(things[:len(things)-1], ", ") + word + things[len(things)-1]
}

// upper gives a sentence its capital, unless it begins with a model's name, which has none.
func upper(s string) string {
	word, _, _ := strings.Cut(s, " ")
	if _, err := nn.SpecOf(strings.TrimRight(word, ",:;")); err == nil {
		return s
	}
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// sentence is text with a capital and a full stop.
func sentence(s string) string {
	s = upper(strings.TrimRight(strings.TrimSpace(s), ".;,"))
	if s == "" || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// paragraphs joins those that aren't empty.
func paragraphs(parts ...string) string { return joinNonEmpty(parts, "\n\n") }

// sentences joins those that aren't empty.
func sentences(parts ...string) string { return joinNonEmpty(parts, " ") }

func joinNonEmpty(parts []string, by string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, by)
}

// sorted returns a map's keys in order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
