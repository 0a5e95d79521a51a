package app

import (
	"strings"
	"testing"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report/paper"
)

// measured gives the page a finished run of two variants.
func measured(s *session) {
	accuracy, p := .9724, wire.Paired{Flipped: []int{3, 5}, Gained: 1, Lost: 1, P: 1}
	latency := func(us float64, v *wire.Verdict) map[string]wire.Latency {
		return map[string]wire.Latency{"1": {Mean: us, Std: 1, Median: us, P95: us, Samples: []float64{us - 1, us, us + 1}, Verdict: v}}
	}
	base := wire.Row{Model: "mnist-lab1", Variant: "fp32", Q: "--", DType: "float32", Host: wire.Browser, Engine: "simd128", Threads: 1, Input: wire.Dense,
		SizeBytes: 1_629_000, Smaller: 1, Params: 407_050, Accuracy: &accuracy, Correct: 9724, Total: 10_000, Interval: &[2]float64{.969, .9754}, LatencyUS: latency(76, nil)}
	static := base
	static.Variant, static.Q, static.DType, static.SizeBytes, static.Smaller = "static-qint8", "S", "qint8", 412_000, 3.95
	static.Paired, static.LatencyUS = &p, latency(38, &wire.Verdict{Word: wire.Faster, Ratio: 2, Low: 1.9, High: 2.1})
	s.Runs, s.Results.Request, s.Results.Rows = nil, wire.Lab(), []wire.Row{base, static}
	s.Results.Notes = map[string][]string{}
}

func TestReportIsTheStudy(t *testing.T) {
	sceneAt(t, "/report", "", func(t *testing.T, s *session, f *fakeTab) {
		empty := goapp.HTMLString(renderReport(s, 2))
		if strings.Contains(empty, "mnist-lab1, static int8") {
			t.Error("figures of nothing")
		}
		measured(s)
		html := goapp.HTMLString(renderReport(s, 2))
		for _, want := range []string{"97.24%", "Draft, from the numbers", "Rests on: ", `id="draft-static-1"`, "quantlab run", "<svg"} {
			if !strings.Contains(html, want) {
				t.Errorf("no %q in the report", want)
			}
		}
	})
}

func TestReportTakesARunInAtItsEnd(t *testing.T) {
	sceneAt(t, "/report", "", func(t *testing.T, s *session, f *fakeTab) {
		measured(s)
		before := s.stamp()
		s.Report.writeUp(s)
		s.Runs = []Run{{Host: wire.Browser, Phase: RunActive}}
		s.Results.Rows = s.Results.Rows[:1]
		if s.stamp() != before {
			t.Error("written anew while a run goes on")
		}
		s.Runs[0].Phase = RunDone
		if s.stamp() == before {
			t.Error("not written anew at the end")
		}
		before = s.stamp()
		s.Results.Rows[0].LatencyUS["1"] = wire.Latency{Mean: 80}
		if s.stamp() == before {
			t.Error("not written anew when the same was measured again")
		}
	})
}

func TestOwnWords(t *testing.T) {
	sceneAt(t, "/report", "", func(t *testing.T, s *session, f *fakeTab) {
		measured(s)
		drafts := s.Report.writeUp(s).Drafts()
		if len(drafts) == 0 {
			t.Fatal("no drafts")
		}
		id, draft := drafts[0].ID, drafts[0].Text
		s.write(id, "I <b>think</b>\n\n## not a heading")
		html := goapp.HTMLString(renderReport(s, 2))
		if !strings.Contains(html, "I &lt;b&gt;think&lt;/b&gt;") || !strings.Contains(html, "## not a heading") || !strings.Contains(html, "Your words") {
			t.Error("the words are not there, or not as they were typed")
		}
		for name, save := range map[string]func(){"quantlab-report.html": s.saveHTML, "quantlab-report.md": s.saveMarkdown, "quantlab-results.json": s.saveJSON} {
			save()
			if !strings.Contains(f.saved[name], "think") || strings.HasSuffix(name, ".html") && strings.Contains(f.saved[name], "<b>think") {
				t.Errorf("%s lacks the words, or takes them for markup", name)
			}
		}
		study, _, err := paper.ReadStudy(strings.NewReader(f.saved["quantlab-results.json"]))
		if err != nil || len(study.Results) != 1 || !strings.Contains(study.Words[id], "not a heading") {
			t.Errorf("the JSON is read as %+v, %v", study.Words, err)
		}

		next := newSession(LabSettings())
		next.Report.load(f)
		if got := next.Report.Words[id]; got != s.Report.Words[id] || got == "" {
			t.Errorf("the next visit knows %q", got)
		}
		s.write(id, "  ")
		if d := s.Report.writeUp(s).Drafts()[0]; d.Own != "" || d.Text != draft {
			t.Errorf("the draft does not come back: %+v", d)
		}
	})
}

func TestWordsThatCannotBeKept(t *testing.T) {
	sceneAt(t, "/report", "", func(t *testing.T, s *session, f *fakeTab) {
		f.full = true
		if taken := s.write("static-1", "mine"); !taken || s.Report.Words["static-1"] != "mine" || !strings.Contains(s.Report.Problem, "does not let the page keep") {
			t.Errorf("%+v", s.Report)
		}
		if taken := s.write("static-2", strings.Repeat("x", maxWords)); taken || s.Report.Words["static-2"] != "" || !strings.Contains(s.Report.Problem, "256 KB") {
			t.Errorf("%q", s.Report.Problem)
		}
		for _, kept := range []string{"{", `["x"]`, `{"x":3}`, strings.Repeat(" ", 3*maxWords)} {
			s.Report = ReportState{}
			f.kept = map[string]string{keptWords: kept}
			s.Report.load(f)
			if len(s.Report.Words) > 0 {
				t.Errorf("%.20q was taken for words", kept)
			}
		}
	})
}
