package prepare

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"quantlab/cmd/internal/atomicfile"
	"quantlab/core/library"
)

// names returns what the shelf keeps, sorted.
func names(t *testing.T, shelf library.Shelf) []string {
	t.Helper()
	got, err := shelf.Names(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got
}

func put(t *testing.T, shelf library.Shelf, name, text string) {
	t.Helper()
	if err := shelf.Put(t.Context(), name, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestShelf(t *testing.T) {
	s := newStore(t)
	shelf := s.Shelf()
	if got := names(t, shelf); len(got) > 0 {
		t.Errorf("a new shelf keeps %q", got)
	}
	if _, err := shelf.Get(t.Context(), "model/mlp"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	put(t, shelf, "model/mlp", "old")
	put(t, shelf, "model/mlp", "new")
	put(t, shelf, "data/mlp", "other")
	// Another process sees the same.
	again := newStore(t, sameCache(s)).Shelf()
	if got := names(t, again); !slices.Equal(got, []string{"data/mlp", "model/mlp"}) {
		t.Errorf("it keeps %q", got)
	}
	if data, err := again.Get(t.Context(), "model/mlp"); err != nil || string(data) != "new" {
		t.Errorf("%q, error %v", data, err)
	}
	for range 2 { // what is not there is no error
		if err := again.Remove(t.Context(), "model/mlp"); err != nil {
			t.Error(err)
		}
	}
	if got := names(t, shelf); !slices.Equal(got, []string{"data/mlp"}) {
		t.Errorf("it keeps %q", got)
	}
}

// No name leads out of the folder.
func TestShelfNames(t *testing.T) {
	shelf := newStore(t).Shelf()
	for _, name := range []string{"", "mlp", "model", "model/", "model/..", "model/../../lock", "model/a/b", "/etc/passwd", "site/mlp", "model/.hidden", "model/mnist-lab1"} {
		_, get := shelf.Get(t.Context(), name)
		if get == nil || errors.Is(get, fs.ErrNotExist) || shelf.Put(t.Context(), name, nil) == nil || shelf.Remove(t.Context(), name) == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
}

// What lies in the folder and is no entry is not told of, nor read.
func TestShelfStrangers(t *testing.T) {
	s := newStore(t)
	shelf := s.Shelf()
	put(t, shelf, "model/mlp", "x")
	dir := filepath.Join(s.CacheDir(), ownDir, "model")
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "folder"), 0o755),
		os.WriteFile(filepath.Join(dir, "Not A Name"), nil, 0o644),
		os.Symlink("/dev/zero", filepath.Join(dir, "zeros")),
		os.WriteFile(filepath.Join(dir, "huge"), nil, 0o644),
		os.Truncate(filepath.Join(dir, "huge"), maxEntry+1),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, shelf); !slices.Equal(got, []string{"model/huge", "model/mlp"}) {
		t.Errorf("it keeps %q", got)
	}
	for _, name := range []string{"folder", "zeros", "huge"} {
		if _, err := shelf.Get(t.Context(), "model/"+name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// A write that fails leaves the old entry; one that was killed leaves a file that a later write removes.
func TestShelfFailures(t *testing.T) {
	s := newStore(t)
	put(t, s.Shelf(), "model/mlp", "old")
	full := newStore(t, sameCache(s), withRoom(0, syscall.ENOSPC))
	if err := full.Shelf().Put(t.Context(), "model/mlp", []byte("new")); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Errorf("error %v", err)
	}
	if data, err := s.Shelf().Get(t.Context(), "model/mlp"); err != nil || string(data) != "old" {
		t.Errorf("%q, error %v", data, err)
	}

	dir := filepath.Join(s.CacheDir(), ownDir, "model")
	left, now := filepath.Join(dir, atomicfile.Prefix+"left"), filepath.Join(dir, atomicfile.Prefix+"now")
	for _, path := range []string{left, now} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * leftAfter)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	put(t, s.Shelf(), "model/other", "x")
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Error("what a killed process left is still there")
	}
	if _, err := os.Stat(now); err != nil {
		t.Error("what another process writes was removed")
	}
}

// Whoever reads while others write gets a whole entry.
func TestShelfConcurrency(t *testing.T) {
	s := newStore(t)
	one := bytes.Repeat([]byte{1}, 1<<16)
	put(t, s.Shelf(), "model/mlp", string(one))
	var group sync.WaitGroup
	for i := range 4 {
		shelf := newStore(t, sameCache(s)).Shelf() // as of another process
		group.Go(func() {
			for range 20 {
				if err := shelf.Put(t.Context(), "model/mlp", bytes.Repeat([]byte{byte(i)}, 1<<16)); err != nil {
					t.Error(err)
				}
				data, err := shelf.Get(t.Context(), "model/mlp")
				if err != nil || len(data) != 1<<16 || bytes.Count(data, data[:1]) != len(data) {
					t.Errorf("read %d bytes, error %v", len(data), err)
				}
			}
		})
	}
	group.Wait()
	if got := names(t, s.Shelf()); !slices.Equal(got, []string{"model/mlp"}) {
		t.Errorf("it keeps %q", got)
	}
}

// Neither preparing nor what it cleans away touches what the reader brought.
func TestPrepareLeavesOwn(t *testing.T) {
	s := newStore(t)
	put(t, s.Shelf(), "model/mlp", "mine")
	put(t, s.Shelf(), "data/digits", "mine too")
	for range 2 {
		if _, err := newStore(t, sameCache(s)).Export(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, s.Shelf()); !slices.Equal(got, []string{"data/digits", "model/mlp"}) {
		t.Errorf("it keeps %q", got)
	}
}

func TestAbove(t *testing.T) {
	below := newStore(t).Shelf()
	put(t, below, "model/mlp", "below")
	put(t, below, "model/deep", "below")
	shelf := Above(below)
	put(t, shelf, "model/mlp", "above")
	put(t, shelf, "data/digits", "above")
	if got := names(t, shelf); !slices.Equal(got, []string{"data/digits", "model/deep", "model/mlp"}) {
		t.Errorf("it shows %q", got)
	}
	for name, want := range map[string]string{"model/mlp": "above", "model/deep": "below"} {
		if data, err := shelf.Get(t.Context(), name); err != nil || string(data) != want {
			t.Errorf("%s: %q, error %v", name, data, err)
		}
	}
	if _, err := shelf.Get(t.Context(), "model/absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if err := shelf.Remove(t.Context(), "model/deep"); err != nil {
		t.Error(err)
	}
	if got := names(t, below); !slices.Equal(got, []string{"model/deep", "model/mlp"}) {
		t.Errorf("below is %q", got)
	}
}
