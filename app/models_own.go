package app

import (
	"fmt"
	"slices"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
)

// An editor is the form that is open in one of the cards: another name, or whether to delete it.
type editor struct {
	errand
	Kind, Name string // of the card; "" where none is open
	Remove     bool   // and not rename
	To         string // the new name as it is typed
}

// A keeping is what there is to know of how things are kept.
type keeping struct {
	errand
	Notes []string
}

func (k *keeping) note(text string) {
	if text = sentence(text); text != "" && !slices.Contains(k.Notes, text) {
		k.Notes = append(slices.Clone(k.Notes), text)
	}
}

// askOwn asks what there is, and what there is to know of it. The session takes over the answer.
func (s *session) askOwn() {
	s.Models.Kept = keeping{errand: startErrand()}
	s.ask("models-kept", wire.Command{Op: wire.OpOwn}, true, func(e wire.Event) {
		k := &s.Models.Kept
		k.apply(e)
		if e.Kind == wire.EventNote {
			k.note(e.Text)
		}
	})
}

// laneOwn is the lane of what changes something that is kept.
const laneOwn = "models-own"

// edit opens a card's form.
func (s *session) editOwn(kind, name string, remove bool) {
	s.Models.Editor = editor{Kind: kind, Name: name, Remove: remove, To: name}
	s.Models.focus(editorID(remove))
}

func editorID(remove bool) string {
	if remove {
		return "models-keep"
	}
	return "models-name"
}

// closeEditor leaves a card as it is.
func (s *session) closeEditor() {
	e := s.Models.Editor
	s.drop(laneOwn)
	s.Models.Editor = editor{}
	s.Models.focus(cardButton(e.Kind, e.Name, e.Remove))
}

// cardButton is the id of the button that opens a card's form.
func cardButton(kind, name string, remove bool) string {
	if remove {
		return "remove-" + kind + "-" + name
	}
	return "rename-" + kind + "-" + name
}

// rename gives what the open card shows the name that was typed.
func (s *session) rename() {
	e := &s.Models.Editor
	if e.To == e.Name {
		s.closeEditor()
		return
	}
	if e.Phase == errandAsked || s.nameProblem(e.Kind, e.To, e.Name) != "" {
		return
	}
	req := wire.RenameRequest{Kind: e.Kind, From: e.Name, To: e.To}
	s.changeOwn(wire.Command{Op: wire.OpRename, Rename: &req}, func() {
		s.say(req.From + " is called " + req.To + " now.")
		s.Models.focus(cardButton(req.Kind, req.To, false))
	})
}

// removeOwn takes away what the open card shows.
func (s *session) removeOwn() {
	e := &s.Models.Editor
	if e.Phase == errandAsked {
		return
	}
	req := wire.RemoveRequest{Kind: e.Kind, Name: e.Name}
	s.changeOwn(wire.Command{Op: wire.OpRemove, Remove: &req}, func() {
		s.say(req.Name + " is deleted.")
		s.Models.focus(ownID)
	})
}

// changeOwn has the worker change what is kept; done follows where that succeeds.
func (s *session) changeOwn(c wire.Command, done func()) {
	e := &s.Models.Editor
	e.errand = startErrand()
	s.revive()
	s.ask(laneOwn, c, false, func(event wire.Event) {
		e := &s.Models.Editor
		e.apply(event)
		switch event.Kind {
		case wire.EventOwn: // which the session takes over next
			s.exportFollows(c)
		case wire.EventDone:
			if b := &s.Models.Bring; b.Phase == errandDone && len(b.Questions) == 0 {
				*b = bringing{} // what it says may be of yesterday
			}
			done()
			*e = editor{}
			s.remember()
		case wire.EventError:
			s.say(sentence(event.Text))
		}
	})
}

// ownBox lists what the reader has brought.
func (s *session) ownBox(level int) goapp.UI {
	var own wire.Own
	if s.Own != nil {
		own = *s.Own
	}
	var cards []goapp.UI
	for _, m := range own.Models {
		cards = append(cards, s.modelCard(level+1, m))
	}
	for _, d := range own.Data {
		cards = append(cards, s.dataCard(level+1, d))
	}
	title := "Your models and your data"
	return goapp.Section().Class("section own").Aria("labelledby", ownID).Body(
		goapp.Div().Class("head").Body(headingWith(level, ownID, title), goapp.P().Text(s.ownLede(len(cards)))),
		goapp.Div().Body(s.keptNotices()...),
		goapp.Div().Class("own-cards").Body(cards...),
		goapp.Div().Body(s.ownEmpty(len(cards))...),
	)
}

// ownLede says where it is kept.
func (s *session) ownLede(n int) string {
	switch {
	case n == 0:
		return ""
	case len(s.Models.Kept.Notes) > 0:
		return "Each can be chosen in every view."
	}
	return "Kept in this browser. Each can be chosen in every view."
}

// keptNotices say what there is to know of how things are kept.
func (s *session) keptNotices() []goapp.UI {
	k := &s.Models.Kept
	var out []goapp.UI
	for _, n := range k.Notes {
		out = append(out, goapp.P().Class("notice warn").Text(n))
	}
	if k.Phase == errandFailed {
		out = append(out, goapp.Div().Class("notice bad").Body(
			goapp.P().Text(sentence(k.Text)),
			disable(goapp.Button().Type("button"), false).Class("small").ID("models-kept-again").Text("Try again").OnClick(func(goapp.Context, goapp.Event) {
				s.revive()
				s.askOwn()
			}),
		))
	}
	return out
}

func (s *session) ownEmpty(n int) []goapp.UI {
	if n > 0 {
		return nil
	}
	text := "Nothing yet. What you bring is listed here, and stands beside the lab’s models wherever one is chosen."
	if s.Own == nil && s.Models.Kept.Phase != errandFailed {
		text = "Looking for what you brought before …"
	}
	return []goapp.UI{goapp.P().Class("empty").Text(text)}
}

// modelCard is a model of the reader's own, with what can be done with it.
func (s *session) modelCard(level int, m wire.OwnModel) goapp.UI {
	id := m.Spec.ID
	return s.ownCard(level, wire.KindModel, id, m.Spec.Shape(), origin(m.File, m.Format, m.Bytes), modelFacts(m.Spec)[1:], m.Notes, s.modelLinks(m),
		disable(goapp.Button().Type("button"), false).Class("small").ID("export-"+id).Text("Export").Aria("label", "Export "+id).
			OnClick(func(goapp.Context, goapp.Event) { s.exportOwn(id) }, id))
}

// dataCard is a set of examples of the reader's own.
func (s *session) dataCard(level int, d wire.OwnData) goapp.UI {
	return s.ownCard(level, wire.KindData, d.Name, exampleCount(d), origin(d.File, d.Format, d.Bytes), dataFacts(d)[1:], d.Notes, s.dataLinks(d))
}

func (s *session) ownCard(level int, kind, name, what, from string, list [][2]string, told []string, links []goapp.UI, more ...goapp.UI) goapp.UI {
	title := "own-" + kind + "-" + name
	e := s.Models.Editor
	var foot goapp.UI
	switch {
	case e.Kind != kind || e.Name != name:
		foot = goapp.Div().Class("tools card-tools").Body(append(more,
			s.cardTool(kind, name, "Rename", false), s.cardTool(kind, name, "Delete", true))...)
	case e.Remove:
		foot = s.removeForm(e)
	default:
		foot = s.renameForm(e)
	}
	return goapp.Article().Class("card own-card").DataSet("own", name).Aria("labelledby", title).Body(
		goapp.Header().Body(
			headingOf(level, title, goapp.Span().Text(name), goapp.Text(" "), goapp.Small().Text(kindName(kind))),
			goapp.P().Text(what),
		),
		goapp.Div().Class("brought-body").Body(
			facts(append(list, [2]string{"From", from})),
			howRead(told),
			goapp.P().Class("own-links").Body(spaced(links)...),
			goapp.Div().Class("card-foot").Body(foot),
		),
	)
}

// howRead folds the notes away.
func howRead(told []string) goapp.UI {
	if len(told) == 0 {
		return goapp.Div()
	}
	return goapp.Details().Class("quiet-details").Body(goapp.Summary().Text("How it was read"), notes(told))
}

func (s *session) cardTool(kind, name, text string, remove bool) goapp.UI {
	return disable(goapp.Button().Type("button"), s.Models.Editor.Phase == errandAsked).Class("small").ID(cardButton(kind, name, remove)).
		Aria("label", text+" "+name).Text(text).
		OnClick(func(goapp.Context, goapp.Event) { s.editOwn(kind, name, remove) }, kind, name, remove)
}

// maxTypedName bounds what a field for a name takes: enough that what is wrong with a long one is said.
const maxTypedName = 2 * nn.MaxName

// renameForm asks for another name.
func (s *session) renameForm(e editor) goapp.UI {
	problem, busy := s.nameProblem(e.Kind, e.To, e.Name), e.Phase == errandAsked
	if e.Phase == errandFailed {
		problem = sentence(e.Text)
	}
	field := goapp.Input().ID("models-name").Type("text").Class("name").AutoComplete(false).Spellcheck(false).Attr("autocapitalize", "none").
		MaxLength(maxTypedName).Disabled(busy).Aria("describedby", "models-name-problem").
		OnInput(func(ctx goapp.Context, _ goapp.Event) { s.typeName(ctx.JSSrc().Get("value").String()) }).
		OnKeyDown(s.onNameKey)
	if problem != "" {
		field = field.Aria("invalid", "true")
	}
	return goapp.Div().Class("field rename").Role("group").Aria("label", "Rename "+e.Name).OnKeyDown(s.onEditorKey).Body(
		goapp.Label().For("models-name").Text("Its new name"),
		field.Value(e.To),
		goapp.P().Class("problem").ID("models-name-problem").Text(problem),
		goapp.Div().Class("tools").Body(
			disable(goapp.Button().Type("button"), busy || problem != "" && e.Phase != errandFailed).Class("small").ID("models-rename").Text("Rename").
				OnClick(func(goapp.Context, goapp.Event) { s.rename() }),
			disable(goapp.Button().Type("button"), false).Class("small quiet").ID("models-rename-leave").Text("Leave it").
				OnClick(func(goapp.Context, goapp.Event) { s.closeEditor() }),
		),
	)
}

func (s *session) typeName(name string) {
	e := &s.Models.Editor
	e.To, e.errand = strings.TrimSpace(name), errand{}
}

// onNameKey takes Enter for yes.
func (s *session) onNameKey(_ goapp.Context, e goapp.Event) {
	if e.Get("key").String() == "Enter" {
		s.rename()
	}
}

// onEditorKey takes Escape for no.
func (s *session) onEditorKey(_ goapp.Context, e goapp.Event) {
	if e.Get("key").String() == "Escape" {
		s.closeEditor()
	}
}

// removeForm asks once more.
func (s *session) removeForm(e editor) goapp.UI {
	busy, problem := e.Phase == errandAsked, ""
	if e.Phase == errandFailed {
		problem = sentence(e.Text)
	}
	return goapp.Div().Class("remove").Role("group").Aria("labelledby", "models-remove-text").OnKeyDown(s.onEditorKey).Body(
		goapp.P().ID("models-remove-text").Body(goapp.B().Text("Delete "+e.Name+"? "), goapp.Text("It is gone for good from this browser; your file stays where it is. "+
			"What was measured with it stays on the page.")),
		goapp.P().Class("problem").Text(problem),
		goapp.Div().Class("tools").Body(
			disable(goapp.Button().Type("button"), busy).Class("small danger").ID("models-remove").Text("Delete").Aria("label", "Delete "+e.Name+" for good").
				OnClick(func(goapp.Context, goapp.Event) { s.removeOwn() }),
			disable(goapp.Button().Type("button"), false).Class("small").ID("models-keep").Text("Keep it").
				OnClick(func(goapp.Context, goapp.Event) { s.closeEditor() }),
		),
	)
}

// modelFacts say what a model is. The first is its shape.
func modelFacts(spec nn.Spec) [][2]string {
	list := [][2]string{
		{"Layers", spec.Shape()},
		{"Parameters", report.Count(spec.Params())},
		{"Reads", readsWhat(spec)},
		{"Tells apart", classList(spec.Labels())},
	}
	if spec.Test != "" {
		list = append(list, [2]string{"Tested on", spec.Test})
	}
	if spec.Calibration != "" {
		list = append(list, [2]string{"Calibrated on", spec.Calibration})
	}
	return list
}

// readsWhat says what a model's inputs are.
func readsWhat(spec nn.Spec) string {
	if spec.Data == nn.SST2 {
		if spec.Binary {
			return fmt.Sprintf("which of %s words occur", report.Count(spec.In))
		}
		return fmt.Sprintf("how often each of %s words occurs", report.Count(spec.In))
	}
	text := fmt.Sprintf("digits of %d × %d pixels, ", spec.Crop, spec.Crop)
	if c := spec.Scaling; c.Std != 0 && (c.Mean != 0 || c.Std != 1) {
		return text + fmt.Sprintf("(pixel/255 − %.4g) / %.4g", c.Mean, c.Std)
	}
	return text + "from 0 to 1"
}

// dataFacts say what a set of examples is. The first is how many.
func dataFacts(d wire.OwnData) [][2]string {
	return [][2]string{{"Examples", exampleCount(d)}, {"Classes", classList(d.Labels)}}
}

// exampleCount spells how many examples of what there are.
func exampleCount(d wire.OwnData) string {
	if d.Data == nn.SST2 {
		return plural(d.Examples, "sentence")
	}
	return plural(d.Examples, "image")
}

// mostClasses is how many names of classes are listed.
const mostClasses = 10

func classList(labels []string) string {
	text := plural(len(labels), "class")
	if len(labels) != 1 {
		text = report.Count(len(labels)) + " classes"
	}
	shown, rest := labels, ""
	if len(labels) > mostClasses {
		shown, rest = labels[:mostClasses], " …"
	}
	return text + ": " + strings.Join(shown, ", ") + rest
}

// dataLinks lead to what can be done with a set of examples.
func (s *session) dataLinks(d wire.OwnData) []goapp.UI {
	return []goapp.UI{
		s.ownLink("/", "Measure accuracy on it", d.Name, map[string]string{"test": d.Name}),
		s.ownLink("/", "Calibrate with it", d.Name, map[string]string{"calibrate": d.Name}),
	}
}

// spaced puts links into a line of text, which may break between them.
func spaced(links []goapp.UI) []goapp.UI {
	var out []goapp.UI
	for _, l := range links {
		out = append(out, l, goapp.Text(" "))
	}
	return out
}
