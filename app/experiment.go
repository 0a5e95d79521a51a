package app

import (
	"slices"

	"quantlab/core/lab/wire"
)

// An experiment is one command of wire's study.go on one host. It goes on as a run does, and takes turns with the runs.
type experiment struct {
	Run
	command wire.Command
	hear    func(wire.Event)
}

// experiment has a host carry out one of the experiments of wire's study.go. They wait for their turn behind the runs and the
// experiments before them. hear is called on the UI goroutine for every event, never before experiment has returned; the last
// one is EventDone, EventError or EventCancel. What EventDone brings is in s.Study then. What of the host had failed is started
// again.
func (s *session) experiment(host string, c wire.Command, hear func(wire.Event)) (cancel func()) {
	x := &experiment{Run: Run{Host: host}, command: c, hear: hear}
	if c.Request != nil {
		x.Request = *c.Request
	}
	s.Experiments = append(slices.DeleteFunc(slices.Clone(s.Experiments), func(o *experiment) bool {
		return o.command.Op == c.Op && o.Host == host && o.Phase.Over()
	}), x)
	s.revive()
	s.pump()
	if s.active == nil || s.active.experiment != x {
		if ahead := s.ahead(); ahead != "" {
			s.say(upperFirst(experimentName(c.Op)) + " waits for " + ahead + " to end.")
		}
	}
	return func() { s.cancelExperiment(x) }
}

// experimentsOf are those of one operation, as far as the page remembers: all that are not over, and the last of each host.
func (s *State) experimentsOf(op string) []*experiment {
	return slices.DeleteFunc(slices.Clone(s.Experiments), func(x *experiment) bool { return x.command.Op != op })
}

// measuring reports whether an experiment of that operation goes on, or will.
func (s *State) measuring(op string) bool {
	return slices.ContainsFunc(s.experimentsOf(op), func(x *experiment) bool { return !x.Phase.Over() })
}

// startExperiment starts the first experiment that is not over and whose engine and data are there, or says that it can't be.
func (s *session) startExperiment() (changed bool) {
	for _, x := range s.Experiments {
		if x.Phase.Over() {
			continue
		}
		ready, problem := s.ready(&x.Run)
		if problem != "" {
			x.Phase, x.Text = RunFailed, problem
			s.soon(func() { x.hear(wire.Event{Kind: wire.EventError, Text: problem}) })
			s.sayExperiment(x)
			return true
		}
		if ready {
			c := x.command
			if c.Request != nil {
				req := s.request(&x.Run)
				c.Request = &req
			}
			s.launch(x.Host, c, x)
			s.say(upperFirst(experimentName(c.Op)) + " starts " + inHost(x.Host) + ".")
			return true
		}
	}
	return false
}

// follow folds an event into an experiment, and takes it to whoever asked.
func (s *session) follow(x *experiment, e wire.Event) {
	if x.Phase.Over() {
		return
	}
	e = x.Run.follow(e)
	switch e.Kind {
	case wire.EventStart:
		s.meet(x.Host, e.Result)
	case wire.EventDone:
		if e.Study != nil {
			s.Study = withParts(s.Study, *e.Study)
			s.keepStudy()
		}
	}
	x.hear(e)
	if x.Phase.Over() {
		s.sayExperiment(x)
	}
}

func (s *session) cancelExperiment(x *experiment) {
	switch {
	case x.Phase.Over() || x.Phase == RunCanceling:
	case s.active != nil && s.active.experiment == x:
		x.Phase = RunCanceling
		s.end(s.active)
	default:
		s.follow(x, wire.Event{Kind: wire.EventCancel})
	}
}

// cancelExperiments cancels what goes on or waits of one operation.
func (s *session) cancelExperiments(op string) {
	for _, x := range slices.Backward(s.experimentsOf(op)) { // those that wait first, lest one of them starts
		s.cancelExperiment(x)
	}
}

// repeatExperiments carries out again what failed or was cancelled of one operation.
func (s *session) repeatExperiments(op string) {
	for _, x := range s.experimentsOf(op) {
		if x.Phase == RunFailed || x.Phase == RunCanceled {
			s.experiment(x.Host, x.command, x.hear)
		}
	}
}

// ahead names what measures now, and what is measured next waits for.
func (s *State) ahead() string {
	under := func(r Run) bool { return r.Phase != RunWaiting && !r.Phase.Over() }
	for _, r := range s.Runs {
		if under(r) {
			return "the run " + inHost(r.Host)
		}
	}
	for _, x := range s.Experiments {
		if under(x.Run) {
			return experimentName(x.command.Op) + " " + inHost(x.Host)
		}
	}
	return ""
}

// experimentProgress lays out the progress line of the experiments of one operation.
func (s *State) experimentProgress(op string) progressView {
	var runs []Run
	for _, x := range s.experimentsOf(op) {
		runs = append(runs, x.Run)
	}
	return s.progressOf(runs, experimentsOver(runs))
}

// experimentsOver says how experiments ended, where that needs saying.
func experimentsOver(runs []Run) string {
	text := ""
	for _, r := range runs {
		switch r.Phase {
		case RunDone:
			if text == "" {
				text = "Finished " + inHost(r.Host) + "."
			} else {
				text = "Finished in this browser and natively."
			}
		case RunCanceled:
			return "Cancelled."
		}
	}
	return text
}

// experimentName is what an operation is called within a sentence.
func experimentName(op string) string {
	switch op {
	case wire.OpSensitivity:
		return "the sensitivity analysis"
	case wire.OpPlans:
		return "the search for plans"
	case wire.OpSweep:
		return "the calibration sweep"
	case wire.OpAMP:
		return "the mixed-precision training"
	}
	return "the experiment"
}

func (s *session) sayExperiment(x *experiment) {
	name := experimentName(x.command.Op)
	switch x.Phase {
	case RunDone:
		s.say("Finished " + name + " " + inHost(x.Host) + ".")
	case RunFailed:
		s.say(upperFirst(name) + " failed " + inHost(x.Host) + ": " + sentence(x.Text))
	case RunCanceled:
		s.say("Cancelled " + name + " " + inHost(x.Host) + ".")
	}
}
