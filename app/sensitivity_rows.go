package app

import (
	"fmt"
	"strconv"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// sensLayers draws the first question: what to measure, and what came of it.
func (s *session) sensLayers(level int) goapp.UI {
	st := &s.Sensitivity
	part, ok := st.sensitivity(s.Study)
	body := []goapp.UI{}
	if !ok {
		body = append(body, s.emptyLayers())
	} else {
		v := st.layersSeen.of(part, st.choice())
		for _, g := range v.Groups {
			body = append(body, &sensCard{S: s, Level: level, Model: v.Model, Facts: v.Facts, Batches: v.Batches, Group: g})
		}
		body = append(body, &hints{Level: level, View: v.Notes}, asTable(scrolled(v.Table)))
	}
	return goapp.Div().Class("sens-results").Body(body...)
}

// emptyLayers says what will happen.
func (s *session) emptyLayers() goapp.UI {
	c := s.Sensitivity.choice()
	return goapp.Div().Class("empty").Body(
		goapp.P().Body(goapp.Text(fmt.Sprintf("%s has %s. ", c.Model, plural(c.layers(), "layer"))), goapp.B().Text("Measure"),
			goapp.Text(fmt.Sprintf(" converts it %d times: each layer alone, and all but that one, in %s.", 2*c.layers()*len(c.Variants), joinWords(variantNames(c.Variants))))),
		goapp.P().Text("Each conversion answers "+c.examplesWords()+" and is timed beside float32. "+c.takes(costLayers, 2*c.layers()*len(c.Variants))),
	)
}

func variantNames(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = variantName(id)
	}
	return out
}

// sensCard is one variant's table. It is a component so that it is drawn again only when its rows change.
type sensCard struct {
	goapp.Compo
	S            *session
	Level        int
	Model, Facts string
	Batches      []int
	Group        sensGroup
}

func (v *sensCard) Render() goapp.UI {
	g := v.Group
	heads := []goapp.UI{
		goapp.Th().Scope("col").Role("columnheader").Class("col-what").Text("Quantized"),
		goapp.Th().Scope("col").Role("columnheader").Class("col-change").Body(goapp.Text("Accuracy against float32 "), goapp.Small().Text("points, with 95% interval")),
	}
	for _, b := range v.Batches {
		heads = append(heads, goapp.Th().Scope("col").Role("columnheader").Class("col-latency").Body(
			goapp.Text(fmt.Sprintf("Time, batch %d ", b)), goapp.Small().Text("µs, mean ± std (runs); against float32")))
	}
	heads = append(heads,
		goapp.Th().Scope("col").Role("columnheader").Class("col-size").Text("Size, MB"),
		goapp.Th().Scope("col").Role("columnheader").Class("col-sqnr").Body(goapp.Text("SQNR "), goapp.Small().Text("output, dB")),
	)
	table := []goapp.UI{
		goapp.Caption().Class("unseen").Text("What quantizing single layers of " + v.Model + " as " + g.Name + " does"),
		goapp.THead().Role("rowgroup").Body(goapp.Tr().Role("row").Body(heads...)),
	}
	for _, b := range g.Blocks {
		rows := []goapp.UI{goapp.Tr().Role("row").Class("layer-head").Body(
			goapp.Th().Scope("rowgroup").Role("rowheader").ColSpan(len(heads)).Body(goapp.B().Text(b.Title+" "), goapp.Small().Text(b.Shape)))}
		for _, r := range b.Rows {
			rows = append(rows, v.row(b, r))
		}
		table = append(table, goapp.TBody().Role("rowgroup").Class("v-"+g.Variant).Body(rows...))
	}
	return goapp.Article().Class("card", "sens-card").ID("sens-"+g.Variant).Aria("label", g.Name).DataSet("variant", g.Variant).Body(
		goapp.Header().Body(
			headingOf(v.Level, "", goapp.Span().Class("variant", "v-"+g.Variant).Body(goapp.Raw(markerSVG(g.Variant)), goapp.Span().Text(g.Name))),
			goapp.P().Text(v.Facts),
		),
		goapp.P().Class("sens-says").Text(typographic(g.Says)),
		goapp.Div().Class("scroll").Body(goapp.Table().Role("table").Class("results", "sens-table", fmt.Sprintf("batches-%d", len(v.Batches))).Body(table...)),
	)
}

// row is one plan's.
func (v *sensCard) row(b sensBlock, r sensRow) goapp.UI {
	cells := []goapp.UI{
		goapp.Th().Scope("row").Role("rowheader").DataSet("col", "what").Body(
			goapp.Span().Class("unseen").Text(b.Title+", "),
			goapp.Span().Class("what").Body(goapp.Text(r.What+" "), v.S.openInspect(r, b)),
		),
		goapp.Td().Role("cell").DataSet("col", "change").DataSet("head", "Accuracy against float32, points").Body(changeLines(r)...),
	}
	for i, batch := range v.Batches {
		cell := cellView{Missing: true}
		if i < len(r.Cells) {
			cell = r.Cells[i]
		}
		cells = append(cells, goapp.Td().Role("cell").Class("latency").DataSet("col", "latency-"+strconv.Itoa(batch)).
			DataSet("head", fmt.Sprintf("Time, batch %d, µs", batch)).Body(latencyLines(r.State, cell)...))
	}
	cells = append(cells,
		goapp.Td().Role("cell").DataSet("col", "size").DataSet("head", "Size, MB").Body(sizeLines(r.rowView)...),
		goapp.Td().Role("cell").DataSet("col", "sqnr").DataSet("head", "SQNR, dB").Body(goapp.Span().Class("figure").Text(r.SQNR)),
	)
	mode := r.Mode
	if mode == "" {
		mode = "reference"
	}
	return goapp.Tr().Role("row").Class("mode-"+mode).DataSet("model", v.Model).DataSet("layer", b.Layer).DataSet("mode", mode).DataSet("variant", r.Variant).Body(cells...)
}

// openInspect is the row's link into Inspect, with its plan.
func (s *session) openInspect(r sensRow, b sensBlock) goapp.UI {
	p, err := s.Sensitivity.choice().planner(r.Plan)
	if r.Plan == "" || err != nil {
		return goapp.Span()
	}
	return s.planLink(inspectView().Path, "Open in Inspect", fmt.Sprintf("Open in Inspect: %s, %s, %s", b.Title, variantName(r.Variant), r.What), p)
}

func changeLines(r sensRow) []goapp.UI {
	switch {
	case r.Accuracy == "":
		return accuracyLines(r.rowView)
	case r.Change == "":
		return []goapp.UI{goapp.Span().Class("figure").Text(r.Accuracy), goapp.Small().Text("accuracy, " + r.Interval)}
	}
	class := "flips"
	if r.Certain {
		class += " certain"
		if r.Better {
			class += " better"
		}
	}
	return []goapp.UI{goapp.Div().Class("measure").Body(
		goapp.Span().Class("figure").Body(goapp.B().Text(r.Change), goapp.Span().Class("pm").Text(" "+r.Range)),
		goapp.Span().Class("words").Body(goapp.Small().Class(class).Text(r.Paired)),
		goapp.Raw(r.Bar),
	)}
}

// joinWords joins words as a sentence does: "float16, int8 and int4".
func joinWords(words []string) string {
	n := len(words)
	if n < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
}
