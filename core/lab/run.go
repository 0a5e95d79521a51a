package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"quantlab/core/dataset"
	"quantlab/core/kernel"
	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// Run carries out the request and returns what it gave. emit, which may be nil, hears every event from the goroutine
// that called Run: one EventStart, then progress, notes and rows as they come (each one without its
// latencies first), and at the end exactly one of EventDone,
// EventError and EventCancel. The request must be complete (wire.Lab is a start); one that the host can't run
// gives an EventError alone.
//
// A variant other than the baseline needs the baseline for its verdict, its size ratio and its McNemar test, so that is
// converted and measured too, but only the rows that were asked for are reported.
//
// A cancelled context ends the run within 200 ms at the lab's batch sizes; Run then returns the context's error. Training
// stops between two steps, measuring accuracy within a forward pass. Only a pass that is being timed is never disturbed, so
// a batch of thousands, or a very slow engine, delays the end by as long as one such pass takes.
func Run(ctx context.Context, host Host, src Source, req wire.Request, emit func(wire.Event)) (*wire.Result, error) {
	return conduct(ctx, host, src, req, false, emit)
}

// Time is Run for a roofline: it leaves out accuracy, and of latencies it finds only how fast a pass can be, Latency.Fastest.
// That and the sizes are all that its rows hold.
func Time(ctx context.Context, host Host, src Source, req wire.Request, emit func(wire.Event)) (*wire.Result, error) {
	return conduct(ctx, host, src, req, true, emit)
}

// conduct is Run or, with timeOnly, Time.
func conduct(ctx context.Context, host Host, src Source, req wire.Request, timeOnly bool, emit func(wire.Event)) (*wire.Result, error) {
	if emit == nil {
		emit = func(wire.Event) {}
	}
	result, err := run(ctx, host, src, req, timeOnly, emit)
	if err := Conclude(ctx, err, wire.Event{Result: result}, emit); err != nil {
		return nil, err
	}
	return result, nil
}

// Conclude emits the one event that ends a command: done where err is nil, and else why it ended. It returns err, or the context's
// where that is why.
func Conclude(ctx context.Context, err error, done wire.Event, emit func(wire.Event)) error {
	switch {
	case err == nil:
		done.Kind, done.Fraction = wire.EventDone, 1
		emit(done)
	case ctx.Err() != nil:
		err = ctx.Err()
		emit(wire.Event{Kind: wire.EventCancel})
	default:
		emit(wire.Event{Kind: wire.EventError, Text: err.Error()})
	}
	return err
}

func run(ctx context.Context, host Host, src Source, req wire.Request, timeOnly bool, emit func(wire.Event)) (*wire.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := host.Check(req); err != nil {
		return nil, err
	}
	r, err := newRunner(ctx, host, src, req, emit)
	if err != nil {
		return nil, err
	}
	r.timeOnly = timeOnly
	r.forewarn()

	cost := func(c costing) float64 { return c.model(len(r.variants())) }
	if err := r.eachModel(cost, r.limitsCost(), func(spec nn.Spec) error { return r.model(ctx, spec) }); err != nil {
		return nil, err
	}
	if err := r.limits(ctx); err != nil {
		return nil, err
	}
	r.noteUnsteady(r.result.Rows)
	return r.result, nil
}

// eachModel does something with each of the request's models. Progress is told by what each one costs, and what comes after all
// of them.
func (r *runner) eachModel(cost func(costing) float64, after float64, do func(nn.Spec) error) error {
	var specs []nn.Spec
	var reached []float64 // cost of the experiment up to and including each model
	for _, id := range r.req.Models {
		spec, err := r.spec(id)
		if err != nil {
			return err
		}
		r.progress.total += cost(r.costing(id))
		specs, reached = append(specs, spec), append(reached, r.progress.total)
	}
	r.progress.total += after
	for i, spec := range specs {
		if err := do(spec); err != nil {
			return err
		}
		r.progress.reach(reached[i])
	}
	return nil
}

// newRunner begins a run or another experiment: it emits EventStart. The request is one that the host can run.
func newRunner(ctx context.Context, host Host, src Source, req wire.Request, emit func(wire.Event)) (*runner, error) {
	own, err := src.Own(ctx)
	if err != nil {
		return nil, err
	}
	req.Own = own.NamedBy(req)
	engine, err := kernel.Lookup(req.Engine)
	if err != nil {
		return nil, err
	}
	r := &runner{
		host: host, src: src, req: req, engine: engine, emit: emit, progress: &tracker{emit: emit},
		seen:   seen{map[kernel.Kind]float64{}, map[int]float64{}},
		result: &wire.Result{Version: host.Version, Hardware: host.describe(engine), Settings: req, Rows: []wire.Row{}},
	}
	start := *r.result
	emit(wire.Event{Kind: wire.EventStart, Result: &start})
	return r, nil
}

// setting is what an experiment tells of itself.
func (r *runner) setting() wire.Setting {
	return wire.Setting{Version: r.result.Version, Hardware: r.result.Hardware, Settings: r.req}
}

// A runner carries one run from model to model.
type runner struct {
	host     Host
	src      Source
	req      wire.Request
	timeOnly bool // accuracy is not wanted
	engine   *kernel.Engine
	emit     func(wire.Event)
	progress *tracker
	result   *wire.Result
	seen     seen
	breath   time.Time // when the host last had its turn
}

// breathEvery is how long a single-threaded host waits at the most to receive a message.
const breathEvery = 40 * time.Millisecond

// breathe gives the host its turn, if the last one was long ago. It is called between pieces of work.
func (r *runner) breathe() {
	if r.host.Yield != nil && time.Since(r.breath) >= breathEvery {
		r.host.Yield()
		r.breath = time.Now()
	}
}

// look is breathe for work that a context ends, with its error.
func (r *runner) look(ctx context.Context) error {
	r.breathe()
	return ctx.Err()
}

// variants returns what is converted and measured: the baseline, then the others that were asked for.
func (r *runner) variants() []wire.Variant {
	var out []wire.Variant
	for _, v := range wire.Variants() {
		if v.ID == wire.Baseline || r.asked(v) {
			out = append(out, v)
		}
	}
	return out
}

// asked reports whether the variant's row is wanted.
func (r *runner) asked(v wire.Variant) bool { return slices.Contains(r.req.Variants, v.ID) }

func (r *runner) costing(id string) costing {
	spec, err := r.spec(id)
	if err != nil { // said where its turn comes
		return costing{host: r.host, req: r.req}
	}
	return costing{spec: spec, host: r.host, req: r.req}
}

// forewarn notes what the reader must know before the first row.
func (r *runner) forewarn() {
	for _, n := range r.host.Notes {
		r.note(n)
	}
	images := slices.ContainsFunc(r.req.Models, func(id string) bool {
		spec, err := r.spec(id)
		return err == nil && spec.Data == nn.MNIST
	})
	if r.req.Input == wire.Sparse && images {
		r.note("sparse input is for bags of words: the MNIST models ran dense")
	}
	r.tellOwn()
}

// note tells the reader something of the whole run, once.
func (r *runner) note(text string) {
	if slices.Contains(r.result.Notes, text) {
		return
	}
	r.result.Notes = append(r.result.Notes, text)
	r.emit(wire.Event{Kind: wire.EventNote, Text: text})
}

// early reports a row that lacks its latencies.
func (r *runner) early(row wire.Row) {
	row.Partial, row.LatencyUS = true, map[string]wire.Latency{}
	r.emit(wire.Event{Kind: wire.EventRow, Row: &row})
}

// row reports a finished row.
func (r *runner) row(row wire.Row) {
	r.result.Rows = append(r.result.Rows, row)
	r.emit(wire.Event{Kind: wire.EventRow, Row: &row})
}

// missing returns what data err says is not here, after noting how to supply it; "" where err says something else.
func (r *runner) missing(err error) (what string) {
	var m *dataset.MissingError
	if !errors.As(err, &m) {
		return ""
	}
	r.note(m.Error())
	return m.What
}

// absent is the note of a row some figures of which could not be had.
func absent(what string) string { return "not measured here: " + what + " missing" }

// Absence returns the note of a row that has no model, where err keeps no other model from being made.
func Absence(err error) (note string, ok bool) {
	if errors.Is(err, quant.ErrWide) {
		return "not converted: " + err.Error(), true
	}
	var m *dataset.MissingError
	if errors.As(err, &m) {
		return absent(m.What), true
	}
	return "", false
}

// model measures every variant of one model.
func (r *runner) model(ctx context.Context, spec nn.Spec) error {
	t := &trial{runner: r, spec: spec, cost: r.costing(spec.ID)}
	defer t.close()
	if err := t.load(ctx); err != nil {
		if what := r.missing(err); what != "" && ctx.Err() == nil {
			t.skip(absent(what))
			return nil
		}
		return fmt.Errorf("%s: %w", spec.ID, err)
	}
	steps := []func(context.Context) error{t.convert, t.accuracy, t.latency}
	if r.timeOnly {
		steps = []func(context.Context) error{t.convert, t.latency}
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return fmt.Errorf("%s: %w", spec.ID, err)
		}
	}
	t.report()
	return nil
}
