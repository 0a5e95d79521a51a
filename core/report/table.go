// Package report turns a run's result into what people read: tables with formatted figures, Markdown, CSV and JSON.
// It links nothing heavy, so that the page can use it too; drawing tables on a terminal is in package term.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// A Table is the lab's table for one data set, its figures formatted.
type Table struct {
	Title   string // "MNIST"
	Caption string // how it was measured, in a sentence or two
	Columns []Column
	Rows    []Row
	Notes   []string   // what the reader must know of single rows
	Models  nn.Catalog // that rows can be of
}

// A Column is one figure of every row.
type Column struct {
	Key   string // "model", "where", "q", "dtype", "size", "torch", "smaller", "params", "accuracy", "correct", "flips", "latency-64", "verdict-64"
	Title string
	Right bool // aligned to the right
}

// A Row is one variant of one model on one host; Cells are in the order of the columns.
type Row struct {
	wire.Row
	Cells []string
}

// Column returns the position of the column of that key, or -1.
func (t Table) Column(key string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Key == key })
}

// Legend says what the tables' signs mean, in pairs of a sign and its meaning.
func Legend() [][2]string {
	return [][2]string{
		{"Q", "D is dynamic and S is static quantization, -- is the float32 baseline"},
		{"±", "standard deviation over n runs; each run is the mean of many forward passes"},
		{"faster, slower", "than float32, where the 95% interval of the ratio, taken run by run, leaves out 1; " +
			"of comparisons between equals, about one in twenty does"},
		{"[low, high]", "95% interval of the accuracy (Wilson)"},
		{"differ", "answers that are not float32's: + became right, − became wrong; p is McNemar's exact test, " +
			"and below 0.05 the accuracies are said to differ"},
		{"far outliers", "more than three interquartile ranges outside the quartiles (Tukey's far fences)"},
	}
}

// Tables returns the lab's tables of the results' rows: one for MNIST, one for SST-2, one for models that are neither,
// each only where it has rows. Rows of several hosts stand side by side: model by model, variant by variant.
func Tables(results ...wire.Result) []Table {
	byData, models := map[string][]wire.Row{}, ModelsOf(results...)
	for _, row := range sortedRows(results, models) {
		data := DataOf(models, row.Model)
		byData[data] = append(byData[data], row)
	}
	var tables []Table
	for _, data := range []string{nn.MNIST, nn.SST2, ""} {
		if rows := byData[data]; len(rows) > 0 {
			tables = append(tables, newTable(models, data, rows))
		}
	}
	return tables
}

// sortedRows returns every row, in the order of these models.
func sortedRows(results []wire.Result, models nn.Catalog) []wire.Row {
	var rows []wire.Row
	for _, r := range results {
		rows = append(rows, r.Rows...)
	}
	SortRows(rows, models)
	return rows
}

// SortRows brings rows into the order of these models and of the lab's variants; what is not among them comes last, as it came.
func SortRows(rows []wire.Row, known nn.Catalog) {
	models, variants, hosts := rank(known.IDs()), rank(wire.VariantIDs()), rank([]string{wire.Browser, wire.Native})
	var strangers []string
	for _, r := range rows {
		if !slices.Contains(strangers, r.Model) {
			strangers = append(strangers, r.Model)
		}
	}
	stranger := rank(strangers)
	slices.SortStableFunc(rows, func(a, b wire.Row) int {
		return cmp.Or(
			cmp.Compare(models(a.Model), models(b.Model)), cmp.Compare(stranger(a.Model), stranger(b.Model)),
			cmp.Compare(variants(a.Variant), variants(b.Variant)), cmp.Compare(hosts(a.Host), hosts(b.Host)),
		)
	})
}

// rank returns a function that tells a name's position, the same for all that are not in the list.
func rank(names []string) func(string) int {
	return func(name string) int {
		if i := slices.Index(names, name); i >= 0 {
			return i
		}
		return len(names)
	}
}

// newTable formats rows of one data set.
func newTable(models nn.Catalog, data string, rows []wire.Row) Table {
	t := Table{Title: title(data) + onOwn(models, data, rows), Caption: caption(models, data, rows), Columns: columns(rows), Notes: Notes(rows), Models: models}
	for i, c := range cells(rows, t.Columns) {
		t.Rows = append(t.Rows, Row{Row: rows[i], Cells: c})
	}
	return t
}

// cells formats these columns of the rows.
func cells(rows []wire.Row, columns []Column) [][]string {
	oneN := len(runCounts(rows)) <= 1
	var out [][]string
	for _, r := range rows {
		line := make([]string, len(columns))
		for i, c := range columns {
			line[i] = cell(r, c.Key, oneN)
		}
		out = append(out, line)
	}
	return out
}

// columns are those that the rows need: where, of several hosts, and two for each batch size.
func columns(rows []wire.Row) []Column {
	out := []Column{{Key: "model", Title: "Model"}}
	if hosts := distinct(rows, func(r wire.Row) string { return r.Host }); len(hosts) > 1 {
		out = append(out, Column{Key: "where", Title: "Where"})
	}
	out = append(out, Column{Key: "q", Title: "Q"}, Column{Key: "dtype", Title: "dtype"})
	out = append(out, sizes(rows)...)
	out = append(out,
		Column{Key: "smaller", Title: "Smaller", Right: true},
		Column{Key: "params", Title: "Params", Right: true},
		Column{Key: "accuracy", Title: "Accuracy [95% interval]"},
		Column{Key: "correct", Title: "Correct", Right: true},
		Column{Key: "flips", Title: "Answers against float32"},
	)
	for _, b := range Batches(rows...) {
		out = append(out,
			Column{Key: "latency-" + b, Title: "Latency, batch " + b + " (µs)", Right: true},
			Column{Key: "verdict-" + b, Title: "Batch " + b + " against float32"},
		)
	}
	return out
}

// sizes are the columns of a model's size: as it is stored, and as PyTorch saves it where that is known.
func sizes(rows []wire.Row) []Column {
	out := []Column{{Key: "size", Title: "Size (MB)", Right: true}}
	if slices.ContainsFunc(rows, func(r wire.Row) bool { return r.SizeTorch > 0 }) {
		out = append(out, Column{Key: "torch", Title: "As PyTorch saves it (MB)", Right: true})
	}
	return out
}

func title(data string) string {
	switch data {
	case nn.MNIST:
		return "MNIST"
	case nn.SST2:
		return "SST-2"
	}
	return "Other models"
}

// cell formats one figure of a row. Where all rows have the same number of runs, the caption says it.
func cell(r wire.Row, key string, oneN bool) string {
	key, batch, _ := strings.Cut(key, "-")
	switch key {
	case "model":
		return r.Model
	case "where":
		return r.Host
	case "q":
		return r.Q
	case "dtype":
		return r.DType
	case "size":
		if r.SizeBytes > 0 {
			return MB(r.SizeBytes)
		}
	case "torch":
		if r.SizeTorch > 0 {
			return MB(r.SizeTorch)
		}
	case "smaller":
		if r.Smaller > 0 && finite(r.Smaller) {
			return strconv.FormatFloat(r.Smaller, 'f', 2, 64) + "×"
		}
	case "params":
		if r.Params > 0 {
			return Count(r.Params)
		}
	case "accuracy":
		return accuracy(r)
	case "correct":
		if r.Accuracy != nil {
			return Count(r.Correct) + " of " + Count(r.Total)
		}
	case "flips":
		if r.Variant == wire.Baseline && r.Accuracy != nil {
			return "baseline"
		}
		return Flips(r.Paired)
	case "latency":
		if l, ok := r.LatencyUS[batch]; ok {
			s := PlusMinus(l.Mean, l.Std)
			if !oneN {
				s += fmt.Sprintf(" (n = %d)", len(l.Samples))
			}
			return s
		}
	case "verdict":
		l, ok := r.LatencyUS[batch]
		switch {
		case !ok:
		case r.Variant == wire.Baseline:
			return "baseline"
		case l.Verdict == nil:
			return "too few runs to tell"
		default:
			return verdictCell(l.Verdict)
		}
	}
	return Missing
}

func accuracy(r wire.Row) string {
	if r.Accuracy == nil {
		if reason, _, _ := strings.Cut(r.Note, ";"); reason != "" {
			return reason
		}
		return "not measured"
	}
	s := Percent(*r.Accuracy, r.Total)
	if r.Interval != nil {
		s += " " + Interval(*r.Interval, r.Total)
	}
	return strings.TrimSuffix(s, " ")
}

func verdictCell(v *wire.Verdict) string {
	words, interval := VerdictInterval(v)
	if interval == "" || v.Word == wire.NoDifference {
		return words
	}
	return words + " (" + interval + ")"
}

// Batches returns the batch sizes that the rows have latencies of, ascending.
func Batches(rows ...wire.Row) []string {
	seen := map[string]bool{}
	for _, r := range rows {
		for b := range r.LatencyUS {
			seen[b] = true
		}
	}
	batches := make([]string, 0, len(seen))
	for b := range seen {
		batches = append(batches, b)
	}
	slices.SortFunc(batches, func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		if errX != nil || errY != nil {
			return cmp.Compare(a, b)
		}
		return cmp.Compare(x, y)
	})
	return batches
}

// distinct returns the different values of the rows, in order of appearance.
func distinct[T any](rows []T, value func(T) string) []string {
	var out []string
	for _, r := range rows {
		if v := value(r); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// runCounts returns the different numbers of runs behind the rows' latencies, ascending.
func runCounts(rows []wire.Row) []int {
	var out []int
	for _, r := range rows {
		for _, l := range r.LatencyUS {
			if n := len(l.Samples); !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	slices.Sort(out)
	return out
}

// testOf returns the name of the examples of the reader's own that gave the row's accuracy. The set is that of its model, which several
// runs may have measured on different ones.
func testOf(models nn.Catalog, r wire.Row) string {
	if r.Accuracy == nil {
		return ""
	}
	spec, _ := models.Of(r.Model)
	return spec.Test
}

// onOwn says for a heading which examples of the reader's own measured accuracy, where these are all rows'.
func onOwn(models nn.Catalog, data string, rows []wire.Row) string {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r wire.Row) bool { return r.Accuracy == nil })
	names := distinct(rows, func(r wire.Row) string { return testOf(models, r) })
	if len(names) != 1 || names[0] == "" {
		return ""
	}
	return ": accuracy on " + ownExamples(names[0], data, rows)
}

// ownExamples says how many examples of the reader's own measured the rows: "my-digits, 120 images of your own".
func ownExamples(name, data string, rows []wire.Row) string {
	what := map[string]string{nn.MNIST: "images", nn.SST2: "sentences"}[data]
	return name + ", " + totals(rows) + " " + cmp.Or(what, "examples") + " of your own"
}

// totals counts the examples that measured the rows: "10,000 and 1,000".
func totals(rows []wire.Row) string {
	all := distinct(rows, func(r wire.Row) string {
		if r.Accuracy == nil {
			return ""
		}
		return Count(r.Total)
	})
	return strings.Join(slices.DeleteFunc(all, func(t string) bool { return t == "" }), " and ")
}

// tested says on what accuracy was measured: a sentence of the lab's examples, and one of each set of the reader's own.
func tested(models nn.Catalog, data string, rows []wire.Row) []string {
	var out []string
	for _, name := range distinct(rows, func(r wire.Row) string { return testOf(models, r) }) {
		some := slices.DeleteFunc(slices.Clone(rows), func(r wire.Row) bool { return r.Accuracy == nil || testOf(models, r) != name })
		switch {
		case len(some) == 0:
		case name == "":
			what := map[string]string{nn.MNIST: "test images", nn.SST2: "dev sentences"}[data]
			out = append(out, "Accuracy on "+totals(some)+" "+cmp.Or(what, "examples")+".")
		default:
			of := strings.Join(distinct(some, func(r wire.Row) string { return r.Model }), ", ")
			out = append(out, "Accuracy of "+of+" on "+ownExamples(name, data, some)+".")
		}
	}
	return out
}

// caption says what the rows have in common: runs, test examples, and each host's engine, threads and input.
func caption(models nn.Catalog, data string, rows []wire.Row) string {
	var s []string
	if n := runCounts(rows); len(n) == 1 {
		s = append(s, "Latency of one forward pass in µs: mean ± standard deviation, n = "+strconv.Itoa(n[0])+plural(n[0], " run", " runs")+".")
	} else if len(n) > 1 {
		s = append(s, "Latency of one forward pass in µs: mean ± standard deviation over n runs.")
	}
	s = append(s, tested(models, data, rows)...)
	hosts := distinct(rows, func(r wire.Row) string { return r.Host })
	ways := distinct(rows, func(r wire.Row) string {
		if r.Engine == "" {
			return ""
		}
		way := "engine " + r.Engine + ", " + strconv.Itoa(r.Threads) + plural(r.Threads, " thread", " threads") + ", " + r.Input + " input"
		if len(hosts) > 1 {
			way = r.Host + ": " + way
		}
		return way
	})
	if ways = slices.DeleteFunc(ways, func(w string) bool { return w == "" }); len(ways) > 0 {
		s = append(s, upperFirst(strings.Join(ways, "; "))+".")
	}
	return strings.Join(s, " ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// upperFirst gives a sentence its capital.
func upperFirst(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// Notes collects the rows' notes, each once, with the models it is about, and the flagged outliers. What the accuracy
// cell says already is not said again.
func Notes(rows []wire.Row) []string {
	out := rowNotes(rows)
	for _, model := range distinct(rows, func(r wire.Row) string { return r.Model }) {
		if where := outliers(rows, model); len(where) > 0 {
			out = append(out, model+": far outliers among the runs, kept in every figure: "+strings.Join(where, "; "))
		}
	}
	return out
}

// rowNotes is notes without the outliers.
func rowNotes(rows []wire.Row) []string {
	var out []string
	rest := func(r wire.Row) string {
		if r.Accuracy != nil {
			return r.Note
		}
		_, after, _ := strings.Cut(r.Note, ";")
		return strings.TrimSpace(after)
	}
	for _, note := range distinct(rows, rest) {
		if note == "" {
			continue
		}
		about := slices.DeleteFunc(slices.Clone(rows), func(r wire.Row) bool { return rest(r) != note })
		out = append(out, strings.Join(distinct(about, func(r wire.Row) string { return r.Model }), ", ")+": "+note)
	}
	return out
}

// outliers says which of a model's latencies have runs beyond Tukey's far fences.
func outliers(rows []wire.Row, model string) []string {
	var out []string
	for _, r := range rows {
		if r.Model != model {
			continue
		}
		for _, b := range Batches(r) {
			if l := r.LatencyUS[b]; len(l.Outliers) > 0 {
				out = append(out, fmt.Sprintf("%s, %s, batch %s (%d of %d)", r.Variant, r.Host, b, len(l.Outliers), len(l.Samples)))
			}
		}
	}
	return out
}

// outlierNotes counts the latencies that have runs beyond Tukey's far fences, where there are too many rows to name each.
func outlierNotes(rows []wire.Row) []string {
	wild, all := 0, 0
	for _, r := range rows {
		for _, l := range r.LatencyUS {
			all++
			if len(l.Outliers) > 0 {
				wild++
			}
		}
	}
	if wild == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d latencies have far outliers among their runs, kept in every figure", wild, all)}
}
