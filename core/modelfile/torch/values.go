package torch

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// maxInt32 bounds what a pickle of protocol 2 writes as a short integer.
const maxInt32 = math.MaxInt32

// shaped reports values that do not fill a shape. None at all are left to Size.
func shaped(shape []int, values int) error {
	n := 1
	for _, d := range shape {
		if d < 1 || d > maxInt32/n {
			return fmt.Errorf("a tensor of shape %v can't be written", shape)
		}
		n *= d
	}
	if values != n && values != 0 {
		return fmt.Errorf("a tensor of shape %v has %d numbers", shape, values)
	}
	return nil
}

// numbers returns what writes numbers of a fixed size, in pieces. Values that are missing are an error.
func numbers[T any](n int, values []T) func(io.Writer) error {
	return func(w io.Writer) error {
		if len(values) != n {
			return fmt.Errorf("a tensor has %d of its %d numbers", len(values), n)
		}
		const piece = 8 << 10
		for from := 0; from < n; from += piece {
			if err := binary.Write(w, binary.LittleEndian, values[from:min(n, from+piece)]); err != nil {
				return err
			}
		}
		return nil
	}
}

// plain writes a tensor that is not quantized.
func plain[T any](p *pickler, class string, shape []int, itemSize int, values []T) error {
	if err := shaped(shape, len(values)); err != nil {
		return err
	}
	p.global("torch._utils", "_rebuild_tensor_v2")
	p.view(class, shape, itemSize, numbers(product(shape), values))
	p.rebuilt(6)
	return nil
}

func (f Floats) pickle(p *pickler) error { return plain(p, "FloatStorage", f.Shape, 4, f.Values) }

func (h Halves) pickle(p *pickler) error { return plain(p, "HalfStorage", h.Shape, 2, h.Bits) }

func (s Scalar) pickle(p *pickler) error {
	return plain(p, "FloatStorage", nil, 4, []float32{float32(s)})
}

func (i Integer) pickle(p *pickler) error {
	return plain(p, "LongStorage", nil, 8, []int64{int64(i)})
}

func (f Parameter) pickle(p *pickler) error {
	p.global("torch._utils", "_rebuild_parameter")
	if err := Floats(f).pickle(p); err != nil {
		return err
	}
	p.op(0x88) // to be trained
	p.orderedDict()
	p.tuple(3)
	p.call()
	return nil
}

func (t DType) pickle(p *pickler) error {
	if _, ok := itemSizes[t]; !ok {
		return fmt.Errorf("the type %.20q is unknown", string(t))
	}
	p.global("torch", string(t))
	return nil
}

func (t Tuple) pickle(p *pickler) error {
	if len(t) > 3 {
		return fmt.Errorf("a tuple has %d values, at most 3 are written", len(t))
	}
	for _, v := range t {
		if v == nil {
			p.op('N')
		} else if err := v.pickle(p); err != nil {
			return err
		}
	}
	p.tuple(len(t))
	return nil
}

func (q *Quantized) pickle(p *pickler) error {
	if err := shaped(q.Shape, len(q.Ints)); err != nil {
		return err
	}
	slices := 1
	if q.Axis >= len(q.Shape) {
		return fmt.Errorf("a tensor of shape %v has no axis %d", q.Shape, q.Axis)
	} else if q.Axis >= 0 {
		slices = q.Shape[q.Axis]
	}
	if len(q.Scales) != slices || len(q.Zeros) != slices {
		return fmt.Errorf("a tensor of %d slices has %d scales and %d zero points", slices, len(q.Scales), len(q.Zeros))
	}
	p.global("torch._utils", "_rebuild_qtensor")
	p.view("QInt8Storage", q.Shape, 1, numbers(product(q.Shape), q.Ints))
	if err := q.grids(p); err != nil {
		return err
	}
	p.rebuilt(7)
	return nil
}

// grids writes the tuple that says how a tensor is quantized.
func (q *Quantized) grids(p *pickler) error {
	if q.Axis < 0 {
		if z := q.Zeros[0]; z < math.MinInt32 || z > maxInt32 {
			return fmt.Errorf("the zero point %d can't be written", z)
		}
		p.global("torch", "per_tensor_affine")
		p.float(q.Scales[0])
		p.int(int(q.Zeros[0]))
		p.tuple(3)
		return nil
	}
	p.op('(')
	p.global("torch", "per_channel_affine")
	shape := []int{len(q.Scales)}
	if err := plain(p, "DoubleStorage", shape, 8, q.Scales); err != nil {
		return err
	}
	if err := plain(p, "LongStorage", shape, 8, q.Zeros); err != nil {
		return err
	}
	p.int(q.Axis)
	p.tuple(4)
	return nil
}
