// Package play answers the reader's questions about single inputs and single plans: what does every variant make of this drawing,
// where do two of them disagree, what did a conversion do to a layer, and what is it worth. Package lab has the experiments;
// both read the same sources and convert with the same code.
package play

import (
	"context"
	"fmt"
	"sync"

	"quantlab/core/dataset"
	"quantlab/core/kernel"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// A Bench answers questions and keeps what it made for the next one: converted models, activations. It answers one question at
// a time; others wait. A host with one thread gives each kind of question a Bench of its own over the same source, so that
// short answers need not wait for long ones.
type Bench struct {
	host   lab.Host
	src    lab.Source
	engine *kernel.Engine

	turn  sync.Mutex
	nets  map[string]*network
	order []string // of nets, the one asked last at the end
}

// A network is a model as its file has it, with everything made of it.
type network struct {
	spec       nn.Spec
	net        *nn.Network
	meta       modelfile.Meta
	vocabulary *dataset.Vocabulary     // SST-2
	models     map[string]*quant.Model // by the key of what made them
}

// keptNetworks bounds how many networks a Bench keeps converted: both of one data set.
const keptNetworks = 2

// NewBench returns a Bench that computes on the host's best engine.
func NewBench(host lab.Host, src lab.Source) *Bench {
	return &Bench{host: host, src: src, engine: kernel.Best(), nets: map[string]*network{}}
}

// Close frees the models.
func (b *Bench) Close() {
	b.turn.Lock()
	defer b.turn.Unlock()
	for id := range b.nets {
		b.forget(id)
	}
}

func (b *Bench) forget(id string) {
	for _, m := range b.nets[id].models {
		m.Close()
	}
	delete(b.nets, id)
}

// network loads a model, or returns it as it was loaded before.
func (b *Bench) network(ctx context.Context, id string, progress func(done, total int64)) (*network, error) {
	spec, err := nn.SpecOf(id)
	if err != nil {
		return nil, err
	}
	if n := b.nets[id]; n != nil {
		b.touch(id)
		return n, nil
	}
	n := &network{spec: spec, models: map[string]*quant.Model{}}
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
