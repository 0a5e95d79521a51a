package custom

import (
	"errors"
	"slices"
	"strings"
)

// A layout tells which of a table's columns hold what.
type layout struct {
	text, label int
	heading     bool // the first row names the columns
}

// What columns are called.
var (
	textNames  = []string{"sentence", "text", "review", "phrase", "content", "tweet", "comment", "message", "utterance", "input"}
	labelNames = []string{"label", "labels", "class", "sentiment", "target", "category", "polarity", "y", "output"}
)

// layoutOf finds the columns of a table by their names, where it has some that are known, or else by what they hold: labels repeat,
// sentences are long.
func layoutOf(rows [][]string) (layout, error) {
	n := len(rows[0])
	if n < 2 {
		return layout{}, errors.New("the table has one column: give one of sentences and one of labels, with a comma or a tab between them")
	}
	text, label := columnNamed(rows[0], textNames), columnNamed(rows[0], labelNames)
	l := layout{text: text, label: label, heading: text >= 0 || label >= 0}
	body := rows
	if l.heading {
		body = rows[1:]
	}
	if len(body) == 0 {
		return l, errors.New("the table has a heading and no rows: give one of sentences and labels")
	}
	columns := make([]column, n)
	for i := range columns {
		columns[i] = columnOf(body, i)
	}
	if l.label < 0 {
		l.label = labelColumn(columns, text)
	}
	if l.text < 0 {
		l.text = textColumn(columns, l.label)
	}
	if columns[l.label].distinct > MaxClasses || n > 2 && columns[l.label].distinct == len(body) && len(body) > MaxClasses {
		return l, errors.New("no column of the table holds labels, a few values that repeat: give one of sentences and one of labels")
	}
	if !l.heading && len(rows) > 1 {
		head := rows[0]
		l.heading = !columnOf(rows[1:], l.label).has[labelOf(head[l.label])] && !strings.ContainsAny(strings.TrimSpace(head[l.text]), " \t")
	}
	return l, nil
}

// columnNamed returns the first column that bears one of the names, or -1.
func columnNamed(head []string, names []string) int {
	return slices.IndexFunc(head, func(h string) bool { return slices.Contains(names, strings.ToLower(strings.TrimSpace(h))) })
}

// A column is what is known of one.
type column struct {
	has      map[string]bool // its values, as far as they can be labels
	distinct int
	bytes    int
}

func columnOf(rows [][]string, i int) column {
	c := column{has: map[string]bool{}}
	for _, row := range rows {
		c.bytes += len(row[i])
		if c.distinct <= MaxClasses && !c.has[labelOf(row[i])] {
			c.has[labelOf(row[i])] = true
			c.distinct++
		}
	}
	return c
}

// labelColumn returns the column with the fewest values, two at least where there is one, other than the text's; of such as have
// equally many the one with the shortest.
func labelColumn(columns []column, text int) int {
	best := -1
	worse := func(a, b column) bool {
		if constant := a.distinct < 2; constant != (b.distinct < 2) {
			return constant
		}
		return a.distinct > b.distinct || a.distinct == b.distinct && a.bytes > b.bytes
	}
	for i, c := range columns {
		if i != text && (best < 0 || worse(columns[best], c)) {
			best = i
		}
	}
	return best
}

// textColumn returns the longest column other than the labels'.
func textColumn(columns []column, label int) int {
	best := -1
	for i, c := range columns {
		if i != label && (best < 0 || c.bytes > columns[best].bytes) {
			best = i
		}
	}
	return best
}
