package app

import (
	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// results is the line above the cards: what the table is, and the buttons that copy it.
type results struct {
	goapp.Compo
	S     *session
	Level int // of its heading
	View  resultsView
}

func (r *results) Render() goapp.UI {
	v := r.View
	buttons := []goapp.UI{goapp.Span().ID("copy-as").Text("Copy as")}
	for _, f := range formats {
		buttons = append(buttons, disable(goapp.Button().Type("button"), !v.Ready).ID("copy-"+f.ID).Aria("describedby", "copy-as").
			Text(f.Title).OnClick(r.onCopy(f.ID), f.ID))
	}
	buttons = append(buttons, goapp.Span().Class("copied").Text(v.Copied))
	body := []goapp.UI{
		goapp.Div().Class("results-head").Body(
			heading(r.Level, "results-title", v.Title),
			goapp.Div().Class("copies").Role("group").Aria("label", "Copy the table").Body(buttons...),
		),
		goapp.P().Class("results-text").Text(v.Text),
	}
	if v.Failed != "" {
		body = append(body, goapp.Div().Class("notice warn copy-text").Body(
			goapp.Label().For("copy-text").Text("The browser did not let this page use the clipboard. Select the text and copy it:"),
			goapp.Textarea().ID("copy-text").ReadOnly(true).Rows(6).Text(v.Failed),
			goapp.Button().Type("button").Text("Close").OnClick(r.onClose),
		))
	}
	return goapp.Div().Class("results-line").Body(body...)
}

func (r *results) onCopy(format string) goapp.EventHandler {
	return func(goapp.Context, goapp.Event) { r.S.copyResults(format) }
}

func (r *results) onClose(goapp.Context, goapp.Event) { r.S.CopyText = "" }
