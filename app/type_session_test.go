package app

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
)

// typing starts a session at /type.
func typing(t *testing.T, query string, play func(t *testing.T, s *session, f *fakeTab)) {
	sceneAt(t, "/type", query, play)
}

// answerAll answers the predictions that were asked from the nth on, and returns how many there are now.
func (f *fakeTab) answerAll(from int) int {
	for {
		all := f.asked(wire.OpPredict)
		if from == len(all) {
			return from
		}
		for _, c := range all[from:] {
			f.browser(c.ID, wire.Event{Kind: wire.EventPrediction, Prediction: predicted(*c.Predict)}, done())
		}
		from = len(all)
	}
}

// predicted is an answer: each word adds a quarter of its length, q-words are unknown.
func predicted(req wire.PredictRequest) *wire.Prediction {
	p := &wire.Prediction{Model: req.Model, Labels: []string{"negative", "positive"}}
	count, sum := map[string]int{}, -.5
	fields := strings.Fields(strings.ToLower(req.Text))
	for _, f := range fields {
		count[f]++
	}
	for _, f := range fields {
		if strings.HasPrefix(f, "q") {
			p.Words = append(p.Words, wire.Word{Text: f})
			continue
		}
		w := wire.Word{Text: f, Known: true, Rank: 811 + len(f), Count: count[f], Adds: float64(count[f]*len(f)) / 4, Without: float64(len(f)) / 8}
		p.Words = append(p.Words, w)
		sum += w.Adds / float64(count[f])
	}
	if req.Explain != "" {
		p.Decision = &wire.Decision{Variant: req.Explain, Sum: sum, Float32: sum, Bias: -.5}
	}
	for _, v := range wire.Variants() {
		a := wire.Answer{Variant: v.ID, Label: "positive", Agrees: true, Probabilities: []float64{.1, .9}, Logits: []float64{-.25, sum - .25}, Margin: .8}
		if req.Repeats > 0 {
			a.Call = &wire.Latency{Median: 100, Samples: make([]float64, req.Repeats)}
		}
		p.Answers = append(p.Answers, a)
	}
	return p
}

func TestTheFirstSentenceIsAnsweredUnasked(t *testing.T) {
	typing(t, "", func(t *testing.T, s *session, f *fakeTab) {
		asked := f.asked(wire.OpPredict)
		if len(asked) != 1 || asked[0].Predict.Model != sentenceLab2 || asked[0].Predict.Text != firstSentence || asked[0].Predict.Explain != "fp32" {
			t.Fatalf("asked %+v", asked)
		}
		if len(f.asked(wire.OpSamples)) != 1 {
			t.Error("no examples were asked for")
		}
		f.answerAll(0)
		html := s.typeHTML()
		for _, want := range []string{fromStart, `data-variant="static-qint8"`, `data-model="sst2-lab2"`, "agrees with float32", `class="chip known"`, "812th most frequent"} {
			if !strings.Contains(html, want) {
				t.Errorf("no %s", want)
			}
		}
		if f.query != "" {
			t.Errorf("address %q", f.query)
		}
	})
}

// typeHTML is the view as it is drawn.
func (s *session) typeHTML() string {
	var b strings.Builder
	goapp.PrintHTML(&b, renderType(s, 2))
	return b.String()
}

// While the keys go, every text that can be answered in time is asked; the address and the announcement wait for a pause.
func TestTyping(t *testing.T) {
	typing(t, "", func(t *testing.T, s *session, f *fakeTab) {
		n := f.answerAll(0)
		s.Announcement = ""
		for _, text := range []string{"a", "a b", "a b c", "a b c "} {
			s.typed(text)
			time.Sleep(50 * time.Millisecond)
		}
		if asked := f.asked(wire.OpPredict)[n:]; len(asked) != 1 || asked[0].Predict.Text != "a" || asked[0].Predict.Repeats != liveRepeats {
			t.Fatalf("asked %+v", asked)
		}
		if f.query != "" || s.Announcement != "" {
			t.Errorf("address %q and announcement %q while typing", f.query, s.Announcement)
		}
		f.browser(f.asked(wire.OpPredict)[n].ID, done())
		n++
		if next := f.asked(wire.OpPredict)[n:]; len(next) != 1 || next[0].Predict.Text != "a b c " {
			t.Errorf("the newest text was not asked: %+v", next)
		}
		time.Sleep(typingPause)
		settle()
		if f.query != "text=a+b+c+" {
			t.Errorf("address %q", f.query)
		}
		n = f.answerAll(n)
		if last := f.asked(wire.OpPredict)[n-1]; last.Predict.Repeats != pauseRepeats || last.Predict.Explain != "fp32" {
			t.Errorf("after the pause: %+v", last.Predict)
		}
		time.Sleep(sayAfter)
		settle()
		if !strings.Contains(s.Announcement, "sst2-lab2: All four variants say positive") {
			t.Errorf("announced %q", s.Announcement)
		}
		if s.Type.Origin != "" {
			t.Errorf("what was typed is said to be %q", s.Type.Origin)
		}
	})
}

func TestEmptyAndUnknown(t *testing.T) {
	typing(t, "text=", func(t *testing.T, s *session, f *fakeTab) {
		if n := len(f.asked(wire.OpPredict)); n != 0 {
			t.Errorf("%d questions about nothing", n)
		}
		if html := s.typeHTML(); !strings.Contains(html, "Nothing to read yet.") || strings.Contains(html, "<tr") {
			t.Error("the empty state is not shown")
		}
		s.typed("   \n")
		settle()
		if n := len(f.asked(wire.OpPredict)); n != 0 {
			t.Errorf("%d questions about blanks", n)
		}
		s.typed("quux qux quux")
		f.answerAll(0)
		html := s.typeHTML()
		if !strings.Contains(html, "not among the 5000 most frequent") || strings.Count(html, `class="chip unknown"`) != 3+1 {
			t.Error("unknown words are not told")
		}
		if !strings.Contains(html, "are not among the 5000 most frequent, so the network does not see them") {
			t.Error("they are not told together")
		}
		s.typed("")
		settle()
		if html := s.typeHTML(); !strings.Contains(html, "Nothing to read yet.") || strings.Contains(html, "quux") {
			t.Error("old words stay")
		}
	})
}

func TestShufflingProves(t *testing.T) {
	typing(t, "text="+url.QueryEscape("one two\nthree four"), func(t *testing.T, s *session, f *fakeTab) {
		s.mixWords() // before there is any answer: it waits for one
		n := f.answerAll(0)
		settle()
		if s.Type.Text == "one two\nthree four" || !s.Type.Mix.Same || !strings.Contains(s.Type.Mix.Words, "all 8 logits are the same to the last bit") {
			t.Fatalf("%q, %+v", s.Type.Text, s.Type.Mix)
		}
		if !strings.Contains(s.Announcement, "same to the last bit") || s.Type.Origin != fromShuffle {
			t.Errorf("announced %q, origin %q", s.Announcement, s.Type.Origin)
		}
		mixed := s.Type.Text
		s.putBack()
		f.answerAll(n)
		if s.Type.Text != "one two\nthree four" || s.Type.Mix.Words != "" {
			t.Errorf("put back %q, %+v", s.Type.Text, s.Type.Mix)
		}
		s.putBack()
		if s.Type.Text != mixed {
			t.Errorf("put back again: %q", s.Type.Text)
		}
	})
	typing(t, "text=again+again", func(t *testing.T, s *session, f *fakeTab) {
		f.answerAll(0)
		s.mixWords()
		if s.Type.Mix.Words == "" || s.Type.Mix.Same || s.Type.Text != "again again" {
			t.Errorf("%q, %+v", s.Type.Text, s.Type.Mix)
		}
	})
}

func TestCompareLogits(t *testing.T) {
	p := func(variant string, z ...float64) *wire.Prediction {
		return &wire.Prediction{Answers: []wire.Answer{{Variant: variant, Logits: z}}}
	}
	for _, tt := range []struct {
		a, b            *wire.Prediction
		logits, changed int
		most            float64
	}{
		{p("fp32", 1, 2), p("fp32", 1, 2), 2, 0, 0},
		{p("fp32", 1, 2), p("fp32", 1, 2.5), 2, 1, .5},
		{p("fp32", 1, 2), p("custom", 1, 2), 2, 2, 0},
		{nil, p("fp32", 1, 2), 2, 2, 0},
		{p("fp32", 0), p("fp32", negative(0)), 1, 1, 0}, // not the same bits
	} {
		if n, c, m := compareLogits(tt.a, tt.b); n != tt.logits || c != tt.changed || m != tt.most {
			t.Errorf("%v, %v: %d, %d, %v", tt.a, tt.b, n, c, m)
		}
	}
	if words := mixWords(8, 1, .5); !strings.Contains(words, "1 of 8 logits changed, by up to 0.5") {
		t.Error(words)
	}
}

func negative(v float64) float64 { return -v }

func TestBothNetworks(t *testing.T) {
	typing(t, "sentences=both&text=fine", func(t *testing.T, s *session, f *fakeTab) {
		asked := f.asked(wire.OpPredict)
		if len(asked) != 2 || asked[0].Predict.Model != sentenceLab2 || asked[1].Predict.Model != sentenceLab1 {
			t.Fatalf("asked %+v", asked)
		}
		f.browser(asked[0].ID, wire.Event{Kind: wire.EventPrediction, Prediction: predicted(*asked[0].Predict)}, done())
		f.browser(asked[1].ID, wire.Event{Kind: wire.EventProgress, Step: "fetching sst2-lab1, 12 of 30 MB", Fraction: .4})
		html := s.typeHTML()
		for _, want := range []string{"fetching sst2-lab1, 12 of 30 MB", `value="0.400"`, `data-state="answered"`, `data-state="empty"`} {
			if !strings.Contains(html, want) {
				t.Errorf("no %s", want)
			}
		}
		f.browser(asked[1].ID, wire.Event{Kind: wire.EventError, Text: "the server is gone"})
		if html := s.typeHTML(); !strings.Contains(html, "sst2-lab1 did not answer. The server is gone.") {
			t.Error("the failure is not told")
		}
		s.askAgain()
		f.answerAll(2)
		html = s.typeHTML()
		if strings.Contains(html, "did not answer") || strings.Count(html, `data-state="answered"`) != 8 || strings.Count(html, "words-card") != 2 {
			t.Error("trying again does not help")
		}
		s.chooseSentences(sentenceLab1)
		settle()
		if f.query != "sentences=sst2-lab1&text=fine" || strings.Contains(s.typeHTML(), `data-model="sst2-lab2"`) {
			t.Errorf("address %q", f.query)
		}
		if s.huntView().Chosen != "sst2-lab1/static-qint8" {
			t.Errorf("search of %s", s.huntView().Chosen)
		}
	})
}

func TestLongTexts(t *testing.T) {
	typing(t, "", func(t *testing.T, s *session, f *fakeTab) {
		n := f.answerAll(0)
		placed := s.Type.Placed
		s.typed(strings.Repeat("film 🎬 ", 10000))
		if len(s.Type.Text) > mostSentence || !s.Type.Cut || s.Type.Placed != placed+1 || s.Type.Given != s.Type.Text {
			t.Fatalf("%d bytes, cut %v", len(s.Type.Text), s.Type.Cut)
		}
		time.Sleep(typingPause)
		n = f.answerAll(n)
		settle()
		html := s.typeHTML()
		for _, want := range []string{cutWords, "Too long for a link", "texts of up to 2000 bytes", "more words"} {
			if !strings.Contains(html, want) {
				t.Errorf("no %q", want)
			}
		}
		if len(html) > 200<<10 || strings.Count(html, `<li class="chip `) != mostChips {
			t.Errorf("%d bytes of HTML, %d chips", len(html), strings.Count(html, `<li class="chip `))
		}
		if f.query != "" {
			t.Errorf("address %.100q", f.query)
		}
		for _, c := range f.asked(wire.OpPredict)[1:n] {
			if c.Predict.Explain != "" {
				t.Errorf("%d bytes are to be explained", len(c.Predict.Text))
			}
		}
	})
}

func TestHunting(t *testing.T) {
	found := func(i int) wire.Event {
		return wire.Event{Kind: wire.EventExample, Example: &wire.Example{Index: i, Label: "positive", Text: fmt.Sprintf("sentence <%d>", i), Baseline: "positive", Answer: "negative", Margin: .02}}
	}
	typing(t, "", func(t *testing.T, s *session, f *fakeTab) {
		f.answerAll(0)
		s.chooseHunt("sst2-lab2/dynamic-qint8")
		s.startHunt()
		c := f.asked(wire.OpSearch)[0]
		if c.Search.Variant != "dynamic-qint8" || c.Search.Model != sentenceLab2 || c.Search.Limit != mostSentences {
			t.Fatalf("%+v", c.Search)
		}
		f.browser(c.ID, wire.Event{Kind: wire.EventProgress, Step: "searching", Fraction: .5}, found(3))
		if html := s.typeHTML(); !strings.Contains(html, ">Cancel<") || !strings.Contains(html, "1 sentence found") || !strings.Contains(html, "sentence &lt;3&gt;") {
			t.Error("the search under way is not shown")
		}
		f.browser(c.ID, found(9), done())
		html := s.typeHTML()
		for _, want := range []string{"dynamic int8 and float32 disagree on 2 sentences", "float32: positive, right", "dynamic int8: negative, wrong", "Find sentences"} {
			if !strings.Contains(html, want) {
				t.Errorf("no %q", want)
			}
		}
		s.giveExample(s.Type.Hunt.Found[1])
		if s.Type.Text != "sentence <9>" || !strings.Contains(s.Type.Origin, "Sentence 10 of the dev set, whose right answer is positive") {
			t.Errorf("%q, %q", s.Type.Text, s.Type.Origin)
		}
		s.startHunt()
		f.browser(f.asked(wire.OpSearch)[1].ID, found(3))
		s.stopHunt()
		settle()
		if h := s.Type.Hunt; h.Going || !h.Canceled || len(h.Found) != 1 || len(f.asked(wire.OpCancel)) != 1 {
			t.Errorf("%+v", h)
		}
	})
}

func TestWithoutTheData(t *testing.T) {
	typing(t, "", func(t *testing.T, s *session, f *fakeTab) {
		f.answerAll(0)
		f.browser(f.asked(wire.OpSamples)[0].ID, wire.Event{Kind: wire.EventError, Text: "SST-2 is missing here"})
		s.startHunt()
		f.browser(f.asked(wire.OpSearch)[0].ID, wire.Event{Kind: wire.EventError, Text: "SST-2 is missing here"})
		html := s.typeHTML()
		if strings.Count(html, "SST-2 is missing here.") != 2 || !strings.Contains(html, "Try again") || !strings.Contains(html, `data-state="answered"`) {
			t.Error("it is not told what is missing and what works")
		}
		s.moreSamples()
		c := f.asked(wire.OpSamples)[1]
		f.browser(c.ID, wire.Event{Kind: wire.EventExample, Example: &wire.Example{Label: "negative", Text: "dull"}}, done())
		if html := s.typeHTML(); strings.Count(html, "SST-2 is missing here.") != 1 || !strings.Contains(html, ">dull<") {
			t.Error("the examples did not come")
		}
	})
}

// The server draws the box as the address says, and what an address says is text.
func TestTypesFirstPaint(t *testing.T) {
	html := get(t, "/type?sentences=both&text="+url.QueryEscape("</textarea><script>alert(1)</script> \"' onfocus=x"))
	for _, want := range []string{"&lt;/textarea&gt;&lt;script&gt;", fromLink, "Loading sst2-lab1", `class="skeleton"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the first paint has no %s", want)
		}
	}
	// go-app writes attributes in any order.
	for _, input := range regexp.MustCompile(`<input [^>]*name="sentences"[^>]*>`).FindAllString(html, -1) {
		if checked, both := strings.Contains(input, " checked"), strings.Contains(input, ` value="both"`); checked != both {
			t.Errorf("the first paint has %s", input)
		}
	}
	if m := inline.FindString(html); m != "" {
		t.Errorf("inline: %q", m)
	}
	if html := get(t, "/type?text=%ff&order=up"); !strings.Contains(html, "not UTF-8") || !strings.Contains(html, "order=") || !strings.Contains(html, "every minute of it.</textarea>") {
		t.Error("what was wrong with the link is not told")
	}
}

// Plans of the reader's own have a row, and can be searched and left words out of.
func TestTheReadersOwnPlan(t *testing.T) {
	typing(t, "text=fine&without=custom&net=sst2-lab2&plan=dynamic-w3-a8r", func(t *testing.T, s *session, f *fakeTab) {
		c := f.asked(wire.OpPredict)[0].Predict
		if c.Custom != nil { // Inspect reads its part of the address only where it is shown
			if c.Explain != wire.Custom || c.Custom.Plan != "dynamic-w3-a8r" {
				t.Errorf("%+v", c)
			}
			if v := s.huntView(); !slices.ContainsFunc(v.Options, func(o option) bool { return o.Value == "sst2-lab2/custom" }) {
				t.Errorf("%+v", v.Options)
			}
		} else if c.Explain != wire.Baseline {
			t.Errorf("without a plan: %+v", c)
		}
	})
}

func TestAStoppedEngineIsStartedAgain(t *testing.T) {
	typing(t, "text=fine", func(t *testing.T, s *session, f *fakeTab) {
		f.worker("failed", "out of memory")
		html := s.typeHTML()
		if !strings.Contains(html, "sst2-lab2 did not answer. Out of memory.") || strings.Contains(html, "is answered all the same") {
			t.Error("the failure is not told as it is")
		}
		n, m := len(f.asked(wire.OpPredict)), len(f.asked(wire.OpSamples))
		s.askAgain()
		f.worker("ready", "")
		if f.restarts != 1 || len(f.asked(wire.OpPredict)) != n+1 || len(f.asked(wire.OpSamples)) != m+1 {
			t.Fatalf("%d restarts, %d and %d questions", f.restarts, len(f.asked(wire.OpPredict))-n, len(f.asked(wire.OpSamples))-m)
		}
		f.answerAll(n)
		if html := s.typeHTML(); strings.Contains(html, "did not answer") || !strings.Contains(html, `data-state="answered"`) {
			t.Error("it is not answered")
		}
	})
}
