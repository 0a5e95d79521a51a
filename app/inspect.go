package app

import (
	"net/url"
	"slices"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// inspectView shows what a conversion does to each layer, and lets the reader change it.
func inspectView() view {
	return view{
		Path: "/inspect", Title: "Inspect",
		Headline: "What happens inside when the numbers get coarser?",
		Lede: "Quantization puts numbers on a grid: a few evenly spaced levels in place of millions of possible values. Change the grid, " +
			"for all layers or for one, and watch what it costs: accuracy on the whole test set, size and speed follow each move.",
		Render: renderInspect, Late: []string{partLayers, partAdvice},
		Visit: func(s *session, query url.Values) []string {
			p, notices := parsePlanner(query, s.Own)
			s.Inspect.visit(p)
			return notices
		},
		Named: planKeys,
		Query: inspectQuery,
		Enter: func(s *session) {
			s.Inspect.forgive()
			s.consult()
		},
	}
}

// inspectQuery spells what the reader chose in Inspect, for the addresses of other views too.
func inspectQuery(s *session) string { return s.Inspect.Planner.query() }

// An InspectState is what Inspect knows: what the reader chose, and what the worker said of it.
type InspectState struct {
	Planner      Planner
	Past, Future []Planner // for undo and redo, the latest at the end
	Held         knob      // the slider that is being dragged: all its positions are one step of the history
	Draft        Draft     // of the seed's field, where its text is no seed

	Evaluation evaluation
	Inside     inside
	Advice     advice
	Units      unitChoice
	Told       told
}

// maxHistory bounds the steps that can be undone.
const maxHistory = 100

// planner is what the reader chose; before any address was visited that is the lab's.
func (i *InspectState) planner() Planner {
	if i.Planner.Model == "" {
		i.Planner = firstPlanner(nil)
	}
	return i.Planner
}

// visit takes over what an address says. The history stays where the address is of the same plan.
func (i *InspectState) visit(p Planner) {
	if !i.planner().sameConversion(p) {
		i.Past, i.Future = nil, nil
	}
	i.Planner, i.Draft, i.Held = p, Draft{}, ""
}

// meet takes up what there is of the reader's own. Plans of the history whose model is not what it was are forgotten, and so is what
// the worker said of a model of the reader's own: another one may have its name now.
func (i *InspectState) meet(own *wire.Own) {
	p := i.planner()
	i.Past, i.Future = known(i.Past, own), known(i.Future, own)
	if p.spec().Own {
		i.Evaluation, i.Inside, i.Advice = evaluation{}, inside{}, advice{}
	}
	i.Planner.Own = own
}

// known returns the plans whose models are still there, as they were.
func known(plans []Planner, own *wire.Own) []Planner {
	var out []Planner
	for _, p := range plans {
		if spec, err := own.Catalog().Of(p.Model); err == nil && slices.Equal(spec.Dims(), p.spec().Dims()) {
			p.Own = own
			out = append(out, p)
		}
	}
	return out
}

// custom is the reader's own plan as other views ask for it; nil where Inspect shows another model, or a lab's variant.
func (i *InspectState) custom(model string) *wire.Conversion {
	p := i.planner()
	if p.Model != model || p.preset() != "" {
		return nil
	}
	c := p.conversion()
	return &c
}

// set changes the plan and remembers the one before, unless that is an earlier position of a slider that is still held.
func (i *InspectState) set(next Planner, held knob) {
	p := i.planner()
	if !p.sameConversion(next) {
		if held == "" || i.Held != held {
			i.Past = append(slices.Clone(i.Past), p)
			i.Past = i.Past[max(0, len(i.Past)-maxHistory):]
		}
		i.Future = nil
	}
	i.Planner, i.Draft = next, Draft{}
}

// undo goes back one step and redo forth; the layer that is shown stays, where there is one.
func (i *InspectState) undo() { i.step(&i.Past, &i.Future) }
func (i *InspectState) redo() { i.step(&i.Future, &i.Past) }

func (i *InspectState) step(from, to *[]Planner) {
	n := len(*from)
	if n == 0 {
		return
	}
	next, p := (*from)[n-1], i.planner()
	*from, *to = (*from)[:n-1:n-1], append(slices.Clone(*to), p)
	next.Layer = min(p.Layer, len(next.Plan)-1)
	i.Planner, i.Draft, i.Held = next, Draft{}, ""
}

// turn turns a knob. While a slider is held, the address waits.
func (s *session) turn(k knob, value string, held bool) {
	i := &s.Inspect
	delete(s.awaited, inspectView().Path)
	next, err := i.planner().with(k, value)
	if err != nil {
		problem := sentence(err.Error())
		if k == knobSeed {
			i.Draft = Draft{Text: value, Problem: problem}
		}
		s.say(problem)
		return
	}
	grip := knob("")
	if held {
		grip = k
	}
	i.set(next, grip)
	i.Held = grip
	s.consult()
	if !held {
		s.letGo()
	}
}

// letGo puts the plan into the address once the hand is off the slider.
func (s *session) letGo() {
	s.Inspect.Held = ""
	s.consult()
	s.remember()
}

// choose shows another plan as a whole, as undo, redo and the lab's settings do.
func (s *session) choose(change func(*InspectState)) {
	delete(s.awaited, inspectView().Path)
	change(&s.Inspect)
	s.consult()
	s.remember()
	s.tellPlan(sayPlan(s.Inspect.Planner))
}

// The parts that answers have drawn anew by themselves.
const (
	partLive   = "inspect-live"
	partWords  = "inspect-words"
	partLayers = "inspect-layers"
	partAdvice = "inspect-advice"
)

// renderInspect draws the live figures, the controls, the layers.
func renderInspect(s *session, level int) goapp.UI {
	i := &s.Inspect
	return goapp.Div().Class("inspect").Body(
		s.part(partLive, func() goapp.UI {
			return goapp.Div().Class("live-box").Body(&inspectLive{View: i.live(s.waitingFor())})
		}),
		s.part(partWords, func() goapp.UI {
			return goapp.Div().Body(&inspectWords{S: s, View: i.live(s.waitingFor())})
		}),
		&planControls{S: s, Level: level, Planner: i.planner(), Draft: i.Draft, Undo: len(i.Past) > 0, Redo: len(i.Future) > 0},
		goapp.Section().Class("section").Aria("labelledby", "inspect-layers").Body(
			goapp.Div().Class("head").Body(
				heading(level, "inspect-layers", "Layer by layer"),
				goapp.P().Text("What the float32 numbers were, and what the grid makes of them."),
			),
			s.part(partLayers, func() goapp.UI { return renderLayers(s, level+1) }),
			s.part(partAdvice, func() goapp.UI { return goapp.Div().Body(&adviceBox{S: s, Level: level + 1, View: i.advised()}) }),
		),
	)
}

func renderLayers(s *session, level int) goapp.UI {
	i := &s.Inspect
	p := i.planner()
	stale := i.Inside.stale(p)
	var cards []goapp.UI
	for _, n := range i.Inside.layers(p) {
		cards = append(cards, &layerCard{Level: level, Model: p.Model, Index: n, Layer: i.Inside.Layers[n], Examples: i.Inside.Examples})
	}
	if cards == nil {
		cards = append(cards, goapp.P().Class("empty").Text("Histograms, grids and errors of each layer appear here once the model has been looked at."))
	}
	return goapp.Div().Body(
		&layerTabs{S: s, Planner: p, Layers: i.Inside.Layers, Stale: stale},
		&errandLine{S: s, Lane: "inspect", View: lineOf(i.Inside.errand, p.Model, s.waitingFor(), "Looking inside")},
		goapp.Div().Class("layers", staleClass(stale)).Body(cards...),
		&filters{S: s, Level: level, Shown: i.showsFilters(), Filters: i.Inside.Filters, Units: i.Units, Out: p.spec().Dims()[1]},
	)
}

func staleClass(stale bool) string {
	if stale {
		return "stale"
	}
	return "fresh"
}
