package play

import (
	"context"
	"fmt"
	"slices"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// mostLeftOut is how many different words are left out, one after the other, at the most.
const mostLeftOut = 256

// decide tells what a sentence's words add to the decision between positive and negative: see wire.Decision. The sentence was
// answered before. What a word's absence changes is asked of a model of sparse input, whose sums differ from the lab's by
// no more than the rounding of float32; the difference between two of its answers is what is told.
func (b *Bench) decide(ctx context.Context, n *network, req wire.PredictRequest, p *wire.Prediction, emit func(wire.Event)) error {
	answered := func(variant string) *wire.Answer {
		i := slices.IndexFunc(p.Answers, func(a wire.Answer) bool { return a.Variant == variant })
		if i < 0 {
			return nil
		}
		return &p.Answers[i]
	}
	asked := answered(req.Explain)
	if asked == nil {
		return fmt.Errorf("there is no variant %.40q to explain: choose one that was asked", req.Explain)
	}
	if asked.Label == "" {
		p.Notes = append(p.Notes, fmt.Sprintf("what the words add is told of %s: %s has no answer", wire.Baseline, req.Explain))
		asked = answered(wire.Baseline)
	}
	adds, bias := contributions(n.net, n.bag)
	without, err := b.leaveOneOut(ctx, n, asked.Variant, req.Custom, emit)
	if err != nil {
		return err
	}
	if len(without) < len(n.bag.Index) {
		p.Notes = append(p.Notes, fmt.Sprintf("the text has %d different words: the %d most frequent of them were left out in turn", len(n.bag.Index), len(without)))
	}
	for i, w := range p.Words {
		if k, ok := slices.BinarySearch(n.bag.Index, int32(w.Rank-1)); ok {
			p.Words[i].Adds = adds[k]
			if k < len(without) {
				p.Words[i].Without = without[k]
			}
		}
	}
	p.Decision = &wire.Decision{
		Variant: asked.Variant, Sum: sum(asked.Logits), Float32: sum(answered(wire.Baseline).Logits), Bias: bias,
	}
	return nil
}

// sum is how far the logit of positive is above that of negative, which is 0 where a model has one logit.
func sum[F float32 | float64](logits []F) float64 {
	if len(logits) == 1 {
		return float64(logits[0])
	}
	return float64(logits[1]) - float64(logits[0])
}

// leaveOneOut returns by how much a variant's sum falls when one of the bag's words is left out, for the first mostLeftOut
// words.
func (b *Bench) leaveOneOut(ctx context.Context, n *network, variant string, custom *wire.Conversion, emit func(wire.Event)) ([]float64, error) {
	bag := n.bag
	m, absent, err := b.model(ctx, n, variant, custom, quant.Sparse, emit)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, fmt.Errorf("%s has no answer: %s", variant, absent)
	}
	ask := func(x nn.Batch) (float64, error) {
		logits, err := m.Forward(x)
		if err != nil {
			return 0, err
		}
		return sum(logits), nil
	}
	whole, err := ask(bag)
	if err != nil {
		return nil, err
	}
	without := make([]float64, min(len(bag.Index), mostLeftOut))
	less := nn.Batch{Rows: 1, Cols: bag.Cols, Start: []int32{0, int32(len(bag.Index) - 1)}}
	less.Index, less.Value = slices.Clone(bag.Index), slices.Clone(bag.Value)
	for k := range without {
		// At step k the bag lacks word k: the first k words are in their places, those after it one place further down.
		less.Index = append(append(less.Index[:0], bag.Index[:k]...), bag.Index[k+1:]...)
		less.Value = append(append(less.Value[:0], bag.Value[:k]...), bag.Value[k+1:]...)
		rest, err := ask(less)
		if err != nil {
			return nil, err
		}
		without[k] = whole - rest
	}
	return without, nil
}

// contributions splits the float32 network's decision about one bag into what each of its words adds, all its occurrences
// together, and the part of the biases: gradient times input (Shrikumar, Greenside, Kundaje: Learning important features through
// propagating activation differences, 2017). With every ReLU as the bag sets it the network is linear, so the parts add up
// to the decision, here in float64.
func contributions(net *nn.Network, bag nn.Batch) (adds []float64, bias float64) {
	first := &net.Layers[0]
	x := make([]float64, first.Out)
	for o := range x {
		x[o] = float64(first.B[o])
		for k, i := range bag.Index {
			x[o] += float64(bag.Value[k]) * float64(first.W[o*first.In+int(i)])
		}
	}
	inputs := [][]float64{nil} // of each layer after the first
	for i := range net.Layers {
		l := &net.Layers[i]
		if i > 0 {
			x = affine(l, x)
		}
		if l.ReLU {
			for o := range x {
				x[o] = max(x[o], 0)
			}
		}
		inputs = append(inputs, x)
	}
	gradient := []float64{-1, 1} // of sum by the outputs of layer i
	if len(x) == 1 {
		gradient = []float64{1}
	}
	for i := len(net.Layers) - 1; i >= 0; i-- {
		l := &net.Layers[i]
		for o, y := range inputs[i+1] {
			if l.ReLU && y <= 0 {
				gradient[o] = 0
			}
			bias += gradient[o] * float64(l.B[o])
		}
		if i > 0 {
			gradient = backward(l, gradient)
		}
	}
	adds = make([]float64, len(bag.Index))
	for o, g := range gradient {
		for k, i := range bag.Index {
			adds[k] += g * float64(bag.Value[k]) * float64(first.W[o*first.In+int(i)])
		}
	}
	return adds, bias
}

// affine is the layer without its ReLU.
func affine(l *nn.Linear, x []float64) []float64 {
	y := make([]float64, l.Out)
	for o := range y {
		y[o] = float64(l.B[o])
		for i, w := range l.W[o*l.In : (o+1)*l.In] {
			y[o] += float64(w) * x[i]
		}
	}
	return y
}

// backward returns the gradient by the layer's inputs from that by its outputs before the ReLU.
func backward(l *nn.Linear, gradient []float64) []float64 {
	g := make([]float64, l.In)
	for o, v := range gradient {
		if v == 0 {
			continue
		}
		for i, w := range l.W[o*l.In : (o+1)*l.In] {
			g[i] += v * float64(w)
		}
	}
	return g
}
