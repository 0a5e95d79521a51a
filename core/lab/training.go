package lab

import (
	"math"

	"quantlab/core/lab/wire"
	"quantlab/core/train"
)

// maxCurve is how many points the curve of a training has at most.
const maxCurve = 256

// A Recorder writes down how a training goes: give its Record to train.Train.
type Recorder struct {
	training wire.Training
	told     int // points of the curve that News has given

	sum   float64 // of the losses since the last point
	steps int     // that these are of
}

// NewRecorder begins the record of a training.
func NewRecorder(model string, o train.Options) *Recorder {
	return &Recorder{training: wire.Training{Model: model, Type: o.Precision.String(), Seed: o.Seed, Curve: []wire.CurvePoint{}}}
}

// Record takes in what train.Train tells after a step. A loss that is not finite, of a step which float16 skips, enters no mean.
func (r *Recorder) Record(p train.Progress) {
	step, steps := (p.Epoch-1)*p.Steps+p.Step, p.Epochs*p.Steps
	t := &r.training
	t.Seconds, t.Matrix = p.Time.Seconds(), p.Matrix.Seconds()
	t.Steps, t.Skipped = step, p.Skipped
	if !math.IsNaN(p.Loss) && !math.IsInf(p.Loss, 0) {
		r.sum, r.steps = r.sum+p.Loss, r.steps+1
	}
	points := min(steps, maxCurve)
	// Point k of 1, …, points is that of step ⌈k·steps/points⌉.
	if step*points/steps == (step-1)*points/steps {
		return
	}
	point := wire.CurvePoint{Step: step, Scale: p.Scale, Skipped: p.Skipped}
	if r.steps > 0 {
		point.Loss = r.sum / float64(r.steps)
	} else if n := len(t.Curve); n > 0 {
		point.Loss = t.Curve[n-1].Loss
	}
	t.Curve = append(t.Curve, point)
	r.sum, r.steps = 0, 0
}

// Score adds the accuracy of what was trained.
func (r *Recorder) Score(correct, total int) { r.training.Correct, r.training.Total = correct, total }

// Training returns the record.
func (r *Recorder) Training() wire.Training { return r.training }

// News returns the record with the points only that have come since it was last asked for.
func (r *Recorder) News() wire.Training {
	t := r.training
	t.Curve = t.Curve[r.told:len(t.Curve):len(t.Curve)]
	r.told = len(r.training.Curve)
	return t
}
