package app

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/scheme"
)

func TestSensitivityBeforeItRuns(t *testing.T) {
	html := get(t, "/sensitivity?sens=sst2-lab2&senswhere=native&sensvariants=static-qint8&sweepsizes=16,4")
	for _, want := range []string{
		`id="sens-measure"`, `id="front-search"`, `id="sweep-draw"`, "sst2-lab2 has 4 layers", "converts it 8 times", "625 plans", `value="4, 16"`, "natively.", "872 dev sentences",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, b := range regexp.MustCompile(`<button[^>]*id="(sens-measure|front-search|sweep-draw)"[^>]*>`).FindAllString(html, -1) {
		if !strings.Contains(b, "disabled") {
			t.Errorf("nobody listens yet: %s", b)
		}
	}
}

func TestSensChoice(t *testing.T) {
	for query, want := range map[string]struct {
		notices int
		query   string
	}{
		"": {0, ""},
		"sens=sst2-lab1&senswhere=native&sensexamples=100&sensruns=7&sensvariants=static-qint8,dynamic-float16&senscheap=logits&front=64&frontacross=time&sweepsizes=4,2,4&sweepseeds=3": {0,
			"sens=sst2-lab1&senswhere=native&sensexamples=100&sensruns=7&sensvariants=dynamic-float16,static-qint8&senscheap=logits&front=64&frontacross=time&sweepsizes=2,4&sweepseeds=3"},
		"frontplan=float16,float32,float16": {0, "frontplan=float16,float32,float16"},
		"frontplan=float16,float32":         {1, ""},
		"sens=mnist-lab2&front=2&frontacross=up&frontplan=int99&senscheap=p&sensruns=0&sensexamples=-1&sensvariants=fp32&senswhere=moon&sweepsizes=0&sweepseeds=1": {10, ""},
		"sens=<script>": {1, ""},
		"sensvariants=": {1, ""},
		"sweepsizes=" + strings.Repeat("1,", 600):              {1, ""},
		"frontplan=" + strings.Repeat("float16,", 99):          {1, ""},
		"sweepsizes=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17": {1, ""},
		"net=mnist-lab1&plan=float16&runs=9":                   {0, ""}, // other views'
	} {
		c, notices := parseSensChoice(parse(t, query), nil)
		if c.query() != want.query || len(notices) != want.notices {
			t.Errorf("%.80s: %s with %q; want %s with %d", query, c.query(), notices, want.query, want.notices)
		}
	}
}

func FuzzSensChoice(f *testing.F) {
	f.Add("sens=sst2-lab2&frontplan=static-w4c-a8r-histogram&sweepsizes=1,8192&sweepseeds=100&sensvariants=static-qint8")
	f.Add("sensruns=%00&frontplan=,")
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		c, _ := parseSensChoice(values, nil)
		for _, variants := range [][]string{nil, c.Variants} {
			if err := c.request(variants).Validate(); err != nil {
				t.Fatalf("%q: %v", query, err)
			}
		}
		if err := (wire.SweepOptions{Sizes: c.Sizes, Seeds: c.Seeds}).Validate(wire.Request{Models: []string{c.Model}}); err != nil {
			t.Fatalf("%q: %v", query, err)
		}
		if values, err = url.ParseQuery(c.query()); err != nil {
			t.Fatal(err)
		}
		if again, notices := parseSensChoice(values, nil); again.query() != c.query() || len(notices) > 0 {
			t.Fatalf("%q becomes %q, %q", c.query(), again.query(), notices)
		}
	})
}

// sensRowOf is a made-up row of a plan that answers some examples otherwise.
func sensRowOf(model, variant string, lost int) wire.Row {
	r := *row(model, variant, wire.Browser)
	r.Paired = &wire.Paired{Flipped: make([]int, lost), Lost: lost, P: math.Pow(.5, float64(lost))}
	for i := range r.Paired.Flipped {
		r.Paired.Flipped[i] = i
	}
	return r
}

// madeUpLayers is a made-up experiment on all layers of a model.
func madeUpLayers(t *testing.T, c sensChoice) wire.Sensitivity {
	t.Helper()
	out := wire.Sensitivity{Setting: wire.Setting{Hardware: wire.Hardware{Host: c.Where}, Settings: *c.request(c.Variants)}, Notes: []string{"a <note>"}}
	out.References = append(out.References, *row(c.Model, wire.Baseline, c.Where))
	for n, v := range c.Variants {
		uniform, err := scheme.Preset(v, c.layers())
		if err != nil {
			t.Fatal(err)
		}
		float, _ := scheme.Preset(wire.Baseline, c.layers())
		out.References = append(out.References, sensRowOf(c.Model, v, 4))
		for i := range uniform {
			for _, mode := range []string{wire.Only, wire.Except} {
				plan, other := slices.Clone(float), uniform
				if mode == wire.Except {
					plan, other = slices.Clone(uniform), float
				}
				plan[i] = other[i]
				out.Rows = append(out.Rows, wire.SensitivityRow{
					Row: sensRowOf(c.Model, v, n+i), Layer: fmt.Sprintf("layers.%d", i), Mode: mode, Plan: plan.String(),
					Fidelity: wire.Fidelity{Weights: 40 + float64(i), Output: 30 + float64(i), Logits: 20 + float64(i), Examples: 1024},
				})
			}
		}
	}
	for _, m := range []string{cheapWeights, cheapOutput, cheapLogits} {
		out.Correlations = append(out.Correlations, wire.Correlation{Model: c.Model, Measure: m, Against: "flips", Rho: -.9, P: .001, N: 18})
	}
	return out
}

// drawn is the page as it is.
func (s *session) drawn() string {
	var b strings.Builder
	goapp.PrintHTML(&b, &page{session: s})
	return b.String()
}

// sensing starts a session at /sensitivity.
func sensing(t *testing.T, query string, play func(t *testing.T, s *session, f *fakeTab)) {
	sceneAt(t, "/sensitivity", query, play)
}

func TestLayersAreMeasured(t *testing.T) {
	sensing(t, "sensvariants=dynamic-qint8,static-qint8", func(t *testing.T, s *session, f *fakeTab) {
		f.browser(f.last(wire.OpRun).ID, done()) // the quick run
		s.inquire(wire.OpSensitivity)
		settle()
		c := f.last(wire.OpSensitivity)
		if r := c.Request; !slices.Equal(r.Models, []string{"mnist-lab2"}) || !slices.Equal(r.Variants, []string{"fp32", "dynamic-qint8", "static-qint8"}) || r.Runs != 3 || r.Examples != 0 {
			t.Fatalf("asked for %+v", r)
		}
		s.inquire(wire.OpSensitivity)
		if settle(); f.count(wire.OpSensitivity) != 1 {
			t.Error("asked twice")
		}
		part := madeUpLayers(t, s.Sensitivity.choice())
		f.browser(c.ID, wire.Event{Kind: wire.EventStart, Result: &wire.Result{Settings: part.Settings}})
		time.Sleep(10 * time.Second)
		draws := f.draws
		f.browser(c.ID, wire.Event{Kind: wire.EventProgress, Step: "mnist-lab2, static int8, only layers.1, accuracy", Fraction: .25})
		if f.draws != draws {
			t.Error("progress draws the whole page")
		}
		for _, want := range []string{"only layers.1, accuracy", "About 30 seconds left.", "Measuring", `id="sensitivity-cancel"`} {
			if !strings.Contains(s.drawn(), want) {
				t.Errorf("no %s", want)
			}
		}
		f.browser(c.ID, wire.Event{Kind: wire.EventRow, Row: &part.References[0]}, wire.Event{Kind: wire.EventSensitivity, Sensitivity: &part.Rows[0]})
		if !strings.Contains(s.drawn(), `data-layer="layers.0"`) {
			t.Error("a row does not appear as it comes")
		}
		f.browser(c.ID, wire.Event{Kind: wire.EventDone, Study: &wire.Study{Sensitivity: []wire.Sensitivity{part}}})
		html := s.drawn()
		for _, want := range []string{`data-variant="dynamic-qint8"`, `data-mode="only"`, `data-mode="except"`, "Open in Inspect", "A &lt;note&gt;.", "All but it", "SQNR of the layers’ own outputs", "2.00× faster"} {
			if !strings.Contains(strings.ReplaceAll(html, "all but it", "All but it"), want) {
				t.Errorf("no %s", want)
			}
		}
		if n := strings.Count(html, `class="mode-only"`); n != 6 {
			t.Errorf("%d rows of single layers", n)
		}
		if m := inline.FindString(html); m != "" {
			t.Errorf("inline %q", m)
		}
		if !strings.Contains(html, "net=mnist-lab2&amp;plan=dynamic-w8-a8r,float32,float32") && !strings.Contains(html, "net=mnist-lab2&plan=dynamic-w8-a8r,float32,float32") {
			t.Error("no link has the row's plan")
		}
		if !strings.Contains(s.Announcement, "Finished the sensitivity analysis") {
			t.Errorf("told: %s", s.Announcement)
		}
		// Another model, or another place, has rows of its own.
		s.chooseSens(keySens, "sst2-lab2")
		if strings.Contains(s.drawn(), `data-layer="layers.0"`) {
			t.Error("another model's rows are shown")
		}
	})
}

func TestExperimentsEndBadly(t *testing.T) {
	sensing(t, "", func(t *testing.T, s *session, f *fakeTab) {
		f.browser(f.last(wire.OpRun).ID, done())
		s.inquire(wire.OpSweep)
		settle()
		c := f.last(wire.OpSweep)
		f.browser(c.ID, wire.Event{Kind: wire.EventStart, Result: &wire.Result{Settings: *c.Request}},
			wire.Event{Kind: wire.EventSweep}, wire.Event{Kind: wire.EventSweep, Sweep: &wire.SweepPoint{Model: "elsewhere", Examples: 8, Total: 10}},
			wire.Event{Kind: wire.EventSweep, Sweep: &wire.SweepPoint{Model: "mnist-lab2", Examples: 8, Seed: 1}},
			wire.Event{Kind: wire.EventSweep, Sweep: &wire.SweepPoint{Model: "mnist-lab2", Examples: 8, Seed: 1, Correct: 9, Total: 10}})
		if html := s.drawn(); strings.Count(html, `class="sample"`) != 1 {
			t.Errorf("%d calibrations are drawn", strings.Count(html, `class="sample"`))
		}
		s.cancelExperiments(wire.OpSweep)
		f.browser(c.ID, wire.Event{Kind: wire.EventCancel})
		if html := s.drawn(); !strings.Contains(html, "Cancelled.") || !strings.Contains(html, `class="sample"`) {
			t.Error("what was finished stays, and the end is told")
		}
		s.inquire(wire.OpPlans)
		settle()
		c = f.last(wire.OpPlans)
		f.browser(c.ID, wire.Event{Kind: wire.EventStart}, wire.Event{Kind: wire.EventPlan}, wire.Event{Kind: wire.EventPlan, Plan: &wire.PlanPoint{Row: wire.Row{Model: "mnist-lab2"}, Plan: "<b>"}},
			wire.Event{Kind: wire.EventError, Text: "the disk is full"})
		if html := s.drawn(); !strings.Contains(html, "The disk is full.") || strings.Contains(html, "<b>\"") {
			t.Error("the failure is not told")
		}
		s.inquire(wire.OpSensitivity)
		settle()
		c = f.last(wire.OpSensitivity)
		f.browser(c.ID, wire.Event{Kind: wire.EventStart}, wire.Event{Kind: wire.EventDone, Study: &wire.Study{Sensitivity: []wire.Sensitivity{{
			Setting: wire.Setting{Hardware: wire.Hardware{Host: wire.Browser}, Settings: *c.Request},
			Rows:    []wire.SensitivityRow{{Row: wire.Row{Model: "mnist-lab2", Variant: "static-qint8", Accuracy: new(float64), Paired: &wire.Paired{}}, Layer: "layers.99", Mode: "sideways", Plan: "none"}},
		}}}})
		if html := s.drawn(); !strings.Contains(html, `data-layer="layers.99"`) {
			t.Error("a strange row is not shown")
		}
	})
}

// madeUpSearch is a made-up search: accuracy and size of plans in three sizes.
func madeUpSearch(c sensChoice) wire.Plans {
	point := func(plan string, size int64, share, time float64, fronts ...string) wire.PlanPoint {
		r := wire.Row{Model: c.Model, Variant: wire.Custom, SizeBytes: size, Accuracy: &share, Correct: int(share * 10000), Total: 10000, Paired: &wire.Paired{Lost: 3, P: .25}}
		p := wire.PlanPoint{Row: r, Plan: plan, Predicted: map[string]float64{"1": time, "64": 30 * time}, Fronts: fronts}
		if len(fronts) > 0 {
			p.LatencyUS = map[string]wire.Latency{"1": {Mean: time + 1, Std: .5}}
		}
		return p
	}
	return wire.Plans{Setting: wire.Setting{Hardware: wire.Hardware{Host: c.Where}, Settings: *c.request(nil)}, Searches: []wire.PlanSearch{{
		Model: c.Model, Plans: 125, Exhaustive: true,
		Points: []wire.PlanPoint{
			point("static-w4c-a8r-histogram", 750_000, .96, 20, "1", "64"),
			point("static-w8c-a8r-histogram,float16,float32", 1_400_000, .95, 40),
			point("static-w8c-a8r-histogram", 1_500_000, .974, 22, "1"),
			point("float16", 2_900_000, .973, 70, "64"),
			point("float32", 5_900_000, .975, 68, "1"),
		},
		Greedy: []string{"float32", "static-w8c-a8r-histogram", "static-w4c-a8r-histogram"},
	}}}
}

func TestFrontPoints(t *testing.T) {
	c := firstSensChoice(nil)
	search := madeUpSearch(c).Searches[0]
	points := frontPoints(search, c)
	var edge []string
	for _, p := range points {
		if p.Edge {
			edge = append(edge, p.Plan)
		}
	}
	if want := []string{"static-w4c-a8r-histogram", "static-w8c-a8r-histogram", "float32"}; !slices.Equal(edge, want) || len(points) != 5 {
		t.Errorf("%q of %d", edge, len(points))
	}
	if p := points[0]; !p.Measured || p.Time != 21 {
		t.Errorf("the measured time counts: %+v", p)
	}
	c.Batch, c.Across = 64, timeAcross
	if p := frontPoints(search, c)[0]; p.Measured || p.Time != 600 || p.across(c) != 600 {
		t.Errorf("where none was measured, the predicted one does: %+v", p)
	}
	d := newFrontPlot(points, firstSensChoice(nil))
	for _, p := range points {
		x, y := d.x.Point(p.across(firstSensChoice(nil)))*5, d.y.Point(100*p.Share) // 500 pixels wide
		if got, ok := d.nearest(points, x+2, y-2, 500); !ok || got.Plan != p.Plan {
			t.Errorf("at %.0f, %.0f lies %q, not %q", x, y, got.Plan, p.Plan)
		}
	}
	if _, ok := d.nearest(points, 490, 60, 500); ok {
		t.Error("nothing lies there")
	}
}

func TestAPlanIsLookedAtAndUsed(t *testing.T) {
	sensing(t, "frontplan=static-w8c-a8r-histogram,static-w8c-a8r-histogram,static-w8c-a8r-histogram", func(t *testing.T, s *session, f *fakeTab) {
		s.Study.Plans = append(s.Study.Plans, madeUpSearch(s.Sensitivity.choice()))
		html := s.drawn()
		for _, want := range []string{`data-state="chosen"`, "22.0 µs predicted", "Use in Draw"} {
			if !strings.Contains(html, want) {
				t.Errorf("the plan of the address is not looked at: no %s", want)
			}
		}
		s.lookAtPlan("static-w8c-a8r-histogram,float16,float32") // not on the front
		time.Sleep(rememberEvery)
		settle()
		if f.query != "frontplan=static-w8c-a8r-histogram,float16,float32" || !strings.Contains(s.Announcement, "accuracy 95.00%") {
			t.Errorf("%s, told %s", f.query, s.Announcement)
		}
		before := s.Inspect.planner()
		p, err := s.Sensitivity.choice().planner(s.Sensitivity.Choice.Plan)
		if err != nil {
			t.Fatal(err)
		}
		s.own(p)
		time.Sleep(rememberEvery)
		settle()
		if c := s.Inspect.custom("mnist-lab2"); c == nil || c.Plan != "static-w8c-a8r-histogram,float16,float32" {
			t.Errorf("Inspect has %+v", c)
		}
		if !strings.Contains(s.link("/draw"), "plan=static-w8c-a8r-histogram,float16,float32") {
			t.Errorf("Draw does not get it: %s", s.link("/draw"))
		}
		if s.Inspect.undo(); !s.Inspect.planner().sameConversion(before) {
			t.Error("it can't be undone")
		}
	})
}

func TestNowhereToMeasure(t *testing.T) {
	sensing(t, "senswhere=native", func(t *testing.T, s *session, f *fakeTab) {
		n := len(f.native)
		s.inquire(wire.OpSensitivity)
		if settle(); len(f.native) != n || !strings.Contains(s.drawn(), "No native engine serves this page: choose this browser.") {
			t.Error("asked a host that is not there")
		}
	})
}

func TestSensitivityDrafts(t *testing.T) {
	sensing(t, "", func(t *testing.T, s *session, f *fakeTab) {
		f.browser(f.last(wire.OpRun).ID, done())
		s.chooseSens(keySweepSizes, "many")
		if s.inquire(wire.OpSweep); f.count(wire.OpSweep) != 0 || !strings.Contains(s.drawn(), "not a whole number") || !strings.Contains(s.drawn(), `value="many"`) {
			t.Error("what can't be taken must stay in its field with the reason")
		}
		s.chooseSens(keySweepSizes, "8, 16")
		if s.inquire(wire.OpSweep); !slices.Equal(f.last(wire.OpSweep).Sweep.Sizes, []int{8, 16}) {
			t.Errorf("%+v", f.last(wire.OpSweep).Sweep)
		}
	})
}

// The page must stay quick to lay out with the largest results that it shows.
func TestSensitivityStaysSmall(t *testing.T) {
	sensing(t, "sens=sst2-lab2", func(t *testing.T, s *session, f *fakeTab) {
		s.Study.Sensitivity = append(s.Study.Sensitivity, madeUpLayers(t, s.Sensitivity.choice()))
		html := s.drawn()
		if n := strings.Count(html, "<"); n/2 > 3500 {
			t.Errorf("%d elements", n/2)
		}
		if n := strings.Count(html, `class="mode-only"`); n != 12 {
			t.Errorf("%d rows", n)
		}
	})
}
