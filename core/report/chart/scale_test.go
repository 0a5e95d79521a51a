package chart

import (
	"math"
	"strings"
	"testing"
)

func TestScales(t *testing.T) {
	for _, c := range []struct {
		s    Scale
		v    float64
		want float64
	}{
		{Linear{0, 10}, 5, .5},
		{Linear{0, 10}, -5, 0},
		{Linear{0, 10}, 15, 1},
		{Linear{-10, 10}, 0, .5},
		{Linear{0, 10}, nan, 0},
		{Linear{0, 10}, inf, 0},
		{Linear{3, 3}, 3, 0},
		{Linear{3, 2}, 2.5, 0},
		{Linear{nan, 2}, 1, 0},
		{Linear{-math.MaxFloat64, math.MaxFloat64}, 0, .5},
		{Log{1, 100}, 10, .5},
		{Log{1, 100}, 0, 0},
		{Log{1, 100}, -4, 0},
		{Log{1, 100}, inf, 1},
		{Log{0, 100}, 10, 0},
		{Log{5, 5}, 5, 0},
		{Log{1e-300, 1e300}, 1, .5},
	} {
		if got := c.s.At(c.v); !near(got, c.want, 1e-12) {
			t.Errorf("%v of %v is at %v, want %v", c.v, c.s, got, c.want)
		}
	}
}

func labels(ticks []Tick) string {
	var out []string
	for _, t := range ticks {
		out = append(out, t.Label)
	}
	return strings.Join(out, " ")
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		s    Scale
		n    int
		want string
	}{
		{Linear{0, 10}, 5, "0 2 4 6 8 10"},
		{Linear{0, 1}, 5, "0 0.2 0.4 0.6 0.8 1.0"},
		{Linear{-.31, .29}, 4, "−0.2 0 0.2"},
		{Linear{0, 12345}, 3, "0 5000 10,000"},
		{Linear{96.2, 98.1}, 4, "96.5 97.0 97.5 98.0"},
		{Linear{0, 3e-9}, 3, "0 1e-09 2e-09 3e-09"},
		{Linear{0, 4e12}, 2, "0 2e+12 4e+12"},
		{Linear{1, 1}, 5, ""},
		{Linear{1, math.Nextafter(1, 2)}, 5, ""},
		{Linear{nan, 1}, 5, ""},
		{Linear{0, inf}, 5, ""},
		{Linear{0, 1}, 0, ""},
		{Log{1, 1000}, 4, "1 10 100 1000"},
		{Log{.5, 100000}, 3, "1 100 10,000"},
		{Log{.01, 10}, 9, "0.01 0.1 1 10"},
		{Log{2, 9}, 4, ""},
		{Log{0, 9}, 4, ""},
		{Log{1, 10}, 0, ""},
	} {
		if got := labels(c.s.Ticks(c.n)); got != c.want {
			t.Errorf("%v: %q, want %q", c.s, got, c.want)
		}
	}
	if got := (Log{.125, 8}).Powers(2); len(got) != 7 || got[0] != -3 || got[6] != 3 {
		t.Errorf("powers of 2: %v", got)
	}
}

func TestNice(t *testing.T) {
	for _, c := range []struct{ lo, hi, wantLo, wantHi float64 }{
		{95.6, 97.9, 95, 98},
		{0, 10, 0, 10},
		{-.3, .8, -.5, 1},
		{2, 2, 1, 3},
		{-inf, 2, -inf, 2},
	} {
		if got := Nice(c.lo, c.hi, 4); got != (Linear{c.wantLo, c.wantHi}) {
			t.Errorf("%v to %v becomes %v", c.lo, c.hi, got)
		}
	}
}

func FuzzTicks(f *testing.F) {
	f.Add(0.0, 1.0, 5)
	f.Add(-math.MaxFloat64, math.MaxFloat64, 3)
	f.Add(5e-324, 1e-323, 4)
	f.Add(1e17, 1e17+64, 7)
	f.Fuzz(func(t *testing.T, lo, hi float64, n int) {
		n = min(n, 50)
		for _, s := range []Scale{Linear{lo, hi}, Log{lo, hi}, Nice(lo, hi, n)} {
			ticks := s.Ticks(n)
			if len(ticks) > 2*max(n, 1)+1 {
				t.Fatalf("%v: %d ticks of %d", s, len(ticks), n)
			}
			for i, tick := range ticks {
				if !Finite(tick.Value) || tick.Label == "" || i > 0 && tick.Value <= ticks[i-1].Value {
					t.Fatalf("%v: %v", s, ticks)
				}
				if at := s.At(tick.Value); at < 0 || at > 1 {
					t.Fatalf("%v: tick at %v", s, at)
				}
			}
		}
	})
}
