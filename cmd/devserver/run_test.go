package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"quantlab/core/lab/wire"
)

func TestRun(t *testing.T) {
	f := newFixture(t)
	c := f.start(t)
	r := <-f.runs
	if len(r.req.Models) != 1 || r.req.Models[0] != "mnist-lab1" || r.req.Examples != 1000 {
		t.Errorf("the engine got %+v", r.req)
	}
	r.emit(wire.Event{Kind: wire.EventProgress, Step: "half", Fraction: 0.5})
	if e := c.want(wire.EventProgress); e.Step != "half" || e.Fraction != 0.5 {
		t.Errorf("got %+v", e)
	}
	r.emit(wire.Event{Kind: wire.EventDone, Result: &wire.Result{Version: "v"}})
	r.end <- nil
	if e := c.want(wire.EventDone); e.Result == nil || e.Result.Version != "v" {
		t.Errorf("got %+v", e)
	}
	c.wantEnd()
}

// A run ends with exactly one closing event, whatever the engine does.
func TestRunAlwaysEnds(t *testing.T) {
	for name, c := range map[string]struct {
		emit *wire.Event
		err  error
		kind string
		text string
	}{
		"error emitted and returned": {&wire.Event{Kind: wire.EventError, Text: "first"}, errors.New("second"), wire.EventError, "first"},
		"error returned only":        {nil, errors.New("it broke"), wire.EventError, "it broke"},
		"nothing said":               {nil, nil, wire.EventError, "without a result"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			client := f.start(t)
			r := <-f.runs
			if c.emit != nil {
				r.emit(*c.emit)
			}
			r.end <- c.err
			if e := client.want(c.kind); !strings.Contains(e.Text, c.text) {
				t.Errorf("text %q, want %q", e.Text, c.text)
			}
			client.wantEnd()
		})
	}
}

func TestPanicEndsTheRunOnly(t *testing.T) {
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	f := newFixture(t)
	f.server.run = func(context.Context, wire.Request, func(wire.Event)) error { panic("index out of range") }
	for range 2 {
		c := f.start(t)
		if e := c.want(wire.EventError); !strings.Contains(e.Text, "fault of this program") {
			t.Errorf("text %q", e.Text)
		}
		c.wantEnd()
	}
}

func TestQueue(t *testing.T) {
	f := newFixture(t)
	first := f.start(t)
	running := <-f.runs
	second := f.start(t)
	if e := second.want(wire.EventQueued); e.Position != 1 {
		t.Errorf("second is at %d", e.Position)
	}
	third := f.start(t)
	if e := third.want(wire.EventQueued); e.Position != 2 {
		t.Errorf("third is at %d", e.Position)
	}

	// The queue is bounded.
	res := f.send(t, t.Context(), "POST", "/api/run", quick())
	var e wire.Event
	if err := json.NewDecoder(res.Body).Decode(&e); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || !strings.Contains(e.Text, "2 runs are waiting already") {
		t.Errorf("a full queue: status %d, %+v", res.StatusCode, e)
	}

	// Going away while waiting makes room for those behind.
	second.cancel()
	if e := third.want(wire.EventQueued); e.Position != 1 {
		t.Errorf("third moved to %d", e.Position)
	}
	select {
	case <-f.runs:
		t.Fatal("two runs at a time")
	case <-time.After(20 * time.Millisecond):
	}
	running.emit(wire.Event{Kind: wire.EventDone})
	running.end <- nil
	first.want(wire.EventDone)
	r := <-f.runs
	r.emit(wire.Event{Kind: wire.EventDone})
	r.end <- nil
	third.want(wire.EventDone)
	third.wantEnd()
}

func TestDisconnectCancelsTheRun(t *testing.T) {
	f := newFixture(t)
	c := f.start(t)
	r := <-f.runs
	c.cancel()
	select {
	case <-r.ctx.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the run goes on without its client")
	}
	// The next one has the engine to itself, at once or when the first has left the queue.
	next := f.start(t)
	r = <-f.runs
	r.emit(wire.Event{Kind: wire.EventDone})
	r.end <- nil
	e, ok := next.next()
	if ok && e.Kind == wire.EventQueued {
		e, ok = next.next()
	}
	if !ok || e.Kind != wire.EventDone {
		t.Errorf("got %+v (%v)", e, ok)
	}
}

func TestShutdownEndsRuns(t *testing.T) {
	f := newFixture(t)
	running := f.start(t)
	<-f.runs
	waiting := f.start(t)
	waiting.want(wire.EventQueued)
	f.stop()
	for _, c := range []*client{running, waiting} {
		if e := c.want(wire.EventError); e.Text != "the server was stopped" {
			t.Errorf("text %q", e.Text)
		}
		c.wantEnd()
	}
}

func TestHeartbeat(t *testing.T) {
	f := newFixture(t)
	f.server.heartbeat = time.Millisecond
	res := f.send(t, t.Context(), "POST", "/api/run", quick())
	buf := make([]byte, 256)
	var got []byte
	for !bytes.Contains(got, []byte(": alive\n\n")) {
		n, err := res.Body.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, got)
		}
		got = append(got, buf[:n]...)
	}
	(<-f.runs).end <- nil
}

func TestRunWaitsForTheModels(t *testing.T) {
	f := newUnprepared(t)
	f.report("training mnist-lab1", 0.25)
	c := f.start(t)
	if e := c.want(wire.EventProgress); e.Step != "preparing: training mnist-lab1" {
		t.Errorf("step %q", e.Step)
	}
	f.prepared(t, nil)
	r := <-f.runs
	r.emit(wire.Event{Kind: wire.EventDone})
	r.end <- nil
	c.want(wire.EventDone)
}

// A preparation that failed is told, and tried again by the next run.
func TestFailedPreparation(t *testing.T) {
	f := newUnprepared(t)
	f.prepared(t, errors.New("there is no network: connect and try again"))
	c := f.start(t)
	for {
		e, ok := c.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		if e.Kind == wire.EventProgress {
			f.ready <- nil // the second try succeeds
			break
		}
	}
	(<-f.runs).end <- nil
}

func TestBadRequests(t *testing.T) {
	f := newFixture(t)
	change := func(key string, value any) string {
		m := map[string]any{}
		if err := json.Unmarshal([]byte(quick()), &m); err != nil {
			t.Fatal(err)
		}
		m[key] = value
		data, _ := json.Marshal(m)
		return string(data)
	}
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
		text    string
	}{
		"no JSON":          {"hello", nil, 400, "can't be understood"},
		"empty object":     {"{}", nil, 400, "no model chosen"},
		"two objects":      {quick() + "{}", nil, 400, "more after the JSON"},
		"cut":              {quick()[:20], nil, 400, "can't be understood"},
		"unknown field":    {change("sudo", true), nil, 400, `unknown field "sudo"`},
		"unknown model":    {change("models", []string{"gpt"}), nil, 400, `unknown model "gpt"`},
		"unknown variant":  {change("variants", []string{"int3"}), nil, 400, `unknown variant "int3"`},
		"batch 0":          {change("batches", []int{0}), nil, 400, "batch 0 is out of range"},
		"batch 10^9":       {change("batches", []int{1_000_000_000}), nil, 400, "out of range"},
		"runs 0":           {change("runs", 0), nil, 400, "runs 0 is out of range"},
		"runs as text":     {change("runs", "5"), nil, 400, "can't be understood"},
		"a number too big": {change("runs", 1e300), nil, 400, "can't be understood"},
		"too long":         {`{"models":["` + strings.Repeat("a", maxBody) + `"]}`, nil, 413, "too long"},
		"long tail":        {quick() + strings.Repeat(" ", maxBody), nil, 413, "too long"},
		"a form":           {quick(), []string{"Content-Type", "text/plain"}, 415, "application/json"},
		"no type":          {quick(), []string{"Content-Type", ""}, 415, "application/json"},
		"another site":     {quick(), []string{"Origin", "https://evil.example"}, 403, "own page"},
		"another port":     {quick(), []string{"Origin", "http://127.0.0.1:1"}, 403, "own page"},
		"opaque origin":    {quick(), []string{"Origin", "null"}, 403, "own page"},
		"cross-site":       {quick(), []string{"Sec-Fetch-Site", "cross-site"}, 403, "own page"},
		"same-site":        {quick(), []string{"Sec-Fetch-Site", "same-site"}, 403, "own page"},
		"rebound name":     {quick(), []string{"Host", "evil.example:80", "Origin", "http://evil.example:80"}, 421, "localhost only"},
	} {
		res := f.send(t, t.Context(), "POST", "/api/run", c.body, c.headers...)
		var e wire.Event
		if err := json.NewDecoder(res.Body).Decode(&e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if res.StatusCode != c.status || e.Kind != wire.EventError || !strings.Contains(e.Text, c.text) {
			t.Errorf("%s: status %d, %q; want %d, %q", name, res.StatusCode, e.Text, c.status, c.text)
		}
		if res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", name, res.Header.Get("Cache-Control"))
		}
	}
	if len(f.runs) > 0 {
		t.Error("a bad request reached the engine")
	}
}

// The page's own requests, and those of tools that send no origin, pass.
func TestGoodOrigins(t *testing.T) {
	f := newFixture(t)
	for name, headers := range map[string][]string{
		"own page":  {"Origin", f.http.URL, "Sec-Fetch-Site", "same-origin"},
		"a tool":    nil,
		"localhost": {"Host", "localhost:9999", "Origin", "http://localhost:9999"},
		"charset":   {"Content-Type", "application/json; charset=utf-8"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		res := f.send(t, ctx, "POST", "/api/run", quick(), headers...)
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", name, res.StatusCode)
			cancel()
			continue
		}
		<-f.runs
		cancel()
	}
}

// A server that is meant for others answers to any name.
func TestPublicServerAnswersToAnyName(t *testing.T) {
	f := newFixture(t)
	f.server.loopback = false
	if res := f.send(t, t.Context(), "GET", "/api/hardware", "", "Host", "lab.example"); res.StatusCode != 200 {
		t.Errorf("status %d", res.StatusCode)
	}
}
