package torch

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A goldenTensor is a tensor as PyTorch reads it.
type goldenTensor struct {
	Name   string
	DType  DType
	Shape  []int
	Values []float32
	Ints   []int8
	Scales []float64
	Zeros  []int64
	Axis   int
}

type golden struct {
	Inputs [][]float32
	Words  []string
	Files  map[string]struct {
		Tensors []goldenTensor
		Logits  [][]float32
	}
}

func readGolden(t testing.TB) golden {
	t.Helper()
	var g golden
	if err := json.Unmarshal(fixture(t, "golden.json"), &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// differs says where a tensor is not what PyTorch reads; "" for nowhere.
func differs(t testing.TB, got *Tensor, want goldenTensor) string {
	t.Helper()
	if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) {
		return "type or shape"
	}
	if want.Ints != nil {
		q, err := got.Quantized()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(*q, Quantized{want.Shape, want.Ints, want.Scales, want.Zeros, want.Axis}) {
			return "quantized values"
		}
	}
	values, err := got.Float32()
	if err != nil {
		var ints []int64
		if ints, err = got.integers(); got.DType == Bool {
			return ""
		}
		for _, v := range ints {
			values = append(values, float32(v))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if math.Float32bits(v) != math.Float32bits(want.Values[i]) {
			return "values"
		}
	}
	if len(values) != len(want.Values) {
		return "number of values"
	}
	return ""
}

// TestGolden reads what PyTorch wrote and finds exactly PyTorch's names, types, shapes and numbers, in PyTorch's order.
func TestGolden(t *testing.T) {
	g := readGolden(t)
	if len(g.Files) < 25 {
		t.Fatalf("%d files", len(g.Files))
	}
	for name, want := range g.Files {
		t.Run(name, func(t *testing.T) {
			data := fixture(t, name)
			if !IsCheckpoint(data) || IsPickle(data) {
				t.Error("not recognised")
			}
			c, err := Read(data)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]*Tensor{}
			position := -1
			for _, x := range c.Tensors {
				got[x.Name] = x
				if x.Position <= position {
					t.Errorf("%s is out of order", x.Name)
				}
				position = x.Position
			}
			for _, p := range c.Packed {
				got[p.Name+"._packed_params._packed_params"] = p.Weight
				if p.Bias != nil {
					got[p.Name+"._packed_params._packed_params[1]"] = p.Bias
				}
			}
			var order []string
			for _, w := range want.Tensors {
				x := got[w.Name]
				if x == nil {
					grid := strings.HasSuffix(w.Name, "scale") || strings.HasSuffix(w.Name, "zero_point") || strings.HasSuffix(w.Name, "_0")
					if !grid || len(c.Packed) == 0 {
						t.Errorf("%s is missing", w.Name)
					}
					continue
				}
				delete(got, w.Name)
				order = append(order, w.Name)
				if d := differs(t, x, w); d != "" {
					t.Errorf("%s: its %s differ", w.Name, d)
				}
			}
			for extra := range got {
				t.Errorf("%s is not in the file", extra)
			}
			if len(c.Packed) == 0 && len(order) != len(c.Tensors) {
				t.Errorf("%d tensors, want %d", len(c.Tensors), len(order))
			}
		})
	}
}

func TestReadFinds(t *testing.T) {
	for name, want := range map[string]struct {
		format, path, passed string
	}{
		"mlp.pt":           {"PyTorch state_dict (zip)", "", ""},
		"legacy.pt":        {"PyTorch state_dict (legacy)", "", ""},
		"checkpoint.pt":    {"PyTorch checkpoint (zip)", "model_state_dict", "optimizer_state_dict"},
		"scored.pt":        {"PyTorch checkpoint (zip)", "model", "rng_state"},
		"ema.pt":           {"PyTorch checkpoint (zip)", "model", "ema"},
		"dynamic_qint8.pt": {"PyTorch state_dict quantized by torch.ao (zip)", "", ""},
	} {
		c, err := Read(fixture(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.Format != want.format || c.Path != want.path || strings.Join(c.Passed, " ") != want.passed {
			t.Errorf("%s: format %q, path %q, passed %q", name, c.Format, c.Path, c.Passed)
		}
	}
}

// TestTyped reads tensors that PyTorch makes in other ways: of a type without storages, and with attributes.
func TestTyped(t *testing.T) {
	c, err := Read(fixture(t, "typed.pt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Tensors) != 3 || c.Tensors[0].DType != "uint16" || c.Tensors[0].Len() != 3 {
		t.Fatalf("%+v", c.Tensors)
	}
	if _, err := c.Tensors[0].Float32(); err == nil {
		t.Error("integers are read as floats")
	}
	for _, x := range c.Tensors[1:] {
		for _, v := range floats(t, x).Values {
			if v != 1 {
				t.Errorf("%s is %v", x.Name, v)
			}
		}
	}
}

// TestPacked reads the layers that torch.ao packed, and their grids.
func TestPacked(t *testing.T) {
	for name, want := range map[string]struct {
		dtype        DType
		axis         int
		tensors      int
		bias         bool
		layers, grid string // of each layer: which grids it has
	}{
		"dynamic_qint8.pt":        {QInt8, -1, 0, true, "fc1 fc2", "- -"},
		"dynamic_qint8_legacy.pt": {QInt8, -1, 0, true, "fc1 fc2", "- -"},
		"dynamic_per_channel.pt":  {QInt8, 0, 0, false, "fc1 fc2", "- -"},
		"dynamic_float16.pt":      {Float16, -1, 0, true, "fc1 fc2", "- -"},
		"dynamic_mixed.pt":        {QInt8, -1, 2, true, "fc2", "-"},
		"static_fx.pt":            {QInt8, 0, 0, true, "fc1 fc2", "in,out out"},
		"static_fx_part.pt":       {QInt8, 0, 2, true, "fc2", "in,out"},
		"static_eager.pt":         {QInt8, 0, 0, true, "fc1 fc2", "in,out out"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Read(fixture(t, name))
			if err != nil {
				t.Fatal(err)
			}
			var layers, grids []string
			for _, p := range c.Packed {
				layers = append(layers, p.Name)
				var has []string
				if p.In != nil {
					has = append(has, "in")
				}
				if p.Out != nil {
					has = append(has, "out")
				}
				if has == nil {
					has = []string{"-"}
				}
				grids = append(grids, strings.Join(has, ","))
				if p.DType != want.dtype || (p.Bias != nil) != want.bias {
					t.Errorf("%s: type %s, bias %v", p.Name, p.DType, p.Bias)
				}
				if q, err := p.Weight.Quantized(); want.dtype == QInt8 && (err != nil || q.Axis != want.axis) {
					t.Errorf("%s: %+v, %v", p.Name, q, err)
				}
				for _, x := range c.Tensors {
					if x.Position == p.Position {
						t.Errorf("%s and %s have one position", p.Name, x.Name)
					}
				}
			}
			if len(c.Tensors) != want.tensors || strings.Join(layers, " ") != want.layers || strings.Join(grids, " ") != want.grid {
				t.Errorf("%d tensors, layers %q, grids %q", len(c.Tensors), layers, grids)
			}
		})
	}
}

func TestReadList(t *testing.T) {
	want := readGolden(t).Words
	files, err := filepath.Glob("testdata/words*")
	if err != nil || len(files) != 8 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		data := fixture(t, filepath.Base(name))
		if IsCheckpoint(data) == IsPickle(data) {
			t.Errorf("%s: checkpoint %v, pickle %v", name, IsCheckpoint(data), IsPickle(data))
		}
		if got, err := ReadList(data); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if _, err := Read(data); err != ErrWords {
			t.Errorf("%s read as a model: %v", name, err)
		}
	}
}

func TestRecognise(t *testing.T) {
	for name, data := range map[string]string{
		"nothing":     "",
		"text":        "the\nfilm\n",
		"JSON":        `["the", "film"]`,
		"JSON object": `{"the": 0}`,
		"PNG":         "\x89PNG\r\n\x1a\n",
		"safetensors": "\x08\x00\x00\x00\x00\x00\x00\x00{}      ",
		"zip":         "PK\x05\x06" + strings.Repeat("\x00", 18),
		"text in ()":  "(a text.)",
	} {
		if IsCheckpoint([]byte(data)) || IsPickle([]byte(data)) {
			t.Errorf("%s is taken for PyTorch's", name)
		}
		if _, err := Read([]byte(data)); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}
