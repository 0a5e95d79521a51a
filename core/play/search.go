package play

import (
	"context"
	"fmt"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// Search looks through a model's test set, in its order, for examples that the variant and float32 answer differently when
// they are shown each one alone. It emits them as it finds them, and how far it is; it ends when it has found the limit.
func (b *Bench) Search(ctx context.Context, req wire.SearchRequest, emit func(wire.Event)) error {
	if req.Limit < 0 || req.Limit > wire.MaxFound {
		return fmt.Errorf("%d examples to find are out of range: give 1 to %d, or 0 for as many", req.Limit, wire.MaxFound)
	}
	if req.Limit == 0 {
		req.Limit = wire.MaxFound
	}
	release, err := b.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	s, err := b.newSearch(ctx, req, emit)
	if err != nil {
		return err
	}
	return s.run(req.Limit, emit)
}

// A search asks two models the same examples.
type search struct {
	*Bench
	ctx         context.Context
	n           *network
	base, other *model
	test        *dataset.Examples
	gallery     *gallery
	step        string
}

func (b *Bench) newSearch(ctx context.Context, req wire.SearchRequest, emit func(wire.Event)) (*search, error) {
	n, err := b.network(ctx, req.Model, loading(req.Model, "the model", emit))
	if err != nil {
		return nil, err
	}
	s := &search{Bench: b, ctx: ctx, n: n, step: req.Model + ", searching the test set"}
	if s.base, _, err = b.model(ctx, n, wire.Baseline, nil, quant.Dense, emit); err != nil {
		return nil, err
	}
	var absent string
	if s.other, absent, err = b.model(ctx, n, req.Variant, req.Custom, quant.Dense, emit); err != nil {
		return nil, err
	}
	if s.other == nil {
		return nil, fmt.Errorf("%s can't be searched: %s", req.Variant, absent)
	}
	if s.test, err = b.src.Test(ctx, n.spec, 0, loading(req.Model, "the test examples", emit)); err != nil {
		return nil, err
	}
	if s.gallery, err = b.gallery(ctx, n.spec, 0); err != nil {
		return nil, err
	}
	if len(s.gallery.labels) != s.test.Len() {
		return nil, fmt.Errorf("the test set has %d examples to read and %d to see: prepare the data again", s.test.Len(), len(s.gallery.labels))
	}
	return s, nil
}

// progressEvery keeps progress events to about twenty a second.
const progressEvery = 50 * time.Millisecond

func (s *search) run(limit int, emit func(wire.Event)) error {
	var batch nn.Batch
	found, told := 0, time.Time{}
	for lo := 0; lo < s.test.Len() && found < limit; lo += lab.EvalBatch {
		hi := min(lo+lab.EvalBatch, s.test.Len())
		s.test.Slice(&batch, lo, hi)
		if err := s.askBaseline(batch, hi); err != nil {
			return err
		}
		logits, err := s.forward(s.other, batch)
		if err != nil {
			return err
		}
		for i := lo; i < hi && found < limit; i++ {
			class := quant.Class(logits[(i-lo)*s.n.spec.Out : (i-lo+1)*s.n.spec.Out])
			if base := s.n.base[i]; class != base.class {
				e := s.gallery.example(i)
				e.Baseline, e.Answer, e.Margin = s.gallery.names[base.class], s.gallery.names[class], base.margin
				emit(wire.Event{Kind: wire.EventExample, Example: e})
				found++
			}
		}
		if time.Since(told) >= progressEvery {
			told = time.Now()
			emit(wire.Event{Kind: wire.EventProgress, Step: s.step, Fraction: float64(hi) / float64(s.test.Len())})
		}
	}
	return nil
}

// forward passes the batch; the host has its turn within.
func (s *search) forward(m *model, batch nn.Batch) ([]float32, error) {
	return m.ForwardInterruptible(batch, func() error { return s.breathe(s.ctx) })
}

// A verdict is what float32 answers to an example.
type verdict struct {
	class  int
	margin float64 // in probability
}

// askBaseline makes sure that the network's verdicts on the test examples up to hi are known. The batch holds the last ones.
func (s *search) askBaseline(batch nn.Batch, hi int) error {
	if len(s.n.base) >= hi {
		return nil
	}
	logits, err := s.forward(s.base, batch)
	if err != nil {
		return err
	}
	for r := range batch.Rows {
		row := logits[r*s.n.spec.Out : (r+1)*s.n.spec.Out]
		z := make([]float64, len(row))
		for i, v := range row {
			z[i] = float64(v)
		}
		s.n.base = append(s.n.base, verdict{quant.Class(row), margin(softmax(z))})
	}
	return nil
}
