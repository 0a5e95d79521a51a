package train

import (
	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// words keeps track of the words, that is the rows of the first layer's weights, which a batch of bags holds and which any
// batch held so far.
type words struct {
	seen []bool  // by word: whether any batch held it
	slot []int32 // by word: its place in list, or -1

	list []int32 // the batch's words, in the order in which they first appear

	// The batch by word: word list[s] is in example index[k] value[k] times for start[s] <= k < start[s+1].
	start, index []int32
	value        []float32
	grad         kernel.Matrix // by place in list, x out
}

func newWords(vocabulary int) *words {
	w := &words{seen: make([]bool, vocabulary), slot: make([]int32, vocabulary)}
	for i := range w.slot {
		w.slot[i] = -1
	}
	return w
}

// gradient returns the loss's gradient by the weights of the batch's words, in the order of w.list.
func (w *words) gradient(e *kernel.Engine, team *kernel.Team, x nn.Batch, dy kernel.Matrix) kernel.Matrix {
	w.transpose(x)
	if n := len(w.list); w.grad.Rows < n {
		w.grad = kernel.NewMatrix(n+n/4, dy.Cols)
	}
	g := w.grad.Head(len(w.list))
	e.GemmSparse(team, g, w.start, w.index, w.value, dy)
	return g
}

// transpose sorts x by word, counting.
func (w *words) transpose(x nn.Batch) {
	for _, i := range w.list {
		w.slot[i] = -1
	}
	w.list, w.start = w.list[:0], append(w.start[:0], 0)
	n := x.Start[x.Rows]
	for _, i := range x.Index[:n] {
		if w.slot[i] < 0 {
			w.slot[i] = int32(len(w.list))
			w.list, w.start = append(w.list, i), append(w.start, 0)
			w.seen[i] = true
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

// updateWords makes the step for the weights p of a layer that reads bags, whose gradient is zero for all words but w.list.
// It does what update does, cheaper: weights of words which no batch has held yet stay as they are, since their moving
// averages are zero.
func (a *adam) updateWords(team *kernel.Team, p tensor, w *words) {
	a.jobs = wordsJob{a.now, p, w}
	team.Do(&a.jobs)
}

type wordsJob struct {
	step adamStep
	p    tensor
	w    *words
}

func (j *wordsJob) Run(part, parts int) {
	p, w := j.p, j.w
	rows := p.value.Rows
	for r := rows * part / parts; r < rows*(part+1)/parts; r++ {
		switch s := w.slot[r]; {
		case s >= 0:
			j.step.apply(p.value.Row(r), p.grad.Row(int(s)), p.mean.Row(r), p.square.Row(r))
		case w.seen[r]:
			j.step.applyZero(p.value.Row(r), p.mean.Row(r), p.square.Row(r))
		}
	}
}
