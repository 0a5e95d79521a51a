package app

import (
	"fmt"
	"slices"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/nn"
	"quantlab/core/report"
)

// cutWords is said where the box was given more than it takes.
var cutWords = fmt.Sprintf("The box takes at most %s bytes: what was beyond is cut off.", report.Count(mostSentence))

// A sentenceBox is the choice of models and the box for the sentence. What the reader types stays the browser's: the page writes
// into the box only when Placed has changed, because an older text could overtake a newer key.
type sentenceBox struct {
	goapp.Compo
	S         *session
	Models    []option
	Sentences string
	Given     string
	Placed    int
	Rows      int

	placed int // that the box holds
}

func (b *sentenceBox) OnMount(goapp.Context)  { b.fill() }
func (b *sentenceBox) OnUpdate(goapp.Context) { b.fill() }

const sentenceID = "sentence"

// fill puts the given text into the box, as if it were typed, so that the browser's undo can take it back.
func (b *sentenceBox) fill() {
	if b.placed == b.Placed {
		return
	}
	b.placed = b.Placed
	area := goapp.Window().GetElementByID(sentenceID)
	if !area.Truthy() || area.Get("value").String() == b.Given {
		return
	}
	document := goapp.Window().Get("document")
	active := document.Get("activeElement")
	held := active.Truthy() && !active.Equal(document.Get("body"))
	if held && len(b.Given) <= maxLinkText { // longer ones take the browser too long
		area.Call("focus", map[string]any{"preventScroll": true})
		area.Call("select")
		if b.Given == "" {
			document.Call("execCommand", "delete")
		} else {
			document.Call("execCommand", "insertText", false, b.Given)
		}
		active.Call("focus", map[string]any{"preventScroll": true})
	}
	if area.Get("value").String() != b.Given {
		area.Set("value", b.Given)
	}
}

func (b *sentenceBox) Render() goapp.UI {
	// On the server the text must be a child: go-app's own textarea makes it an attribute, which it does not escape.
	var text []goapp.UI
	if goapp.IsServer {
		text = append(text, goapp.Text(b.Given))
	}
	area := goapp.Elem("textarea").ID(sentenceID).Class("sentence").Dir("auto").Spellcheck(false).
		Attr("name", "sentence").Attr("rows", b.Rows).Attr("maxlength", mostSentence).Attr("autocomplete", "off").Attr("autocapitalize", "none").
		Attr("disabled", goapp.IsServer).Aria("describedby", "sentence-state").OnInput(b.onInput).Body(text...)
	return goapp.Div().Class("sentence-box").Body(
		goapp.FieldSet().Class("sentence-models").Body(
			goapp.Legend().Text("Network"),
			goapp.Div().Class("seg").Body(goapp.Range(b.Models).Slice(func(i int) goapp.UI {
				o := b.Models[i]
				return goapp.Label().Title(o.Title).Body(
					check(goapp.Input().Type("radio"), o.Value == b.Sentences).Name("sentences").Value(o.Value).OnChange(b.onModels),
					goapp.Span().Text(o.Label),
				)
			})),
		),
		goapp.Div().Class("sentence-field").Body(
			goapp.Label().For(sentenceID).Text("Your sentence"),
			area,
		),
	)
}

// sentenceModels are the choices: the lab's, both of them, the reader's own.
func (s *session) sentenceModels() []option {
	models := slices.DeleteFunc(modelsOn(nn.SST2, s.catalog()), func(m nn.Spec) bool { return !m.Own })
	return append([]option{
		{Value: sentenceLab2, Label: sentenceLab2, Title: "5,000 words, 3 hidden layers, 5.6 MB"},
		{Value: sentenceLab1, Label: sentenceLab1, Title: "14,816 words, 1 hidden layer, 30 MB: loaded when it is first asked"},
		{Value: Both, Label: "Both", Title: "both networks, one below the other"},
	}, modelOptions(models)...)
}

func (b *sentenceBox) onInput(ctx goapp.Context, _ goapp.Event) {
	b.S.typed(ctx.JSSrc().Get("value").String())
}

func (b *sentenceBox) onModels(ctx goapp.Context, _ goapp.Event) {
	b.S.chooseSentences(ctx.JSSrc().Get("value").String())
}

// chooseSentences asks another network, or both.
func (s *session) chooseSentences(models string) {
	t := &s.Type
	before := s.typeTest()
	t.Sentences, t.Mix = models, mix{}
	t.Turn++
	delete(s.awaited, typeView().Path)
	t.Hunt.Model = t.models()[0]
	if s.typeTest().Of != before.Of {
		s.drop("type-search")
		t.Hunt = hunt{Model: t.Hunt.Model, Variant: t.Hunt.Variant}
		s.moreSamples()
	}
	s.remember()
	s.askSentence(true)
	t.Unsaid = true
}

// boxRows is how many lines the box shows where the browser does not fit it to its text.
func boxRows(text string) int {
	const perLine, least, most = 60, 2, 10
	rows := 0
	for line := range strings.SplitSeq(text, "\n") {
		rows += 1 + len(line)/perLine
		if rows >= most {
			return most
		}
	}
	return max(rows, least)
}

// sentenceState is what stands under the box: where the text comes from, the buttons, and what mixing the words has shown.
func (s *session) sentenceState() goapp.UI {
	t := &s.Type
	words, notes := len(strings.Fields(t.Text)), s.sentenceNotes()
	return goapp.Div().Class("sentence-state").Body(
		goapp.P().ID("sentence-state").Class("sentence-words").Body(goapp.Range(notes).Slice(func(i int) goapp.UI {
			return goapp.Span().Class(notes[i].Class).Text(notes[i].Text + " ")
		})),
		goapp.Div().Class("actions").Body(
			disable(goapp.Button().Type("button"), words < 2).ID("mix-words").Text("Shuffle words").OnClick(s.onMix),
			disable(goapp.Button().Type("button"), !t.Undo).ID("put-back").Text("Put back").OnClick(s.onPutBack),
			disable(goapp.Button().Type("button"), t.Text == "").ID("clear-sentence").Text("Clear").OnClick(s.onClear),
		),
		goapp.P().Class("sentence-order", mixClass(t.Mix)).ID("sentence-order").Text(orderWords(t.Mix)),
	)
}

// A sentenceNote is one sentence about the text in the box.
type sentenceNote struct{ Class, Text string }

func (s *session) sentenceNotes() []sentenceNote {
	t := &s.Type
	var out []sentenceNote
	if t.Origin != "" {
		out = append(out, sentenceNote{"origin", t.Origin})
	}
	if t.Cut {
		out = append(out, sentenceNote{"problem", cutWords})
	} else if len(t.Text) >= mostSentence {
		out = append(out, sentenceNote{"problem", fmt.Sprintf("The box is full: it takes %s bytes.", report.Count(mostSentence))})
	}
	if !t.linkable() {
		out = append(out, sentenceNote{"problem", fmt.Sprintf("Too long for a link: the address carries sentences of up to %s bytes, and leaves this one out.", report.Count(maxLinkText))})
	}
	return out
}

func mixClass(m mix) string {
	if m.Words == "" {
		return "told"
	}
	if m.Same {
		return "same"
	}
	return "changed"
}

func orderWords(m mix) string {
	if m.Words != "" {
		return m.Words
	}
	return "The order of the words is ignored: the network sees a bag, how often each word occurs. Shuffle them to see that nothing changes."
}

func (s *session) onMix(goapp.Context, goapp.Event)     { s.mixWords() }
func (s *session) onPutBack(goapp.Context, goapp.Event) { s.putBack() }
func (s *session) onClear(goapp.Context, goapp.Event)   { s.clearSentence() }
