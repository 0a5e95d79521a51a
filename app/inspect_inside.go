package app

import (
	"reflect"
	"slices"
	"time"

	"quantlab/core/lab/wire"
)

// An inside is what the worker found in the layers.
type inside struct {
	errand
	Asked    wire.InspectRequest
	Of       wire.InspectRequest // what the layers are of
	Layers   []*wire.Layer
	Filters  []*wire.Filter
	Examples int
}

// look is the question about the layers.
func (i *InspectState) look() wire.InspectRequest {
	p := i.planner()
	req := wire.InspectRequest{Model: p.Model, Conversion: wire.Conversion{Plan: p.Plan.String()}}
	req.Examples, req.Seed = p.calibration() // also where they calibrate nothing: the activations shown are theirs
	if i.showsFilters() {
		req.Units = i.wanted()
	}
	return req
}

func sameLook(a, b wire.InspectRequest) bool {
	return a.Model == b.Model && a.Conversion == b.Conversion && slices.Equal(a.Units, b.Units)
}

func (s *session) look(req wire.InspectRequest) {
	in := &s.Inspect.Inside
	in.errand, in.Asked = startErrand(), req
	s.ask("inspect", wire.Command{Op: wire.OpInspect, Inspect: &req}, true, func(event wire.Event) {
		in := &s.Inspect.Inside
		if !sameLook(in.Asked, req) {
			return
		}
		in.apply(event)
		if event.Kind == wire.EventInspection && event.Inspection != nil {
			in.begin(req, event.Inspection)
			s.reveal(req, event.Inspection, 0)
		}
		if isEnd(event) {
			s.consult() // which units lose most is known only now, and what is timed comes after
		}
		s.redraw(partLayers)
	})
}

// begin makes room for the layers of another model.
func (in *inside) begin(req wire.InspectRequest, found *wire.Inspection) {
	if in.Of.Model != req.Model || len(in.Layers) != len(found.Layers) {
		in.Of, in.Layers, in.Filters = wire.InspectRequest{Model: req.Model}, make([]*wire.Layer, len(found.Layers)), nil
	}
	in.Examples = found.Examples
}

// frame is the time between two layers that are drawn: all at once would hold up the page.
const frame = 16 * time.Millisecond

// reveal shows what was found from layer n on: the next one that changed at once, the others each in a frame of its own, and the
// pictures last.
func (s *session) reveal(req wire.InspectRequest, found *wire.Inspection, n int) {
	in := &s.Inspect.Inside
	if in.Asked.Model != req.Model || in.Asked.Conversion != req.Conversion {
		return // another plan has overtaken it
	}
	for n < len(found.Layers) && in.Layers[n] != nil && reflect.DeepEqual(*in.Layers[n], found.Layers[n]) {
		n++
	}
	s.redraw(partLayers)
	if n == len(found.Layers) {
		in.Of, in.Filters = req, make([]*wire.Filter, len(found.Filters))
		for i := range found.Filters {
			in.Filters[i] = &found.Filters[i]
		}
		return
	}
	in.Layers = slices.Clone(in.Layers) // whoever renders may still hold the old ones
	in.Layers[n] = &found.Layers[n]
	s.platform.After(frame, func() {
		s.soon(func() { s.reveal(req, found, n+1) })
	})
}

// stale reports whether the layers shown are of another plan than the reader's.
func (in *inside) stale(p Planner) bool {
	return in.Of.Model != p.Model || in.Of.Plan != p.Plan.String() || !in.sameExamples(p)
}

func (in *inside) sameExamples(p Planner) bool {
	examples, seed := p.calibration()
	return in.Of.Examples == examples && in.Of.Seed == seed
}

// layers are the indices of the layers to draw: all or one, none before they are known.
func (in *inside) layers(p Planner) []int {
	if in.Of.Model != p.Model || len(in.Layers) != len(p.Plan) {
		return nil
	}
	var all []int
	for n, l := range in.Layers {
		if l != nil && (n == p.Layer || p.Layer == allLayers) {
			all = append(all, n)
		}
	}
	return all
}

// A unitChoice says which units of the first layer are drawn: shownUnits of them, those that lose most or from a number on.
type unitChoice struct {
	ByNumber bool
	From     int
}

const shownUnits = 8

// showsFilters reports whether the first layer's weights are pictures, and that layer is shown.
func (i *InspectState) showsFilters() bool {
	p := i.planner()
	return p.showsDigits() && p.Layer <= 0
}

// wanted are the units to draw. Those that lose most are known from the answer about the same plan; until then they are those of
// the one before.
func (i *InspectState) wanted() []int {
	p := i.planner()
	out := p.spec().Dims()[1]
	var units []int
	if !i.Units.ByNumber && i.Inside.Of.Model == p.Model && len(i.Inside.Layers) > 0 && i.Inside.Layers[0] != nil {
		for _, row := range i.Inside.Layers[0].Rows {
			units = append(units, row.Index)
		}
	}
	from, shown := 0, min(shownUnits, out)
	if i.Units.ByNumber {
		from = min(max(i.Units.From, 0), out-shown)
	}
	for u := from; len(units) < shown; u++ {
		if !slices.Contains(units, u) {
			units = append(units, u)
		}
	}
	return units[:shown]
}

// showUnits chooses the units of the first layer to draw.
func (s *session) showUnits(c unitChoice) {
	c.From = max(0, min(c.From, s.Inspect.planner().spec().Dims()[1]-shownUnits))
	s.Inspect.Units = c
	s.consult()
}
