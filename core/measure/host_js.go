package measure

import (
	"math"
	"syscall/js"
	"time"
)

// DefaultMinRun is how long a run lasts at least where Options leave it open: short, because a browser's user waits.
const DefaultMinRun = 20 * time.Millisecond

// A warm-up takes at least and at most so long, or one slice of calls. A browser first runs quickly compiled code,
// steadily, and replaces it by optimized code a while later; hence the least time.
const (
	minWarmUp = 60 * time.Millisecond
	maxWarmUp = 250 * time.Millisecond
)

// finestClock shows the steps of System without what Go adds to them: Go counts nanoseconds since 1970 in a float64,
// which rounds to 256.
var finestClock Clock = performance{}

type performance struct{}

func (performance) Now() time.Duration {
	return time.Duration(math.Round(js.Global().Get("performance").Call("now").Float() * 1e6))
}

// pause lets the event loop run, so that a message can arrive that cancels the measurement. A goroutine of Go in a
// browser never yields to it but by blocking.
func pause() { time.Sleep(time.Millisecond) }
