package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

func TestTrainChoice(t *testing.T) {
	for query, want := range map[string]wire.AMPOptions{
		"":                                 {Type: "bf16", Seeds: 1, Epochs: 1, Limit: 12000},
		"trainwhere=native":                {Type: "bf16", Seeds: 3},
		"trainwhere=native&trainlimit=500": {Type: "bf16", Seeds: 3, Limit: 500},
		"amp=f16&trainseeds=2":             {Type: "f16", Seeds: 2, Epochs: 1, Limit: 12000},
		"trainlimit=all&trainepochs=2":     {Type: "bf16", Seeds: 1},
		"trainlimit=60000&trainepochs=50":  {Type: "bf16", Seeds: 1, Epochs: 50},
	} {
		c, notices := parseTrainChoice(parse(t, query), nil)
		if got := c.options(); got != want || len(notices) > 0 {
			t.Errorf("%q: %+v, %v; want %+v", query, got, notices, want)
		}
		if err := c.options().Validate(); err != nil {
			t.Errorf("%q: %v", query, err)
		}
		if err := c.request().Validate(); err != nil {
			t.Errorf("%q: %v", query, err)
		}
		if again, _ := parseTrainChoice(parse(t, c.query()), nil); again != c {
			t.Errorf("%q: %q is read as %+v", query, c.query(), again)
		}
	}
	for query, want := range map[string]string{
		"train=gpt":            `unknown model "gpt"`,
		"amp=f8":               `unknown type "f8"`,
		"trainwhere=moon":      `unknown place "moon"`,
		"trainseeds=0":         "seeds 0 is out of range: give 1 to 20",
		"trainepochs=51":       "epochs 51 is out of range",
		"trainlimit=199":       "training examples 199 is out of range",
		"trainlimit=999999999": "is out of range",
		"trainseeds=many":      "not a whole number",
	} {
		c, notices := parseTrainChoice(parse(t, query), nil)
		if c != firstTrainChoice(nil) || len(notices) != 1 || !strings.Contains(notices[0], want) {
			t.Errorf("%q: %+v, %q", query, c, notices)
		}
	}
	c := firstTrainChoice(nil)
	if c.amount() != "quick" || c.withAmount("lab").amount() != "lab" || c.withAmount("none") != c {
		t.Errorf("the amounts: %q, %q", c.amount(), c.withAmount("lab").amount())
	}
	c.Where = wire.Native
	if c.amount() != "lab" {
		t.Errorf("natively: %q", c.amount())
	}
}

// news is what a host tells of a training while it goes on.
func news(kind string, seed uint64, from, to int, scale func(step int) (float64, int)) wire.Event {
	t := wire.Training{Model: "mnist-lab1", Type: kind, Seed: seed, Seconds: float64(to) / 100, Matrix: float64(to) / 200, Steps: to}
	for step := from; step <= to; step++ {
		p := wire.CurvePoint{Step: step, Loss: 2 / float64(step)}
		if scale != nil {
			p.Scale, p.Skipped = scale(step)
			t.Skipped = p.Skipped
		}
		t.Curve = append(t.Curve, p)
	}
	return wire.Event{Kind: wire.EventTraining, Training: &t}
}

// overflowing is a loss scale of which the second and third steps overflow.
func overflowing(step int) (float64, int) {
	skipped := max(min(step-1, 2), 0)
	return float64(int(65536) >> skipped), skipped
}

// ampStudy is what a host gives at the end.
func ampStudy(host, kind string, emulated bool) wire.Event {
	accuracy := .97
	measured := func(variant string) wire.Row {
		return wire.Row{
			Model: "mnist-lab1", Variant: variant, Host: host, Engine: "portable", Threads: 1, SizeBytes: 1628000, Smaller: 1, Correct: 970, Total: 1000,
			Accuracy: &accuracy, Interval: &[2]float64{.957, .979}, LatencyUS: map[string]wire.Latency{"1": {Mean: 150, Std: 2, Samples: []float64{150}}, "64": {Mean: 4000, Std: 9, Samples: []float64{4000}}},
		}
	}
	row := wire.AMPRow{Row: measured(wire.AMPVariant), Baseline: measured(wire.Baseline), Type: kind, Emulated: emulated}
	row.Paired = &wire.Paired{Flipped: []int{1, 2, 3}, Gained: 1, Lost: 2, P: 1}
	scale := overflowing
	if kind == wire.BFloat16 {
		scale = nil
	}
	for seed := range uint64(2) {
		row.Float32 = append(row.Float32, *news("float32", seed, 1, 40, nil).Training)
		row.Mixed = append(row.Mixed, *news(kind, seed, 1, 40, scale).Training)
	}
	if !emulated {
		row.Time = &wire.Verdict{Word: wire.Faster, Ratio: 1.5, Low: 1.4, High: 1.6}
		row.Matrix = &wire.Verdict{Word: wire.Faster, Ratio: 2.5, Low: 2.4, High: 2.6}
	}
	req := wire.Lab()
	req.Models = []string{"mnist-lab1"}
	part := wire.AMP{Setting: wire.Setting{Hardware: wire.Hardware{Host: host}, Settings: req}, Options: wire.AMPOptions{Type: kind, Seeds: 2}, Rows: []wire.AMPRow{row}}
	return wire.Event{Kind: wire.EventDone, Study: &wire.Study{AMP: []wire.AMP{part}}}
}

// drawnTraining is the view as it is drawn.
func drawnTraining(s *session) string { return goapp.HTMLString(renderTraining(s, 2)) }

func wantAll(t *testing.T, html string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(html, w) {
			t.Errorf("no %q in what is drawn", w)
		}
	}
	if m := inline.FindString(html); m != "" {
		t.Errorf("inline: %q", m)
	}
}

func TestTrainingIsWatched(t *testing.T) {
	sceneAt(t, "/training", "amp=f16&trainseeds=2", func(t *testing.T, s *session, f *fakeTab) {
		f.browser(1, done()) // the quick run
		wantAll(t, drawnTraining(s), "No float16 training of mnist-lab1 in this browser yet", "the first 12,000 images, 1 epoch, 2 trainings of each kind", "are emulated")

		s.train()
		s.train() // twice is once
		asked := f.asked(wire.OpAMP)
		if len(asked) != 1 || *asked[0].AMP != (wire.AMPOptions{Type: "f16", Seeds: 2, Epochs: 1, Limit: 12000}) || !slices.Equal(asked[0].Request.Models, []string{"mnist-lab1"}) {
			t.Fatalf("asked %+v", asked)
		}
		id := asked[0].ID
		f.browser(id, wire.Event{Kind: wire.EventStart}, wire.Event{Kind: wire.EventProgress, Step: "mnist-lab1, training in float32", Fraction: .1},
			news("float32", 0, 1, 20, nil), news("float32", 0, 21, 40, nil), news("f16", 0, 1, 1, overflowing), news("f16", 0, 2, 30, overflowing))
		base, mixed := s.Training.Live.pair()
		if len(base.Curve) != 40 || len(mixed.Curve) != 30 || mixed.Steps != 30 || mixed.Skipped != 2 {
			t.Errorf("%d and %d points", len(base.Curve), len(mixed.Curve))
		}
		wantAll(t, drawnTraining(s), "Now training in float16, seed 0: step 30", `id="train-loss"`, `id="train-scale"`, "steps skipped", "Cancel",
			`<th scope="row">30</th>`, `<td>16,384</td>`)
		if n := strings.Count(drawnTraining(s), `<th scope="row">`); n > mostRows+1 {
			t.Errorf("%d rows in the table of the curves", n)
		}

		// The next seed's curves take their place.
		f.browser(id, news("f16", 1, 1, 5, overflowing))
		if base, mixed := s.Training.Live.pair(); len(base.Curve) != 0 || len(mixed.Curve) != 5 {
			t.Errorf("%d and %d points of the next seed", len(base.Curve), len(mixed.Curve))
		}

		end := ampStudy(wire.Browser, wire.Float16, true)
		f.browser(id, wire.Event{Kind: wire.EventAMP, AMP: &end.Study.AMP[0].Rows[0]}, end)
		html := drawnTraining(s)
		wantAll(t, html, `data-variant="amp"`, `data-variant="fp32"`, "emulated: no claim", "97.0%", "3 differ (+1 −2)",
			"float16 overflowed twice in the first 3 steps: those steps were skipped, each halved the scale, and it ended at 16,384 after 40.",
			"multiplied by 65,536", "which chance alone may do (p = 1)", "Both from seed 0, the first of 2", "the seconds say nothing of mixed precision",
			"The two losses are the same to the last digit.")
		if strings.Contains(html, "faster") {
			t.Error("a claim about speed where products were emulated")
		}
		if !strings.Contains(s.Announcement, "accuracy 97.0% with mixed precision, 97.0% in float32; emulated, so no claim about speed.") {
			t.Errorf("announced %q", s.Announcement)
		}
		if s.measuring(wire.OpAMP) {
			t.Error("it goes on")
		}
	})
}

func TestTrainingNatively(t *testing.T) {
	sceneAt(t, "/training", "trainwhere=native", func(t *testing.T, s *session, f *fakeTab) {
		f.browser(1, done())
		wantAll(t, drawnTraining(s), "No native engine serves this page: choose this browser.")
		s.train()
		if len(f.native) != 0 {
			t.Fatal("it asked a host that is not there")
		}
	})
	scene(t, func(t *testing.T, s *session, f *fakeTab) {
		f.meet(true)
		f.browser(1, done())
		s.visit("/training", parse(t, "trainwhere=native"))
		wantAll(t, drawnTraining(s), "This machine has no instruction that multiplies bfloat16")
		s.Hardware[wire.Native] = wire.Hardware{Instructions: []string{"AVX-512 BF16"}}
		wantAll(t, drawnTraining(s), "VDPBF16PS", "all 60,000 images, 2 epochs, 3 trainings of each kind")
		s.train()
		f.nativeEvent(0, ampStudy(wire.Native, wire.BFloat16, false))
		html := drawnTraining(s)
		wantAll(t, html, "1.50× faster", "2.50× faster", "bfloat16 has float32’s range", "Matrix products took 50% of the time in float32")
		if strings.Contains(html, `id="train-scale"`) {
			t.Error("a loss scale of bfloat16")
		}
	})
}

func TestTrainingCutShort(t *testing.T) {
	for kind, want := range map[string]string{
		wire.EventCancel: "Cancelled: the curves end where the training did, seed 0.",
		wire.EventError:  "Failed: the curves end where the training did, seed 0.",
	} {
		sceneAt(t, "/training", "", func(t *testing.T, s *session, f *fakeTab) {
			f.browser(1, done())
			s.train()
			id := f.asked(wire.OpAMP)[0].ID
			f.browser(id, wire.Event{Kind: wire.EventStart}, news("float32", 0, 1, 9, nil), wire.Event{Kind: kind, Text: "the disk is full"})
			wantAll(t, drawnTraining(s), want)
			if kind == wire.EventError {
				wantAll(t, drawnTraining(s), "The disk is full.", `id="amp-retry"`)
			}
			// Another model has other curves.
			s.chooseTraining(keyTrain, "mnist-lab2")
			if html := drawnTraining(s); strings.Contains(html, want) || strings.Contains(html, `id="train-loss"`) {
				t.Error("the curves of another model")
			}
		})
	}
}

// However fast news come, only a few drawings a second are made, and memory is bounded.
func TestTrainingNewsAreBounded(t *testing.T) {
	sceneAt(t, "/training", "", func(t *testing.T, s *session, f *fakeTab) {
		f.browser(1, done())
		time.Sleep(statusWait)
		settle()
		s.train()
		id, last, drawings := f.asked(wire.OpAMP)[0].ID, time.Time{}, 0
		f.browser(id, wire.Event{Kind: wire.EventStart})
		before := f.draws
		for step := 1; step <= 2000; step++ {
			f.listener("message", encode(wire.Envelope{ID: id, Event: news("float32", 0, step, step, nil)}))
			time.Sleep(time.Millisecond)
			if s.Training.drawn != last {
				last, drawings = s.Training.drawn, drawings+1
			}
		}
		settle()
		if n := len(s.Training.Live.Trainings[0].Curve); n != maxLivePoints {
			t.Errorf("%d points are kept", n)
		}
		if drawings > 20 || f.draws != before {
			t.Errorf("%d drawings of the curves in two seconds, %d of the page", drawings, f.draws-before)
		}
		for seed := range uint64(100) {
			f.browser(id, news("float32", seed, 1, 1, nil))
		}
		if n := len(s.Training.Live.Trainings); n > 2*wire.MaxTrainings {
			t.Errorf("%d trainings are kept", n)
		}
	})
}

func TestFieldsOfTheTraining(t *testing.T) {
	sceneAt(t, "/training", "", func(t *testing.T, s *session, f *fakeTab) {
		f.browser(1, done())
		s.chooseTraining(keyTrainSeeds, "0")
		wantAll(t, drawnTraining(s), "Seeds 0 is out of range: give 1 to 20.", "aria-invalid")
		s.train()
		if len(f.asked(wire.OpAMP)) != 0 {
			t.Error("it trains with a field that can’t be taken")
		}
		s.chooseTraining(keyTrainSeeds, "2")
		s.chooseTraining(keyTrainLimit, "12,000")
		s.chooseAmount("lab")
		time.Sleep(rememberEvery)
		settle()
		if want := "trainseeds=2&trainepochs=2&trainlimit=all"; f.query != want || len(s.Training.Drafts) != 0 {
			t.Errorf("the address says %q, want %q", f.query, want)
		}
	})
}

func TestChanceWords(t *testing.T) {
	for want, p := range map[string]wire.Paired{
		"cost no answer":                                  {P: 1},
		"both are wrong, in different ways":               {Flipped: []int{7}, P: 1},
		"1 in float32 only, which chance alone may do":    {Flipped: []int{7}, Lost: 1, P: 1},
		"9 right with mixed precision only, 0 in float32": {Flipped: make([]int, 9), Gained: 9, P: .004},
		"more than chance would do (p = 0.004)":           {Flipped: make([]int, 9), Gained: 9, P: .004},
	} {
		if got := chanceWords(&p); !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
}

func TestFirstScale(t *testing.T) {
	for skipped, want := range map[int]float64{0: 1024, 1: 2048, 3: 8192} {
		training := wire.Training{Curve: []wire.CurvePoint{{Step: 5, Scale: 1024, Skipped: skipped}}}
		if got := firstScale(training); got != want {
			t.Errorf("%d skipped: %v, want %v", skipped, got, want)
		}
	}
}

func TestFirstPaintOfTraining(t *testing.T) {
	html := get(t, "/training?train=sst2-lab2&amp=f16&trainepochs=99")
	wantAll(t, html, ">What does training lose in half the bits?</h1>", `id="train"`, "The link says trainepochs=99", "GradScaler", `href="/web/training.css"`,
		fmt.Sprintf(`value="%s"`, "sst2-lab2"))
}
