package lab

import (
	"context"
	"os"
	"sync"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/dataset/mnisttest"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/train"
)

// A digitSource has real digits and a small network of the spec that was trained on some of them.
type digitSource struct {
	*fakeSource
	t    testing.TB
	spec nn.Spec
	once sync.Once
	net  *nn.Network
}

// small reads the middle of digits.
func smallDigits(hidden ...int) nn.Spec {
	return nn.Spec{ID: "small", Data: nn.MNIST, Crop: 14, In: 196, Hidden: hidden, Out: 10, LR: 0.002, Batch: 50, Epochs: 3}
}

func (s *digitSource) examples(split string, n int) *dataset.Examples {
	images, err := dataset.ReadMNIST(os.DirFS(mnisttest.Dir(s.t)), split)
	if err != nil {
		s.t.Fatal(err)
	}
	return dataset.FromImages(images.Head(n).Crop(s.spec.Crop))
}

func (s *digitSource) Network(ctx context.Context, _ nn.Spec, _ func(done, total int64)) (*nn.Network, modelfile.Meta, error) {
	s.once.Do(func() {
		var err error
		if s.net, err = train.Train(ctx, s.spec, s.examples(dataset.Train, 3000), train.Options{Seed: 1}, nil); err != nil {
			s.t.Fatal(err)
		}
	})
	return s.net, modelfile.Meta{}, nil
}

func (s *digitSource) Test(context.Context, nn.Spec, int, func(done, total int64)) (*dataset.Examples, error) {
	return s.examples(dataset.Test, 500), nil
}

func (s *digitSource) Train(context.Context, nn.Spec, func(done, total int64)) (*dataset.Examples, error) {
	return s.examples(dataset.Train, 3000), nil
}

func (s *digitSource) Calibration(context.Context, nn.Spec, func(done, total int64)) (*dataset.Examples, error) {
	return s.examples(dataset.Train, 200), nil
}

// testRunner begins an experiment of the request.
func testRunner(t *testing.T, src Source, req wire.Request, emit func(wire.Event)) *runner {
	t.Helper()
	if emit == nil {
		emit = func(wire.Event) {}
	}
	r, err := newRunner(t.Context(), testHost(), src, req, emit)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
