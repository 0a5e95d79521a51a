package torch

import (
	"fmt"
	"slices"
	"strings"
)

// A Value is what a state_dict can hold: Floats, Halves, Parameter, Scalar, Integer, *Quantized, DType or Tuple. In a Tuple nil
// is None.
type Value interface{ pickle(p *pickler) error }

// Floats is a tensor of type float32.
type Floats struct {
	Shape  []int
	Values []float32 // row by row
}

// Halves is a tensor of type float16.
type Halves struct {
	Shape []int
	Bits  []uint16 // row by row
}

// A Parameter is a tensor of type float32 that PyTorch would train, as the biases in torch.ao's tuples are.
type Parameter Floats

// A Scalar is a float32 tensor without dimensions; torch.ao stores scales so.
type Scalar float32

// An Integer is an int64 tensor without dimensions; torch.ao stores zero points so.
type Integer int64

// A Tuple is a Python tuple, of at most three values.
type Tuple []Value

// A StateDict is an ordered mapping of names to values, as a module's state_dict() returns it, with the versions of the modules'
// layouts, which load_state_dict goes by. The zero value is empty.
type StateDict struct {
	entries []entry
	inputs  int // how many of the entries StaticInput made
	modules []module
}

type entry struct {
	name  string
	value Value
}

type module struct {
	name    string
	version int
}

// The versions of the modules' layouts, which torch.ao's classes have as _version.
const (
	plainVersion   = 1
	staticVersion  = 3
	dynamicVersion = 4
	packedVersion  = 3
)

// Add appends a named value, of a module that is not one of those below.
func (s *StateDict) Add(name string, v Value) { s.entries = append(s.entries, entry{name, v}) }

// module notes a module's layout, and those of the modules that it is in.
func (s *StateDict) module(name string, version int) {
	if slices.ContainsFunc(s.modules, func(m module) bool { return m.name == name }) {
		return
	}
	if name != "" {
		s.module(name[:max(0, strings.LastIndexByte(name, '.'))], plainVersion)
	}
	s.modules = append(s.modules, module{name, version})
}

// Linear appends an nn.Linear: the weights, out x in, and the bias, of as many as there are outputs, both Floats or both Halves.
// A nil bias is none.
func (s *StateDict) Linear(name string, weight, bias Value) {
	s.module(name, plainVersion)
	s.Add(join(name, "weight"), weight)
	if bias != nil {
		s.Add(join(name, "bias"), bias)
	}
}

// DynamicLinear appends a torch.ao.nn.quantized.dynamic.Linear. The weights, out x in, are a *Quantized, or Floats that halves
// can represent, as PyTorch stores those of type float16. A nil bias is none.
func (s *StateDict) DynamicLinear(name string, weight Value, bias []float32) {
	dtype := QInt8
	if _, ok := weight.(Floats); ok {
		dtype = Float16
	}
	s.linear(name, dynamicVersion, dtype, weight, bias, Grid{Scale: 1})
}

// StaticLinear appends a torch.ao.nn.quantized.Linear, which a LinearReLU looks like. out is the grid of what leaves it. A nil
// bias is none.
func (s *StateDict) StaticLinear(name string, weight *Quantized, bias []float32, out Grid) {
	s.linear(name, staticVersion, QInt8, weight, bias, out)
}

func (s *StateDict) linear(name string, version int, dtype DType, weight Value, bias []float32, out Grid) {
	s.module(name, version)
	s.module(join(name, "_packed_params"), packedVersion)
	s.Add(join(name, scaleSuffix), Scalar(out.Scale))
	s.Add(join(name, zeroSuffix), Integer(out.Zero))
	s.Add(join(name, packedType), dtype)
	pair := Tuple{weight, nil}
	if bias != nil {
		pair[1] = Parameter{[]int{len(bias)}, bias}
	}
	s.Add(join(name, packedSuffix), pair)
}

// StaticInput appends the grid of what enters the static layer of that name, as a model that torch.ao's FX mode converted has it
// where the layer's input is not quantized already. These come before all layers.
func (s *StateDict) StaticInput(layer string, in Grid) {
	scale, zero := inputNames(layer)
	s.entries = slices.Insert(s.entries, s.inputs, entry{scale, Scalar(in.Scale)}, entry{zero, Integer(in.Zero)})
	s.inputs += 2
}

// check reports names that are there twice.
func (s *StateDict) check() error {
	seen := map[string]bool{}
	for _, e := range s.entries {
		if seen[e.name] {
			return fmt.Errorf("the state_dict has two values named %.60q", e.name)
		}
		seen[e.name] = true
	}
	return nil
}
