package kernel

import (
	"runtime"
	"sync/atomic"
)

// A Team runs the parts of one job on a fixed set of goroutines that live as long as the team. Starting a job allocates
// nothing. A nil Team, or one of a single thread, has no goroutines: its jobs run in the caller.
//
// A worker that has done its part looks out for the next one for a while before it goes to sleep. The layers of a forward
// pass are microseconds apart, and waking a sleeping thread takes longer than many a layer.
//
// A Team runs one job at a time: give every model its own. Close it when done.
type Team struct {
	job     Job
	parts   int          // of every job: one a thread
	next    atomic.Int32 // the next part that nobody has begun
	undone  atomic.Int32 // parts that are not done
	workers []*worker
	caller  sleeper // who waits until nothing is undone
	spins   int

	// The arguments of a running call live here, so that handing them to the workers allocates nothing.
	float      floatJob
	int8       int8Job
	sparse     sparseJob
	sparseInt8 sparseInt8Job
	gemm       gemmJob
	blocks     []gemmBlock // one a thread
	low        lowJob
	lowScratch lowScratch
}

// A Job is work that can be cut into any number of parts which write nothing in common.
type Job interface {
	// Run does part number part, from 0, of parts.
	Run(part, parts int)
}

// A worker is one of a team's goroutines.
type worker struct {
	jobs atomic.Int64 // how many the team has handed out, or closed
	sleeper
}

const closed = -1

// NewTeam starts a team of that many threads, the caller's among them. Fewer than 2 start none. WebAssembly has a single
// thread, so there every team is a team of one.
func NewTeam(threads int) *Team {
	t := &Team{spins: 1, parts: max(threads, 1)}
	t.next.Store(int32(t.parts))
	if runtime.GOARCH == "wasm" {
		return t
	}
	if threads <= runtime.GOMAXPROCS(0) { // else looking out would keep others from their work
		t.spins = lookouts
	}
	t.caller.init()
	for range threads - 1 {
		w := &worker{}
		w.init()
		t.workers = append(t.workers, w)
		go t.work(w)
	}
	return t
}

func (t *Team) work(w *worker) {
	for seen := int64(0); ; {
		w.await(t.spins, func() bool { return w.jobs.Load() != seen })
		if seen = w.jobs.Load(); seen == closed {
			return
		}
		t.take()
	}
}

// take does parts of the running job until none is left that nobody has begun. A worker which the operating system is slow to
// run so holds nobody up: others do its part. It may come so late that it finds the next job, which is as good.
func (t *Team) take() {
	for {
		part := int(t.next.Add(1)) - 1
		if part >= t.parts {
			return
		}
		t.job.Run(part, t.parts)
		if t.undone.Add(-1) == 0 {
			t.caller.wake()
		}
	}
}

// Threads returns how many threads share the team's jobs, at least 1.
func (t *Team) Threads() int {
	if t == nil {
		return 1
	}
	return len(t.workers) + 1
}

// Do runs all parts of job, one of them in the caller, and returns when all are done.
func (t *Team) Do(job Job) {
	if t == nil || len(t.workers) == 0 {
		job.Run(0, 1)
		return
	}
	t.job = job
	t.undone.Store(int32(t.parts))
	t.next.Store(0) // from here on parts are taken
	for _, w := range t.workers {
		w.jobs.Add(1)
		w.wake()
	}
	t.take()
	t.caller.await(t.spins, func() bool { return t.undone.Load() == 0 })
	t.job = nil
}

// Close ends the team's goroutines. The team must be idle; closed, it runs jobs in the caller. Closing twice, or closing
// nil, does nothing.
func (t *Team) Close() {
	if t == nil {
		return
	}
	for _, w := range t.workers {
		w.jobs.Swap(closed)
		w.wake()
	}
	t.workers = nil
}

// lookouts is how often a thread looks before it goes to sleep: some 50 µs.
const lookouts = 1 << 15

// A sleeper is a goroutine that waits for something others bring about.
type sleeper struct {
	asleep atomic.Bool
	alarm  chan struct{}
}

func (s *sleeper) init() { s.alarm = make(chan struct{}, 1) }

// await returns when ready reports true. Whoever makes it true calls wake afterwards, perhaps only while the sleeper already
// waits for something else: so it looks again.
func (s *sleeper) await(spins int, ready func() bool) {
	for {
		for range spins {
			if ready() {
				return
			}
		}
		// Swaps, here and in Close, because QEMU may let a plain store of arm64 take effect after the load that follows it.
		s.asleep.Swap(true)
		if ready() && s.asleep.CompareAndSwap(true, false) {
			return // nobody saw it sleep
		}
		<-s.alarm
	}
}

// wake ends the sleep of the goroutine, if it sleeps.
func (s *sleeper) wake() {
	if s.asleep.Load() && s.asleep.CompareAndSwap(true, false) {
		s.alarm <- struct{}{}
	}
}

// soloWork is how many float32 multiply-adds are not worth sharing: a microsecond of the fastest engines, of which handing over a
// part and waiting for it takes a third. One of int8 counts for a quarter.
const soloWork = 1 << 17

// solo reports whether a job of that many multiply-adds should run in the caller alone.
func (t *Team) solo(work int) bool { return t == nil || len(t.workers) == 0 || work < soloWork }

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
