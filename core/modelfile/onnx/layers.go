package onnx

import (
	"math"

	"quantlab/core/nn"
	"quantlab/core/quant"
)

// A builder adds layers to a graph, one after the other.
type builder struct {
	graph
	name string // of the layer in hand: "layers.0"
	l    *quant.QuantizedLayer

	// What the layers before gave.
	static   bool // it lies on the grid that a static layer gave
	positive bool // it is never below 0
}

// layer adds layer i, which reads x, and returns the name of what it gives.
func (b *builder) layer(i int, l *quant.QuantizedLayer, x string, last bool) string {
	b.name, b.l = nn.LayerName(i), l
	if last {
		b.final = b.at(finalOperator(l))
	}
	switch l.Scheme.Mode {
	case quant.Float32:
		x = b.gemm(x, b.initializer(b.at("weight"), typeFloat, vector[float32](l.F32), l.Out, l.In))
	case quant.Float16:
		w := b.initializer(b.at("weight"), typeFloat16, vector[uint16](l.F16), l.Out, l.In)
		x = b.gemm(x, b.node("Cast", "weight_float32", []string{w}, integer("to", int64(typeFloat))))
	case quant.Dynamic:
		x = b.dynamic(x)
	default:
		x = b.calibrated(x)
	}
	b.static, b.positive = l.Scheme.Mode == quant.Static, l.ReLU
	return x
}

// finalOperator names the operator that gives what the layer gives.
func finalOperator(l *quant.QuantizedLayer) string {
	switch {
	case l.Scheme.Mode == quant.Static:
		return "output_dequantize"
	case l.ReLU:
		return "relu"
	case l.Scheme.Mode == quant.Dynamic:
		return "biased"
	}
	return "gemm"
}

// at returns a name within the layer.
func (b *builder) at(name string) string { return b.name + "." + name }

// node adds an operator of the layer with one output, whose name it returns.
func (b *builder) node(op, name string, inputs []string, attributes ...attribute) string {
	return b.operator(op, b.at(name), inputs, nil, attributes...)
}

// floats adds a tensor of the layer; without dims, a scalar.
func (b *builder) floats(name string, v []float32, dims ...int) string {
	return b.initializer(b.at(name), typeFloat, vector[float32](v), dims...)
}

func (b *builder) scalar(name string, v float32) string { return b.floats(name, []float32{v}) }

func (b *builder) byte(name string, v int32) string {
	return b.initializer(b.at(name), typeUint8, vector[uint8]{uint8(v)})
}

func (b *builder) bias() string { return b.floats("bias", b.l.Bias, b.l.Out) }

func (b *builder) gemm(x, w string) string {
	return b.relu(b.node("Gemm", "gemm", []string{x, w, b.bias()}, integer("transB", 1)))
}

func (b *builder) relu(y string) string {
	if b.l.ReLU {
		return b.node("Relu", "relu", []string{y})
	}
	return y
}

// channels returns the dims of what there is one of for the layer or one an output, as the weights have it.
func (b *builder) channels() []int {
	if len(b.l.Scale) == 1 {
		return nil
	}
	return []int{b.l.Out}
}

func (b *builder) weightScale() string { return b.floats("weight_scale", b.l.Scale, b.channels()...) }

// weightZero adds the zero points, of which there are as many as scales.
func (b *builder) weightZero() string {
	z := make(vector[int8], len(b.l.Scale))
	for i, v := range b.l.Zero {
		z[i] = int8(v)
	}
	return b.initializer(b.at("weight_zero_point"), typeInt8, z, b.channels()...)
}

// clip keeps integers within a grid that is narrower than their type.
func (b *builder) clip(xq, name string, lo, hi int32) string {
	if lo == 0 && hi == math.MaxUint8 {
		return xq
	}
	return b.node("Clip", name, []string{xq, b.byte(name+"_min", lo), b.byte(name+"_max", hi)})
}
