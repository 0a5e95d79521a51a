package quant

import (
	"math"

	"quantlab/core/kernel"
)

// QParams fix a grid: the integer q in [Min, Max] stands for Scale*(q-Zero).
type QParams struct {
	Scale float64 `json:"scale"`
	Zero  int32   `json:"zero"`
	Min   int32   `json:"min"`
	Max   int32   `json:"max"`
}

// Grid returns the parameters as the kernels take them.
func (p QParams) Grid() kernel.Grid {
	return kernel.Grid{Scale: float32(p.Scale), Zero: p.Zero, Min: p.Min, Max: p.Max}
}

// Range returns the smallest and the largest number on the grid.
func (p QParams) Range() (lo, hi float64) {
	return p.Scale * float64(p.Min-p.Zero), p.Scale * float64(p.Max-p.Zero)
}

// smallestScale is the observers' floor, torch.finfo(torch.float32).eps.
const smallestScale = 1.0 / (1 << 23)

// A spread is what a range is spread over: the integers from min to max, of which the grid may have more.
type spread struct {
	min, max  int32
	symmetric bool
	middle    int32 // the zero point of a symmetric grid
}

// spread returns the integers that the quantizer's range is spread over. Activations are unsigned. With ReduceRange
// the upper half stays free, but not forbidden: PyTorch computes the scale for 0 to 127 and clamps at 255.
func activationSpread(q ActivationQuantizer) spread {
	s := spread{max: 1<<q.Bits - 1, symmetric: q.Symmetric}
	if q.ReduceRange {
		s.max /= 2
	}
	s.middle = s.max / 2
	if q.Bits == 8 && !q.ReduceRange {
		s.middle = 128 // PyTorch: 128 for quint8's own range, the middle rounded down for a custom one
	}
	return s
}

// Top returns the highest integer that a range is spread over: with ReduceRange it lies below the grid's Max.
func Top(q ActivationQuantizer) int32 { return activationSpread(q).max }

// limit is the largest integer of the quantizer's grid.
func limit(q ActivationQuantizer) int32 { return 1<<q.Bits - 1 }

// qparams puts the range on the quantizer's grid.
func observedGrid(q ActivationQuantizer, lo, hi float32) QParams {
	p := activationSpread(q).observed(lo, hi)
	p.Min, p.Max = 0, limit(q)
	return p
}

func weightSpread(q WeightQuantizer) spread {
	half := int32(1) << (q.Bits - 1)
	return spread{min: -half, max: half - 1, symmetric: q.Symmetric}
}

// observed is torch.ao.quantization's UniformQuantizationObserverBase._calculate_qparams: float32 throughout, the range
// widened to include 0, the scale at least smallestScale.
func (s spread) observed(lo, hi float32) QParams {
	lo, hi = min(lo, 0), max(hi, 0)
	steps := float32(s.max - s.min)
	p := QParams{Min: s.min, Max: s.max}
	if s.symmetric {
		scale := max(max(-lo, hi)/(steps/2), smallestScale)
		p.Scale, p.Zero = float64(scale), s.middle
		return p
	}
	scale := max((hi-lo)/steps, smallestScale)
	if hi-lo > math.MaxFloat32 {
		scale = hi/steps - lo/steps
	}
	zero := float64(s.min) - math.RoundToEven(float64(lo/scale))
	p.Scale, p.Zero = float64(scale), int32(max(min(zero, float64(s.max)), float64(s.min)))
	return p
}

// smallScale is ATen's SMALL_SCALE_THRESHOLD, near the smallest normal half.
const smallScale = float32(6.1e-5)

// DynamicGrid chooses the grid of activations that range from lo to hi, as quantize_dynamic's layers do on every call:
// quant_utils::ChooseQuantizationParams (aten/src/ATen/native/quantized/cpu/QuantUtils.h), in float64. A scale of 0
// becomes 0.1, one below 6.1e-5 becomes that; the zero point comes from the end of smaller error, rounded half to even.
// Symmetric grids, which quantize_dynamic does not have, follow the observers. lo and hi must be finite.
func DynamicGrid(q ActivationQuantizer, lo, hi float32) QParams {
	if q.Symmetric {
		return observedGrid(q, lo, hi)
	}
	lo, hi = min(lo, 0), max(hi, 0)
	top := activationSpread(q).max
	levels := float64(top)
	scale := (float64(hi) - float64(lo)) / levels
	if float32(scale) == 0 || math.IsInf(float64(1/float32(scale)), 0) {
		scale = 0.1
	}
	if scale < float64(smallScale) {
		old := float32(scale)
		scale = float64(smallScale)
		switch {
		case lo == 0:
			hi = smallScale * float32(top)
		case hi == 0:
			lo = -smallScale * float32(top)
		default:
			amplifier := smallScale / old
			lo, hi = lo*amplifier, hi*amplifier
		}
	}
	fromMin, fromMax := -float64(lo)/scale, levels-float64(hi)/scale
	zero := fromMax
	if -math.Abs(float64(lo)/scale) < levels-math.Abs(float64(hi)/scale) {
		zero = fromMin
	}
	zero = math.RoundToEven(max(min(zero, levels), 0))
	return QParams{Scale: scale, Zero: int32(zero), Min: 0, Max: limit(q)}
}
