package lab

import (
	"context"
	"fmt"
	"math"
	"strings"

	"quantlab/core/dataset"
	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// MaxText bounds the sentence of an Input, in bytes.
const MaxText = 1 << 16

// An Input is what Predict shows to a model: a digit to the MNIST models, a sentence to the SST-2 models.
type Input struct {
	Digit *Digit
	Text  string
}

// Predict shows one input to every variant of the model.
func Predict(ctx context.Context, host Host, src Source, model string, in Input) (*wire.Prediction, error) {
	spec, err := nn.SpecOf(model)
	if err != nil {
		return nil, err
	}
	if err := in.check(spec); err != nil {
		return nil, err
	}
	req := wire.Lab()
	req.Models, req.Batches = []string{model}, []int{1}
	silent := func(wire.Event) {}
	t := &trial{spec: spec, cost: costing{spec: spec, host: host, req: req}, runner: &runner{
		host: host, src: src, req: req, engine: kernel.Best(), emit: silent,
		progress: &tracker{emit: silent}, result: &wire.Result{},
	}}
	defer t.close()
	if t.net, t.meta, err = src.Network(ctx, spec, nil); err != nil {
		return nil, fmt.Errorf("%s: %w", model, err)
	}
	if err := CheckNetwork(t.net, spec); err != nil {
		return nil, fmt.Errorf("%s: %w", model, err)
	}
	if err := t.convert(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", model, err)
	}
	p := &wire.Prediction{Version: host.Version, Model: model}
	for class := range spec.Out {
		p.Labels = append(p.Labels, Label(spec.Data, class))
	}
	batch, err := t.show(in, p)
	if err != nil {
		return nil, err
	}
	if err := t.ask(batch, p); err != nil {
		return nil, err
	}
	p.Notes = append(p.Notes, t.result.Notes...)
	return p, nil
}

// check refuses an input that the model can't read.
func (in Input) check(spec nn.Spec) error {
	switch {
	case in.Digit != nil && in.Text != "":
		return fmt.Errorf("give an image or a text, not both")
	case spec.Data == nn.MNIST && in.Digit == nil:
		return fmt.Errorf("%s reads digits: give an image", spec.ID)
	case spec.Data == nn.SST2 && in.Digit != nil:
		return fmt.Errorf("%s reads sentences: give a text", spec.ID)
	case spec.Data == nn.SST2 && strings.TrimSpace(in.Text) == "":
		return fmt.Errorf("the text is empty: give a sentence")
	case len(in.Text) > MaxText:
		return fmt.Errorf("the text has %d bytes: give at most %d", len(in.Text), MaxText)
	}
	return nil
}

// show makes the batch of one that the net sees, and records it in p.
func (t *trial) show(in Input, p *wire.Prediction) (nn.Batch, error) {
	var batch nn.Batch
	if t.spec.Data == nn.MNIST {
		image := &dataset.Images{Height: digitSide, Width: digitSide, Pixels: in.Digit[:], Labels: []uint8{0}}
		image = image.Crop(t.spec.Crop)
		p.Side = t.spec.Crop
		for _, v := range image.Pixels {
			p.Pixels = append(p.Pixels, int(v))
		}
		dataset.FromImages(image).Slice(&batch, 0, 1)
		return batch, nil
	}
	vocabulary, err := dataset.NewVocabulary(t.meta.Vocabulary)
	if err != nil {
		return batch, fmt.Errorf("%s: its file has no usable vocabulary (%w): prepare the model again", t.spec.ID, err)
	}
	if vocabulary.Len() != t.spec.In {
		return batch, fmt.Errorf("%s: its file's vocabulary has %d words, not %d: prepare the model again", t.spec.ID, vocabulary.Len(), t.spec.In)
	}
	split, known := words(vocabulary, in.Text), false
	for _, word := range split {
		p.Words = append(p.Words, wire.Word{Text: word, Known: knows(vocabulary, word)})
		known = known || knows(vocabulary, word)
	}
	if !known {
		p.Notes = append(p.Notes, "none of the words is in the model's vocabulary: the answer rests on the biases alone")
	}
	index, count := vocabulary.Bag(strings.Join(split, " "))
	bag := &dataset.Examples{Dim: t.spec.In, Start: []int32{0, int32(len(index))}, Index: index, Count: count, Labels: []uint8{0}}
	bag.Slice(&batch, 0, 1)
	return batch, nil
}

// ask puts the batch of one to every variant.
func (t *trial) ask(batch nn.Batch, p *wire.Prediction) error {
	base := -1
	for _, s := range t.subjects {
		a := wire.Answer{Variant: s.variant.ID, Q: s.variant.Q, DType: s.variant.DType, Note: s.row.Note}
		if s.model != nil {
			logits, err := s.model.Forward(batch)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", t.spec.ID, short(s.variant), err)
			}
			class := quant.Argmax(logits)
			if s == t.baseline() {
				base = class
			}
			for _, z := range logits {
				a.Logits = append(a.Logits, float64(z))
			}
			a.Label, a.Agrees, a.Probabilities = p.Labels[class], class == base, softmax(a.Logits)
		}
		p.Answers = append(p.Answers, a)
	}
	return nil
}

// softmax turns logits into probabilities. The largest logit is subtracted first, so that nothing overflows.
func softmax(logits []float64) []float64 {
	top := math.Inf(-1)
	for _, z := range logits {
		top = max(top, z)
	}
	p, sum := make([]float64, len(logits)), 0.0
	for i, z := range logits {
		p[i] = math.Exp(z - top)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}
