package exchange

import (
	"slices"

	"quantlab/core/modelfile/torch"
	"quantlab/core/quant"
)

// stateDict returns the layers as PyTorch has them: float32 ones as nn.Linear, int8 ones as torch.ao's modules. Halves are nn.Linear's,
// which any model takes, or, with asSaved set, those of torch.ao's dynamic float16, whose numbers only Size may ask for.
func stateDict(layers []quant.QuantizedLayer, asSaved bool) *torch.StateDict {
	s := &torch.StateDict{}
	for i, l := range layers {
		// What leaves a static layer is quantized already.
		if l.Scheme.Mode == quant.Static && (i == 0 || layers[i-1].Scheme.Mode != quant.Static) {
			s.StaticInput(l.Name, grid(l.InGrid))
		}
	}
	for _, l := range layers {
		shape := []int{l.Out, l.In}
		switch l.Scheme.Mode {
		case quant.Float32:
			s.Linear(l.Name, torch.Floats{Shape: shape, Values: l.F32}, biases(l))
		case quant.Float16:
			if asSaved {
				s.DynamicLinear(l.Name, torch.Floats{Shape: shape}, l.Bias)
				continue
			}
			s.Add(l.Name+".weight", torch.Halves{Shape: shape, Bits: l.F16})
			s.Add(l.Name+".bias", biases(l))
		case quant.Dynamic:
			s.DynamicLinear(l.Name, integers(l), l.Bias)
		case quant.Static:
			s.StaticLinear(l.Name, integers(l), l.Bias, grid(l.OutGrid))
		}
	}
	return s
}

func biases(l quant.QuantizedLayer) torch.Floats {
	return torch.Floats{Shape: []int{l.Out}, Values: l.Bias}
}

func grid(p *quant.QParams) torch.Grid { return torch.Grid{Scale: p.Scale, Zero: int64(p.Zero)} }

func integers(l quant.QuantizedLayer) *torch.Quantized {
	q := &torch.Quantized{Shape: []int{l.Out, l.In}, Ints: l.I8, Axis: -1, Zeros: make([]int64, len(l.Scale))}
	if l.Scheme.Weight.PerChannel {
		q.Axis = 0
	}
	for _, v := range l.Scale {
		q.Scales = append(q.Scales, float64(v))
	}
	for i, z := range l.Zero {
		q.Zeros[i] = int64(z)
	}
	return q
}

// torchNotes says what PyTorch makes of the layers.
func torchNotes(layers []quant.QuantizedLayer) []string {
	has := func(what func(quant.QuantizedLayer) bool) bool { return slices.ContainsFunc(layers, what) }
	mode := func(m quant.Mode) bool {
		return has(func(l quant.QuantizedLayer) bool { return l.Scheme.Mode == m })
	}
	var notes []string
	if mode(quant.Float16) {
		notes = append(notes, "the weights are stored as halves, which load_state_dict widens to the model's float32; torch.ao's own float16 conversion stores float32 again")
	}
	if mode(quant.Dynamic) || mode(quant.Static) {
		notes = append(notes, "int8 layers are laid out as torch.ao's: convert a float model of the same layers with torch.ao.quantization, engine fbgemm, and load this state_dict into it")
	}
	if has(computedOtherwise) {
		notes = append(notes, "PyTorch's int8 layers spread activations over 7 bits a batch, or over all 8 of a calibrated grid: with this plan it answers a little differently")
	}
	return notes
}

// computedOtherwise reports whether PyTorch has no activations such as the layer's.
func computedOtherwise(l quant.QuantizedLayer) bool {
	a := l.Scheme.Activation
	return (l.Scheme.Mode == quant.Dynamic || l.Scheme.Mode == quant.Static) &&
		(a.Bits != 8 || !a.ReduceRange || a.Symmetric || a.PerRow)
}
