package app

import (
	"fmt"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// The ids of what may take the focus.
const (
	chooseID    = "models-choose"
	problemID   = "models-problem"
	questionsID = "models-questions"
	goOnID      = "models-go-on"
	broughtID   = "models-brought"
	ownID       = "models-own-title"
)

// bringBox is where files come in, and below it what became of them.
func (s *session) bringBox(level int) goapp.UI {
	b := &s.Models.Bring
	return goapp.Section().Class("bring").Aria("labelledby", "models-bring").Body(
		&dropZone{S: s, Level: level, Off: b.Phase == errandAsked || b.Reading, Over: s.Models.Over, Answers: b.wantsFile()},
		goapp.Div().Class("bring-state").Body(s.bringState(level)...),
	)
}

// bringState is what became of the files.
func (s *session) bringState(level int) []goapp.UI {
	b := &s.Models.Bring
	switch {
	case b.Phase == errandAsked || b.Reading:
		return []goapp.UI{goapp.Div().Class("notice bring-doing").Body(
			goapp.Div().Class("status").Body(append([]goapp.UI{goapp.Span().Class("step").Text(s.bringStep())},
				underWay(int(100*b.Fraction), false, "models-cancel", func(goapp.Context, goapp.Event) { s.leaveIt() })...)...),
		)}
	case len(b.Questions) > 0:
		return []goapp.UI{s.questions(level + 1)}
	case b.Phase == errandFailed:
		return []goapp.UI{goapp.Div().Class("notice bad").ID(problemID).TabIndex(-1).Body(
			goapp.P().Body(goapp.B().Text("That can’t be taken. "), goapp.Text(sentence(b.Text)), goapp.Text(" Nothing was kept, and what you have is as it was.")),
			disable(goapp.Button().Type("button"), false).Class("small").Text("Close").OnClick(func(goapp.Context, goapp.Event) { s.leaveIt() }),
		)}
	case b.Phase == errandCanceled:
		return []goapp.UI{goapp.P().Class("hint").Text("Cancelled. Nothing was kept.")}
	case b.Model != nil:
		return []goapp.UI{s.broughtModel(level+1, *b.Model)}
	case b.Data != nil:
		return []goapp.UI{s.broughtData(level+1, *b.Data)}
	}
	return nil
}

// bringStep says what is being done.
func (s *session) bringStep() string {
	b := &s.Models.Bring
	switch waiting := s.waitingFor(); {
	case b.Reading:
		return "Looking through what you gave …"
	case b.Step != "":
		return upperFirst(b.Step)
	case waiting != "":
		return waiting + " …"
	}
	return "Reading " + b.Files.says() + " …"
}

// broughtModel says what a model is that has just come, and what next.
func (s *session) broughtModel(level int, m wire.OwnModel) goapp.UI {
	return goapp.Article().Class("card brought").Aria("labelledby", broughtID).Body(
		goapp.Header().Body(headingWith(level, broughtID, m.Spec.ID+" is here"), goapp.P().Text(origin(m.File, m.Format, m.Bytes))),
		goapp.Div().Class("brought-body").Body(
			facts(modelFacts(m.Spec)),
			notes(m.Notes),
			goapp.P().Class("own-links").Body(spaced(s.modelLinks(m))...),
			s.closeBrought(),
		),
	)
}

func (s *session) broughtData(level int, d wire.OwnData) goapp.UI {
	return goapp.Article().Class("card brought").Aria("labelledby", broughtID).Body(
		goapp.Header().Body(headingWith(level, broughtID, d.Name+" is here"), goapp.P().Text(origin(d.File, d.Format, d.Bytes))),
		goapp.Div().Class("brought-body").Body(
			facts(dataFacts(d)),
			notes(d.Notes),
			goapp.P().Class("own-links").Body(spaced(s.dataLinks(d))...),
			s.closeBrought(),
		),
	)
}

func (s *session) closeBrought() goapp.UI {
	return goapp.Div().Class("tools").Body(
		disable(goapp.Button().Type("button"), false).Class("small").ID("models-close").Text("Close").OnClick(func(goapp.Context, goapp.Event) { s.leaveIt() }),
	)
}

// headingWith is a heading that can take the focus.
func headingWith(level int, id, text string) goapp.UI {
	return goapp.Elem(fmt.Sprint("h", level)).ID(id).TabIndex(-1).Text(text)
}

// origin says where something comes from.
func origin(file, format string, bytes int64) string {
	return fmt.Sprintf("%s · %s · %s", file, format, fileSize(bytes))
}

// fileSize is a size as a reader of files knows it.
func fileSize(bytes int64) string {
	switch {
	case bytes < 1e3:
		return plural(int(bytes), "byte")
	case bytes < 1e5:
		return report.Fixed(float64(bytes)/1e3, 1) + "\u00a0kB"
	}
	return report.Fixed(float64(bytes)/1e6, 2) + "\u00a0MB"
}

// facts are terms and what they are.
func facts(list [][2]string) goapp.UI {
	return goapp.Dl().Class("facts").Body(goapp.Range(list).Slice(func(i int) goapp.UI {
		return goapp.Div().Body(goapp.Dt().Text(list[i][0]), goapp.Dd().Text(list[i][1]))
	}))
}

// notes say how a file was read.
func notes(list []string) goapp.UI {
	return goapp.Ul().Class("own-notes").Body(goapp.Range(list).Slice(func(i int) goapp.UI { return goapp.Li().Text(sentence(list[i])) }))
}

// dropZone takes files: dropped on it, or anywhere on the page; pasted; or chosen. While a question waits for a file, what comes
// answers it.
type dropZone struct {
	goapp.Compo
	S       *session
	Level   int
	Off     bool // something is on its way in
	Over    bool // files are held over the page
	Answers bool // a question waits for a file

	stop func()
}

// OnMount begins to listen. The box stays as long as the view is shown.
func (z *dropZone) OnMount(goapp.Context) {
	z.stop = z.S.platform.OnFiles(".bring", func(kind, payload string) {
		z.S.soon(func() { z.S.hearFiles(kind, payload) })
	})
}

func (z *dropZone) OnDismount() {
	if z.stop != nil {
		z.stop()
	}
}

func (z *dropZone) Render() goapp.UI {
	class, title := "drop-zone tool", "Drop a file here"
	if z.Answers {
		title = "Drop the file that was asked for here"
	}
	if z.Over {
		class += " over"
	}
	return goapp.Div().Class(class).ID("models-drop").Body(
		goapp.Raw(dropPicture),
		goapp.Div().Class("drop-words").Body(
			heading(z.Level, "models-bring", title),
			goapp.Ul().Body(
				goapp.Li().Body(goapp.B().Text("A model: "), goapp.Text("a PyTorch state_dict (.pt, .pth) or a safetensors file, of linear layers that read images of digits or words.")),
				goapp.Li().Body(goapp.B().Text("Data: "), goapp.Text("digits as PNG images, one folder a class (the folder, or a zip of it); an IDX pair; or sentences with labels as CSV or TSV.")),
			),
			goapp.Div().Class("tools").Body(
				fileButton(chooseID, "Choose files", z.Off, false),
				fileButton("models-folder", "Choose a folder", z.Off, true),
				goapp.Span().Class("hint").Text("or paste them"),
			),
			goapp.P().Class("stays").Body(
				goapp.B().Text("Your files never leave this machine. "),
				goapp.Text("They are read in this tab, no code in them is run, and what is made of them is kept in this browser until you delete it."),
			),
		),
	)
}

// fileButton is a file input that looks like a button.
func fileButton(id, text string, off, folder bool) goapp.UI {
	input := goapp.Input().Type("file").ID(id).Multiple(true).Disabled(off || goapp.IsServer)
	if folder {
		input = input.Attr("webkitdirectory", true)
	}
	return goapp.Label().Class("file").Body(input, goapp.Span().Text(text))
}

const dropPicture = `<svg class="drop-picture" viewBox="0 0 48 48" width="48" height="48" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">` +
	`<path d="M24 6v24M14 21l10 10 10-10M7 33v6a3 3 0 0 0 3 3h28a3 3 0 0 0 3-3v-6"></path></svg>`
