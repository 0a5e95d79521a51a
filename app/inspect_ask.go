package app

import (
	"slices"
	"time"

	"quantlab/core/lab/wire"
)

// errandPhase is how far a question to the worker has come.
type errandPhase int

const (
	errandIdle errandPhase = iota // not asked, or the worker was ended meanwhile
	errandAsked
	errandDone
	errandCanceled
	errandFailed
)

// An errand is a question that the reader waits for.
type errand struct {
	Phase    errandPhase
	Since    time.Time // it was asked
	Step     string    // what is being done, where that takes long
	Fraction float64
	Text     string // why it failed
}

// startErrand is a question that is being put.
func startErrand() errand { return errand{Phase: errandAsked, Since: time.Now()} }

// apply folds an event into the errand.
func (e *errand) apply(event wire.Event) {
	switch event.Kind {
	case wire.EventProgress:
		e.Step, e.Fraction = event.Step, clamp01(event.Fraction)
	case wire.EventDone:
		*e = errand{Phase: errandDone}
	case wire.EventCancel:
		*e = errand{} // not by the reader, who would not hear of it
	case wire.EventError:
		*e = errand{Phase: errandFailed, Text: event.Text}
	}
}

// An evaluation is what a plan is worth: its row, and the one before it.
type evaluation struct {
	errand
	Asked   wire.EvaluateRequest
	Heard   bool      // the worker has begun to answer
	Timing  errand    // of the latencies, which are asked for last
	Row     *wire.Row // the latest, of whatever plan
	Of      wire.EvaluateRequest
	Latency map[string]wire.Latency // the latest
	LateOf  wire.EvaluateRequest    // the plan that Latency is of
	Before  *wire.Row               // the complete row of the plan before, of the same model
	Last    *wire.Row               // the latest complete one
	Base    *wire.Row               // float32's, of the same model
}

// The batch sizes that are timed: the lab's.
var timedBatches = []int{1, 64}

// sameEvaluation reports whether two requests ask for the same row.
func sameEvaluation(a, b wire.EvaluateRequest) bool {
	return a.Model == b.Model && a.Conversion == b.Conversion
}

// What was told of a plan to those who listen.
type told struct{ Plan, Worth string }

// An advice is what would do better.
type advice struct {
	errand
	Asked wire.AdviseRequest
	List  []wire.Advice
}

// settled is how long after the last move of a hand the figures are told to those who listen.
const settled = 700 * time.Millisecond

// forgive lets what failed be asked again.
func (i *InspectState) forgive() {
	for _, e := range []*errand{&i.Evaluation.errand, &i.Evaluation.Timing, &i.Inside.errand} {
		if e.Phase == errandFailed {
			e.Phase = errandIdle
		}
	}
}

// consult asks the worker about the plan, wherever it has not been asked yet. The worker does one thing after another, so the
// order counts: accuracy first, then what the layers look like, and when all is known and the hand rests, how fast it is.
func (s *session) consult() {
	i := &s.Inspect
	p, e, in := i.planner(), &i.Evaluation, &i.Inside
	evaluate := wire.EvaluateRequest{Model: p.Model, Conversion: p.conversion()}
	look := i.look()
	newLook := in.Phase == errandIdle || !sameLook(in.Asked, look)
	switch {
	case e.Phase == errandIdle || !sameEvaluation(e.Asked, evaluate):
		if newLook {
			s.drop("inspect") // it would only be in the way
			in.errand = errand{}
		}
		s.evaluate(evaluate)
	case e.Phase == errandAsked && !e.Heard:
	case newLook:
		s.look(look)
	case e.Phase == errandDone && e.Timing.Phase == errandIdle && in.Phase != errandAsked && i.Held == "":
		s.time(evaluate)
	}
	advise := wire.AdviseRequest{Model: p.Model, Conversion: p.conversion()}
	if a := &i.Advice; a.Phase != errandIdle && a.Asked != advise {
		s.drop("advise")
		*a = advice{}
	}
}

func (s *session) evaluate(req wire.EvaluateRequest) {
	e := &s.Inspect.Evaluation
	e.errand, e.Timing, e.Asked, e.Heard = startErrand(), errand{}, req, false
	s.ask("evaluate", wire.Command{Op: wire.OpEvaluate, Evaluate: &req}, true, func(event wire.Event) {
		e := &s.Inspect.Evaluation
		if !sameEvaluation(e.Asked, req) { // the worker died with two questions
			return
		}
		e.Heard = true
		e.apply(event)
		switch {
		case event.Kind == wire.EventRow && event.Row != nil:
			e.row(*event.Row)
		case event.Kind == wire.EventDone:
			e.finish()
			s.sayEvaluation(req)
		case event.Kind == wire.EventError:
			s.say(sentence(event.Text))
			s.consult()
			return
		}
		s.consult()
		s.redraw(partLive, partWords)
	})
}

// timedExamples is as many test examples as the largest timed batch takes.
const timedExamples = 64

// time asks how fast the plan is.
func (s *session) time(req wire.EvaluateRequest) {
	e := &s.Inspect.Evaluation
	e.Timing = startErrand()
	timing := req
	timing.Examples, timing.Batches = timedExamples, timedBatches
	s.ask("evaluate", wire.Command{Op: wire.OpEvaluate, Evaluate: &timing}, true, func(event wire.Event) {
		e := &s.Inspect.Evaluation
		if !sameEvaluation(e.Asked, req) {
			return
		}
		e.Timing.apply(event)
		if r := event.Row; event.Kind == wire.EventRow && r != nil && r.Variant != wire.Baseline && len(r.LatencyUS) > 0 {
			e.Latency, e.LateOf = r.LatencyUS, e.Asked
		}
		s.redraw(partLive, partWords)
	})
}

// tellPlan tells what the plan is, in the place of everything that was told of an earlier one; tellWorth what it is worth, in the place
// of what an earlier one was: the page's announcements add up while they come in quick succession.
func (s *session) tellPlan(text string) {
	s.untell(s.Inspect.Told.Plan, s.Inspect.Told.Worth)
	s.Inspect.Told = told{Plan: text}
	s.say(text)
}

func (s *session) tellWorth(text string) {
	s.untell(s.Inspect.Told.Worth)
	s.Inspect.Told.Worth = text
	s.say(text)
}

func (s *session) untell(texts ...string) {
	s.said = slices.DeleteFunc(slices.Clone(s.said), func(t string) bool { return slices.Contains(texts, t) })
}

// row takes over a row of some of the examples, or of all: the plan’s, or float32’s.
func (e *evaluation) row(r wire.Row) {
	if r.Variant == wire.Baseline {
		e.Base = &r
		return
	}
	e.Row, e.Of = &r, e.Asked
}

// finish marks the latest row as complete.
func (e *evaluation) finish() {
	if e.Row == nil || !sameEvaluation(e.Of, e.Asked) {
		return
	}
	e.Before = nil
	if e.Last != nil && e.Last.Model == e.Row.Model {
		e.Before = e.Last
	}
	e.Last = e.Row
}

// sayEvaluation tells the accuracy, once the hand has come to rest.
func (s *session) sayEvaluation(req wire.EvaluateRequest) {
	s.platform.After(settled, func() {
		s.later(func() {
			e := &s.Inspect.Evaluation
			if e.Phase == errandDone && sameEvaluation(e.Asked, req) && e.Row != nil {
				s.tellWorth(e.words())
			}
		})
	})
}

// advise looks for what would do better.
func (s *session) advise() {
	p := s.Inspect.planner()
	req := wire.AdviseRequest{Model: p.Model, Conversion: p.conversion()}
	s.Inspect.Advice = advice{errand: startErrand(), Asked: req}
	s.ask("advise", wire.Command{Op: wire.OpAdvise, Advise: &req}, true, func(event wire.Event) {
		a := &s.Inspect.Advice
		if a.Phase == errandIdle || a.Asked != req {
			return
		}
		a.apply(event)
		if event.Kind == wire.EventAdvice && event.Advice != nil {
			a.List = append(slices.Clone(a.List), *event.Advice)
		}
		if event.Kind == wire.EventDone {
			s.say(a.words())
			return
		}
		s.redraw(partAdvice)
	})
}

// useAdvice takes over a piece of advice.
func (s *session) useAdvice(v wire.Advice) {
	p := s.Inspect.planner()
	if v.Layer < 0 || v.Layer >= len(p.Plan) {
		return
	}
	shown := p.Layer
	p.Layer = v.Layer
	next, err := p.with(knobScheme, v.Scheme)
	if err != nil {
		s.say(sentence(err.Error()))
		return
	}
	next.Layer = shown
	s.choose(func(i *InspectState) { i.set(next, "") })
}

// retryErrand asks a lane's question once more, and whatever else failed, and starts the worker anew if that had died.
func (s *session) retryErrand(lane string) {
	s.revive()
	i := &s.Inspect
	i.forgive()
	switch lane {
	case "evaluate":
		i.Evaluation.Timing = errand{}
		if i.Evaluation.Phase != errandDone {
			i.Evaluation.Phase = errandIdle
		}
	case "inspect":
		i.Inside.Phase = errandIdle
	case "advise":
		s.advise()
	}
	s.consult()
}

// cancelErrand is the reader's Cancel.
func (s *session) cancelErrand(lane string) {
	s.drop(lane)
	i := &s.Inspect
	switch lane {
	case "evaluate":
		e := &i.Evaluation
		if e.Phase == errandAsked {
			e.errand = errand{Phase: errandCanceled}
		}
		e.Timing = errand{Phase: errandCanceled}
	case "inspect":
		i.Inside.errand = errand{Phase: errandCanceled}
	case "advise":
		i.Advice = advice{}
	}
}
