package shard

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"quantlab/core/dataset"
	"quantlab/core/nn"
)

// site is small content with every kind of thing, and its files.
func site(t testing.TB) (Content, fstest.MapFS, *Manifest) {
	t.Helper()
	c := Content{
		MNISTTrain: images(2000, 28, 28), MNISTTest: images(1500, 28, 28),
		SST2Train: sentences(1500), SST2Dev: sentences(40),
		Models: []ModelContent{
			{ID: "mnist-lab1", Data: []byte("weights"), Accuracy: 0.97, Settings: json.RawMessage(`{"seed":1}`)},
			{ID: "sst2-lab1", Data: bytes.Repeat([]byte("0123456789"), 2_000_000), Accuracy: 0.8, Settings: json.RawMessage(`{}`)},
		},
		Missing: map[string]string{},
	}
	words := []string{}
	for i := range 14816 {
		words = append(words, fmt.Sprintf("mot%d", i))
	}
	words[3], words[5000] = "mot", "naïve"
	var err error
	if c.Vocabulary, err = dataset.NewVocabulary(words); err != nil {
		t.Fatal(err)
	}
	files, m := write(t, c)
	return c, files, m
}

func write(t testing.TB, c Content) (fstest.MapFS, *Manifest) {
	t.Helper()
	files := fstest.MapFS{}
	var last, of int64
	m, err := WriteSite(c, func(name string, data []byte) error {
		if len(data) > MaxSize {
			t.Errorf("%s has %d bytes", name, len(data))
		}
		if _, ok := files[name]; ok {
			t.Errorf("%s is written twice", name)
		}
		if _, ok := files[ManifestName]; ok {
			t.Errorf("%s is written after the manifest", name)
		}
		files[name] = &fstest.MapFile{Data: bytes.Clone(data)}
		return nil
	}, func(done, total int64) {
		if done < last || done > total {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last, of = done, total
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != of {
		t.Errorf("progress ends at %d of %d", last, of)
	}
	return files, m
}

// counting counts what a reader opens.
type counting struct {
	fs.FS
	mu     sync.Mutex
	opened []string
}

func (c *counting) Open(_ context.Context, name string) (io.ReadCloser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened = append(c.opened, name)
	return c.FS.Open(name)
}

func TestSite(t *testing.T) {
	c, files, m := site(t)
	ctx := t.Context()
	r := NewReader(FS{files})

	got, err := r.Manifest(ctx)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(m)
	if !bytes.Equal(a, b) {
		t.Errorf("manifest\n%s\nwas written as\n%s", a, b)
	}
	for split, want := range map[string]*dataset.Images{
		Test: c.MNISTTest, Train: c.MNISTTrain, Calibration: c.MNISTTrain.Pick(dataset.CalibrationRows(2000)),
	} {
		im, err := r.Images(ctx, split, 0, nil)
		if err != nil || !bytes.Equal(im.Pixels, want.Pixels) || !bytes.Equal(im.Labels, want.Labels) || im.Height != 28 || im.Width != 28 {
			t.Errorf("%s: %d images differ, error %v", split, im.Len(), err)
		}
	}
	for split, want := range map[string]*dataset.Sentences{
		Test: c.SST2Dev, Train: c.SST2Train, Calibration: c.SST2Train.Pick(dataset.CalibrationRows(1500)),
	} {
		s, err := r.Sentences(ctx, split, 0, nil)
		if err != nil || !slices.Equal(s.Text, want.Text) || !bytes.Equal(s.Labels, want.Labels) {
			t.Errorf("%s: sentences differ, error %v", split, err)
		}
	}
	for _, want := range c.Models {
		spec, err := nn.SpecOf(want.ID)
		if err != nil {
			t.Fatal(err)
		}
		var last, of int64
		data, model, err := r.Model(ctx, spec, func(done, total int64) { last, of = done, total })
		if err != nil || !bytes.Equal(data, want.Data) || model.Accuracy != want.Accuracy || compact(model.Settings) != compact(want.Settings) {
			t.Errorf("%s: %d bytes, %+v, error %v", want.ID, len(data), model, err)
		}
		if last != of || of < int64(len(data)) {
			t.Errorf("%s: progress ends at %d of %d", want.ID, last, of)
		}
	}
	// A shard's name changes with its content, so that it may be cached for ever.
	other := c
	other.Models = []ModelContent{{ID: "mnist-lab1", Data: []byte("Weights"), Settings: json.RawMessage(`{}`)}}
	changed, _ := write(t, other)
	for name := range changed {
		if before, ok := files[name]; ok && name != ManifestName && !bytes.Equal(before.Data, changed[name].Data) {
			t.Errorf("%s has two contents", name)
		}
	}
}

func compact(data []byte) string {
	var b bytes.Buffer
	_ = json.Compact(&b, data)
	return b.String()
}

func TestExamples(t *testing.T) {
	c, files, _ := site(t)
	ctx := t.Context()
	o := &counting{FS: files}
	r := NewReader(o)
	lab1, _ := nn.SpecOf("mnist-lab1")
	lab2, _ := nn.SpecOf("mnist-lab2")
	sst1, _ := nn.SpecOf("sst2-lab1")
	sst2, _ := nn.SpecOf("sst2-lab2")

	// The first answer needs the manifest and one shard.
	e, err := r.Examples(ctx, lab1, Test, 1000, nil)
	if err != nil || e.Len() != 1000 || e.Dim != 784 || !bytes.Equal(e.Pixels, c.MNISTTest.Pixels[:784000]) {
		t.Fatalf("%+v, error %v", e, err)
	}
	if len(o.opened) != 2 || o.opened[0] != ManifestName || !strings.HasPrefix(o.opened[1], "mnist-test-0.") {
		t.Errorf("opened %v", o.opened)
	}
	if n := len(files[o.opened[1]].Data); n > 1<<20 {
		t.Errorf("the first shard has %d bytes", n)
	}
	for n, want := range map[int]int{0: 1500, 1: 1, 1001: 1001, 99999: 1500, -1: 1500} {
		if e, err := r.Examples(ctx, lab2, Test, n, nil); err != nil || e.Len() != want || e.Dim != 400 {
			t.Errorf("first %d: %+v, error %v", n, e, err)
		}
	}
	// Both vocabularies come from one file: "naïve" is word 5000, just outside the smaller one.
	for _, test := range []struct {
		spec nn.Spec
		want string
	}{{sst1, "[3 5000]"}, {sst2, "[3]"}} {
		e, err := r.Examples(ctx, test.spec, Test, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(e.Index); got != test.want || e.Dim != test.spec.In || e.Len() != 2 {
			t.Errorf("%s: words %s, %d wide, want %s", test.spec.ID, got, e.Dim, test.want)
		}
	}
	n := 0
	for _, name := range o.opened {
		if strings.HasPrefix(name, "sst2-vocabulary") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the vocabulary was fetched %d times", n)
	}
	if _, err := r.Examples(ctx, nn.Spec{ID: "x", Data: "cifar"}, Test, 0, nil); err == nil {
		t.Error("unknown data is no error")
	}
}

func TestSiteWithoutSST2(t *testing.T) {
	c, _, _ := site(t)
	c.SST2Train, c.SST2Dev, c.Models = nil, nil, c.Models[:1]
	c.Vocabulary = c.Vocabulary.Head(5000)
	const hint = "put train.tsv there"
	c.Missing = map[string]string{nn.SST2: hint}
	files, _ := write(t, c)
	r := NewReader(FS{files})
	for _, id := range []string{"sst2-lab1", "sst2-lab2"} {
		spec, _ := nn.SpecOf(id)
		_, err := r.Examples(t.Context(), spec, Test, 0, nil)
		_, _, err2 := r.Model(t.Context(), spec, nil)
		for _, err := range []error{err, err2} {
			var missing *dataset.MissingError
			if !errors.As(err, &missing) || err.Error() != "SST-2 missing: "+hint {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	small, _ := nn.SpecOf("sst2-lab2")
	large, _ := nn.SpecOf("sst2-lab1")
	if v, err := r.Vocabulary(t.Context(), small); err != nil || v.Len() != 5000 {
		t.Errorf("%v, error %v", v, err)
	}
	var missing *dataset.MissingError
	if v, err := r.Vocabulary(t.Context(), large); !errors.As(err, &missing) {
		t.Errorf("%v, error %v", v, err)
	}
	other, _ := nn.SpecOf("mnist-lab2")
	if _, _, err := r.Model(t.Context(), other, nil); !errors.As(err, &missing) || err.Error() != "model mnist-lab2 missing: run quantlab prepare" {
		t.Errorf("mnist-lab2: %v", err)
	}
}

func TestReaderRefuses(t *testing.T) {
	_, files, m := site(t)
	first := m.Set(nn.MNIST, Test).Shards[0].Name
	second := m.Set(nn.MNIST, Test).Shards[1].Name
	dev := m.Set(nn.SST2, Test).Shards[0].Name
	for name, test := range map[string]struct {
		file   string
		damage func(data []byte) []byte // nil: absent
		want   string
	}{
		"no manifest":     {ManifestName, nil, "manifest.json is not there: try again"},
		"HTML manifest":   {ManifestName, func([]byte) []byte { return []byte("<html>") }, "manifest.json is not a manifest"},
		"other version":   {ManifestName, func(d []byte) []byte { return bytes.Replace(d, []byte(`"version": 1`), []byte(`"version": 7`), 1) }, "manifest.json has format version 7: this program reads version 1"},
		"huge manifest":   {ManifestName, func(d []byte) []byte { return append(d, bytes.Repeat([]byte(" "), maxManifest)...) }, "manifest.json is larger than"},
		"absent":          {first, nil, first + " is not there: try again"},
		"truncated":       {first, func(d []byte) []byte { return d[:1000] }, first + " is truncated: 1000 of 785064 bytes"},
		"oversized":       {first, func(d []byte) []byte { return append(d, 0) }, first + " is larger than the 785064 bytes that the manifest lists"},
		"flipped":         {first, func(d []byte) []byte { d[5000] ^= 1; return d }, first + " is damaged: SHA-256"},
		"version":         {first, func(d []byte) []byte { d[4] = 3; return d }, first + " has format version 3"},
		"HTML":            {first, func(d []byte) []byte { return []byte("<!DOCTYPE html>") }, first + ` is not a shard: it starts with "<!DOCTYPE ht"`},
		"second replaced": {second, func(d []byte) []byte { return files[first].Data }, second + " is larger than the 392564 bytes"},
		"another content": {dev, func(d []byte) []byte {
			s := sentences(40)
			s.Labels[0] ^= 1
			return must(t)(EncodeSentences(s, 2))
		}, dev + " is not the shard that the manifest lists: SHA-256"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := maps.Clone(files)
			delete(bad, test.file)
			if test.damage != nil {
				bad[test.file] = &fstest.MapFile{Data: test.damage(bytes.Clone(files[test.file].Data))}
			}
			r := NewReader(FS{bad})
			_, err := r.Images(t.Context(), Test, 0, nil)
			if test.file == dev {
				_, err = r.Sentences(t.Context(), Test, 0, nil)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got error %v, want %q", err, test.want)
			}
			// A broken site is not a site without the data.
			var missing *dataset.MissingError
			if errors.As(err, &missing) {
				t.Errorf("%v is a MissingError", err)
			}
			// A later attempt works, once the file is whole.
			bad[test.file] = files[test.file]
			if _, err := r.Images(t.Context(), Test, 0, nil); err != nil {
				t.Errorf("again: %v", err)
			}
		})
	}
}

// failing fails after a few bytes, or waits for the context.
type failing struct{ err error }

func (f failing) Open(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(strings.NewReader("{"), f)), nil
}
func (f failing) Read([]byte) (int, error) { return 0, f.err }

type refusing struct{ error }

func (r refusing) Open(context.Context, string) (io.ReadCloser, error) { return nil, r.error }

func TestReaderPassesErrorsOn(t *testing.T) {
	cut := errors.New("connection reset")
	for _, o := range []Opener{failing{cut}, refusing{cut}} {
		_, err := NewReader(o).Manifest(t.Context())
		if !errors.Is(err, cut) || err.Error() != "fetching manifest.json: connection reset" {
			t.Errorf("%T: %v", o, err)
		}
	}
	_, files, _ := site(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := NewReader(FS{files})
	_, err := r.Images(ctx, Train, 0, func(done, total int64) {
		if done > 300_000 {
			cancel()
		}
		if done > 1_000_000 {
			t.Error("reading went on")
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestReaderConcurrently(t *testing.T) {
	_, files, _ := site(t)
	r := NewReader(FS{files})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, id := range []string{"sst2-lab1", "sst2-lab2", "mnist-lab1"} {
				spec, _ := nn.SpecOf(id)
				if _, err := r.Examples(t.Context(), spec, Test, 0, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestWriteSiteStops(t *testing.T) {
	c, _, _ := site(t)
	full := errors.New("no space left on device")
	n := 0
	_, err := WriteSite(c, func(string, []byte) error {
		if n++; n == 3 {
			return full
		}
		return nil
	}, nil)
	if !errors.Is(err, full) || n != 3 {
		t.Errorf("%d files, error %v", n, err)
	}
	c.Models = []ModelContent{{ID: "mnist-lab1"}}
	if _, err := WriteSite(c, func(string, []byte) error { return nil }, nil); err == nil || !strings.Contains(err.Error(), "mnist-lab1 is empty") {
		t.Errorf("empty model: %v", err)
	}
}

func TestEven(t *testing.T) {
	for _, test := range []struct {
		lo, hi, most int
		want         string
	}{
		{0, 0, 5, "[]"}, {3, 4, 5, "[4]"}, {0, 5, 5, "[5]"}, {0, 6, 5, "[3 6]"}, {1000, 10000, 10686, "[10000]"}, {0, 60000, 10686, "[10000 20000 30000 40000 50000 60000]"},
	} {
		if got := fmt.Sprint(even(test.lo, test.hi, test.most)); got != test.want {
			t.Errorf("%d to %d by %d: %s, want %s", test.lo, test.hi, test.most, got, test.want)
		}
	}
}

func TestNames(t *testing.T) {
	_, files, m := site(t)
	entries := slices.Collect(m.Entries())
	if len(entries) != len(files)-1 {
		t.Errorf("%d entries for %d files", len(entries), len(files))
	}
	for _, e := range entries {
		f := files[e.Name]
		if f == nil || int64(len(f.Data)) != e.Bytes || hex.EncodeToString(f.Data[32:64]) != e.SHA256 {
			t.Errorf("%+v does not describe its file", e)
		}
	}
}
