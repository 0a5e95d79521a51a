package modelfile

import (
	"fmt"
	"io"

	"quantlab/core/nn"
)

// WriteNetwork writes a float32 network. A network with a NaN is refused before anything is written.
func WriteNetwork(w io.Writer, net *nn.Network, meta Meta) error {
	if err := net.Validate(); err != nil {
		return fmt.Errorf("%s is not stored: %w", net.Spec.ID, err)
	}
	info, err := meta.encode(net.Spec)
	if err != nil {
		return err
	}
	tensors := map[string]tensor{}
	for i, l := range net.Layers {
		tensors[weightOf(i)] = newTensor(l.W, l.Out, l.In)
		tensors[biasOf(i)] = newTensor(l.B, l.Out)
	}
	return save(w, tensors, info)
}

// ReadNetwork reads a float32 network of the spec's shape. It reads r to its end, but no more than such a file can have.
func ReadNetwork(r io.Reader, spec nn.Spec) (*nn.Network, Meta, error) {
	a, meta, err := openFor(spec, r)
	if err != nil {
		return nil, Meta{}, err
	}
	net, err := a.network(spec)
	return net, meta, err
}

// network takes the tensors of a float32 network of the spec's shape, of which there must be no others.
func (a *archive) network(spec nn.Spec) (*nn.Network, error) {
	if _, ok := a.info[keyLayers]; ok {
		return nil, fmt.Errorf("the file holds %s quantized, not in float32: give the file that training wrote", spec.ID)
	}
	if need := 4 * spec.Params(); spec.Own && len(a.data) < need { // the file itself told the spec
		return nil, damaged("its tensors take %d bytes, those of %s %d", len(a.data), spec.ID, need)
	}
	net := nn.New(spec)
	for i, l := range net.Layers {
		if err := a.take(weightOf(i), l.W, l.Out, l.In); err != nil {
			return nil, err
		}
		if err := a.take(biasOf(i), l.B, l.Out); err != nil {
			return nil, err
		}
	}
	if err := a.empty(); err != nil {
		return nil, err
	}
	if err := net.Validate(); err != nil {
		return nil, err
	}
	return net, nil
}

// openFor reads a file that should hold the spec's network, and its metadata.
func openFor(spec nn.Spec, r io.Reader) (*archive, Meta, error) {
	a, err := open(r, payload(spec))
	if err != nil {
		return nil, Meta{}, err
	}
	meta, err := decode(a.info, spec)
	return a, meta, err
}

// payload bounds the bytes of a file's tensors: every parameter in float32, and a scale and a zero point an output.
func payload(spec nn.Spec) int64 {
	n := 4 * int64(spec.Params())
	for _, d := range spec.Dims()[1:] {
		n += 5 * int64(d)
	}
	return n
}

func weightOf(layer int) string { return fmt.Sprintf("layers.%d.weight", layer) }
func biasOf(layer int) string   { return fmt.Sprintf("layers.%d.bias", layer) }
func scaleOf(layer int) string  { return fmt.Sprintf("layers.%d.weight_scale", layer) }
func zeroOf(layer int) string   { return fmt.Sprintf("layers.%d.weight_zero", layer) }
