//go:build !purego

package kernel

const (
	narrowOut  = 16 // a layer of so few outputs has more than one chain a sum: one would leave the multipliers idle
	narrowLane = 16 // chains of a sum, which inputs go to in turn
)

// A narrowLayer keeps the weights of each output together, w[output][k], filled up with zeros to whole registers.
type narrowLayer[T float32 | uint16] struct {
	r           *floatRoutines[T]
	w           []T
	bias        []float32 // nil for none; else filled up to a multiple of 4
	out, in, ld int
	flags       int
}

func newNarrowLayer[T float32 | uint16](r *floatRoutines[T], w []T, bias []float32, out, in int, relu bool) *narrowLayer[T] {
	p := &narrowLayer[T]{r: r, out: out, in: in, ld: (in + narrowLane - 1) &^ (narrowLane - 1), flags: flagsOf(relu)}
	p.w = aligned[T](out * p.ld)
	for o := range out {
		copy(p.w[o*p.ld:], w[o*in:(o+1)*in])
	}
	if len(bias) > 0 {
		p.bias = make([]float32, (out+3)&^3)
		copy(p.bias, bias)
	}
	return p
}

func (p *narrowLayer[T]) width() int { return narrowOut }

func (p *narrowLayer[T]) multiply(y, x []float32, rows, lo, hi int) {
	r := 0
	if p.r.dots4 != nil {
		for ; r+4 <= rows; r += 4 {
			p.rows(p.r.dots4, y[r*p.out:], x[r*p.in:], lo, hi)
		}
	}
	for ; r < rows; r++ {
		p.rows(p.r.dots, y[r*p.out:], x[r*p.in:], lo, hi)
	}
}

// rows computes as many rows as the routines do, four outputs at a time.
func (p *narrowLayer[T]) rows(dots []dotFunc[T], y, x []float32, lo, hi int) {
	for o := lo; o < hi; o += 4 {
		var bias *float32
		if p.bias != nil {
			bias = &p.bias[o]
		}
		dots[min(hi-o, 4)-1](&y[o], &x[0], &p.w[o*p.ld], p.out*4, p.in*4, p.ld*sizeOf[T](), p.in, bias, p.flags)
	}
}
