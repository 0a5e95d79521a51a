package prepare

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"quantlab/cmd/internal/atomicfile"
)

// write makes path's folder and the file.
func (s *Store) write(path string, content func(io.Writer) error) error {
	if err := s.mkdir(filepath.Dir(path)); err != nil {
		return err
	}
	if err := atomicfile.WriteBy(s.env.create, path, content); err != nil {
		return s.diskError(path, err)
	}
	return nil
}

// writeBytes writes the file as a whole.
func (s *Store) writeBytes(path string, data []byte) error {
	return s.write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func (s *Store) mkdir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return s.diskError(dir, err)
	}
	return nil
}

// diskError turns what the system says into what to do about it. Other errors are wrapped with the path.
func (s *Store) diskError(path string, err error) error {
	elsewhere := "choose a folder "
	if rel, err := filepath.Rel(s.cache, path); err == nil && filepath.IsLocal(rel) {
		elsewhere = "set " + EnvCache + " to a folder "
	}
	// The path is said once: the system's own errors repeat it.
	cause := atomicfile.Cause(err)
	is := func(targets ...error) bool {
		return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
	}
	switch {
	case is(syscall.ENOSPC, syscall.EDQUOT):
		return fmt.Errorf("writing %s: the disk is full (%w): make room, or %son another disk", path, cause, elsewhere)
	case is(fs.ErrPermission, syscall.EROFS):
		return fmt.Errorf("writing %s: not allowed there (%w): make its folder writable, or %sthat is", path, cause, elsewhere)
	case is(syscall.ENOTDIR):
		return fmt.Errorf("writing %s: a file stands where a folder should (%w): move it, or %selsewhere", path, cause, elsewhere)
	}
	return fmt.Errorf("writing %s: %w", path, cause)
}

// sweep removes what killed processes left unfinished. The caller holds the lock, so nobody is writing.
func (s *Store) sweep() error {
	for _, dir := range []string{"", "models", "site", filepath.Join("data", "mnist"), filepath.Join("data", "sst2")} {
		dir = filepath.Join(s.cache, dir)
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return s.diskError(dir, err)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), atomicfile.Prefix) {
				continue
			}
			if path := filepath.Join(dir, e.Name()); os.RemoveAll(path) != nil {
				return s.diskError(path, fs.ErrPermission)
			}
		}
	}
	return nil
}
