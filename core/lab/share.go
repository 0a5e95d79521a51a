package lab

import (
	"context"
	"fmt"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// A Share makes that many threads share the batches of these models, which stay as they are and of which the caller
// alone runs any. A browser's threads need it: they have no memory in common where a model could lie.
type Share func(ctx context.Context, models []*quant.Model, threads int) (Shared, error)

// Shared are models whose batches several threads share.
type Shared interface {
	// Forward is the Forward of one of the models, by its place among them.
	Forward(model int, x nn.Batch) (logits []float32, err error)
	// Shares reports whether batches of that many rows, dense or sparse, are shared at all.
	Shares(rows int, sparse bool) bool
	// Close ends the sharing.
	Close()
}

// A forward is quant.Model.Forward.
type forward = func(x nn.Batch) (logits []float32, err error)

// share says how every model runs while latency is measured: on its own, or, where that is how the host has threads, with
// the help of others until stop is called.
func (t *trial) share(ctx context.Context) (stop func(), err error) {
	var models []*quant.Model
	for _, s := range t.subjects {
		if s.model != nil {
			s.forward = s.model.Forward
			models = append(models, s.model)
		}
	}
	if t.host.Share == nil || t.req.Threads < 2 || len(models) == 0 {
		return func() {}, nil
	}
	shared, err := t.host.Share(ctx, models, t.req.Threads)
	if err != nil {
		return nil, fmt.Errorf("starting %d threads: %w", t.req.Threads, err)
	}
	i := 0
	for _, s := range t.subjects {
		if s.model != nil {
			model := i
			s.forward = func(x nn.Batch) ([]float32, error) { return shared.Forward(model, x) }
			i++
		}
	}
	if t.host.Peaks != nil {
		t.note(fmt.Sprintf("the limits of a browser's threads are not measured: the roofline takes %d times the multiply-adds of one", t.req.Threads))
	}
	for _, b := range t.req.Batches {
		switch sparse := t.input() == wire.Sparse; {
		case shared.Shares(b, sparse):
		case sparse:
			t.note("threads share the rows of dense batches only: sparse ones were computed by one thread")
		default:
			t.note(fmt.Sprintf("threads share a batch by its rows: batches of %d were computed by one thread", b))
		}
	}
	return shared.Close, nil
}

// oneThread returns the request with one thread, and true, where further ones would each hold a copy of all the models that an
// experiment has at once.
func (h Host) oneThread(req wire.Request) (wire.Request, bool) {
	if h.Share == nil || req.Threads < 2 {
		return req, false
	}
	req.Threads = 1
	return req, true
}

// notShared is what to note then.
const notShared = "measured with one thread: in a browser each further one would hold all plans' weights again"
