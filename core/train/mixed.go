package train

import (
	"math"
	"slices"
	"time"

	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// mixed is what automatic mixed precision adds to a trainer. As torch.autocast has it, every layer multiplies operands that are
// rounded to a low type, sums in float32 with the bias, which is rounded too, and rounds what it gives; gradients of activations
// and of parameters are likewise products rounded to the low type. The loss and Adam are float32's, on gradients cast up.
type mixed struct {
	low     kernel.LowType
	scaler  *scaler // of the loss; nil where it is not scaled
	skipped int     // steps whose gradients overflowed

	layers []lowLayer
	x      kernel.LowMatrix // a dense batch
	bag    lowBag           // of a network that reads bags of words

	checking checkJob
	updating lowUpdateJob
	parts    []lowPart // one a thread
}

// A lowLayer holds a layer's operands in the low type.
type lowLayer struct {
	weight kernel.LowMatrix // in x out; none where the layer reads bags of words
	bias   kernel.Matrix    // one row, in float32
	y, dy  kernel.LowMatrix // batch x out
}

// A lowBag holds, in float32, what the first layer multiplies where it reads bags of words.
type lowBag struct {
	index  []int32       // of the batch's elements: the place of the word in words.list
	value  []float32     // of the batch's elements
	weight kernel.Matrix // the rows of the words of words.list
}

// A lowPart is what one thread's part of a job gave.
type lowPart struct {
	overflow bool
	spent    time.Duration // in conversions
	_        [48]byte      // keeps the parts in cache lines of their own
}

// newMixed adds mixed precision to the trainer.
func newMixed(t *trainer, low kernel.LowType, batch int) *mixed {
	m := &mixed{low: low, parts: make([]lowPart, t.team.Threads())}
	if low == kernel.Half {
		m.scaler = newScaler()
	}
	for i, l := range t.layers {
		in, out := l.weight.value.Rows, l.weight.value.Cols
		state := lowLayer{bias: kernel.NewMatrix(1, out), y: kernel.NewLowMatrix(batch, out, low), dy: kernel.NewLowMatrix(batch, out, low)}
		if i > 0 || t.words == nil {
			state.weight = kernel.NewLowMatrix(in, out, low)
			t.engine.Lower(state.weight, l.weight.value)
		}
		if i == 0 && t.words == nil {
			m.x = kernel.NewLowMatrix(batch, in, low)
		}
		m.layers = append(m.layers, state)
	}
	return m
}

// scale is the factor of the loss; 0 where it is not scaled.
func (m *mixed) scale() float64 {
	if m.scaler == nil {
		return 0
	}
	return float64(m.scaler.scale)
}

// forwardMixed is forward in mixed precision. The layers' y hold float32 values that the low type has.
func (t *trainer) forwardMixed(x nn.Batch) {
	m := t.mixed
	begin := time.Now()
	in := m.x
	if t.words == nil {
		in = m.x.Head(x.Rows)
		t.engine.Lower(in, input(x))
	}
	for i := range t.layers {
		l, low := &t.layers[i], &m.layers[i]
		y := l.y.Head(x.Rows)
		if i == 0 && t.words != nil {
			m.bag.read(t, x)
			t.engine.GemmSparse(t.team, y, x.Start, m.bag.index, m.bag.value, m.bag.weight)
		} else {
			t.engine.GemmNNLow(t.team, y, in, low.weight)
		}
		copy(low.bias.Row(0), l.bias.value.Row(0))
		t.engine.RoundTo(m.low, low.bias)
		t.matrix += time.Since(begin)

		t.engine.Activate(y, low.bias.Row(0), l.relu) // a ReLU before the rounding or after it, that is the same

		begin = time.Now()
		t.engine.RoundTo(m.low, y)
		in = low.y.Head(x.Rows)
		t.engine.Lower(in, y)
	}
	t.matrix += time.Since(begin)
}

// backwardMixed is backward in mixed precision, given the last layer's dy in float32. It leaves the gradients of weights
// unrounded.
func (t *trainer) backwardMixed(x nn.Batch) {
	m := t.mixed
	if m.scaler != nil {
		for r := range x.Rows {
			scale(t.layers[len(t.layers)-1].dy.Row(r), m.scaler.scale)
		}
	}
	for i, l := range slices.Backward(t.layers) {
		dy, low := l.dy.Head(x.Rows), m.layers[i].dy.Head(x.Rows)
		begin := time.Now()
		t.engine.RoundTo(m.low, dy)
		t.matrix += time.Since(begin)

		if l.relu {
			t.engine.Gate(l.bias.grad.Row(0), dy, l.y.Head(x.Rows))
		} else {
			sumRows(l.bias.grad.Row(0), dy)
		}

		begin = time.Now()
		t.engine.RoundTo(m.low, l.bias.grad)
		t.engine.Lower(low, dy)
		switch {
		case i > 0:
			t.engine.GemmTNLow(t.team, l.weight.grad, m.layers[i-1].y.Head(x.Rows), low)
			t.engine.GemmNTLow(t.team, t.layers[i-1].dy.Head(x.Rows), low, m.layers[i].weight)
		case t.words != nil:
			t.engine.RoundTo(m.low, rowMatrix(t.words.value))
			t.layers[0].weight.grad = t.words.gradient(t.engine, t.team, dy)
		default:
			t.engine.GemmTNLow(t.team, l.weight.grad, m.x.Head(x.Rows), low)
		}
		t.matrix += time.Since(begin)
	}
}

// read takes in the batch that t.words has read, its words' weights being up to date.
func (b *lowBag) read(t *trainer, x nn.Batch) {
	n := int(x.Start[x.Rows])
	if cap(b.index) < n {
		b.index, b.value = make([]int32, n+n/4), make([]float32, n+n/4)
	}
	b.index, b.value = b.index[:n], b.value[:n]
	for k, word := range x.Index[:n] {
		b.index[k] = t.words.slot[word]
	}
	copy(b.value, x.Value)
	t.engine.RoundTo(t.mixed.low, rowMatrix(b.value))

	weight := t.layers[0].weight.value
	if n := len(t.words.list); b.weight.Rows < n {
		b.weight = kernel.NewMatrix(n+n/4, weight.Cols)
	}
	for s, word := range t.words.list {
		copy(b.weight.Row(s), weight.Row(int(word)))
	}
	t.engine.RoundTo(t.mixed.low, b.weight.Head(len(t.words.list)))
}

// rowMatrix returns x as a matrix of one row.
func rowMatrix(x []float32) kernel.Matrix {
	return kernel.Matrix{Data: x, Rows: 1, Cols: len(x), Stride: len(x)}
}

func scale(x []float32, by float32) {
	for i := range x {
		x[i] *= by
	}
}

// updateMixed makes Adam's step with the gradients rounded to the low type, unless a scaled one has overflowed: then it is skipped,
// and Adam does not hear of it.
func (t *trainer) updateMixed() {
	m := t.mixed
	if m.scaler != nil {
		overflow := t.overflows()
		if !overflow {
			t.stepMixed(m.scaler.inverse())
		}
		m.scaler.update(overflow)
		if overflow {
			m.skipped++
		}
	} else {
		t.stepMixed(1)
	}
	if t.words != nil {
		t.words.updated(len(t.adam.steps)) // in a skipped step they have caught up
	}
}

// overflows rounds the gradients to the low type and reports whether one is not finite then.
func (t *trainer) overflows() bool {
	m := t.mixed
	begin := time.Now()
	m.checking = checkJob{t}
	t.team.Do(&m.checking)
	t.matrix += time.Since(begin)
	return slices.ContainsFunc(m.parts, func(p lowPart) bool { return p.overflow })
}

// A checkJob does what overflows promises.
type checkJob struct{ t *trainer }

func (j *checkJob) Run(part, parts int) {
	t, m := j.t, j.t.mixed
	overflow := false
	for i := range t.layers {
		l := &t.layers[i]
		rows := l.weight.grad.Rows
		g := rowsOf(l.weight.grad, rows*part/parts, rows*(part+1)/parts)
		t.engine.RoundTo(m.low, g)
		for r := range g.Rows {
			overflow = overflow || !t.allFinite(g.Row(r))
		}
		if part == i%parts {
			overflow = overflow || !t.allFinite(l.bias.grad.Row(0))
		}
	}
	m.parts[part].overflow = overflow
}

func (t *trainer) allFinite(x []float32) bool {
	lo, hi := t.engine.Range(x) // two NaNs if there is one
	return !math.IsInf(float64(lo), 0) && !math.IsInf(float64(hi), 0) && lo == lo
}

// rowsOf returns the rows lo to hi-1 of m. It shares m's memory.
func rowsOf(m kernel.Matrix, lo, hi int) kernel.Matrix {
	return kernel.Matrix{Data: m.Data[lo*m.Stride : hi*m.Stride], Rows: hi - lo, Cols: m.Cols, Stride: m.Stride}
}

// stepMixed makes Adam's step with the gradients times unscale.
func (t *trainer) stepMixed(unscale float32) {
	m := t.mixed
	t.adam.next()
	m.updating = lowUpdateJob{t, unscale}
	t.team.Do(&m.updating)
	spent := time.Duration(0)
	for _, p := range m.parts {
		spent += p.spent
	}
	t.matrix += spent / time.Duration(len(m.parts))
}

// lowBlock is how many parameters a lowUpdateJob takes at a time: few enough for what belongs to them to stay in the
// second-level cache from one step to the next, and enough for looking at the clock to cost nothing.
const lowBlock = 1 << 15

// A lowUpdateJob rounds the gradients to the low type where that is not done yet, makes Adam's step, and lowers the weights that
// this gives.
type lowUpdateJob struct {
	t       *trainer
	unscale float32
}

func (j *lowUpdateJob) Run(part, parts int) {
	t, m := j.t, j.t.mixed
	m.parts[part].spent = 0
	for i := range t.layers {
		l := &t.layers[i]
		rows, block := l.weight.grad.Rows, max(1, lowBlock/l.weight.grad.Cols)
		end := rows * (part + 1) / parts
		for lo := rows * part / parts; lo < end; lo += block {
			m.parts[part].spent += j.block(i, lo, min(lo+block, end))
		}
		if part == i%parts {
			j.unscaled(l.bias.grad.Row(0))
			t.adam.update(l.bias, 0, l.bias.grad.Row(0))
		}
	}
}

// block takes care of the rows lo to hi-1 of the gradient of layer i's weights, and returns how long conversions took.
func (j *lowUpdateJob) block(i, lo, hi int) time.Duration {
	t, m := j.t, j.t.mixed
	g := rowsOf(t.layers[i].weight.grad, lo, hi)
	begin := time.Now()
	if m.scaler == nil {
		t.engine.RoundTo(m.low, g)
	}
	spent := time.Since(begin)
	for r := range g.Rows {
		j.unscaled(g.Row(r))
	}
	t.updateRows(i, lo, hi)
	if i == 0 && t.words != nil {
		return spent
	}
	begin = time.Now()
	low := m.layers[i].weight
	low = kernel.LowMatrix{Data: low.Data[lo*low.Stride : hi*low.Stride], Rows: hi - lo, Cols: low.Cols, Stride: low.Stride, Type: low.Type}
	t.engine.Lower(low, rowsOf(t.layers[i].weight.value, lo, hi))
	return spent + time.Since(begin)
}

// unscaled takes the loss's scale from a gradient.
func (j *lowUpdateJob) unscaled(g []float32) {
	if j.unscale != 1 {
		scale(g, j.unscale)
	}
}
