package app

import (
	"cmp"
	"slices"
	"strconv"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// search returns what is known of the plans of the chosen model where they were to be tried: the latest search that was finished, or
// the plans that one has measured that was not. ok is false where there is nothing.
func (st *SensitivityState) search(study wire.Study) (search wire.PlanSearch, of wire.Setting, ok bool) {
	c := st.choice()
	if q := &st.Plans; q.unfinished(c) && len(q.Tried) > 0 {
		return wire.PlanSearch{Model: c.Model, Points: q.Tried}, q.Setting, true
	}
	for _, part := range slices.Backward(study.Plans) {
		if part.Hardware.Host != c.Where || !c.concerns(part.Settings) {
			continue
		}
		for _, search := range part.Searches {
			if search.Model == c.Model && len(search.Points) > 0 {
				return search, part.Setting, true
			}
		}
	}
	return search, of, false
}

// A frontPoint is one plan in the drawing.
type frontPoint struct {
	wire.PlanPoint
	Share    float64 // accuracy
	Time     float64 // µs of the batch, measured where Measured, else predicted; NaN where neither is there
	Measured bool
	Front    bool // of the batch
	Edge     bool // no plan on the front is as good in both of the drawing's measures: the line joins these
}

// across is where the point lies on the horizontal axis.
func (p frontPoint) across(c sensChoice) float64 {
	if c.Across == timeAcross {
		return p.Time
	}
	return float64(p.SizeBytes) / 1e6
}

// frontPoints are the plans that can be drawn, the front's first.
func frontPoints(search wire.PlanSearch, c sensChoice) []frontPoint {
	batch := strconv.Itoa(c.Batch)
	var out []frontPoint
	for _, p := range search.Points {
		f := frontPoint{PlanPoint: p, Front: slices.Contains(p.Fronts, batch)}
		if p.Accuracy == nil || !finite(*p.Accuracy) {
			continue
		}
		f.Share = *p.Accuracy
		f.Time = p.Predicted[batch]
		if l, ok := p.LatencyUS[batch]; ok && l.Mean > 0 {
			f.Time, f.Measured = l.Mean, true
		}
		if x := f.across(c); finite(x) && x > 0 {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b frontPoint) int {
		return cmp.Or(-compareBool(a.Front, b.Front), cmp.Compare(a.across(c), b.across(c)), cmp.Compare(b.Share, a.Share))
	})
	markEdge(out, c)
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// markEdge finds the points of the front, which come first and from left to right, that are more accurate than all to their left.
func markEdge(points []frontPoint, c sensChoice) {
	best := -1.0
	for i := range points {
		if !points[i].Front {
			return
		}
		if points[i].Share > best {
			points[i].Edge, best = true, points[i].Share
		}
	}
}

// greedyPoints are the plans of the greedy search's path, as far as they can be drawn.
func greedyPoints(search wire.PlanSearch, points []frontPoint) []frontPoint {
	var out []frontPoint
	for _, plan := range search.Greedy {
		if i := slices.IndexFunc(points, func(p frontPoint) bool { return p.Plan == plan }); i >= 0 {
			out = append(out, points[i])
		}
	}
	return out
}

// lookedAt is the plan that the reader looks at, if it was tried.
func (st *SensitivityState) lookedAt(study wire.Study) (frontPoint, bool) {
	c := st.choice()
	if c.Plan == "" {
		return frontPoint{}, false
	}
	search, _, ok := st.search(study)
	if !ok {
		return frontPoint{}, false
	}
	points := frontPoints(search, c)
	i := slices.IndexFunc(points, func(p frontPoint) bool { return samePlanText(p.Plan, c.Plan, c.layers()) })
	if i < 0 {
		return frontPoint{}, false
	}
	return points[i], true
}

// says tells the plan to those who listen.
func (p frontPoint) says() string {
	return report.ShortPlan(p.Plan) + ": accuracy " + report.Percent(p.Share, p.Total) + ", " + report.MB(p.SizeBytes) + " megabytes."
}
