package report

import (
	"io"
	"slices"

	"quantlab/core/lab/wire"
)

// RowsTable is the table of any rows, in the lab's order, without the columns of those keys. The rows' notes are left out: Notes
// has them.
func RowsTable(title string, rows []wire.Row, without ...string) PlainTable {
	rows = slices.Clone(rows)
	SortRows(rows)
	data := distinct(rows, func(r wire.Row) string { return dataOf(r.Model) })
	if len(data) != 1 {
		data = []string{""}
	}
	t := PlainTable{Title: title, Caption: caption(data[0], rows)}
	t.Columns = slices.DeleteFunc(columns(rows), func(c Column) bool { return slices.Contains(without, c.Key) })
	oneN := len(runCounts(rows)) <= 1
	for _, r := range rows {
		cells := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			cells[i] = cell(r, c.Key, oneN)
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// Notes are what the reader must know of the rows, each once.
func Notes(rows []wire.Row) []string { return notes(rows) }

// StudyJSON writes a study, indented by two spaces.
func StudyJSON(w io.Writer, s wire.Study) error { return encode(w, s) }
