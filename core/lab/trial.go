package lab

import (
	"context"
	"fmt"

	"quantlab/core/dataset"
	"quantlab/core/exchange"
	"quantlab/core/lab/wire"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/train"
)

// A trial is one model under test.
type trial struct {
	*runner
	spec     nn.Spec
	cost     costing
	net      *nn.Network
	meta     modelfile.Meta
	test     *dataset.Examples // nil where the data is not here,
	untested string            // which this then says
	subjects []*subject        // the baseline first
	forest   *quant.Forest     // of all subjects' models, where they are not on their own

	calibration *dataset.Examples // see sample; nil before
}

// A subject is one variant of the model, or a plan of some of its layers.
type subject struct {
	variant wire.Variant
	name    string // for progress and errors: "static int8"
	plan    quant.Plan
	model   *quant.Model // nil where it could not be converted; row.Note says why
	forward forward      // of the model while latency is measured: see share
	answers []int        // its class for each test example
	row     wire.Row
}

// step names what is being done with the model.
func (t *trial) step(format string, args ...any) string {
	return t.spec.ID + ", " + fmt.Sprintf(format, args...)
}

// baseline is the float32 model.
func (t *trial) baseline() *subject { return t.subjects[0] }

// input is how the model's first layer reads its examples.
func (t *trial) input() string {
	if t.spec.Data == nn.SST2 {
		return t.req.Input
	}
	return wire.Dense
}

// load brings the network and the test examples. The examples may be missing, the network may not.
func (t *trial) load(ctx context.Context) error {
	var err error
	if t.fresh() {
		err = t.train(ctx)
	} else {
		step := t.step("loading the model")
		t.progress.begin(step, t.cost.load())
		t.net, t.meta, err = t.src.Network(ctx, t.spec, t.bytes(step))
	}
	if err != nil {
		return err
	}
	if err := CheckNetwork(t.net, t.spec); err != nil {
		return err
	}
	step := t.step("loading the test examples")
	t.progress.begin(step, t.cost.data())
	t.test, err = t.src.Test(ctx, t.spec, t.req.Examples, t.bytes(step))
	if err == nil {
		return checkExamples(t.test, t.spec)
	}
	if what := t.missing(err); what != "" && ctx.Err() == nil {
		t.test, t.untested = nil, absent(what)
		return nil
	}
	return err
}

// bytes turns a source's byte counts into progress of the current step.
func (t *trial) bytes(step string) func(done, total int64) {
	return func(done, total int64) {
		if total > 0 {
			t.progress.at(step, float64(done)/float64(total))
		}
	}
}

// CheckNetwork refuses a network that is damaged or of another shape.
func CheckNetwork(net *nn.Network, spec nn.Spec) error {
	dims := spec.Dims()
	if len(net.Layers) != len(dims)-1 {
		return fmt.Errorf("the model has %d layers, not %d: prepare it again", len(net.Layers), len(dims)-1)
	}
	for i, l := range net.Layers {
		if l.In != dims[i] || l.Out != dims[i+1] {
			return fmt.Errorf("layer %s is %d to %d, not %d to %d: prepare the model again", l.Name, l.In, l.Out, dims[i], dims[i+1])
		}
	}
	return net.Validate()
}

// checkExamples refuses examples that the model can't read.
func checkExamples(e *dataset.Examples, spec nn.Spec) error {
	if e.Len() == 0 {
		return fmt.Errorf("there are no test examples: prepare the data again")
	}
	if e.Dim != spec.In {
		return fmt.Errorf("the test examples have %d features, the model reads %d: prepare the data again", e.Dim, spec.In)
	}
	return nil
}

// train makes the network from the request's seed.
func (t *trial) train(ctx context.Context) error {
	step := t.step("loading the training examples")
	t.progress.begin(step, t.cost.load())
	data, err := t.src.Train(ctx, trained(t.spec), t.bytes(step))
	if err != nil {
		return err
	}
	t.progress.begin(t.step("training"), t.cost.train())
	options := train.Options{Seed: t.req.Seed, Threads: t.req.Threads, Engine: t.engine}
	t.net, err = train.Train(ctx, t.spec, data, options, func(p train.Progress) {
		t.breathe()
		t.progress.at(t.step("training, epoch %d of %d", p.Epoch, p.Epochs), p.Share())
	})
	return err
}

// convert makes every variant's model and takes its size.
func (t *trial) convert(ctx context.Context) error {
	variants := t.variants()
	var cal *quant.Calibration
	var uncalibrated string
	for _, v := range variants {
		if v.ID != "static-qint8" {
			continue
		}
		var err error
		if cal, uncalibrated, err = t.calibrate(ctx); err != nil {
			return err
		}
	}
	t.progress.begin(t.step("converting"), t.cost.convert(len(variants)))
	for i, v := range variants {
		plan, err := quant.Preset(v.ID, len(t.net.Layers))
		if err != nil {
			return err
		}
		s := &subject{variant: v, name: short(v), plan: plan, row: t.blank(v)}
		t.subjects = append(t.subjects, s)
		if v.ID == "static-qint8" && cal == nil {
			s.row.Note = uncalibrated
			continue
		}
		s.model, err = quant.Convert(t.net, plan, cal, quant.Options{
			Engine: t.engine, Threads: t.req.Threads, MaxBatch: t.largest(), Input: t.input(),
		})
		if note, ok := Absence(err); ok {
			s.row.Note = note
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := t.weigh(s); err != nil {
			return err
		}
		t.progress.at(t.step("%s, converting", s.name), float64(i+1)/float64(len(variants)))
		t.breathe()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// weigh takes the size of the subject's model.
func (t *trial) weigh(s *subject) (err error) {
	if s.row.SizeBytes, err = modelfile.Size(s.model); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	if s.row.SizeTorch, err = exchange.TorchSize(s.model.Weights()); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	s.row.Smaller = float64(t.baseline().row.SizeBytes) / float64(s.row.SizeBytes)
	return nil
}

// calibrate finds the activation grids for static quantization: those in the model's file, which the calibration sample gave
// when it was trained, or else from that sample. If there is neither it returns nil and what to note.
func (t *trial) calibrate(ctx context.Context) (cal *quant.Calibration, note string, err error) {
	plan, err := quant.Preset("static-qint8", len(t.net.Layers))
	if err != nil {
		return nil, "", err
	}
	return t.calibrateTo(ctx, plan)
}

// largest is the largest batch that the models must hold.
func (t *trial) largest() int {
	n := EvalBatch
	for _, b := range t.req.Batches {
		n = max(n, b)
	}
	return n
}

// blank is the variant's row before anything is measured.
func (t *trial) blank(v wire.Variant) wire.Row {
	return wire.Row{
		Model: t.spec.ID, Variant: v.ID, Q: v.Q, DType: v.DType, Host: t.host.Name, Engine: t.engine.Name(),
		Threads: t.req.Threads, Input: t.input(), Params: t.spec.Params(), LatencyUS: map[string]wire.Latency{},
	}
}

// skip reports the rows of a model that is not here.
func (t *trial) skip(note string) {
	for _, v := range t.variants() {
		if t.asked(v) {
			row := t.blank(v)
			row.Note = note
			t.row(row)
		}
	}
}

// report emits the finished rows.
func (t *trial) report() {
	for _, s := range t.subjects {
		if t.asked(s.variant) {
			t.row(s.row)
		}
	}
}

func (t *trial) close() {
	if t.forest != nil {
		t.forest.Close()
		return
	}
	for _, s := range t.subjects {
		if s.model != nil {
			s.model.Close()
		}
	}
}
