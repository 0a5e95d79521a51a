package play

import (
	"context"
	"fmt"
	"io"

	"quantlab/core/exchange"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// Export writes a model, converted as a run converts it, in the format that was asked for. emit, which may be nil, hears how far loading
// and calibrating are. After an error w holds part of a file.
func (b *Bench) Export(ctx context.Context, req wire.ExportRequest, w io.Writer, emit func(wire.Event)) (*wire.Exported, error) {
	if err := req.Validate(); err != nil {
		return nil, err
	}
	if emit == nil {
		emit = func(wire.Event) {}
	}
	release, err := b.take(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	n, err := b.network(ctx, req.Model, loading(req.Model, "the model", emit))
	if err != nil {
		return nil, err
	}
	m, err := b.exportable(ctx, n, req, emit)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	emit(wire.Event{Kind: wire.EventProgress, Step: req.Model + ", writing", Fraction: 1})
	if err := b.breathe(ctx); err != nil {
		return nil, err
	}
	card := exchange.Card{Spec: n.spec, Correct: n.meta.Correct, Total: n.meta.Total, Version: b.host.Version}
	if n.spec.Data == nn.SST2 {
		card.Vocabulary = n.meta.Vocabulary
	}
	out := &counted{w: w}
	notes, err := exchange.Export(out, m, card, req.Format)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", req.Model, err)
	}
	return &wire.Exported{Name: exchange.FileName(req), Bytes: out.n, Notes: notes}, nil
}

// exportable converts the network. Unlike the models that answer questions, of which each answers an example as if it were alone, a
// dynamic layer of it takes the grid of its activations from the whole batch, as the lab's do.
func (b *Bench) exportable(ctx context.Context, n *network, req wire.ExportRequest, emit func(wire.Event)) (*quant.Model, error) {
	plan, err := n.plan(req.Variant, req.Custom)
	if err != nil {
		return nil, err
	}
	var sample wire.Conversion
	if req.Variant == wire.Custom {
		sample = *req.Custom
	}
	cal, err := b.calibration(ctx, n, plan, sample, emit)
	if err != nil {
		return nil, err
	}
	m, err := quant.Convert(n.net, plan, cal, quant.Options{
		Engine: b.engine, MaxBatch: lab.EvalBatch, Look: func() error { return b.breathe(ctx) },
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.spec.ID, err)
	}
	return m, nil
}

// counted counts what is written.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
