package library

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"quantlab/core/dataset"
	"quantlab/core/dataset/custom"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

// A Source is a lab.Source of the lab's models and data, which the Source in it has, and of the reader's own.
type Source struct {
	lab.Source
	*Library
}

// Own tells of what the library holds.
func (s *Source) Own(ctx context.Context) (*wire.Own, error) { return s.Library.Own(ctx) }

// Network returns a model of the lab or of the reader's own.
func (s *Source) Network(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*nn.Network, modelfile.Meta, error) {
	if !spec.Own {
		return s.Source.Network(ctx, spec, progress)
	}
	data, err := s.Entry(ctx, wire.KindModel, spec.ID)
	if err != nil {
		return nil, modelfile.Meta{}, err
	}
	net, meta, _, err := readModel(data)
	if err != nil {
		return nil, modelfile.Meta{}, err
	}
	if net.Spec.Calibration != spec.Calibration {
		meta.Calibration = nil // of other examples than these
	}
	net.Spec = spec
	done(progress, len(data))
	return net, meta, nil
}

// Test returns the first n examples of spec.Test, or of the lab's test set as the spec's model reads them; 0 is all of them.
func (s *Source) Test(ctx context.Context, spec nn.Spec, n int, progress func(done, total int64)) (*dataset.Examples, error) {
	if spec.Test == "" {
		return s.ofLab(ctx, spec, dataset.Dev, n, progress)
	}
	set, err := s.set(ctx, spec.Test)
	if err != nil {
		return nil, err
	}
	e, err := s.examples(ctx, spec, spec.Test, set)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		e = e.Head(n)
	}
	done(progress, e.Len())
	return e, nil
}

// Calibration returns the examples of spec.Calibration, or of the lab's sample as the spec's model reads them. Of a large set of the
// reader's own they are dataset.CalibrationRows.
func (s *Source) Calibration(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*dataset.Examples, error) {
	if spec.Calibration == "" {
		return s.ofLab(ctx, spec, dataset.Sample, 0, progress)
	}
	e, err := s.calibrating(ctx, spec, progress)
	if err == nil && e.Len() > dataset.CalibrationSize {
		e = e.Pick(dataset.CalibrationRows(e.Len()))
	}
	return e, err
}

// Train returns spec.Calibration, from which samples are drawn, or the lab's training set as the spec's model reads it.
func (s *Source) Train(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*dataset.Examples, error) {
	if spec.Calibration == "" {
		return s.ofLab(ctx, spec, dataset.Train, 0, progress)
	}
	return s.calibrating(ctx, spec, progress)
}

// calibrating returns all examples of spec.Calibration.
func (s *Source) calibrating(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*dataset.Examples, error) {
	set, err := s.set(ctx, spec.Calibration)
	if err != nil {
		return nil, err
	}
	e, err := s.unlabelled(ctx, spec, set)
	if err != nil {
		return nil, err
	}
	done(progress, e.Len())
	return e, nil
}

// Sentences returns the texts of the first n sentences of a split: of spec.Test or spec.Calibration where these are named.
func (s *Source) Sentences(ctx context.Context, spec nn.Spec, split string, n int, progress func(done, total int64)) (*dataset.Sentences, error) {
	name := spec.Calibration
	if split == dataset.Dev {
		name = spec.Test
	}
	if name == "" {
		text, err := s.Source.Sentences(ctx, labSpec(spec), split, n, progress)
		if err != nil || !spec.Own {
			return text, err
		}
		labels, err := relabelled(text.Labels, labSpec(spec).Labels(), spec)
		if err != nil {
			return nil, unfit(spec, err)
		}
		return &dataset.Sentences{Text: text.Text, Labels: labels}, nil
	}
	set, err := s.set(ctx, name)
	if err != nil {
		return nil, err
	}
	if set.Sentences == nil {
		return nil, fmt.Errorf("%s holds images, %s reads sentences: choose other examples", name, spec.ID)
	}
	text := set.Sentences
	if split == dataset.Sample && text.Len() > dataset.CalibrationSize {
		text = text.Pick(dataset.CalibrationRows(text.Len()))
	}
	if n > 0 {
		text = text.Head(n)
	}
	labels, err := relabelled(text.Labels, set.Classes, spec)
	if err != nil {
		return nil, err
	}
	done(progress, text.Len())
	return &dataset.Sentences{Text: text.Text, Labels: labels}, nil
}

// labSpec returns a model of the lab that reads the same data as the spec's: itself where it is one, or else one that sees whole images.
func labSpec(spec nn.Spec) nn.Spec {
	if !spec.Own {
		return spec
	}
	id := "mnist-lab1"
	if spec.Data == nn.SST2 {
		id = "sst2-lab2"
	}
	lab, err := nn.SpecOf(id)
	if err != nil {
		panic(err) // the lab has both
	}
	return lab
}

// split returns a split of the lab's examples as one of its models reads them, of dataset.Dev the first n; 0 is all of them.
func (s *Source) split(ctx context.Context, lab nn.Spec, split string, n int, progress func(done, total int64)) (*dataset.Examples, error) {
	switch split {
	case dataset.Dev:
		return s.Source.Test(ctx, lab, n, progress)
	case dataset.Sample:
		return s.Source.Calibration(ctx, lab, progress)
	}
	return s.Source.Train(ctx, lab, progress)
}

// ofLab returns a split of the lab's examples as the spec's model reads them, of dataset.Dev the first n; 0 is all of them.
func (s *Source) ofLab(ctx context.Context, spec nn.Spec, split string, n int, progress func(done, total int64)) (*dataset.Examples, error) {
	if !spec.Own {
		return s.split(ctx, spec, split, n, progress)
	}
	lab := labSpec(spec)
	set := &custom.Set{Classes: lab.Labels()}
	if spec.Data == nn.SST2 {
		text, err := s.Source.Sentences(ctx, lab, split, n, progress)
		if err != nil {
			return nil, err
		}
		set.Sentences = text
	} else {
		e, err := s.split(ctx, lab, split, n, progress)
		if err != nil {
			return nil, err
		}
		set.Images = &dataset.Images{Height: dataset.MNISTSide, Width: dataset.MNISTSide, Pixels: e.Pixels, Labels: e.Labels}
	}
	if split == dataset.Sample {
		return s.unlabelled(ctx, spec, set)
	}
	e, err := s.examples(ctx, spec, "", set)
	if err != nil && errors.As(err, new(*unfitError)) {
		return nil, unfit(spec, err)
	}
	return e, err
}

// An unfitError says that labels are none of a model's classes.
type unfitError struct{ error }

// unfit says that the lab's examples can't measure a model, as of data that is not here: everything else can be had.
func unfit(spec nn.Spec, err error) error {
	return &dataset.MissingError{What: "examples with the classes of " + spec.ID, Err: err, Hint: "bring examples of your own to measure its accuracy"}
}

// examples returns the set as the spec's model reads it, its labels the model's classes. name is the set's, or "" of the lab's.
func (s *Source) examples(ctx context.Context, spec nn.Spec, name string, set *custom.Set) (*dataset.Examples, error) {
	labels, err := relabelled(set.Labels(), set.Classes, spec)
	if err != nil {
		if name != "" {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return nil, &unfitError{err}
	}
	e, err := s.features(ctx, spec, set)
	if err != nil {
		return nil, err
	}
	e.Labels = labels
	return e, nil
}

// unlabelled returns the set as the spec's model reads it. Its labels are the model's classes where they fit, and mean nothing where
// they do not: calibration needs none.
func (s *Source) unlabelled(ctx context.Context, spec nn.Spec, set *custom.Set) (*dataset.Examples, error) {
	e, err := s.features(ctx, spec, set)
	if err != nil {
		return nil, err
	}
	if e.Labels, err = relabelled(set.Labels(), set.Classes, spec); err != nil {
		e.Labels = make([]uint8, set.Len())
	}
	return e, nil
}

// features returns the set as the spec's model reads it, its labels still the set's.
func (s *Source) features(ctx context.Context, spec nn.Spec, set *custom.Set) (*dataset.Examples, error) {
	if set.Data() != spec.Data {
		return nil, fmt.Errorf("%s reads %s, which these examples are not: choose other ones", spec.ID, spec.Data)
	}
	if set.Images != nil {
		return dataset.FromImages(set.Images.Crop(spec.Crop)).As(spec), nil
	}
	words, err := s.vocabulary(ctx, spec)
	if err != nil {
		return nil, err
	}
	return dataset.FromSentences(set.Sentences, words).As(spec), nil
}

// relabelled returns the model's classes for labels of classes of these names.
func relabelled(labels []uint8, names []string, spec nn.Spec) ([]uint8, error) {
	classes, err := wire.ClassesOf(names, spec)
	if err != nil {
		return nil, err
	}
	out := make([]uint8, len(labels))
	for i, l := range labels {
		out[i] = classes[l]
	}
	return out, nil
}

// set returns the reader's own examples of that name.
func (l *Library) set(ctx context.Context, name string) (*custom.Set, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil && l.named == name {
		return l.last, nil
	}
	data, err := l.get(ctx, wire.KindData, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &dataset.MissingError{What: "examples of your own, " + name + ",", Hint: "bring them again"}
	}
	if err != nil {
		return nil, err
	}
	set, _, err := custom.ReadSet(data)
	if err != nil {
		return nil, err
	}
	l.last, l.named = set, name
	return set, nil
}

// vocabulary returns the words that the spec's model counts, as its file has them.
func (s *Source) vocabulary(ctx context.Context, spec nn.Spec) (*dataset.Vocabulary, error) {
	l := s.Library
	l.mu.Lock()
	words := l.words[spec.ID]
	l.mu.Unlock()
	if words != nil && words.Len() == spec.In {
		return words, nil
	}
	_, meta, err := s.Network(ctx, spec, nil)
	if err != nil {
		return nil, err
	}
	words, err = dataset.NewVocabulary(meta.Vocabulary)
	if err != nil || words.Len() != spec.In {
		return nil, fmt.Errorf("the file of %s has no vocabulary of its %d words: prepare or bring the model again", spec.ID, spec.In)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.words[spec.ID] = words
	return words, nil
}

// done reports that everything was read.
func done(progress func(done, total int64), n int) {
	if progress != nil {
		progress(int64(n), int64(n))
	}
}
