package custom

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"quantlab/core/lab/wire"
)

var (
	zipMagic  = []byte("PK\x03\x04")
	zipEmpty  = []byte("PK\x05\x06")
	gzipMagic = []byte("\x1f\x8b")
)

func isZip(data []byte) bool {
	return bytes.HasPrefix(data, zipMagic) || bytes.HasPrefix(data, zipEmpty)
}

// unzip lists the regular files of an archive. Their content is unpacked only when it is asked for, and what that gives is counted.
func (r *reader) unzip(f File) ([]entry, error) {
	z, err := zip.NewReader(bytes.NewReader(f.Data), int64(len(f.Data)))
	if err != nil {
		return nil, fmt.Errorf("the zip archive is damaged (%w): pack it again", err)
	}
	if len(z.File) > wire.MaxFiles {
		return nil, fmt.Errorf("the zip archive holds %d files: at most %d can be taken", len(z.File), wire.MaxFiles)
	}
	var entries []entry
	links := 0
	for _, packed := range z.File {
		name := strings.ReplaceAll(packed.Name, `\`, "/") // some programs on Windows write it so
		mode := packed.Mode()
		switch {
		case mode.IsDir() || strings.HasSuffix(name, "/"):
			continue
		case !fs.ValidPath(strings.TrimPrefix(name, "./")) || strings.Contains(name, ":"):
			return nil, fmt.Errorf("the zip archive names a file %.60q, which lies outside of it or is no path: pack the folder itself", name)
		case !mode.IsRegular():
			links++
			continue
		case packed.Flags&1 != 0:
			return nil, errors.New("the zip archive is locked by a password: pack it without one")
		}
		entries = append(entries, entry{strings.TrimPrefix(name, "./"), func(limit int64) ([]byte, error) { return r.unpack(packed.Open, name, limit) }})
	}
	if links > 0 {
		r.note("%s to other places %s ignored", count(links, "link"), was(links))
	}
	return entries, nil
}

// unpack reads what open gives, at most limit bytes and one more, and takes it from what may be unpacked in all.
func (r *reader) unpack(open func() (io.ReadCloser, error), name string, limit int64) ([]byte, error) {
	in, err := open()
	if err != nil {
		return nil, fmt.Errorf("%s can't be unpacked (%w): pack it again", shown(name), err)
	}
	defer in.Close()
	var out bytes.Buffer
	n, err := out.ReadFrom(io.LimitReader(in, min(limit, r.room)+1))
	if r.room -= n; r.room < 0 {
		return nil, fmt.Errorf("unpacked, the files take more than %d MB: give fewer", wire.MaxFile>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("%s can't be unpacked (%w): pack it again", shown(name), err)
	}
	return out.Bytes(), nil
}

// gunzip unpacks data that is packed by gzip, and returns other data as it is.
func (r *reader) gunzip(name string, data []byte, limit int64) ([]byte, error) {
	if !bytes.HasPrefix(data, gzipMagic) {
		return data, nil
	}
	return r.unpack(func() (io.ReadCloser, error) { return gzip.NewReader(bytes.NewReader(data)) }, name, limit)
}

// whole returns the entry's content, unpacked, which takes at most limit bytes.
func (r *reader) whole(e entry, limit int64) ([]byte, error) {
	data, err := e.open(limit)
	if err == nil {
		data, err = r.gunzip(e.name, data, limit)
	}
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %d MB: give a smaller file", shown(e.name), limit>>20)
	}
	return data, err
}

// How much of a file tells what it holds, and how much of a packed one lets so much be unpacked.
const (
	peekSize   = 64
	peekPacked = 4096
)

// peek returns the start of the entry's content, unpacked. What can't be unpacked starts with nothing.
func (r *reader) peek(e entry) ([]byte, error) {
	data, err := e.open(peekSize)
	if err != nil || !bytes.HasPrefix(data, gzipMagic) {
		return data[:min(len(data), peekSize)], err
	}
	if data, err = e.open(peekPacked); err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, nil
	}
	start := make([]byte, peekSize)
	n, _ := io.ReadFull(z, start)
	return start[:n], nil
}
