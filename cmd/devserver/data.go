package main

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"quantlab/cmd/internal/precompress"
	"quantlab/cmd/internal/static"
	"quantlab/core/dataset/shard"
	"quantlab/web"
)

// shards are the files of one folder as they are served.
type shards struct {
	mu     sync.Mutex
	folder string
	record precompress.Record
	files  map[string]*static.File
}

// shardName is what the name of a shard looks like; no path and no hidden file does.
var shardName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,200}$`)

// handleData answers GET /data/name. While the shards are being made it says so with status 503, which the worker takes
// as a request to ask again.
func (s *server) handleData(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, web.Data)
	folder := s.models.folder()
	if folder == "" {
		now, _ := s.models.watch()
		if now.Failed {
			static.Error(w, http.StatusInternalServerError, now.Text)
			return
		}
		w.Header().Set("Retry-After", "1")
		static.Error(w, http.StatusServiceUnavailable, "the server is still preparing its models")
		return
	}
	f, err := s.data.file(folder, name)
	if err != nil {
		static.Error(w, http.StatusNotFound, "there is no such file")
		return
	}
	f.ServeHTTP(w, r)
}

// file returns the file of that name. What it learns of a file it keeps: a shard never changes under its name, and the
// folder is another one when the manifest is.
func (s *shards) file(folder, name string) (*static.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if folder != s.folder || s.files == nil {
		record, err := precompress.Load(folder)
		if err != nil {
			return nil, err
		}
		s.folder, s.record, s.files = folder, record, map[string]*static.File{}
	}
	if f, ok := s.files[name]; ok {
		return f, nil
	}
	if !shardName.MatchString(name) || precompress.IsSibling(name) {
		return nil, filepath.ErrBadPattern
	}
	contentType := "application/octet-stream"
	if name == shard.ManifestName {
		contentType = "application/json"
	}
	f, err := static.FromDisk(folder, name, contentType, s.record)
	if err == nil {
		s.files[name] = f
	}
	return f, err
}
