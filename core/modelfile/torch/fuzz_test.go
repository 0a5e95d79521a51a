package torch

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seeds adds the fixtures that are small enough to mutate well, and the hostile pickles.
func seeds(f *testing.F) {
	names, err := filepath.Glob("testdata/*.p*")
	if err != nil || len(names) < 40 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if strings.HasSuffix(name, ".py") || len(data) > 5000 {
			continue
		}
		f.Add(data)
	}
	for _, c := range hostilePickles() {
		if len(c.pickle) < 5000 {
			f.Add([]byte(c.pickle))
			f.Add(saved(f, c.pickle))
		}
	}
}

// sentence fails unless an error is one sentence.
func sentence(t *testing.T, err error) {
	t.Helper()
	if s := err.Error(); s == "" || strings.Contains(s, "\n") || len(s) > 500 {
		t.Errorf("not one sentence: %q", s)
	}
}

// FuzzRead reads anything, and as the pickle of an archive, and decodes every tensor that passes.
func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		decode(t, data)
		if len(data) > 1 && len(data) < 1<<16 && data[0] != 'P' {
			decode(t, saved(t, string(data)))
		}
	})
}

func decode(t *testing.T, data []byte) {
	c, err := Read(data)
	if err != nil {
		sentence(t, err)
		return
	}
	if !IsCheckpoint(data) {
		t.Error("what is read is not recognised")
	}
	all := c.Tensors
	for _, p := range c.Packed {
		all = append(all, p.Weight)
		if p.DType == QInt8 {
			if _, err := p.Weight.Quantized(); err != nil {
				sentence(t, err)
			}
		}
	}
	if len(all) == 0 {
		t.Error("no tensors, and no error")
	}
	for _, x := range all {
		if x.Len() > 1<<16 { // an expanded one, which takes long
			continue
		}
		if values, err := x.Float32(); err != nil {
			sentence(t, err)
		} else if len(values) != x.Len() {
			t.Errorf("%d numbers of %d", len(values), x.Len())
		}
	}
}

// FuzzReadList reads anything as a vocabulary, and as the pickle of an archive.
func FuzzReadList(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		files := [][]byte{data}
		if len(data) < 1<<16 {
			files = append(files, archived(t, in{"data.pkl", string(data), zip.Store}))
		}
		for _, file := range files {
			words, err := ReadList(file)
			if err != nil {
				sentence(t, err)
			} else if len(words) == 0 {
				t.Error("no words, and no error")
			}
			IsPickle(file)
		}
	})
}
