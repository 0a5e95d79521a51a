package lab

import (
	"context"
	"fmt"

	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/nn"
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
			return fmt.Errorf("%s: %w", short(s.variant), err)
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
	t.progress.begin(t.step("%s, accuracy", short(s.variant)), t.cost.accuracy())
	if err := t.answer(ctx, s); err != nil {
		return err
	}
	Score(&s.row, s.answers, t.test.Labels)
	if s.variant.ID == "dynamic-qint8" {
		t.note(fmt.Sprintf("accuracy was measured in batches of %d: dynamic int8 takes the range of its activations from each batch", EvalBatch))
	}
	if s != t.baseline() {
		s.row.Paired = Paired(t.baseline().answers, s.answers, t.test.Labels)
	}
	return nil
}

// answer fills the subject's answers.
func (t *trial) answer(ctx context.Context, s *subject) error {
	n := t.test.Len()
	s.answers = make([]int, 0, n)
	var batch nn.Batch
	look := func() error {
		t.breathe()
		return ctx.Err()
	}
	for lo := 0; lo < n; lo += EvalBatch {
		hi := min(lo+EvalBatch, n)
		t.test.Slice(&batch, lo, hi)
		logits, err := s.model.ForwardInterruptible(batch, look)
		if err != nil {
			return err
		}
		for row := range hi - lo {
			s.answers = append(s.answers, quant.Argmax(logits[row*t.spec.Out:(row+1)*t.spec.Out]))
		}
		t.progress.at(t.step("%s, accuracy, %d of %d", short(s.variant), hi, n), float64(hi)/float64(n))
		if err := look(); err != nil {
			return err
		}
	}
	return nil
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
