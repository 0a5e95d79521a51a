package lab

import (
	"cmp"
	"slices"
)

// A worth is what is wanted of a plan: little size, many right answers, little time.
type worth struct {
	size    int64
	correct int
	time    int // in steps of leastTime
}

// beats reports whether the worth is as good as another one in everything, and better in something.
func (w worth) beats(o worth) bool {
	return w.size <= o.size && w.correct >= o.correct && w.time <= o.time && w != o
}

// front returns which worths no other one beats, ascending: the Pareto front. Of equal ones it has all.
func front(worths []worth) []int {
	order := make([]int, len(worths))
	for i := range order {
		order[i] = i
	}
	// In this order none is beaten by a later one, and whatever beats one that is beaten itself is on the front already.
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := worths[a], worths[b]
		return cmp.Or(cmp.Compare(x.size, y.size), cmp.Compare(y.correct, x.correct), cmp.Compare(x.time, y.time))
	})
	var found []int
	for _, i := range order {
		if !slices.ContainsFunc(found, func(j int) bool { return worths[j].beats(worths[i]) }) {
			found = append(found, i)
		}
	}
	slices.Sort(found)
	return found
}
