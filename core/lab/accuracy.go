package lab

import (
	"context"
	"fmt"
	"slices"

	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/quant"
)

// accuracy asks every variant for its class of every test example and compares the answers with the labels and with
// the baseline's. It reports each row as far as it is known then.
func (t *trial) accuracy(ctx context.Context) error {
	for _, s := range t.subjects {
		if s.model == nil {
			continue
		}
		if err := t.assess(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if t.asked(s.variant) {
			t.early(s.row)
		}
	}
	return nil
}

// assess measures the accuracy of one variant.
func (t *trial) assess(ctx context.Context, s *subject) error {
	if t.test == nil {
		s.row.Note = t.untested
		return nil
	}
	t.progress.begin(t.step("%s, accuracy", s.name), t.cost.accuracy())
	if err := t.answer(ctx, s); err != nil {
		return err
	}
	t.score(s)
	return nil
}

// score compares the subject's answers with the labels and with the baseline's.
func (t *trial) score(s *subject) {
	Score(&s.row, s.answers, t.test.Labels)
	if slices.ContainsFunc(s.plan, func(l quant.Scheme) bool { return l.Mode == quant.Dynamic && !l.Activation.PerRow }) {
		t.note(fmt.Sprintf("accuracy was measured in batches of %d: dynamic int8 takes the range of its activations from each batch", EvalBatch))
	}
	if s != t.baseline() {
		s.row.Paired = Paired(t.baseline().answers, s.answers, t.test.Labels)
	}
}

// answer fills the subject's answers.
func (t *trial) answer(ctx context.Context, s *subject) (err error) {
	s.answers, err = t.classes(ctx, s.model, func(done, total int) {
		t.progress.at(t.step("%s, accuracy, %d of %d", s.name, done, total), float64(done)/float64(total))
	})
	return err
}

// classes returns the model's class of every test example. told hears how many are known.
func (t *trial) classes(ctx context.Context, m *quant.Model, told func(done, total int)) ([]int, error) {
	answers := make([]int, 0, t.test.Len())
	look := func() error { return t.look(ctx) }
	for batch := range inBatches(t.test, told) {
		logits, err := m.ForwardInterruptible(batch, look)
		if err != nil {
			return nil, err
		}
		answers = appendClasses(answers, logits, t.spec.Out)
		if err := look(); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// appendClasses appends the answers that the logits of some examples give.
func appendClasses(answers []int, logits []float32, classes int) []int {
	for ; len(logits) > 0; logits = logits[classes:] {
		answers = append(answers, quant.Class(logits[:classes]))
	}
	return answers
}

// Score sets the row's accuracy: the share of the answers that are the labels. There is at least one of both.
func Score(row *wire.Row, answers []int, labels []uint8) {
	row.Correct, row.Total = 0, len(labels)
	for i, a := range answers {
		if a == int(labels[i]) {
			row.Correct++
		}
	}
	accuracy := float64(row.Correct) / float64(row.Total)
	row.Accuracy = &accuracy
	lo, hi := measure.Wilson(row.Correct, row.Total)
	row.Interval = &[2]float64{lo, hi}
}

// Paired compares a variant's answers with the baseline's, example by example: the classes that each answers, and the right
// ones. All are equally long.
func Paired(base, other []int, labels []uint8) *wire.Paired {
	p := &wire.Paired{Flipped: []int{}}
	for i, b := range base {
		o, label := other[i], int(labels[i])
		if o == b {
			continue
		}
		p.Flipped = append(p.Flipped, i)
		switch label {
		case o:
			p.Gained++
		case b:
			p.Lost++
		}
	}
	p.P = measure.McNemar(p.Gained, p.Lost)
	return p
}
