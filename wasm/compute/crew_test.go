package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"quantlab/core/kernel"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// A bench is what a crew of goroutines has in common.
type bench struct {
	mu      sync.Mutex
	changed *sync.Cond
	floats  []float32

	turn, model, rows, busy int

	of, arrived, round int
	low, high          float32    // of the meeting that goes on
	met                [2]float32 // of the last one
}

// A seat is one member's place at the bench.
type seat struct {
	*bench
	turn int // the last one that it took part in
}

func newBench(of int) *bench {
	b := &bench{of: of}
	b.changed = sync.NewCond(&b.mu)
	return b
}

func (b *bench) put(to int, p []float32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	copy(b.floats[to:to+len(p)], p)
}

func (b *bench) get(from int, p []float32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	copy(p, b.floats[from:from+len(p)])
}

func (b *bench) start(model, rows int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.model, b.rows, b.busy = model, rows, b.of-1
	b.turn++
	b.changed.Broadcast()
}

func (b *bench) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.busy > 0 {
		b.changed.Wait()
	}
}

func (s *seat) next() (model, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.bench.turn == s.turn {
		s.changed.Wait()
	}
	s.turn = s.bench.turn
	return s.model, s.rows
}

func (b *bench) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy--
	b.changed.Broadcast()
}

func (b *bench) meet(lo, hi float32) (float32, float32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.arrived == 0 {
		b.low, b.high = lo, hi
	}
	b.low, b.high = min(b.low, lo), max(b.high, hi) // which keep a NaN
	round := b.round
	if b.arrived++; b.arrived == b.of {
		b.met, b.arrived = [2]float32{b.low, b.high}, 0
		b.round++
		b.changed.Broadcast()
	}
	for b.round == round {
		b.changed.Wait()
	}
	return b.met[0], b.met[1]
}

// crewOf returns the first member of a crew for these models; the others are goroutines that have unpacked theirs.
func crewOf(t *testing.T, models []*quant.Model, of int) *member {
	t.Helper()
	b := newBench(of)
	text, files, err := pack(models)
	if err != nil {
		t.Fatal(err)
	}
	first := newMember(&seat{bench: b}, 0, of, models)
	b.floats = make([]float32, first.size())
	var helpers sync.WaitGroup
	for i := 1; i < of; i++ {
		own, err := unpack(text, files)
		if err != nil {
			t.Fatal(err)
		}
		helpers.Go(newMember(&seat{bench: b}, i, of, own).serve)
	}
	t.Cleanup(func() {
		first.Close()
		helpers.Wait()
	})
	return first
}

// testModels converts a small network of random weights to every variant.
func testModels(t *testing.T) ([]*quant.Model, nn.Batch) {
	t.Helper()
	spec, err := nn.SpecOf("sst2-lab2")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	net := nn.New(spec)
	for _, l := range net.Layers {
		for i := range l.W {
			l.W[i] = float32(r.NormFloat64()) / 16
		}
	}
	const rows = 20
	x := nn.Batch{Rows: rows, Cols: spec.In, Dense: make([]float32, rows*spec.In)}
	for row := range rows {
		for range 20 { // rows of different ranges
			x.Dense[row*spec.In+r.IntN(spec.In)] = float32(r.IntN(3 + row))
		}
	}
	var models []*quant.Model
	for _, variant := range []string{"fp32", "dynamic-float16", "dynamic-qint8", "static-qint8"} {
		plan, err := quant.Preset(variant, len(net.Layers))
		if err != nil {
			t.Fatal(err)
		}
		cal, err := quant.Calibrate(t.Context(), net, plan, func(yield func(nn.Batch) bool) { yield(x) })
		if err != nil {
			t.Fatal(err)
		}
		m, err := quant.Convert(net, plan, cal, quant.Options{Engine: kernel.Best(), MaxBatch: rows})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
		models = append(models, m)
	}
	return models, x
}

// However many share a batch, its logits are the same bits.
func TestCrew(t *testing.T) {
	models, x := testModels(t)
	for _, of := range []int{2, 3, 7} {
		crew := crewOf(t, models, of)
		for _, rows := range []int{20, 7, 3, 1} {
			batch := nn.Batch{Rows: rows, Cols: x.Cols, Dense: x.Dense[:rows*x.Cols]}
			for i, m := range models {
				want, err := m.Forward(batch)
				if err != nil {
					t.Fatal(err)
				}
				want = slices.Clone(want)
				got, err := crew.Forward(i, batch)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%d members, %d rows, model %d: %v, logits %v, want %v", of, rows, i, err, got, want)
				}
			}
		}
	}
}

// A NaN in one member's rows is in the range of all, so that all agree on the failure, and the next batch goes well.
func TestCrewMeetsNaN(t *testing.T) {
	models, x := testModels(t)
	crew := crewOf(t, models, 2)
	for _, row := range []int{0, 19} {
		at := &x.Dense[row*x.Cols]
		old := *at
		*at = float32(math.NaN())
		if _, err := crew.Forward(2, x); err == nil {
			t.Errorf("a NaN in row %d went unnoticed", row)
		}
		*at = old
		if _, err := crew.Forward(2, x); err != nil {
			t.Error(err)
		}
	}
}

func TestCrewRefuses(t *testing.T) {
	models, x := testModels(t)
	crew := crewOf(t, models, 2)
	wide := nn.Batch{Rows: 21, Cols: x.Cols, Dense: make([]float32, 21*x.Cols)}
	if _, err := crew.Forward(0, wide); err == nil {
		t.Error("a batch that is too large was taken")
	}
	if crew.Shares(1, false) || !crew.Shares(2, false) || crew.Shares(64, true) {
		t.Error("what is shared is not what should be")
	}
	_, files, err := pack(models)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", `{"model":"resnet"}`, `{"model":"sst2-lab2","engine":"abacus"}`, `{"model":"mnist-lab1","engine":"portable"}`} {
		if _, err := unpack(text, files); err == nil {
			t.Errorf("%q was unpacked", text)
		}
	}
}
