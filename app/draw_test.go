package app

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// drawn is an answer in which static int8 says another digit where differ is set.
func drawn(model, label string, differ bool) *wire.Prediction {
	p := &wire.Prediction{Model: model, Labels: nn.Specs()[0].Labels(), Digit: make([]byte, digitPixels), Notes: []string{"a <note>"}}
	p.Digit[14*wire.DigitSide+14] = 255
	for _, v := range wire.VariantIDs() {
		a := wire.Answer{Variant: v, Label: label, Agrees: true, Margin: .9, Probabilities: make([]float64, 10), Call: &wire.Latency{Median: 61.23, Samples: make([]float64, 7)}}
		a.Probabilities[slices.Index(nn.Specs()[0].Labels(), label)] = .98
		if differ && v == "static-qint8" {
			a.Label, a.Agrees = "1", false
		}
		p.Answers = append(p.Answers, a)
	}
	return p
}

// inDraw starts a session on the Draw view with a worker that is ready.
func inDraw(t *testing.T, query string, play func(t *testing.T, s *session, f *fakeTab)) {
	sceneAt(t, "/draw", query, play)
}

// reply answers the latest question of an operation.
func (f *fakeTab) reply(op string, events ...wire.Event) {
	f.t.Helper()
	asked := f.asked(op)
	if len(asked) == 0 {
		f.t.Fatalf("nothing was asked with %s", op)
	}
	f.browser(asked[len(asked)-1].ID, append(events, wire.Event{Kind: wire.EventDone})...)
}

func (f *fakeTab) predict(p *wire.Prediction) {
	f.t.Helper()
	f.reply(wire.OpPredict, wire.Event{Kind: wire.EventPrediction, Prediction: p})
}

func rendered(s *session) string {
	p := newPage()
	p.session = s
	var b strings.Builder
	goapp.PrintHTML(&b, p)
	return b.String()
}

func TestASampleIsAnsweredUnasked(t *testing.T) {
	inDraw(t, "", func(t *testing.T, s *session, f *fakeTab) {
		asked := f.asked(wire.OpPredict)
		if len(asked) != 1 || asked[0].Predict.Model != firstDigits || *asked[0].Predict.Drawing.Example != firstSample || asked[0].Predict.Repeats != finalPasses {
			t.Fatalf("asked %+v", asked)
		}
		if page := rendered(s); !strings.Contains(page, "A sample to begin with") || !strings.Contains(page, "Loading the network") {
			t.Error("the sample or the waiting is not told")
		}
		f.predict(drawn(firstDigits, "7", true))
		page := rendered(s)
		for _, want := range []string{`data-variant="static-qint8"`, "differs from float32", "agrees with float32", "61.2", "Float32 says 7 with 98%; static int8 says 1."} {
			if !strings.Contains(page, want) {
				t.Errorf("no %s", want)
			}
		}
		if strings.Contains(page, "<note>") {
			t.Error("a note was taken for markup")
		}
		if f.query != "" {
			t.Errorf("a sample that nobody chose is in the address: %s", f.query)
		}
	})
}

func TestTheAnswersFollowThePen(t *testing.T) {
	inDraw(t, "", func(t *testing.T, s *session, f *fakeTab) {
		f.predict(drawn(firstDigits, "7", false))
		for i := range 20 {
			s.penMoves([]int{300 + 10*i, 300, 300 + 10*i, 300})
		}
		asked := f.asked(wire.OpPredict)
		if len(asked) != 2 {
			t.Fatalf("%d questions under way", len(asked)-1)
		}
		d := asked[1].Predict.Drawing
		if d.Example != nil || !reflect.DeepEqual(d.Strokes, [][]int{{300, 300}}) {
			t.Errorf("the first stroke does not replace the sample: %+v", d)
		}
		f.predict(drawn(firstDigits, "1", false))
		asked = f.asked(wire.OpPredict)
		if d = asked[len(asked)-1].Predict.Drawing; len(d.Strokes[0]) != 40 {
			t.Errorf("the newest question has %d numbers of 40", len(d.Strokes[0]))
		}
		if f.query != "" {
			t.Error("the address follows during a stroke")
		}
		s.penUp()
		settle()
		if !strings.HasPrefix(f.query, "strokes=") {
			t.Errorf("address %q", f.query)
		}
		f.predict(drawn(firstDigits, "2", false))
		f.predict(drawn(firstDigits, "3", false))
		asked = slices.DeleteFunc(f.asked(wire.OpPredict), func(c wire.Command) bool { return c.Predict.Drawing.AsDrawn })
		if n := asked[len(asked)-1].Predict.Repeats; n != finalPasses {
			t.Errorf("%d passes at the end of the stroke", n)
		}
		time.Sleep(2 * handRests)
		if !strings.Contains(s.Announcement, "All four variants say 3, float32 with 98%.") {
			t.Errorf("announced: %q", s.Announcement)
		}
	})
}

func TestUndoAndRedo(t *testing.T) {
	inDraw(t, "", func(t *testing.T, s *session, f *fakeTab) {
		stroke := func(x int) {
			s.penMoves([]int{x, 1, x, 2})
			s.penUp()
		}
		stroke(10)
		stroke(20)
		if n := len(s.Draw.past); n != 2 {
			t.Errorf("two strokes are %d steps", n)
		}
		s.undoDrawing()
		if n := len(s.Draw.sketch.Strokes); n != 1 {
			t.Errorf("%d strokes after undo", n)
		}
		s.undoDrawing()
		if !s.Draw.sketch.Unasked {
			t.Error("undo does not bring the sample back")
		}
		s.undoDrawing()
		s.redoDrawing()
		s.redoDrawing()
		if n := len(s.Draw.sketch.Strokes); n != 2 {
			t.Errorf("%d strokes after redo", n)
		}
		s.clearDrawing()
		s.clearDrawing()
		time.Sleep(2 * rememberEvery)
		if s.Draw.drawing() != nil || f.query != "strokes=" {
			t.Errorf("after clear: %q", f.query)
		}
		if page := rendered(s); !strings.Contains(page, "The pad is empty") || !strings.Contains(page, "Draw a digit here") {
			t.Error("the empty pad is not told")
		}
		s.undoDrawing()
		if n := len(s.Draw.sketch.Strokes); n != 2 {
			t.Error("clear can't be undone")
		}
		stroke(30)
		s.redoDrawing()
		if n := len(s.Draw.sketch.Strokes); n != 3 {
			t.Error("a new stroke leaves something to redo")
		}
	})
}

func TestTooManyPoints(t *testing.T) {
	inDraw(t, "strokes=", func(t *testing.T, s *session, f *fakeTab) {
		points := make([]int, 2*wire.MaxPoints)
		for i := range points {
			points[i] = i / 2 % wire.DrawingGrid
		}
		if !s.penMoves(points) {
			t.Fatal(s.Draw.problem)
		}
		if s.penMoves([]int{1, 1}) || s.Draw.problem == "" {
			t.Error("a point too many is taken")
		}
		settle()
		if strings.Contains(f.query, "strokes") {
			t.Errorf("an address of %d characters", len(f.query))
		}
		if !strings.Contains(rendered(s), "too long for a link") {
			t.Error("the reader does not hear of it")
		}
	})
}

func TestBothModels(t *testing.T) {
	inDraw(t, "digits=both", func(t *testing.T, s *session, f *fakeTab) {
		asked := f.asked(wire.OpPredict)
		if len(asked) != 2 {
			t.Fatalf("asked %d", len(asked))
		}
		for _, c := range asked {
			f.browser(c.ID, wire.Event{Kind: wire.EventPrediction, Prediction: drawn(c.Predict.Model, "7", c.Predict.Model == "mnist-lab2")}, wire.Event{Kind: wire.EventDone})
		}
		if text := s.drawVerdict(); text != "mnist-lab1: All four variants say 7, float32 with 98%. mnist-lab2: Float32 says 7 with 98%; static int8 says 1. The others agree with float32." {
			t.Error(text)
		}
		s.chooseDigits("mnist-lab2")
		settle()
		if f.query != "digits=mnist-lab2" || strings.Contains(rendered(s), `<tr data-model="mnist-lab1"`) {
			t.Errorf("after choosing one: %q", f.query)
		}
	})
}

func TestCentringIsToldInWords(t *testing.T) {
	inDraw(t, "strokes="+encodeStrokes([][]int{{1, 2, 3, 4}}), func(t *testing.T, s *session, f *fakeTab) {
		f.predict(drawn(firstDigits, "7", false))
		s.setAsDrawn(true)
		f.predict(drawn(firstDigits, "1", false))
		if s.Draw.centring != "It matters here: mnist-lab1 says 1 as drawn, and 7 once it is centred and scaled." {
			t.Error(s.Draw.centring)
		}
		s.setAsDrawn(false)
		f.predict(drawn(firstDigits, "1", false))
		if !strings.Contains(s.Draw.centring, "the same either way") {
			t.Error(s.Draw.centring)
		}
		time.Sleep(2 * rememberEvery)
		if strings.Contains(f.query, "asdrawn") {
			t.Errorf("address %q", f.query)
		}
	})
}

func TestPictures(t *testing.T) {
	inDraw(t, "", func(t *testing.T, s *session, f *fakeTab) {
		s.hearPicture(pictureReading, "")
		s.hearPicture(pictureProblem, "This is a PDF.")
		if s.Draw.reading || !strings.Contains(rendered(s), "This is a PDF.") {
			t.Error("the problem is not told")
		}
		s.hearPicture(picturePixels, "{")
		if s.Draw.problem == "" {
			t.Error("damaged JSON is taken")
		}
		s.hearPicture(picturePixels, fmt.Sprintf(`{"width":2,"height":1,"gray":%q}`, base64.StdEncoding.EncodeToString([]byte{0, 255})))
		f.reply(wire.OpPicture, wire.Event{Kind: wire.EventPicture, Picture: picture(4)})
		settle()
		if !strings.HasPrefix(f.query, "picture=") || s.Draw.problem != "" {
			t.Errorf("address %.40q, %s", f.query, s.Draw.problem)
		}
		f.reply(wire.OpPicture, wire.Event{Kind: wire.EventError, Text: "no ink"})
		s.hearPicture(picturePixels, `{"width":1,"height":1,"gray":"AA=="}`)
		f.reply(wire.OpPicture, wire.Event{Kind: wire.EventError, Text: "the picture is empty: take another one"})
		if s.Draw.problem != "The picture is empty: take another one." || s.Draw.sketch.Picture == nil {
			t.Errorf("problem %q", s.Draw.problem)
		}
	})
}

func found(n int) *wire.Example {
	return &wire.Example{Index: n, Label: "5", Baseline: "5", Answer: "6", Digit: make([]byte, digitPixels)}
}

func TestSearch(t *testing.T) {
	inDraw(t, "", func(t *testing.T, s *session, f *fakeTab) {
		s.searchDigits()
		settle()
		if c := f.asked(wire.OpSearch)[0].Search; c.Model != firstDigits || c.Variant != "static-qint8" || c.Limit != mostFound {
			t.Errorf("searches %+v", c)
		}
		id := f.asked(wire.OpSearch)[0].ID
		f.browser(id, wire.Event{Kind: wire.EventExample, Example: found(42)}, wire.Event{Kind: wire.EventProgress, Fraction: .5})
		if page := rendered(s); !strings.Contains(page, "5,000 of 10,000 test images searched, 1 found.") || !strings.Contains(page, "<span>int8 6</span>") {
			t.Error("the search is not shown as it goes")
		}
		f.reply(wire.OpSearch)
		if text := searchSentence(s.Draw.search); text != "Static int8 of mnist-lab1 and float32 disagree on 1 of all 10,000 test images." {
			t.Error(text)
		}
		s.putExample(s.Draw.search.Found[0].Example)
		settle()
		if f.query != "example=42" {
			t.Error(f.query)
		}
		s.searchDigits()
		f.reply(wire.OpSearch)
		if text := searchSentence(s.Draw.search); !strings.HasPrefix(text, "None found: static int8 of mnist-lab1 and float32 answer the same to all 10,000") {
			t.Error(text)
		}
		s.searchDigits()
		settle()
		s.cancelSearch()
		if s.Draw.search.Going || len(f.asked(wire.OpCancel)) == 0 {
			t.Error("cancel does not cancel")
		}
	})
}

func TestADeadWorkerIsToldAndRevived(t *testing.T) {
	inDraw(t, "", func(t *testing.T, s *session, f *fakeTab) {
		f.worker("failed", "The browser’s engine stopped: <b>out of memory</b>.")
		page := rendered(s)
		if !strings.Contains(page, "engine stopped: &lt;b&gt;") || !strings.Contains(page, `id="draw-retry"`) {
			t.Error("the failure is not told")
		}
		before := len(f.asked(wire.OpPredict))
		s.startAgain()
		f.worker("ready", "")
		if f.restarts != 1 || len(f.asked(wire.OpPredict)) != before+1 {
			t.Errorf("%d restarts, %d questions", f.restarts, len(f.asked(wire.OpPredict))-before)
		}
		f.predict(drawn(firstDigits, "7", false))
		if strings.Contains(rendered(s), `id="draw-failed"`) {
			t.Error("the failure stays")
		}
	})
}

func TestDrawAddresses(t *testing.T) {
	strokes, pic := encodeStrokes([][]int{{1, 2, 3, 4}}), encodePicture(picture(5))
	for _, q := range []string{
		"", "digits=mnist-lab2", "digits=both&example=9999&asdrawn=1&invert=1", "strokes=", "strokes=" + strokes,
		"strokes=" + strokes + "&picture=" + pic, "picture=" + pic + "&invert=1", "example=0",
	} {
		v, err := url.ParseQuery(q)
		if err != nil {
			t.Fatal(err)
		}
		d, notices := parseDrawing(v, nil)
		if got, _ := d.address(); got != q || len(notices) > 0 {
			t.Errorf("%s comes back as %s, %q", q, got, notices)
		}
	}
	for _, q := range []string{
		"digits=mnist-lab3", "strokes=%21", "strokes=AAA", "picture=AAAA", "example=10000", "example=-1", "example=x", "asdrawn=yes", "invert=",
		"strokes=" + strokes + "&example=3", "strokes=" + strings.Repeat("A", 1<<20), "example=%ff%fe" + strings.Repeat("%ff", 100),
	} {
		v, err := url.ParseQuery(q)
		if err != nil {
			t.Fatal(err)
		}
		if _, notices := parseDrawing(v, nil); len(notices) != 1 || len(notices[0]) > 250 {
			t.Errorf("%.40s: notices %q", q, notices)
		}
	}
}

// A link that says what is on the pad already keeps the history of undo.
func TestComingBackKeepsTheDrawing(t *testing.T) {
	inDraw(t, "", func(t *testing.T, s *session, f *fakeTab) {
		s.penMoves([]int{1, 2, 3, 4})
		s.penUp()
		settle()
		q, _ := url.ParseQuery(f.query)
		s.visit("/type", nil)
		s.visit("/draw", q)
		if len(s.Draw.past) != 1 {
			t.Error("the history is lost")
		}
		s.visit("/draw", nil)
		if !s.Draw.sketch.Unasked {
			t.Error("the bare address is not the beginning")
		}
	})
}

func TestFirstPaintOfDraw(t *testing.T) {
	page := get(t, "/draw?digits=both&strokes=bad%20")
	for _, want := range []string{`id="pad"`, "A sample to begin with", `data-variant="dynamic-qint8"`, `data-col="answer"`, "What the nets saw", "Find one that differs", "The link says strokes=bad"} {
		if !strings.Contains(page, want) {
			t.Errorf("the first paint has no %s", want)
		}
	}
	if m := inline.FindString(page); m != "" {
		t.Errorf("inline: %q", m)
	}
	if n := strings.Count(page, "<tr") - strings.Count(page, "<thead"); n != 2*4 {
		t.Errorf("%d rows", n)
	}
}

func FuzzDrawAddress(f *testing.F) {
	f.Add("strokes=AgICAgI&digits=both&asdrawn=1")
	f.Add("example=3&invert=1")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		d, _ := parseDrawing(q, nil)
		spelled := d.query(true)
		again, err := url.ParseQuery(spelled)
		if err != nil {
			t.Fatalf("%q can't be read: %v", spelled, err)
		}
		if e, notices := parseDrawing(again, nil); e.query(true) != spelled || len(notices) > 0 {
			t.Fatalf("%q comes back as %q, %q", spelled, e.query(true), notices)
		}
	})
}
