package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestWriteReplacesTheWholeFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	for _, text := range []string{"a long first text", "short"} {
		if err := WriteBytes(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("the file holds %q, %v", b, err)
		}
	}
	if n := names(t, dir); len(n) != 1 {
		t.Errorf("left behind: %v", n)
	}
}

// full is a disk that takes a few bytes and then no more.
type full struct{ File }

var errFull = errors.New("full")

func (f full) Write(p []byte) (int, error) {
	n, _ := f.File.Write(p[:len(p)/2])
	return n, errFull
}

func TestAFailureLeavesTheOldFile(t *testing.T) {
	mine := errors.New("mine")
	for name, fail := range map[string]func(path string) error{
		"content": func(path string) error {
			return Write(path, func(w io.Writer) error { io.WriteString(w, "half"); return mine })
		},
		"disk": func(path string) error {
			create := func(dir, pattern string) (File, error) {
				f, err := Create(dir, pattern)
				return full{f}, err
			}
			return WriteBy(create, path, func(w io.Writer) error { _, err := io.WriteString(w, "half"); return err })
		},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a.txt")
		if err := WriteBytes(path, []byte("old")); err != nil {
			t.Fatal(err)
		}
		if err := fail(path); !errors.Is(err, mine) && !errors.Is(err, errFull) {
			t.Errorf("%s: error %v", name, err)
		}
		if b, _ := os.ReadFile(path); string(b) != "old" || len(names(t, dir)) != 1 {
			t.Errorf("%s: the file holds %q, the folder %v", name, b, names(t, dir))
		}
	}
}

func TestCauseNamesNoFile(t *testing.T) {
	err := WriteBytes(filepath.Join(t.TempDir(), "none", "a.txt"), nil)
	if cause := Cause(err); !errors.Is(cause, os.ErrNotExist) || cause.Error() == err.Error() {
		t.Errorf("cause %v of %v", cause, err)
	}
}
