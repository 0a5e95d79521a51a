package main

import (
	"context"
	"errors"
	"slices"

	"quantlab/cmd/internal/prepare"
	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/library"
	"quantlab/core/nn"
)

// A desk is where a command finds models and data: the lab's, and the reader's own.
type desk struct {
	*library.Source
	store *prepare.Store
	own   *wire.Own // all that there is
}

// openDesk opens the cache. Nothing is prepared yet.
func openDesk(ctx context.Context) (*desk, error) {
	store, err := prepare.Open(prepare.Options{})
	if err != nil {
		return nil, err
	}
	d := &desk{Source: &library.Source{Source: store}, store: store}
	return d, d.use(ctx, library.New(store.Shelf()))
}

// begin opens the desk for a request, which it tells of the reader's own.
func begin(ctx context.Context, req *wire.Request) (*desk, error) {
	d, err := openDesk(ctx)
	if err != nil {
		return nil, err
	}
	req.Own = d.own
	return d, nil
}

// use makes the library the one that the reader's own is found in.
func (d *desk) use(ctx context.Context, l *library.Library) (err error) {
	d.Library = l
	d.own, err = l.Own(ctx)
	return err
}

// bring makes sure that the request's models are here, or with fresh, where they will be trained anew, that their data is. It
// shows its progress on m, which it closes.
func (d *desk) bring(ctx context.Context, req wire.Request, fresh bool, m meter) error {
	defer m.close()
	// A note, such as that SST-2 is missing, is shown in passing only: the result says it again, where it matters.
	tell := func(p prepare.Progress) { m.at("preparing: "+p.Step+p.Note, p.Fraction) }
	var labs, sets []string
	for _, id := range req.Models {
		spec, err := d.own.Catalog().Of(id)
		switch {
		case err != nil:
			return err
		case !spec.Own:
			labs = append(labs, id)
		case fresh || d.reads(spec, spec.Test, req.Test) || d.reads(spec, spec.Calibration, req.Calibration):
			sets = append(sets, spec.Data)
		}
	}
	if len(labs) > 0 {
		prepare := d.store.Prepare
		if fresh {
			prepare = d.store.Obtain
		}
		if err := prepare(ctx, labs, tell); err != nil {
			return err
		}
	}
	if len(sets) == 0 {
		return nil
	}
	// A model of the reader's own is of use without data too: what can't be measured then says so.
	var missing *dataset.MissingError
	if err := d.store.ObtainData(ctx, sets, tell); !errors.As(err, &missing) {
		return err
	}
	return ctx.Err()
}

// reads reports whether a model of the reader's own needs the lab's examples, given the ones of the reader's own that it and the
// request name.
func (d *desk) reads(spec nn.Spec, names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		data, err := d.own.DataOf(name)
		return err == nil && data.ReadBy(spec) == nil
	})
}
