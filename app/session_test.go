package app

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"quantlab/core/lab/wire"
)

func TestTheQuickRunStartsByItself(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		if len(f.sent) != 0 {
			t.Fatal("a run before the data was known to be there")
		}
		f.meet(false)
		if len(f.sent) != 1 || f.sent[0].Op != wire.OpRun || f.sent[0].Request.Examples != wire.Quick().Examples {
			t.Fatalf("sent %+v", f.sent)
		}
		f.browser(99, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)}) // another page's
		if len(s.Results.Rows) != 0 {
			t.Error("a row of another command was taken")
		}
		f.browser(1, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)}, done())
		if len(s.Results.Rows) != 1 || s.Current() != nil || !s.Results.Quick {
			t.Errorf("%+v", s.Runs)
		}
		for _, want := range []string{"mnist-lab1, float32, in this browser: accuracy 97.0%", "Finished in this browser."} {
			if !strings.Contains(s.Announcement, want) {
				t.Errorf("announced %q, not %q", s.Announcement, want)
			}
		}
	})
}

// The worker introduces itself before there is anything to run.
func TestTheBrowserIntroducesItself(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.worker("ready", "")
		hw := wire.Hardware{Host: wire.Browser, Engine: "relaxed", Engines: []string{"portable", "relaxed"}, Cores: 8}
		f.browser(0, wire.Event{Kind: wire.EventStart, Result: &wire.Result{Version: "v1", Hardware: hw}})
		if got := s.Hardware[wire.Browser]; got.Engine != "relaxed" || s.Versions[wire.Browser] != "v1" || len(f.sent) != 0 {
			t.Errorf("hardware %+v, version %q", got, s.Versions[wire.Browser])
		}
	})
}

func TestTheServerPreparesFirst(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.hardware(`{"host":"native"}`, "")
		settle()
		f.status(`{"ready":false,"step":"train","fraction":0.4,"text":"mnist-lab2, epoch 1"}`)
		time.Sleep(time.Minute)
		settle()
		if len(f.sent) != 0 || s.Native.Phase != NativePreparing || s.Native.Fraction != .4 {
			t.Fatalf("sent %v, native %+v", f.sent, s.Native)
		}
		f.status(`not JSON`)
		f.status(`{"ready":true}`)
		settle()
		if len(f.sent) != 1 || !f.stopped || s.Native.Phase != NativeReady {
			t.Errorf("sent %v, stopped %v", f.sent, f.stopped)
		}
	})
}

func TestTheServerCannotPrepare(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.worker("ready", "")
		f.hardware(`{"host":"native","cpu":"a CPU","engine":"portable"}`, "")
		settle()
		f.status(`{"ready":false,"step":"train","fraction":0.4}`)
		settle()
		f.status(`{"ready":false,"failed":true,"text":"the disk is full"}`)
		settle()
		time.Sleep(2 * statusWait)
		settle()
		v := s.progress()
		if v.Moving || !v.Retry || len(v.Failures) != 1 || !strings.Contains(v.Failures[0], "the disk is full") || len(f.sent) != 0 {
			t.Fatalf("%+v; sent %v", v, f.sent)
		}
		s.retry()
		settle()
		if len(f.sent) != 1 || s.progress().Retry {
			t.Errorf("Retry does nothing: %+v; sent %v", s.progress(), f.sent)
		}
	})
}

func TestASilentServerDoesNotHoldTheBrowser(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		time.Sleep(statusWait)
		settle()
		if len(f.sent) != 1 {
			t.Error("nothing was run")
		}
	})
}

func TestBothHostsInTurn(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(true)
		f.browser(1, done())
		s.run()
		if !s.Busy() || len(f.sent) != 2 || len(f.native) != 0 {
			t.Fatalf("sent %d, native %d", len(f.sent), len(f.native))
		}
		s.run() // while it runs: nothing
		f.browser(2, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)}, done())
		if len(f.native) != 1 || len(f.sent) != 2 {
			t.Fatalf("the native run did not follow: %+v", s.Runs)
		}
		f.nativeEvent(0, wire.Event{Kind: wire.EventQueued, Position: 1}, wire.Event{Kind: wire.EventStart},
			wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Native)}, done())
		if s.Current() != nil || len(s.Results.Rows) != 2 || s.Busy() {
			t.Errorf("%+v", s.Runs)
		}
	})
}

// Run while the quick run goes on cancels that first.
func TestTheQuickRunGivesWay(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(false)
		s.run()
		if n := len(f.sent); n != 2 || f.sent[1].Op != wire.OpCancel || f.sent[1].ID != 1 {
			t.Fatalf("sent %+v", f.sent)
		}
		f.browser(1, wire.Event{Kind: wire.EventCancel})
		if n := len(f.sent); n != 3 || f.sent[2].Op != wire.OpRun || f.sent[2].Request.Examples != 0 || s.Results.Quick {
			t.Fatalf("sent %+v", f.sent)
		}
		if len(s.Runs) != 1 {
			t.Errorf("without a native host: %+v", s.Runs)
		}
	})
}

func TestCancel(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(true)
		f.browser(1, done())
		s.run()
		s.cancelAll()
		s.cancelAll() // twice is once
		if s.Runs[0].Phase != RunCanceling || s.Runs[1].Phase != RunCanceled || len(f.sent) != 3 {
			t.Fatalf("%+v, sent %d", s.Runs, len(f.sent))
		}
		f.browser(2, wire.Event{Kind: wire.EventCancel})
		if s.Current() != nil || len(f.native) != 0 || f.restarts != 0 {
			t.Errorf("%+v", s.Runs)
		}
	})
}

// A worker that does not answer a cancel is ended.
func TestCancelOfADeafWorker(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(false)
		f.worker("ready", "")
		s.cancelAll()
		time.Sleep(patience)
		settle()
		if f.restarts != 1 || s.Current() != nil || s.Runs[0].Phase != RunCanceled || s.Engine.Phase != EngineLoading {
			t.Errorf("restarts %d, runs %+v, engine %+v", f.restarts, s.Runs, s.Engine)
		}
		f.browser(1, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)})
		if len(s.Results.Rows) != 0 {
			t.Error("a late row was taken")
		}
	})
}

func TestAWorkerThatDiesAndRetry(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(true)
		f.browser(1, done())
		s.run()
		f.worker("failed", "The browser’s engine stopped: out of memory.")
		if s.Runs[0].Phase != RunFailed || !strings.Contains(s.Runs[0].Text, "out of memory") || len(f.native) != 1 {
			t.Fatalf("%+v", s.Runs)
		}
		f.nativeEvent(0, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Native)}, done())
		s.retry()
		if f.restarts != 1 || len(s.Runs) != 1 || s.Runs[0].Host != wire.Browser || len(s.Results.Rows) != 1 {
			t.Fatalf("restarts %d, runs %+v, %d rows", f.restarts, s.Runs, len(s.Results.Rows))
		}
		f.worker("ready", "")
		if last := f.sent[len(f.sent)-1]; last.ID != 3+1 || last.Op != wire.OpRun {
			t.Errorf("sent %+v", last)
		}
	})
}

func TestTheNativeHostFails(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(true)
		f.browser(1, done())
		s.edit("where", wire.Native)
		s.run()
		f.events[0]("garbage")
		settle()
		if s.Runs[0].Phase != RunFailed || s.Current() != nil {
			t.Fatalf("%+v", s.Runs)
		}
		s.retry()
		if len(f.native) != 2 || f.native[1].Op != wire.OpRun {
			t.Error("no second try")
		}
		// A cancelled request may end in an error; that is no failure.
		s.cancelAll()
		f.nativeEvent(1, wire.Event{Kind: wire.EventError, Text: "aborted"})
		if s.Runs[0].Phase != RunCanceled || f.canceled != 1 {
			t.Errorf("%+v", s.Runs)
		}
	})
}

func TestNoBridge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTab{t: t, missing: true}
		s := newSession(LabSettings())
		s.visit("/", nil)
		s.start(f, f.ui)
		f.meet(false)
		if s.Runs[0].Phase != RunFailed || !strings.Contains(s.Runs[0].Text, "quantlab.js") {
			t.Errorf("%+v", s.Runs)
		}
		time.Sleep(time.Minute)
	})
}

func TestSettingsFollowTheReaderAndTheAddress(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		s.edit("runs", "20")
		if s.Settings.Runs != 20 || !strings.Contains(f.query, "runs=20") {
			t.Errorf("%+v, address %q", s.Settings, f.query)
		}
		s.edit("runs", "0")
		if d := s.Drafts["runs"]; s.Settings.Runs != 20 || d.Text != "0" || !strings.Contains(d.Problem, "out of range") || !strings.Contains(f.query, "runs=20") {
			t.Errorf("%+v, draft %+v", s.Settings, d)
		}
		sent := len(f.sent)
		s.run()
		if len(f.sent) != sent || s.Busy() {
			t.Error("it ran with a field that can't be taken")
		}
		s.edit("runs", "5")
		time.Sleep(rememberEvery)
		settle()
		if len(s.Drafts) != 0 || f.query != "" {
			t.Errorf("drafts %v, address %q", s.Drafts, f.query)
		}
		s.edit("models", "")
		s.edit("where", wire.Browser)
		s.reset()
		if len(s.Drafts) != 0 || !s.Settings.IsLab() || s.Settings.Where != wire.Browser {
			t.Errorf("reset: %+v", s.Settings)
		}
		s.visit("/", url.Values{"seed": {"3"}, "runs": {"-1"}})
		if s.Settings.Seed != 3 || len(s.Notices) != 1 {
			t.Errorf("visit: %+v, %v", s.Settings, s.Notices)
		}
	})
}

func TestHiddenTab(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.hide()
		f.meet(false)
		f.browser(1, wire.Event{Kind: wire.EventProgress, Step: "x", Fraction: .1})
		if s.progress().Hidden {
			t.Error("it was hidden before it measured, not while")
		}
		f.hide()
		f.browser(1, done())
		if !s.progress().Hidden {
			t.Error("it was hidden while it measured")
		}
	})
}

func TestCopying(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(false)
		f.browser(1, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)}, done())
		for id, want := range map[string]string{"md": "| mnist-lab1 |", "csv": "mnist-lab1,", "json": `"size_bytes": 409344`} {
			s.copyResults(id)
			settle()
			if !strings.Contains(f.clipboard, want) || s.Copied == "" {
				t.Errorf("%s: %.200s", id, f.clipboard)
			}
		}
		time.Sleep(2 * copiedFor)
		settle()
		if s.Copied != "" {
			t.Error("it says so for ever")
		}
		f.refuse = true
		s.copyResults("csv")
		settle()
		if !strings.Contains(s.CopyText, "mnist-lab1,") {
			t.Errorf("nothing to copy by hand: %q", s.CopyText)
		}
	})
}

// However many events come, the page is drawn a few times a second.
func TestRedrawsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTab{t: t}
		s := newSession(LabSettings())
		s.visit("/", nil)
		s.start(f, f.ui)
		f.meet(false)
		before := f.draws
		for i := range 1000 {
			f.listener("message", encode(wire.Envelope{ID: 1, Event: wire.Event{Kind: wire.EventProgress, Step: "x", Fraction: float64(i) / 1000}}))
			time.Sleep(time.Millisecond)
		}
		settle()
		if n := f.draws - before; n > 12 {
			t.Errorf("%d redraws in a second", n)
		}
		if s.Runs[0].Fraction != .999 {
			t.Errorf("fraction %v", s.Runs[0].Fraction)
		}
	})
}

func TestSayingMuchAtOnceSaysTheLatest(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		for _, text := range []string{"One.", "Two.", "Three.", "Four.", "Five."} {
			s.say(text)
			time.Sleep(breath / 2)
		}
		if s.Announcement != "Three. Four. Five." {
			t.Errorf("said %q", s.Announcement)
		}
		time.Sleep(2 * breath)
		if s.say("Six."); s.Announcement != "Six." {
			t.Errorf("said %q", s.Announcement)
		}
	})
}

// A search goes on where its view stays in sight, and ends where it does not.
func TestLeavingEndsASearch(t *testing.T) {
	for path, view := range map[string]struct {
		start func(s *session)
		going func(s *session) bool
	}{
		"/draw": {(*session).searchDigits, func(s *session) bool { return s.Draw.search.Going }},
		"/type": {(*session).startHunt, func(s *session) bool { return s.Type.Hunt.Going }},
	} {
		scene(t, func(t *testing.T, s *session, f *fakeTab) {
			s.visit(path, nil)
			s.enter()
			f.worker("ready", "")
			f.meet(false)
			view.start(s)
			s.visit("/all", nil)
			if len(f.asked(wire.OpSearch)) != 1 || !view.going(s) {
				t.Fatalf("%s: no search, or it ended", path)
			}
			s.visit("/inspect", nil)
			if canceled := f.asked(wire.OpCancel); view.going(s) || !slices.ContainsFunc(canceled, func(c wire.Command) bool { return c.ID == f.asked(wire.OpSearch)[0].ID }) {
				t.Errorf("%s: the search goes on", path)
			}
		})
	}
}
