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
	Look     func() error   // nil, or called now and then while the model is made, which ends with its error
}

// A Model is a converted network, ready to run. Its Forward allocates nothing. It serves one call at a time.
type Model struct {
	Spec   nn.Spec
	layers []QuantizedLayer
	steps  []step
	engine *kernel.Engine
	team   *kernel.Team
	sparse bool
	max    int          // rows
	look   func() error // see ForwardInterruptible
	widen  Widen        // see ForwardPart
	block  int          // multiply-adds of a product between two looks

	// Room for max rows of the widest layer. Layer i writes to floats[i%2] or ints[i%2], so its input stays readable.
	floats   [2][]float32
	ints     [2][]uint8
	scratch  kernel.Scratch
	scatter  []float32     // a sparse batch, spread out
	quantize []uint8       // an int8 layer's input, quantized on entry
	unpack   []float32     // a static layer's output, dequantized for the next one or as logits
	grids    []kernel.Grid // of a dynamic layer's rows
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
	if opt.Engine == nil {
		opt.Engine = kernel.Best()
	}
	if opt.Threads < 0 || opt.MaxBatch < 0 {
		return nil, fmt.Errorf("threads %d and largest batch %d must not be negative", opt.Threads, opt.MaxBatch)
	}
	if opt.MaxBatch == 0 {
		opt.MaxBatch = 64
	}
	if opt.Input != "" && opt.Input != Dense && opt.Input != Sparse {
		return nil, fmt.Errorf("unknown input %q: choose %s or %s", opt.Input, Dense, Sparse)
	}
	m := &Model{Spec: spec, layers: layers, engine: opt.Engine, sparse: opt.Input == Sparse, max: opt.MaxBatch, block: blockMACs}
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
		if i > 0 && l.In != layers[i-1].Out {
			return nil, fmt.Errorf("layer %s takes %d features, but %s gives %d", l.Name, l.In, layers[i-1].Name, layers[i-1].Out)
		}
		if i > 0 && l.InGrid != nil && layers[i-1].OutGrid != nil && *l.InGrid != *layers[i-1].OutGrid {
			return nil, fmt.Errorf("layer %s expects another activation grid than %s gives", l.Name, layers[i-1].Name)
		}
		m.steps = append(m.steps, m.newStep(i))
	}
	m.reserve()
	m.team = kernel.NewTeam(max(opt.Threads, 1))
	return m, nil
}

// reserve makes the buffers that the steps use.
func (m *Model) reserve() {
	widest, quantized, unpacked := 0, 0, 0
	for i, l := range m.layers {
		widest = max(widest, l.Out)
		static := l.Scheme.Mode == Static
		afterStatic := i > 0 && m.layers[i-1].Scheme.Mode == Static
		if l.I8 != nil {
			m.scratch.Reserve(m.max, l.Out)
			if m.sparse && i == 0 {
				quantized = usualWords // values(n) grows it where a batch has more
			} else if !static || !afterStatic {
				quantized = max(quantized, l.In)
			}
		}
		if afterStatic && !static {
			unpacked = max(unpacked, l.In)
		}
		if static && i == len(m.layers)-1 {
			unpacked = max(unpacked, l.Out)
		}
	}
	for i, l := range m.layers {
		static := l.Scheme.Mode == Static
		if static && m.ints[i%2] == nil {
			m.ints[i%2] = make([]uint8, m.max*widest)
		}
		if !static && m.floats[i%2] == nil {
			m.floats[i%2] = make([]float32, m.max*widest)
		}
	}
	m.quantize = make([]uint8, m.max*quantized)
	m.unpack = make([]float32, m.max*unpacked)
	m.grids = make([]kernel.Grid, m.max)
}

// usualWords is more than the different words of almost every sentence.
const usualWords = 64

// Forward runs the batch and returns its logits, rows x classes, which stay valid until the next call. A sparse batch
// may be fed to a model of dense input, not the other way round.
func (m *Model) Forward(x nn.Batch) (logits []float32, err error) {
	if err := checkBatch(x, m.layers[0].In); err != nil {
		return nil, err
	}
	if x.Rows > m.max {
		return nil, fmt.Errorf("a batch of %d rows is larger than the %d that the model was converted for: convert it with a larger MaxBatch", x.Rows, m.max)
	}
	if m.sparse && !x.IsSparse() {
		return nil, fmt.Errorf("a dense batch was given to a model converted for sparse rows: convert it with dense input")
	}
	if x.IsSparse() && !m.sparse {
		x = x.Scatter(m.scatter)
		m.scatter = x.Dense
	}
	s := signal{rows: x.Rows, batch: x, f: x.Dense}
	if s.f != nil {
		s.f = s.f[:x.Rows*x.Cols]
	}
	for _, step := range m.steps {
		if s, err = step.forward(m, s); err != nil {
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

// blockMACs is how many multiply-adds a product may take between two looks: some 50 ms of the slowest engine, that of
// a browser without SIMD. Smaller blocks would read a large layer's weights from memory more often.
const blockMACs = 1 << 27

// inBlocks has the product of all rows computed, a block of rows at a time where the call is interruptible. Its cost is
// macs multiply-adds a row.
func (m *Model) inBlocks(rows, macs int, product func(lo, hi int)) error {
	if m.look == nil {
		product(0, rows)
		return nil
	}
	const group = 8 // rows, of which a kernel may take several at once
	block := max(m.block/max(macs, 1)/group*group, group)
	for lo := 0; lo < rows; lo += block {
		if err := m.look(); err != nil {
			return err
		}
		product(lo, min(lo+block, rows))
	}
	return nil
}

// Weights returns what the model was made of, which is what a model file stores. It must not be changed.
func (m *Model) Weights() []QuantizedLayer { return m.layers }

// Plan returns the layers' schemes.
func (m *Model) Plan() Plan {
	p := make(Plan, len(m.layers))
	for i, l := range m.layers {
		p[i] = l.Scheme
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
