package measure

import (
	"math"
	"math/rand/v2"
	"time"
)

// A fakeClock advances by what is done: by cost at each reading, and by what fake calls take. It shows whole steps only.
type fakeClock struct {
	now, step, cost time.Duration
	pace            func(now time.Duration) float64 // how many times longer everything takes at that moment; nil is 1
}

// newFakeClock returns a clock of that step that is quick to read.
func newFakeClock(step time.Duration) *fakeClock {
	return &fakeClock{step: step, cost: max(step/20, 1)}
}

func (c *fakeClock) Now() time.Duration {
	c.now += c.cost
	return c.now / c.step * c.step
}

// spend lets d pass.
func (c *fakeClock) spend(d time.Duration) {
	if c.pace != nil {
		d = time.Duration(float64(d) * c.pace(c.now))
	}
	c.now += d
}

// call returns a Call that takes d.
func (c *fakeClock) call(d time.Duration) func() error {
	return func() error { c.spend(d); return nil }
}

// noise returns a factor around 1 with that relative spread.
func noise(r *rand.Rand, spread float64) float64 { return math.Exp(spread * r.NormFloat64()) }

// fakeTimer is a timer that leaves the garbage collector alone.
func fakeTimer(c Clock, minRun time.Duration) *timer {
	t := newTimer(Options{Clock: c, MinRun: minRun})
	t.pause = func() {}
	t.quiet = func() func() { return func() {} }
	return t
}
