package lab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// searchPlans finds, for each model, which plans of some schemes for each layer are worth having. Sizes and right answers
// are those of every plan that is tried: all there are, or where these are more than wire.MaxPlanPoints the ones that a
// greedy search comes by. Latencies are predicted, the sum of the layers' own, and measured only of those plans that no other beats.
func searchPlans(ctx context.Context, host Host, src Source, req wire.Request, o wire.PlansOptions, emit func(wire.Event)) (*wire.Plans, error) {
	o = o.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	req, alone := host.oneThread(req)
	host.Peaks = nil // a run's rows say how near the machine's limits they are
	r, err := newRunner(ctx, host, src, req, emit)
	if err != nil {
		return nil, err
	}
	if alone {
		r.note("plans were " + notShared)
	}
	r.forewarn()
	var schemes []scheme.Scheme
	for _, text := range o.Schemes {
		s, err := scheme.ParseScheme(text)
		if err != nil {
			return nil, err
		}
		schemes = append(schemes, s)
	}
	out := &wire.Plans{Setting: r.setting(), Searches: []wire.PlanSearch{}}
	var measured []wire.Row
	cost := func(c costing) float64 { return c.search(len(schemes)) }
	err = r.eachModel(cost, 0, func(spec nn.Spec) error {
		s := newSearch(r, spec, schemes)
		found, err := s.run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", spec.ID, err)
		}
		if found != nil {
			out.Searches = append(out.Searches, *found)
			measured = append(measured, s.measured()...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.noteUnsteady(measured)
	if len(out.Searches) > 0 {
		r.note("plans were chosen by the same test examples that their accuracy is told of: the best of many look a little better than they are")
	}
	out.Notes = r.result.Notes
	return out, nil
}

// search is the cost of a model's search, of which it can't be known how many plans are on a front.
func (c costing) search(schemes int) float64 {
	const onFront = 30
	layers := len(c.spec.Dims()) - 1
	n, _ := count(schemes, layers)
	sum := c.load() + c.data() + c.calibrate() + c.accuracies(min(n, wire.MaxPlanPoints)) + 2*c.convert(onFront)
	for _, b := range c.req.Batches {
		sum += c.layerTimes(schemes, b) + c.latency(min(n, onFront), b)
	}
	return sum
}

// count returns how many plans there are, at most so many that all are not tried, and whether all are.
func count(schemes, layers int) (plans int, exhaustive bool) {
	const most = 1 << 27 // 8 times that is still an int of 32 bits
	plans = 1
	for range layers {
		plans = min(plans*schemes, most)
	}
	return plans, plans <= wire.MaxPlanPoints
}

// A search is that of one model.
type search struct {
	*trial
	schemes    []scheme.Scheme
	cal        *quant.Calibration // nil where no scheme needs one
	times      layerTimes
	points     map[string]*wire.PlanPoint // by plan
	plans      map[string]scheme.Plan     // likewise
	exhaustive bool
	total      int // plans that there are
	most       int // plans that are tried
}

func newSearch(r *runner, spec nn.Spec, schemes []scheme.Scheme) *search {
	return &search{
		trial: &trial{runner: r, spec: spec, cost: costing{spec: spec, host: r.host, req: r.req}}, schemes: schemes,
		points: map[string]*wire.PlanPoint{}, plans: map[string]scheme.Plan{}, most: wire.MaxPlanPoints,
	}
}

// run searches. Where data is missing it finds nothing, and notes why.
func (s *search) run(ctx context.Context) (*wire.PlanSearch, error) {
	if err := s.load(ctx); err != nil {
		if s.missing(err) != "" && ctx.Err() == nil {
			return nil, nil
		}
		return nil, err
	}
	if s.test == nil { // which load has noted
		return nil, nil
	}
	if err := s.grids(ctx); err != nil {
		return nil, err
	}
	if err := s.timeLayers(ctx); err != nil {
		return nil, err
	}
	var all []scheme.Plan
	if s.total, s.exhaustive = count(len(s.schemes), len(s.net.Layers)); s.exhaustive {
		all = everyPlan(s.schemes, len(s.net.Layers))
	}
	if err := s.try(ctx, append(all, s.plain())); err != nil {
		return nil, err
	}
	path, tried, err := s.greedy(ctx)
	if err != nil {
		return nil, err
	}
	best := s.fronts()
	if err := s.measure(ctx, best); err != nil {
		return nil, err
	}
	s.judge(best, path, tried)
	return s.found(path), nil
}

// grids calibrates what static schemes there are. One calibration serves all plans: Validate saw to that. Without
// calibration examples the static schemes are left out.
func (s *search) grids(ctx context.Context) error {
	static := slices.IndexFunc(s.schemes, isStatic)
	if static < 0 {
		return nil
	}
	cal, note, err := s.calibrateTo(ctx, slices.Repeat(scheme.Plan{s.schemes[static]}, len(s.net.Layers)))
	if err != nil {
		return err
	}
	if s.cal = cal; cal == nil {
		s.schemes = slices.DeleteFunc(slices.Clone(s.schemes), isStatic)
		s.note(s.spec.ID + ": plans with static layers were left out, " + note)
	}
	return nil
}

func isStatic(s scheme.Scheme) bool { return s.Mode == scheme.Static }

// plain is the plan that quantizes nothing.
func (s *search) plain() scheme.Plan {
	return slices.Repeat(scheme.Plan{{Mode: scheme.Float32}}, len(s.net.Layers))
}

// everyPlan returns all plans, in the order of the schemes.
func everyPlan(schemes []scheme.Scheme, layers int) []scheme.Plan {
	plans := []scheme.Plan{{}}
	for range layers {
		var longer []scheme.Plan
		for _, p := range plans {
			for _, s := range schemes {
				longer = append(longer, append(slices.Clip(p), s))
			}
		}
		plans = longer
	}
	return plans
}

// together converts the network by float32, as the first subject, and by the plans, and lets use have them all.
func (s *search) together(ctx context.Context, plans []scheme.Plan, use func() error) error {
	s.subjects = nil
	for _, p := range append([]scheme.Plan{s.plain()}, plans...) {
		v := CustomVariant(p)
		s.subjects = append(s.subjects, &subject{variant: v, name: p.Short(), plan: p, row: s.blank(v)})
	}
	defer func() {
		s.close()
		s.subjects, s.forest = nil, nil
	}()
	if err := s.grow(ctx, s.cal, ""); err != nil {
		return err
	}
	return use()
}

// try finds size and right answers of those of the plans that are not known yet. All pass over the data at once, and while
// they do their answers take 8 bytes each: at most wire.MaxPlanPoints times the test examples.
func (s *search) try(ctx context.Context, plans []scheme.Plan) error {
	plans = slices.DeleteFunc(slices.Clone(plans), func(p scheme.Plan) bool { return s.points[p.String()] != nil })
	if len(plans) == 0 {
		return nil
	}
	return s.together(ctx, plans, func() error {
		if err := s.accuracies(ctx); err != nil {
			return err
		}
		for _, sub := range s.subjects[1:] {
			key := sub.plan.String()
			if s.points[key] == nil {
				s.plans[key] = sub.plan
				s.points[key] = &wire.PlanPoint{Row: sub.row, Plan: key, Predicted: s.times.predict(sub.plan)}
			}
		}
		return nil
	})
}

// fronts names the fronts that each point is on, forgets which examples the others' answers differ on, and returns the plans
// that are on any, the smallest first.
func (s *search) fronts() []*wire.PlanPoint {
	points := s.sorted()
	for _, b := range s.req.Batches {
		key := strconv.Itoa(b)
		var worths []worth
		for _, p := range points {
			worths = append(worths, worth{p.SizeBytes, p.Correct, timeStep(p.Predicted[key])})
		}
		for _, i := range front(worths) {
			points[i].Fronts = append(points[i].Fronts, key)
		}
	}
	var best []*wire.PlanPoint
	for _, p := range points {
		if len(p.Fronts) > 0 {
			best = append(best, p)
		} else if p.Paired != nil {
			p.Paired.Flipped = nil
		}
	}
	return best
}

// sorted returns the points, the smallest first.
func (s *search) sorted() []*wire.PlanPoint {
	var points []*wire.PlanPoint
	for _, p := range s.points {
		points = append(points, p)
	}
	slices.SortFunc(points, func(a, b *wire.PlanPoint) int {
		return cmp.Or(cmp.Compare(a.SizeBytes, b.SizeBytes), cmp.Compare(b.Correct, a.Correct), cmp.Compare(a.Plan, b.Plan))
	})
	return points
}

// measure times the plans, in turns, and reports them.
func (s *search) measure(ctx context.Context, best []*wire.PlanPoint) error {
	plain := s.plain().String()
	var plans []scheme.Plan
	for _, p := range best {
		if p.Plan != plain { // which is measured anyway, to compare with
			plans = append(plans, s.plans[p.Plan])
		}
	}
	return s.together(ctx, plans, func() error {
		if err := s.latency(ctx); err != nil {
			return err
		}
		for _, sub := range s.subjects {
			s.points[sub.plan.String()].LatencyUS = sub.row.LatencyUS
		}
		for _, p := range best {
			told := *p
			s.emit(wire.Event{Kind: wire.EventPlan, Fraction: s.progress.fraction, Plan: &told})
		}
		return nil
	})
}

// measured returns the rows that have latencies.
func (s *search) measured() []wire.Row {
	var rows []wire.Row
	for _, p := range s.sorted() {
		if len(p.LatencyUS) > 0 {
			rows = append(rows, p.Row)
		}
	}
	return rows
}

// found is what is told of the model.
func (s *search) found(path []scheme.Plan) *wire.PlanSearch {
	out := &wire.PlanSearch{Model: s.spec.ID, Plans: s.total, Exhaustive: s.exhaustive}
	for _, scheme := range s.schemes {
		out.Schemes = append(out.Schemes, scheme.String())
	}
	for _, p := range s.sorted() {
		out.Points = append(out.Points, *p)
	}
	for _, p := range path {
		out.Greedy = append(out.Greedy, p.String())
	}
	return out
}
