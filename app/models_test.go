package app

import (
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

func ownMLP() wire.OwnModel {
	return wire.OwnModel{
		Spec: nn.Spec{ID: "my-mlp", Title: "my-mlp", Data: nn.MNIST, Crop: 28, In: 784, Hidden: []int{128}, Out: 10, Own: true, Scaling: nn.Scaling{Mean: .1307, Std: .3081}},
		File: "mlp.pt", Format: "PyTorch state_dict", Bytes: 408123,
		Notes: []string{"scaled as most MNIST tutorials do: 977 of the first 1,000 test images are right", "a <note>"},
	}
}

func ownWords() wire.OwnModel {
	return wire.OwnModel{
		Spec: nn.Spec{ID: "bow", Title: "bow", Data: nn.SST2, Vocab: 300, In: 300, Hidden: []int{16}, Out: 1, Own: true, Binary: true},
		File: "bow.safetensors", Format: "safetensors", Bytes: 20000,
	}
}

func ownDigits() wire.OwnData {
	return wire.OwnData{Name: "my-digits", Data: nn.MNIST, Examples: 200, Labels: []string{"0", "1", "2"}, File: "digits.zip", Format: "PNG images in folders", Bytes: 99000}
}

// bench is a session at /models that knows what there is.
func bench(t *testing.T, query string, own *wire.Own, play func(t *testing.T, s *session, f *fakeTab)) {
	sceneAt(t, modelsPath, query, func(t *testing.T, s *session, f *fakeTab) {
		f.browser(0, wire.Event{Kind: wire.EventOwn, Own: own})
		play(t, s, f)
	})
}

// give drops files that the bridge keeps under a number.
func give(s *session, number int, names ...string) {
	s.hearFiles(filesReading, "")
	s.hearFiles(filesChosen, encode(fileChoice{Number: number, Names: names, Count: len(names), Bytes: 1000}))
	settle()
}

// importOf returns the last import that was asked for and the files that went with it.
func importOf(t *testing.T, f *fakeTab) (wire.Command, []int) {
	t.Helper()
	for i, c := range slices.Backward(f.sent) {
		if c.Op == wire.OpImport {
			return c, f.files[i]
		}
	}
	t.Fatal("nothing was imported")
	return wire.Command{}, nil
}

func answerImport(f *fakeTab, id int, im wire.Import, more ...wire.Event) {
	f.browser(id, append(append([]wire.Event{{Kind: wire.EventImport, Import: &im}}, more...), done())...)
}

func TestAModelIsBrought(t *testing.T) {
	bench(t, "", nil, func(t *testing.T, s *session, f *fakeTab) {
		f.browser(f.asked(wire.OpOwn)[0].ID, done())
		wantAll(t, rendered(s), "Drop a file here", "Your files never leave this machine", "Nothing yet.")
		give(s, 7, "mlp.pt")
		c, files := importOf(t, f)
		if !slices.Equal(files, []int{7}) || c.Import == nil || c.Import.Name != "" {
			t.Fatalf("imported %+v with %v", c.Import, files)
		}
		f.browser(c.ID, wire.Event{Kind: wire.EventProgress, Step: "trying how pixels are scaled", Fraction: .5})
		wantAll(t, rendered(s), "Trying how pixels are scaled", `value="50"`, `id="models-cancel"`)
		m := ownMLP()
		answerImport(f, c.ID, wire.Import{Model: &m}, wire.Event{Kind: wire.EventOwn, Own: &wire.Own{Models: []wire.OwnModel{m}}})
		html := rendered(s)
		wantAll(t, html, "my-mlp is here", "784 – 128 – 10", "101,770", "(pixel/255 − 0.1307) / 0.3081", "977 of the first 1,000", "0.41\u00a0MB", "mlp.pt",
			"models=my-mlp", "digits=my-mlp", "net=my-mlp", "Draw a digit for it", `data-own="my-mlp"`, "A &lt;note&gt;.")
		if strings.Contains(html, "Nothing yet.") {
			t.Error("the list still says that there is nothing")
		}
		if s.Models.Focus != broughtID || !strings.Contains(s.Announcement, "Your model my-mlp is here") {
			t.Errorf("focus on %q, said %q", s.Models.Focus, s.Announcement)
		}
		if !slices.Contains(f.forgotten, 7) {
			t.Error("the browser still holds the file")
		}
		if got := s.exportChoice().Model; got != "my-mlp" {
			t.Errorf("the form below is for %s", got)
		}
	})
}

// The worker knows whether what is kept will last, and what of it can't be read.
func TestHowThingsAreKept(t *testing.T) {
	bench(t, "", nil, func(t *testing.T, s *session, f *fakeTab) {
		asked := f.asked(wire.OpOwn)
		if len(asked) != 1 {
			t.Fatalf("asked %+v", asked)
		}
		note := wire.Event{Kind: wire.EventNote, Text: "this browser stores nothing for this page"}
		f.browser(asked[0].ID, note, note, wire.Event{Kind: wire.EventOwn, Own: &wire.Own{Models: []wire.OwnModel{ownMLP()}}}, done())
		html := rendered(s)
		wantAll(t, html, "This browser stores nothing for this page.", `data-own="my-mlp"`)
		if strings.Contains(html, "Kept in this browser") || strings.Count(html, "stores nothing") != 1 {
			t.Error("it says that it is kept")
		}
		s.askOwn()
		f.browser(f.asked(wire.OpOwn)[1].ID, wire.Event{Kind: wire.EventError, Text: "this browser's storage failed"})
		wantAll(t, rendered(s), "storage failed", `id="models-kept-again"`, `data-own="my-mlp"`)
	})
}

func TestQuestionsAreAnswered(t *testing.T) {
	bench(t, "", nil, func(t *testing.T, s *session, f *fakeTab) {
		give(s, 1, "bow.pt")
		c, _ := importOf(t, f)
		answerImport(f, c.ID, wire.Import{Questions: []wire.Question{
			{Key: "vocabulary", Text: "Which words do the 300 inputs count?", File: true},
			{Key: "head", Text: "Which layer is the last?", Choices: []wire.Choice{{Value: "a", Label: "head_a, 2 outputs"}, {Value: "b", Label: "head_b, 10 outputs"}}},
		}})
		wantAll(t, rendered(s), "2 questions about bow.pt", "Which words do the 300 inputs count?", "head_b, 10 outputs", "Drop the file that was asked for here", "Choose the file that the question asks for.")
		before := len(f.sent)
		if s.goOn(); len(f.sent) != before {
			t.Error("it went on without answers")
		}
		s.hearFiles(filesProblem, "“words.txt” is empty: choose another file.")
		wantAll(t, rendered(s), "is empty: choose another file.", "2 questions about bow.pt")
		give(s, 2, "words.json")
		wantAll(t, rendered(s), "words.json", "Choose one of the answers.")
		s.answerQuestion("head", "b")
		s.goOn()
		c, files := importOf(t, f)
		if !slices.Equal(files, []int{1, 2}) || c.Import.Answers["head"] != "b" || len(c.Import.Answers) != 1 {
			t.Fatalf("went on with %v, %+v", files, c.Import)
		}
		// What is wrong with an answer leaves the questions open.
		f.browser(c.ID, wire.Event{Kind: wire.EventError, Text: "words.json holds 299 words, but the model reads 300: give the one that it was trained with"})
		wantAll(t, rendered(s), "299 words", "Which words do the 300 inputs count?")
		give(s, 3, "words2.json")
		s.goOn()
		c, files = importOf(t, f)
		if !slices.Equal(files, []int{1, 3}) || !slices.Contains(f.forgotten, 2) {
			t.Fatalf("went on with %v, forgot %v", files, f.forgotten)
		}
		m := ownWords()
		answerImport(f, c.ID, wire.Import{Model: &m}, wire.Event{Kind: wire.EventOwn, Own: &wire.Own{Models: []wire.OwnModel{m}}})
		wantAll(t, rendered(s), "bow is here", "which of 300 words occur", "2 classes: negative, positive", "sentences=bow", "Type a sentence for it")
	})
}

func TestATakenName(t *testing.T) {
	own := &wire.Own{Models: []wire.OwnModel{ownMLP()}}
	for name, c := range map[string]struct {
		typed   string
		replace bool
		problem string
	}{
		"a free name":           {typed: "other"},
		"replace":               {replace: true},
		"a name that is no one": {typed: "My MLP", problem: "be a name"},
		"taken too":             {typed: "my-mlp", problem: "already"},
		"the lab's":             {typed: "mnist-lab1", problem: "is the name of one of the lab"},
	} {
		t.Run(name, func(t *testing.T) {
			bench(t, "", own, func(t *testing.T, s *session, f *fakeTab) {
				give(s, 1, "my-mlp.pt")
				cmd, _ := importOf(t, f)
				answerImport(f, cmd.ID, wire.Import{Questions: []wire.Question{{Key: "name", Text: "You have a model named my-mlp already.", Exists: true}}})
				b := &s.Models.Bring
				if b.Name != "my-mlp-2" {
					t.Errorf("suggested %q", b.Name)
				}
				b.Name, b.Replace = c.typed, c.replace
				wantAll(t, rendered(s), "Put it in place of the one that is there", c.problem)
				sent := len(f.sent)
				s.goOn()
				if c.problem != "" {
					if len(f.sent) != sent {
						t.Error("it went on")
					}
					return
				}
				cmd, _ = importOf(t, f)
				if cmd.Import.Name != c.typed || cmd.Import.Replace != c.replace {
					t.Errorf("went on with %+v", cmd.Import)
				}
			})
		})
	}
}

func TestWhatCanNotBeTaken(t *testing.T) {
	own := &wire.Own{Models: []wire.OwnModel{ownMLP()}}
	bench(t, "", own, func(t *testing.T, s *session, f *fakeTab) {
		give(s, 1, "whole.pt")
		c, _ := importOf(t, f)
		f.browser(c.ID, wire.Event{Kind: wire.EventError, Text: "it holds a whole module, with code: save model.state_dict() instead"})
		wantAll(t, rendered(s), "That can’t be taken.", "save model.state_dict() instead", "Nothing was kept", `data-own="my-mlp"`)
		if s.Models.Focus != problemID {
			t.Errorf("focus on %q", s.Models.Focus)
		}
		s.hearFiles(filesProblem, "These are more than 20,000 files: drop a zip.")
		wantAll(t, rendered(s), "That can’t be taken.", "more than 20,000 files")
		s.hearFiles(filesChosen, `{"count":0}`)
		wantAll(t, rendered(s), "could not hand over")

		// A second file takes the place of the first, and the reader can leave it.
		give(s, 2, "a.pt")
		give(s, 3, "digits/0/1.png", "digits/0/2.png")
		if !slices.Contains(f.forgotten, 2) {
			t.Error("the first file is still held")
		}
		wantAll(t, rendered(s), "digits (2 files)")
		s.leaveIt()
		wantAll(t, rendered(s), "Cancelled. Nothing was kept.")
		if len(f.asked(wire.OpCancel)) == 0 {
			t.Error("the worker goes on")
		}
	})
}

func TestTheEngineDiesDuringAnImport(t *testing.T) {
	bench(t, "", nil, func(t *testing.T, s *session, f *fakeTab) {
		give(s, 1, "a.pt")
		f.worker("failed", "The browser’s engine stopped: out of memory.")
		wantAll(t, rendered(s), "out of memory", `id="`+problemID+`"`)
	})
}

func TestRename(t *testing.T) {
	m := ownMLP()
	bench(t, "export=my-mlp", &wire.Own{Models: []wire.OwnModel{m}, Data: []wire.OwnData{ownDigits()}}, func(t *testing.T, s *session, f *fakeTab) {
		s.editOwn(wire.KindModel, "my-mlp", false)
		wantAll(t, rendered(s), `id="models-name"`, "Its new name")
		for typed, problem := range map[string]string{"Not This": "be a name", "sst2-lab1": "is the name of one of the lab", "": "be a name"} {
			s.typeName(typed)
			wantAll(t, rendered(s), problem, `aria-invalid`)
			if s.rename(); len(f.asked(wire.OpRename)) > 0 {
				t.Fatalf("renamed to %q", typed)
			}
		}
		s.typeName("digit-net")
		s.rename()
		asked := f.asked(wire.OpRename)
		if len(asked) != 1 || *asked[0].Rename != (wire.RenameRequest{Kind: wire.KindModel, From: "my-mlp", To: "digit-net"}) {
			t.Fatalf("asked %+v", asked)
		}
		m.Spec.ID = "digit-net"
		f.browser(asked[0].ID, wire.Event{Kind: wire.EventOwn, Own: &wire.Own{Models: []wire.OwnModel{m}}}, done())
		if s.Models.Editor.Kind != "" || s.Models.Focus != "rename-model-digit-net" || s.exportChoice().Model != "digit-net" || len(s.Notices) > 0 {
			t.Errorf("%+v, focus on %q, export of %s, notices %v", s.Models.Editor, s.Models.Focus, s.exportChoice().Model, s.Notices)
		}
	})
}

func TestDelete(t *testing.T) {
	own := &wire.Own{Models: []wire.OwnModel{ownMLP()}, Data: []wire.OwnData{ownDigits()}}
	bench(t, "export=my-mlp", own, func(t *testing.T, s *session, f *fakeTab) {
		s.editOwn(wire.KindData, "my-digits", true)
		wantAll(t, rendered(s), "Delete my-digits?", "for good")
		if s.Models.Focus != "models-keep" {
			t.Errorf("focus on %q", s.Models.Focus)
		}
		s.closeEditor()
		if s.Models.Focus != "remove-data-my-digits" || len(f.asked(wire.OpRemove)) > 0 {
			t.Errorf("focus on %q", s.Models.Focus)
		}
		s.editOwn(wire.KindModel, "my-mlp", true)
		s.removeOwn()
		s.removeOwn() // twice is once
		asked := f.asked(wire.OpRemove)
		if len(asked) != 1 || asked[0].Remove.Name != "my-mlp" {
			t.Fatalf("asked %+v", asked)
		}
		f.browser(asked[0].ID, wire.Event{Kind: wire.EventError, Text: "the browser's storage does not answer: reload the page"})
		wantAll(t, rendered(s), "storage does not answer", `data-own="my-mlp"`)
		s.removeOwn()
		asked = f.asked(wire.OpRemove)
		f.browser(asked[1].ID, wire.Event{Kind: wire.EventOwn, Own: &wire.Own{Data: own.Data}}, done())
		if html := rendered(s); strings.Contains(html, `data-own="my-mlp"`) || s.Models.Focus != ownID || s.exportChoice().Model != labModel || len(s.Notices) > 0 {
			t.Errorf("after deleting: focus %q, export of %s, notices %v", s.Models.Focus, s.exportChoice().Model, s.Notices)
		}
	})
}

func TestExport(t *testing.T) {
	bench(t, "export=bow&as=dynamic-qint8&format=pt", &wire.Own{Models: []wire.OwnModel{ownWords()}}, func(t *testing.T, s *session, f *fakeTab) {
		if c := s.exportChoice(); c.Model != "bow" || c.Variant != "dynamic-qint8" || c.Format != wire.PyTorch || len(s.Notices) > 0 {
			t.Fatalf("the address gives %+v, notices %v", c, s.Notices)
		}
		wantAll(t, rendered(s), "torch.ao", "bow-dynamic-qint8.pt", "weights_only=True")
		s.export()
		s.export() // twice is once
		asked := f.asked(wire.OpExport)
		if want := (wire.ExportRequest{Model: "bow", Variant: "dynamic-qint8", Format: wire.PyTorch}); len(asked) != 1 || *asked[0].Export != want {
			t.Fatalf("asked %+v", asked)
		}
		f.browser(asked[0].ID, wire.Event{Kind: wire.EventProgress, Step: "converting", Fraction: .25})
		wantAll(t, rendered(s), "Converting", `id="export-cancel"`)
		f.browser(asked[0].ID, wire.Event{Kind: wire.EventFile, File: &wire.Exported{Name: "bow-dynamic-qint8.pt", Bytes: 12345, Notes: []string{"activations are measured as they come"}}}, done())
		wantAll(t, rendered(s), "12,345 bytes", "Activations are measured as they come.")
		s.chooseExport(keyExportFormat, wire.ONNX) // another file: what was said is not of it
		if html := rendered(s); strings.Contains(html, "12,345 bytes") {
			t.Error("the old file is told beside another choice")
		} else {
			wantAll(t, html, "MatMulInteger", "int(logits[0, 0] &gt; 0)", "np.zeros((1, 300)")
		}
		s.export()
		asked = f.asked(wire.OpExport)
		f.browser(asked[1].ID, wire.Event{Kind: wire.EventError, Text: "there is no room"})
		wantAll(t, rendered(s), "There is no room.")
		s.export()
		s.cancelExport()
		wantAll(t, rendered(s), "Cancelled.")
	})
}

// A plan of the reader's own can be exported where it is the model's.
func TestExportOfAPlan(t *testing.T) {
	bench(t, "export=mnist-lab1&as=custom&net=mnist-lab1&layer=1&plan=static-w5c-a8r-histogram", nil, func(t *testing.T, s *session, f *fakeTab) {
		wantAll(t, rendered(s), customName, "mnist-lab1-custom.onnx")
		s.export()
		asked := f.asked(wire.OpExport)
		if len(asked) != 1 || asked[0].Export.Custom == nil || asked[0].Export.Validate() != nil {
			t.Fatalf("asked %+v", asked)
		}
		s.chooseExport(keyExport, "mnist-lab2")
		if c := s.exportChoice(); c.Variant != labPreset {
			t.Errorf("another model has the plan: %+v", c)
		}
	})
}

func TestAddressOfModels(t *testing.T) {
	for query, notice := range map[string]string{
		"":                 "",
		"export=sst2-lab1": "",
		"export=gone":      "The link says export=gone, but this browser has no model of that name.",
		"as=int9":          "The link says as=int9",
		"format=tflite":    "The link says format=tflite",
		"export=%22%3E%3C": "The link says export=",
		"as=custom":        "",
		"export=sst2-lab2&as=fp32&format=safetensors": "",
	} {
		bench(t, query, nil, func(t *testing.T, s *session, f *fakeTab) {
			told := strings.Join(s.Notices, " ")
			if (told == "") != (notice == "") || !strings.Contains(told, notice) {
				t.Errorf("%s: told %q, want %q", query, told, notice)
			}
			if notice == "" && s.queryOf(modelsView()) != query {
				t.Errorf("%s came back as %s", query, s.queryOf(modelsView()))
			}
		})
	}
}

// No other view reads the keys of this one.
func TestKeysOfModels(t *testing.T) {
	s := newSession(LabSettings())
	s.visit(modelsPath, parse(t, "export=sst2-lab1&as=fp32&format=pt"))
	if got := modelsView().Query(s); got != "export=sst2-lab1&as=fp32&format=pt" {
		t.Fatalf("it spells %s", got)
	}
	for _, key := range exportKeys {
		if slices.Contains(slices.Concat(keys, planKeys, sensKeys, trainKeys, []string{"digits", "strokes", "picture", "example", "asdrawn", "invert", "sentences", "text", "hide"}), key) {
			t.Errorf("%s is another view's", key)
		}
	}
}

func TestFreeName(t *testing.T) {
	s := &State{Own: &wire.Own{Models: []wire.OwnModel{ownMLP(), {Spec: nn.Spec{ID: "my-mlp-2"}}}}}
	long := strings.Repeat("a", nn.MaxName-1) + "-"
	for name, want := range map[string]string{
		"my-mlp": "my-mlp-3", "other": "other-2", "Nö": "my-model-2", "": "my-model-2",
		strings.Repeat("a", nn.MaxName): strings.Repeat("a", nn.MaxName-2) + "-2", long: "my-model-2",
	} {
		got := s.freeName(name)
		if got != want || nn.CheckName(got) != nil {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestSayFiles(t *testing.T) {
	for want, f := range map[string]fileChoice{
		"mlp.pt":                         {Names: []string{"runs/a/mlp.pt"}, Count: 1},
		"digits (200 files)":             {Names: []string{"digits/7/0001.png", "digits/7/0002.png"}, Count: 200},
		"mlp.pt and 1 other file":        {Names: []string{"mlp.pt", "words.json"}, Count: 2},
		"train-images and 3 other files": {Names: []string{"train-images"}, Count: 4},
		"3 files":                        {Count: 3},
	} {
		if got := f.says(); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
}

// What is offered to open a file names that file and the model's own shape.
func TestOpenCode(t *testing.T) {
	for _, spec := range append(nn.Specs(), ownMLP().Spec, ownWords().Spec) {
		for _, variant := range append(wire.VariantIDs(), wire.Custom) {
			for _, format := range wire.ExportFormats() {
				c := exportChoice{Model: spec.ID, Variant: variant, Format: format}
				code := openCode(c, spec)
				if !strings.Contains(code, `"`+spec.ID+"-"+variant+"."+format+`"`) || strings.Contains(code, "%!") {
					t.Errorf("%s %s %s:\n%s", spec.ID, variant, format, code)
				}
				if exportWords(c) == "" || openWords(c) == "" {
					t.Errorf("%s %s says nothing", variant, format)
				}
			}
		}
	}
}

func TestFirstPaintOfModels(t *testing.T) {
	html := get(t, "/models?export=sst2-lab1&format=tflite")
	wantAll(t, html, ">Bring your own model</h1>", `id="models-choose"`, "The link says format=tflite", `href="/web/models.css"`, "torch.save(model.state_dict()", "How do I save a model?")
	if strings.Contains(get(t, allPath), `id="models-choose"`) {
		t.Error("what is dropped on the page of all views would be wanted twice")
	}
}
