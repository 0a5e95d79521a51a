package lab

import (
	"context"
	"errors"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/roofline"
)

// A fakeCrew counts what it is given to share.
type fakeCrew struct {
	models  []*quant.Model
	forward []int // calls, by model
	closed  int
}

func (c *fakeCrew) Forward(model int, x nn.Batch) ([]float32, error) {
	c.forward[model]++
	return c.models[model].Forward(x)
}

func (c *fakeCrew) Shares(rows int, sparse bool) bool { return rows > 1 && !sparse }
func (c *fakeCrew) Close()                            { c.closed++ }

func TestThreadsWithoutCommonMemory(t *testing.T) {
	crew := &fakeCrew{}
	host := testHost()
	host.Notes = []string{"a note of the host's"}
	host.Peaks = fakePeaks(new(int))
	host.Share = func(_ context.Context, models []*quant.Model, threads int) (Shared, error) {
		if threads != 2 {
			t.Errorf("%d threads", threads)
		}
		crew.models, crew.forward = models, make([]int, len(models))
		return crew, nil
	}
	req := testRequest("mnist-lab1")
	req.Threads = 2
	result, _, err := record(t, t.Context(), host, &fakeSource{examples: 10}, req)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range crew.forward {
		if n == 0 || result.Rows[i].Threads != 2 {
			t.Errorf("model %d: %d shared calls, %d threads", i, n, result.Rows[i].Threads)
		}
	}
	if len(crew.forward) != 4 || crew.closed != 1 {
		t.Errorf("%d models were shared, closed %d times", len(crew.forward), crew.closed)
	}
	notes := strings.Join(result.Notes, "; ")
	if cells := roofline.Cells(result.Rows, result.Settings.Catalog(), result.Peaks); len(cells) != 2*len(result.Rows) {
		t.Errorf("%d cells of %d rows", len(cells), len(result.Rows))
	}
	for _, want := range []string{"a note of the host's", "2 times the multiply-adds of one", "batches of 1 were computed by one thread"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q, without %q", notes, want)
		}
	}
	if strings.Contains(notes, "batches of 3") {
		t.Errorf("notes %q", notes)
	}

	// One thread needs no others.
	crew.closed = 0
	req.Threads = 1
	if _, _, err := record(t, t.Context(), host, &fakeSource{examples: 10}, req); err != nil || crew.closed != 0 {
		t.Errorf("%v, closed %d times", err, crew.closed)
	}

	req.Threads, req.Models, req.Input = 2, []string{"sst2-lab2"}, wire.Sparse
	result, _, err = record(t, t.Context(), host, &fakeSource{examples: 10}, req)
	if err != nil || !strings.Contains(strings.Join(result.Notes, "; "), "sparse ones were computed by one thread") {
		t.Errorf("%v, notes %q", err, result.Notes)
	}

	host.Share = func(context.Context, []*quant.Model, int) (Shared, error) { return nil, errors.New("no room") }
	if _, _, err := record(t, t.Context(), host, &fakeSource{examples: 10}, req); err == nil || !strings.Contains(err.Error(), "starting 2 threads: no room") {
		t.Errorf("got %v", err)
	}
}
