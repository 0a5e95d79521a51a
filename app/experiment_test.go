package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"quantlab/core/lab/wire"
)

// measure begins an experiment and returns the kinds of event that it heard.
func measure(s *session, host, op string, models ...string) (heard *[]string, cancel func()) {
	req := wire.Lab()
	if len(models) > 0 {
		req.Models = models
	}
	heard = new([]string)
	cancel = s.experiment(host, wire.Command{Op: op, Request: &req}, func(e wire.Event) { *heard = append(*heard, e.Kind) })
	return heard, cancel
}

func sensitivityOf(host string, req wire.Request, models ...string) wire.Event {
	req.Models = models
	part := wire.Sensitivity{Setting: wire.Setting{Version: "v2", Hardware: wire.Hardware{Host: host, Engine: "portable"}, Settings: req}}
	for _, m := range models {
		part.Rows = append(part.Rows, wire.SensitivityRow{Row: wire.Row{Model: m}, Layer: "layers.0", Mode: wire.Only})
		part.References = append(part.References, wire.Row{Model: m, Variant: wire.Baseline})
	}
	return wire.Event{Kind: wire.EventDone, Study: &wire.Study{Format: wire.StudyFormat, Version: "v2", Sensitivity: []wire.Sensitivity{part}}}
}

// Runs and experiments, of whichever host, never overlap.
func TestExperimentsTakeTurnsWithRuns(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(true)
		f.worker("ready", "")
		heard, _ := measure(s, wire.Native, wire.OpSensitivity)
		later, _ := measure(s, wire.Browser, wire.OpAMP)
		if len(f.native) != 0 || len(f.sent) != 1 {
			t.Fatalf("it did not wait for the quick run: sent %+v, native %+v", f.sent, f.native)
		}
		f.browser(1, wire.Event{Kind: wire.EventProgress, Step: "x"})
		if p := s.experimentProgress(wire.OpSensitivity); !p.Moving || !strings.Contains(p.Text, "Waiting for the run in this browser to end") {
			t.Errorf("the progress line says %+v", p)
		}
		f.browser(1, done())
		if len(f.native) != 1 || f.native[0].Op != wire.OpSensitivity || len(f.native[0].Request.Models) != 4 || len(f.sent) != 1 {
			t.Fatalf("sent %+v, native %+v", f.sent, f.native)
		}
		if !strings.Contains(s.Announcement, "The sensitivity analysis starts natively.") {
			t.Errorf("announced %q", s.Announcement)
		}

		// A run that is begun meanwhile waits, and says for what.
		f.nativeEvent(0, wire.Event{Kind: wire.EventStart, Result: &wire.Result{Version: "v2", Hardware: wire.Hardware{Host: wire.Native, CPU: "another"}}},
			wire.Event{Kind: wire.EventProgress, Step: "mnist-lab1, layers.0", Fraction: .25})
		s.edit("where", wire.Browser)
		s.run()
		settle()
		if len(f.sent) != 1 || f.canceled != 0 {
			t.Fatalf("the run did not wait: %+v", f.sent)
		}
		if p := s.progress(); !p.Moving || !strings.Contains(p.Text, "Waiting for the sensitivity analysis natively to end") {
			t.Errorf("the run's progress line says %+v", p)
		}
		if !strings.Contains(s.Announcement, "The run waits for the sensitivity analysis natively to end.") {
			t.Errorf("announced %q", s.Announcement)
		}
		if p := s.experimentProgress(wire.OpSensitivity); p.Percent != 25 || p.Text != "Natively: mnist-lab1, layers.0" {
			t.Errorf("the experiment's progress line says %+v", p)
		}
		if s.Hardware[wire.Native].CPU != "another" || s.Versions[wire.Native] != "v2" || len(s.Results.Rows) != 0 {
			t.Errorf("its start was taken for %+v", s.State)
		}

		f.nativeEvent(0, wire.Event{Kind: wire.EventSensitivity, Sensitivity: &wire.SensitivityRow{}}, sensitivityOf(wire.Native, *f.native[0].Request, "mnist-lab1"))
		if want := []string{"start", "progress", "sensitivity", "done"}; !slices.Equal(*heard, want) {
			t.Errorf("heard %v, want %v", *heard, want)
		}
		if len(s.Study.Sensitivity) != 1 || s.measuring(wire.OpSensitivity) || s.experimentProgress(wire.OpSensitivity).Text != "Finished natively." {
			t.Errorf("study %+v", s.Study)
		}

		// The runs of the plan go before the experiments.
		if len(f.sent) != 2 || f.sent[1].Op != wire.OpRun || len(*later) != 0 {
			t.Fatalf("sent %+v", f.sent)
		}
		f.browser(f.sent[1].ID, done())
		if len(f.sent) != 3 || f.sent[2].Op != wire.OpAMP {
			t.Fatalf("sent %+v", f.sent)
		}
		f.browser(f.sent[2].ID, wire.Event{Kind: wire.EventQueued, Position: 1}, done())
		if want := []string{"queued", "done"}; !slices.Equal(*later, want) || s.active != nil {
			t.Errorf("heard %v, want %v", *later, want)
		}
	})
}

func TestCancelingExperiments(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(true)
		f.worker("ready", "")
		f.browser(1, done())
		first, cancel := measure(s, wire.Browser, wire.OpSweep)
		second, _ := measure(s, wire.Native, wire.OpSweep)
		id := f.sent[1].ID

		// The run's own Cancel has nothing to do with them.
		s.run()
		s.cancelAll()
		if len(f.sent) != 2 || s.Current() != nil || s.Runs[0].Phase != RunCanceled {
			t.Fatalf("sent %+v, runs %+v", f.sent, s.Runs)
		}

		s.cancelExperiments(wire.OpSweep)
		cancel() // once more is nothing more
		if p := s.experimentProgress(wire.OpSweep); !p.Canceling || len(f.sent) != 3 || f.sent[2].Op != wire.OpCancel || f.sent[2].ID != id {
			t.Fatalf("%+v, sent %+v", p, f.sent)
		}
		f.browser(id, wire.Event{Kind: wire.EventError, Text: "aborted"}) // the way in which it ended is no news
		if !slices.Equal(*first, []string{"canceled"}) || !slices.Equal(*second, []string{"canceled"}) || len(f.native) != 0 || s.active != nil {
			t.Errorf("heard %v and %v; native %+v", *first, *second, f.native)
		}
		if p := s.experimentProgress(wire.OpSweep); p.Text != "Cancelled." || p.Moving || len(p.Failures) != 0 {
			t.Errorf("the progress line says %+v", p)
		}

		// A host that does not listen is not waited for.
		for host, restarts := range map[string]int{wire.Browser: 1, wire.Native: 0} {
			before := f.restarts
			heard, cancel := measure(s, host, wire.OpPlans)
			cancel()
			time.Sleep(patience)
			settle()
			if !slices.Equal(*heard, []string{"canceled"}) || f.restarts-before != restarts || s.active != nil {
				t.Errorf("%s: heard %v, %d restarts", host, *heard, f.restarts-before)
			}
			f.worker("ready", "")
		}
	})
}

func TestExperimentsThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		host string
		act  func(s *session, f *fakeTab)
		text string
	}{
		"no native host": {wire.Native, func(_ *session, f *fakeTab) {
			f.meet(false)
			f.browser(1, done())
		}, "No native engine serves this page"},
		"an engine that dies": {wire.Browser, func(_ *session, f *fakeTab) {
			f.meet(false)
			f.worker("ready", "")
			f.browser(1, done())
			f.worker("failed", "The browser’s engine stopped: out of memory.")
		}, "out of memory"},
		"an error": {wire.Browser, func(_ *session, f *fakeTab) {
			f.meet(false)
			f.browser(1, done())
			f.browser(2, wire.Event{Kind: wire.EventError, Text: "the site is closed"})
		}, "site is closed"},
		"a server that can't prepare": {wire.Browser, func(_ *session, f *fakeTab) {
			f.hardware(`{"host":"native"}`, "")
			settle()
			f.status(`{"ready":false,"failed":true,"text":"the disk is full"}`)
			settle()
		}, "the disk is full"},
	} {
		t.Run(name, func(t *testing.T) {
			scene(t, func(t *testing.T, s *session, f *fakeTab) {
				heard, _ := measure(s, c.host, wire.OpAMP)
				if len(*heard) != 0 {
					t.Fatal("it was heard at once")
				}
				c.act(s, f)
				settle()
				p := s.experimentProgress(wire.OpAMP)
				if !slices.Equal(*heard, []string{"error"}) || !p.Retry || len(p.Failures) != 1 || !strings.Contains(p.Failures[0], c.text) {
					t.Errorf("heard %v, %+v", *heard, p)
				}
				if !strings.Contains(s.Announcement, "The mixed-precision training failed "+inHost(c.host)) {
					t.Errorf("announced %q", s.Announcement)
				}
				s.repeatExperiments(wire.OpAMP)
				if n := len(s.experimentsOf(wire.OpAMP)); n != 1 {
					t.Errorf("%d experiments after Retry", n)
				}
			})
		})
	}
}

func TestRetryOfAnExperimentStartsTheEngineAnew(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(false)
		f.browser(1, done())
		heard, _ := measure(s, wire.Browser, wire.OpAMP)
		f.worker("failed", "out of memory")
		s.repeatExperiments(wire.OpAMP)
		f.worker("ready", "")
		last := f.sent[len(f.sent)-1]
		if f.restarts != 1 || last.Op != wire.OpAMP {
			t.Fatalf("restarts %d, sent %+v", f.restarts, last)
		}
		f.browser(last.ID, done())
		if want := []string{"error", "done"}; !slices.Equal(*heard, want) {
			t.Errorf("heard %v, want %v", *heard, want)
		}
	})
}

func TestAHiddenTabIsNoticedOfAnExperimentToo(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(false)
		f.browser(1, done())
		measure(s, wire.Browser, wire.OpAMP)
		f.browser(2, wire.Event{Kind: wire.EventStart})
		f.hide()
		settle()
		if !s.experimentProgress(wire.OpAMP).Hidden || s.progress().Hidden {
			t.Error("it does not say so")
		}
	})
}

// What is measured again replaces what was measured before, and nothing else does.
func TestTheStudyKeepsTheLastWord(t *testing.T) {
	lab, other := wire.Lab(), wire.Lab()
	other.Runs = 20
	models := func(p wire.Sensitivity) string {
		var rows []string
		for _, r := range p.Rows {
			rows = append(rows, r.Model)
		}
		return fmt.Sprintf("%s %d %v %v %d", p.Hardware.Host, p.Settings.Runs, p.Settings.Models, rows, len(p.References))
	}
	var study wire.Study
	var before wire.Study
	for _, e := range []wire.Event{
		sensitivityOf(wire.Browser, lab, "mnist-lab1", "mnist-lab2"), sensitivityOf(wire.Native, lab, "mnist-lab1"),
		sensitivityOf(wire.Browser, other, "mnist-lab1"), sensitivityOf(wire.Browser, lab, "mnist-lab2", "sst2-lab2"), sensitivityOf(wire.Native, lab, "mnist-lab1"),
	} {
		before, study = study, withParts(study, *e.Study)
	}
	want := []string{"browser 5 [mnist-lab1] [mnist-lab1] 1", "browser 20 [mnist-lab1] [mnist-lab1] 1",
		"browser 5 [mnist-lab2 sst2-lab2] [mnist-lab2 sst2-lab2] 2", "native 5 [mnist-lab1] [mnist-lab1] 1"}
	var got []string
	for _, p := range study.Sensitivity {
		got = append(got, models(p))
	}
	if !slices.Equal(got, want) || len(before.Sensitivity) != 4 || study.Made == "" || study.Version != "v2" {
		t.Errorf("got %q, want %q", got, want)
	}
	for seed := range uint64(100) {
		lab.Seed = seed
		study = withParts(study, *sensitivityOf(wire.Browser, lab, "mnist-lab1").Study)
	}
	if n := len(study.Sensitivity); n != maxParts || study.Sensitivity[n-1].Settings.Seed != 99 {
		t.Errorf("%d parts are kept, the last of seed %d", n, study.Sensitivity[n-1].Settings.Seed)
	}
}

// Searches, sweeps and trainings with other options stand side by side.
func TestTheStudyTellsOptionsApart(t *testing.T) {
	setting := wire.Setting{Hardware: wire.Hardware{Host: wire.Native}, Settings: wire.Quick()}
	part := func(schemes string, size int, kind string) wire.Study {
		m := "mnist-lab1"
		return wire.Study{
			Plans:  []wire.Plans{{Setting: setting, Searches: []wire.PlanSearch{{Model: m, Schemes: []string{schemes}}}}},
			Sweeps: []wire.Sweep{{Setting: setting, Points: []wire.SweepPoint{{Model: m, Examples: size}}, Spreads: []wire.SweepSpread{{Model: m}}}},
			AMP:    []wire.AMP{{Setting: setting, Options: wire.AMPOptions{Type: kind}, Rows: []wire.AMPRow{{Row: wire.Row{Model: m}}}}},
		}
	}
	var study wire.Study
	for range 2 {
		study = withParts(withParts(study, part("float16", 10, wire.BFloat16)), part("int4", 100, wire.Float16))
	}
	if len(study.Plans) != 2 || len(study.Sweeps) != 2 || len(study.AMP) != 2 {
		t.Errorf("%d searches, %d sweeps, %d trainings; want 2 of each", len(study.Plans), len(study.Sweeps), len(study.AMP))
	}
}

func TestTheWholeStudyHasTheRunsToo(t *testing.T) {
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(false)
		f.browser(0, wire.Event{Kind: wire.EventStart, Result: &wire.Result{Version: "v1", Hardware: wire.Hardware{Host: wire.Browser, Engine: "simd128"}}})
		f.browser(1, wire.Event{Kind: wire.EventRow, Row: row("mnist-lab1", "fp32", wire.Browser)},
			wire.Event{Kind: wire.EventDone, Result: &wire.Result{Peaks: &wire.Peaks{}, Notes: []string{"a note"}}})
		measure(s, wire.Browser, wire.OpSensitivity)
		f.browser(2, sensitivityOf(wire.Browser, wire.Lab(), "mnist-lab1"))
		study := s.study()
		if study.Format != wire.StudyFormat || study.Version == "" || len(study.Results) != 1 || len(study.Sensitivity) != 1 {
			t.Fatalf("%+v", study)
		}
		r := study.Results[0]
		if len(r.Rows) != 1 || r.Hardware.Engine != "simd128" || r.Version != "v1" || r.Peaks == nil || len(r.Notes) != 1 || r.Settings.Examples != 1000 {
			t.Errorf("%+v", r)
		}
	})
}

func TestResultsOutliveTheVisit(t *testing.T) {
	kept := ""
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(false)
		f.browser(1, done())
		if len(f.results) != 0 {
			t.Error("a run alone was kept")
		}
		measure(s, wire.Browser, wire.OpAMP)
		f.browser(2, ampStudy(wire.Browser, wire.Float16, true))
		if len(f.results) != 1 {
			t.Fatalf("kept %d times", len(f.results))
		}
		kept = f.results[0]
	})
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		if f.recall != nil {
			t.Error("read before a view shows it")
		}
		s.recallStudy()
		f.recall(kept)
		settle()
		if len(s.Study.AMP) != 1 || len(s.Study.AMP[0].Rows) != 1 || s.Study.Made == "" {
			t.Fatalf("recalled %+v", s.Study)
		}
		s.forgetResults()
		if hasParts(s.Study) || !slices.Equal(f.results, []string{""}) {
			t.Errorf("not forgotten: %+v, %q", s.Study, f.results)
		}
	})
	for name, text := range map[string]string{"damaged": kept[:len(kept)/2], "no study": `{"hello":1}`, "too large": kept + strings.Repeat(" ", maxKept)} {
		scene(t, func(t *testing.T, s *session, f *fakeTab) {
			s.recallStudy()
			f.recall(text)
			settle()
			if hasParts(s.Study) || !slices.Equal(f.results, []string{""}) {
				t.Errorf("%s: %+v, %q", name, s.Study, f.results)
			}
		})
	}
	// What was measured since is newer.
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(false)
		f.browser(1, done())
		measure(s, wire.Browser, wire.OpSensitivity)
		f.browser(2, sensitivityOf(wire.Browser, wire.Lab(), "mnist-lab1"))
		s.recallStudy()
		f.recall(kept)
		settle()
		if len(s.Study.AMP) != 0 || len(s.Study.Sensitivity) != 1 {
			t.Errorf("%+v", s.Study)
		}
	})
}
