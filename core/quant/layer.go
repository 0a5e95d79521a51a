package quant

import (
	"errors"
	"fmt"
	"math"

	"github.com/x448/float16"

	"quantlab/core/nn"
)

// A QuantizedLayer is one layer of a converted network: what a model file stores, and all that running it takes.
type QuantizedLayer struct {
	Name    string
	In, Out int
	ReLU    bool
	Scheme  Scheme

	// The weights, Out x In; exactly one is set, as the scheme's mode says.
	F32 []float32
	F16 []uint16 // bits of IEEE halves
	I8  []int8

	Scale []float32 // I8: one, or one an output
	Zero  []int32   // I8: as many as Scale, or nil where all are 0
	Bias  []float32 // Out

	InGrid, OutGrid *QParams // Static: the grids of what enters and what leaves
}

// Quantize converts the network's parameters as the plan says. cal is needed where the plan has a static layer.
func Quantize(net *nn.Network, plan Plan, cal *Calibration) ([]QuantizedLayer, error) {
	return quantize(net, plan, cal, nil)
}

func quantize(net *nn.Network, plan Plan, cal *Calibration, look func() error) ([]QuantizedLayer, error) {
	if err := net.Validate(); err != nil {
		return nil, err
	}
	if err := plan.Validate(len(net.Layers)); err != nil {
		return nil, err
	}
	if err := cal.covers(plan); err != nil {
		return nil, err
	}
	layers := make([]QuantizedLayer, len(plan))
	for i, s := range plan {
		l, err := QuantizeLayer(net.Layers[i], s, look)
		if err != nil {
			return nil, err
		}
		l.SetScheme(s, i, cal)
		layers[i] = l
	}
	return layers, nil
}

// QuantizeLayer converts one layer's parameters by a scheme that is valid. A static layer lacks its activation grids then.
// look, which may be nil, is called now and then, and its error, the only one, ends the work.
func QuantizeLayer(n nn.Linear, s Scheme, look func() error) (l QuantizedLayer, err error) {
	l = QuantizedLayer{Name: n.Name, In: n.In, Out: n.Out, ReLU: n.ReLU, Scheme: s, Bias: n.B}
	switch s.Mode {
	case Float32:
		l.F32 = n.W
	case Float16:
		l.F16, err = halves(n.W, look)
	default:
		l.I8, l.Scale, l.Zero, err = quantizeWeights(n.W, n.Out, n.In, s.Weight, look)
	}
	return l, err
}

// SetScheme gives layer i, whose weights are converted already, the rest of a scheme of the same weights, and where that is
// static the grids that were calibrated.
func (l *QuantizedLayer) SetScheme(s Scheme, i int, cal *Calibration) {
	l.Scheme = s
	if s.Mode == Static {
		in, out := cal.Boundaries[i].QParams, cal.Boundaries[i+1].QParams
		l.InGrid, l.OutGrid = &in, &out
	}
}

// Dequantize writes the numbers that the weights of output o stand for: of an int8 weight q, Scale * (q - Zero). dst holds In
// elements.
func (l *QuantizedLayer) Dequantize(dst []float32, o int) {
	from, to := o*l.In, (o+1)*l.In
	dst = dst[:l.In]
	switch {
	case l.F32 != nil:
		copy(dst, l.F32[from:to])
	case l.F16 != nil:
		for i, h := range l.F16[from:to] {
			dst[i] = float16.Frombits(h).Float32()
		}
	default:
		p := l.WeightGrid(o)
		scale, zero := float32(p.Scale), p.Zero
		for i, q := range l.I8[from:to] {
			dst[i] = scale * float32(int32(q)-zero)
		}
	}
}

// WeightGrid returns the grid of the int8 weights of output o, which is all outputs' where the layer has one for all.
func (l *QuantizedLayer) WeightGrid(o int) QParams {
	s := weightSpread(l.Scheme.Weight)
	if len(l.Scale) == 1 {
		o = 0
	}
	p := QParams{Scale: float64(l.Scale[o]), Min: s.min, Max: s.max}
	if l.Zero != nil {
		p.Zero = l.Zero[o]
	}
	return p
}

// MaxInt8Inputs keeps a sum of products of two 8-bit numbers, zero points removed, within int32.
const MaxInt8Inputs = 1 << 15

// ErrWide is within the error for a layer with more inputs than int8 can have. The same layer can be had in other modes.
var ErrWide = errors.New("too many for int8")

// Validate checks that the layer is complete and that every number can be computed with. A layer from a file needs it,
// one that Quantize made passes.
func (l *QuantizedLayer) Validate() error {
	if err := l.Scheme.Validate(); err != nil {
		return fmt.Errorf("layer %s: %w", l.Name, err)
	}
	if l.In < 1 || l.Out < 1 || len(l.Bias) != l.Out {
		return fmt.Errorf("layer %s: %d biases for %d inputs and %d outputs", l.Name, len(l.Bias), l.In, l.Out)
	}
	want := [3]int{}
	switch l.Scheme.Mode {
	case Float32:
		want[0] = l.In * l.Out
	case Float16:
		want[1] = l.In * l.Out
	default:
		want[2] = l.In * l.Out
	}
	if got := [3]int{len(l.F32), len(l.F16), len(l.I8)}; got != want {
		return fmt.Errorf("layer %s: its weights do not make a %d x %d layer of mode %s", l.Name, l.Out, l.In, l.Scheme.Mode)
	}
	if !finite(l.F32) || !finite(l.Bias) || !finiteHalves(l.F16) {
		return fmt.Errorf("layer %s holds a parameter that is not a finite number", l.Name)
	}
	if l.I8 == nil {
		return nil
	}
	return l.validateInt8()
}

func (l *QuantizedLayer) validateInt8() error {
	if l.In > MaxInt8Inputs {
		return fmt.Errorf("layer %s: %d inputs are %w, at most %d can be summed", l.Name, l.In, ErrWide, MaxInt8Inputs)
	}
	scales, s := 1, weightSpread(l.Scheme.Weight)
	if l.Scheme.Weight.PerChannel {
		scales = l.Out
	}
	if len(l.Scale) != scales || len(l.Zero) != 0 && len(l.Zero) != scales {
		return fmt.Errorf("layer %s: %d scales and %d zero points, expected %d", l.Name, len(l.Scale), len(l.Zero), scales)
	}
	for _, v := range l.Scale {
		if !usableScale(float64(v)) {
			return fmt.Errorf("layer %s: weight scale %v can't be computed with", l.Name, v)
		}
	}
	for _, z := range l.Zero {
		if z < s.min || z > s.max {
			return fmt.Errorf("layer %s: weight zero point %d is not between %d and %d", l.Name, z, s.min, s.max)
		}
	}
	for _, v := range l.I8 {
		if int32(v) < s.min || int32(v) > s.max {
			return fmt.Errorf("layer %s: weight %d is not between %d and %d, as %d bits are", l.Name, v, s.min, s.max, l.Scheme.Weight.Bits)
		}
	}
	if l.Scheme.Mode != Static {
		return nil
	}
	for _, g := range []*QParams{l.InGrid, l.OutGrid} {
		if g == nil {
			return fmt.Errorf("layer %s is static but lacks an activation grid", l.Name)
		}
		if err := g.validate(); err != nil {
			return fmt.Errorf("layer %s: %w", l.Name, err)
		}
	}
	return nil
}

func (p QParams) validate() error {
	if !usableScale(p.Scale) || p.Min < 0 || p.Max > 255 || p.Min >= p.Max || p.Zero < p.Min || p.Zero > p.Max {
		return fmt.Errorf("activation grid %+v can't be computed with", p)
	}
	return nil
}

// usableScale reports whether the scale and its reciprocal are normal positive float32.
func usableScale(v float64) bool { return v > 0x1p-126 && v < 0x1p126 }

func finite(x []float32) bool {
	for _, v := range x {
		if d := v - v; d != 0 || d != d {
			return false
		}
	}
	return true
}

func finiteHalves(x []uint16) bool {
	const exponent = 0x7C00
	for _, v := range x {
		if v&exponent == exponent {
			return false
		}
	}
	return true
}

// Class returns the class that a row of logits answers: the position of the largest, the first of equal ones; where there is one
// logit for two classes, the second if it is above 0, as after a sigmoid. A NaN never wins; of nothing but
// NaN the first is taken.
func Class(row []float32) int {
	if len(row) == 1 {
		if row[0] > 0 {
			return 1
		}
		return 0
	}
	best, at := float32(math.Inf(-1)), 0
	for i, v := range row {
		if v > best {
			best, at = v, i
		}
	}
	return at
}
