package quant

import (
	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// WeightLoss adds up what converting lost of the trained weights w, which are Out x In. look, which may be nil, is called now
// and then, and its error, the only one, ends the work.
func (l *QuantizedLayer) WeightLoss(w []float32, look func() error) (Tally, error) {
	var t Tally
	row := make([]float32, l.In)
	for o := range l.Out {
		if look != nil && o%max(lookEvery/l.In, 1) == 0 {
			if err := look(); err != nil {
				return Tally{}, err
			}
		}
		l.Dequantize(row, o)
		t.Add(w[o*l.In:(o+1)*l.In], row)
	}
	return t, nil
}

// Feed returns what enters layer i in a batch.
func (a *Activations) Feed(batch, i int) nn.Batch {
	x := a.batches[batch]
	if i == 0 {
		return x
	}
	return nn.Batch{Rows: x.Rows, Cols: a.net.Layers[i].In, Dense: a.outputs[batch][i-1]}
}

// Runner makes converted layer i ready to run by itself on what Feed returns, for batches as large as the recorded ones.
// A float layer runs on the engine that recorded the activations, whatever opt says, so that what it loses is not that of
// another order of additions. Close the model when done.
func (a *Activations) Runner(i int, l *QuantizedLayer, opt Options) (*Model, error) {
	if l.I8 == nil {
		opt.Engine = kernel.Reproducible()
	}
	opt.Input, opt.MaxBatch = Dense, 0
	for _, b := range a.batches {
		opt.MaxBatch = max(opt.MaxBatch, b.Rows)
		if i == 0 && b.IsSparse() {
			opt.Input = Sparse
		}
	}
	return New(a.net.Spec, []QuantizedLayer{*l}, opt)
}

// LayerLoss returns what converted layer i loses of its outputs on what float32 feeds it, in the first so many batches.
// opt is Runner's; its Look is called during the passes too.
func (a *Activations) LayerLoss(i int, l *QuantizedLayer, batches int, opt Options) (Distortion, error) {
	m, err := a.Runner(i, l, opt)
	if err != nil {
		return Distortion{}, err
	}
	defer m.Close()
	var t Tally
	for k := range min(a.Batches(), batches) {
		y, err := m.ForwardInterruptible(a.Feed(k, i), opt.Look)
		if err != nil {
			return Distortion{}, err
		}
		t.Add(a.Output(k, i), y)
	}
	return t.Distortion(), nil
}
