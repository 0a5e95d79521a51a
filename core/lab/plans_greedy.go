package lab

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/scheme"
)

// leastSaving is the least that a change must save to count, as a share of what float32 costs: predicted times are not more
// exact than that.
const leastSaving = 0.002

// greedy walks from float32 to ever cheaper plans, and returns those it took, and how many it looked at. Each step changes the
// scheme of one layer: of all changes that save something, the one that saves the most for every answer it loses. What a change saves
// is the share of float32's bytes plus, on average over the batch sizes, the share of its predicted time. One is added to the answers
// lost, so that a change that loses none has a ratio too. The walk ends where no change saves anything, or no more plans may
// be tried.
//
// That is Dantzig's rule for the knapsack problem (Discrete-Variable Extremum Problems, Operations Research 5, 1957), and how
// mixed precision is commonly chosen layer by layer: from a measure of what each layer's precision costs, and what it saves,
// as in Dong et al., HAWQ: Hessian Aware Quantization of Neural Networks with Mixed-Precision (ICCV 2019). Here the measure is
// accuracy itself, anew at every step.
func (s *search) greedy(ctx context.Context) (path []scheme.Plan, tried int, err error) {
	known := map[string]bool{}
	for at := s.plain(); at != nil; {
		path = append(path, at)
		known[at.String()] = true
		next := s.changes(at)
		for _, p := range next {
			known[p.String()] = true
		}
		if n := s.untried(next); len(s.points)+n > s.most {
			s.note(fmt.Sprintf("%s: the greedy search ended after %d plans, before nothing was left to gain", s.spec.ID, len(s.points)))
			break
		}
		if err := s.try(ctx, next); err != nil {
			return nil, 0, err
		}
		at = s.cheapest(at, next)
	}
	return path, len(known), nil
}

// changes returns the plans that differ from p in one layer.
func (s *search) changes(p scheme.Plan) []scheme.Plan {
	var out []scheme.Plan
	for i := range p {
		for _, other := range s.schemes {
			if other != p[i] {
				q := slices.Clone(p)
				q[i] = other
				out = append(out, q)
			}
		}
	}
	return out
}

func (s *search) untried(plans []scheme.Plan) int {
	n := 0
	for _, p := range plans {
		if s.points[p.String()] == nil {
			n++
		}
	}
	return n
}

// cheapest returns the change of the best ratio, the first of equal ones; nil where none saves anything.
func (s *search) cheapest(at scheme.Plan, changes []scheme.Plan) (best scheme.Plan) {
	from, ratio := s.points[at.String()], 0.0
	for _, p := range changes {
		to := s.points[p.String()]
		saved := s.price(from) - s.price(to)
		if saved < leastSaving {
			continue
		}
		if r := saved / float64(1+max(from.Correct-to.Correct, 0)); r > ratio {
			best, ratio = p, r
		}
	}
	return best
}

// price is what a plan costs: float32 costs 2.
func (s *search) price(p *wire.PlanPoint) float64 {
	plain := s.points[s.plain().String()]
	sum := 0.0
	for _, b := range s.req.Batches {
		key := strconv.Itoa(b)
		sum += p.Predicted[key] / plain.Predicted[key]
	}
	return float64(p.SizeBytes)/float64(plain.SizeBytes) + sum/float64(len(s.req.Batches))
}

// judge notes how well predicted latencies held, and how good the greedy search was.
func (s *search) judge(best []*wire.PlanPoint, path []scheme.Plan, tried int) {
	var errors []float64
	for _, p := range best {
		for key, l := range p.LatencyUS {
			errors = append(errors, math.Abs(p.Predicted[key]-l.Mean)/l.Mean)
		}
	}
	off := measure.Summarize(errors)
	s.note(fmt.Sprintf("%s: predicted latencies of the %s on a front are off by %.0f%% in the median, at most by %.0f%%",
		s.spec.ID, plansCount(len(best)), 100*off.Median, 100*off.Max))
	if !s.exhaustive {
		s.note(fmt.Sprintf("%s: %s are too many to try them all: fronts are of the %s that a greedy search came by", s.spec.ID, plansCount(s.total), plansCount(len(s.points))))
		return
	}
	took, saw := 0, 0
	for _, p := range best {
		if slices.ContainsFunc(path, func(q scheme.Plan) bool { return q.String() == p.Plan }) {
			took++
		}
	}
	for _, p := range best {
		if s.nextTo(path, s.plans[p.Plan]) {
			saw++
		}
	}
	s.note(fmt.Sprintf("%s: a greedy search, which needs %d tries instead of %d, would have tried %d of the %s on a front, and have chosen %d",
		s.spec.ID, tried, s.total, saw, plansCount(len(best)), took))
}

// nextTo reports whether the plan is on the path or differs from a plan there in one layer.
func (s *search) nextTo(path []scheme.Plan, p scheme.Plan) bool {
	return slices.ContainsFunc(path, func(q scheme.Plan) bool {
		differ := 0
		for i := range q {
			if p[i] != q[i] {
				differ++
			}
		}
		return differ <= 1
	})
}

// plansCount words a number of plans.
func plansCount(n int) string {
	if n == 1 {
		return "1 plan"
	}
	return strconv.Itoa(n) + " plans"
}
