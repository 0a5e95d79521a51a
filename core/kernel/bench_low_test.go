package kernel

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// A trainingLayer is what the products of a layer work on in a step: its weights, in x out, its inputs, and the gradient of its
// outputs.
type trainingLayer struct {
	x, w, y, dx, dw Matrix
	lowX, lowW, dy  LowMatrix
	first           bool // has no use for dx
	lowering        lowering
}

// trainingLayers are those of the lab's second model for MNIST, at batch 64.
func trainingLayers(r *random, t LowType) []trainingLayer {
	const batch = 64
	var layers []trainingLayer
	for i, s := range []struct{ in, out int }{{400, 1024}, {1024, 1024}, {1024, 10}} {
		layers = append(layers, trainingLayer{
			r.matrix(batch, s.in, 0.5), r.matrix(s.in, s.out, 0), r.matrix(batch, s.out, 0.5), NewMatrix(batch, s.in), NewMatrix(s.in, s.out),
			NewLowMatrix(batch, s.in, t), NewLowMatrix(s.in, s.out, t), NewLowMatrix(batch, s.out, t), i == 0, lowering{},
		})
	}
	return layers
}

func (l *trainingLayer) work() int {
	work := 2 * l.x.Rows * l.x.Cols * l.y.Cols
	if !l.first {
		work += work / 2
	}
	return work
}

// step does a layer's products in float32. Those of training with y; here y also is its gradient.
func (l *trainingLayer) step(e *Engine, t *Team) {
	e.GemmNN(t, l.y, l.x, l.w)
	e.GemmTN(t, l.dw, l.x, l.y)
	if !l.first {
		e.GemmNT(t, l.dx, l.y, l.w)
	}
}

// A lowering is a Job that rounds a matrix.
type lowering struct {
	e   *Engine
	dst LowMatrix
	src Matrix
}

func (j *lowering) Run(part, parts int) {
	from, to := j.src.Rows*part/parts, j.src.Rows*(part+1)/parts
	dst, src := j.dst.Head(to), j.src.Head(to)
	dst.Data, src.Data = dst.Data[from*dst.Stride:], src.Data[from*src.Stride:]
	dst.Rows, src.Rows = to-from, to-from
	j.e.Lower(dst, src)
}

// lowStep does them with a low type, conversions included.
func (l *trainingLayer) lowStep(e *Engine, t *Team) {
	e.Lower(l.lowX, l.x)
	l.lowering = lowering{e, l.lowW, l.w}
	t.Do(&l.lowering)
	e.GemmNNLow(t, l.y, l.lowX, l.lowW)
	e.Lower(l.dy, l.y)
	e.GemmTNLow(t, l.dw, l.lowX, l.dy)
	if !l.first {
		e.GemmNTLow(t, l.dx, l.dy, l.lowW)
	}
}

// BenchmarkTrainingProducts reports the multiply-adds per nanosecond of the products of training, in float32 and in a low type, and
// how much faster the latter are: medians of steps that take turns.
func BenchmarkTrainingProducts(b *testing.B) {
	for _, e := range Engines() {
		for _, low := range []LowType{BFloat16, Half} {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%v/threads=%d", e.Name(), low, threads), func(b *testing.B) {
					t := NewTeam(threads)
					defer t.Close()
					layers, work := trainingLayers(newRandom(1), low), 0
					for i := range layers {
						work += layers[i].work()
					}
					var times [2][]float64
					for b.Loop() {
						for way, step := range []func(l *trainingLayer, e *Engine, t *Team){(*trainingLayer).step, (*trainingLayer).lowStep} {
							start := time.Now()
							for i := range layers {
								step(&layers[i], e, t)
							}
							times[way] = append(times[way], float64(time.Since(start).Nanoseconds()))
						}
					}
					slices.Sort(times[0])
					slices.Sort(times[1])
					wide, narrow := times[0][len(times[0])/2], times[1][len(times[1])/2]
					b.ReportMetric(float64(work)/wide, "float32-GMAC/s")
					b.ReportMetric(float64(work)/narrow, "low-GMAC/s")
					b.ReportMetric(wide/narrow, "times-faster")
				})
			}
		}
	}
}
