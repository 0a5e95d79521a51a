package wire

import "fmt"

// Bounds of AMPOptions, and how many trainings of each kind there are where they leave it open.
const (
	MaxTrainings     = 20
	MaxEpochs        = 50
	DefaultTrainings = 3
)

// WithDefaults returns the options with what was left out filled in.
func (o AMPOptions) WithDefaults() AMPOptions {
	if o.Type == "" {
		o.Type = BFloat16
	}
	if o.Seeds == 0 {
		o.Seeds = DefaultTrainings
	}
	return o
}

// Validate reports the first option that no host can carry out, in a sentence that says what would do. Options without defaults
// have those of WithDefaults.
func (o AMPOptions) Validate() error {
	o = o.WithDefaults()
	switch {
	case o.Type != BFloat16 && o.Type != Float16:
		return fmt.Errorf("unknown type %.20q: choose %s or %s", o.Type, BFloat16, Float16)
	case o.Seeds < 1 || o.Seeds > MaxTrainings:
		return fmt.Errorf("seeds %d is out of range: give 1 to %d", o.Seeds, MaxTrainings)
	case o.Epochs < 0 || o.Epochs > MaxEpochs:
		return fmt.Errorf("epochs %d is out of range: give 1 to %d, or 0 for the lab's", o.Epochs, MaxEpochs)
	case o.Limit < 0:
		return fmt.Errorf("limit %d is out of range: give 0 for all training examples, or how many", o.Limit)
	}
	return nil
}
