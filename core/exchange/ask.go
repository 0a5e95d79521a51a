package exchange

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
)

// The keys of questions.
const (
	keyData        = "data"        // what the inputs are: nn.MNIST or nn.SST2
	keyVocabulary  = "vocabulary"  // answered by one more file
	keyScaling     = "scaling"     // of pixels, or of words: see scalings and countings
	keyOutput      = "output"      // which of several last layers
	keyOrder       = "order"       // of layers: their names
	keyOrientation = "orientation" // of weights: upright or turned
	keyTied        = "tied"        // how often layers under two names are passed
)

// asking is the error that stops an import until its question is answered.
type asking struct{ question wire.Question }

func (a *asking) Error() string { return a.question.Text }

// asked returns the question that stopped an import, if one did.
func asked(err error) (wire.Question, bool) {
	var a *asking
	if errors.As(err, &a) {
		return a.question, true
	}
	return wire.Question{}, false
}

// choose returns the request's answer to the question, which is one of its choices; without one the error asks it.
func choose(req wire.ImportRequest, q wire.Question) (string, error) {
	answer, ok := req.Answers[q.Key]
	if !ok {
		return "", &asking{q}
	}
	if !slices.ContainsFunc(q.Choices, func(c wire.Choice) bool { return c.Value == answer }) {
		var values []string
		for _, c := range q.Choices {
			values = append(values, c.Value)
		}
		return "", fmt.Errorf("%.60q is no answer to %q: choose %s", answer, q.Key, strings.Join(values, ", or "))
	}
	return answer, nil
}
