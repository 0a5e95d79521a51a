package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// A treatment is one way to make a model's inputs: of pixels a scaling, of words whether they are counted.
type treatment struct {
	value string // in answers
	words string // "its pixels are scaled to …"
	label string // of a choice

	scaling nn.Scaling
	binary  bool
}

// set makes the treatment the spec's.
func (t treatment) set(s *nn.Spec) { s.Scaling, s.Binary = t.scaling, t.binary }

// scalings are the usual ones of MNIST's pixels, the simplest first.
func scalings() []treatment {
	return []treatment{
		{value: "unit", words: "its pixels are scaled to 0 to 1", label: "0 to 1, as ToTensor does"},
		{value: "0.1307,0.3081", words: "its pixels are normalized with mean 0.1307 and deviation 0.3081", label: "Normalize(0.1307, 0.3081)", scaling: nn.Scaling{Mean: 0.1307, Std: 0.3081}},
		{value: "0.5,0.5", words: "its pixels are scaled to −1 to 1", label: "−1 to 1, as Normalize(0.5, 0.5) does", scaling: nn.Scaling{Mean: 0.5, Std: 0.5}},
		{value: "bytes", words: "its pixels are left at 0 to 255", label: "0 to 255, as they are stored", scaling: nn.Scaling{Std: 1.0 / 255}},
	}
}

// countings are the two usual bags of words.
func countings() []treatment {
	return []treatment{
		{value: "counts", words: "its words are counted", label: "how often each word occurs"},
		{value: "presence", words: "its words are only noticed, not counted", label: "whether each word occurs", binary: true},
	}
}

// How much is tried.
const (
	trialExamples = 1000
	fewestTried   = 100
	trialWork     = 20e9 // multiply-adds of a dense network, all treatments together
)

// preprocessing finds out how the network's inputs are made: what the request answers, else what the lab's examples show, else what
// the reader says.
func (im *importer) preprocessing(net *nn.Network) error {
	ways, text := scalings(), "How were the pixels scaled that the model was trained with?"
	if net.Spec.Data == nn.SST2 {
		ways, text = countings(), "Was the model trained with how often each word occurs, or with whether it does?"
	}
	q := wire.Question{Key: keyScaling, Text: text}
	for _, w := range ways {
		q.Choices = append(q.Choices, wire.Choice{Value: w.value, Label: w.label})
	}
	if answer, ok := im.req.Answers[keyScaling]; ok {
		return im.told(net, ways, q, answer)
	}
	examples, why, err := im.examples(net)
	if err != nil {
		return err
	}
	if examples == nil {
		q.Text += " " + why
		return &asking{q}
	}
	return im.try(net, ways, examples)
}

// told takes the answer of the request: one of the ways, or any mean and deviation of pixels.
func (im *importer) told(net *nn.Network, ways []treatment, q wire.Question, answer string) error {
	if at := slices.IndexFunc(ways, func(t treatment) bool { return t.value == answer }); at >= 0 {
		ways[at].set(&net.Spec)
		im.note("%s, as you said", ways[at].words)
		return nil
	}
	var s nn.Scaling
	if _, err := fmt.Sscanf(strings.ReplaceAll(answer, " ", ""), "%g,%g", &s.Mean, &s.Std); net.Spec.Data == nn.MNIST && err == nil && s.Std > 0 {
		net.Spec.Scaling = s
		im.note("its pixels are normalized with mean %v and deviation %v, as you said", s.Mean, s.Std)
		return net.Spec.Validate()
	}
	_, err := choose(im.req, q)
	return err
}

// examples returns examples to try the network on; where there are none, why says so.
func (im *importer) examples(net *nn.Network) (e *dataset.Examples, why string, err error) {
	spec := net.Spec
	switch {
	case spec.Data == nn.MNIST && spec.Out != dataset.Digits:
		return nil, fmt.Sprintf("It tells %d classes apart, MNIST has 10, so it can't be tried.", max(spec.Out, 2)), nil
	case spec.Data == nn.SST2 && spec.Out > dataset.Sentiments:
		return nil, fmt.Sprintf("It tells %d classes apart, SST-2 has 2, so it can't be tried.", spec.Out), nil
	case im.src == nil:
		return nil, "There are no examples here to try it on.", nil
	}
	im.progress("loading examples to try the model on", 0.3)
	if spec.Data == nn.MNIST {
		e, err = im.digits(spec)
	} else {
		e, err = im.sentences(spec)
	}
	var missing *dataset.MissingError
	if errors.As(err, &missing) && im.ctx.Err() == nil {
		return nil, fmt.Sprintf("It can't be tried: %s missing.", missing.What), nil
	}
	return e, "", err
}

// digits returns test images as the spec crops them.
func (im *importer) digits(spec nn.Spec) (*dataset.Examples, error) {
	whole := nn.Specs()[0] // the lab's model of whole images
	n := trialExamples
	if work := float64(len(scalings())) * float64(spec.Params()); work*trialExamples > trialWork {
		n = max(fewestTried, int(trialWork/work))
	}
	e, err := im.src.Test(im.ctx, whole, n, nil)
	if err != nil {
		return nil, err
	}
	images := &dataset.Images{Height: whole.Crop, Width: whole.Crop, Pixels: e.Pixels, Labels: e.Labels}
	return dataset.FromImages(images.Crop(spec.Crop)), nil
}

// sentences returns the evaluation set in words of the vocabulary.
func (im *importer) sentences(spec nn.Spec) (*dataset.Examples, error) {
	v, err := dataset.NewVocabulary(im.words)
	if err != nil {
		return nil, err
	}
	s, err := im.src.Sentences(im.ctx, spec, dataset.Dev, trialExamples, nil)
	if err != nil {
		return nil, err
	}
	return dataset.FromSentences(s, v), nil
}

// An attempt is how a network did under a treatment.
type attempt struct {
	treatment
	answers []int
	correct int
}

// try runs the network on the examples under every treatment and takes the best, with a note where the second best is about as good.
func (im *importer) try(net *nn.Network, ways []treatment, examples *dataset.Examples) error {
	var all []attempt
	for i, w := range ways {
		im.progress("trying how its inputs are made", 0.4+0.5*float64(i)/float64(len(ways)))
		a := attempt{treatment: w}
		spec := net.Spec
		w.set(&spec)
		var err error
		if a.answers, err = answers(im.ctx, net, examples.As(spec)); err != nil {
			return err
		}
		for k, class := range a.answers {
			if class == int(examples.Labels[k]) {
				a.correct++
			}
		}
		all = append(all, a)
	}
	// Stable: of equal ones the simplest stays first.
	slices.SortStableFunc(all, func(a, b attempt) int { return b.correct - a.correct })
	best, n := all[0], len(examples.Labels)
	of := fmt.Sprintf("the first %d test images", n)
	if net.Spec.Data == nn.SST2 {
		of = fmt.Sprintf("SST-2's %d evaluation sentences", n)
	}
	classes := max(net.Spec.Out, 2)
	if low, _ := measure.Wilson(best.correct, n); low <= 1/float64(classes) {
		im.atChance(net, ways[0], best, n, of)
		return nil
	}
	best.set(&net.Spec)
	second := slices.IndexFunc(all, func(a attempt) bool { return !slices.Equal(a.answers, best.answers) })
	if second < 0 {
		im.note("%s: %s of %s right, and the same answers otherwise", best.words, percent(best.correct, n), of)
		return nil
	}
	im.note("%s: %s of %s right, against %s with %s", best.words, percent(best.correct, n), of, percent(all[second].correct, n), all[second].label)
	if !beats(best, all[second], examples.Labels) {
		im.note("that difference may be chance: if the model was trained otherwise, import it again with the answer %s=%s", keyScaling, all[second].value)
	}
	return nil
}

// beats reports whether a is right on so many more of the examples than b that this is no chance.
func beats(a, b attempt, labels []uint8) bool {
	gained, lost := 0, 0
	for i, label := range labels {
		switch x, y := a.answers[i] == int(label), b.answers[i] == int(label); {
		case x && !y:
			gained++
		case y && !x:
			lost++
		}
	}
	return gained > lost && measure.McNemar(gained, lost) < 0.05
}

// atChance takes the simplest treatment and says what may be wrong.
func (im *importer) atChance(net *nn.Network, simplest treatment, best attempt, n int, of string) {
	simplest.set(&net.Spec)
	text := fmt.Sprintf("however its inputs are made, it answers no better than by chance: %s of %s right at best; its activation may not be ReLU, its inputs made in another way, or its classes in another order", percent(best.correct, n), of)
	im.note("%s", text)
	im.note("%s: assumed", simplest.words)
}

func percent(correct, n int) string { return fmt.Sprintf("%.1f%%", 100*float64(correct)/float64(n)) }

// answers returns the classes that the float32 network answers.
func answers(ctx context.Context, net *nn.Network, e *dataset.Examples) ([]int, error) {
	plan, err := scheme.Preset(wire.Baseline, len(net.Layers))
	if err != nil {
		return nil, err
	}
	opt := quant.Options{MaxBatch: 64, Look: ctx.Err}
	if e.Sparse() {
		opt.Input = quant.Sparse
	}
	m, err := quant.Convert(net, plan, nil, opt)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	var batch nn.Batch
	out := make([]int, 0, e.Len())
	for lo := 0; lo < e.Len(); lo += opt.MaxBatch {
		e.Slice(&batch, lo, min(lo+opt.MaxBatch, e.Len()))
		logits, err := m.ForwardInterruptible(batch, ctx.Err)
		if err != nil {
			return nil, err
		}
		for width := net.Spec.Out; len(logits) > 0; logits = logits[width:] {
			out = append(out, quant.Class(logits[:width]))
		}
	}
	return out, nil
}
