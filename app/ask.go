package app

import (
	"maps"
	"slices"

	"quantlab/core/lab/wire"
)

// A lane carries the reader's questions of one kind to the worker: one is under way, one may wait, and a newer one takes its
// place. So answers keep up with a moving hand, at whatever rate the machine has.
type lane struct {
	now, next *question
}

// A question is a command and who hears its answers.
type question struct {
	id      int
	command wire.Command
	files   []int // that go with it, by their numbers
	hear    func(wire.Event)
	dropped bool // nobody listens any more
}

// ask puts a question to the worker. While an earlier one of the same lane is under way it waits; with interrupt set that one
// is cancelled, and not heard any more. hear is called on the UI goroutine for every event, never before ask has returned; the
// last one is EventDone, EventError or EventCancel. An import's files, by their numbers, go with it.
func (s *session) ask(name string, c wire.Command, interrupt bool, hear func(wire.Event), files ...int) {
	if s.lanes == nil {
		s.lanes = map[string]*lane{}
	}
	l := s.lanes[name]
	if l == nil {
		l = &lane{}
		s.lanes[name] = l
	}
	l.next = &question{command: c, files: files, hear: hear}
	if l.now != nil && interrupt {
		s.silence(l)
	}
	s.advance(l)
}

// drop forgets a lane's questions.
func (s *session) drop(name string) {
	if l := s.lanes[name]; l != nil {
		l.next = nil
		if l.now != nil {
			s.silence(l)
		}
	}
}

// advance sends a lane's next question off, if it is its turn and what it needs is there.
func (s *session) advance(l *lane) {
	q := l.next
	if q == nil || l.now != nil || s.platform == nil {
		return
	}
	problem := ""
	switch {
	case s.Native.Phase == NativeBroken:
		problem = brokenText(s.Native)
	case s.Engine.Phase == EngineFailed:
		problem = s.Engine.Text
	case !s.data || s.Native.Phase == NativePreparing:
		return // dataReady comes back to it
	}
	s.command++
	q.id, q.command.ID = -s.command, -s.command // below 0, so that its answers can be told from a run's: see start
	l.now, l.next = q, nil
	if problem != "" {
		s.soon(func() { s.answer(q.id, wire.Event{Kind: wire.EventError, Text: problem}) })
		return
	}
	s.platform.Send(encode(q.command), q.files...)
}

// advanceAll is advance for every lane, by name: a model's first lane before its second.
func (s *session) advanceAll() {
	for _, name := range slices.Sorted(maps.Keys(s.lanes)) {
		s.advance(s.lanes[name])
	}
}

// silence cancels the question that is under way. Its lane does not wait for ever to be told its end.
func (s *session) silence(l *lane) {
	q := l.now
	if q.dropped {
		return
	}
	q.dropped = true
	s.platform.Send(encode(wire.Command{ID: q.id, Op: wire.OpCancel}))
	s.platform.After(patience, func() {
		s.soon(func() { s.answer(q.id, wire.Event{Kind: wire.EventCancel}) })
	})
}

// answer takes an event of the worker to whoever asked. What nobody waits for is ignored.
func (s *session) answer(id int, e wire.Event) {
	for _, l := range s.lanes {
		q := l.now
		if q == nil || q.id != id {
			continue
		}
		if isEnd(e) {
			l.now = nil
		}
		if q.dropped {
			s.redraw()
		} else {
			q.hear(e)
		}
		s.advance(l)
		return
	}
	s.redraw()
}

func isEnd(e wire.Event) bool {
	return e.Kind == wire.EventDone || e.Kind == wire.EventError || e.Kind == wire.EventCancel
}

// unanswered ends all questions when there is no worker any more to answer them.
func (s *session) unanswered(e wire.Event) {
	var heard []*question
	for _, l := range s.lanes {
		for _, q := range []*question{l.now, l.next} {
			if q != nil && !q.dropped {
				heard = append(heard, q)
			}
		}
		l.now, l.next = nil, nil
	}
	for _, q := range heard { // each may ask anew
		q.hear(e)
	}
}
