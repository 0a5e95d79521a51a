package lab

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/nn"
)

// bagWords is how many words a made-up bag holds: about as many as a sentence of SST-2's dev set.
const bagWords = 20

// latency times every variant at every batch size, all variants interleaved.
func (t *trial) latency(ctx context.Context) error {
	examples := t.test
	if examples == nil {
		examples = madeUp(t.spec, t.largest(), t.req.Seed)
		for _, s := range t.subjects {
			if s.model != nil {
				s.row.Note += "; latency was measured on made-up inputs"
			}
		}
	}
	stop, err := t.share(ctx)
	if err != nil {
		return err
	}
	defer stop()
	for _, b := range t.req.Batches {
		if err := t.timeBatch(ctx, examples, b); err != nil {
			return err
		}
	}
	return nil
}

// timeBatch times one forward pass of a batch of so many examples.
func (t *trial) timeBatch(ctx context.Context, examples *dataset.Examples, size int) error {
	var subjects []*subject
	var candidates []measure.Candidate
	batch := t.batch(examples, size)
	for _, s := range t.subjects {
		if s.model == nil {
			continue
		}
		subjects = append(subjects, s)
		candidates = append(candidates, measure.Candidate{Name: s.name, Call: func() error {
			_, err := s.forward(batch)
			return err
		}})
	}
	t.progress.begin(t.step("batch %d", size), t.cost.latency(len(subjects), size))
	if t.timeOnly {
		return t.fastest(ctx, subjects, batch)
	}
	over, total := 0, len(subjects)*(t.req.Runs+1) // a warm-up counts as a run
	at := func(candidate int, format string, args ...any) {
		what := fmt.Sprintf(format, args...)
		t.progress.at(t.step("%s, batch %d, %s", subjects[candidate].name, size, what), float64(over)/float64(total))
		over++
		t.breathe()
	}
	series, err := measure.Interleave(ctx, candidates, measure.Options{
		Runs: t.req.Runs, MinRun: t.host.MinRun, Seed: t.req.Seed,
		OnWarmUp: func(candidate int) { at(candidate, "warming up") },
		OnRun:    func(candidate, run int) { at(candidate, "run %d of %d", run+1, t.req.Runs) },
	})
	if err != nil {
		return fmt.Errorf("batch %d: %w", size, err)
	}
	fastest := make([]float64, len(candidates)) // for the roofline, where there is to be one
	if t.host.Peaks != nil {
		if fastest, err = measure.Fastest(ctx, candidates, t.host.minRun()); err != nil {
			return fmt.Errorf("batch %d: %w", size, err)
		}
	}
	for i, s := range subjects {
		latency := LatencyOf(series[i])
		latency.Fastest = fastest[i] / 1e3
		latency.NonZeros, latency.Columns = len(batch.Index), columns(batch)
		if i > 0 {
			latency.Verdict = VerdictOf(series[0].Samples, series[i].Samples)
		}
		s.row.LatencyUS[strconv.Itoa(size)] = latency
	}
	return nil
}

// batch returns the examples to time as the first layer reads them.
func (t *trial) batch(examples *dataset.Examples, size int) nn.Batch {
	b := FirstExamples(examples, size)
	if t.input() == wire.Dense {
		return b.Scatter(nil)
	}
	return b
}

// FirstExamples returns a batch of the first examples, over again where it is larger than the set.
func FirstExamples(examples *dataset.Examples, size int) nn.Batch {
	rows := make([]int, size)
	for i := range rows {
		rows[i] = i % examples.Len()
	}
	var b nn.Batch
	examples.Gather(&b, rows)
	return b
}

// columns counts the columns of a sparse batch that hold anything.
func columns(b nn.Batch) int {
	seen := map[int32]bool{}
	for _, k := range b.Index {
		seen[k] = true
	}
	return len(seen)
}

// LatencyOf summarizes a series of samples.
func LatencyOf(s measure.Series) wire.Latency {
	stats := measure.Summarize(s.Samples)
	return wire.Latency{
		Mean: stats.Mean, Std: stats.Std, Median: stats.Median, P95: stats.P95,
		Samples: s.Samples, Outliers: stats.Outliers, Calls: s.Calls,
	}
}

// VerdictOf compares a variant's runs with the baseline's; one run allows none.
func VerdictOf(base, other []float64) *wire.Verdict {
	ratio, lo, hi, word := measure.CompareRatio(base, other)
	if word == "" {
		return nil
	}
	return &wire.Verdict{Word: word, Ratio: ratio, Low: lo, High: hi}
}

// noteUnsteady warns of the rows' latencies, where they can't be trusted.
func (r *runner) noteUnsteady(rows []wire.Row) {
	if busy := unsteady(rows); busy != "" {
		r.note(busy)
	}
}

// unsteady warns of latencies that scatter too much to be trusted; "" where they don't. On a machine that does nothing
// else, the runs of one variant differ by a few percent.
func unsteady(rows []wire.Row) string {
	const much, share = 0.2, 3 // a standard deviation of a fifth of the mean, in every third latency
	wild, all := 0, 0
	for _, r := range rows {
		for _, l := range r.LatencyUS {
			all++
			if l.Std > much*l.Mean {
				wild++
			}
		}
	}
	if wild == 0 || wild*share < all {
		return ""
	}
	return fmt.Sprintf("%d of %d latencies scatter by more than %.0f%%: %s; end it and run again before trusting them", wild, all, 100*much, wire.NoteBusy)
}

// madeUp draws n inputs for a model whose data is not here: bags of bagWords words, or images of noise. They serve to
// measure latency, and nothing else.
func madeUp(spec nn.Spec, n int, seed uint64) *dataset.Examples {
	return makeUp(spec, n, seed).As(spec)
}

func makeUp(spec nn.Spec, n int, seed uint64) *dataset.Examples {
	random := rand.New(rand.NewPCG(seed, 0x6261677321)) // any fixed stream will do
	e := &dataset.Examples{Dim: spec.In, Labels: make([]uint8, n)}
	if spec.Data != nn.SST2 {
		e.Pixels = make([]uint8, n*spec.In)
		for i := range e.Pixels {
			e.Pixels[i] = uint8(random.Uint32())
		}
		return e
	}
	e.Start = []int32{0}
	for range n {
		bag := make(map[int32]bool, bagWords)
		for len(bag) < min(bagWords, spec.In) {
			bag[int32(random.IntN(spec.In))] = true
		}
		for _, word := range slices.Sorted(maps.Keys(bag)) {
			e.Index, e.Count = append(e.Index, word), append(e.Count, 1)
		}
		e.Start = append(e.Start, int32(len(e.Index)))
	}
	return e
}
