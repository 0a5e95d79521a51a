package onnx

import (
	"math"

	"quantlab/core/quant"
)

// calibrated adds a static layer: what enters is put on its grid unless it lies there.
func (b *builder) calibrated(x string) string {
	if !b.static {
		x = b.onGrid(x, "input", b.l.InGrid)
	}
	l := b.l
	w := b.initializer(b.at("weight"), typeInt8, vector[int8](l.I8), l.Out, l.In)
	w = b.node("DequantizeLinear", "weight_dequantize", []string{w, b.weightScale(), b.weightZero()}, integer("axis", 0))
	y := b.node("Gemm", "gemm", []string{x, w, b.integerBias()}, integer("transB", 1))
	grid := *l.OutGrid
	if l.ReLU && grid.Zero > grid.Min {
		// Clipping the integers does what the Relu would do. A Relu between Gemm and QuantizeLinear that the latter doesn't make superfluous
		// keeps ONNX Runtime from computing with integers.
		grid.Min = grid.Zero
	} else {
		y = b.relu(y)
	}
	return b.onGrid(y, "output", &grid)
}

// onGrid adds the rounding of x to a grid.
func (b *builder) onGrid(x, name string, p *quant.QParams) string {
	scale, zero := b.scalar(name+"_scale", float32(p.Scale)), b.byte(name+"_zero_point", p.Zero)
	xq := b.node("QuantizeLinear", name+"_quantize", []string{x, scale, zero})
	xq = b.clip(xq, name+"_clip", p.Min, p.Max)
	return b.node("DequantizeLinear", name+"_dequantize", []string{xq, scale, zero})
}

// maxBias keeps a sum of products and bias within int32, as 1<<15 inputs do with the products.
const maxBias = 1 << 30

// integerBias adds the bias as the products are: integers in units of the input's scale times the weights'. Biases that are too large for
// that stay float32.
func (b *builder) integerBias() string {
	l := b.l
	scale := make([]float32, len(l.Scale))
	for i, s := range l.Scale {
		scale[i] = float32(l.InGrid.Scale) * s
	}
	ints := make(vector[int32], l.Out)
	for o, v := range l.Bias {
		units := math.RoundToEven(float64(v) / float64(scale[o%len(scale)]))
		if !(math.Abs(units) <= maxBias) {
			return b.bias()
		}
		ints[o] = int32(units)
	}
	inputs := []string{
		b.initializer(b.at("bias"), typeInt32, ints, l.Out),
		b.floats("bias_scale", scale, b.channels()...),
		b.initializer(b.at("bias_zero_point"), typeInt32, make(vector[int32], len(scale)), b.channels()...),
	}
	return b.node("DequantizeLinear", "bias_dequantize", inputs, integer("axis", 0))
}
