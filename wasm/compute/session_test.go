package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
)

// A page collects what a session posts.
type page struct {
	t    *testing.T
	got  chan wire.Envelope
	stop chan struct{} // lets the site's answers through
}

func newPage(t *testing.T) (*session, *page) {
	p := &page{t: t, got: make(chan wire.Envelope, 1000), stop: make(chan struct{})}
	site := openerFunc(func(ctx context.Context, _ string, _ bool) (io.ReadCloser, error) {
		select {
		case <-p.stop:
			return nil, errors.New("the site is closed")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	host := lab.Host{Name: wire.Browser, Version: "test", MaxThreads: 1}
	return newSession(host, newSource(site), func(text string) {
		var e wire.Envelope
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Errorf("%v in %s", err, text)
		}
		p.got <- e
	}), p
}

type openerFunc func(ctx context.Context, name string, fresh bool) (io.ReadCloser, error)

func (f openerFunc) open(ctx context.Context, name string, fresh bool) (io.ReadCloser, error) {
	return f(ctx, name, fresh)
}

// next returns the next envelope of one of those kinds.
func (p *page) next(kinds ...string) wire.Envelope {
	p.t.Helper()
	for {
		select {
		case e := <-p.got:
			if slices.Contains(kinds, e.Event.Kind) {
				return e
			}
		case <-time.After(10 * time.Second):
			p.t.Fatalf("no event %v came", kinds)
		}
	}
}

func command(t *testing.T, c wire.Command) string {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func quick(t *testing.T, id int) string {
	r := wire.Quick()
	return command(t, wire.Command{ID: id, Op: wire.OpRun, Request: &r})
}

func TestRunsTakeTurnsAndCanBeCanceled(t *testing.T) {
	s, p := newPage(t)
	for id := 1; id <= 3; id++ {
		s.receive(quick(t, id))
	}
	if e := p.next(wire.EventQueued); e.ID != 2 || e.Event.Position != 1 {
		t.Errorf("got %+v", e)
	}
	if e := p.next(wire.EventQueued); e.ID != 3 || e.Event.Position != 2 {
		t.Errorf("got %+v", e)
	}
	// One that waits is cancelled in its turn; the one that runs, at once.
	s.receive(command(t, wire.Command{ID: 2, Op: wire.OpCancel}))
	s.receive(command(t, wire.Command{ID: 1, Op: wire.OpCancel}))
	for _, id := range []int{1, 2} {
		if e := p.next(wire.EventCancel, wire.EventError); e.ID != id || e.Event.Kind != wire.EventCancel {
			t.Errorf("got %+v, want the cancellation of %d", e, id)
		}
	}
	close(p.stop)
	if e := p.next(wire.EventError); e.ID != 3 || !strings.Contains(e.Event.Text, "the site is closed") {
		t.Errorf("got %+v", e)
	}
	// The session is idle again and takes the next.
	s.receive(quick(t, 4))
	if e := p.next(wire.EventError); e.ID != 4 {
		t.Errorf("got %+v", e)
	}
}

func TestIntroduction(t *testing.T) {
	s, p := newPage(t)
	s.introduce()
	e := p.next(wire.EventStart)
	if hw := e.Event.Result.Hardware; e.ID != 0 || e.Event.Result.Version != "test" || hw.Host != wire.Browser || len(hw.Engines) == 0 {
		t.Errorf("got %+v", e)
	}
}

func TestBadCommands(t *testing.T) {
	s, p := newPage(t)
	close(p.stop)
	bad := wire.Quick()
	bad.Batches = []int{1_000_000_000}
	threads := wire.Quick()
	threads.Threads = 2
	for text, want := range map[string]string{
		"":                                    "can't be understood",
		"[1]":                                 "can't be understood",
		`{"id":7,"op":"dig"}`:                 `unknown command "dig"`,
		`{"id":7,"op":"run"}`:                 "needs a request",
		`{"id":7,"op":"run","x":1}`:           `unknown field "x"`,
		strings.Repeat(" ", maxCommand) + "{": "too long",
		command(t, wire.Command{ID: 7, Op: wire.OpRun, Request: &bad}):     "out of range",
		command(t, wire.Command{ID: 7, Op: wire.OpRun, Request: &threads}): "threads 2",
	} {
		s.receive(text)
		if e := p.next(wire.EventError); !strings.Contains(e.Event.Text, want) {
			t.Errorf("%.60q: %q, want %q", text, e.Event.Text, want)
		}
	}
	s.receive(command(t, wire.Command{ID: 99, Op: wire.OpCancel})) // of nothing: no answer, no panic
	select {
	case e := <-p.got:
		t.Errorf("got %+v", e)
	default:
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{`{"id":1,"op":"run","request":{"models":["mnist-lab1"]}}`, `{"id":1,"op":"cancel"}`, `{`, `null`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCommand(text)
		if err == nil && (c.Op != wire.OpRun && c.Op != wire.OpCancel || c.Op == wire.OpRun && c.Request == nil) {
			t.Errorf("%q gave %+v", text, c)
		}
	})
}
