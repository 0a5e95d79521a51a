package prepare

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/lab"
	"quantlab/core/nn"
)

var _ lab.Source = (*Store)(nil)

func TestPrepareWithoutSST2(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var l log
	if err := s.Prepare(t.Context(), nil, l.add); err != nil {
		t.Fatal(err)
	}
	if len(l.bad) > 0 || l.last != 1 {
		t.Errorf("progress went wrong at %q, and ended at %v", l.bad, l.last)
	}
	for _, want := range []string{"training mnist-lab1, epoch 1 of 1", "measuring mnist-lab2", "ready"} {
		if !slices.Contains(l.steps, want) {
			t.Errorf("no step %q in\n%s", want, l.all())
		}
	}
	if len(l.notes) != 1 || !strings.HasPrefix(l.notes[0], "SST-2 missing: no sst2/ in "+s.data[0]) ||
		!strings.Contains(l.notes[0], errCut.Error()) || !strings.Contains(l.notes[0], "set QUANTLAB_DATA to the folder above it") {
		t.Errorf("notes %q", l.notes)
	}
	var missing *dataset.MissingError
	for _, spec := range tiny() {
		net, meta, err := s.Network(t.Context(), spec, nil)
		if spec.ID == "sst2-lab1" {
			if !errors.As(err, &missing) || !strings.HasPrefix(err.Error(), "SST-2 missing") {
				t.Errorf("sst2-lab1: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if net.Validate() != nil || meta.Model != spec.ID || meta.Total == 0 {
			t.Errorf("%s: %+v", spec.ID, meta)
		}
		test, err := s.Test(t.Context(), spec, 0, nil)
		if spec.Data == nn.SST2 {
			if !errors.As(err, &missing) {
				t.Errorf("%s: %v", spec.ID, err)
			}
			continue
		}
		if err != nil || test.Len() != 10000 || test.Dim != spec.In {
			t.Errorf("%s: %+v, error %v", spec.ID, test, err)
		}
		if e, err := s.Test(t.Context(), spec, 77, nil); err != nil || e.Len() != 77 || !bytes.Equal(e.Pixels, test.Pixels[:77*spec.In]) {
			t.Errorf("%s: first 77: error %v", spec.ID, err)
		}
		train, err := s.Train(t.Context(), spec, nil)
		if err != nil || train.Len() != 60000 {
			t.Errorf("%s: error %v", spec.ID, err)
		}
		sample, err := s.Calibration(t.Context(), spec, nil)
		if want := train.Pick(dataset.CalibrationRows(60000)); err != nil || !bytes.Equal(sample.Pixels, want.Pixels) || !bytes.Equal(sample.Labels, want.Labels) {
			t.Errorf("%s: calibration differs, error %v", spec.ID, err)
		}
	}
	// sst2-lab2 is the one that comes with the program.
	if _, meta, _ := s.Network(t.Context(), tiny()[3], nil); meta.Correct != 7 || len(meta.Vocabulary) != 30 {
		t.Errorf("sst2-lab2: %+v", meta)
	}

	// Preparing MNIST again does nothing at all, not even in another process.
	before := tree(t, s.cache)
	os.Remove(filepath.Join(s.cache, "lock"))
	delete(before, "lock")
	var silent log
	for _, s := range []*Store{s, newStore(t, sameCache(s))} {
		if err := s.Prepare(t.Context(), []string{"mnist-lab2", "mnist-lab1"}, silent.add); err != nil {
			t.Fatal(err)
		}
	}
	if len(silent.steps)+len(silent.notes) > 0 || !maps.Equal(before, tree(t, s.cache)) {
		t.Errorf("preparing again did %q, %q", silent.steps, silent.notes)
	}
}

func TestPrepareWithSST2(t *testing.T) {
	t.Parallel()
	s := newStore(t, withSST2(t), func(s *Store) {
		s.env.pretrained = func(string) []byte { return nil }
	})
	if err := s.Prepare(t.Context(), []string{"sst2-lab1", "sst2-lab2"}, nil); err != nil {
		t.Fatal(err)
	}
	for _, spec := range tiny()[2:] {
		net, meta, err := s.Network(t.Context(), spec, nil)
		if err != nil || net.Validate() != nil || len(meta.Vocabulary) != spec.In || meta.Total != 872 || meta.Calibration == nil {
			t.Fatalf("%s: %d words, error %v", spec.ID, len(meta.Vocabulary), err)
		}
		test, err := s.Test(t.Context(), spec, 0, nil)
		if err != nil || test.Len() != 872 || test.Dim != spec.In || !test.Sparse() {
			t.Errorf("%s: %+v, error %v", spec.ID, test, err)
		}
		if dev, err := s.Sentences(t.Context(), nn.Spec{}, dataset.Dev, 0, nil); err != nil || dev.Len() != 872 || !bytes.Equal(dev.Labels, test.Labels) {
			t.Errorf("%s: the texts are not those of the dev examples, error %v", spec.ID, err)
		}
		if dev, err := s.Sentences(t.Context(), nn.Spec{}, dataset.Dev, 3, nil); err != nil || len(dev.Text) != 3 {
			t.Errorf("%s: %+v, error %v", spec.ID, dev, err)
		}
		words, err := dataset.NewVocabulary(meta.Vocabulary)
		if err != nil {
			t.Fatal(err)
		}
		text, err := dataset.ReadSST2(os.DirFS(sst2Data(t)), dataset.Train)
		if err != nil {
			t.Fatal(err)
		}
		want := dataset.FromSentences(text, words)
		if train, err := s.Train(t.Context(), spec, nil); err != nil || !slices.Equal(train.Index, want.Index) || !bytes.Equal(train.Labels, want.Labels) {
			t.Errorf("%s: training examples differ, error %v", spec.ID, err)
		}
		sample, err := s.Calibration(t.Context(), spec, nil)
		if want := want.Pick(dataset.CalibrationRows(67349)); err != nil || !slices.Equal(sample.Index, want.Index) || !slices.Equal(sample.Count, want.Count) {
			t.Errorf("%s: calibration differs, error %v", spec.ID, err)
		}
	}
}

// The model that comes with the program stands in for training only if it was trained with the same settings.
func TestPretrained(t *testing.T) {
	for name, test := range map[string]struct {
		seed  uint64
		train bool
	}{"same settings": {DefaultSeed, false}, "other settings": {DefaultSeed + 1, true}} {
		t.Run(name, func(t *testing.T) {
			spec := tiny()[3]
			with := func(s *Store) { s.env.pretrained = func(string) []byte { return packed(t, spec, test.seed) } }
			s := newStore(t, withSST2(t), with)
			if err := s.Prepare(t.Context(), []string{spec.ID}, nil); err != nil {
				t.Fatal(err)
			}
			_, meta, err := s.Network(t.Context(), spec, nil)
			if err != nil || (meta.Total == 872) != test.train {
				t.Errorf("%d of %d, error %v", meta.Correct, meta.Total, err)
			}
			// Without the data there is no choice.
			s = newStore(t, with)
			if _, meta, err := s.Network(t.Context(), spec, nil); err != nil || meta.Total != 8 {
				t.Errorf("without SST-2: %d of %d, error %v", meta.Correct, meta.Total, err)
			}
		})
	}
	s := newStore(t, func(s *Store) { s.env.pretrained = func(string) []byte { return []byte("rubbish") } })
	_, _, err := s.Network(t.Context(), tiny()[3], nil)
	oneLine(t, err, "the model sst2-lab2 that comes with the program")
}

// A cached model is made again when its settings change or its file is damaged, and only then.
func TestRebuild(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	prepare := func(s *Store) *log {
		t.Helper()
		var l log
		if err := s.Prepare(t.Context(), []string{"mnist-lab1"}, l.add); err != nil {
			t.Fatal(err)
		}
		return &l
	}
	prepare(s)
	spec := s.specNamed(t, "mnist-lab1")
	path := s.modelPath(settingsOf(spec, DefaultSeed))
	good := read(t, path)

	for name, change := range map[string]func(*nn.Spec){
		"learning rate": func(spec *nn.Spec) { spec.LR *= 2 }, "batch": func(spec *nn.Spec) { spec.Batch *= 2 },
		"epochs": func(spec *nn.Spec) { spec.Epochs++ }, "layers": func(spec *nn.Spec) { spec.Hidden = []int{5} },
		"crop": func(spec *nn.Spec) { spec.Crop, spec.In = 5, 25 },
	} {
		other := newStore(t, sameCache(s))
		change(&other.env.specs[0])
		if l := prepare(other); !strings.Contains(l.all(), "training mnist-lab1") {
			t.Errorf("another %s trains nothing:\n%s", name, l.all())
		}
	}
	title := newStore(t, sameCache(s))
	title.env.specs[0].Title = "another title"
	if l := prepare(title); len(l.steps) > 0 {
		t.Errorf("another title trains again:\n%s", l.all())
	}
	for name, data := range map[string][]byte{
		"empty": nil, "truncated": good[:len(good)/2], "foreign": []byte("<html>"), "oversized": append(bytes.Clone(good), make([]byte, 5<<20)...),
		"of other settings": packed(t, spec, DefaultSeed+1),
	} {
		write(t, path, data)
		again := newStore(t, sameCache(s))
		_, _, err := again.Network(t.Context(), spec, nil)
		oneLine(t, err, path, "delete it and run quantlab prepare")
		l := prepare(again)
		if !strings.Contains(l.all(), "training mnist-lab1") {
			t.Errorf("a file that is %s is kept", name)
		}
		if len(l.notes) != 1 || !strings.Contains(l.notes[0], path) || !strings.HasSuffix(l.notes[0], ": it is trained again") {
			t.Errorf("a file that is %s: notes %q", name, l.notes)
		}
		if _, _, err := again.Network(t.Context(), spec, nil); err != nil || !bytes.Equal(read(t, path), good) {
			t.Errorf("after one that was %s: error %v, or another file", name, err)
		}
	}
}

// Cancelled at any step, Prepare leaves nothing half-written, and the next one completes the work.
func TestCancel(t *testing.T) {
	t.Parallel()
	var whole log
	if _, err := newStore(t).Export(t.Context(), whole.add); err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	for _, step := range append([]string{""}, whole.steps[:len(whole.steps)-1]...) {
		ctx, cancel := context.WithCancel(t.Context())
		if step == "" {
			cancel()
		}
		l := log{hook: func(p Progress) {
			if p.Step == step {
				cancel()
			}
		}}
		dir, err := s.Export(ctx, l.add)
		cancel()
		if !errors.Is(err, context.Canceled) || dir != "" {
			t.Errorf("cancelled at %q: %q, error %v", step, dir, err)
		}
		for name := range tree(t, s.cache) {
			if strings.HasPrefix(name, "site") {
				t.Errorf("cancelled at %q: %s is there", step, name)
			}
		}
		// Another process goes on from there.
		s = newStore(t, sameCache(s))
	}
	dir, err := s.Export(t.Context(), nil)
	if err != nil || !complete(dir) {
		t.Fatalf("%q, error %v", dir, err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for _, name := range []string{".tmp-x", "models/.tmp-mnist-lab1-1", "site/.tmp-2/a.qlsh", "data/sst2/.tmp-train.tsv-3"} {
		write(t, filepath.Join(s.cache, name), []byte("half"))
	}
	write(t, filepath.Join(s.cache, "models", "mine"), []byte("whole"))
	if err := s.Prepare(t.Context(), []string{"mnist-lab1"}, nil); err != nil {
		t.Fatal(err)
	}
	if files := tree(t, s.cache); len(files) != 3 || files["models/mine"].IsZero() {
		t.Errorf("files %v", files)
	}
}

// Obtain brings what a model is trained on, and trains nothing.
func TestObtain(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var l log
	if err := s.Obtain(t.Context(), []string{"mnist-lab1"}, l.add); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(l.all(), "training") {
		t.Errorf("it says:\n%s", l.all())
	}
	spec := s.specNamed(t, "mnist-lab1")
	if _, err := s.Train(t.Context(), spec, nil); err != nil {
		t.Error(err)
	}
	if _, _, err := s.Network(t.Context(), spec, nil); !isMissing(err) {
		t.Errorf("a model is there: %v", err)
	}
	if err := s.Obtain(t.Context(), []string{"mnist-lab7"}, nil); err == nil {
		t.Error("an unknown model is no error")
	}
}

// A shard that was damaged on the disk is written again by the next start.
func TestDamagedShard(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dir, err := s.Export(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	shards, err := filepath.Glob(filepath.Join(dir, "mnist-test-0.*.qlsh"))
	if err != nil || len(shards) != 1 {
		t.Fatalf("shards %q, error %v", shards, err)
	}
	good := read(t, shards[0])
	for name, at := range map[string]int{"magic": 0, "checksum": 40, "payload": len(good) - 1} {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		write(t, shards[0], bad)
		again := newStore(t, sameCache(s))
		if got, err := again.Export(t.Context(), nil); err != nil || got != dir {
			t.Fatalf("%s: %q, error %v", name, got, err)
		}
		if !bytes.Equal(read(t, shards[0]), good) {
			t.Errorf("a shard with another %s is kept", name)
		}
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	first, second := newStore(t), newStore(t)
	second.cache = first.cache
	release, err := first.lock(t.Context(), func() { t.Error("waiting for nobody") })
	if err != nil {
		t.Fatal(err)
	}
	// A waiting process says so, and can be cancelled.
	ctx, cancel := context.WithCancel(t.Context())
	l := log{hook: func(Progress) { cancel() }}
	start := time.Now()
	if err := second.Prepare(ctx, []string{"mnist-lab1"}, l.add); !errors.Is(err, context.Canceled) || time.Since(start) > 5*time.Second {
		t.Errorf("cancelled while waiting: %v after %v", err, time.Since(start))
	}
	if len(l.notes) != 1 || l.notes[0] != "another quantlab is preparing in "+first.cache+": waiting for it to finish" {
		t.Errorf("notes %q", l.notes)
	}
	// When the first is done, the second finds the work done.
	waits := make(chan bool)
	l2 := log{hook: func(p Progress) {
		if p.Note != "" {
			close(waits)
		}
	}}
	over := make(chan error)
	go func() { over <- second.Prepare(t.Context(), []string{"mnist-lab1"}, l2.add) }()
	<-waits
	j := &job{Store: first, specs: tiny()[:1], want: wantModels, folders: map[string]string{}, tracker: newTracker(nil, 0)}
	if err := j.work(t.Context()); err != nil {
		t.Fatal(err)
	}
	release()
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	if strings.Contains(l2.all(), "training") {
		t.Errorf("trained twice:\n%s", l2.all())
	}
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	first := newStore(t)
	second := newStore(t, sameCache(first))
	var logs [2]log
	errs := make(chan error)
	for i, s := range []*Store{first, second} {
		go func() {
			_, err := s.Export(t.Context(), logs[i].add)
			errs <- err
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(logs[0].all()+logs[1].all(), "training mnist-lab1"); n != 1 {
		t.Errorf("mnist-lab1 was trained %d times", n)
	}
	if first.SiteDir() == "" || first.SiteDir() != second.SiteDir() || !complete(first.SiteDir()) {
		t.Errorf("sites %q and %q", first.SiteDir(), second.SiteDir())
	}
	tree(t, first.cache)
}

func TestOpen(t *testing.T) {
	t.Setenv(EnvCache, "/somewhere/cache")
	t.Setenv(EnvData, "/somewhere/data")
	s, err := Open(Options{})
	if err != nil || s.CacheDir() != "/somewhere/cache" || !slices.Equal(s.data, []string{"/somewhere/data", "data", filepath.Join("..", "shared", "data")}) {
		t.Errorf("%+v, error %v", s, err)
	}
	t.Setenv(EnvCache, "")
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	t.Setenv("LocalAppData", "")
	_, err = Open(Options{})
	oneLine(t, err, "there is no folder for the cache", "set QUANTLAB_CACHE to one")

	s = newStore(t)
	s.env.specs = nn.Specs()
	oneLine(t, s.Prepare(t.Context(), []string{"mnist-lab1", "mnist-lab7"}, nil), `unknown model "mnist-lab7": choose from mnist-lab1`)
}
