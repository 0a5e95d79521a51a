package app

import (
	"slices"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/nn"
)

// drawAnswers lays out the answers.
func (s *session) drawAnswers() answersView {
	v := answersView{Input: "this drawing"}
	for _, model := range s.Draw.asked() {
		r := s.Draw.reply(model)
		g := newAnswers(s.spec(model), s.customFor(model) != nil, r.Prediction, r.Timed)
		g.Stale = r.Prediction != nil && r.Input != s.Draw.input
		v.Groups = append(v.Groups, g)
	}
	return v
}

// A summaryView is the answers in a line a model, which stays in sight beside the pad where the rows do not.
type summaryView struct {
	Lines []summaryLine
	Text  string
}

type summaryLine struct {
	Model string // "" where there is one model only
	Rows  []answerRow
}

func (s *session) drawSummary(shown answersView) summaryView {
	v := summaryView{Text: s.drawVerdict()}
	for _, g := range shown.Groups {
		line := summaryLine{}
		if s.Draw.Models == Both {
			line.Model = g.Model
		}
		for _, r := range g.Rows {
			line.Rows = append(line.Rows, answerRow{Variant: r.Variant, Name: r.Name, Label: r.Label, Differs: r.Differs})
		}
		v.Lines = append(v.Lines, line)
	}
	switch {
	case v.Text != "":
	case s.Draw.drawing() == nil:
		v.Text = "Draw a digit, and the answers stand here."
	case s.drawStatus().Failed != "":
		v.Text = "There is no answer yet."
	default:
		v.Text = "The answers are on their way."
	}
	return v
}

type drawSummary struct {
	goapp.Compo
	View summaryView
}

func (d *drawSummary) Render() goapp.UI {
	return goapp.Div().Class("draw-summary").Body(
		goapp.Div().Class("summary-lines").Aria("hidden", "true").Body(goapp.Range(d.View.Lines).Slice(func(i int) goapp.UI {
			l := d.View.Lines[i]
			return goapp.Div().Class("summary-line").Body(
				goapp.Span().Class("summary-model").Text(l.Model),
				goapp.Range(l.Rows).Slice(func(k int) goapp.UI { return summaryChip(l.Rows[k]) }),
			)
		})),
		goapp.P().Class("summary-text").Text(d.View.Text),
	)
}

func summaryChip(r answerRow) goapp.UI {
	class, label := "summary-chip", r.Label
	switch {
	case r.Differs:
		class += " differs"
	case label == "":
		label = "–"
	}
	return goapp.Span().Class(class).Title(r.Name).Body(goapp.Raw(markerSVG(r.Variant)), goapp.B().Text(label))
}

// A toolsView is what the buttons under the pad can do, and what centring does.
type toolsView struct {
	Undo, Redo, Clear bool
	AsDrawn, Invert   bool
	Centring          string
}

func (s *session) drawTools() toolsView {
	d := &s.Draw
	v := toolsView{
		Undo: len(d.past) > 0 || len(d.stroke) > 0, Redo: len(d.future) > 0, Clear: d.drawing() != nil,
		AsDrawn: d.AsDrawn, Invert: d.Invert,
		Centring: "MNIST’s digits were centred by their mass and scaled to 20 pixels, so the nets expect that.",
	}
	if d.AsDrawn {
		v.Centring = "Off: the nets see the field as it is. They never learned that a digit may stand elsewhere or be smaller."
	}
	if d.Invert {
		v.Centring += " Inverted: dark ink on a light field is nothing they ever saw."
	}
	if d.sketch.Example != nil && len(d.stroke) == 0 {
		v.Centring += " An image of the test set already is so."
	}
	if d.centring != "" {
		v.Centring += " " + d.centring
	}
	return v
}

type drawTools struct {
	goapp.Compo
	S    *session
	View toolsView
}

func (d *drawTools) Render() goapp.UI {
	v := d.View
	tool := func(id, text, keys string, on bool, do func()) goapp.UI {
		return disable(goapp.Button().Type("button"), !on).ID("draw-"+id).Text(text).Title(keys).
			OnClick(func(goapp.Context, goapp.Event) { do() }, id)
	}
	toggle := func(id, text string, on bool, set func(bool)) goapp.UI {
		return goapp.Label().Body(
			check(goapp.Input().Type("checkbox"), on).ID("draw-"+id).
				OnChange(func(ctx goapp.Context, _ goapp.Event) { set(ctx.JSSrc().Get("checked").Bool()) }, id),
			goapp.Span().Text(text),
		)
	}
	return goapp.Div().Class("draw-tools").Body(
		goapp.Div().Class("tools").Role("group").Aria("label", "Drawing").Body(
			tool("undo", "Undo", "Ctrl+Z", v.Undo, d.S.undoDrawing),
			tool("redo", "Redo", "Ctrl+Shift+Z", v.Redo, d.S.redoDrawing),
			tool("clear", "Clear", "Delete, on the pad", v.Clear, d.S.clearDrawing),
		),
		goapp.Div().Class("checks").Body(
			toggle("centre", "Centre and scale", !v.AsDrawn, func(on bool) { d.S.setAsDrawn(!on) }),
			toggle("invert", "Invert", v.Invert, d.S.setInvert),
		),
		goapp.P().Class("about").ID("draw-centring").Text(v.Centring),
	)
}

// drawModels chooses who answers, and says where a drawing is too long for a link.
type drawModels struct {
	goapp.Compo
	S       *session
	Models  string
	Options []option
	Whole   bool // the address holds the drawing
}

// answerers are the choices of a view that asks one model, or both of the lab's: these, and then the reader's own.
func answerers(models nn.Catalog) []option {
	all := modelOptions(models)
	lab := slices.IndexFunc(models, func(s nn.Spec) bool { return s.Own })
	if lab < 0 {
		lab = len(all)
	}
	var names []string
	for _, o := range all[:lab] {
		names = append(names, o.Value)
	}
	return slices.Insert(all, lab, option{Value: Both, Label: "Both", Title: strings.Join(names, " and ")})
}

func (d *drawModels) Render() goapp.UI {
	tooLong := ""
	if !d.Whole {
		tooLong = "This drawing is too long for a link: a copied link leaves it out. Fewer strokes fit."
	}
	return goapp.Div().Class("draw-models tool").Body(
		goapp.FieldSet().Body(
			goapp.Legend().Text("Who answers"),
			goapp.Div().Class("seg").Body(goapp.Range(d.Options).Slice(func(i int) goapp.UI {
				o := d.Options[i]
				return goapp.Label().Title(o.Title).Body(
					check(goapp.Input().Type("radio"), o.Value == d.Models).Name("digits").Value(o.Value).OnChange(d.onModels(o.Value), o.Value),
					goapp.Span().Text(o.Label),
				)
			})),
		),
		goapp.P().Class("about").Text(tooLong),
	)
}

func (d *drawModels) onModels(models string) goapp.EventHandler {
	return func(goapp.Context, goapp.Event) { d.S.chooseDigits(models) }
}
