package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
)

// A proxy stands before the devserver and breaks what a test wants broken.
type proxy struct {
	*httptest.Server
	breakData atomic.Bool // shards answer 404
}

// killSwitch makes the worker die when a page says so on the channel "kill".
const killSwitch = `;new BroadcastChannel('kill').onmessage = () => setTimeout(() => { throw new Error('killed by the test') });`

func newProxy(target string) (*proxy, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	back := httputil.NewSingleHostReverseProxy(u)
	back.FlushInterval = -1 // server-sent events must not wait
	back.ModifyResponse = func(r *http.Response) error {
		if !isWorker(r.Request.URL.Path) || r.StatusCode != http.StatusOK {
			return nil
		}
		script, err := io.ReadAll(r.Body)
		r.Body.Close()
		script = append(script, killSwitch...)
		r.Body = io.NopCloser(bytes.NewReader(script))
		r.ContentLength = int64(len(script))
		r.Header.Set("Content-Length", strconv.Itoa(len(script)))
		return err
	}
	p := &proxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.breakData.Load() && strings.HasPrefix(r.URL.Path, "/data/") && !strings.HasSuffix(r.URL.Path, ".json") {
			http.NotFound(w, r)
			return
		}
		if isWorker(r.URL.Path) {
			r.Header.Del("Accept-Encoding")
			r.Header.Del("If-None-Match")
		}
		// A body that is still being read when the answer begins would be cut off, and the answer with it.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		back.ServeHTTP(w, r)
	}))
	return p, nil
}

func isWorker(path string) bool { return strings.HasSuffix(path, "/worker.js") }
