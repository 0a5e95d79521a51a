package exchange

import (
	"bytes"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/modelfile/torch"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// digits is the spec of a small network that reads MNIST's middle.
var digits = nn.Spec{ID: "small", Title: "small", Data: nn.MNIST, Crop: 20, In: 400, Hidden: []int{6, 6}, Out: 10, Own: true, LR: 0.001, Batch: 64, Epochs: 2}

// random fills the spec's network and makes a batch for it.
func random(spec nn.Spec) (*nn.Network, nn.Batch) {
	r := rand.New(rand.NewPCG(1, 2))
	net := nn.New(spec)
	for _, l := range net.Layers {
		for _, p := range [][]float32{l.W, l.B} {
			for i := range p {
				p[i] = float32(r.NormFloat64() * 0.1)
			}
		}
	}
	x := nn.Batch{Rows: 4, Cols: spec.In, Dense: make([]float32, 4*spec.In)}
	for i := range x.Dense {
		x.Dense[i] = max(0, float32(r.NormFloat64()))
	}
	return net, x
}

// converted returns the network converted to one of the lab's variants, of which layers to 1 may be another's.
func converted(t *testing.T, net *nn.Network, x nn.Batch, variants ...string) *quant.Model {
	t.Helper()
	var plan quant.Plan
	for i := range net.Layers {
		p, err := quant.Preset(variants[i%len(variants)], len(net.Layers))
		if err != nil {
			t.Fatal(err)
		}
		plan = append(plan, p[i])
	}
	cal, err := quant.Calibrate(t.Context(), net, plan, slices.Values([]nn.Batch{x}))
	if err != nil {
		t.Fatal(err)
	}
	m, err := quant.Convert(net, plan, cal, quant.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// What is exported in float32 comes back to the bit, in both formats that are read.
func TestRoundTrip(t *testing.T) {
	net, x := random(digits)
	for _, format := range []string{wire.PyTorch, wire.Safetensors} {
		var file bytes.Buffer
		if _, err := Export(&file, converted(t, net, x, "fp32"), Card{Spec: digits}, format); err != nil {
			t.Fatal(err)
		}
		got, err := Import(t.Context(), []File{{Name: "small." + format, Data: file.Bytes()}}, wire.ImportRequest{Answers: map[string]string{"scaling": "unit"}}, nil, nil)
		if err != nil || got.Net == nil {
			t.Fatalf("%s: %+v, error %v", format, got, err)
		}
		if !reflect.DeepEqual(got.Net.Layers, net.Layers) {
			t.Errorf("%s: the layers that came back differ", format)
		}
		if s := got.Model.Spec; s.Shape() != digits.Shape() || s.Data != nn.MNIST || s.Crop != 20 || s.ID != "small" {
			t.Errorf("%s: came back as %+v", format, s)
		}
	}
}

// Every plan is exported in every format; what torch.ao lays out is read back with the same integers.
func TestExportAnyPlan(t *testing.T) {
	net, x := random(digits)
	for _, variants := range [][]string{
		{"fp32"}, {"dynamic-float16"}, {"dynamic-qint8"}, {"static-qint8"}, {"static-qint8", "fp32", "dynamic-qint8"}, {"dynamic-float16", "static-qint8"},
	} {
		m := converted(t, net, x, variants...)
		for _, format := range wire.ExportFormats() {
			var file bytes.Buffer
			if _, err := Export(&file, m, Card{Spec: digits}, format); err != nil {
				t.Fatalf("%v as %s: %v", variants, format, err)
			}
			if format != wire.PyTorch {
				continue
			}
			read, err := torch.Read(file.Bytes())
			if err != nil {
				t.Fatalf("%v: %v", variants, err)
			}
			packed := 0
			for _, l := range m.Weights() {
				if l.I8 == nil {
					continue
				}
				if packed++; packed > len(read.Packed) {
					t.Fatalf("%v: %d int8 layers came back", variants, len(read.Packed))
				}
				q, err := read.Packed[packed-1].Weight.Quantized()
				if err != nil || !slices.Equal(q.Ints, l.I8) {
					t.Errorf("%v: %s came back with other integers, error %v", variants, l.Name, err)
				}
			}
			size, err := TorchSize(m.Weights())
			if halves := slices.Contains(variants, "dynamic-float16"); err != nil || !halves && size != int64(file.Len()) || halves && size <= int64(file.Len()) {
				t.Errorf("%v: %d bytes as PyTorch saves it, the file has %d, error %v", variants, size, file.Len(), err)
			}
		}
	}
}

func TestExportNotes(t *testing.T) {
	net, x := random(digits)
	for variant, says := range map[string]string{"fp32": "", "dynamic-float16": "halves", "dynamic-qint8": "torch.ao", "static-qint8": "torch.ao"} {
		notes, err := Export(io.Discard, converted(t, net, x, variant), Card{Spec: digits}, wire.PyTorch)
		if err != nil || (says == "") != (len(notes) == 0) || !strings.Contains(strings.Join(notes, "\n"), says) {
			t.Errorf("%s: notes %q, error %v", variant, notes, err)
		}
	}
	if _, err := Export(io.Discard, converted(t, net, x, "fp32"), Card{Spec: digits}, "tflite"); err == nil || !strings.Contains(err.Error(), "tflite") {
		t.Errorf("an unknown format: error %v", err)
	}
}
