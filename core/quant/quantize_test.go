package quant

import (
	"errors"
	"math"
	"slices"
	"testing"

	"quantlab/core/internal/must"
	"quantlab/core/kernel"
	"quantlab/core/nn"
)

func TestQuantizeMatchesPyTorch(t *testing.T) {
	var file struct {
		PerTensor []struct {
			X      array
			Scale  float32
			Zero   int32
			Ints   array
			Floats array
		} `json:"per_tensor"`
	}
	load(t, "quantize.json", &file)
	for _, e := range kernel.Engines() {
		for i, c := range file.PerTensor {
			x, g := c.X.floats(t), kernel.Grid{Scale: c.Scale, Zero: c.Zero, Max: 255}
			got := make([]uint8, len(x))
			e.Quantize(got, x, g)
			for k, want := range c.Ints.uints(t) {
				if got[k] != want {
					t.Errorf("%s, case %d: %v becomes %d, in PyTorch %d", e.Name(), i, x[k], got[k], want)
				}
			}
			back := make([]float32, len(x))
			e.Dequantize(back, got, g)
			if !slices.Equal(back, c.Floats.floats(t)) {
				t.Errorf("%s, case %d: dequantized values differ from PyTorch's", e.Name(), i)
			}
		}
	}
}

// TestQuantizeDynamicRounding pins what was measured on FBGEMM's dynamic layer: with scale 1 and zero point 51, a fused
// multiply-add makes 0.49999997 + 51 a tie, which goes to the even 52.
func TestQuantizeDynamicRounding(t *testing.T) {
	x := []float32{-51, 76, 0.5, 1.5, -0.5, 2.5, 0.49999997, -0.49999997, 0}
	for zero, want := range map[int32][]uint8{
		51: {0, 127, 52, 52, 50, 54, 52, 50, 51},
		50: {0, 126, 50, 52, 50, 52, 50, 50, 50},
	} {
		for _, e := range kernel.Engines() {
			got := make([]uint8, len(x))
			e.QuantizeDynamic(got, x, kernel.Grid{Scale: 1, Zero: zero, Max: 255})
			if !slices.Equal(got, want) {
				t.Errorf("%s, zero point %d: %v, want %v", e.Name(), zero, got, want)
			}
		}
	}
}

func TestChooseMatchesPyTorch(t *testing.T) {
	var file struct {
		Choose []struct {
			X           array
			ReduceRange bool `json:"reduce_range"`
			Scale       float64
			Zero        int32
		}
	}
	load(t, "quantize.json", &file)
	for i, c := range file.Choose {
		x := c.X.floats(t)
		lo, hi := kernel.Best().Range(x)
		got := DynamicGrid(ActivationQuantizer{Bits: 8, ReduceRange: c.ReduceRange}, lo, hi)
		if got.Scale != c.Scale || got.Zero != c.Zero || got.Max != 255 {
			t.Errorf("case %d, range %v to %v: %+v, PyTorch has %v, %d", i, lo, hi, got, c.Scale, c.Zero)
		}
	}
}

func TestHalvesMatchPyTorch(t *testing.T) {
	var file struct {
		Half struct {
			X    array
			Bits []int16
		}
	}
	load(t, "quantize.json", &file)
	x := file.Half.X.floats(t)
	for i, h := range Halves(x) {
		if want := uint16(file.Half.Bits[i]); h != want {
			t.Errorf("%v becomes %04x, in PyTorch %04x", x[i], h, want)
		}
	}
}

// TestConvertLooks: a conversion lets others have their turn between pieces of a large layer, and ends when told to.
func TestConvertLooks(t *testing.T) {
	const in, out = 1 << 10, 3*lookEvery>>10 + 1
	net := &nn.Network{Spec: nn.Spec{ID: "wide"}, Layers: []nn.Linear{{Name: "a", In: in, Out: out, W: make([]float32, in*out), B: make([]float32, out)}}}
	for i := range net.Layers[0].W {
		net.Layers[0].W[i] = float32(i%251-125) / 125
	}
	for variant, least := range map[string]int{"fp32": 1, "dynamic-float16": 4, "dynamic-qint8": 4} {
		plan := must.Have(Preset(variant, 1))(t)
		looks := 0
		m := must.Have(Convert(net, plan, nil, Options{MaxBatch: 1, Look: func() error { looks++; return nil }}))(t)
		whole := must.Have(Convert(net, plan, nil, Options{MaxBatch: 1}))(t)
		if a, b := m.Weights()[0], whole.Weights()[0]; looks < least || !slices.Equal(a.I8, b.I8) || !slices.Equal(a.F16, b.F16) {
			t.Errorf("%s: %d looks, at least %d expected", variant, looks, least)
		}
		m.Close()
		whole.Close()
		for stop := range looks {
			at, enough := 0, errors.New("enough")
			_, err := Convert(net, plan, nil, Options{MaxBatch: 1, Look: func() error {
				if at++; at > stop {
					return enough
				}
				return nil
			}})
			if !errors.Is(err, enough) || at != stop+1 {
				t.Errorf("%s: told to end at look %d, it ends at %d with %v", variant, stop, at, err)
			}
		}
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		want, got []float32
		d         Distortion
	}{
		{nil, nil, Distortion{SQNR: MaxSQNR}},
		{[]float32{1, -2}, []float32{1, -2}, Distortion{SQNR: MaxSQNR}},
		{[]float32{0, 0}, []float32{0, 1}, Distortion{SQNR: -MaxSQNR, Max: 1, Mean: 0.5}},
		{[]float32{3, 4}, []float32{3, 3.5}, Distortion{SQNR: 20, Max: 0.5, Mean: 0.25}},
	} {
		if d := Compare(c.want, c.got); math.Abs(d.SQNR-c.d.SQNR) > 1e-9 || d.Max != c.d.Max || d.Mean != c.d.Mean {
			t.Errorf("Compare(%v, %v) = %+v, want %+v", c.want, c.got, d, c.d)
		}
	}
	p := QParams{Scale: 1, Zero: 2, Max: 3} // -2 to 1
	if got := Clipped([]float32{-2.4, -2.6, 0, 1.6}, p); got != 0.5 {
		t.Errorf("clipped share %v, want 0.5", got)
	}
}

func TestClass(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		row  []float32
		want int
	}{
		{[]float32{1}, 1}, {[]float32{0}, 0}, {[]float32{nan}, 0}, {[]float32{1, 3, 2}, 1}, {[]float32{2, 2}, 0}, {[]float32{nan, -5, nan, -4}, 3},
		{[]float32{nan, nan}, 0}, {[]float32{-inf, -inf}, 0}, {[]float32{0, inf}, 1}, {nil, 0},
	} {
		if got := Class(c.row); got != c.want {
			t.Errorf("Class(%v) = %d, want %d", c.row, got, c.want)
		}
	}
}
