package lab

import (
	"context"
	"errors"
	"testing"
	"time"

	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/roofline"
)

// fakePeaks tells how often it was asked.
func fakePeaks(asked *int) Peaks {
	return func(_ context.Context, e *kernel.Engine, threads int) (*wire.Peaks, error) {
		*asked++
		return &wire.Peaks{
			Engine: e.Name(), Threads: threads, Float32: 1e-9, Float16: 1e-9, Int8: 1e9,
			Read: []wire.Bandwidth{{Bytes: 16 << 10, GBs: 1}, {Bytes: roofline.WorkingSets()[0], GBs: 1e-9}},
		}, nil
	}
}

// A run asks for the limits when all is measured, and hands them on; without a host that has them it does not.
func TestRunWithLimits(t *testing.T) {
	req, asked := testRequest("mnist-lab1"), 0
	req.Batches, req.Runs = []int{1}, 1
	host := testHost()
	host.Peaks = func(ctx context.Context, e *kernel.Engine, threads int) (*wire.Peaks, error) {
		return fakePeaks(&asked)(ctx, e, threads)
	}
	result, events, err := record(t, t.Context(), host, &fakeSource{examples: 20}, req)
	if err != nil {
		t.Fatal(err)
	}
	if asked != 1 || result.Peaks == nil || result.Peaks.Int8 != 1e9 || events[len(events)-1].Result.Peaks == nil {
		t.Errorf("asked %d times, got %+v", asked, result.Peaks)
	}
	if l := result.Rows[0].LatencyUS["1"]; !(l.Fastest > 0) || l.Mean < l.Fastest/2 {
		t.Errorf("latency %+v", l)
	}
	if cells := roofline.Cells(result.Rows, result.Settings.Catalog(), result.Peaks); len(cells) != len(result.Rows) {
		t.Errorf("%d cells of %d rows", len(cells), len(result.Rows))
	}

	host.Peaks = nil
	if result, _, err := record(t, t.Context(), host, &fakeSource{examples: 20}, req); err != nil || result.Peaks != nil {
		t.Errorf("%+v, error %v", result, err)
	}

	host.Peaks = func(context.Context, *kernel.Engine, int) (*wire.Peaks, error) { return nil, errors.New("no more") }
	if _, _, err := record(t, t.Context(), host, &fakeSource{examples: 20}, req); err == nil {
		t.Error("no error")
	}

	req.Models, asked = []string{"sst2-lab1"}, 0
	host.Peaks = fakePeaks(&asked)
	missing := &fakeSource{examples: 20, missing: map[string]bool{"sst2": true}}
	if _, _, err := record(t, t.Context(), host, missing, req); err != nil || asked != 0 {
		t.Errorf("nothing was timed, but the limits were asked for %d times; error %v", asked, err)
	}
}

// Time measures nothing but how fast passes are, and raises limits that turn out to be too low.
func TestTime(t *testing.T) {
	req, asked := testRequest("mnist-lab1", "sst2-lab2"), 0
	req.Input = wire.Sparse
	host := testHost()
	host.Peaks = fakePeaks(&asked)
	result, err := Time(t.Context(), host, &fakeSource{examples: 20}, req, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range result.Rows {
		if row.Accuracy != nil || row.Total != 0 {
			t.Errorf("%s %s: accuracy was measured", row.Model, row.Variant)
		}
		for batch, l := range row.LatencyUS {
			if !(l.Fastest > 0) || len(l.Samples) != 0 || (l.NonZeros > 0) != (row.Model == "sst2-lab2") || l.Columns > l.NonZeros || (l.Columns > 0) != (l.NonZeros > 0) {
				t.Errorf("%s %s, batch %s: %+v", row.Model, row.Variant, batch, l)
			}
		}
	}
	p := result.Peaks
	if p.Float32 < 1e-6 || p.Float16 < 1e-6 || p.Int8 != 1e9 || p.Read[0].GBs != 1 || p.Read[1].GBs < 1e-6 {
		t.Errorf("limits %+v", p)
	}
}

func TestRemembering(t *testing.T) {
	asked := 0
	peaks := Remembering(fakePeaks(&asked))
	for _, threads := range []int{1, 2, 1, 2} {
		if p, err := peaks(t.Context(), kernel.Best(), threads); err != nil || p.Threads != threads {
			t.Errorf("%+v, error %v", p, err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestLayerTimes(t *testing.T) {
	req := testRequest("sst2-lab2", "mnist-lab2")
	req.Models = []string{"sst2-lab2"}
	shapes := 0
	times, err := LayerTimes(t.Context(), kernel.Best(), req, func(done, total int) { shapes = total })
	if err != nil || shapes != 2 || len(times) != shapes*len(req.Variants)*len(req.Batches) {
		t.Fatalf("%d times of %d shapes, error %v", len(times), shapes, err)
	}
	for _, l := range times {
		if !(l.TimeUS > 0 && l.Peak > 0 && l.Bandwidth > 0) || l.Out != 256 {
			t.Errorf("%+v", l)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := LayerTimes(ctx, kernel.Best(), req, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
