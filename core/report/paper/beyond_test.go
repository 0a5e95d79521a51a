package paper

import (
	"math"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

// Equal strengths keep the order of the axes; what is not supported has none.
func TestRank(t *testing.T) {
	strong := ratio{1, 0.5, 1.5}
	effects := []effect{
		{axis: task, ratio: strong, supported: true}, {axis: model, ratio: strong, supported: true}, {axis: model, ratio: strong.inverse(), supported: true},
		{axis: precision, ratio: ratio{3, 2, 4}}, {axis: batchSize, ratio: ratio{0, -1, 1}},
	}
	axes := rank([]string{precision, model, task, batchSize}, effects)
	if axes[0].name != model || axes[1].name != task || axes[0].best != &effects[1] || axes[0].supported != 2 || axes[0].total != 2 {
		t.Errorf("%+v", axes)
	}
	if axes[2].best != nil || axes[3].best != nil || axes[2].name != precision {
		t.Errorf("%+v", axes)
	}
	contains(t, "nothing", nothing(axes, 2), "Along no other axis is an effect supported: the 95% intervals of all 2 comparisons (precision and batch size)")
	contains(t, "nothing", nothing(rank([]string{model, layer}, []effect{{axis: model}}), 0), "Along no axis is an effect supported: the 95% interval of the one comparison (model) holds", "nothing to compare along the axis of layer")
}

// amp is a training of one model, in which the low type is faster by these factors.
func amp(model string, time, matrix float64, emulated bool) wire.AMPRow {
	share := 0.9
	row := wire.Row{Model: model, Variant: wire.AMPVariant, Q: wire.AMPQ, DType: "float32", Accuracy: &share, Correct: 900, Total: 1000, Interval: &[2]float64{0.88, 0.92},
		Paired: &wire.Paired{Gained: 2, Lost: 2, P: 1, Flipped: []int{1, 2, 3, 4}}}
	base := row
	base.Variant, base.Q, base.Paired = wire.Baseline, "--", nil
	verdict := func(v float64) *wire.Verdict {
		return &wire.Verdict{Word: wire.Faster, Ratio: v, Low: v * 0.98, High: v * 1.02}
	}
	r := wire.AMPRow{Row: row, Baseline: base, Type: wire.BFloat16, Emulated: emulated, Time: verdict(time), Matrix: verdict(matrix)}
	for seed := range uint64(3) {
		s := 10 + float64(seed)
		r.Float32 = append(r.Float32, wire.Training{Model: model, Type: "float32", Seed: seed, Seconds: s, Matrix: s * 0.8, Correct: 900, Total: 1000, Steps: 10})
		r.Mixed = append(r.Mixed, wire.Training{Model: model, Type: wire.BFloat16, Seed: seed, Seconds: s / time, Matrix: s * 0.8 / matrix, Correct: 900, Total: 1000, Steps: 10, Skipped: 2,
			Curve: []wire.CurvePoint{{Step: 1, Loss: 2, Scale: 8}, {Step: 2, Loss: 1, Scale: 4, Skipped: 1}, {Step: 3, Loss: 1, Scale: 4, Skipped: 1}, {Step: 4, Loss: 0.5, Scale: 2, Skipped: 2}}})
	}
	return r
}

func TestMixedPrecision(t *testing.T) {
	p := New(wire.Study{AMP: []wire.AMP{{Rows: []wire.AMPRow{amp("mnist-lab1", 1.5, 2, false), amp("sst2-lab1", 1.1, 1.2, false)}}}}, Context{})
	d := draft(t, p, "amp-1")
	contains(t, "amp-1", d.Title+d.Text, "Precision, mixed-precision training", "Training mnist-lab1 in bfloat16 is 1.50 times faster than in float32 (95% interval 1.47–1.53)",
		"Matrix products take 80% of float32's training time", "training would be 1.67 times as fast", "3 seeds")
	contains(t, "amp-2", draft(t, p, "amp-2").Text, "on mnist-lab1 (95% interval 1.47–1.53), and 1.10 times faster than in float32 on sst2-lab1", "differ by a factor of 1.36")
	text := markdownOf(t, p)
	contains(t, "paper", text, "Loss scale of mnist-lab1, bfloat16", "| skipped | 1 skipped | 2 | 4 |", "| skipped | 1 skipped | 4 | 2 |")

	// What was emulated says nothing of speed.
	p = New(wire.Study{AMP: []wire.AMP{{Rows: []wire.AMPRow{amp("mnist-lab1", 1.5, 2, true)}}}}, Context{})
	d = draft(t, p, "amp-1")
	contains(t, "amp-1", d.Text, "Along no axis is an effect supported")
	if strings.Contains(d.Text, "times faster") {
		t.Error(d.Text)
	}
}

// Quantizing one layer hurts one model, and nothing else does anything.
func TestSensitivityDrafts(t *testing.T) {
	s := wire.Sensitivity{}
	for _, m := range []string{"mnist-lab2", "sst2-lab2"} {
		for _, l := range []string{"layers.0", "layers.1"} {
			gained, lost, p, correct := 2, 2, 1.0, 900
			if m == "mnist-lab2" && l == "layers.1" {
				lost, p, correct = 52, 1e-9, 850
			}
			share := float64(correct) / 1000
			s.Rows = append(s.Rows, wire.SensitivityRow{Layer: l, Mode: wire.Only, Row: wire.Row{
				Model: m, Variant: "static-qint8", Accuracy: &share, Correct: correct, Total: 1000, Interval: &[2]float64{share - 0.02, share + 0.02},
				Paired: &wire.Paired{Flipped: make([]int, gained+lost), Gained: gained, Lost: lost, P: p},
				LatencyUS: map[string]wire.Latency{"1": {Mean: 10, Std: 1, Samples: []float64{9, 10, 11},
					Verdict: &wire.Verdict{Word: wire.NoDifference, Ratio: 1, Low: 0.9, High: 1.1}}},
			}})
		}
	}
	p := New(wire.Study{Sensitivity: []wire.Sensitivity{s}}, Context{})
	contains(t, "sensitivity-1", draft(t, p, "sensitivity-1").Text, "Static int8 in layers.1 alone gives 50% more wrong answers than float32 on mnist-lab2: 54 differ (+2 −52), p < 0.001")
	contains(t, "sensitivity-2", draft(t, p, "sensitivity-2").Text, "Along no other axis is an effect supported")
	contains(t, "sensitivity-3", draft(t, p, "sensitivity-3").Text,
		"On mnist-lab2, 1 of 2 rows that quantize one layer loses accuracy detectably. Accuracy is lowest with static int8 in layers.1 alone, 85.0% [83.0, 87.0]",
		"On sst2-lab2 none of 2 rows that quantize one layer loses accuracy detectably.")
	if got := layerShare("mnist-lab1", "layers.0"); !strings.Contains(got, "holds 99% of the weights") || !strings.Contains(got, "nearly all") {
		t.Error(got)
	}
	for _, bad := range [][2]string{{"mine", "layers.0"}, {"mnist-lab1", "layers.9"}, {"mnist-lab1", "x"}, {"mnist-lab1", "layers.-1"}} {
		if got := layerShare(bad[0], bad[1]); got != "" {
			t.Error(bad, got)
		}
	}
}

// The interval of a mean of logarithms is that of the samples: checked by hand for 1, e and e².
func TestOfSamples(t *testing.T) {
	r, ok := ofSamples([]float64{1, math.E, math.E * math.E})
	if half := 4.302652729911275 / math.Sqrt(3); !ok || math.Abs(r.mid-1) > 1e-12 || math.Abs(r.high-1-half) > 1e-9 {
		t.Errorf("%+v", r)
	}
}
