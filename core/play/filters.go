package play

import (
	"fmt"
	"math"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// checkUnits refuses units whose weights can't be drawn.
func checkUnits(spec nn.Spec, units []int) error {
	switch {
	case len(units) == 0:
		return nil
	case spec.Data != nn.MNIST:
		return fmt.Errorf("%s reads words: the weights of its units make no pictures", spec.ID)
	case len(units) > wire.MaxUnits:
		return fmt.Errorf("%d units are too many to draw: give at most %d", len(units), wire.MaxUnits)
	}
	for _, u := range units {
		if out := spec.Dims()[1]; u < 0 || u >= out {
			return fmt.Errorf("the first layer of %s has no unit %d: give 0 to %d", spec.ID, u, out-1)
		}
	}
	return nil
}

// filters draws the weights of first-layer units.
func (in *inspector) filters(units []int) ([]wire.Filter, error) {
	w, err := in.b.layerWeights(in.n, 0, in.plan[0], in.look)
	if err != nil {
		return nil, err
	}
	var filters []wire.Filter
	quantized := make([]float32, w.layer.In)
	for _, u := range units {
		w.layer.Dequantize(quantized, u)
		f := filterOf(in.n.net.Layers[0].W[u*w.layer.In:(u+1)*w.layer.In], quantized)
		f.Unit, f.Side = u, in.n.spec.Crop
		filters = append(filters, f)
	}
	return filters, nil
}

// filterOf draws weights as they were trained, as they are quantized, and the difference quantized - trained.
func filterOf(trained, quantized []float32) wire.Filter {
	f := wire.Filter{SQNR: quant.Compare(trained, quantized).SQNR}
	wrong := make([]float32, len(trained))
	for i, v := range trained {
		wrong[i] = quantized[i] - v
		f.Range = max(f.Range, math.Abs(float64(v)), math.Abs(float64(quantized[i])))
		f.ErrorRange = max(f.ErrorRange, math.Abs(float64(wrong[i])))
	}
	f.Float, f.Quantized, f.Error = shades(trained, f.Range), shades(quantized, f.Range), shades(wrong, f.ErrorRange)
	return f
}

// shades writes numbers from -span to span as bytes: 128 + 128 v/span, rounded, at most 255.
func shades(x []float32, span float64) []byte {
	b := make([]byte, len(x))
	for i, v := range x {
		b[i] = 128
		if span > 0 {
			b[i] = byte(min(max(math.Round(128+128*float64(v)/span), 0), 255))
		}
	}
	return b
}
