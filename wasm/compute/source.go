package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"quantlab/core/dataset"
	"quantlab/core/dataset/shard"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

// An opener opens a file of the site. With fresh set it asks the server itself, not a cache that may hold a damaged copy.
type opener interface {
	open(ctx context.Context, name string, fresh bool) (io.ReadCloser, error)
}

// A source is the lab's Source over the site's shards. What it has decoded it keeps for the next run, but for the
// training sets, of which MNIST's alone takes 47 MB. Loads take turns.
type source struct {
	site   opener
	reader *shard.Reader
	turn   chan struct{} // holds one token while somebody loads

	networks  map[string]network
	examples  map[exampleKey]*dataset.Examples
	sentences map[sentenceKey]*dataset.Sentences
}

type network struct {
	net  *nn.Network
	meta modelfile.Meta
}

// exampleKey names a set of examples as one model reads it.
type exampleKey struct {
	model, split string
	n            int
}

// sentenceKey names a part of SST-2's text.
type sentenceKey struct {
	split string
	n     int
}

func newSource(site opener) *source {
	s := &source{
		site: site, turn: make(chan struct{}, 1),
		networks: map[string]network{}, examples: map[exampleKey]*dataset.Examples{}, sentences: map[sentenceKey]*dataset.Sentences{},
	}
	s.reader = shard.NewReader(opening{site: site})
	return s
}

// opening adapts an opener to the shard package.
type opening struct {
	site  opener
	fresh bool
}

func (o opening) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	return o.site.open(ctx, name, o.fresh)
}

// Network returns the trained model of that spec.
func (s *source) Network(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*nn.Network, modelfile.Meta, error) {
	n, err := load(ctx, s, s.networks, spec.ID, func(r *shard.Reader) (n network, err error) {
		data, _, err := r.Model(ctx, spec, progress)
		if err != nil {
			return n, err
		}
		n.net, n.meta, err = modelfile.ReadNetwork(bytes.NewReader(data), spec)
		return n, err
	})
	return n.net, n.meta, err
}

// Test returns the first n test examples; 0 is all of them.
func (s *source) Test(ctx context.Context, spec nn.Spec, n int, progress func(done, total int64)) (*dataset.Examples, error) {
	return s.set(ctx, spec, shard.Test, n, progress)
}

// Own tells of nothing: the site has the lab's models alone.
func (s *source) Own(context.Context) (*wire.Own, error) { return nil, nil }

// Sentences returns the texts of the first n sentences of a split of SST-2; 0 is all of them.
func (s *source) Sentences(ctx context.Context, _ nn.Spec, split string, n int, progress func(done, total int64)) (*dataset.Sentences, error) {
	cache := s.sentences
	if split == dataset.Train {
		cache = nil
	}
	return load(ctx, s, cache, sentenceKey{split, n}, func(r *shard.Reader) (*dataset.Sentences, error) {
		part := map[string]string{dataset.Dev: shard.Test, dataset.Sample: shard.Calibration, dataset.Train: shard.Train}[split]
		return r.Sentences(ctx, part, n, progress)
	})
}

// Calibration returns the examples that calibrate static quantization.
func (s *source) Calibration(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*dataset.Examples, error) {
	return s.set(ctx, spec, shard.Calibration, 0, progress)
}

// Train returns the training set.
func (s *source) Train(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*dataset.Examples, error) {
	return s.set(ctx, spec, shard.Train, 0, progress)
}

func (s *source) set(ctx context.Context, spec nn.Spec, split string, n int, progress func(done, total int64)) (*dataset.Examples, error) {
	cache := s.examples
	if split == shard.Train {
		cache = nil
	}
	return load(ctx, s, cache, exampleKey{spec.ID, split, n}, func(r *shard.Reader) (*dataset.Examples, error) {
		return r.Examples(ctx, spec, split, n, progress)
	})
}

// load returns what cache, which may be nil, holds under key, or reads it. If a shard is missing or damaged it tries
// once more with a new manifest and past every cache: the site may have been made anew since the manifest was read.
func load[K comparable, V any](ctx context.Context, s *source, cache map[K]V, key K, read func(*shard.Reader) (V, error)) (V, error) {
	var zero V
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return zero, ctx.Err()
	}
	if v, ok := cache[key]; ok {
		return v, nil
	}
	v, err := read(s.reader)
	var damaged *dataset.IntegrityError
	if errors.As(err, &damaged) || errors.Is(err, fs.ErrNotExist) {
		fresh := opening{site: s.site, fresh: true}
		s.reader = shard.NewReader(fresh)
		v, err = read(s.reader)
		s.reader = shard.NewReader(opening{site: s.site})
	}
	if err != nil {
		return zero, err
	}
	if cache != nil {
		cache[key] = v
	}
	return v, nil
}

// statusError says what a server that answered otherwise than with the file.
func statusError(name string, status int, text string) error {
	if status == 404 {
		return fmt.Errorf("the server has no %s: %w", name, fs.ErrNotExist)
	}
	if text == "" {
		return fmt.Errorf("the server answered with status %d", status)
	}
	return errors.New(text)
}
