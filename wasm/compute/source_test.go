package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/dataset/shard"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

// A memory is a site in memory that counts what is opened.
type memory struct {
	files  map[string][]byte
	opened map[string]int
	fresh  int // opened past the cache
}

func (m *memory) open(ctx context.Context, name string, fresh bool) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.opened[name]++
	if fresh {
		m.fresh++
	}
	data, ok := m.files[name]
	if !ok {
		return nil, statusError(name, 404, "")
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// newMemory returns a site with 1,500 black test images and a model of zeros.
func newMemory(t *testing.T) (*memory, nn.Spec) {
	t.Helper()
	spec, err := nn.SpecOf("mnist-lab1")
	if err != nil {
		t.Fatal(err)
	}
	images := func(n int) *dataset.Images {
		return &dataset.Images{Height: 28, Width: 28, Pixels: make([]uint8, n*28*28), Labels: make([]uint8, n)}
	}
	var file bytes.Buffer
	if err := modelfile.WriteNetwork(&file, nn.New(spec), modelfile.Meta{Model: spec.ID}); err != nil {
		t.Fatal(err)
	}
	m := &memory{files: map[string][]byte{}, opened: map[string]int{}}
	_, err = shard.WriteSite(shard.Content{
		MNISTTrain: images(2000), MNISTTest: images(1500),
		Models:  []shard.ModelContent{{ID: spec.ID, Data: file.Bytes()}},
		Missing: map[string]string{nn.SST2: "put SST-2 there"},
	}, func(name string, data []byte) error {
		m.files[name] = bytes.Clone(data)
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m, spec
}

func TestSource(t *testing.T) {
	m, spec := newMemory(t)
	s := newSource(m)
	var done, total int64
	net, _, err := s.Network(t.Context(), spec, func(d, n int64) { done, total = d, n })
	if err != nil {
		t.Fatal(err)
	}
	if net.Params() != spec.Params() || done != total || total < 1_600_000 {
		t.Errorf("%d parameters; progress ended at %d of %d", net.Params(), done, total)
	}
	test, err := s.Test(t.Context(), spec, 1000, nil)
	if err != nil || test.Len() != 1000 || test.Dim != spec.In {
		t.Fatalf("%v, %v", test, err)
	}
	calibration, err := s.Calibration(t.Context(), spec, nil)
	if err != nil || calibration.Len() != len(dataset.CalibrationRows(2000)) {
		t.Fatalf("%v, %v", calibration, err)
	}

	// A second run opens nothing.
	before := len(m.opened)
	clear(m.opened)
	again, _, err := s.Network(t.Context(), spec, nil)
	if err != nil || again != net {
		t.Errorf("%v, %v", again, err)
	}
	if e, err := s.Test(t.Context(), spec, 1000, nil); err != nil || e != test {
		t.Errorf("%v, %v", e, err)
	}
	if len(m.opened) > 0 || before == 0 {
		t.Errorf("opened again: %v", m.opened)
	}

	// Asking for all needs the other shards, too.
	if e, err := s.Test(t.Context(), spec, 0, nil); err != nil || e.Len() != 1500 {
		t.Errorf("%v, %v", e, err)
	}
	if e, err := s.Train(t.Context(), spec, nil); err != nil || e.Len() != 2000 {
		t.Errorf("%v, %v", e, err)
	}
	if m.fresh > 0 {
		t.Error("an intact site was read past the cache")
	}
}

func TestMissingDataIsNotAFailure(t *testing.T) {
	m, _ := newMemory(t)
	sst2, err := nn.SpecOf("sst2-lab2")
	if err != nil {
		t.Fatal(err)
	}
	_, err = newSource(m).Test(t.Context(), sst2, 0, nil)
	_, noText := newSource(m).Sentences(t.Context(), nn.Spec{}, dataset.Dev, 0, nil)
	var missing *dataset.MissingError
	for _, err := range []error{err, noText} {
		if !errors.As(err, &missing) || !strings.Contains(err.Error(), "put SST-2 there") {
			t.Errorf("got %v", err)
		}
	}
}

// The dev sentences are fetched once for each number of them.
func TestSentences(t *testing.T) {
	m := &memory{files: map[string][]byte{}, opened: map[string]int{}}
	text := &dataset.Sentences{Text: []string{"a mess", "a gem", "fine"}, Labels: []uint8{0, 1, 1}}
	_, err := shard.WriteSite(shard.Content{
		SST2Train: text, SST2Dev: text, Vocabulary: dataset.BuildVocabulary(text, 0), Missing: map[string]string{nn.MNIST: "put MNIST there"},
	}, func(name string, data []byte) error {
		m.files[name] = bytes.Clone(data)
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newSource(m)
	for _, n := range []int{0, 2, 0} {
		want := text.Text
		if n > 0 {
			want = want[:n]
		}
		if got, err := s.Sentences(t.Context(), nn.Spec{}, dataset.Dev, n, nil); err != nil || !slices.Equal(got.Text, want) || len(got.Labels) != len(want) {
			t.Errorf("the first %d: %+v, %v", n, got, err)
		}
	}
	for name, times := range m.opened {
		if times > 2 {
			t.Errorf("%s was opened %d times", name, times)
		}
	}
}

// A shard that is gone or damaged is asked for once more past every cache; what then comes counts.
func TestDamagedShard(t *testing.T) {
	for name, damage := range map[string]func(m *memory, name string){
		"missing":   func(m *memory, name string) { delete(m.files, name) },
		"truncated": func(m *memory, name string) { m.files[name] = m.files[name][:1000] },
		"one bit":   func(m *memory, name string) { m.files[name][2000] ^= 1 },
		"foreign":   func(m *memory, name string) { m.files[name] = []byte("<html>") },
	} {
		t.Run(name, func(t *testing.T) {
			m, spec := newMemory(t)
			whole := map[string][]byte{}
			var hit string
			for n := range m.files {
				if strings.HasPrefix(n, spec.ID) {
					hit, whole[n] = n, bytes.Clone(m.files[n])
				}
			}
			damage(m, hit)
			s := newSource(m)
			_, _, err := s.Network(t.Context(), spec, nil)
			if err == nil || !strings.Contains(err.Error(), hit) {
				t.Fatalf("got %v, want a sentence about %s", err, hit)
			}
			if m.fresh == 0 {
				t.Error("no second try past the cache")
			}
			// Retrying works once the site is whole.
			m.files[hit] = whole[hit]
			if _, _, err := s.Network(t.Context(), spec, nil); err != nil {
				t.Errorf("after repair: %v", err)
			}
		})
	}
}

// The site may be made anew, with other shards, while a page is open.
func TestManifestThatHasChanged(t *testing.T) {
	m, spec := newMemory(t)
	s := newSource(m)
	if _, err := s.Test(t.Context(), spec, 10, nil); err != nil {
		t.Fatal(err)
	}
	old := m.files[shard.ManifestName]
	for name, data := range m.files { // every shard gets another name
		if name != shard.ManifestName {
			fresh := "new-" + name
			m.files[fresh] = data
			delete(m.files, name)
			old = bytes.ReplaceAll(old, []byte(`"`+name+`"`), []byte(`"`+fresh+`"`))
		}
	}
	m.files[shard.ManifestName] = old
	if _, _, err := s.Network(t.Context(), spec, nil); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestCanceledWhileAnotherLoads(t *testing.T) {
	m, spec := newMemory(t)
	s := newSource(m)
	s.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Test(ctx, spec, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestStatusError(t *testing.T) {
	if err := statusError("x", 404, "whatever"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("404: %v", err)
	}
	if err := statusError("x", 500, "the disk is full"); err.Error() != "the disk is full" {
		t.Errorf("500: %v", err)
	}
	if err := statusError("x", 502, ""); !strings.Contains(err.Error(), "502") {
		t.Errorf("502: %v", err)
	}
}
