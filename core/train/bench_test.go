package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"quantlab/core/kernel"
	"quantlab/core/nn"
)

// BenchmarkStep makes steps of the lab's models on data that is as sparse as theirs, words following Zipf's law. Beside the time of a
// step it tells that of its matrix products.
func BenchmarkStep(b *testing.B) {
	for _, spec := range nn.Specs() {
		batches := manyBatches(spec)
		for _, engine := range kernel.Engines() {
			for _, threads := range []int{1, 2} {
				for _, precision := range []Precision{Float32, BFloat16, Float16} {
					b.Run(fmt.Sprintf("%s/%s/threads=%d/%v", spec.ID, engine.Name(), threads, precision), func(b *testing.B) {
						team := kernel.NewTeam(threads)
						defer team.Close()
						net := nn.New(spec)
						Init(net, 0)
						t, labels := newTrainer(net, engine, team, spec.Batch, spec.Data == nn.SST2, precision), make([]uint8, spec.Batch)
						for i := range labels {
							labels[i] = uint8(i % spec.Out)
						}
						for _, x := range batches {
							t.step(x, labels)
						}
						t.matrix = 0
						for i := 0; b.Loop(); i++ {
							t.step(batches[i%len(batches)], labels)
						}
						b.ReportMetric(float64(t.matrix.Nanoseconds())/float64(b.N), "matrix-ns/op")
					})
				}
			}
		}
	}
}

func manyBatches(spec nn.Spec) []nn.Batch {
	r := rand.New(rand.NewPCG(1, 1))
	zipf := rand.NewZipf(r, 1.1, 10, uint64(spec.In-1))
	batches := make([]nn.Batch, 100)
	for i := range batches {
		x := nn.Batch{Rows: spec.Batch, Cols: spec.In}
		if spec.Data == nn.MNIST {
			x.Dense = make([]float32, x.Rows*x.Cols)
			for k := range x.Dense {
				x.Dense[k] = float32(math.Max(0, r.Float64()*5-4))
			}
		} else {
			x.Start = []int32{0}
			for range x.Rows {
				var bag []int32
				for range 9 {
					bag = append(bag, int32(zipf.Uint64()))
				}
				slices.Sort(bag)
				x.Index = append(x.Index, slices.Compact(bag)...)
				x.Start = append(x.Start, int32(len(x.Index)))
			}
			x.Value = slices.Repeat([]float32{1}, len(x.Index))
		}
		batches[i] = x
	}
	return batches
}
