package report

import (
	"slices"
	"testing"

	"quantlab/core/lab/wire"
)

// A table of some rows has the cells that the lab's table has for them, in the lab's order, without the columns that are left out.
func TestRowsTable(t *testing.T) {
	rows, models := sample().Rows, ModelsOf(sample())
	shuffled := slices.Clone(rows)
	slices.Reverse(shuffled)
	lab := Tables(sample())[0]
	got := RowsTable("MNIST", slices.DeleteFunc(shuffled, func(r wire.Row) bool { return DataOf(models, r.Model) != DataOf(models, rows[0].Model) }), models, "params", "verdict-64")
	if got.Title != lab.Title || got.Caption != lab.Caption || len(got.Rows) != len(lab.Rows) || len(got.Columns) != len(lab.Columns)-2 {
		t.Fatalf("%+v", got)
	}
	for i, row := range got.Rows {
		for j, c := range got.Columns {
			if want := lab.Rows[i].Cells[lab.Column(c.Key)]; row[j] != want {
				t.Errorf("row %d, %s: %q, want %q", i, c.Key, row[j], want)
			}
		}
	}
	if both := RowsTable("all", rows, models); len(both.Rows) != len(rows) || !slices.IsSortedFunc(both.Rows, func(a, b []string) int { return slices.Index(order, a[0]) - slices.Index(order, b[0]) }) {
		t.Errorf("%+v", both)
	}
}

var order = []string{"mnist-lab1", "mnist-lab2", "sst2-lab1", "sst2-lab2"}
