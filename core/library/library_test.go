package library

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/dataset/custom"
	"quantlab/core/exchange"
	"quantlab/core/internal/must"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// mlp is a small model of images.
func mlp(id string) *exchange.Imported {
	spec := nn.Spec{ID: id, Title: id, Data: nn.MNIST, Crop: 20, In: 400, Hidden: []int{3}, Out: 10, Own: true, Scaling: nn.Scaling{Mean: 0.5, Std: 0.5}}
	net := nn.New(spec)
	net.Layers[0].W[7] = 2
	return &exchange.Imported{Net: net, Model: &wire.OwnModel{Spec: spec, File: "mlp.pt", Format: "PyTorch state_dict", Bytes: 12, Notes: []string{"ReLU assumed"}}}
}

// reader is a small model of sentences.
func reader(id string, words ...string) *exchange.Imported {
	spec := nn.Spec{ID: id, Title: "My reader", Data: nn.SST2, Vocab: len(words), In: len(words), Hidden: []int{2}, Out: 1, Own: true, Binary: true}
	return &exchange.Imported{Net: nn.New(spec), Meta: modelfile.Meta{Vocabulary: words}, Model: &wire.OwnModel{Spec: spec}}
}

// read makes examples of one file.
func read(t testing.TB, name, file, text string) *exchange.Imported {
	t.Helper()
	set, facts, err := custom.Read(t.Context(), []custom.File{{Name: file, Data: []byte(text)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	facts.Name = name
	return &exchange.Imported{Examples: set, Data: &facts}
}

// digits makes n images of a class each, of which the first pixel is the place.
func digits(name string, n int, classes ...string) *exchange.Imported {
	im := &dataset.Images{Height: 28, Width: 28, Pixels: make([]uint8, n*784), Labels: make([]uint8, n)}
	for i := range n {
		im.Pixels[i*784+4*28+4] = uint8(i)
		im.Labels[i] = uint8(i % len(classes))
	}
	facts := wire.OwnData{Name: name, Data: nn.MNIST, Examples: n, Labels: classes}
	return &exchange.Imported{Examples: &custom.Set{Images: im, Classes: classes}, Data: &facts}
}

func add(t testing.TB, l *Library, all ...*exchange.Imported) {
	t.Helper()
	for _, im := range all {
		if err := l.Add(t.Context(), im, false); err != nil {
			t.Fatal(err)
		}
	}
}

func names(t testing.TB, l *Library) string {
	own := must.Have(l.Own(t.Context()))(t)
	var out []string
	if own != nil {
		for _, m := range own.Models {
			out = append(out, m.Spec.ID)
		}
		for _, d := range own.Data {
			out = append(out, d.Name)
		}
	}
	return strings.Join(out, " ")
}

func TestLifeOfAnEntry(t *testing.T) {
	shelf := Memory()
	l := New(shelf)
	if own := must.Have(l.Own(t.Context()))(t); own != nil {
		t.Errorf("an empty library holds %+v", own)
	}
	m := mlp("my-mlp")
	m.Model.Spec.Test, m.Model.Spec.Calibration = "my-digits", "my-digits"
	m.Net.Spec = m.Model.Spec
	add(t, l, digits("my-digits", 20, "3", "7"), m, reader("my-reader", "good", "bad"))
	if got := names(t, l); got != "my-mlp my-reader my-digits" {
		t.Errorf("there are %s", got)
	}
	// Another library over the same shelf knows the same.
	own := must.Have(New(shelf).Own(t.Context()))(t)
	if fmt.Sprint(own) != fmt.Sprint(must.Have(l.Own(t.Context()))(t)) || own.Models[0].Notes[0] != "ReLU assumed" || own.Models[0].Spec.Test != "my-digits" {
		t.Errorf("read again: %+v", own)
	}

	if err := l.Rename(t.Context(), wire.RenameRequest{Kind: wire.KindData, From: "my-digits", To: "tens"}); err != nil {
		t.Fatal(err)
	}
	if err := l.Rename(t.Context(), wire.RenameRequest{Kind: wire.KindModel, From: "my-mlp", To: "mine"}); err != nil {
		t.Fatal(err)
	}
	own = must.Have(l.Own(t.Context()))(t)
	if s := own.Models[0].Spec; s.ID != "mine" || s.Title != "mine" || s.Test != "tens" || s.Calibration != "tens" || s.Scaling.Std != 0.5 || names(t, l) != "mine my-reader tens" {
		t.Errorf("renamed: %s, %+v", names(t, l), s)
	}
	src := &Source{Library: l}
	net, _, err := src.Network(t.Context(), own.Models[0].Spec, nil)
	if err != nil || net.Layers[0].W[7] != 2 || net.Spec.ID != "mine" {
		t.Errorf("renamed network %+v, error %v", net, err)
	}

	if err := l.Remove(t.Context(), wire.RemoveRequest{Kind: wire.KindData, Name: "tens"}); err != nil {
		t.Fatal(err)
	}
	own = must.Have(l.Own(t.Context()))(t)
	if m := own.Models[0]; m.Spec.Test != "" || m.Spec.Calibration != "" || len(m.Notes) != 3 || !strings.Contains(m.Notes[1], "tens") {
		t.Errorf("its examples gone, the model is %+v", m)
	}
	entry := must.Have(l.Entry(t.Context(), wire.KindModel, "mine"))(t)
	other := New(Memory())
	if err := other.AddEntry(t.Context(), entry); err != nil || names(t, other) != "mine" {
		t.Errorf("elsewhere: %s, error %v", names(t, other), err)
	}
	if again := must.Have(other.Entry(t.Context(), wire.KindModel, "mine"))(t); !bytes.Equal(again, entry) {
		t.Error("an entry changes on its way")
	}
}

func TestRefuses(t *testing.T) {
	l := New(Memory())
	add(t, l, mlp("my-mlp"), mlp("other"), digits("tens", 3, "1"))
	lab := mlp("mnist-lab1")
	full := New(Memory())
	for i := range wire.MaxOwn {
		add(t, full, mlp(fmt.Sprint("m", i)))
	}
	wordless := reader("r", "a", "b")
	wordless.Meta.Vocabulary = nil
	ctx := t.Context()
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"twice":            {l.Add(ctx, mlp("my-mlp"), false), "a model named my-mlp already"},
		"twice, data":      {l.Add(ctx, digits("tens", 3, "1"), false), "a set of examples named tens already"},
		"questions":        {l.Add(ctx, &exchange.Imported{Questions: []wire.Question{{}}}, false), "answer the questions"},
		"a lab name":       {l.Add(ctx, lab, false), "lab's models"},
		"no vocabulary":    {l.Add(ctx, wordless, false), "vocabulary"},
		"too many":         {full.Add(ctx, mlp("more"), false), "50 models already"},
		"junk":             {l.AddEntry(ctx, []byte("junk, and more of it")), "safetensors"},
		"rename to taken":  {l.Rename(ctx, wire.RenameRequest{Kind: wire.KindModel, From: "my-mlp", To: "other"}), "named other already"},
		"rename to bad":    {l.Rename(ctx, wire.RenameRequest{Kind: wire.KindModel, From: "my-mlp", To: "../x"}), "can't be a name"},
		"rename to lab's":  {l.Rename(ctx, wire.RenameRequest{Kind: wire.KindModel, From: "my-mlp", To: "sst2-lab1"}), "lab's models"},
		"rename nothing":   {l.Rename(ctx, wire.RenameRequest{Kind: wire.KindModel, From: "none", To: "x"}), "no model of your own named none"},
		"rename what":      {l.Rename(ctx, wire.RenameRequest{Kind: "thing", From: "my-mlp", To: "x"}), "no kind"},
		"remove nothing":   {l.Remove(ctx, wire.RemoveRequest{Kind: wire.KindData, Name: "none"}), "no set of examples of your own named none"},
		"remove elsewhere": {l.Remove(ctx, wire.RemoveRequest{Kind: "../..", Name: "none"}), "no kind"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) || strings.Contains(c.err.Error(), "\n") {
			t.Errorf("%s: error %v, expected one with %q", name, c.err, c.says)
		}
	}
	if err := l.Add(ctx, mlp("my-mlp"), true); err != nil {
		t.Errorf("replacing: %v", err)
	}
	if err := full.Add(ctx, mlp("m7"), true); err != nil {
		t.Errorf("replacing in a full library: %v", err)
	}
	if got := names(t, l); got != "my-mlp other tens" {
		t.Errorf("there are %s", got)
	}
}

// TestDamaged: what can't be read is told, skipped and can be removed.
func TestDamaged(t *testing.T) {
	shelf := Memory()
	l := New(shelf)
	add(t, l, mlp("my-mlp"), digits("tens", 3, "1"))
	for entry, data := range map[string][]byte{
		"model/broken": []byte("junk, and more of it"),
		"model/moved":  must.Have(l.Entry(t.Context(), wire.KindModel, "my-mlp"))(t),
		"data/half":    must.Have(l.Entry(t.Context(), wire.KindData, "tens"))(t)[:200],
		"what":         nil,
	} {
		if err := shelf.Put(t.Context(), entry, data); err != nil {
			t.Fatal(err)
		}
	}
	l = New(shelf)
	if got := names(t, l); got != "my-mlp tens" {
		t.Errorf("there are %s", got)
	}
	if d := must.Have(l.Damaged(t.Context()))(t); len(d) != 4 || strings.Contains(strings.Join(d, ""), "\n") {
		t.Errorf("damaged: %q", d)
	}
	if err := l.Remove(t.Context(), wire.RemoveRequest{Kind: wire.KindModel, Name: "broken"}); err != nil {
		t.Error(err)
	}
	if d := must.Have(l.Damaged(t.Context()))(t); len(d) != 3 {
		t.Errorf("damaged: %q", d)
	}
}

// failing is a shelf that keeps nothing more.
type failing struct{ Shelf }

func (failing) Put(context.Context, string, []byte) error { return errors.New("the disk is full") }

func TestFullDisk(t *testing.T) {
	shelf := Memory()
	add(t, New(shelf), mlp("my-mlp"))
	l := New(failing{shelf})
	if err := l.Add(t.Context(), mlp("more"), false); err == nil || !strings.Contains(err.Error(), "full") || names(t, l) != "my-mlp" {
		t.Errorf("error %v, and there are %s", err, names(t, l))
	}
	if err := l.Rename(t.Context(), wire.RenameRequest{Kind: wire.KindModel, From: "my-mlp", To: "x"}); err == nil || names(t, l) != "my-mlp" {
		t.Errorf("error %v, and there are %s", err, names(t, l))
	}
}

func TestConcurrently(t *testing.T) {
	l := New(Memory())
	add(t, l, digits("tens", 30, "0", "1"), mlp("my-mlp"), reader("r", "good", "bad"))
	src := &Source{Source: base{}, Library: l}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprint("m", i)
			if err := l.Add(t.Context(), mlp(name), false); err != nil {
				t.Error(err)
			}
			spec := mlp("my-mlp").Model.Spec
			spec.Test = "tens"
			if _, err := src.Test(t.Context(), spec, 5, nil); err != nil {
				t.Error(err)
			}
			if _, err := src.Test(t.Context(), reader("r", "good", "bad").Model.Spec, 5, nil); err != nil {
				t.Error(err)
			}
			if err := l.Remove(t.Context(), wire.RemoveRequest{Kind: wire.KindModel, Name: name}); err != nil {
				t.Error(err)
			}
			if _, err := l.Own(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := names(t, l); got != "my-mlp r tens" {
		t.Errorf("there are %s", got)
	}
}

// base is a lab's source of 12 images and 3 sentences.
type base struct{ lab.Source }

func (base) Network(_ context.Context, spec nn.Spec, _ func(done, total int64)) (*nn.Network, modelfile.Meta, error) {
	words := []string{"film", "good"}
	for i := len(words); i < spec.In; i++ {
		words = append(words, fmt.Sprint("w", i))
	}
	return nn.New(spec), modelfile.Meta{Vocabulary: words}, nil
}

func (base) Test(_ context.Context, spec nn.Spec, n int, _ func(done, total int64)) (*dataset.Examples, error) {
	if spec.Data == nn.SST2 {
		return nil, errors.New("unexpected")
	}
	e := dataset.FromImages(digits("x", 12, "0", "1", "2").Examples.Images.Crop(spec.Crop))
	if n > 0 {
		e = e.Head(n)
	}
	return e, nil
}

func (b base) Calibration(ctx context.Context, spec nn.Spec, _ func(done, total int64)) (*dataset.Examples, error) {
	return b.Test(ctx, spec, 4, nil)
}

func (b base) Train(ctx context.Context, spec nn.Spec, _ func(done, total int64)) (*dataset.Examples, error) {
	return b.Test(ctx, spec, 0, nil)
}

func (base) Sentences(_ context.Context, _ nn.Spec, _ string, n int, _ func(done, total int64)) (*dataset.Sentences, error) {
	s := &dataset.Sentences{Text: []string{"good good film", "bad", "a film"}, Labels: []uint8{1, 0, 1}}
	if n > 0 {
		s = s.Head(n)
	}
	return s, nil
}

// dense returns the examples' features.
func dense(e *dataset.Examples) []float32 {
	var b nn.Batch
	e.Slice(&b, 0, e.Len())
	return b.Scatter(nil).Dense
}

func TestSource(t *testing.T) {
	l := New(Memory())
	add(t, l, mlp("my-mlp"), reader("my-reader", "good", "bad"), digits("tens", 30, "3", "7"), digits("letters", 5, "a", "b"), digits("large", 2000, "3"),
		read(t, "reviews", "a.csv", "text,label\ngood film,1\nbad bad,0\n"), read(t, "mails", "a.csv", "text,label\ngood offer,spam\nbad idea,ham\n"))
	src := &Source{Source: base{}, Library: l}
	ctx := t.Context()
	own, lab1, sst2 := mlp("my-mlp").Model.Spec, must.Have(nn.SpecOf("mnist-lab1"))(t), must.Have(nn.SpecOf("sst2-lab2"))(t)
	ours := reader("my-reader", "good", "bad").Model.Spec

	// The reader's model on the lab's images: cropped and scaled.
	e := must.Have(src.Test(ctx, own, 0, nil))(t)
	if f := dense(e); e.Dim != 400 || e.Len() != 12 || f[400*5] != float32((5.0/255-0.5)/0.5) || f[1] != -1 || e.Labels[5] != 2 {
		t.Errorf("%d examples of %d features, that of pixel 5 is %v", e.Len(), e.Dim, f[400*5])
	}
	if e := must.Have(src.Calibration(ctx, own, nil))(t); e.Len() != 4 || e.Dim != 400 {
		t.Errorf("calibration: %d of %d", e.Len(), e.Dim)
	}
	// The reader's examples.
	own.Test, lab1.Test, own.Calibration = "tens", "tens", "large"
	if e = must.Have(src.Test(ctx, own, 7, nil))(t); e.Len() != 7 || e.Dim != 400 || !slices.Equal(e.Labels[:2], []uint8{3, 7}) {
		t.Errorf("%d examples of %d features, labels %v", e.Len(), e.Dim, e.Labels)
	}
	if e = must.Have(src.Test(ctx, lab1, 100, nil))(t); e.Len() != 30 || e.Dim != 784 || dense(e)[784+4*28+4] != float32(1)/255 {
		t.Errorf("%d examples of %d features", e.Len(), e.Dim)
	}
	if e = must.Have(src.Calibration(ctx, own, nil))(t); e.Len() != dataset.CalibrationSize {
		t.Errorf("%d examples calibrate", e.Len())
	}
	if e = must.Have(src.Train(ctx, own, nil))(t); e.Len() != 2000 {
		t.Errorf("%d examples to draw from", e.Len())
	}
	// Sentences, counted with each model's own words.
	if e = must.Have(src.Test(ctx, ours, 0, nil))(t); !slices.Equal(dense(e), []float32{1, 0, 0, 1, 0, 0}) || !slices.Equal(e.Labels, []uint8{1, 0, 1}) {
		t.Errorf("bags %v, labels %v", dense(e), e.Labels)
	}
	sst2.Test, ours.Test = "reviews", "mails"
	if e = must.Have(src.Test(ctx, sst2, 0, nil))(t); e.Dim != 5000 || e.Len() != 2 || len(e.Index) != 2 || !slices.Equal(e.Labels, []uint8{1, 0}) {
		t.Errorf("%d bags of %d words: %v, labels %v", e.Len(), e.Dim, e.Index, e.Labels)
	}
	if e = must.Have(src.Test(ctx, ours, 0, nil))(t); !slices.Equal(e.Labels, []uint8{1, 0}) { // ham, spam by their places
		t.Errorf("labels %v", e.Labels)
	}
	if s := must.Have(src.Sentences(ctx, sst2, dataset.Dev, 1, nil))(t); s.Len() != 1 || s.Text[0] != "good film" {
		t.Errorf("sentences %v", s)
	}
	if s := must.Have(src.Sentences(ctx, ours, dataset.Train, 0, nil))(t); s.Len() != 3 {
		t.Errorf("sentences %v", s)
	}

	lab1.Test = "letters"
	if _, err := src.Test(ctx, lab1, 0, nil); err == nil || !strings.Contains(err.Error(), "labelled a, b do not fit") {
		t.Errorf("letters for digits: %v", err)
	}
	sst2.Test = "mails"
	if _, err := src.Test(ctx, sst2, 0, nil); err == nil || !strings.Contains(err.Error(), "labelled ham, spam do not fit") {
		t.Errorf("mails for reviews: %v", err)
	}
	sst2.Test = "tens"
	if _, err := src.Test(ctx, sst2, 0, nil); err == nil {
		t.Error("images for sentences")
	}
	own.Test = "gone"
	var missing *dataset.MissingError
	if _, err := src.Test(ctx, own, 0, nil); !errors.As(err, &missing) {
		t.Errorf("examples that are gone: %v", err)
	}
	own.Test, own.Classes, own.Out = "", []string{"ant", "bee", "cat"}, 3
	if _, err := src.Test(ctx, own, 0, nil); !errors.As(err, &missing) {
		t.Errorf("a model of insects on the lab's digits: %v", err)
	}
	own.ID = "none"
	if _, _, err := src.Network(ctx, own, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a model that is not there: %v", err)
	}
}

// TestRun measures a model of the reader's own on examples of the reader's own.
func TestRun(t *testing.T) {
	l := New(Memory())
	m := mlp("my-mlp")
	m.Meta.Calibration = &quant.Calibration{Boundaries: make([]quant.Boundary, 3)} // of other examples
	add(t, l, m, reader("my-reader", "good", "bad"), digits("tens", 30, "3", "7"))
	src := &Source{Source: base{}, Library: l}
	req := wire.Lab()
	req.Models, req.Batches, req.Runs = []string{"mnist-lab1", "my-mlp", "my-reader"}, []int{1}, 1
	req.Own, req.Test, req.Calibration, req.Examples = must.Have(l.Own(t.Context()))(t), "tens", "tens", 100
	result := must.Have(lab.Run(t.Context(), lab.Host{Name: wire.Native, MinRun: 1}, src, req, nil))(t)
	for _, r := range result.Rows {
		want := map[string]int{"mnist-lab1": 30, "my-mlp": 30, "my-reader": 3}[r.Model]
		if r.Total != want || r.SizeBytes == 0 {
			t.Errorf("%s %s: %d examples, %d bytes, note %q", r.Model, r.Variant, r.Total, r.SizeBytes, r.Note)
		}
	}
	notes := strings.Join(result.Notes, "\n")
	for _, want := range []string{
		"accuracy was measured on tens, 30 images of your own: mnist-lab1, my-mlp",
		"tens holds images: my-reader was measured on its own test set",
		"static layers were calibrated with tens, 30 images of your own: mnist-lab1, my-mlp",
	} {
		if strings.Count(notes, want) != 1 {
			t.Errorf("the notes lack %q, or have it twice:\n%s", want, notes)
		}
	}
	if len(result.Settings.Own.Models) != 2 || len(result.Settings.Own.Data) != 1 {
		t.Errorf("settings tell of %+v", result.Settings.Own)
	}
}
