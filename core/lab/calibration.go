package lab

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// SampleSize returns how many examples calibrate the conversion.
func SampleSize(c wire.Conversion) int { return cmp.Or(c.Examples, dataset.CalibrationSize) }

// CheckSample refuses a calibration sample that can't be had.
func CheckSample(c wire.Conversion) error {
	switch n := SampleSize(c); {
	case n < 1 || n > wire.MaxCalibration:
		return fmt.Errorf("calibrating with %d examples is out of range: give 1 to %d", n, wire.MaxCalibration)
	case c.Seed == 0 && n > dataset.CalibrationSize:
		return fmt.Errorf("the lab's calibration sample has %d examples, not %d: give fewer, or a seed above 0 to draw others", dataset.CalibrationSize, n)
	}
	return nil
}

// DrawSample draws the calibration sample of a seed above 0 from the training set, in the order that observers see it. Smaller
// samples of the seed are its heads.
func DrawSample(training *dataset.Examples, seed uint64) *dataset.Examples {
	return training.Sample(wire.MaxCalibration, seed)
}

// ObservesLikeTheLab reports whether the plan's static layers observe activations as the lab's do. The grids that the lab
// found then serve it, whatever its weights are: observers look at the float32 network.
func ObservesLikeTheLab(p scheme.Plan) bool {
	preset, err := scheme.Preset("static-qint8", len(p))
	if err != nil {
		return false
	}
	for i, s := range p {
		if s.Mode == scheme.Static && s.Activation != preset[i].Activation {
			return false
		}
	}
	return true
}

// inBatches hands out the examples, EvalBatch at a time and in their order, each time in the same batch. passed, which may be
// nil, hears how many have been taken in.
func inBatches(examples *dataset.Examples, passed func(done, total int)) iter.Seq[nn.Batch] {
	return func(yield func(nn.Batch) bool) {
		n := examples.Len()
		var batch nn.Batch
		for lo := 0; lo < n; lo += EvalBatch {
			hi := min(lo+EvalBatch, n)
			examples.Slice(&batch, lo, hi)
			if !yield(batch) {
				return
			}
			if passed != nil {
				passed(hi, n)
			}
		}
	}
}

// Calibrate shows the examples, EvalBatch at a time and in their order, to the observers of the lab's static variant.
// The callback, which may be nil, hears how many have passed.
func Calibrate(ctx context.Context, net *nn.Network, examples *dataset.Examples, progress func(done, total int)) (*quant.Calibration, error) {
	plan, err := quant.Preset("static-qint8", len(net.Layers))
	if err != nil {
		return nil, err
	}
	return quant.Calibrate(ctx, net, plan, inBatches(examples, progress))
}

// calibrateTo is calibrate for any plan whose activations one calibration serves.
func (t *trial) calibrateTo(ctx context.Context, plan quant.Plan) (cal *quant.Calibration, note string, err error) {
	if t.meta.Calibration != nil && t.spec.Calibration == "" && ObservesLikeTheLab(plan) {
		return t.meta.Calibration, "", nil
	}
	step := t.step("calibrating")
	t.progress.begin(step, t.cost.calibrate())
	examples, err := t.sample(ctx)
	if err == nil {
		cal, err = quant.Calibrate(ctx, t.net, plan, inBatches(examples, func(done, total int) {
			t.breathe()
			t.progress.at(step, float64(done)/float64(total))
		}))
		return cal, "", err
	}
	if what := t.missing(err); what != "" && ctx.Err() == nil {
		return nil, absent(what), nil
	}
	return nil, "", err
}

// Record keeps what the float32 network computes on the examples, EvalBatch at a time and in their order. look hears before
// each batch how many have passed, and its error ends the work.
func Record(net *nn.Network, examples *dataset.Examples, look func(done, total int) error) (*quant.Activations, error) {
	done := 0
	return quant.Record(net, inBatches(examples, func(n, _ int) { done = n }), func() error { return look(done, examples.Len()) })
}
