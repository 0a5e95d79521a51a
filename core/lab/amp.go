package lab

import (
	"context"
	"errors"

	"quantlab/core/lab/wire"
)

func compareTraining(ctx context.Context, host Host, src Source, req wire.Request, o wire.AMPOptions, emit func(wire.Event)) (*wire.AMP, error) {
	return nil, errors.New("not there yet")
}
