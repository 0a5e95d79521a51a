package report

import (
	"io"
	"slices"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// RowsTable is the table of any rows of these models, in their order, without the columns of those keys. The rows' notes are left
// out: Notes has them.
func RowsTable(title string, rows []wire.Row, models nn.Catalog, without ...string) PlainTable {
	rows = slices.Clone(rows)
	SortRows(rows, models)
	data := distinct(rows, func(r wire.Row) string { return DataOf(models, r.Model) })
	if len(data) != 1 {
		data = []string{""}
	}
	t := PlainTable{Title: title, Caption: caption(models, data[0], rows)}
	t.Columns = slices.DeleteFunc(columns(rows), func(c Column) bool { return slices.Contains(without, c.Key) })
	t.Rows = cells(rows, t.Columns)
	return t
}

// StudyJSON writes a study, indented by two spaces.
func StudyJSON(w io.Writer, s wire.Study) error { return encode(w, s) }
