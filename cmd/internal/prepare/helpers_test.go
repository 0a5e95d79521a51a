package prepare

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"quantlab/cmd/internal/atomicfile"
	"quantlab/core/dataset/mnisttest"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

// tiny are models of the lab's names that train in an instant.
func tiny() []nn.Spec {
	return []nn.Spec{
		{ID: "mnist-lab1", Data: nn.MNIST, Crop: 6, In: 36, Hidden: []int{4}, Out: 10, LR: 0.001, Batch: 1000, Epochs: 1},
		{ID: "mnist-lab2", Data: nn.MNIST, Crop: 4, In: 16, Hidden: []int{4, 4}, Out: 10, LR: 0.001, Batch: 1000, Epochs: 1},
		{ID: "sst2-lab1", Data: nn.SST2, In: 14816, Hidden: []int{2}, Out: 2, LR: 0.001, Batch: 1000, Epochs: 1},
		{ID: "sst2-lab2", Data: nn.SST2, Vocab: 30, In: 30, Hidden: []int{4, 4, 4}, Out: 2, LR: 0.001, Batch: 1000, Epochs: 1},
	}
}

// specNamed returns the store's spec of that name.
func (s *Store) specNamed(t *testing.T, id string) nn.Spec {
	t.Helper()
	specs, err := s.specsOf([]string{id})
	if err != nil {
		t.Fatal(err)
	}
	return specs[0]
}

// packed is a tiny model that comes with the program, trained with the settings of the spec and seed.
func packed(t *testing.T, spec nn.Spec, seed uint64) []byte {
	t.Helper()
	net := nn.New(spec)
	for i := range net.Layers {
		for j := range net.Layers[i].W {
			net.Layers[i].W[j] = float32(j%13)/13 - 0.5
		}
	}
	meta := modelfile.Meta{Model: spec.ID, Settings: settingsOf(spec, seed).json(), Correct: 7, Total: 8}
	for i := range spec.In {
		meta.Vocabulary = append(meta.Vocabulary, "word"+strings.Repeat("x", i))
	}
	var b bytes.Buffer
	if err := modelfile.WriteNetwork(&b, net, meta); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var errCut = errors.New("the network is cut")

type cutNetwork struct{}

func (cutNetwork) RoundTrip(*http.Request) (*http.Response, error) { return nil, errCut }

// newStore returns a store of tiny models with a cache and a data folder of its own, MNIST in the module cache, no SST-2
// and no network. The options change that.
func newStore(t *testing.T, change ...func(*Store)) *Store {
	t.Helper()
	s, err := Open(Options{
		Cache: filepath.Join(t.TempDir(), "cache"), Data: []string{filepath.Join(t.TempDir(), "data")},
		Client: &http.Client{Transport: cutNetwork{}}, Threads: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.env.specs = tiny()
	s.env.modules = func(context.Context) []string { return []string{mnisttest.Dir(t)} }
	s.env.fetch = func(context.Context) (string, error) { return "", errCut }
	s.env.urls = urls{mnist: []string{"https://mirror.invalid"}, sst2: "https://glue.invalid/SST-2.zip", stall: 10 * time.Second}
	sst2 := tiny()[3]
	s.env.pretrained = func(id string) []byte {
		if id != sst2.ID {
			return nil
		}
		return packed(t, sst2, DefaultSeed)
	}
	for _, c := range change {
		c(s)
	}
	return s
}

// sameCache makes the store share another one's cache.
func sameCache(other *Store) func(*Store) { return func(s *Store) { s.cache = other.cache } }

// withoutMNIST hides the module cache.
func withoutMNIST(s *Store) { s.env.modules = func(context.Context) []string { return nil } }

// withSST2 supplies SST-2, or skips the test.
func withSST2(t *testing.T) func(*Store) {
	dir := sst2Data(t)
	return func(s *Store) { s.data = append(s.data, dir) }
}

// sst2Data is $QUANTLAB_DATA, or the nearest data or shared/data folder above that holds SST-2.
func sst2Data(t *testing.T) string {
	t.Helper()
	places := []string{os.Getenv(EnvData)}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		places = append(places, filepath.Join(dir, "data"), filepath.Join(dir, "shared", "data"))
	}
	for _, p := range places {
		if p != "" && holds(p, files(nn.SST2)) {
			return p
		}
	}
	t.Skip("SST-2 is not here: put sst2/train.tsv and sst2/dev.tsv in a folder and name it in " + EnvData)
	return ""
}

// A log is what a run reported.
type log struct {
	mu    sync.Mutex
	steps []string // each once, in order
	notes []string
	last  float64
	bad   []string
	hook  func(Progress)
}

func (l *log) add(p Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case p.Note != "":
		l.notes = append(l.notes, p.Note)
	case p.Fraction < l.last || p.Fraction > 1 || p.Step == "":
		l.bad = append(l.bad, p.Step)
	default:
		l.last = p.Fraction
	}
	if p.Step != "" && (len(l.steps) == 0 || l.steps[len(l.steps)-1] != p.Step) {
		l.steps = append(l.steps, p.Step)
	}
	if l.hook != nil {
		l.hook(p)
	}
}

func (l *log) all() string { return strings.Join(l.steps, "\n") }

// tree lists the files below dir, with their sizes' time stamps.
func tree(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	m := map[string]time.Time{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(d.Name(), atomicfile.Prefix) {
			t.Errorf("%s was left", path)
		}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			m[name] = info.ModTime()
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return m
}

// write puts a file where a test needs it.
func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// oneLine checks that err is a sentence that holds every part.
func oneLine(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", parts)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("got error %q, want %q in it", err, p)
		}
	}
}
