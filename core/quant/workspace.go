package quant

import (
	"fmt"

	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// A workspace is what layers run with: an engine, threads, and room for what passes between them. It serves one call at a
// time.
type workspace struct {
	engine *kernel.Engine
	team   *kernel.Team
	sparse bool
	max    int          // rows
	look   func() error // see ForwardInterruptible
	widen  Widen        // see ForwardPart
	block  int          // multiply-adds of a product between two looks

	// Room for max rows of a layer's outputs, by layer: of its mode's kind, nil where no layer there has it. A layer's
	// input must stay readable while its outputs are written.
	floats [][]float32
	ints   [][]uint8

	scratch  kernel.Scratch
	scatter  []float32     // a sparse batch, spread out
	quantize []uint8       // an int8 layer's input, quantized on entry
	unpack   []float32     // a static layer's output, dequantized for the next one or as logits
	grids    []kernel.Grid // of a dynamic layer's rows
}

// newWorkspace checks the options and returns a workspace without room and without threads.
func newWorkspace(opt Options) (*workspace, error) {
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
	return &workspace{engine: opt.Engine, sparse: opt.Input == Sparse, max: opt.MaxBatch, block: blockMACs}, nil
}

// reserve makes room for what the chain of layers needs beside its outputs. It may be called for several chains, whose calls
// then take turns.
func (w *workspace) reserve(layers []QuantizedLayer) {
	quantized, unpacked := 0, 0
	for i, l := range layers {
		static := l.Scheme.Mode == Static
		afterStatic := i > 0 && layers[i-1].Scheme.Mode == Static
		if l.I8 != nil {
			w.scratch.Reserve(w.max, l.Out)
			if w.sparse && i == 0 {
				quantized = max(quantized, usualWords) // values(n) grows it where a batch has more
			} else if !static || !afterStatic {
				quantized = max(quantized, l.In)
			}
		}
		if afterStatic && !static {
			unpacked = max(unpacked, l.In)
		}
		if static && i == len(layers)-1 {
			unpacked = max(unpacked, l.Out)
		}
	}
	if n := w.max * quantized; len(w.quantize) < n {
		w.quantize = make([]uint8, n)
	}
	if n := w.max * unpacked; len(w.unpack) < n {
		w.unpack = make([]float32, n)
	}
	if w.grids == nil {
		w.grids = make([]kernel.Grid, w.max)
	}
}

// usualWords is more than the different words of almost every sentence.
const usualWords = 64

// takeTurns makes room for one chain of layers. Every other layer writes to the same place.
func (w *workspace) takeTurns(layers []QuantizedLayer) {
	w.reserve(layers)
	widest := 0
	for _, l := range layers {
		widest = max(widest, l.Out)
	}
	w.floats, w.ints = make([][]float32, len(layers)), make([][]uint8, len(layers))
	for i, l := range layers {
		switch static, turn := l.Scheme.Mode == Static, i%2; {
		case static && w.ints[turn] == nil:
			w.ints[turn] = make([]uint8, w.max*widest)
		case !static && w.floats[turn] == nil:
			w.floats[turn] = make([]float32, w.max*widest)
		}
	}
	for i := 2; i < len(layers); i++ {
		w.floats[i], w.ints[i] = w.floats[i%2], w.ints[i%2]
	}
}

// enter checks a batch for a first layer of that many inputs and makes it a signal.
func (w *workspace) enter(x nn.Batch, in int) (signal, error) {
	if err := checkBatch(x, in); err != nil {
		return signal{}, err
	}
	if x.Rows > w.max {
		return signal{}, fmt.Errorf("a batch of %d rows is larger than the %d that the model was converted for: convert it with a larger MaxBatch", x.Rows, w.max)
	}
	if w.sparse && !x.IsSparse() {
		return signal{}, fmt.Errorf("a dense batch was given to a model converted for sparse rows: convert it with dense input")
	}
	if x.IsSparse() && !w.sparse {
		x = x.Scatter(w.scatter)
		w.scatter = x.Dense
	}
	s := signal{rows: x.Rows, batch: x, f: x.Dense}
	if s.f != nil {
		s.f = s.f[:x.Rows*x.Cols]
	}
	return s, nil
}

// blockMACs is how many multiply-adds a product may take between two looks: some 50 ms of the slowest engine, that of
// a browser without SIMD. Smaller blocks would read a large layer's weights from memory more often.
const blockMACs = 1 << 27

// inBlocks has the product of all rows computed, a block of rows at a time where the call is interruptible. Its cost is
// macs multiply-adds a row.
func (w *workspace) inBlocks(rows, macs int, product func(lo, hi int)) error {
	if w.look == nil {
		product(0, rows)
		return nil
	}
	const group = 8 // rows, of which a kernel may take several at once
	block := max(w.block/max(macs, 1)/group*group, group)
	for lo := 0; lo < rows; lo += block {
		if err := w.look(); err != nil {
			return err
		}
		product(lo, min(lo+block, rows))
	}
	return nil
}

// float returns the signal as float32, dequantized where it is integers.
func (w *workspace) float(s signal) []float32 {
	if s.q == nil {
		return s.f
	}
	f := w.unpack[:len(s.q)]
	w.engine.Dequantize(f, s.q, s.grid)
	return f
}

// values returns room for a sparse batch's quantized values.
func (w *workspace) values(n int) []uint8 {
	if len(w.quantize) < n {
		w.quantize = make([]uint8, n)
	}
	return w.quantize[:n]
}
