package train

import (
	"fmt"
	"math"
	"testing"

	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// goldenScaler are torch.amp.GradScaler's arguments.
type goldenScaler struct {
	Scale    *float32 `json:"init_scale"`
	Interval *int     `json:"growth_interval"`
}

func (g goldenScaler) scaler() *scaler {
	s := newScaler()
	if g.Scale != nil {
		s.scale = *g.Scale
	}
	if g.Interval != nil {
		s.interval = *g.Interval
	}
	return s
}

// A nullableLayer is a goldenLayer whose elements are nil where they are not finite.
type nullableLayer struct{ W, B []*float32 }

// goldenAMP is what testdata/golden_amp.py writes.
type goldenAMP struct {
	Cases []struct {
		Name    string
		Type    Precision
		Dims    []int
		LR      float64
		Sparse  bool
		Scaler  *goldenScaler
		Initial []goldenLayer
		Steps   []struct {
			X         []float32
			Labels    []int
			Logits    []float32
			Loss      float64
			Scale     float64
			Skipped   bool
			Gradients []nullableLayer
			After     []goldenLayer
		}
	}
	Scales []struct {
		Name      string
		Scaler    goldenScaler
		Overflows []int
		Scales    []float32
	}
}

// TestGoldenScaler follows GradScaler's scale.
func TestGoldenScaler(t *testing.T) {
	for _, c := range readGolden[goldenAMP](t, "golden_amp.json").Scales {
		t.Run(c.Name, func(t *testing.T) {
			s := c.Scaler.scaler()
			for n, overflow := range c.Overflows {
				if s.scale != c.Scales[n] {
					t.Fatalf("step %d: scale %v, not %v", n, s.scale, c.Scales[n])
				}
				s.update(overflow != 0)
			}
		})
	}
}

// TestGoldenMixedSteps follows PyTorch's autocast and GradScaler for a few steps: the logits, the loss, the scale and which steps are
// skipped, every gradient without its scale, and every parameter after the step.
func TestGoldenMixedSteps(t *testing.T) {
	for _, engine := range kernel.Engines() {
		for _, c := range readGolden[goldenAMP](t, "golden_amp.json").Cases {
			t.Run(engine.Name()+"/"+c.Name, func(t *testing.T) {
				last := len(c.Dims) - 1
				net := nn.New(nn.Spec{ID: c.Name, In: c.Dims[0], Hidden: c.Dims[1:last], Out: c.Dims[last], LR: c.LR})
				for i, l := range c.Initial {
					copy(net.Layers[i].W, l.W)
					copy(net.Layers[i].B, l.B)
				}
				tr := newTrainer(net, engine, nil, 12, c.Sparse, c.Type)
				if c.Scaler != nil {
					tr.mixed.scaler = c.Scaler.scaler()
				}
				skipped, compared := 0, comparison{place: c.Type.place(), step: c.LR}
				for n, step := range c.Steps {
					labels := bytesOf(step.Labels)
					x := nn.Batch{Rows: len(labels), Cols: c.Dims[0], Dense: step.X}
					if c.Sparse {
						x = compress(x)
					}
					if got := tr.mixed.scale(); got != step.Scale {
						t.Fatalf("step %d: scale %v, not %v", n, got, step.Scale)
					}
					loss := tr.step(x, labels)
					if math.Abs(loss-step.Loss) > 1e-3*step.Loss {
						t.Errorf("step %d: loss %v, not %v", n, loss, step.Loss)
					}
					if step.Skipped {
						skipped++
					}
					if tr.mixed.skipped != skipped {
						t.Fatalf("step %d: %d steps were skipped, not %d", n, tr.mixed.skipped, skipped)
					}
					var logits []float32
					for r := range labels {
						logits = append(logits, tr.layers[last-1].y.Row(r)...)
					}
					compared.low(t, fmt.Sprintf("step %d: logits", n), logits, step.Logits)
					tr.store(net)
					for i, l := range net.Layers {
						if !step.Skipped {
							compared.low(t, fmt.Sprintf("step %d: gradient of layer %d's weights", n, i), gradientOf(tr, i, l), values(step.Gradients[i].W))
							compared.low(t, fmt.Sprintf("step %d: gradient of layer %d's biases", n, i), tr.layers[i].bias.grad.Row(0), values(step.Gradients[i].B))
						}
						compared.parameters(t, fmt.Sprintf("step %d: layer %d's weights", n, i), l.W, step.After[i].W)
						compared.parameters(t, fmt.Sprintf("step %d: layer %d's biases", n, i), l.B, step.After[i].B)
					}
				}
				if compared.differ > compared.all/50 {
					t.Errorf("%d of %d rounded numbers are not PyTorch's", compared.differ, compared.all)
				}
			})
		}
	}
}

// values returns the elements, which are all finite.
func values(x []*float32) []float32 {
	var out []float32
	for _, v := range x {
		out = append(out, *v)
	}
	return out
}

// place is the largest distance of neighbours, as a share of their size.
func (p Precision) place() float64 {
	if p == BFloat16 {
		return 0x1p-7
	}
	return 0x1p-10
}

// A comparison compares with PyTorch, which may add in another order: then a sum may come to lie on the other side of a tie, and be
// rounded to the neighbour. Here none is; elsewhere one in fifty may be.
type comparison struct {
	place, step float64 // of the low type, and Adam's learning rate
	differ, all int
}

// low compares numbers that were rounded to the low type. What a neighbour makes of others' sums is small beside the largest.
func (c *comparison) low(t *testing.T, what string, got, want []float32) {
	t.Helper()
	largest := 0.0
	for _, w := range want {
		largest = max(largest, math.Abs(float64(w)))
	}
	for i, w := range want {
		c.all++
		if got[i] == w {
			continue
		}
		c.differ++
		if !(math.Abs(float64(got[i])-float64(w)) <= c.place*(math.Abs(float64(w))+largest/16)) {
			t.Errorf("%s: element %d is %g, not %g", what, i, got[i], w)
		}
	}
}

// parameters compares what Adam, whose steps are about as long as the learning rate, made of gradients that are nearly the same.
func (c *comparison) parameters(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if !(math.Abs(float64(got[i])-float64(w)) <= 1e-6*math.Abs(float64(w))+c.place*c.step) {
			t.Errorf("%s: element %d is %g, not %g", what, i, got[i], w)
		}
	}
}
