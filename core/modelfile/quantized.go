package modelfile

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/nlpodyssey/safetensors"

	"quantlab/core/nn"
	"quantlab/core/quant"
)

// A layerInfo is what the metadata says of a layer.
type layerInfo struct {
	Scheme quant.Scheme   `json:"scheme"`
	Scale  float32        `json:"scale,omitempty"` // one for the whole layer
	Zero   int32          `json:"zero,omitempty"`
	In     *quant.QParams `json:"in,omitempty"` // grids of a static layer
	Out    *quant.QParams `json:"out,omitempty"`
}

// Write writes a converted model. What it writes is the model's size on disk; see Size.
func Write(w io.Writer, m *quant.Model, meta Meta) error { return write(w, m.Spec, m.Weights(), meta) }

func write(w io.Writer, spec nn.Spec, weights []quant.QuantizedLayer, meta Meta) error {
	tensors, info, err := contents(spec, weights, meta)
	if err != nil {
		return err
	}
	return save(w, tensors, info)
}

// contents returns what a file of the layers holds.
func contents(spec nn.Spec, weights []quant.QuantizedLayer, meta Meta) (tensors map[string]tensor, info map[string]string, err error) {
	if info, err = meta.encode(spec); err != nil {
		return nil, nil, err
	}
	tensors = map[string]tensor{}
	var layers []layerInfo
	quantized := false
	for i, l := range weights {
		describe := layerInfo{Scheme: l.Scheme, In: l.InGrid, Out: l.OutGrid}
		quantized = quantized || l.Scheme.Mode != quant.Float32
		switch l.Scheme.Mode {
		case quant.Float32:
			tensors[weightOf(i)] = newTensor(l.F32, l.Out, l.In)
		case quant.Float16:
			tensors[weightOf(i)] = newTensor(l.F16, l.Out, l.In)
		default:
			if packs(l.Scheme) {
				tensors[weightOf(i)] = newTensor(nibbles{l.I8, l.In}, l.Out, packedRow(l.In))
				info[keyFormat] = formatPacked
			} else {
				tensors[weightOf(i)] = newTensor(l.I8, l.Out, l.In)
			}
			if l.Scheme.Weight.PerChannel {
				tensors[scaleOf(i)] = newTensor(l.Scale, l.Out)
				if l.Zero != nil {
					tensors[zeroOf(i)] = newTensor(narrow(l.Zero), l.Out)
				}
			} else {
				describe.Scale = l.Scale[0]
				if l.Zero != nil {
					describe.Zero = l.Zero[0]
				}
			}
		}
		tensors[biasOf(i)] = newTensor(l.Bias, l.Out)
		layers = append(layers, describe)
	}
	if quantized {
		text, err := json.Marshal(layers)
		if err != nil {
			return nil, nil, fmt.Errorf("encoding the schemes of %s: %w", spec.ID, err)
		}
		info[keyLayers] = string(text)
	}
	return tensors, info, nil
}

// narrow returns the zero points of int8 weights, which int8 holds.
func narrow(zero []int32) []int8 {
	z := make([]int8, len(zero))
	for i, v := range zero {
		z[i] = int8(v)
	}
	return z
}

// Size returns how many bytes Write writes for the model without metadata that is not needed to run it: without the
// vocabulary, how it was trained and what else it could be calibrated to.
func Size(m *quant.Model) (int64, error) { return SizeOf(m.Spec, m.Weights()) }

// SizeOf is the Size of the model that the layers make. It is quick: no weight is looked at.
func SizeOf(spec nn.Spec, layers []quant.QuantizedLayer) (int64, error) {
	tensors, info, err := contents(spec, layers, Meta{})
	if err != nil {
		return 0, err
	}
	return length(tensors, info)
}

// LayerBytes returns what the layer's parameters take in a file: its weights, a 4-byte bias an output, and, where each output
// has a grid of its own, a 4-byte scale and a zero point of one byte where there is one. What there is one of for the layer
// is in the file's header.
func LayerBytes(l *quant.QuantizedLayer) int64 {
	n := 4*len(l.Bias) + 4*len(l.F32) + 2*len(l.F16)
	if l.I8 != nil && packs(l.Scheme) {
		n += nibbles{l.I8, l.In}.bytes()
	} else {
		n += len(l.I8)
	}
	if len(l.Scale) > 1 {
		n += 4*len(l.Scale) + len(l.Zero)
	}
	return int64(n)
}

// Read reads a converted model of the spec's shape and makes it ready to run. It predicts the same integers as the model
// that was written. A float32 network's file does too. Close the model when done.
func Read(r io.Reader, spec nn.Spec, opt quant.Options) (*quant.Model, Meta, error) {
	layers, meta, err := ReadLayers(r, spec)
	if err != nil {
		return nil, Meta{}, err
	}
	m, err := quant.New(spec, layers, opt)
	return m, meta, err
}

// ReadLayers is Read for a model that is not to run.
func ReadLayers(r io.Reader, spec nn.Spec) ([]quant.QuantizedLayer, Meta, error) {
	a, meta, err := openFor(spec, r)
	if err != nil {
		return nil, Meta{}, err
	}
	// The file itself told the spec. Weights of few bits lie two in a byte.
	if need := spec.Params() / 2; spec.Own && len(a.data) < need {
		return nil, Meta{}, damaged("its tensors take %d bytes, those of %s at least %d", len(a.data), spec.ID, need)
	}
	shape := spec.Dims()
	layers := make([]quant.QuantizedLayer, len(shape)-1)
	infos, err := layerInfos(a.info, len(layers))
	if err != nil {
		return nil, Meta{}, err
	}
	for i := range layers {
		l := &layers[i]
		*l = quant.QuantizedLayer{
			Name: fmt.Sprintf("layers.%d", i), In: shape[i], Out: shape[i+1], ReLU: i < len(layers)-1,
			Scheme: infos[i].Scheme, InGrid: infos[i].In, OutGrid: infos[i].Out,
		}
		if err := l.Scheme.Validate(); err != nil {
			return nil, Meta{}, damaged("layer %d: %v", i, err)
		}
		if err := a.layer(i, l, infos[i]); err != nil {
			return nil, Meta{}, err
		}
	}
	if err := a.empty(); err != nil {
		return nil, Meta{}, err
	}
	for i := range layers {
		if err := layers[i].Validate(); err != nil {
			return nil, Meta{}, damaged("%v", err)
		}
	}
	return layers, meta, nil
}

// layerInfos decodes the layers' descriptions; without any, they are float32.
func layerInfos(info map[string]string, n int) ([]layerInfo, error) {
	infos := make([]layerInfo, n)
	text, ok := info[keyLayers]
	if !ok {
		for i := range infos {
			infos[i].Scheme.Mode = quant.Float32
		}
		return infos, nil
	}
	if err := json.Unmarshal([]byte(text), &infos); err != nil {
		return nil, damaged("its schemes are unreadable")
	}
	if len(infos) != n {
		return nil, damaged("it has schemes for %d layers, the model has %d", len(infos), n)
	}
	return infos, nil
}

// layer takes the tensors of layer i, whose scheme is valid.
func (a *archive) layer(i int, l *quant.QuantizedLayer, info layerInfo) error {
	n := l.In * l.Out
	var weights any
	row := l.In
	var pack []uint8 // of weights that lie two in a byte
	switch l.Scheme.Mode {
	case quant.Float32:
		l.F32 = make([]float32, n)
		weights = l.F32
	case quant.Float16:
		l.F16 = make([]uint16, n)
		weights = l.F16
	default:
		l.I8 = make([]int8, n)
		weights = l.I8
		// Format 1 gave every int8 weight a byte.
		if packs(l.Scheme) && !a.has(weightOf(i), safetensors.I8) {
			row = packedRow(l.In)
			pack = make([]uint8, l.Out*row)
			weights = pack
		}
	}
	if err := a.take(weightOf(i), weights, l.Out, row); err != nil {
		return err
	}
	if pack != nil {
		if err := unpack(l.I8, pack, l.In); err != nil {
			return damaged("tensor %s: %v", weightOf(i), err)
		}
	}
	l.Bias = make([]float32, l.Out)
	if err := a.take(biasOf(i), l.Bias, l.Out); err != nil {
		return err
	}
	if l.I8 == nil {
		return nil
	}
	if !l.Scheme.Weight.PerChannel {
		l.Scale = []float32{info.Scale}
		if !l.Scheme.Weight.Symmetric {
			l.Zero = []int32{info.Zero}
		}
		return nil
	}
	l.Scale = make([]float32, l.Out)
	if err := a.take(scaleOf(i), l.Scale, l.Out); err != nil {
		return err
	}
	if l.Scheme.Weight.Symmetric {
		return nil
	}
	zero := make([]int8, l.Out)
	if err := a.take(zeroOf(i), zero, l.Out); err != nil {
		return err
	}
	for _, z := range zero {
		l.Zero = append(l.Zero, int32(z))
	}
	return nil
}
