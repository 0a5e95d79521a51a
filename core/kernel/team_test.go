package kernel

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// calls runs every kind of call once with the given team and returns all that they wrote. The sizes are beyond soloWork, so that
// teams share them: by outputs, and by rows where there are few outputs.
func calls(e *Engine, team *Team) (floats []float32, bytes []uint8, run func()) {
	r, s := newRandom(11), &Scratch{}
	type call func()
	var all []call
	output := func(n int) []float32 {
		y := make([]float32, n)
		all = append(all, func() { floats = append(floats, y...) })
		return y
	}
	for _, shape := range []struct{ rows, out, in int }{{1, 1041, 510}, {64, 10, 900}, {7, 257, 301}, {3, 80, 2300}, {65, 65, 128}} {
		rows, out, in := shape.rows, shape.out, shape.in
		x, q, w, bias := r.floats(rows*in), r.bytes(rows*in), r.floats(out*in), r.floats(out)
		w8, scales, zeros, g := r.int8s(out*in), r.scales(out), r.zeros(out), grids(r, rows)
		start, index, value := r.sparse(rows, in, in-1)
		f32, f16 := e.PackF32(w, bias, out, in, true), e.PackF16(r.halves(out*in), bias, out, in, true)
		i8 := e.PackI8(w8, out, in, scales, zeros, bias, true)
		static := i8.Requantize(g[0], Grid{Scale: 9, Zero: 12, Max: 255})
		s32, s16 := e.PackSparseF32(w, bias, out, in, true), e.PackSparseF16(r.halves(out*in), bias, out, in, true)
		s8 := e.PackSparseI8(w8, out, in, scales, zeros, bias, true)
		sstatic := s8.Requantize(g[0], Grid{Scale: 9, Zero: 12, Max: 255})
		y1, y2, y3, y4, y5, y6 := output(rows*out), output(rows*out), output(rows*out), output(rows*out), output(rows*out), output(rows*out)
		q1, q2 := make([]uint8, rows*out), make([]uint8, rows*out)
		a, b, c := r.matrix(rows, in, 0.5), r.matrix(in, out, 0), NewMatrix(rows, out)
		dw, dx := NewMatrix(in, out), NewMatrix(rows, in)
		all = append(all, func() { bytes = append(append(bytes, q1...), q2...) },
			func() { floats = append(append(append(floats, c.Data...), dw.Data...), dx.Data...) })
		once := run
		run = func() {
			if once != nil {
				once()
			}
			f32.Forward(team, y1, x, rows)
			f16.Forward(team, y2, x, rows)
			i8.Dynamic(team, y3, q, rows, g, s)
			static.Forward(team, q1, q, rows, s)
			s32.Forward(team, y4, start, index, value, rows)
			s16.Forward(team, y5, start, index, value, rows)
			s8.Dynamic(team, y6, start, index, q, rows, g, s)
			sstatic.Forward(team, q2, start, index, q, rows, s)
			e.GemmNN(team, c, a, b)
			e.GemmTN(team, dw, a, c)
			e.GemmNT(team, dx, c, b)
			e.GemmSparse(team, c, start, index, value, b)
		}
	}
	run()
	for _, collect := range all {
		collect()
	}
	return floats, bytes, run
}

// TestThreads checks that results are the same bits for every number of threads.
func TestThreads(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		wantF, wantB, _ := calls(e, nil)
		for _, threads := range []int{1, 2, 3, 8} {
			if testing.Short() && threads == 8 {
				continue
			}
			team := NewTeam(threads)
			gotF, gotB, _ := calls(e, team)
			team.Close()
			if !sameBits(gotF, wantF) || !slices.Equal(gotB, wantB) {
				t.Errorf("%d threads give other results than one", threads)
			}
		}
	})
}

func TestNoAllocation(t *testing.T) {
	forEachEngine(t, func(t *testing.T, e *Engine) {
		for _, threads := range []int{1, 2, 3} {
			times := 5 // more than one: what the runtime itself allocates once in a while is not what a run does
			if testing.Short() {
				times = 3
			}
			team := NewTeam(threads)
			_, _, run := calls(e, team)
			if n := testing.AllocsPerRun(times, run); n != 0 {
				t.Errorf("%d threads: %g allocations a run", threads, n)
			}
			team.Close()
		}
	})
}

type counting struct{ seen [16]atomic.Int32 }

func (c *counting) Run(part, parts int) { c.seen[part].Add(int32(parts)) }

func TestTeam(t *testing.T) {
	for _, threads := range []int{-1, 0, 1, 2, 3, 16} {
		team := NewTeam(threads)
		want := max(threads, 1)
		if runtime.GOARCH == "wasm" {
			want = 1
		}
		if team.Threads() != want {
			t.Errorf("NewTeam(%d) has %d threads", threads, team.Threads())
		}
		var job counting
		for range 100 {
			team.Do(&job)
		}
		for part := range job.seen {
			expect := 0
			if part < want {
				expect = 100 * want
			}
			if got := int(job.seen[part].Load()); got != expect {
				t.Errorf("%d threads: part %d of %d ran %d times", threads, part, want, got/want)
			}
		}
		team.Close()
		team.Close()
		team.Do(&job) // in the caller
	}
	var none *Team
	none.Close()
	none.Do(&counting{})
	if none.Threads() != 1 {
		t.Error("a nil team isn't one thread")
	}
}

// A tally counts how often each part ran, plainly: the team must order what its goroutines read and write.
type tally struct {
	runs [8]int
	slow int // which part takes longer than the others
	sink [8]int
}

func (j *tally) Run(part, parts int) {
	if part == j.slow {
		for i := range 20000 {
			j.sink[part] += i
		}
	}
	j.runs[part]++
}

// TestTeamWakes hands out jobs to workers that look out for them, that are about to fall asleep and that sleep.
func TestTeamWakes(t *testing.T) {
	for _, threads := range []int{2, 3, 8} {
		team := NewTeam(threads)
		var job tally
		for i := range 120 {
			job.slow = i % threads
			team.Do(&job)
			for part := range team.Threads() {
				if job.runs[part] != i+1 {
					t.Fatalf("%d threads: part %d ran %d times in %d jobs", threads, part, job.runs[part], i+1)
				}
			}
			time.Sleep(time.Duration(i%20) * 10 * time.Microsecond)
		}
		team.Close()
	}
}

// TestTeamEnds relies on synctest to fail if a goroutine outlives the test.
func TestTeamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		team := NewTeam(4)
		team.Do(&counting{})
		team.Close()
	})
}

// TestSplit checks that the parts cover everything once.
func TestSplit(t *testing.T) {
	for _, rows := range []int{1, 2, 5, 64} {
		for _, out := range []int{1, 2, 10, 16, 17, 100, 512} {
			for _, width := range []int{1, 16, 48} {
				for _, parts := range []int{1, 2, 3, 7} {
					seen := make([]int, rows*out)
					for part := range parts {
						g := split(part, parts, rows, out, width)
						if g.empty() {
							continue
						}
						if g.lo%width != 0 || (g.hi%width != 0 && g.hi != out) {
							t.Fatalf("part %v of %d x %d cuts a panel of %d", g, rows, out, width)
						}
						for r := g.r0; r < g.r1; r++ {
							for o := g.lo; o < g.hi; o++ {
								seen[r*out+o]++
							}
						}
					}
					if slices.Min(seen) != 1 || slices.Max(seen) != 1 {
						t.Fatalf("%d parts of %d x %d in panels of %d do not cover it once", parts, rows, out, width)
					}
				}
			}
		}
	}
}

func TestMisuse(t *testing.T) {
	e := Best()
	g := []Grid{{Scale: 1, Max: 255}}
	for name, call := range map[string]func(){
		"weights":    func() { e.PackF32(make([]float32, 5), nil, 2, 3, false) },
		"no outputs": func() { e.PackF16(nil, nil, 0, 3, false) },
		"bias":       func() { e.PackF32(make([]float32, 6), make([]float32, 3), 2, 3, false) },
		"scales":     func() { e.PackI8(make([]int8, 6), 2, 3, make([]float32, 3), nil, nil, false) },
		"short x": func() {
			e.PackF32(make([]float32, 6), nil, 2, 3, false).Forward(nil, make([]float32, 4), make([]float32, 5), 2)
		},
		"short y": func() {
			e.PackF32(make([]float32, 6), nil, 2, 3, false).Forward(nil, make([]float32, 3), make([]float32, 6), 2)
		},
		"grids": func() {
			e.PackI8(make([]int8, 6), 2, 3, []float32{1}, nil, nil, false).Dynamic(nil, make([]float32, 6), make([]uint8, 9), 3, append(g, g...), &Scratch{})
		},
		"short start": func() {
			e.PackSparseF32(make([]float32, 6), nil, 2, 3, false).Forward(nil, make([]float32, 4), []int32{0, 0}, nil, nil, 2)
		},
		"shapes": func() { e.GemmNN(nil, NewMatrix(2, 3), NewMatrix(2, 4), NewMatrix(3, 3)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}
