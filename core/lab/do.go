package lab

import (
	"context"
	"fmt"

	"quantlab/core/lab/wire"
)

// Do carries out an experiment: OpRun or one of wire's study.go. emit, which may be nil, hears every event from the goroutine
// that called Do, and at the end exactly one of EventDone, EventError and EventCancel. EventDone holds the run's Result, or a
// Study with the experiment's one part; Do returns the same as a Study.
func Do(ctx context.Context, host Host, src Source, c wire.Command, emit func(wire.Event)) (*wire.Study, error) {
	if emit == nil {
		emit = func(wire.Event) {}
	}
	if c.Op == wire.OpRun && c.Request != nil {
		result, err := Run(ctx, host, src, *c.Request, emit)
		if err != nil {
			return nil, err
		}
		return &wire.Study{Format: wire.StudyFormat, Version: host.Version, Results: []wire.Result{*result}}, nil
	}
	study := &wire.Study{Format: wire.StudyFormat, Version: host.Version}
	err := experiment(ctx, host, src, c, study, emit)
	if err := Conclude(ctx, err, wire.Event{Study: study}, emit); err != nil {
		return nil, err
	}
	return study, nil
}

// experiment adds to the study what the command asks for.
func experiment(ctx context.Context, host Host, src Source, c wire.Command, study *wire.Study, emit func(wire.Event)) error {
	if c.Request == nil {
		return fmt.Errorf("the command %.20q needs a request", c.Op)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := host.Check(*c.Request); err != nil {
		return err
	}
	switch c.Op {
	case wire.OpSensitivity:
		part, err := measureSensitivity(ctx, host, src, *c.Request, emit)
		if err == nil {
			study.Sensitivity = append(study.Sensitivity, *part)
		}
		return err
	case wire.OpPlans:
		var o wire.PlansOptions
		if c.Plans != nil {
			o = *c.Plans
		}
		part, err := searchPlans(ctx, host, src, *c.Request, o, emit)
		if err == nil {
			study.Plans = append(study.Plans, *part)
		}
		return err
	case wire.OpSweep:
		var o wire.SweepOptions
		if c.Sweep != nil {
			o = *c.Sweep
		}
		part, err := sweepCalibration(ctx, host, src, *c.Request, o, emit)
		if err == nil {
			study.Sweeps = append(study.Sweeps, *part)
		}
		return err
	case wire.OpAMP:
		o := wire.AMPOptions{Type: wire.BFloat16}
		if c.AMP != nil {
			o = *c.AMP
		}
		part, err := compareTraining(ctx, host, src, *c.Request, o, emit)
		if err == nil {
			study.AMP = append(study.AMP, *part)
		}
		return err
	}
	return fmt.Errorf("the command %.20q is no experiment", c.Op)
}
