//go:build !js

package main

import (
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

// Two workers share batches, one run after the other and after a cancel, and all answers stay as they are.
func TestThreadsInTheBrowser(t *testing.T) {
	t.Parallel()
	p := newTab(t)
	if hw := p.awaitEvent(0, wire.EventStart).Result.Hardware; hw.Threads < 2 {
		t.Skipf("this browser has %d threads", hw.Threads)
	}
	p.awaitState("ready")
	two := func(change func(*wire.Request)) *wire.Request {
		return request(func(r *wire.Request) {
			r.Threads, r.Runs = 2, 3
			if change != nil {
				change(r)
			}
		})
	}
	run := func(id int, request *wire.Request) *wire.Result {
		p.send(wire.Command{ID: id, Op: wire.OpRun, Request: request})
		s := p.await("the end of the run", func(s said) bool {
			return s.ID == id && (s.Event.Kind == wire.EventDone || s.Event.Kind == wire.EventError)
		})
		if s.Event.Kind == wire.EventError {
			t.Fatal(s.Event.Text)
		}
		return s.Event.Result
	}
	alone := run(1, request(func(r *wire.Request) { r.Runs = 3 }))
	for id, result := range []*wire.Result{2: run(2, two(nil)), 3: run(3, two(nil))} {
		if result == nil {
			continue
		}
		for i, row := range result.Rows {
			before := alone.Rows[i]
			if row.Threads != 2 || row.Correct != before.Correct {
				t.Errorf("run %d, %s: %d threads, %d right, %d with one", id, row.Variant, row.Threads, row.Correct, before.Correct)
			}
			t.Logf("%s, batch 64: %.0f µs with one thread, %.0f with two", row.Variant, before.LatencyUS["64"].Mean, row.LatencyUS["64"].Mean)
		}
		if notes := strings.Join(result.Notes, " "); strings.Contains(notes, "one thread") {
			t.Errorf("run %d: notes %q", id, notes)
		}
	}

	t.Run("cancel", func(t *testing.T) {
		p.send(wire.Command{ID: 4, Op: wire.OpRun, Request: two(func(r *wire.Request) { r.Runs = 100 })})
		p.await("batch 64", func(s said) bool { return s.ID == 4 && strings.Contains(s.Event.Step, "batch 64") })
		p.send(wire.Command{ID: 4, Op: wire.OpCancel})
		p.awaitEvent(4, wire.EventCancel)
		run(5, two(nil))
	})
	t.Run("batch 1", func(t *testing.T) {
		result := run(6, two(func(r *wire.Request) { r.Batches = []int{1} }))
		if notes := strings.Join(result.Notes, " "); !strings.Contains(notes, "batches of 1 were computed by one thread") {
			t.Errorf("notes %q", notes)
		}
	})
	t.Run("too many", func(t *testing.T) {
		p.send(wire.Command{ID: 7, Op: wire.OpRun, Request: request(func(r *wire.Request) { r.Threads = 64 })})
		if e := p.awaitEvent(7, wire.EventError); !strings.Contains(e.Text, "more than this browser offers") {
			t.Errorf("text %q", e.Text)
		}
	})
	if errs := p.console(); len(errs) > 0 {
		t.Errorf("the console reports %q", errs)
	}

	// A helper that dies takes the run with it, and the page is told.
	t.Run("a helper dies", func(t *testing.T) {
		p.send(wire.Command{ID: 8, Op: wire.OpRun, Request: two(func(r *wire.Request) { r.Runs = 100 })})
		p.await("batch 64", func(s said) bool { return s.ID == 8 && strings.Contains(s.Event.Step, "batch 64") })
		p.inWorker(`quantlabThreads.dismiss(), quantlabThreads.stop()`)
		if s := p.awaitState("failed"); !strings.Contains(s.Text, "another thread stopped") {
			t.Errorf("text %q", s.Text)
		}
		p.eval("quantlab.browser.restart()")
		run(9, two(nil))
	})
}
