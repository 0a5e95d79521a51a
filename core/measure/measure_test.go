package measure

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSamplesTellTheTimeOfACall(t *testing.T) {
	for _, step := range []time.Duration{time.Nanosecond, 40 * time.Nanosecond, 5 * time.Microsecond, 100 * time.Microsecond, time.Millisecond} {
		for _, call := range []time.Duration{50 * time.Nanosecond, 17 * time.Microsecond, 3 * time.Millisecond, 70 * time.Millisecond, 3 * time.Second} {
			t.Run(fmt.Sprintf("clock %v, call %v", step, call), func(t *testing.T) {
				clock := newFakeClock(step)
				const minRun, runs = 20 * time.Millisecond, 5
				series, err := fakeTimer(clock, minRun).interleave(t.Context(), []Candidate{{"a", clock.call(call)}}, Options{Runs: runs})
				if err != nil {
					t.Fatal(err)
				}
				s := series[0]
				if len(s.Samples) != runs {
					t.Fatalf("%d samples, want %d", len(s.Samples), runs)
				}
				if length := time.Duration(s.Calls) * call; length < minRun || length < minSteps*step {
					t.Errorf("a run of %d calls lasts %v: less than %v or %d steps of %v", s.Calls, length, minRun, minSteps, step)
				} else if length > 2*max(minRun, minSteps*step, call) {
					t.Errorf("a run of %d calls lasts %v: longer than needed", s.Calls, length)
				}
				// A run is read twice a chunk of 40 ms; each reading hides up to a step, and costs a twentieth of one.
				for _, v := range s.Samples {
					want := float64(call) / 1e3
					if tolerance := 2.2 * float64(step) / float64(min(breath, time.Duration(s.Calls)*call)); math.Abs(v-want) > (tolerance+1e-9)*want {
						t.Errorf("a call takes %.6g µs, want %.6g within %.2g%%", v, want, 100*tolerance)
					}
				}
			})
		}
	}
}

func TestCoarsestClockDoesNotTakeForever(t *testing.T) {
	clock := newFakeClock(100 * time.Millisecond)
	series, err := fakeTimer(clock, 20*time.Millisecond).interleave(t.Context(), []Candidate{{"a", clock.call(time.Millisecond)}}, Options{Runs: 3})
	if err != nil {
		t.Fatal(err)
	}
	if n := series[0].Calls; n < 700 || n > 2000 {
		t.Errorf("%d calls of 1 ms a run, want about a second", n)
	}
}

// A machine that gets ever slower, by more than the candidates differ, must not hide which is the faster.
func TestDriftCancels(t *testing.T) {
	clock := newFakeClock(time.Microsecond)
	clock.pace = func(now time.Duration) float64 { return 1 + 0.05*now.Seconds() } // 5% a second
	names := []string{"base", "same", "fast", "slow"}
	times := []time.Duration{100, 100, 97, 103}
	var candidates []Candidate
	for i := range names {
		candidates = append(candidates, Candidate{names[i], clock.call(times[i] * time.Microsecond)})
	}
	series, err := fakeTimer(clock, 100*time.Millisecond).interleave(t.Context(), candidates, Options{Runs: 20, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	first, last := series[0].Samples[0], series[0].Samples[19]
	if last < 1.3*first {
		t.Fatalf("the machine slowed down only from %.4g to %.4g µs", first, last)
	}
	for i, want := range []string{NoDifference, NoDifference, Faster, Slower} {
		ratio, low, high, word := CompareRatio(series[0].Samples, series[i].Samples)
		if i > 0 && word != want {
			t.Errorf("%s is %s: %.4f [%.4f, %.4f]", names[i], word, ratio, low, high)
		}
		if truth := 100 / float64(times[i]); math.Abs(ratio-truth) > 0.01 {
			t.Errorf("%s: ratio %.4f, want about %.4f", names[i], ratio, truth)
		}
	}
}

// Code that is replaced by better code after a while, as in a browser, must be warm before it counts.
func TestWarmUpWaitsForSteadyCalls(t *testing.T) {
	clock, calls := newFakeClock(time.Microsecond), 0
	call := func() error {
		calls++
		clock.spend(100*time.Microsecond + time.Duration(1e6*math.Exp(-float64(calls)/20))) // 1.1 ms at first
		return nil
	}
	series, err := fakeTimer(clock, 100*time.Millisecond).interleave(t.Context(), []Candidate{{"a", call}}, Options{Runs: 4})
	if err != nil {
		t.Fatal(err)
	}
	for run, v := range series[0].Samples {
		if v > 101 {
			t.Errorf("run %d was not warm: %v µs a call", run, v)
		}
	}
}

// Calls that become faster after the warm-up make runs too short; those are made again, longer.
func TestShortRunsAreMadeAgain(t *testing.T) {
	clock, calls := newFakeClock(5*time.Microsecond), 0
	var lengths []time.Duration
	call := func() error {
		calls++
		if calls < 20000 {
			clock.spend(50 * time.Microsecond)
		} else {
			clock.spend(5 * time.Microsecond)
		}
		return nil
	}
	series, err := fakeTimer(clock, 100*time.Millisecond).interleave(t.Context(), []Candidate{{"a", call}}, Options{
		Runs: 10, OnRun: func(int, int) { lengths = append(lengths, clock.now) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := series[0]
	if len(s.Samples) != 10 {
		t.Fatalf("%d samples", len(s.Samples))
	}
	if v := s.Samples[9]; math.Abs(v-5) > 0.01 {
		t.Errorf("the last run says %v µs, want 5", v)
	}
	if got := time.Duration(s.Calls) * 5 * time.Microsecond; got < 100*time.Millisecond {
		t.Errorf("a run of %d calls lasts %v, want 100 ms", s.Calls, got)
	}
}

func TestOrderIsShuffledBySeed(t *testing.T) {
	order := func(seed uint64) (rounds [][]int) {
		clock := newFakeClock(time.Microsecond)
		var candidates []Candidate
		for i := range 4 {
			candidates = append(candidates, Candidate{fmt.Sprint(i), clock.call(time.Millisecond)})
		}
		_, err := fakeTimer(clock, time.Millisecond).interleave(t.Context(), candidates, Options{
			Runs: 30, Seed: seed,
			OnRun: func(c, run int) {
				if run == len(rounds) {
					rounds = append(rounds, nil)
				}
				rounds[run] = append(rounds[run], c)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return rounds
	}
	a, again, b := order(1), order(1), order(2)
	if !reflect.DeepEqual(a, again) {
		t.Error("the same seed gave two orders")
	}
	if reflect.DeepEqual(a, b) {
		t.Error("two seeds gave the same order")
	}
	first := map[int]int{}
	for _, round := range a {
		first[round[0]]++
		if slices.Sort(round); !slices.Equal(round, []int{0, 1, 2, 3}) {
			t.Errorf("a round ran %v", round)
		}
	}
	for c := range 4 {
		if first[c] == 0 || first[c] > 20 {
			t.Errorf("candidate %d began %d of 30 rounds", c, first[c])
		}
	}
}

func TestCancelIsQuick(t *testing.T) {
	for _, d := range []time.Duration{time.Microsecond, 300 * time.Microsecond, 30 * time.Millisecond} {
		for _, after := range []time.Duration{0, 90 * time.Millisecond, time.Second, 7 * time.Second} {
			ctx, cancel := context.WithCancel(t.Context())
			clock := newFakeClock(time.Microsecond)
			var at time.Duration = -1
			call := func() error {
				clock.spend(d)
				if clock.now >= after && at < 0 {
					at = clock.now
					cancel()
				}
				return nil
			}
			_, err := fakeTimer(clock, 500*time.Millisecond).interleave(ctx, []Candidate{{"a", call}}, Options{Runs: 100})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("error %v", err)
			}
			if late := clock.now - at; late > 80*time.Millisecond {
				t.Errorf("calls of %v, cancelled at %v: stopped %v later", d, after, late)
			}
			cancel()
		}
	}
}

// A browser delivers messages only while Go pauses.
func TestPausesOutsideTimedStretches(t *testing.T) {
	clock := newFakeClock(5 * time.Microsecond)
	timer := fakeTimer(clock, 20*time.Millisecond)
	var longest, last time.Duration
	timer.pause = func() {
		longest = max(longest, clock.now-last)
		clock.now += 3 * time.Millisecond
		last = clock.now
	}
	series, err := timer.interleave(t.Context(), []Candidate{
		{"short", clock.call(10 * time.Microsecond)}, {"long", clock.call(30 * time.Millisecond)},
	}, Options{Runs: 20})
	if err != nil {
		t.Fatal(err)
	}
	if longest > 120*time.Millisecond {
		t.Errorf("%v went by without a pause", longest)
	}
	for i, want := range []float64{10, 30000} {
		for _, v := range series[i].Samples {
			if math.Abs(v-want) > 0.001*want {
				t.Errorf("the pauses were timed: %v µs a call, want %v", v, want)
			}
		}
	}
}

func TestMeasurementsWaitForEachOther(t *testing.T) {
	_, err := Interleave(t.Context(), []Candidate{{"outer", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := Interleave(ctx, []Candidate{{"inner", func() error { t.Error("two measurements at once"); return nil }}}, Options{Runs: 1})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		return nil
	}}}, Options{Runs: 1, MinRun: time.Millisecond})
	if err != nil {
		t.Error(err)
	}
}

func TestStretchAllocatesNothing(t *testing.T) {
	timer, x := fakeTimer(System, time.Millisecond), 0
	c := Candidate{"a", func() error { x++; return nil }}
	if n := testing.AllocsPerRun(100, func() { timer.stretch(c, 100) }); n != 0 {
		t.Errorf("%v allocations in a timed stretch", n)
	}
}

func TestErrors(t *testing.T) {
	fine, boom := func() error { return nil }, errors.New("boom")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		ctx  context.Context
		call func() error
		opt  Options
		want string
	}{
		{t.Context(), fine, Options{}, "runs 0 is out of range"},
		{t.Context(), fine, Options{Runs: -1}, "runs -1 is out of range"},
		{t.Context(), fine, Options{Runs: 1 << 40}, "out of range"},
		{t.Context(), fine, Options{Runs: 1, MinRun: -1}, "out of range"},
		{t.Context(), fine, Options{Runs: 1, MinRun: time.Hour}, "out of range"},
		{t.Context(), nil, Options{Runs: 1}, "timing a: there is nothing to call"},
		{t.Context(), func() error { return boom }, Options{Runs: 1}, "timing a: boom"},
		{cancelled, fine, Options{Runs: 1}, "canceled"},
		{t.Context(), fine, Options{Runs: 1, Clock: stopped{}}, "timing a: the clock stands still"},
	}
	for _, tt := range tests {
		_, err := Interleave(tt.ctx, []Candidate{{"a", tt.call}}, tt.opt)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	if s, err := Interleave(t.Context(), nil, Options{Runs: 1}); err != nil || len(s) != 0 {
		t.Errorf("no candidates: %v, %v", s, err)
	}
}

type stopped struct{}

func (stopped) Now() time.Duration { return 42 }

func TestResolution(t *testing.T) {
	for _, step := range []time.Duration{30, 5 * time.Microsecond, 100 * time.Microsecond, 16 * time.Millisecond} {
		clock := newFakeClock(step)
		if got := ResolutionOf(clock); got != step {
			t.Errorf("a clock of step %v seems to step by %v", step, got)
		}
		if clock.now > 200*time.Millisecond {
			t.Errorf("measuring the step %v took %v", step, clock.now)
		}
	}
	if got := ResolutionOf(stopped{}); got != 0 {
		t.Errorf("a stopped clock steps by %v", got)
	}
	if got := Resolution(); got <= 0 || got > 20*time.Millisecond {
		t.Errorf("this machine's clock steps by %v", got)
	}
}

// Two candidates that are equally fast, on a machine that drifts and whose runs scatter by 2%: of many comparisons one
// in twenty may call one of them the faster, no more and not much less.
func TestVerdictsOfEqualsAreWrongOnceInTwenty(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	const experiments = 3000
	wrong := 0
	for seed := range experiments {
		clock := newFakeClock(time.Microsecond)
		timer := fakeTimer(clock, 20*time.Millisecond)
		drift := 0.02 * r.NormFloat64()
		now := 1.0
		clock.pace = func(at time.Duration) float64 { return now * (1 + drift*at.Seconds()) }
		series, err := timer.interleave(t.Context(), []Candidate{
			{"a", clock.call(2 * time.Millisecond)}, {"b", clock.call(2 * time.Millisecond)},
		}, Options{Runs: 5, Seed: uint64(seed), OnRun: func(int, int) { now = noise(r, 0.02) }})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, word := CompareRatio(series[0].Samples, series[1].Samples); word != NoDifference {
			wrong++
		}
	}
	// Binomial(3000, 0.05): 150 expected, standard deviation 12.
	if share := float64(wrong) / experiments; share < 0.035 || share > 0.065 {
		t.Errorf("%.1f%% of the comparisons of equals found a difference, want 5%%", 100*share)
	} else {
		t.Logf("%.1f%% of %d comparisons of equals found a difference", 100*share, experiments)
	}
}
