package play

import (
	"context"
	"fmt"

	"quantlab/core/dataset"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// A sample is examples to calibrate with, in the order that observers see them, and what a float32 network computes on them.
// The activations of 1024 examples take 5 MB for mnist-lab1, 10 MB for mnist-lab2, 2 MB and 3 MB for the SST-2 models;
// wire.MaxCalibration examples take eight times as much. A network keeps its lab's sample, a Bench one drawn sample.
type sample struct {
	model string
	seed  uint64

	examples *dataset.Examples  // as many as may be asked for
	recorded *quant.Activations // of the first ones of them
	first    *view              // of as many of these as were asked for last
}

// A view is the activations of the first examples of a sample, with what was found out about them.
type view struct {
	*quant.Activations
	boundaries []*boundary // nil where nobody asked yet
	effects    map[placing]effect

	start *view // of few
}

// few is a view of the first examples only, enough to compare grids by.
func (v *view) few() *view {
	if v.start == nil {
		v.start = newView(v.Head(lossBatches*lab.EvalBatch), len(v.boundaries))
	}
	return v.start
}

func newView(a *quant.Activations, boundaries int) *view {
	return &view{Activations: a, boundaries: make([]*boundary, boundaries), effects: map[placing]effect{}}
}

// calibration returns the grids of the plan's activations, nil where it needs none.
func (b *Bench) calibration(ctx context.Context, n *network, plan scheme.Plan, c wire.Conversion, emit func(wire.Event)) (*quant.Calibration, error) {
	if !plan.NeedsCalibration() {
		return nil, nil
	}
	if err := lab.CheckSample(c); err != nil {
		return nil, err
	}
	if c.Seed == 0 && lab.SampleSize(c) == dataset.CalibrationSize && n.meta.Calibration != nil && n.spec.Calibration == "" && lab.ObservesLikeTheLab(plan) {
		return n.meta.Calibration, nil
	}
	v, err := b.activations(ctx, n, c, emit)
	if err != nil {
		return nil, err
	}
	return v.Calibrate(plan, func() error { return b.breathe(ctx) })
}

// activations returns what float32 computes on the examples that calibrate the conversion.
func (b *Bench) activations(ctx context.Context, n *network, c wire.Conversion, emit func(wire.Event)) (*view, error) {
	if err := lab.CheckSample(c); err != nil {
		return nil, err
	}
	s, err := b.sample(ctx, n, c.Seed, emit)
	if err != nil {
		return nil, err
	}
	want := min(lab.SampleSize(c), s.examples.Len())
	if s.recorded == nil || s.recorded.Examples() < want {
		// Batches are as in a run; only the last one of the sample may be short.
		batches := (want + lab.EvalBatch - 1) / lab.EvalBatch
		s.recorded, s.first = nil, nil // for its memory
		if s.recorded, err = b.record(ctx, n, s.examples.Head(batches*lab.EvalBatch), emit); err != nil {
			return nil, err
		}
	}
	if s.first == nil || s.first.Examples() != want {
		s.first = newView(s.recorded.Head(want), len(n.net.Layers)+1)
	}
	return s.first, nil
}

// sample returns the lab's sample, or one drawn from the training set by a seed above 0.
func (b *Bench) sample(ctx context.Context, n *network, seed uint64, emit func(wire.Event)) (*sample, error) {
	if seed == 0 {
		if n.sample == nil {
			examples, err := b.src.Calibration(ctx, n.spec, loading(n.spec.ID, "the calibration examples", emit))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", n.spec.ID, err)
			}
			if err := checkExamples(examples, n.spec); err != nil {
				return nil, err
			}
			n.sample = &sample{model: n.spec.ID, examples: examples}
		}
		return n.sample, nil
	}
	if s := b.drawn; s != nil && s.model == n.spec.ID && s.seed == seed {
		return s, nil
	}
	b.drawn = nil // for its memory
	all, err := b.src.Train(ctx, n.spec, loading(n.spec.ID, "the training examples", emit))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.spec.ID, err)
	}
	if err := checkExamples(all, n.spec); err != nil {
		return nil, err
	}
	b.drawn = &sample{model: n.spec.ID, seed: seed, examples: lab.DrawSample(all, seed)}
	return b.drawn, b.breathe(ctx)
}

// record runs the float32 network on the examples.
func (b *Bench) record(ctx context.Context, n *network, examples *dataset.Examples, emit func(wire.Event)) (*quant.Activations, error) {
	return lab.Record(n.net, examples, func(done, total int) error {
		emit(wire.Event{Kind: wire.EventProgress, Step: n.spec.ID + ", computing activations", Fraction: float64(done) / float64(total)})
		return b.breathe(ctx)
	})
}

// loading turns a source's byte counts into progress.
func loading(model, what string, emit func(wire.Event)) func(done, total int64) {
	return func(done, total int64) {
		if total > 0 {
			emit(wire.Event{Kind: wire.EventProgress, Step: model + ", loading " + what, Fraction: float64(done) / float64(total)})
		}
	}
}

// checkExamples refuses examples that the model can't read.
func checkExamples(e *dataset.Examples, spec nn.Spec) error {
	if e.Len() == 0 || e.Dim != spec.In {
		return fmt.Errorf("%s: %d examples of %d features are not what it reads, %d features: prepare the data again", spec.ID, e.Len(), e.Dim, spec.In)
	}
	return nil
}
