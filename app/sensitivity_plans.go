package app

import (
	"fmt"
	"strconv"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
	"quantlab/core/report/chart"
)

// sensFront draws the second question: the plans that were tried, those worth having, and the one that is looked at.
func (s *session) sensFront(level int) goapp.UI {
	st := &s.Sensitivity
	c := st.choice()
	search, of, ok := st.search(s.Study)
	points := frontPoints(search, c)
	if !ok || len(points) == 0 {
		return goapp.Div().Body(s.emptyFront())
	}
	chosen, looked := st.lookedAt(s.Study)
	selected := ""
	if looked {
		selected = chosen.Plan
	}
	return goapp.Div().Class("card", "front-card").Body(
		goapp.Div().Class("pad-box", "front-box").Body(
			sensSays(report.PlansSentences(search)),
			goapp.P().Class("hint").Text(frontFacts(search, of, c)),
			goapp.Div().Class("fields", "tool").Body(
				s.sensSegment(keyFrontAcross, "From left to right", c.Across, []pick{{sizeAcross, "Size"}, {timeAcross, "Time"}}),
				s.sensSegment(keyFront, "Time of", strconv.Itoa(c.Batch), []pick{{"1", "Batch 1"}, {"64", "Batch 64"}}),
			),
			goapp.Ul().Class("roof-key", "front-key").Body(frontKey(search, c)...),
			goapp.Div().Class("front-plot").Body(goapp.Raw(frontSVG(points, greedyPoints(search, points), c, selected))).OnClick(s.onFrontClick, len(points)),
		),
		goapp.Div().Class("front-split").Body(
			goapp.Div().Class("front-list").Body(s.frontTable(points, selected)),
			goapp.Div().Class("front-chosen").ID("front-chosen").Body(s.chosenPlan(level, chosen, looked)...),
		),
		goapp.Div().Class("front-all").Body(
			asTable(scrolled(report.PlansTable(search, report.Models(of.Settings)))),
			goapp.Details().Class("as-table").Body(goapp.Summary().Text("All plans that were tried"), goapp.Raw(triedTable(search, points, c))),
		),
	)
}

func (s *session) emptyFront() goapp.UI {
	c := s.Sensitivity.choice()
	schemes := len(wire.DefaultSchemes())
	all := 1
	for range c.layers() {
		all *= schemes
	}
	names := make([]string, schemes)
	for i, text := range wire.DefaultSchemes() {
		names[i] = strings.TrimPrefix(report.ShortPlan(text), "all ")
	}
	return goapp.Div().Class("empty").Body(
		goapp.P().Body(goapp.Text(fmt.Sprintf("Each of the %s of %s can be any of %s: %s plans. ", plural(c.layers(), "layer"), c.Model, joinWords(names), report.Count(all))),
			goapp.B().Text("Search"), goapp.Text(" measures the accuracy of all of them, works out how fast each would be, and times those worth having. "+c.takes(costPlans, all))),
	)
}

// frontFacts says what was tried and where.
func frontFacts(search wire.PlanSearch, of wire.Setting, c sensChoice) string {
	tried := plural(len(search.Points), "plan") + " tried"
	if search.Plans > 0 {
		tried = fmt.Sprintf("%s of %s tried", report.Count(len(search.Points)), plural(search.Plans, "plan"))
		if search.Exhaustive {
			tried = "All " + plural(search.Plans, "plan") + " tried"
		}
	}
	return fmt.Sprintf("%s, %s, %s, %s.", tried, inHost(c.Where), testedOn(c.spec(), of.Settings, search.Points[0].Total), plural(of.Settings.Runs, "timed run"))
}

func frontKey(search wire.PlanSearch, c sensChoice) []goapp.UI {
	other := fmt.Sprintf("on the front: the larger the slower at batch %d", c.Batch)
	if c.Across == timeAcross {
		other = "on the front: the larger the more bytes"
	}
	key := []goapp.UI{
		goapp.Li().Class("key-mark").Text(other),
		goapp.Li().Class("key-tried").Text("tried"),
	}
	if len(search.Greedy) > 1 {
		key = append(key, goapp.Li().Class("key-greedy").Text("the greedy search’s path, from float32 on"))
	}
	return key
}

// onFrontClick looks at the plan under the pointer.
func (s *session) onFrontClick(ctx goapp.Context, e goapp.Event) {
	c := s.Sensitivity.choice()
	search, _, ok := s.Sensitivity.search(s.Study)
	points := frontPoints(search, c)
	ground := ctx.JSSrc().Call("querySelector", ".ground")
	if !ok || len(points) == 0 || !ground.Truthy() {
		return
	}
	box := ground.Call("getBoundingClientRect")
	left, top := e.Get("clientX").Float()-box.Get("left").Float(), e.Get("clientY").Float()-box.Get("top").Float()+frontTop
	if p, ok := newFrontPlot(points, c).nearest(points, left, top, box.Get("width").Float()); ok {
		s.lookAtPlan(p.Plan)
	}
}

// frontTable lists the front; one row is chosen.
func (s *session) frontTable(points []frontPoint, selected string) goapp.UI {
	c := s.Sensitivity.choice()
	var rows []goapp.UI
	for _, p := range points {
		if p.Front {
			rows = append(rows, s.frontRow(p, c, p.Plan == selected))
		}
	}
	return goapp.Table().Role("table").Class("front-table").Body(
		goapp.Caption().Class("unseen").Text("The plans worth having: choose one to see it layer by layer"),
		goapp.THead().Role("rowgroup").Body(goapp.Tr().Role("row").Body(
			goapp.Th().Scope("col").Role("columnheader").Text("Plan, layer by layer"),
			goapp.Th().Scope("col").Role("columnheader").Class("number").Text("Size, MB"),
			goapp.Th().Scope("col").Role("columnheader").Class("number").Text("Accuracy"),
			goapp.Th().Scope("col").Role("columnheader").Class("number").Text(fmt.Sprintf("µs, batch %d", c.Batch)),
		)),
		goapp.TBody().Role("rowgroup").Body(rows...),
	)
}

func (s *session) frontRow(p frontPoint, c sensChoice, chosen bool) goapp.UI {
	state := "offered"
	if chosen {
		state = "chosen"
	}
	return goapp.Tr().Role("row").DataSet("model", p.Model).DataSet("plan", p.Plan).DataSet("state", state).Body(
		goapp.Th().Scope("row").Role("rowheader").Body(goapp.Label().Body(
			check(goapp.Input().Type("radio"), chosen).Name(keyFrontPlan).Value(p.Plan).OnChange(s.onSensPlan(p.Plan), p.Plan),
			goapp.Span().Text(report.ShortPlan(p.Plan)),
		)),
		goapp.Td().Role("cell").Class("number").DataSet("head", "MB").Text(report.MB(p.SizeBytes)),
		goapp.Td().Role("cell").Class("number").DataSet("head", "accuracy").Text(report.Percent(p.Share, p.Total)),
		goapp.Td().Role("cell").Class("number").DataSet("head", "µs").Text(p.timeText(c)),
	)
}

// timeText is the measured time, or the predicted one.
func (p frontPoint) timeText(c sensChoice) string {
	batch := strconv.Itoa(c.Batch)
	if l, ok := p.LatencyUS[batch]; ok {
		return report.PlusMinus(l.Mean, l.Std)
	}
	if v, ok := p.Predicted[batch]; ok {
		return "≈ " + report.Figures(v, 3)
	}
	return report.Missing
}

func (s *session) onSensPlan(plan string) goapp.EventHandler {
	return func(goapp.Context, goapp.Event) { s.lookAtPlan(plan) }
}

// chosenPlan shows the plan that is looked at, layer by layer, and takes it elsewhere.
func (s *session) chosenPlan(level int, p frontPoint, ok bool) []goapp.UI {
	if !ok {
		return []goapp.UI{goapp.P().Class("empty").Text("Choose a plan in the table, or a mark in the drawing, to see it layer by layer and to use it in the other views.")}
	}
	c := s.Sensitivity.choice()
	dims := c.spec().Dims()
	planner, err := c.planner(p.Plan)
	if err != nil {
		return []goapp.UI{goapp.P().Class("problem").Text(sentence(err.Error()))}
	}
	var layers []goapp.UI
	for i, scheme := range planner.Plan {
		layers = append(layers, goapp.Li().DataSet("layer", strconv.Itoa(i+1)).Body(
			goapp.B().Text(fmt.Sprintf("Layer %d", i+1)), goapp.Small().Text(" "+report.Count(dims[i])+" → "+report.Count(dims[i+1])),
			goapp.Span().Class("scheme").Text(schemeWords(scheme.String())),
		))
	}
	facts := []goapp.UI{}
	add := func(term string, words ...string) {
		facts = append(facts, goapp.Dt().Text(term))
		for _, w := range words {
			if w != "" {
				facts = append(facts, goapp.Dd().Text(w))
			}
		}
	}
	row := measuredRow(p.Row, timedBatches, map[string]float64{})
	add("Size", row.Size+" MB", row.Smaller)
	changed := ""
	if d, ok := report.ChangeOf(p.Row); ok {
		points, interval := d.Words(p.Total)
		changed = points + " points against float32 " + interval
	}
	add("Accuracy", row.Accuracy+" "+row.Interval, changed, flipsText(p.Row))
	for i, b := range timedBatches {
		add(fmt.Sprintf("Time, batch %d", b), timeWords(p.PlanPoint, b, row.Cells[i])...)
	}
	own := "Use in Draw"
	path := drawView().Path
	if c.spec().Data == nn.SST2 {
		own, path = "Use in Type", typeView().Path
	}
	return []goapp.UI{
		heading(level, "", report.ShortPlan(p.Plan)),
		goapp.Ol().Class("plan-layers").Body(layers...),
		goapp.Dl().Class("plan-facts").Body(facts...),
		goapp.Div().Class("tools").Body(
			s.planLink(inspectView().Path, "Use in Inspect", "Use in Inspect: this plan", planner),
			s.planLink(path, own, own+": this plan beside the lab’s variants", planner),
		),
		goapp.P().Class("hint").Text("It becomes “your plan” in every view."),
	}
}

// flipsText says how the answers differ; a search keeps only the counts of most plans.
func flipsText(r wire.Row) string {
	if r.Paired == nil {
		return ""
	}
	if len(r.Paired.Flipped) == 0 && r.Paired.Gained+r.Paired.Lost > 0 {
		return fmt.Sprintf("+%d −%d, %s", r.Paired.Gained, r.Paired.Lost, report.PValue(r.Paired.P))
	}
	text, _ := paired(r.Paired)
	return text
}

// timeWords are the measured time and the predicted one.
func timeWords(p wire.PlanPoint, batch int, cell cellView) []string {
	key := strconv.Itoa(batch)
	var words []string
	if l, ok := p.LatencyUS[key]; ok {
		words = append(words, report.PlusMinus(l.Mean, l.Std)+" µs measured", cell.Verdict.Words)
	}
	if v, ok := p.Predicted[key]; ok {
		words = append(words, report.Figures(v, 3)+" µs predicted, the sum of its layers’")
	}
	return words
}

// triedTable is all plans as text.
func triedTable(search wire.PlanSearch, points []frontPoint, c sensChoice) string {
	rows := make([][]string, len(points))
	for i, p := range points {
		front := ""
		if p.Front {
			front = "yes"
		}
		rows[i] = []string{report.ShortPlan(p.Plan), report.MB(p.SizeBytes), report.Percent(p.Share, p.Total), p.timeText(c), front}
	}
	return chart.Table("All plans tried of "+search.Model, []string{"plan", "MB", "accuracy", fmt.Sprintf("µs, batch %d", c.Batch), "front"}, rows)
}
