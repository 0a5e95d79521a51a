package app

import (
	"net/url"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/nn"
)

// drawView lets the reader draw a digit and shows what every variant answers.
func drawView() view {
	return view{
		Path: "/draw", Title: "Draw",
		Headline: "Draw a digit",
		Lede:     "Every variant answers while you draw: the same network with its numbers stored in fewer bits. Mostly they agree. Find a digit on which they do not.",
		Render:   renderDraw, Late: []string{answersPart, seenPart, shelfPart, searchPart},
		Visit: visitDraw,
		Named: []string{"digits"},
		Query: func(s *session) string { q, _ := s.Draw.address(); return q },
		Enter: enterDraw,
		Leave: leaveDraw,
	}
}

// visitDraw keeps what is there where the address says the same: the history of undo, and a drawing too long for an address.
func visitDraw(s *session, query url.Values) []string {
	next, notices := parseDrawing(query, s.Own)
	old, _ := s.Draw.address()
	now, _ := next.address()
	if s.Draw.Models != "" && old == now {
		return notices
	}
	next.look, next.input = s.Draw.look+1, s.Draw.input+1
	next.replies, next.samples, next.search = s.Draw.replies, s.Draw.samples, s.Draw.search
	s.Draw = next
	s.Draw.search = s.Draw.search.on(s.drawTest())
	return notices
}

func enterDraw(s *session) {
	s.askDrawing(finalPasses)
	if len(s.Draw.samples.Examples) == 0 || s.Draw.samples.Of != s.drawTest().Of {
		s.askDigits()
	}
}

// leaveDraw ends a search, which would keep Inspect waiting.
func leaveDraw(s *session) {
	if s.Draw.search.Going {
		s.cancelSearch()
	}
}

// renderDraw draws the pad beside the answers, and below what else can be put on the pad, and the search. What varies in number has a
// box of its own: go-app matches siblings by position.
func renderDraw(s *session, level int) goapp.UI {
	return goapp.Div().Class("draw").Body(
		s.part(drawPart, func() goapp.UI { return s.drawStage(level) }),
		s.part(shelfPart, func() goapp.UI { return &drawShelf{S: s, Level: level, View: s.drawShelf()} }),
		s.part(searchPart, func() goapp.UI { return &drawSearcher{S: s, Level: level, View: s.drawSearch()} }),
	)
}

// The parts of the view; drawPart, with those in it, is drawn by itself while answers follow the pen.
const (
	drawPart    = "draw"
	answersPart = "draw-answers"
	seenPart    = "draw-seen"
	shelfPart   = "draw-shelf"
	searchPart  = "draw-search"
)

func (s *session) drawStage(level int) goapp.UI {
	d := &s.Draw
	_, whole := d.address()
	shown := s.drawAnswers()
	return goapp.Div().Class("draw-stage").Body(
		goapp.Div().Class("draw-hand").Body(
			&pad{S: s, Look: d.look, Invert: d.Invert, Empty: d.drawing() == nil, Label: s.padLabel()},
			&drawSummary{View: s.drawSummary(shown)},
			&drawTools{S: s, View: s.drawTools()},
		),
		goapp.Div().Class("draw-answers").Body(
			&drawModels{S: s, Models: d.Models, Options: answerers(modelsOn(nn.MNIST, s.catalog())), Whole: whole},
			&drawStatus{S: s, View: s.drawStatus()},
			s.part(answersPart, func() goapp.UI { return &answers{View: shown} }),
			s.part(seenPart, func() goapp.UI { return &seen{Level: level, View: s.drawSeen()} }),
		),
	)
}
