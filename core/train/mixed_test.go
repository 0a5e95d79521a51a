package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// state is everything that a step of training may change.
func state(tr *trainer) (all []uint32) {
	for _, l := range tr.layers {
		for _, p := range []tensor{l.weight, l.bias} {
			for _, m := range []kernel.Matrix{p.value, p.mean, p.square} {
				for r := range m.Rows {
					for _, v := range m.Row(r) {
						all = append(all, math.Float32bits(v))
					}
				}
			}
		}
	}
	return all
}

// TestOverflow plants gradients that overflow float16: the step is skipped, weights and Adam stay as they are, and the scale
// halves. Once the batch is an ordinary one again, training goes on, and after an interval of good steps the scale doubles.
func TestOverflow(t *testing.T) {
	for _, engine := range kernel.Engines() {
		for _, threads := range []int{1, 3} {
			for _, sparse := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, threads=%d, sparse=%v", engine.Name(), threads, sparse), func(t *testing.T) {
					team := kernel.NewTeam(threads)
					defer team.Close()
					spec, data := tiny(320, sparse)
					net := nn.New(spec)
					Init(net, 0)
					tr := newTrainer(net, engine, team, 32, sparse, Float16)
					tr.mixed.scaler.scale, tr.mixed.scaler.interval = 1024, 3
					var batch nn.Batch
					data.Slice(&batch, 0, 32)
					step := func() { tr.step(batch, data.Labels[:32]) }
					step()
					if tr.mixed.skipped != 0 {
						t.Fatal("an ordinary step was skipped")
					}

					before, adam := state(tr), len(tr.adam.steps)
					values := batch.Dense
					if sparse {
						values = batch.Value
					}
					kept := slices.Clone(values)
					for i := range values {
						values[i] *= 30000
					}
					step()
					step()
					if tr.mixed.skipped != 2 || tr.mixed.scaler.scale != 256 {
						t.Errorf("after two overflows: %d skipped, scale %v", tr.mixed.skipped, tr.mixed.scaler.scale)
					}
					if len(tr.adam.steps) != adam || !slices.Equal(state(tr), before) {
						t.Error("a skipped step changed weights or Adam")
					}

					copy(values, kept)
					for i, want := range []float32{256, 256, 512, 512} {
						if step(); tr.mixed.scaler.scale != want {
							t.Errorf("after %d good steps the scale is %v, not %v", i+1, tr.mixed.scaler.scale, want)
						}
					}
					if len(tr.adam.steps) != adam+4 || slices.Equal(state(tr), before) {
						t.Error("training did not go on")
					}
				})
			}
		}
	}
}

var mixedPrecisions = []Precision{BFloat16, Float16}

// TestSparseIsDenseInHalves checks that bags train the very network that their dense rows do, to the bit, although now and then a
// step is skipped: words that miss it or don't catch up with as many steps of Adam as there were. (Bfloat16 products add in pairs,
// which a bag's don't.)
func TestSparseIsDenseInHalves(t *testing.T) {
	const rows, words, steps = 6, 24, 600
	spec := nn.Spec{ID: "gaps", In: words, Hidden: []int{70, 20}, Out: 3, LR: 0.002}
	gap := func(i int) int { return 1 + i*i*i/22 }
	batch := func(step int) (nn.Batch, []uint8) {
		r := rand.New(rand.NewPCG(uint64(step), 3))
		x, labels := nn.Batch{Rows: rows, Cols: words, Dense: make([]float32, rows*words)}, make([]uint8, rows)
		count := float32(1)
		if step%37 == 1 { // from the second step on, so that some words are first seen in a skipped one
			count = 20000
		}
		for i := range words - 1 {
			if step%gap(i) == gap(i)/2 {
				x.Dense[r.IntN(rows)*words+i] = count * float32(1+r.IntN(3))
			}
		}
		for i := range labels {
			labels[i] = uint8(r.IntN(3))
		}
		return x, labels
	}
	for _, engine := range kernel.Engines() {
		t.Run(engine.Name(), func(t *testing.T) {
			team := kernel.NewTeam(2)
			defer team.Close()
			one, two := nn.New(spec), nn.New(spec)
			Init(one, 1)
			Init(two, 1)
			sparse, dense := newTrainer(one, engine, team, rows, true, Float16), newTrainer(two, engine, team, rows, false, Float16)
			for step := range steps {
				x, labels := batch(step)
				if a, b := sparse.step(compress(x), labels), dense.step(x, labels); math.Float64bits(a) != math.Float64bits(b) {
					t.Fatalf("step %d: losses %v and %v", step, a, b)
				}
			}
			if n := dense.mixed.skipped; n < 10 || n > steps/10 || sparse.mixed.skipped != n {
				t.Errorf("%d and %d steps were skipped", sparse.mixed.skipped, n)
			}
			sparse.store(one)
			dense.store(two)
			if !slices.Equal(parameters(one), parameters(two)) {
				t.Error("bags and their dense rows train different networks")
			}
		})
	}
}

// TestMixedReproducible checks that a seed gives the same bits with every engine and any number of threads, and other ones in
// another precision.
func TestMixedReproducible(t *testing.T) {
	for _, sparse := range []bool{false, true} {
		spec, data := tiny(300, sparse)
		spec.Hidden = []int{200, 130} // wide enough for the threads to share the work
		var nets [][]uint32
		for _, precision := range append([]Precision{Float32}, mixedPrecisions...) {
			var want []uint32
			for _, engine := range kernel.Engines() {
				for _, threads := range []int{1, 2, 3} {
					net, err := Train(t.Context(), spec, data, Options{Seed: 5, Threads: threads, Engine: engine, Precision: precision}, nil)
					if err != nil {
						t.Fatal(err)
					}
					switch got := parameters(net); {
					case want == nil:
						want = got
					case precision != Float32 && !slices.Equal(got, want):
						t.Errorf("%v, sparse %v: %s with %d threads trains another network", precision, sparse, engine.Name(), threads)
					}
				}
			}
			for i, other := range nets {
				if slices.Equal(want, other) {
					t.Errorf("sparse %v: precisions %d and %d train the same network", sparse, i, len(nets))
				}
			}
			nets = append(nets, want)
		}
	}
}

func TestMixedLearns(t *testing.T) {
	for _, precision := range mixedPrecisions {
		for _, sparse := range []bool{false, true} {
			spec, data := tiny(3000, sparse)
			var last Progress
			net, err := Train(t.Context(), spec, data.Head(2500), Options{Precision: precision}, func(p Progress) { last = p })
			if err != nil {
				t.Fatal(err)
			}
			var held []int
			for i := 2500; i < data.Len(); i++ {
				held = append(held, i)
			}
			correct, total, err := Accuracy(t.Context(), net, data.Pick(held), Options{})
			if err != nil || total != 500 || correct < 430 {
				t.Errorf("%v, sparse %v: %d of %d right, %v", precision, sparse, correct, total, err)
			}
			if scaled := precision == Float16; scaled != (last.Scale > 0) || !(last.Matrix > 0 && last.Matrix < last.Time) {
				t.Errorf("%v, sparse %v: %+v", precision, sparse, last)
			}
		}
	}
}

// TestMixedIsAsAccurate trains on a part of the real images: what the precisions make of the test images differs by no more than the
// choice of a seed does, whose standard deviation is about half a percent here.
func TestMixedIsAsAccurate(t *testing.T) {
	spec, err := nn.SpecOf("mnist-lab1")
	if err != nil {
		t.Fatal(err)
	}
	data, test := labData(t, spec)
	data = data.Sample(4000, 1)
	accuracy := func(p Precision) float64 {
		opt := Options{Threads: 2, Epochs: 1, Precision: p}
		net, err := Train(t.Context(), spec, data, opt, nil)
		if err != nil {
			t.Fatal(err)
		}
		correct, total, err := Accuracy(t.Context(), net, test, opt)
		if err != nil {
			t.Fatal(err)
		}
		return float64(correct) / float64(total)
	}
	want := accuracy(Float32)
	for _, p := range mixedPrecisions {
		got := accuracy(p)
		t.Logf("%v: accuracy %.4f, float32's %.4f", p, got, want)
		if math.Abs(got-want) > 0.015 {
			t.Errorf("%v: accuracy %.4f, float32's is %.4f", p, got, want)
		}
	}
}

func TestMixedBadInput(t *testing.T) {
	spec, data := tiny(64, false)
	if _, err := Train(t.Context(), spec, data, Options{Precision: "float8"}, nil); err == nil || !strings.Contains(err.Error(), `"float8"`) {
		t.Errorf("float8: %v", err)
	}
	for _, p := range mixedPrecisions {
		fast := spec
		fast.LR, fast.Epochs = 1e30, 50
		if net, err := Train(t.Context(), fast, data, Options{Precision: p}, nil); net != nil || err == nil || !strings.Contains(err.Error(), "diverged") {
			t.Errorf("%v at a learning rate of 1e30: %v", p, err)
		}
	}
}
