package play

import (
	"context"
	"fmt"

	"quantlab/core/ink"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
)

// Do answers one command of package wire's play.go. emit hears the events that answer it, from the goroutine that called Do,
// and at the end exactly one of EventDone, EventError and EventCancel.
func (b *Bench) Do(ctx context.Context, c wire.Command, emit func(wire.Event)) {
	lab.Conclude(ctx, b.do(ctx, c, emit), wire.Event{}, emit)
}

func (b *Bench) do(ctx context.Context, c wire.Command, emit func(wire.Event)) error {
	switch {
	case c.Op == wire.OpWarm && c.Warm != "":
		return b.Warm(ctx, c.Warm)
	case c.Op == wire.OpPredict && c.Predict != nil:
		p, err := b.predict(ctx, *c.Predict, emit)
		if err == nil {
			emit(wire.Event{Kind: wire.EventPrediction, Prediction: p})
		}
		return err
	case c.Op == wire.OpSamples && c.Samples != nil:
		return b.Samples(ctx, *c.Samples, emit)
	case c.Op == wire.OpPicture && c.Picture != nil:
		p, err := ink.ReadPicture(*c.Picture)
		if err == nil {
			emit(wire.Event{Kind: wire.EventPicture, Picture: p})
		}
		return err
	case c.Op == wire.OpSearch && c.Search != nil:
		return b.Search(ctx, *c.Search, emit)
	case c.Op == wire.OpInspect && c.Inspect != nil:
		return b.Inspect(ctx, *c.Inspect, emit)
	case c.Op == wire.OpAdvise && c.Advise != nil:
		return b.Advise(ctx, *c.Advise, emit)
	case c.Op == wire.OpEvaluate && c.Evaluate != nil:
		return b.Evaluate(ctx, *c.Evaluate, emit)
	}
	return fmt.Errorf("the command %.20q can't be answered: it is not known, or lacks its question", c.Op)
}

// Warm loads a model and converts it to the lab's variants, so that the first question about it is answered soon.
func (b *Bench) Warm(ctx context.Context, model string) error {
	release, err := b.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	n, err := b.network(ctx, model, nil)
	if err != nil {
		return err
	}
	_, err = b.rows(ctx, n, nil, func(wire.Event) {})
	return err
}
