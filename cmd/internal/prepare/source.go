package prepare

import (
	"context"
	"fmt"
	"os"
	"sync"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

// A memo keeps what is needed again and again. Networks and examples are never written to, so everybody may share them.
type memo struct {
	mu       sync.Mutex
	networks map[string]network
	test     map[string]*dataset.Images // by folder, like the rest
	dev      map[string]*dataset.Sentences
	words    map[string]*dataset.Vocabulary
	sample   map[string]*dataset.Images // MNIST's calibration examples
}

// A network is a trained model as it was read.
type network struct {
	net  *nn.Network
	meta modelfile.Meta
	data []byte // its file
}

// recall returns the value that m holds for key, or else makes it and holds on to it. mu is held meanwhile, so nothing
// is read twice.
func recall[V any](mu *sync.Mutex, m *map[string]V, key string, read func() (V, error)) (V, error) {
	mu.Lock()
	defer mu.Unlock()
	if v, ok := (*m)[key]; ok {
		return v, nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
	return v, nil
}

// Network returns the trained model of that spec.
func (s *Store) Network(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*nn.Network, modelfile.Meta, error) {
	if err := ctx.Err(); err != nil {
		return nil, modelfile.Meta{}, err
	}
	n, err := s.network(ctx, spec)
	if err != nil {
		return nil, modelfile.Meta{}, err
	}
	done(progress, int64(len(n.data)))
	return n.net, n.meta, nil
}

// Test returns the first n test images or dev sentences as the spec's model reads them; 0 is all of them.
func (s *Store) Test(ctx context.Context, spec nn.Spec, n int, progress func(done, total int64)) (*dataset.Examples, error) {
	split := dataset.Test
	if spec.Data == nn.SST2 {
		split = dataset.Dev
	}
	return s.examples(ctx, spec, split, func(all int) []int {
		if n <= 0 || n >= all {
			return nil
		}
		rows := make([]int, n)
		for i := range rows {
			rows[i] = i
		}
		return rows
	}, progress)
}

// Own tells of nothing: a Store has the lab's models alone.
func (s *Store) Own(context.Context) (*wire.Own, error) { return nil, nil }

// Sentences returns the texts of the first n sentences of a split of SST-2, or of the calibration examples; 0 is all of them.
func (s *Store) Sentences(ctx context.Context, _ nn.Spec, split string, n int, progress func(done, total int64)) (*dataset.Sentences, error) {
	dir, err := s.here(ctx, nn.Spec{Data: nn.SST2})
	if err != nil {
		return nil, err
	}
	from := split
	if split == dataset.Sample {
		from = dataset.Train
	}
	all, err := s.sentences(dir, from)
	if err != nil {
		return nil, err
	}
	if split == dataset.Sample {
		all = all.Pick(dataset.CalibrationRows(all.Len()))
	}
	done(progress, int64(all.Len()))
	if n <= 0 {
		n = all.Len()
	}
	return all.Head(n), ctx.Err()
}

// Calibration returns the training examples that calibrate static quantization: dataset.CalibrationRows of them.
func (s *Store) Calibration(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*dataset.Examples, error) {
	if spec.Data == nn.SST2 {
		return s.examples(ctx, spec, dataset.Train, dataset.CalibrationRows, progress)
	}
	dir, err := s.here(ctx, spec)
	if err != nil {
		return nil, err
	}
	im, err := recall(&s.memo.mu, &s.memo.sample, dir, func() (*dataset.Images, error) {
		im, err := dataset.ReadMNIST(os.DirFS(dir), dataset.Train)
		if err != nil {
			return nil, located(dir, err)
		}
		return im.Pick(dataset.CalibrationRows(im.Len())), nil
	})
	if err != nil {
		return nil, err
	}
	e := dataset.FromImages(im.Crop(spec.Crop))
	done(progress, int64(e.Len()))
	return e, ctx.Err()
}

// Train returns the whole training set as the spec's model reads it.
func (s *Store) Train(ctx context.Context, spec nn.Spec, progress func(done, total int64)) (*dataset.Examples, error) {
	return s.examples(ctx, spec, dataset.Train, func(int) []int { return nil }, progress)
}

// examples returns the chosen rows of a split as the spec's model reads them, or all if choose answers nil.
func (s *Store) examples(ctx context.Context, spec nn.Spec, split string, choose func(n int) []int, progress func(done, total int64)) (*dataset.Examples, error) {
	dir, err := s.here(ctx, spec)
	if err != nil {
		return nil, err
	}
	var e *dataset.Examples
	if spec.Data == nn.MNIST {
		im, err := s.images(dir, split)
		if err != nil {
			return nil, err
		}
		if rows := choose(im.Len()); rows != nil {
			im = im.Pick(rows)
		}
		e = dataset.FromImages(im.Crop(spec.Crop))
	} else {
		text, err := s.sentences(dir, split)
		if err != nil {
			return nil, err
		}
		words, err := s.vocabulary(dir, spec)
		if err != nil {
			return nil, err
		}
		if rows := choose(text.Len()); rows != nil {
			text = text.Pick(rows)
		}
		e = dataset.FromSentences(text, words)
	}
	done(progress, int64(e.Len()))
	return e, ctx.Err()
}

// here returns the folder with the spec's data, or a *dataset.MissingError.
func (s *Store) here(ctx context.Context, spec nn.Spec) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if name(spec.Data) == "" {
		return "", fmt.Errorf("model %s reads unknown data %q", spec.ID, spec.Data)
	}
	if dir := s.find(ctx, spec.Data); dir != "" {
		return dir, nil
	}
	return "", s.missing(spec.Data, nil)
}

// vocabulary returns the words that the spec's model knows. Counting them takes a while, so it is done once.
func (s *Store) vocabulary(dir string, spec nn.Spec) (*dataset.Vocabulary, error) {
	all, err := recall(&s.memo.mu, &s.memo.words, dir, func() (*dataset.Vocabulary, error) {
		text, err := s.sentences(dir, dataset.Train)
		if err != nil {
			return nil, err
		}
		return dataset.BuildVocabulary(text, 0), nil
	})
	if err != nil || spec.Vocab == 0 {
		return all, err
	}
	return all.Head(spec.Vocab), nil
}

// images reads a split of MNIST. The test set is small, and kept; of the training set only the calibration examples are,
// which save unpacking 60,000 images for 1,024.
func (s *Store) images(dir, split string) (*dataset.Images, error) {
	read := func() (*dataset.Images, error) {
		im, err := dataset.ReadMNIST(os.DirFS(dir), split)
		return im, located(dir, err)
	}
	if split != dataset.Train {
		return recall(&s.memo.mu, &s.memo.test, dir, read)
	}
	im, err := read()
	if err != nil {
		return nil, err
	}
	_, err = recall(&s.memo.mu, &s.memo.sample, dir, func() (*dataset.Images, error) {
		return im.Pick(dataset.CalibrationRows(im.Len())), nil
	})
	return im, err
}

// sentences reads a split of SST-2. The dev set is small, and kept.
func (s *Store) sentences(dir, split string) (*dataset.Sentences, error) {
	read := func() (*dataset.Sentences, error) {
		text, err := dataset.ReadSST2(os.DirFS(dir), split)
		return text, located(dir, err)
	}
	if split == dataset.Train {
		return read()
	}
	return recall(&s.memo.mu, &s.memo.dev, dir, read)
}

// done reports that everything was read.
func done(progress func(done, total int64), n int64) {
	if progress != nil {
		progress(n, n)
	}
}
