package measure

import (
	"sync"
	"time"
)

// A Clock tells the time since some fixed moment; it never goes back.
type Clock interface{ Now() time.Duration }

// System is the monotonic clock of the machine; in a browser that is performance.now.
var System Clock = systemClock{start: time.Now()}

type systemClock struct{ start time.Time }

func (c systemClock) Now() time.Duration { return time.Since(c.start) }

// Resolution returns the smallest step of System, measured once.
// Natively that is about the time that reading it takes, in a browser 5 µs to 1 ms, as the browser lets its pages see.
func Resolution() time.Duration { return systemResolution() }

var systemResolution = sync.OnceValue(func() time.Duration { return ResolutionOf(finestClock) })

const (
	resolutionSteps = 100                   // steps to look at,
	resolutionTime  = 20 * time.Millisecond // unless they take longer; then
	resolutionFew   = 3                     // so many do
	resolutionReads = 20_000_000            // readings in all: a clock that stands still ends, too
)

// ResolutionOf measures the smallest step that c makes; 0 if it makes none. It takes 20 ms, or three steps.
func ResolutionOf(c Clock) time.Duration {
	begin := c.Now()
	smallest, steps, last := time.Duration(0), 0, begin
	for range resolutionReads {
		now := c.Now()
		if now <= last {
			continue
		}
		// The time up to the first change began in the middle of a step.
		if step := now - last; steps > 0 && (smallest == 0 || step < smallest) {
			smallest = step
		}
		last = now
		if steps++; steps > resolutionSteps || steps > resolutionFew && now-begin > resolutionTime {
			break
		}
	}
	return smallest
}
