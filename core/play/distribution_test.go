package play

import (
	"math"
	"slices"
	"testing"

	"quantlab/core/kernel"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

func TestSpread(t *testing.T) {
	x := []float32{-1, 0, 0, 0.5, 2}
	var s spread
	s.include(kernel.Best(), x[:2], 0)
	s.include(kernel.Best(), x[2:], 3)
	s.add(x[:3], 0)
	s.add(x[3:], 3)
	d := s.distribution()
	// Of -1, 0.5, 2 and five zeros: mean 1.5/8, square (1+0.25+4)/8.
	if d.Lo != -1 || d.Hi != 2 || d.Count != 8 || d.Zeros != 5 || d.Mean != 0.1875 || math.Abs(d.Std-math.Sqrt(0.65625-0.1875*0.1875)) > 1e-12 {
		t.Errorf("%+v", d)
	}
	// Each bin is 3/96 = 1/32 wide: -1 is in bin 0, 0 in 32, 0.5 in 48, and 2, the end, in the last one.
	want := make([]int, histogramBins)
	want[0], want[32], want[48], want[95] = 1, 5, 1, 1
	if !slices.Equal(d.Bins, want) {
		t.Errorf("bins %v", d.Bins)
	}
	var same spread
	same.include(kernel.Best(), []float32{3, 3}, 0)
	same.add([]float32{3, 3}, 0)
	if d := same.distribution(); d.Bins[0] != 2 || d.Lo != 3 || d.Hi != 3 || d.Std != 0 {
		t.Errorf("of equal numbers: %+v", d)
	}
}

// viewOf returns a view of what a network computes on the batches.
func viewOf(t testing.TB, net *nn.Network, batches ...nn.Batch) *view {
	t.Helper()
	a, err := quant.Record(net, slices.Values(batches), nil)
	if err != nil {
		t.Fatal(err)
	}
	return newView(a, len(net.Layers)+1)
}

func never() error { return nil }

// identity is a network whose single layer gives back its two inputs, after a ReLU.
func identity() *nn.Network {
	return &nn.Network{Layers: []nn.Linear{{Name: "layers.0", In: 2, Out: 2, W: []float32{1, 0, 0, 1}, B: []float32{0, 0}, ReLU: true}}}
}

func TestBoundary(t *testing.T) {
	dense := nn.Batch{Rows: 2, Cols: 2, Dense: []float32{3, -1, 0, -2}}
	sparse := nn.Batch{Rows: 2, Cols: 2, Start: []int32{0, 2, 3}, Index: []int32{0, 1, 1}, Value: []float32{3, -1, -2}}
	for name, batch := range map[string]nn.Batch{"dense": dense, "sparse": sparse} {
		v := viewOf(t, identity(), batch)
		in, err := v.at(kernel.Best(), 0, 2, never)
		if err != nil || in.Count != 4 || in.Zeros != 1 || in.Lo != -2 || in.Hi != 3 || in.Mean != 0 || in.dead != nil {
			t.Errorf("%s: input %+v, %v", name, in, err)
		}
		out, err := v.at(kernel.Best(), 1, 2, never)
		if err != nil || out.Count != 4 || out.Zeros != 3 || out.Lo != 0 || out.Hi != 3 || !slices.Equal(out.dead, []int{1}) {
			t.Errorf("%s: output %+v, %v", name, out, err)
		}
	}
	huge := identity()
	huge.Layers[0].W[0] = 3e38
	if _, err := viewOf(t, huge, dense).at(kernel.Best(), 1, 2, never); err == nil {
		t.Error("infinite activations have a histogram")
	}
}

// TestEffect puts activations on a grid whose every number can be worked out by hand.
func TestEffect(t *testing.T) {
	x := []float32{0, 0.3, 1.6, 9}
	grid := quant.QParams{Scale: 0.5, Zero: 0, Min: 0, Max: 7} // up to 3.5
	q := scheme.ActivationQuantizer{Bits: 3, Observer: scheme.MinMax}
	// They become 0, 0.5, 1.5 and 3.5: errors of 0, 0.2, 0.1 and 5.5.
	noise, signal := 0.2*0.2+0.1*0.1+5.5*5.5, 0.09+1.6*1.6+81
	for name, batch := range map[string]nn.Batch{
		"dense":  {Rows: 2, Cols: 2, Dense: x},
		"sparse": {Rows: 2, Cols: 2, Start: []int32{0, 1, 3}, Index: []int32{1, 0, 1}, Value: x[1:]},
	} {
		e, err := viewOf(t, identity(), batch).effect(kernel.Best(), placing{quantizer: q, grid: grid}, never)
		if err != nil {
			t.Fatal(err)
		}
		if e.clipped != 0.25 || e.used != 4 || math.Abs(e.loss.Max-5.5) > 1e-6 || math.Abs(e.loss.Mean-5.8/4) > 1e-6 ||
			math.Abs(e.loss.SQNR-10*math.Log10(signal/noise)) > 1e-4 {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// TestDynamicEffect: each batch, or each row, gets a grid of its own; the one in the middle is told.
func TestDynamicEffect(t *testing.T) {
	batches := []nn.Batch{
		{Rows: 2, Cols: 2, Dense: []float32{1, 0, 4, 0}}, {Rows: 1, Cols: 2, Dense: []float32{2, 0}}, {Rows: 1, Cols: 2, Dense: []float32{8, 0}},
	}
	v := viewOf(t, identity(), batches...)
	for perRow, want := range map[bool]float64{false: 4, true: 4} { // of 2, 4, 8 and of 1, 2, 4, 8
		q := scheme.ActivationQuantizer{Bits: 8, PerRow: perRow}
		e, err := v.effect(kernel.Best(), placing{quantizer: q, dynamic: true}, never)
		if err != nil || e.grid != quant.DynamicGrid(q, 0, float32(want)) || e.clipped != 0 {
			t.Errorf("per row %v: %+v, %v", perRow, e, err)
		}
		if wantUsed := map[bool]int{true: 2, false: 3}[perRow]; e.used != wantUsed { // 1 beside 4 is level 64; alone, the last one
			t.Errorf("per row %v: %d levels", perRow, e.used)
		}
	}
}
