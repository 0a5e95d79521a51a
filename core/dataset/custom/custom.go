// Package custom reads examples of the reader's own: images of digits' size in folders, an IDX pair, a table of sentences and labels.
// It makes them what the lab's examples are, images of MNIST's look or sentences, and keeps them in one form.
//
// Nothing in a file is believed before it was checked. Sizes are bounded before memory is taken: files by wire.MaxFile and
// wire.MaxFiles, whatever an archive's headers claim, examples by wire.MaxOwnData.
package custom

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// MaxClasses bounds the classes of a set: a label is a byte.
const MaxClasses = 256

// A File is one file of an import.
type File struct {
	Name string // slash-separated, as it was given: "digits/3/a.png"
	Data []byte
}

// A Set is examples of the reader's own, in their order. Exactly one of Images and Sentences is set. A Set is never written to once
// made.
type Set struct {
	Images    *dataset.Images // 28x28, 0 is background and 255 is ink
	Sentences *dataset.Sentences
	Classes   []string // names of the classes, by label
}

// Labels returns the class of each example, a place in Classes.
func (s *Set) Labels() []uint8 {
	if s.Images != nil {
		return s.Images.Labels
	}
	return s.Sentences.Labels
}

// Len returns how many examples there are.
func (s *Set) Len() int { return len(s.Labels()) }

// Data returns what the examples are: nn.MNIST or nn.SST2.
func (s *Set) Data() string {
	if s.Images != nil {
		return nn.MNIST
	}
	return nn.SST2
}

// ErrForeign is the error for files that hold no examples in any form that is known.
var ErrForeign = errors.New("these are no examples: give a folder or a zip of PNG images in folders named by their class, an IDX pair of images and labels, or a CSV or TSV of sentences and labels")

// Read finds examples in the files. What it returns of them lacks a name. An error that wraps ErrForeign means that there is nothing
// that looks like examples. The callback, which may be nil, hears what is being done and how far that is.
func Read(ctx context.Context, files []File, progress func(step string, fraction float64)) (*Set, wire.OwnData, error) {
	if progress == nil {
		progress = func(string, float64) {}
	}
	facts := wire.OwnData{File: title(files)}
	for _, f := range files {
		facts.Bytes += int64(len(f.Data))
	}
	if err := bounded(files, facts.Bytes); err != nil {
		return nil, facts, err
	}
	r := &reader{ctx: ctx, progress: progress}
	set, err := r.read(files)
	if err != nil {
		return nil, facts, err
	}
	facts.Data, facts.Examples, facts.Labels = set.Data(), set.Len(), set.Classes
	facts.Format, facts.Notes = r.format, r.notes
	return set, facts, nil
}

// bounded refuses more than is ever read.
func bounded(files []File, size int64) error {
	if len(files) > wire.MaxFiles {
		return fmt.Errorf("%d files are too many: give at most %d", len(files), wire.MaxFiles)
	}
	if size > wire.MaxFile {
		return fmt.Errorf("%d MB are too many: give at most %d MB", size>>20, wire.MaxFile>>20)
	}
	return nil
}

// title names what was brought: the file, or the folder that all files lie in.
func title(files []File) string {
	if len(files) == 0 {
		return ""
	}
	if len(files) == 1 {
		return path.Base(files[0].Name)
	}
	top, _, nested := strings.Cut(files[0].Name, "/")
	for _, f := range files {
		if first, _, ok := strings.Cut(f.Name, "/"); !ok || first != top {
			nested = false
		}
	}
	if nested {
		return top
	}
	return path.Base(files[0].Name) + fmt.Sprintf(" and %d more", len(files)-1)
}
