// Package scheme says which numbers the layers of a network are stored and computed in: a Scheme for each layer, together a
// Plan. It computes nothing and links no kernel, so that the page can spell plans; core/quant carries them out.
package scheme

import (
	"fmt"
	"slices"
	"strings"
)

// A Mode says how a layer computes.
type Mode string

// The modes of a layer.
const (
	Float32 Mode = "float32" // as trained
	Float16 Mode = "float16" // weights stored as IEEE half; activations and accumulation in float32
	Dynamic Mode = "dynamic" // int8 weights; activations quantized on each call from their own range; float32 out
	Static  Mode = "static"  // int8 weights; activations on grids that were calibrated beforehand
)

// DType names how the mode's weights are stored, in PyTorch's words: float32, float16 or qint8.
func (m Mode) DType() string {
	switch m {
	case Dynamic, Static:
		return "qint8"
	}
	return string(m)
}

// The observers that calibrate activations.
const (
	MinMax        = "minmax"         // the extremes of everything seen
	MovingAverage = "moving-average" // the extremes of the batches, averaged with constant 0.01
	Histogram     = "histogram"      // the range of least squared error over 2048 bins
	Percentile    = "percentile"     // cuts a share of the values off the tails
	Entropy       = "entropy"        // the range of least Kullback-Leibler divergence
)

// Observers returns the observers' names.
func Observers() []string {
	return []string{MinMax, MovingAverage, Histogram, Percentile, Entropy}
}

// A WeightQuantizer says how an int8 layer's weights are put on a grid. It applies to the modes Dynamic and Static.
type WeightQuantizer struct {
	Bits       int  `json:"bits"`                  // 2 to 8
	PerChannel bool `json:"per_channel,omitempty"` // a scale for each output instead of one for the layer
	Symmetric  bool `json:"symmetric,omitempty"`   // zero point 0
}

// An ActivationQuantizer says how the activations that enter and leave an int8 layer are put on a grid.
type ActivationQuantizer struct {
	Bits        int  `json:"bits"`                   // 2 to 8
	Symmetric   bool `json:"symmetric,omitempty"`    // zero point in the middle of the grid
	ReduceRange bool `json:"reduce_range,omitempty"` // spread the range over half of the grid: one bit less

	PerRow bool `json:"per_row,omitempty"` // Dynamic only: a grid for each example, not for the batch

	Observer   string  `json:"observer,omitempty"`   // Static only
	Percentile float64 `json:"percentile,omitempty"` // Percentile only: the share kept, above 50, at most 100
}

// A Scheme says how one layer is quantized.
type Scheme struct {
	Mode       Mode                `json:"mode"`
	Weight     WeightQuantizer     `json:"weight,omitzero"`
	Activation ActivationQuantizer `json:"activation,omitzero"`
}

// A Plan holds a Scheme for each layer of a network.
type Plan []Scheme

// The variants that Preset knows: the rows of the lab's tables.
var presets = []struct {
	variant string
	scheme  Scheme
}{
	{"fp32", Scheme{Mode: Float32}},
	{"dynamic-float16", Scheme{Mode: Float16}},
	{"dynamic-qint8", Scheme{ // torch.ao.quantization.quantize_dynamic, dtype=torch.qint8
		Mode:       Dynamic,
		Weight:     WeightQuantizer{Bits: 8, Symmetric: true},
		Activation: ActivationQuantizer{Bits: 8, ReduceRange: true},
	}},
	{"static-qint8", Scheme{ // get_default_qconfig_mapping("fbgemm") through prepare_fx and convert_fx
		Mode:       Static,
		Weight:     WeightQuantizer{Bits: 8, PerChannel: true, Symmetric: true},
		Activation: ActivationQuantizer{Bits: 8, ReduceRange: true, Observer: Histogram},
	}},
}

// Preset returns the uniform plan of one of the lab's variants, with PyTorch's defaults.
func Preset(variant string, layers int) (Plan, error) {
	var names []string
	for _, p := range presets {
		if p.variant == variant {
			return slices.Repeat(Plan{p.scheme}, layers), nil
		}
		names = append(names, p.variant)
	}
	return nil, fmt.Errorf("unknown variant %q: choose from %s", variant, strings.Join(names, ", "))
}

// NeedsCalibration reports whether a layer of the plan is static.
func (p Plan) NeedsCalibration() bool {
	return slices.ContainsFunc(p, func(s Scheme) bool { return s.Mode == Static })
}

// Validate checks the plan for a network of that many layers.
func (p Plan) Validate(layers int) error {
	if len(p) != layers {
		return fmt.Errorf("the plan has schemes for %d layers, the network has %d: give one scheme for each layer", len(p), layers)
	}
	for i, s := range p {
		if err := s.Validate(); err != nil {
			return fmt.Errorf("layer %d of the plan: %w", i, err)
		}
	}
	return nil
}

// Validate reports the first setting of the scheme that can't be run.
func (s Scheme) Validate() error {
	switch s.Mode {
	case Float32, Float16:
		return nil
	case Dynamic, Static:
	default:
		return fmt.Errorf("unknown mode %q: choose from %s, %s, %s, %s", s.Mode, Float32, Float16, Dynamic, Static)
	}
	if s.Weight.Bits < 2 || s.Weight.Bits > 8 {
		return fmt.Errorf("weights of %d bits are out of range: give 2 to 8", s.Weight.Bits)
	}
	a := s.Activation
	if err := a.validateGrid(); err != nil {
		return err
	}
	if s.Mode == Dynamic {
		if a.Observer != "" {
			return fmt.Errorf("observer %q on a dynamic layer: its ranges are not observed, name no observer or make the layer static", a.Observer)
		}
		return nil
	}
	if a.PerRow {
		return fmt.Errorf("activations per row on a static layer: its grids are fixed, make the layer dynamic")
	}
	return a.ValidateStatic()
}

func (q ActivationQuantizer) validateGrid() error {
	if q.Bits < 2 || q.Bits > 8 {
		return fmt.Errorf("activations of %d bits are out of range: give 2 to 8", q.Bits)
	}
	return nil
}

// ValidateStatic reports the first setting that no observer can carry out.
func (q ActivationQuantizer) ValidateStatic() error {
	if err := q.validateGrid(); err != nil {
		return err
	}
	if !slices.Contains(Observers(), q.Observer) {
		return fmt.Errorf("unknown observer %q: choose from %s", q.Observer, strings.Join(Observers(), ", "))
	}
	if q.Observer == Percentile && !(q.Percentile > 50 && q.Percentile <= 100) {
		return fmt.Errorf("percentile %v is out of range: give more than 50, at most 100, such as 99.9", q.Percentile)
	}
	if q.Observer != Percentile && q.Percentile != 0 {
		return fmt.Errorf("percentile %v belongs to the observer %q: leave it out", q.Percentile, Percentile)
	}
	return nil
}
