package measure

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	minSteps  = 200         // a run lasts at least so many steps of the clock ...
	maxTarget = time.Second // ... unless the clock is so coarse that this would take longer
	slack     = 1.25        // runs are planned so much longer than they must be
	maxCalls  = 1 << 30     // calls a run, should a call seem to take no time

	breath     = 40 * time.Millisecond  // between two looks at the context and, in a browser, at its messages,
	chunkSteps = 20                     // or so many steps of the clock, should they take longer,
	maxBreath  = 150 * time.Millisecond // but at most this long

	sliceSteps = 50                    // a slice of warm-up lasts at least so many steps of the clock
	maxSlice   = 40 * time.Millisecond // and at most this long, or one call
	steadyFor  = 3                     // slices in a row that must agree
	steadyBy   = 1.05                  // the slowest of them takes at most so many times the fastest

	leadIn   = 2 * time.Millisecond  // untimed calls before a run, to bring its data back into the caches
	longCall = 20 * time.Millisecond // a call that takes longer hardly feels cold caches and gets no lead-in
)

// errClock can only come from a Clock that does not run.
var errClock = errors.New("the clock stands still, so nothing can be timed by it")

// A timer times calls by one clock.
type timer struct {
	clock  Clock
	target time.Duration // a run lasts at least this long
	slice  time.Duration // a slice of warm-up too
	breath time.Duration // between two looks at the context
	burst  time.Duration // a burst lasts at least this long: see Fastest
	last   time.Duration // when pause was last called

	pause func()                  // lets a browser deliver its messages; does nothing elsewhere
	quiet func() (restore func()) // collects garbage, then keeps the collector off until restore
}

func newTimer(opt Options) *timer {
	t := &timer{clock: opt.Clock, pause: pause, quiet: collectAndStop}
	var step time.Duration
	if t.clock == nil {
		t.clock, step = System, Resolution()
	} else {
		step = ResolutionOf(t.clock)
	}
	minRun := opt.MinRun
	if minRun == 0 {
		minRun = DefaultMinRun
	}
	t.target = max(minRun, min(minSteps*step, maxTarget))
	t.slice = min(max(t.target/10, sliceSteps*step), maxSlice)
	t.breath = min(max(breath, chunkSteps*step), maxBreath)
	t.burst = max(burstTime, burstSteps*step)
	t.last = t.clock.Now()
	return t
}

// collectAndStop is the same in a browser: what allocates there waits for restore as well.
func collectAndStop() (restore func()) {
	runtime.GC()
	old := debug.SetGCPercent(-1)
	return func() { debug.SetGCPercent(old) }
}

// look returns the context's error, after giving a browser the chance to deliver the message that cancels it.
// It is called between stretches of calls, never within.
func (t *timer) look(ctx context.Context) error {
	if t.clock.Now()-t.last >= t.breath {
		t.pause()
		t.last = t.clock.Now()
	}
	return ctx.Err()
}

// stretch makes n calls and returns how long they took.
func (t *timer) stretch(c Candidate, n int) (time.Duration, error) {
	call, start := c.Call, t.clock.Now()
	for range n {
		if err := call(); err != nil {
			return 0, fmt.Errorf("timing %s: %w", c.Name, err)
		}
	}
	return t.clock.Now() - start, nil
}

// warmUp calls c until the last slices of calls agree on the time of one, but not before minWarmUp and not beyond
// maxWarmUp. It returns the shortest of those times, in ns.
func (t *timer) warmUp(ctx context.Context, c Candidate) (perCall float64, err error) {
	begin, n := t.clock.Now(), 1
	var recent [steadyFor]float64 // ns a call; zero until measured
	for slices := 0; ; {
		if err := t.look(ctx); err != nil {
			return 0, err
		}
		elapsed, err := t.stretch(c, n)
		if err != nil {
			return 0, err
		}
		if elapsed < t.slice && n < maxCalls {
			if n = more(n, elapsed, t.slice); elapsed <= 0 && n > 1<<24 {
				return 0, fmt.Errorf("timing %s: %w", c.Name, errClock)
			}
			continue
		}
		recent[slices%steadyFor] = float64(elapsed) / float64(n)
		slices++
		known := recent[:min(slices, steadyFor)]
		fastest, slowest := math.Inf(1), 0.0
		for _, v := range known {
			fastest, slowest = min(fastest, v), max(slowest, v)
		}
		spent := t.clock.Now() - begin
		if spent >= maxWarmUp || spent >= minWarmUp && len(known) == steadyFor && slowest <= steadyBy*fastest {
			return fastest, nil
		}
	}
}

// more returns how many calls should last the wanted time, given that n of them took elapsed, which was less.
func more(n int, elapsed, want time.Duration) int {
	if elapsed <= 0 {
		return min(8*n, maxCalls)
	}
	m := clampCalls(math.Ceil(slack * float64(n) * float64(want) / float64(elapsed)))
	return min(max(m, n+1), 8*n, maxCalls)
}

// A plan says how the runs of one candidate look.
type plan struct {
	calls int // timed calls a run
	chunk int // of them, between two looks at the context
	lead  int // untimed calls before
}

// plan plans runs of calls that take about perCall ns each.
func (t *timer) plan(perCall float64) plan {
	p := plan{
		calls: clampCalls(math.Ceil(slack * float64(t.target) / perCall)),
		chunk: clampCalls(float64(t.breath) / perCall),
	}
	if float64(t.target) <= perCall {
		p.calls = 1
	}
	if perCall < float64(longCall) {
		p.lead = clampCalls(math.Ceil(float64(leadIn) / perCall))
	}
	return p
}

// clampCalls makes a number of calls of a quotient, which may be huge.
func clampCalls(x float64) int {
	if !(x < maxCalls) {
		return maxCalls
	}
	return max(int(x), 1)
}

// sample makes runs until one is long enough, and returns how long its p.calls calls took.
func (t *timer) sample(ctx context.Context, c Candidate, p *plan) (time.Duration, error) {
	for {
		elapsed, err := t.run(ctx, c, *p)
		if err != nil || elapsed >= t.target || p.calls >= maxCalls {
			return elapsed, err
		}
		p.calls = more(p.calls, elapsed, t.target)
	}
}

// run makes one run: the garbage collector, the lead-in, then the timed calls.
func (t *timer) run(ctx context.Context, c Candidate, p plan) (elapsed time.Duration, err error) {
	if err := t.look(ctx); err != nil {
		return 0, err
	}
	defer t.quiet()()
	if _, err := t.stretch(c, p.lead); err != nil {
		return 0, err
	}
	chunks := (p.calls-1)/p.chunk + 1
	for i := range chunks {
		n := p.calls / chunks // chunks of equal length, give or take a call
		if i < p.calls%chunks {
			n++
		}
		d, err := t.stretch(c, n)
		if err != nil {
			return 0, err
		}
		elapsed += d
		if err := t.look(ctx); err != nil {
			return 0, err
		}
	}
	return elapsed, nil
}
