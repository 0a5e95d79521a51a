package train

import (
	"context"
	"fmt"

	"quantlab/core/dataset"
	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// evaluationBatch is how many examples Accuracy computes at a time.
const evaluationBatch = 100

// Accuracy returns how many of the examples the float32 network classifies correctly. Its answer is the class of the
// largest logit, the first of equal ones; a row with a NaN among its logits is wrong.
func Accuracy(ctx context.Context, net *nn.Network, data *dataset.Examples, opt Options) (correct, total int, err error) {
	if err := check(net.Spec, data); err != nil {
		return 0, 0, err
	}
	if len(net.Layers) == 0 || net.Layers[0].In != data.Dim {
		return 0, 0, fmt.Errorf("the network %s does not fit its spec", net.Spec.ID)
	}
	team := kernel.NewTeam(opt.Threads)
	defer team.Close()
	f := newForward(net, opt.engine(), data.Sparse())
	var batch nn.Batch
	for lo := 0; lo < data.Len(); lo += evaluationBatch {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		hi := min(lo+evaluationBatch, data.Len())
		data.Slice(&batch, lo, hi)
		logits := f.run(team, batch)
		classes := len(logits) / batch.Rows
		for r, label := range data.Labels[lo:hi] {
			if argmax(logits[r*classes:(r+1)*classes]) == int(label) {
				correct++
			}
		}
	}
	return correct, data.Len(), nil
}

// argmax returns the index of the largest element, or -1 if one is NaN.
func argmax(x []float32) int {
	best := 0
	for j, v := range x {
		if v != v {
			return -1
		}
		if v > x[best] {
			best = j
		}
	}
	return best
}

// forward runs a network on packed layers.
type forward struct {
	sparse *kernel.SparseF32 // the first layer, where the examples are bags
	layers []*kernel.F32     // the others, or all
	out    []int             // width of every layer
	y      [2][]float32
}

func newForward(net *nn.Network, e *kernel.Engine, sparse bool) *forward {
	f, widest := &forward{}, 0
	for i, l := range net.Layers {
		if i == 0 && sparse {
			f.sparse = e.PackSparseF32(l.W, l.B, l.Out, l.In, l.ReLU)
		} else {
			f.layers = append(f.layers, e.PackF32(l.W, l.B, l.Out, l.In, l.ReLU))
		}
		f.out, widest = append(f.out, l.Out), max(widest, l.Out)
	}
	for i := range f.y {
		f.y[i] = make([]float32, evaluationBatch*widest)
	}
	return f
}

// run returns the logits, x.Rows x classes, which stay valid until the next run.
func (f *forward) run(team *kernel.Team, x nn.Batch) []float32 {
	in, i := x.Dense, 0
	if f.sparse != nil {
		f.sparse.Forward(team, f.y[0], x.Start, x.Index, x.Value, x.Rows)
		in, i = f.y[0], 1
	}
	for _, l := range f.layers {
		out := f.y[i%2]
		l.Forward(team, out, in, x.Rows)
		in, i = out, i+1
	}
	return in[:x.Rows*f.out[len(f.out)-1]]
}
