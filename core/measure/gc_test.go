package measure

import (
	"context"
	"errors"
	"runtime/debug"
	"testing"
	"time"
)

func TestGarbageCollector(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	boom := errors.New("boom")
	calls, collecting := 0, 0
	ok := func() error {
		calls++
		old := debug.SetGCPercent(-1)
		if old != -1 {
			debug.SetGCPercent(old)
			collecting++
		}
		time.Sleep(100 * time.Microsecond)
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tests := []struct {
		name string
		ctx  context.Context
		call func() error
		want error
	}{
		{"done", t.Context(), ok, nil},
		{"error", t.Context(), func() error {
			if calls++; debug.SetGCPercent(-1) == -1 { // only within a run
				return boom
			}
			debug.SetGCPercent(77)
			time.Sleep(100 * time.Microsecond)
			return nil
		}, boom},
		{"cancelled", ctx, func() error {
			if debug.SetGCPercent(-1) == -1 {
				cancel()
			} else {
				debug.SetGCPercent(77)
			}
			time.Sleep(100 * time.Microsecond)
			return nil
		}, context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls, collecting = 0, 0
			during := 0
			_, err := Interleave(tt.ctx, []Candidate{{tt.name, tt.call}}, Options{
				Runs: 2, MinRun: 2 * time.Millisecond, OnRun: func(int, int) { during = max(during, collecting); collecting = -1 << 30 },
			})
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if tt.want == nil && (during == 0 || collecting > -1<<30) {
				t.Errorf("the collector was on in %d calls of warm-up and %d timed ones", during, collecting+1<<30)
			}
			if got := debug.SetGCPercent(77); got != 77 {
				t.Errorf("the setting is %d afterwards, want 77", got)
			}
		})
	}
}

func TestPanicRestoresEverything(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	func() {
		defer func() { recover() }()
		Interleave(t.Context(), []Candidate{{"a", func() error {
			if debug.SetGCPercent(-1) == -1 {
				panic("in a run")
			}
			debug.SetGCPercent(77)
			return nil
		}}}, Options{Runs: 1, MinRun: time.Millisecond})
	}()
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("the setting is %d after a panic, want 77", got)
	}
	if _, err := Interleave(t.Context(), []Candidate{{"a", func() error { return nil }}}, Options{Runs: 1, MinRun: time.Millisecond}); err != nil {
		t.Errorf("measuring after a panic: %v", err)
	}
}
