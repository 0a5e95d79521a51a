package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
	"quantlab/core/report/term"
)

// A collection is one kind of what a reader brings, as its command knows it.
type collection struct {
	kind  string // wire.KindModel or wire.KindData
	use   string // the command's name
	what  string // one of it, in words
	short string
	long  string
	list  func(ctx context.Context, d *desk, out *output) error
}

func modelsCommand(s *streams) *cobra.Command {
	return collection{
		kind: wire.KindModel, use: "models", what: "model of your own", short: "List the models, and remove or rename your own",
		long: `List the models that there are, the lab's and those that you brought with quantlab
import: layers, parameters, what they read, the accuracy that is known of them in
float32, and the file that they came in. A model of your own can be removed for
good, or given another name.`,
		list: listModels,
	}.command(s)
}

func dataCommand(s *streams) *cobra.Command {
	return collection{
		kind: wire.KindData, use: "data", what: "examples of your own", short: "List your own examples, and remove or rename them",
		long: `List the examples that you brought with quantlab import. They measure accuracy with
--test-data NAME, and calibrate with --calibrate-with NAME. They can be removed for
good, or given another name.`,
		list: listData,
	}.command(s)
}

// command returns the command, which lists unless it is told to do something else.
func (c collection) command(s *streams) *cobra.Command {
	cmd := c.lister(s, c.use)
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("unknown command %q: choose from list, remove, rename", args[0])
		}
		return nil
	}
	cmd.Long = c.long
	cmd.Example = fmt.Sprintf("  quantlab %[1]s\n  quantlab %[1]s list --format csv\n  quantlab %[1]s rename mine better\n  quantlab %[1]s remove better", c.use)
	cmd.AddCommand(c.lister(s, "list"), c.remover(s), c.renamer(s))
	return cmd
}

func (c collection) lister(s *streams, use string) *cobra.Command {
	out := &output{streams: s}
	cmd := &cobra.Command{
		Use:   use,
		Short: c.short,
		Args:  arguments(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.resolve(); err != nil {
				return err
			}
			d, err := openDesk(cmd.Context())
			if err != nil {
				return err
			}
			return c.list(cmd.Context(), d, out)
		},
	}
	if use == "list" {
		cmd.Short = "List them"
	}
	out.addTo(cmd)
	return cmd
}

func (c collection) remover(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME...",
		Short: "Remove some for good",
		RunE: func(cmd *cobra.Command, names []string) error {
			if len(names) == 0 {
				return usagef("remove needs the name of a %s: see quantlab %s", c.what, c.use)
			}
			d, err := openDesk(cmd.Context())
			if err != nil {
				return err
			}
			for _, name := range names { // all of them, or none
				if err := c.has(cmd.Context(), d, name); err != nil {
					return err
				}
			}
			for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
				if err := d.Library.Remove(cmd.Context(), wire.RemoveRequest{Kind: c.kind, Name: name}); err != nil {
					return err
				}
				fmt.Fprintln(s.out, "Removed", name)
			}
			return nil
		},
	}
}

func (c collection) renamer(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "rename FROM TO",
		Short: "Give one another name",
		Args:  arguments(2, "a name and another one"),
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := nn.CheckName(names[1]); err != nil {
				return usageError{err}
			}
			d, err := openDesk(cmd.Context())
			if err != nil {
				return err
			}
			if err := c.has(cmd.Context(), d, names[0]); err != nil {
				return err
			}
			if err := d.Library.Rename(cmd.Context(), wire.RenameRequest{Kind: c.kind, From: names[0], To: names[1]}); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "%s is now named %s\n", names[0], names[1])
			return nil
		},
	}
}

// has refuses a name that nothing of the kind has. What is damaged has its name still.
func (c collection) has(ctx context.Context, d *desk, name string) error {
	if slices.Contains(nn.IDs(), name) && c.kind == wire.KindModel {
		return usagef("%s is one of the lab's models, which stay as they are: give a %s", name, c.what)
	}
	entries, err := d.store.Shelf().Names(ctx)
	if err != nil {
		return err
	}
	var there []string
	for _, e := range entries {
		if kind, own, _ := strings.Cut(e, "/"); kind == c.kind {
			there = append(there, own)
		}
	}
	if !slices.Contains(there, name) {
		slices.Sort(there)
		return usagef("there is no %s named %.60q%s: see quantlab %s", c.what, name, among(there), c.use)
	}
	return nil
}

// A list is what a collection holds, in every format.
type list[T any] struct {
	key   string // of the items in JSON
	items []T
	notes []string // what the reader must know: entries that are damaged
	table report.PlainTable
	terse report.PlainTable // for a narrow terminal
}

// write writes the list to where the output goes.
func (l list[T]) write(o *output) error {
	return rendering[list[T]]{
		json: func(w io.Writer, l list[T]) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			told := map[string]any{l.key: append([]T{}, l.items...)}
			if len(l.notes) > 0 {
				told["notes"] = l.notes
			}
			return e.Encode(told)
		},
		csv: func(w io.Writer, l list[T]) error {
			c := csv.NewWriter(w)
			head := []string{}
			for _, column := range l.table.Columns {
				head = append(head, column.Key)
			}
			return c.WriteAll(append([][]string{head}, l.table.Rows...))
		},
		md: func(w io.Writer, l list[T]) error {
			var b strings.Builder
			report.MarkdownGrid(&b, l.table)
			for _, n := range l.notes {
				b.WriteString("\n" + report.EscapeMarkdown(n) + "\n")
			}
			_, err := io.WriteString(w, b.String())
			return err
		},
		table: func(w io.Writer, l list[T], width int, color bool) error {
			return term.RenderTable(w, l.notes, width, color, l.table, l.terse)
		},
	}.write(o, l)
}

// A listedModel is one of the models that there are.
type listedModel struct {
	Name     string   `json:"name"`
	Own      bool     `json:"own"`
	Shape    []int    `json:"shape"`
	Params   int      `json:"params"`
	Data     string   `json:"data"`
	Classes  []string `json:"classes"`
	Accuracy *float64 `json:"accuracy,omitempty"` // of float32, where it is known
	Correct  int      `json:"correct,omitempty"`
	Total    int      `json:"total,omitempty"`
	Bytes    int64    `json:"bytes,omitempty"` // of the file
	File     string   `json:"file,omitempty"`
	Format   string   `json:"format,omitempty"`
	Notes    []string `json:"notes,omitempty"`

	spec nn.Spec
}

func listModels(ctx context.Context, d *desk, out *output) error {
	l := list[listedModel]{key: "models"}
	var err error
	if l.notes, err = d.Damaged(ctx); err != nil {
		return err
	}
	for _, spec := range d.own.Catalog() {
		m := listedModel{Name: spec.ID, Own: spec.Own, Shape: spec.Dims(), Params: spec.Params(), Data: spec.Data, Classes: spec.Labels(), spec: spec}
		var size int64
		_, meta, err := d.Network(ctx, spec, func(_, total int64) { size = total })
		var missing *dataset.MissingError
		switch {
		case errors.As(err, &missing):
			m.Notes = []string{"not here: " + missing.What + " missing"}
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			l.notes = append(l.notes, spec.ID+": "+err.Error())
		default:
			m.Bytes, m.Correct, m.Total = size, meta.Correct, meta.Total
		}
		if m.Total > 0 {
			share := float64(m.Correct) / float64(m.Total)
			m.Accuracy = &share
		}
		l.items = append(l.items, m)
	}
	if d.own != nil {
		for i, m := range d.own.Models {
			at := &l.items[len(nn.IDs())+i]
			at.File, at.Format, at.Bytes, at.Notes = m.File, m.Format, m.Bytes, append(m.Notes, at.Notes...)
		}
	}
	l.table, l.terse = modelTables(l.items, out.format == formatCSV)
	return l.write(out)
}

// modelTables makes the tables of models; plain ones hold bare numbers.
func modelTables(models []listedModel, plain bool) (whole, terse report.PlainTable) {
	whole = report.PlainTable{Title: "Models", Columns: []report.Column{
		{Key: "model", Title: "Model"}, {Key: "layers", Title: "Layers"}, {Key: "params", Title: "Parameters", Right: true}, {Key: "reads", Title: "Reads"},
		{Key: "accuracy", Title: "Accuracy", Right: true}, {Key: "mb", Title: "MB", Right: true}, {Key: "file", Title: "From"},
	}}
	for _, m := range models {
		from := "the lab"
		if m.Own {
			from = m.File + ", " + m.Format
		}
		row := []string{m.Name, m.spec.Shape(), report.Count(m.Params), "digits", "", "", from}
		if m.Data == nn.SST2 {
			row[3] = "sentences"
		}
		switch {
		case m.Accuracy != nil:
			row[4] = report.Percent(*m.Accuracy, m.Total)
		case m.Bytes == 0:
			row[4] = "not here"
		default:
			row[4] = "–"
		}
		if m.Bytes > 0 {
			row[5] = report.MB(m.Bytes)
		}
		if plain {
			row[2], row[4] = strconv.Itoa(m.Params), ""
			if m.Accuracy != nil {
				row[4] = strconv.FormatFloat(*m.Accuracy, 'g', -1, 64)
			}
		}
		whole.Rows = append(whole.Rows, row)
	}
	return whole, without(whole, "file")
}

func listData(ctx context.Context, d *desk, out *output) error {
	l := list[wire.OwnData]{key: "data"}
	var err error
	if l.notes, err = d.Damaged(ctx); err != nil {
		return err
	}
	if d.own != nil {
		l.items = d.own.Data
	}
	if len(l.items) == 0 && out.format == formatTable {
		l.notes = append(l.notes, "There are no examples of your own yet: bring some with quantlab import")
	}
	l.table, l.terse = dataTables(l.items, out.format == formatCSV)
	return l.write(out)
}

// dataTables makes the tables of examples; plain ones hold bare numbers.
func dataTables(sets []wire.OwnData, plain bool) (whole, terse report.PlainTable) {
	whole = report.PlainTable{Title: "Examples of your own", Columns: []report.Column{
		{Key: "name", Title: "Name"}, {Key: "examples", Title: "Examples", Right: true}, {Key: "data", Title: "Of"},
		{Key: "classes", Title: "Classes"}, {Key: "mb", Title: "MB", Right: true}, {Key: "file", Title: "From"},
	}}
	for _, s := range sets {
		row := []string{s.Name, report.Count(s.Examples), kindOfExamples(s.Data), few(s.Labels), report.MB(s.Bytes), s.File + ", " + s.Format}
		if plain {
			row[1], row[3] = strconv.Itoa(s.Examples), strings.Join(s.Labels, " ")
		}
		whole.Rows = append(whole.Rows, row)
	}
	return whole, without(whole, "file")
}

// without returns the table without a column.
func without(t report.PlainTable, key string) report.PlainTable {
	at := slices.IndexFunc(t.Columns, func(c report.Column) bool { return c.Key == key })
	t.Columns = slices.Delete(slices.Clone(t.Columns), at, at+1)
	rows := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = slices.Delete(slices.Clone(row), at, at+1)
	}
	t.Rows = rows
	return t
}
