package quant

import (
	"fmt"

	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// A signal is what travels between layers: float32, or integers on a grid; at first perhaps a sparse batch.
type signal struct {
	rows  int
	batch nn.Batch // read by the first step of a sparse model only
	f     []float32
	q     []uint8
	grid  kernel.Grid // of q
}

// A step is one packed layer.
type step interface {
	forward(w *workspace, in signal) (signal, error)
}

// newStep packs layer i of a network.
func (w *workspace) newStep(i int, l *QuantizedLayer) step {
	e := w.engine
	base := place{i, l.Out}
	switch sparse := w.sparse && i == 0; l.Scheme.Mode {
	case Float32:
		if sparse {
			return &sparseFloatStep{base, e.PackSparseF32(l.F32, l.Bias, l.Out, l.In, l.ReLU)}
		}
		return &floatStep{base, e.PackF32(l.F32, l.Bias, l.Out, l.In, l.ReLU)}
	case Float16:
		if sparse {
			return &sparseFloatStep{base, e.PackSparseF16(l.F16, l.Bias, l.Out, l.In, l.ReLU)}
		}
		return &floatStep{base, e.PackF16(l.F16, l.Bias, l.Out, l.In, l.ReLU)}
	case Dynamic:
		q := l.Scheme.Activation
		if sparse {
			return &sparseDynamicStep{base, q, e.PackSparseI8(l.I8, l.Out, l.In, l.Scale, l.Zero, l.Bias, l.ReLU)}
		}
		return &dynamicStep{base, q, l.In, e.PackI8(l.I8, l.Out, l.In, l.Scale, l.Zero, l.Bias, l.ReLU)}
	default:
		in, out := l.InGrid.Grid(), l.OutGrid.Grid()
		if sparse {
			p := e.PackSparseI8(l.I8, l.Out, l.In, l.Scale, l.Zero, l.Bias, l.ReLU)
			return &sparseStaticStep{base, in, out, p.Requantize(in, out)}
		}
		p := e.PackI8(l.I8, l.Out, l.In, l.Scale, l.Zero, l.Bias, l.ReLU)
		return &staticStep{base, in, out, p.Requantize(in, out)}
	}
}

// A place says where a layer's outputs go.
type place struct{ layer, out int }

func (p place) floats(w *workspace, rows int) []float32 { return w.floats[p.layer][:rows*p.out] }
func (p place) ints(w *workspace, rows int) []uint8     { return w.ints[p.layer][:rows*p.out] }

type floatStep struct {
	place
	p interface {
		Forward(t *kernel.Team, y, x []float32, rows int)
	}
}

func (s *floatStep) forward(w *workspace, in signal) (signal, error) {
	x, y := w.float(in), s.floats(w, in.rows)
	cols := len(x) / in.rows
	err := w.inBlocks(in.rows, cols*s.out, func(lo, hi int) {
		s.p.Forward(w.team, y[lo*s.out:hi*s.out], x[lo*cols:hi*cols], hi-lo)
	})
	return signal{rows: in.rows, f: y}, err
}

type sparseFloatStep struct {
	place
	p interface {
		Forward(t *kernel.Team, y []float32, start, index []int32, value []float32, rows int)
	}
}

func (s *sparseFloatStep) forward(w *workspace, in signal) (signal, error) {
	y, b := s.floats(w, in.rows), in.batch
	s.p.Forward(w.team, y, b.Start, b.Index, b.Value, b.Rows)
	return signal{rows: in.rows, f: y}, nil
}

type dynamicStep struct {
	place
	q  ActivationQuantizer
	in int
	p  *kernel.I8
}

func (s *dynamicStep) forward(w *workspace, in signal) (signal, error) {
	x, xq := w.float(in), w.quantize[:in.rows*s.in]
	grids := w.grids[:1]
	if s.q.PerRow {
		grids = w.grids[:in.rows]
	}
	n := len(xq) / len(grids)
	for r := range grids {
		if err := w.quantizeDynamic(&grids[r], xq[r*n:(r+1)*n], x[r*n:(r+1)*n], s.q); err != nil {
			return signal{}, err
		}
	}
	y := s.floats(w, in.rows)
	err := w.inBlocks(in.rows, s.in*s.out, func(lo, hi int) {
		of := grids
		if s.q.PerRow {
			of = grids[lo:hi]
		}
		s.p.Dynamic(w.team, y[lo*s.out:hi*s.out], xq[lo*s.in:hi*s.in], hi-lo, of, &w.scratch)
	})
	return signal{rows: in.rows, f: y}, err
}

// quantizeDynamic puts x on a grid of its own range.
func (w *workspace) quantizeDynamic(g *kernel.Grid, xq []uint8, x []float32, q ActivationQuantizer) error {
	lo, hi := w.engine.Range(x)
	if w.widen != nil && !q.PerRow {
		lo, hi = w.widen(lo, hi)
	}
	if d := float64(hi) - float64(lo); d-d != 0 { // NaN or infinite
		return fmt.Errorf("activations range from %v to %v, which can't be quantized: check the input for NaN and huge numbers", lo, hi)
	}
	*g = DynamicGrid(q, lo, hi).Grid()
	w.engine.QuantizeDynamic(xq, x, *g)
	return nil
}

type sparseDynamicStep struct {
	place
	q ActivationQuantizer
	p *kernel.SparseI8
}

func (s *sparseDynamicStep) forward(w *workspace, in signal) (signal, error) {
	b := in.batch
	xq := w.values(int(b.Start[b.Rows]))
	grids := w.grids[:1]
	from, to := b.Start[0], b.Start[b.Rows]
	if s.q.PerRow {
		grids = w.grids[:in.rows]
	}
	for r := range grids {
		if s.q.PerRow {
			from, to = b.Start[r], b.Start[r+1]
		}
		// What a row leaves out is 0, which every grid includes anyway.
		if err := w.quantizeDynamic(&grids[r], xq[from:to], b.Value[from:to], s.q); err != nil {
			return signal{}, err
		}
	}
	y := s.floats(w, in.rows)
	s.p.Dynamic(w.team, y, b.Start, b.Index, xq, b.Rows, grids, &w.scratch)
	return signal{rows: in.rows, f: y}, nil
}

type staticStep struct {
	place
	in, out kernel.Grid
	p       *kernel.Static
}

func (s *staticStep) forward(w *workspace, in signal) (signal, error) {
	xq := in.q
	if xq == nil {
		xq = w.quantize[:len(in.f)]
		w.engine.Quantize(xq, in.f, s.in)
	}
	y, cols, out := s.ints(w, in.rows), len(xq)/in.rows, s.place.out
	err := w.inBlocks(in.rows, cols*out, func(lo, hi int) {
		s.p.Forward(w.team, y[lo*out:hi*out], xq[lo*cols:hi*cols], hi-lo, &w.scratch)
	})
	return signal{rows: in.rows, q: y, grid: s.out}, err
}

type sparseStaticStep struct {
	place
	in, out kernel.Grid
	p       *kernel.SparseStatic
}

func (s *sparseStaticStep) forward(w *workspace, in signal) (signal, error) {
	b := in.batch
	n := b.Start[b.Rows]
	xq := w.values(int(n))
	w.engine.Quantize(xq, b.Value[:n], s.in)
	y := s.ints(w, in.rows)
	s.p.Forward(w.team, y, b.Start, b.Index, xq, b.Rows, &w.scratch)
	return signal{rows: in.rows, q: y, grid: s.out}, nil
}
