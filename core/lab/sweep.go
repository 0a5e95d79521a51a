package lab

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// sweepCalibration converts each model by one plan over and over, calibrated with samples of several sizes that several seeds
// draw from the training set, and tells how far accuracy hangs on the sample.
func sweepCalibration(ctx context.Context, host Host, src Source, req wire.Request, o wire.SweepOptions, emit func(wire.Event)) (*wire.Sweep, error) {
	o = o.WithDefaults()
	if err := o.Validate(req); err != nil {
		return nil, err
	}
	r, err := newRunner(ctx, host, src, req, emit)
	if err != nil {
		return nil, err
	}
	r.forewarn()
	out := &wire.Sweep{Setting: r.setting(), Points: []wire.SweepPoint{}, Spreads: []wire.SweepSpread{}}
	err = r.eachModel(func(c costing) float64 { return c.sweep(o) }, 0, func(spec nn.Spec) error {
		s := &sweep{trial: &trial{runner: r, spec: spec, cost: r.costing(spec.ID)}, options: o}
		if err := s.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", spec.ID, err)
		}
		out.Points = append(out.Points, s.points()...)
		out.Spreads = append(out.Spreads, s.spreads()...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Notes = r.result.Notes
	return out, nil
}

// sweep is the cost of a model's sweep.
func (c costing) sweep(o wire.SweepOptions) float64 {
	return c.load() + 2*c.data() + c.accuracy() + float64(o.Seeds)*c.seed(o)
}

// seed is the cost of the calibrations of one seed.
func (c costing) seed(o wire.SweepOptions) float64 {
	cost := 0.0
	for _, n := range o.Sizes {
		cost += c.accuracy()/2 + float64(n)*c.macs()/macsPerSecond/4 // observing, and at last recording
	}
	return cost
}

// A sweep is that of one model.
type sweep struct {
	*trial
	options wire.SweepOptions
	plan    scheme.Plan
	weights []quant.QuantizedLayer // converted once: only their grids change
	base    []int                  // float32's answers
	tries   []try
}

// A try is one calibration.
type try struct {
	wire.SweepPoint
	gained, lost int // answers that became right, and wrong
}

// run calibrates with every sample. Where data is missing it tries none, and notes why.
func (s *sweep) run(ctx context.Context) error {
	training, err := s.begin(ctx)
	if err != nil {
		if s.missing(err) != "" && ctx.Err() == nil {
			return nil
		}
		return err
	}
	if s.test == nil { // which load has noted
		return nil
	}
	if err := s.convert(ctx); err != nil {
		return err
	}
	sizes := s.sizes(training.Len())
	for seed := 1; seed <= s.options.Seeds && len(sizes) > 0; seed++ {
		if err := s.seed(ctx, training, uint64(seed), sizes); err != nil {
			return err
		}
	}
	return nil
}

// begin loads what the sweep needs, and parses the plan. The test examples may be missing.
func (s *sweep) begin(ctx context.Context) (training *dataset.Examples, err error) {
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	if s.plan, err = scheme.ParsePlan(s.options.Plan, len(s.net.Layers)); err != nil {
		return nil, err
	}
	step := s.step("loading the training examples")
	s.progress.begin(step, s.cost.data())
	if training, err = s.src.Train(ctx, s.spec, s.bytes(step)); err != nil {
		return nil, err
	}
	if training.Len() == 0 || training.Dim != s.spec.In {
		return nil, fmt.Errorf("%d training examples of %d features are not what the model reads, %d features: prepare the data again", training.Len(), training.Dim, s.spec.In)
	}
	return training, nil
}

// sizes returns those of the samples' sizes that so many training examples allow.
func (s *sweep) sizes(training int) []int {
	fit := slices.DeleteFunc(slices.Clone(s.options.Sizes), func(n int) bool { return n > training })
	if left := len(s.options.Sizes) - len(fit); left > 0 {
		what := "training examples"
		if own := s.spec.Calibration; own != "" {
			what = "examples to calibrate with, " + own
		}
		s.note(fmt.Sprintf("%s has %d %s: sizes above that were left out", s.spec.ID, training, what))
	}
	return fit
}

// modelOptions are those of a model that answers test examples.
func (t *trial) modelOptions(ctx context.Context) quant.Options {
	return quant.Options{Engine: t.engine, Threads: t.req.Threads, MaxBatch: EvalBatch, Input: t.input(), Look: func() error { return t.look(ctx) }}
}

// convert puts the weights on their grids, and asks float32 for its answers.
func (s *sweep) convert(ctx context.Context) error {
	look := func() error { return s.look(ctx) }
	for i, scheme := range s.plan {
		l, err := quant.QuantizeLayer(s.net.Layers[i], scheme, look)
		if err != nil {
			return err
		}
		s.weights = append(s.weights, l)
	}
	s.progress.begin(s.step("float32, accuracy"), s.cost.accuracy())
	plan, err := scheme.Preset(wire.Baseline, len(s.plan))
	if err != nil {
		return err
	}
	m, err := quant.Convert(s.net, plan, nil, s.modelOptions(ctx))
	if err != nil {
		return err
	}
	defer m.Close()
	s.base, err = s.classes(ctx, m, func(done, total int) {
		s.progress.at(s.step("float32, accuracy, %d of %d", done, total), float64(done)/float64(total))
	})
	return err
}

// seed calibrates with the samples of one seed, of which the smaller are heads of the largest: float32's activations are
// computed once.
func (s *sweep) seed(ctx context.Context, training *dataset.Examples, seed uint64, sizes []int) error {
	s.progress.begin(s.step("seed %d of %d, computing activations", seed, s.options.Seeds), s.cost.seed(s.options))
	sample := DrawSample(training, seed).Head(sizes[len(sizes)-1])
	recorded, err := Record(s.net, sample, func(done, total int) error { return s.look(ctx) })
	if err != nil {
		return err
	}
	for k, n := range sizes {
		cal, err := recorded.Head(n).Calibrate(s.plan, func() error { return s.look(ctx) })
		if err != nil {
			return err
		}
		at := func(done, total int) {
			share := (float64(k) + float64(done)/float64(total)) / float64(len(sizes))
			s.progress.at(s.step("seed %d of %d, calibrated with %d", seed, s.options.Seeds, n), share)
		}
		answers, err := s.calibrated(ctx, cal, at)
		if err != nil {
			return fmt.Errorf("calibrated with %d examples of seed %d: %w", n, seed, err)
		}
		s.tell(wire.SweepPoint{Model: s.spec.ID, Plan: s.plan.String(), Examples: n, Seed: seed}, answers)
	}
	return nil
}

// calibrated returns the plan's answers when its grids are these.
func (s *sweep) calibrated(ctx context.Context, cal *quant.Calibration, told func(done, total int)) ([]int, error) {
	layers := slices.Clone(s.weights)
	for i := range layers {
		layers[i].SetScheme(s.plan[i], i, cal)
	}
	m, err := quant.New(s.spec, layers, s.modelOptions(ctx))
	if err != nil {
		return nil, err
	}
	defer m.Close()
	return s.classes(ctx, m, told)
}

// tell completes a point by its answers and reports it.
func (s *sweep) tell(p wire.SweepPoint, answers []int) {
	var row wire.Row
	Score(&row, answers, s.test.Labels)
	paired := Paired(s.base, answers, s.test.Labels)
	p.Correct, p.Total, p.Differ = row.Correct, row.Total, len(paired.Flipped)
	s.tries = append(s.tries, try{p, paired.Gained, paired.Lost})
	s.emit(wire.Event{Kind: wire.EventSweep, Fraction: s.progress.fraction, Sweep: &p})
}

// points returns the calibrations, size by size.
func (s *sweep) points() []wire.SweepPoint {
	slices.SortFunc(s.tries, func(a, b try) int {
		return cmp.Or(cmp.Compare(a.Examples, b.Examples), cmp.Compare(a.Seed, b.Seed))
	})
	var points []wire.SweepPoint
	for _, t := range s.tries {
		points = append(points, t.SweepPoint)
	}
	return points
}

// spreads sums up the calibrations of each size. The points are sorted.
func (s *sweep) spreads() []wire.SweepSpread {
	var spreads []wire.SweepSpread
	for rest := s.tries; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Examples == rest[0].Examples {
			n++
		}
		spread := spreadOf(rest[:n])
		var base wire.Row
		Score(&base, s.base, s.test.Labels)
		spread.Baseline = *base.Accuracy
		spreads = append(spreads, spread)
		rest = rest[n:]
	}
	return spreads
}

// spreadOf sums up the calibrations of one size, but for the baseline.
//
// Its Sampling is what to measure Std by. The accuracy of a plan less that of float32, on the same n test examples, is the mean
// of n numbers that are +1 where an answer was gained, -1 where one was lost, and 0 elsewhere. Were the test examples drawn
// anew, that mean would have the variance of one such number over n, which is estimated by
//
//	(gained + lost - (gained-lost)²/n) / n²
//
// as for McNemar's test. Examples on which the two agree do not matter, so that it is much less than the standard error of
// either accuracy. The root of the calibrations' mean variance is Sampling: a standard deviation over the calibrations that is
// below it could not be told from the luck of the test set.
func spreadOf(tries []try) wire.SweepSpread {
	first := tries[0]
	var accuracies []float64
	variance := 0.0
	for _, t := range tries {
		n := float64(t.Total)
		accuracies = append(accuracies, float64(t.Correct)/n)
		sum, diff := float64(t.gained+t.lost), float64(t.gained-t.lost)
		variance += (sum - diff*diff/n) / (n * n)
	}
	a := measure.Summarize(accuracies)
	return wire.SweepSpread{
		Model: first.Model, Examples: first.Examples, Seeds: len(tries),
		Mean: a.Mean, Std: a.Std, Lowest: a.Min, Highest: a.Max,
		Sampling: math.Sqrt(variance / float64(len(tries))),
	}
}
