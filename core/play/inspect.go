package play

import (
	"context"
	"fmt"
	"slices"

	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// lossBatches is how many batches of the calibration examples a layer's OutputLoss and ChainLoss are measured on: its outputs
// for 256 examples are enough for a tenth of a dB.
const lossBatches = 4

// Inspect tells what a conversion did to each layer, in one EventInspection. Its numbers are the same on every machine.
func (b *Bench) Inspect(ctx context.Context, req wire.InspectRequest, emit func(wire.Event)) error {
	release, err := b.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	in, err := b.inspector(ctx, req.Model, req.Conversion, emit)
	if err != nil {
		return err
	}
	if err := checkUnits(in.n.spec, req.Units); err != nil {
		return err
	}
	told := &wire.Inspection{Model: req.Model, Plan: in.plan.String(), Examples: in.view.Examples()}
	chain := make([][]float32, min(in.view.Batches(), lossBatches))
	for i := range in.plan {
		l, err := in.layer(i, chain)
		if err != nil {
			return err
		}
		told.Layers = append(told.Layers, l)
		emit(wire.Event{Kind: wire.EventProgress, Step: req.Model + ", " + l.Name, Fraction: float64(i+1) / float64(len(in.plan))})
	}
	if len(req.Units) > 0 {
		if told.Filters, err = in.filters(req.Units); err != nil {
			return err
		}
	}
	emit(wire.Event{Kind: wire.EventInspection, Inspection: told})
	return nil
}

// An inspector looks at a network under a plan.
type inspector struct {
	b    *Bench
	n    *network
	plan scheme.Plan
	view *view
	look func() error // to be called between pieces of work
}

// inspector reads a conversion and gets what it takes to look at it.
func (b *Bench) inspector(ctx context.Context, model string, c wire.Conversion, emit func(wire.Event)) (*inspector, error) {
	n, err := b.network(ctx, model, loading(model, "the model", emit))
	if err != nil {
		return nil, err
	}
	plan, err := scheme.ParsePlan(c.Plan, len(n.net.Layers))
	if err != nil {
		return nil, err
	}
	v, err := b.activations(ctx, n, c, emit)
	if err != nil {
		return nil, err
	}
	return &inspector{b: b, n: n, plan: plan, view: v, look: func() error { return b.breathe(ctx) }}, nil
}

// converted returns layer i as a plan has it, with what is known of its weights.
func (in *inspector) converted(plan scheme.Plan, i int) (quant.QuantizedLayer, *weights, error) {
	w, err := in.b.layerWeights(in.n, i, plan[i], in.look)
	if err != nil {
		return quant.QuantizedLayer{}, nil, err
	}
	cal, err := in.view.Calibrate(plan, in.look)
	if err != nil {
		return quant.QuantizedLayer{}, nil, fmt.Errorf("%s: %w", in.n.spec.ID, err)
	}
	l := w.layer
	l.SetScheme(plan[i], i, cal)
	return l, w, nil
}

// layer tells what the plan did to layer i. chain holds what the layers before made of each batch, all of them converted, and
// then what this one makes of it.
func (in *inspector) layer(i int, chain [][]float32) (wire.Layer, error) {
	l, w, err := in.converted(in.plan, i)
	if err != nil {
		return wire.Layer{}, err
	}
	told := wire.Layer{
		Name: l.Name, In: l.In, Out: l.Out, ReLU: l.ReLU, Scheme: l.Scheme.String(), Bytes: modelfile.LayerBytes(&w.layer),
		Weights: w.distribution(), WeightLoss: wire.Distortion(w.lost.all), Rows: w.lost.rows, Cols: w.lost.cols,
	}
	about := findings{Layer: &told, weights: w, data: in.n.spec.Data, first: i == 0, examples: in.view.Examples()}
	before, err := in.view.at(in.b.engine, i, l.In, in.look)
	if err != nil {
		return told, err
	}
	after, err := in.view.at(in.b.engine, i+1, l.Out, in.look)
	if err != nil {
		return told, err
	}
	told.Input, told.Output = before.Distribution, after.Distribution
	if l.ReLU {
		told.Dead = after.dead
	}
	told.InputLoss.SQNR = quant.MaxSQNR
	if l.I8 != nil {
		at := inputPlacing(in.plan, i, l)
		if about.input, err = in.view.effect(in.b.engine, at, in.look); err != nil {
			return told, err
		}
		markGrid(&told.Input, about.input, quant.Top(at.quantizer))
		told.InputLoss = wire.Distortion(about.input.loss)
	}
	if l.OutGrid != nil {
		at := placing{boundary: i + 1, quantizer: l.Scheme.Activation, grid: *l.OutGrid}
		if about.output, err = in.view.effect(in.b.engine, at, in.look); err != nil {
			return told, err
		}
		markGrid(&told.Output, about.output, quant.Top(at.quantizer))
	}
	alone, chained, err := in.outputs(i, &l, chain)
	if err != nil {
		return told, err
	}
	told.OutputLoss, told.ChainLoss = wire.Distortion(alone), wire.Distortion(chained)
	told.Explain, err = in.explain(i, &about)
	return told, err
}

// inputPlacing says how what enters int8 layer i is put on a grid: as its own scheme says, unless a static layer before has put
// it on one already.
func inputPlacing(plan scheme.Plan, i int, l quant.QuantizedLayer) placing {
	p := placing{boundary: i, quantizer: l.Scheme.Activation}
	if l.InGrid == nil {
		p.dynamic = true
		return p
	}
	p.grid = *l.InGrid
	if i > 0 && plan[i-1].Mode == scheme.Static {
		p.quantizer = plan[i-1].Activation
	}
	return p
}

// outputs runs layer i on what float32 feeds it, and on what the converted layers before it feed it.
func (in *inspector) outputs(i int, l *quant.QuantizedLayer, chain [][]float32) (alone, chained quant.Distortion, err error) {
	m, err := in.view.Runner(i, l, in.options())
	if err != nil {
		return alone, chained, err
	}
	defer m.Close()
	exact := !slices.ContainsFunc(in.plan[:i], func(s scheme.Scheme) bool { return s.Mode != scheme.Float32 })
	var one, all quant.Tally
	for k := range chain {
		want := in.view.Output(k, i)
		y, err := m.ForwardInterruptible(in.view.Feed(k, i), in.look)
		if err != nil {
			return alone, chained, err
		}
		one.Add(want, y)
		if !exact {
			x := nn.Batch{Rows: in.view.Input(k).Rows, Cols: l.In, Dense: chain[k]}
			if y, err = m.ForwardInterruptible(x, in.look); err != nil {
				return alone, chained, err
			}
		}
		all.Add(want, y)
		chain[k] = slices.Clone(y)
		if err := in.look(); err != nil {
			return alone, chained, err
		}
	}
	return one.Distortion(), all.Distortion(), nil
}

// alone returns what a converted layer loses on what float32 feeds it.
func (in *inspector) alone(l *quant.QuantizedLayer, i int) (quant.Distortion, error) {
	d, err := in.view.LayerLoss(i, l, lossBatches, in.options())
	if err != nil {
		return quant.Distortion{}, err
	}
	return d, in.look()
}

// options say how single layers run.
func (in *inspector) options() quant.Options {
	return quant.Options{Engine: in.b.engine, Look: in.look}
}
