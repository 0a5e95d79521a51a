package onnx_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"quantlab/core/modelfile/onnx"
	"quantlab/core/modelfile/onnx/onnxtest"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// images is the spec of a small model of MNIST's kind, with a width that no other boundary has and more weights than are written at a time.
var images = nn.Spec{ID: "small", Title: "Small", Data: nn.MNIST, Crop: 20, In: 400, Hidden: []int{97, 6}, Out: 3, Classes: []string{"a", "b", "c"}}

// convert makes the spec's network of random numbers and converts it.
func convert(t *testing.T, spec nn.Spec, plan string) []quant.QuantizedLayer {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	net := nn.New(spec)
	for _, l := range net.Layers {
		for i := range l.W {
			l.W[i] = float32(r.NormFloat64())
		}
		for i := range l.B {
			l.B[i] = float32(r.NormFloat64())
		}
	}
	x := nn.Batch{Rows: 4, Cols: spec.In, Dense: make([]float32, 4*spec.In)}
	for i := range x.Dense {
		x.Dense[i] = r.Float32()
	}
	p, err := scheme.ParsePlan(plan, len(net.Layers))
	if err != nil {
		t.Fatal(err)
	}
	cal, err := quant.Calibrate(t.Context(), net, p, slices.Values([]nn.Batch{x}))
	if err != nil {
		t.Fatal(err)
	}
	layers, err := quant.Quantize(net, p, cal)
	if err != nil {
		t.Fatal(err)
	}
	return layers
}

func write(t *testing.T, layers []quant.QuantizedLayer, d onnx.Description) *onnxtest.Model {
	t.Helper()
	var file, again bytes.Buffer
	if err := onnx.Write(&file, layers, d); err != nil {
		t.Fatal(err)
	}
	if err := onnx.Write(&again, layers, d); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Errorf("written again, the file has other bytes; error %v", err)
	}
	m, err := onnxtest.Read(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// plans are of every form that a layer can take.
var plans = []string{
	"float32", "float16", "dynamic-w8-a8r", "dynamic-w8-a8", "dynamic-w8ca-a8rp", "dynamic-w8-a8rsp", "dynamic-w4ca-a6s", "dynamic-w4c-a5",
	"static-w8c-a8r-histogram", "static-w2ca-a6-minmax", "static-w8a-a8s-minmax",
	"float16,dynamic-w8-a8r,static-w8c-a8r-histogram", "static-w8-a8r-minmax,float32,dynamic-w4ca-a8rp",
}

// Whatever the plan, names are used once, everything that is read was there before, and the shapes fit.
func TestGraphs(t *testing.T) {
	for _, plan := range plans {
		m := write(t, convert(t, images, plan), onnx.Description{Spec: images, Version: "v1"})
		if m.IR != 8 || m.Opset != 17 || m.Producer != "quantlab" || m.Version != "v1" || m.Name != "small" {
			t.Errorf("%s: IR %d, operator set %d, producer %q %q, graph %q", plan, m.IR, m.Opset, m.Producer, m.Version, m.Name)
		}
		if len(m.Inputs) != 1 || len(m.Outputs) != 1 {
			t.Fatalf("%s: inputs %v, outputs %v", plan, m.Inputs, m.Outputs)
		}
		for i, v := range []onnxtest.Value{m.Inputs[0], m.Outputs[0]} {
			want := onnxtest.Value{Name: []string{"input", "logits"}[i], Type: 1, Dims: []string{"batch", []string{"400", "3"}[i]}}
			if v.Name != want.Name || v.Type != want.Type || !slices.Equal(v.Dims, want.Dims) {
				t.Errorf("%s: %+v, want %+v", plan, v, want)
			}
		}
		known, used := map[string]bool{"input": true}, map[string]bool{}
		for name, tensor := range m.Tensors {
			known[name] = true
			elements := 1
			for _, d := range tensor.Dims {
				elements *= d
			}
			if size := map[uint64]int{1: 4, 2: 1, 3: 1, 6: 4, 10: 2}[tensor.Type]; size == 0 || len(tensor.Data) != size*elements {
				t.Errorf("%s: %s has %d bytes for %v of type %d", plan, name, len(tensor.Data), tensor.Dims, tensor.Type)
			}
		}
		names := map[string]bool{}
		for _, n := range m.Nodes {
			if names[n.Name] {
				t.Errorf("%s: two nodes are named %s", plan, n.Name)
			}
			names[n.Name] = true
			for _, in := range n.Inputs {
				if in != "" && !known[in] {
					t.Errorf("%s: %s reads %s, which isn't there", plan, n.Name, in)
				}
				used[in] = true
			}
			for _, out := range n.Outputs {
				if known[out] {
					t.Errorf("%s: there are two %s", plan, out)
				}
				known[out] = true
			}
		}
		for name := range m.Tensors {
			if !used[name] {
				t.Errorf("%s: nothing reads %s", plan, name)
			}
		}
		if !known["logits"] {
			t.Errorf("%s: nothing gives logits", plan)
		}
	}
}

// The parameters in the file are those of the conversion.
func TestParameters(t *testing.T) {
	layers := convert(t, images, "dynamic-w8ca-a8r,static-w8c-a8r-histogram,float16")
	m := write(t, layers, onnx.Description{Spec: images})
	check := func(name string, kind uint64, dims []int, values any) {
		t.Helper()
		got, ok := m.Tensors[name]
		want, err := binary.Append(nil, binary.LittleEndian, values)
		if err != nil {
			t.Fatal(err)
		}
		if !ok || got.Type != kind || !slices.Equal(got.Dims, dims) || !bytes.Equal(got.Data, want) {
			t.Errorf("%s: type %d, shape %v, %d bytes; want %d, %v, %d bytes that may differ", name, got.Type, got.Dims, len(got.Data), kind, dims, len(want))
		}
	}
	l := layers[0]
	turned := make([]int8, len(l.I8))
	for o := range l.Out {
		for i := range l.In {
			turned[i*l.Out+o] = l.I8[o*l.In+i]
		}
	}
	narrow := make([]int8, l.Out)
	for o, z := range l.Zero {
		narrow[o] = int8(z)
	}
	check("layers.0.weight", 3, []int{400, 97}, turned)
	check("layers.0.weight_scale", 1, []int{97}, l.Scale)
	check("layers.0.weight_zero_point", 3, []int{97}, narrow)
	check("layers.0.bias", 1, []int{97}, l.Bias)
	l = layers[1]
	units := make([]float32, l.Out)
	bias := make([]int32, l.Out)
	for o, s := range l.Scale {
		units[o] = float32(l.InGrid.Scale) * s
		bias[o] = int32(math.RoundToEven(float64(l.Bias[o]) / float64(units[o])))
	}
	check("layers.1.weight", 3, []int{6, 97}, l.I8)
	check("layers.1.weight_scale", 1, []int{6}, l.Scale)
	check("layers.1.weight_zero_point", 3, []int{6}, make([]int8, 6))
	check("layers.1.bias", 6, []int{6}, bias)
	check("layers.1.bias_scale", 1, []int{6}, units)
	check("layers.1.input_scale", 1, nil, float32(l.InGrid.Scale))
	check("layers.1.input_zero_point", 2, nil, uint8(l.InGrid.Zero))
	check("layers.1.output_scale", 1, nil, float32(l.OutGrid.Scale))
	check("layers.2.weight", 10, []int{3, 6}, layers[2].F16)
	for op, want := range map[string]int{"DynamicQuantizeLinear": 1, "MatMulInteger": 1, "QuantizeLinear": 3, "DequantizeLinear": 4, "Gemm": 2} {
		if got := m.Ops()[op]; got != want {
			t.Errorf("%d of %s, want %d", got, op, want)
		}
	}
}

// A bias that is too large in units of the products stays float32.
func TestHugeBias(t *testing.T) {
	layers := convert(t, images, "static-w8-a8r-minmax")
	layers[0].Bias = slices.Clone(layers[0].Bias)
	layers[0].Bias[5] = 1e12
	m := write(t, layers, onnx.Description{Spec: images})
	if got := m.Tensors["layers.0.bias"].Type; got != 1 {
		t.Errorf("the bias is of type %d", got)
	}
	if got := m.Tensors["layers.1.bias"].Type; got != 6 {
		t.Errorf("the other bias is of type %d", got)
	}
}

func TestMetadata(t *testing.T) {
	words := nn.Spec{ID: "words", Title: "Words", Data: nn.SST2, Vocab: 4, In: 4, Hidden: []int{3}, Out: 1, Binary: true}
	vocabulary := []string{"the", "\"quoted\"", "naïve", "."}
	m := write(t, convert(t, words, "dynamic-w4-a8r,float32"), onnx.Description{Spec: words, Vocabulary: vocabulary, Correct: 9, Total: 10})
	for key, want := range map[string]string{
		"model": "words", "title": "Words", "plan": "dynamic-w4-a8r,float32", "accuracy_float32": `{"correct":9,"total":10}`,
		"classes":       `["negative","positive"]`,
		"preprocessing": `{"kind":"bag of words","split":"white space","case":"kept","values":"presence","unknown":"dropped"}`,
	} {
		if got := m.Metadata[key]; got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	var got []string
	if err := json.Unmarshal([]byte(m.Metadata["vocabulary"]), &got); err != nil || !slices.Equal(got, vocabulary) {
		t.Errorf("vocabulary %q, error %v", got, err)
	}
	for _, want := range []string{"words (Words)", "1 for each word of the vocabulary", "one logit a row", "9 of 10", "fewer than 8 bits", "whole batch"} {
		if !strings.Contains(m.Doc, want) {
			t.Errorf("%q is not in %q", want, m.Doc)
		}
	}

	m = write(t, convert(t, images, "float16"), onnx.Description{Spec: images})
	want := `{"kind":"image","height":28,"width":28,"paper":0,"ink":255,"crop":{"top":4,"left":4,"height":20,"width":20},"layout":"row-major","divide":255,"mean":0,"std":1}`
	if got := m.Metadata["preprocessing"]; got != want {
		t.Errorf("preprocessing: %s, want %s", got, want)
	}
	for _, key := range []string{"vocabulary", "accuracy_float32"} {
		if text, ok := m.Metadata[key]; ok {
			t.Errorf("%s: %s, though it isn't known", key, text)
		}
	}
	scaled := images
	scaled.Scaling = nn.Scaling{Mean: 0.5, Std: 0.25}
	m = write(t, convert(t, scaled, "float32"), onnx.Description{Spec: scaled})
	if got := m.Metadata["preprocessing"]; !strings.HasSuffix(got, `"divide":255,"mean":0.5,"std":0.25}`) {
		t.Errorf("preprocessing: %s", got)
	}
	if !strings.Contains(m.Metadata["input"], "(pixel / 255 - 0.5) / 0.25") {
		t.Errorf("input: %s", m.Metadata["input"])
	}
}

func TestNotes(t *testing.T) {
	for plan, want := range map[string][]string{
		"float32":                  nil,
		"float16":                  {"Halves"},
		"dynamic-w8-a8r":           {"whole batch"},
		"dynamic-w8-a8rp":          nil,
		"dynamic-w8-a8p":           {"VNNI"},
		"static-w4c-a8r-histogram": {"fewer than 8 bits"},
	} {
		got := onnx.Notes(convert(t, images, plan))
		ok := len(got) == len(want)
		for i := range min(len(got), len(want)) {
			ok = ok && strings.Contains(got[i], want[i])
		}
		if !ok {
			t.Errorf("%s: %q", plan, got)
		}
	}
}

func TestRefused(t *testing.T) {
	incomplete := convert(t, images, "static-w8-a8r-minmax")
	incomplete[1].OutGrid = nil
	misfit := convert(t, images, "float32")
	misfit = slices.Delete(misfit, 1, 2)
	for want, c := range map[string]struct {
		layers []quant.QuantizedLayer
		d      onnx.Description
	}{
		"no layers":               {nil, onnx.Description{Spec: images}},
		"lacks an activation":     {incomplete, onnx.Description{Spec: images}},
		"layers.2 takes 6":        {misfit, onnx.Description{Spec: images}},
		"2 words for 400 inputs":  {convert(t, images, "float32"), onnx.Description{Spec: images, Vocabulary: []string{"a", "b"}}},
		"small can't be written ": {nil, onnx.Description{Spec: images}},
	} {
		var file bytes.Buffer
		err := onnx.Write(&file, c.layers, c.d)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || file.Len() > 0 {
			t.Errorf("error %v after %d bytes, want %q", err, file.Len(), want)
		}
	}
}

// brokenWriter has room for so many bytes.
type brokenWriter int

func (w *brokenWriter) Write(p []byte) (int, error) {
	if len(p) > int(*w) {
		return 0, errors.New("unplugged")
	}
	*w -= brokenWriter(len(p))
	return len(p), nil
}

func TestWriteFails(t *testing.T) {
	layers := convert(t, images, "dynamic-w8-a8r,float16,static-w8-a8r-minmax")
	for room := brokenWriter(0); room < 40000; room += 5000 {
		w := room
		if err := onnx.Write(&w, layers, onnx.Description{Spec: images}); err == nil || !strings.Contains(err.Error(), "unplugged") {
			t.Errorf("with room for %d bytes: error %v", room, err)
		}
	}
}
