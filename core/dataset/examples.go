package dataset

import (
	"math/rand/v2"
	"slices"

	"quantlab/core/nn"
)

// Examples are what a model reads: scaled pixels, or bags of words, with the class of each. Exactly one of Pixels and
// Start is set. Examples are never written to once made, so parts of them may be shared.
type Examples struct {
	Dim    int     // features of an example
	Pixels []uint8 // Len x Dim; see As

	// Bags of words: example i holds Count[k] of word Index[k] for Start[i] <= k < Start[i+1], words ascending, none twice.
	Start []int32 // Len + 1
	Index []int32
	Count []float32

	Labels []uint8

	features *[256]float32 // of pixels; nil: pixel / 255
}

// FromImages returns the images as rows of pixels, scaled to 0..1. It shares im's memory.
func FromImages(im *Images) *Examples {
	return &Examples{Dim: im.Height * im.Width, Pixels: im.Pixels, Labels: im.Labels}
}

// FromSentences returns the sentences as bags of v's words.
func FromSentences(s *Sentences, v *Vocabulary) *Examples {
	e := &Examples{Dim: v.Len(), Start: make([]int32, 1, s.Len()+1), Index: []int32{}, Count: []float32{}, Labels: s.Labels}
	for _, text := range s.Text {
		e.Index, e.Count = v.AppendBag(e.Index, e.Count, text)
		e.Start = append(e.Start, int32(len(e.Index)))
	}
	return e
}

// As returns the examples as the spec's model wants features: pixels scaled its way, words counted or only noticed. It shares e's
// memory where it can.
func (e *Examples) As(spec nn.Spec) *Examples {
	out := *e
	if e.Sparse() {
		if spec.Binary {
			out.Count = slices.Repeat([]float32{1}, len(e.Count))
		}
		return &out
	}
	out.features = nil
	if spec.Scaling != (nn.Scaling{}) {
		out.features = new([256]float32)
		for p := range out.features {
			out.features[p] = spec.Scaling.Feature(uint8(p))
		}
	}
	return &out
}

// Len returns how many examples there are.
func (e *Examples) Len() int { return len(e.Labels) }

// Sparse reports whether the examples are bags of words, so that Gather and Slice fill sparse batches.
func (e *Examples) Sparse() bool { return e.Start != nil }

// unit holds every pixel's feature: p / 255, rounded once.
var unit = func() (u [256]float32) {
	for p := range u {
		u[p] = float32(p) / 255
	}
	return u
}()

// Gather fills dst with the named examples, in that order, which may repeat. It reuses dst's memory and allocates only to
// grow it. A row out of range panics, as indexing a slice does.
func (e *Examples) Gather(dst *nn.Batch, rows []int) {
	if e.Sparse() {
		e.gatherBags(dst, rows)
		return
	}
	dense(dst, len(rows), e.Dim)
	for i, r := range rows {
		e.scale(dst.Dense[i*e.Dim:(i+1)*e.Dim], e.Pixels[r*e.Dim:(r+1)*e.Dim])
	}
}

// Slice fills dst with the examples lo to hi-1. It reuses dst's memory and allocates only to grow it.
func (e *Examples) Slice(dst *nn.Batch, lo, hi int) {
	if !e.Sparse() {
		dense(dst, hi-lo, e.Dim)
		e.scale(dst.Dense, e.Pixels[lo*e.Dim:hi*e.Dim])
		return
	}
	from, to := e.Start[lo], e.Start[hi]
	sparse(dst, hi-lo, e.Dim, int(to-from))
	for i := range dst.Start {
		dst.Start[i] = e.Start[lo+i] - from
	}
	copy(dst.Index, e.Index[from:to])
	copy(dst.Value, e.Count[from:to])
}

func (e *Examples) gatherBags(dst *nn.Batch, rows []int) {
	n := 0
	for _, r := range rows {
		n += int(e.Start[r+1] - e.Start[r])
	}
	sparse(dst, len(rows), e.Dim, n)
	at := 0
	dst.Start[0] = 0
	for i, r := range rows {
		from, to := e.Start[r], e.Start[r+1]
		copy(dst.Value[at:], e.Count[from:to])
		at += copy(dst.Index[at:], e.Index[from:to])
		dst.Start[i+1] = int32(at)
	}
}

// Head returns the first n examples, or all of them if there are fewer. It shares e's memory.
func (e *Examples) Head(n int) *Examples {
	n = min(max(n, 0), e.Len())
	out := &Examples{Dim: e.Dim, Labels: e.Labels[:n:n], features: e.features}
	if !e.Sparse() {
		out.Pixels = e.Pixels[: n*e.Dim : n*e.Dim]
		return out
	}
	k := e.Start[n]
	out.Start, out.Index, out.Count = e.Start[:n+1:n+1], e.Index[:k:k], e.Count[:k:k]
	return out
}

// Sample returns copies of n examples drawn without replacement, in the order drawn; all of them, shuffled, if there
// are fewer. The same seed draws the same examples on every machine.
func (e *Examples) Sample(n int, seed uint64) *Examples { return e.Pick(Draw(e.Len(), n, seed)) }

// Pick returns copies of the named examples, in that order.
func (e *Examples) Pick(rows []int) *Examples {
	out := &Examples{Dim: e.Dim, Labels: make([]uint8, len(rows)), features: e.features}
	for i, r := range rows {
		out.Labels[i] = e.Labels[r]
	}
	if !e.Sparse() {
		out.Pixels = make([]uint8, 0, len(rows)*e.Dim)
		for _, r := range rows {
			out.Pixels = append(out.Pixels, e.Pixels[r*e.Dim:(r+1)*e.Dim]...)
		}
		return out
	}
	var b nn.Batch
	e.gatherBags(&b, rows)
	out.Start, out.Index, out.Count = b.Start, b.Index, b.Value
	return out
}

// Draw returns min(n, of) different numbers below of, in the order drawn. The same seed draws the same numbers on every
// machine. It is the first n steps of a Fisher-Yates shuffle.
func Draw(of, n int, seed uint64) []int {
	all := make([]int, of)
	for i := range all {
		all[i] = i
	}
	n = min(max(n, 0), of)
	r := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	for i := range n {
		j := i + int(r.Uint64N(uint64(of-i)))
		all[i], all[j] = all[j], all[i]
	}
	return all[:n:n]
}

// scale sets dst to the features of pixels.
func (e *Examples) scale(dst []float32, pixels []uint8) {
	features := e.features
	if features == nil {
		features = &unit
	}
	dst = dst[:len(pixels)]
	for i, p := range pixels {
		dst[i] = features[p]
	}
}

// dense makes dst a dense batch of the given shape, its values not set.
func dense(dst *nn.Batch, rows, cols int) {
	*dst = nn.Batch{Rows: rows, Cols: cols, Dense: resize(dst.Dense, rows*cols)}
}

// sparse makes dst a sparse batch with room for n values, which are not set.
func sparse(dst *nn.Batch, rows, cols, n int) {
	*dst = nn.Batch{
		Rows: rows, Cols: cols,
		Start: resize(dst.Start, rows+1), Index: resize(dst.Index, n), Value: resize(dst.Value, n),
	}
}

// resize returns s with length n, in its own memory if that is large enough. A growing slice gets a quarter to spare, so
// that bags of varying length soon stop allocating.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
