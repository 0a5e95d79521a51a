package shard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"quantlab/core/dataset"
	"quantlab/core/nn"
)

// An Opener opens a site's files: with a browser's fetch, from a directory, from memory.
type Opener interface {
	Open(ctx context.Context, name string) (io.ReadCloser, error)
}

// FS opens the files of a file system.
type FS struct{ fs.FS }

// Open opens the named file.
func (f FS) Open(_ context.Context, name string) (io.ReadCloser, error) { return f.FS.Open(name) }

// A Reader reads a site. Its methods may be called by several goroutines at once. The progress callbacks, which may be
// nil, hear how many bytes of how many have been read.
type Reader struct {
	open Opener

	mu         sync.Mutex
	manifest   *Manifest
	vocabulary *dataset.Vocabulary
}

// NewReader returns a reader of the site that o opens. It reads nothing yet.
func NewReader(o Opener) *Reader { return &Reader{open: o} }

// Manifest returns the site's list of shards, which is fetched once.
func (r *Reader) Manifest(ctx context.Context) (*Manifest, error) {
	r.mu.Lock()
	m := r.manifest
	r.mu.Unlock()
	if m != nil {
		return m, nil
	}
	data, err := r.fetch(ctx, ManifestName, maxManifest, nil)
	if err != nil {
		return nil, err
	}
	if m, err = ParseManifest(data); err != nil {
		return nil, damaged(ManifestName, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.manifest = m
	return m, nil
}

// Images returns the first n images of a split of MNIST; 0 is all of them. Only the shards that hold them are read.
func (r *Reader) Images(ctx context.Context, split string, n int, progress func(done, total int64)) (*dataset.Images, error) {
	set, err := r.set(ctx, nn.MNIST, split)
	if err != nil {
		return nil, err
	}
	n, shards := set.first(n)
	all := &dataset.Images{}
	err = r.each(ctx, shards, progress, func(e Entry, data []byte) error {
		im, err := DecodeImages(data)
		if err != nil {
			return err
		}
		if im.Len() != e.Examples {
			return fmt.Errorf("holds %d images, but the manifest lists %d", im.Len(), e.Examples)
		}
		if all.Len() == 0 {
			all = im
			return nil
		}
		if im.Height != all.Height || im.Width != all.Width {
			return fmt.Errorf("holds images of %d x %d pixels among others of %d x %d", im.Height, im.Width, all.Height, all.Width)
		}
		all.Pixels = append(all.Pixels, im.Pixels...)
		all.Labels = append(all.Labels, im.Labels...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all.Head(n), nil
}

// Sentences returns the first n sentences of a split of SST-2; 0 is all of them.
func (r *Reader) Sentences(ctx context.Context, split string, n int, progress func(done, total int64)) (*dataset.Sentences, error) {
	set, err := r.set(ctx, nn.SST2, split)
	if err != nil {
		return nil, err
	}
	n, shards := set.first(n)
	all := &dataset.Sentences{}
	err = r.each(ctx, shards, progress, func(e Entry, data []byte) error {
		s, err := DecodeSentences(data)
		if err != nil {
			return err
		}
		if s.Len() != e.Examples {
			return fmt.Errorf("holds %d sentences, but the manifest lists %d", s.Len(), e.Examples)
		}
		all.Text = append(all.Text, s.Text...)
		all.Labels = append(all.Labels, s.Labels...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all.Head(n), nil
}

// Examples returns the first n examples of a split as the spec's model reads them; 0 is all of them.
func (r *Reader) Examples(ctx context.Context, spec nn.Spec, split string, n int, progress func(done, total int64)) (*dataset.Examples, error) {
	switch spec.Data {
	case nn.MNIST:
		im, err := r.Images(ctx, split, n, progress)
		if err != nil {
			return nil, err
		}
		return dataset.FromImages(im.Crop(spec.Crop)), nil
	case nn.SST2:
		s, err := r.Sentences(ctx, split, n, progress)
		if err != nil {
			return nil, err
		}
		v, err := r.Vocabulary(ctx, spec)
		if err != nil {
			return nil, err
		}
		return dataset.FromSentences(s, v), nil
	}
	return nil, fmt.Errorf("model %s reads unknown data %q", spec.ID, spec.Data)
}

// Vocabulary returns the words that the spec's model knows.
func (r *Reader) Vocabulary(ctx context.Context, spec nn.Spec) (*dataset.Vocabulary, error) {
	m, err := r.Manifest(ctx)
	if err != nil {
		return nil, err
	}
	if m.Vocabulary == nil {
		return nil, m.missing(nn.SST2)
	}
	r.mu.Lock()
	all := r.vocabulary
	r.mu.Unlock()
	if all == nil {
		text, err := r.file(ctx, m.Vocabulary, nil)
		if err != nil {
			return nil, err
		}
		if all, err = dataset.ParseVocabulary(string(text)); err != nil {
			return nil, damaged(m.Vocabulary.Shards[0].Name, err)
		}
		r.mu.Lock()
		r.vocabulary = all
		r.mu.Unlock()
	}
	if all.Len() < spec.In {
		return nil, m.missing(nn.SST2)
	}
	return all.Head(spec.In), nil
}

// Model returns the model's safetensors file and what the manifest says of it.
func (r *Reader) Model(ctx context.Context, spec nn.Spec, progress func(done, total int64)) ([]byte, *Model, error) {
	m, err := r.Manifest(ctx)
	if err != nil {
		return nil, nil, err
	}
	model := m.Model(spec.ID)
	if model == nil {
		if m.Missing[spec.Data] != "" {
			return nil, nil, m.missing(spec.Data)
		}
		return nil, nil, &dataset.MissingError{What: "model " + spec.ID, Hint: "run quantlab prepare"}
	}
	data, err := r.file(ctx, &model.File, progress)
	return data, model, err
}

func (r *Reader) set(ctx context.Context, data, split string) (*Set, error) {
	m, err := r.Manifest(ctx)
	if err != nil {
		return nil, err
	}
	set := m.Set(data, split)
	if set == nil {
		return nil, m.missing(data)
	}
	return set, nil
}

// missing says that a data set isn't on this site, and how to supply it.
func (m *Manifest) missing(data string) error {
	what := "MNIST"
	if data == nn.SST2 {
		what = "SST-2"
	}
	hint := m.Missing[data]
	if hint == "" {
		hint = "run quantlab prepare"
	}
	return &dataset.MissingError{What: what, Hint: hint}
}

// first returns how many examples the first n are, where 0 is all, and the shards that hold them.
func (s *Set) first(n int) (int, []Entry) {
	if n <= 0 || n > s.Examples {
		n = s.Examples
	}
	have := 0
	for i, e := range s.Shards {
		if have += e.Examples; have >= n {
			return n, s.Shards[:i+1]
		}
	}
	return n, s.Shards
}

// file puts a file together.
func (r *Reader) file(ctx context.Context, f *File, progress func(done, total int64)) ([]byte, error) {
	out := make([]byte, 0, f.Bytes)
	err := r.each(ctx, f.Shards, progress, func(e Entry, data []byte) (err error) {
		out, err = DecodePart(out, e.Kind, data)
		return err
	})
	return out, err
}

// each fetches the shards in turn and hands them to use, whose errors are the rest of a sentence that begins with the
// shard's name.
func (r *Reader) each(ctx context.Context, entries []Entry, progress func(done, total int64), use func(Entry, []byte) error) error {
	var before, total int64
	for _, e := range entries {
		total += e.Bytes
	}
	for _, e := range entries {
		data, err := r.fetch(ctx, e.Name, e.Bytes, func(n int64) {
			if progress != nil {
				progress(before+n, total)
			}
		})
		if err != nil {
			return err
		}
		if err := e.verify(data); err != nil {
			return damaged(e.Name, err)
		}
		if err := use(e, data); err != nil {
			return damaged(e.Name, err)
		}
		before += e.Bytes
	}
	return nil
}

// Check reports whether data is the whole shard of this entry, undamaged.
func (e Entry) Check(data []byte) error {
	if err := e.verify(data); err != nil {
		return err
	}
	_, _, err := decode(data, e.Kind)
	return err
}

// verify checks data's size and the checksum that its header claims against the manifest; decoding then checks the
// payload against the header.
func (e Entry) verify(data []byte) error {
	if _, err := parseHeader(data); err != nil {
		return err
	}
	if n := int64(len(data)); n < e.Bytes {
		return fmt.Errorf("is truncated: %d of %d bytes", n, e.Bytes)
	} else if n > e.Bytes {
		return fmt.Errorf("is larger than the %d bytes that the manifest lists", e.Bytes)
	}
	if got := fmt.Sprintf("%x", data[32:headerSize]); got != e.SHA256 {
		return fmt.Errorf("is not the shard that the manifest lists: SHA-256 %.12s…, not %.12s…", got, e.SHA256)
	}
	return nil
}

// fetch reads the named file, of which it takes at most limit+1 bytes.
func (r *Reader) fetch(ctx context.Context, name string, limit int64, progress func(n int64)) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := r.open.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, damaged(name, errors.New("is not there"))
	}
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", name, err)
	}
	defer f.Close()
	data, n := make([]byte, limit+1), 0
	for n < len(data) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k, err := f.Read(data[n:min(n+chunk, len(data))])
		n += k
		if progress != nil && k > 0 {
			progress(min(int64(n), limit))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("fetching %s: %w", name, err)
		}
	}
	return data[:n], nil
}

// chunk is the most that is read between two looks at the context.
const chunk = 256 << 10

// damaged completes a sentence about the named file. It is never a *dataset.MissingError, which would mean that the site
// has no such data: here the site is broken, and trying again may help.
func damaged(name string, err error) error {
	return &dataset.IntegrityError{Path: name, Problem: err.Error(), Hint: "try again, and if that doesn't help, run quantlab prepare and reload"}
}
