package quant

import (
	"errors"
	"slices"
	"testing"

	"quantlab/core/internal/must"
	"quantlab/core/nn"
)

// TestWeightLoss: added up row by row, it is what comparing all weights at once gives.
func TestWeightLoss(t *testing.T) {
	net, _, _ := random(21, 1, 40, 30, 5)
	for _, s := range variety() {
		l := must.Have(QuantizeLayer(net.Layers[0], s, nil))(t)
		var all []float32
		row := make([]float32, l.In)
		for o := range l.Out {
			l.Dequantize(row, o)
			all = append(all, row...)
		}
		want := Compare(net.Layers[0].W, all)
		got := must.Have(l.WeightLoss(net.Layers[0].W, nil))(t)
		if d := got.Distortion(); d.Max != want.Max || d.SQNR-want.SQNR > 1e-9 || want.SQNR-d.SQNR > 1e-9 || got.Count != len(all) {
			t.Errorf("%s: %+v, want %+v", s, d, want)
		}
		stop := errors.New("stop")
		if _, err := l.WeightLoss(net.Layers[0].W, func() error { return stop }); err != stop {
			t.Errorf("error %v", err)
		}
	}
}

// TestLayerLoss: a layer alone loses what the plan of it alone loses at its output, and float32 loses nothing.
func TestLayerLoss(t *testing.T) {
	net, dense, sparse := random(22, 12, 40, 30, 20, 5)
	for _, x := range []nn.Batch{dense, sparse} {
		a := must.Have(Record(net, slices.Values([]nn.Batch{x}), nil))(t)
		last := len(net.Layers) - 1
		for _, s := range variety() {
			plan := Plan{{Mode: Float32}, {Mode: Float32}, s}
			cal := must.Have(a.Calibrate(plan, nil))(t)
			layers := must.Have(Quantize(net, plan, cal))(t)
			m := must.Have(Convert(net, plan, cal, Options{Engine: nil, MaxBatch: 12}))(t)
			want := Compare(a.Output(0, last), must.Have(m.Forward(x))(t))
			m.Close()
			got := must.Have(a.LayerLoss(last, &layers[last], 9, Options{}))(t)
			if s.Mode == Float32 && got.SQNR != MaxSQNR || s.Mode != Float32 && (got.SQNR-want.SQNR > 0.5 || want.SQNR-got.SQNR > 0.5) {
				t.Errorf("%s: %v dB, want %v", s, got.SQNR, want.SQNR)
			}
			if first := must.Have(a.LayerLoss(0, &layers[0], 1, Options{}))(t); first.SQNR != MaxSQNR {
				t.Errorf("float32's first layer loses: %v dB", first.SQNR)
			}
		}
	}
}
