package kernel

import (
	"runtime"
	"sync"
)

// A Team runs the parts of one job on a fixed set of goroutines that live as long as the team. Starting a job allocates
// nothing. A nil Team, or one of a single thread, has no goroutines: its jobs run in the caller.
//
// A Team runs one job at a time: give every model its own. Close it when done.
type Team struct {
	job  Job
	wake []chan int // one a worker: the part to run
	done sync.WaitGroup

	// The arguments of a running call live here, so that handing them to the workers allocates nothing.
	float      floatJob
	int8       int8Job
	sparse     sparseJob
	sparseInt8 sparseInt8Job
	gemm       gemmJob
	blocks     []gemmBlock // one a thread
}

// A Job is work that can be cut into any number of parts which write nothing in common.
type Job interface {
	// Run does part number part, from 0, of parts.
	Run(part, parts int)
}

// NewTeam starts a team of that many threads, the caller's among them. Fewer than 2 start none. WebAssembly has a single
// thread, so there every team is a team of one.
func NewTeam(threads int) *Team {
	t := &Team{}
	if runtime.GOARCH == "wasm" {
		return t
	}
	for range threads - 1 {
		wake := make(chan int, 1)
		t.wake = append(t.wake, wake)
		go t.work(wake)
	}
	return t
}

func (t *Team) work(wake <-chan int) {
	for part := range wake {
		t.job.Run(part, len(t.wake)+1)
		t.done.Done()
	}
}

// Threads returns how many threads share the team's jobs, at least 1.
func (t *Team) Threads() int {
	if t == nil {
		return 1
	}
	return len(t.wake) + 1
}

// Do runs all parts of job, one of them in the caller, and returns when all are done.
func (t *Team) Do(job Job) {
	if t == nil || len(t.wake) == 0 {
		job.Run(0, 1)
		return
	}
	t.job = job
	t.done.Add(len(t.wake))
	for i, wake := range t.wake {
		wake <- i + 1
	}
	job.Run(0, len(t.wake)+1)
	t.done.Wait()
	t.job = nil
}

// Close ends the team's goroutines. The team must be idle; closed, it runs jobs in the caller. Closing twice, or closing
// nil, does nothing.
func (t *Team) Close() {
	if t == nil {
		return
	}
	for _, wake := range t.wake {
		close(wake)
	}
	t.wake = nil
}

// soloWork is how many multiply-adds are done sooner than another thread could be woken.
const soloWork = 1 << 16

// solo reports whether a job of that many multiply-adds should run in the caller alone.
func (t *Team) solo(work int) bool { return t == nil || len(t.wake) == 0 || work < soloWork }

// A region is a part of a matrix of rows x outputs.
type region struct{ r0, r1, lo, hi int }

// split returns the given part of rows x out: whole panels of width outputs where there are enough of them for all, else
// whole rows.
func split(part, parts, rows, out, width int) region {
	panels := (out + width - 1) / width
	if panels >= 2*parts || rows < parts {
		return region{0, rows, panels * part / parts * width, min(panels*(part+1)/parts*width, out)}
	}
	return region{rows * part / parts, rows * (part + 1) / parts, 0, out}
}

func (r region) empty() bool { return r.r0 >= r.r1 || r.lo >= r.hi }
