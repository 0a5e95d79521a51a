// Package site serves the page: the files of web/, and what go-app generates around them.
//
// Every file is found under /web/name, where it is revalidated, and under /v/version/web/name, where it is immutable; so are
// go-app's loader and style sheet under /app.js and /v/version/app.js. The page refers to the second form only. The version is a hash of all files together, so a page and the scripts, style
// sheet and programs that it loads are always of one build. When the files change the site notices at the next page view.
package site

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/cmd/internal/precompress"
	"quantlab/cmd/internal/static"
	"quantlab/web"
)

// built are the files that make build writes; without them there is no page.
var built = []string{"app.wasm", "compute.wasm", "wasm_exec.js"}

// folders are where the files are, below the page's directory. Only the first has to be there.
var folders = []string{"", web.Kernels}

// A Site is the http.Handler of the page.
type Site struct {
	dir  string
	page func(version string) *goapp.Handler

	mu  sync.Mutex
	now *build
}

// A build is the site as it was when its files were last looked at.
type build struct {
	version string
	stamp   string                  // changes when a file does
	files   map[string]*static.File // by path in web/
	page    http.Handler            // go-app's

	mu        sync.Mutex
	generated map[string]*static.File // what page answered, by path
}

// Open looks at the files of dir. page makes go-app's handler for a version; its Resources are set here.
func Open(dir string, page func(version string) *goapp.Handler) (*Site, error) {
	s := &Site{dir: dir, page: page}
	stamp, err := s.stamp()
	if err != nil {
		return nil, err
	}
	s.now, err = s.scan(stamp)
	return s, err
}

// Version returns the version of the files as last seen.
func (s *Site) Version() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now.version
}

// stamp lists names, sizes and times.
func (s *Site) stamp() (string, error) {
	var b strings.Builder
	for _, folder := range folders {
		entries, err := s.list(folder)
		if err != nil {
			return "", fmt.Errorf("%w: run make build in the project's folder, or name the folder that it filled with --web", err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || e.IsDir() {
				continue // removed this moment, or another folder, whose time changes with any file in it
			}
			fmt.Fprintln(&b, path.Join(folder, e.Name()), info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String(), nil
}

func (s *Site) list(folder string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, folder))
	if folder != "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the page's files: %w", err)
	}
	return entries, nil
}

func (s *Site) scan(stamp string) (*build, error) {
	b := &build{stamp: stamp, files: map[string]*static.File{}, generated: map[string]*static.File{}}
	for _, folder := range folders {
		if err := s.read(folder, b.files); err != nil {
			return nil, err
		}
	}
	for _, name := range built {
		if b.files[name] == nil {
			return nil, fmt.Errorf("%s is missing: run make build", filepath.Join(s.dir, name))
		}
	}
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		fmt.Fprintln(h, name, b.files[name].Hash)
	}
	b.version = hex.EncodeToString(h.Sum(nil))[:12]

	page := s.page(b.version)
	page.Version = b.version
	page.Resources = resources{root: web.Versioned + b.version}
	page.CacheableResources = append(page.CacheableResources, b.lasting()...)
	page.WasmContentLengthHeader = web.RawLength
	b.page = page
	return b, nil
}

// read adds the files of one folder.
func (s *Site) read(folder string, files map[string]*static.File) error {
	entries, err := s.list(folder)
	if err != nil {
		return err
	}
	dir := filepath.Join(s.dir, folder)
	record, err := precompress.Load(dir)
	if err != nil {
		return fmt.Errorf("reading the page's files: %w", err)
	}
	for _, e := range entries {
		contentType, ok := static.TypeOf(e.Name())
		if !ok || e.IsDir() {
			continue
		}
		f, err := static.FromDisk(dir, e.Name(), contentType, record)
		if err != nil {
			return fmt.Errorf("reading the page's files: %w", err)
		}
		files[path.Join(folder, e.Name())] = f
	}
	return nil
}

// current returns the build; with look set it first looks whether the files have changed. A build that can't be read, say
// because it is being written, leaves the last one in place.
func (s *Site) current(look bool) *build {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !look {
		return s.now
	}
	stamp, err := s.stamp()
	if err != nil || stamp == s.now.stamp {
		return s.now
	}
	if b, err := s.scan(stamp); err == nil {
		s.now = b
	}
	return s.now
}

// ServeHTTP serves the page and its files.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	where := r.URL.Path
	if rest, ok := strings.CutPrefix(where, web.Versioned); ok {
		version, name, _ := strings.Cut(rest, "/")
		b := s.current(false)
		if version != b.version {
			b = s.current(true)
		}
		if version != b.version {
			static.Error(w, http.StatusNotFound, "this file belongs to another build: reload the page")
			return
		}
		if slices.Contains(loaders, name) {
			b.generate(w, r, "/"+name)
			return
		}
		name, _ = strings.CutPrefix(name, "web/")
		b.serve(w, r, name)
		return
	}
	b := s.current(true)
	if name, ok := strings.CutPrefix(where, "/web/"); ok {
		b.serve(w, r, name)
		return
	}
	switch where {
	case "/wasm_exec.js", "/robots.txt", "/sitemap.xml", "/ads.txt":
		// go-app has a wasm_exec.js of its own, older than the toolchain's, and would ask the network for the others.
		b.serve(w, r, where[1:])
	default:
		b.generate(w, r, where)
	}
}

func (b *build) serve(w http.ResponseWriter, r *http.Request, name string) {
	f, ok := b.files[name]
	if !ok {
		static.Error(w, http.StatusNotFound, "there is no such file")
		return
	}
	f.ServeHTTP(w, r)
}

// maxGenerated bounds how many of go-app's answers are kept.
const maxGenerated = 64

// generate serves what go-app makes for the path: the page itself, its loader, its manifest.
func (b *build) generate(w http.ResponseWriter, r *http.Request, path string) {
	f, err := b.answer(r.Context(), path)
	if err != nil {
		static.Error(w, http.StatusNotFound, "there is no such page")
		return
	}
	f.ServeHTTP(w, r)
}

// answer returns what go-app answers to a path. Nothing else of a request may shape it: others get it too.
func (b *build) answer(ctx context.Context, path string) (*static.File, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f, ok := b.generated[path]; ok {
		return f, nil
	}
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, (&url.URL{Scheme: "http", Host: "localhost", Path: path}).String(), nil)
	if err != nil {
		return nil, err
	}
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	b.page.ServeHTTP(rec, ask)
	if rec.status != http.StatusOK {
		return nil, fmt.Errorf("the page answered with status %d", rec.status)
	}
	contentType := rec.header.Get("Content-Type")
	if strings.HasPrefix(contentType, "text/") || contentType == "application/javascript" {
		contentType += "; charset=utf-8"
	}
	body := rec.body.Bytes()
	if strings.HasPrefix(contentType, "text/html") {
		body = forbidsZoom.ReplaceAll(b.pinned(body), nil)
	}
	f := static.FromBytes(path, contentType, body)
	if len(b.generated) < maxGenerated {
		b.generated[path] = f
	}
	return f, nil
}

// loaders are the scripts and styles of go-app's own that a page loads.
var loaders = []string{"app.js", "app.css"}

// pinned makes a page name what it loads of go-app's by the version, like all else. go-app gives these names of their own, under
// which a page that was kept could find those of another build.
func (b *build) pinned(page []byte) []byte {
	root := web.Versioned + b.version + "/"
	for _, name := range loaders {
		page = bytes.ReplaceAll(page, []byte(`"/`+name+`"`), []byte(`"`+root+name+`"`))
	}
	return bytes.ReplaceAll(page, []byte(`"/wasm_exec.js"`), []byte(`"`+root+`web/wasm_exec.js"`))
}

// forbidsZoom is go-app's viewport, on which nobody may enlarge the page. The page brings one of its own.
var forbidsZoom = regexp.MustCompile(`<meta [^>]*user-scalable=0[^>]*>\s*`)

// lasting lists all files of the build, for the service worker to keep.
func (b *build) lasting() []string {
	root := web.Versioned + b.version + "/"
	var paths []string
	for _, name := range loaders {
		paths = append(paths, root+name)
	}
	for name := range b.files {
		paths = append(paths, root+"web/"+name)
	}
	return paths
}

// resources tells go-app where the static files are.
type resources struct{ root string }

func (r resources) Package() string { return "" }
func (r resources) Static() string  { return r.root }
func (r resources) AppWASM() string { return r.root + "/web/app.wasm" }

// A recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
