package quant

import (
	"fmt"

	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// How a model's first layer reads sparse rows.
const (
	Dense  = "dense"  // as a full matrix product; sparse batches are spread out first
	Sparse = "sparse" // as a sum of weight rows; only sparse batches will do
)

// Options say how a converted model runs.
type Options struct {
	Engine   *kernel.Engine // nil: the best one of this machine
	Threads  int            // 0: 1
	MaxBatch int            // rows of the largest batch; 0: 64
	Input    string         // Dense or Sparse; "" is Dense
	Look     func() error   // nil, or called now and then while a model or a forest is made, which ends with its error
}

// A Model is a converted network, ready to run. Its Forward allocates nothing. It serves one call at a time.
type Model struct {
	Spec   nn.Spec
	layers []QuantizedLayer
	steps  []step
	*workspace
}

// Convert quantizes the network by the plan and makes it ready to run. cal is needed where the plan has static layers.
// Close the model when done.
func Convert(net *nn.Network, plan Plan, cal *Calibration, opt Options) (*Model, error) {
	layers, err := quantize(net, plan, cal, opt.Look)
	if err != nil {
		return nil, err
	}
	return New(net.Spec, layers, opt)
}

// New makes quantized layers, such as a model file holds, ready to run. They must not be changed afterwards.
func New(spec nn.Spec, layers []QuantizedLayer, opt Options) (*Model, error) {
	if len(layers) == 0 {
		return nil, fmt.Errorf("network %q has no layers", spec.ID)
	}
	w, err := newWorkspace(opt)
	if err != nil {
		return nil, err
	}
	m := &Model{Spec: spec, layers: layers, workspace: w}
	for i := range layers {
		l := &layers[i]
		if err := l.Validate(); err != nil {
			return nil, err
		}
		if opt.Look != nil {
			if err := opt.Look(); err != nil {
				return nil, err
			}
		}
		if i > 0 {
			if err := l.Follows(&layers[i-1]); err != nil {
				return nil, err
			}
		}
		m.steps = append(m.steps, w.newStep(i, l))
	}
	m.takeTurns(layers)
	w.team = kernel.NewTeam(opt.Threads)
	return m, nil
}

// Follows reports why the layer can't come after another.
func (l *QuantizedLayer) Follows(before *QuantizedLayer) error {
	if l.In != before.Out {
		return fmt.Errorf("layer %s takes %d features, but %s gives %d", l.Name, l.In, before.Name, before.Out)
	}
	if l.InGrid != nil && before.OutGrid != nil && *l.InGrid != *before.OutGrid {
		return fmt.Errorf("layer %s expects another activation grid than %s gives", l.Name, before.Name)
	}
	return nil
}

// Forward runs the batch and returns its logits, rows x classes, which stay valid until the next call. A sparse batch
// may be fed to a model of dense input, not the other way round.
func (m *Model) Forward(x nn.Batch) (logits []float32, err error) {
	s, err := m.enter(x, m.layers[0].In)
	if err != nil {
		return nil, err
	}
	for _, step := range m.steps {
		if s, err = step.forward(m.workspace, s); err != nil {
			return nil, err
		}
	}
	return m.float(s), nil
}

// ForwardInterruptible is Forward with the same results for work that nobody times: before every few rows of a layer's
// dense product it calls look, and gives up with look's error if there is one. It keeps a caller on a single thread, and
// one that wants to cancel, from waiting for a large product.
func (m *Model) ForwardInterruptible(x nn.Batch, look func() error) (logits []float32, err error) {
	m.look = look
	defer func() { m.look = nil }()
	return m.Forward(x)
}

// A Widen returns the range over all rows of a batch to a model that has seen only some of them, and found that these range
// from lo to hi. A NaN among the ranges makes it return NaN, NaN.
type Widen func(lo, hi float32) (float32, float32)

// ForwardPart is Forward for some rows of a batch whose others models of the same weights have, at the same time. Its
// logits are those that Forward would give these rows within the whole batch: a dynamic layer with one grid for all rows
// calls widen, once for each batch and in the order of the layers, to learn what the others' rows range over.
func (m *Model) ForwardPart(x nn.Batch, widen Widen) (logits []float32, err error) {
	m.widen = widen
	defer func() { m.widen = nil }()
	return m.Forward(x)
}

// Weights returns what the model was made of, which is what a model file stores. It must not be changed.
func (m *Model) Weights() []QuantizedLayer { return m.layers }

// Plan returns the layers' schemes.
func (m *Model) Plan() Plan { return PlanOf(m.layers) }

// PlanOf returns the schemes of layers.
func PlanOf(layers []QuantizedLayer) Plan {
	p := make(Plan, len(layers))
	for i := range layers {
		p[i] = layers[i].Scheme
	}
	return p
}

// MaxBatch returns the rows of the largest batch that Forward takes.
func (m *Model) MaxBatch() int { return m.max }

// Engine returns the engine that the model runs on.
func (m *Model) Engine() *kernel.Engine { return m.engine }

// Threads returns how many threads share the model's work.
func (m *Model) Threads() int { return m.team.Threads() }

// Params counts weights and biases.
func (m *Model) Params() int {
	n := 0
	for _, l := range m.layers {
		n += (l.In + 1) * l.Out
	}
	return n
}

// Close ends the model's threads. The model must be idle and not be used again.
func (m *Model) Close() { m.team.Close() }
