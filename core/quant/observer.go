package quant

import (
	"fmt"
	"math"

	"quantlab/core/kernel"
)

// An Observer watches the activations at one place of a network and then chooses their grid.
type Observer interface {
	// Observe takes in one batch. It ignores infinities; its only error is for a NaN.
	Observe(x []float32) error
	// ObserveSparse takes in one batch that holds x and so many zeros besides, in any order.
	ObserveSparse(x []float32, zeros int) error
	// QParams returns the grid for what was observed; for nothing, scale 1 and zero point 0.
	QParams() QParams
	// Reset forgets everything.
	Reset()

	// as returns an observer of what this one has seen that chooses the grid for q, whose observer counts alike: see counts.
	as(q ActivationQuantizer) Observer
}

// counts names what an observer keeps of what it sees; observers of the same name differ only in the grid they choose.
func counts(observer string) string {
	if observer == Percentile || observer == Entropy {
		return "tails"
	}
	return observer
}

// NewObserver returns the observer that q names.
func NewObserver(q ActivationQuantizer) (Observer, error) {
	if err := q.ValidateStatic(); err != nil {
		return nil, err
	}
	var o Observer
	switch q.Observer {
	case MinMax:
		o = &minMax{q: q}
	case MovingAverage:
		o = &movingAverage{minMax{q: q}}
	case Histogram:
		o = &histogram{q: q}
	default:
		o = &tails{q: q}
	}
	o.Reset()
	return o, nil
}

// An extent is the range of the finite values seen.
type extent struct {
	seen   bool
	lo, hi float32
}

// include widens the extent to x and that many zeros and returns x's finite values; more is false where there is nothing
// finite at all.
func (e *extent) include(x []float32, zeros int) (finite []float32, more bool, err error) {
	finite, lo, hi, err := extremes(x, zeros)
	if err != nil || len(finite)+zeros == 0 {
		return nil, false, err
	}
	if e.seen {
		lo, hi = min(lo, e.lo), max(hi, e.hi)
	}
	e.seen, e.lo, e.hi = true, lo, hi
	return finite, true, nil
}

// minMax is torch.ao.quantization.MinMaxObserver.
type minMax struct {
	q ActivationQuantizer
	extent
}

func (o *minMax) Reset() { *o = minMax{q: o.q} }

func (o *minMax) Observe(x []float32) error { return o.ObserveSparse(x, 0) }

func (o *minMax) ObserveSparse(x []float32, zeros int) error {
	_, _, err := o.include(x, zeros)
	return err
}

func (o *minMax) as(q ActivationQuantizer) Observer { return &minMax{q, o.extent} }

func (o *minMax) QParams() QParams {
	if !o.seen {
		return unobserved(o.q)
	}
	return observedGrid(o.q, o.lo, o.hi)
}

// movingAverage is torch.ao.quantization.MovingAverageMinMaxObserver with its default constant.
type movingAverage struct{ minMax }

const averagingConstant = float32(0.01)

func (o *movingAverage) Observe(x []float32) error { return o.ObserveSparse(x, 0) }

func (o *movingAverage) ObserveSparse(x []float32, zeros int) error {
	x, lo, hi, err := extremes(x, zeros)
	if err != nil || len(x)+zeros == 0 {
		return err
	}
	if o.seen {
		lo = o.lo + float32(averagingConstant*(lo-o.lo))
		hi = o.hi + float32(averagingConstant*(hi-o.hi))
	}
	o.seen, o.lo, o.hi = true, lo, hi
	return nil
}

func (o *movingAverage) as(q ActivationQuantizer) Observer {
	return &movingAverage{minMax{q, o.extent}}
}

func unobserved(q ActivationQuantizer) QParams { return QParams{Scale: 1, Max: limit(q)} }

// extremes returns the finite values of x (x itself where all are) and the smallest and the largest of them and of that
// many zeros.
func extremes(x []float32, zeros int) (finite []float32, lo, hi float32, err error) {
	lo, hi = kernel.Best().Range(x)
	if lo != lo {
		return nil, 0, 0, fmt.Errorf("an activation is NaN: the model or its input is damaged, train or import the model again")
	}
	if inf := float32(math.Inf(1)); lo == -inf || hi == inf {
		for _, v := range x {
			if v != inf && v != -inf {
				finite = append(finite, v)
			}
		}
		return extremes(finite, zeros)
	}
	if zeros > 0 {
		lo, hi = min(lo, 0), max(hi, 0)
	}
	return x, lo, hi, nil
}
