package lab

import (
	"context"

	"quantlab/core/dataset"
	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/quant"
)

// fidelityBatches is how many batches of calibration examples the losses of outputs and logits are measured on: 256 examples
// are enough for a tenth of a dB.
const fidelityBatches = 4

// compare measures what the plans lose of weights, outputs and logits, which takes no labels. Its numbers are the same on every
// machine. Where no examples are here, only the weights' are known.
func (q *questioning) compare(ctx context.Context) error {
	q.progress.begin(q.step("comparing with float32"), q.cost.fidelity(len(q.subjects)))
	look := func() error { return q.look(ctx) }
	float32s, err := q.recorded(ctx)
	if err != nil {
		return err
	}
	var layers []layerLoss
	for i, k := range q.questions {
		if k.mode != wire.Only {
			continue
		}
		l, err := q.compareLayer(k, float32s, look)
		if err != nil {
			return err
		}
		layers = append(layers, l)
		q.progress.at(q.step("%s, comparing", k.subject.name), float64(i)/float64(len(q.questions)))
	}
	logits, err := q.compareLogits(float32s, look)
	if err != nil {
		return err
	}
	for _, k := range q.questions {
		var weights quant.Tally
		output, known := float64(quant.MaxSQNR), float32s != nil && k.subject.model != nil
		for _, l := range layers {
			if l.variant == k.variant && (l.layer == k.layer) == (k.mode == wire.Only) {
				weights.Join(l.weights)
				output = min(output, l.output)
			}
		}
		k.fidelity = wire.Fidelity{Weights: weights.Distortion().SQNR}
		if known {
			k.fidelity.Output, k.fidelity.Logits, k.fidelity.Examples = output, logits[k.subject].SQNR, float32s.Examples()
		}
	}
	return nil
}

// A layerLoss is what converting one layer loses.
type layerLoss struct {
	*question
	weights quant.Tally
	output  float64 // SQNR on what float32 feeds it
}

// recorded returns what float32 computes on the first calibration examples; on test examples where these are not here; nil where
// there are neither.
func (q *questioning) recorded(ctx context.Context) (*quant.Activations, error) {
	examples, err := q.sample(ctx)
	if err != nil {
		if q.missing(err) == "" || ctx.Err() != nil {
			return nil, err
		}
		if examples = q.test; examples == nil {
			return nil, nil
		}
		q.note(q.spec.ID + ": outputs and logits were compared on test examples: the calibration examples are not here")
	}
	first := examples.Head(min(fidelityBatches*EvalBatch, examples.Len()))
	return Record(q.net, first, func(int, int) error { return q.look(ctx) })
}

// sample returns the examples that calibrate, which are read once.
func (t *trial) sample(ctx context.Context) (*dataset.Examples, error) {
	if t.calibration == nil {
		examples, err := t.src.Calibration(ctx, t.spec, nil)
		if err != nil {
			return nil, err
		}
		t.calibration = examples
	}
	return t.calibration, nil
}

// compareLayer measures what the layer of a question loses by itself.
func (q *questioning) compareLayer(k *question, float32s *quant.Activations, look func() error) (layerLoss, error) {
	trained, scheme := q.net.Layers[k.layer], k.subject.plan[k.layer]
	l, err := quant.QuantizeLayer(trained, scheme, look)
	if err != nil {
		return layerLoss{}, err
	}
	lost := layerLoss{question: k}
	if lost.weights, err = l.WeightLoss(trained.W, look); err != nil || float32s == nil || k.subject.model == nil {
		return lost, err
	}
	l.SetScheme(scheme, k.layer, q.grids)
	d, err := float32s.LayerLoss(k.layer, &l, fidelityBatches, quant.Options{Engine: q.engine, Look: look})
	lost.output = d.SQNR
	return lost, err
}

// compareLogits measures what every plan loses of the logits. Float layers run on the engine that recorded float32's.
func (q *questioning) compareLogits(float32s *quant.Activations, look func() error) (map[*subject]quant.Distortion, error) {
	if float32s == nil {
		return nil, nil
	}
	var subjects []*subject
	var plans []quant.Plan
	for _, s := range q.subjects {
		if s.model != nil {
			subjects, plans = append(subjects, s), append(plans, s.plan)
		}
	}
	input := quant.Dense
	if float32s.Input(0).IsSparse() {
		input = quant.Sparse
	}
	forest, err := quant.NewForest(q.net, plans, q.grids, quant.Options{Engine: kernel.Reproducible(), MaxBatch: EvalBatch, Input: input, Look: look})
	if err != nil {
		return nil, err
	}
	defer forest.Close()
	tallies := make([]quant.Tally, len(plans))
	for k := range float32s.Batches() {
		want := float32s.Output(k, len(q.net.Layers)-1)
		err := forest.Forward(float32s.Input(k), func(plan int, logits []float32) error {
			tallies[plan].Add(want, logits)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	lost := map[*subject]quant.Distortion{}
	for i, s := range subjects {
		lost[s] = tallies[i].Distortion()
	}
	return lost, nil
}

// correlate ranks one model's plans by each measure of Fidelity, and by accuracy and flips, over both modes and over each. Rows
// that quantize nothing, or are another row's plan again, do not count; where ranks are undefined or say nothing, because
// all are alike or there are fewer than three, there is no correlation. look's error ends the work.
func correlate(rows []wire.SensitivityRow, look func() error) ([]wire.Correlation, error) {
	var all []wire.Correlation
	for _, mode := range []string{"", wire.Only, wire.Except} {
		for _, of := range fidelities {
			for _, against := range effects {
				if err := look(); err != nil {
					return nil, err
				}
				var x, y []float64
				seen := map[string]bool{}
				for _, r := range rows {
					counts := (mode == "" || r.Mode == mode) && r.Paired != nil && r.Fidelity.Examples > 0 && !r.QuantizesNothing()
					if !counts || seen[r.Plan] {
						continue
					}
					seen[r.Plan] = true
					x, y = append(x, of.value(r.Fidelity)), append(y, against.value(r.Row))
				}
				if rho, p, ok := measure.Spearman(x, y); ok {
					all = append(all, wire.Correlation{
						Model: rows[0].Model, Mode: mode, Measure: of.name, Against: against.name, Rho: rho, P: p, N: len(x),
					})
				}
			}
		}
	}
	return all, nil
}

var fidelities = []struct {
	name  string
	value func(wire.Fidelity) float64
}{
	{"weights", func(f wire.Fidelity) float64 { return f.Weights }},
	{"output", func(f wire.Fidelity) float64 { return f.Output }},
	{"logits", func(f wire.Fidelity) float64 { return f.Logits }},
}

var effects = []struct {
	name  string
	value func(wire.Row) float64
}{
	{"accuracy", func(r wire.Row) float64 { return float64(r.Correct) }},
	{"flips", func(r wire.Row) float64 { return float64(len(r.Paired.Flipped)) }},
}
