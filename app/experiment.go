package app

import "quantlab/core/lab/wire"

// experiment has a host carry out one of the experiments of wire's study.go. They wait for their turn behind the runs and the
// experiments before them. hear is called on the UI goroutine for every event, never before experiment has returned; the last
// one is EventDone, EventError or EventCancel. What EventDone brings is in s.Study then.
func (s *session) experiment(host string, c wire.Command, hear func(wire.Event)) (cancel func()) {
	s.ask("experiment", c, false, hear)
	return func() { s.drop("experiment") }
}
