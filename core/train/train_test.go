package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"quantlab/core/dataset"
	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// tiny is a problem that is quickly learnt: the class is the third of the features in which most of the weight lies.
func tiny(n int, sparse bool) (nn.Spec, *dataset.Examples) {
	const dim, classes = 30, 3
	spec := nn.Spec{ID: "tiny", In: dim, Hidden: []int{40, 70}, Out: classes, LR: 0.003, Batch: 32, Epochs: 2}
	r := rand.New(rand.NewPCG(7, 7))
	e := &dataset.Examples{Dim: dim}
	if sparse {
		e.Start, e.Index, e.Count = []int32{0}, []int32{}, []float32{}
	}
	for range n {
		class := r.IntN(classes)
		for k := range dim - 1 { // the last feature never appears
			count := 0
			if r.Float64() < 0.1 || (k*classes/dim == class && r.Float64() < 0.4) {
				count = 1 + r.IntN(3)
			}
			if !sparse {
				e.Pixels = append(e.Pixels, uint8(count*80))
			} else if count > 0 {
				e.Index, e.Count = append(e.Index, int32(k)), append(e.Count, float32(count))
			}
		}
		if sparse {
			e.Start = append(e.Start, int32(len(e.Index)))
		} else {
			e.Pixels = append(e.Pixels, 0)
		}
		e.Labels = append(e.Labels, uint8(class))
	}
	return spec, e
}

func parameters(net *nn.Network) (all []uint32) {
	for _, l := range net.Layers {
		for _, v := range slices.Concat(l.W, l.B) {
			all = append(all, math.Float32bits(v))
		}
	}
	return all
}

func TestLearns(t *testing.T) {
	for _, sparse := range []bool{false, true} {
		spec, data := tiny(3000, sparse)
		net, err := Train(t.Context(), spec, data.Head(2500), Options{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var held []int
		for i := 2500; i < data.Len(); i++ {
			held = append(held, i)
		}
		correct, total, err := Accuracy(t.Context(), net, data.Pick(held), Options{Threads: 2})
		if err != nil || total != 500 || correct < 430 {
			t.Errorf("sparse %v: %d of %d right, %v", sparse, correct, total, err)
		}
	}
}

// TestReproducible checks that a seed gives the same bits again, with any number of threads, and another seed others.
func TestReproducible(t *testing.T) {
	for _, engine := range kernel.Engines() {
		for _, sparse := range []bool{false, true} {
			spec, data := tiny(300, sparse)
			// Wide enough for the threads to share the work.
			spec.Hidden = []int{200, 130}
			train := func(seed uint64, threads int) []uint32 {
				t.Helper()
				net, err := Train(t.Context(), spec, data, Options{Seed: seed, Threads: threads, Engine: engine}, nil)
				if err != nil {
					t.Fatal(err)
				}
				return parameters(net)
			}
			want := train(5, 1)
			for _, threads := range []int{0, 1, 2, 3} {
				if !slices.Equal(train(5, threads), want) {
					t.Errorf("%s, sparse %v: %d threads train another network than one", engine.Name(), sparse, threads)
				}
			}
			if slices.Equal(train(6, 1), want) {
				t.Errorf("%s, sparse %v: two seeds train the same network", engine.Name(), sparse)
			}
		}
	}
}

// TestEnginesAgree checks that the engines which fuse multiplications with additions train the same network, to the bit.
func TestEnginesAgree(t *testing.T) {
	for _, sparse := range []bool{false, true} {
		spec, data := tiny(300, sparse)
		spec.Hidden = []int{200, 130}
		var want []uint32
		for _, e := range kernel.Engines() {
			if e.Name() != "avx2" && e.Name() != "avx512" {
				continue
			}
			net, err := Train(t.Context(), spec, data, Options{Engine: e, Threads: 2}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := parameters(net); want == nil {
				want = got
			} else if !slices.Equal(got, want) {
				t.Errorf("sparse %v: avx2 and avx512 train different networks", sparse)
			}
		}
	}
}

// TestSparseIsDense checks that bags train the very network that their dense rows do, to the bit: that a word which has missed
// any number of Adam's steps catches up with all of them. Word i is in a batch every gap(i) steps, the last ones never or once.
func TestSparseIsDense(t *testing.T) {
	const rows, words, steps = 6, 24, 1300
	spec := nn.Spec{ID: "gaps", In: words, Hidden: []int{70, 20}, Out: 3, LR: 0.002}
	gap := func(i int) int { return 1 + i*i*i/11 } // 1 to 1106: means fade after some 600
	batch := func(step int) (nn.Batch, []uint8) {
		r := rand.New(rand.NewPCG(uint64(step), 3))
		x, labels := nn.Batch{Rows: rows, Cols: words, Dense: make([]float32, rows*words)}, make([]uint8, rows)
		for i := range words - 1 {
			if step%gap(i) == gap(i)/2 {
				x.Dense[r.IntN(rows)*words+i] = float32(1 + r.IntN(3))
			}
		}
		for i := range labels {
			labels[i] = uint8(r.IntN(3))
		}
		return x, labels
	}
	for _, engine := range kernel.Engines() {
		for _, threads := range []int{1, 2, 3} {
			t.Run(fmt.Sprintf("%s, threads=%d", engine.Name(), threads), func(t *testing.T) {
				team := kernel.NewTeam(threads)
				defer team.Close()
				one, two := nn.New(spec), nn.New(spec)
				Init(one, 1)
				Init(two, 1)
				sparse, dense := newTrainer(one, engine, team, rows, true, Float32), newTrainer(two, engine, team, rows, false, Float32)
				for step := range steps {
					x, labels := batch(step)
					if a, b := sparse.step(compress(x), labels), dense.step(x, labels); a != b {
						t.Fatalf("step %d: losses %v and %v", step, a, b)
					}
				}
				sparse.store(one)
				dense.store(two)
				if !slices.Equal(parameters(one), parameters(two)) {
					t.Fatal("bags and their dense rows train different networks")
				}
			})
		}
	}
}

// lossOf is the mean cross-entropy in float64, straight from the definitions.
func lossOf(net *nn.Network, x nn.Batch, labels []uint8) float64 {
	total := 0.0
	for r, label := range labels {
		var in []float64
		for _, v := range x.Dense[r*x.Cols : (r+1)*x.Cols] {
			in = append(in, float64(v))
		}
		for _, l := range net.Layers {
			out := make([]float64, l.Out)
			for o := range out {
				out[o] = float64(l.B[o])
				for k, v := range in {
					out[o] += v * float64(l.W[o*l.In+k])
				}
				if l.ReLU {
					out[o] = max(out[o], 0)
				}
			}
			in = out
		}
		sum := 0.0
		for _, v := range in {
			sum += math.Exp(v)
		}
		total -= math.Log(math.Exp(in[label]) / sum)
	}
	return total / float64(len(labels))
}

// TestGradient compares every gradient with the slope of the loss.
func TestGradient(t *testing.T) {
	for _, sparse := range []bool{false, true} {
		spec := nn.Spec{ID: "small", In: 6, Hidden: []int{5, 4}, Out: 3, LR: 0.001}
		net := nn.New(spec)
		Init(net, 3)
		r := rand.New(rand.NewPCG(1, 1))
		x := nn.Batch{Rows: 5, Cols: 6, Dense: make([]float32, 30)}
		for i := range x.Dense {
			x.Dense[i] = float32(r.IntN(3))
		}
		labels := []uint8{0, 1, 2, 1, 0}
		tr := newTrainer(net, kernel.Best(), nil, 5, sparse, Float32)
		in := x
		if sparse {
			in = compress(x)
		}
		if loss, want := tr.step(in, labels), lossOf(net, x, labels); math.Abs(loss-want) > 1e-6 {
			t.Fatalf("the loss is %v, not %v", loss, want)
		}
		for i, l := range net.Layers {
			for name, pair := range map[string][2][]float32{
				"weight": {l.W, gradientOf(tr, i, l)}, "bias": {l.B, tr.layers[i].bias.grad.Row(0)},
			} {
				for j := range pair[0] {
					v := pair[0][j]
					above, below := v+0x1p-14, v-0x1p-14 // near enough that hardly a ReLU switches
					pair[0][j] = above
					up := lossOf(net, x, labels)
					pair[0][j] = below
					down := lossOf(net, x, labels)
					pair[0][j] = v
					if slope := (up - down) / (float64(above) - float64(below)); math.Abs(slope-float64(pair[1][j])) > 1e-6 {
						t.Errorf("sparse %v: layer %d's %s %d: gradient %v, slope %v", sparse, i, name, j, pair[1][j], slope)
					}
				}
			}
		}
	}
}

func TestInit(t *testing.T) {
	spec, err := nn.SpecOf("mnist-lab1")
	if err != nil {
		t.Fatal(err)
	}
	net := nn.New(spec)
	Init(net, 0)
	for _, l := range net.Layers {
		bound := 1 / math.Sqrt(float64(l.In))
		for _, p := range [][]float32{l.W, l.B} {
			sum, squares := 0.0, 0.0
			for _, v := range p {
				if math.Abs(float64(v)) > bound {
					t.Fatalf("%s: %v lies beyond %v", l.Name, v, bound)
				}
				sum, squares = sum+float64(v), squares+float64(v)*float64(v)
			}
			// A uniform distribution's standard deviation, and 5 standard errors of its estimates.
			n, sd := float64(len(p)), bound/math.Sqrt(3)
			if math.Abs(sum/n) > 5*sd/math.Sqrt(n) || math.Abs(squares/n-sd*sd) > 5*sd*sd/math.Sqrt(n) {
				t.Errorf("%s: mean %v and mean square %v of %v do not look uniform within %v", l.Name, sum/n, squares/n, n, bound)
			}
		}
	}
}

func TestProgress(t *testing.T) {
	spec, data := tiny(70, false) // 32 + 32 + 6
	var got []string
	_, err := Train(t.Context(), spec, data, Options{Epochs: 2}, func(p Progress) {
		if !(p.Loss > 0 && p.Loss < 5) {
			t.Errorf("the loss is %v", p.Loss)
		}
		got = append(got, fmt.Sprintf("%d/%d %d/%d", p.Epoch, p.Epochs, p.Step, p.Steps))
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"1/2 1/3", "1/2 2/3", "1/2 3/3", "2/2 1/3", "2/2 2/3", "2/2 3/3"}; !slices.Equal(got, want) {
		t.Errorf("progress %v, not %v", got, want)
	}
}

// TestOrder tells the examples by their losses, at a learning rate that changes nothing: every epoch has all of them,
// each in another order than the one before.
func TestOrder(t *testing.T) {
	spec, data := tiny(40, true)
	spec.Batch, spec.LR, spec.Epochs = 1, 1e-30, 3
	epochs := make([][]float64, 3)
	if _, err := Train(t.Context(), spec, data, Options{}, func(p Progress) {
		epochs[p.Epoch-1] = append(epochs[p.Epoch-1], p.Loss)
	}); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if slices.Equal(epochs[i], epochs[i+1]) {
			t.Errorf("epochs %d and %d have the same order", i+1, i+2)
		}
		if !slices.Equal(slices.Sorted(slices.Values(epochs[i])), slices.Sorted(slices.Values(epochs[i+1]))) {
			t.Errorf("epochs %d and %d have different examples", i+1, i+2)
		}
	}
}

func TestCancel(t *testing.T) {
	spec, data := tiny(320, true)
	ctx, cancel := context.WithCancel(t.Context())
	steps := 0
	net, err := Train(ctx, spec, data, Options{Threads: 2}, func(Progress) {
		if steps++; steps == 3 {
			cancel()
		}
	})
	if net != nil || !errors.Is(err, context.Canceled) || steps != 3 {
		t.Errorf("after a cancel in step 3: step %d, %v, %v", steps, net, err)
	}
	if _, _, err := Accuracy(ctx, nn.New(spec), data, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Accuracy after a cancel: %v", err)
	}
}

func TestBadInput(t *testing.T) {
	spec, data := tiny(64, false)
	with := func(change func(*nn.Spec)) nn.Spec {
		s := spec
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		spec nn.Spec
		data *dataset.Examples
		opt  Options
		want string
	}{
		"no examples":      {spec, data.Head(0), Options{}, "no examples"},
		"features":         {with(func(s *nn.Spec) { s.In = 31 }), data, Options{}, "reads 31 features, but the examples have 30"},
		"classes":          {with(func(s *nn.Spec) { s.Out = 2 }), data, Options{}, "of class 2, but tiny knows only 2 classes"},
		"epochs":           {spec, data, Options{Epochs: -1}, "-1 epochs"},
		"batch":            {with(func(s *nn.Spec) { s.Batch = 0 }), data, Options{}, "batches of 0"},
		"learning rate":    {with(func(s *nn.Spec) { s.LR = math.NaN() }), data, Options{}, "learning rate of NaN"},
		"diverging":        {with(func(s *nn.Spec) { s.LR = 1e30 }), data, Options{}, "diverged"},
		"an empty network": {nn.Spec{ID: "empty"}, data, Options{}, "no inputs or no outputs"},
	} {
		t.Run(name, func(t *testing.T) {
			net, err := Train(t.Context(), c.spec, c.data, c.opt, nil)
			if net != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, not an error that says %q", err, c.want)
			}
		})
	}
	if _, _, err := Accuracy(t.Context(), nn.New(with(func(s *nn.Spec) { s.In = 7 })), data, Options{}); err == nil {
		t.Error("Accuracy ran a network of 7 inputs on examples of 30 features")
	}
}

// TestAccuracyNaN checks that a network that answers NaN is not credited with an answer.
func TestAccuracyNaN(t *testing.T) {
	spec, data := tiny(50, false)
	net := nn.New(spec)
	net.Layers[2].B[0] = float32(math.NaN())
	if correct, total, err := Accuracy(t.Context(), net, data, Options{}); correct != 0 || total != 50 || err != nil {
		t.Errorf("%d of %d, %v", correct, total, err)
	}
}

func TestNoAllocation(t *testing.T) {
	for _, precision := range append([]Precision{Float32}, mixedPrecisions...) {
		for _, sparse := range []bool{false, true} {
			spec, data := tiny(320, sparse)
			for _, threads := range []int{1, 2} {
				team := kernel.NewTeam(threads)
				net := nn.New(spec)
				Init(net, 0)
				tr := newTrainer(net, kernel.Best(), team, 32, sparse, precision)
				var batch nn.Batch
				data.Slice(&batch, 0, 32)
				if n := testing.AllocsPerRun(10, func() { tr.step(batch, data.Labels[:32]) }); n != 0 {
					t.Errorf("%v, sparse %v, %d threads: %v allocations a step", precision, sparse, threads, n)
				}
				team.Close()
			}
		}
	}
}
