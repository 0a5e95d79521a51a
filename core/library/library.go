// Package library keeps the models and the examples that the reader brought, and hands them to the lab beside its own.
//
// Each is one entry of a Shelf: "model/NAME" is a safetensors file of package modelfile that tells of its own model, "data/NAME" what
// package custom keeps. An entry is whole in itself: it is all that another host needs.
package library

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"quantlab/core/dataset"
	"quantlab/core/dataset/custom"
	"quantlab/core/exchange"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

// maxEntry bounds a model's file: its parameters in float32, its header, and scales.
const maxEntry = 4*nn.MaxParams + 16<<20

// A Library is what there is of the reader's own. It may be used from several goroutines at once.
type Library struct {
	shelf Shelf

	mu    sync.Mutex // held while the shelf is read or changed
	known map[string]known
	words map[string]*dataset.Vocabulary // of models, by name
	last  *custom.Set                    // of examples, the one asked for last,
	named string                         // and its name
}

// A known is what an entry was found to be.
type known struct {
	model   *wire.OwnModel
	data    *wire.OwnData
	damaged error // why it is neither
}

// New returns the library of what the shelf keeps.
func New(shelf Shelf) *Library {
	return &Library{shelf: shelf, known: map[string]known{}, words: map[string]*dataset.Vocabulary{}}
}

// Own tells of everything that there is, by name; nil where there is nothing. Entries are read once. A damaged one is left out: see
// Damaged. A model whose spec names examples that are gone falls back to the lab's, and its notes say so.
func (l *Library) Own(ctx context.Context) (*wire.Own, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.own(ctx)
}

// Damaged returns a sentence for each entry that can't be read.
func (l *Library) Damaged(ctx context.Context) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	names, err := l.look(ctx)
	var out []string
	for _, name := range names {
		if k := l.known[name]; k.damaged != nil {
			out = append(out, fmt.Sprintf("%s: %v", name, k.damaged))
		}
	}
	return out, err
}

// own is Own with the mutex held, as it is in every method that is not exported.
func (l *Library) own(ctx context.Context) (*wire.Own, error) {
	names, err := l.look(ctx)
	if err != nil {
		return nil, err
	}
	var own wire.Own
	for _, name := range names {
		switch k := l.known[name]; {
		case k.model != nil:
			own.Models = append(own.Models, *k.model)
		case k.data != nil:
			own.Data = append(own.Data, *k.data)
		}
	}
	for i, m := range own.Models {
		own.Models[i] = healed(m, &own)
	}
	if own.Models == nil && own.Data == nil {
		return nil, nil
	}
	return &own, nil
}

// healed returns the model without the names of examples that there are not.
func healed(m wire.OwnModel, own *wire.Own) wire.OwnModel {
	for _, use := range []struct {
		name *string
		what string
	}{{&m.Spec.Test, "measure accuracy"}, {&m.Spec.Calibration, "calibrate"}} {
		if *use.name == "" {
			continue
		}
		if _, err := own.DataOf(*use.name); err != nil {
			m.Notes = append(slices.Clone(m.Notes), fmt.Sprintf("%s, the examples to %s, are no longer here: the lab's are used", *use.name, use.what))
			*use.name = ""
		}
	}
	return m
}

// look reads the entries that are not known yet, forgets those that are gone, and returns the names of all, in order.
func (l *Library) look(ctx context.Context) ([]string, error) {
	names, err := l.shelf.Names(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking for models and examples of your own: %w", err)
	}
	slices.Sort(names)
	for name := range l.known {
		if _, found := slices.BinarySearch(names, name); !found {
			l.forget(name)
		}
	}
	for _, name := range names {
		if _, ok := l.known[name]; ok {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := l.shelf.Get(ctx, name)
		if err != nil && ctx.Err() != nil {
			return nil, err
		}
		if err != nil { // perhaps only now: it is tried again
			l.known[name] = known{damaged: err}
			continue
		}
		l.known[name] = knownAs(name, data)
	}
	return names, nil
}

// Forget drops what is remembered of the shelf, which somebody else has changed.
func (l *Library) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for entry := range l.known {
		l.forget(entry)
	}
}

// forget drops what is remembered of an entry.
func (l *Library) forget(entry string) {
	delete(l.known, entry)
	if kind, name, _ := strings.Cut(entry, "/"); kind == wire.KindModel {
		delete(l.words, name)
	} else if l.named == name {
		l.last, l.named = nil, ""
	}
}

// knownAs finds out what an entry of that name is.
func knownAs(entry string, data []byte) known {
	k := inspect(data)
	if k.damaged == nil && k.entry() != entry {
		return known{damaged: fmt.Errorf("it holds %s: remove it, and bring it again", k.entry())}
	}
	return k
}

// entry is the name under which it is kept.
func (k known) entry() string {
	if k.model != nil {
		return wire.EntryOf(wire.KindModel, k.model.Spec.ID)
	}
	return wire.EntryOf(wire.KindData, k.data.Name)
}

// inspect finds out what an entry is.
func inspect(data []byte) known {
	if custom.IsSet(data) {
		_, facts, err := custom.ReadSet(data)
		if err != nil {
			return known{damaged: err}
		}
		return known{data: &facts}
	}
	_, _, m, err := readModel(data)
	if err != nil {
		return known{damaged: err}
	}
	return known{model: m}
}

// readModel reads a model's entry, and what is known of it.
func readModel(data []byte) (*nn.Network, modelfile.Meta, *wire.OwnModel, error) {
	net, meta, err := modelfile.ReadOwn(bytes.NewReader(data), maxEntry)
	if err != nil {
		return nil, meta, nil, err
	}
	m := new(wire.OwnModel)
	if err := json.Unmarshal(meta.Own, m); err != nil {
		return nil, meta, nil, errors.New("what is known of the model is unreadable: bring it again")
	}
	m.Spec = net.Spec
	if net.Spec.Data == nn.SST2 {
		if _, err := dataset.NewVocabulary(meta.Vocabulary); err != nil {
			return nil, meta, nil, fmt.Errorf("%s has no usable vocabulary (%w): bring the model again", net.Spec.ID, err)
		}
	}
	return net, meta, m, nil
}

// writeModel makes a model's entry.
func writeModel(net *nn.Network, meta modelfile.Meta, m wire.OwnModel) ([]byte, error) {
	if err := m.Spec.Validate(); err != nil {
		return nil, err
	}
	own, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encoding what is known of %s: %w", m.Spec.ID, err)
	}
	meta.Own, meta.Model = own, m.Spec.ID
	renamed := *net
	renamed.Spec = m.Spec
	var b bytes.Buffer
	err = modelfile.WriteNetwork(&b, &renamed, meta)
	return b.Bytes(), err
}

// writeData makes an entry of examples.
func writeData(s *custom.Set, facts wire.OwnData) ([]byte, error) {
	var b bytes.Buffer
	err := custom.Write(&b, s, facts)
	return b.Bytes(), err
}

// Add keeps what was imported. Where something of that kind and name is there already it must be told to replace it. Questions can't
// be kept.
func (l *Library) Add(ctx context.Context, im *exchange.Imported, replace bool) error {
	var data []byte
	var err error
	switch {
	case im.Model != nil:
		data, err = writeModel(im.Net, im.Meta, *im.Model)
	case im.Data != nil:
		data, err = writeData(im.Examples, *im.Data)
	default:
		err = errors.New("there is nothing to keep yet: answer the questions first")
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.put(ctx, data, replace)
}

// AddEntry keeps what Entry returned, in place of what has that name.
func (l *Library) AddEntry(ctx context.Context, data []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.put(ctx, data, true)
}

// put keeps an entry, once it is found to be whole and to have room.
func (l *Library) put(ctx context.Context, data []byte, replace bool) error {
	k := inspect(data)
	if k.damaged != nil {
		return k.damaged
	}
	names, err := l.look(ctx)
	if err != nil {
		return err
	}
	entry := k.entry()
	kind, name, _ := strings.Cut(entry, "/")
	if slices.Contains(names, entry) {
		if !replace {
			return fmt.Errorf("there is %s named %s already: give another name, or replace it", article(kind), name)
		}
	} else if n := countOf(names, kind); n >= wire.MaxOwn {
		return fmt.Errorf("there are %d %s already, the most that are kept: remove one first", n, plural(kind))
	}
	if err := l.shelf.Put(ctx, entry, data); err != nil {
		return fmt.Errorf("keeping %s: %w", name, err)
	}
	l.forget(entry)
	l.known[entry] = k
	return nil
}

// countOf counts the entries of a kind.
func countOf(names []string, kind string) (n int) {
	for _, name := range names {
		if strings.HasPrefix(name, kind+"/") {
			n++
		}
	}
	return n
}

// Entry returns the bytes of a model, wire.KindModel, or of a set of examples, wire.KindData.
func (l *Library) Entry(ctx context.Context, kind, name string) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.get(ctx, kind, name)
}

func (l *Library) get(ctx context.Context, kind, name string) ([]byte, error) {
	if kind != wire.KindModel && kind != wire.KindData {
		return nil, fmt.Errorf("there is no kind %.20q: choose %s or %s", kind, wire.KindModel, wire.KindData)
	}
	if err := nn.CheckName(name); err != nil {
		return nil, err
	}
	data, err := l.shelf.Get(ctx, wire.EntryOf(kind, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s of your own named %s: bring it first (%w)", noun(kind), name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data, nil
}

// Remove takes a model, or a set of examples, away for good, even if it is damaged.
func (l *Library) Remove(ctx context.Context, req wire.RemoveRequest) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	names, err := l.look(ctx)
	if err != nil {
		return err
	}
	entry := wire.EntryOf(req.Kind, req.Name)
	if !slices.Contains(names, entry) {
		_, err := l.get(ctx, req.Kind, req.Name)
		return err
	}
	if err := l.shelf.Remove(ctx, entry); err != nil {
		return fmt.Errorf("removing %s: %w", req.Name, err)
	}
	l.forget(entry)
	return nil
}

func noun(kind string) string {
	if kind == wire.KindData {
		return "set of examples"
	}
	return "model"
}

func article(kind string) string { return "a " + noun(kind) }

func plural(kind string) string {
	if kind == wire.KindData {
		return "sets of examples"
	}
	return "models"
}
