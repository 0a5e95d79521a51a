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
	ints, scale, zero, _ = quantizeWeights(w, out, in, q, nil) // only look has errors
	return ints, scale, zero
}

// lookEvery is how many weights are converted between two looks.
const lookEvery = 1 << 19

// inPieces calls do for one part of 0 to n after the other, and look, which may be nil, before each. Its error ends the work.
func inPieces(n int, look func() error, do func(from, to int)) error {
	for from := 0; from < n; from += lookEvery {
		if look != nil {
			if err := look(); err != nil {
				return err
			}
		}
		do(from, min(from+lookEvery, n))
	}
	return nil
}

func quantizeWeights(w []float32, out, in int, q WeightQuantizer, look func() error) (ints []int8, scale []float32, zero []int32, err error) {
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
		to := ints[c*size : (c+1)*size]
		if err := inPieces(size, look, func(lo, hi int) { p.round(to[lo:hi], part[lo:hi]) }); err != nil {
			return nil, nil, nil, err
		}
	}
	return ints, scale, zero, nil
}

// round writes to ints the weights on the grid.
func (p QParams) round(ints []int8, w []float32) {
	inv, at := 1/float32(p.Scale), float64(p.Zero)
	least, most := float64(p.Min), float64(p.Max)
	ints = ints[:len(w)]
	for i, v := range w {
		r := math.RoundToEven(float64(float32(v*inv))) + at
		// min and max of floats are slow in WebAssembly.
		if r > most {
			r = most
		} else if r < least {
			r = least
		}
		ints[i] = int8(r)
	}
}

// largestHalf is the largest finite half.
const largestHalf = 65504

// Halves returns w as the bits of IEEE halves: rounded half to even, subnormals kept, and what is beyond 65504 saturated
// there, as quant_utils::HandleWeightsSaturation does in PyTorch.
func Halves(w []float32) []uint16 {
	h, _ := halves(w, nil) // only look has errors
	return h
}

func halves(w []float32, look func() error) ([]uint16, error) {
	h := make([]uint16, len(w))
	err := inPieces(len(w), look, func(from, to int) {
		for i, v := range w[from:to] {
			h[from+i] = float16.Fromfloat32(max(min(v, largestHalf), -largestHalf)).Bits()
		}
	})
	return h, err
}
