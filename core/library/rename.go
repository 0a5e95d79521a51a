package library

import (
	"context"
	"fmt"
	"slices"

	"quantlab/core/dataset/custom"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// Rename gives a model, or a set of examples, another name. Everything else stays: models that name the examples follow.
func (l *Library) Rename(ctx context.Context, req wire.RenameRequest) error {
	if err := nn.CheckName(req.To); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	data, err := l.get(ctx, req.Kind, req.From)
	if err != nil || req.From == req.To {
		return err
	}
	names, err := l.look(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(names, wire.EntryOf(req.Kind, req.To)) {
		return fmt.Errorf("there is %s named %s already: give another name, or remove that one first", article(req.Kind), req.To)
	}
	if req.Kind == wire.KindModel {
		data, err = renamedModel(data, req.To)
	} else {
		data, err = renamedData(data, req.To)
	}
	if err != nil {
		return err
	}
	// The new name first: a failure on the way leaves both, and loses nothing.
	if err := l.change(ctx, wire.EntryOf(req.Kind, req.To), data); err != nil {
		return err
	}
	if req.Kind == wire.KindData {
		if err := l.follow(ctx, req.From, req.To); err != nil {
			return err
		}
	}
	old := wire.EntryOf(req.Kind, req.From)
	if err := l.shelf.Remove(ctx, old); err != nil {
		return fmt.Errorf("removing the old name %s: %w", req.From, err)
	}
	l.forget(old)
	return nil
}

// change keeps an entry that is known to be whole.
func (l *Library) change(ctx context.Context, entry string, data []byte) error {
	if err := l.shelf.Put(ctx, entry, data); err != nil {
		return fmt.Errorf("keeping %s: %w", entry, err)
	}
	l.forget(entry)
	l.known[entry] = knownAs(entry, data)
	return nil
}

func renamedModel(data []byte, name string) ([]byte, error) {
	net, meta, m, err := readModel(data)
	if err != nil {
		return nil, err
	}
	if m.Spec.Title == m.Spec.ID {
		m.Spec.Title = name
	}
	m.Spec.ID = name
	return writeModel(net, meta, *m)
}

func renamedData(data []byte, name string) ([]byte, error) {
	set, facts, err := custom.ReadSet(data)
	if err != nil {
		return nil, err
	}
	facts.Name = name
	return writeData(set, facts)
}

// follow makes the models that name the examples name them anew.
func (l *Library) follow(ctx context.Context, from, to string) error {
	for entry, k := range l.known {
		if k.model == nil || k.model.Spec.Test != from && k.model.Spec.Calibration != from {
			continue
		}
		data, err := l.shelf.Get(ctx, entry)
		if err != nil {
			return fmt.Errorf("reading %s: %w", entry, err)
		}
		net, meta, m, err := readModel(data)
		if err != nil {
			return fmt.Errorf("%s: %w", entry, err)
		}
		for _, use := range []*string{&m.Spec.Test, &m.Spec.Calibration} {
			if *use == from {
				*use = to
			}
		}
		if data, err = writeModel(net, meta, *m); err == nil {
			err = l.change(ctx, entry, data)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", entry, err)
		}
	}
	return nil
}
