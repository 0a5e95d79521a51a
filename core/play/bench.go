// Package play answers the reader's questions about single inputs and single plans: what does every variant make of this drawing,
// where do two of them disagree, what did a conversion do to a layer, and what is it worth. Package lab has the experiments;
// both read the same sources and convert with the same code.
package play

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/kernel"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/scheme"
)

// A Bench answers questions and keeps what it made for the next one: converted models, activations. It answers one question at
// a time; others wait. A host with one thread gives each kind of question a Bench of its own over the same source, so that
// short answers need not wait for long ones.
type Bench struct {
	host   lab.Host
	src    lab.Source
	engine *kernel.Engine

	turn   chan struct{} // holds one token while a question is answered: see take
	nets   map[string]*network
	order  []string  // of nets, the one asked last at the end
	drawn  *sample   // the calibration sample drawn last
	breath time.Time // when the host last had its turn

	changed atomic.Bool // what is the reader's own: see Forget
}

// A network is a model as its file has it, with everything made of it.
type network struct {
	spec       nn.Spec
	net        *nn.Network
	meta       modelfile.Meta
	vocabulary *dataset.Vocabulary // SST-2
	sample     *sample             // the lab's calibration sample
	weights    []*weights          // of the layers, nil where nobody looked at them yet
	known      baseline            // what is known of float32

	input  nn.Batch  // what was asked last, dense
	bag    nn.Batch  // SST-2: and sparse
	base   []verdict // float32's on the first test examples, as far as a search has asked
	models map[recipe]*model
	lab    map[string]*model // those of the lab's variants
	recent []recipe          // of the others, the one asked last at the end
	absent map[string]string // why a lab variant can't be had, where it can't
	notes  []string          // what the reader must know about that
}

// keptNetworks bounds how many networks a Bench keeps converted: both of one data set.
const keptNetworks = 2

// NewBench returns a Bench that computes on the host's best engine.
func NewBench(host lab.Host, src lab.Source) *Bench {
	return &Bench{host: host, src: src, engine: kernel.Best(), turn: make(chan struct{}, 1), nets: map[string]*network{}}
}

// Close frees the models. The Bench can be asked again, and then loads them anew.
func (b *Bench) Close() {
	b.turn <- struct{}{}
	defer func() { <-b.turn }()
	for id := range b.nets {
		b.forget(id)
	}
	b.order = nil
}

// take waits until no other question is being answered. Every exported method that answers one takes the turn first, and
// gives it back by calling release.
func (b *Bench) take(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case b.turn <- struct{}{}:
		if b.changed.Swap(false) {
			b.forgetOwn()
		}
		return func() { <-b.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Forget lets the next question find anew what is the reader's own. Whoever changes that calls it: another model may have the name, and
// even the spec, of one that was there before. It returns at once.
func (b *Bench) Forget() { b.changed.Store(true) }

// forgetOwn is called by whoever has the turn.
func (b *Bench) forgetOwn() {
	for _, id := range slices.Clone(b.order) {
		if b.nets[id].spec.Own {
			b.forget(id)
			b.order = slices.DeleteFunc(b.order, func(o string) bool { return o == id })
		}
	}
}

// breathEvery is how long a host with a single thread waits at the most to receive a message.
const breathEvery = 30 * time.Millisecond

// breathe is called between pieces of work, by whoever has the turn. It lets the host receive messages, if the last time is
// long ago, and returns the context's error.
func (b *Bench) breathe(ctx context.Context) error {
	if b.host.Yield != nil && time.Since(b.breath) >= breathEvery {
		b.host.Yield()
		b.breath = time.Now()
	}
	return ctx.Err()
}

func (b *Bench) forget(id string) {
	for _, m := range b.nets[id].models {
		m.Close()
	}
	delete(b.nets, id)
	if b.drawn != nil && b.drawn.model == id {
		b.drawn = nil
	}
}

// spec returns the model of that name, of the lab or of the reader's own.
func (b *Bench) spec(ctx context.Context, id string) (nn.Spec, error) {
	own, err := b.src.Own(ctx)
	if err != nil {
		return nn.Spec{}, err
	}
	return own.Catalog().Of(id)
}

// network loads a model, or returns it as it was loaded before.
func (b *Bench) network(ctx context.Context, id string, progress func(done, total int64)) (*network, error) {
	spec, err := b.spec(ctx, id)
	if err != nil {
		return nil, err
	}
	if n := b.nets[id]; n != nil {
		if reflect.DeepEqual(n.spec, spec) {
			b.touch(id)
			return n, nil
		}
		b.forget(id) // the reader has another model of that name now
	}
	n := &network{spec: spec, models: map[recipe]*model{}, lab: map[string]*model{}, absent: map[string]string{}}
	if n.net, n.meta, err = b.src.Network(ctx, spec, progress); err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	if err := lab.CheckNetwork(n.net, spec); err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	if spec.Data == nn.SST2 {
		if n.vocabulary, err = dataset.NewVocabulary(n.meta.Vocabulary); err != nil {
			return nil, fmt.Errorf("%s: its file has no usable vocabulary (%w): prepare the model again", id, err)
		}
		if n.vocabulary.Len() != spec.In {
			return nil, fmt.Errorf("%s: its file's vocabulary has %d words, not %d: prepare the model again", id, n.vocabulary.Len(), spec.In)
		}
	}
	b.nets[id] = n
	b.touch(id)
	return n, nil
}

// touch makes the network the one asked last, and forgets the one that was asked longest ago if there are too many.
func (b *Bench) touch(id string) {
	order := []string{}
	for _, o := range b.order {
		if o != id {
			order = append(order, o)
		}
	}
	b.order = append(order, id)
	if len(b.order) > keptNetworks {
		b.forget(b.order[0])
		b.order = b.order[1:]
	}
}

// plan returns the plan of a lab variant, or of wire.Custom.
func (n *network) plan(variant string, custom *wire.Conversion) (scheme.Plan, error) {
	if variant != wire.Custom {
		return scheme.Preset(variant, len(n.net.Layers))
	}
	if custom == nil {
		return nil, fmt.Errorf("there is no plan of your own to convert with: choose one in Inspect")
	}
	return scheme.ParsePlan(custom.Plan, len(n.net.Layers))
}
