package play

import (
	"context"
	"fmt"
	"unicode/utf8"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// Samples emits some examples of a model's test set, with their labels in turn: 0, 1, 2 and so on, or negative, positive.
// The seed decides which.
func (b *Bench) Samples(ctx context.Context, req wire.SamplesRequest, emit func(wire.Event)) error {
	spec, err := b.spec(ctx, req.Model)
	if err != nil {
		return err
	}
	if req.Count < 1 || req.Count > wire.MaxSamples {
		return fmt.Errorf("%d samples are out of range: give 1 to %d", req.Count, wire.MaxSamples)
	}
	release, err := b.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	g, err := b.gallery(ctx, spec, firstExamples)
	if err != nil {
		return err
	}
	byLabel := make([][]int, len(g.names)) // shuffled
	for _, i := range dataset.Draw(len(g.labels), len(g.labels), req.Seed) {
		if l := g.labels[i]; g.short(i) {
			byLabel[l] = append(byLabel[l], i)
		}
	}
	for k := range req.Count {
		if l, turn := k%len(g.names), k/len(g.names); turn < len(byLabel[l]) {
			emit(wire.Event{Kind: wire.EventExample, Example: g.example(byLabel[l][turn])})
		}
	}
	return nil
}

// A gallery holds the examples of a test set as people see them: whole images, or sentences.
type gallery struct {
	labels []uint8
	names  []string // of the classes
	images []byte   // MNIST: DigitSide x DigitSide each
	text   []string // SST-2
}

// gallery returns the first n test examples of the spec's data; 0 is all of them.
func (b *Bench) gallery(ctx context.Context, spec nn.Spec, n int) (*gallery, error) {
	g := &gallery{names: spec.Labels()}
	if spec.Data == nn.SST2 {
		s, err := b.src.Sentences(ctx, spec, dataset.Dev, n, nil)
		if err != nil {
			return nil, err
		}
		g.text, g.labels = s.Text, s.Labels
		return g, nil
	}
	whole, err := uncropped(spec)
	if err != nil {
		return nil, err
	}
	e, err := b.src.Test(ctx, whole, n, nil)
	if err != nil {
		return nil, err
	}
	g.images, g.labels = e.Pixels, e.Labels
	return g, nil
}

// uncropped returns a model that sees all of the images of which spec's sees a part.
func uncropped(spec nn.Spec) (nn.Spec, error) {
	if spec.Own && spec.Test != "" { // whose examples have classes of its own
		spec.Crop, spec.In, spec.Scaling = wire.DigitSide, wire.DigitSide*wire.DigitSide, nn.Scaling{}
		return spec, nil
	}
	whole, err := nn.SpecOf("mnist-lab1")
	whole.Test = spec.Test
	return whole, err
}

// A sample sentence is neither a word or two nor a paragraph.
const (
	leastText = 20 // bytes
	mostText  = 90 // characters
)

// short reports whether an example is one to choose among others.
func (g *gallery) short(i int) bool {
	return g.text == nil || len(g.text[i]) >= leastText && utf8.RuneCountInString(g.text[i]) <= mostText
}

// example describes one.
func (g *gallery) example(i int) *wire.Example {
	e := &wire.Example{Index: i, Label: g.names[g.labels[i]]}
	if g.text != nil {
		e.Text = g.text[i]
		return e
	}
	const size = wire.DigitSide * wire.DigitSide
	e.Digit = g.images[i*size : (i+1)*size]
	return e
}
