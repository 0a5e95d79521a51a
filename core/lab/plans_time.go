package lab

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"quantlab/core/measure"
	"quantlab/core/scheme"
)

// A stage is all that decides how long a layer takes: what enters it is on a grid already where the layer before is static. The
// bits of weights and how activations were observed do not matter: kernels compute with bytes, whatever is in them.
type stage struct {
	layer  int
	scheme scheme.Scheme // with 8-bit weights, and without an observer
	after  bool          // a static layer
}

// layerTimes are the times of stages in µs, by batch size.
type layerTimes map[string]map[stage]float64

// predict returns a plan's latencies by batch size: the sums of its layers' times.
func (t layerTimes) predict(p scheme.Plan) map[string]float64 {
	out := map[string]float64{}
	for batch, times := range t {
		sum := 0.0
		for _, s := range stagesOf(p) {
			sum += times[s]
		}
		out[batch] = sum
	}
	return out
}

// stagesOf returns the stages that a plan is made of.
func stagesOf(p scheme.Plan) []stage {
	var out []stage
	for i, s := range p {
		if s.Weight.Bits > 0 {
			s.Weight.Bits = 8
		}
		s.Activation.Observer, s.Activation.Percentile = "", 0
		out = append(out, stage{i, s, i > 0 && isStatic(p[i-1])})
	}
	return out
}

// stages returns all stages that plans can have, and for each a plan that has it.
func (s *search) stages() (stages []stage, plans []scheme.Plan) {
	add := func(i int, p scheme.Plan) {
		if st := stagesOf(p)[i]; !slices.Contains(stages, st) {
			stages, plans = append(stages, st), append(plans, p)
		}
	}
	static := slices.IndexFunc(s.schemes, isStatic)
	for i := range s.net.Layers {
		for _, own := range s.schemes {
			p := s.plain()
			p[i] = own
			add(i, p)
			if i > 0 && static >= 0 {
				p = slices.Clone(p)
				p[i-1] = s.schemes[static]
				add(i, p)
			}
		}
	}
	return stages, plans
}

// stageRuns says how much shorter than a forward pass's a stage's runs are: there are many.
const stageRuns = 5

// leastTime is the least by which predicted times differ: a front takes times for equal that are nearer to each other, as
// far as steps of that size tell. Layers are not timed more exactly, and chance would put many plans on the front.
const leastTime = 0.02

// timeStep returns in which step a time is.
func timeStep(us float64) int { return int(math.Round(math.Log(us) / math.Log1p(leastTime))) }

// uniform returns the plans that have one of the stages' schemes in every layer.
func (s *search) uniform(stages []stage, plans []scheme.Plan) []scheme.Plan {
	var out []scheme.Plan
	for i, st := range stages {
		if st.layer == 0 {
			out = append(out, slices.Repeat(scheme.Plan{plans[i][0]}, len(s.net.Layers)))
		}
	}
	return out
}

// timeLayers times every layer by itself in every scheme, behind a static layer and behind another, all in turns with the plans
// that have one scheme in every layer.
func (s *search) timeLayers(ctx context.Context) error {
	stages, plans := s.stages()
	whole := s.uniform(stages, plans)
	s.times = layerTimes{}
	return s.together(ctx, append(plans, whole...), func() error {
		for _, b := range s.req.Batches {
			times, err := s.timeStages(ctx, stages, whole, b)
			if err != nil {
				return fmt.Errorf("batch %d: %w", b, err)
			}
			s.times[strconv.Itoa(b)] = times
		}
		return nil
	})
}

// timeStages times a batch of the first test examples in each stage. The subjects are the baseline, the stages' plans, and the
// uniform ones.
func (s *search) timeStages(ctx context.Context, stages []stage, whole []scheme.Plan, size int) (map[stage]float64, error) {
	s.progress.begin(s.step("timing layers, batch %d", size), s.cost.layerTimes(len(s.schemes), size))
	batch := s.batch(s.test, size)
	var candidates []measure.Candidate
	for i, sub := range s.subjects[1:] {
		call := func() error {
			_, err := sub.model.Forward(batch)
			return err
		}
		if i < len(stages) {
			var err error
			if call, err = sub.model.Stage(batch, stages[i].layer); err != nil {
				return nil, err
			}
		}
		candidates = append(candidates, measure.Candidate{Name: "layers of " + sub.name, Call: call})
	}
	over, total := 0, len(candidates)*(s.req.Runs+1) // a warm-up counts as a run
	at := func() {
		s.progress.at(s.step("timing layers, batch %d, %d of %d", size, over+1, total), float64(over)/float64(total))
		over++
		s.breathe()
	}
	series, err := measure.Interleave(ctx, candidates, measure.Options{
		Runs: s.req.Runs, MinRun: s.host.minRun() / stageRuns, Seed: s.req.Seed,
		OnWarmUp: func(int) { at() }, OnRun: func(int, int) { at() },
	})
	if err != nil {
		return nil, err
	}
	medians := make([]float64, len(series))
	for i := range series {
		medians[i] = measure.Summarize(series[i].Samples).Median
	}
	times := map[stage]float64{}
	for i, st := range stages {
		times[st] = medians[i]
	}
	s.inCompany(times, whole, medians[len(stages):])
	return times, nil
}

// inCompany corrects the times of stages by those of the uniform plans. A layer that is called over and over has its weights in
// a cache near by, from which those of the other layers drive them in a whole pass. What a uniform plan takes longer than its
// stages together is therefore added to the stages of its scheme, in proportion to their weights.
func (s *search) inCompany(times map[stage]float64, whole []scheme.Plan, measured []float64) {
	weights := 0
	for _, l := range s.net.Layers {
		weights += len(l.W)
	}
	excess := map[scheme.Scheme]float64{}
	for i, p := range whole {
		sum := 0.0
		for _, st := range stagesOf(p) {
			sum += times[st]
		}
		excess[stagesOf(p)[0].scheme] = measured[i] - sum
	}
	for st, us := range times {
		own := excess[st.scheme] * float64(len(s.net.Layers[st.layer].W)) / float64(weights)
		times[st] = max(us+own, us/2) // should the machine have been busy with the stages only
	}
}

// layerTimes is the cost of timing the layers in so many schemes.
func (c costing) layerTimes(schemes, batch int) float64 {
	const warmUp = 0.15
	layers := len(c.spec.Dims()) - 1
	run := max(1.3*c.host.minRun().Seconds()/stageRuns, float64(batch)*c.macs()/macsPerSecond/float64(layers))
	return float64(schemes*(2*layers-1)) * (warmUp + float64(c.req.Runs)*run)
}
