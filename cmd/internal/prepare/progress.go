package prepare

import (
	"sync"
	"time"
)

// reportEvery is the shortest time between two reports of the same step.
const reportEvery = 50 * time.Millisecond

// A tracker turns the progress of parts, some of which may run at the same time, into that of the whole.
type tracker struct {
	mu     sync.Mutex
	report func(Progress)
	total  float64 // cost of all parts
	done   float64 // cost of what is over
	best   float64 // the fraction last reported
	step   string
	when   time.Time
}

// newTracker returns a tracker of work that costs total, in whatever unit the parts use. report may be nil; it is never
// called twice at once.
func newTracker(report func(Progress), total float64) *tracker {
	if report == nil {
		report = func(Progress) {}
	}
	return &tracker{report: report, total: total}
}

// note passes a sentence on.
func (t *tracker) note(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report(Progress{Note: text})
}

// part starts a part of the given cost: at says how far it is, end that it is over.
func (t *tracker) part(cost float64) (at func(step string, fraction float64), end func()) {
	var mine float64 // how much of t.done is this part's
	move := func(fraction float64) {
		now := cost * min(max(fraction, 0), 1)
		t.done += now - mine
		mine = now
	}
	at = func(step string, fraction float64) {
		t.mu.Lock()
		defer t.mu.Unlock()
		move(fraction)
		if step == t.step && time.Since(t.when) < reportEvery {
			return
		}
		t.step, t.when = step, time.Now()
		if t.total > 0 {
			t.best = max(t.best, min(t.done/t.total, 1))
		}
		t.report(Progress{Step: step, Fraction: t.best})
	}
	end = func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		move(1)
	}
	return at, end
}

// finish reports that the whole is over.
func (t *tracker) finish(step string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report(Progress{Step: step, Fraction: 1})
}
