package app

import (
	"errors"
	"fmt"
	"net/url"
	"slices"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
)

// An exportChoice is which file the reader wants of which model.
type exportChoice struct {
	Model   string
	Variant string // one of the lab's, or wire.Custom: the plan of Inspect, where that is the model's
	Format  string

	Catalog nn.Catalog // that Model is one of
}

// The keys of addresses.
const (
	keyExport        = "export"
	keyExportVariant = "as"
	keyExportFormat  = "format"
)

var exportKeys = []string{keyExport, keyExportVariant, keyExportFormat}

func firstExportChoice(catalog nn.Catalog) exportChoice {
	return exportChoice{Model: labModel, Variant: labPreset, Format: wire.ONNX, Catalog: catalog}
}

func (c exportChoice) value(key string) string {
	switch key {
	case keyExport:
		return c.Model
	case keyExportVariant:
		return c.Variant
	}
	return c.Format
}

func (c exportChoice) with(key, value string) (exportChoice, error) {
	var err error
	switch key {
	case keyExport:
		c.Model = value
		_, err = c.Catalog.Of(value)
	case keyExportVariant:
		c.Variant = value
		if value != wire.Custom {
			_, err = wire.VariantOf(value)
		}
	default:
		if c.Format = value; !slices.Contains(wire.ExportFormats(), value) {
			err = errors.New("there is no such format: choose safetensors, pt or onnx")
		}
	}
	return c, err
}

func (c exportChoice) query() string {
	if c.Model == "" { // nobody has chosen yet
		return ""
	}
	return queryOf(c, firstExportChoice(nil), exportKeys)
}

func parseExportChoice(catalog nn.Catalog, query url.Values) (exportChoice, []string) {
	return readChoices(firstExportChoice(catalog), exportKeys, query)
}

// An exporting is what the reader takes along, and how far it has come.
type exporting struct {
	errand
	Choice exportChoice
	Of     exportChoice   // that the errand is about
	File   *wire.Exported // that it gave
}

// exportChoice is what the reader chose, of what there is now: a plan that is not the model's any more gives way to the lab's.
func (s *session) exportChoice() exportChoice {
	c := s.Models.Export.Choice
	if c.Model == "" {
		c = firstExportChoice(nil)
	}
	c.Catalog = s.catalog()
	if _, err := c.Catalog.Of(c.Model); err != nil {
		c.Model = labModel
	}
	if c.Variant == wire.Custom && s.customFor(c.Model) == nil {
		c.Variant = labPreset
	}
	return c
}

// same reports whether both ask for the same file.
func (c exportChoice) same(o exportChoice) bool {
	return c.Model == o.Model && c.Variant == o.Variant && c.Format == o.Format
}

// chooseExport changes one thing of the choice, spelled as in the address.
func (s *session) chooseExport(key, value string) {
	next, err := s.exportChoice().with(key, value)
	if err != nil { // no control gives such a value
		return
	}
	s.Models.Export.Choice = next
	s.remember()
}

// exportOwn goes on to the form with a model of the reader's own.
func (s *session) exportOwn(model string) {
	s.chooseExport(keyExport, model)
	s.Models.focus("models-export")
}

// exportFollows keeps to a model whose name changes, and lets go of one that is deleted.
func (s *session) exportFollows(c wire.Command) {
	choice := &s.Models.Export.Choice
	switch {
	case c.Rename != nil && c.Rename.Kind == wire.KindModel && c.Rename.From == choice.Model:
		choice.Model = c.Rename.To
	case c.Remove != nil && c.Remove.Kind == wire.KindModel && c.Remove.Name == choice.Model:
		choice.Model = labModel
	}
}

const laneExport = "models-export"

// export has the worker write the file that is chosen; the bridge gives it to the reader.
func (s *session) export() {
	x := &s.Models.Export
	if x.Phase == errandAsked || s.awaiting(modelsView()) != "" {
		return
	}
	c := s.exportChoice()
	*x = exporting{errand: startErrand(), Choice: c, Of: c}
	s.revive()
	req := wire.ExportRequest{Model: c.Model, Variant: c.Variant, Format: c.Format}
	if c.Variant == wire.Custom {
		req.Custom = s.customFor(c.Model)
	}
	s.ask(laneExport, wire.Command{Op: wire.OpExport, Export: &req}, true, func(e wire.Event) {
		x := &s.Models.Export
		x.apply(e)
		switch e.Kind {
		case wire.EventProgress:
			s.redraw(partExport)
		case wire.EventFile:
			x.File = e.File
		case wire.EventError:
			s.say(sentence(e.Text))
		case wire.EventDone:
			if x.File != nil {
				s.say(x.File.Name + " is being downloaded.")
			}
		}
	})
}

func (s *session) cancelExport() {
	s.drop(laneExport)
	s.Models.Export.errand = errand{Phase: errandCanceled}
}

// exportBox gives any model, converted in any way, as a file.
func (s *session) exportBox(level int) goapp.UI {
	c, x := s.exportChoice(), &s.Models.Export
	spec, err := c.Catalog.Of(c.Model)
	if err != nil { // exportChoice has seen to it
		return goapp.Section()
	}
	return goapp.Section().Class("section export").Aria("labelledby", "models-export").Body(
		goapp.Div().Class("head").Body(
			headingWith(level, "models-export", "Take a model along"),
			goapp.P().Text("The lab’s models and yours, converted as they are measured here, with the very scales and zero points."),
		),
		goapp.Div().Class("controls").Role("form").Aria("label", "The file").Body(
			goapp.Div().Class("fields").Body(
				s.exportModels(c),
				segment(keyExportFormat, "Format", c.Format, exportFormats, s.onExport(keyExportFormat)),
			),
			s.exportVariants(c),
			goapp.P().Class("hint").ID("export-words").Text(exportWords(c)),
			goapp.Div().Class("actions").Body(
				disable(goapp.Button().Type("button"), x.Phase == errandAsked || s.awaiting(modelsView()) != "").Class("primary").ID("models-download").Aria("describedby", "export-words").Text("Download").
					OnClick(func(goapp.Context, goapp.Event) { s.export() }),
				goapp.Div().Class("export-line").Body(s.exportLine()...),
			),
		),
		goapp.Div().Class("export-open").Body(
			heading(level+1, "", "How to open it"),
			goapp.P().Class("hint").Text(openWords(c)),
			s.codeBlock("open", "Python that opens "+exportName(c), openCode(c, spec)),
		),
	)
}

// exportModels is the list of all models.
func (s *session) exportModels(c exportChoice) goapp.UI {
	var options []option
	for _, spec := range c.Catalog {
		group := "The lab’s"
		if spec.Own {
			group = "Your own"
		}
		options = append(options, option{Value: spec.ID, Label: spec.ID, Group: group})
	}
	return listField(keyExport, "Model", "", c.Model, options, s.onExport(keyExport))
}

// exportVariants are the lab's variants, and the reader's own plan where there is one for the model.
func (s *session) exportVariants(c exportChoice) goapp.UI {
	options := []pick{}
	for _, id := range wire.VariantIDs() {
		options = append(options, pick{id, variantName(id)})
	}
	if s.customFor(c.Model) != nil {
		options = append(options, pick{wire.Custom, customName})
	}
	return goapp.FieldSet().Body(
		goapp.Legend().Text("Converted to"),
		goapp.Div().Class("checks").Body(goapp.Range(options).Slice(func(i int) goapp.UI {
			o := options[i]
			return goapp.Label().Class("v-"+o.Value).Body(
				check(goapp.Input().Type("radio"), o.Value == c.Variant).Name(keyExportVariant).Value(o.Value).OnChange(s.onExport(keyExportVariant), keyExportVariant),
				goapp.Raw(markerSVG(o.Value)),
				goapp.Span().Text(o.Label),
			)
		})),
	)
}

func (s *session) onExport(key string) goapp.EventHandler {
	return func(ctx goapp.Context, _ goapp.Event) { s.chooseExport(key, ctx.JSSrc().Get("value").String()) }
}

// exportLine says how far the file is, or what came of it.
func (s *session) exportLine() []goapp.UI {
	x := &s.Models.Export
	switch {
	case x.Phase == errandAsked:
		text := "Converting …"
		if waiting := s.waitingFor(); waiting != "" {
			text = waiting + " …"
		}
		if x.Step != "" {
			text = upperFirst(x.Step)
		}
		return []goapp.UI{goapp.Div().Class("status").Body(append([]goapp.UI{goapp.Span().Class("step").Text(text)},
			underWay(int(100*x.Fraction), false, "export-cancel", func(goapp.Context, goapp.Event) { s.cancelExport() })...)...)}
	case x.Phase == errandFailed:
		return []goapp.UI{goapp.P().Class("problem").Text(sentence(x.Text))}
	case x.Phase == errandCanceled:
		return []goapp.UI{goapp.P().Class("hint").Text("Cancelled.")}
	case x.File != nil && x.Of.same(s.exportChoice()):
		return []goapp.UI{
			goapp.P().Class("exported").Body(goapp.B().Text(x.File.Name), goapp.Text(fmt.Sprintf(" · %s bytes. It is among your downloads.", report.Count(int(x.File.Bytes))))),
			notes(x.File.Notes),
		}
	}
	return nil
}
