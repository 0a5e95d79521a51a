package play

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/dataset/mnisttest"
	"quantlab/core/lab"
	"quantlab/core/lab/pretrained"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// testHost yields to nobody.
func testHost() lab.Host { return lab.Host{Name: wire.Native, Version: "test"} }

// newBench returns a Bench over the source that is closed with the test.
func newBench(t testing.TB, src lab.Source) *Bench {
	b := NewBench(testHost(), src)
	t.Cleanup(b.Close)
	return b
}

// A fakeSource has networks with random weights, vocabularies of numbered words, noise for images and for sentences.
type fakeSource struct {
	missing     bool               // SST-2 is not here
	words       int                // of the vocabularies; 0 is as many as there should be
	calibration *quant.Calibration // in the models' files
	stop        func() error       // is asked before anything is read
}

func (s *fakeSource) read(spec nn.Spec) error {
	if s.stop != nil {
		if err := s.stop(); err != nil {
			return err
		}
	}
	if s.missing && spec.Data == nn.SST2 {
		return fmt.Errorf("reading: %w", &dataset.MissingError{What: "SST-2", Hint: "put it there"})
	}
	return nil
}

func (s *fakeSource) Network(_ context.Context, spec nn.Spec, _ func(done, total int64)) (*nn.Network, modelfile.Meta, error) {
	meta := modelfile.Meta{Calibration: s.calibration}
	if spec.Data == nn.SST2 {
		n := s.words
		if n == 0 {
			n = spec.In
		}
		meta.Vocabulary = numbered(n)
	}
	return randomNetwork(spec), meta, nil
}

func (s *fakeSource) Test(_ context.Context, spec nn.Spec, n int, _ func(done, total int64)) (*dataset.Examples, error) {
	if n == 0 {
		n = 300
	}
	return randomExamples(spec, n, 2), s.read(spec)
}

func (s *fakeSource) Calibration(_ context.Context, spec nn.Spec, _ func(done, total int64)) (*dataset.Examples, error) {
	return randomExamples(spec, 100, 1), s.read(spec)
}

func (s *fakeSource) Train(_ context.Context, spec nn.Spec, _ func(done, total int64)) (*dataset.Examples, error) {
	return randomExamples(spec, 300, 3), s.read(spec)
}

// Own tells of nothing.
func (s *fakeSource) Own(context.Context) (*wire.Own, error) { return nil, nil }

func (s *fakeSource) Sentences(ctx context.Context, _ nn.Spec, _ string, n int, _ func(done, total int64)) (*dataset.Sentences, error) {
	if err := s.read(nn.Spec{Data: nn.SST2}); err != nil {
		return nil, err
	}
	spec, _ := nn.SpecOf("sst2-lab2")
	e, err := s.Test(ctx, spec, n, nil)
	if err != nil {
		return nil, err
	}
	out := &dataset.Sentences{Labels: e.Labels}
	for i := range e.Len() {
		var words []string
		for _, w := range e.Index[e.Start[i]:e.Start[i+1]] {
			words = append(words, fmt.Sprint("w", w))
		}
		out.Text = append(out.Text, strings.Join(words, " "))
	}
	return out, nil
}

func mustSpec(t testing.TB, model string) nn.Spec {
	t.Helper()
	spec, err := nn.SpecOf(model)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// numbered returns a vocabulary of so many words: w0, w1, …
func numbered(n int) (words []string) {
	for i := range n {
		words = append(words, fmt.Sprint("w", i))
	}
	return words
}

// made holds what is made once for all tests. It is shared: leave it as it is.
var made sync.Map

func once[V any](key string, make func() V) V {
	v, _ := made.LoadOrStore(key, sync.OnceValue(make))
	return v.(func() V)()
}

// randomNetwork returns weights as PyTorch initialises them, always the same.
func randomNetwork(spec nn.Spec) *nn.Network {
	return once(spec.ID, func() *nn.Network {
		net, random := nn.New(spec), rand.New(rand.NewPCG(7, 7))
		for _, l := range net.Layers {
			bound := 1 / math.Sqrt(float64(l.In))
			for _, p := range [][]float32{l.W, l.B} {
				for i := range p {
					p[i] = float32(bound * (2*random.Float64() - 1))
				}
			}
		}
		return net
	})
}

// randomExamples returns images of noise, or bags of twelve words, with labels in turn.
func randomExamples(spec nn.Spec, n int, seed uint64) *dataset.Examples {
	return once(fmt.Sprint(spec.ID, n, seed), func() *dataset.Examples {
		random := rand.New(rand.NewPCG(seed, 1))
		e := &dataset.Examples{Dim: spec.In, Labels: make([]uint8, n)}
		for i := range e.Labels {
			e.Labels[i] = uint8(i % max(spec.Out, 2))
		}
		if spec.Data == nn.MNIST {
			e.Pixels = make([]uint8, n*spec.In)
			for i := range e.Pixels {
				e.Pixels[i] = uint8(random.Uint32())
			}
			return e
		}
		e.Start = []int32{0}
		for range n {
			word := int32(0)
			for range 12 {
				word += int32(1 + random.IntN(spec.In/13))
				e.Index, e.Count = append(e.Index, word), append(e.Count, 1)
			}
			e.Start = append(e.Start, int32(len(e.Index)))
		}
		return e
	})
}

// A trainedSource reads the data sets and the trained models where they are on this machine.
type trainedSource struct {
	testing.TB
}

// trained returns the source of the trained models. It skips the test where one of those named, or its data, is not here.
func trained(t testing.TB, models ...string) *trainedSource {
	t.Helper()
	s := &trainedSource{t}
	for _, id := range models {
		spec, err := nn.SpecOf(id)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Network(t.Context(), spec, nil); err != nil {
			t.Skipf("%s is not trained here (make test prepares it): %v", id, err)
		}
		if _, err := s.Test(t.Context(), spec, 1, nil); err != nil {
			t.Skipf("%s's data is not here: %v", id, err)
		}
	}
	return s
}

// modelFile returns the model's file: the one that comes with the program, or the one that quantlab prepare left in its cache.
func modelFile(id string) ([]byte, error) {
	if data := pretrained.Model(id); data != nil {
		return data, nil
	}
	cache := os.Getenv("QUANTLAB_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		cache = filepath.Join(dir, "quantlab")
	}
	files, _ := filepath.Glob(filepath.Join(cache, "models", id+"-*.safetensors"))
	newest, at := "", time.Time{}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.ModTime().After(at) {
			newest, at = f, info.ModTime()
		}
	}
	return os.ReadFile(newest)
}

func (s *trainedSource) Network(_ context.Context, spec nn.Spec, _ func(done, total int64)) (*nn.Network, modelfile.Meta, error) {
	type file struct {
		net  *nn.Network
		meta modelfile.Meta
		err  error
	}
	f := once("trained "+spec.ID, func() (f file) {
		data, err := modelFile(spec.ID)
		if err != nil {
			return file{err: err}
		}
		f.net, f.meta, f.err = modelfile.ReadNetwork(strings.NewReader(string(data)), spec)
		return f
	})
	if f.err == nil && spec.Data == nn.SST2 && f.meta.Vocabulary == nil {
		train, err := s.sentences(dataset.Train)
		if err != nil {
			return nil, f.meta, err
		}
		f.meta.Vocabulary = dataset.BuildVocabulary(train, spec.Vocab).Words
	}
	return f.net, f.meta, f.err
}

func (s *trainedSource) Test(ctx context.Context, spec nn.Spec, n int, _ func(done, total int64)) (*dataset.Examples, error) {
	return s.examples(ctx, spec, dataset.Test, dataset.Dev, n)
}

func (s *trainedSource) Calibration(ctx context.Context, spec nn.Spec, _ func(done, total int64)) (*dataset.Examples, error) {
	e, err := s.examples(ctx, spec, dataset.Train, dataset.Train, 0)
	if err != nil {
		return nil, err
	}
	return e.Pick(dataset.CalibrationRows(e.Len())), nil
}

func (s *trainedSource) Train(ctx context.Context, spec nn.Spec, _ func(done, total int64)) (*dataset.Examples, error) {
	return s.examples(ctx, spec, dataset.Train, dataset.Train, 0)
}

// Own tells of nothing.
func (s *trainedSource) Own(context.Context) (*wire.Own, error) { return nil, nil }

func (s *trainedSource) Sentences(_ context.Context, _ nn.Spec, _ string, n int, _ func(done, total int64)) (*dataset.Sentences, error) {
	all, err := s.sentences(dataset.Dev)
	if err == nil && n > 0 {
		all = all.Head(n)
	}
	return all, err
}

func (s *trainedSource) examples(ctx context.Context, spec nn.Spec, images, sentences string, n int) (e *dataset.Examples, err error) {
	if spec.Data == nn.MNIST {
		im, err := s.images(images)
		if err != nil {
			return nil, err
		}
		e = dataset.FromImages(im.Crop(spec.Crop))
	} else {
		text, err := s.sentences(sentences)
		if err != nil {
			return nil, err
		}
		_, meta, err := s.Network(ctx, spec, nil)
		if err != nil {
			return nil, err
		}
		v, err := dataset.NewVocabulary(meta.Vocabulary)
		if err != nil {
			return nil, err
		}
		e = dataset.FromSentences(text, v)
	}
	if n > 0 {
		e = e.Head(n)
	}
	return e, nil
}

// A read is what reading something once gave.
type read[V any] struct {
	v   V
	err error
}

// images reads a split of MNIST.
func (s *trainedSource) images(split string) (*dataset.Images, error) {
	dir := mnisttest.Dir(s.TB)
	r := once("MNIST "+split, func() (r read[*dataset.Images]) {
		r.v, r.err = dataset.ReadMNIST(os.DirFS(dir), split)
		return r
	})
	return r.v, r.err
}

// sentences reads a split of SST-2 from $QUANTLAB_DATA, or from the nearest data or shared/data folder above.
func (s *trainedSource) sentences(split string) (*dataset.Sentences, error) {
	r := once("SST-2 "+split, func() (r read[*dataset.Sentences]) {
		dir, err := os.Getwd()
		if err != nil {
			return read[*dataset.Sentences]{err: err}
		}
		places := []string{os.Getenv("QUANTLAB_DATA")}
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			places = append(places, filepath.Join(dir, "data"), filepath.Join(dir, "shared", "data"))
		}
		for _, p := range places {
			if _, err := os.Stat(filepath.Join(p, "sst2", "dev.tsv")); p != "" && err == nil {
				r.v, r.err = dataset.ReadSST2(os.DirFS(p), split)
				return r
			}
		}
		return read[*dataset.Sentences]{err: fs.ErrNotExist}
	})
	return r.v, r.err
}
