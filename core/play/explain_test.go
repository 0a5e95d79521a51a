package play

import (
	"math"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// about returns findings about a layer with nothing remarkable, which edit makes remarkable.
func about(edit func(f *findings)) *findings {
	fine := wire.Distortion{SQNR: 30}
	f := &findings{
		Layer: &wire.Layer{
			In: 4, Out: 100, ReLU: true, Scheme: "static-w8c-a8r-minmax", WeightLoss: fine, InputLoss: fine, OutputLoss: fine, ChainLoss: fine,
			Weights: wire.Distribution{Count: 400}, Input: wire.Distribution{Hi: 1, Count: 1000, Mean: 0.5, Used: 128, Grid: &wire.Grid{Scale: 1.0 / 127, Max: 255, Hi: 2, Top: 127}},
		},
		weights: &weights{rows: []float64{1, 1}}, data: nn.MNIST, input: effect{near: 8}, examples: 1024,
	}
	edit(f)
	return f
}

// TestExplainWords: each rule speaks where it has to, with the right numbers, and only there.
func TestExplainWords(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(f *findings)
		want string
	}{
		"nothing":     {func(f *findings) {}, ""},
		"faithful":    {func(f *findings) { f.OutputLoss.SQNR, f.ChainLoss.SQNR = 40, 40 }, "Quantization costs next to nothing here: the outputs err by 1% (40.0 dB)."},
		"poor":        {func(f *findings) { f.OutputLoss.SQNR = 10; f.ChainLoss.SQNR = 10 }, "The outputs err by 32% (10.0 dB): this layer alone can cost accuracy."},
		"three bits":  {func(f *findings) { f.Scheme = "static-w3c-a8r-minmax"; f.weights.lost.vanished = 100 }, "3 bits leave the weights 8 levels, and 25% of them become zero (30.0 dB)."},
		"four bits":   {func(f *findings) { f.Scheme = "static-w4c-a8r-minmax" }, "4 bits leave the weights 16 levels (30.0 dB)."},
		"one scale":   {func(f *findings) { f.Scheme = "static-w8-a8r-minmax"; f.weights.rows = []float64{0.1, 1} }, "One scale serves outputs whose largest weights range from 0.1 to 1: a scale per channel would gain about 3.0 dB in the weights."},
		"even rows":   {func(f *findings) { f.Scheme = "static-w8-a8r-minmax" }, ""},
		"no rows":     {func(f *findings) { f.Scheme = "static-w8-a8r-minmax"; f.weights.rows = []float64{0, 0} }, ""},
		"clipped":     {func(f *findings) { f.Input.Clipped = 0.0123; f.Input.Hi = 14.2 }, "1.2% of the activations entering are clipped: they reach 14.2, the grid ends at 2."},
		"clipped low": {func(f *findings) { f.Output = wire.Distribution{Clipped: 0.5, Lo: -3, Grid: &wire.Grid{Lo: -1, Hi: 1}} }, "50% of the activations leaving are clipped: they reach -3, the grid ends at -1."},
		"one dead":    {func(f *findings) { f.Dead = []int{7} }, "1 of its 100 units is never positive on any of the 1,024 calibration examples: as far as that tells, it could be left out."},
		"dead on one": {func(f *findings) { f.Dead, f.examples = []int{7}, 1 }, "1 of its 100 units is never positive on the only calibration example: as far as that tells, it could be left out."},
		"dead":        {func(f *findings) { f.Dead = []int{7, 8} }, "2 of its 100 units are never positive on any of the 1,024 calibration examples: as far as that tells, they could be left out."},
		"weights":     {func(f *findings) { f.InputLoss.SQNR = 50 }, "The weights lose more than the activations entering: 30.0 dB against 50.0 dB."},
		"activations": {func(f *findings) { f.InputLoss.SQNR = 20 }, "The activations entering lose more than the weights: 20.0 dB against 30.0 dB."},
		"behind":      {func(f *findings) { f.ChainLoss.SQNR = 20 }, "Most of the error comes from the layers before: alone this one keeps 30.0 dB, behind them 20.0 dB."},
		"pixels":      {func(f *findings) { f.first = true; f.Input.Zeros = 810 }, "81% of the pixels are zero, which the grid holds exactly."},
		"exact counts": {func(f *findings) {
			f.first, f.data = true, nn.SST2
			f.Input.Hi, f.Input.Used = 4, 1
			f.Input.Grid = &wire.Grid{Scale: 0.5, Max: 7}
		},
			"Word counts of 0, 1 and 2 stay exact on a grid of step 0.5, of whose 8 levels 1 is used."},
		"counts": {func(f *findings) {
			f.first, f.data = true, nn.SST2
			f.Input.Hi, f.Input.Used = 1, 2
			f.Input.Grid = &wire.Grid{Scale: 0.3, Max: 7}
		},
			"Word counts of 0 and 1 become 0 and 0.9 on a grid of step 0.3, of whose 8 levels 2 are used."},
		"counts of examples": {func(f *findings) {
			f.first, f.data = true, nn.SST2
			f.Input.Hi, f.Input.Used = 5, 12
			f.input.dynamic, f.input.perRow = true, true
			f.Input.Grid = &wire.Grid{Scale: 1.0 / 255, Max: 255}
		},
			"Word counts of 0 and 1 stay exact on the examples' middle grid, of step 0.00392; of the 256 levels, all grids together use 12."},
		"symmetric": {func(f *findings) { f.Input.Grid.Zero = 64 },
			"No activation entering is negative, and yet the symmetric grid keeps half of its levels for such."},
		"exact activations": {func(f *findings) { f.InputLoss.SQNR = 145 }, "The weights lose (30.0 dB), the activations entering next to nothing."},
		"few levels":        {func(f *findings) { f.Input.Used = 37 }, "Of the 128 levels for the activations entering, 37 are used."},
		"outlier": {func(f *findings) {
			f.Input.Hi, f.Input.Zeros, f.input.crowd, f.Input.Grid.Scale = 14.2, 200, 784, 14.2/127
		},
			"73% of the non-zero activations entering fall in the lowest 8 of 128 levels: the largest, 14.2, is 23 times their mean and stretches the range."},
		"clipped outlier": {func(f *findings) {
			f.Input.Hi, f.Input.Zeros, f.input.crowd = 14.2, 200, 784
			f.Input.Grid = &wire.Grid{Scale: 10.0 / 127, Max: 255, Top: 127}
		},
			"73% of the non-zero activations entering fall in the lowest 8 of 128 levels: the range reaches to 10, 16 times their mean."},
		"outlier of each batch": {func(f *findings) { f.Input.Hi, f.Input.Zeros, f.input.crowd, f.input.dynamic = 14.2, 200, 784, true },
			"73% of the non-zero activations entering fall in the lowest 8 of 128 levels: the largest of each batch stretches its range; of all, 14.2 is 23 times their mean."},
		"all become zero": {func(f *findings) {
			f.Input.Hi, f.Input.Zeros, f.input.crowd, f.input.near, f.Input.Grid.Scale = 14.2, 200, 784, 1, 14.2/127
		},
			"73% of the non-zero activations entering become zero on a grid of 128 levels: the largest, 14.2, is 23 times their mean and stretches the range."},
		"no outlier but zeros": {func(f *findings) { f.Input.Zeros, f.input.crowd = 900, 910 }, ""},
		"float32":              {func(f *findings) { f.Scheme = "float32"; f.OutputLoss.SQNR, f.ChainLoss.SQNR = 400, 400 }, "Nothing was converted here: the layer computes as it was trained."},
		"one huge weight": {func(f *findings) { f.Scheme = "float16"; f.weights.lost.saturated = 1 },
			"1 weight lies beyond 65,504, the largest half: it is stored as that. Halves keep 11 bits of each weight: the outputs err by 3.2% (30.0 dB)."},
		"tiny weights": {func(f *findings) { f.Scheme = "float16"; f.weights.lost.subnormal = 1234 },
			"Halves keep 11 bits of each weight: the outputs err by 3.2% (30.0 dB). 1,234 weights are smaller than 0.000061, where halves lose bits; so little hardly counts."},
	} {
		f := about(c.edit)
		present, err := scheme.ParseScheme(f.Scheme)
		got := tell(f.sentences(present, alternative{}))
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, %q, want %q", name, err, got, c.want)
		}
	}
}

// TestOutlier: one huge activation leaves all others on one level.
func TestOutlier(t *testing.T) {
	const rows = 2048
	x := make([]float32, 2*rows)
	for i := range x {
		x[i] = float32(1+i%50) / 50
	}
	x[17] = 30
	net := identity()
	var batches []nn.Batch
	for part := range slices.Chunk(x, 2*lab.EvalBatch) {
		batches = append(batches, nn.Batch{Rows: lab.EvalBatch, Cols: 2, Dense: part})
	}
	v := viewOf(t, net, batches...)
	s, err := scheme.ParseScheme("static-w8-a4-minmax")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, &fakeSource{})
	in := &inspector{b: b, n: &network{net: net, spec: nn.Spec{Data: nn.MNIST, Crop: 1}}, plan: scheme.Plan{s}, view: v, look: never}
	l, err := in.layer(0, make([][]float32, 1))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(l.Explain, " ")
	// On a step of 2 everything up to 1 is 0: one level for all but the huge one.
	if l.Input.Grid.Scale != 2 || l.Input.Used != 2 || !strings.Contains(text, "become zero on a grid of 16 levels: the largest, 30, is") {
		t.Errorf("%+v: %s", l.Input.Grid, text)
	}
}

func TestExplainAlternatives(t *testing.T) {
	better := alternative{"percentile 99.9 instead of histogram", 5.42}
	for want, edit := range map[string]func(f *findings){
		"Percentile 99.9 instead of histogram would gain 5.4 dB in the activations entering.": func(f *findings) {},
		"73% of the non-zero activations entering fall in the lowest 8 of 128 levels: the largest, 14.2, is 23 times their mean and stretches the range; " +
			"percentile 99.9 instead of histogram would gain 5.4 dB.": func(f *findings) {
			f.Input.Hi, f.Input.Zeros, f.input.crowd, f.Input.Grid.Scale = 14.2, 200, 784, 14.2/127
		},
	} {
		f := about(edit)
		s, err := scheme.ParseScheme(f.Scheme)
		if got := tell(f.sentences(s, better)); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q, want %q, %v", got, want, err)
		}
	}
}

func TestTell(t *testing.T) {
	found := []sentence{{"a", 1, "a1"}, {"b", 5, "b5"}, {"b", 7, "b7"}, {"c", 3, "c3"}, {"d", 2, "d2"}}
	if got := tell(found); !slices.Equal(got, []string{"b7", "c3", "d2"}) {
		t.Errorf("%q", got)
	}
	if got := tell(nil); got == nil || len(got) != 0 {
		t.Errorf("%#v", got)
	}
}

func TestNumbers(t *testing.T) {
	for share, want := range map[float64]string{0: "0%", 0.00001: "less than 0.01%", 0.00012: "0.012%", 0.736: "74%", 0.99994: "over 99.9%", 1: "100%", 0.995: "99.5%"} {
		if got := percent(share); got != want {
			t.Errorf("%v: %s, want %s", share, got, want)
		}
	}
	if dB(-0.04) != "0.0 dB" || dB(-0.06) != "-0.1 dB" || gained(145) != "more than 60.0 dB" {
		t.Errorf("%s, %s, %s", dB(-0.04), dB(-0.06), gained(145))
	}
	if errs(quant.MaxSQNR) != "less than 0.01%" || figure(0.0300) != "0.03" || figure(math.Pi*1e4) != "31,416" || and([]string{"1"}) != "1" || and(nil) != "" {
		t.Errorf("%s, %s, %s", errs(quant.MaxSQNR), figure(0.03), figure(math.Pi*1e4))
	}
}
