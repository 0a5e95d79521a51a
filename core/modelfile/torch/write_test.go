package torch

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// rewritten returns the state_dict that a fixture holds, put together anew from what was read of it.
func rewritten(t testing.TB, name string) *StateDict {
	t.Helper()
	c, err := Read(fixture(t, name))
	if err != nil {
		t.Fatal(err)
	}
	var s StateDict
	s.module("", plainVersion)
	for i, p := range c.Packed {
		if i == 1 && p.Out == nil { // FX fuses a static layer with its ReLU
			s.module("relu", plainVersion)
		}
		var bias []float32
		if p.Bias != nil {
			bias = floats(t, p.Bias).Values
		}
		switch {
		case p.DType == Float16:
			s.DynamicLinear(p.Name, floats(t, p.Weight), bias)
		case p.Out == nil:
			s.DynamicLinear(p.Name, integers(t, p.Weight), bias)
		default:
			s.StaticLinear(p.Name, integers(t, p.Weight), bias, *p.Out)
		}
		if p.In != nil {
			s.StaticInput(p.Name, *p.In)
		}
	}
	for i := 0; i < len(c.Tensors); i++ {
		layer, isWeight := strings.CutSuffix(c.Tensors[i].Name, ".weight")
		if !isWeight {
			t.Fatalf("%s is not a layer's", c.Tensors[i].Name)
		}
		if i > 0 {
			s.module("relu", plainVersion)
		}
		var bias Value
		if i+1 < len(c.Tensors) && c.Tensors[i+1].Name == layer+".bias" {
			bias = numbersOf(t, c.Tensors[i+1])
			i++
			s.Linear(layer, numbersOf(t, c.Tensors[i-1]), bias)
		} else {
			s.Linear(layer, numbersOf(t, c.Tensors[i]), nil)
		}
	}
	return &s
}

func floats(t testing.TB, x *Tensor) Floats {
	t.Helper()
	values, err := x.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return Floats{x.Shape, values}
}

func numbersOf(t testing.TB, x *Tensor) Value {
	t.Helper()
	if x.DType != Float16 {
		return floats(t, x)
	}
	h := Halves{Shape: x.Shape, Bits: make([]uint16, x.Len())}
	x.each(func(i, at int) { h.Bits[i] = uint16(x.storage.data[2*at]) | uint16(x.storage.data[2*at+1])<<8 })
	return h
}

func integers(t testing.TB, x *Tensor) *Quantized {
	t.Helper()
	q, err := x.Quantized()
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func write(t testing.TB, s *StateDict) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, s); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// rewritable are fixtures of one layer after the other, which rewritten makes again.
var rewritable = []string{
	"mlp.pt", "nobias.pt", "float16.pt", "dynamic_qint8.pt", "dynamic_per_channel.pt", "dynamic_float16.pt", "static_fx.pt",
}

// TestWriteAsPyTorch writes what was read of PyTorch's files and gets the very same bytes, but for the file's id and what depends
// on it: its checksum, which is there twice.
func TestWriteAsPyTorch(t *testing.T) {
	for _, name := range rewritable {
		t.Run(name, func(t *testing.T) {
			want := fixture(t, name)
			s := rewritten(t, name)
			got := write(t, s)
			if len(got) != len(want) {
				t.Fatalf("%d bytes, PyTorch writes %d", len(got), len(want))
			}
			if size, err := Size(s); err != nil || size != int64(len(got)) {
				t.Errorf("Size is %d, %v; the file has %d bytes", size, err, len(got))
			}
			if !bytes.Equal(got, write(t, s)) {
				t.Error("written again, the file has other bytes")
			}
			if !bytes.Equal(withoutID(got), withoutID(want)) {
				t.Error("the bytes are not PyTorch's")
			}
		})
	}
}

// withoutID returns a file with its id, and that's checksums, replaced.
func withoutID(file []byte) []byte {
	file = bytes.Clone(file)
	name := []byte(folder + ".data/serialization_id")
	at := bytes.Index(file, name)
	id := (at + len(name) + alignment) &^ (alignment - 1)
	clear(file[id : id+40+8])
	central := bytes.LastIndex(file, name)
	clear(file[central-30 : central-26])
	return file
}

// TestSizeWithoutNumbers measures a state_dict whose tensors lack their numbers.
func TestSizeWithoutNumbers(t *testing.T) {
	build := func(values bool) *StateDict {
		f := Floats{Shape: []int{300, 70}}
		h := Halves{Shape: []int{300, 70}}
		q := &Quantized{Shape: []int{300, 70}, Axis: 0, Scales: make([]float64, 300), Zeros: make([]int64, 300)}
		if values {
			f.Values, h.Bits, q.Ints = make([]float32, 21000), make([]uint16, 21000), make([]int8, 21000)
		}
		var s StateDict
		for _, name := range []string{"a", "b.c"} {
			s.Linear(name+".plain", f, nil)
			s.Linear(name+".half", h, nil)
			s.DynamicLinear(name+".dynamic", q, make([]float32, 300))
			s.StaticLinear(name+".static", q, nil, Grid{Scale: 0.5, Zero: 3})
			s.StaticInput(name+".static", Grid{Scale: 0.25, Zero: 128})
		}
		return &s
	}
	size, err := Size(build(false))
	if got := len(write(t, build(true))); err != nil || size != int64(got) {
		t.Errorf("measured %d, %v; written %d", size, err, got)
	}
	if err := Write(io.Discard, build(false)); err == nil {
		t.Error("tensors without numbers are written")
	}
}

// TestManyEntries crosses the bounds at which Python's pickles, and batches of items, change their form.
func TestManyEntries(t *testing.T) {
	var s StateDict
	for i := range 1001 {
		s.Linear("layers."+strings.Repeat("x", i%7)+string(rune('a'+i%26))+strings.Repeat("y", i/26), Floats{[]int{1, 2}, []float32{float32(i), -1}}, nil)
	}
	c, err := Read(write(t, &s))
	if err != nil || len(c.Tensors) != 1001 {
		t.Fatal(err, c)
	}
	for i, x := range c.Tensors {
		if floats(t, x).Values[0] != float32(i) || x.Name != s.entries[i].name {
			t.Fatalf("tensor %d is %s", i, x.Name)
		}
	}
}

// TestLargeShapes crosses the bounds at which numbers in a pickle, and shapes, change their form.
func TestLargeShapes(t *testing.T) {
	var s StateDict
	for name, shape := range map[string][]int{"a": {300}, "b": {300, 300}, "c": {2, 3, 1, 2}} {
		f := Floats{Shape: shape, Values: make([]float32, product(shape))}
		f.Values[len(f.Values)-1] = 7
		s.Add(name, f)
	}
	s.Add("zero", &Quantized{[]int{1}, []int8{1}, []float64{0.5}, []int64{-3}, -1})
	c, err := Read(write(t, &s))
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range c.Tensors[:3] {
		if !reflect.DeepEqual(floats(t, x), s.entries[i].value) {
			t.Errorf("%s of shape %v differs", x.Name, x.Shape)
		}
	}
	if got := floats(t, c.Tensors[3]).Values[0]; got != 2 {
		t.Errorf("1 with the zero point -3 and the scale 0.5 is %v", got)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }

func TestWriteRefuses(t *testing.T) {
	one := Floats{[]int{1, 2}, []float32{1, 2}}
	for name, v := range map[string]Value{
		"too few numbers":  Floats{[]int{2, 2}, []float32{1}},
		"no numbers":       Floats{Shape: []int{2, 2}},
		"an empty shape":   Floats{Shape: []int{0, 2}},
		"a huge shape":     Halves{Shape: []int{1 << 40, 1 << 40}},
		"an unknown type":  DType("qint3"),
		"a long tuple":     Tuple{one, one, one, one},
		"a tuple of wrong": Tuple{one, DType("")},
		"an axis too many": &Quantized{Shape: []int{1}, Ints: []int8{1}, Scales: []float64{1}, Zeros: []int64{0}, Axis: 1},
		"too few scales":   &Quantized{Shape: []int{2}, Ints: []int8{1, 1}, Scales: []float64{1}, Zeros: []int64{0}},
		"a huge zero":      &Quantized{Shape: []int{1}, Ints: []int8{1}, Scales: []float64{1}, Zeros: []int64{1 << 40}, Axis: -1},
		"few integers":     &Quantized{Shape: []int{4}, Ints: []int8{1}, Scales: []float64{1}, Zeros: []int64{0}, Axis: -1},
	} {
		var s StateDict
		s.Add("x", v)
		if err := Write(io.Discard, &s); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var twice StateDict
	twice.Add("x", one)
	if err := Write(broken{}, &twice); err == nil {
		t.Error("a full disk goes unnoticed")
	}
	twice.Add("x", one)
	if err := Write(io.Discard, &twice); err == nil {
		t.Error("a name is written twice")
	}
	if _, err := Size(&twice); err == nil {
		t.Error("a name is measured twice")
	}
}

// TestPyTorchOpens has the real PyTorch open what is written here, compare every number and run it as torch.ao's modules.
// QUANTLAB_TORCH_PYTHON names a Python that has PyTorch.
func TestPyTorchOpens(t *testing.T) {
	python := os.Getenv("QUANTLAB_TORCH_PYTHON")
	if python == "" {
		t.Skip("QUANTLAB_TORCH_PYTHON names no Python with PyTorch")
	}
	dir := t.TempDir()
	for _, name := range append(rewritable, "dynamic_mixed.pt", "static_fx_part.pt") {
		if err := os.WriteFile(filepath.Join(dir, name), write(t, rewritten(t, name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "check.py"), dir).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}
