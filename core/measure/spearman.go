package measure

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// exactRanks is up to how many pairs Spearman goes through every order: 362,880 of them.
const exactRanks = 9

// Spearman returns the rank correlation of paired numbers, -1 to 1, and the two-sided p-value of there being none:
// Spearman, The proof and measurement of association between two things, American Journal of Psychology 15 (1904).
// Equal numbers have the mean of their ranks; rho is Pearson's correlation of the ranks.
//
// Up to 9 pairs the p-value is exact: the share of all orders of y's ranks whose rho is as far from 0 as the one found. From 10
// on it is that of Student's t with n-2 degrees of freedom (Kendall and Stuart, The Advanced Theory of Statistics 2,
// section 31.19), but no less than any order could have, 2/n!.
//
// ok is false where there is nothing to say: fewer than 3 pairs, unpaired numbers, numbers that are not finite, or all x or
// all y alike.
func Spearman(x, y []float64) (rho, p float64, ok bool) {
	n := len(x)
	if n < 3 || n != len(y) {
		return 0, 0, false
	}
	a, b := ranks(x), ranks(y)
	rho = stat.Correlation(a, b, nil)
	if math.IsNaN(rho) { // a constant, or a NaN
		return 0, 0, false
	}
	rho = max(min(rho, 1), -1)
	if n <= exactRanks {
		return rho, orders(a, b), true
	}
	return rho, max(studentsP(rho, n), 2/math.Gamma(float64(n)+1)), true
}

// studentsP is the two-sided p-value of a correlation of n pairs by Student's t.
func studentsP(rho float64, n int) float64 {
	free := float64(n - 2)
	if math.Abs(rho) == 1 {
		return 0
	}
	t := math.Abs(rho) * math.Sqrt(free/(1-rho*rho))
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: free}.Survival(t)
}

// ranks returns the rank of each number, from 1, equal numbers sharing theirs. Where one is not finite, all ranks are NaN.
func ranks(x []float64) []float64 {
	sorted, at, r := append([]float64(nil), x...), make([]int, len(x)), make([]float64, len(x))
	floats.Argsort(sorted, at)
	for from := 0; from < len(sorted); {
		to := from + 1
		for to < len(sorted) && sorted[to] == sorted[from] {
			to++
		}
		for _, i := range at[from:to] {
			r[i] = float64(from+to+1) / 2
			if v := x[i]; v-v != 0 {
				r[i] = math.NaN()
			}
		}
		from = to
	}
	return r
}

// orders returns the share of the orders of b whose correlation with a is at least as far from 0 as theirs. The ranks' means
// and spreads are the same in every order, so their sum of products decides. It is computed in half ranks: whole numbers.
func orders(a, b []float64) float64 {
	n := len(a)
	x, y := make([]int, n), make([]int, n)
	sum := 0
	for i := range n {
		x[i], y[i] = int(2*a[i]), int(2*b[i])
		sum += x[i]
	}
	// Twice a rank is on average n+1, so the products of independent ranks add up to sum·(n+1).
	middle := sum * (n + 1)
	found := 0
	for i := range n {
		found += x[i] * y[i]
	}
	far, all, reach := 0, 0, abs(found-middle)
	permute(y, n, func() {
		products := 0
		for i, v := range x {
			products += v * y[i]
		}
		all++
		if abs(products-middle) >= reach {
			far++
		}
	})
	return float64(far) / float64(all)
}

func abs(n int) int { return max(n, -n) }

// permute calls visit once for every order of the first k elements of y: Heap, Permutations by interchanges, The Computer
// Journal 6 (1963).
func permute(y []int, k int, visit func()) {
	if k <= 1 {
		visit()
		return
	}
	for i := range k {
		permute(y, k-1, visit)
		if i == k-1 {
			return
		}
		j := 0
		if k%2 == 0 {
			j = i
		}
		y[j], y[k-1] = y[k-1], y[j]
	}
}
