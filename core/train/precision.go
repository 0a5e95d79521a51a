package train

import (
	"fmt"

	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
)

// A Precision is the type of the operands of training's matrix products. Whatever it is, weights, their updates and the
// loss are float32.
type Precision string

// The precisions. BFloat16 and Float16 are automatic mixed precision, as torch.autocast does it; Float16 goes with dynamic
// loss scaling as torch.amp.GradScaler does it, and BFloat16, whose range is float32's, goes without.
const (
	Float32  Precision = "" // the zero value
	BFloat16 Precision = wire.BFloat16
	Float16  Precision = wire.Float16
)

// String returns wire.Training's name of the precision.
func (p Precision) String() string {
	if p == Float32 {
		return "float32"
	}
	return string(p)
}

// Emulated reports whether the engine computes the precision's products without instructions for them. Accuracies are then
// what they would be with them, times are not.
func (p Precision) Emulated(e *kernel.Engine) bool {
	low, mixed := p.lowType()
	return mixed && e.LowEmulated(low)
}

// lowType returns the type of the operands where it is not float32.
func (p Precision) lowType() (low kernel.LowType, mixed bool) {
	switch p {
	case BFloat16:
		return kernel.BFloat16, true
	case Float16:
		return kernel.Half, true
	}
	return 0, false
}

func (p Precision) check() error {
	if _, mixed := p.lowType(); !mixed && p != Float32 {
		return fmt.Errorf("unknown precision %q: choose %s or %s, or none for float32", string(p), BFloat16, Float16)
	}
	return nil
}
