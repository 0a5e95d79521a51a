package onnx

import (
	"math"

	"quantlab/core/quant"
)

// Activations that a dynamic layer has quantized. The names are of tensors: scale and zero are scalars, or columns of one a row.
type quantized struct {
	ints, scale, zero string
	rowZeros          bool // there is a zero point for each row, as int32
}

// dynamic adds a dynamic layer.
func (b *builder) dynamic(x string) string {
	l, q := b.l, b.quantize(x)
	inputs := []string{q.ints, b.initializer(b.at("weight"), typeInt8, transposed{l.I8, l.Out, l.In}, l.In, l.Out), q.zero}
	if q.rowZeros {
		inputs[2] = ""
	}
	if l.Zero != nil {
		inputs = append(inputs, b.weightZero())
	}
	y := b.node("MatMulInteger", "products", inputs)
	if q.rowZeros {
		sums := b.initializer(b.at("weight_sum"), typeInt32, weightSums(l), l.Out)
		y = b.node("Sub", "corrected", []string{y, b.node("Mul", "correction", []string{q.zero, sums})})
	}
	y = b.node("Cast", "products_float32", []string{y}, integer("to", int64(typeFloat)))
	if l.Scheme.Activation.PerRow {
		// One after the other: where both scales are multiplied first, ONNX Runtime makes one operator of it all, which then takes the
		// first row's scale for every row.
		y = b.node("Mul", "row_scaled", []string{y, q.scale})
		y = b.node("Mul", "scaled", []string{y, b.weightScale()})
	} else {
		y = b.node("Mul", "scaled", []string{y, b.node("Mul", "scale", []string{q.scale, b.weightScale()})})
	}
	return b.relu(b.node("Add", "biased", []string{y, b.bias()}))
}

// weightSums returns, for each output, the sum of its weights' integers, zero points removed: what an activation's zero point of 1 adds to
// its sum of products.
func weightSums(l *quant.QuantizedLayer) vector[int32] {
	sums := make(vector[int32], l.Out)
	for o := range sums {
		zero := l.WeightGrid(o).Zero
		for _, w := range l.I8[o*l.In : (o+1)*l.In] {
			sums[o] += int32(w) - zero
		}
	}
	return sums
}

// quantize adds the rounding of x to a grid of its own range.
func (b *builder) quantize(x string) quantized {
	a := b.l.Scheme.Activation
	if a.PerRow || a.Symmetric {
		return b.quantizeStepwise(x)
	}
	if quant.Top(a) == math.MaxUint8 {
		q := quantized{ints: b.at("input_quantized"), scale: b.at("input_scale"), zero: b.at("input_zero_point")}
		b.operator("DynamicQuantizeLinear", b.at("input_quantize"), []string{x}, []string{q.ints, q.scale, q.zero})
		return q
	}
	return b.quantizeStretched(x)
}

// smallestStep is what a step of an affine grid is widened to, as quant.DynamicGrid does.
const smallestStep = 6.1e-5

// quantizeStretched has DynamicQuantizeLinear make a grid whose steps are wider than a 255th of the range.
func (b *builder) quantizeStretched(x string) quantized {
	steps := float64(quant.Top(b.l.Scheme.Activation))
	stretch := float32(math.MaxUint8 / steps)
	lo, span := b.span(x)
	var ends string
	if lo == "" {
		ends = b.node("Mul", "input_ends", []string{span, b.scalar("input_stretch", stretch)})
	} else {
		span = b.node("Mul", "input_stretched", []string{span, b.floats("input_stretch", []float32{0, stretch}, 2)})
		ends = b.node("Add", "input_ends", []string{lo, span})
	}
	q := quantized{scale: b.at("input_scale"), zero: b.at("input_zero_point")}
	b.operator("DynamicQuantizeLinear", b.at("input_grid"), []string{ends}, []string{b.at("input_ends_quantized"), q.scale, q.zero})
	ints := b.node("QuantizeLinear", "input_quantize", []string{x, q.scale, q.zero})
	q.ints = b.clip(ints, "input_clip", 0, b.model().Max)
	return q
}

// quantizeStepwise spells a grid and the rounding to it: of each row, which neither QuantizeLinear nor MatMulInteger takes everywhere, or
// around 0. There the largest number lies halfway between two integers, and which one it becomes depends on the zero point being added
// before, as quantlab does, while QuantizeLinear adds it after.
func (b *builder) quantizeStepwise(x string) quantized {
	var q quantized
	g := b.model()
	shift := "" // the zero points, where they are not 0
	if b.l.Scheme.Activation.Symmetric {
		q.scale, q.zero = b.symmetricScale(x), b.byte("input_zero_point", g.Zero)
		shift = b.scalar("input_shift", float32(g.Zero))
	} else {
		steps := b.scalar("input_steps", float32(quant.Top(b.l.Scheme.Activation)))
		lo, span := b.span(x)
		q.scale = b.node("Div", "input_scale", []string{span, steps})
		if lo == "" {
			q.zero = b.byte("input_zero_point", 0)
		} else {
			below := b.node("Div", "input_below", []string{b.node("Neg", "input_depth", []string{lo}), q.scale})
			shift = b.node("Min", "input_shift", []string{b.node("Round", "input_below_rounded", []string{below}), steps})
			q.zero, q.rowZeros = b.node("Cast", "input_zero_point", []string{shift}, integer("to", int64(typeInt32))), true
		}
	}
	v := b.node("Div", "input_scaled", []string{x, q.scale})
	if shift != "" {
		v = b.node("Add", "input_shifted", []string{v, shift})
	}
	v = b.node("Round", "input_rounded", []string{v})
	v = b.node("Clip", "input_clip", []string{v, b.scalar("input_clip_min", 0), b.scalar("input_clip_max", float32(g.Max))})
	q.ints = b.node("Cast", "input_quantize", []string{v}, integer("to", int64(typeUint8)))
	return q
}

// model returns the grid of activations from -1 to 1: every one has its end, a symmetric one its zero point too, and its scale times the
// largest magnitude.
func (b *builder) model() quant.QParams { return quant.DynamicGrid(b.l.Scheme.Activation, -1, 1) }

// span adds the range of x, widened to hold 0: its lower end, "" where that is 0 anyway, and how far it reaches.
func (b *builder) span(x string) (lo, span string) {
	least := b.scalar("input_least_span", float32(smallestStep*float64(quant.Top(b.l.Scheme.Activation))))
	span = b.reduce("ReduceMax", "input_max", x)
	if !b.positive {
		zero := b.scalar("input_nothing", 0)
		lo = b.node("Min", "input_low", []string{b.reduce("ReduceMin", "input_min", x), zero})
		span = b.node("Sub", "input_reach", []string{b.node("Max", "input_high", []string{span, zero}), lo})
	}
	return lo, b.node("Max", "input_span", []string{span, least})
}

// symmetricScale adds the scale of a grid around 0. It is at least 2⁻²³, as quant's is.
func (b *builder) symmetricScale(x string) string {
	reach := b.reduce("ReduceMax", "input_max", x)
	if !b.positive {
		low := b.node("Neg", "input_depth", []string{b.reduce("ReduceMin", "input_min", x)})
		reach = b.node("Max", "input_reach", []string{reach, low})
	}
	scale := b.node("Mul", "input_step", []string{reach, b.scalar("input_step_share", float32(b.model().Scale))})
	return b.node("Max", "input_scale", []string{scale, b.scalar("input_least_scale", 0x1p-23)})
}

// reduce adds the extreme of x, or of each of its rows, where the scheme wants a grid for each.
func (b *builder) reduce(op, name, x string) string {
	if b.l.Scheme.Activation.PerRow {
		return b.node(op, name, []string{x}, list("axes", 1), integer("keepdims", 1))
	}
	return b.node(op, name, []string{x}, integer("keepdims", 0))
}
