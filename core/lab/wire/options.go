package wire

import (
	"fmt"
	"slices"

	"quantlab/core/scheme"
)

// Bounds of the options of experiments; they keep memory and time in hand.
const (
	MaxSchemes    = 8    // of PlansOptions
	MaxPlanPoints = 1000 // of a PlanSearch
	MaxSizes      = 16   // of SweepOptions
	MaxSeeds      = 100  // of SweepOptions
)

// DefaultSchemes are what a search for plans tries for each layer, spelled as scheme.ParseScheme reads them: the schemes of the
// lab's variants, and int4, which is the lab's static int8 but for the bits of its weights, so that the two differ in nothing else.
func DefaultSchemes() []string {
	return []string{"float32", "float16", "dynamic-w8-a8r", "static-w8c-a8r-histogram", "static-w4c-a8r-histogram"}
}

// WithDefaults returns the options with what was left out filled in. float32 is always tried: it is what others are compared
// with, and what a greedy search begins with.
func (o PlansOptions) WithDefaults() PlansOptions {
	if len(o.Schemes) == 0 {
		o.Schemes = DefaultSchemes()
	}
	if !slices.Contains(o.Schemes, string(scheme.Float32)) {
		o.Schemes = append([]string{string(scheme.Float32)}, o.Schemes...)
	}
	return o
}

// Validate reports the first option that no host can carry out, in a sentence that says what would do. Options without
// defaults have those of WithDefaults.
func (o PlansOptions) Validate() error {
	o = o.WithDefaults()
	if len(o.Schemes) > MaxSchemes {
		return fmt.Errorf("%d schemes are too many: give at most %d, float32 among them", len(o.Schemes), MaxSchemes)
	}
	var static *scheme.Scheme
	var known []scheme.Scheme
	for _, text := range o.Schemes {
		s, err := scheme.ParseScheme(text)
		if err != nil {
			return err
		}
		if slices.Contains(known, s) {
			return fmt.Errorf("scheme %s is named twice: name it once", s)
		}
		known = append(known, s)
		if s.Mode != scheme.Static {
			continue
		}
		// Between two static layers the activations are on one grid.
		if static != nil && s.Activation != static.Activation {
			return fmt.Errorf("schemes %s and %s put activations on different grids, so that plans of both can't be compared: give static schemes that differ in their weights", static, s)
		}
		static = &s
	}
	return nil
}

// DefaultSizes are the calibration sizes of a sweep: the lab's 1024, and what fewer and more do.
func DefaultSizes() []int { return []int{8, 32, 128, 512, 1024, 4096} }

// DefaultSeeds is how many samples of each size a sweep draws.
const DefaultSeeds = 10

// WithDefaults returns the options with what was left out filled in, and the sizes in ascending order.
func (o SweepOptions) WithDefaults() SweepOptions {
	if o.Plan == "" {
		o.Plan = "static-w8c-a8r-histogram"
	}
	if len(o.Sizes) == 0 {
		o.Sizes = DefaultSizes()
	}
	if o.Seeds == 0 {
		o.Seeds = DefaultSeeds
	}
	o.Sizes = slices.Sorted(slices.Values(o.Sizes))
	return o
}

// Validate reports the first option that no host can carry out for these models, in a sentence that says what would do.
// Options without defaults have those of WithDefaults.
func (o SweepOptions) Validate(r Request) error {
	o = o.WithDefaults()
	for _, id := range r.Models {
		spec, err := r.Catalog().Of(id)
		if err != nil {
			return err
		}
		plan, err := scheme.ParsePlan(o.Plan, len(spec.Hidden)+1)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		if !plan.NeedsCalibration() {
			return fmt.Errorf("plan %.60s has no static layer, so calibration changes nothing: give one such as static-w8c-a8r-histogram", o.Plan)
		}
	}
	if len(o.Sizes) > MaxSizes {
		return fmt.Errorf("%d calibration sizes are too many: give at most %d", len(o.Sizes), MaxSizes)
	}
	for i, n := range o.Sizes {
		if n < 1 || n > MaxCalibration {
			return fmt.Errorf("calibrating with %d examples is out of range: give 1 to %d", n, MaxCalibration)
		}
		if i > 0 && n == o.Sizes[i-1] {
			return fmt.Errorf("calibration size %d is named twice: name it once", n)
		}
	}
	if o.Seeds < 1 || o.Seeds > MaxSeeds {
		return fmt.Errorf("seeds %d is out of range: give 1 to %d", o.Seeds, MaxSeeds)
	}
	return nil
}
