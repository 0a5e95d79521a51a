package train

import (
	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// words keeps track of the words, that is the rows of the first layer's weights, which a batch of bags holds.
//
// A word that a batch lacks has a gradient of zero, and Adam would still move its weights, by its moving averages. That waits
// until a batch holds the word again, or until training ends, and is then made up for, step by step, to the same bits: in
// registers instead of memory, which is several times as fast.
type words struct {
	slot []int32 // by word: its place in list, or -1
	last []int32 // by word: the number of Adam's last step for it, 0 before any batch holds it

	list []int32 // the batch's words, in the order in which they first appear

	// The batch by word: word list[s] is in example index[k] value[k] times for start[s] <= k < start[s+1].
	start, index []int32
	value        []float32
	grad         kernel.Matrix // by place in list, x out
}

func newWords(vocabulary int) *words {
	w := &words{slot: make([]int32, vocabulary), last: make([]int32, vocabulary)}
	for i := range w.slot {
		w.slot[i] = -1
	}
	return w
}

// gradient returns the loss's gradient by the weights of the batch's words, in the order of w.list.
func (w *words) gradient(e *kernel.Engine, team *kernel.Team, dy kernel.Matrix) kernel.Matrix {
	if n := len(w.list); w.grad.Rows < n {
		w.grad = kernel.NewMatrix(n+n/4, dy.Cols)
	}
	g := w.grad.Head(len(w.list))
	e.GemmSparse(team, g, w.start, w.index, w.value, dy)
	return g
}

// read takes in a batch, sorting it by word, counting.
func (w *words) read(x nn.Batch) {
	for _, i := range w.list {
		w.slot[i] = -1
	}
	w.list, w.start = w.list[:0], append(w.start[:0], 0)
	n := x.Start[x.Rows]
	for _, i := range x.Index[:n] {
		if w.slot[i] < 0 {
			w.slot[i] = int32(len(w.list))
			w.list, w.start = append(w.list, i), append(w.start, 0)
		}
		w.start[w.slot[i]+1]++
	}
	for s := range w.list {
		w.start[s+1] += w.start[s]
	}
	if cap(w.index) < int(n) {
		w.index, w.value = make([]int32, n+n/4), make([]float32, n+n/4)
	}
	w.index, w.value = w.index[:n], w.value[:n]
	// Each start moves to its end while its word is filled in, and is moved back after.
	for r := range x.Rows {
		for k := x.Start[r]; k < x.Start[r+1]; k++ {
			at := &w.start[w.slot[x.Index[k]]]
			w.index[*at], w.value[*at] = int32(r), x.Value[k]
			*at++
		}
	}
	copy(w.start[1:], w.start)
	w.start[0] = 0
}

// updated notes that the batch's words have made step t.
func (w *words) updated(t int) {
	for _, i := range w.list {
		w.last[i] = int32(t)
	}
}

// A catchUpJob makes up for the steps that the words of a list have missed. Each thread takes some columns of all of them, for
// some have waited longer than others.
type catchUpJob struct {
	t    *trainer
	list []int32
}

func (j *catchUpJob) Run(part, parts int) {
	const block = 32 // columns: whole cache lines, and vectors
	p, w, a := j.t.layers[0].weight, j.t.words, &j.t.adam
	blocks := (p.value.Cols + block - 1) / block
	lo, hi := blocks*part/parts*block, min(blocks*(part+1)/parts*block, p.value.Cols)
	if lo >= hi {
		return
	}
	for _, i := range j.list {
		// Before a batch holds a word, its averages are 0, and nothing moves it.
		if r, last := int(i), w.last[i]; last > 0 {
			a.engine.AdamIdle(rates, a.steps[last:], p.value.Row(r)[lo:hi], p.mean.Row(r)[lo:hi], p.square.Row(r)[lo:hi])
		}
	}
}

// catchUp brings the weights of the batch's words to where Adam is.
func (t *trainer) catchUp() {
	t.catchingUp = catchUpJob{t, t.words.list}
	t.team.Do(&t.catchingUp)
}

// catchUpAll brings the weights of all words to where Adam is.
func (t *trainer) catchUpAll() {
	all := make([]int32, len(t.words.last))
	for i := range all {
		all[i] = int32(i)
	}
	t.catchingUp = catchUpJob{t, all}
	t.team.Do(&t.catchingUp)
	for i, last := range t.words.last {
		if last > 0 {
			t.words.last[i] = int32(len(t.adam.steps))
		}
	}
}
