package app

import (
	"fmt"
	"strconv"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// layerTabs lists the layers with their key figures; a press shows one, or all.
type layerTabs struct {
	goapp.Compo
	S       *session
	Planner Planner
	Layers  []*wire.Layer // nil until they are known
	Stale   bool
}

func (t *layerTabs) Render() goapp.UI {
	p := t.Planner
	dims := p.spec().Dims()
	rows := make([]goapp.UI, len(p.Plan))
	for i, s := range p.Plan {
		weights, output, clipped := "–", "–", "–"
		if len(t.Layers) == len(p.Plan) && t.Layers[i] != nil {
			l := t.Layers[i]
			weights, output = sqnr(l.WeightLoss.SQNR), sqnr(l.ChainLoss.SQNR)
			if l.Input.Grid != nil {
				clipped = percentShare(l.Input.Clipped)
			}
		}
		rows[i] = goapp.Tr().DataSet("layer", strconv.Itoa(i+1)).Body(
			goapp.Th().Scope("row").Body(t.tab(i, fmt.Sprintf("Layer %d", i+1))),
			goapp.Td().DataSet("head", "Shape").Text(fmt.Sprintf("%s → %s", report.Count(dims[i]), report.Count(dims[i+1]))),
			goapp.Td().Class("scheme").DataSet("head", "Numbers").Text(schemeWords(s.String())),
			goapp.Td().Class("number").DataSet("head", "Weights, dB").Text(weights),
			goapp.Td().Class("number").DataSet("head", "Output, dB").Text(output),
			goapp.Td().Class("number").DataSet("head", "Input clipped").Text(clipped),
		)
	}
	return goapp.Div().Class("layer-list", staleClass(t.Stale)).Body(
		goapp.Table().Body(
			goapp.Caption().Class("unseen").Text("The layers and what their grids cost"),
			goapp.THead().Body(goapp.Tr().Body(
				goapp.Th().Scope("col").Body(t.tab(allLayers, "All layers")),
				goapp.Th().Scope("col").Text("Shape"),
				goapp.Th().Scope("col").Text("Numbers"),
				goapp.Th().Scope("col").Class("number").Body(goapp.Text("Weights "), goapp.Small().Text("SQNR, dB")),
				goapp.Th().Scope("col").Class("number").Body(goapp.Text("Output "), goapp.Small().Text("SQNR, dB")),
				goapp.Th().Scope("col").Class("number").Body(goapp.Text("Input "), goapp.Small().Text("clipped")),
			)),
			goapp.TBody().Body(rows...),
		),
		goapp.P().Class("why").Text("SQNR: how far the signal stands above the error of its grid. 6 dB more is half the error, about one bit; below some 20 dB it starts to show in the answers. "+
			"“Output” counts the errors of all layers before it, too."),
	)
}

// tab is the button that shows a layer.
func (t *layerTabs) tab(layer int, label string) goapp.UI {
	return goapp.Button().Type("button").Class("tab").Disabled(goapp.IsServer).Aria("pressed", strconv.FormatBool(t.Planner.Layer == layer)).
		Text(label).OnClick(t.onShow(layer), layer)
}

func (t *layerTabs) onShow(layer int) goapp.EventHandler {
	return func(goapp.Context, goapp.Event) { t.S.turn(knobLayer, layerValue(layer), false) }
}

// filters are the first layer's weights as pictures.
type filters struct {
	goapp.Compo
	S       *session
	Level   int
	Shown   bool
	Filters []*wire.Filter
	Units   unitChoice
	Out     int // units of the layer
}

func (f *filters) Render() goapp.UI {
	if !f.Shown {
		return goapp.Div()
	}
	last := max(0, f.Out-shownUnits)
	return goapp.Section().Class("filters").Aria("labelledby", "inspect-filters").Body(
		heading(f.Level, "inspect-filters", "The first layer’s weights as pictures"),
		goapp.P().Class("results-text").Text("Each unit has one weight for every pixel. Blue weighs against the unit, orange for it, white is zero. The difference is enlarged: "+
			"its range is written beside it."),
		goapp.Div().Class("filter-picks").Body(
			goapp.Div().Class("seg").Role("radiogroup").Aria("label", "Which units").Body(
				f.radio("those that lose most", false),
				f.radio("by number", true),
			),
			goapp.Div().Class("field").Body(
				goapp.Label().For("units-from").Text("from unit"),
				goapp.Input().ID("units-from").Type("number").Min(0).Max(last).Step(1).Value(f.Units.From).Disabled(!f.Units.ByNumber || goapp.IsServer).
					OnChange(f.onFrom),
				goapp.Small().Text(fmt.Sprintf("0 to %d", last)),
			),
		),
		goapp.Ul().Class("filter-list").Body(goapp.Range(f.Filters).Slice(func(i int) goapp.UI { return &filterItem{Filter: f.Filters[i]} })),
	)
}

func (f *filters) radio(label string, byNumber bool) goapp.UI {
	return goapp.Label().Body(
		check(goapp.Input().Type("radio"), f.Units.ByNumber == byNumber).Name("units").Value(label).OnChange(f.onWhich(byNumber), byNumber),
		goapp.Span().Text(label),
	)
}

func (f *filters) onWhich(byNumber bool) goapp.EventHandler {
	return func(goapp.Context, goapp.Event) { f.S.showUnits(unitChoice{ByNumber: byNumber, From: f.Units.From}) }
}

func (f *filters) onFrom(ctx goapp.Context, _ goapp.Event) {
	n, err := strconv.Atoi(ctx.JSSrc().Get("value").String())
	if err != nil {
		n = f.Units.From
	}
	f.S.showUnits(unitChoice{ByNumber: true, From: n})
}

// adviceBox offers to look for something better, and shows what was found.
type adviceBox struct {
	goapp.Compo
	S     *session
	Level int
	View  advisedView
}

// An advisedView is the advice, as plain values.
type advisedView struct {
	Asked bool
	Items []advisedItem
	Says  string
	Line  errandView
}

type advisedItem struct {
	Title, Text string
	Scheme      string // in words; empty where nothing is to be used
	Advice      wire.Advice
}

func (i *InspectState) advised() advisedView {
	a := &i.Advice
	v := advisedView{Asked: a.Phase != errandIdle, Line: lineOf(a.errand, i.planner().Model, "", "Trying other grids, each on the whole test set")}
	for _, item := range a.List {
		words := ""
		if item.Scheme != "" {
			words = schemeWords(item.Scheme)
		}
		v.Items = append(v.Items, advisedItem{Title: fmt.Sprintf("Layer %d", item.Layer+1), Text: sentence(item.Text), Scheme: words, Advice: item})
	}
	if a.Phase == errandDone {
		v.Says = a.words()
	}
	return v
}

// words says what came of it.
func (a *advice) words() string {
	better := 0
	for _, v := range a.List {
		if v.Scheme != "" {
			better++
		}
	}
	if better == 0 {
		return "Nothing that was tried does better than this plan."
	}
	return plural(better, "suggestion") + ", measured on the test set beside this plan."
}

func (b *adviceBox) Render() goapp.UI {
	v := b.View
	return goapp.Section().Class("advice").Aria("labelledby", "inspect-advice").Body(
		heading(b.Level, "inspect-advice", "What would do better?"),
		goapp.P().Class("results-text").Text("Tries other observers, bits and granularities, one layer at a time, and measures each on the test set beside this plan."),
		goapp.Div().Class("actions").Body(
			goapp.Button().Type("button").ID("advise").Disabled(goapp.IsServer).Text("Try other grids").OnClick(b.onAdvise),
		),
		&errandLine{S: b.S, Lane: "advise", View: v.Line},
		goapp.P().ID("advice-says").Text(v.Says),
		goapp.Ul().Class("advice-list").Body(goapp.Range(v.Items).Slice(func(i int) goapp.UI {
			item := v.Items[i]
			use := []goapp.UI{}
			if item.Scheme != "" {
				use = append(use, goapp.Button().Type("button").Disabled(goapp.IsServer).Aria("label", "Use it for layer "+strconv.Itoa(item.Advice.Layer+1)).Text("Use it").
					OnClick(b.onUse(item.Advice), item.Advice.Layer, item.Advice.Scheme))
			}
			return goapp.Li().Body(
				goapp.Div().Body(
					goapp.P().Body(goapp.B().Text(item.Title+": "), goapp.Text(item.Text)),
					goapp.P().Class("why").Text(item.Scheme),
				),
				goapp.Div().Body(use...),
			)
		})),
	)
}

func (b *adviceBox) onAdvise(goapp.Context, goapp.Event) { b.S.advise() }

func (b *adviceBox) onUse(v wire.Advice) goapp.EventHandler {
	return func(goapp.Context, goapp.Event) { b.S.useAdvice(v) }
}
