package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"quantlab/core/lab/wire"
	"quantlab/core/library"
)

// A fixture is a server with a page, models and an engine that the test controls.
type fixture struct {
	*server
	http   *httptest.Server
	runs   chan *fakeRun
	stop   context.CancelFunc // begins the shutdown
	shards string             // the shards' folder
	ready  chan error         // a value ends the preparing
	report func(step string, fraction float64)
}

// A fakeRun is a run that the engine was given.
type fakeRun struct {
	ctx  context.Context
	own  *library.Library
	c    wire.Command
	emit func(wire.Event)
	end  chan error
}

// newFixture starts a server whose models are ready.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := newUnprepared(t)
	f.prepared(t, nil)
	return f
}

// newUnprepared starts a server that is preparing its models until prepared is called.
func newUnprepared(t *testing.T) *fixture {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	f := &fixture{runs: make(chan *fakeRun, 32), stop: stop, ready: make(chan error), shards: t.TempDir()}
	reports := make(chan func(string, float64), 1)
	f.server = &server{
		site: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page") }),
		models: newModels(ctx, func(ctx context.Context, report func(string, float64)) (string, error) {
			select {
			case reports <- report:
			default:
			}
			select {
			case err := <-f.ready:
				return f.shards, err
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}),
		queue: &queue{limit: 2},
		run: func(ctx context.Context, own *library.Library, c wire.Command, emit func(wire.Event)) error {
			r := &fakeRun{ctx: ctx, own: own, c: c, emit: emit, end: make(chan error, 1)}
			f.runs <- r
			select {
			case err := <-r.end:
				return err
			case <-ctx.Done():
				emit(wire.Event{Kind: wire.EventCancel})
				return ctx.Err()
			}
		},
		check:     wire.Request.Validate,
		hardware:  func() wire.Hardware { return wire.Hardware{Host: wire.Native, CPU: "a test"} },
		down:      ctx,
		loopback:  true,
		shelf:     library.Memory(),
		uploads:   budget{left: maxHeld},
		heartbeat: time.Hour,
		writeTime: 5 * time.Second,
	}
	f.report = <-reports
	f.http = httptest.NewServer(f.handler())
	t.Cleanup(func() {
		stop()
		f.models.wait()
		f.http.Close()
	})
	return f
}

// prepared ends the preparing and waits until that is known.
func (f *fixture) prepared(t *testing.T, err error) {
	t.Helper()
	_, changed := f.models.watch()
	f.ready <- err
	for range 100 {
		<-changed
		var now status
		if now, changed = f.models.watch(); now.Ready || now.Failed {
			return
		}
	}
	t.Fatal("the models never became ready")
}

// quick is a command that passes validation.
func quick() string {
	req := wire.Quick()
	return spell(wire.Command{Op: wire.OpRun, Request: &req})
}

func spell(c wire.Command) string {
	data, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// send sends a request; headers come in pairs, and an empty value removes one.
func (f *fixture) send(t *testing.T, ctx context.Context, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, f.http.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := f.http.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// A client reads a run's events.
type client struct {
	t      *testing.T
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

// start posts a run and expects a stream.
func (f *fixture) start(t *testing.T) *client {
	t.Helper()
	return f.post(t, quick())
}

// post posts a command and expects a stream.
func (f *fixture) post(t *testing.T, command string) *client {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	res := f.send(t, ctx, "POST", "/api/run", command)
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		body, _ := io.ReadAll(res.Body)
		t.Fatalf("status %d, %v: %s", res.StatusCode, res.Header, body)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 64<<20)
	return &client{t: t, lines: lines, cancel: cancel}
}

// next returns the next event, and false at the end of the stream.
func (c *client) next() (e wire.Event, ok bool) {
	c.t.Helper()
	for c.lines.Scan() {
		if data, ok := strings.CutPrefix(c.lines.Text(), "data: "); ok {
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				c.t.Fatalf("%v in %s", err, data)
			}
			return e, true
		}
	}
	return e, false
}

// want expects an event of that kind next.
func (c *client) want(kind string) wire.Event {
	c.t.Helper()
	e, ok := c.next()
	if !ok || e.Kind != kind {
		c.t.Fatalf("got %+v (%v), want %s", e, ok, kind)
	}
	return e
}

// wantEnd expects the stream to end.
func (c *client) wantEnd() {
	c.t.Helper()
	if e, ok := c.next(); ok {
		c.t.Fatalf("%+v after the end", e)
	}
}
