package quant

import (
	"fmt"
	"iter"
	"slices"

	"quantlab/core/nn"
)

// Activations are what a float32 network computes on some examples, at every boundary, kept so that they can be calibrated
// to again and again: what Calibrate would observe, without computing it anew. They take 4 bytes a number, for every
// example as many numbers as the network's boundaries are wide together; a sparse input takes 8 bytes an element.
type Activations struct {
	net      *nn.Network
	batches  []nn.Batch
	outputs  [][][]float32            // [batch][layer]
	examples int                      // in all batches
	observed map[observation]Observer // whatever was asked for before
	grids    map[gridAsked]QParams    // likewise
}

// An observation is all that decides what an observer has counted.
type observation struct {
	boundary int
	counts   string
}

// gridAsked is all that decides a grid.
type gridAsked struct {
	boundary  int
	quantizer ActivationQuantizer
}

// Record runs the float32 network on the batches, of which it keeps copies. It calls look, which may be nil, before each
// batch, and gives up with its error if there is one.
func Record(net *nn.Network, batches iter.Seq[nn.Batch], look func() error) (*Activations, error) {
	if err := net.Validate(); err != nil {
		return nil, err
	}
	a := &Activations{net: net}
	run := runner{net: net}
	for b := range batches {
		if look != nil {
			if err := look(); err != nil {
				return nil, err
			}
		}
		if err := checkBatch(b, net.Layers[0].In); err != nil {
			return nil, fmt.Errorf("batch %d: %w", len(a.batches), err)
		}
		b = clone(b)
		var outputs [][]float32
		var x []float32
		for i, l := range net.Layers {
			y := make([]float32, b.Rows*l.Out)
			run.forward(y, i, b, x)
			outputs, x = append(outputs, y), y
		}
		a.batches, a.outputs = append(a.batches, b), append(a.outputs, outputs)
		a.examples += b.Rows
	}
	return a, nil
}

// clone copies a batch, of a sparse one only the elements that its rows hold.
func clone(b nn.Batch) nn.Batch {
	b.Dense = slices.Clone(b.Dense)
	if b.IsSparse() {
		first, last := b.Start[0], b.Start[b.Rows]
		b.Index, b.Value = slices.Clone(b.Index[first:last]), slices.Clone(b.Value[first:last])
		b.Start = slices.Clone(b.Start[:b.Rows+1])
		for i := range b.Start {
			b.Start[i] -= first
		}
	}
	return b
}

// Head returns the activations of the first n examples, at most all. It shares a's memory.
func (a *Activations) Head(n int) *Activations {
	h := &Activations{net: a.net}
	for i, b := range a.batches {
		rows := min(n-h.examples, b.Rows)
		if rows <= 0 {
			break
		}
		outputs := slices.Clone(a.outputs[i])
		for k := range outputs {
			outputs[k] = outputs[k][:rows*a.net.Layers[k].Out]
		}
		b.Rows = rows
		if b.IsSparse() {
			b.Start = b.Start[:rows+1]
			b.Index, b.Value = b.Index[:b.Start[rows]], b.Value[:b.Start[rows]]
		} else {
			b.Dense = b.Dense[:rows*b.Cols]
		}
		h.batches, h.outputs = append(h.batches, b), append(h.outputs, outputs)
		h.examples += rows
	}
	return h
}

// Examples returns of how many examples these are the activations.
func (a *Activations) Examples() int { return a.examples }

// Batches returns in how many batches the network saw them.
func (a *Activations) Batches() int { return len(a.batches) }

// Input returns a batch as the network saw it.
func (a *Activations) Input(batch int) nn.Batch { return a.batches[batch] }

// Output returns what layer i made of a batch: rows x outputs, after the ReLU.
func (a *Activations) Output(batch, i int) []float32 { return a.outputs[batch][i] }

// Calibrate returns what the function Calibrate returns for the same examples in the same batches. look, which may be nil, is
// called now and then, and its error ends the work.
func (a *Activations) Calibrate(plan Plan, look func() error) (*Calibration, error) {
	if err := plan.Validate(len(a.net.Layers)); err != nil {
		return nil, err
	}
	c := &Calibration{Boundaries: make([]Boundary, len(plan)+1)}
	if !plan.NeedsCalibration() {
		return c, nil
	}
	if a.examples == 0 {
		return nil, errNoExamples
	}
	c.Examples, c.Batches = a.examples, len(a.batches)
	for i, q := range boundaries(plan) {
		if q == (ActivationQuantizer{}) {
			continue
		}
		p, err := a.Grid(i, q, look)
		if err != nil {
			return nil, err
		}
		c.Boundaries[i] = Boundary{q, p}
	}
	return c, nil
}

// Grid returns the grid that the quantizer's observer chooses at a boundary. look is Calibrate's.
func (a *Activations) Grid(boundary int, q ActivationQuantizer, look func() error) (QParams, error) {
	asked := gridAsked{boundary, q}
	if p, ok := a.grids[asked]; ok {
		return p, nil
	}
	o, err := a.observer(boundary, q, look)
	if err != nil {
		return QParams{}, err
	}
	p := o.QParams()
	if err := p.validate(); err != nil {
		return QParams{}, fmt.Errorf("calibrating boundary %d: %w", boundary, err)
	}
	if a.grids == nil || len(a.grids) >= keptGrids {
		a.grids = map[gridAsked]QParams{}
	}
	a.grids[asked] = p
	return p, nil
}

// keptGrids bounds how many grids are kept.
const keptGrids = 1 << 10

// observer returns the quantizer's observer after it has seen the boundary's activations.
func (a *Activations) observer(boundary int, q ActivationQuantizer, look func() error) (Observer, error) {
	key := observation{boundary, counts(q.Observer)}
	if o := a.observed[key]; o != nil {
		return o.as(q), nil
	}
	o, err := NewObserver(q)
	if err != nil {
		return nil, err
	}
	for i, b := range a.batches {
		if look != nil {
			if err := look(); err != nil {
				return nil, err
			}
		}
		if boundary == 0 {
			err = observeInput(o, b)
		} else if err = o.Observe(a.outputs[i][boundary-1]); err != nil {
			err = fmt.Errorf("output of %s: %w", a.net.Layers[boundary-1].Name, err)
		}
		if err != nil {
			return nil, fmt.Errorf("calibrating on batch %d: %w", i, err)
		}
	}
	if a.observed == nil {
		a.observed = map[observation]Observer{}
	}
	a.observed[key] = o
	return o, nil
}
