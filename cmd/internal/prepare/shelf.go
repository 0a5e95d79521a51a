package prepare

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quantlab/cmd/internal/atomicfile"
	"quantlab/core/lab/wire"
	"quantlab/core/library"
	"quantlab/core/nn"
)

// ownDir is the cache's folder of the reader's own models and examples. Nothing but the reader removes what is in it.
const ownDir = "own"

// maxEntry bounds an entry that is read, in bytes: an import is no larger, and what is kept of it is a little more than its numbers.
const maxEntry = wire.MaxFile + 16<<20

// leftAfter is when a temporary file can't belong to a process that still writes it.
const leftAfter = time.Hour

// A folder is a library.Shelf: an entry is the file of that name. Entries are replaced by renaming a whole file, so that
// processes may share it without a lock.
type folder struct {
	store *Store
}

// Shelf returns what keeps the reader's own models and examples on this machine.
func (s *Store) Shelf() library.Shelf { return folder{s} }

// kinds are the folder's subfolders.
var kinds = []string{wire.KindModel, wire.KindData}

// path returns the file of an entry. A name that is no entry's leads nowhere.
func (f folder) path(name string) (string, error) {
	kind, own, _ := strings.Cut(name, "/")
	if !slices.Contains(kinds, kind) {
		return "", fmt.Errorf("%.60q is no name of a model or of examples", name)
	}
	if err := nn.CheckName(own); err != nil {
		return "", err
	}
	return filepath.Join(f.store.cache, ownDir, kind, own), nil
}

// Names returns the entries' names. A file that no entry could be kept in is none.
func (f folder) Names(ctx context.Context) ([]string, error) {
	var names []string
	for _, kind := range kinds {
		dir := filepath.Join(f.store.cache, ownDir, kind)
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", dir, atomicfile.Cause(err))
		}
		for _, e := range entries {
			if e.Type().IsRegular() && nn.CheckName(e.Name()) == nil {
				names = append(names, kind+"/"+e.Name())
			}
		}
	}
	return names, ctx.Err()
}

// Get reads an entry.
func (f folder) Get(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, atomicfile.Cause(err))
	}
	if !info.Mode().IsRegular() || info.Size() > maxEntry {
		return nil, fmt.Errorf("%s is not what was kept there: remove it", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, atomicfile.Cause(err))
	}
	return data, nil
}

// Put writes an entry, and removes what a killed process left beside it.
func (f folder) Put(ctx context.Context, name string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := f.path(name)
	if err != nil {
		return err
	}
	f.sweep(filepath.Dir(path))
	return f.store.writeBytes(path, data)
}

// sweep removes temporary files that nobody writes any more. One that can't be removed does no harm.
func (f folder) sweep(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), atomicfile.Prefix) && time.Since(info.ModTime()) > leftAfter {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// Remove deletes an entry.
func (f folder) Remove(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := f.path(name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", path, atomicfile.Cause(err))
	}
	return nil
}

// A layered shelf keeps in memory what only one command is to see, above a shelf that it never changes.
type layered struct {
	library.Shelf // in memory
	below         library.Shelf
}

// Above returns a shelf that shows what is kept below, and keeps what is put on it in memory: of two entries of one name it shows
// its own.
func Above(below library.Shelf) library.Shelf { return layered{library.Memory(), below} }

func (l layered) Names(ctx context.Context) ([]string, error) {
	names, err := l.Shelf.Names(ctx)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, name := range names {
		there[name] = true
	}
	more, err := l.below.Names(ctx)
	for _, name := range more {
		if !there[name] {
			names = append(names, name)
		}
	}
	return names, err
}

func (l layered) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := l.Shelf.Get(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return l.below.Get(ctx, name)
	}
	return data, err
}
