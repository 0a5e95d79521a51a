package measure

import (
	"encoding/json"
	"math"
	"math/big"
	"os"
	"slices"
	"testing"

	"quantlab/core/lab/wire"
)

// golden is what testdata/golden.py wrote.
type golden struct {
	Wilson []struct {
		K, N      int
		Low, High float64
	}
	McNemar []struct {
		B, C int
		P    float64
	}
	Summary []struct {
		Samples                []float64
		Mean, Std, Median, P95 float64
		Outliers               []int
	}
	Ratio []struct {
		Base, Other      []float64
		Ratio, Low, High float64
	}
}

func readGolden(t *testing.T) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Wilson) == 0 || len(g.McNemar) == 0 || len(g.Summary) == 0 || len(g.Ratio) == 0 {
		t.Fatal("testdata/golden.json lacks cases")
	}
	return g
}

// near reports whether got is want up to a relative error, or an absolute one near zero.
func near(got, want, relative float64) bool {
	return got == want || math.Abs(got-want) <= relative*max(math.Abs(want), 1e-300)
}

func TestSummarizeGolden(t *testing.T) {
	for _, c := range readGolden(t).Summary {
		s := Summarize(c.Samples)
		if s.N != len(c.Samples) || !near(s.Mean, c.Mean, 1e-13) || !near(s.Std, c.Std, 1e-12) || !near(s.Median, c.Median, 1e-13) || !near(s.P95, c.P95, 1e-13) {
			t.Errorf("Summarize(%v) = %+v, want %+v", c.Samples, s, c)
		}
		if !slices.Equal(s.Outliers, c.Outliers) {
			t.Errorf("outliers of %v: %v, want %v", c.Samples, s.Outliers, c.Outliers)
		}
		if s.Min != slices.Min(c.Samples) || s.Max != slices.Max(c.Samples) {
			t.Errorf("%v reaches from %v to %v", c.Samples, s.Min, s.Max)
		}
	}
	if s := Summarize(nil); s.N != 0 || s.Mean != 0 || s.Std != 0 {
		t.Errorf("no samples: %+v", s)
	}
}

func TestSummarizeLeavesSamplesInOrder(t *testing.T) {
	samples := []float64{3, 1, 2}
	Summarize(samples)
	if !slices.Equal(samples, []float64{3, 1, 2}) {
		t.Errorf("the samples were sorted: %v", samples)
	}
}

func TestWilsonGolden(t *testing.T) {
	for _, c := range readGolden(t).Wilson {
		low, high := Wilson(c.K, c.N)
		if math.Abs(low-c.Low) > 1e-14 || math.Abs(high-c.High) > 1e-14 {
			t.Errorf("Wilson(%d, %d) = %v, %v, want %v, %v", c.K, c.N, low, high, c.Low, c.High)
		}
	}
	for _, c := range [][2]int{{0, 0}, {0, -1}} {
		if low, high := Wilson(c[0], c[1]); low != 0 || high != 1 {
			t.Errorf("Wilson(%d, %d) = %v, %v, want 0, 1", c[0], c[1], low, high)
		}
	}
	if low, _ := Wilson(0, 100); low != 0 {
		t.Errorf("nothing right: the interval begins at %v", low)
	}
	if _, high := Wilson(100, 100); high != 1 {
		t.Errorf("everything right: the interval ends at %v", high)
	}
}

func TestMcNemarGolden(t *testing.T) {
	for _, c := range readGolden(t).McNemar {
		// scipy sums binomial terms from logarithms of factorials.
		if p := McNemar(c.B, c.C); !near(p, c.P, 1e-9) && math.Abs(p-c.P) > 1e-322 {
			t.Errorf("McNemar(%d, %d) = %v, want %v", c.B, c.C, p, c.P)
		}
	}
}

// The sum of binomials in whole numbers, for as many changed examples as MNIST's test set has.
func TestMcNemarExactly(t *testing.T) {
	for _, c := range [][2]int{{0, 1}, {1, 5}, {2, 5}, {0, 6}, {17, 23}, {200, 300}, {1000, 1001}, {3000, 3300}, {4990, 5010}, {4000, 6000}, {7000, 3000}} {
		n, k := c[0]+c[1], min(c[0], c[1])
		sum, term := big.NewInt(0), big.NewInt(1)
		for i := 0; i <= k; i++ {
			sum.Add(sum, term)
			term.Mul(term, big.NewInt(int64(n-i))).Quo(term, big.NewInt(int64(i+1)))
		}
		exact := new(big.Float).SetInt(sum)
		exact.SetMantExp(exact, 1-n)
		want, _ := exact.Float64()
		if p := McNemar(c[0], c[1]); !near(p, min(want, 1), 1e-12) {
			t.Errorf("McNemar(%d, %d) = %v, want %v", c[0], c[1], p, want)
		}
	}
}

func TestMcNemarProperties(t *testing.T) {
	if p := McNemar(0, 5); p <= 0.05 {
		t.Errorf("five flips can't be significant, but p = %v", p)
	}
	if p := McNemar(0, 6); p >= 0.05 {
		t.Errorf("six flips one way are significant, but p = %v", p)
	}
	for b := range 60 {
		for c := range 60 {
			p := McNemar(b, c)
			if p != McNemar(c, b) || p <= 0 || p > 1 {
				t.Fatalf("McNemar(%d, %d) = %v", b, c, p)
			}
		}
	}
	if p := McNemar(0, 5000); p != 0 {
		t.Errorf("2^-4999 = %v", p)
	}
	if p := McNemar(-3, 0); p != 1 {
		t.Errorf("McNemar(-3, 0) = %v", p)
	}
}

func TestCompareRatioGolden(t *testing.T) {
	for _, c := range readGolden(t).Ratio {
		ratio, low, high, word := CompareRatio(c.Base, c.Other)
		if !near(ratio, c.Ratio, 1e-12) || !near(low, c.Low, 1e-10) || !near(high, c.High, 1e-10) {
			t.Errorf("n = %d: %v [%v, %v], want %v [%v, %v]", len(c.Base), ratio, low, high, c.Ratio, c.Low, c.High)
		}
		want := NoDifference
		if c.Low > 1 {
			want = Faster
		} else if c.High < 1 {
			want = Slower
		}
		if word != want {
			t.Errorf("n = %d: %s, want %s", len(c.Base), word, want)
		}
	}
}

func TestCompareRatioAtTheEdges(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		name        string
		base, other []float64
		ratio       float64
		word        string
	}{
		{"nothing", nil, nil, 0, ""},
		{"one run", []float64{10}, []float64{5}, 2, ""},
		{"not paired", []float64{1, 2}, []float64{1}, 0, ""},
		{"zero", []float64{1, 2}, []float64{1, 0}, 0, ""},
		{"negative", []float64{-1, -2}, []float64{-1, -2}, 0, ""},
		{"NaN", []float64{1, nan}, []float64{1, 2}, 0, ""},
		{"infinite", []float64{1, inf}, []float64{1, 2}, 0, ""},
		{"the very same", []float64{3, 3, 3}, []float64{3, 3, 3}, 1, NoDifference},
		{"alike in each round", []float64{1, 2, 3}, []float64{1, 2, 3}, 1, NoDifference},
		{"without spread, less than a step apart", []float64{1.003, 1.003, 1.003}, []float64{1, 1, 1}, 1.003, NoDifference},
		{"without spread, twice as fast", []float64{2, 4, 6}, []float64{1, 2, 3}, 2, Faster},
		{"without spread, slower", []float64{1, 1}, []float64{1.1, 1.1}, 1 / 1.1, Slower},
	}
	for _, tt := range tests {
		ratio, low, high, word := CompareRatio(tt.base, tt.other)
		if !near(ratio, tt.ratio, 1e-12) || word != tt.word {
			t.Errorf("%s: %v, %q, want %v, %q", tt.name, ratio, word, tt.ratio, tt.word)
		}
		if !(low <= ratio && ratio <= high) {
			t.Errorf("%s: %v is not in [%v, %v]", tt.name, ratio, low, high)
		}
	}
}

func TestWordsAreTheWiresWords(t *testing.T) {
	if Faster != wire.Faster || Slower != wire.Slower || NoDifference != wire.NoDifference {
		t.Error("package wire words its verdicts differently")
	}
}
