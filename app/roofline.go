package app

import (
	"fmt"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/roofline"
)

// A roofView is the roofline of one host, as plain text and drawings.
type roofView struct {
	Host, Title, Text string
	Wide, Narrow      string // SVG
	Groups            []roofGroup
}

// A roofGroup is one model's cells.
type roofGroup struct {
	Model, Summary string
	Cells          []roofCell
}

type roofCell struct {
	Variant, Name, Batch string
	Time, Bound, Share   string // "17.0 µs", "memory", "96%" or "about 100%"
	Class, Sentence      string
}

// roofs lays out the rooflines of the hosts whose limits are known.
func (s *State) roofs() []roofView {
	var out []roofView
	catalog := s.Results.Request.Catalog()
	models := catalog.IDs()
	for _, host := range inOrderHosts {
		p := s.Peaks[host]
		var rows []wire.Row
		for _, r := range s.Results.Rows {
			if r.Host == host {
				rows = append(rows, r)
			}
		}
		cells := roofline.Cells(rows, catalog, p)
		if len(cells) == 0 {
			continue
		}
		out = append(out, roofView{
			Host: host, Title: upperFirst(inHost(host)), Text: roofText(p, cells),
			Wide: roofSVG(models, cells, p, wideRoof), Narrow: roofSVG(models, cells, p, narrowRoof), Groups: roofGroups(models, cells),
		})
	}
	return out
}

func roofGroups(models []string, cells []roofline.Cell) []roofGroup {
	var out []roofGroup
	for _, id := range models {
		g := roofGroup{Model: id}
		lo, hi := 0.0, 0.0
		for _, c := range cells {
			if c.Model != id {
				continue
			}
			if len(g.Cells) == 0 {
				lo, hi = c.Share, c.Share
			}
			lo, hi = min(lo, c.Share), max(hi, c.Share)
			g.Cells = append(g.Cells, roofCell{
				Variant: c.Variant, Name: variantName(c.Variant), Batch: fmt.Sprint(c.Batch),
				Time: report.Figures(c.TimeUS, 3) + " µs", Bound: c.Bound, Share: shareText(c.Share),
				Class: shareClass(c.Share), Sentence: sentence(c.Sentence),
			})
		}
		if len(g.Cells) > 0 {
			g.Summary = fmt.Sprintf("%s to %s of the measured limits", report.Share(lo), shareText(hi))
			out = append(out, g)
		}
	}
	return out
}

// shareText writes a share of the bound. Nothing is faster than its limit: what seems to be shows how well limits can be measured.
func shareText(share float64) string {
	switch {
	case roofline.Exceeds(share):
		return "over 100%"
	case share >= 1.005:
		return "about 100%"
	}
	return report.Share(share)
}

// shareClass is the verdict's class for a share of the bound.
func shareClass(share float64) string {
	switch {
	case share >= report.GoodShare:
		return "good"
	case share < report.BadShare:
		return "bad"
	}
	return "none"
}

// roofText says what the limits are.
func roofText(p *wire.Peaks, cells []roofline.Cell) string {
	fastest, slowest := bandwidths(cells)
	s := fmt.Sprintf("%s on %s: at most %s billion multiply-adds a second in float32 and %s in int8; weights are read at %s GB/s",
		engineName(p.Engine), plural(p.Threads, "thread"), report.Figures(p.Float32, 3), report.Figures(p.Int8, 3), bandwidthText(fastest, slowest))
	if report.Figures(fastest, 3) != report.Figures(slowest, 3) {
		s += ", the faster the fewer they are"
	}
	return sentence(s) + " " + report.RooflineSummary(cells)
}

// bandwidths returns the largest and the smallest bandwidth that bounds a cell.
func bandwidths(cells []roofline.Cell) (fastest, slowest float64) {
	fastest, slowest = cells[0].Bandwidth, cells[0].Bandwidth
	for _, c := range cells {
		fastest, slowest = max(fastest, c.Bandwidth), min(slowest, c.Bandwidth)
	}
	return fastest, slowest
}

// bandwidthText writes one figure, or two that differ: "38.0 to 92.7".
func bandwidthText(fastest, slowest float64) string {
	fast, slow := report.Figures(fastest, 3), report.Figures(slowest, 3)
	if slow == fast {
		return fast
	}
	return slow + " to " + fast
}

// roof shows the rooflines under the tables.
type roof struct {
	goapp.Compo
	Level int // of its heading
	View  []roofView
}

func (r *roof) Render() goapp.UI {
	if len(r.View) == 0 {
		return goapp.Div()
	}
	body := []goapp.UI{
		goapp.Div().Class("head").Body(
			heading(r.Level, "roofline", "Roofline"),
			goapp.P().Text("How near the machine’s own limit is every pass, and which limit is it?"),
		),
		goapp.P().Class("results-text").Text("Every pass has to read its weights and to multiply by them, and whichever takes the machine longer " +
			"is its limit, its bound. Each point is one latency of the tables: the higher, the more multiply-adds a second; the further right, the more of " +
			"them for each byte of weights. Reading bounds what lies under the slope, multiplying what lies under a level roof, and the thin line from a point ends at its own bound."),
		goapp.P().Class("results-text").Text("A share of 45% of the bound says that the machine could be 1 / 0.45 = 2.2 times as fast. The limits are measured too, at the end of a " +
			"run and with the kernels’ own instructions: a pass that seems to exceed its bound has reached it, and the limit was measured too low. " +
			"Every pass is judged by its fastest moment, so other work on the machine counts little."),
	}
	for _, v := range r.View {
		body = append(body, v.render(r.Level+1))
	}
	return goapp.Section().Class("section", "rooflines").Aria("labelledby", "roofline").Body(body...)
}

func (v roofView) render(level int) goapp.UI {
	groups := []goapp.UI{}
	for _, g := range v.Groups {
		groups = append(groups, g.render(v.Host))
	}
	return goapp.Article().Class("card", "roof").DataSet("host", v.Host).Aria("label", "Roofline "+inHost(v.Host)).Body(
		goapp.Header().Body(heading(level, "", v.Title), goapp.P().Text(v.Text)),
		goapp.Ul().Class("roof-key").Aria("hidden", "true").Body(roofKey(v)...),
		goapp.Div().Class("roof-wide").Body(goapp.Raw(v.Wide)),
		goapp.Div().Class("roof-narrow").Body(goapp.Raw(v.Narrow)),
		goapp.Div().Class("roof-groups").Body(groups...),
	)
}

// roofKey names the markers of the variants that are there.
func roofKey(v roofView) []goapp.UI {
	var out []goapp.UI
	for _, id := range wire.VariantIDs() {
		for _, g := range v.Groups {
			if g.has(id) {
				out = append(out, goapp.Li().Class("v-"+id).Body(goapp.Raw(markerSVG(id)), goapp.Span().Text(variantName(id))))
				break
			}
		}
	}
	return out
}

func (g roofGroup) has(variant string) bool {
	for _, c := range g.Cells {
		if c.Variant == variant {
			return true
		}
	}
	return false
}

// render lists one model's sentences: a table, because each has figures that go with it.
func (g roofGroup) render(host string) goapp.UI {
	rows := make([]goapp.UI, len(g.Cells))
	for i, c := range g.Cells {
		rows[i] = goapp.Tr().Role("row").Class("v-"+c.Variant).DataSet("variant", c.Variant).DataSet("batch", c.Batch).Body(
			goapp.Th().Scope("row").Role("rowheader").Body(
				goapp.Span().Class("variant").Body(goapp.Raw(markerSVG(c.Variant)), goapp.Span().Text(c.Name)),
				goapp.Small().Text("batch "+c.Batch+", "+c.Time),
			),
			goapp.Td().Role("cell").Class("share").Body(
				goapp.Span().Class("verdict", c.Class).Text(c.Share), goapp.Small().Text(" of the bound: "+c.Bound),
			),
			goapp.Td().Role("cell").Class("says").Text(c.Sentence),
		)
	}
	return goapp.Details().ID("roof-"+hostName(host)+"-"+g.Model).Body(
		goapp.Summary().Body(goapp.Text(g.Model+" "), goapp.Small().Text(g.Summary)),
		goapp.Table().Role("table").Class("roof-words").Body(
			goapp.Caption().Class("unseen").Text("What bounds every pass of "+g.Model+" "+inHost(host)),
			goapp.THead().Role("rowgroup").Class("unseen").Body(goapp.Tr().Role("row").Body(
				goapp.Th().Scope("col").Role("columnheader").Text("Variant and batch"),
				goapp.Th().Scope("col").Role("columnheader").Text("Share of the bound"),
				goapp.Th().Scope("col").Role("columnheader").Text("In words"),
			)),
			goapp.TBody().Role("rowgroup").Body(rows...),
		),
	)
}
