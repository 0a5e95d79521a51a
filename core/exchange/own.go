package exchange

import (
	"bytes"
	encoding "encoding/json"
	"fmt"

	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// ownFile reads a file that quantlab wrote, which tells what model it holds. It returns nil where this is not known here, and the
// tensors have to tell.
func (im *importer) ownFile(c *modelfile.Contents) (*nn.Network, error) {
	spec, err := nn.SpecOf(c.Model)
	if len(c.Own) > 0 {
		var own wire.OwnModel
		if err = encoding.Unmarshal(c.Own, &own); err == nil {
			spec, err = own.Spec, own.Spec.Validate()
		}
		if err != nil {
			return nil, fmt.Errorf("what it tells of its model is unreadable (%w): export it again", err)
		}
	}
	if err != nil && c.Quantized {
		return nil, fmt.Errorf("it holds a quantized model %.60q that is not known here: export it again, with this version", c.Model)
	}
	if err != nil {
		return nil, nil
	}
	layers, meta, err := modelfile.ReadLayers(bytes.NewReader(im.file.Data), spec)
	if err != nil {
		return nil, err
	}
	net := &nn.Network{Spec: spec}
	for i := range layers {
		net.Layers = append(net.Layers, im.numbers(&layers[i]))
	}
	if c.Quantized {
		im.note("already quantized: its weights are read as the numbers they stand for, and what is made of it starts from these")
		meta.Correct, meta.Total, meta.Calibration = 0, 0, nil
	}
	s := &net.Spec
	s.Own, s.Test, s.Calibration = true, "", ""
	if s.Data == nn.SST2 {
		s.Vocab = s.In
		if im.words == nil {
			im.words = meta.Vocabulary
		}
		if _, err := im.data(s.In); err != nil {
			return nil, err
		}
	}
	switch {
	case im.req.Name != "":
		s.ID = im.req.Name
	case len(c.Own) == 0:
		s.ID = nameOf(im.file.Name)
	}
	s.Title = s.ID
	im.note("quantlab wrote the file: its layers, its inputs and how they are scaled are as it tells")
	meta.Model, meta.Own = "", nil
	im.meta = meta
	return net, s.Validate()
}

// numbers returns a layer in float32.
func (im *importer) numbers(l *quant.QuantizedLayer) nn.Linear {
	out := nn.Linear{Name: l.Name, In: l.In, Out: l.Out, ReLU: l.ReLU, W: l.F32, B: l.Bias}
	if out.W == nil {
		out.W = make([]float32, l.In*l.Out)
		for o := range l.Out {
			l.Dequantize(out.W[o*l.In:(o+1)*l.In], o)
		}
	}
	return out
}
