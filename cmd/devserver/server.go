package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"quantlab/core/lab/wire"
	"quantlab/core/library"
	"quantlab/web"
)

// A server answers for the page, its data and the native engine.
type server struct {
	site     http.Handler
	models   *models
	queue    *queue
	run      func(ctx context.Context, own *library.Library, c wire.Command, emit func(wire.Event)) error
	check    func(wire.Request) error // whether this machine can run it
	hardware func() wire.Hardware
	down     context.Context // ends when the server shuts down
	loopback bool            // only this machine is meant to reach it
	shelf    library.Shelf   // what this machine keeps of its reader's own
	uploads  budget          // memory for what comes with requests

	heartbeat time.Duration // between signs of life on a stream
	writeTime time.Duration // a client may take to accept an event

	describe  sync.Once
	described []byte
	data      shards
}

// handler returns the server's routes within what every response needs.
func (s *server) handler() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("POST /api/run", s.handleRun)
	api.HandleFunc("GET /api/hardware", s.handleHardware)
	api.HandleFunc("GET /api/status", s.handleStatus)
	api.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		for path, method := range map[string]string{"/api/run": "POST", "/api/hardware": "GET, HEAD", "/api/status": "GET, HEAD"} {
			if r.URL.Path == path {
				w.Header().Set("Allow", method)
				refuse(w, http.StatusMethodNotAllowed, "send "+method+" to "+path)
				return
			}
		}
		refuse(w, http.StatusNotFound, "there is no "+r.URL.Path)
	})

	mux := http.NewServeMux()
	mux.Handle(web.API, s.guarded(api))
	mux.HandleFunc(web.Data, s.handleData)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte("ok\n"))
	})
	mux.Handle("/", s.site)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetHeaders(w.Header(), r.URL.Path)
		mux.ServeHTTP(w, r)
	})
}

// guarded keeps other sites' pages away from the engine. Their requests carry their origin, which is compared with the
// host. A page that has made its own name point at this machine passes that; its name doesn't.
func (s *server) guarded(h http.Handler) http.Handler {
	var origin http.CrossOriginProtection
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.loopback && !isLoopback(r.Host) {
			refuse(w, http.StatusMisdirectedRequest, "this server answers to localhost only: open it under that name, or start it with --addr and another address")
			return
		}
		foreign := slices.Contains([]string{"cross-site", "same-site"}, r.Header.Get("Sec-Fetch-Site"))
		if foreign || origin.Check(r) != nil {
			refuse(w, http.StatusForbidden, "only this server's own page may use its engine")
			return
		}
		h.ServeHTTP(w, r)
	})
}

// isLoopback reports whether a Host header, or a listening address, names this machine itself.
func isLoopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// handleHardware answers GET /api/hardware with a wire.Hardware.
func (s *server) handleHardware(w http.ResponseWriter, r *http.Request) {
	s.describe.Do(func() { s.described, _ = json.Marshal(s.hardware()) })
	w.Header().Set("Content-Type", "application/json")
	w.Write(s.described)
}

// handleStatus answers GET /api/status with the status as JSON, or as server-sent events until the models are ready.
func (s *server) handleStatus(w http.ResponseWriter, r *http.Request) {
	now, changed := s.models.watch()
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(now)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.down, cancel)()
	out := newStream(w, s.heartbeat, s.writeTime, cancel)
	defer out.close()
	for {
		if out.send(now) != nil || now.Ready {
			return
		}
		select {
		case <-changed:
			now, changed = s.models.watch()
		case <-ctx.Done():
			return
		}
	}
}
