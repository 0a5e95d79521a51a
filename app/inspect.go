package app

import (
	"net/url"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// inspectView shows what a conversion does to each layer, and lets the reader change it.
func inspectView() view {
	return view{
		Path: "/inspect", Title: "Inspect",
		Headline: "Look inside",
		Lede:     "What a conversion does to every layer.",
		Render:   renderInspect,
		Visit:    func(s *session, query url.Values) []string { return nil },
		Query:    func(s *session) string { return "" },
		Enter:    func(s *session) {},
	}
}

func renderInspect(s *session, level int) goapp.UI { return goapp.Div() }
