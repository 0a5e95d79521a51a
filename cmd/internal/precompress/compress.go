package precompress

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/andybalholm/brotli"

	"quantlab/cmd/internal/atomicfile"
)

// A job is one file to compress.
type job struct {
	dir, name string
	file      File
}

// compress writes the siblings that are worth it and returns the file with their sizes.
func (j job) compress(ctx context.Context, progress func(int64, string, File)) (File, error) {
	f := j.file
	f.Encoded = map[string]int64{}
	worth, err := j.worthwhile()
	if err != nil {
		return f, err
	}
	for _, e := range Encodings {
		var size int64
		if worth {
			if size, err = j.encode(ctx, e, func(n int64) { progress(n, "", File{}) }); err != nil {
				return f, err
			}
		} else {
			progress(f.Size, "", File{})
		}
		if size > 0 {
			f.Encoded[e.Name] = size
		}
	}
	progress(0, j.name, f)
	return f, nil
}

// A sample of pieces from all over a file tells whether the whole is worth it: a file may begin with what is unlike its rest.
const (
	pieces    = 4
	pieceSize = 64 << 10 // bytes
)

// worthwhile reports whether the file is large enough, and a sample of it shrinks enough, to try the whole.
func (j job) worthwhile() (bool, error) {
	if j.file.Size < minSize {
		return false, nil
	}
	in, err := os.Open(filepath.Join(j.dir, j.name))
	if err != nil {
		return false, err
	}
	defer in.Close()
	var sample io.Reader = in
	if j.file.Size > pieces*pieceSize {
		var readers []io.Reader
		for i := range int64(pieces) {
			readers = append(readers, io.NewSectionReader(in, i*j.file.Size/pieces, pieceSize))
		}
		sample = io.MultiReader(readers...)
	}
	var out counter
	w := brotli.NewWriterLevel(&out, 5)
	n, err := io.Copy(w, sample)
	if err != nil {
		return false, err
	}
	if err := w.Close(); err != nil {
		return false, err
	}
	return float64(out) <= maxRatio*float64(n), nil
}

// encode writes one sibling and returns its size, or writes none and returns 0 if it would hardly be smaller.
func (j job) encode(ctx context.Context, e Encoding, progress func(int64)) (int64, error) {
	in, err := os.Open(filepath.Join(j.dir, j.name))
	if err != nil {
		return 0, err
	}
	defer in.Close()
	var size counter
	err = atomicfile.Write(filepath.Join(j.dir, j.name+e.Suffix), func(out io.Writer) error {
		w, err := newWriter(e.Name, io.MultiWriter(out, &size), j.file.Quality)
		if err != nil {
			return err
		}
		n, err := io.CopyBuffer(w, &reader{ctx: ctx, r: in, progress: progress}, make([]byte, 64<<10))
		if err != nil {
			return err
		}
		if n != j.file.Size {
			return fmt.Errorf("it changed while it was read: run the build again")
		}
		if err := w.Close(); err != nil {
			return err
		}
		if float64(size) > maxRatio*float64(n) {
			return errNotWorth
		}
		return nil
	})
	if err == errNotWorth {
		return 0, nil
	}
	return int64(size), err
}

var errNotWorth = fmt.Errorf("hardly smaller when compressed")

// window is the binary logarithm of how far back brotli looks, in bytes: brotli's own default. It makes the page's two
// programs smaller than the 24 does that every browser takes, though they are larger than the window.
const window = 22

// newWriter returns a compressing writer for one of Encodings.
func newWriter(encoding string, w io.Writer, quality int) (io.WriteCloser, error) {
	if encoding == "br" {
		return brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: quality, LGWin: window}), nil
	}
	// On images gzip's level 9 takes five times as long as 6 to save 1%.
	level := gzip.DefaultCompression
	if quality > 9 {
		level = gzip.BestCompression
	}
	return gzip.NewWriterLevel(w, level)
}

// Bytes compresses b in memory. It returns nil where that hardly makes it smaller.
func Bytes(encoding string, b []byte) []byte {
	if len(b) < minSize {
		return nil
	}
	var out buffer
	w, err := newWriter(encoding, &out, 9)
	if err != nil {
		return nil
	}
	if _, err := w.Write(b); err != nil {
		return nil
	}
	if err := w.Close(); err != nil || float64(len(out)) > maxRatio*float64(len(b)) {
		return nil
	}
	return out
}

// A reader stops when its context ends, and reports what it has read.
type reader struct {
	ctx      context.Context
	r        io.Reader
	progress func(int64)
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	r.progress(int64(n))
	return n, err
}

// A counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// A buffer keeps the bytes written to it.
type buffer []byte

func (b *buffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}
