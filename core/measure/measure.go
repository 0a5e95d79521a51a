// Package measure times calls and judges the times: warm-up, interleaved runs, statistics, intervals, verdicts.
//
// A candidate's run is many calls in one timed stretch, long enough to dwarf the clock's step; its sample is the mean
// time of a call in that run. Candidates take turns, in a new shuffled order each round, so that a machine that grows
// warmer or busier slows all of them alike; comparing two candidates round by round (CompareRatio) cancels what is left.
package measure

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// A Candidate is one thing to time.
type Candidate struct {
	Name string       // names it in errors
	Call func() error // the timed call; it should not allocate
}

// Options say how to time.
type Options struct {
	Runs   int           // samples a candidate, at least 1
	MinRun time.Duration // a run lasts at least this long; 0 is DefaultMinRun
	Seed   uint64        // decides the order of the candidates in every round
	Clock  Clock         // nil is System

	OnWarmUp func(candidate int)      // called before a candidate is warmed up; nil is nobody
	OnRun    func(candidate, run int) // called before a timed run, run counting from 0; nil is nobody
}

// A Series is what one candidate gave.
type Series struct {
	Samples []float64 // mean time of a call in µs, one a run, in the order measured
	Calls   int       // calls a run
}

// Bounds of Options; they keep a measurement's time in hand.
const (
	maxRuns   = 1_000_000
	maxMinRun = time.Minute
)

// timing is the right to time something, one for the process: a timed run changes the garbage collector's setting,
// which is one for the process too, and two measurements at once would disturb each other.
var timing = make(chan struct{}, 1)

// Interleave times the candidates and returns one Series each, in their order.
//
// Each candidate is first called until its time is steady, within bounds; that also tells how many calls a run needs.
// Then come Options.Runs rounds of one run a candidate, in an order shuffled by Options.Seed. A run that turns out too
// short, because the calls have become faster, is no sample: it is made again with more calls.
// The garbage collector runs before every timed run and not within; its setting is restored whatever happens.
//
// The context is looked at between stretches of calls of about 40 ms; a single call is never interrupted. An error is
// the context's, or a call's own with the candidate's name. Measurements within one process wait for each other.
func Interleave(ctx context.Context, candidates []Candidate, opt Options) ([]Series, error) {
	if opt.Runs < 1 || opt.Runs > maxRuns {
		return nil, fmt.Errorf("timing: runs %d is out of range: give 1 to %d", opt.Runs, maxRuns)
	}
	if opt.MinRun < 0 || opt.MinRun > maxMinRun {
		return nil, fmt.Errorf("timing: a shortest run of %v is out of range: give at most %v", opt.MinRun, maxMinRun)
	}
	for _, c := range candidates {
		if c.Call == nil {
			return nil, fmt.Errorf("timing %s: there is nothing to call", c.Name)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case timing <- struct{}{}:
		defer func() { <-timing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return newTimer(opt).interleave(ctx, candidates, opt)
}

func (t *timer) interleave(ctx context.Context, candidates []Candidate, opt Options) ([]Series, error) {
	series, plans := make([]Series, len(candidates)), make([]plan, len(candidates))
	for i, c := range candidates {
		if opt.OnWarmUp != nil {
			opt.OnWarmUp(i)
		}
		perCall, err := t.warmUp(ctx, c)
		if err != nil {
			return nil, err
		}
		plans[i] = t.plan(perCall)
	}

	random := rand.New(rand.NewPCG(opt.Seed, 0))
	order := make([]int, len(candidates))
	for i := range order {
		order[i] = i
	}
	for run := range opt.Runs {
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			if opt.OnRun != nil {
				opt.OnRun(i, run)
			}
			elapsed, err := t.sample(ctx, candidates[i], &plans[i])
			if err != nil {
				return nil, err
			}
			us := float64(elapsed) / float64(time.Microsecond)
			series[i].Samples = append(series[i].Samples, us/float64(plans[i].calls))
			series[i].Calls = plans[i].calls
		}
	}
	return series, nil
}
