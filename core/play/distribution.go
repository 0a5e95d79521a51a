package play

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// histogramBins is how many bins the histograms of an Inspection have.
const histogramBins = 96

// A spread is what a Distribution says without a grid, put together piece by piece: first all pieces by include, then all
// again by add.
type spread struct {
	lo, hi      float32
	any         bool
	sum, square float64
	count       int
	zeros       int
	bins        []int
}

// include widens the range.
func (s *spread) include(e *kernel.Engine, x []float32, zeros int) {
	if len(x) > 0 {
		s.widen(e.Range(x))
	}
	if zeros > 0 {
		s.widen(0, 0)
	}
}

func (s *spread) widen(lo, hi float32) {
	if s.any {
		lo, hi = min(lo, s.lo), max(hi, s.hi)
	}
	s.any, s.lo, s.hi = true, lo, hi
}

// add counts x and that many zeros.
func (s *spread) add(x []float32, zeros int) {
	if s.bins == nil {
		s.bins = make([]int, histogramBins)
	}
	lo, scale := float64(s.lo), s.scale()
	last := len(s.bins) - 1
	sum, square, none := 0.0, 0.0, 0
	for _, v := range x {
		f := float64(v)
		sum += f
		square += f * f
		if v == 0 {
			none++
		}
		s.bins[min(int((f-lo)*scale), last)]++
	}
	if zeros > 0 {
		s.bins[min(int((0-lo)*scale), last)] += zeros
	}
	s.sum, s.square, s.count, s.zeros = s.sum+sum, s.square+square, s.count+len(x)+zeros, s.zeros+none+zeros
}

// scale is how many bins a unit holds; 0 where all numbers are the same, and lie in the first bin.
func (s *spread) scale() float64 {
	if s.hi == s.lo {
		return 0
	}
	return histogramBins / (float64(s.hi) - float64(s.lo))
}

func (s *spread) distribution() wire.Distribution {
	d := wire.Distribution{Lo: float64(s.lo), Hi: float64(s.hi), Count: s.count, Zeros: s.zeros, Bins: slices.Clone(s.bins)}
	if s.count > 0 {
		n := float64(s.count)
		d.Mean = s.sum / n
		d.Std = math.Sqrt(max(s.square/n-d.Mean*d.Mean, 0))
	}
	return d
}

// A boundary is what float32's activations at one place of the network look like.
type boundary struct {
	wire.Distribution
	dead []int // units that no example makes positive
}

// part returns what a batch holds at a boundary, and how many zeros besides; shown is nil where it is not sparse.
func (v *view) part(at, batch int) (x []float32, zeros int, shown *nn.Batch) {
	if at > 0 {
		return v.Output(batch, at-1), 0, nil
	}
	b := v.Input(batch)
	if !b.IsSparse() {
		return b.Dense, 0, nil
	}
	return b.Value, b.Rows*b.Cols - len(b.Value), &b
}

// at describes a boundary of the network.
func (v *view) at(e *kernel.Engine, at, width int, look func() error) (*boundary, error) {
	if v.boundaries[at] != nil {
		return v.boundaries[at], nil
	}
	var s spread
	for i := range v.Batches() {
		x, zeros, _ := v.part(at, i)
		s.include(e, x, zeros)
	}
	if d := float64(s.hi) - float64(s.lo); d-d != 0 {
		return nil, fmt.Errorf("float32's activations range from %v to %v: the model is damaged, prepare it again", s.lo, s.hi)
	}
	positive := make([]bool, width)
	for i := range v.Batches() {
		if err := look(); err != nil {
			return nil, err
		}
		x, zeros, _ := v.part(at, i)
		s.add(x, zeros)
		if at > 0 {
			for row := range slices.Chunk(x, width) {
				for u, y := range row {
					if y > 0 {
						positive[u] = true
					}
				}
			}
		}
	}
	b := &boundary{Distribution: s.distribution()}
	for u, alive := range positive {
		if !alive && at > 0 {
			b.dead = append(b.dead, u)
		}
	}
	v.boundaries[at] = b
	return b, nil
}

// A placing is all that decides what becomes of the activations at a boundary.
type placing struct {
	boundary  int
	quantizer scheme.ActivationQuantizer
	dynamic   bool          // each batch is put on a grid of its own
	grid      quant.QParams // of all batches, where not
}

// An effect is what a grid made of activations.
type effect struct {
	loss    quant.Distortion
	grid    quant.QParams // of a dynamic layer: the one in the middle by scale
	clipped float64
	used    int // levels
	dynamic bool
	perRow  bool
	near    int // how many levels lie next to zero: a sixteenth of those that the range is spread over
	crowd   int // numbers on them
}

// keptEffects bounds how many effects are kept.
const keptEffects = 256

// effect puts the activations at a boundary on the grid, or, for a dynamic layer, each batch or row on a grid of its own.
func (v *view) effect(e *kernel.Engine, p placing, look func() error) (effect, error) {
	if done, ok := v.effects[p]; ok {
		return done, nil
	}
	placed := placer{engine: e, placing: p}
	for i := range v.Batches() {
		if err := look(); err != nil {
			return effect{}, err
		}
		x, zeros, sparse := v.part(p.boundary, i)
		rows := v.Input(i).Rows
		if !p.dynamic || !p.quantizer.PerRow {
			placed.place(x, zeros)
			continue
		}
		for r := range rows {
			if sparse != nil {
				row := sparse.Value[sparse.Start[r]:sparse.Start[r+1]]
				placed.place(row, sparse.Cols-len(row))
			} else {
				width := len(x) / rows
				placed.place(x[r*width:(r+1)*width], 0)
			}
		}
	}
	done := placed.effect()
	if len(v.effects) >= keptEffects {
		clear(v.effects)
	}
	v.effects[p] = done
	return done, nil
}

// A placer puts activations on grids, piece by piece.
type placer struct {
	engine *kernel.Engine
	placing
	ints    []uint8
	back    []float32
	tally   quant.Tally
	levels  [256]int
	grids   []quant.QParams
	clipped float64 // numbers
}

func (p *placer) place(x []float32, zeros int) {
	if len(p.ints) < len(x) {
		p.ints, p.back = make([]uint8, len(x)), make([]float32, len(x))
	}
	q, back := p.ints[:len(x)], p.back[:len(x)]
	lo, hi := p.engine.Range(x)
	g := p.grid
	if p.dynamic {
		g = quant.DynamicGrid(p.quantizer, lo, hi)
		p.grids = append(p.grids, g)
		p.engine.QuantizeDynamic(q, x, g.Grid())
	} else {
		p.engine.Quantize(q, x, g.Grid())
	}
	p.engine.Dequantize(back, q, g.Grid())
	p.tally.Add(x, back)
	p.tally.AddZeros(zeros)
	for _, level := range q {
		p.levels[level]++
	}
	p.levels[g.Zero] += zeros
	if least, most := g.Range(); float64(lo) < least || float64(hi) > most {
		p.clipped += quant.Clipped(x, g) * float64(len(x))
	}
}

func (p *placer) effect() effect {
	e := effect{loss: p.tally.Distortion(), grid: p.grid, dynamic: p.dynamic, perRow: p.dynamic && p.quantizer.PerRow}
	if n := p.tally.Count; n > 0 {
		e.clipped = p.clipped / float64(n)
	}
	for _, n := range p.levels {
		if n > 0 {
			e.used++
		}
	}
	if len(p.grids) > 0 {
		slices.SortFunc(p.grids, func(a, b quant.QParams) int { return cmp.Compare(a.Scale, b.Scale) })
		e.grid = p.grids[len(p.grids)/2]
	}
	e.near = max((int(quant.Top(p.quantizer))+1)/16, 1)
	zero := int(e.grid.Zero)
	from := max(zero-e.near/2, 0)
	for _, n := range p.levels[from:min(from+e.near, len(p.levels))] {
		e.crowd += n
	}
	return e
}

// each names what has a grid of its own, where the grids are dynamic.
func (e *effect) each() string {
	if e.perRow {
		return "example"
	}
	return "batch"
}

// markGrid sets a distribution's grid and what it made of the numbers.
func markGrid(d *wire.Distribution, e effect, top int32) {
	d.Grid = gridOf(e.grid, top)
	d.Clipped, d.Used = e.clipped, e.used
}

// gridOf tells a grid, top being the highest integer that the range is spread over.
func gridOf(p quant.QParams, top int32) *wire.Grid {
	g := &wire.Grid{Scale: p.Scale, Zero: p.Zero, Min: p.Min, Max: p.Max}
	g.Lo, g.Hi = p.Range()
	if top < p.Max {
		g.Top = top
	}
	return g
}
