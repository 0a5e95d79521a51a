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

// adam updates parameters as torch.optim.Adam's single-tensor form does, which the CPU uses: with g the gradient and t the
// number of the step, from 1, in float32 except for what depends on t alone,
//
//	m = m + (1-β1)·(g - m)
//	v = β2·v + (1-β2)·g·g
//	w = w - lr/(1-β1^t) · m / (sqrt(v)/sqrt(1-β2^t) + ε)
//
// One thing differs: an m that has faded below 2^-100 becomes 0. It moves no weight above 2^-55 in magnitude by even a bit, but
// would soon be subnormal, and stay so for ever: arithmetic with subnormals takes several times as long.
type adam struct {
	lr   float64
	t    int
	now  adamStep
	job  adamJob
	jobs wordsJob
}

func newAdam(lr float64) adam { return adam{lr: lr} }

// next begins a step.
func (a *adam) next() {
	a.t++
	a.now = adamStep{
		size:   float32(-a.lr / (1 - math.Pow(beta1, float64(a.t)))),
		square: float32(math.Sqrt(1 - math.Pow(beta2, float64(a.t)))),
	}
}

// adamStep holds what depends on the number of the step.
type adamStep struct {
	size   float32 // -lr / (1-β1^t)
	square float32 // sqrt(1-β2^t)
}

// faded returns m, or 0 where it is below 2^-100 in magnitude.
func faded(m float32) float32 {
	if math.Float32bits(m)&^(1<<31) < (127-100)<<23 {
		return 0
	}
	return m
}

// apply updates parameters w by their gradient g and its moving averages m and v.
func (s adamStep) apply(w, g, m, v []float32) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i := range w {
		gi := g[i]
		mi := faded(m[i] + float32(float32(1-beta1)*(gi-m[i])))
		vi := float32(v[i]*float32(beta2)) + float32(float32(float32(1-beta2)*gi)*gi)
		m[i], v[i] = mi, vi
		root := float32(math.Sqrt(float64(vi)))
		w[i] += float32(s.size*mi) / (root/s.square + float32(epsilon))
	}
}

// applyZero is apply for a gradient of zeros.
func (s adamStep) applyZero(w, m, v []float32) {
	m, v = m[:len(w)], v[:len(w)]
	for i := range w {
		mi := faded(m[i] - float32(float32(1-beta1)*m[i]))
		vi := float32(v[i] * float32(beta2))
		m[i], v[i] = mi, vi
		root := float32(math.Sqrt(float64(vi)))
		w[i] += float32(s.size*mi) / (root/s.square + float32(epsilon))
	}
}

// update makes the step for all of p.
func (a *adam) update(team *kernel.Team, p tensor) {
	a.job = adamJob{a.now, p}
	team.Do(&a.job)
}

type adamJob struct {
	step adamStep
	p    tensor
}

func (j *adamJob) Run(part, parts int) {
	rows := j.p.value.Rows
	for r := rows * part / parts; r < rows*(part+1)/parts; r++ {
		j.step.apply(j.p.value.Row(r), j.p.grad.Row(r), j.p.mean.Row(r), j.p.square.Row(r))
	}
}
