package app

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// trainingView trains a network twice, in float32 and with mixed precision, and shows how that goes.
func trainingView() view {
	return view{
		Path: "/training", Title: "Training",
		Headline: "What does training lose in half the bits?",
		Lede: "Quantization comes after training. Mixed precision comes during it: the large matrix products are computed with 16-bit numbers, " +
			"everything delicate stays float32. Watch both kinds of training side by side, from the same weights, on the same examples.",
		Render: renderTraining, Late: []string{partTrainLive, partTrainRows},
		Visit: func(s *session, query url.Values) (notices []string) {
			s.Training.Choice, notices = parseTrainChoice(query, s.Own)
			s.Training.Drafts = nil
			return notices
		},
		Named: []string{keyTrain},
		Query: func(s *session) string { return s.Training.choice().query() },
		Enter: (*session).recallStudy,
	}
}

// A TrainingState is what Training knows: what the reader chose, and how far the training has come. What trainings gave is in the
// session's Study.
type TrainingState struct {
	Choice trainChoice
	Drafts map[string]Draft // what the reader typed that can't be taken, by key
	Live   liveTraining

	drawn time.Time // when the live parts were last drawn
}

func (st *TrainingState) choice() trainChoice {
	if st.Choice.Model == "" {
		st.Choice = firstTrainChoice(nil)
	}
	return st.Choice
}

// meet takes up what there is of the reader's own.
func (st *TrainingState) meet(own *wire.Own) {
	st.Choice = st.choice()
	st.Choice.Own = own
}

// A liveTraining is what the experiment that the reader asked for has given so far.
type liveTraining struct {
	Of        trainChoice
	Trainings []wire.Training // in their order; the last one may be under way
	Row       *wire.AMPRow
	End       string // the kind of the event that ended it; "" before
}

// maxLivePoints bounds the points of a curve that are taken.
const maxLivePoints = 1024

// take adds news of a training.
func (l *liveTraining) take(news wire.Training) {
	is := func(t wire.Training) bool { return t.Model == news.Model && t.Type == news.Type && t.Seed == news.Seed }
	i := slices.IndexFunc(l.Trainings, is)
	if i < 0 {
		if len(l.Trainings) == 2*wire.MaxTrainings {
			return
		}
		i = len(l.Trainings)
		l.Trainings = append(l.Trainings, wire.Training{})
	}
	curve := slices.Concat(l.Trainings[i].Curve, news.Curve)
	news.Curve = curve[:min(len(curve), maxLivePoints)]
	l.Trainings[i] = news
}

// pair returns the trainings of the seed that was begun last, without points where one of them has not begun.
func (l *liveTraining) pair() (base, mixed wire.Training) {
	n := len(l.Trainings)
	if n == 0 {
		return
	}
	for _, t := range l.Trainings {
		if t.Seed != l.Trainings[n-1].Seed {
			continue
		}
		if t.Type == wire.BFloat16 || t.Type == wire.Float16 {
			mixed = t
		} else {
			base = t
		}
	}
	return base, mixed
}

// The parts that events have drawn anew by themselves.
const (
	partTrainAsk  = "training-ask"
	partTrainLive = "training-live"
	partTrainRows = "training-rows"
)

func renderTraining(s *session, level int) goapp.UI {
	return goapp.Div().Class("training").Body(
		goapp.Section().Class("section").Aria("labelledby", "train-measure").Body(
			goapp.Div().Class("head").Body(
				heading(level, "train-measure", "Train it twice"),
				goapp.P().Text("Once in float32, once with mixed precision, by turns."),
			),
			&trainControls{S: s, Choice: s.Training.choice(), Drafts: s.Training.Drafts, Hint: s.trainHint(), Places: s.placesFor(s.Training.choice().Where, s.Training.choice().request())},
			s.part(partTrainAsk, func() goapp.UI { return s.askTraining() }),
			s.part(partTrainLive, func() goapp.UI { return s.trainCurves(level + 1) }),
		),
		s.part(partTrainRows, func() goapp.UI { return s.trainRows(level) }),
		trainWords(level),
	)
}

// chooseTraining changes one thing of the choice, spelled as in the address. What can't be taken stays in its field with the reason.
func (s *session) chooseTraining(key, value string) {
	st := &s.Training
	delete(s.awaited, trainingView().Path)
	st.Choice = choose(s, st.choice(), &st.Drafts, key, value)
	s.remember()
}

// trainHeld says why what is chosen can't be trained, or not yet; "" where it can.
func (s *session) trainHeld() string {
	c := s.Training.choice()
	return s.held(trainingView(), c.Where, c.request())
}

// train has the chosen host train.
func (s *session) train() {
	st := &s.Training
	if s.measuring(wire.OpAMP) || len(st.Drafts) > 0 || s.trainHeld() != "" {
		return
	}
	c := st.choice()
	o := c.options()
	st.Live = liveTraining{Of: c}
	s.experiment(c.Where, wire.Command{Op: wire.OpAMP, Request: c.request(), AMP: &o}, func(e wire.Event) { s.hearTraining(c, e) })
}

// hearTraining takes an event of the training that was asked for with that choice.
func (s *session) hearTraining(asked trainChoice, e wire.Event) {
	l := &s.Training.Live
	switch e.Kind {
	case wire.EventStart: // also where one that failed is carried out again
		*l = liveTraining{Of: asked}
	case wire.EventProgress:
		s.drawTraining()
	case wire.EventTraining:
		if e.Training != nil {
			l.take(*e.Training)
		}
		s.drawTraining()
	case wire.EventAMP:
		if e.AMP != nil {
			l.Row = e.AMP
		}
		s.redraw() // it is drawn with the end, which follows
	case wire.EventDone, wire.EventError, wire.EventCancel:
		l.End = e.Kind
		if l.Row != nil && e.Kind == wire.EventDone {
			s.say(sayTraining(*l.Row))
		}
	}
}

// drawTraining has what training changes drawn anew, but not too often: drawing takes time from what is being timed. What is left
// out comes with the next event, the last of which draws the page.
func (s *session) drawTraining() {
	if time.Since(s.Training.drawn) < flushEvery {
		s.redraw()
		return
	}
	s.Training.drawn = time.Now()
	s.redraw(partTrainAsk, partTrainLive)
}

// sayTraining tells a row to those who listen.
func sayTraining(r wire.AMPRow) string {
	if r.Accuracy == nil || r.Baseline.Accuracy == nil {
		return sentence(r.Note)
	}
	text := fmt.Sprintf("%s: accuracy %s with mixed precision, %s in float32", r.Model,
		report.Percent(*r.Accuracy, r.Total), report.Percent(*r.Baseline.Accuracy, r.Baseline.Total))
	switch {
	case r.Emulated:
		text += "; emulated, so no claim about speed"
	case r.Time != nil:
		words, _ := report.VerdictInterval(r.Time)
		text += "; training time: " + words
	}
	return text + "."
}

// trained returns the newest row of the choice's model and type that a host's trainings gave, and the part that it is of.
func (st *TrainingState) trained(study wire.Study, host string) (part wire.AMP, row wire.AMPRow, ok bool) {
	c := st.choice()
	for _, p := range slices.Backward(study.AMP) {
		if p.Hardware.Host != host || p.Options.Type != c.Type {
			continue
		}
		if i := slices.IndexFunc(p.Rows, func(r wire.AMPRow) bool { return r.Model == c.Model }); i >= 0 {
			return p, p.Rows[i], true
		}
	}
	return wire.AMP{}, wire.AMPRow{}, false
}

// live returns what goes on, or was cut short, of the choice's model and type at its place.
func (st *TrainingState) live() (*liveTraining, bool) {
	l, c := &st.Live, st.choice()
	return l, len(l.Trainings) > 0 && l.End != wire.EventDone && l.Of.Model == c.Model && l.Of.Type == c.Type && l.Of.Where == c.Where
}
