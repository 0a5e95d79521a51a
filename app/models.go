package app

import (
	"net/url"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// modelsView takes in what the reader brings, and gives converted models away. It is a bench, not a part of the account that all
// views together give; and on that page what is dropped is Draw's.
func modelsView() view {
	return view{
		Path: modelsPath, Title: "Models", Alone: true,
		Headline: "Bring your own model",
		Lede: "Drop a network that you trained in PyTorch, and everything here works on it: the tables, the drawing pad, the look inside. " +
			"Bring test data of your own too, and take any converted model along, as a file for PyTorch or ONNX Runtime.",
		Render: renderModels, Late: []string{partExport},
		Visit: func(s *session, query url.Values) (notices []string) {
			s.Models.Export.Choice, notices = parseExportChoice(s.catalog(), query)
			return notices
		},
		Named: []string{keyExport},
		Query: func(s *session) string { return s.Models.Export.Choice.query() },
		Enter: (*session).askOwn,
	}
}

// A ModelsState is what Models knows, beside what the reader has brought, which is in the session's Own.
type ModelsState struct {
	Bring  bringing
	Over   bool // files are held over the page
	Editor editor
	Kept   keeping
	Export exporting

	Copied  string // what was just copied, in words
	Refused string // the text that the clipboard refused

	Focus     string // id of what is to have the focus
	FocusTurn int    // counts up when it is to take it
}

// focus has an element take the focus once it is drawn.
func (m *ModelsState) focus(id string) {
	m.Focus = id
	m.FocusTurn++
}

// The parts that events have drawn anew by themselves.
const (
	partBring  = "models-bring"
	partOwn    = "models-own"
	partExport = "models-export"
)

func renderModels(s *session, level int) goapp.UI {
	return goapp.Div().Class("models").Body(
		s.part(partBring, func() goapp.UI { return s.bringBox(level) }),
		s.part(partOwn, func() goapp.UI { return s.ownBox(level) }),
		s.part(partExport, func() goapp.UI { return s.exportBox(level) }),
		&savingHelp{S: s, Level: level, Copied: s.Models.Copied},
		&focusMove{ID: s.Models.Focus, Turn: s.Models.FocusTurn},
	)
}

// focusMove moves the focus when Turn changes. It stands behind all that may take it, which is drawn then.
type focusMove struct {
	goapp.Compo
	ID   string
	Turn int
}

// OnUpdate runs when a field has changed.
func (f *focusMove) OnUpdate(goapp.Context) {
	if e := goapp.Window().GetElementByID(f.ID); e.Truthy() {
		e.Call("focus")
	}
}

func (f *focusMove) Render() goapp.UI { return goapp.Div().Class("focus-move") }

// codeBlock is lines to copy, and what they are about. Where the clipboard refuses them they can be selected where they stand.
func (s *session) codeBlock(id, about, code string) goapp.UI {
	label, done := "Copy", "Copied: "+about+"."
	if s.Models.Copied == done {
		label = "Copied"
	}
	return goapp.Div().Class("code-block").Body(
		goapp.Pre().TabIndex(0).Role("group").Aria("label", about).Body(goapp.Code().Text(code)),
		disable(goapp.Button().Type("button"), false).Class("small").ID("copy-"+id).Aria("label", label+": "+about).Text(label).
			OnClick(func(goapp.Context, goapp.Event) { s.copy(code, done, &s.Models.Copied, &s.Models.Refused) }, id, code),
	)
}

// takeAlong is the address of a view with some of its choices as given, "" for as at first, and all else as it is.
func (s *session) takeAlong(path string, set map[string]string) string {
	query, _ := url.ParseQuery(s.query(viewsAt(path), s.hide)) // of our own making
	for key, value := range set {
		if value == "" {
			query.Del(key)
			continue
		}
		query.Set(key, value)
	}
	return path + "?" + strings.ReplaceAll(query.Encode(), "%2C", ",")
}

// ownLink is a link to a view that shows what is the reader's own there.
func (s *session) ownLink(path, text, about string, set map[string]string) goapp.UI {
	link := goapp.A().Class("own-link").Href(s.takeAlong(path, set)).Aria("label", text+": "+about).Text(text)
	if s.embedded() {
		link = link.Target("_blank").Rel("noopener")
	}
	return link
}

// modelLinks lead to what can be done with a model.
func (s *session) modelLinks(m wire.OwnModel) []goapp.UI {
	id := m.Spec.ID
	play := s.ownLink("/draw", "Draw a digit for it", id, map[string]string{"digits": id})
	if m.Spec.Data == nn.SST2 {
		play = s.ownLink("/type", "Type a sentence for it", id, map[string]string{"sentences": id})
	}
	return []goapp.UI{
		s.ownLink("/", "Run the experiments on it", id, map[string]string{"models": id}),
		play,
		s.ownLink("/inspect", "Look inside", id, map[string]string{"net": id, "plan": "", "calibration": "", "calseed": "", "layer": ""}),
	}
}
