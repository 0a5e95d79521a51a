package quant

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"quantlab/core/scheme"
)

type observed struct {
	Name         string
	Batches      []array
	QParams      [][]any    `json:"qparams"` // observer, signed, bits, symmetric, reduce_range, scale, zero
	Histogram    string     `json:"histogram_sha256"`
	Percentile   [2]float64 `json:"percentile_99"`
	PercentileOf float64    `json:"percentile_99_symmetric"`
	Entropy      float64    `json:"entropy_128"`
}

func observedTensors(t *testing.T) []observed {
	var file struct{ Tensors []observed }
	load(t, "observers.json", &file)
	if len(file.Tensors) < 10 {
		t.Fatal("too few golden tensors")
	}
	return file.Tensors
}

// feed observes every batch.
func feed(t *testing.T, o Observer, batches []array) {
	t.Helper()
	for _, b := range batches {
		if err := o.Observe(b.floats(t)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestObserversMatchPyTorch(t *testing.T) {
	for _, tensor := range observedTensors(t) {
		for _, row := range tensor.QParams {
			kind, signed, bits := row[0].(string), row[1].(float64) == 1, int(row[2].(float64))
			symmetric, reduce := row[3].(float64) == 1, row[4].(float64) == 1
			scale, zero := row[5].(float64), int32(row[6].(float64))
			name := fmt.Sprintf("%s/%s signed=%v bits=%d symmetric=%v reduce=%v", tensor.Name, kind, signed, bits, symmetric, reduce)
			t.Run(name, func(t *testing.T) {
				q := ActivationQuantizer{Bits: bits, Symmetric: symmetric, ReduceRange: reduce, Observer: kind}
				o, err := NewObserver(q)
				if err != nil {
					t.Fatal(err)
				}
				feed(t, o, tensor.Batches)
				got := o.QParams()
				if signed { // weights: the same range on a signed grid
					s := weightSpread(WeightQuantizer{Bits: bits, Symmetric: symmetric})
					if reduce {
						s.min, s.max = s.min/2, s.max/2
					}
					switch o := o.(type) {
					case *minMax:
						got = s.observed(o.lo, o.hi)
					case *movingAverage:
						got = s.observed(o.lo, o.hi)
					}
				} else if got.Min != 0 || got.Max != 1<<bits-1 {
					t.Errorf("grid from %d to %d", got.Min, got.Max)
				}
				if got.Scale != scale || got.Zero != zero {
					t.Errorf("scale %v, zero point %d; PyTorch has %v, %d", got.Scale, got.Zero, scale, zero)
				}
			})
		}
	}
}

func TestHistogramBinsMatchPyTorch(t *testing.T) {
	for _, tensor := range observedTensors(t) {
		o := &histogram{q: ActivationQuantizer{Bits: 8}}
		feed(t, o, tensor.Batches)
		sum := sha256.New()
		binary.Write(sum, binary.LittleEndian, o.count[:])
		if got := hex.EncodeToString(sum.Sum(nil)); got != tensor.Histogram {
			t.Errorf("%s: the 2048 bins differ from PyTorch's", tensor.Name)
		}
	}
}

// TestSumMatchesPyTorch adds generated numbers of very different size, whose sum depends on the order.
func TestSumMatchesPyTorch(t *testing.T) {
	var file struct{ Sums []float32 }
	load(t, "observers.json", &file)
	for seed, want := range file.Sums {
		var x [bins]float32
		for i := range x {
			k := uint32(uint64(i+bins*seed) * 2654435761)
			x[i] = float32(math.Ldexp(float64(k%(1<<20)), int(k>>28)))
		}
		if got := sum(&x); got != want {
			t.Errorf("sum %d is %v, in PyTorch %v", seed, got, want)
		}
	}
}

func TestTailObservers(t *testing.T) {
	for _, tensor := range observedTensors(t) {
		for _, symmetric := range []bool{false, true} {
			o := &tails{q: ActivationQuantizer{Bits: 8, Symmetric: symmetric, Observer: Percentile, Percentile: 99}}
			feed(t, o, tensor.Batches)
			var lo, hi float32
			if o.top != 0 {
				lo, hi = o.percentile()
			}
			want := tensor.Percentile
			if symmetric {
				want = [2]float64{-tensor.PercentileOf, tensor.PercentileOf}
			}
			if float64(lo) != float64(float32(want[0])) || float64(hi) != float64(float32(want[1])) {
				t.Errorf("%s, symmetric %v: percentile from %v to %v, want %v", tensor.Name, symmetric, lo, hi, want)
			}
		}
		o := &tails{q: ActivationQuantizer{Bits: 8, Observer: Entropy}}
		feed(t, o, tensor.Batches)
		got := float32(0)
		if o.top != 0 {
			got = o.entropy(128)
		}
		if float64(got) != float64(float32(tensor.Entropy)) {
			t.Errorf("%s: entropy threshold %v, want %v", tensor.Name, got, tensor.Entropy)
		}
	}
}

func TestTailsDoNotDependOnBatches(t *testing.T) {
	for _, tensor := range observedTensors(t) {
		var all []float32
		for _, b := range tensor.Batches {
			all = append(all, b.floats(t)...)
		}
		for _, kind := range []string{Percentile, Entropy} {
			q := ActivationQuantizer{Bits: 8, ReduceRange: true, Observer: kind}
			if kind == Percentile {
				q.Percentile = 99.9
			}
			whole, _ := NewObserver(q)
			parts, _ := NewObserver(q)
			whole.Observe(all)
			slices.Reverse(all)
			for chunk := range slices.Chunk(all, 7) {
				parts.Observe(chunk)
			}
			if whole.QParams() != parts.QParams() {
				t.Errorf("%s, %s: %+v in one batch, %+v in many", tensor.Name, kind, whole.QParams(), parts.QParams())
			}
		}
	}
}

func TestObserverEdges(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, kind := range scheme.Observers() {
		q := ActivationQuantizer{Bits: 8, Observer: kind}
		if kind == Percentile {
			q.Percentile = 99.99
		}
		o, err := NewObserver(q)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := o.QParams(), (QParams{Scale: 1, Max: 255}); got != want {
			t.Errorf("%s: unobserved %+v, want %+v", kind, got, want)
		}
		if err := o.Observe(nil); err != nil {
			t.Errorf("%s: nothing: %v", kind, err)
		}
		if err := o.Observe([]float32{1, nan}); err == nil || !strings.Contains(err.Error(), "NaN") {
			t.Errorf("%s: NaN gave error %v", kind, err)
		}
		o.Reset()
		if err := o.Observe([]float32{inf, -inf}); err != nil {
			t.Errorf("%s: infinities: %v", kind, err)
		}
		x := []float32{-1, 3, 0, 2, 2.5}
		if err := o.Observe(append([]float32{inf}, x...)); err != nil {
			t.Fatal(err)
		}
		seen := o.QParams()
		o.Reset()
		o.Observe(x)
		if o.QParams() != seen {
			t.Errorf("%s: %+v with infinities, %+v without", kind, seen, o.QParams())
		}
		o.Reset()
		for _, huge := range [][]float32{{3e38, -3e38}, {1e30}, {1e30, 1e30}, {-3e38}} {
			if err := o.Observe(huge); err != nil {
				t.Fatal(err)
			}
			if p := o.QParams(); p.validate() != nil || p.Zero < 0 || p.Zero > 255 {
				t.Errorf("%s: %v gives %+v", kind, huge, p)
			}
		}
	}
}

func TestNewObserverRefuses(t *testing.T) {
	for _, q := range []ActivationQuantizer{
		{}, {Bits: 8}, {Bits: 1, Observer: MinMax}, {Bits: 9, Observer: MinMax}, {Bits: 8, Observer: "best"},
		{Bits: 8, Observer: Percentile}, {Bits: 8, Observer: Percentile, Percentile: 101},
		{Bits: 8, Observer: Percentile, Percentile: math.NaN()}, {Bits: 8, Observer: MinMax, Percentile: 99},
	} {
		if _, err := NewObserver(q); err == nil {
			t.Errorf("%+v was accepted", q)
		}
	}
}

func TestChannelsMatchPyTorch(t *testing.T) {
	var file struct {
		Channels struct {
			Weights array
			Rows    int
			QParams []struct {
				Bits      int
				Symmetric bool
				Scale     []float64
				Zero      []int32
				Ints      array
			} `json:"qparams"`
		}
	}
	load(t, "observers.json", &file)
	w := file.Channels.Weights.floats(t)
	out := file.Channels.Rows
	for _, want := range file.Channels.QParams {
		ints, scale, zero := QuantizeWeights(w, out, len(w)/out, WeightQuantizer{Bits: want.Bits, PerChannel: true, Symmetric: want.Symmetric})
		for c := range out {
			z := int32(0)
			if zero != nil {
				z = zero[c]
			}
			if float64(scale[c]) != want.Scale[c] || z != want.Zero[c] {
				t.Errorf("%d bits, symmetric %v, channel %d: %v, %d; PyTorch has %v, %d", want.Bits, want.Symmetric, c, scale[c], z, want.Scale[c], want.Zero[c])
			}
		}
		if !slices.Equal(ints, want.Ints.ints(t)) {
			t.Errorf("%d bits, symmetric %v: integers differ from PyTorch's", want.Bits, want.Symmetric)
		}
	}
}
