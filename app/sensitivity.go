package app

import (
	"net/url"
	"slices"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/scheme"
)

// sensitivityView asks which layers bear which numbers: one at a time, all together, and how much calibration matters.
func sensitivityView() view {
	return view{
		Path: "/sensitivity", Title: "Sensitivity",
		Headline: "Which layer can’t bear it?",
		Lede: "A network need not be quantized all alike. Quantize one layer and leave the rest in float32; then all but that one; then every mixture " +
			"that there is. What comes out says where the bits are needed, and where they are wasted.",
		Render: renderSensitivity, Late: []string{partSensLayers, partSensCheap, partFront, partSweep},
		Visit: func(s *session, query url.Values) (notices []string) {
			s.Sensitivity.Choice, notices = parseSensChoice(query, s.Own)
			s.Sensitivity.Drafts = nil
			return notices
		},
		Named: []string{keySens, keySensTest, keySensCalibrate, keyFrontPlan},
		Query: func(s *session) string { return s.Sensitivity.choice().query() },
		Enter: (*session).recallStudy,
	}
}

// A SensitivityState is what Sensitivity knows: what the reader chose, and how far its experiments have come. What these gave is in
// the session's Study.
type SensitivityState struct {
	Choice sensChoice
	Drafts map[string]Draft // what the reader typed that can't be taken, by key

	Layers, Plans, Sweep outcome

	layersSeen layersMemo
}

func (st *SensitivityState) choice() sensChoice {
	if st.Choice.Model == "" {
		st.Choice = firstSensChoice(nil)
	}
	return st.Choice
}

// meet takes up what there is of the reader's own.
func (st *SensitivityState) meet(own *wire.Own) {
	st.Choice = st.choice()
	st.Choice.Own = own
}

// The parts that answers have drawn anew by themselves.
const (
	partSensAsk    = "sensitivity-layers-ask"
	partSensLayers = "sensitivity-layers"
	partSensCheap  = "sensitivity-cheap"
	partFrontAsk   = "sensitivity-front-ask"
	partFront      = "sensitivity-front"
	partSweepAsk   = "sensitivity-sweep-ask"
	partSweep      = "sensitivity-sweep"
)

// renderSensitivity draws the controls and the three questions.
func renderSensitivity(s *session, level int) goapp.UI {
	c := s.Sensitivity.choice()
	return goapp.Div().Class("sens").Body(
		&sensControls{S: s, Choice: c, Draft: s.Sensitivity.Drafts[keySensRuns],
			Places: s.placesFor(c.Where, c.request(nil)), Why: s.sensHeld()},
		goapp.Section().Class("section").Aria("labelledby", "sens-layers").Body(
			goapp.Div().Class("head").Body(
				heading(level, "sens-layers", "One layer at a time"),
				goapp.P().Text(c.both()),
			),
			s.part(partSensAsk, func() goapp.UI { return s.askLayers() }),
			s.part(partSensLayers, func() goapp.UI { return s.sensLayers(level + 1) }),
			s.part(partSensCheap, func() goapp.UI { return s.sensCheap(level + 1) }),
		),
		goapp.Section().Class("section").Aria("labelledby", "sens-front").Body(
			goapp.Div().Class("head").Body(
				heading(level, "sens-front", "Which plans are worth having?"),
				goapp.P().Text("A plan gives each layer numbers of its own. No other plan is better than one on the front in every respect."),
			),
			s.part(partFrontAsk, func() goapp.UI { return s.askPlans() }),
			s.part(partFront, func() goapp.UI { return s.sensFront(level + 1) }),
		),
		goapp.Section().Class("section").Aria("labelledby", "sens-sweep").Body(
			goapp.Div().Class("head").Body(
				heading(level, "sens-sweep", "Calibration is a lottery: how much of one?"),
				goapp.P().Text("Static int8 learns its ranges from a few examples. Draw others, and the accuracy is another."),
			),
			s.part(partSweepAsk, func() goapp.UI { return s.askSweep() }),
			s.part(partSweep, func() goapp.UI { return s.sensSweep() }),
		),
	)
}

// chooseSens changes one thing of the choice, spelled as in the address. What can't be taken stays in its field with the reason.
func (s *session) chooseSens(key, value string) {
	st := &s.Sensitivity
	delete(s.awaited, sensitivityView().Path)
	st.Choice = choose(s, st.choice(), &st.Drafts, key, value)
	s.remember()
}

// lookAtPlan shows a plan of the front; the same once more, none.
func (s *session) lookAtPlan(plan string) {
	s.chooseSens(keyFrontPlan, plan)
	if p, ok := s.Sensitivity.lookedAt(s.Study); ok {
		s.say(p.says())
	}
}

// planLink is a link that takes a plan of the model along as the reader's own: into Inspect, and from there into every view.
func (s *session) planLink(path, text, label string, p Planner) goapp.UI {
	var parts []string
	for _, v := range viewsAt(path) {
		if q := s.queryOf(v); q != "" && v.Path != inspectView().Path {
			parts = append(parts, q)
		}
	}
	if q := p.query(); q != "" {
		parts = append(parts, q)
	}
	if len(s.hide) > 0 {
		parts = append(parts, "hide="+strings.Join(s.hide, ","))
	}
	href := path
	if len(parts) > 0 {
		href += "?" + strings.Join(parts, "&")
	}
	link := goapp.A().Class("plan-link").Href(href).Aria("label", label).Text(text)
	if s.embedded() {
		return link.Target("_blank").Rel("noopener")
	}
	return link.OnClick(func(_ goapp.Context, e goapp.Event) {
		for _, key := range []string{"ctrlKey", "metaKey", "shiftKey"} {
			if e.Get(key).Bool() { // opens a page of its own
				return
			}
		}
		s.own(p)
	}, href)
}

// own makes a plan the reader's own; Inspect can undo that.
func (s *session) own(p Planner) {
	put(&s.came, inspectView().Path, true)
	s.Inspect.set(p, "")
	s.remember()
	s.tellPlan(sayPlan(p))
}

// samePlanText reports whether two texts spell the same plan of so many layers.
func samePlanText(a, b string, layers int) bool {
	if a == b {
		return true
	}
	p, err := scheme.ParsePlan(a, layers)
	q, err2 := scheme.ParsePlan(b, layers)
	return err == nil && err2 == nil && slices.Equal(p, q)
}
