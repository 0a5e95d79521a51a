package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// A bringing is what the reader brings, on its way in: files, the questions that they leave open, and what became of them.
type bringing struct {
	errand          // the import
	Reading    bool // the browser is looking through what was dropped
	Files      fileChoice
	Vocabulary fileChoice // the one more file that answers a question

	Request   wire.ImportRequest
	Questions []wire.Question
	Answers   map[string]string
	Name      string // the other name, where the one of the file is taken
	Replace   bool   // what has that name is to give way

	Model *wire.OwnModel // what it is, once it is here
	Data  *wire.OwnData
}

// laneBring is the lane of imports.
const laneBring = "models-import"

// hearFiles takes what the bridge says of files that are dropped, pasted or chosen.
func (s *session) hearFiles(kind, payload string) {
	b := &s.Models.Bring
	switch kind {
	case filesOver:
		s.Models.Over = payload == "true"
		s.redraw(partBring)
	case filesReading:
		b.Reading = true
		s.redraw(partBring)
	case filesProblem:
		b.Reading = false
		s.refuseFiles(payload)
	case filesChosen:
		b.Reading = false
		var f fileChoice
		if json.Unmarshal([]byte(payload), &f) != nil || f.Count < 1 {
			s.refuseFiles("The browser could not hand over these files: try again.")
			return
		}
		s.takeFiles(f)
	}
}

// takeFiles takes files. While a question waits for one they are the answer; while others are on their way in they take their place.
func (s *session) takeFiles(f fileChoice) {
	b := &s.Models.Bring
	if b.wantsFile() {
		s.forget(b.Vocabulary)
		b.Vocabulary, b.Text = f, ""
		s.say(f.says() + " answers the question.")
		s.Models.focus(goOnID)
		return
	}
	s.clearBench()
	b.Files = f
	s.bring()
}

// clearBench forgets what is on its way in, or has come last.
func (s *session) clearBench() {
	b := &s.Models.Bring
	s.drop(laneBring)
	s.forget(b.Files)
	s.forget(b.Vocabulary)
	*b = bringing{}
}

// forget lets the browser let go of files.
func (s *session) forget(f fileChoice) {
	if f.Count > 0 {
		s.platform.ForgetFiles(f.Number)
	}
}

// refuseFiles says why files can't be taken.
func (s *session) refuseFiles(why string) {
	b := &s.Models.Bring
	s.say(why)
	if b.wantsFile() {
		s.forget(b.Vocabulary)
		b.Vocabulary, b.Text = fileChoice{}, why
		return
	}
	s.clearBench()
	b.errand = errand{Phase: errandFailed, Text: why}
}

// bring has the worker read the files, with what the reader has answered so far.
func (s *session) bring() {
	b := &s.Models.Bring
	b.errand = startErrand()
	s.revive()
	req, files := b.Request, []int{b.Files.Number}
	if b.Vocabulary.Count > 0 {
		files = append(files, b.Vocabulary.Number)
	}
	s.ask(laneBring, wire.Command{Op: wire.OpImport, Import: &req}, true, s.hearImport, files...)
}

// hearImport takes an event of the import.
func (s *session) hearImport(e wire.Event) {
	b := &s.Models.Bring
	b.apply(e)
	switch e.Kind {
	case wire.EventProgress:
		s.redraw(partBring)
	case wire.EventNote:
		s.Models.Kept.note(e.Text)
	case wire.EventImport:
		if e.Import == nil {
			return
		}
		b.Questions, b.Model, b.Data = e.Import.Questions, e.Import.Model, e.Import.Data
		if slices.ContainsFunc(b.Questions, func(q wire.Question) bool { return q.Exists }) {
			b.Name, b.Replace = s.freeName(b.wanted()), false
		}
	case wire.EventError:
		s.say(sentence(e.Text))
		s.Models.focus(problemID)
	case wire.EventCancel: // the worker was ended
		b.Phase = errandCanceled
	case wire.EventDone:
		switch {
		case len(b.Questions) > 0:
			s.say("A question about " + b.Files.says() + ": " + b.Questions[0].Text)
			s.Models.focus(questionsID)
		case b.Model != nil || b.Data != nil:
			s.say(b.says())
			s.Models.focus(broughtID)
			s.forget(b.Files)
			s.forget(b.Vocabulary)
			if b.Model != nil {
				s.chooseExport(keyExport, b.Model.Spec.ID)
			}
		}
	}
}

// wanted is the name that the files give, as far as the page can tell.
func (b *bringing) wanted() string {
	if b.Request.Name != "" {
		return b.Request.Name
	}
	return b.Files.stem()
}

// freeName returns the name with the first number behind it that nothing has.
func (s *State) freeName(name string) string {
	if nn.CheckName(name) != nil {
		name = "my-model"
	}
	for n := 2; ; n++ {
		end := fmt.Sprint("-", n)
		free := strings.TrimRight(name[:min(len(name), nn.MaxName-len(end))], "._-") + end
		if s.nameProblem(wire.KindModel, free, "") == "" && s.nameProblem(wire.KindData, free, "") == "" {
			return free
		}
	}
}

// nameProblem says why something of that kind, which is called old so far, can't have the name; "" where it can.
func (s *State) nameProblem(kind, name, old string) string {
	if err := nn.CheckName(name); err != nil {
		return sentence(err.Error())
	}
	if name != old && slices.Contains(s.ownNames(kind), name) {
		return fmt.Sprintf("You have a %s named %s already: give another name.", kindName(kind), name)
	}
	return ""
}

// ownNames are the names of what the reader has brought of a kind.
func (s *State) ownNames(kind string) []string {
	var names []string
	switch {
	case s.Own == nil:
	case kind == wire.KindModel:
		for _, m := range s.Own.Models {
			names = append(names, m.Spec.ID)
		}
	default:
		for _, d := range s.Own.Data {
			names = append(names, d.Name)
		}
	}
	return names
}

// says names files in a sentence.
func (f fileChoice) says() string {
	switch {
	case len(f.Names) == 0:
		return plural(f.Count, "file")
	case f.Count == 1:
		return path.Base(f.Names[0])
	}
	if folder, _, ok := strings.Cut(f.Names[0], "/"); ok {
		return fmt.Sprintf("%s (%s)", folder, plural(f.Count, "file"))
	}
	return fmt.Sprintf("%s and %s", path.Base(f.Names[0]), plural(f.Count-1, "other file"))
}

// stem is the name of the first file, or of the folder that it is in, without what tells its format.
func (f fileChoice) stem() string {
	if len(f.Names) == 0 {
		return ""
	}
	name, _, _ := strings.Cut(f.Names[0], "/")
	return strings.ToLower(strings.TrimSuffix(name, path.Ext(name)))
}

// wantsFile reports whether a question waits for one more file.
func (b *bringing) wantsFile() bool {
	return b.Phase != errandAsked && slices.ContainsFunc(b.Questions, func(q wire.Question) bool { return q.File })
}

// open says what the questions still lack, "" where all are answered.
func (b *bringing) open(s *State) string {
	for _, q := range b.Questions {
		switch {
		case q.Exists:
			if b.Replace {
				continue
			}
			// Of which kind the files are the question does not say.
			for _, kind := range []string{wire.KindModel, wire.KindData} {
				if problem := s.nameProblem(kind, b.Name, ""); problem != "" {
					return problem
				}
			}
		case q.File:
			if b.Vocabulary.Count == 0 {
				return "Choose the file that the question asks for."
			}
		case b.Answers[q.Key] == "":
			return "Choose one of the answers."
		}
	}
	return ""
}

// goOn sends the files once more, with the answers.
func (s *session) goOn() {
	b := &s.Models.Bring
	if b.open(&s.State) != "" {
		return
	}
	req := &b.Request
	req.Answers = maps.Clone(b.Answers)
	for _, q := range b.Questions {
		if q.Exists {
			req.Replace = b.Replace
			if !b.Replace {
				req.Name = b.Name
			}
		}
	}
	s.bring()
}

// answerQuestion takes one of a question's choices.
func (s *session) answerQuestion(key, value string) {
	put(&s.Models.Bring.Answers, key, value)
}

// leaveIt forgets what is on its way in. Nothing of it was kept.
func (s *session) leaveIt() {
	canceled := s.Models.Bring.Phase == errandAsked
	s.clearBench()
	if canceled {
		s.Models.Bring.Phase = errandCanceled
		s.say("Cancelled. Nothing was kept.")
	}
	s.Models.focus(chooseID)
}

// says tells what is here to those who listen.
func (b *bringing) says() string {
	if b.Model != nil {
		return fmt.Sprintf("Your model %s is here: %s.", b.Model.Spec.ID, b.Model.Spec.Shape())
	}
	return fmt.Sprintf("Your data %s is here: %s.", b.Data.Name, exampleCount(*b.Data))
}

// kindName is what a kind is called within a sentence.
func kindName(kind string) string {
	if kind == wire.KindModel {
		return "model"
	}
	return "data set"
}
