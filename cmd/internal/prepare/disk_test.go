package prepare

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"quantlab/cmd/internal/atomicfile"
	"quantlab/core/dataset"
	"quantlab/core/dataset/mnisttest"
	"quantlab/core/nn"
)

// brokenFile fails as a disk does, once so many bytes are written.
type brokenFile struct {
	atomicfile.File
	room *int
	err  error
}

func (f *brokenFile) Write(p []byte) (int, error) {
	n := min(len(p), *f.room)
	*f.room -= n
	k, err := f.File.Write(p[:n])
	if err == nil && n < len(p) {
		err = &fs.PathError{Op: "write", Path: f.Name(), Err: f.err}
	}
	return k, err
}

// withRoom gives the store's disk room for so many bytes.
func withRoom(room int, err error) func(*Store) {
	return func(s *Store) {
		s.env.create = func(dir, pattern string) (atomicfile.File, error) {
			f, e := atomicfile.Create(dir, pattern)
			return &brokenFile{f, &room, err}, e
		}
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		room int
		err  error
		want []string
	}{
		"full at once":   {0, syscall.ENOSPC, []string{"models", "the disk is full (no space left on device): make room, or set QUANTLAB_CACHE to a folder on another disk"}},
		"full later":     {3_000_000, syscall.ENOSPC, []string{"site", "the disk is full"}},
		"quota":          {100, syscall.EDQUOT, []string{"the disk is full"}},
		"read-only":      {0, syscall.EROFS, []string{"not allowed there", "make its folder writable, or set QUANTLAB_CACHE to a folder that is"}},
		"another reason": {0, syscall.EIO, []string{"writing ", "input/output error"}},
	} {
		t.Run(name, func(t *testing.T) {
			one := func(s *Store) { s.env.specs = tiny()[:1] }
			s := newStore(t, one, withRoom(test.room, test.err))
			_, err := s.Export(t.Context(), nil)
			oneLine(t, err, append(test.want, s.cache)...)
			if !errors.Is(err, test.err) {
				t.Errorf("%v doesn't wrap %v", err, test.err)
			}
			if n := strings.Count(err.Error(), s.cache); n != 1 {
				t.Errorf("%q names the folder %d times", err, n)
			}
			for name := range tree(t, s.cache) { // fails for temporary files
				if strings.HasPrefix(name, "site") {
					t.Errorf("%s is there", name)
				}
			}
			if err := newStore(t, one, sameCache(s)).Prepare(t.Context(), nil, nil); err != nil {
				t.Errorf("with room again: %v", err)
			}
		})
	}
}

func TestNoFolder(t *testing.T) {
	s := newStore(t)
	write(t, s.cache, []byte("a file where the cache should be"))
	oneLine(t, s.Prepare(t.Context(), nil, nil), s.cache, "a file stands where a folder should", "set QUANTLAB_CACHE")
}

func TestReadOnlyFolder(t *testing.T) {
	s := newStore(t, withoutMNIST)
	if err := os.MkdirAll(s.cache, 0o555); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Create(filepath.Join(s.cache, "x")); err == nil {
		f.Close()
		t.Skip("this user may write everywhere: a read-only folder can't be had")
	}
	oneLine(t, s.Prepare(t.Context(), nil, nil), s.cache, "not allowed there", "set QUANTLAB_CACHE")
}

// A complete cache may be read-only.
func TestReadOnlyCache(t *testing.T) {
	t.Parallel()
	s := newStore(t, func(s *Store) { s.env.specs = tiny()[:1] })
	dir, err := s.Export(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(s.cache, "lock"))
	err = filepath.WalkDir(s.cache, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			t.Cleanup(func() { _ = os.Chmod(path, 0o755) })
			err = os.Chmod(path, 0o555)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	again := newStore(t, sameCache(s), func(s *Store) { s.env.specs = tiny()[:1] })
	if got, err := again.Export(t.Context(), nil); err != nil || got != dir {
		t.Errorf("%q, error %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(s.cache, "lock")); err == nil {
		t.Error("the lock was made again")
	}
}

// What the user supplies comes first, and is named in full where it is wrong.
func TestSuppliedData(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file, model string
		size        int // bytes kept; -1 is all and one more
		want        string
	}{
		{"mnist/t10k-images-idx3-ubyte.gz", "mnist-lab1", 1000, " is truncated: 1000 bytes, not 1648877: delete it and run quantlab prepare"},
		{"mnist/train-labels-idx1-ubyte.gz", "mnist-lab2", -1, " is larger than the 28881 bytes it should be"},
		{"sst2/train.tsv", "sst2-lab1", 1000, " is truncated: 1000 bytes, not 3806081"},
		{"sst2/dev.tsv", "sst2-lab1", -1, " is larger than the 94931 bytes it should be"},
	} {
		t.Run(test.file, func(t *testing.T) {
			s := newStore(t)
			from := mnisttest.Dir(t)
			if strings.HasPrefix(test.file, "sst2") {
				from = sst2Data(t)
			}
			for _, f := range append(dataset.MNISTFiles(), dataset.SST2Files()...) {
				path := filepath.Join(from, f.Name)
				name := f.Name
				if !strings.Contains(name, "/") {
					name = "mnist/" + name
				}
				if _, err := os.Stat(path); err == nil {
					write(t, filepath.Join(s.data[0], name), read(t, path))
				}
			}
			bad := filepath.Join(s.data[0], test.file)
			data := read(t, bad)
			if test.size >= 0 {
				data = data[:test.size]
			} else {
				data = append(bytes.Clone(data), 0)
			}
			write(t, bad, data)
			err := s.Prepare(t.Context(), []string{test.model}, nil)
			oneLine(t, err, bad+test.want)
			var damaged *dataset.IntegrityError
			if !errors.As(err, &damaged) || damaged.Path != bad {
				t.Errorf("%T %v", err, err)
			}
		})
	}
}

func TestNoMNIST(t *testing.T) {
	s := newStore(t, withoutMNIST)
	err := s.Prepare(t.Context(), nil, nil)
	oneLine(t, err, "MNIST missing: no mnist/ in "+s.data[0], errCut.Error(), "put train-images-idx3-ubyte.gz, ", "and t10k-labels-idx1-ubyte.gz into a folder mnist and set QUANTLAB_DATA")
	if !isMissing(err) {
		t.Errorf("%T", err)
	}
	_, err = s.Test(t.Context(), s.specNamed(t, "mnist-lab1"), 0, nil)
	oneLine(t, err, "MNIST missing")
	_, err = s.Train(t.Context(), nn.Spec{ID: "x", Data: "cifar"}, nil)
	oneLine(t, err, `model x reads unknown data "cifar"`)
}
