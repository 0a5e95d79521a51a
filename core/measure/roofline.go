package measure

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"time"

	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
)

const (
	smallestSet = 16 << 10 // bytes of the working sets whose read bandwidth is measured, the powers of two between these
	largestSet  = 256 << 20
	largestWasm = 64 << 20 // WebAssembly never gives memory back

	limitsTime = 900 * time.Millisecond // all limits together take about so long

	// What a call does at the least, on each thread. Where there are several, it must dwarf the time that starting them takes.
	multiplies, manyMultiplies = 1 << 20, 1 << 25 // multiply-adds
	readBytes, manyReadBytes   = 64 << 10, 32 << 20
)

// Limits measures what the engine can do at the most on this machine with that many threads: multiply-adds a second, and
// bytes read a second from working sets of 16 KB to 256 MB (64 MB in a browser), those of the given sizes among them.
// Threads share a working set in equal parts; in a browser, where teams have one thread, peaks are those of one times threads,
// but for the float16 one, which is that of a single row. It takes about a second. What it returns are the fastest of many short
// bursts: see Fastest.
func Limits(ctx context.Context, e *kernel.Engine, threads int, sizes []int) (*wire.Peaks, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sizes = workingSets(sizes)
	team := kernel.NewTeam(threads)
	defer team.Close()
	var limits []Limit
	for _, k := range []kernel.Kind{kernel.Float32, kernel.Float16, kernel.Int8} {
		limits = append(limits, PeakOf(e, team, k))
	}
	buffer := kernel.Buffer(slices.Max(sizes))
	ways := len(e.Reads())
	for _, n := range sizes {
		limits = append(limits, ReadsOf(e, team, buffer[:n])...)
	}
	candidates := make([]Candidate, len(limits))
	for i, l := range limits {
		candidates[i] = l.Candidate
	}
	best, err := Fastest(ctx, candidates, limitsTime/time.Duration(len(candidates)))
	if err != nil {
		return nil, err
	}
	rate := func(i int) float64 { return limits[i].Amount / best[i] } // per ns, so in 1e9 a second
	p := &wire.Peaks{
		Engine: e.Name(), Threads: threads, Float32: rate(0), Float16: rate(1), Int8: rate(2),
		Measured: time.Now().UTC().Truncate(time.Second),
	}
	if team.Threads() < threads { // a browser's threads share the rows of a batch, and each reads all weights
		p.Float32, p.Int8 = p.Float32*float64(threads), p.Int8*float64(threads)
	}
	for i, n := range sizes {
		b := wire.Bandwidth{Bytes: n}
		for way := range ways {
			b.GBs = max(b.GBs, rate(3+i*ways+way))
		}
		p.Read = append(p.Read, b)
	}
	return p, nil
}

// A Limit is a candidate whose calls do nothing but what limits others.
type Limit struct {
	Candidate
	Amount float64 // of multiply-adds or bytes a call
}

// PeakOf returns the candidate that multiplies and adds on every thread of the team.
func PeakOf(e *kernel.Engine, team *kernel.Team, k kernel.Kind) Limit {
	job := &peakJob{e, k, multiplies}
	if team.Threads() > 1 {
		job.n = manyMultiplies
	}
	return Limit{
		Candidate{"multiply-adds", func() error { team.Do(job); return nil }},
		float64(team.Threads()) * float64(e.Peak(k, job.n)),
	}
}

// ReadsOf returns candidates that read p, a part on every thread of the team, one for each way that the engine has. The
// fastest of them is the limit. p holds at least a byte for each thread.
func ReadsOf(e *kernel.Engine, team *kernel.Team, p []byte) []Limit {
	part, bytes := len(p)/team.Threads(), readBytes
	if team.Threads() > 1 {
		bytes = manyReadBytes
	}
	var limits []Limit
	for _, read := range e.Reads() {
		job := &readJob{read, p, (bytes + part - 1) / part}
		limits = append(limits, Limit{
			Candidate{"reading", func() error { team.Do(job); return nil }},
			float64(part * team.Threads() * job.times),
		})
	}
	return limits
}

// workingSets returns the sizes and, where none of them is near, powers of two, ascending.
func workingSets(sizes []int) []int {
	largest := largestSet
	if runtime.GOARCH == "wasm" {
		largest = largestWasm
	}
	var out []int
	for _, n := range sizes {
		out = append(out, min(max(n, smallestSet), largest))
	}
	for n := smallestSet; n <= largest; n *= 2 {
		near := func(m int) bool { return 5*m > 4*n && 4*m < 5*n }
		if !slices.ContainsFunc(out, near) || n == smallestSet || n == largest {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, cmp.Compare)
	return slices.Compact(out)
}

// A peakJob multiplies and adds on every thread.
type peakJob struct {
	e *kernel.Engine
	k kernel.Kind
	n int
}

func (j *peakJob) Run(int, int) { j.e.Peak(j.k, j.n) }

// A readJob reads a part of p on every thread.
type readJob struct {
	read  func(p []byte) byte
	p     []byte
	times int
}

func (j *readJob) Run(part, parts int) {
	n := len(j.p) / parts
	for range j.times {
		j.read(j.p[part*n : (part+1)*n])
	}
}
