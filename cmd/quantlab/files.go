package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"quantlab/cmd/internal/atomicfile"
	"quantlab/core/exchange"
	"quantlab/core/lab/wire"
)

// A collector reads the files of one import, within its bounds.
type collector struct {
	ctx   context.Context
	files []exchange.File
	bytes int64
}

// readFiles reads files, and all that folders hold but for what is hidden.
func readFiles(ctx context.Context, paths ...string) ([]exchange.File, error) {
	c := &collector{ctx: ctx}
	for _, name := range paths {
		info, err := os.Stat(name)
		if err != nil {
			return nil, unreadable(name, err)
		}
		if info.IsDir() {
			err = c.folder(name)
		} else {
			err = c.file(name, filepath.Base(name), info, func() (fs.File, error) { return os.Open(name) })
		}
		if err != nil {
			return nil, err
		}
	}
	return c.files, nil
}

// unreadable says why there is nothing to read.
func unreadable(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file or folder %s: check its name", name)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s can't be read (%w): allow yourself to read it", name, fs.ErrPermission)
	}
	return fmt.Errorf("%s can't be read: %w", name, atomicfile.Cause(err))
}

// file reads one file. Its size is checked before and while it is read.
func (c *collector) file(name, as string, info fs.FileInfo, open func() (fs.File, error)) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is neither a file nor a folder: give one of these", name)
	}
	if len(c.files) == wire.MaxFiles {
		return fmt.Errorf("%s makes more than %d files, which is the most that can be brought at once", name, wire.MaxFiles)
	}
	tooLarge := fmt.Errorf("%s makes more than %d MB, which is the most that can be brought at once", name, wire.MaxFile>>20)
	room := wire.MaxFile - c.bytes
	if info.Size() > room {
		return tooLarge
	}
	f, err := open()
	if err != nil {
		return unreadable(name, err)
	}
	defer f.Close()
	var data bytes.Buffer
	data.Grow(int(info.Size()) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(f, room+1)); err != nil {
		return unreadable(name, err)
	}
	if int64(data.Len()) > room { // it has grown
		return tooLarge
	}
	c.bytes += int64(data.Len())
	c.files = append(c.files, exchange.File{Name: as, Data: data.Bytes()})
	return nil
}

// folder reads the files in a folder and below. Links are followed as far as they stay in it.
func (c *collector) folder(name string) error {
	root, err := os.OpenRoot(name)
	if err != nil {
		return unreadable(name, err)
	}
	defer root.Close()
	top := filepath.Base(name)
	if full, err := filepath.Abs(name); err == nil { // "." has no name of its own
		top = filepath.Base(full)
	}
	found := false
	err = fs.WalkDir(root.FS(), ".", func(at string, d fs.DirEntry, err error) error {
		full := filepath.Join(name, filepath.FromSlash(at))
		if err != nil {
			return unreadable(full, err)
		}
		if at != "." && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return c.ctx.Err()
		}
		info, err := root.Stat(filepath.FromSlash(at))
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && info.IsDir(): // a link to nowhere, or to a folder
			return nil
		case err != nil && d.Type()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s is a link that leads out of %s: put the file itself there", full, name)
		case err != nil:
			return unreadable(full, err)
		}
		found = true
		return c.file(full, path.Join(top, at), info, func() (fs.File, error) { return root.Open(filepath.FromSlash(at)) })
	})
	if err == nil && !found {
		return fmt.Errorf("the folder %s holds no files", name)
	}
	return err
}
