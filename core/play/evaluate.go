package play

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/lab"
	"quantlab/core/lab/wire"
	"quantlab/core/measure"
	"quantlab/core/modelfile"
	"quantlab/core/nn"
	"quantlab/core/quant"
	"quantlab/core/scheme"
)

// How an evaluation tells what it knows so far, and how it times.
const (
	firstAnswers  = 8 * lab.EvalBatch      // examples after which accuracy is told first,
	answersEvery  = 120 * time.Millisecond // and how often then
	latencyRuns   = 5
	latencyMinRun = 20 * time.Millisecond
	mostBatches   = 8
)

// A baseline is what is known of a float32 network. It holds for as long as the network does.
type baseline struct {
	size    int64 // bytes of its file
	answers []int // classes of the first test examples
}

// Evaluate measures a conversion. EventRow tells the row of wire.Custom over and over as accuracy becomes known, then with the
// paired comparison, then with the latency of each batch; float32's row is told too, before. The last row of wire.Custom
// is complete. Accuracy is measured in batches of lab.EvalBatch, as in a run, so that a lab variant's plan gives the run's
// numbers. Bags of words are read sparse for that, which gives the same answers; latency is that of dense input.
func (b *Bench) Evaluate(ctx context.Context, req wire.EvaluateRequest, emit func(wire.Event)) error {
	release, err := b.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := b.checkEvaluation(req); err != nil {
		return err
	}
	n, err := b.network(ctx, req.Model, loading(req.Model, "the model", emit))
	if err != nil {
		return err
	}
	plan, err := scheme.ParsePlan(req.Plan, len(n.net.Layers))
	if err != nil {
		return err
	}
	e := &evaluation{b: b, n: n, ctx: ctx, emit: emit}
	cal, err := b.calibration(ctx, n, plan, req.Conversion, emit)
	if err != nil {
		return err
	}
	if e.layers, err = b.quantized(ctx, n, plan, cal); err != nil {
		return err
	}
	if e.test, err = b.test(ctx, n, req.Examples, emit); err != nil {
		return err
	}
	if err := e.begin(plan); err != nil {
		return err
	}
	if err := e.accuracy(); err != nil {
		return err
	}
	return e.latencies(req.Batches)
}

func (b *Bench) checkEvaluation(req wire.EvaluateRequest) error {
	if req.Examples < 0 {
		return fmt.Errorf("%d test examples are too few: give at least 1, or 0 for all", req.Examples)
	}
	if len(req.Batches) > mostBatches {
		return fmt.Errorf("%d batch sizes are too many to time: give at most %d", len(req.Batches), mostBatches)
	}
	most := wire.MaxBatch
	if b.host.MaxBatch > 0 {
		most = b.host.MaxBatch
	}
	for _, size := range req.Batches {
		if size < 1 || size > most {
			return fmt.Errorf("batch %d is out of range: give 1 to %d", size, most)
		}
	}
	return nil
}

// quantized converts a network's parameters by a plan, as quant.Quantize does. Weights that Inspect has converted are not
// converted again.
func (b *Bench) quantized(ctx context.Context, n *network, plan scheme.Plan, cal *quant.Calibration) ([]quant.QuantizedLayer, error) {
	look := func() error { return b.breathe(ctx) }
	layers := make([]quant.QuantizedLayer, len(plan))
	var err error
	for i, s := range plan {
		if n.weights != nil && n.weights[i] != nil && n.weights[i].has(s) {
			layers[i] = n.weights[i].layer
		} else {
			if layers[i], err = quant.QuantizeLayer(n.net.Layers[i], s, look); err != nil {
				return nil, err
			}
		}
		layers[i].SetScheme(s, i, cal)
	}
	return layers, look()
}

// test returns the first test examples; 0 is all of them.
func (b *Bench) test(ctx context.Context, n *network, examples int, emit func(wire.Event)) (*dataset.Examples, error) {
	test, err := b.src.Test(ctx, n.spec, examples, loading(n.spec.ID, "the test examples", emit))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.spec.ID, err)
	}
	return test, checkExamples(test, n.spec)
}

// An evaluation measures one conversion.
type evaluation struct {
	b    *Bench
	n    *network
	ctx  context.Context
	emit func(wire.Event)
	test *dataset.Examples

	trained   []quant.QuantizedLayer // float32's
	layers    []quant.QuantizedLayer // the conversion's
	row, base wire.Row
	answers   []int
	told      time.Time // when a row was told last
}

// begin fills in what is known before anything is measured, and tells it.
func (e *evaluation) begin(plan scheme.Plan) error {
	e.base = e.blank(wire.Variants()[0])
	e.row = e.blank(lab.CustomVariant(plan))
	asTrained, err := scheme.Preset(wire.Baseline, len(plan))
	if err != nil {
		return err
	}
	if e.trained, err = e.b.quantized(e.ctx, e.n, asTrained, nil); err != nil {
		return err
	}
	if e.n.known.size == 0 {
		if e.n.known.size, err = modelfile.SizeOf(e.n.spec, e.trained); err != nil {
			return fmt.Errorf("%s: %w", e.n.spec.ID, err)
		}
	}
	if e.row.SizeBytes, err = modelfile.SizeOf(e.n.spec, e.layers); err != nil {
		return fmt.Errorf("%s: %w", e.n.spec.ID, err)
	}
	e.base.SizeBytes, e.base.Smaller = e.n.known.size, 1
	e.row.Smaller = float64(e.base.SizeBytes) / float64(e.row.SizeBytes)
	e.told = time.Now()
	return e.b.breathe(e.ctx)
}

func (e *evaluation) blank(v wire.Variant) wire.Row {
	return wire.Row{
		Model: e.n.spec.ID, Variant: v.ID, Q: v.Q, DType: v.DType, Host: e.b.host.Name, Engine: e.b.engine.Name(),
		Threads: 1, Input: wire.Dense, Params: e.n.spec.Params(), LatencyUS: map[string]wire.Latency{},
	}
}

// accuracy asks the conversion for its class of every test example, then float32 where that was never asked, and compares.
func (e *evaluation) accuracy() error {
	var err error
	e.answers, err = e.b.answers(e.ctx, e.n, e.layers, e.test, nil, func(answers []int) {
		e.answers = answers
		due := len(answers) == firstAnswers || len(answers) > firstAnswers && time.Since(e.told) >= answersEvery
		if due && len(answers) < e.test.Len() {
			e.tell()
		}
	})
	if err != nil {
		return err
	}
	known := &e.n.known
	if len(known.answers) < e.test.Len() {
		e.tell()
		step := e.n.spec.ID + ", asking float32"
		known.answers, err = e.b.answers(e.ctx, e.n, e.trained, e.test, known.answers, func(answers []int) {
			if time.Since(e.told) >= answersEvery {
				e.told = time.Now()
				e.emit(wire.Event{Kind: wire.EventProgress, Step: step, Fraction: float64(len(answers)) / float64(e.test.Len())})
			}
		})
		if err != nil {
			return err
		}
	}
	lab.Score(&e.base, known.answers[:e.test.Len()], e.test.Labels)
	e.tellBase()
	e.tell()
	return nil
}

// answers appends to the given answers the classes of the test examples that follow. heard is told of all of them after every
// batch. When interrupted it returns those that are known.
func (b *Bench) answers(ctx context.Context, n *network, layers []quant.QuantizedLayer, test *dataset.Examples, answers []int, heard func(answers []int)) ([]int, error) {
	input := quant.Dense
	if test.Sparse() {
		input = quant.Sparse
	}
	look := func() error { return b.breathe(ctx) }
	m, err := quant.New(n.spec, layers, quant.Options{Engine: b.engine, MaxBatch: lab.EvalBatch, Input: input, Look: look})
	if err != nil {
		return answers, err
	}
	defer m.Close()
	var batch nn.Batch
	for lo := len(answers); lo < test.Len(); lo += batch.Rows {
		test.Slice(&batch, lo, min(lo+lab.EvalBatch, test.Len()))
		logits, err := m.ForwardInterruptible(batch, look)
		if err != nil {
			return answers, err
		}
		for row := range batch.Rows {
			answers = append(answers, quant.Class(logits[row*n.spec.Out:(row+1)*n.spec.Out]))
		}
		heard(answers)
		if err := look(); err != nil {
			return answers, err
		}
	}
	return answers, nil
}

// tell tells the conversion's row as far as it is known.
func (e *evaluation) tell() {
	n := len(e.answers)
	labels := e.test.Labels[:n]
	row := e.row
	lab.Score(&row, e.answers, labels)
	if base := e.n.known.answers; len(base) >= n {
		row.Paired = lab.Paired(base[:n], e.answers, labels)
	}
	e.emit(wire.Event{Kind: wire.EventRow, Fraction: float64(n) / float64(e.test.Len()), Row: &row})
	e.row, e.told = row, time.Now()
}

func (e *evaluation) tellBase() {
	row := e.base
	e.emit(wire.Event{Kind: wire.EventRow, Fraction: 1, Row: &row})
}

// latencies times float32 and the conversion in turns, on the first test examples, and tells both rows after each batch size.
func (e *evaluation) latencies(sizes []int) error {
	if len(sizes) == 0 {
		return nil
	}
	o := quant.Options{Engine: e.b.engine, MaxBatch: slices.Max(sizes), Input: quant.Dense, Look: func() error { return e.b.breathe(e.ctx) }}
	var models []*quant.Model
	for _, layers := range [][]quant.QuantizedLayer{e.trained, e.layers} {
		m, err := quant.New(e.n.spec, layers, o)
		if err != nil {
			return err
		}
		defer m.Close()
		models = append(models, m)
	}
	for _, size := range sizes {
		if err := e.time(models, size); err != nil {
			return fmt.Errorf("batch %d: %w", size, err)
		}
	}
	return nil
}

// time times a batch of the first test examples.
func (e *evaluation) time(models []*quant.Model, size int) error {
	var candidates []measure.Candidate
	batch := lab.FirstExamples(e.test, size).Scatter(nil)
	for i, m := range models {
		candidates = append(candidates, measure.Candidate{Name: []string{e.base.Variant, e.row.Variant}[i], Call: func() error {
			_, err := m.Forward(batch)
			return err
		}})
	}
	over := 0
	at := func() { // an error of the context Interleave sees itself
		step := fmt.Sprintf("%s, timing batches of %d", e.n.spec.ID, size)
		e.emit(wire.Event{Kind: wire.EventProgress, Step: step, Fraction: float64(over) / float64((1+latencyRuns)*len(models))})
		over++
		_ = e.b.breathe(e.ctx)
	}
	series, err := measure.Interleave(e.ctx, candidates, measure.Options{
		Runs: latencyRuns, MinRun: cmp.Or(e.b.host.MinRun, latencyMinRun),
		OnWarmUp: func(int) { at() }, OnRun: func(int, int) { at() },
	})
	if err != nil {
		return err
	}
	own := lab.LatencyOf(series[1])
	own.Verdict = lab.VerdictOf(series[0].Samples, series[1].Samples)
	key := strconv.Itoa(size)
	e.base.LatencyUS = with(e.base.LatencyUS, key, lab.LatencyOf(series[0]))
	e.row.LatencyUS = with(e.row.LatencyUS, key, own)
	e.tellBase()
	e.tell()
	return nil
}

// with returns a copy of the latencies, which whoever heard them may be reading, with one more.
func with(known map[string]wire.Latency, key string, l wire.Latency) map[string]wire.Latency {
	all := maps.Clone(known)
	all[key] = l
	return all
}
