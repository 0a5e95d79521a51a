package exchange

import (
	"context"
	"fmt"
	"path"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/modelfile/torch"
	"quantlab/core/nn"
)

// An importer carries the import of one model.
type importer struct {
	ctx      context.Context
	req      wire.ImportRequest
	src      Trial // may be nil
	progress func(step string, fraction float64)

	file  *File
	words []string // the vocabulary; nil for none

	meta   modelfile.Meta
	format string // of the file
	notes  []string
}

func (im *importer) note(format string, args ...any) {
	im.notes = append(im.notes, fmt.Sprintf(format, args...))
}

// model makes a model of the file.
func (im *importer) model(k kind) (*nn.Network, error) {
	if k == tensors {
		im.format = "safetensors"
		c, err := modelfile.ReadTensors(im.file.Data)
		if err != nil {
			return nil, err
		}
		if c.ByQuantlab {
			if net, err := im.ownFile(c); net != nil || err != nil {
				return net, err
			}
		}
		found := fromTensors(c)
		return im.network(&found)
	}
	c, err := torch.Read(im.file.Data)
	if err != nil {
		return nil, err
	}
	im.format = c.Format
	found := fromCheckpoint(c)
	return im.network(&found)
}

// network makes a network of tensors, and finds out what it reads.
func (im *importer) network(c *collection) (*nn.Network, error) {
	found, err := parts(c)
	if err != nil {
		return nil, err
	}
	read, err := c.arrange(found, len(im.words), im.req)
	if err != nil {
		return nil, err
	}
	spec, err := im.spec(read.dims())
	if err != nil {
		return nil, err
	}
	net := &nn.Network{Spec: spec}
	for i, p := range read.parts {
		l, err := p.numbers(read.transposed)
		if err != nil {
			return nil, err
		}
		l.Name, l.ReLU = nn.LayerName(i), i < len(read.parts)-1
		net.Layers = append(net.Layers, l)
		if err := im.ctx.Err(); err != nil {
			return nil, err
		}
	}
	im.note("its layers: %s (%s)", read.names(), nn.Shape(read.dims()))
	im.notes = append(im.notes, c.notes...)
	if len(read.parts) > 1 {
		im.note("between the layers a ReLU is assumed: a file of weights does not tell")
	}
	return net, im.preprocessing(net)
}

// spec describes a network of these widths: what it reads follows from how much that is, and from the vocabulary.
func (im *importer) spec(dims []int) (nn.Spec, error) {
	s := nn.Spec{
		ID: im.req.Name, Own: true, In: dims[0], Hidden: dims[1 : len(dims)-1 : len(dims)-1], Out: dims[len(dims)-1],
		LR: 0.001, Batch: 64, Epochs: 2,
	}
	if s.ID == "" {
		s.ID = nameOf(im.file.Name)
	}
	s.Title = s.ID
	var err error
	if s.Data, err = im.data(s.In); err != nil {
		return s, err
	}
	if s.Data == nn.MNIST {
		s.Crop = sideOf(s.In)
	} else {
		s.Vocab = s.In
	}
	return s, s.Validate()
}

// data tells what a network of so many inputs reads.
func (im *importer) data(in int) (string, error) {
	side := sideOf(in)
	_, told := im.req.Answers[keyData]
	ask := wire.Question{
		Key: keyData, Text: fmt.Sprintf("The model reads %d numbers: the %d x %d pixels at the centre of a digit, or counts of %d words?", in, side, side, in),
		Choices: []wire.Choice{{Value: nn.MNIST, Label: fmt.Sprintf("pixels, %d x %d at the centre of MNIST's 28 x 28", side, side)}, {Value: nn.SST2, Label: "counts of words"}},
	}
	switch {
	case im.words != nil && len(im.words) == in:
		return nn.SST2, nil
	case im.words != nil:
		return "", fmt.Errorf("the vocabulary has %d words, but the model reads %d features: give the vocabulary that it was trained with", len(im.words), in)
	case (side == 28 || side == 20) && !told:
		return nn.MNIST, nil
	case side > 0:
		if answer, err := choose(im.req, ask); err != nil || answer == nn.MNIST {
			return answer, err
		}
	}
	text := fmt.Sprintf("The model reads %d numbers, so it counts words. Give its vocabulary of %d words, in the order of its inputs: as JSON, as text with one word a line, or as a pickled list.", in, in)
	if in > 784 && isSquare(in) {
		text = fmt.Sprintf("The model reads %d numbers, more than MNIST's 784 pixels. If it counts words, give its vocabulary of %d words, in the order of its inputs: as JSON, as text with one word a line, or as a pickled list.", in, in)
	}
	return "", &asking{wire.Question{Key: keyVocabulary, File: true, Text: text}}
}

// sideOf returns the side of the square crop of an MNIST image that has so many pixels, 0 where there is none.
func sideOf(pixels int) int {
	for side := 2; side <= 28; side++ {
		if side*side == pixels {
			return side
		}
	}
	return 0
}

func isSquare(n int) bool {
	side := 1
	for side*side < n {
		side++
	}
	return side*side == n
}

// nameOf makes a name of a file's.
func nameOf(file string) string {
	base := path.Base(file)
	base = strings.ToLower(strings.TrimSuffix(base, path.Ext(base)))
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, base)
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	name = strings.Trim(name[:min(len(name), nn.MaxName)], "-._")
	if name == "" {
		name = "my-model"
	}
	if nn.CheckName(name) != nil {
		name = "my-" + name
	}
	return name
}
