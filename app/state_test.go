package app

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"quantlab/core/lab/wire"
)

// latency is a latency of three runs around mean.
func latency(mean float64, v *wire.Verdict) wire.Latency {
	return wire.Latency{Mean: mean, Std: mean / 50, Samples: []float64{mean * .98, mean, mean * 1.02}, Calls: 10, Verdict: v}
}

// row is a row as a host would send it.
func row(model, variant, host string, batches ...string) *wire.Row {
	acc := .97
	r := &wire.Row{
		Model: model, Variant: variant, Q: "D", DType: "qint8", Host: host, Engine: "portable", Threads: 1, Input: wire.Dense,
		SizeBytes: 409344, Smaller: 3.98, Params: 407050, Accuracy: &acc, Correct: 970, Total: 1000,
		Interval: &[2]float64{.958, .979}, LatencyUS: map[string]wire.Latency{},
	}
	if len(batches) == 0 {
		batches = []string{"1", "64"}
	}
	for i, b := range batches {
		var v *wire.Verdict
		if variant != wire.Baseline {
			v = &wire.Verdict{Word: wire.Faster, Ratio: 2, Low: 1.9, High: 2.1}
		}
		r.LatencyUS[b] = latency(50*float64(i+1), v)
	}
	if variant != wire.Baseline {
		r.Paired = &wire.Paired{Flipped: []int{1, 2, 3}, Gained: 1, Lost: 2, P: 1}
	}
	return r
}

// quickState is the page before anything happened but that the quick run is planned.
func quickState() State {
	s := NewState(LabSettings())
	s.Plan(wire.Quick(), []string{wire.Browser}, true)
	return s
}

func TestRunFromStartToEnd(t *testing.T) {
	s := quickState()
	if s.Busy() || s.Current() == nil || s.Current().Host != wire.Browser {
		t.Fatalf("at first: %+v", s.Runs)
	}
	hw := wire.Hardware{Host: wire.Browser, Engine: "portable", Cores: 8}
	for _, e := range []wire.Event{
		{Kind: wire.EventStart, Result: &wire.Result{Version: "v1", Hardware: hw}},
		{Kind: wire.EventProgress, Step: "mnist-lab1, converting", Fraction: .5},
		{Kind: wire.EventProgress, Step: "mnist-lab1, batch 1", Fraction: .3}, // never backwards
		{Kind: wire.EventNote, Text: "a note"},
		{Kind: wire.EventNote, Text: "a note"},
		{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)},
		{Kind: "something new"},
	} {
		s.Apply(wire.Browser, e)
	}
	if r := s.Current(); r.Phase != RunActive || r.Fraction != .5 || r.Step != "mnist-lab1, batch 1" {
		t.Errorf("under way: %+v", r)
	}
	if got := s.Hardware[wire.Browser].Cores; got != 8 {
		t.Errorf("cores %d", got)
	}
	if v, notes := s.Versions[wire.Browser], s.Results.Notes[wire.Browser]; v != "v1" || !slices.Equal(notes, []string{"a note"}) {
		t.Errorf("version %s, notes %q", v, notes)
	}
	final := *row("mnist-lab1", "fp32", wire.Browser)
	final.Correct = 971
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventDone, Result: &wire.Result{Version: "v1", Hardware: hw, Rows: []wire.Row{final, *row("mnist-lab1", "static-qint8", wire.Browser)}}})
	if s.Current() != nil || s.Runs[0].Phase != RunDone || fraction(s.Runs) != 1 {
		t.Errorf("at the end: %+v", s.Runs)
	}
	if n := len(s.Results.Rows); n != 2 || s.Results.Rows[0].Correct != 971 {
		t.Errorf("%d rows, first %+v", n, s.Results.Rows[0])
	}
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "dynamic-qint8", wire.Browser)})
	if len(s.Results.Rows) != 2 {
		t.Error("a row was taken after the end")
	}
}

func TestHostileEvents(t *testing.T) {
	s := quickState()
	for _, e := range []wire.Event{
		{}, {Kind: wire.EventStart}, {Kind: wire.EventRow}, {Kind: wire.EventProgress, Fraction: math.NaN()},
		{Kind: wire.EventProgress, Fraction: 17}, {Kind: wire.EventProgress, Fraction: -1}, {Kind: wire.EventQueued, Position: -4},
		{Kind: wire.EventRow, Row: &wire.Row{}}, {Kind: wire.EventDone},
	} {
		s.Apply(wire.Native, e)
		s.Apply(wire.Browser, e)
	}
	if f := fraction(s.Runs); f != 1 {
		t.Errorf("fraction %v", f)
	}
	s.cards()
}

// Rows of the same settings stay beside a new run's; rows of others go, and those to be measured again.
func TestWhatANewPlanKeeps(t *testing.T) {
	s := quickState()
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)})
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventDone})

	one := wire.Lab()
	one.Models = []string{"mnist-lab1"}
	s.Plan(one, []string{wire.Browser}, false)
	if len(s.Results.Rows) != 0 {
		t.Error("the quick run's rows stayed in the lab's table")
	}
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)})
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventDone})

	s.Plan(one, []string{wire.Native}, false)
	if len(s.Results.Rows) != 1 {
		t.Error("the browser's row did not stay beside the native run")
	}
	other := one
	other.Models = []string{"mnist-lab2"}
	s.Plan(other, []string{wire.Browser}, false)
	if len(s.Results.Rows) != 1 || !slices.Equal(s.Results.Request.Models, []string{"mnist-lab1", "mnist-lab2"}) {
		t.Errorf("another model: %d rows, models %v", len(s.Results.Rows), s.Results.Request.Models)
	}
	s.Plan(one, []string{wire.Browser}, false)
	if len(s.Results.Rows) != 0 {
		t.Error("a row that is measured again stayed")
	}
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)})
	one.Seed = 7
	s.Plan(one, []string{wire.Native}, false)
	if len(s.Results.Rows) != 0 {
		t.Error("a row of another seed stayed")
	}
}

func TestThreadsOfTheBrowser(t *testing.T) {
	yes, no := true, false
	for _, tt := range []struct {
		hw   wire.Hardware
		want int
	}{
		{wire.Hardware{}, 1}, // it has not told
		{wire.Hardware{Threads: 8, Isolated: &no}, 1},
		{wire.Hardware{Threads: 2, Isolated: &yes}, 2},
		{wire.Hardware{Threads: 64, Isolated: &yes}, wire.MaxBrowserThreads},
		{wire.Hardware{Threads: 0, Isolated: &yes}, 1},
	} {
		req := wire.Lab()
		req.Threads = 16
		var s State
		put(&s.Hardware, wire.Browser, tt.hw)
		s.Plan(req, inOrderHosts, false)
		browser, native := s.request(&s.Runs[0]).Threads, s.request(&s.Runs[1]).Threads
		if browser != tt.want || native != 16 {
			t.Errorf("%+v: threads %d and %d", tt.hw, browser, native)
		}
		s.Runs[0].Phase, s.Runs[1].Phase = RunFailed, RunDone
		s.Again()
		if len(s.Runs) != 1 || s.Runs[0].Host != wire.Browser || s.Results.Request.Threads != 16 {
			t.Errorf("again: %+v", s.Runs)
		}
	}
}

// Each host has engines of its own; the page asks a host that lacks the chosen one for its fastest, and says so.
func TestTheEngineOfEachHost(t *testing.T) {
	known := map[string]wire.Hardware{
		wire.Browser: {Host: wire.Browser, Engine: "relaxed", Engines: []string{"portable", "simd128", "relaxed"}},
		wire.Native:  {Host: wire.Native, Engine: "avx2", Engines: []string{"portable", "avx2"}},
	}
	for _, tt := range []struct {
		engine  string
		hosts   []string
		unknown string // the host that has not told its engines
		want    []string
	}{
		{"", inOrderHosts, "", []string{"", ""}},
		{"portable", inOrderHosts, "", []string{"portable", "portable"}},
		{"simd128", inOrderHosts, "", []string{"simd128", ""}},
		{"avx2", inOrderHosts, "", []string{"", "avx2"}},
		{"avx2", inOrderHosts, wire.Browser, []string{"", "avx2"}},
		{"avx512", inOrderHosts, "", []string{"avx512", "avx512"}}, // both refuse it
		{"avx2", []string{wire.Browser}, "", []string{"avx2"}},     // refused: nothing would compute with it
		{"relaxed", []string{wire.Native}, wire.Native, []string{"relaxed"}},
	} {
		var s State
		for host, hw := range known {
			if host != tt.unknown {
				put(&s.Hardware, host, hw)
			}
		}
		req := wire.Lab()
		req.Engine = tt.engine
		s.Plan(req, tt.hosts, false)
		for i := range s.Runs {
			if got := s.request(&s.Runs[i]).Engine; got != tt.want[i] {
				t.Errorf("%q on %v: %s is asked for %q, not %q", tt.engine, tt.hosts, s.Runs[i].Host, got, tt.want[i])
			}
		}
	}
}

// A host that failed is asked for the same once more, though the other one is no longer in the plan.
func TestTheEngineOfASecondTry(t *testing.T) {
	var s State
	put(&s.Hardware, wire.Browser, wire.Hardware{Engines: []string{"portable", "simd128"}})
	put(&s.Hardware, wire.Native, wire.Hardware{Engines: []string{"portable", "avx2"}})
	req := wire.Lab()
	req.Engine = "simd128"
	s.Plan(req, inOrderHosts, false)
	simd := row("mnist-lab1", "fp32", wire.Browser)
	simd.Engine = "simd128"
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: simd})
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventDone})
	s.Apply(wire.Native, wire.Event{Kind: wire.EventError, Text: "x"})
	s.Again()
	if got := s.request(s.Current()).Engine; s.Current().Host != wire.Native || got != "" {
		t.Errorf("%s is asked for %q", s.Current().Host, got)
	}
	if len(s.Results.Rows) != 1 {
		t.Error("the browser's row is gone")
	}
	avx2 := row("mnist-lab1", "fp32", wire.Native)
	avx2.Engine = "avx2"
	s.Apply(wire.Native, wire.Event{Kind: wire.EventRow, Row: avx2})
	if got := s.exported(); len(got) != 2 || got[0].Settings.Engine != "simd128" || got[1].Settings.Engine != "" {
		t.Errorf("exported %+v", got)
	}
	if facts := s.cards()[0].Facts; !strings.Contains(facts, "browser: SIMD128 · native: AVX2") {
		t.Errorf("facts: %s", facts)
	}
}

func TestEnginesToChooseFrom(t *testing.T) {
	engines := map[string][]string{wire.Browser: {"portable", "simd128", "relaxed"}, wire.Native: {"portable", "avx2"}}
	for _, tt := range []struct {
		where, engine, want string
		engines             map[string][]string
	}{
		{Both, "", "Fastest; Plain Go", nil},
		{Both, "", "Fastest; Plain Go; SIMD128 (Browser); Relaxed SIMD (Browser); AVX2 (Native)", engines},
		{wire.Browser, "", "Fastest; Plain Go; SIMD128 (Browser); Relaxed SIMD (Browser)", engines},
		{wire.Native, "", "Fastest; Plain Go; AVX2 (Native)", engines},
		{wire.Native, "relaxed", "Fastest; Plain Go; AVX2 (Native); Relaxed SIMD (Elsewhere)", engines},
		{wire.Native, "abacus", "Fastest; Plain Go; abacus (Elsewhere)", nil},
	} {
		s := LabSettings()
		s.Where, s.Engine = tt.where, tt.engine
		var labels []string
		for _, o := range engineOptions(s, tt.engines) {
			if o.Group != "" {
				o.Label += " (" + o.Group + ")"
			}
			labels = append(labels, o.Label)
		}
		if got := strings.Join(labels, "; "); got != tt.want {
			t.Errorf("%s, %q: %s\nwant %s", tt.where, tt.engine, got, tt.want)
		}
	}
	c := controls{Settings: LabSettings(), Engines: engines}
	c.Settings.Engine = "avx2"
	if got := c.hint(); got != "This browser has no AVX2 and computes with its fastest engine." {
		t.Errorf("hint %q", got)
	}
	c.Settings.Engine = "portable"
	if got := c.hint(); strings.Contains(got, "plain Go") {
		t.Errorf("hint %q", got)
	}
	for _, tt := range []struct {
		where, engine string
		engines       map[string][]string
		fails         bool
	}{
		{Both, "abacus", engines, true}, {wire.Browser, "avx2", engines, true}, {wire.Native, "avx2", engines, false},
		{Both, "avx2", engines, false}, {Both, "abacus", nil, false}, {Both, "", engines, false},
	} {
		c := controls{Settings: LabSettings(), Engines: tt.engines}
		c.Settings.Where, c.Settings.Engine = tt.where, tt.engine
		if got := c.hint(); strings.Contains(got, "a run would fail") != tt.fails {
			t.Errorf("%s, %q: hint %q", tt.where, tt.engine, got)
		}
	}
}

func TestHintOfThreads(t *testing.T) {
	isolated := true
	var s State
	c := controls{Settings: LabSettings()}
	c.Settings.Threads = 9
	for _, tt := range []struct {
		where, want string
		hw          *wire.Hardware
	}{
		{wire.Browser, "", nil},
		{wire.Browser, "This browser offers 2 threads and computes with no more.", &wire.Hardware{Cores: 2, Threads: 2, Isolated: &isolated}},
		{wire.Browser, "This browser offers 1 thread and computes with no more.", &wire.Hardware{Cores: 2, Threads: 2}},
		{wire.Browser, "This browser offers 8 threads and computes with no more.", &wire.Hardware{Cores: 16, Threads: 16, Isolated: &isolated}},
		{wire.Native, "", &wire.Hardware{Cores: 2, Threads: 2, Isolated: &isolated}},
	} {
		if tt.hw != nil {
			s.merge(wire.Browser, &wire.Result{Hardware: *tt.hw})
		}
		c.Settings.Where, c.Threads = tt.where, s.offered()
		if got := c.hint(); strings.Contains(got, "offers") != (tt.want != "") || !strings.Contains(got, tt.want) {
			t.Errorf("%+v: hint %q", tt, got)
		}
	}
	c.Settings.Where, c.Settings.Threads, c.Threads = wire.Browser, 2, 2
	if got := c.hint(); strings.Contains(got, "offers") {
		t.Errorf("threads that it has: hint %q", got)
	}
}

func TestCardsShowWhatIsThereAndWhatWillBe(t *testing.T) {
	var s State
	req := wire.Lab()
	req.Models, req.Variants = []string{"mnist-lab1"}, []string{"fp32", "static-qint8"}
	s.Plan(req, inOrderHosts, false)
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventProgress, Step: "mnist-lab1, loading", Fraction: .1})
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)})
	cards := s.cards()
	if len(cards) != 1 || len(cards[0].Groups) != 2 {
		t.Fatalf("%+v", cards)
	}
	want := [][2]rowView{
		{{State: rowMeasured}, {State: rowPending, Text: "waiting"}},
		{{State: rowPending, Text: "measuring"}, {State: rowPending, Text: "waiting"}},
	}
	for i, g := range cards[0].Groups {
		for j, r := range g.Rows {
			if w := want[i][j]; r.State != w.State || r.Text != w.Text || r.Host != inOrderHosts[j] || len(r.Cells) != 2 {
				t.Errorf("%s, row %d: %+v", g.Variant, j, r)
			}
		}
	}
	if r := cards[0].Groups[0].Rows[0]; r.Size != "0.409" || r.Smaller != "" || r.Accuracy != "97.0%" || r.Interval != "[95.8, 97.9]" ||
		r.Cells[0].Mean != "50.0" || r.Cells[0].Std != "1.0" || !r.Cells[0].Baseline {
		t.Errorf("baseline %+v", r)
	}
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "static-qint8", wire.Browser)})
	r := s.cards()[0].Groups[1].Rows[0]
	if r.Smaller != "3.98× smaller" || r.Paired != "3 differ (+1 −2), p\u00a0=\u00a01" || r.Certain ||
		!reflect.DeepEqual(r.Cells[1].Verdict, verdictView{"good", "2.00× faster", "1.90–2.10×"}) {
		t.Errorf("static %+v", r)
	}
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventError, Text: "x"})
	s.Apply(wire.Native, wire.Event{Kind: wire.EventCancel})
	if r := s.cards()[0].Groups[1].Rows[1]; r.State != rowAbsent || r.Text != "cancelled" {
		t.Errorf("after cancel %+v", r)
	}
}

// Size and accuracy are shown as they come, before the latencies, and stay if these never come; results have whole rows only.
func TestRowsBeforeTheirLatencies(t *testing.T) {
	s := NewState(LabSettings())
	req := wire.Quick()
	s.Plan(req, []string{wire.Browser}, true)
	early := row("mnist-lab1", "fp32", wire.Browser)
	early.Partial, early.LatencyUS = true, map[string]wire.Latency{}
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: early})
	show := func(what string, state rowState, cells bool) {
		t.Helper()
		r := s.cards()[0].Groups[0].Rows[0]
		if r.State != state || r.Size == "" || r.Accuracy == "" || r.Cells[0].Missing == cells {
			t.Errorf("%s: %+v", what, r)
		}
	}
	show("early", rowPending, false)
	if len(s.Results.Rows) > 0 {
		t.Error("half a row is in the results")
	}
	canceled := s
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)})
	show("final", rowMeasured, true)

	s = canceled
	s.Runs = slices.Clone(s.Runs)
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventCancel})
	show("cancelled", rowAbsent, false)
	if s.Plan(req, []string{wire.Browser}, true); s.cards()[0].Groups[0].Rows[0].Accuracy != "" {
		t.Error("a new plan shows what an old run found")
	}
}

func TestRowWithoutData(t *testing.T) {
	r := row("sst2-lab2", "fp32", wire.Native)
	r.Accuracy, r.Interval, r.Note = nil, nil, "not measured here: SST-2 missing"
	v := measuredRow(*r, []int{1, 2}, map[string]float64{"1": 60})
	if v.Accuracy != "" || v.Note != "Not measured here: SST-2 missing." || v.Cells[0].Missing || !v.Cells[1].Missing {
		t.Errorf("%+v", v)
	}
}

func TestProgressSaysWhatGoesOn(t *testing.T) {
	for _, tt := range []struct {
		name  string
		setup func(*State)
		want  progressView
	}{
		{"loading", func(s *State) { s.Engine = Engine{Text: "compiling the engine", Fraction: .5} },
			progressView{Text: "Compiling the engine", Percent: 50, Moving: true, Cancel: true}},
		{"preparing", func(s *State) { s.Native = Native{Phase: NativePreparing, Text: "mnist-lab2", Fraction: .25} },
			progressView{Text: "First start: the server trains the models, which takes one to four minutes. This run then starts by itself. Now: mnist-lab2", Percent: 25, Moving: true, Cancel: true}},
		{"measuring", func(s *State) {
			s.Apply(wire.Browser, wire.Event{Kind: wire.EventProgress, Step: "mnist-lab1, batch 1", Fraction: .42})
		}, progressView{Text: "This browser: mnist-lab1, batch 1", Percent: 42, Moving: true, Cancel: true}},
		{"hidden", func(s *State) {
			s.Apply(wire.Browser, wire.Event{Kind: wire.EventProgress, Step: "x", Fraction: .42})
			s.Hide()
			s.Apply(wire.Browser, wire.Event{Kind: wire.EventDone})
		}, progressView{Text: "Finished in this browser: 0 rows.", Percent: 100, Hidden: true}},
		{"failed", func(s *State) { s.Apply(wire.Browser, wire.Event{Kind: wire.EventError, Text: "shard 3: status 404"}) },
			progressView{Text: "Nothing was measured.", Percent: 100, Retry: true, Failures: []string{"The run in this browser failed. Shard 3: status 404."}}},
		{"cancelled", func(s *State) { s.Apply(wire.Browser, wire.Event{Kind: wire.EventCancel}) },
			progressView{Text: "Cancelled before the first row.", Percent: 100}},
		{"queued", func(s *State) {
			s.Plan(wire.Lab(), []string{wire.Native}, false)
			s.Apply(wire.Native, wire.Event{Kind: wire.EventQueued, Position: 2})
		}, progressView{Text: "Waiting natively: 2 runs ahead of this one", Moving: true, Cancel: true}},
	} {
		s := quickState()
		tt.setup(&s)
		if got := s.progress(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

func TestExportKeepsHostsApart(t *testing.T) {
	var s State
	req := wire.Lab()
	s.Plan(req, inOrderHosts, false)
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab2", "fp32", wire.Browser)})
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "static-qint8", wire.Browser)})
	s.Apply(wire.Browser, wire.Event{Kind: wire.EventDone})
	if got := s.exported(); len(got) != 1 || len(got[0].Rows) != 2 || got[0].Rows[0].Model != "mnist-lab1" {
		t.Errorf("browser only: %+v", got)
	}
	s.Apply(wire.Native, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Native)})
	if got := s.exported(); len(got) != 2 || got[1].Rows[0].Host != wire.Native {
		t.Errorf("both: %+v", got)
	}
}
