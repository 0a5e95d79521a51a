package quant

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"quantlab/core/internal/must"
	"quantlab/core/nn"
)

// split cuts a batch into batches of so many rows.
func split(b nn.Batch, size int) (out []nn.Batch) {
	for lo := 0; lo < b.Rows; lo += size {
		hi := min(lo+size, b.Rows)
		part := nn.Batch{Rows: hi - lo, Cols: b.Cols}
		if b.IsSparse() {
			part.Start, part.Index, part.Value = b.Start[lo:hi+1], b.Index, b.Value
		} else {
			part.Dense = b.Dense[lo*b.Cols : hi*b.Cols]
		}
		out = append(out, part)
	}
	return out
}

// everyObserver returns plans that calibrate with each observer, on grids of every kind.
func everyObserver(layers int) []Plan {
	var plans []Plan
	for _, o := range []ActivationQuantizer{
		{Observer: MinMax}, {Observer: MovingAverage}, {Observer: Histogram}, {Observer: Percentile, Percentile: 99.9},
		{Observer: Percentile, Percentile: 97}, {Observer: Entropy},
	} {
		for _, bits := range []int{2, 5, 8} {
			o.Bits, o.Symmetric, o.ReduceRange = bits, bits == 5, bits == 8
			plans = append(plans, slices.Repeat(Plan{{Mode: Static, Weight: WeightQuantizer{Bits: 8}, Activation: o}}, layers))
		}
	}
	return plans
}

// TestActivationsCalibrate: what was recorded gives the grids that running the network again gives, whatever was asked
// before, dense and sparse, for all examples and for the first ones.
func TestActivationsCalibrate(t *testing.T) {
	net, dense, sparse := random(3, 50, 40, 30, 20, 4)
	plans := slices.Concat(everyObserver(3), mixedPlans(3))
	for name, x := range map[string]nn.Batch{"dense": dense, "sparse": sparse} {
		all := must.Have(Record(net, slices.Values(split(x, 16)), nil))(t)
		if all.Examples() != 50 || all.Batches() != 4 {
			t.Fatalf("%s: %d examples in %d batches", name, all.Examples(), all.Batches())
		}
		for _, n := range []int{50, 32, 17, 1} {
			head, want := all.Head(n), split(x, 16)[:(n+15)/16]
			want[len(want)-1] = split(want[len(want)-1], n-16*(len(want)-1))[0]
			for _, plan := range plans {
				got := must.Have(head.Calibrate(plan, nil))(t)
				cal := must.Have(Calibrate(t.Context(), net, plan, slices.Values(want)))(t)
				if plan.NeedsCalibration() && !reflect.DeepEqual(got, cal) {
					t.Errorf("%s, %d examples, %s: %+v, Calibrate gives %+v", name, n, plan, got, cal)
				}
			}
		}
	}
}

func TestActivationsRefuse(t *testing.T) {
	net, dense, _ := random(4, 6, 10, 8, 3)
	plan := must.Have(Preset("static-qint8", 2))(t)
	stop := errors.New("stop")
	look := func() error { return stop }
	if _, err := Record(net, slices.Values([]nn.Batch{dense}), look); !errors.Is(err, stop) {
		t.Errorf("recording goes on: %v", err)
	}
	if _, err := must.Have(Record(net, slices.Values([]nn.Batch{dense}), nil))(t).Calibrate(plan, look); !errors.Is(err, stop) {
		t.Errorf("calibrating goes on: %v", err)
	}
	if _, err := must.Have(Record(net, slices.Values([]nn.Batch{}), nil))(t).Calibrate(plan, nil); err == nil {
		t.Error("calibrated to nothing")
	}
	if _, err := Record(net, slices.Values([]nn.Batch{{Rows: 1, Cols: 3, Dense: make([]float32, 3)}}), nil); err == nil {
		t.Error("recorded a batch of another width")
	}
	dense.Dense[3] = float32(math.NaN())
	if _, err := must.Have(Record(net, slices.Values([]nn.Batch{dense}), nil))(t).Calibrate(plan, nil); err == nil {
		t.Error("calibrated to NaN")
	}
}

// TestObserveSparse: zeros that are only counted are observed like zeros that are there.
func TestObserveSparse(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	inf := float32(math.Inf(1))
	for _, plan := range everyObserver(1) {
		q := plan[0].Activation
		some, all := must.Have(NewObserver(q))(t), must.Have(NewObserver(q))(t)
		for batch := range 12 {
			x := make([]float32, r.IntN(40))
			for i := range x {
				x[i] = float32(r.NormFloat64()) * float32(1+batch)
			}
			if batch == 3 {
				x = append(x, inf, -inf)
			}
			if batch == 0 || batch == 5 {
				x = nil
			}
			zeros := r.IntN(3) * r.IntN(100)
			if err := errors.Join(some.ObserveSparse(x, zeros), all.Observe(append(slices.Clone(x), make([]float32, zeros)...))); err != nil {
				t.Fatal(err)
			}
			if some.QParams() != all.QParams() {
				t.Fatalf("%+v, batch %d: %+v, with all zeros %+v", q, batch, some.QParams(), all.QParams())
			}
		}
	}
}

// TestDequantize holds the weights that a layer says it has against its definition and its outputs.
func TestDequantize(t *testing.T) {
	net, _, _ := random(6, 1, 12, 5)
	for _, s := range variety() {
		if s.Mode == Static {
			continue
		}
		layers := must.Have(Quantize(net, Plan{s}, nil))(t)
		l, row := &layers[0], make([]float32, 12)
		for o := range l.Out {
			l.Dequantize(row, o)
			for i, v := range row {
				want := net.Layers[0].W[o*12+i]
				switch s.Mode {
				case Float16:
					if math.Abs(float64(v-want)) > 0x1p-11*math.Abs(float64(want)) {
						t.Errorf("float16: %v for %v", v, want)
					}
				case Float32:
					if v != want {
						t.Errorf("float32: %v for %v", v, want)
					}
				default:
					g := l.WeightGrid(o)
					if q := int32(l.I8[o*12+i]); v != float32(g.Scale)*float32(q-g.Zero) || math.Abs(float64(v-want)) > 0.51*g.Scale {
						t.Errorf("%s: %d stands for %v, weight %v, grid %+v", s, q, v, want, g)
					}
				}
			}
		}
	}
}

// BenchmarkObserve has each observer see what a wide layer gives for the lab's calibration sample: 16 batches of 64 x 1024
// numbers after a ReLU.
func BenchmarkObserve(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 9))
	x := make([]float32, 1024*1024)
	for i := range x {
		x[i] = float32(max(r.NormFloat64()*(1+float64(i)/float64(len(x))), 0))
	}
	for _, plan := range everyObserver(1) {
		q := plan[0].Activation
		if q.Bits != 8 || q.Percentile == 97 {
			continue
		}
		o := must.Have(NewObserver(q))(b)
		b.Run(fmt.Sprint(q.Observer, "/see"), func(b *testing.B) {
			for b.Loop() {
				o.Reset()
				for part := range slices.Chunk(x, 64*1024) {
					if err := o.Observe(part); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(fmt.Sprint(q.Observer, "/choose"), func(b *testing.B) {
			for b.Loop() {
				o.QParams()
			}
		})
	}
}
