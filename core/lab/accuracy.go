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
// the baseline's.
func (t *trial) accuracy(ctx context.Context) error {
	for _, s := range t.subjects {
		if s.model == nil {
			continue
		}
		if t.test == nil {
			s.row.Note = t.untested
			continue
		}
		t.progress.begin(t.step("%s, accuracy", short(s.variant)), t.cost.accuracy())
		if err := t.answer(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", short(s.variant), err)
		}
		s.score(t.test.Labels)
		if s.variant.ID == "dynamic-qint8" {
			t.note(fmt.Sprintf("accuracy was measured in batches of %d: dynamic int8 takes the range of its activations from each batch", EvalBatch))
		}
		if s != t.baseline() {
			s.row.Paired = paired(t.baseline().answers, s.answers, t.test.Labels)
		}
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

// score counts the right answers.
func (s *subject) score(labels []uint8) {
	for i, a := range s.answers {
		if a == int(labels[i]) {
			s.row.Correct++
		}
	}
	s.row.Total = len(labels)
	accuracy := float64(s.row.Correct) / float64(s.row.Total)
	s.row.Accuracy = &accuracy
	lo, hi := measure.Wilson(s.row.Correct, s.row.Total)
	s.row.Interval = &[2]float64{lo, hi}
}

// paired compares a variant's answers with the baseline's, example by example.
func paired(base, other []int, labels []uint8) *wire.Paired {
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
