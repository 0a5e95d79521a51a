package play

import (
	"cmp"
	"math"
	"slices"

	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// weights is what is known of a layer's weights: as trained, and as the scheme asked for last has them.
type weights struct {
	float wire.Distribution
	rows  []float64 // largest magnitude of each output's weights

	layer quant.QuantizedLayer // as converted last, without the grids of its activations
	lost  weightLoss
}

// A weightLoss is what a scheme made of a layer's weights.
type weightLoss struct {
	all        quant.Distortion
	rows, cols []wire.Loss // the worst ones first
	used       int         // levels, of int8 weights
	clipped    float64     // share
	saturated  int         // float16: weights beyond its largest number
	subnormal  int         // float16: weights that have lost bits, being tiny
	vanished   int         // weights that became zero and were not
}

// weightPiece is how many weights are looked at between two breaths.
const weightPiece = 1 << 20

// smallestHalf is the smallest half of full precision (0.000061), largestHalf the largest finite one.
const (
	smallestHalf = 0x1p-14
	largestHalf  = 65504
)

// has reports whether the layer is converted to the weights that the scheme makes.
func (w *weights) has(s scheme.Scheme) bool {
	return w.layer.Out > 0 && w.layer.Scheme.Mode.DType() == s.Mode.DType() && w.layer.Scheme.Weight == s.Weight
}

// layerWeights returns what is known of layer i's weights under the scheme.
func (b *Bench) layerWeights(n *network, i int, s scheme.Scheme, look func() error) (*weights, error) {
	if n.weights == nil {
		n.weights = make([]*weights, len(n.net.Layers))
	}
	if n.weights[i] == nil {
		w, err := b.trained(n.net.Layers[i], look)
		if err != nil {
			return nil, err
		}
		n.weights[i] = w
	}
	w := n.weights[i]
	if !w.has(s) {
		layer, err := quant.QuantizeLayer(n.net.Layers[i], s, look)
		if err != nil {
			return nil, err
		}
		lost, err := lossOf(n.net.Layers[i].W, &layer, look)
		if err != nil {
			return nil, err
		}
		w.layer, w.lost = layer, lost
	}
	return w, nil
}

// trained describes a layer's weights as they were trained.
func (b *Bench) trained(l nn.Linear, look func() error) (*weights, error) {
	w := &weights{rows: make([]float64, l.Out)}
	var s spread
	for o := range l.Out {
		lo, hi := b.engine.Range(l.W[o*l.In : (o+1)*l.In])
		s.widen(lo, hi)
		w.rows[o] = math.Max(-float64(lo), float64(hi))
	}
	for part := range slices.Chunk(l.W, weightPiece) {
		if err := look(); err != nil {
			return nil, err
		}
		s.add(part, 0)
	}
	w.float = s.distribution()
	return w, nil
}

// lossOf compares a converted layer's weights with the trained ones.
func lossOf(trained []float32, l *quant.QuantizedLayer, look func() error) (weightLoss, error) {
	var lost weightLoss
	if l.F32 != nil {
		lost.all.SQNR = quant.MaxSQNR
		return lost, nil
	}
	var all quant.Tally
	rows, cols := make([]ratio, l.Out), make([]ratio, l.In)
	row := make([]float32, l.In)
	beyond := 0
	for o := range l.Out {
		if o > 0 && o%max(weightPiece/l.In, 1) == 0 {
			if err := look(); err != nil {
				return lost, err
			}
		}
		w := trained[o*l.In : (o+1)*l.In]
		l.Dequantize(row, o)
		var t quant.Tally
		t.Add(w, row)
		all.Join(t)
		rows[o] = ratio{t.Signal, t.Noise}
		lost.vanished += addColumns(cols, w, row)
		if l.F16 != nil {
			lost.countHalves(w)
		} else {
			beyond += outside(w, l.WeightGrid(o))
		}
	}
	lost.all = all.Distortion()
	lost.rows, lost.cols = worst(rows, all.Noise), worst(cols, all.Noise)
	lost.clipped = float64(beyond) / float64(len(trained))
	lost.used = levelsUsed(l.I8)
	return lost, nil
}

// A ratio holds sums of the squares of numbers and of their errors.
type ratio struct{ signal, noise float64 }

// addColumns adds the weights of one output, trained and quantized, to the sums of the inputs, and returns how many became zero
// that were not.
func addColumns(cols []ratio, trained, quantized []float32) (vanished int) {
	cols, quantized = cols[:len(trained)], quantized[:len(trained)]
	for i, v := range trained {
		w, q := float64(v), quantized[i]
		e := float64(q) - w
		cols[i].signal += w * w
		cols[i].noise += e * e
		if q == 0 && v != 0 {
			vanished++
		}
	}
	return vanished
}

// countHalves counts the weights that float16 has no full precision for.
func (lost *weightLoss) countHalves(w []float32) {
	for _, v := range w {
		switch m := math.Abs(float64(v)); {
		case m > largestHalf:
			lost.saturated++
		case m != 0 && m < smallestHalf:
			lost.subnormal++
		}
	}
}

// outside counts the weights that lie more than half a step beyond their grid's ends. A grid spread over its range has none;
// rounding alone may put its ends a little off.
func outside(w []float32, g quant.QParams) (n int) {
	const slack = 1e-5 // steps
	lo, hi := g.Range()
	margin := g.Scale * (0.5 + slack)
	if least, most := kernel.Best().Range(w); float64(least) >= lo-margin && float64(most) <= hi+margin {
		return 0
	}
	for _, v := range w {
		if f := float64(v); f < lo-margin || f > hi+margin {
			n++
		}
	}
	return n
}

func levelsUsed(ints []int8) (used int) {
	var seen [256]bool
	for _, q := range ints {
		seen[uint8(q)] = true
	}
	for _, s := range seen {
		if s {
			used++
		}
	}
	return used
}

// keptWorst is how many of the worst rows and columns are told.
const keptWorst = 8

// worst returns the rows or columns with the largest shares of the squared error, the largest first.
func worst(of []ratio, noise float64) []wire.Loss {
	var losses []wire.Loss
	for i, r := range of {
		if r.noise > 0 {
			losses = append(losses, wire.Loss{Index: i, SQNR: quant.SQNR(r.signal, r.noise), Share: r.noise / noise})
		}
	}
	slices.SortStableFunc(losses, func(a, b wire.Loss) int { return cmp.Compare(b.Share, a.Share) })
	return slices.Clone(losses[:min(len(losses), keptWorst)])
}

// distribution tells the weights with their grid.
func (w *weights) distribution() wire.Distribution {
	d := w.float
	if w.layer.I8 == nil {
		return d
	}
	d.Clipped, d.Used = w.lost.clipped, w.lost.used
	if len(w.layer.Scale) == 1 {
		d.Grid = gridOf(w.layer.WeightGrid(0), w.layer.WeightGrid(0).Max)
		return d
	}
	order := make([]int, w.layer.Out) // of the channels, by scale
	for o := range order {
		order[o] = o
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(w.layer.Scale[x], w.layer.Scale[y]) })
	last := len(order) - 1
	for quarter := range 5 {
		d.Scales = append(d.Scales, w.layer.WeightGrid(order[quarter*last/4]).Scale)
	}
	middle := w.layer.WeightGrid(order[last/2])
	d.Grid = gridOf(middle, middle.Max)
	return d
}
