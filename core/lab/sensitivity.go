package lab

import (
	"context"
	"errors"

	"quantlab/core/lab/wire"
)

func measureSensitivity(ctx context.Context, host Host, src Source, req wire.Request, emit func(wire.Event)) (*wire.Sensitivity, error) {
	return nil, errors.New("not there yet")
}
