package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
)

// maxCommand bounds a command's JSON, in bytes.
const maxCommand = 64 << 10

// A session carries out the page's commands: one run at a time, in the order they came.
type session struct {
	host lab.Host
	src  lab.Source
	post func(envelope string)

	mu   sync.Mutex
	jobs []*job // the first one is running
}

// A job is one run, under way or waiting.
type job struct {
	id      int
	request wire.Request
	ctx     context.Context
	cancel  context.CancelFunc
}

func newSession(host lab.Host, src lab.Source, post func(string)) *session {
	return &session{host: host, src: src, post: post}
}

// introduce tells the page what this host is, before any command.
func (s *session) introduce() {
	hello := &wire.Result{Version: s.host.Version, Hardware: s.host.Describe()}
	s.send(0, wire.Event{Kind: wire.EventStart, Result: hello})
}

// receive takes one command and returns at once. Every command of OpRun is answered with exactly one event that ends it.
func (s *session) receive(text string) {
	c, err := parseCommand(text)
	if err != nil {
		s.send(c.ID, wire.Event{Kind: wire.EventError, Text: err.Error()})
		return
	}
	switch c.Op {
	case wire.OpRun:
		s.add(c.ID, *c.Request)
	case wire.OpCancel:
		s.cancel(c.ID)
	}
}

// parseCommand reads a command. With an error it returns as much as is known of the command, for the answer's ID.
func parseCommand(text string) (wire.Command, error) {
	var c wire.Command
	if len(text) > maxCommand {
		return c, fmt.Errorf("a command of %d bytes is too long: at most %d are read", len(text), maxCommand)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("the command can't be understood: %w", err)
	}
	switch {
	case c.Op == wire.OpCancel:
	case c.Op != wire.OpRun:
		return c, fmt.Errorf("unknown command %.20q: send %s or %s", c.Op, wire.OpRun, wire.OpCancel)
	case c.Request == nil:
		return c, fmt.Errorf("the command %s needs a request", wire.OpRun)
	}
	return c, nil
}

// add appends a run, and starts it if nothing is running.
func (s *session) add(id int, request wire.Request) {
	ctx, cancel := context.WithCancel(context.Background())
	j := &job{id: id, request: request, ctx: ctx, cancel: cancel}
	s.mu.Lock()
	s.jobs = append(s.jobs, j)
	ahead := len(s.jobs) - 1
	s.mu.Unlock()
	if ahead > 0 {
		s.send(id, wire.Event{Kind: wire.EventQueued, Position: ahead})
		return
	}
	go s.work()
}

// cancel ends the run of that ID, also while it waits; lab.Run then answers for it.
func (s *session) cancel(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		if j.id == id {
			j.cancel()
		}
	}
}

// work runs the jobs until none is left.
func (s *session) work() {
	for {
		s.mu.Lock()
		if len(s.jobs) == 0 {
			s.mu.Unlock()
			return
		}
		j := s.jobs[0]
		s.mu.Unlock()

		emit := func(e wire.Event) { s.send(j.id, e) }
		lab.Run(j.ctx, s.host, s.src, j.request, emit) // its error was emitted as an event
		j.cancel()

		s.mu.Lock()
		s.jobs = s.jobs[1:]
		waiting := append([]*job(nil), s.jobs...)
		s.mu.Unlock()
		for ahead, w := range waiting {
			if ahead > 0 {
				s.send(w.id, wire.Event{Kind: wire.EventQueued, Position: ahead})
			}
		}
	}
}

// send posts one event to the page.
func (s *session) send(id int, e wire.Event) {
	data, err := json.Marshal(wire.Envelope{ID: id, Event: e})
	if err != nil { // a number that JSON lacks; say so instead of saying nothing
		data, _ = json.Marshal(wire.Envelope{ID: id, Event: wire.Event{Kind: wire.EventError, Text: "the result can't be encoded: " + err.Error()}})
	}
	s.post(string(data))
}
