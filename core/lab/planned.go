package lab

import (
	"context"
	"fmt"

	"quantlab/core/quant"
)

// grow makes the models of all subjects that can be had, which share whatever layers they have in common, and takes their
// sizes. The calibration is nil where there is none, for the reason that is to be noted.
func (t *trial) grow(ctx context.Context, cal *quant.Calibration, uncalibrated string) error {
	t.progress.begin(t.step("converting"), t.cost.convert(len(t.subjects)))
	var grown []*subject
	var plans []quant.Plan
	for _, s := range t.subjects {
		if cal == nil && s.plan.NeedsCalibration() {
			s.row.Note = uncalibrated
			continue
		}
		grown, plans = append(grown, s), append(plans, s.plan)
	}
	var err error
	t.forest, err = quant.NewForest(t.net, plans, cal, quant.Options{
		Engine: t.engine, Threads: t.req.Threads, MaxBatch: t.largest(), Input: t.input(), Look: func() error { return t.look(ctx) },
	})
	if err != nil {
		return err
	}
	for i, s := range grown {
		s.model = t.forest.Model(i)
		if err := t.weigh(s); err != nil {
			return err
		}
		t.progress.at(t.step("%s, converting", s.name), float64(i+1)/float64(len(grown)))
		if err := t.look(ctx); err != nil {
			return err
		}
	}
	return nil
}

// accuracies asks all subjects that grow makes for their classes of every test example, EvalBatch at a time, and compares
// them with the labels and with the baseline's. Where plans begin alike, that part is computed once.
func (t *trial) accuracies(ctx context.Context) error {
	var asked []*subject // in the order of the forest's plans
	for _, s := range t.subjects {
		if s.model != nil {
			asked = append(asked, s)
		}
	}
	if t.test == nil {
		for _, s := range asked {
			s.row.Note = t.untested
		}
		return nil
	}
	t.progress.begin(t.step("accuracy"), t.cost.accuracies(len(asked)))
	for _, s := range asked {
		s.answers = make([]int, 0, t.test.Len())
	}
	take := func(plan int, logits []float32) error {
		asked[plan].answers = appendClasses(asked[plan].answers, logits, t.spec.Out)
		return nil
	}
	told := func(done, total int) {
		t.progress.at(t.step("accuracy of %d plans, %d of %d", len(asked), done, total), float64(done)/float64(total))
	}
	for batch := range inBatches(t.test, told) {
		if err := t.forest.Forward(batch, take); err != nil {
			return fmt.Errorf("measuring accuracy: %w", err)
		}
		if err := t.look(ctx); err != nil {
			return err
		}
	}
	for _, s := range asked {
		t.score(s)
	}
	return nil
}
