package main

import (
	"context"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
)

// experiment carries out a command that package lab can do, its progress shown, and returns what it gave.
func (d *desk) experiment(ctx context.Context, out *output, c wire.Command) (*wire.Study, error) {
	if err := d.bring(ctx, *c.Request, c.Request.Weights == wire.Fresh || c.Op == wire.OpAMP, out.meter()); err != nil {
		return nil, err
	}
	meter := out.meter()
	defer meter.close()
	return lab.Do(ctx, host(), d, c, func(e wire.Event) {
		if e.Kind == wire.EventProgress {
			meter.at(e.Step, e.Fraction)
		}
	})
}
