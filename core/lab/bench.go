package lab

import (
	"fmt"

	"quantlab/core/kernel"
	"quantlab/core/measure"
)

// A bench holds what is timed in turns: calls, and the limits that bound them.
type bench struct {
	engine     *kernel.Engine
	team       *kernel.Team
	candidates []measure.Candidate
	limits     map[string]limit
}

// A limit is what some candidates do at the most, each in a way of its own.
type limit []amount

// An amount is what a call of the candidate does.
type amount struct {
	candidate int
	n         float64
}

// rate is the limit in 1e9 a second, given the shortest time of each candidate's calls in ns.
func (l limit) rate(best []float64) (r float64) {
	for _, a := range l {
		r = max(r, a.n/best[a.candidate])
	}
	return r
}

// add makes the call a candidate, and returns which.
func (b *bench) add(name string, call func() error) int {
	b.candidates = append(b.candidates, measure.Candidate{Name: name, Call: call})
	return len(b.candidates) - 1
}

// peak returns the limit of that kind of multiply-adds.
func (b *bench) peak(k kernel.Kind) limit {
	return b.limit(fmt.Sprint("peak ", k), func() []measure.Limit {
		return []measure.Limit{measure.PeakOf(b.engine, b.team, k)}
	})
}

// read returns the limit of reading so many bytes.
func (b *bench) read(n int) limit {
	return b.limit(fmt.Sprint("read ", n), func() []measure.Limit {
		return measure.ReadsOf(b.engine, b.team, kernel.Buffer(n))
	})
}

// limit returns the limit of that name, whose candidates it adds where it is not there yet.
func (b *bench) limit(name string, candidates func() []measure.Limit) limit {
	l, ok := b.limits[name]
	if ok {
		return l
	}
	for _, m := range candidates() {
		l = append(l, amount{b.add(name, m.Call), m.Amount})
	}
	if b.limits == nil {
		b.limits = map[string]limit{}
	}
	b.limits[name] = l
	return l
}
