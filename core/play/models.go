package play

import (
	"context"
	"fmt"
	"slices"

	"quantlab/core/dataset"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// A recipe is all that decides what a converted model answers.
type recipe struct {
	plan     string // as scheme.ParsePlan reads it
	examples int    // that calibrate it; 0 where nothing does, and for the lab's sample
	seed     uint64
	input    string // quant.Dense or quant.Sparse
}

// A model is a converted network, with what is remembered of timing it.
type model struct {
	*quant.Model
	calls int // of a timed sample, 0 before the first one
}

// keptOthers bounds how many models a network keeps beside the lab's variants: a plan of the reader's own, and the sparse
// ones that tell what each word of a sentence adds.
const keptOthers = 3

// alone returns the plan whose dynamic layers take the grid of their activations from each example, so that an example's
// answer in a batch is the one that it gets alone.
func alone(p scheme.Plan) scheme.Plan {
	p = slices.Clone(p)
	for i := range p {
		p[i].Activation.PerRow = p[i].Mode == scheme.Dynamic
	}
	return p
}

// model returns the network converted as the variant says, wire.Custom too, ready for up to lab.EvalBatch examples of which
// each is answered as if it were alone. Where it can't be calibrated because data is missing it returns nil and says so. emit hears
// how far calibrating is.
func (b *Bench) model(ctx context.Context, n *network, variant string, custom *wire.Conversion, input string, emit func(wire.Event)) (m *model, absent string, err error) {
	own := variant == wire.Custom || input != quant.Dense
	if m := n.lab[variant]; m != nil && !own {
		return m, "", nil
	}
	if why := n.absent[variant]; why != "" {
		return nil, why, nil
	}
	plan, err := n.plan(variant, custom)
	if err != nil {
		return nil, "", err
	}
	r := recipe{plan: alone(plan).String(), input: input}
	if variant == wire.Custom && plan.NeedsCalibration() {
		if r.seed = custom.Seed; r.seed != 0 || lab.SampleSize(*custom) != dataset.CalibrationSize {
			r.examples = lab.SampleSize(*custom)
		}
	}
	if m = n.models[r]; m == nil {
		if m, err = b.convert(ctx, n, plan, r, emit); err != nil {
			why, ok := lab.Absence(err)
			if !ok || ctx.Err() != nil {
				return nil, "", err
			}
			if variant != wire.Custom {
				n.absent[variant] = why
				n.notes = append(n.notes, err.Error())
			}
			return nil, why, nil
		}
	}
	n.keep(r, m, variant, own)
	return m, "", b.breathe(ctx)
}

// convert makes the recipe's model, calibrating the plan where it must be.
func (b *Bench) convert(ctx context.Context, n *network, plan scheme.Plan, r recipe, emit func(wire.Event)) (*model, error) {
	cal, err := b.calibration(ctx, n, plan, wire.Conversion{Examples: r.examples, Seed: r.seed}, emit)
	if err != nil {
		return nil, err
	}
	m, err := quant.Convert(n.net, alone(plan), cal, quant.Options{
		Engine: b.engine, MaxBatch: lab.EvalBatch, Input: r.input, Look: func() error { return b.breathe(ctx) },
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.spec.ID, err)
	}
	return &model{Model: m}, nil
}

// keep holds on to the recipe's model: a lab variant's for good; of the others, the reader's own, those asked last.
func (n *network) keep(r recipe, m *model, variant string, own bool) {
	isLab := func(m *model) bool {
		for _, l := range n.lab {
			if l == m {
				return true
			}
		}
		return false
	}
	n.models[r] = m
	n.recent = slices.DeleteFunc(n.recent, func(o recipe) bool { return o == r })
	if !own {
		n.lab[variant] = m
	}
	if isLab(m) {
		return
	}
	n.recent = append(n.recent, r)
	if len(n.recent) > keptOthers {
		n.models[n.recent[0]].Close()
		delete(n.models, n.recent[0])
		n.recent = slices.Delete(n.recent, 0, 1)
	}
}
