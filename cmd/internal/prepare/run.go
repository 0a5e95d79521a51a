package prepare

import (
	"context"
	"errors"

	"quantlab/core/dataset"
	"quantlab/core/nn"
)

// What the parts of a run cost, in about a second of the machine that trains slowest.
const (
	costData = 4
	costSite = 4
)

// costTrain estimates what training costs: it grows with the multiplications, of which a bag of words needs few in the
// first layer, and with the parameters that Adam moves at every step.
func costTrain(spec nn.Spec) float64 {
	examples, dims := 60000.0, spec.Dims()
	if spec.Data == nn.SST2 {
		examples = 67349
		dims[0] = 20
	}
	products := 0.0
	for i := 1; i < len(dims); i++ {
		products += float64(dims[i-1] * dims[i])
	}
	steps := examples / float64(max(spec.Batch, 1))
	return float64(spec.Epochs) * (examples*products/3e9 + steps*float64(spec.Params())/5e8)
}

// want is what a job is to bring; each includes the one before.
type want int

const (
	wantData want = iota
	wantModels
	wantSite
)

// A job is one call of Obtain, Prepare or Export.
type job struct {
	*Store
	specs    []nn.Spec
	want     want
	tracker  *tracker
	folders  map[string]string // of each data set that is here
	problems []error
}

// run does what Obtain, Prepare and Export promise.
func (s *Store) run(ctx context.Context, specs []nn.Spec, want want, progress func(Progress)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{Store: s, specs: specs, want: want, folders: map[string]string{}}
	// Where everything is here nothing is written, so no lock is needed and the cache may be read-only.
	if j.ready(ctx) {
		return nil
	}
	j.tracker = newTracker(progress, 0)
	release, err := s.lock(ctx, func() { j.tracker.note(s.waiting()) })
	if err != nil {
		return err
	}
	defer release()
	return j.work(ctx)
}

// ready reports whether there is nothing to do.
func (j *job) ready(ctx context.Context) bool {
	for _, data := range j.sets() {
		if j.find(ctx, data) == "" {
			return false
		}
	}
	for _, spec := range j.models() {
		if _, err := j.network(ctx, spec); err != nil {
			return false
		}
	}
	return j.want < wantSite || j.siteReady(ctx)
}

// models returns the models that the job brings.
func (j *job) models() []nn.Spec {
	if j.want < wantModels {
		return nil
	}
	return j.specs
}

// sets returns the data sets that the job's models are made of.
func (j *job) sets() (sets []string) {
	for _, data := range []string{nn.MNIST, nn.SST2} {
		for _, spec := range j.specs {
			if spec.Data == data {
				sets = append(sets, data)
				break
			}
		}
	}
	return sets
}

// work does the job. What can be done is done before it fails for want of a data set.
func (j *job) work(ctx context.Context) error {
	for _, spec := range j.models() {
		if _, err := j.network(ctx, spec); err != nil {
			j.tracker.total += costTrain(spec)
		}
	}
	j.tracker.total += float64(costData * len(j.sets()))
	if j.want == wantSite {
		j.tracker.total += costSite
	}
	for _, data := range j.sets() {
		if err := j.get(ctx, data); err != nil {
			return err
		}
	}
	for _, spec := range j.models() {
		if err := j.model(ctx, spec); err != nil {
			return err
		}
	}
	if j.want == wantSite {
		if err := j.writeSite(ctx); err != nil {
			return err
		}
	}
	if err := errors.Join(j.problems...); err != nil {
		return err
	}
	j.tracker.finish("ready")
	return nil
}

// get brings a data set. That SST-2 is missing is only noted.
func (j *job) get(ctx context.Context, data string) error {
	at, end := j.tracker.part(costData)
	defer end()
	dir, err := j.obtain(ctx, data, at)
	var missing *dataset.MissingError
	switch {
	case err == nil:
		j.folders[data] = dir
	case !errors.As(err, &missing):
		return err
	case data == nn.SST2:
		j.tracker.note(missing.Error())
	default:
		j.problems = append(j.problems, err)
	}
	return nil
}
