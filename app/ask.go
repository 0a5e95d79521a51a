package app

import (
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
	hear    func(wire.Event)
	dropped bool // nobody listens any more
}

// ask puts a question to the worker. While an earlier one of the same lane is under way it waits; with interrupt set that one
// is cancelled, and not heard any more. hear is called on the UI goroutine for every event; the last one is EventDone, EventError
// or EventCancel.
func (s *session) ask(name string, c wire.Command, interrupt bool, hear func(wire.Event)) {
	if s.lanes == nil {
		s.lanes = map[string]*lane{}
	}
	l := s.lanes[name]
	if l == nil {
		l = &lane{}
		s.lanes[name] = l
	}
	q := &question{command: c, hear: hear}
	if l.now == nil {
		s.put(l, q)
		return
	}
	l.next = q
	if interrupt {
		s.silence(l.now)
	}
}

// drop forgets a lane's questions.
func (s *session) drop(name string) {
	if l := s.lanes[name]; l != nil {
		l.next = nil
		if l.now != nil {
			s.silence(l.now)
		}
	}
}

// asking reports whether a question of the lane is under way.
func (s *session) asking(name string) bool {
	l := s.lanes[name]
	return l != nil && l.now != nil && !(l.now.dropped && l.next == nil)
}

func (s *session) put(l *lane, q *question) {
	if s.Engine.Phase == EngineFailed {
		q.hear(wire.Event{Kind: wire.EventError, Text: s.Engine.Text})
		return
	}
	s.command++
	q.id, q.command.ID = -s.command, -s.command // below 0, so that its answers can be told from a run's: see start
	l.now = q
	s.platform.Send(encode(q.command))
}

// silence cancels a question.
func (s *session) silence(q *question) {
	if !q.dropped {
		q.dropped = true
		s.platform.Send(encode(wire.Command{ID: q.id, Op: wire.OpCancel}))
	}
}

// answer takes an event of the worker to whoever asked, and reports whether anybody did.
func (s *session) answer(id int, e wire.Event) bool {
	for _, l := range s.lanes {
		if l.now == nil || l.now.id != id {
			continue
		}
		q := l.now
		last := e.Kind == wire.EventDone || e.Kind == wire.EventError || e.Kind == wire.EventCancel
		if last {
			l.now = nil
		}
		if !q.dropped {
			q.hear(e)
		}
		if last && l.now == nil && l.next != nil {
			next := l.next
			l.next = nil
			s.put(l, next)
		}
		return true
	}
	return false
}

// unanswered ends all questions when the worker has died.
func (s *session) unanswered(why string) {
	for _, l := range s.lanes {
		for _, q := range []*question{l.now, l.next} {
			if q != nil && !q.dropped {
				q.hear(wire.Event{Kind: wire.EventError, Text: why})
			}
		}
		l.now, l.next = nil, nil
	}
}
