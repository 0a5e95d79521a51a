package app

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/report"
	"quantlab/core/scheme"
)

// sayPlan says in words what a plan is, compared with the lab's: "Compared with the lab’s static int8: weights of layer 1 in 4 bits instead
// of 8."
func sayPlan(p Planner) string {
	lab := p.labs()
	name := variantName(p.nearest())
	changes := departuresOf(p.Plan, lab.Plan)
	if p.Plan.NeedsCalibration() {
		changes = append(changes, calibrationDepartures(p)...)
	}
	if len(changes) == 0 {
		return "This is the lab’s " + name + "."
	}
	return "Compared with the lab’s " + name + ": " + strings.Join(changes, "; ") + "."
}

func calibrationDepartures(p Planner) []string {
	var d []string
	if p.Examples != labCalibration {
		d = append(d, fmt.Sprintf("calibrated on %s instead of %s", plural(p.Examples, "example"), report.Count(labCalibration)))
	}
	if p.Seed != 0 {
		from, instead := "the training set", "the lab’s sample"
		if own, ok := p.sample(); ok {
			from, instead = "your "+own.Name, "the first sample of it"
		}
		d = append(d, fmt.Sprintf("calibration examples drawn from %s with seed %d instead of %s", from, p.Seed, instead))
	}
	return d
}

// departuresOf says how a plan differs from the lab's. Layers that differ alike are named together.
func departuresOf(p, lab scheme.Plan) []string {
	var order []string
	layers := map[string][]int{}
	for i := range p {
		for _, change := range schemeDepartures(p[i], lab[i]) {
			if layers[change] == nil {
				order = append(order, change)
			}
			layers[change] = append(layers[change], i+1)
		}
	}
	out := make([]string, len(order))
	for i, change := range order {
		out[i] = strings.Replace(change, "%", layerNames(layers[change], len(p)), 1)
	}
	return out
}

// layerNames names layers: "layer 1", "layers 1 and 3", "all layers".
func layerNames(layers []int, all int) string {
	switch {
	case len(layers) == all:
		return "all layers"
	case len(layers) == 1:
		return "layer " + strconv.Itoa(layers[0])
	}
	return "layers " + joinInts(layers)
}

// schemeDepartures says how a scheme differs from the lab's, a percent sign in the place of the layers.
func schemeDepartures(s, lab scheme.Scheme) []string {
	if s.Mode != lab.Mode {
		return []string{fmt.Sprintf("%% in %s instead of %s", strings.ReplaceAll(schemeDetails(s), "; ", ", "), modeName(lab.Mode))}
	}
	var d []string
	add := func(differs bool, text string) {
		if differs {
			d = append(d, text)
		}
	}
	either := func(on bool, yes, no string) string {
		if on {
			return yes + " instead of " + no
		}
		return no + " instead of " + yes
	}
	w, a, lw, la := s.Weight, s.Activation, lab.Weight, lab.Activation
	add(w.Bits != lw.Bits, fmt.Sprintf("weights of %% in %s instead of %d", plural(w.Bits, "bit"), lw.Bits))
	add(w.PerChannel != lw.PerChannel, "weights of % "+either(w.PerChannel, "per channel", "per tensor"))
	add(w.Symmetric != lw.Symmetric, "weights of % "+either(w.Symmetric, "symmetric", "affine"))
	add(a.Bits != la.Bits, fmt.Sprintf("activations of %% in %s instead of %d", plural(a.Bits, "bit"), la.Bits))
	add(a.Symmetric != la.Symmetric, "activations of % "+either(a.Symmetric, "symmetric", "affine"))
	add(a.ReduceRange != la.ReduceRange, "activations of % over "+either(a.ReduceRange, "half of the grid", "the whole grid"))
	add(a.PerRow != la.PerRow, "activations of % on "+either(a.PerRow, "a grid for each example", "one for the batch"))
	add(a.Observer != la.Observer || a.Percentile != la.Percentile,
		fmt.Sprintf("activations of %% observed by %s instead of %s", observerName(a), observerName(la)))
	return d
}

func modeName(m scheme.Mode) string {
	switch m {
	case scheme.Float16:
		return "float16 weights"
	case scheme.Dynamic:
		return "dynamic int8"
	case scheme.Static:
		return "static int8"
	}
	return string(m)
}

func observerName(a scheme.ActivationQuantizer) string {
	if a.Observer == scheme.Percentile {
		return "percentile " + percentileText(a.Percentile)
	}
	return observerTitle(a.Observer)
}

func percentileText(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) }

func observerTitle(id string) string {
	if id == scheme.MovingAverage {
		return "moving average"
	}
	return id
}

// schemeDetails names a scheme of the lab's, and describes another.
func schemeDetails(s scheme.Scheme) string {
	if lab, err := s.With(scheme.ModeOf, string(scheme.Float32)); err == nil {
		if lab, err = lab.With(scheme.ModeOf, string(s.Mode)); err == nil && lab == s {
			return modeName(s.Mode)
		}
	}
	return schemeWords(s.String())
}

// schemeWords describes a scheme: "static int8; weights in 8 bits, per channel; activations in 8 bits, reduced range, histogram".
func schemeWords(text string) string {
	s, err := scheme.ParseScheme(text)
	if err != nil {
		return text
	}
	if !hasGrid(s) {
		return modeName(s.Mode)
	}
	granularity := "per tensor"
	if s.Weight.PerChannel {
		granularity = "per channel"
	}
	weights := []string{"weights in " + plural(s.Weight.Bits, "bit"), granularity}
	if !s.Weight.Symmetric {
		weights = append(weights, "affine")
	}
	a := s.Activation
	activations := []string{"activations in " + plural(a.Bits, "bit")}
	for _, w := range []struct {
		on   bool
		text string
	}{{a.ReduceRange, "reduced range"}, {a.Symmetric, "symmetric"}, {a.PerRow, "per row"}, {s.Mode == scheme.Static, observerName(a)}} {
		if w.on {
			activations = append(activations, w.text)
		}
	}
	name := modeName(s.Mode)
	if s.Weight.Bits != 8 || a.Bits != 8 {
		name = string(s.Mode)
	}
	return strings.Join([]string{name, strings.Join(weights, ", "), strings.Join(activations, ", ")}, "; ")
}

// hasGrid reports whether the scheme puts numbers on a grid.
func hasGrid(s scheme.Scheme) bool { return slices.Contains(s.Settings(), scheme.WeightBits) }
