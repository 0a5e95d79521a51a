package torch

import "fmt"

// Quantized is a tensor of type qint8. An integer q of slice c along Axis stands for Scales[c] * (q - Zeros[c]).
type Quantized struct {
	Shape  []int
	Ints   []int8    // row by row
	Scales []float64 // one, or one for each slice along Axis
	Zeros  []int64   // as many as Scales
	Axis   int       // -1: one scale for the whole tensor
}

// Quantized returns the integers and the scales of a tensor of type qint8; others are an error.
func (t *Tensor) Quantized() (*Quantized, error) {
	if t.DType != QInt8 || t.grids == nil {
		return nil, fmt.Errorf("tensor %.60q is of type %s, not %s", t.Name, t.DType, QInt8)
	}
	scales, zeros, err := t.grids.values()
	if err != nil {
		return nil, err
	}
	q := &Quantized{Shape: t.Shape, Ints: make([]int8, t.Len()), Scales: scales, Zeros: zeros, Axis: t.grids.axis}
	t.each(func(i, at int) { q.Ints[i] = int8(t.storage.data[at]) })
	return q, nil
}

// values returns the scales and zero points: one of each, or as many as there are slices.
func (g *grids) values() (scales []float64, zeros []int64, err error) {
	if g.axis < 0 {
		return []float64{g.scale}, []int64{g.zero}, nil
	}
	if scales, err = g.scales.doubles(); err != nil {
		return nil, nil, err
	}
	zeros, err = g.zeros.integers()
	return scales, zeros, err
}

// dequantize returns the numbers that a quantized tensor stands for.
func (t *Tensor) dequantize() ([]float32, error) {
	scales, zeros, err := t.grids.values()
	if err != nil {
		return nil, err
	}
	ints, err := t.integers()
	if err != nil {
		return nil, err
	}
	// The slice of element i is i / inner % len(scales).
	inner := max(1, len(ints))
	if t.grids.axis >= 0 {
		inner = 1
		for _, d := range t.Shape[t.grids.axis+1:] {
			inner *= d
		}
	}
	out := make([]float32, len(ints))
	for i, q := range ints {
		c := i / inner % len(scales)
		out[i] = float32(scales[c]) * (float32(q) - float32(zeros[c]))
	}
	return out, nil
}
