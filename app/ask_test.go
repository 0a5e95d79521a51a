package app

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"quantlab/core/lab/wire"
)

// heard collects what one question was told.
type heard struct{ kinds []string }

func (h *heard) hear(e wire.Event) { h.kinds = append(h.kinds, e.Kind) }

func (h *heard) String() string {
	return strings.Join(h.kinds, " ")
}

// asking reports whether an answer of the lane is still to come.
func (s *session) asking(name string) bool {
	l := s.lanes[name]
	return l != nil && (l.next != nil || l.now != nil && !l.now.dropped)
}

// inquiry starts a session whose engines are ready and idle.
func inquiry(t *testing.T, play func(t *testing.T, s *session, f *fakeTab)) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.worker("ready", "")
		f.meet(false)
		f.browser(1, done())
		f.sent = nil
		play(t, s, f)
	})
}

func predict(text string) wire.Command {
	return wire.Command{Op: wire.OpPredict, Predict: &wire.PredictRequest{Model: "sst2-lab2", Text: text}}
}

// texts are the sentences that were sent, and "cancel" for a cancelled question.
func (f *fakeTab) texts() string {
	var out []string
	for _, c := range f.sent {
		switch {
		case c.Op == wire.OpCancel:
			out = append(out, "cancel")
		case c.Predict != nil:
			out = append(out, c.Predict.Text)
		default:
			out = append(out, c.Op)
		}
	}
	return strings.Join(out, " ")
}

func (f *fakeTab) expectSent(want string) {
	f.t.Helper()
	if got := f.texts(); got != want {
		f.t.Errorf("sent %q, want %q", got, want)
	}
}

func (h *heard) expect(t *testing.T, want string) {
	t.Helper()
	if got := h.String(); got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
}

var prediction = wire.Event{Kind: wire.EventPrediction, Prediction: &wire.Prediction{}}

func TestTheNewestQuestionWins(t *testing.T) {
	inquiry(t, func(t *testing.T, s *session, f *fakeTab) {
		var a, b, c heard
		s.ask("draw", predict("a"), false, a.hear)
		s.ask("draw", predict("b"), false, b.hear)
		s.ask("draw", predict("c"), false, c.hear)
		f.expectSent("a")
		f.browser(f.sent[0].ID, prediction, done())
		a.expect(t, "prediction done")
		f.expectSent("a c")
		f.browser(f.sent[1].ID, prediction, done())
		b.expect(t, "")
		c.expect(t, "prediction done")
		if s.asking("draw") {
			t.Error("it still asks")
		}
	})
}

func TestLanesDoNotWaitForEachOther(t *testing.T) {
	inquiry(t, func(t *testing.T, s *session, f *fakeTab) {
		var a, b heard
		s.ask("draw", predict("a"), false, a.hear)
		s.ask("type", predict("b"), false, b.hear)
		f.expectSent("a b")
		if f.sent[0].ID >= 0 || f.sent[0].ID == f.sent[1].ID {
			t.Errorf("ids %d and %d", f.sent[0].ID, f.sent[1].ID)
		}
		f.browser(f.sent[1].ID, done())
		a.expect(t, "")
		b.expect(t, "done")
	})
}

func TestInterrupt(t *testing.T) {
	inquiry(t, func(t *testing.T, s *session, f *fakeTab) {
		var a, b, c heard
		s.ask("inspect", predict("a"), true, a.hear)
		s.ask("inspect", predict("b"), true, b.hear)
		s.ask("inspect", predict("c"), true, c.hear)
		f.expectSent("a cancel") // once
		if f.sent[1].ID != f.sent[0].ID {
			t.Error("another question was cancelled")
		}
		f.browser(f.sent[0].ID, prediction, wire.Event{Kind: wire.EventCancel}) // it had answered before it heard of that
		a.expect(t, "")
		f.expectSent("a cancel c")
		f.browser(f.sent[2].ID, done())
		b.expect(t, "")
		c.expect(t, "done")
	})
}

// A worker that never says that a cancelled question ended does not hold up the next one; what it says late is ignored.
func TestACancelThatIsNotConfirmed(t *testing.T) {
	inquiry(t, func(t *testing.T, s *session, f *fakeTab) {
		var a, b heard
		s.ask("inspect", predict("a"), true, a.hear)
		s.ask("inspect", predict("b"), true, b.hear)
		time.Sleep(patience)
		settle()
		f.expectSent("a cancel b")
		f.browser(f.sent[0].ID, prediction, done())
		a.expect(t, "")
		b.expect(t, "")
		f.browser(f.sent[2].ID, done())
		b.expect(t, "done")
		time.Sleep(2 * patience)
		b.expect(t, "done")
	})
}

func TestDrop(t *testing.T) {
	inquiry(t, func(t *testing.T, s *session, f *fakeTab) {
		var a, b, c heard
		s.drop("draw") // nothing to drop
		s.ask("draw", predict("a"), false, a.hear)
		s.ask("draw", predict("b"), false, b.hear)
		s.drop("draw")
		s.drop("draw")
		f.expectSent("a cancel")
		if s.asking("draw") {
			t.Error("it still asks")
		}
		s.ask("draw", predict("c"), false, c.hear)
		if !s.asking("draw") {
			t.Error("it does not ask")
		}
		f.browser(f.sent[0].ID, wire.Event{Kind: wire.EventCancel})
		f.expectSent("a cancel c")
		f.browser(f.sent[2].ID, done())
		for h, want := range map[*heard]string{&a: "", &b: "", &c: "done"} {
			h.expect(t, want)
		}
	})
}

// What an answer makes a view ask is newer than what waits.
func TestAskingInAnAnswer(t *testing.T) {
	inquiry(t, func(t *testing.T, s *session, f *fakeTab) {
		var old, again heard
		s.ask("draw", predict("a"), false, func(e wire.Event) {
			if isEnd(e) {
				s.ask("draw", predict("again"), false, again.hear)
			}
		})
		s.ask("draw", predict("old"), false, old.hear)
		f.browser(f.sent[0].ID, done())
		f.expectSent("a again")
		f.browser(f.sent[1].ID, done())
		f.expectSent("a again")
		old.expect(t, "")
		again.expect(t, "done")
	})
}

func TestQuestionsToADeadWorker(t *testing.T) {
	inquiry(t, func(t *testing.T, s *session, f *fakeTab) {
		var a, b, c heard
		text := ""
		s.ask("draw", predict("a"), false, a.hear)
		s.ask("draw", predict("b"), false, b.hear)
		f.worker("failed", "Out of memory.")
		a.expect(t, "error")
		b.expect(t, "error")
		s.ask("draw", predict("c"), false, func(e wire.Event) {
			c.hear(e)
			text = e.Text
		})
		c.expect(t, "") // not before ask has returned
		settle()
		c.expect(t, "error")
		if text != "Out of memory." || s.asking("draw") {
			t.Errorf("told %q", text)
		}
		f.expectSent("a")
	})
}

// A view that asks again whenever it is told of an error must not hang the page.
func TestAskingForEver(t *testing.T) {
	inquiry(t, func(t *testing.T, s *session, f *fakeTab) {
		tries := 0
		var hear func(wire.Event)
		hear = func(wire.Event) {
			if tries++; tries < 100 {
				s.ask("draw", predict("a"), false, hear)
			}
		}
		s.ask("draw", predict("a"), false, hear)
		f.worker("failed", "Out of memory.")
		synctest.Wait()
		if tries != 100 {
			t.Errorf("%d tries", tries)
		}
	})
}

func TestStartAgain(t *testing.T) {
	inquiry(t, func(t *testing.T, s *session, f *fakeTab) {
		f.worker("failed", "Out of memory.")
		if e := s.Engine; e.Phase != EngineFailed || e.Text != "Out of memory." {
			t.Errorf("%+v", e)
		}
		s.startAgain()
		if f.restarts != 1 || s.Engine.Phase != EngineLoading {
			t.Fatalf("%d restarts, %+v", f.restarts, s.Engine)
		}
		var a heard
		s.ask("draw", predict("a"), false, a.hear)
		f.worker("ready", "")
		f.expectSent("a")
		if s.Engine.Phase != EngineReady {
			t.Errorf("%+v", s.Engine)
		}
	})
}

// A run that does not heed its cancel costs the worker, and with it the questions.
func TestQuestionsWhenTheWorkerIsEnded(t *testing.T) {
	inquiry(t, func(t *testing.T, s *session, f *fakeTab) {
		s.run()
		var a heard
		s.ask("draw", predict("a"), false, a.hear)
		s.cancelAll()
		time.Sleep(patience)
		settle()
		if f.restarts != 1 {
			t.Fatalf("%d restarts", f.restarts)
		}
		a.expect(t, "canceled")
	})
}

// Questions wait for what the server prepares, and the newest is put then.
func TestQuestionsWaitForTheServer(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		s.Runs = []Run{} // no quick run
		f.worker("ready", "")
		var a, b heard
		s.ask("draw", predict("a"), false, a.hear)
		f.hardware(`{"host":"native"}`, "")
		settle()
		f.status(`{"ready":false,"step":"train","fraction":0.4,"text":"mnist-lab2, epoch 1"}`)
		settle()
		s.ask("draw", predict("b"), false, b.hear)
		time.Sleep(time.Minute)
		f.expectSent("")
		if n := s.Native; n.Phase != NativePreparing || n.Fraction != 0.4 || n.Text != "mnist-lab2, epoch 1" || !s.asking("draw") {
			t.Errorf("%+v", n)
		}
		f.status(`{"ready":true}`)
		settle()
		f.expectSent("b")
		a.expect(t, "")
	})
}

func TestQuestionsToAServerThatCannotPrepare(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		s.Runs = []Run{}
		f.worker("ready", "")
		var a heard
		s.ask("draw", predict("a"), false, a.hear)
		f.hardware(`{"host":"native"}`, "")
		settle()
		f.status(`{"ready":false,"failed":true,"text":"the disk is full"}`)
		settle()
		a.expect(t, "error")
		if n := s.Native; n.Phase != NativeBroken || n.Text != "the disk is full" {
			t.Errorf("%+v", n)
		}
		s.startAgain()
		settle()
		s.ask("draw", predict("b"), false, a.hear)
		f.expectSent("b")
	})
}

// An answer that tells what to redraw leaves the page as it is.
func TestAnswersRedrawTheirPartsOnly(t *testing.T) {
	inquiry(t, func(t *testing.T, s *session, f *fakeTab) {
		whole := true
		s.ask("draw", predict("a"), false, func(wire.Event) {
			if !whole {
				s.redraw("draw-rows")
			}
		})
		id, before := f.sent[0].ID, f.draws
		f.browser(id, prediction)
		if f.draws != before+1 {
			t.Errorf("%d draws for an answer", f.draws-before)
		}
		whole, before = false, f.draws
		f.browser(id, prediction, prediction, prediction)
		if f.draws != before {
			t.Errorf("%d draws for answers that redraw a part", f.draws-before)
		}
		f.browser(-999, done()) // nobody's
		if f.draws != before {
			t.Error("a draw for nobody's answer")
		}
		f.worker("loading", "again")
		if f.draws == before {
			t.Error("the next change is not drawn")
		}
	})
}
