package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/library"
)

// Bounds of a command's JSON, in bytes.
const (
	maxCommand = 512 << 10                           // the longest text, every byte of it escaped, fits
	maxPicture = maxCommand + wire.MaxGrayPixels*4/3 // of one with a wire.GrayPicture, in base64
)

// An answerer answers questions, as play.Bench does.
type answerer interface {
	Do(ctx context.Context, c wire.Command, emit func(wire.Event)) // it emits exactly one event that ends the command
	exporter
	Forget() // what is the reader's own may have changed
}

// A session carries out the page's commands: runs and experiments, short questions, long ones with exports, and what changes the
// reader's own. Each kind waits for its own kind only.
type session struct {
	host lab.Host
	src  lab.Source
	post func(envelope string)

	runs, short, long, own lane

	benches    []answerer
	collection *collection

	asked    atomic.Int64                         // commands beside the runs begun, and ended
	watch    func() (met func() bool, end func()) // met tells, until end, of runs elsewhere in this browser
	notes    func() []string                      // what else to say at the end of a run
	tell     func()                               // tells other tabs that what is the reader's own has changed
	download func() download                      // begins a file for the reader
}

// newSession returns a session whose short and long questions go to these benches, which are over src, too.
func newSession(host lab.Host, src *library.Source, short, long answerer, post func(string), download func() download) *session {
	s := &session{host: host, src: src, post: post, benches: []answerer{short, long}, download: download}
	s.watch = func() (func() bool, func()) { return func() bool { return false }, func() {} }
	s.notes = func() []string { return nil }
	s.tell = func() {}
	s.collection = &collection{
		Library: src.Library, trial: trial{src.Source}, yield: host.Yield,
		notes: func() []string { return nil },
		changed: func() {
			s.forget()
			s.tell()
		},
	}
	s.runs = lane{send: s.send, do: s.run, tells: true}
	s.short = lane{send: s.send, do: s.ask(short)}
	s.long = lane{send: s.send, do: s.ask(long)}
	s.own = lane{send: s.send, do: s.beside(s.collection.Do)}
	return s
}

// introduce tells the page what this host is, before any command.
func (s *session) introduce() {
	hello := &wire.Result{Version: s.host.Version, Hardware: s.host.Describe()}
	s.send(0, wire.Event{Kind: wire.EventStart, Result: hello})
}

// tellOwn tells the page, unasked, what there is of the reader's own. What can't be told now, the page asks for.
func (s *session) tellOwn() {
	s.collection.list(context.Background(), func(e wire.Event) { s.send(0, e) }) // an error was not asked for
}

// forget has the benches find anew what is the reader's own.
func (s *session) forget() {
	for _, b := range s.benches {
		b.Forget()
	}
}

// hearOthers is called when another tab has changed something of the reader's own.
func (s *session) hearOthers() {
	s.collection.Forget()
	s.forget()
	s.tellOwn()
}

// receive takes one command, with the files that came beside it, and returns at once. Every command but OpCancel is answered with
// exactly one event that ends it.
func (s *session) receive(text string, files ...upload) {
	c, err := parseCommand(text)
	if err != nil {
		s.send(c.ID, wire.Event{Kind: wire.EventError, Text: err.Error()})
		return
	}
	job := command{Command: c, files: files}
	switch c.Op {
	case wire.OpCancel:
		for _, l := range []*lane{&s.runs, &s.short, &s.long, &s.own} {
			l.cancel(c.ID)
		}
	case wire.OpRun, wire.OpSensitivity, wire.OpPlans, wire.OpSweep, wire.OpAMP:
		s.runs.add(job)
	case wire.OpWarm, wire.OpPredict, wire.OpSamples, wire.OpPicture:
		s.short.add(job)
	case wire.OpOwn, wire.OpImport, wire.OpRename, wire.OpRemove:
		s.own.add(job)
	default:
		s.long.add(job)
	}
}

// parseCommand reads a command. With an error it returns as much as is known of the command, for the answer's ID. What a
// question lacks, or asks for out of bounds, is the bench's to say.
func parseCommand(text string) (wire.Command, error) {
	var c wire.Command
	if len(text) > maxPicture {
		return c, tooLong(text, maxPicture)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("the command can't be understood: %w", err)
	}
	switch c.Op {
	case wire.OpRun, wire.OpSensitivity, wire.OpPlans, wire.OpSweep, wire.OpAMP:
		if c.Request == nil {
			return c, fmt.Errorf("the command %s needs a request", c.Op)
		}
	case wire.OpPicture:
		return c, nil
	case wire.OpCancel, wire.OpWarm, wire.OpPredict, wire.OpSamples, wire.OpSearch, wire.OpInspect, wire.OpAdvise, wire.OpEvaluate,
		wire.OpOwn, wire.OpImport, wire.OpRename, wire.OpRemove, wire.OpExport:
	default:
		return c, fmt.Errorf("unknown command %.20q: send %s or %s", c.Op, wire.OpRun, wire.OpCancel)
	}
	if len(text) > maxCommand {
		return c, tooLong(text, maxCommand)
	}
	return c, nil
}

func tooLong(text string, most int) error {
	return fmt.Errorf("a command of %d bytes is too long: at most %d are read", len(text), most)
}

// beside returns how a lane carries out commands that may disturb a run.
func (s *session) beside(do work) work {
	return func(ctx context.Context, c command, emit func(wire.Event)) {
		s.asked.Add(1)
		defer s.asked.Add(1)
		do(ctx, c, emit)
	}
}

// ask returns how a lane carries out questions: b answers them, and exports.
func (s *session) ask(b answerer) work {
	return s.beside(func(ctx context.Context, c command, emit func(wire.Event)) {
		if c.Op == wire.OpExport && c.Export != nil {
			lab.Conclude(ctx, export(ctx, b, *c.Export, s.download(), emit), wire.Event{}, emit)
			return
		}
		b.Do(ctx, c.Command, emit)
	})
}

// run carries out a run or an experiment, and adds to what it gives what went on meanwhile and may have made its times too long.
func (s *session) run(ctx context.Context, c command, emit func(wire.Event)) {
	met, end := s.watch()
	defer end()
	asked := s.asked.Load()
	lab.Do(ctx, s.host, s.src, c.Command, func(e wire.Event) { // its error was emitted as an event
		if e.Kind == wire.EventDone {
			notes := s.notes()
			if met() {
				notes = append(notes, "another tab of this browser measured during this run: its "+wire.NoteHigh)
			}
			if s.asked.Load() != asked {
				notes = append(notes, "the page answered other questions during this run: its "+wire.NoteHigh)
			}
			if e.Result != nil {
				e.Result.Notes = append(e.Result.Notes, notes...)
			}
			if e.Study != nil {
				e.Study.Note(notes...)
			}
			for _, n := range notes {
				emit(wire.Event{Kind: wire.EventNote, Text: n})
			}
		}
		emit(e)
	})
}

// send posts one event to the page.
func (s *session) send(id int, e wire.Event) {
	data, err := json.Marshal(wire.Envelope{ID: id, Event: e})
	if err != nil { // a number that JSON lacks; say so instead of saying nothing
		data, _ = json.Marshal(wire.Envelope{ID: id, Event: wire.Event{Kind: wire.EventError, Text: "the result can't be encoded: " + err.Error()}})
	}
	s.post(string(data))
}
