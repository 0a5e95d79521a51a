package quant

import (
	"fmt"
	"math"
)

// An Observer watches the activations at one place of a network and then chooses their grid.
type Observer interface {
	// Observe takes in one batch. It ignores infinities; its only error is for a NaN.
	Observe(x []float32) error
	// QParams returns the grid for what was observed; for nothing, scale 1 and zero point 0.
	QParams() QParams
	// Reset forgets everything.
	Reset()
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

// include widens the extent to x and returns x's finite values, of which there may be none.
func (e *extent) include(x []float32) (finite []float32, err error) {
	finite, lo, hi, err := extremes(x)
	if err != nil || len(finite) == 0 {
		return nil, err
	}
	if e.seen {
		lo, hi = min(lo, e.lo), max(hi, e.hi)
	}
	e.seen, e.lo, e.hi = true, lo, hi
	return finite, nil
}

// minMax is torch.ao.quantization.MinMaxObserver.
type minMax struct {
	q ActivationQuantizer
	extent
}

func (o *minMax) Reset() { *o = minMax{q: o.q} }

func (o *minMax) Observe(x []float32) error {
	_, err := o.include(x)
	return err
}

func (o *minMax) QParams() QParams {
	if !o.seen {
		return unobserved(o.q)
	}
	return observedGrid(o.q, o.lo, o.hi)
}

// movingAverage is torch.ao.quantization.MovingAverageMinMaxObserver with its default constant.
type movingAverage struct{ minMax }

const averagingConstant = float32(0.01)

func (o *movingAverage) Observe(x []float32) error {
	x, lo, hi, err := extremes(x)
	if err != nil || len(x) == 0 {
		return err
	}
	if o.seen {
		lo = o.lo + float32(averagingConstant*(lo-o.lo))
		hi = o.hi + float32(averagingConstant*(hi-o.hi))
	}
	o.seen, o.lo, o.hi = true, lo, hi
	return nil
}

func unobserved(q ActivationQuantizer) QParams { return QParams{Scale: 1, Max: limit(q)} }

// extremes returns the finite values of x (x itself where all are) with the smallest and the largest of them.
func extremes(x []float32) (finite []float32, lo, hi float32, err error) {
	inf := float32(math.Inf(1))
	lo, hi = inf, -inf
	for _, v := range x {
		if v != v {
			return nil, 0, 0, fmt.Errorf("an activation is NaN: the model or its input is damaged, train or import the model again")
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	if len(x) == 0 || lo != -inf && hi != inf {
		return x, lo, hi, nil
	}
	for _, v := range x {
		if v != inf && v != -inf {
			finite = append(finite, v)
		}
	}
	if len(finite) == 0 {
		return nil, 0, 0, nil
	}
	return extremes(finite)
}
