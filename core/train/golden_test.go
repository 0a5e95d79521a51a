package train

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// A goldenLayer holds a Linear's parameters, or their gradients, as PyTorch keeps them.
type goldenLayer struct{ W, B []float32 }

// golden is what testdata/golden.py writes.
type golden struct {
	Cases []struct {
		Name    string
		Dims    []int
		LR      float64
		Sparse  bool
		Initial []goldenLayer
		Steps   []struct {
			X         []float32
			Labels    []int
			Logits    []float32
			Loss      float64
			Gradients []goldenLayer
			After     []goldenLayer
		}
	}
	Losses []struct {
		Name             string
		Rows             int
		Logits, Gradient []float32
		Labels           []int
		Loss             float64
	}
}

// readGolden reads values that PyTorch computed, as its script in testdata says.
func readGolden[T any](t *testing.T, file string) (g T) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		With json.RawMessage `json:"made_with"`
	}
	for _, into := range []any{&g, &made} {
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("made with %s", made.With)
	return g
}

func bytesOf(labels []int) []uint8 {
	b := make([]uint8, len(labels))
	for i, label := range labels {
		b[i] = uint8(label)
	}
	return b
}

// TestGoldenLoss compares the loss and its gradient with PyTorch's, for large logits too.
func TestGoldenLoss(t *testing.T) {
	for _, c := range readGolden[golden](t, "golden.json").Losses {
		t.Run(c.Name, func(t *testing.T) {
			classes := len(c.Logits) / c.Rows
			logits := kernel.Matrix{Data: c.Logits, Rows: c.Rows, Cols: classes, Stride: classes}
			gradient := kernel.Matrix{Data: make([]float32, len(c.Logits)), Rows: c.Rows, Cols: classes, Stride: classes}
			loss := crossEntropy(gradient, logits, bytesOf(c.Labels))
			near(t, "loss", []float32{float32(loss)}, []float32{float32(c.Loss)})
			near(t, "gradient", gradient.Data, c.Gradient)
		})
	}
}

// TestGoldenSteps follows PyTorch for a few steps: the logits, the loss, every gradient, and every parameter after the
// step.
func TestGoldenSteps(t *testing.T) {
	for _, c := range readGolden[golden](t, "golden.json").Cases {
		t.Run(c.Name, func(t *testing.T) {
			last := len(c.Dims) - 1
			net := nn.New(nn.Spec{ID: c.Name, In: c.Dims[0], Hidden: c.Dims[1:last], Out: c.Dims[last], LR: c.LR})
			for i, l := range c.Initial {
				copy(net.Layers[i].W, l.W)
				copy(net.Layers[i].B, l.B)
			}
			tr := newTrainer(net, kernel.Best(), nil, 6, c.Sparse, Float32)
			for n, step := range c.Steps {
				labels := bytesOf(step.Labels)
				x := nn.Batch{Rows: len(labels), Cols: c.Dims[0], Dense: step.X}
				if c.Sparse {
					x = compress(x)
				}
				loss := tr.step(x, labels)
				near(t, fmt.Sprintf("step %d: loss", n), []float32{float32(loss)}, []float32{float32(step.Loss)})
				var logits []float32
				for r := range labels {
					logits = append(logits, tr.layers[last-1].y.Row(r)...)
				}
				near(t, fmt.Sprintf("step %d: logits", n), logits, step.Logits)
				tr.store(net)
				for i, l := range net.Layers {
					near(t, fmt.Sprintf("step %d: gradient of layer %d's weights", n, i), gradientOf(tr, i, l), step.Gradients[i].W)
					near(t, fmt.Sprintf("step %d: gradient of layer %d's biases", n, i), tr.layers[i].bias.grad.Row(0), step.Gradients[i].B)
					near(t, fmt.Sprintf("step %d: layer %d's weights", n, i), l.W, step.After[i].W)
					near(t, fmt.Sprintf("step %d: layer %d's biases", n, i), l.B, step.After[i].B)
				}
			}
		})
	}
}

// gradientOf returns the gradient of layer i's weights, out x in.
func gradientOf(tr *trainer, i int, l nn.Linear) []float32 {
	g := make([]float32, l.Out*l.In)
	for k := range l.In {
		from := k
		if i == 0 && tr.words != nil {
			if from = int(tr.words.slot[k]); from < 0 {
				continue
			}
		}
		for o, v := range tr.layers[i].weight.grad.Row(from) {
			g[o*l.In+k] = v
		}
	}
	return g
}

// compress returns a dense batch as sparse rows.
func compress(x nn.Batch) nn.Batch {
	s := nn.Batch{Rows: x.Rows, Cols: x.Cols, Start: []int32{0}, Index: []int32{}, Value: []float32{}}
	for r := range x.Rows {
		for k, v := range x.Dense[r*x.Cols : (r+1)*x.Cols] {
			if v != 0 {
				s.Index, s.Value = append(s.Index, int32(k)), append(s.Value, v)
			}
		}
		s.Start = append(s.Start, int32(len(s.Index)))
	}
	return s
}

// near compares to 1e-6 of each element, plus 2e-7 of the largest: small ones are differences of larger ones.
func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, not %d", what, len(got), len(want))
	}
	largest := 0.0
	for _, w := range want {
		largest = max(largest, math.Abs(float64(w)))
	}
	for i, w := range want {
		if diff := math.Abs(float64(got[i]) - float64(w)); !(diff <= 1e-6*math.Abs(float64(w))+2e-7*largest) {
			t.Errorf("%s: element %d is %g, not %g", what, i, got[i], w)
		}
	}
}
