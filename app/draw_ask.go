package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

const (
	finalPasses = 9 // that time the answer to what is on the pad
	livePasses  = 0 // while the pen draws: the answer must come at once
	// handRests is how long the pad must rest before the answer is spoken.
	handRests = 700 * time.Millisecond
)

// drawLanes are where the questions of a model wait for each other: the lab's first, its second, and one of the reader's own.
var drawLanes = []string{"draw", "draw-2", "draw-own"}

func drawLane(model string) string {
	lane := slices.Index(labDigits(), model)
	if lane < 0 {
		lane = len(drawLanes) - 1
	}
	return drawLanes[lane]
}

// askDrawing shows what is on the pad to the models.
func (s *session) askDrawing(passes int) {
	d := &s.Draw
	drawing, models := d.drawing(), d.asked()
	if drawing == nil {
		models = nil
	}
	for _, lane := range drawLanes {
		if !slices.ContainsFunc(models, func(model string) bool { return drawLane(model) == lane }) {
			s.drop(lane)
		}
	}
	maps.DeleteFunc(d.replies, func(model string, _ *drawReply) bool { return !slices.Contains(models, model) })
	for _, model := range models {
		s.askModel(model, drawing, passes)
	}
}

func (s *session) askModel(model string, drawing *wire.Drawing, passes int) {
	input := s.Draw.input
	request := &wire.PredictRequest{Model: model, Custom: s.customFor(model), Drawing: drawing, Repeats: passes}
	s.Draw.reply(model).Failed = ""
	s.ask(drawLane(model), wire.Command{Op: wire.OpPredict, Predict: request}, false, func(e wire.Event) {
		r := s.Draw.reply(model)
		switch e.Kind {
		case wire.EventProgress:
			r.Step, r.Fraction = e.Step, clamp01(e.Fraction)
			s.redraw(drawPart)
		case wire.EventPrediction:
			if e.Prediction == nil {
				return
			}
			*r = drawReply{Prediction: e.Prediction, Timed: r.Timed.after(e.Prediction), Input: input, Passes: passes}
			s.Draw.learn(e.Prediction, request.Drawing)
			s.heardDrawing(input)
			s.redraw(drawPart)
		case wire.EventError:
			*r = drawReply{Failed: sentence(e.Text)}
			s.say(r.Failed)
		case wire.EventDone, wire.EventCancel:
			if r.Step == "" {
				s.redraw()
				return
			}
			r.Step, r.Fraction = "", 0
			s.redraw(drawPart)
		}
	})
}

// heardDrawing says the answer once it is complete and the hand rests.
func (s *session) heardDrawing(input int) {
	d := &s.Draw
	for _, model := range d.asked() {
		if r := d.reply(model); r.Input != input || r.Prediction == nil || r.Passes < finalPasses {
			return
		}
	}
	s.tellCentring()
	s.askOtherwise()
	if d.sketch.Unasked {
		return
	}
	s.platform.After(handRests, func() {
		s.later(func() {
			if s.Draw.input == input && len(s.Draw.stroke) == 0 {
				s.say(s.drawVerdict())
			}
		})
	})
}

// drawVerdict says what the models answer, in a sentence each.
func (s *session) drawVerdict() string {
	var parts []string
	for _, model := range s.Draw.asked() {
		r := s.Draw.reply(model)
		if r.Prediction == nil {
			continue
		}
		text := answersSentence(r.Prediction)
		if len(s.Draw.asked()) > 1 {
			text = model + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// drawingChanged shows a change of the pad's content, or of how the nets see it, to the nets and to the address.
func (s *session) drawingChanged() {
	s.Notices = nil
	s.askDrawing(finalPasses)
	s.remember()
}

// penMoves and penUp follow a stroke; the address follows at its end. penMoves reports whether there was room for the points.
func (s *session) penMoves(points []int) bool {
	if !s.Draw.pen(points) {
		s.penUp()
		s.Draw.problem = "This drawing has as many points as a drawing can have: press Clear or Undo to go on."
		s.say(s.Draw.problem)
		return false
	}
	s.askDrawing(livePasses)
	return true
}

func (s *session) penUp() {
	if len(s.Draw.stroke) == 0 {
		return
	}
	s.Draw.lift()
	s.drawingChanged()
}

func (s *session) undoDrawing() {
	s.penUp()
	if s.Draw.undo() {
		s.say("Undone.")
		s.drawingChanged()
	}
}

func (s *session) redoDrawing() {
	s.penUp()
	if s.Draw.redo() {
		s.say("Done again.")
		s.drawingChanged()
	}
}

func (s *session) clearDrawing() {
	s.penUp()
	if s.Draw.sketch.empty() {
		return
	}
	s.Draw.put(sketch{})
	s.say("The pad is empty.")
	s.drawingChanged()
}

// putExample puts an image of the test set on the pad.
func (s *session) putExample(e wire.Example) {
	s.penUp()
	n := e.Index
	s.Draw.put(sketch{Example: &n, Digit: e.Digit, Label: e.Label})
	s.drawingChanged()
}

func (s *session) setInvert(on bool) {
	s.Draw.Invert, s.Draw.centring = on, ""
	s.Draw.look++
	s.Draw.input++
	s.drawingChanged()
}

// setAsDrawn switches centring and scaling, and remembers what float32 answered, to tell what that changed.
func (s *session) setAsDrawn(on bool) {
	d := &s.Draw
	d.AsDrawn, d.centring = on, ""
	d.compare = map[string]string{}
	for _, model := range d.asked() {
		if r := d.reply(model); r.Prediction != nil && r.Input == d.input && d.sketch.Example == nil { // to an example it changes nothing
			d.compare[model] = baselineLabel(r.Prediction)
		}
	}
	d.look++
	d.input++
	s.drawingChanged()
}

// tellCentring says in words what centring and scaling changed in float32's answers.
func (s *session) tellCentring() {
	d := &s.Draw
	if d.compare == nil {
		return
	}
	before := d.compare
	d.compare = nil
	var changed []string
	for _, model := range d.asked() {
		was, now := before[model], baselineLabel(d.reply(model).Prediction)
		if was == "" || was == now {
			continue
		}
		with, without := was, now
		if !d.AsDrawn {
			with, without = now, was
		}
		changed = append(changed, fmt.Sprintf("%s says %s as drawn, and %s once it is centred and scaled", model, without, with))
	}
	switch {
	case len(changed) > 0:
		d.centring = "It matters here: " + strings.Join(changed, "; ") + "."
	case len(before) > 0:
		d.centring = "This time float32 answers the same either way."
	}
	if d.centring != "" {
		s.say(d.centring)
	}
}

func (s *session) chooseDigits(models string) {
	if models != Both && !slices.Contains(modelsOn(nn.MNIST, s.catalog()).IDs(), models) {
		return
	}
	d := &s.Draw
	before := s.drawTest()
	d.Models = models
	delete(s.awaited, drawView().Path)
	if test := s.drawTest(); test.Of != before.Of {
		s.drop(searchLane)
		d.past, d.future, d.search = nil, nil, d.search.on(test)
		if d.sketch.Example != nil {
			d.show(firstSketch())
		}
		s.askDigits()
	}
	s.drawingChanged()
}
