package exchange

import (
	"context"
	"fmt"
	"path"

	"quantlab/core/dataset/custom"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// Import makes a model of the files of one, with its vocabulary perhaps, or examples of others. It returns questions where the
// files leave a choice that req does not answer. What scales pixels, and whether words are counted, is tried on src, which may be nil.
// The callback, which may be nil, hears what is being done and how far that is.
//
// No code in a file is run. Memory stays within a few times what the files take, which are at most wire.MaxFile, and the network, of at
// most nn.MaxParams parameters; every claim of a file is checked against its bytes first.
func Import(ctx context.Context, files []File, req wire.ImportRequest, src Trial, progress func(step string, fraction float64)) (*Imported, error) {
	if progress == nil {
		progress = func(string, float64) {}
	}
	if req.Name != "" {
		if err := nn.CheckName(req.Name); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	progress("looking at the files", 0)
	s, err := sort(files)
	if err != nil {
		return nil, err
	}
	if s.model == nil {
		return examples(ctx, files, req, progress)
	}
	im := &importer{ctx: ctx, req: req, src: src, progress: progress, file: s.model}
	out, err := im.run(s)
	if q, ok := asked(err); ok {
		return &Imported{Questions: []wire.Question{q}}, nil
	}
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", path.Base(s.model.Name), err)
	}
	return out, err
}

// run imports the model.
func (im *importer) run(s sorted) (*Imported, error) {
	im.progress("reading the model", 0.1)
	var err error
	if s.words != nil {
		if im.words, err = readWords(*s.words); err != nil {
			return nil, err
		}
	}
	net, err := im.model(s.kind)
	if err != nil {
		return nil, err
	}
	if err := net.Spec.Validate(); err != nil {
		return nil, err
	}
	if err := net.Validate(); err != nil {
		return nil, err
	}
	if net.Spec.Data == nn.SST2 {
		im.meta.Vocabulary = im.words
	}
	im.classes(net.Spec)
	im.width(net.Spec)
	im.progress("read", 1)
	return &Imported{Net: net, Meta: im.meta, Model: &wire.OwnModel{
		Spec: net.Spec, File: path.Base(im.file.Name), Format: im.format, Bytes: int64(len(im.file.Data)), Notes: im.notes,
	}}, nil
}

// classes notes what accuracy the model can have.
func (im *importer) classes(s nn.Spec) {
	if s.Out == 1 {
		im.note("one logit: above 0 it answers %q, else %q", s.Labels()[1], s.Labels()[0])
	}
	switch {
	case s.Data == nn.MNIST && s.Out != 10:
		im.note("it tells %d classes apart, not MNIST's 10 digits: its accuracy needs examples of your own", max(s.Out, 2))
	case s.Data == nn.SST2 && s.Out > 2:
		im.note("it tells %d classes apart, not SST-2's 2: its accuracy needs examples of your own", s.Out)
	}
}

// width notes that a model is too wide for int8.
func (im *importer) width(s nn.Spec) {
	for _, in := range s.Dims()[:len(s.Dims())-1] {
		if in > quant.MaxInt8Inputs {
			im.note("a layer has %d inputs, int8 takes at most %d: its int8 variants can't be made", in, quant.MaxInt8Inputs)
		}
	}
}

// examples imports examples.
func examples(ctx context.Context, files []File, req wire.ImportRequest, progress func(string, float64)) (*Imported, error) {
	set, facts, err := custom.Read(ctx, files, progress)
	if err != nil {
		return nil, foreignData(err)
	}
	if facts.Name = req.Name; facts.Name == "" {
		facts.Name = nameOf(facts.File)
	}
	return &Imported{Examples: set, Data: &facts}, nil
}
