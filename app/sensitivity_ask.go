package app

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// An outcome is what an experiment that the reader asked for has given so far.
type outcome struct {
	Model, Host string
	Begun       time.Time // when it was its turn; zero before
	Fraction    float64
	Whole       bool // all that it had to give is in the session's Study

	Setting    wire.Setting
	Rows       []wire.SensitivityRow
	References []wire.Row
	Tried      []wire.PlanPoint
	Points     []wire.SweepPoint
}

// unfinished reports whether what it has given so far is newer than what the study has of the choice, and not all: it goes on, or
// was cut short.
func (q *outcome) unfinished(c sensChoice) bool {
	return !q.Whole && q.Model == c.Model && q.Host == c.Where && c.concerns(q.Setting.Settings)
}

// outcome is that of an operation.
func (st *SensitivityState) outcome(op string) *outcome {
	switch op {
	case wire.OpSensitivity:
		return &st.Layers
	case wire.OpPlans:
		return &st.Plans
	}
	return &st.Sweep
}

// inquire has the chosen host carry out one of the experiments.
func (s *session) inquire(op string) {
	st := &s.Sensitivity
	c := st.choice()
	if s.measuring(op) || len(st.Drafts) > 0 || s.sensHeld() != "" {
		return
	}
	command := wire.Command{Op: op, Request: c.request(nil)}
	switch op {
	case wire.OpSensitivity:
		command.Request = c.request(c.Variants)
	case wire.OpPlans:
		command.Plans = &wire.PlansOptions{}
	case wire.OpSweep:
		command.Sweep = &wire.SweepOptions{Sizes: slices.Clone(c.Sizes), Seeds: c.Seeds}
	}
	s.experiment(c.Where, command, func(e wire.Event) { s.hearInquiry(op, c, e) })
}

// sensHeld says why what is chosen can't be measured, or not yet; "" where it can.
func (s *session) sensHeld() string {
	c := s.Sensitivity.choice()
	return s.held(sensitivityView(), c.Where, c.request(nil))
}

// barred says why a request can't be measured on a host; "" where it can.
func (s *State) barred(host string, r *wire.Request) string {
	switch {
	case host == wire.Native && s.Native.Phase == NativeAbsent:
		return "No native engine serves this page: choose this browser."
	case host == wire.Native && s.staysHere(*r):
		return staysHereText
	}
	return ""
}

// hearInquiry takes an event of the experiment that was asked for with that choice.
func (s *session) hearInquiry(op string, asked sensChoice, e wire.Event) {
	q := s.Sensitivity.outcome(op)
	ask, answer := partsOf(op)
	switch e.Kind {
	case wire.EventStart: // also where one that failed is carried out again
		*q = outcome{Model: asked.Model, Host: asked.Where, Begun: time.Now()}
		if r := e.Result; r != nil {
			q.Setting = wire.Setting{Version: r.Version, Hardware: r.Hardware, Settings: r.Settings}
		}
	case wire.EventProgress:
		q.Fraction = max(q.Fraction, clamp01(e.Fraction))
		s.redraw(ask)
		return
	case wire.EventDone:
		q.Whole = true
		s.say(s.Sensitivity.finding(op, s.Study))
		return
	case wire.EventError, wire.EventCancel:
		return
	default:
		q.take(e)
	}
	s.redraw(append(answer, ask)...)
}

// take adds what the experiment has found.
func (q *outcome) take(e wire.Event) {
	switch {
	case e.Row != nil && e.Row.Model == q.Model && !e.Row.Partial:
		q.References = append(slices.Clone(q.References), *e.Row)
	case e.Sensitivity != nil && e.Sensitivity.Model == q.Model:
		q.Rows = append(slices.Clone(q.Rows), *e.Sensitivity)
	case e.Plan != nil && e.Plan.Model == q.Model:
		q.Tried = append(slices.Clone(q.Tried), *e.Plan)
	case e.Sweep != nil && e.Sweep.Model == q.Model:
		q.Points = append(slices.Clone(q.Points), *e.Sweep)
	}
}

// partsOf are the parts that ask for an experiment and that show what it gave.
func partsOf(op string) (ask string, answer []string) {
	switch op {
	case wire.OpSensitivity:
		return partSensAsk, []string{partSensLayers, partSensCheap}
	case wire.OpPlans:
		return partFrontAsk, []string{partFront}
	}
	return partSweepAsk, []string{partSweep}
}

// remaining says how long an experiment will still take; nothing while that is a guess.
func (q *outcome) remaining() string {
	const early, soon = .03, 2 * time.Second
	took := time.Since(q.Begun)
	if q.Begun.IsZero() || q.Fraction < early || q.Fraction >= 1 || took < soon {
		return ""
	}
	return "About " + roughly(time.Duration(float64(took)*(1-q.Fraction)/q.Fraction)) + " left."
}

// roughly writes a duration as nobody would be held to it: "10 seconds", "3 minutes".
func roughly(d time.Duration) string {
	s := d.Seconds()
	switch {
	case s < 7.5:
		return "5 seconds"
	case s < 55:
		return fmt.Sprintf("%d seconds", 5*int(math.Round(s/5)))
	case s < 90:
		return "a minute"
	}
	return fmt.Sprintf("%d minutes", int(math.Round(s/60)))
}

// A cost is what an experiment takes on a laptop: seconds whatever its size, and passes of the whole network over its test examples
// for each of its conversions. They are measured, and so include that plans share beginnings.
type cost struct{ seconds, passes float64 }

var (
	costLayers = cost{4, .35} // a plan of one layer, or of all but one
	costPlans  = cost{13, .03}
	costSweep  = cost{4, .5} // a calibration
)

// Multiply-adds a second of an engine on a laptop, roughly.
const browserRate, nativeRate = 12e9, 40e9

// takes says how long so many conversions will take.
func (c sensChoice) takes(of cost, conversions int) string {
	rate := browserRate
	if c.Where == wire.Native {
		rate = nativeRate
		of.seconds *= 3 // a native run is timed for longer
	}
	macs := 0.0
	for dims, i := c.spec().Dims(), 1; i < len(dims); i++ {
		macs += float64(dims[i-1] * dims[i])
	}
	seconds := of.seconds + of.passes*float64(conversions)*macs*float64(c.tested())/rate
	return "On a laptop that takes about " + roughly(time.Duration(seconds*float64(time.Second))) + " " + inHost(c.Where) + "."
}

// finding says in a sentence what an experiment found, for those who listen.
func (st *SensitivityState) finding(op string, study wire.Study) string {
	c := st.choice()
	var said []string
	switch op {
	case wire.OpSensitivity:
		if part, ok := st.sensitivity(study); ok {
			said = report.SensitivityFindings(part, c.Model)
		}
	case wire.OpPlans:
		if search, _, ok := st.search(study); ok {
			said = report.PlansSentences(search)
		}
	case wire.OpSweep:
		if part, ok := st.sweep(study); ok {
			said = report.SweepSentences(part, c.Model)
		}
	}
	const most = 2 // sentences that are heard out
	return strings.ReplaceAll(typographic(strings.Join(said[:min(most, len(said))], " ")), "×", " times")
}
