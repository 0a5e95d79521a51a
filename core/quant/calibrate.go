package quant

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// A Calibration holds the grids of a network's activations. Boundary 0 is the network's input, boundary i+1 the output
// of layer i, after its ReLU.
type Calibration struct {
	Boundaries []Boundary `json:"boundaries"`
	Examples   int        `json:"examples"` // how many were observed
	Batches    int        `json:"batches"`  // in how many batches: the histogram and moving-average observers depend on it
}

// A Boundary is what was calibrated at one place. Its Quantizer is zero where no static layer touches it.
type Boundary struct {
	Quantizer ActivationQuantizer `json:"quantizer,omitzero"`
	QParams   QParams             `json:"qparams,omitzero"`
}

// boundaries returns the quantizer of each boundary. A layer's output is put on its own grid; what enters a static layer
// from one that is not static, or from outside, is put on the grid that the layer entered asks for. So does PyTorch's FX
// flow, where a layer's observers come from its qconfig and an activation is observed once.
func boundaries(p Plan) []ActivationQuantizer {
	qs := make([]ActivationQuantizer, len(p)+1)
	for i, s := range p {
		if s.Mode != Static {
			continue
		}
		if qs[i] == (ActivationQuantizer{}) {
			qs[i] = s.Activation
		}
		qs[i+1] = s.Activation
	}
	return qs
}

// covers reports whether the calibration has every grid that the plan needs. A nil calibration has none. One that was
// made for a uniform static plan also covers plans that make only some of its layers static.
func (c *Calibration) covers(p Plan) error {
	if !p.NeedsCalibration() {
		return nil
	}
	if c == nil {
		return errors.New("the plan has static layers but no calibration: calibrate the network with this plan first")
	}
	if len(c.Boundaries) != len(p)+1 {
		return fmt.Errorf("the calibration is for %d layers, the plan for %d: calibrate this network with this plan", len(c.Boundaries)-1, len(p))
	}
	for i, q := range boundaries(p) {
		if q == (ActivationQuantizer{}) {
			continue
		}
		if c.Boundaries[i].Quantizer != q {
			return fmt.Errorf("activations at boundary %d were calibrated as %+v, not as the plan's %+v: calibrate with this plan", i, c.Boundaries[i].Quantizer, q)
		}
		if err := c.Boundaries[i].QParams.validate(); err != nil {
			return fmt.Errorf("activations at boundary %d: %w", i, err)
		}
	}
	return nil
}

var errNoExamples = errors.New("no calibration examples: give at least one")

// Calibrate runs the float32 network on the batches and observes the activations that the plan needs grids for. It
// computes on the fastest engine whose float32 results are the same bits everywhere, so the same examples give the same
// quantized model on every machine and in every browser. A plan without static layers needs no batches.
func Calibrate(ctx context.Context, net *nn.Network, plan Plan, batches iter.Seq[nn.Batch]) (*Calibration, error) {
	if err := net.Validate(); err != nil {
		return nil, err
	}
	if err := plan.Validate(len(net.Layers)); err != nil {
		return nil, err
	}
	c := &Calibration{Boundaries: make([]Boundary, len(plan)+1)}
	if !plan.NeedsCalibration() {
		return c, nil
	}
	w, err := newWatch(net, plan)
	if err != nil {
		return nil, err
	}
	for b := range batches {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if b.Rows == 0 {
			continue
		}
		if err := w.observe(b); err != nil {
			return nil, fmt.Errorf("calibrating on batch %d: %w", c.Batches, err)
		}
		c.Batches++
		c.Examples += b.Rows
	}
	if c.Examples == 0 {
		return nil, errNoExamples
	}
	for i, o := range w.observers {
		if o == nil {
			continue
		}
		c.Boundaries[i] = Boundary{boundaries(plan)[i], o.QParams()}
		if err := c.Boundaries[i].QParams.validate(); err != nil {
			return nil, fmt.Errorf("calibrating boundary %d: %w", i, err)
		}
	}
	return c, nil
}

// A watch runs a float32 network and shows its activations to observers.
type watch struct {
	runner
	observers []Observer // one a boundary, nil where nobody looks
	x, y      []float32
}

func newWatch(net *nn.Network, plan Plan) (*watch, error) {
	w := &watch{runner: runner{net: net}, observers: make([]Observer, len(plan)+1)}
	for i, q := range boundaries(plan) {
		if q == (ActivationQuantizer{}) {
			continue
		}
		o, err := NewObserver(q)
		if err != nil {
			return nil, err
		}
		w.observers[i] = o
	}
	return w, nil
}

// last is the last boundary that is observed.
func (w *watch) last() int {
	last := 0
	for i, o := range w.observers {
		if o != nil {
			last = i
		}
	}
	return last
}

func (w *watch) observe(b nn.Batch) error {
	if err := checkBatch(b, w.net.Layers[0].In); err != nil {
		return err
	}
	if o := w.observers[0]; o != nil {
		if err := observeInput(o, b); err != nil {
			return err
		}
	}
	for i := range w.last() {
		n := b.Rows * w.net.Layers[i].Out
		if cap(w.y) < n {
			w.y = make([]float32, n)
		}
		w.forward(w.y[:n], i, b, w.x)
		w.x, w.y = w.y[:n], w.x
		if o := w.observers[i+1]; o != nil {
			if err := o.Observe(w.x); err != nil {
				return fmt.Errorf("output of %s: %w", w.net.Layers[i].Name, err)
			}
		}
	}
	return nil
}

// observeInput shows the network's input to an observer, the zeros that a sparse batch leaves out too.
func observeInput(o Observer, b nn.Batch) error {
	var err error
	if b.IsSparse() {
		x := b.Value[b.Start[0]:b.Start[b.Rows]]
		err = o.ObserveSparse(x, b.Rows*b.Cols-len(x))
	} else {
		err = o.Observe(b.Dense[:b.Rows*b.Cols])
	}
	if err != nil {
		return fmt.Errorf("input: %w", err)
	}
	return nil
}

// A runner runs the layers of a float32 network one by one, on an engine that gives the same bits everywhere.
type runner struct {
	net    *nn.Network
	dense  []*kernel.F32     // packed when first run
	sparse *kernel.SparseF32 // layer 0 for sparse batches
}

// forward writes to y the outputs of layer i for b (layer 0) or for x.
func (r *runner) forward(y []float32, i int, b nn.Batch, x []float32) {
	l, e := r.net.Layers[i], kernel.Reproducible()
	if i == 0 && b.IsSparse() {
		if r.sparse == nil {
			r.sparse = e.PackSparseF32(l.W, l.B, l.Out, l.In, l.ReLU)
		}
		r.sparse.Forward(nil, y, b.Start, b.Index, b.Value, b.Rows)
		return
	}
	if r.dense == nil {
		r.dense = make([]*kernel.F32, len(r.net.Layers))
	}
	if r.dense[i] == nil {
		r.dense[i] = e.PackF32(l.W, l.B, l.Out, l.In, l.ReLU)
	}
	if i == 0 {
		x = b.Dense
	}
	r.dense[i].Forward(nil, y, x, b.Rows)
}

// checkBatch reports why a batch can't be fed to a layer of that many inputs.
func checkBatch(b nn.Batch, in int) error {
	if b.Rows < 1 || b.Cols != in {
		return fmt.Errorf("a batch of %d rows x %d features does not fit a network of %d inputs", b.Rows, b.Cols, in)
	}
	if !b.IsSparse() {
		if len(b.Dense) < b.Rows*b.Cols {
			return fmt.Errorf("a batch of %d rows x %d features holds only %d numbers", b.Rows, b.Cols, len(b.Dense))
		}
		return nil
	}
	if len(b.Start) < b.Rows+1 || b.Start[0] < 0 || int(b.Start[b.Rows]) > min(len(b.Index), len(b.Value)) {
		return errors.New("the batch's sparse rows are longer than its elements")
	}
	for r := range b.Rows {
		from, to := b.Start[r], b.Start[r+1]
		if from > to || to > b.Start[b.Rows] {
			return fmt.Errorf("sparse row %d ends before it starts", r)
		}
		last := int32(-1)
		for _, c := range b.Index[from:to] {
			if c <= last || int(c) >= in {
				return fmt.Errorf("sparse row %d: column %d is out of order or beyond %d inputs", r, c, in)
			}
			last = c
		}
	}
	return nil
}
