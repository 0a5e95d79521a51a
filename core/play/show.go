package play

import (
	"context"
	"slices"
	"strings"

	"quantlab/core/dataset"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// show makes the batch of one that the net sees, and records it in p. The batch is valid until the next question.
func (b *Bench) show(ctx context.Context, n *network, req wire.PredictRequest, p *wire.Prediction) (nn.Batch, error) {
	if n.spec.Data == nn.MNIST {
		return b.showDrawing(ctx, n, req.Drawing, p)
	}
	return n.showText(req.Text, p), nil
}

// mostlyInk is more ink than a digit has: a share of the field.
const mostlyInk = 0.6

func (b *Bench) showDrawing(ctx context.Context, n *network, d *wire.Drawing, p *wire.Prediction) (nn.Batch, error) {
	digit, err := b.render(ctx, n.spec, d)
	if err != nil {
		return nn.Batch{}, err
	}
	if digit.Ink() > mostlyInk {
		p.Notes = append(p.Notes, "most of the field is ink: that is hardly a digit")
	}
	p.Digit = digit[:]
	image := &dataset.Images{Height: wire.DigitSide, Width: wire.DigitSide, Pixels: p.Digit, Labels: []uint8{0}}
	image = image.Crop(n.spec.Crop)
	p.Side, p.Pixels = n.spec.Crop, make([]int, len(image.Pixels))
	for i, v := range image.Pixels {
		p.Pixels[i] = int(v)
	}
	dataset.FromImages(image).As(n.spec).Slice(&n.input, 0, 1)
	return n.input, nil
}

// showText makes a bag of the sentence's words and spreads it out, as the lab's dense models read it.
func (n *network) showText(text string, p *wire.Prediction) nn.Batch {
	split := words(n.vocabulary, text)
	index, count := n.vocabulary.Bag(strings.Join(split, " "))
	if n.spec.Binary {
		for i := range count {
			count[i] = 1
		}
	}
	n.bag = nn.Batch{Rows: 1, Cols: n.spec.In, Start: []int32{0, int32(len(index))}, Index: index, Value: count}
	if len(index) == 0 {
		p.Notes = append(p.Notes, "none of the words is in the model's vocabulary: the answer rests on the biases alone")
	}
	p.MoreWords = max(len(split)-wire.MaxWords, 0)
	p.Words = make([]wire.Word, len(split)-p.MoreWords)
	for k := range p.Words {
		w := &p.Words[k]
		w.Text = split[k]
		if i, ok := n.vocabulary.Index(w.Text); ok {
			at, _ := slices.BinarySearch(index, i)
			w.Known, w.Rank, w.Count = true, int(i)+1, int(count[at])
		}
	}
	n.input = n.bag.Scatter(n.input.Dense)
	return n.input
}
