package app

import (
	"fmt"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// questions ask what the files leave open.
func (s *session) questions(level int) goapp.UI {
	b := &s.Models.Bring
	title := "A question about " + b.Files.says()
	if len(b.Questions) > 1 {
		title = plural(len(b.Questions), "question") + " about " + b.Files.says()
	}
	var asked []goapp.UI
	for i, q := range b.Questions {
		switch {
		case q.Exists:
			asked = append(asked, s.nameQuestion(q, i))
		case q.File:
			asked = append(asked, s.fileQuestion(q, i))
		default:
			asked = append(asked, s.choiceQuestion(q, i))
		}
	}
	problem := b.open(&s.State)
	return goapp.Div().Class("card questions").Role("form").Aria("labelledby", questionsID).Body(
		goapp.Header().Body(headingWith(level, questionsID, title)),
		goapp.Div().Class("brought-body").Body(
			goapp.P().Class("problem").ID(problemID).TabIndex(-1).Text(sentence(b.Text)),
			goapp.Div().Class("asked").Body(asked...),
			goapp.Div().Class("tools").Body(
				disable(goapp.Button().Type("button"), problem != "").Class("primary").ID(goOnID).Aria("describedby", "models-open").Text("Go on").
					OnClick(func(goapp.Context, goapp.Event) { s.goOn() }),
				disable(goapp.Button().Type("button"), false).ID("models-leave").Text("Leave it").
					OnClick(func(goapp.Context, goapp.Event) { s.leaveIt() }),
				goapp.Span().Class("hint").ID("models-open").Text(problem),
			),
		),
	)
}

func questionID(i int) string { return fmt.Sprint("models-question-", i) }

// choiceQuestion is answered by one of a few choices.
func (s *session) choiceQuestion(q wire.Question, i int) goapp.UI {
	chosen := s.Models.Bring.Answers[q.Key]
	return goapp.FieldSet().Class("question").Body(
		goapp.Legend().Text(q.Text),
		goapp.Range(q.Choices).Slice(func(k int) goapp.UI {
			c := q.Choices[k]
			return radioLine(questionID(i), c.Value, c.Label, c.Value == chosen, func(goapp.Context, goapp.Event) { s.answerQuestion(q.Key, c.Value) })
		}),
	)
}

// radioLine is one choice on a line of its own.
func radioLine(name, value, label string, on bool, choose goapp.EventHandler) goapp.UI {
	return goapp.Label().Class("line").Body(
		check(goapp.Input().Type("radio"), on).Name(name).Value(value).OnChange(choose, name, value),
		goapp.Span().Text(label),
	)
}

// fileQuestion is answered by one more file.
func (s *session) fileQuestion(q wire.Question, i int) goapp.UI {
	b := &s.Models.Bring
	label, got := "Choose the file", "or drop it anywhere on this page."
	if b.Vocabulary.Count > 0 {
		label, got = "Choose another", b.Vocabulary.says()
	}
	return goapp.Div().Class("question").Role("group").Aria("labelledby", questionID(i)).Body(
		goapp.P().ID(questionID(i)).Class("question-text").Text(q.Text),
		goapp.Div().Class("tools").Body(
			fileButton(questionID(i)+"-file", label, false, false),
			goapp.Span().Class("got").Text(got),
		),
	)
}

// nameQuestion is answered by another name, or by what is there giving way.
func (s *session) nameQuestion(q wire.Question, i int) goapp.UI {
	b := &s.Models.Bring
	id := questionID(i)
	field := goapp.Input().ID(id+"-name").Type("text").Class("name").AutoComplete(false).Spellcheck(false).Attr("autocapitalize", "none").
		MaxLength(maxTypedName).Disabled(b.Replace || goapp.IsServer).Aria("describedby", "models-open").
		OnInput(func(ctx goapp.Context, _ goapp.Event) { b.Name = ctx.JSSrc().Get("value").String() }, id)
	return goapp.FieldSet().Class("question").Body(
		goapp.Legend().Text(q.Text),
		radioLine(id, "name", "Keep both, and call this one", !b.Replace, func(goapp.Context, goapp.Event) { b.Replace = false }),
		goapp.Div().Class("line-field").Body(
			goapp.Label().For(id+"-name").Class("unseen").Text("Its name"),
			field.Value(b.Name),
		),
		radioLine(id, "replace", "Put it in place of the one that is there", b.Replace, func(goapp.Context, goapp.Event) { b.Replace = true }),
	)
}
