package lab

import (
	"context"
	"errors"

	"quantlab/core/lab/wire"
)

func searchPlans(ctx context.Context, host Host, src Source, req wire.Request, o wire.PlansOptions, emit func(wire.Event)) (*wire.Plans, error) {
	return nil, errors.New("not there yet")
}
