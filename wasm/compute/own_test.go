package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/library"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

// file is an upload of that content.
func file(name, content string) upload {
	return upload{name: name, size: int64(len(content)), read: func(context.Context) ([]byte, error) { return []byte(content), nil }}
}

// table is a set of sentences with their labels.
func table(lines int) upload {
	text := "sentence,label\n"
	for i := range lines {
		text += fmt.Sprintf("a film that is number %d,%d\n", i, i%2)
	}
	return file("reviews.csv", text)
}

// mlp is a model of MNIST's images, as a file of this program's.
func mlp(t *testing.T, hidden int) upload {
	t.Helper()
	spec := nn.Spec{ID: "mlp", Title: "mlp", Data: nn.MNIST, Crop: 28, In: 784, Hidden: []int{hidden}, Out: 10}
	var text strings.Builder
	if err := modelfile.WriteNetwork(&text, nn.New(spec), modelfile.Meta{Model: spec.ID}); err != nil {
		t.Fatal(err)
	}
	return file("mlp.safetensors", text.String())
}

// asUnit answers how the pixels are scaled, which can't be tried where there are no images.
var asUnit = wire.ImportRequest{Answers: map[string]string{"scaling": "unit"}}

// A flaky shelf fails as its errors say.
type flaky struct {
	library.Shelf
	names, put error
}

func (f *flaky) Names(ctx context.Context) ([]string, error) {
	if f.names != nil {
		return nil, f.names
	}
	return f.Shelf.Names(ctx)
}

func (f *flaky) Put(ctx context.Context, name string, data []byte) error {
	if f.put != nil {
		return f.put
	}
	return f.Shelf.Put(ctx, name, data)
}

// bring sends an import and returns what became of it.
func (p *page) bring(s *session, id int, req wire.ImportRequest, files ...upload) wire.Envelope {
	p.t.Helper()
	s.receive(spelled(p.t, wire.Command{ID: id, Op: wire.OpImport, Import: &req}), files...)
	return p.next(wire.EventImport, wire.EventError, wire.EventCancel)
}

// ends checks that the next end is the command's, of that kind, with that text.
func (p *page) ends(id int, kind, text string) {
	p.t.Helper()
	if e := p.next(wire.EventDone, wire.EventError, wire.EventCancel); e.ID != id || e.Event.Kind != kind || !strings.Contains(e.Event.Text, text) {
		p.t.Errorf("got %+v, want the %s of %d with %q", e, kind, id, text)
	}
}

// owns checks what the next list of the reader's own names.
func (p *page) owns(id int, want string) {
	p.t.Helper()
	e := p.next(wire.EventOwn, wire.EventError)
	var names []string
	if e.Event.Own != nil {
		for _, m := range e.Event.Own.Models {
			names = append(names, m.Spec.ID)
		}
		for _, d := range e.Event.Own.Data {
			names = append(names, d.Name)
		}
	}
	if got := strings.Join(names, " "); e.ID != id || e.Event.Own == nil || got != want {
		p.t.Errorf("%d owns %q, want %d and %q; %+v", e.ID, got, id, want, e.Event)
	}
}

func TestLifeOfOwn(t *testing.T) {
	shelf := library.Memory()
	s, p := newOwner(t, shelf)
	close(p.stop) // nothing can be tried: the site has nothing
	told := 0
	s.tell = func() { told++ }

	s.receive(spelled(t, wire.Command{ID: -1, Op: wire.OpOwn}))
	p.owns(-1, "")
	p.ends(-1, wire.EventDone, "")

	// What can't be found out is asked, and nothing is kept meanwhile.
	if e := p.bring(s, -2, wire.ImportRequest{}, mlp(t, 4)); e.Event.Import == nil || len(e.Event.Import.Questions) != 1 || e.Event.Import.Model != nil {
		t.Fatalf("got %+v", e.Event)
	}
	p.ends(-2, wire.EventDone, "")
	if e := p.bring(s, -2, asUnit, mlp(t, 4)); e.Event.Import == nil || e.Event.Import.Model == nil || e.Event.Import.Model.File != "mlp.safetensors" {
		t.Fatalf("got %+v", e.Event)
	}
	p.owns(-2, "mlp")
	p.ends(-2, wire.EventDone, "")
	if e := p.bring(s, -3, wire.ImportRequest{Name: "reviews"}, table(20)); e.Event.Import == nil || e.Event.Import.Data == nil || e.Event.Import.Data.Examples != 20 {
		t.Fatalf("got %+v", e.Event)
	}
	p.owns(-3, "mlp reviews")
	p.ends(-3, wire.EventDone, "")

	// The name is taken: that is a question, and nothing is kept before it is answered.
	if e := p.bring(s, -4, asUnit, mlp(t, 5)); e.Event.Import == nil || len(e.Event.Import.Questions) != 1 || !e.Event.Import.Questions[0].Exists || e.Event.Import.Model != nil {
		t.Fatalf("got %+v", e.Event)
	}
	p.ends(-4, wire.EventDone, "")
	if told != 2 || p.forgot != 4 {
		t.Errorf("told others %d times, the benches %d times, of 2 changes", told, p.forgot)
	}
	if e := p.bring(s, -5, wire.ImportRequest{Answers: asUnit.Answers, Replace: true}, mlp(t, 5)); e.Event.Import == nil || !slices.Equal(e.Event.Import.Model.Spec.Hidden, []int{5}) {
		t.Fatalf("got %+v", e.Event)
	}
	p.owns(-5, "mlp reviews")
	p.ends(-5, wire.EventDone, "")

	s.receive(spelled(t, wire.Command{ID: -6, Op: wire.OpRename, Rename: &wire.RenameRequest{Kind: wire.KindModel, From: "mlp", To: "mine"}}))
	p.owns(-6, "mine reviews")
	p.ends(-6, wire.EventDone, "")
	s.receive(spelled(t, wire.Command{ID: -7, Op: wire.OpRename, Rename: &wire.RenameRequest{Kind: wire.KindModel, From: "mlp", To: "other"}}))
	p.ends(-7, wire.EventError, "mlp")

	// Another worker, after a reload, finds the same, and says so unasked.
	again, page := newOwner(t, shelf)
	again.tellOwn()
	page.owns(0, "mine reviews")

	// One tab changes something, the other hears of it.
	s.receive(spelled(t, wire.Command{ID: -8, Op: wire.OpRemove, Remove: &wire.RemoveRequest{Kind: wire.KindModel, Name: "mine"}}))
	p.owns(-8, "reviews")
	p.ends(-8, wire.EventDone, "")
	again.hearOthers()
	page.owns(0, "reviews")
	if page.forgot != 2 {
		t.Errorf("the other tab's benches were told %d times", page.forgot)
	}
}

// What another tab has replaced is read anew.
func TestReplacedInAnotherTab(t *testing.T) {
	shelf := library.Memory()
	s, p := newOwner(t, shelf)
	other, page := newOwner(t, shelf)
	close(p.stop)
	close(page.stop)
	p.bring(s, -1, asUnit, mlp(t, 4))
	other.tellOwn()
	page.owns(0, "mlp")
	p.bring(s, -2, wire.ImportRequest{Answers: asUnit.Answers, Replace: true}, mlp(t, 6))
	other.hearOthers()
	if e := page.next(wire.EventOwn); len(e.Event.Own.Models) != 1 || !slices.Equal(e.Event.Own.Models[0].Spec.Hidden, []int{6}) {
		t.Errorf("got %+v", e.Event.Own)
	}
}

func TestImportsThatFail(t *testing.T) {
	huge := upload{name: "huge.pt", size: wire.MaxFile + 1, read: func(context.Context) ([]byte, error) {
		t.Error("a file that is too large was read")
		return nil, nil
	}}
	gone := upload{name: "gone.pt", size: 10, read: func(context.Context) ([]byte, error) { return nil, errors.New("NotFoundError") }}
	for name, test := range map[string]struct {
		files []upload
		put   error
		want  string
	}{
		"no file":   {nil, nil, "no file came"},
		"too large": {[]upload{huge}, nil, "256 MB"},
		"too many":  {make([]upload, wire.MaxFiles+1), nil, "20001 files"},
		"gone":      {[]upload{gone}, nil, "gone.pt can't be read"},
		"foreign":   {[]upload{file("notes.txt", "hello")}, nil, "notes.txt"},
		"no room":   {[]upload{table(20)}, refused("QuotaExceededError", "Quota exceeded."), "no more room"},
	} {
		t.Run(name, func(t *testing.T) {
			shelf := &flaky{Shelf: library.Memory(), put: test.put}
			s, p := newOwner(t, shelf)
			if e := p.bring(s, -1, wire.ImportRequest{}, test.files...); e.Event.Kind != wire.EventError || !strings.Contains(e.Event.Text, test.want) || strings.Contains(e.Event.Text, "\n") {
				t.Errorf("got %+v, want %q", e.Event, test.want)
			}
			if names, err := shelf.Names(t.Context()); err != nil || len(names) > 0 {
				t.Errorf("%q was kept, %v", names, err)
			}
		})
	}
	s, p := newPage(t)
	for _, op := range []string{wire.OpImport, wire.OpRename, wire.OpRemove} {
		s.receive(spelled(t, wire.Command{ID: -1, Op: op}))
		p.ends(-1, wire.EventError, "lacks what it is about")
	}
}

// An import can be cancelled while it reads, and one that waits too; short questions do not wait for it.
func TestCanceledImport(t *testing.T) {
	s, p := newPage(t)
	stuck := upload{name: "stuck.pt", size: 10, read: func(ctx context.Context) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	req := &wire.ImportRequest{}
	s.receive(spelled(t, wire.Command{ID: -1, Op: wire.OpImport, Import: req}), stuck)
	s.receive(spelled(t, wire.Command{ID: -2, Op: wire.OpImport, Import: req}), table(20))
	s.receive(spelled(t, wire.Command{ID: -3, Op: wire.OpOwn}))
	s.receive(spelled(t, wire.Command{ID: -4, Op: wire.OpWarm, Warm: "mnist-lab1"}))
	p.ends(-4, wire.EventDone, "")
	for _, id := range []int{-2, -1} {
		s.receive(spelled(t, wire.Command{ID: id, Op: wire.OpCancel}))
		p.ends(id, wire.EventCancel, "")
	}
	p.owns(-3, "")
	p.ends(-3, wire.EventDone, "")
}

// Where a browser has no database for the page, what is brought lasts as long as the page, which says so.
func TestNothingIsStored(t *testing.T) {
	s, p := newOwner(t, &flaky{Shelf: library.Memory(), names: errors.New("SecurityError")})
	close(p.stop)
	s.receive(spelled(t, wire.Command{ID: -1, Op: wire.OpOwn}))
	if e := p.next(wire.EventNote, wire.EventOwn); !strings.Contains(e.Event.Text, "stores nothing for this page") {
		t.Errorf("got %+v", e)
	}
	p.ends(-1, wire.EventDone, "")
	s.receive(spelled(t, wire.Command{ID: -2, Op: wire.OpImport, Import: &wire.ImportRequest{}}), table(20))
	if e := p.next(wire.EventNote, wire.EventImport); !strings.Contains(e.Event.Text, "stores nothing for this page") {
		t.Errorf("got %+v", e)
	}
	p.owns(-2, "reviews")
}

// What is damaged is told of, left out, and can be removed.
func TestDamagedEntries(t *testing.T) {
	shelf := library.Memory()
	if err := shelf.Put(t.Context(), "model/broken", []byte("no model")); err != nil {
		t.Fatal(err)
	}
	s, p := newOwner(t, shelf)
	s.receive(spelled(t, wire.Command{ID: -1, Op: wire.OpOwn}))
	if e := p.next(wire.EventNote, wire.EventOwn); e.Event.Kind != wire.EventNote || !strings.Contains(e.Event.Text, "model/broken") {
		t.Errorf("got %+v", e.Event)
	}
	p.owns(-1, "")
	p.ends(-1, wire.EventDone, "")
	s.receive(spelled(t, wire.Command{ID: -2, Op: wire.OpRemove, Remove: &wire.RemoveRequest{Kind: wire.KindModel, Name: "broken"}}))
	p.ends(-2, wire.EventDone, "")
}

func TestExport(t *testing.T) {
	s, p := newPage(t)
	ask := func(id int, req wire.ExportRequest) {
		s.receive(spelled(t, wire.Command{ID: id, Op: wire.OpExport, Export: &req}))
	}
	ask(-1, wire.ExportRequest{Model: "mnist-lab1", Variant: wire.Baseline, Format: wire.ONNX})
	if e := p.next(wire.EventFile, wire.EventError); e.ID != -1 || e.Event.File == nil || e.Event.File.Name != "mnist-lab1.onnx" || p.files["mnist-lab1.onnx"] != "mnist-lab1" {
		t.Errorf("got %+v, files %q", e, p.files)
	}
	p.ends(-1, wire.EventDone, "")
	ask(-2, wire.ExportRequest{Model: "mnist-lab1", Variant: wire.Baseline, Format: "doc"})
	p.ends(-2, wire.EventError, "unknown format")
	ask(-3, wire.ExportRequest{Model: "stuck"})
	s.receive(spelled(t, wire.Command{ID: -3, Op: wire.OpCancel}))
	p.ends(-3, wire.EventCancel, "")
	if len(p.files) != 1 {
		t.Errorf("the reader was given %q", p.files)
	}
}

// What PyTorch saved is read, or refused in a sentence.
func TestPyTorchFiles(t *testing.T) {
	names, err := filepath.Glob("../../core/modelfile/torch/testdata/*.pt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no files of PyTorch: %v", err)
	}
	s, p := newPage(t)
	close(p.stop)
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		e := p.bring(s, -1, wire.ImportRequest{Replace: true}, file(filepath.Base(name), string(data)))
		if e.Event.Kind == wire.EventError && (e.Event.Text == "" || strings.Contains(e.Event.Text, "\n")) {
			t.Errorf("%s: %q", name, e.Event.Text)
		}
		t.Logf("%s: %s %s", filepath.Base(name), e.Event.Kind, e.Event.Text)
	}
}
