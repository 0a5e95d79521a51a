// Package exchange trades models with other programs: it makes networks and examples of the files that they write, and writes
// converted models as files that they read.
//
// A file of a model holds tensors, not a network: which layers they make follows from their shapes and names. What a file does not tell
// is found out by trying where examples are at hand, asked of the reader where that leaves a choice, and told in notes where it had
// to be assumed.
package exchange

import (
	"context"

	"quantlab/core/dataset"
	"quantlab/core/dataset/custom"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

// A File is one file of an import: its slash-separated name, as it was given, and its content.
type File = custom.File

// An Imported is what became of files: a model, which Net, Meta and Model tell of, or examples, Examples and Data, or questions
// that have to be answered first.
type Imported struct {
	Net   *nn.Network
	Meta  modelfile.Meta // with the vocabulary, where the model counts words
	Model *wire.OwnModel

	Examples *custom.Set
	Data     *wire.OwnData

	Questions []wire.Question
}

// Name returns the name of the model or of the examples; "" of questions.
func (im *Imported) Name() string {
	switch {
	case im.Model != nil:
		return im.Model.Spec.ID
	case im.Data != nil:
		return im.Data.Name
	}
	return ""
}

// Result returns what a host answers an import with.
func (im *Imported) Result() wire.Import {
	return wire.Import{Questions: im.Questions, Model: im.Model, Data: im.Data}
}

// A Trial has the lab's examples to try a network on. Every lab.Source is one.
type Trial interface {
	// Test returns the first n test examples of one of the lab's models.
	Test(ctx context.Context, spec nn.Spec, n int, progress func(done, total int64)) (*dataset.Examples, error)
	// Sentences returns the texts of the first n examples of a split.
	Sentences(ctx context.Context, spec nn.Spec, split string, n int, progress func(done, total int64)) (*dataset.Sentences, error)
}
