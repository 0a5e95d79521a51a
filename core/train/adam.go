package train

import (
	"math"

	"quantlab/core/kernel"
)

// Adam's constants, torch.optim.Adam's defaults: Kingma and Ba, Adam: A Method for Stochastic Optimization, algorithm 1.
const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-8
)

var rates = &kernel.AdamRates{Mean: 1 - beta1, Keep: beta2, Square: 1 - beta2, Epsilon: epsilon}

// adam updates parameters as torch.optim.Adam's single-tensor form does, which the CPU uses: with g the gradient and t the
// number of the step, from 1, in float32 except for what depends on t alone,
//
//	m = m + (1-β1)·(g - m)
//	v = β2·v + (1-β2)·g·g
//	w = w - lr/(1-β1^t) · m / (sqrt(v)/sqrt(1-β2^t) + ε)
//
// One thing differs: an m that has faded below 2^-100 becomes 0. It moves no weight above 2^-55 in magnitude by even a bit, but
// would soon be subnormal: see kernel.Engine.Adam.
type adam struct {
	engine *kernel.Engine
	lr     float64
	steps  []kernel.AdamStep // all so far, the current one last
}

func newAdam(engine *kernel.Engine, lr float64) adam {
	// Room for as many steps as the lab's models take.
	return adam{engine, lr, make([]kernel.AdamStep, 0, 4096)}
}

// next begins a step.
func (a *adam) next() {
	t := float64(len(a.steps) + 1)
	a.steps = append(a.steps, kernel.AdamStep{
		Size: float32(-a.lr / (1 - math.Pow(beta1, t))),
		Root: float32(math.Sqrt(1 - math.Pow(beta2, t))),
	})
}

// update makes the step for row r of p, whose gradient is g.
func (a *adam) update(p tensor, r int, g []float32) {
	a.engine.Adam(rates, a.steps[len(a.steps)-1], p.value.Row(r), g, p.mean.Row(r), p.square.Row(r))
}

// An updateJob makes a step for all parameters of a trainer.
type updateJob struct{ t *trainer }

func (j *updateJob) Run(part, parts int) {
	a := &j.t.adam
	for i := range j.t.layers {
		l := &j.t.layers[i]
		rows := l.weight.grad.Rows
		j.t.updateRows(i, rows*part/parts, rows*(part+1)/parts)
		if part == i%parts {
			a.update(l.bias, 0, l.bias.grad.Row(0))
		}
	}
}

// updateRows makes the step for the weights of layer i whose gradients are the rows lo to hi-1.
func (t *trainer) updateRows(i, lo, hi int) {
	weight := t.layers[i].weight
	for s := lo; s < hi; s++ {
		r := s
		if i == 0 && t.words != nil {
			r = int(t.words.list[s])
		}
		t.adam.update(weight, r, weight.grad.Row(s))
	}
}
