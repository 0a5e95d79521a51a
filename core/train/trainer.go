package train

import (
	"slices"
	"time"

	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// A trainer holds everything that a step works on, so that steps do not allocate.
type trainer struct {
	engine *kernel.Engine
	team   *kernel.Team
	layers []layer
	adam   adam
	words  *words // of a network that reads bags of words, or nil
	mixed  *mixed // of training in mixed precision, or nil

	matrix time.Duration // spent in matrix products so far, and in conversions to a low type

	updating   updateJob
	catchingUp catchUpJob
}

// A layer keeps its weights transposed, in x out, so that an input which is zero has a row that can be skipped: a word that a
// sentence lacks, and on the portable engine a dark pixel or what a ReLU held back.
type layer struct {
	relu   bool
	weight tensor
	bias   tensor        // one row
	y      kernel.Matrix // batch x out: what the layer gives
	dy     kernel.Matrix // batch x out: the loss's gradient by y, or from backward on by what comes before the ReLU
}

// A tensor is a parameter, the loss's gradient by it, and Adam's moving averages of the gradient and its square.
type tensor struct{ value, grad, mean, square kernel.Matrix }

func newTensor(rows, cols int) tensor {
	return tensor{zeros(rows, cols), zeros(rows, cols), zeros(rows, cols), zeros(rows, cols)}
}

// zeros returns a matrix whose memory has been written to, so that no step has to wait for the system to supply it.
func zeros(rows, cols int) kernel.Matrix {
	m := kernel.NewMatrix(rows, cols)
	clear(m.Data)
	return m
}

// newTrainer takes over net's parameters, for batches of up to that many rows.
func newTrainer(net *nn.Network, engine *kernel.Engine, team *kernel.Team, batch int, sparse bool, precision Precision) *trainer {
	t := &trainer{engine: engine, team: team, adam: newAdam(engine, net.Spec.LR)}
	for i, l := range net.Layers {
		state := layer{relu: l.ReLU, bias: newTensor(1, l.Out), y: kernel.NewMatrix(batch, l.Out), dy: kernel.NewMatrix(batch, l.Out)}
		if i == 0 && sparse {
			// Its gradient has a row for each word of the batch only.
			state.weight = tensor{value: zeros(l.In, l.Out), mean: zeros(l.In, l.Out), square: zeros(l.In, l.Out)}
			t.words = newWords(l.In)
		} else {
			state.weight = newTensor(l.In, l.Out)
		}
		for o := range l.Out {
			for k, w := range l.W[o*l.In : (o+1)*l.In] {
				state.weight.value.Row(k)[o] = w
			}
		}
		copy(state.bias.value.Row(0), l.B)
		t.layers = append(t.layers, state)
	}
	if low, ok := precision.lowType(); ok {
		t.mixed = newMixed(t, low, batch)
	}
	return t
}

// store gives the parameters back.
func (t *trainer) store(net *nn.Network) {
	if t.words != nil {
		t.catchUpAll()
	}
	for i, l := range net.Layers {
		for k := range l.In {
			for o, w := range t.layers[i].weight.value.Row(k) {
				l.W[o*l.In+k] = w
			}
		}
		copy(l.B, t.layers[i].bias.value.Row(0))
	}
}

// step makes one step of gradient descent and returns the loss before it.
func (t *trainer) step(x nn.Batch, labels []uint8) float64 {
	if t.words != nil {
		t.words.read(x)
		t.catchUp()
	}
	last := t.layers[len(t.layers)-1]
	if t.mixed != nil {
		t.forwardMixed(x)
		loss := crossEntropy(last.dy, last.y, labels)
		t.backwardMixed(x)
		t.updateMixed()
		return loss
	}
	t.forward(x)
	loss := crossEntropy(last.dy, last.y, labels)
	t.backward(x)
	t.update()
	return loss
}

func (t *trainer) forward(x nn.Batch) {
	for i := range t.layers {
		l := &t.layers[i]
		y := l.y.Head(x.Rows)
		begin := time.Now()
		switch {
		case i > 0:
			t.engine.GemmNN(t.team, y, t.layers[i-1].y.Head(x.Rows), l.weight.value)
		case x.IsSparse():
			t.engine.GemmSparse(t.team, y, x.Start, x.Index, x.Value, l.weight.value)
		default:
			t.engine.GemmNN(t.team, y, input(x), l.weight.value)
		}
		t.matrix += time.Since(begin)
		t.engine.Activate(y, l.bias.value.Row(0), l.relu)
	}
}

// input returns a dense batch as a matrix.
func input(x nn.Batch) kernel.Matrix {
	return kernel.Matrix{Data: x.Dense, Rows: x.Rows, Cols: x.Cols, Stride: x.Cols}
}

// backward fills in the gradients, given the last layer's dy.
func (t *trainer) backward(x nn.Batch) {
	for i, l := range slices.Backward(t.layers) {
		dy := l.dy.Head(x.Rows)
		if l.relu {
			t.engine.Gate(l.bias.grad.Row(0), dy, l.y.Head(x.Rows))
		} else {
			sumRows(l.bias.grad.Row(0), dy)
		}
		begin := time.Now()
		switch {
		case i > 0:
			below := t.layers[i-1]
			t.engine.GemmTN(t.team, l.weight.grad, below.y.Head(x.Rows), dy)
			t.engine.GemmNT(t.team, below.dy.Head(x.Rows), dy, l.weight.value)
		case x.IsSparse():
			t.layers[0].weight.grad = t.words.gradient(t.engine, t.team, dy)
		default:
			t.engine.GemmTN(t.team, l.weight.grad, input(x), dy)
		}
		t.matrix += time.Since(begin)
	}
}

// sumRows writes the sum of m's rows.
func sumRows(sum []float32, m kernel.Matrix) {
	clear(sum)
	for r := range m.Rows {
		for j, v := range m.Row(r) {
			sum[j] += v
		}
	}
}

func (t *trainer) update() {
	t.adam.next()
	t.updating = updateJob{t}
	t.team.Do(&t.updating)
	if t.words != nil {
		t.words.updated(len(t.adam.steps))
	}
}
