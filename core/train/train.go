// Package train fits the lab's networks: mean cross-entropy, Adam and the initial weights as PyTorch defines them, on dense
// rows or bags of words.
//
// A seed fixes the initial weights and the order of the examples. From them follow the same weights, to the bit, on one machine
// and one kernel engine, for any number of threads; avx2 and avx512 give the same ones, too, while the portable engine rounds every
// product on its own. In mixed precision all engines give the same ones. Other machines may differ in the last bits: not every
// processor computes the exponential function alike.
package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// Options say how to train, or to evaluate. The zero value is ready to use.
type Options struct {
	Seed    uint64
	Threads int            // 0 is 1
	Engine  *kernel.Engine // nil is the best one
	Epochs  int            // 0 is the spec's

	Precision Precision // of the matrix products of training
}

func (o Options) engine() *kernel.Engine {
	if o.Engine == nil {
		return kernel.Best()
	}
	return o.Engine
}

// Progress tells how far training is, after a step.
type Progress struct {
	Epoch, Epochs int     // Epoch counts from 1
	Step, Steps   int     // within the epoch; Step counts from 1
	Loss          float64 // mean cross-entropy of the step's examples, before the step; may not be finite where the step is skipped

	Scale   float64       // of the loss, after the step; 0 where it is not scaled
	Skipped int           // steps so far whose gradients overflowed
	Time    time.Duration // spent in steps so far
	Matrix  time.Duration // of it, in matrix products and in conversions to the low type
}

// Share is how much of the training is over.
func (p Progress) Share() float64 {
	return (float64(p.Epoch-1) + float64(p.Step)/float64(p.Steps)) / float64(p.Epochs)
}

// The streams that a seed is split into.
const (
	initStream    = 0x696E6974 // "init"
	shuffleStream = 0x73687566 // "shuf"
)

// Init draws the network's parameters as torch.nn.Linear does by default: weights and biases uniform between
// -1/sqrt(in) and 1/sqrt(in), which is what its kaiming_uniform_(a=sqrt(5)) comes to.
func Init(net *nn.Network, seed uint64) {
	r := rand.New(rand.NewPCG(seed, initStream))
	for _, l := range net.Layers {
		bound := 1 / math.Sqrt(float64(l.In))
		for _, p := range [][]float32{l.W, l.B} {
			for i := range p {
				p[i] = float32((2*r.Float64() - 1) * bound)
			}
		}
	}
}

// Train returns the spec's network, trained on data: in every epoch all examples once, in a new random order, in batches
// of spec.Batch, of which the last may be smaller. It calls progress, which may be nil, after every step, on its own
// goroutine. Between steps it looks whether ctx is cancelled, and then returns ctx's error.
func Train(ctx context.Context, spec nn.Spec, data *dataset.Examples, opt Options, progress func(Progress)) (*nn.Network, error) {
	if err := check(spec, data); err != nil {
		return nil, err
	}
	if err := opt.Precision.check(); err != nil {
		return nil, err
	}
	epochs := opt.Epochs
	if epochs == 0 {
		epochs = spec.Epochs
	}
	if epochs < 1 || spec.Batch < 1 || !(spec.LR > 0) {
		return nil, fmt.Errorf("can't train for %d epochs in batches of %d at a learning rate of %g: all have to be above 0", epochs, spec.Batch, spec.LR)
	}
	net := nn.New(spec)
	Init(net, opt.Seed)
	team := kernel.NewTeam(opt.Threads)
	defer team.Close()
	t := newTrainer(net, opt.engine(), team, min(spec.Batch, data.Len()), data.Sparse(), opt.Precision)

	order := make([]int, data.Len())
	for i := range order {
		order[i] = i
	}
	var (
		shuffle = rand.New(rand.NewPCG(opt.Seed, shuffleStream))
		steps   = (data.Len() + spec.Batch - 1) / spec.Batch
		batch   nn.Batch
		labels  = make([]uint8, spec.Batch)
		spent   time.Duration
	)
	for epoch := range epochs {
		shuffle.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for step := range steps {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			rows := order[step*spec.Batch : min((step+1)*spec.Batch, len(order))]
			data.Gather(&batch, rows)
			for i, r := range rows {
				labels[i] = data.Labels[r]
			}
			begin := time.Now()
			loss := t.step(batch, labels[:len(rows)])
			spent += time.Since(begin)
			if t.diverged(loss) {
				return nil, fmt.Errorf("training diverged: the loss of step %d in epoch %d is %v; try a learning rate below %g", step+1, epoch+1, loss, spec.LR)
			}
			if progress != nil {
				p := Progress{Epoch: epoch + 1, Epochs: epochs, Step: step + 1, Steps: steps, Loss: loss, Time: spent, Matrix: t.matrix}
				if t.mixed != nil {
					p.Scale, p.Skipped = t.mixed.scale(), t.mixed.skipped
				}
				progress(p)
			}
		}
	}
	t.store(net)
	if err := net.Validate(); err != nil {
		return nil, fmt.Errorf("training diverged: %w", err)
	}
	return net, nil
}

// diverged reports whether training is beyond repair after a step of that loss. A scaled loss may overflow once in a while, and its
// step is skipped.
func (t *trainer) diverged(loss float64) bool {
	if t.mixed != nil && t.mixed.scaler != nil {
		return t.mixed.scaler.exhausted()
	}
	return math.IsNaN(loss) || math.IsInf(loss, 0)
}

// check reports whether the spec's network can read the examples.
func check(spec nn.Spec, data *dataset.Examples) error {
	switch {
	case spec.In < 1 || spec.Out < 1:
		return fmt.Errorf("model %q has no inputs or no outputs", spec.ID)
	case data.Len() == 0:
		return fmt.Errorf("there are no examples for %s", spec.ID)
	case data.Dim != spec.In:
		return fmt.Errorf("%s reads %d features, but the examples have %d", spec.ID, spec.In, data.Dim)
	}
	for i, label := range data.Labels {
		if int(label) >= spec.Out {
			return fmt.Errorf("example %d is of class %d, but %s knows only %d classes", i, label, spec.ID, spec.Out)
		}
	}
	return nil
}
