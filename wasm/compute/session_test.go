package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/library"
)

// A page collects what a session posts.
type page struct {
	t    *testing.T
	got  chan wire.Envelope
	stop chan struct{} // lets the site's answers through

	files  map[string]string // that the reader was given, by name
	forgot int               // how often the benches were told that something has changed
}

func newPage(t *testing.T) (*session, *page) { return newOwner(t, library.Memory()) }

// newOwner returns a session whose reader's own is kept on the shelf, and its page.
func newOwner(t *testing.T, shelf library.Shelf) (*session, *page) {
	p := &page{t: t, got: make(chan wire.Envelope, 1000), stop: make(chan struct{})}
	site := openerFunc(func(ctx context.Context, _ string, _ bool) (io.ReadCloser, error) {
		select {
		case <-p.stop:
			return nil, errors.New("the site is closed")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	host := lab.Host{Name: wire.Browser, Version: "test", MaxThreads: 1}
	l := &lasting{browser: shelf}
	s := newSession(host, over(site, l), slow{p}, slow{p}, p.post, p.download)
	s.collection.notes = l.notes
	return s, p
}

func over(site opener, shelf library.Shelf) *library.Source {
	return &library.Source{Source: newSource(site), Library: library.New(shelf)}
}

func (p *page) post(text string) {
	var e wire.Envelope
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		p.t.Errorf("%v in %s", err, text)
	}
	p.got <- e
}

// A saved file is what the reader was given.
type saved struct {
	bytes.Buffer
	page *page
}

func (p *page) download() download { return &saved{page: p} }

func (f *saved) offer(name string) { put(&f.page.files, name, f.String()) }

func put[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}

// A slow bench answers a warm-up at once, and everything else when the page's site is closed.
type slow struct{ *page }

func (b slow) Do(ctx context.Context, c wire.Command, emit func(wire.Event)) {
	if c.Op == wire.OpWarm {
		emit(wire.Event{Kind: wire.EventDone})
		return
	}
	select {
	case <-b.stop:
		emit(wire.Event{Kind: wire.EventDone})
	case <-ctx.Done():
		emit(wire.Event{Kind: wire.EventCancel})
	}
}

// Export writes the model's name.
func (b slow) Export(ctx context.Context, req wire.ExportRequest, w io.Writer, emit func(wire.Event)) (*wire.Exported, error) {
	if req.Model == "stuck" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := req.Validate(); err != nil {
		return nil, err
	}
	emit(wire.Event{Kind: wire.EventProgress, Step: "writing"})
	n, err := io.WriteString(w, req.Model)
	return &wire.Exported{Name: req.Model + "." + req.Format, Bytes: int64(n)}, err
}

// Forget implements answerer.
func (b slow) Forget() { b.forgot++ }

type openerFunc func(ctx context.Context, name string, fresh bool) (io.ReadCloser, error)

func (f openerFunc) open(ctx context.Context, name string, fresh bool) (io.ReadCloser, error) {
	return f(ctx, name, fresh)
}

// next returns the next envelope of one of those kinds.
func (p *page) next(kinds ...string) wire.Envelope {
	p.t.Helper()
	for {
		select {
		case e := <-p.got:
			if slices.Contains(kinds, e.Event.Kind) {
				return e
			}
		case <-time.After(10 * time.Second):
			p.t.Fatalf("no event %v came", kinds)
		}
	}
}

func spelled(t *testing.T, c wire.Command) string {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func quick(t *testing.T, id int) string {
	r := wire.Quick()
	return spelled(t, wire.Command{ID: id, Op: wire.OpRun, Request: &r})
}

func TestRunsTakeTurnsAndCanBeCanceled(t *testing.T) {
	s, p := newPage(t)
	for id := 1; id <= 3; id++ {
		s.receive(quick(t, id))
	}
	if e := p.next(wire.EventQueued); e.ID != 2 || e.Event.Position != 1 {
		t.Errorf("got %+v", e)
	}
	if e := p.next(wire.EventQueued); e.ID != 3 || e.Event.Position != 2 {
		t.Errorf("got %+v", e)
	}
	// One that waits and the one that runs are cancelled at once, and the others move up.
	s.receive(spelled(t, wire.Command{ID: 2, Op: wire.OpCancel}))
	if e := p.next(wire.EventCancel, wire.EventError); e.ID != 2 || e.Event.Kind != wire.EventCancel {
		t.Errorf("got %+v, want the cancellation of 2", e)
	}
	if e := p.next(wire.EventQueued); e.ID != 3 || e.Event.Position != 1 {
		t.Errorf("got %+v", e)
	}
	s.receive(spelled(t, wire.Command{ID: 1, Op: wire.OpCancel}))
	if e := p.next(wire.EventCancel, wire.EventError); e.ID != 1 || e.Event.Kind != wire.EventCancel {
		t.Errorf("got %+v, want the cancellation of 1", e)
	}
	close(p.stop)
	if e := p.next(wire.EventError); e.ID != 3 || !strings.Contains(e.Event.Text, "the site is closed") {
		t.Errorf("got %+v", e)
	}
	// The session is idle again and takes the next.
	s.receive(quick(t, 4))
	if e := p.next(wire.EventError); e.ID != 4 {
		t.Errorf("got %+v", e)
	}
}

// Experiments wait for runs, and runs for experiments.
func TestExperimentsAndRunsTakeTurns(t *testing.T) {
	s, p := newPage(t)
	s.receive(quick(t, 1))
	req := wire.Quick()
	for i, op := range []string{wire.OpSensitivity, wire.OpPlans, wire.OpSweep, wire.OpAMP, wire.OpRun} {
		s.receive(spelled(t, wire.Command{ID: 2 + i, Op: op, Request: &req}))
		if e := p.next(wire.EventQueued, wire.EventError); e.ID != 2+i || e.Event.Position != 1+i {
			t.Errorf("%s: got %+v", op, e)
		}
	}
	close(p.stop)
	for id := 1; id <= 6; id++ {
		if e := p.next(wire.EventError, wire.EventDone); e.ID != id || e.Event.Kind != wire.EventError {
			t.Errorf("got %+v, want the end of %d", e, id)
		}
	}
}

// A run, a short question and a long one do not wait for each other; questions of one kind answer in order.
func TestLanes(t *testing.T) {
	s, p := newPage(t)
	s.receive(quick(t, 1))
	for id, op := range []string{wire.OpSearch, wire.OpEvaluate, wire.OpPredict, wire.OpPicture} {
		s.receive(spelled(t, wire.Command{ID: -2 - id, Op: op}))
	}
	// Of the three that are under way each can be cancelled, and those that wait behind them.
	for _, id := range []int{-2, -5, 1, -4} {
		s.receive(spelled(t, wire.Command{ID: id, Op: wire.OpCancel}))
		if e := p.next(wire.EventCancel, wire.EventDone); e.ID != id || e.Event.Kind != wire.EventCancel {
			t.Errorf("got %+v, want the cancellation of %d", e, id)
		}
	}
	s.receive(spelled(t, wire.Command{ID: -6, Op: wire.OpWarm, Warm: "mnist-lab1"}))
	if e := p.next(wire.EventDone); e.ID != -6 {
		t.Errorf("got %+v: a short question waits for a long one", e)
	}
	close(p.stop)
	if e := p.next(wire.EventDone, wire.EventCancel); e.ID != -3 || e.Event.Kind != wire.EventDone {
		t.Errorf("got %+v, want the answer to -3", e)
	}
}

// A run's result tells what went on beside it.
func TestRunTellsWhatDisturbedIt(t *testing.T) {
	const asked, met, kept = "answered other questions", "another tab", "nothing is stored"
	for name, want := range map[string]string{"alone": "", "asked": asked, "met": met, "kept": kept} {
		t.Run(name, func(t *testing.T) {
			p := &page{t: t, got: make(chan wire.Envelope, 1000)}
			host := lab.Host{Name: wire.Browser, MaxThreads: 1, MinRun: time.Millisecond}
			watching := false
			m, _ := newMemory(t)
			var s *session
			src := openerFunc(func(ctx context.Context, file string, _ bool) (io.ReadCloser, error) {
				if !watching {
					t.Error("nobody watches for other runs")
				}
				if name == "asked" {
					s.ask(slow{p})(ctx, command{Command: wire.Command{Op: wire.OpWarm}}, func(wire.Event) {})
				}
				return m.open(ctx, file, false)
			})
			s = newSession(host, over(src, library.Memory()), slow{p}, slow{p}, p.post, p.download)
			s.watch = func() (func() bool, func()) {
				watching = true
				return func() bool { return name == "met" }, func() { watching = false }
			}
			if name == "kept" {
				s.notes = func() []string { return []string{kept} }
			}
			r := wire.Quick()
			r.Runs, r.Examples, r.Batches, r.Variants = 1, 10, []int{1}, []string{wire.Baseline}
			s.receive(spelled(t, wire.Command{ID: 1, Op: wire.OpRun, Request: &r}))
			e := p.next(wire.EventDone, wire.EventError)
			if e.Event.Kind != wire.EventDone {
				t.Fatalf("got %+v", e.Event)
			}
			for _, text := range []string{asked, met, kept} {
				if told := strings.Contains(strings.Join(e.Event.Result.Notes, "\n"), text); told != (text == want) {
					t.Errorf("notes %q, want %q", e.Event.Result.Notes, want)
				}
			}
		})
	}
}

func TestIntroduction(t *testing.T) {
	s, p := newPage(t)
	s.introduce()
	e := p.next(wire.EventStart)
	if hw := e.Event.Result.Hardware; e.ID != 0 || e.Event.Result.Version != "test" || hw.Host != wire.Browser || len(hw.Engines) == 0 {
		t.Errorf("got %+v", e)
	}
}

func TestBadCommands(t *testing.T) {
	s, p := newPage(t)
	close(p.stop)
	bad := wire.Quick()
	bad.Batches = []int{1_000_000_000}
	threads := wire.Quick()
	threads.Threads = 2
	for text, want := range map[string]string{
		"":                    "can't be understood",
		"[1]":                 "can't be understood",
		`{"id":7,"op":"dig"}`: `unknown command "dig"`,
		`{"id":7,"op":"run"}`: "needs a request",
		`{"id":7,"op":"amp","amp":{"type":"bf16"}}`:                             "the command amp needs a request",
		`{"id":7,"op":"sweep"}`:                                                 "the command sweep needs a request",
		`{"id":7,"op":"run","x":1}`:                                             `unknown field "x"`,
		strings.Repeat(" ", maxPicture) + "{":                                   "too long",
		`{"id":7,"op":"warm","warm":"` + strings.Repeat("m", maxCommand) + `"}`: "too long",
		spelled(t, wire.Command{ID: 7, Op: wire.OpRun, Request: &bad}):          "out of range",
		spelled(t, wire.Command{ID: 7, Op: wire.OpRun, Request: &threads}):      "threads 2",
	} {
		s.receive(text)
		if e := p.next(wire.EventError); !strings.Contains(e.Event.Text, want) {
			t.Errorf("%.60q: %q, want %q", text, e.Event.Text, want)
		}
	}
	s.receive(spelled(t, wire.Command{ID: 99, Op: wire.OpCancel})) // of nothing: no answer, no panic
	select {
	case e := <-p.got:
		t.Errorf("got %+v", e)
	default:
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{`{"id":1,"op":"run","request":{"models":["mnist-lab1"]}}`, `{"id":1,"op":"cancel"}`, `{"op":"plans","request":{},"plans":{"schemes":["int4"]}}`, `{`, `null`} {
		f.Add(s)
	}
	ops := []string{wire.OpRun, wire.OpSensitivity, wire.OpPlans, wire.OpSweep, wire.OpAMP, wire.OpCancel, wire.OpWarm, wire.OpPredict, wire.OpSamples, wire.OpPicture, wire.OpSearch, wire.OpInspect, wire.OpAdvise, wire.OpEvaluate, wire.OpOwn, wire.OpImport, wire.OpRename, wire.OpRemove, wire.OpExport}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCommand(text)
		if err == nil && (!slices.Contains(ops, c.Op) || wire.Measures(c.Op) && c.Request == nil) {
			t.Errorf("%q gave %+v", text, c)
		}
	})
}

// The largest picture is read.
func TestPictureFits(t *testing.T) {
	text := spelled(t, wire.Command{ID: 1, Op: wire.OpPicture, Picture: &wire.GrayPicture{Width: 1024, Height: 1024, Gray: make([]byte, wire.MaxGrayPixels)}})
	if c, err := parseCommand(text); err != nil || len(c.Picture.Gray) != wire.MaxGrayPixels {
		t.Error(err)
	}
}
