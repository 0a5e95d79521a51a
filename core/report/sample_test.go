package report

import (
	"math"
	"strconv"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// latency makes a latency of five runs around mean that scatter by std.
func latency(mean, std float64, v *wire.Verdict) wire.Latency {
	l := wire.Latency{Mean: mean, Std: std, Median: mean - std/8, P95: mean + 1.1*std, Calls: int(125000 / mean), Verdict: v}
	for _, z := range []float64{-1.0, 0.5, 1.3, -0.9, 0.1} {
		l.Samples = append(l.Samples, mean+std*z)
	}
	return l
}

// measured is one row of the sample: percent right, and time by batch size 1 and 64.
type measured struct {
	model, variant    string
	correct           int
	gained, lost      int
	p                 float64
	size              int64
	batch1, std1      float64
	batch64, std64    float64
	ratio1, ratio64   float64
	spread1, spread64 float64
}

// The figures are those of a real machine, rounded; they only have to look like measurements.
var rows = []measured{
	{"mnist-lab1", "fp32", 9706, 0, 0, 0, 1628744, 17.04, 0.41, 453.2, 2.3, 0, 0, 0, 0},
	{"mnist-lab1", "dynamic-float16", 9706, 0, 0, 1, 815112, 9.953, 0.102, 475.1, 31.4, 1.712, 0.954, 0.031, 0.07},
	{"mnist-lab1", "dynamic-qint8", 9702, 3, 7, 0.34375, 409344, 4.51, 0.09, 126.3, 1.1, 3.778, 3.588, 0.1, 0.04},
	{"mnist-lab1", "static-qint8", 9699, 2, 9, 0.0654296875, 413512, 3.62, 0.31, 117.25, 0.68, 4.707, 3.865, 0.4, 0.03},
	{"mnist-lab2", "fp32", 9762, 0, 0, 0, 5882472, 61.7, 1.2, 1748.2, 12.1, 0, 0, 0, 0},
	{"mnist-lab2", "dynamic-qint8", 9758, 2, 6, 0.2890625, 1477336, 18.8, 0.4, 435.2, 3.2, 3.282, 4.017, 0.06, 0.04},
	{"sst2-lab2", "fp32", 718, 0, 0, 0, 5649912, 58.9, 1.4, 1634.4, 18.3, 0, 0, 0, 0},
	{"sst2-lab2", "static-qint8", 700, 1, 19, 0.0000400543212890625, 1415880, 15.5, 0.3, 12411.4, 35.2, 3.8, 0.1317, 0.1, 0.0004},
}

// sample is a result with every kind of row: baseline, faster, slower, no difference, significant flips, missing data.
func sample() wire.Result {
	r := wire.Result{
		Version: "v0.1.0",
		Hardware: wire.Hardware{
			Host: wire.Native, CPU: "AMD EPYC 9R14", Cores: 2, Threads: 4, MemoryBytes: 25276510208, Accelerator: "none",
			Instructions: []string{"AVX2", "FMA", "F16C", "AVX-512", "AVX-512 VNNI", "AVX-512 BF16"},
			Engine:       "portable", Engines: []string{"portable"}, OS: "Debian GNU/Linux 12 (bookworm), kernel 6.1.0", Arch: "amd64", Go: "go1.26.8", ClockNS: 30,
		},
		Settings: wire.Lab(),
		Rows:     []wire.Row{},
		Notes:    []string{"accuracy was measured in batches of 64: dynamic int8 takes the range of its activations from each batch"},
	}
	base := map[string]int64{}
	for _, m := range rows {
		spec, err := nn.SpecOf(m.model)
		if err != nil {
			panic(err)
		}
		v, err := wire.VariantOf(m.variant)
		if err != nil {
			panic(err)
		}
		total := 10000
		if spec.Data == nn.SST2 {
			total = 872
		}
		share := float64(m.correct) / float64(total)
		half := 1.96 * math.Sqrt(share*(1-share)/float64(total))
		row := wire.Row{
			Model: m.model, Variant: m.variant, Q: v.Q, DType: v.DType, Host: wire.Native, Engine: "portable", Threads: 1, Input: wire.Dense,
			SizeBytes: m.size, Params: spec.Params(), Accuracy: &share, Correct: m.correct, Total: total, Interval: &[2]float64{share - half, share + half},
		}
		if m.variant == wire.Baseline {
			base[m.model] = m.size
		} else {
			row.Paired = &wire.Paired{Flipped: make([]int, m.gained+m.lost), Gained: m.gained, Lost: m.lost, P: m.p}
			for i := range row.Paired.Flipped {
				row.Paired.Flipped[i] = 37 * (i + 1)
			}
		}
		row.Smaller = float64(base[m.model]) / float64(m.size)
		row.SizeTorch = m.size + 1500
		if m.variant == "dynamic-float16" {
			row.SizeTorch = base[m.model] + 1500 // float32 there
		}
		row.LatencyUS = map[string]wire.Latency{
			"1": latency(m.batch1, m.std1, verdictOf(m.ratio1, m.spread1)), "64": latency(m.batch64, m.std64, verdictOf(m.ratio64, m.spread64)),
		}
		r.Rows = append(r.Rows, row)
	}
	last := r.Rows[5].LatencyUS["64"]
	last.Samples[3], last.Outliers = 611.7, []int{3}
	r.Rows[5].LatencyUS["64"] = last
	return r
}

func verdictOf(ratio, half float64) *wire.Verdict {
	if ratio == 0 {
		return nil
	}
	v := &wire.Verdict{Word: wire.NoDifference, Ratio: ratio, Low: ratio - half, High: ratio + half}
	switch {
	case v.Low > 1:
		v.Word = wire.Faster
	case v.High < 1:
		v.Word = wire.Slower
	}
	return v
}

// missingData is a result of a machine without SST-2.
func missingData() wire.Result {
	r := sample()
	r.Notes = append(r.Notes, "SST-2 is not here: put train.tsv and dev.tsv into data/sst2, or set QUANTLAB_DATA")
	var kept []wire.Row
	for _, row := range r.Rows {
		if row.Model == "sst2-lab2" {
			row.Accuracy, row.Interval, row.Paired, row.Correct, row.Total = nil, nil, nil, 0, 0
			row.Note = "not measured here: SST-2 missing; latency was measured on made-up inputs"
		}
		kept = append(kept, row)
	}
	skipped := kept[len(kept)-1]
	skipped.Model, skipped.SizeBytes, skipped.Smaller, skipped.Params, skipped.LatencyUS = "sst2-lab1", 0, 0, 7587330, map[string]wire.Latency{}
	skipped.Note = "not measured here: SST-2 missing"
	r.Rows = append(kept, skipped)
	return r
}

// inBrowser is the sample as a browser might have measured it: other times, other runs, one engine.
func inBrowser() wire.Result {
	r, isolated := sample(), true
	r.Settings = wire.Quick()
	r.Hardware = wire.Hardware{
		Host: wire.Browser, CPU: Unknown, Cores: 4, Threads: 4, MemoryBytes: 8 << 30, Accelerator: Unknown, Instructions: []string{},
		Engine: "portable", Engines: []string{"portable"}, OS: "Linux", Arch: "wasm", Go: "go1.26.8", ClockNS: 5000,
		Browser: "Chromium 156", Isolated: &isolated, SIMD: "relaxed",
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		row.Host = wire.Browser
		for b, l := range row.LatencyUS {
			l.Mean, l.Std, l.Median, l.P95, l.Samples, l.Outliers = 9*l.Mean, 20*l.Std, 9*l.Median, 9*l.P95, l.Samples[:3], nil
			row.LatencyUS[b] = l
		}
	}
	r.Rows = r.Rows[:4]
	return r
}

// hostile is a result whose every text tries to be something else.
func hostile() wire.Result {
	r := sample()
	r.Rows = r.Rows[:1]
	row := &r.Rows[0]
	row.Model, row.Q, row.DType, row.Engine = "=cmd|' /C calc'!A0", "+1", "a|b\nc", "-2"
	row.Note = "@SUM(1)\r\n| x | \"quoted\", <script>alert(1)</script> [a](javascript:b) ![c](d) `e` *f* _g_ ~~h~~ $i$ \\"
	r.Version, r.Notes = "\tv1", []string{"# heading", "- list", "1. one", "[a]: http://example.org"}
	r.Hardware.CPU = "<img src=x onerror=alert(1)> | `"
	return r
}

func mustEqual(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %s, want %s", what, strconv.Quote(got), strconv.Quote(want))
	}
}
