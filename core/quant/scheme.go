// Package quant quantizes trained networks: which ranges their activations take (observers and calibration), the conversion
// by a plan, and the converted model. What a plan is, package scheme says.
//
// The presets are PyTorch's defaults to the integer; testdata/golden.py made the values that prove it.
package quant

import "quantlab/core/scheme"

// The words of plans, which whoever converts needs too.
type (
	Mode                = scheme.Mode
	WeightQuantizer     = scheme.WeightQuantizer
	ActivationQuantizer = scheme.ActivationQuantizer
	Scheme              = scheme.Scheme
	Plan                = scheme.Plan
)

// The modes of a layer.
const (
	Float32 = scheme.Float32
	Float16 = scheme.Float16
	Dynamic = scheme.Dynamic
	Static  = scheme.Static
)

// The observers that calibrate activations.
const (
	MinMax        = scheme.MinMax
	MovingAverage = scheme.MovingAverage
	Histogram     = scheme.Histogram
	Percentile    = scheme.Percentile
	Entropy       = scheme.Entropy
)

// Preset is scheme.Preset.
func Preset(variant string, layers int) (Plan, error) { return scheme.Preset(variant, layers) }
