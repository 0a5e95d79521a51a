package modelfile

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/nlpodyssey/safetensors"
	"github.com/x448/float16"
)

// A Tensor is one of any safetensors file, whoever wrote it.
type Tensor struct {
	Name  string
	Shape []int
	DType string // as safetensors spells it: "F32"
	kind  safetensors.DType
	data  []byte
}

// Contents are what any safetensors file holds.
type Contents struct {
	Tensors    []Tensor // in the order of their names
	Model      string   // the network's id, where quantlab wrote the file
	Quantized  bool     // its layers are, where quantlab wrote the file
	Own        []byte   // Meta.Own
	ByQuantlab bool
}

// ReadTensors reads a safetensors file of any program. The tensors share data's memory.
func ReadTensors(data []byte) (*Contents, error) {
	a, err := parse(data)
	if err != nil {
		return nil, err
	}
	c := &Contents{Model: a.info[keyModel], Own: []byte(a.info[keyOwn])}
	_, c.Quantized = a.info[keyLayers]
	c.ByQuantlab = a.info[keyFormat] == format || a.info[keyFormat] == formatPacked
	for _, name := range slices.Sorted(maps.Keys(a.tensors)) {
		info := a.tensors[name]
		t := Tensor{Name: name, DType: info.DType.String(), kind: info.DType, data: a.data[info.DataOffsets[0]:info.DataOffsets[1]]}
		for _, n := range info.Shape {
			if n > math.MaxInt32 {
				return nil, damaged("tensor %q has a side of %d", name, n)
			}
			t.Shape = append(t.Shape, int(n))
		}
		c.Tensors = append(c.Tensors, t)
	}
	return c, nil
}

// Float32 returns the tensor's numbers, row by row. Those of float64 are rounded. Integers are an error.
func (t *Tensor) Float32() ([]float32, error) {
	out := make([]float32, len(t.data)/int(t.kind.Size()))
	switch t.kind {
	case safetensors.F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.data[4*i:]))
		}
	case safetensors.F64:
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(t.data[8*i:])))
		}
	case safetensors.F16:
		for i := range out {
			out[i] = float16.Frombits(binary.LittleEndian.Uint16(t.data[2*i:])).Float32()
		}
	case safetensors.BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(t.data[2*i:])) << 16)
		}
	default:
		return nil, fmt.Errorf("%.60s holds integers of type %s, which are no weights: save the model in float32", t.Name, t.DType)
	}
	return out, nil
}
