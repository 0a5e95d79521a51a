package kernel

import (
	"math"
	"testing"
)

func TestGemm(t *testing.T) {
	transpose := func(m Matrix) Matrix {
		out := NewMatrix(m.Cols, m.Rows)
		for i := range m.Rows {
			for j, v := range m.Row(i) {
				out.Row(j)[i] = v
			}
		}
		return out
	}
	forEachEngine(t, func(t *testing.T, e *Engine) {
		r := newRandom(10)
		check := func(what string, c, a, b Matrix) {
			t.Helper()
			for i := range c.Rows {
				for j := range c.Cols {
					want, size := 0.0, 0.0
					for k := range a.Cols {
						p := float64(a.Row(i)[k]) * float64(b.Row(k)[j])
						want, size = want+p, size+math.Abs(p)
					}
					if diff := math.Abs(float64(c.Row(i)[j]) - want); !(diff <= float64(a.Cols+1)/(1<<24)*size) {
						t.Fatalf("%s: %d x %d x %d: (%d, %d) is %g, not %g", what, c.Rows, c.Cols, a.Cols, i, j, c.Row(i)[j], want)
					}
				}
			}
		}
		for _, s := range []struct{ m, n, k int }{{1, 1, 1}, {3, 2, 5}, {33, 10, 65}, {64, 130, 63}, {100, 65, 129}, {31, 300, 8}, {65, 64, 64}, {1, 2, 300}, {20, 43, 600}, {70, 33, 257}} {
			for _, zeros := range []float64{0, 0.7, 1} {
				a, b, c := r.matrix(s.m, s.k, zeros), r.matrix(s.k, s.n, 0.1), r.matrix(s.m, s.n, 0)
				e.GemmNN(nil, c, a, b)
				check("NN", c, a, b)
				c = r.matrix(s.m, s.n, 0)
				e.GemmTN(nil, c, transpose(a), b)
				check("TN", c, a, b)
				c = r.matrix(s.m, s.n, 0)
				e.GemmNT(nil, c, a, transpose(b))
				check("NT", c, a, b)
			}
			start, index, value := r.sparse(s.m, s.k, 9)
			a, b, c := NewMatrix(s.m, s.k), r.matrix(s.k, s.n, 0), r.matrix(s.m, s.n, 0)
			for i := range s.m {
				for k := start[i]; k < start[i+1]; k++ {
					a.Row(i)[index[k]] = value[k]
				}
			}
			e.GemmSparse(nil, c, start, index, value, b)
			check("sparse", c, a, b)
		}
	})
}

// TestGemmBits checks that neither threads nor the width of vectors change a bit, and that a team's second product of a shape
// allocates nothing.
func TestGemmBits(t *testing.T) {
	r := newRandom(13)
	for _, s := range []struct{ m, n, k int }{{64, 1024, 70}, {100, 10, 512}, {300, 130, 64}, {3, 777, 520}} {
		a, b := r.matrix(s.m, s.k, 0.3), r.matrix(s.k, s.n, 0)
		at, bt := NewMatrix(s.k, s.m), NewMatrix(s.n, s.k)
		for k := range s.k {
			for i := range s.m {
				at.Row(k)[i] = a.Row(i)[k]
			}
			for j := range s.n {
				bt.Row(j)[k] = b.Row(k)[j]
			}
		}
		for kind, product := range map[string]func(e *Engine, t *Team, c Matrix){
			"NN": func(e *Engine, t *Team, c Matrix) { e.GemmNN(t, c, a, b) },
			"TN": func(e *Engine, t *Team, c Matrix) { e.GemmTN(t, c, at, b) },
			"NT": func(e *Engine, t *Team, c Matrix) { e.GemmNT(t, c, a, bt) },
		} {
			fused := Matrix{} // what avx2 and avx512 give
			for _, e := range Engines() {
				alone := NewMatrix(s.m, s.n)
				product(e, nil, alone)
				for _, threads := range []int{1, 2, 3} {
					team := NewTeam(threads)
					shared := NewMatrix(s.m, s.n)
					product(e, team, shared)
					if !sameBits(alone.Data, shared.Data) {
						t.Errorf("%s, %s, %d x %d x %d: %d threads give other bits than one", e.Name(), kind, s.m, s.k, s.n, threads)
					}
					// Several, because the runtime itself allocates once in a while.
					if n := testing.AllocsPerRun(5, func() { product(e, team, shared) }); n != 0 {
						t.Errorf("%s, %s, %d x %d x %d: %v allocations", e.Name(), kind, s.m, s.k, s.n, n)
					}
					team.Close()
				}
				if e.Name() != "avx2" && e.Name() != "avx512" {
					continue
				}
				if fused.Data == nil {
					fused = alone
				} else if !sameBits(alone.Data, fused.Data) {
					t.Errorf("%s, %d x %d x %d: avx2 and avx512 give different bits", kind, s.m, s.k, s.n)
				}
			}
		}
	}
}
