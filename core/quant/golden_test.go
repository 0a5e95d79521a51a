package quant

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"

	"quantlab/core/nn"
)

// An array is what testdata/golden.py's pack writes.
type array struct {
	F32  *string `json:"f32"`
	U8   *string `json:"u8"`
	I8   *string `json:"i8"`
	Unit float32 `json:"unit"`
}

func (a array) bytes(t testing.TB, s *string) []byte {
	t.Helper()
	if s == nil {
		t.Fatal("golden array of another type")
	}
	b, err := base64.StdEncoding.DecodeString(*s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (a array) floats(t testing.TB) []float32 {
	t.Helper()
	var x []float32
	if a.Unit != 0 {
		for _, v := range a.ints(t) {
			x = append(x, float32(v)*a.Unit)
		}
		return x
	}
	b := a.bytes(t, a.F32)
	for len(b) > 0 {
		x = append(x, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		b = b[4:]
	}
	return x
}

func (a array) ints(t testing.TB) []int8 {
	t.Helper()
	var x []int8
	for _, v := range a.bytes(t, a.I8) {
		x = append(x, int8(v))
	}
	return x
}

func (a array) uints(t testing.TB) []uint8 { t.Helper(); return a.bytes(t, a.U8) }

func load(t testing.TB, name string, v any) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// A stack is a network of the goldens with what PyTorch made of it.
type stack struct {
	Name    string
	Kind    string
	Dims    []int
	Weights []array
	Biases  []array
	Rows    int
	X       array

	// Kind static.
	Mix          string
	Exact        bool // every float32 sum is exact: Calibrate must find PyTorch's own grids
	Calibration  []array
	Grids        [][2]float64 // scale, zero point
	Activations  []array
	IntWeights   []array `json:"int_weights"`
	WeightScales []array `json:"weight_scales"`
	Y            array

	// Kind dynamic.
	Results []struct {
		Name       string
		IntWeights []array `json:"int_weights"`
		Y          array
		Y1         array // of the first row alone
	}
}

func stacks(t testing.TB, kind string) []stack {
	var file struct{ Cases []stack }
	load(t, "linear.json", &file)
	var s []stack
	for _, c := range file.Cases {
		if c.Kind == kind {
			s = append(s, c)
		}
	}
	if len(s) == 0 {
		t.Fatalf("no golden of kind %s", kind)
	}
	return s
}

func (s stack) network(t testing.TB) *nn.Network {
	last := len(s.Dims) - 1
	n := nn.New(nn.Spec{ID: s.Name, In: s.Dims[0], Hidden: s.Dims[1:last], Out: s.Dims[last]})
	for i := range n.Layers {
		n.Layers[i].W, n.Layers[i].B = s.Weights[i].floats(t), s.Biases[i].floats(t)
	}
	if err := n.Validate(); err != nil {
		t.Fatal(err)
	}
	return n
}

func (s stack) input(t testing.TB) nn.Batch {
	return nn.Batch{Rows: s.Rows, Cols: s.Dims[0], Dense: s.X.floats(t)}
}

// plan is what golden.py told PyTorch's FX flow.
func (s stack) plan(t testing.TB) Plan {
	layers := len(s.Dims) - 1
	p, err := Preset("static-qint8", layers)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p {
		switch s.Mix {
		case "preset":
		case "per-tensor":
			p[i].Weight.PerChannel = false
			p[i].Activation.Observer = MinMax
		case "affine":
			p[i].Weight = WeightQuantizer{Bits: 8}
			p[i].Activation = ActivationQuantizer{Bits: 8, Observer: MovingAverage}
		default:
			t.Fatalf("unknown mix %q", s.Mix)
		}
	}
	return p
}

func (s stack) batches(t testing.TB) []nn.Batch {
	var bs []nn.Batch
	for _, a := range s.Calibration {
		x := a.floats(t)
		bs = append(bs, nn.Batch{Rows: len(x) / s.Dims[0], Cols: s.Dims[0], Dense: x})
	}
	return bs
}
