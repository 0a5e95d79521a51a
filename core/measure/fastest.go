package measure

import (
	"context"
	"fmt"
	"time"
)

// Bursts are much shorter than runs, and there are many of them: on a machine that others use too, some fall into quiet
// moments.
const (
	burstTime  = 300 * time.Microsecond // a burst of calls lasts at least this long,
	burstSteps = 40                     // or so many steps of the clock,
	burstsTurn = 8                      // and a candidate makes so many in a turn, after one that brings its data into the caches,
	minBursts  = 2                      // or at least so many, should its time be over
	minTurns   = 3
)

// Fastest returns the shortest time of a call of each candidate, in ns. It answers how fast something can be, where Interleave
// answers how fast it is: whatever else happens on a machine only adds time, so the fastest of many short bursts of
// calls comes closest to what the code would take undisturbed.
//
// The candidates take turns, so that a processor that changes its clock does so under all of them, until each has spent
// the time that is given, and had at least three turns. Calls must not allocate. Errors and the context are as Interleave has them.
func Fastest(ctx context.Context, candidates []Candidate, each time.Duration) ([]float64, error) {
	return fastest(ctx, candidates, each, nil)
}

func fastest(ctx context.Context, candidates []Candidate, each time.Duration, clock Clock) ([]float64, error) {
	if each <= 0 || each > maxMinRun {
		return nil, fmt.Errorf("timing: %v for each candidate is out of range: give at most %v", each, maxMinRun)
	}
	select {
	case timing <- struct{}{}:
		defer func() { <-timing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t := newTimer(Options{Clock: clock})
	defer t.quiet()()
	return t.fastest(ctx, candidates, each)
}

func (t *timer) fastest(ctx context.Context, candidates []Candidate, each time.Duration) ([]float64, error) {
	best, calls := make([]float64, len(candidates)), make([]int, len(candidates))
	spent := make([]time.Duration, len(candidates))
	for i, c := range candidates {
		n, elapsed, err := t.enough(ctx, c)
		if err != nil {
			return nil, err
		}
		best[i], calls[i] = float64(elapsed)/float64(n), n
	}
	left := true
	for turn := 0; left || turn < minTurns; turn++ {
		left = false
		for i, c := range candidates {
			if spent[i] >= each && turn >= minTurns {
				continue
			}
			begin := t.clock.Now()
			if _, err := t.stretch(c, calls[i]); err != nil {
				return nil, err
			}
			for k := 0; k < burstsTurn && (k < minBursts || spent[i]+t.clock.Now()-begin < each); k++ {
				if err := t.look(ctx); err != nil {
					return nil, err
				}
				elapsed, err := t.stretch(c, calls[i])
				if err != nil {
					return nil, err
				}
				if elapsed >= t.burst/2 { // else the calls became much faster, and the clock's steps would count
					best[i] = min(best[i], float64(elapsed)/float64(calls[i]))
				} else {
					calls[i] = more(calls[i], elapsed, t.burst)
				}
			}
			spent[i] += max(t.clock.Now()-begin, 1)
			left = left || spent[i] < each
		}
	}
	return best, nil
}

// enough returns how many calls make a burst, and how long these took.
func (t *timer) enough(ctx context.Context, c Candidate) (n int, elapsed time.Duration, err error) {
	for n = 1; ; n = more(n, elapsed, t.burst) {
		if err := t.look(ctx); err != nil {
			return 0, 0, err
		}
		if elapsed, err = t.stretch(c, n); err != nil || elapsed >= t.burst {
			return n, elapsed, err
		}
		if n >= maxCalls || elapsed <= 0 && n > 1<<24 {
			return 0, 0, fmt.Errorf("timing %s: %w", c.Name, errClock)
		}
	}
}
