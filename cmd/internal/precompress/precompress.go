// Package precompress writes brotli and gzip siblings (name.br, name.gz) beside the files of a directory, once for
// each content, so that a server sends them without compressing anything itself.
//
// What was done is kept in the directory's Record. A file whose content is the recorded one is left alone; one that
// compression hardly shrinks gets no siblings. Every file is written under a temporary name and then renamed.
package precompress

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"quantlab/cmd/internal/atomicfile"
)

// Encodings are the content codings written, the preferred one first, with their siblings' suffix.
var Encodings = []Encoding{{Name: "br", Suffix: ".br"}, {Name: "gzip", Suffix: ".gz"}}

// An Encoding is one content coding of HTTP.
type Encoding struct {
	Name   string // as in Content-Encoding
	Suffix string
}

const (
	minSize  = 512  // bytes; below, the headers of a response outweigh the gain
	maxRatio = 0.95 // compressed to raw; above, decompressing costs more than the bytes saved
)

// Options tune Dir.
type Options struct {
	Quality int                    // brotli's, 1 to 11; 0 is 9: within a few percent of 11, at twenty times the speed
	Match   func(name string) bool // which files to compress; nil is all
	// Progress, if set, hears of every piece of work done, from several goroutines but never two at once.
	Progress func(p Progress)
}

// Progress is how far Dir is. Bytes are of raw input, counted once for each encoding.
type Progress struct {
	Done, Total int64
	Name        string // the file that was just finished, or ""
	Raw, Brotli int64  // its sizes; Brotli is 0 where there is no such sibling
}

// A Report sums up what Dir did.
type Report struct {
	Compressed int // files compressed now
	Kept       int // files whose siblings were there already
	Removed    int // siblings removed because their file is gone or no longer worth it
}

// Dir compresses the files of dir (not of its subdirectories) on all processors. It removes siblings that belong to
// no file or to an older content, and writes the record last.
func Dir(ctx context.Context, dir string, opt Options) (Report, error) {
	opt.Quality = cmp.Or(opt.Quality, 9)
	var rep Report
	old, err := Load(dir)
	if err != nil {
		return rep, err
	}
	names, siblings, err := list(dir, opt.Match)
	if err != nil {
		return rep, err
	}

	record := Record{}
	var todo []job
	for _, name := range names {
		f, err := Stat(dir, name, old)
		if err != nil {
			return rep, err
		}
		if prev, ok := old[name]; ok && prev.SHA256 == f.SHA256 && prev.Quality >= opt.Quality && f.complete(dir, name, prev) {
			f.Quality, f.Encoded = prev.Quality, prev.Encoded
			record[name] = f
			rep.Kept++
			continue
		}
		f.Quality = opt.Quality
		todo = append(todo, job{dir: dir, name: name, file: f})
	}
	// The largest first, so that no long one is left alone at the end.
	slices.SortFunc(todo, func(a, b job) int { return cmp.Compare(b.file.Size, a.file.Size) })

	progress := tally(todo, opt.Progress)
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, j := range todo {
		group.Go(func() error {
			f, err := j.compress(ctx, progress)
			if err != nil {
				return fmt.Errorf("compressing %s: %w", filepath.Join(dir, j.name), err)
			}
			mu.Lock()
			defer mu.Unlock()
			record[j.name] = f
			return nil
		})
	}
	err = group.Wait()
	rep.Compressed = len(record) - rep.Kept
	for _, s := range siblings {
		if stale(s, record) && err == nil {
			if err := os.Remove(filepath.Join(dir, s)); err != nil {
				return rep, err
			}
			rep.Removed++
		}
	}
	if !maps.EqualFunc(record, old, File.equal) {
		// Also after a failure: what is done need not be done again.
		if werr := record.write(dir); err == nil {
			err = werr
		}
	}
	return rep, err
}

// list returns the directory's files that match, and the siblings found beside them.
func list(dir string, match func(string) bool) (names, siblings []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, atomicfile.Prefix):
			removeAbandoned(dir, e)
		case !e.Type().IsRegular() || strings.HasPrefix(name, "."):
		case IsSibling(name):
			siblings = append(siblings, name)
		case match == nil || match(name):
			names = append(names, name)
		}
	}
	return names, siblings, nil
}

// abandoned is the age at which a temporary file is one that a killed process left: none takes so long.
const abandoned = time.Hour

// removeAbandoned removes such a file, as far as it can: it does no harm where it lies.
func removeAbandoned(dir string, e fs.DirEntry) {
	if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > abandoned {
		os.Remove(filepath.Join(dir, e.Name()))
	}
}

// IsSibling reports whether the name is that of a compressed sibling.
func IsSibling(name string) bool {
	return slices.ContainsFunc(Encodings, func(e Encoding) bool { return strings.HasSuffix(name, e.Suffix) })
}

// stale reports whether a sibling is not one that the record lists.
func stale(sibling string, r Record) bool {
	for _, e := range Encodings {
		if name, ok := strings.CutSuffix(sibling, e.Suffix); ok {
			f, listed := r[name]
			_, encoded := f.Encoded[e.Name]
			return !listed || !encoded
		}
	}
	return false
}

// tally returns a function that adds raw bytes of work done, and tells opt.Progress about it.
func tally(todo []job, tell func(Progress)) func(n int64, name string, f File) {
	if tell == nil {
		return func(int64, string, File) {}
	}
	var total int64
	for _, j := range todo {
		total += j.file.Size * int64(len(Encodings))
	}
	var done atomic.Int64
	var mu sync.Mutex
	return func(n int64, name string, f File) {
		done.Add(n)
		mu.Lock()
		defer mu.Unlock()
		tell(Progress{Done: done.Load(), Total: total, Name: name, Raw: f.Size, Brotli: f.Encoded["br"]})
	}
}
