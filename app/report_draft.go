package app

import (
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/report/paper"
)

// draftBox is a draft of the discussion, or the reader's own words in its place.
type draftBox struct {
	goapp.Compo
	S     *session
	Draft paper.Draft
	Level int
	Stamp string // the draft in words: slices can't be compared
	Open  bool   // its text box is

	was bool // Open, when it was last drawn
}

// OnUpdate runs when a field has changed. The button that had the focus is gone when the text box opens, and the box when it closes.
func (d *draftBox) OnUpdate(goapp.Context) {
	if d.Open == d.was {
		return
	}
	d.was = d.Open
	id := "edit-" + d.Draft.ID
	if d.Open {
		id = "words-" + d.Draft.ID
	}
	if e := goapp.Window().GetElementByID(id); e.Truthy() {
		e.Call("focus")
	}
}

func (d *draftBox) Render() goapp.UI {
	v := d.Draft
	label, class := "Draft, from the numbers", "draft"
	if v.Own != "" {
		label, class = "Your words", "draft own"
	}
	var body []goapp.UI
	if d.Open {
		body = append(body, d.textBox())
	} else {
		for _, p := range paper.Paragraphs(v.Words()) {
			body = append(body, goapp.P().Text(p))
		}
	}
	var code []goapp.UI
	if v.Code != "" {
		code = append(code, goapp.Pre().Body(goapp.Code().Text(v.Code)))
	}
	cites := ""
	if len(v.Cites) > 0 {
		cites = "Rests on: " + strings.Join(v.Cites, "; ") + "."
	}
	return goapp.Article().Class(class).ID("draft-"+v.ID).DataSet("draft", v.ID).Body(
		goapp.P().Class("mark").Text(label),
		heading(d.Level, "", v.Title),
		goapp.Div().Class("draft-words").Body(body...),
		goapp.Div().Body(code...),
		goapp.P().Class("cites").Text(cites),
		goapp.Div().Class("tools").Body(d.tools()...),
	)
}

func (d *draftBox) textBox() goapp.UI {
	id := "words-" + d.Draft.ID
	return goapp.Div().Class("field").Body(
		goapp.Label().For(id).Text("Your words on “"+d.Draft.Title+"”, kept in this browser"),
		goapp.Textarea().ID(id).Class("words").Rows(8).Text(d.Draft.Words()),
	)
}

func (d *draftBox) tools() []goapp.UI {
	about := ": " + d.Draft.Title
	button := func(id, text string, do func()) goapp.UI {
		return disable(goapp.Button().Type("button"), false).Class("small").ID(id+"-"+d.Draft.ID).Aria("label", text+about).Text(text).
			OnClick(func(goapp.Context, goapp.Event) { do() }, id, d.Draft.ID)
	}
	var out []goapp.UI
	switch {
	case d.Open:
		out = append(out, button("keep", "Keep", d.keep), button("leave", "Leave it", func() { d.S.Report.Editing = "" }))
	case d.Draft.Own != "":
		out = append(out, button("edit", "Edit", d.edit), button("back", "Back to the draft", func() { d.S.write(d.Draft.ID, "") }))
	default:
		out = append(out, button("edit", "Write your own", d.edit))
	}
	return out
}

func (d *draftBox) edit() { d.S.Report.Editing = d.Draft.ID }

// keep takes what the text box holds, which stays open where that is too much. Words that are the draft's are none.
func (d *draftBox) keep() {
	words := d.Draft.Words()
	if box := goapp.Window().GetElementByID("words-" + d.Draft.ID); box.Truthy() {
		words = box.Get("value").String()
	}
	if strings.TrimSpace(words) == strings.TrimSpace(d.Draft.Text) {
		words = ""
	}
	if d.S.write(d.Draft.ID, words) {
		d.S.Report.Editing = ""
	}
}
