package torch

import (
	"slices"
	"strings"

	"github.com/nlpodyssey/gopickle/types"
)

// A Grid is how torch.ao quantizes activations: the integer q, of type quint8, stands for Scale * (q - Zero).
type Grid struct {
	Scale float64
	Zero  int64
}

// A PackedLinear is a layer that torch.ao quantized, dynamically or statically.
type PackedLinear struct {
	Name     string  // of the module: "fc1"
	Position int     // in the state_dict, among Tensors
	DType    DType   // QInt8, or Float16, whose weights are stored as float32 numbers that halves can represent
	Weight   *Tensor // out x in; of QInt8 it has Quantized
	Bias     *Tensor // nil where there is none
	Out      *Grid   // of what leaves a static layer; nil: the layer is dynamic
	In       *Grid   // of what enters a static layer, where the state_dict tells; else it is the Out of the layer before
}

// The names of a packed layer's entries, after its own name (torch/ao/nn/quantized/modules/linear.py).
const (
	packedSuffix = "_packed_params._packed_params"
	packedType   = "_packed_params.dtype"
	scaleSuffix  = "scale"
	zeroSuffix   = "zero_point"
)

// isPacked reports whether an entry of that name holds a packed layer's weights and bias.
func isPacked(name string) bool {
	return name == packedSuffix || strings.HasSuffix(name, "."+packedSuffix)
}

// pack takes a packed layer's weights and bias. Its other entries are found when all are there.
func (c *collector) pack(name string, pair types.Tuple) error {
	layer := strings.TrimSuffix(strings.TrimSuffix(name, packedSuffix), ".")
	if len(pair) != 2 {
		return damaged("the packed layer %.60q does not consist of weights and a bias", layer)
	}
	weight, isTensor := pair[0].(*Tensor)
	bias, isBias := pair[1].(*Tensor)
	if !isTensor || !isBias && pair[1] != nil {
		return damaged("the packed layer %.60q does not consist of weights and a bias", layer)
	}
	l := &PackedLinear{Name: layer, Position: c.position}
	position := c.position
	if err := c.tensor(name, weight); err != nil {
		return err
	}
	l.Weight = c.pop()
	if isBias {
		if err := c.tensor(join(layer, "bias"), bias); err != nil {
			return err
		}
		l.Bias = c.pop()
	}
	c.position = position + 1
	c.packed = append(c.packed, l)
	return nil
}

// pop gives the tensor that was taken last away.
func (c *collector) pop() *Tensor {
	last := len(c.tensors) - 1
	t := c.tensors[last]
	c.tensors = c.tensors[:last]
	return t
}

// checkpoint puts together what was collected.
func (c *collector) checkpoint() (*Checkpoint, error) {
	for _, l := range c.packed {
		l.DType = QInt8
		if t, ok := c.types[join(l.Name, packedType)]; ok {
			l.DType = t
		}
		want := Float32
		if l.DType == QInt8 {
			want = QInt8
		}
		if l.DType != QInt8 && l.DType != Float16 || l.Weight.DType != want || len(l.Weight.Shape) != 2 ||
			want == QInt8 && l.Weight.grids == nil {
			return nil, damaged("the packed layer %.60q of type %s has weights of type %s and shape %v", l.Name, l.DType, l.Weight.DType, l.Weight.Shape)
		}
		var err error
		if l.Out, err = c.grid(join(l.Name, scaleSuffix), join(l.Name, zeroSuffix)); err != nil {
			return nil, err
		}
		if l.In, err = c.grid(inputNames(l.Name)); err != nil {
			return nil, err
		}
		// A dynamic layer has the scale 1 and the zero point 0, which no calibration gives.
		if l.In == nil && l.Out != nil && *l.Out == (Grid{Scale: 1}) {
			l.Out = nil
		}
	}
	if err := c.stub(); err != nil {
		return nil, err
	}
	return &Checkpoint{Tensors: c.tensors, Packed: c.packed}, nil
}

// inputNames returns the names under which FX's conversion keeps the grid of what enters a layer.
func inputNames(layer string) (scale, zero string) {
	flat := strings.ReplaceAll(layer, ".", "_")
	return flat + "_input_scale_0", flat + "_input_zero_point_0"
}

// stub gives the grid of a QuantStub, a module that quantizes the model's input, to the first static layer that has none.
func (c *collector) stub() error {
	first := slices.IndexFunc(c.packed, func(l *PackedLinear) bool { return l.Out != nil })
	if first < 0 || c.packed[first].In != nil {
		return nil
	}
	name := ""
	for _, t := range c.tensors {
		if at, ok := strings.CutSuffix(t.Name, "."+scaleSuffix); ok && t.Len() == 1 && c.names[at+"."+zeroSuffix] {
			if name != "" {
				return nil // several: which of them it is can't be told
			}
			name = at
		}
	}
	if name == "" {
		return nil
	}
	var err error
	c.packed[first].In, err = c.grid(join(name, scaleSuffix), join(name, zeroSuffix))
	return err
}

// grid takes a scale and a zero point, single numbers of these names, away from the tensors; nil where they are not there.
func (c *collector) grid(scaleName, zeroName string) (*Grid, error) {
	find := func(name string) int {
		if !c.names[name] {
			return -1
		}
		return slices.IndexFunc(c.tensors, func(t *Tensor) bool { return t.Name == name && t.Len() == 1 })
	}
	s, z := find(scaleName), find(zeroName)
	if s < 0 || z < 0 {
		return nil, nil
	}
	scale, err := c.tensors[s].doubles()
	if err != nil {
		return nil, err
	}
	zero, err := c.tensors[z].integers()
	if err != nil {
		return nil, err
	}
	c.tensors = slices.DeleteFunc(c.tensors, func(t *Tensor) bool { return t.Name == scaleName || t.Name == zeroName })
	return &Grid{scale[0], zero[0]}, nil
}
