package lab

import (
	"context"
	"fmt"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/train"
)

// trainingEvery keeps EventTraining to about ten a second.
const trainingEvery = 100 * time.Millisecond

// EmulatedNote is the note of a model whose low products were computed without instructions for them.
const EmulatedNote = "emulated: accuracy only, no speed claim"

// compareTraining trains every model of the request in float32 and with mixed precision, from the request's seed on, and tells
// what that made of time, accuracy and latency. Both are evaluated in float32.
func compareTraining(ctx context.Context, host Host, src Source, req wire.Request, o wire.AMPOptions, emit func(wire.Event)) (*wire.AMP, error) {
	o = o.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r, err := newRunner(ctx, host, src, req, emit)
	if err != nil {
		return nil, err
	}
	if err := r.trainable(); err != nil {
		return nil, err
	}
	c := &comparison{runner: r, options: o, precision: train.Precision(o.Type)}
	c.forewarn()
	rows, err := c.models(ctx)
	if err != nil {
		return nil, err
	}
	c.noteUnsteady(latencies(rows))
	return &wire.AMP{Setting: c.setting(), Options: o, Rows: rows, Notes: c.result.Notes}, nil
}

// A comparison is one call of compareTraining. Its runner's result holds nothing but notes.
type comparison struct {
	*runner
	options   wire.AMPOptions
	precision train.Precision
}

// models compares the request's models.
func (c *comparison) models(ctx context.Context) ([]wire.AMPRow, error) {
	rows := []wire.AMPRow{}
	err := c.eachModel(c.cost, 0, func(spec nn.Spec) error {
		row, err := c.model(ctx, spec)
		if err != nil {
			return fmt.Errorf("%s: %w", spec.ID, err)
		}
		rows = append(rows, row)
		c.emit(wire.Event{Kind: wire.EventAMP, AMP: &row})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// latencies returns the rows that hold any.
func latencies(rows []wire.AMPRow) (all []wire.Row) {
	for _, r := range rows {
		all = append(all, r.Baseline, r.Row)
	}
	return all
}

// cost is that of one model.
func (c *comparison) cost(k costing) float64 {
	sum := k.load() + k.data() + 2*float64(c.options.Seeds)*(c.trainCost(k)+k.accuracy())
	for _, b := range c.req.Batches {
		sum += k.latency(2, b)
	}
	return sum
}

// trainCost is that of one training.
func (c *comparison) trainCost(k costing) float64 {
	share := 1.0
	if c.options.Epochs > 0 {
		share = float64(c.options.Epochs) / float64(k.spec.Epochs)
	}
	if c.options.Limit > 0 {
		share *= min(1, float64(c.options.Limit)/trainingExamples)
	}
	return share * k.train()
}

// model compares the trainings of one model.
func (c *comparison) model(ctx context.Context, spec nn.Spec) (wire.AMPRow, error) {
	t := &contest{trial: trial{runner: c.runner, spec: spec, cost: c.costing(spec.ID)}, comparison: c}
	defer t.close()
	base := wire.Variants()[0]
	for _, v := range []wire.Variant{base, {ID: wire.AMPVariant, Q: wire.AMPQ, DType: base.DType, Title: "mixed precision"}} {
		t.subjects = append(t.subjects, &subject{variant: v, name: short(v), row: t.blank(v)})
	}
	t.out = wire.AMPRow{Type: c.options.Type, Emulated: c.precision.Emulated(c.engine), Float32: []wire.Training{}, Mixed: []wire.Training{}}
	if t.out.Emulated {
		t.subjects[1].row.Note = EmulatedNote
	}
	err := t.run(ctx)
	if what := c.missing(err); what != "" && ctx.Err() == nil {
		for _, s := range t.subjects {
			s.row.Note = absent(what)
		}
		err = nil
	}
	t.out.Baseline, t.out.Row = t.subjects[0].row, t.subjects[1].row
	return t.out, err
}

// A contest is the comparison of one model: a trial whose subjects are what the first seed gives, in float32 and mixed.
type contest struct {
	trial
	comparison *comparison
	out        wire.AMPRow
	examples   *dataset.Examples // to train on
}

func (t *contest) run(ctx context.Context) error {
	if err := t.loadExamples(ctx); err != nil {
		return err
	}
	for i := range t.comparison.options.Seeds {
		// Each kind comes first in turn: a machine may slow down as it grows warm.
		for k := range 2 {
			if err := t.fit(ctx, uint64(i), (i+k)%2 == 1); err != nil {
				return err
			}
		}
	}
	if !t.out.Emulated {
		t.out.Time = verdictOf(t.out, func(r wire.Training) float64 { return r.Seconds })
		t.out.Matrix = verdictOf(t.out, func(r wire.Training) float64 { return r.Matrix })
	}
	base, other := t.subjects[0], t.subjects[1]
	other.row.Paired = Paired(base.answers, other.answers, t.test.Labels)
	return t.latency(ctx)
}

// verdictOf compares the trainings of the same seeds.
func verdictOf(row wire.AMPRow, value func(wire.Training) float64) *wire.Verdict {
	var base, other []float64
	for i := range row.Float32 {
		base, other = append(base, value(row.Float32[i])), append(other, value(row.Mixed[i]))
	}
	return VerdictOf(base, other)
}

// loadExamples brings what to train and to test on.
func (t *contest) loadExamples(ctx context.Context) (err error) {
	step := t.step("loading the training examples")
	t.progress.begin(step, t.cost.load())
	if t.examples, err = t.src.Train(ctx, trained(t.spec), t.bytes(step)); err != nil {
		return err
	}
	if limit := t.comparison.options.Limit; limit > 0 && limit < t.examples.Len() {
		t.examples = t.examples.Head(limit)
	}
	step = t.step("loading the test examples")
	t.progress.begin(step, t.cost.data())
	if t.test, err = t.src.Test(ctx, t.spec, t.req.Examples, t.bytes(step)); err != nil {
		return err
	}
	return checkExamples(t.test, t.spec)
}

// fit trains once, from the i-th seed, and measures the accuracy that gives.
func (t *contest) fit(ctx context.Context, i uint64, mixed bool) error {
	options := train.Options{Seed: t.req.Seed + i, Threads: t.req.Threads, Engine: t.engine, Epochs: t.comparison.options.Epochs}
	trainings, s := &t.out.Float32, t.subjects[0]
	if mixed {
		trainings, s = &t.out.Mixed, t.subjects[1]
		options.Precision = t.comparison.precision
	}
	name := fmt.Sprintf("%v, seed %d", options.Precision, options.Seed)
	t.progress.begin(t.step("training in %s", name), t.comparison.trainCost(t.cost))
	record, told := NewRecorder(t.spec.ID, options), time.Time{}
	tell := func() {
		news := record.News()
		t.emit(wire.Event{Kind: wire.EventTraining, Training: &news})
		told = time.Now()
	}
	net, err := train.Train(ctx, t.spec, t.examples, options, func(p train.Progress) {
		t.breathe()
		record.Record(p)
		if time.Since(told) >= trainingEvery {
			tell()
		}
		t.progress.at(t.step("training in %s, epoch %d of %d", name, p.Epoch, p.Epochs), p.Share())
	})
	if err != nil {
		return err
	}
	if i > 0 {
		s = &subject{name: s.name}
	}
	err = t.judge(ctx, s, net)
	if i > 0 && s.model != nil {
		s.model.Close()
	}
	if err != nil {
		return err
	}
	record.Score(s.row.Correct, s.row.Total)
	tell()
	*trainings = append(*trainings, record.Training())
	return nil
}

// judge makes the network the subject's float32 model, and takes its size and accuracy.
func (t *contest) judge(ctx context.Context, s *subject, net *nn.Network) (err error) {
	if s.plan, err = quant.Preset(wire.Baseline, len(net.Layers)); err != nil {
		return err
	}
	s.model, err = quant.Convert(net, s.plan, nil, quant.Options{
		Engine: t.engine, Threads: t.req.Threads, MaxBatch: t.largest(), Input: t.input(),
	})
	if err != nil {
		return err
	}
	if err := t.weigh(s); err != nil {
		return err
	}
	t.progress.begin(t.step("%s, accuracy", s.name), t.cost.accuracy())
	if err := t.answer(ctx, s); err != nil {
		return err
	}
	Score(&s.row, s.answers, t.test.Labels)
	return nil
}
