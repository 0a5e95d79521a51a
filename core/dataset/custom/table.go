package custom

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
)

// Bounds of a table.
const (
	maxTable    = 64 << 20 // bytes
	maxColumns  = 64
	maxSentence = 1 << 16 // bytes
)

// isTable reports whether a file's name is that of a table.
func isTable(name string) bool {
	return slices.Contains([]string{".csv", ".tsv", ".tab"}, strings.ToLower(path.Ext(name)))
}

// isText reports whether a file starts as text does.
func isText(start []byte) bool {
	for len(start) > 0 {
		c, n := utf8.DecodeRune(start)
		if c == utf8.RuneError && len(start) >= utf8.UTFMax || c < ' ' && !strings.ContainsRune("\t\r\n", c) {
			return false
		}
		start = start[n:]
	}
	return true
}

// tables reads one table of sentences and labels.
func (r *reader) tables(entries []entry) (*Set, error) {
	entries = r.oneSplit(entries, path.Base)
	var first error
	for _, e := range entries {
		data, err := r.whole(e, maxTable)
		if err != nil {
			return nil, err
		}
		set, err := r.table(data)
		if err == nil {
			if len(entries) > 1 {
				r.note("of %s %s was taken", count(len(entries), "table"), shown(e.name))
			}
			return set, nil
		}
		if first == nil {
			first = fmt.Errorf("%s: %w", shown(path.Base(e.name)), err)
		}
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
	}
	return nil, first
}

// table reads a table.
func (r *reader) table(data []byte) (*Set, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, errors.New("the table is not text in UTF-8: save it so")
	}
	separator, format := separatorOf(data)
	rows, err := records(data, separator)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("the table holds nothing: give one of sentences and labels")
	}
	l, err := layoutOf(rows)
	if err != nil {
		return nil, err
	}
	r.format = format + " of sentences and labels"
	if l.heading {
		rows = rows[1:]
	}
	return r.sentences(rows, l)
}

// separatorOf finds what separates the fields of a table's first line: a tab where there is one.
func separatorOf(data []byte) (separator byte, format string) {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	switch {
	case bytes.ContainsRune(line, '\t'):
		return '\t', "TSV"
	case bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")):
		return ';', "CSV"
	}
	return ',', "CSV"
}

// records splits a table into its rows, which have equally many fields.
func records(data []byte, separator byte) ([][]string, error) {
	next := commaRecords(string(data), separator)
	if separator == '\t' {
		next = tabRecords(string(data))
	}
	var rows [][]string
	for {
		row, line, err := next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case len(row) > maxColumns:
			return nil, fmt.Errorf("line %d has %d columns: at most %d can be read", line, len(row), maxColumns)
		case len(rows) > 0 && len(row) > 1 && len(rows[0]) == 1:
			return nil, fmt.Errorf("the first line has 1 field, line %d has %d: give a sentence and its label in every line, with a comma or a tab between them", line, len(row))
		case len(rows) > 0 && len(row) != len(rows[0]):
			return nil, fmt.Errorf("line %d has %d fields, the first one %d: put a sentence that holds a separator in quotes", line, len(row), len(rows[0]))
		case len(rows) > wire.MaxOwnData:
			return nil, fmt.Errorf("there are more than %d rows: give at most as many", wire.MaxOwnData)
		}
		rows = append(rows, row)
	}
}

// commaRecords reads fields that may be in quotes, and then hold anything; a quote within is doubled, or not, as long as no separator
// follows it. Package csv reads a row whole, however many fields it has, and so can't be given a stranger's file.
func commaRecords(text string, separator byte) func() ([]string, int, error) {
	number := 1
	return func() ([]string, int, error) {
		for strings.HasPrefix(text, "\n") || strings.HasPrefix(text, "\r\n") {
			_, text, _ = strings.Cut(text, "\n")
			number++
		}
		if text == "" {
			return nil, 0, io.EOF
		}
		var row []string
		line, more := number, true
		for more && len(row) <= maxColumns {
			var field string
			var ok bool
			before := text
			if field, text, more, ok = cutField(text, separator); !ok {
				return nil, 0, fmt.Errorf("line %d opens a quote that never ends: close it, or double a quote that belongs to a sentence", line)
			}
			number += strings.Count(before[:len(before)-len(text)], "\n")
			row = append(row, field)
		}
		return row, line, nil
	}
}

// cutField takes the first field of a row. more reports whether the row has another one.
func cutField(text string, separator byte) (field, rest string, more, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, string(separator)+"\n")
		if end < 0 {
			return text, "", false, true
		}
		return strings.TrimSuffix(text[:end], "\r"), text[end+1:], text[end] == separator, true
	}
	for at := 1; ; {
		quote := strings.IndexByte(text[at:], '"')
		if quote < 0 {
			return "", "", false, false
		}
		at += quote + 1
		field = text[1 : at-1]
		after := strings.TrimPrefix(text[at:], "\r")
		switch {
		case after == "":
			return strings.ReplaceAll(field, `""`, `"`), "", false, true
		case after[0] == separator || after[0] == '\n':
			return strings.ReplaceAll(field, `""`, `"`), after[1:], after[0] == separator, true
		case after[0] == '"':
			at++
		}
	}
}

// tabRecords reads fields that tabs separate. Quotes belong to the text, as in GLUE's files, unless they enclose a field.
func tabRecords(text string) func() ([]string, int, error) {
	number := 0
	return func() ([]string, int, error) {
		for text != "" {
			var line string
			line, text, _ = strings.Cut(text, "\n")
			number++
			if line = strings.TrimSuffix(line, "\r"); strings.TrimSpace(line) == "" {
				continue
			}
			row := strings.SplitN(line, "\t", maxColumns+2)
			for i, field := range row {
				row[i] = unquoted(field)
			}
			return row, number, nil
		}
		return nil, 0, io.EOF
	}
}

// unquoted removes the quotes around a field all of whose other quotes are doubled.
func unquoted(field string) string {
	if len(field) < 2 || field[0] != '"' || field[len(field)-1] != '"' {
		return field
	}
	inner := field[1 : len(field)-1]
	if strings.Count(inner, `"`) != 2*strings.Count(inner, `""`) {
		return field
	}
	return strings.ReplaceAll(inner, `""`, `"`)
}

// sentences makes a set of a table's rows.
func (r *reader) sentences(rows [][]string, l layout) (*Set, error) {
	out := &dataset.Sentences{}
	var labels []string
	incomplete, capitals := 0, 0
	for i, row := range rows {
		if err := r.look(i, len(rows), "reading the sentences"); err != nil {
			return nil, err
		}
		text, label := strings.Join(strings.Fields(row[l.text]), " "), labelOf(row[l.label])
		switch {
		case text == "" || label == "":
			incomplete++
			continue
		case len(text) > maxSentence:
			return nil, fmt.Errorf("a sentence has %d bytes, %.40q…: at most %d can be taken", len(text), text, maxSentence)
		}
		if text != strings.ToLower(text) {
			capitals++
		}
		out.Text, labels = append(out.Text, text), append(labels, label)
	}
	if len(labels) == 0 {
		return nil, errors.New("no row of the table has both a sentence and a label: give one in which they have")
	}
	labels = r.sentiments(labels)
	c, err := newClasses(labels)
	if err != nil {
		return nil, err
	}
	if only := c.names[0]; len(c.names) == 1 && !isNumber(only) && only != "negative" && only != "positive" {
		return nil, fmt.Errorf("every row has the label %.40q, which tells nothing apart: give sentences of two classes or more", only)
	}
	for _, label := range labels {
		out.Labels = append(out.Labels, c.label(label))
	}
	if incomplete > 0 {
		r.note("%s without a sentence or a label %s left out", count(incomplete, "row"), was(incomplete))
	}
	if 2*capitals > out.Len() {
		r.note("most sentences hold capital letters; words are looked up as they are written, and SST-2's are in lower case, punctuation apart")
	}
	return &Set{Sentences: out, Classes: c.names}, nil
}

// labelOf cleans a label.
func labelOf(field string) string { return plainNumber(strings.Join(strings.Fields(field), " ")) }

// spellings are how others write SST-2's two classes.
var spellings = [][2]string{{"0", "1"}, {"-1", "1"}, {"0", "4"}, {"neg", "pos"}, {"negative", "positive"}, {"n", "p"}, {"bad", "good"}}

// sentiments spells labels that mean negative and positive as SST-2 does.
func (r *reader) sentiments(labels []string) []string {
	for _, s := range spellings {
		if slices.ContainsFunc(labels, func(l string) bool { return !strings.EqualFold(l, s[0]) && !strings.EqualFold(l, s[1]) }) {
			continue
		}
		if s[0] != "negative" {
			r.note("the labels %s and %s were read as negative and positive", s[0], s[1])
		}
		out := make([]string, len(labels))
		for i, l := range labels {
			out[i] = "negative"
			if strings.EqualFold(l, s[1]) {
				out[i] = "positive"
			}
		}
		return out
	}
	return labels
}
