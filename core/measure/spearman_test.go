package measure

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

func TestSpearmanMatchesScipy(t *testing.T) {
	data, err := os.ReadFile("testdata/golden_spearman.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		X, Y   []float64
		Rho, P float64
	}
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) < 30 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		x, y := slices.Clone(c.X), slices.Clone(c.Y)
		rho, p, ok := Spearman(x, y)
		if !ok || math.Abs(rho-c.Rho) > 1e-12 || math.Abs(p-c.P) > 1e-9*c.P {
			t.Errorf("%d pairs: rho %v, p %v, %v; scipy says %v, %v", len(x), rho, p, ok, c.Rho, c.P)
		}
		if !slices.Equal(x, c.X) || !slices.Equal(y, c.Y) {
			t.Error("it changed its arguments")
		}
		back, again, _ := Spearman(y, x)
		if math.Abs(back-rho) > 1e-12 || math.Abs(again-p) > 1e-12 {
			t.Errorf("the other way round: %v, %v", back, again)
		}
	}
}

func TestSpearmanSaysNothing(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string][2][]float64{
		"nothing":      {nil, nil},
		"two pairs":    {{1, 2}, {2, 1}},
		"unpaired":     {{1, 2, 3}, {1, 2, 3, 4}},
		"constant x":   {{7, 7, 7, 7}, {1, 2, 3, 4}},
		"constant y":   {{1, 2, 3, 4}, {0, 0, 0, 0}},
		"NaN":          {{1, 2, nan, 4}, {1, 2, 3, 4}},
		"all NaN":      {{nan, nan, nan}, {1, 2, 3}},
		"infinite":     {{1, 2, 3, 4}, {1, inf, 3, 4}},
		"minus, twice": {{1, 2, 3, 4}, {1, -inf, -inf, 4}},
	} {
		if rho, p, ok := Spearman(c[0], c[1]); ok || rho != 0 || p != 0 {
			t.Errorf("%s: rho %v, p %v", name, rho, p)
		}
	}
}

// A perfect order is not impossible: one of all orders, or two, has it.
func TestSpearmanOfAPerfectOrder(t *testing.T) {
	var x []float64
	for n := 1; n <= 30; n++ {
		x = append(x, float64(n*n))
		y := slices.Clone(x)
		slices.Reverse(y)
		for _, other := range [][]float64{x, y} {
			rho, p, ok := Spearman(x, other)
			if n < 3 {
				continue
			}
			factorial := 1.0
			for i := 2; i <= n; i++ {
				factorial *= float64(i)
			}
			if want := 2 / factorial; !ok || math.Abs(rho) != 1 || math.Abs(p-want) > 1e-9*want {
				t.Errorf("%d pairs: rho %v, p %v, want %v", n, rho, p, want)
			}
		}
	}
}

func BenchmarkSpearman(b *testing.B) {
	x, y := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, []float64{2, 1, 4, 3, 9, 8, 7, 6, 5}
	for b.Loop() {
		Spearman(x, y)
	}
}
