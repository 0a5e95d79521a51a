package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// A gate stands before a devserver. It has an address of its own, so that the browser knows nothing of the page yet; it counts
// what passes, and can be shut as if the server was down.
type gate struct {
	*httptest.Server
	shut  atomic.Bool
	bytes atomic.Int64 // of bodies, as they went over the wire
}

// A change is made to what the devserver answers.
type change func(*http.Response)

func newGate(t *testing.T, target string, changes ...change) *gate {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{}
	back := httputil.NewSingleHostReverseProxy(u)
	back.FlushInterval = -1 // server-sent events must not wait
	// A server of package httptest that closes closes connections of the default transport, those of other gates too.
	transport := &http.Transport{}
	back.Transport = transport
	back.ModifyResponse = func(r *http.Response) error {
		for _, c := range changes {
			c(r)
		}
		return nil
	}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.shut.Load() {
			panic(http.ErrAbortHandler) // the connection ends without an answer
		}
		// A body that is still being passed on is closed under the proxy where the answer comes first, and the connection with it.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		back.ServeHTTP(counted{w, &g.bytes}, r)
	}))
	t.Cleanup(func() {
		g.CloseClientConnections()
		g.Close()
		transport.CloseIdleConnections()
	})
	return g
}

// close ends the connections, too.
func (g *gate) close() {
	g.shut.Store(true)
	g.CloseClientConnections()
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// Unwrap lets http.ResponseController flush.
func (c counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// builds returns the versions of the page's files that a tab has loaded, as its resources name them.
func (tb *tab) builds() []string {
	tb.Helper()
	text := js[string](tb, `[...new Set(performance.getEntriesByType('resource').map(e => /\/v\/([0-9a-f]+)\//.exec(e.name)?.[1]).filter(Boolean))].join(' ')`)
	return strings.Fields(text)
}
