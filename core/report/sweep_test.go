package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

// sampleSweep is a lottery for one model, and none for the other.
func sampleSweep() wire.Sweep {
	s := wire.Sweep{Setting: wire.Setting{Version: "v0.1.0", Hardware: sample().Hardware, Settings: wire.Lab()}, Notes: []string{"a note"}}
	add := func(model string, total, size int, correct ...int) {
		for i, c := range correct {
			s.Points = append(s.Points, wire.SweepPoint{
				Model: model, Plan: "static-w8c-a8r-histogram", Examples: size, Seed: uint64(i + 1), Correct: c, Total: total, Differ: 20 + 3*i,
			})
		}
	}
	add("mnist-lab2", 10000, 8, 9720, 9640, 9690)
	add("mnist-lab2", 10000, 512, 9741, 9738, 9743)
	add("mnist-lab2", 10000, 4096, 9740, 9740, 9741)
	add("sst2-lab2", 872, 8, 719, 720, 719)
	add("sst2-lab2", 872, 512, 720, 720, 720)
	s.Spreads = []wire.SweepSpread{
		{Model: "mnist-lab2", Examples: 8, Seeds: 3, Mean: 0.96833, Std: 0.00404, Lowest: 0.964, Highest: 0.972, Baseline: 0.974, Sampling: 0.0011},
		{Model: "mnist-lab2", Examples: 512, Seeds: 3, Mean: 0.97407, Std: 0.00025, Lowest: 0.9738, Highest: 0.9743, Baseline: 0.974, Sampling: 0.0005},
		{Model: "mnist-lab2", Examples: 4096, Seeds: 3, Mean: 0.97403, Std: 0.00006, Lowest: 0.974, Highest: 0.9741, Baseline: 0.974, Sampling: 0.0004},
		{Model: "sst2-lab2", Examples: 8, Seeds: 3, Mean: 0.82492, Std: 0.00066, Lowest: 0.82454, Highest: 0.82569, Baseline: 0.82454, Sampling: 0.0016},
		{Model: "sst2-lab2", Examples: 512, Seeds: 3, Mean: 0.82569, Std: 0, Lowest: 0.82569, Highest: 0.82569, Baseline: 0.82569, Sampling: 0.0011},
	}
	return s
}

func TestSweepGolden(t *testing.T) {
	golden(t, "sweep.md", func(w io.Writer) error { return SweepMarkdown(w, sampleSweep()) })
	golden(t, "sweep.csv", func(w io.Writer) error { return SweepCSV(w, sampleSweep()) })
	golden(t, "sweep-empty.json", func(w io.Writer) error { return SweepJSON(w, wire.Sweep{}) })
	golden(t, "sweep-empty.md", func(w io.Writer) error { return SweepMarkdown(w, wire.Sweep{Notes: []string{"there is no data"}}) })
}

func TestSweepSentences(t *testing.T) {
	told := strings.Join(SweepSentences(sampleSweep(), "mnist-lab2"), " ")
	for _, words := range []string{
		"Calibration with 8 examples is a lottery of 0.40 points (standard deviation over 3 samples, from 96.40% to 97.20%), where the choice of the test examples alone is worth 0.11.",
		"From 512 examples on the choice no longer matters",
		"0.57 points below float32 with 8 examples and as accurate as float32 with 4,096 examples",
	} {
		if !strings.Contains(told, words) {
			t.Errorf("no %q in %q", words, told)
		}
	}
	if told := SweepSentences(sampleSweep(), "sst2-lab2"); !strings.HasPrefix(told[0], "Calibration is no lottery here") {
		t.Errorf("%q", told)
	}
	one := sampleSweep()
	for i := range one.Spreads {
		one.Spreads[i].Seeds = 1
	}
	if told := SweepSentences(one, "mnist-lab2"); told != nil {
		t.Errorf("of one sample each: %q", told)
	}
	bad := sampleSweep()
	for i := range bad.Spreads {
		bad.Spreads[i].Sampling = 0
	}
	if told := SweepSentences(bad, "mnist-lab2"); !strings.Contains(told[1], "Even with 4,096 examples the sample still matters") {
		t.Errorf("%q", told)
	}
	bad.Spreads[2].Sampling = 1
	if told := SweepSentences(bad, "mnist-lab2"); !strings.HasPrefix(told[1], "With 4,096 examples the choice no longer matters") {
		t.Errorf("%q", told)
	}
	if told := SweepSentences(wire.Sweep{}, "mnist-lab2"); told != nil {
		t.Errorf("of nothing: %q", told)
	}
}

// A spread that is a little larger than chance makes it, over few samples, is none.
func TestIsLottery(t *testing.T) {
	for _, c := range []struct {
		seeds   int
		std     float64
		lottery bool
	}{{10, 0.0005, false}, {10, 0.0006, false}, {10, 0.0068, true}, {10, 0.00069, true}, {3, 0.00086, false}, {3, 0.0009, true}, {100, 0.0006, true}, {100, 0.00053, false}, {1, 0, false}} {
		if got := isLottery(wire.SweepSpread{Seeds: c.seeds, Std: c.std, Sampling: 0.0005}); got != c.lottery {
			t.Errorf("%v over %d samples: %v", c.std, c.seeds, got)
		}
	}
}

func TestPoints(t *testing.T) {
	for share, want := range map[float64]string{0: "0.00", 0.004: "0.40", 0.00012: "0.01", 0.000001: "0.00", -0.000001: "0.00", 0.123456: "12.35", 1: "100.00"} {
		if got := Points(share); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
	for share, want := range map[float64]string{0: "0.00", 0.004: "+0.40", -0.004: "−0.40", -0.000001: "0.00", 0.000001: "0.00"} {
		if got := signedPoints(share); got != want {
			t.Errorf("%v: %q, want %q", share, got, want)
		}
	}
}

func TestShortPlan(t *testing.T) {
	for plan, want := range map[string]string{
		"static-w8c-a8r-histogram": "all static int8", "float32": "all float32", "float32,dynamic-w8-a8r": "float32 · dynamic int8", "nonsense": "nonsense",
	} {
		if got := ShortPlan(plan); got != want {
			t.Errorf("%s: %q, want %q", plan, got, want)
		}
	}
}

// A file of another program can hold anything.
func TestHostileSweep(t *testing.T) {
	s := sampleSweep()
	s.Points[0].Model, s.Points[0].Plan, s.Points[1].Total, s.Points[2].Total = "=cmd|x", "<b>", 0, -1
	s.Spreads[0].Model = "=cmd|x"
	for _, write := range []func(io.Writer, wire.Sweep) error{SweepMarkdown, SweepCSV, SweepJSON} {
		var b strings.Builder
		if err := write(&b, s); err != nil {
			t.Error(err)
		}
	}
	var b strings.Builder
	_ = SweepCSV(&b, s)
	lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || !slices.Equal(lines[0], sweepHeader) || lines[1][0] != "'=cmd|x" {
		t.Errorf("%v, %q", err, lines)
	}
}
