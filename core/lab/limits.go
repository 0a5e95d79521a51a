package lab

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/nn"
	"quantlab/core/roofline"
)

// Peaks measures what an engine can do at the most on this machine with that many threads, or remembers it.
type Peaks func(ctx context.Context, engine *kernel.Engine, threads int) (*wire.Peaks, error)

// Limits measures the limits, each time anew.
func Limits(ctx context.Context, engine *kernel.Engine, threads int) (*wire.Peaks, error) {
	return measure.Limits(ctx, engine, threads, roofline.WorkingSets())
}

// Remembering returns the measurer that asks another one once for each engine and number of threads.
func Remembering(ask Peaks) Peaks {
	type key struct {
		engine  string
		threads int
	}
	var mu sync.Mutex
	known := map[key]*wire.Peaks{}
	return func(ctx context.Context, engine *kernel.Engine, threads int) (*wire.Peaks, error) {
		mu.Lock()
		defer mu.Unlock()
		k := key{engine.Name(), threads}
		if p := known[k]; p != nil {
			return p, nil
		}
		p, err := ask(ctx, engine, threads)
		if err == nil {
			known[k] = p
		}
		return p, err
	}
}

// limits measures what bounds the latencies, after them: it must not disturb what is timed.
func (r *runner) limits(ctx context.Context) error {
	timed := false
	for _, row := range r.result.Rows {
		timed = timed || len(row.LatencyUS) > 0
	}
	if r.host.Peaks == nil || !timed {
		return nil
	}
	r.progress.begin("measuring the limits of this machine", r.limitsCost())
	p, err := r.host.Peaks(ctx, r.engine, r.req.Threads)
	if err != nil {
		return err
	}
	r.result.Peaks = r.seen.raise(p)
	return nil
}

func (r *runner) limitsCost() float64 {
	if r.host.Peaks == nil {
		return 0
	}
	return 1
}

// seen are limits that were measured in turns with passes.
type seen struct {
	peaks map[kernel.Kind]float64
	reads map[int]float64 // by working set
}

// raise returns the peaks, raised to what was seen: noise only lowers a limit.
func (s seen) raise(p *wire.Peaks) *wire.Peaks {
	q := *p
	q.Float32, q.Float16, q.Int8 = max(q.Float32, s.peaks[kernel.Float32]), max(q.Float16, s.peaks[kernel.Float16]), max(q.Int8, s.peaks[kernel.Int8])
	q.Read = slices.Clone(p.Read)
	for i := range q.Read {
		q.Read[i].GBs = max(q.Read[i].GBs, s.reads[q.Read[i].Bytes])
	}
	return &q
}

// fastest times how fast the subjects' models can pass the batch, in turns with the limits that bound most of it.
func (t *trial) fastest(ctx context.Context, subjects []*subject, batch nn.Batch) error {
	team := kernel.NewTeam(t.req.Threads)
	defer team.Close()
	b := &bench{engine: t.engine, team: team}
	passes := make([]int, len(subjects))
	peaks, reads := map[kernel.Kind]limit{}, map[int]limit{}
	for i, s := range subjects {
		passes[i] = b.add(s.variant.ID, func() error {
			_, err := s.forward(batch)
			return err
		})
		kind, each := arithmetic(s.variant, batch.Rows)
		peaks[kind] = b.peak(kind)
		if batch.Rows == 1 && !batch.IsSparse() {
			n := roofline.WeightBytes(t.spec, each)
			reads[n] = b.read(n)
		}
	}
	best, err := measure.Fastest(ctx, b.candidates, time.Duration(t.req.Runs)*t.host.minRun())
	if err != nil {
		return fmt.Errorf("batch %d: %w", batch.Rows, err)
	}
	for i, s := range subjects {
		s.row.LatencyUS[strconv.Itoa(batch.Rows)] = wire.Latency{
			Fastest: best[passes[i]] / 1e3, NonZeros: len(batch.Index), Columns: columns(batch),
		}
	}
	for k, l := range peaks {
		t.seen.peaks[k] = max(t.seen.peaks[k], l.rate(best))
	}
	for n, l := range reads {
		t.seen.reads[n] = max(t.seen.reads[n], l.rate(best))
	}
	return nil
}
