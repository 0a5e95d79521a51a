package app

import (
	"net/url"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// typeView lets the reader type a sentence and shows what every variant answers.
func typeView() view {
	return view{
		Path: "/type", Title: "Type",
		Headline: "Type a sentence",
		Lede:     "Every variant answers while you type.",
		Render:   renderType,
		Visit:    func(s *session, query url.Values) []string { return nil },
		Query:    func(s *session) string { return "" },
		Enter:    func(s *session) {},
	}
}

func renderType(s *session, level int) goapp.UI { return goapp.Div() }
