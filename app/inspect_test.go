package app

import (
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/scheme"
)

// inspecting starts a session at /inspect.
func inspecting(t *testing.T, query string, play func(t *testing.T, s *session, f *fakeTab)) {
	sceneAt(t, "/inspect", query, play)
}

// last is the latest command of an operation.
func (f *fakeTab) last(op string) wire.Command {
	for _, c := range slices.Backward(f.sent) {
		if c.Op == op {
			return c
		}
	}
	f.t.Fatalf("nobody asked to %s", op)
	return wire.Command{}
}

// count is how often an operation was asked for.
func (f *fakeTab) count(op string) int {
	n := 0
	for _, c := range f.sent {
		if c.Op == op {
			n++
		}
	}
	return n
}

// worth is a made-up row of so many of 10,000 examples; that of the timed ones has latencies.
func worth(model string, correct, total int) wire.Event {
	share := float64(correct) / float64(total)
	r := &wire.Row{
		Model: model, Variant: wire.Custom, Correct: correct, Total: total, Accuracy: &share, Interval: &[2]float64{share - .01, share + .01},
		SizeBytes: 409_000, Smaller: 3.98, Paired: &wire.Paired{Flipped: []int{3, 9, 27}, Gained: 1, Lost: 2, P: 1},
	}
	if total == timedExamples {
		r.LatencyUS = map[string]wire.Latency{
			"1":  {Mean: 12, Std: .2, Samples: []float64{12}, Verdict: &wire.Verdict{Word: wire.Faster, Ratio: 2, Low: 1.9, High: 2.1}},
			"64": {Mean: 480, Std: 3, Samples: []float64{480}, Verdict: &wire.Verdict{Word: wire.Slower, Ratio: .5, Low: .45, High: .55}},
		}
	}
	return wire.Event{Kind: wire.EventRow, Row: r}
}

// seenInside is a made-up inspection that answers a request.
func seenInside(t *testing.T, req wire.InspectRequest) wire.Event {
	t.Helper()
	p, err := firstPlanner(nil).with(knobModel, req.Model)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := scheme.ParsePlan(req.Plan, len(p.Plan))
	if err != nil {
		t.Fatal(err)
	}
	dims := p.spec().Dims()
	ins := &wire.Inspection{Model: req.Model, Plan: req.Plan, Examples: 1024}
	for i, s := range plan {
		d := wire.Distribution{Lo: -1, Hi: 3, Mean: .1, Std: .3, Count: 1000, Zeros: 400, Bins: []int{10, 900, 80, 10}}
		l := wire.Layer{
			Name: "layer", In: dims[i], Out: dims[i+1], ReLU: i < len(plan)-1, Scheme: s.String(), Bytes: 1000, Weights: d, Input: d, Output: d,
			WeightLoss: wire.Distortion{SQNR: 400}, Dead: []int{5, 8}, Explain: []string{"One <outlier> stretches the range."},
		}
		if hasGrid(s) {
			l.Weights.Grid = &wire.Grid{Scale: .02, Min: -128, Max: 127, Lo: -2.56, Hi: 2.54}
			l.Weights.Scales = []float64{.01, .015, .02, .03, .05}
			l.Weights.Used = 97
			l.WeightLoss = wire.Distortion{SQNR: 41.26, Max: .01, Mean: .003}
			for n := range 12 {
				l.Rows = append(l.Rows, wire.Loss{Index: (7*n + 100) % dims[i+1], SQNR: 30, Share: .01})
			}
		}
		ins.Layers = append(ins.Layers, l)
	}
	for _, u := range req.Units {
		ins.Filters = append(ins.Filters, wire.Filter{Unit: u, Side: 28, Range: .2, ErrorRange: .001, Float: make([]byte, 784), Quantized: make([]byte, 784), Error: make([]byte, 784), SQNR: 40})
	}
	return wire.Event{Kind: wire.EventInspection, Inspection: ins}
}

// evaluated answers the latest evaluation with that many right answers.
func (f *fakeTab) evaluated(correct int) {
	c := f.last(wire.OpEvaluate)
	f.browser(c.ID, worth(c.Evaluate.Model, correct, 10000), done())
}

// inspected answers what is asked about the layers, until nothing is.
func (f *fakeTab) inspected(s *session) {
	for n := 0; s.Inspect.Inside.Phase == errandAsked && n < 3; n++ {
		look := f.last(wire.OpInspect)
		f.browser(look.ID, seenInside(f.t, *look.Inspect), done())
	}
}

// timed answers the latest question for latencies.
func (f *fakeTab) timed() {
	c := f.last(wire.OpEvaluate)
	if !slices.Equal(c.Evaluate.Batches, []int{1, 64}) || c.Evaluate.Examples != timedExamples {
		f.t.Errorf("latencies are not asked for: %+v", c.Evaluate)
	}
	f.browser(c.ID, worth(c.Evaluate.Model, 60, timedExamples), done())
}

// liveFigures is what the figures show.
func (s *session) liveFigures() liveView { return s.Inspect.live(s.waitingFor()) }

func TestInspectAnswersBeforeTheFirstClick(t *testing.T) {
	inspecting(t, "", func(t *testing.T, s *session, f *fakeTab) {
		c := f.last(wire.OpEvaluate)
		if e := c.Evaluate; e.Model != "mnist-lab1" || e.Plan != "static-w8c-a8r-histogram" || e.Conversion.Examples != 0 || e.Seed != 0 || len(e.Batches) > 0 || f.count(wire.OpInspect) > 0 {
			t.Errorf("accuracy comes first; asked for %+v", e)
		}
		f.browser(c.ID, worth("mnist-lab1", 970, 1000))
		if v := s.liveFigures(); !v.Fresh || !v.Partial || v.Accuracy != "97.0%" || v.Of != "of 1,000 so far" || v.Size != "0.409" || v.Timed {
			t.Errorf("%+v", v)
		}
		if f.count(wire.OpInspect) != 1 {
			t.Error("the layers come second")
		}
		f.evaluated(9701)
		if v := s.liveFigures(); v.Partial || v.Timed || f.count(wire.OpEvaluate) != 1 {
			t.Errorf("timed while the worker looks inside: %+v", v)
		}
		f.inspected(s)
		f.timed()
		v := s.liveFigures()
		if !v.Fresh || v.Partial || v.Accuracy != "97.01%" || v.Of != "of 10,000 test images" || !v.Timed || v.Cells[0].Verdict.Class != "good" || v.Cells[1].Verdict.Class != "bad" {
			t.Errorf("%+v", v)
		}
		if want := "3 answers differ from float32’s: 1 right only with this plan, 2 right only without; p\u00a0=\u00a01, no difference detected."; v.Paired != want {
			t.Error(v.Paired)
		}
		if len(v.Table) != 2 || v.Table[0][1] != "97.02%" {
			t.Errorf("float32's accuracy follows from the paired comparison: %q", v.Table)
		}
	})
}

func TestFiguresFollowTheSlider(t *testing.T) {
	inspecting(t, "", func(t *testing.T, s *session, f *fakeTab) {
		f.evaluated(9701)
		f.inspected(s)
		f.timed()
		time.Sleep(2 * breath)
		f.query, s.Announcement = "untouched", ""
		before := f.count(wire.OpEvaluate)
		for _, bits := range []string{"7", "6", "5"} { // a drag
			s.turn(scheme.WeightBits, bits, true)
		}
		settle()
		if f.query != "untouched" {
			t.Error("the address waits for the end of a drag")
		}
		if v := s.liveFigures(); v.Fresh || v.Timed || v.Accuracy != "97.01%" || v.Cells[0].Mean == "" {
			t.Errorf("the last plan's figures must stay, and be said to be: %+v", v)
		}
		second := f.last(wire.OpEvaluate)
		if f.count(wire.OpEvaluate) != before+1 || second.Evaluate.Plan != "static-w7c-a8r-histogram" || f.last(wire.OpCancel).ID != second.ID {
			t.Errorf("%d questions, the last %+v", f.count(wire.OpEvaluate)-before, second.Evaluate)
		}
		f.browser(second.ID, worth("mnist-lab1", 100, 1000), wire.Event{Kind: wire.EventCancel}) // too late
		if v := s.liveFigures(); v.Accuracy != "97.01%" {
			t.Errorf("an answer to an earlier position is shown: %+v", v)
		}
		third := f.last(wire.OpEvaluate)
		if f.count(wire.OpEvaluate) != before+2 || third.Evaluate.Plan != "static-w5c-a8r-histogram" {
			t.Errorf("asked for %s", third.Evaluate.Plan)
		}
		f.evaluated(9600)
		if v := s.liveFigures(); !v.Fresh || v.Accuracy != "96.00%" || len(v.Table) != 3 || v.Table[1][1] != "97.01%" {
			t.Errorf("%+v", v)
		}
		if s.Announcement != "" {
			t.Error("told before the hand has come to rest")
		}
		time.Sleep(settled)
		settle()
		if !strings.HasPrefix(s.Announcement, "Accuracy 96.00%. 3 answers differ") || !strings.Contains(s.Announcement, "3.98 times smaller") {
			t.Errorf("told: %s", s.Announcement)
		}
		f.inspected(s)
		if f.count(wire.OpEvaluate) != before+2 {
			t.Error("timed while a slider is held")
		}
		s.letGo()
		settle()
		f.timed()
		if f.query != "net=mnist-lab1&plan=static-w5c-a8r-histogram" {
			t.Errorf("address: %s", f.query)
		}
		if len(s.Inspect.Past) != 1 {
			t.Errorf("a drag is %d steps", len(s.Inspect.Past))
		}
		s.choose(func(i *InspectState) { i.undo() })
		settle()
		if s.Announcement != "This is the lab’s static int8." {
			t.Errorf("what was told of another plan is still there: %s", s.Announcement)
		}
		if f.last(wire.OpEvaluate).Evaluate.Plan != "static-w8c-a8r-histogram" || f.query != "" {
			t.Errorf("undone: %+v, %s", f.last(wire.OpEvaluate).Evaluate, f.query)
		}
	})
}

func TestLookingInsideGivesWay(t *testing.T) {
	inspecting(t, "", func(t *testing.T, s *session, f *fakeTab) {
		f.evaluated(9701)
		look := f.last(wire.OpInspect)
		s.turn(scheme.WeightBits, "4", false)
		settle()
		if f.last(wire.OpCancel).ID != look.ID || f.count(wire.OpInspect) != 1 {
			t.Error("a look at an earlier plan is in the way of the accuracy")
		}
		f.browser(look.ID, wire.Event{Kind: wire.EventCancel})
		f.evaluated(9000)
		if c := f.last(wire.OpInspect); c.Inspect.Plan != "static-w4c-a8r-histogram" {
			t.Errorf("looks at %s", c.Inspect.Plan)
		}
	})
}

func TestWhatDoesNotChangeIsNotAsked(t *testing.T) {
	inspecting(t, "plan=dynamic-w8-a8r", func(t *testing.T, s *session, f *fakeTab) {
		s.turn(knobLayer, "2", false)
		s.turn(knobExamples, "64", false) // calibrates nothing
		settle()
		f.evaluated(9701)
		if n := f.count(wire.OpEvaluate); n != 1 {
			t.Errorf("%d evaluations of one plan", n)
		}
		look := f.last(wire.OpInspect)
		f.browser(look.ID, seenInside(t, *look.Inspect), done())
		look = f.last(wire.OpInspect)
		if look.Inspect.Examples != 64 || len(look.Inspect.Units) != 0 {
			t.Errorf("the activations come from other examples, and layer 2 has no pictures: %+v", look.Inspect)
		}
	})
}

func TestUnitsThatLoseMost(t *testing.T) {
	inspecting(t, "", func(t *testing.T, s *session, f *fakeTab) {
		f.evaluated(9701)
		look := f.last(wire.OpInspect)
		if !slices.Equal(look.Inspect.Units, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
			t.Errorf("nothing is known yet: %v", look.Inspect.Units)
		}
		f.browser(look.ID, seenInside(t, *look.Inspect), done())
		look = f.last(wire.OpInspect)
		if f.count(wire.OpInspect) != 2 || look.Inspect.Units[0] != 100 || look.Inspect.Units[1] != 107 {
			t.Errorf("%d questions, units %v", f.count(wire.OpInspect), look.Inspect.Units)
		}
		f.browser(look.ID, seenInside(t, *look.Inspect), done())
		if f.count(wire.OpInspect) != 2 || s.Inspect.Inside.Filters[0].Unit != 100 {
			t.Error("asked again, or the pictures did not come")
		}
		s.showUnits(unitChoice{ByNumber: true, From: 9999})
		settle()
		if u := f.last(wire.OpInspect).Inspect.Units; u[0] != 504 || u[7] != 511 {
			t.Errorf("units %v", u)
		}
	})
}

func TestAdviceIsUsed(t *testing.T) {
	inspecting(t, "plan=static-w2c-a8r-histogram", func(t *testing.T, s *session, f *fakeTab) {
		s.advise()
		settle()
		c := f.last(wire.OpAdvise)
		if c.Advise.Plan != "static-w2c-a8r-histogram" {
			t.Errorf("%+v", c.Advise)
		}
		v := wire.Advice{Layer: 1, Scheme: "static-w8c-a8r-histogram", Text: "8 bits gain 2 points", Gained: 300, Lost: 20, Total: 10000, P: 1e-9}
		none := wire.Advice{Layer: 0, Text: "nothing tried gains more than chance"}
		f.browser(c.ID, wire.Event{Kind: wire.EventAdvice, Advice: &v}, wire.Event{Kind: wire.EventAdvice, Advice: &none}, done())
		if a := s.Inspect.advised(); len(a.Items) != 2 || a.Items[1].Scheme != "" || a.Says != "1 suggestion, measured on the test set beside this plan." || a.Items[0].Title != "Layer 2" {
			t.Errorf("%+v", a)
		}
		s.useAdvice(v)
		settle()
		if got := s.Inspect.Planner.Plan.String(); got != "static-w2c-a8r-histogram,static-w8c-a8r-histogram" || s.Inspect.Planner.Layer != allLayers {
			t.Error(got)
		}
		if len(s.Inspect.advised().Items) != 0 {
			t.Error("advice for another plan stays")
		}
		s.useAdvice(wire.Advice{Layer: 9, Scheme: "float32"})
		s.useAdvice(wire.Advice{Layer: 0, Scheme: "int1"})
		if got := s.Inspect.Planner.Plan.String(); got != "static-w2c-a8r-histogram,static-w8c-a8r-histogram" {
			t.Errorf("impossible advice was taken: %s", got)
		}
	})
}

func TestInspectFailures(t *testing.T) {
	inspecting(t, "", func(t *testing.T, s *session, f *fakeTab) {
		c := f.last(wire.OpEvaluate)
		f.browser(c.ID, wire.Event{Kind: wire.EventError, Text: "mnist-lab1: the server has no such file"})
		if v := s.liveFigures(); !v.Line.Failed || !v.Line.Retry || !strings.Contains(v.Line.Text, "no such file") {
			t.Errorf("%+v", v.Line)
		}
		s.retryErrand("evaluate")
		settle()
		if f.count(wire.OpEvaluate) != 2 || f.restarts != 0 {
			t.Error("not asked again")
		}
		f.worker("failed", "out of memory")
		if v := s.liveFigures(); v.Line.Text != "Out of memory." {
			t.Errorf("%+v", v.Line)
		}
		s.retryErrand("evaluate")
		f.worker("ready", "")
		if f.restarts != 1 || f.count(wire.OpEvaluate) != 3 {
			t.Errorf("%d restarts, %d and %d questions", f.restarts, f.count(wire.OpEvaluate), f.count(wire.OpInspect))
		}
		time.Sleep(2 * barAfter)
		f.browser(f.last(wire.OpEvaluate).ID, wire.Event{Kind: wire.EventProgress, Step: "mnist-lab1, loading the test set", Fraction: .4})
		if v := s.liveFigures(); !v.Line.Moving || v.Line.Percent != 40 || v.Line.Text != "Loading the test set" {
			t.Errorf("%+v", v.Line)
		}
		s.cancelErrand("evaluate")
		settle()
		if v := s.liveFigures(); v.Line.Moving || !v.Line.Retry || f.last(wire.OpCancel).ID != f.last(wire.OpEvaluate).ID {
			t.Errorf("%+v", v.Line)
		}
	})
}

func TestUnmeasuredAccuracyIsExplained(t *testing.T) {
	inspecting(t, "net=sst2-lab2&plan=float32", func(t *testing.T, s *session, f *fakeTab) {
		c := f.last(wire.OpEvaluate)
		f.browser(c.ID, wire.Event{Kind: wire.EventRow, Row: &wire.Row{Model: "sst2-lab2", SizeBytes: 5649000, Smaller: 1, Note: "accuracy not measured here: put SST-2 there"}}, done())
		if v := s.liveFigures(); v.Accuracy != "" || v.Paired != "Accuracy not measured here: put SST-2 there." || v.Smaller != "as large as float32" {
			t.Errorf("%+v", v)
		}
		time.Sleep(settled)
		settle()
		if !strings.HasPrefix(s.Announcement, "Accuracy not measured here") {
			t.Error(s.Announcement)
		}
	})
}

func TestSeedThatIsNone(t *testing.T) {
	inspecting(t, "", func(t *testing.T, s *session, f *fakeTab) {
		s.turn(knobSeed, "<b>", false)
		if s.Inspect.Draft.Text != "<b>" || s.Inspect.Draft.Problem == "" || s.Inspect.Planner.Seed != 0 {
			t.Errorf("%+v", s.Inspect)
		}
		s.turn(knobSeed, "12", false)
		if s.Inspect.Draft.Problem != "" || s.Inspect.Planner.Seed != 12 {
			t.Errorf("%+v", s.Inspect)
		}
	})
}

// Whatever the state, what is drawn keeps to the policy, identifiers are of one element each, and text is no markup.
func TestInspectIsDrawn(t *testing.T) {
	for query, want := range map[string][]string{
		"":                              {"This is the lab’s static int8.", "One &lt;outlier&gt; stretches the range.", "A grid for each output; drawn is the median’s", "2 of 512 units are dead", "Unit 100", "Only with the observer percentile."},
		"plan=float32":                  {"This is the lab’s float32.", "No grid: float32 as trained.", "Floating-point numbers have no grid"},
		"plan=float16":                  {"IEEE half rounds each weight"},
		"plan=dynamic-w4a-a6sp&layer=2": {"Compared with the lab’s dynamic int8", "No grid: a dynamic layer gives out float32.", "4 bits, 16 levels"},
		"plan=static-w8c-a8-percentile99.9,static-w4c-a8-percentile99&calseed=4": {"differ", "Drawn from the training set.", "drawn from the training set with seed 4"},
		"net=sst2-lab2": {"5,000 → 256", "all layers"},
		"net=evil\"><script>&plan=\"><script>&layer=x": {"This is the lab’s static int8."},
	} {
		inspecting(t, "", func(t *testing.T, s *session, f *fakeTab) {
			q, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			s.visit("/inspect", q)
			s.enter()
			settle()
			if c := f.last(wire.OpEvaluate); c.Evaluate.Model != s.Inspect.Planner.Model || c.Evaluate.Plan != s.Inspect.Planner.Plan.String() {
				f.browser(c.ID, wire.Event{Kind: wire.EventCancel}) // the first question gives way
			}
			f.evaluated(9701)
			f.inspected(s)
			f.timed()
			synctest.Wait()
			var b strings.Builder
			goapp.PrintHTML(&b, &page{session: s})
			html := b.String()
			if m := inline.FindString(html); m != "" {
				t.Errorf("%s: inline %q", query, m)
			}
			if strings.Contains(html, "<outlier>") || strings.Contains(html, "<script>") {
				t.Errorf("%s: text was taken for markup", query)
			}
			for _, w := range want {
				if !strings.Contains(html, w) {
					t.Errorf("%s: no %s", query, w)
				}
			}
			seen := map[string]bool{}
			for _, m := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(html, -1) {
				if seen[m[1]] {
					t.Errorf("%s: two elements are %s", query, m[1])
				}
				seen[m[1]] = true
			}
			for _, m := range regexp.MustCompile(`\sfor="([^"]*)"`).FindAllStringSubmatch(html, -1) {
				if !seen[m[1]] {
					t.Errorf("%s: a label of %s, which there is not", query, m[1])
				}
			}
			for _, m := range regexp.MustCompile(`aria-(?:describedby|labelledby)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
				for _, id := range strings.Fields(m[1]) {
					if !seen[id] {
						t.Errorf("%s: described by %s, which there is not", query, id)
					}
				}
			}
		})
	}
}

func TestInspectStyleSheet(t *testing.T) {
	css, err := os.ReadFile("../web/inspect.css")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(css), "url(") || strings.Contains(string(css), "@import") {
		t.Error("the style sheet loads something")
	}
	if strings.Count(string(css), "{") != strings.Count(string(css), "}") {
		t.Error("braces do not match")
	}
}
