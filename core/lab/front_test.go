package lab

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The front holds what the definition says, on random worths of which many are equal in something.
func TestFront(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 3, 10, 300} {
		for range 20 {
			worths := make([]worth, n)
			for i := range worths {
				worths[i] = worth{size: int64(r.IntN(12)), correct: r.IntN(12), time: r.IntN(12)}
			}
			var want []int
			for i, w := range worths {
				beaten := false
				for _, o := range worths {
					as := o.size <= w.size && o.correct >= w.correct && o.time <= w.time
					better := o.size < w.size || o.correct > w.correct || o.time < w.time
					beaten = beaten || as && better
				}
				if !beaten {
					want = append(want, i)
				}
			}
			if got := front(worths); !slices.Equal(got, want) {
				t.Fatalf("front of %v: %v, want %v", worths, got, want)
			}
		}
	}
}
