package app

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// brought is a library with a model of one logit on images, one of many classes, one on sentences, and images.
func brought() *wire.Own {
	letters := make([]string, 26)
	for i := range letters {
		letters[i] = string(rune('a' + i))
	}
	images := nn.Spec{ID: "my-mlp", Title: "my-mlp", Data: nn.MNIST, Crop: 20, In: 400, Hidden: []int{4}, Out: 1, Own: true, Test: "my-digits"}
	many := nn.Spec{ID: "letters", Title: "letters", Data: nn.MNIST, Crop: 28, In: 784, Hidden: []int{32, 16, 8}, Out: 26, Own: true, Classes: letters}
	words := nn.Spec{ID: "my-words", Title: "my-words", Data: nn.SST2, Vocab: 50, In: 50, Hidden: []int{8}, Out: 2, Own: true, Classes: []string{"pan", "praise"}}
	own := &wire.Own{Data: []wire.OwnData{{Name: "my-digits", Data: nn.MNIST, Examples: 240, Labels: []string{"0", "1"}}}}
	for _, s := range []nn.Spec{images, many, words} {
		own.Models = append(own.Models, wire.OwnModel{Spec: s, File: s.ID + ".pt", Format: "PyTorch state_dict"})
	}
	return own
}

func ownEvent(own *wire.Own) wire.Event { return wire.Event{Kind: wire.EventOwn, Own: own} }

// An address may name what is known only later; until then nothing of it is lost, and Run waits.
func TestLinksNameOwnModels(t *testing.T) {
	for _, tt := range []struct {
		path, query string
		named       func(*session) string
	}{
		{"/", "models=my-mlp&test=my-digits", func(s *session) string { return strings.Join(s.Settings.Models, ",") }},
		{"/draw", "digits=my-mlp&example=239", func(s *session) string { return s.Draw.Models }},
		{"/type", "sentences=my-words", func(s *session) string { return s.Type.Sentences }},
		{"/inspect", "net=letters&layer=4", func(s *session) string { return s.Inspect.planner().Model }},
		{"/sensitivity", "sens=my-mlp&senstest=my-digits", func(s *session) string { return s.Sensitivity.choice().Model }},
		{"/training", "train=my-mlp", func(s *session) string { return s.Training.choice().Model }},
	} {
		sceneAt(t, tt.path, tt.query, func(t *testing.T, s *session, f *fakeTab) {
			q, _ := url.ParseQuery(tt.query)
			if len(s.Notices) > 0 && tt.path != "/draw" {
				t.Errorf("%s: %q before it is known", tt.path, s.Notices)
			}
			if link, _ := url.Parse(s.link(tt.path)); link.Query().Get(viewsAt(tt.path)[0].Named[0]) != q.Get(viewsAt(tt.path)[0].Named[0]) {
				t.Errorf("%s: the link lost the name: %s", tt.path, link)
			}
			s.run()
			if tt.path == "/" && !s.Results.Quick {
				t.Error("it runs without the model that the address names")
			}
			switch tt.path {
			case "/sensitivity":
				s.inquire(wire.OpSensitivity)
			case "/training":
				s.train()
			}
			if s.measuring(wire.OpSensitivity) || s.measuring(wire.OpAMP) {
				t.Errorf("%s: it begins without the model that the address names", tt.path)
			}
			f.browser(0, ownEvent(brought()))
			if got := tt.named(s); got != q.Get(viewsAt(tt.path)[0].Named[0]) {
				t.Errorf("%s: %q is chosen", tt.path, got)
			}
			rendered(s)
			f.browser(0, ownEvent(&wire.Own{}))
			if got := tt.named(s); slices.ContainsFunc(brought().Models, func(m wire.OwnModel) bool { return strings.Contains(got, m.Spec.ID) }) {
				t.Errorf("%s: %q is still chosen", tt.path, got)
			}
			if !slices.ContainsFunc(s.Notices, func(n string) bool { return strings.Contains(n, "no longer in this browser") }) {
				t.Errorf("%s: %q", tt.path, s.Notices)
			}
			rendered(s)
			time.Sleep(rememberEvery)
			settle()
			if strings.Contains(f.query, "my-") || strings.Contains(f.query, "letters") {
				t.Errorf("the address still says %s", f.query)
			}
		})
	}
}

func TestLinksNameWhatIsNotHere(t *testing.T) {
	sceneAt(t, "/", "models=mnist-lab2,my-mlp&test=my-digits&runs=7", func(t *testing.T, s *session, f *fakeTab) {
		f.browser(0, ownEvent(nil))
		want := []string{"The link says models=my-mlp, but this browser has no model of that name.", "The link says test=my-digits, but this browser has no examples of that name."}
		if !slices.Equal(s.Notices, want) {
			t.Errorf("%q", s.Notices)
		}
		if !slices.Equal(s.Settings.Models, []string{"mnist-lab2"}) || s.Settings.Runs != 7 || s.Settings.Test != "" {
			t.Errorf("%+v", s.Settings)
		}
	})
}

// A model that the address names is not exported as another one, before it is known.
func TestExportWaits(t *testing.T) {
	sceneAt(t, modelsPath, "export=my-mlp&as=fp32", func(t *testing.T, s *session, f *fakeTab) {
		if s.export(); s.Models.Export.Phase == errandAsked {
			t.Error("it exports without the model that the address names")
		}
		f.browser(0, ownEvent(brought()))
		if s.export(); s.Models.Export.Phase != errandAsked || s.Models.Export.Of.Model != "my-mlp" {
			t.Errorf("%+v", s.Models.Export)
		}
	})
}

// The worker's first word that there is nothing changes nothing, and draws nothing.
func TestNothingOfOnesOwn(t *testing.T) {
	sceneAt(t, "/", "", func(t *testing.T, s *session, f *fakeTab) {
		draws := f.draws
		f.browser(0, ownEvent(&wire.Own{}))
		if f.draws != draws {
			t.Error("the page is drawn anew")
		}
		if page := rendered(s); strings.Contains(page, "Calibrate with") {
			t.Error("there are choices of data that there are not")
		}
	})
}

// A run tells its host of what it names, and of nothing else.
func TestRunsTakeOwnModelsAlong(t *testing.T) {
	sceneAt(t, "/", "models=mnist-lab1,my-mlp&calibrate=my-digits&where=browser", func(t *testing.T, s *session, f *fakeTab) {
		f.browser(0, ownEvent(brought()))
		s.run()
		settle()
		quick := f.asked(wire.OpRun)[0]
		f.browser(quick.ID, wire.Event{Kind: wire.EventCancel})
		runs := f.asked(wire.OpRun)
		r := runs[len(runs)-1].Request
		if r.Own == nil || len(r.Own.Models) != 1 || len(r.Own.Data) != 1 || r.Calibration != "my-digits" {
			t.Fatalf("asked for %+v", r)
		}
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
		row := wire.Row{Model: "my-mlp", Variant: "dynamic-float16", SizeBytes: 1e6, SizeTorch: 2e6, Smaller: 2}
		f.browser(runs[len(runs)-1].ID, wire.Event{Kind: wire.EventRow, Row: &row})
		page := rendered(s)
		for _, want := range []string{`id="card-my-mlp"`, "PyTorch: 2.00", "all images of my-digits", "calibrated with your my-digits", "as PyTorch saves it"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page has no %q", want)
			}
		}
		f.browser(0, ownEvent(nil))
		if page = rendered(s); !strings.Contains(page, "PyTorch: 2.00") {
			t.Error("what was measured went with the model")
		}
	})
}

// What is the reader's own goes to a native engine on this machine, and to no other.
func TestOwnModelsStayOnThisMachine(t *testing.T) {
	for _, host := range []string{"lab", "localhost", "127.0.0.1", "[::1]", "127.0.0.1.example.org"} {
		local := isLocal("http://" + host + ":8080/?x=1")
		if local != slices.Contains([]string{"localhost", "127.0.0.1", "[::1]"}, host) {
			t.Errorf("%s: %t", host, local)
		}
		scene(t, func(t *testing.T, s *session, f *fakeTab) {
			s.visit("/", url.Values{"models": {"my-mlp"}, "where": {"native"}})
			s.enter()
			f.worker("ready", "")
			f.meet(true)
			f.browser(0, ownEvent(brought()))
			s.Local = local
			s.run()
			settle()
			for _, q := range f.asked(wire.OpRun) { // the quick run gives way
				f.browser(q.ID, wire.Event{Kind: wire.EventCancel})
			}
			page := rendered(s)
			if local {
				if len(f.entries) != 1 || !slices.Equal(f.entries[0], []string{"model/my-mlp", "data/my-digits"}) {
					t.Errorf("%s: handed over %q", host, f.entries)
				}
				if !strings.Contains(page, "handed to the native engine") {
					t.Error("the page does not say what is handed over")
				}
				return
			}
			if len(f.native) != 0 {
				t.Errorf("%s: %+v is handed over", host, f.native)
			}
			if !strings.Contains(page, staysHereText) || strings.Contains(page, `value="both"`) {
				t.Error("the page does not say why it can't be")
			}
		})
	}
}

// Draw asks an own model about its own examples, and shows its classes.
func TestDrawWithOwnModels(t *testing.T) {
	sceneAt(t, "/draw", "", func(t *testing.T, s *session, f *fakeTab) {
		f.browser(0, ownEvent(brought()))
		s.Draw.put(sketch{Example: new(int)})
		s.chooseDigits("my-mlp")
		settle()
		asked := f.asked(wire.OpSamples)
		if got := asked[len(asked)-1].Samples.Model; got != "my-mlp" && s.lanes["draw-samples"].next == nil {
			t.Errorf("samples of %s", got)
		}
		page := rendered(s)
		for _, want := range []string{"Images of my-digits", "240 images of my-digits", "the middle 20 × 20", "image 0 of my-digits"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page has no %q", want)
			}
		}
		s.chooseDigits("letters")
		if page = rendered(s); strings.Count(page, `class="class"`) != 4*26 {
			t.Errorf("%d classes", strings.Count(page, `class="class"`))
		}
		s.chooseDigits("my-words")
		if s.Draw.Models != "letters" {
			t.Error("a model that reads sentences is asked")
		}
	})
}

// Something else brought by the same name is another model: answers of the one before are gone.
func TestReplacedModels(t *testing.T) {
	sceneAt(t, "/draw", "digits=my-mlp", func(t *testing.T, s *session, f *fakeTab) {
		own := brought()
		f.browser(0, ownEvent(own))
		s.Draw.reply("my-mlp").Prediction = &wire.Prediction{Model: "my-mlp"}
		f.browser(0, ownEvent(own))
		if s.Draw.reply("my-mlp").Prediction == nil {
			t.Error("the same models, told again, cost an answer")
		}
		f.browser(-99, wire.Event{Kind: wire.EventImport, Import: &wire.Import{Model: &own.Models[0]}}, ownEvent(own))
		if s.Draw.reply("my-mlp").Prediction != nil {
			t.Error("the answer is another model’s")
		}
	})
}

// Thousands of classes have as many bars as fit.
func TestManyClassBars(t *testing.T) {
	labels, p := make([]string, 1000), make([]float64, 1000)
	for i := range p {
		p[i] = float64(i) / 1000
	}
	b := newClassBars(labels, p, 999)
	if len(b.Labels) != likeliest || len(b.P) != likeliest || b.Answer != likeliest-1 || b.P[0] != .99 {
		t.Errorf("%d labels, %v, %d", len(b.Labels), b.P, b.Answer)
	}
	if b = newClassBars(labels, nil, -1); len(b.Labels) != likeliest || b.P != nil || b.Answer != -1 {
		t.Errorf("%+v", b)
	}
}

// Own models of few units and of one layer, and settings that another result was measured with, are shown everywhere.
func TestViewsOfOwnModels(t *testing.T) {
	own := brought()
	own.Models = append(own.Models, wire.OwnModel{Spec: nn.Spec{ID: "line", Data: nn.MNIST, Crop: 28, In: 784, Out: 10, Own: true, Test: "my-digits", Calibration: "my-digits"}})
	for _, m := range own.Models {
		for _, q := range []string{"/inspect?net=", "/sensitivity?sens=", "/training?train="} {
			path, query, _ := strings.Cut(q, "?")
			sceneAt(t, path, query+m.Spec.ID, func(t *testing.T, s *session, f *fakeTab) {
				f.browser(0, ownEvent(own))
				if page := rendered(s); !strings.Contains(page, m.Spec.ID) || len(s.Notices) > 0 {
					t.Errorf("%s%s: %q", q, m.Spec.ID, s.Notices)
				}
				s.showUnits(unitChoice{ByNumber: true, From: 1000})
			})
		}
	}
}

// What was measured of a model of the reader's own outlives the page, and the model.
func TestKeptStudyOfOwnModels(t *testing.T) {
	own := brought()
	c := firstSensChoice(own)
	c.Model, c.Variants = "letters", []string{"static-qint8"}
	row := wire.SensitivityRow{Row: wire.Row{Model: "letters", Variant: "static-qint8", Host: wire.Browser, Total: 100, Params: 30000}, Layer: "layers.3", Mode: wire.Only}
	kept := wire.Study{Format: wire.StudyFormat, Sensitivity: []wire.Sensitivity{{
		Setting: wire.Setting{Hardware: wire.Hardware{Host: wire.Browser}, Settings: *c.request(c.Variants)}, Rows: []wire.SensitivityRow{row},
	}}}
	sceneAt(t, "/sensitivity", "sens=letters", func(t *testing.T, s *session, f *fakeTab) {
		f.browser(0, ownEvent(own))
		f.recall(encode(kept))
		settle()
		if part, ok := s.Sensitivity.sensitivity(s.Study); !ok || len(part.Settings.Own.Models) != 1 {
			t.Fatalf("%d parts came back, notices %q", len(s.Study.Sensitivity), s.Notices)
		}
		rendered(s)
		other := brought()
		other.Models[1].Spec.Hidden = []int{32}
		f.browser(0, ownEvent(other))
		if _, ok := s.Sensitivity.sensitivity(s.Study); ok {
			t.Error("what was measured of a model of four layers is shown of one of two")
		}
		rendered(s)
		if len(s.Study.Sensitivity) != 1 {
			t.Error("it is forgotten")
		}
	})
}
