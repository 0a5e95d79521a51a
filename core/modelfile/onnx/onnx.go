// Package onnx writes converted networks as ONNX, the format that ONNX Runtime and most other programs for inference read.
//
// A file has one input, "input", float32 of [batch, features], and one output, "logits", float32 of [batch, classes]. It needs operator
// set 17, which every ONNX Runtime since 1.12 has, and nothing beyond ONNX's own operators. Layer N holds layers.N.weight, layers.N.bias
// and, in int8, layers.N.weight_scale and layers.N.weight_zero_point; its operators are named alike: layers.N.gemm. Weights are out x in
// where a Gemm reads them, in x out where a MatMulInteger does. Each layer takes the form that its scheme asks for:
//
// float32: Gemm, Relu.
//
// float16: the weights are stored as halves and Cast to float32, which a runtime does once, when it loads them; then Gemm, Relu. That is
// what quantlab computes too.
//
// dynamic: MatMulInteger of integers whose grid is made on each call, of the range of the activations at hand, as quantlab and PyTorch make
// it. DynamicQuantizeLinear knows only grids of 256 steps over the range, so it isn't given the activations unless that is the plan's
// grid; it is given a range stretched by 255/127 (or by what the plan's grid has steps), which makes it answer with the plan's own scale and
// zero point, and QuantizeLinear uses these. Three other ways were tried on the four models' whole test sets, where this one gives the
// classes of quantlab for every example: DynamicQuantizeLinear of the activations themselves, finer than what was converted, changes 9 of
// 21,744 answers and saves 5 to 11 µs a call of one example; a further column of activations that stretches their range gives the same grid, but copies
// them all; and the grid by single operators gives the same classes in the same time, without DynamicQuantizeLinear. This last form serves
// symmetric grids and grids of single rows.
//
// static: QuantizeLinear and DequantizeLinear around each Gemm, with the grids that were calibrated. Weights are int8 behind a
// DequantizeLinear, biases int32 in units of the products. ONNX Runtime makes one integer operator, QGemm, of it all, but only where
// every zero point is spelled, even that of symmetric weights: a file without them takes four to eight times as long.
//
// Integers of fewer than 8 bits are stored in 8: operator set 17 has no smaller type. Activations on such a grid pass a Clip, as
// QuantizeLinear ends at 255 only.
package onnx

import (
	"fmt"
	"io"

	"quantlab/core/quant"
)

// The version of the format, and of the operators, that a file asks for.
const (
	irVersion = 8 // that of ONNX 1.12, which introduced the operator set
	opset     = 17
)

const (
	inputName  = "input"
	outputName = "logits"
)

// Write writes the layers as an ONNX model. The same layers and description give the same bytes. It refuses layers that are incomplete or
// don't fit together before anything is written.
func Write(w io.Writer, layers []quant.QuantizedLayer, d Description) error {
	if err := check(layers); err != nil {
		return fmt.Errorf("%s can't be written as ONNX: %w", d.Spec.ID, err)
	}
	metadata, err := d.metadata(layers)
	if err != nil {
		return fmt.Errorf("%s can't be written as ONNX: %w", d.Spec.ID, err)
	}
	var m, operators message
	m.int(modelIRVersion, irVersion)
	m.text(modelProducerName, "quantlab")
	m.text(modelProducerVersion, d.Version)
	m.text(modelDoc, d.doc(layers))
	m.message(modelGraph, network(layers, d))
	operators.int(opsetVersion, opset)
	m.message(modelOpsetImport, operators)
	for _, p := range metadata {
		var entry message
		entry.text(entryKey, p.key)
		entry.text(entryValue, p.value)
		m.message(modelMetadata, entry)
	}
	if err := m.writeTo(w); err != nil {
		return fmt.Errorf("writing the ONNX file: %w", err)
	}
	return nil
}

func check(layers []quant.QuantizedLayer) error {
	if len(layers) == 0 {
		return fmt.Errorf("it has no layers")
	}
	for i := range layers {
		if err := layers[i].Validate(); err != nil {
			return err
		}
		if i > 0 {
			if err := layers[i].Follows(&layers[i-1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// network returns the graph of the layers.
func network(layers []quant.QuantizedLayer, d Description) message {
	var b builder
	x := inputName
	for i := range layers {
		x = b.layer(i, &layers[i], x, i == len(layers)-1)
	}
	in, out := layers[0].In, layers[len(layers)-1].Out
	var m message
	m.append(b.nodes)
	m.text(graphName, d.Spec.ID)
	m.append(b.initializers)
	m.message(graphInput, value(inputName, d.input(), typeFloat, batch, in))
	m.message(graphOutput, value(outputName, d.output(), typeFloat, batch, out))
	return m
}
