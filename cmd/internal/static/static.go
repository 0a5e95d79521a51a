// Package static serves files of known content over HTTP: with a strong entity tag, with the compressed sibling that
// the client accepts, and with an exact length.
package static

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"quantlab/cmd/internal/precompress"
	"quantlab/web"
)

// A File is one file as it is served.
type File struct {
	Type  string // Content-Type
	Hash  string // hexadecimal; it changes with the content
	Size  int64  // bytes, uncompressed
	forms []form // uncompressed last
}

// A form is one way a file is stored: compressed or not, on disk or in memory.
type form struct {
	encoding string // "" is uncompressed
	size     int64
	path     string
	data     []byte // where path is empty
}

// types has what the standard table may lack or names differently from one system to the next.
var types = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

// TypeOf returns the media type of a file's name, and false if files of that name are not for serving.
func TypeOf(name string) (string, bool) {
	t, ok := types[filepath.Ext(name)]
	return t, ok && !strings.HasPrefix(name, ".")
}

// FromBytes returns a file that is kept in memory, compressed in every coding that makes it smaller.
func FromBytes(name, contentType string, data []byte) *File {
	if contentType == "" {
		if contentType = mime.TypeByExtension(filepath.Ext(name)); contentType == "" {
			contentType = "application/octet-stream"
		}
	}
	sum := sha256.Sum256(data)
	f := &File{Type: contentType, Hash: hex.EncodeToString(sum[:]), Size: int64(len(data))}
	for _, e := range precompress.Encodings {
		if b := precompress.Bytes(e.Name, data); b != nil {
			f.forms = append(f.forms, form{encoding: e.Name, size: int64(len(b)), data: b})
		}
	}
	f.forms = append(f.forms, form{size: f.Size, data: data})
	return f
}

// FromDisk returns a file of a directory with those siblings that the directory's record vouches for.
func FromDisk(dir, name, contentType string, record precompress.Record) (*File, error) {
	info, err := precompress.Stat(dir, name, record)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name)
	f := &File{Type: contentType, Hash: info.SHA256, Size: info.Size}
	siblings := info.Siblings(dir, name, record)
	for _, e := range precompress.Encodings {
		if size, ok := siblings[e.Name]; ok {
			f.forms = append(f.forms, form{encoding: e.Name, size: size, path: path + e.Suffix})
		}
	}
	f.forms = append(f.forms, form{size: f.Size, path: path})
	return f, nil
}

// ServeHTTP answers GET and HEAD, and a matching If-None-Match with 304. It leaves Cache-Control to its caller, except
// on an error.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		Error(w, http.StatusMethodNotAllowed, "only GET and HEAD are answered here")
		return
	}
	h := w.Header()
	if len(f.forms) > 1 {
		h.Add("Vary", "Accept-Encoding")
	}
	form := f.choose(r.Header.Get("Accept-Encoding"))
	tag := f.tag(form.encoding)
	h.Set("ETag", tag)
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}

	body, err := form.open()
	if err != nil {
		h.Del("ETag")
		Error(w, http.StatusServiceUnavailable, "the file was replaced a moment ago: reload the page")
		return
	}
	defer body.Close()
	h.Set("Content-Type", f.Type)
	h.Set("Content-Length", strconv.FormatInt(form.size, 10))
	h.Set(web.RawLength, strconv.FormatInt(f.Size, 10))
	if form.encoding != "" {
		h.Set("Content-Encoding", form.encoding)
	}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		io.CopyN(w, body, form.size) // an error here is the client's: it went away
	}
}

// Error answers with one sentence, and forbids to store it.
func Error(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Cache-Control", web.NoStore)
	http.Error(w, sentence, status)
}

// open opens the form, and fails if it is no longer as it was when its length was taken.
func (f form) open() (io.ReadCloser, error) {
	if f.path == "" {
		return io.NopCloser(bytes.NewReader(f.data)), nil
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.Size() != f.size {
		err = fmt.Errorf("%s has %d bytes, %d were expected", f.path, info.Size(), f.size)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// tag is the entity tag of one form: the same content compressed differently is a different sequence of bytes.
func (f *File) tag(encoding string) string {
	t := f.Hash[:min(16, len(f.Hash))]
	if encoding != "" {
		t += "-" + encoding
	}
	return `"` + t + `"`
}

// matches reports whether an If-None-Match header lists the tag, by the weak comparison that it asks for.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
