package app

import (
	"fmt"
	"strconv"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// card is one model's results: a table with a row for each variant and host. Its roles are spelled out because the narrow
// layout takes the table's display away, and with it, in some browsers, the meaning.
// Rows that are still to come hold their place at full height.
type card struct {
	goapp.Compo
	Level int // of its heading
	View  cardView
}

func (c *card) Render() goapp.UI {
	v := c.View
	heads := []goapp.UI{
		goapp.Th().Scope("col").Role("columnheader").Class("col-variant").Text("Variant"),
		goapp.Th().Scope("col").Role("columnheader").Class("col-where").Text("Where"),
		goapp.Th().Scope("col").Role("columnheader").Class("col-size").Body(sizeHead(v)...),
		goapp.Th().Scope("col").Role("columnheader").Class("col-accuracy").Body(goapp.Text("Accuracy "), goapp.Small().Text("95% interval, against float32")),
	}
	for _, b := range v.Batches {
		heads = append(heads, goapp.Th().Scope("col").Role("columnheader").Class("col-latency").Body(
			goapp.Text(fmt.Sprintf("Latency, batch %d ", b)), goapp.Small().Text("µs, mean ± std (runs); against float32")))
	}
	table := []goapp.UI{
		goapp.Caption().Class("unseen").Text("Size, accuracy and latency of every variant of " + v.Model),
		goapp.THead().Role("rowgroup").Body(goapp.Tr().Role("row").Body(heads...)),
	}
	for _, g := range v.Groups {
		table = append(table, c.group(g))
	}
	return goapp.Article().Class("card").ID("card-"+v.Model).Aria("label", v.Model).Body(
		goapp.Header().Body(
			headingOf(c.Level, "", goapp.Text(v.Model+" "), goapp.Small().Text(v.Shape)),
			goapp.P().Text(v.Facts),
		),
		goapp.Div().Class("scroll").Body(goapp.Table().Role("table").Class("results", fmt.Sprintf("batches-%d", len(v.Batches))).Body(table...)),
	)
}

// sizeHead names the column of sizes, and what the second figure in it is, where there is one.
func sizeHead(v cardView) []goapp.UI {
	head := []goapp.UI{goapp.Text("Size, MB ")}
	for _, g := range v.Groups {
		for _, r := range g.Rows {
			if r.Torch != "" {
				return append(head, goapp.Small().Text("here; as PyTorch saves it"))
			}
		}
	}
	return head
}

func (c *card) group(g groupView) goapp.UI {
	rows := make([]goapp.UI, len(g.Rows))
	for i, r := range g.Rows {
		rows[i] = c.row(g, r, i > 0)
	}
	return goapp.TBody().Role("rowgroup").Class("v-" + g.Variant).Body(rows...)
}

// row renders one row; again is set for the second host of a variant, which repeats name and size less loudly, and whose
// bars the style sheet puts right under the first one's.
func (c *card) row(g groupView, r rowView, again bool) goapp.UI {
	class := "first"
	if again {
		class = "again"
	}
	same := "own"
	if r.Same {
		same = "same"
	}
	cells := []goapp.UI{
		goapp.Th().Scope("row").Role("rowheader").DataSet("col", "variant").Body(
			goapp.Span().Class("variant").Body(goapp.Raw(markerSVG(g.Variant)), goapp.Span().Text(g.Name)),
			goapp.Small().Text(g.Kind),
		),
		goapp.Td().Role("cell").DataSet("col", "where").Body(goapp.Span().Class("host").Text(hostName(r.Host)), rowText(r)),
		goapp.Td().Role("cell").DataSet("col", "size").DataSet("head", "Size, MB").Body(sizeLines(r)...),
		goapp.Td().Role("cell").Class(same).DataSet("col", "accuracy").DataSet("head", "Accuracy").Body(accuracyLines(r)...),
	}
	for i, b := range c.View.Batches {
		cell := cellView{Missing: true}
		if i < len(r.Cells) {
			cell = r.Cells[i]
		}
		cells = append(cells, goapp.Td().Role("cell").Class("latency").DataSet("col", "latency-"+strconv.Itoa(b)).
			DataSet("head", fmt.Sprintf("Latency, batch %d, µs", b)).Body(latencyLines(r.State, cell)...))
	}
	return goapp.Tr().Role("row").Class(class, "host-"+hostName(r.Host)).DataSet("model", c.View.Model).DataSet("variant", g.Variant).
		DataSet("host", r.Host).DataSet("engine", r.Engine).DataSet("state", stateNames[r.State]).Body(cells...)
}

var stateNames = map[rowState]string{rowPending: "pending", rowMeasured: "done", rowAbsent: "absent"}

// rowText is the word under the host of a row that is not here.
func rowText(r rowView) goapp.UI {
	if r.Text == "" {
		return goapp.Text("")
	}
	return goapp.Small().Text(r.Text)
}

// blank fills the place of a figure: a grey bar while it is to come, a dash when it will not.
func blank(state rowState) goapp.UI {
	if state == rowPending {
		return goapp.Span().Class("skeleton").Aria("hidden", "true")
	}
	return goapp.Span().Class("none").Text("–")
}

func lines(state rowState, first, second string) []goapp.UI {
	if first == "" {
		return []goapp.UI{blank(state)}
	}
	out := []goapp.UI{goapp.Span().Class("figure").Text(first)}
	if second != "" {
		out = append(out, goapp.Small().Text(second))
	}
	return out
}

func sizeLines(r rowView) []goapp.UI {
	if r.Same {
		return lines(r.State, r.Size, "")
	}
	out := lines(r.State, r.Size, r.Smaller)
	if r.Size != "" && r.Torch != "" {
		out = append(out, goapp.Small().Class("torch").Title("The file that PyTorch saves of the same conversion, MB").Text("PyTorch: "+r.Torch))
	}
	return out
}

func accuracyLines(r rowView) []goapp.UI {
	if r.Same {
		return []goapp.UI{lines(r.State, r.Accuracy, "")[0], goapp.Small().Text("the same as above")}
	}
	out := lines(r.State, r.Accuracy, r.Interval)
	if r.Paired != "" {
		class := "flips"
		if r.Certain {
			class += " certain"
		}
		out = append(out, goapp.Small().Class(class).Text(r.Paired))
	}
	if r.Note != "" {
		out = append(out, goapp.Small().Class("note").Text(r.Note))
	}
	return out
}

func latencyLines(state rowState, c cellView) []goapp.UI {
	if c.Missing {
		return []goapp.UI{blank(state)}
	}
	figure := []goapp.UI{goapp.B().Text(c.Mean)}
	if c.Std != "" {
		figure = append(figure, goapp.Span().Class("pm").Text(" ± "+c.Std))
	}
	figure = append(figure, goapp.Small().Class("n").Text(" ("+c.N+")"))
	words := c.Verdict.Words
	switch {
	case c.Baseline:
		words = "baseline"
	case words == "":
		words = "too few runs for a verdict"
	}
	verdict := []goapp.UI{goapp.Span().Class("verdict", c.Verdict.Class).Text(words)}
	if c.Verdict.Interval != "" {
		verdict = append(verdict, goapp.Small().Class("interval").Text(" "+c.Verdict.Interval))
	}
	return []goapp.UI{
		goapp.Div().Class("measure").Body(
			goapp.Span().Class("figure").Body(figure...),
			goapp.Span().Class("words").Body(verdict...),
			goapp.Raw(c.Plot),
		),
	}
}

// inOrderHosts is the order of a variant's rows, and of their bars: the browser above.
var inOrderHosts = []string{wire.Browser, wire.Native}
