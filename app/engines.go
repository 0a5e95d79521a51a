package app

import (
	"encoding/json"

	"quantlab/core/lab/wire"
)

// pump starts what is next, the runs of the plan before the experiments, if its engine and its data are there.
func (s *session) pump() {
	for s.active == nil && (s.startRun() || s.startExperiment()) {
	}
}

// startRun starts the next run of the plan, or says that it can't be.
func (s *session) startRun() (changed bool) {
	run := s.Current()
	if run == nil {
		return false
	}
	ready, problem := s.ready(run)
	switch {
	case problem != "":
		run.Phase, run.Text = RunFailed, problem
		s.sayEnd(*run)
	case ready:
		req := s.request(run)
		s.launch(run.Host, wire.Command{Op: wire.OpRun, Request: &req}, nil)
	default:
		return false
	}
	return true
}

// ready reports whether a run's host can start, or why it can't at all.
func (s *session) ready(run *Run) (ready bool, problem string) {
	host := run.Host
	switch {
	case s.Native.Phase == NativeBroken:
		return false, brokenText(s.Native)
	case host == wire.Browser && s.Engine.Phase == EngineFailed:
		return false, s.Engine.Text
	case host == wire.Native && s.Native.Phase == NativeAbsent:
		return false, "No native engine serves this page: " + s.Native.Text
	case host == wire.Native && s.staysHere(run.Request):
		return false, staysHereText
	}
	return s.data && s.Native.Phase != NativePreparing && (host == wire.Browser || s.Native.Phase == NativeReady), ""
}

func brokenText(n Native) string { return "The server could not prepare its models: " + n.Text }

// launch has a host carry out a command: the current run's, or an experiment's.
func (s *session) launch(host string, c wire.Command, x *experiment) {
	s.command++
	c.ID = s.command
	a := &active{id: c.ID, host: host, experiment: x}
	s.active = a
	if host == wire.Browser {
		a.cancel = func() { s.platform.Send(encode(wire.Command{ID: a.id, Op: wire.OpCancel})) }
		s.platform.Send(encode(c))
		return
	}
	a.cancel = s.platform.NativeRun(encode(c), entriesOf(c), func(event string) {
		s.later(func() {
			var e wire.Event
			if err := json.Unmarshal([]byte(event), &e); err != nil {
				e = wire.Event{Kind: wire.EventError, Text: "The server's answer can't be read: reload the page."}
			}
			s.event(a, e)
		})
	})
}

// hear takes what the worker's bridge says.
func (s *session) hear(kind, payload string) {
	switch kind {
	case "state":
		var w workerState
		if json.Unmarshal([]byte(payload), &w) == nil {
			s.engineState(w)
		}
	case "message":
		var m wire.Envelope
		switch {
		case json.Unmarshal([]byte(payload), &m) != nil:
		case m.ID == 0 && m.Event.Kind == wire.EventOwn:
			s.redraw() // unless it says something new
			s.hearOwn(m.Event)
		case m.ID == 0:
			s.merge(wire.Browser, m.Event.Result)
		case m.ID < 0:
			s.answer(m.ID, m.Event)
			s.hearOwn(m.Event)
		case s.active != nil && s.active.host == wire.Browser && m.ID == s.active.id:
			s.event(s.active, m.Event)
		}
	}
}

func (s *session) engineState(w workerState) {
	s.Engine = Engine{Text: w.Text, Fraction: clamp01(w.Fraction)}
	switch w.State {
	case "ready":
		s.Engine.Phase = EngineReady
	case "failed":
		s.Engine.Phase = EngineFailed
		if s.Engine.Text == "" {
			s.Engine.Text = "The engine in this browser stopped."
		}
		s.unanswered(wire.Event{Kind: wire.EventError, Text: s.Engine.Text})
		s.stale = true
		if a := s.active; a != nil && a.host == wire.Browser {
			s.event(a, wire.Event{Kind: wire.EventError, Text: s.Engine.Text})
			return
		}
		s.pump()
	}
}

// event folds an event of command a into the state, and goes on when it was the last.
func (s *session) event(a *active, e wire.Event) {
	if s.active != a {
		return
	}
	if x := a.experiment; x != nil {
		if s.follow(x, e); x.Phase.Over() {
			s.active = nil
			s.pump()
		}
		return
	}
	run := s.Current()
	s.Apply(a.host, e)
	if e.Kind == wire.EventRow && e.Row != nil && !e.Row.Partial {
		s.say(sayRow(*e.Row))
	}
	if run == nil || !run.Phase.Over() {
		return
	}
	s.active = nil
	s.sayEnd(*run)
	if next := s.next; next != nil {
		s.next = nil
		s.begin(next)
		return
	}
	s.pump()
}

func (s *session) sayEnd(run Run) {
	switch run.Phase {
	case RunDone:
		s.say("Finished " + inHost(run.Host) + ".")
	case RunFailed:
		s.say(runName(run.Host) + " failed: " + run.Text)
	case RunCanceled:
		s.say("Cancelled " + inHost(run.Host) + ".")
	}
}

// meetNative takes the native host's answer to who it is.
func (s *session) meetNative(hardware, problem string) {
	var hw wire.Hardware
	if hardware != "" && json.Unmarshal([]byte(hardware), &hw) != nil {
		hardware, problem = "", "its answer can't be read"
	}
	if hardware == "" {
		s.Native = Native{Phase: NativeAbsent, Text: problem}
		s.dataReady()
		return
	}
	put(&s.Hardware, wire.Native, hw)
	if s.Native.Phase == NativeUnknown {
		s.Native.Phase = NativeReady
	}
	var stop func()
	stop = s.platform.NativeStatus(func(status string) {
		s.soon(func() {
			var n nativeStatus
			if json.Unmarshal([]byte(status), &n) != nil {
				return
			}
			s.prepare(n)
			if n.Ready && stop != nil {
				stop()
			}
		})
	})
}

// prepare takes the server's word on its models and data.
func (s *session) prepare(n nativeStatus) {
	if n.Ready {
		s.Native = Native{Phase: NativeReady}
		s.dataReady()
		return
	}
	if n.Failed {
		s.Native = Native{Phase: NativeBroken, Text: n.Text}
		s.pump()
		s.advanceAll()
		return
	}
	text := n.Step
	if n.Text != "" {
		text = n.Text
	}
	s.Native = Native{Phase: NativePreparing, Text: text, Fraction: clamp01(n.Fraction)}
}

// dataReady lets the engines start, unless the server said that it still prepares.
func (s *session) dataReady() {
	if s.Native.Phase == NativePreparing || s.Native.Phase == NativeBroken {
		return
	}
	s.data = true
	s.pump()
	s.advanceAll()
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // the wire types always encode
		return "{}"
	}
	return string(b)
}
