package quant

import (
	"math"

	"github.com/x448/float16"

	"quantlab/core/kernel"
)

// QuantizeWeights puts the weights w, out x in, on the grid that q describes and returns their integers, the scales (one,
// or with PerChannel one an output) and the zero points (as many, or nil where all are 0). The range is that of
// torch.ao.quantization's MinMaxObserver or PerChannelMinMaxObserver, the rounding that of at::quantize_per_tensor and
// at::quantize_per_channel: the product with the float32 reciprocal of the scale, half to even, then the zero point.
func QuantizeWeights(w []float32, out, in int, q WeightQuantizer) (ints []int8, scale []float32, zero []int32) {
	ints = make([]int8, len(w))
	channels, size := 1, len(w)
	if q.PerChannel {
		channels, size = out, in
	}
	if !q.Symmetric {
		zero = make([]int32, channels)
	}
	scale = make([]float32, channels)
	for c := range channels {
		part := w[c*size : (c+1)*size]
		p := weightSpread(q).observed(kernel.Best().Range(part))
		scale[c] = float32(p.Scale)
		if zero != nil {
			zero[c] = p.Zero
		}
		inv, at := 1/scale[c], float64(p.Zero)
		least, most := float64(p.Min), float64(p.Max)
		to := ints[c*size : (c+1)*size]
		for i, v := range part {
			r := math.RoundToEven(float64(float32(v*inv))) + at
			// min and max of floats are slow in WebAssembly.
			if r > most {
				r = most
			} else if r < least {
				r = least
			}
			to[i] = int8(r)
		}
	}
	return ints, scale, zero
}

// largestHalf is the largest finite half.
const largestHalf = 65504

// Halves returns w as the bits of IEEE halves: rounded half to even, subnormals kept, and what is beyond 65504 saturated
// there, as quant_utils::HandleWeightsSaturation does in PyTorch.
func Halves(w []float32) []uint16 {
	h := make([]uint16, len(w))
	for i, v := range w {
		h[i] = float16.Fromfloat32(max(min(v, largestHalf), -largestHalf)).Bits()
	}
	return h
}
