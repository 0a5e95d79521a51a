//go:build !js

package measure

import "time"

// DefaultMinRun is how long a run lasts at least where Options leave it open.
const DefaultMinRun = 100 * time.Millisecond

// A warm-up takes at least and at most so long, or one slice of calls.
const (
	minWarmUp = 0
	maxWarmUp = 500 * time.Millisecond
)

// finestClock shows the steps of System.
var finestClock = System

func pause() {}
