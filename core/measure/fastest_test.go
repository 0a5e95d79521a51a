package measure

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// A machine that is busy most of the time still shows how fast a call can be.
func TestFastestFindsTheQuietMoments(t *testing.T) {
	clock := newFakeClock(time.Microsecond)
	busy := func(now time.Duration) float64 {
		if now/time.Millisecond%4 != 0 {
			return 2
		}
		return 1
	}
	clock.pace = busy
	best, err := fastest(t.Context(), []Candidate{
		{"short", clock.call(200 * time.Nanosecond)},
		{"long", clock.call(700 * time.Microsecond)},
	}, 60*time.Millisecond, clock)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{200, 700e3} {
		if best[i] < 0.99*want || best[i] > 1.05*want {
			t.Errorf("candidate %d: %v ns, want %v", i, best[i], want)
		}
	}
}

// A call that takes longer than all the time there is is made a few times all the same.
func TestFastestOfLongCalls(t *testing.T) {
	clock, calls := newFakeClock(time.Microsecond), 0
	best, err := fastest(t.Context(), []Candidate{{"long", func() error { calls++; clock.spend(time.Second); return nil }}}, time.Millisecond, clock)
	if err != nil || best[0] < 0.999e9 || best[0] > 1.001e9 || calls < minTurns*minBursts {
		t.Errorf("%v, %d calls, error %v", best, calls, err)
	}
}

func TestFastestErrors(t *testing.T) {
	clock := newFakeClock(time.Microsecond)
	broken := []Candidate{{"broken", func() error { return errors.New("no more") }}}
	if _, err := fastest(t.Context(), broken, time.Second, clock); err == nil || !strings.Contains(err.Error(), "broken: no more") {
		t.Errorf("error %v", err)
	}
	if _, err := fastest(t.Context(), nil, 0, clock); err == nil {
		t.Error("no time at all was accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	_, err := fastest(ctx, []Candidate{{"a", func() error {
		if calls++; calls == 1000 {
			cancel()
		}
		clock.spend(time.Millisecond)
		return nil
	}}}, time.Minute, clock)
	if !errors.Is(err, context.Canceled) || calls > 1100 {
		t.Errorf("%d calls, error %v", calls, err)
	}
}
