package lab

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
)

// A fakeSource has networks with random weights, and random examples whose labels a network with those weights gives,
// but for every tenth.
type fakeSource struct {
	examples int
	missing  map[string]bool                           // data that is not here
	meta     map[string]modelfile.Meta                 // of each model
	damage   func(*nn.Network)                         // applied to a copy
	testing  func(*dataset.Examples) *dataset.Examples // changes the test examples
	opened   func(what string)                         // hears every call
}

func (s *fakeSource) hear(what string) {
	if s.opened != nil {
		s.opened(what)
	}
}

func (s *fakeSource) absent(spec nn.Spec) error {
	if !s.missing[spec.Data] {
		return nil
	}
	return fmt.Errorf("reading: %w", &dataset.MissingError{What: "SST-2", Path: "somewhere", Hint: "put it there"})
}

func (s *fakeSource) Network(_ context.Context, spec nn.Spec, progress func(done, total int64)) (*nn.Network, modelfile.Meta, error) {
	s.hear("network")
	if err := s.absent(spec); err != nil && spec.ID == "sst2-lab1" {
		return nil, modelfile.Meta{}, err
	}
	if progress != nil {
		progress(1, 2)
		progress(2, 2)
	}
	net := randomNetwork(spec)
	if s.damage != nil {
		net = &nn.Network{Spec: net.Spec, Layers: slices.Clone(net.Layers)}
		for i := range net.Layers {
			net.Layers[i].W, net.Layers[i].B = slices.Clone(net.Layers[i].W), slices.Clone(net.Layers[i].B)
		}
		s.damage(net)
	}
	return net, s.meta[spec.ID], nil
}

func (s *fakeSource) Test(_ context.Context, spec nn.Spec, n int, _ func(done, total int64)) (*dataset.Examples, error) {
	s.hear("test")
	if err := s.absent(spec); err != nil {
		return nil, err
	}
	e := randomExamples(spec, s.examples, 2)
	if n > 0 {
		e = e.Head(n)
	}
	if s.testing != nil {
		e = s.testing(e)
	}
	return e, nil
}

// Own tells of nothing.
func (s *fakeSource) Own(context.Context) (*wire.Own, error) { return nil, nil }

func (s *fakeSource) Sentences(context.Context, nn.Spec, string, int, func(done, total int64)) (*dataset.Sentences, error) {
	return nil, fmt.Errorf("a run reads no texts")
}

func (s *fakeSource) Calibration(_ context.Context, spec nn.Spec, _ func(done, total int64)) (*dataset.Examples, error) {
	s.hear("calibration")
	return randomExamples(spec, 100, 1), s.absent(spec)
}

func (s *fakeSource) Train(_ context.Context, spec nn.Spec, _ func(done, total int64)) (*dataset.Examples, error) {
	s.hear("train")
	return randomExamples(spec, 300, 3), s.absent(spec)
}

// made holds what is made once for all tests. It is shared: leave it as it is.
var made sync.Map

func once[V any](key string, make func() V) V {
	v, _ := made.LoadOrStore(key, sync.OnceValue(make))
	return v.(func() V)()
}

// randomNetwork returns weights as PyTorch initialises them, always the same.
func randomNetwork(spec nn.Spec) *nn.Network {
	return once(spec.ID, func() *nn.Network { return newNetwork(spec) })
}

func newNetwork(spec nn.Spec) *nn.Network {
	net, random := nn.New(spec), rand.New(rand.NewPCG(7, 7))
	for _, l := range net.Layers {
		bound := 1 / math.Sqrt(float64(l.In))
		for _, p := range [][]float32{l.W, l.B} {
			for i := range p {
				p[i] = float32(bound * (2*random.Float64() - 1))
			}
		}
	}
	return net
}

// randomExamples returns noise that is labelled by the random network, every tenth label wrong.
func randomExamples(spec nn.Spec, n int, seed uint64) *dataset.Examples {
	return once(fmt.Sprint(spec.ID, n, seed), func() *dataset.Examples { return newExamples(spec, n, seed) })
}

func newExamples(spec nn.Spec, n int, seed uint64) *dataset.Examples {
	e := madeUp(spec, n, seed)
	net := randomNetwork(spec)
	var b nn.Batch
	for i := range n {
		e.Slice(&b, i, i+1)
		e.Labels[i] = uint8(reference(net, b.Scatter(nil).Dense))
		if i%10 == 0 {
			e.Labels[i] = uint8((int(e.Labels[i]) + 1) % max(spec.Out, 2))
		}
	}
	return e
}

// reference is the network written out as its definition says, in float64.
func reference(net *nn.Network, x []float32) (class int) {
	in := make([]float64, len(x))
	for i, v := range x {
		in[i] = float64(v)
	}
	for _, l := range net.Layers {
		out := make([]float64, l.Out)
		for o := range out {
			out[o] = float64(l.B[o])
		}
		for i, v := range in {
			if v == 0 {
				continue
			}
			for o := range out {
				out[o] += v * float64(l.W[o*l.In+i])
			}
		}
		if l.ReLU {
			for o := range out {
				out[o] = max(out[o], 0)
			}
		}
		in = out
	}
	if len(in) == 1 && in[0] > 0 {
		return 1
	}
	for o, v := range in {
		if v > in[class] {
			class = o
		}
	}
	return class
}

// testHost times in a hurry.
func testHost() Host {
	return Host{
		Name: wire.Native, Version: "test", MinRun: time.Millisecond, MaxThreads: 2,
		Hardware: func() wire.Hardware { return wire.Hardware{CPU: "a test's"} },
	}
}

// testRequest is small.
func testRequest(models ...string) wire.Request {
	r := wire.Lab()
	r.Models, r.Batches, r.Runs = models, []int{1, 3}, 2
	return r
}

// record runs the request and returns what happened.
func record(t *testing.T, ctx context.Context, host Host, src Source, req wire.Request) (*wire.Result, []wire.Event, error) {
	t.Helper()
	var events []wire.Event
	result, err := Run(ctx, host, src, req, func(e wire.Event) { events = append(events, e) })
	checkOrder(t, events, err)
	return result, events, err
}

// checkOrder holds for every run: one start before anything that is measured, one end and nothing after it, and a
// fraction that only grows.
func checkOrder(t *testing.T, events []wire.Event, err error) {
	t.Helper()
	if len(events) == 0 {
		t.Fatal("no events")
	}
	ends := map[string]bool{wire.EventDone: true, wire.EventError: true, wire.EventCancel: true}
	fraction := 0.0
	for i, e := range events {
		if ends[e.Kind] != (i == len(events)-1) {
			t.Errorf("event %d of %d is %q", i+1, len(events), e.Kind)
		}
		if (e.Kind == wire.EventStart) != (i == 0) && !ends[events[0].Kind] {
			t.Errorf("event %d is %q", i+1, e.Kind)
		}
		if e.Kind == wire.EventProgress {
			if e.Fraction < fraction || e.Fraction > 1 || e.Step == "" {
				t.Errorf("progress %v %q after %v", e.Fraction, e.Step, fraction)
			}
			fraction = e.Fraction
		}
	}
	last := events[len(events)-1]
	if (err == nil) != (last.Kind == wire.EventDone) {
		t.Errorf("error %v, but the last event is %q", err, last.Kind)
	}
	if last.Kind == wire.EventError && last.Text != err.Error() {
		t.Errorf("event says %q, error %q", last.Text, err)
	}
}

func rowsOf(events []wire.Event) (rows []wire.Row) {
	for _, e := range events {
		if e.Kind == wire.EventRow && !e.Row.Partial {
			rows = append(rows, *e.Row)
		}
	}
	return rows
}

// partial returns the rows that came without their latencies.
func partial(events []wire.Event) (rows []wire.Row) {
	for _, e := range events {
		if e.Kind == wire.EventRow && e.Row.Partial {
			rows = append(rows, *e.Row)
		}
	}
	return rows
}
