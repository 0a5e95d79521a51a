package paper

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/nn"
)

// A plant says what a made-up machine does: how long a pass takes, by model, variant and batch, and how many answers change.
type plant struct {
	models  []string
	us      func(model, variant string, batch int) float64
	noise   float64 // relative deviation of a run
	flips   func(model, variant string) (gained, lost int)
	correct func(model string) (correct, total int)
}

// plain is a machine on which nothing depends on anything, and every model is as good as any other.
func plain() plant {
	return plant{
		models:  nn.IDs(),
		us:      func(string, string, int) float64 { return 100 },
		noise:   0.01,
		flips:   func(string, string) (int, int) { return 3, 3 },
		correct: func(string) (int, int) { return 900, 1000 },
	}
}

// result measures as a run does.
func (p plant) result() wire.Result {
	random := rand.New(rand.NewPCG(1, 2))
	r := wire.Result{
		Version:  "v1",
		Hardware: wire.Hardware{Host: wire.Native, CPU: "Plant", Cores: 2, Accelerator: "none", Engine: "portable", Engines: []string{"portable"}, ClockNS: 30},
		Settings: wire.Lab(),
	}
	r.Settings.Models = p.models
	for _, m := range p.models {
		base := map[int][]float64{}
		for _, v := range wire.Variants() {
			correct, total := p.correct(m)
			row := wire.Row{
				Model: m, Variant: v.ID, Q: v.Q, DType: v.DType, Host: wire.Native, Engine: "portable", Threads: 1, Input: wire.Dense,
				SizeBytes: 1_000_000, Smaller: 1, Params: 250_000, LatencyUS: map[string]wire.Latency{},
			}
			if v.ID != wire.Baseline {
				gained, lost := p.flips(m, v.ID)
				correct += gained - lost
				row.Paired = &wire.Paired{Gained: gained, Lost: lost, P: measure.McNemar(gained, lost)}
				for i := range gained + lost {
					row.Paired.Flipped = append(row.Paired.Flipped, i)
				}
			}
			share := float64(correct) / float64(total)
			low, high := measure.Wilson(correct, total)
			row.Accuracy, row.Correct, row.Total, row.Interval = &share, correct, total, &[2]float64{low, high}
			for _, n := range []int{1, 64} {
				var samples []float64
				for range 5 {
					samples = append(samples, p.us(m, v.ID, n)*(1+p.noise*random.NormFloat64()))
				}
				s := measure.Summarize(samples)
				l := wire.Latency{Mean: s.Mean, Std: s.Std, Median: s.Median, P95: s.P95, Samples: samples, Calls: 100}
				if v.ID == wire.Baseline {
					base[n] = samples
				} else {
					ratio, low, high, word := measure.CompareRatio(base[n], samples)
					l.Verdict = &wire.Verdict{Word: word, Ratio: ratio, Low: low, High: high}
				}
				row.LatencyUS[strconv.Itoa(n)] = l
			}
			r.Rows = append(r.Rows, row)
		}
	}
	return r
}

func (p plant) paper() Paper {
	return New(wire.Study{Format: 1, Results: []wire.Result{p.result()}}, Context{Version: "v1"})
}

// draft finds a draft.
func draft(t *testing.T, p Paper, id string) Draft {
	t.Helper()
	for _, d := range p.Drafts() {
		if d.ID == id {
			return *d
		}
	}
	t.Fatalf("no draft %s", id)
	return Draft{}
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s lacks %q:\n%s", what, p, text)
		}
	}
}

// What is planted is found, on its axis, with its size; where nothing is planted nothing is found.
func TestPlantedEffects(t *testing.T) {
	p := plain()
	p.us = func(_, variant string, batch int) float64 {
		us := 100.0
		if batch == 64 {
			us = 6400 // the same time an example
		}
		if variant == "static-qint8" {
			us /= 2
		}
		return us
	}
	paper := p.paper()
	static := draft(t, paper, "static-1")
	contains(t, "static-1", static.Title+static.Text, "Precision, static quantization", "Static int8 is 2.0", "times faster than float32 on ", "95% interval", " µs against 100")
	if len(static.Cites) != 2 || !strings.Contains(static.Cites[0], "static int8, batch") || !strings.Contains(static.Cites[1], "float32, batch") {
		t.Errorf("cites %q", static.Cites)
	}
	if d := draft(t, paper, "static-2"); d.Title != "Static quantization, other axes" && !strings.Contains(d.Text, "picked among") {
		t.Errorf("%+v", d)
	}
}

func TestPlantedAxes(t *testing.T) {
	for _, c := range []struct {
		name  string
		plant func(*plant)
		id    string
		want  []string
	}{
		{"model", func(p *plant) {
			p.us = func(m, _ string, n int) float64 { return (map[string]float64{"mnist-lab2": 300}[m] + 100) * float64(n) }
		}, "baseline-1", []string{"mnist-lab2 takes 4.0", "as long as one of"}},
		{"task", func(p *plant) {
			p.us = func(m, _ string, n int) float64 {
				if strings.HasPrefix(m, "sst2") {
					return 500 * float64(n)
				}
				return 100 * float64(n)
			}
		}, "baseline-1", []string{"Task, baseline", "of sst2-lab", " takes 5.0", "of mnist-lab"}},
		{"mistakes", func(p *plant) {
			p.us = func(_, _ string, n int) float64 { return 100 * float64(n) }
			p.correct = func(m string) (int, int) {
				if strings.HasPrefix(m, "sst2") {
					return 700, 1000
				}
				return 950, 1000
			}
		}, "baseline-1", []string{"Task, baseline", "as many wrong answers as", "70.0% [", "95.0% [", "A roofline says nothing of accuracy"}},
		{"batch size", func(p *plant) {
			p.us = func(_, v string, n int) float64 {
				if v == "dynamic-qint8" && n == 64 {
					return 25
				}
				return 100
			}
		}, "dynamic-1", []string{"Batch size, dynamic quantization", "Dynamic int8 on ", "at batch 64", "at batch 1", "differ by a factor of"}},
		{"precision of answers", func(p *plant) {
			p.flips = func(m, v string) (int, int) {
				if v == "static-qint8" && m == "mnist-lab1" {
					return 2, 60
				}
				return 3, 3
			}
		}, "static-1", []string{"Precision, static quantization", "Static int8 gives 58% more wrong answers than float32 on mnist-lab1", "62 differ (+2 −60), p < 0.001", "84.2% ["}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plain()
			p.noise = 0.001
			c.plant(&p)
			paper := p.paper()
			if c.name == "precision of answers" {
				contains(t, "paper", markdownOf(t, paper), "in 1 of 4 rows: mnist-lab1, static int8 (62 differ", "in any of 8 rows.")
			}
			d := draft(t, paper, c.id)
			contains(t, c.id, d.Title+"\n"+d.Text, c.want...)
		})
	}
}

// Where nothing differs no effect is claimed but, at the most, one of the twenty that chance makes.
func TestNothingPlanted(t *testing.T) {
	p := plain()
	p.us = func(_, _ string, n int) float64 { return float64(100 * n) }
	r := p.result()
	for i := range r.Rows {
		for b, l := range r.Rows[i].LatencyUS {
			n := float64(batchOf(b))
			l.Samples = []float64{98 * n, 99 * n, 100 * n, 101 * n, 102 * n}
			if l.Verdict != nil {
				l.Verdict = &wire.Verdict{Word: wire.NoDifference, Ratio: 1, Low: 0.98, High: 1.02}
			}
			r.Rows[i].LatencyUS[b] = l
		}
	}
	paper := New(wire.Study{Results: []wire.Result{r}}, Context{})
	for _, id := range []string{"baseline-1", "dynamic-1", "static-1"} {
		d := draft(t, paper, id)
		contains(t, id, d.Text, "Along no axis is an effect supported", "comparisons")
		if len(d.Cites) != 0 || strings.Contains(d.Text, "faster") {
			t.Errorf("%s: %+v", id, d)
		}
	}
	contains(t, "surprise", draft(t, paper, "surprise").Text, "Nothing here is contrary to what one expects", "no prediction to be surprised by")
	contains(t, "experiment", draft(t, paper, "experiment").Code, "quantlab run --runs 20\n", "--threads 2", "quantlab roofline")
	for _, d := range paper.Drafts() {
		if d.ID == "static-2" {
			t.Errorf("a second draft where there is no effect: %+v", d)
		}
	}
}

// A machine with limits that int8 stays far below, one where a batch is slow, and a network that gains by rounding.
func TestSurprises(t *testing.T) {
	limits := &wire.Peaks{Engine: "portable", Threads: 1, Float32: 10, Float16: 10, Int8: 40, Read: []wire.Bandwidth{{Bytes: 1 << 20, GBs: 1000}}}
	bound := func(m string, n int) float64 {
		spec, _ := nn.SpecOf(m)
		return float64(spec.Params()*n) / 10e3 * 1.05
	}
	for _, c := range []struct {
		name  string
		peaks *wire.Peaks
		plant func(*plant)
		want  []string
		code  []string
	}{
		{"missed", limits, func(p *plant) {
			p.us = func(m, v string, n int) float64 {
				if strings.HasSuffix(v, "qint8") && m != "sst2-lab2" {
					return bound(m, n) / 3.9
				}
				return bound(m, n)
			}
		}, []string{"on sst2-lab2", "not the 4.0 times that the bounds predict", "this one's is 4.0"}, []string{"--models sst2-lab2", "--batches 1,2,4,8,16,32,64,128", "--runs 20"}},
		{"growing", nil, func(p *plant) {
			p.us = func(m, _ string, n int) float64 {
				if m == "mnist-lab2" && n == 64 {
					return 100 * 64 * 3
				}
				return 100 * float64(n)
			}
		}, []string{"An example of mnist-lab2 in", "as long in a batch of 64 as at batch 1"}, []string{"quantlab run --models mnist-lab2", "quantlab roofline --models mnist-lab2"}},
		{"accurate", nil, func(p *plant) {
			p.us = func(_, _ string, n int) float64 { return 100 * float64(n) }
			p.noise = 0.2
			p.flips = func(m, v string) (int, int) {
				if v == "static-qint8" && m == "mnist-lab2" {
					return 60, 1
				}
				return 1, 1
			}
		}, []string{"Static int8 gives 59% fewer wrong answers than float32 on mnist-lab2", "61 differ (+60 −1), p < 0.001"},
			[]string{"quantlab run --models mnist-lab2 --variants fp32,static-qint8 --batches 1 --runs 1 --weights fresh --seed 1", "--seed 5", "quantlab sweep --models mnist-lab2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plain()
			c.plant(&p)
			r := p.result()
			r.Peaks = c.peaks
			paper := New(wire.Study{Results: []wire.Result{r}}, Context{})
			contains(t, "surprise", draft(t, paper, "surprise").Text, c.want...)
			e := draft(t, paper, "experiment")
			contains(t, "experiment", e.Text, "Hypothesis: ", "Method: ", "Measure: ")
			contains(t, "experiment", e.Code, c.code...)
			contains(t, "question", draft(t, paper, "question").Text, "?")
		})
	}
}

// Every number of a draft follows from the study: twice the latencies make twice the µs and leave the ratios.
func TestDraftsFollowTheNumbers(t *testing.T) {
	p := plain()
	p.us = func(m, v string, n int) float64 {
		us := 100 * float64(n)
		if v == "static-qint8" {
			us /= 4
		}
		return us
	}
	one := draft(t, p.paper(), "static-1").Text
	inner := p.us
	p.us = func(m, v string, n int) float64 { return 10 * inner(m, v, n) }
	ten := draft(t, p.paper(), "static-1").Text
	if one == ten {
		t.Error("ten times the latencies leave the draft as it is")
	}
	ratio := func(s string) string { before, _, _ := strings.Cut(s, ":"); return before }
	if ratio(one) != ratio(ten) {
		t.Errorf("the ratios differ:\n%s\n%s", one, ten)
	}
}
