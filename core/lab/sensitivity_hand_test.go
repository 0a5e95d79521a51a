package lab

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// byHand runs quantized layers by their definitions, one number at a time, in float64 and whole numbers, and returns each
// example's class. Dynamic layers take their range from the batch.
func byHand(layers []quant.QuantizedLayer, batch nn.Batch) (classes []int) {
	x := make([][]float64, batch.Rows)
	for r := range x {
		for _, v := range batch.Dense[r*batch.Cols : (r+1)*batch.Cols] {
			x[r] = append(x[r], float64(v))
		}
	}
	for _, l := range layers {
		enter := func(v float64) float64 { return v }
		leave := enter
		switch l.Scheme.Mode {
		case quant.Dynamic:
			lo, hi := float32(0), float32(0)
			for _, row := range x {
				for _, v := range row {
					lo, hi = min(lo, float32(v)), max(hi, float32(v))
				}
			}
			g := quant.DynamicGrid(l.Scheme.Activation, lo, hi)
			enter = func(v float64) float64 { return onGrid(g, v) }
		case quant.Static:
			enter = func(v float64) float64 { return onGrid(*l.InGrid, v) }
			leave = func(v float64) float64 { return onGrid(*l.OutGrid, v) }
		}
		weights := make([]float32, l.In)
		y := make([][]float64, len(x))
		for r, row := range x {
			y[r] = make([]float64, l.Out)
			for k := range row {
				row[k] = enter(row[k])
			}
		}
		for o := range l.Out {
			l.Dequantize(weights, o)
			for r, row := range x {
				sum := float64(l.Bias[o])
				for k, w := range weights {
					sum += row[k] * float64(w)
				}
				if l.ReLU {
					sum = max(sum, 0)
				}
				y[r][o] = leave(sum)
			}
		}
		x = y
	}
	for _, row := range x {
		best := 0
		for o, v := range row {
			if v > row[best] {
				best = o
			}
		}
		classes = append(classes, best)
	}
	return classes
}

// onGrid is the number of the grid that stands for v.
func onGrid(g quant.QParams, v float64) float64 {
	n := math.RoundToEven(v/g.Scale) + float64(g.Zero)
	return g.Scale * (max(min(n, float64(g.Max)), float64(g.Min)) - float64(g.Zero))
}

// centre takes away what every example has in common, so that a random network gives many different answers.
func centre(n *nn.Network) {
	for _, l := range n.Layers {
		clear(l.B)
		for row := range slices.Chunk(l.W, l.In) {
			mean := float32(0)
			for _, v := range row {
				mean += v / float32(l.In)
			}
			for k := range row {
				row[k] -= mean
			}
		}
	}
}

// Every row answers as its plan converted by hand does: the layers of the plan quantized one by one, and computed with by
// their definitions.
func TestSensitivityByHand(t *testing.T) {
	spec, src := tiny(4), &fakeSource{examples: 1000, damage: centre}
	req := testRequest()
	req.Batches, req.Runs = []int{1}, 1
	got := sensitivityOf(t, src, spec, req)
	net, _, err := src.Network(t.Context(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	examples, err := src.Calibration(t.Context(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	cal, err := Calibrate(t.Context(), net, examples, nil)
	if err != nil {
		t.Fatal(err)
	}
	test := randomExamples(spec, 1000, 2)
	answers := func(plan quant.Plan) (classes []int) {
		var layers []quant.QuantizedLayer
		for i, s := range plan {
			l, err := quant.QuantizeLayer(net.Layers[i], s, nil)
			if err != nil {
				t.Fatal(err)
			}
			l.SetScheme(s, i, cal)
			layers = append(layers, l)
		}
		for batch := range inBatches(test, nil) {
			classes = append(classes, byHand(layers, batch)...)
		}
		return classes
	}
	float, _ := quant.Preset(wire.Baseline, 4)
	base := answers(float)
	flipped := 0
	for _, r := range got.Rows {
		uniform, _ := quant.Preset(r.Variant, 4)
		plan := slices.Clone(float)
		for i := range plan {
			if (nn.LayerName(i) == r.Layer) == (r.Mode == wire.Only) {
				plan[i] = uniform[i]
			}
		}
		var want wire.Row
		hand := answers(plan)
		Score(&want, hand, test.Labels)
		if r.Correct != want.Correct || !reflect.DeepEqual(r.Paired, Paired(base, hand, test.Labels)) {
			t.Errorf("%s %s %s: %d right, %+v; by hand %d, %+v", r.Variant, r.Mode, r.Layer, r.Correct, r.Paired, want.Correct, Paired(base, hand, test.Labels))
		}
		flipped += len(r.Paired.Flipped)
	}
	if flipped == 0 {
		t.Error("nothing changed any answer: the test proves nothing")
	}
}
