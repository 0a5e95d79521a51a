package train

import "math"

// The defaults of torch.amp.GradScaler.
const (
	initialScale   = 65536
	scaleGrowth    = 2
	scaleBackoff   = 0.5
	growthInterval = 2000
)

// A scaler multiplies the loss, and with it every gradient, so that float16's do not vanish below its range, and finds out how
// far it can go: torch.amp.GradScaler. All scales are powers of two if the first is.
type scaler struct {
	scale    float32
	interval int // good steps after which the scale grows
	good     int // in a row, since the scale last changed
}

func newScaler() *scaler { return &scaler{scale: initialScale, interval: growthInterval} }

// inverse is what undoes the scale.
func (s *scaler) inverse() float32 { return float32(1 / float64(s.scale)) }

// update ends a step, of which overflow says that its gradients were not all finite.
func (s *scaler) update(overflow bool) {
	if overflow {
		s.scale *= scaleBackoff
		s.good = 0
		return
	}
	if s.good++; s.good < s.interval {
		return
	}
	if grown := s.scale * scaleGrowth; !math.IsInf(float64(grown), 0) {
		s.scale = grown
	}
	s.good = 0
}

// exhausted reports whether the scale has become so small that it hides every finite gradient: those of the logits are at most
// 1, and scaled that is less than half of float16's smallest number. If gradients overflow nevertheless, the logits themselves do.
func (s *scaler) exhausted() bool { return s.scale < 0x1p-25 }
