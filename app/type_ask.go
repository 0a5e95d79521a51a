package app

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"quantlab/core/lab/wire"
)

const (
	// typingPause is how long the keys must rest before the address follows and the answer is worked out in full.
	typingPause = 500 * time.Millisecond
	// sayAfter is how much longer they must rest before the answer is announced.
	sayAfter = 900 * time.Millisecond
	// explainLive bounds the text of which each key has the words' parts worked out again, in bytes.
	explainLive = 400
	// explainMost bounds the text of which they are worked out at all.
	explainMost = 2000

	liveRepeats  = 0 // an answer at each key must come at once
	pauseRepeats = 20
)

// sentenceLanes are the lanes of the models: the lab's, the smaller one first, and one of the reader's own.
var sentenceLanes = []string{"type", "type-2", "type-own"}

func sentenceLane(model string) string {
	switch model {
	case sentenceLab2:
		return sentenceLanes[0]
	case sentenceLab1:
		return sentenceLanes[1]
	}
	return sentenceLanes[2]
}

// typed takes over what the reader typed.
func (s *session) typed(text string) {
	t := &s.Type
	if text == t.Text {
		return
	}
	t.change(text)
	if t.Cut {
		t.Given = t.Text
		t.Placed++
		s.say(cutWords)
	}
	s.sentenceChanged()
}

// give puts a text into the box; Put back brings the one before it back.
func (s *session) give(text, origin string) {
	t := &s.Type
	before := t.Text
	t.place(text, origin)
	t.Before, t.Undo = before, before != text
	s.sentenceChanged()
}

func (s *session) clearSentence() {
	s.give("", "")
	s.say("The box is empty.")
}

func (s *session) putBack() {
	if !s.Type.Undo {
		return
	}
	s.give(s.Type.Before, "")
	s.say("Put back.")
}

// sentenceChanged asks at once for what can be had quickly, and for the rest when the keys rest.
func (s *session) sentenceChanged() {
	s.askSentence(false)
	s.pause(typingPause, func() {
		s.remember()
		s.askSentence(true)
		s.pause(sayAfter, func() {
			s.Type.Unsaid = true
			s.sayAnswers()
		})
	})
}

// pause calls f after the delay, unless the sentence has changed by then.
func (s *session) pause(delay time.Duration, f func()) {
	turn := s.Type.Turn
	s.platform.After(delay, func() {
		s.later(func() {
			if s.Type.Turn == turn {
				f()
			}
		})
	})
}

// askSentence asks all chosen models for the sentence. In full that is with more timed passes, and with what each word adds
// however many words there are; a newer question does not wait for it.
func (s *session) askSentence(full bool) {
	t := &s.Type
	models := t.models()
	if t.empty() {
		models = nil
	}
	for _, lane := range sentenceLanes {
		if !slices.ContainsFunc(models, func(model string) bool { return sentenceLane(model) == lane }) {
			s.drop(lane)
		}
	}
	maps.DeleteFunc(t.Replies, func(model string, _ reply) bool { return !slices.Contains(models, model) })
	for _, model := range models {
		text := t.Text
		req := wire.PredictRequest{Model: model, Custom: s.customFor(model), Text: text, Repeats: liveRepeats}
		if s.explains(model) && (len(text) <= explainLive || full && len(text) <= explainMost) {
			req.Explain = s.leftOut(model)
		}
		if full {
			req.Repeats = pauseRepeats
		}
		s.ask(sentenceLane(model), wire.Command{Op: wire.OpPredict, Predict: &req}, len(text) > explainLive, func(e wire.Event) { s.hearReply(model, text, e) })
	}
}

// explains reports whether what each word adds can be told of a model: it decides between two classes.
func (s *session) explains(model string) bool { return len(s.spec(model).Labels()) == 2 }

// hearReply takes an event that answers a text.
func (s *session) hearReply(model, text string, e wire.Event) {
	r := s.Type.Replies[model]
	switch e.Kind {
	case wire.EventProgress:
		r.Step, r.Fraction = e.Step, clamp01(e.Fraction)
	case wire.EventPrediction:
		r = reply{Text: text, Prediction: e.Prediction, Timed: r.Timed.after(e.Prediction)}
	case wire.EventError:
		r = reply{Text: r.Text, Prediction: r.Prediction, Timed: r.Timed, Failed: sentence(e.Text)}
	default:
		r.Step = ""
	}
	put(&s.Type.Replies, model, r)
	if e.Kind == wire.EventPrediction {
		s.mixAnswered()
		s.sayAnswers()
	}
	s.redraw("type-state", "type-answers", "type-words")
}

// sayAnswers announces the answers once they are here, if they are to be announced.
func (s *session) sayAnswers() {
	t := &s.Type
	if !t.Unsaid || !t.answered() {
		return
	}
	t.Unsaid = false
	var parts []string
	for _, model := range t.models() {
		parts = append(parts, model+": "+answersSentence(t.Replies[model].Prediction))
	}
	s.say(strings.Join(parts, " "))
}

// A mix is the words in another order, and what came of it.
type mix struct {
	Wanted bool                        // as soon as the sentence as it stands is answered
	Before map[string]*wire.Prediction // the answers to the words as they stood
	Words  string                      // what came of it
	Same   bool                        // nothing changed
}

// mixWords puts the words into another order and asks again.
func (s *session) mixWords() {
	t := &s.Type
	if !t.answered() { // there is nothing yet to compare with
		t.Mix.Wanted = true
		s.askSentence(true)
		return
	}
	mixed := shuffled(t.Text)
	if mixed == t.Text {
		t.Mix = mix{Words: "One word has only one order: type two different ones."}
		s.say(t.Mix.Words)
		return
	}
	before := map[string]*wire.Prediction{}
	for _, model := range t.models() {
		before[model] = t.Replies[model].Prediction
	}
	s.give(mixed, fromShuffle)
	t.Mix = mix{Before: before}
}

// mixAnswered goes on with a mix for which an answer has come.
func (s *session) mixAnswered() {
	t := &s.Type
	if !t.answered() {
		return
	}
	if t.Mix.Wanted {
		t.Mix.Wanted = false
		s.mixWords()
		return
	}
	if t.Mix.Before == nil {
		return
	}
	logits, changed, most := 0, 0, 0.0
	for _, model := range t.models() {
		n, c, m := compareLogits(t.Mix.Before[model], t.Replies[model].Prediction)
		logits, changed, most = logits+n, changed+c, max(most, m)
	}
	t.Mix = mix{Words: mixWords(logits, changed, most), Same: changed == 0}
	s.say(t.Mix.Words)
}

func mixWords(logits, changed int, most float64) string {
	if changed == 0 {
		return fmt.Sprintf("The words stand in another order, and all %d logits are the same to the last bit.", logits)
	}
	return fmt.Sprintf("The words stand in another order, and %d of %d logits changed, by up to %.3g. That should not be: the nets see only how often each word occurs.", changed, logits, most)
}

// compareLogits counts the logits of two predictions, and those of which not all bits are the same. most is the largest difference.
// A variant that only one of them has counts as changed.
func compareLogits(a, b *wire.Prediction) (logits, changed int, most float64) {
	of := func(p *wire.Prediction) map[string][]float64 {
		out := map[string][]float64{}
		if p != nil {
			for _, answer := range p.Answers {
				out[answer.Variant] = answer.Logits
			}
		}
		return out
	}
	before, after := of(a), of(b)
	for variant, z := range after {
		logits += len(z)
		if len(before[variant]) != len(z) {
			changed += len(z)
			continue
		}
		for i := range z {
			if math.Float64bits(z[i]) != math.Float64bits(before[variant][i]) {
				changed++
				most = max(most, math.Abs(z[i]-before[variant][i]))
			}
		}
	}
	return logits, changed, most
}

// shuffled puts the words of a text into another order, a blank apart; a text without two different words stays as it is.
func shuffled(text string) string {
	before := strings.Fields(text)
	if len(slices.Compact(slices.Sorted(slices.Values(before)))) < 2 {
		return text
	}
	words := slices.Clone(before)
	for slices.Equal(words, before) {
		rand.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	}
	return strings.Join(words, " ")
}
