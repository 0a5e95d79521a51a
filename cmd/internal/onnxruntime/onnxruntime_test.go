// Package onnxruntime holds the test that runs exported models in ONNX Runtime, next to quantlab.
package onnxruntime

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"quantlab/cmd/internal/prepare"
	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile/onnx"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// examples is how many of each model's are run: of MNIST's test set the first, of SST-2 all dev sentences and, to make up the number,
// phrases that calibrate.
const examples = 1000

// others are plans beside the lab's: every way to make a grid, few bits, and layers of all kinds after one another.
var others = map[string][]string{
	"mnist-lab1": {
		"dynamic-w8-a8", "dynamic-w8c-a8rp", "dynamic-w4ca-a6s", "dynamic-w8a-a5", "dynamic-w6a-a8rsp", "dynamic-w8-a8p",
		"static-w4ca-a6-percentile99.9", "static-w8a-a8s-minmax", "static-w3-a8r-histogram,float32", "float16,static-w8c-a8r-histogram",
	},
	"mnist-lab2": {"static-w8c-a8r-histogram,dynamic-w8-a8r,static-w8c-a8r-histogram", "float32,static-w8c-a7-entropy,static-w5-a7-entropy"},
	"sst2-lab2":  {"dynamic-w8-a8r,static-w8c-a8r-histogram,float16,dynamic-w8c-a8", "static-w8c-a8r-histogram,float32,dynamic-w4ca-a8rp,static-w8-a8-minmax"},
	normalised:   {"dynamic-w8-a8", "dynamic-w4ca-a6s", "dynamic-w8ca-a8rp", "dynamic-w8-a8rsp", "static-w8c-a8-minmax"},
	oneLogit:     nil,
}

// Models that are made of the lab's: one whose features go below 0, one with one logit for two classes.
const (
	normalised = "mnist-lab1, normalised"
	oneLogit   = "sst2-lab2, one logit"
)

// A subject is a model with what it is tried on.
type subject struct {
	net     *nn.Network
	acts    *quant.Activations // calibrate
	batches []nn.Batch
}

// TestExports runs every variant of every model, and other plans, in ONNX Runtime: what they answer is what quantlab answers.
func TestExports(t *testing.T) {
	store, err := prepare.Open(prepare.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range append(nn.IDs(), normalised, oneLogit) {
		t.Run(id, func(t *testing.T) {
			b := newBench(t)
			s := load(t, store, id)
			input := b.floats(s.batches)
			plans := wire.VariantIDs()
			if s.net.Spec.ID != id {
				plans = plans[2:] // its float layers are the other's
			}
			plans = append(plans, others[id]...)
			var models []*quant.Model
			for i, text := range plans {
				m := s.convert(t, text)
				defer m.Close()
				models = append(models, m)
				b.add(fmt.Sprint(i), input, m.Weights(), onnx.Description{Spec: s.net.Spec}, times()...)
			}
			b.run()
			for i, text := range plans {
				t.Run(text, func(t *testing.T) {
					compare(t, models[i], s.batches, b.logits(i))
					checkOperators(t, models[i].Plan(), b.ops(i))
				})
				for _, n := range times() {
					us := b.jobs[i].Times[n]
					t.Logf("%s, batch %d: %.1f µs in ONNX Runtime with Node.js, %.1f µs here", text, n, us, own(t, models[i], s.batches[0], n))
				}
			}
		})
	}
}

// times returns the batches to time: none, unless QUANTLAB_ONNX_TIMES is set.
func times() []int {
	if os.Getenv("QUANTLAB_ONNX_TIMES") == "" {
		return nil
	}
	return []int{1, batch}
}

// own returns the median microseconds of a call of the model on the first n rows.
func own(t *testing.T, m *quant.Model, x nn.Batch, n int) float64 {
	x = x.Scatter(nil)
	x.Rows, x.Dense = n, x.Dense[:n*x.Cols]
	var took []float64
	for begin := time.Now(); time.Since(begin) < 400*time.Millisecond || len(took) < 10; {
		start := time.Now()
		if _, err := m.Forward(x); err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(start).Seconds()*1e6)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

func load(t *testing.T, store *prepare.Store, id string) subject {
	must := func(err error) {
		t.Helper()
		var missing *dataset.MissingError
		if errors.As(err, &missing) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	of := id
	switch id {
	case normalised:
		of = "mnist-lab1"
	case oneLogit:
		of = "sst2-lab2"
	}
	spec, err := nn.SpecOf(of)
	must(err)
	net, _, err := store.Network(t.Context(), spec, nil)
	must(err)
	test, err := store.Test(t.Context(), spec, examples, nil)
	must(err)
	sample, err := store.Calibration(t.Context(), spec, nil)
	must(err)
	switch id {
	case normalised:
		net = normalise(net)
	case oneLogit:
		net = joined(net)
	}
	test, sample = test.As(net.Spec), sample.As(net.Spec)
	s := subject{net: net, batches: slices.Concat(batches(test), batches(sample.Head(examples-test.Len())))}
	s.acts, err = quant.Record(net, slices.Values(batches(sample)), nil)
	must(err)
	return s
}

func batches(e *dataset.Examples) (all []nn.Batch) {
	for lo := 0; lo < e.Len(); lo += batch {
		var x nn.Batch
		e.Slice(&x, lo, min(lo+batch, e.Len()))
		all = append(all, x)
	}
	return all
}

// normalise returns the network that gives the same logits for pixels that are scaled as MNIST often is.
func normalise(net *nn.Network) *nn.Network {
	spec := net.Spec
	spec.Scaling = nn.Scaling{Mean: 0.1307, Std: 0.3081}
	n := &nn.Network{Spec: spec, Layers: slices.Clone(net.Layers)}
	l := &n.Layers[0]
	l.W, l.B = slices.Clone(l.W), slices.Clone(l.B)
	for i := range l.W {
		l.B[i/l.In] += l.W[i] * float32(spec.Scaling.Mean)
		l.W[i] *= float32(spec.Scaling.Std)
	}
	return n
}

// joined returns the network of two logits with one, their difference.
func joined(net *nn.Network) *nn.Network {
	spec := net.Spec
	spec.Out = 1
	n := &nn.Network{Spec: spec, Layers: slices.Clone(net.Layers)}
	l := &n.Layers[len(n.Layers)-1]
	w := make([]float32, l.In)
	for i := range w {
		w[i] = l.W[l.In+i] - l.W[i]
	}
	l.W, l.B, l.Out = w, []float32{l.B[1] - l.B[0]}, 1
	return n
}

// convert converts by a variant or a plan.
func (s subject) convert(t *testing.T, text string) *quant.Model {
	plan, err := quant.Preset(text, len(s.net.Layers))
	if err != nil {
		plan, err = scheme.ParsePlan(text, len(s.net.Layers))
	}
	if err != nil {
		t.Fatal(err)
	}
	cal, err := s.acts.Calibrate(plan, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := quant.Convert(s.net, plan, cal, quant.Options{MaxBatch: batch})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
