package prepare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/dataset/shard"
	"quantlab/core/lab/pretrained"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/train"
)

// The shards hold what the Store's own methods give.
func TestExport(t *testing.T) {
	t.Parallel()
	for _, with := range []bool{false, true} {
		t.Run(fmt.Sprintf("SST-2 %v", with), func(t *testing.T) {
			s := newStore(t)
			if with {
				s = newStore(t, withSST2(t))
			}
			if s.SiteDir() != "" {
				t.Error("a site before Export")
			}
			dir, err := s.Export(t.Context(), nil)
			if err != nil || dir == "" || dir != s.SiteDir() {
				t.Fatalf("%q, %q, error %v", dir, s.SiteDir(), err)
			}
			r := shard.NewReader(shard.FS{FS: os.DirFS(dir)})
			m, err := r.Manifest(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if hint := m.Missing[nn.SST2]; (hint == "") != with {
				t.Errorf("SST-2: %q", hint)
			}
			for _, spec := range s.env.specs {
				_, meta, err := s.Network(t.Context(), spec, nil)
				data, model, err2 := r.Model(t.Context(), spec, nil)
				if isMissing(err) && isMissing(err2) && !with && spec.ID == "sst2-lab1" {
					continue
				}
				if err != nil || err2 != nil {
					t.Fatalf("%s: errors %v, %v", spec.ID, err, err2)
				}
				if _, got, err := modelfile.ReadNetwork(bytes.NewReader(data), spec); err != nil || !slices.Equal(got.Vocabulary, meta.Vocabulary) ||
					model.Accuracy != float64(meta.Correct)/float64(meta.Total) || compact(t, model.Settings) != compact(t, meta.Settings) {
					t.Errorf("%s: %+v, error %v", spec.ID, model, err)
				}
				if spec.Data == nn.SST2 && !with {
					if _, err := r.Examples(t.Context(), spec, shard.Test, 0, nil); !isMissing(err) {
						t.Errorf("%s: %v", spec.ID, err)
					}
					if v, err := r.Vocabulary(t.Context(), spec); err != nil || !slices.Equal(v.Words, meta.Vocabulary) {
						t.Errorf("%s: vocabulary, error %v", spec.ID, err)
					}
					continue
				}
				test, err := s.Test(t.Context(), spec, 0, nil)
				same(t, r, spec, shard.Test, test, err)
				sample, err := s.Calibration(t.Context(), spec, nil)
				same(t, r, spec, shard.Calibration, sample, err)
				if spec.ID != "mnist-lab2" {
					train, err := s.Train(t.Context(), spec, nil)
					same(t, r, spec, shard.Train, train, err)
				}
			}
			// A shard that is lost is written again.
			for e := range m.Entries() {
				os.Remove(filepath.Join(dir, e.Name))
				break
			}
			if again, err := newStore(t, sameCache(s), func(n *Store) { n.data = s.data }).Export(t.Context(), nil); err != nil || again != dir || !complete(dir) {
				t.Errorf("again: %q, error %v", again, err)
			}
		})
	}
}

func same(t *testing.T, r *shard.Reader, spec nn.Spec, split string, want *dataset.Examples, err error) {
	t.Helper()
	got, err2 := r.Examples(t.Context(), spec, split, 0, nil)
	if err != nil || err2 != nil || got.Dim != want.Dim || !bytes.Equal(got.Pixels, want.Pixels) || !bytes.Equal(got.Labels, want.Labels) ||
		!slices.Equal(got.Start, want.Start) || !slices.Equal(got.Index, want.Index) || !slices.Equal(got.Count, want.Count) {
		t.Errorf("%s, %s: the shards differ, errors %v, %v", spec.ID, split, err, err2)
	}
}

func compact(t *testing.T, data []byte) string {
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		t.Error(err)
	}
	return b.String()
}

// Of old sites the newest is kept: a server may still be serving it.
func TestPrune(t *testing.T) {
	t.Parallel()
	s := newStore(t, func(s *Store) { s.env.specs = tiny()[:1] })
	for i, name := range []string{"one", "two", "three"} {
		path := filepath.Join(s.cache, "site", name)
		write(t, filepath.Join(path, "manifest.json"), nil)
		when := time.Now().Add(-time.Duration(10-i) * time.Hour)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := s.Export(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(s.cache, "site"))
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{filepath.Base(dir), "three"}
	slices.Sort(want)
	if err != nil || !slices.Equal(names, want) {
		t.Errorf("sites %v, want %v, error %v", names, want, err)
	}
}

// TrainModel brings the data, takes any seed and repeats itself to the bit; a file elsewhere is written the same way.
func TestTrainModel(t *testing.T) {
	t.Parallel()
	s := newStore(t, withoutMNIST, online(urls{mnist: []string{serve(t, mnistFiles(t), nil) + "/mnist"}}))
	spec := tiny()[1]
	path := filepath.Join(t.TempDir(), "new", "mine.safetensors")
	var files [][]byte
	for _, seed := range []uint64{DefaultSeed, 2, 2} {
		model, err := s.TrainModel(t.Context(), spec, seed, train.Float32, nil)
		if err != nil {
			t.Fatal(err)
		}
		if model.Settings.Seed != seed || model.Meta.Total != 10000 || model.Meta.Calibration == nil {
			t.Errorf("%+v", model.Meta)
		}
		if err := s.WriteModel(model, path); err != nil {
			t.Fatal(err)
		}
		files = append(files, read(t, path))
		saved, err := s.Save(model)
		if err != nil || saved != s.modelPath(settingsOf(spec, seed)) || !bytes.Equal(read(t, saved), read(t, path)) {
			t.Errorf("%s, error %v", saved, err)
		}
	}
	if bytes.Equal(files[0], files[1]) || !bytes.Equal(files[1], files[2]) {
		t.Error("a seed doesn't repeat itself, or two give the same")
	}
	// Mixed precision gives another model, in a file of its own.
	model, err := s.TrainModel(t.Context(), spec, DefaultSeed, train.Float16, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := model.Training; r.Type != "f16" || r.Steps != 60 || r.Total != 10000 || r.Correct != model.Meta.Correct || len(r.Curve) != 60 {
		t.Errorf("%+v", r)
	}
	saved, err := s.Save(model)
	if err != nil || saved == s.modelPath(settingsOf(spec, DefaultSeed)) || bytes.Equal(read(t, saved), files[0]) {
		t.Errorf("%s, error %v", saved, err)
	}
	// The lab's model is still the one of DefaultSeed.
	if _, meta, err := s.Network(t.Context(), spec, nil); err != nil || compact(t, meta.Settings) != compact(t, settingsOf(spec, DefaultSeed).json()) {
		t.Errorf("%s, error %v", meta.Settings, err)
	}
	model = &Trained{Network: nn.New(spec)}
	s = newStore(t, withRoom(0, syscall.ENOSPC))
	err = s.WriteModel(model, path)
	oneLine(t, err, "writing "+path+": the disk is full", "choose a folder on another disk")
	if !bytes.Equal(read(t, path), files[2]) {
		t.Error("the file that was there is gone")
	}
}

// What comes with the program must be what the present settings and data give, and good enough.
func TestPretrainedIsCurrent(t *testing.T) {
	t.Parallel()
	spec, err := nn.SpecOf("sst2-lab2")
	if err != nil {
		t.Fatal(err)
	}
	n, err := parseModel(pretrained.Model(spec.ID), spec)
	if err != nil {
		t.Fatal(err)
	}
	if !n.trainedWith(settingsOf(spec, DefaultSeed)) {
		t.Errorf("it was trained with %s, now the settings are %s: run quantlab train sst2-lab2 -o core/lab/pretrained/sst2-lab2.safetensors",
			n.meta.Settings, settingsOf(spec, DefaultSeed).json())
	}
	if n.meta.Total != 872 || float64(n.meta.Correct) < 0.805*872 {
		t.Errorf("%d of %d right", n.meta.Correct, n.meta.Total)
	}
	if _, err := dataset.NewVocabulary(n.meta.Vocabulary); err != nil || len(n.meta.Vocabulary) != 5000 {
		t.Errorf("%d words, error %v", len(n.meta.Vocabulary), err)
	}
	plan, err := quant.Preset("static-qint8", len(n.net.Layers))
	if err != nil {
		t.Fatal(err)
	}
	m, err := quant.Convert(n.net, plan, n.meta.Calibration, quant.Options{MaxBatch: 1})
	if err != nil {
		t.Fatalf("its calibration: %v", err)
	}
	m.Close()
	if got := len(n.data); got > 5_800_000 {
		t.Errorf("%d bytes", got)
	}
	// Where SST-2 is here, the recorded figures are checked.
	s, err := Open(Options{Cache: t.TempDir(), Data: []string{sst2Data(t)}})
	if err != nil {
		t.Fatal(err)
	}
	if words, err := s.vocabulary(sst2Data(t), spec); err != nil || !slices.Equal(words.Words, n.meta.Vocabulary) {
		t.Errorf("the vocabulary differs, error %v", err)
	}
	again := Trained{Network: n.net}
	if err := s.describe(t.Context(), &again, spec, func(float64) {}); err != nil {
		t.Fatal(err)
	}
	if d := again.Meta.Correct - n.meta.Correct; d < -1 || d > 1 { // another engine may round a tie otherwise
		t.Errorf("%d of %d are right, %d were", again.Meta.Correct, again.Meta.Total, n.meta.Correct)
	}
	a, b := n.meta.Calibration, again.Meta.Calibration
	if fmt.Sprint(a.Boundaries) != fmt.Sprint(b.Boundaries) {
		t.Errorf("calibrated as %v, now %v", a, b)
	}
}
