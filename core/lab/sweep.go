package lab

import (
	"context"
	"errors"

	"quantlab/core/lab/wire"
)

func sweepCalibration(ctx context.Context, host Host, src Source, req wire.Request, o wire.SweepOptions, emit func(wire.Event)) (*wire.Sweep, error) {
	return nil, errors.New("not there yet")
}
