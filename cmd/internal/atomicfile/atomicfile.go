// Package atomicfile writes files that are whole or not there: under a temporary name beside their own, which is renamed
// when everything is on the disk and removed when anything fails.
package atomicfile

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Prefix starts the name of every file that isn't whole yet. What a killed process left can be told by it.
const Prefix = ".tmp-"

// A File is the part of an os.File that writing needs.
type File interface {
	io.WriteCloser
	Name() string
	Chmod(fs.FileMode) error
	Sync() error
}

// Create makes a File with a new name, as os.CreateTemp does.
func Create(dir, pattern string) (File, error) { return os.CreateTemp(dir, pattern) }

// Write writes the file, whose folder must exist, with what content writes. Everybody may read it.
func Write(path string, content func(io.Writer) error) error { return WriteBy(Create, path, content) }

// WriteBytes writes the file as a whole.
func WriteBytes(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteBy is Write with a disk of the caller's choice.
func WriteBy(create func(dir, pattern string) (File, error), path string, content func(io.Writer) error) error {
	f, err := create(filepath.Dir(path), Prefix+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	err = fill(f, content)
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// fill writes content to f and closes it.
func fill(f File, content func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, 1<<20)
	err := content(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Cause returns what the system said, without the temporary name, or any other, that it said it of.
func Cause(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}
