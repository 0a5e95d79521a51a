package train

import (
	"math"

	"quantlab/core/kernel"
)

// crossEntropy returns the mean over the labelled rows of -log softmax(logits)[label], as torch.nn.CrossEntropyLoss does, and
// writes its gradient by the logits, (softmax(logits) - onehot(label)) / rows. The largest logit is subtracted first, so
// that no exponential overflows; sums are in float64.
func crossEntropy(gradient, logits kernel.Matrix, labels []uint8) float64 {
	total, rows := 0.0, float64(len(labels))
	for r, label := range labels {
		x, g := logits.Row(r), gradient.Row(r)
		largest := x[0]
		for _, v := range x[1:] {
			largest = max(largest, v)
		}
		sum := 0.0
		for _, v := range x {
			sum += math.Exp(float64(v) - float64(largest))
		}
		logSum := math.Log(sum) + float64(largest)
		total += logSum - float64(x[label])
		for j, v := range x {
			p := math.Exp(float64(v) - logSum)
			if j == int(label) {
				p--
			}
			g[j] = float32(p / rows)
		}
	}
	return total / rows
}
