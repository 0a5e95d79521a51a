package measure

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
)

// How fast a machine is, no test can say; that its limits are there, one can.
func TestLimits(t *testing.T) {
	sizes := []int{100_000, 1_234_567}
	p, err := Limits(t.Context(), kernel.Best(), 1, sizes)
	if err != nil {
		t.Fatal(err)
	}
	if p.Engine != kernel.Best().Name() || p.Threads != 1 || p.Measured.IsZero() {
		t.Errorf("limits of engine %s, %d threads, %v", p.Engine, p.Threads, p.Measured)
	}
	rates := []float64{p.Float32, p.Float16, p.Int8}
	for _, b := range p.Read {
		rates = append(rates, b.GBs)
	}
	for _, v := range rates {
		if !(v > 0) || math.IsInf(v, 0) {
			t.Errorf("a rate of %v in %+v", v, p)
		}
	}
	if !slices.IsSortedFunc(p.Read, func(a, b wire.Bandwidth) int { return a.Bytes - b.Bytes }) {
		t.Errorf("working sets are not in order: %+v", p.Read)
	}
	for _, n := range append(sizes, smallestSet, largestSet) {
		if !slices.ContainsFunc(p.Read, func(b wire.Bandwidth) bool { return b.Bytes == n }) {
			t.Errorf("no bandwidth of %d bytes", n)
		}
	}
}

// What a call says it does is what all threads do together.
func TestLimitsOfATeam(t *testing.T) {
	for _, e := range kernel.Engines() {
		for threads := 1; threads <= 2; threads++ {
			team := kernel.NewTeam(threads)
			one, all := e.Peak(kernel.Int8, multiplies), PeakOf(e, team, kernel.Int8)
			if err := all.Call(); err != nil || all.Amount < float64(threads*one) {
				t.Errorf("%s, %d threads: %v multiply-adds, error %v", e.Name(), threads, all.Amount, err)
			}
			for _, n := range []int{100_000, 3 << 20} {
				for _, l := range ReadsOf(e, team, kernel.Buffer(n)) {
					if err := l.Call(); err != nil || l.Amount < 0.99*readBytes || l.Amount > 2*float64(threads)*max(manyReadBytes, float64(n)) {
						t.Errorf("%s, %d threads: %v bytes of %d, error %v", e.Name(), threads, l.Amount, n, err)
					}
				}
			}
			team.Close()
		}
	}
}

func TestLimitsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Limits(ctx, kernel.Best(), 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestWorkingSets(t *testing.T) {
	got := workingSets([]int{1, 1_000_000, 1_000_000, 1 << 40})
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("%v is not in order", got)
	}
	for _, n := range []int{smallestSet, 1_000_000, 512 << 10, 2 << 20, largestSet} {
		if !slices.Contains(got, n) {
			t.Errorf("%d is missing in %v", n, got)
		}
	}
	if slices.Contains(got, 1<<20) {
		t.Errorf("%v holds two sizes that are nearly the same", got)
	}
}
