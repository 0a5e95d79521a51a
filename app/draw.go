package app

import (
	"net/url"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// drawView lets the reader draw a digit and shows what every variant answers.
func drawView() view {
	return view{
		Path: "/draw", Title: "Draw",
		Headline: "Draw a digit",
		Lede:     "Every variant answers while you draw.",
		Render:   renderDraw,
		Visit:    func(s *session, query url.Values) []string { return nil },
		Query:    func(s *session) string { return "" },
		Enter:    func(s *session) {},
	}
}

func renderDraw(s *session, level int) goapp.UI { return goapp.Div() }
