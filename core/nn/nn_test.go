package nn

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestSpecsAreTheLabs(t *testing.T) {
	want := map[string]struct {
		shape  string
		params int
	}{
		"mnist-lab1": {"784 – 512 – 10", 407050},
		"mnist-lab2": {"400 – 1024 – 1024 – 10", 1470474},
		"sst2-lab1":  {"14816 – 512 – 2", 7587330},
		"sst2-lab2":  {"5000 – 256 – 256 – 256 – 2", 1412354},
	}
	if len(Specs()) != len(want) {
		t.Fatalf("%d specs, want %d", len(Specs()), len(want))
	}
	for _, s := range Specs() {
		w := want[s.ID]
		if s.Shape() != w.shape || s.Params() != w.params {
			t.Errorf("%s: %s with %d parameters, want %s with %d", s.ID, s.Shape(), s.Params(), w.shape, w.params)
		}
		if n := New(s); n.Params() != s.Params() || n.Validate() != nil {
			t.Errorf("%s: New gives %d parameters, Validate says %v", s.ID, n.Params(), n.Validate())
		}
	}
}

func TestSpecOfUnknown(t *testing.T) {
	_, err := SpecOf("mnist-lab9")
	if err == nil || !strings.Contains(err.Error(), "mnist-lab9") || !strings.Contains(err.Error(), "sst2-lab2") {
		t.Errorf("error %v does not name the culprit and the choices", err)
	}
}

func TestValidateFindsDamage(t *testing.T) {
	spec := Spec{ID: "tiny", In: 3, Hidden: []int{4}, Out: 2}
	for name, damage := range map[string]func(*Network){
		"NaN weight":     func(n *Network) { n.Layers[1].W[5] = float32(math.NaN()) },
		"infinite bias":  func(n *Network) { n.Layers[0].B[0] = float32(math.Inf(-1)) },
		"missing weight": func(n *Network) { n.Layers[0].W = n.Layers[0].W[1:] },
		"misfit": func(n *Network) {
			n.Layers[1] = Linear{Name: "x", In: 5, Out: 2, W: make([]float32, 10), B: make([]float32, 2)}
		},
		"no layers": func(n *Network) { n.Layers = nil },
	} {
		n := New(spec)
		if err := n.Validate(); err != nil {
			t.Fatalf("a new network: %v", err)
		}
		damage(n)
		if n.Validate() == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

func TestScatter(t *testing.T) {
	b := Batch{Rows: 2, Cols: 4, Start: []int32{0, 2, 3}, Index: []int32{0, 3, 1}, Value: []float32{1, 2, 3}}
	buf := []float32{9, 9, 9, 9, 9, 9, 9, 9}
	got := b.Scatter(buf)
	if want := []float32{1, 0, 0, 2, 0, 3, 0, 0}; !slices.Equal(got.Dense, want) || got.IsSparse() {
		t.Errorf("scattered to %v, want %v", got.Dense, want)
	}
	if allocs := testing.AllocsPerRun(10, func() { b.Scatter(buf) }); allocs != 0 {
		t.Errorf("%v allocations into memory that is large enough", allocs)
	}
}
