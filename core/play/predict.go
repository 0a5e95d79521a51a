package play

import (
	"context"
	"fmt"
	"math"
	"strings"

	"quantlab/core/dataset"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// Predict shows one drawing or sentence to every lab variant of a model, and to the reader's own plan if there is one. Models
// stay converted for the next call, which for mnist-lab1 then takes well under a millisecond. The host is not given its
// turn while the input passes, only before, while models are loaded and converted.
//
// The SST-2 models run with dense input, as the lab times them, so that logits and latencies are the lab's.
func (b *Bench) Predict(ctx context.Context, req wire.PredictRequest) (*wire.Prediction, error) {
	return b.predict(ctx, req, func(wire.Event) {})
}

// predict is Predict; emit hears how far loading and calibrating are.
func (b *Bench) predict(ctx context.Context, req wire.PredictRequest, emit func(wire.Event)) (*wire.Prediction, error) {
	spec, err := b.spec(ctx, req.Model)
	if err != nil {
		return nil, err
	}
	if err := checkQuestion(req, spec); err != nil {
		return nil, err
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
	rows, err := b.rows(ctx, n, req.Custom, emit)
	if err != nil {
		return nil, err
	}
	p := &wire.Prediction{Version: b.host.Version, Model: req.Model, Labels: spec.Labels()}
	batch, err := b.show(ctx, n, req, p)
	if err != nil {
		return nil, err
	}
	if err := answer(rows, batch, p); err != nil {
		return nil, fmt.Errorf("%s: %w", req.Model, err)
	}
	if req.Repeats > 0 {
		if err := timeRows(rows, batch, req.Repeats, p); err != nil {
			return nil, fmt.Errorf("%s: %w", req.Model, err)
		}
	}
	if req.Explain != "" && spec.Data == nn.SST2 && spec.Out <= dataset.Sentiments {
		if err := b.decide(ctx, n, req, p, emit); err != nil {
			return nil, fmt.Errorf("%s: %w", req.Model, err)
		}
	}
	p.Notes = append(p.Notes, n.notes...)
	return p, nil
}

// checkQuestion refuses an input that the model can't read.
func checkQuestion(req wire.PredictRequest, spec nn.Spec) error {
	switch {
	case req.Drawing != nil && req.Text != "":
		return fmt.Errorf("give an image or a text, not both")
	case spec.Data == nn.MNIST && req.Drawing == nil:
		return fmt.Errorf("%s reads digits: give an image", spec.ID)
	case spec.Data == nn.SST2 && req.Drawing != nil:
		return fmt.Errorf("%s reads sentences: give a text", spec.ID)
	case spec.Data == nn.SST2 && strings.TrimSpace(req.Text) == "":
		return fmt.Errorf("the text is empty: give a sentence")
	case len(req.Text) > wire.MaxText:
		return fmt.Errorf("the text has %d bytes: give at most %d", len(req.Text), wire.MaxText)
	case req.Repeats < 0 || req.Repeats > wire.MaxRepeats:
		return fmt.Errorf("%d timed samples are out of range: give 0 to %d", req.Repeats, wire.MaxRepeats)
	}
	return nil
}

// A row is one way to convert the network that is asked.
type row struct {
	variant wire.Variant
	model   *model // nil where there is none, for which absent has the reason
	absent  string
}

// rows returns the lab's variants, the baseline first, and the reader's own plan if there is one.
func (b *Bench) rows(ctx context.Context, n *network, custom *wire.Conversion, emit func(wire.Event)) ([]row, error) {
	variants := wire.Variants()
	if custom != nil {
		plan, err := n.plan(wire.Custom, custom)
		if err != nil {
			return nil, err
		}
		variants = append(variants, lab.CustomVariant(plan))
	}
	rows := make([]row, len(variants))
	for i, v := range variants {
		m, absent, err := b.model(ctx, n, v.ID, custom, quant.Dense, emit)
		if err != nil {
			return nil, err
		}
		rows[i] = row{v, m, absent}
	}
	return rows, nil
}

// answer puts the batch of one to every row. The first row is the baseline.
func answer(rows []row, batch nn.Batch, p *wire.Prediction) error {
	base := -1
	p.Answers = make([]wire.Answer, 0, len(rows))
	for _, r := range rows {
		a := wire.Answer{Variant: r.variant.ID, Q: r.variant.Q, DType: r.variant.DType, Note: r.absent}
		if r.model != nil {
			logits, err := r.model.Forward(batch)
			if err != nil {
				return fmt.Errorf("%s: %w", r.variant.ID, err)
			}
			class := quant.Class(logits)
			if r.variant.ID == wire.Baseline {
				base = class
			}
			a.Logits = make([]float64, len(logits))
			for i, z := range logits {
				a.Logits[i] = float64(z)
			}
			a.Label, a.Agrees, a.Probabilities = p.Labels[class], class == base, softmax(a.Logits)
			a.Margin = margin(a.Probabilities)
		}
		p.Answers = append(p.Answers, a)
	}
	return nil
}

// softmax turns logits into probabilities. The largest logit is subtracted first, so that nothing overflows. One logit is that of the
// second class, the first one's being 0: its softmax is the sigmoid.
func softmax(logits []float64) []float64 {
	if len(logits) == 1 {
		logits = []float64{0, logits[0]}
	}
	top := math.Inf(-1)
	for _, z := range logits {
		top = max(top, z)
	}
	p, sum := make([]float64, len(logits)), 0.0
	for i, z := range logits {
		p[i] = math.Exp(z - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// margin is by how much the largest of at least two probabilities is above the second.
func margin(p []float64) float64 {
	first, second := 0.0, 0.0
	for _, v := range p {
		if v > first {
			first, second = v, first
		} else if v > second {
			second = v
		}
	}
	return first - second
}
