package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/quant"
)

// CheckSensitivity reports, beside what Host.Check does, why a request is none for which layer can't bear quantization.
func CheckSensitivity(req wire.Request) error {
	if !slices.ContainsFunc(req.Variants, func(id string) bool { return id != wire.Baseline }) {
		return fmt.Errorf("no variant to quantize layers as: choose from %s", strings.Join(wire.VariantIDs()[1:], ", "))
	}
	return nil
}

// measureSensitivity measures what quantizing a single layer does, and all but one: for each model of the request and each of
// its variants but the baseline. A plan is measured like a run's variant, in turns with all plans of its model; equal plans
// are measured once and told as often as they come up.
func measureSensitivity(ctx context.Context, host Host, src Source, req wire.Request, emit func(wire.Event)) (*wire.Sensitivity, error) {
	if err := CheckSensitivity(req); err != nil {
		return nil, err
	}
	req, alone := host.oneThread(req)
	host.Peaks = nil // a run's rows say how near the machine's limits they are
	r, err := newRunner(ctx, host, src, req, emit)
	if err != nil {
		return nil, err
	}
	if alone {
		r.note("sensitivity was " + notShared)
	}
	r.forewarn()
	part := &wire.Sensitivity{Setting: r.setting(), Rows: []wire.SensitivityRow{}}
	cost := func(c costing) float64 { return c.sensitivity(len(c.spec.Dims())-1, len(r.quantized())) }
	err = r.eachModel(cost, 0, func(spec nn.Spec) error {
		if err := r.sensitivity(ctx, spec, part); err != nil {
			return fmt.Errorf("%s: %w", spec.ID, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	part.References = r.result.Rows
	measured := slices.Clone(part.References)
	for _, row := range part.Rows {
		measured = append(measured, row.Row)
	}
	r.noteUnsteady(measured)
	part.Notes = r.result.Notes
	return part, nil
}

// quantized returns the request's variants but the baseline, in the lab's order.
func (r *runner) quantized() []wire.Variant { return r.variants()[1:] }

// A question is one row: what the plan of a subject answers.
type question struct {
	variant  wire.Variant
	layer    int
	mode     string // wire.Only or wire.Except
	subject  *subject
	fidelity wire.Fidelity
}

// A questioning is one model's questions.
type questioning struct {
	*trial
	part       *wire.Sensitivity
	references []*subject
	questions  []*question
	grids      *quant.Calibration // nil where there is none
}

// sensitivity measures one model.
func (r *runner) sensitivity(ctx context.Context, spec nn.Spec, part *wire.Sensitivity) error {
	q := &questioning{trial: &trial{runner: r, spec: spec, cost: costing{spec: spec, host: r.host, req: r.req}}, part: part}
	defer q.close()
	if err := q.ask(len(spec.Dims()) - 1); err != nil {
		return err
	}
	if err := q.load(ctx); err != nil {
		what := q.missing(err)
		if what == "" || ctx.Err() != nil {
			return err
		}
		for _, s := range q.subjects {
			s.row.Note = absent(what)
		}
		q.report()
		return nil
	}
	for _, step := range []func(context.Context) error{q.convert, q.accuracies, q.compare, q.latency} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	correlations, err := correlate(q.report(), func() error { return q.look(ctx) })
	part.Correlations = append(part.Correlations, correlations...)
	return err
}

// ask makes the questions and their subjects, the references first.
func (q *questioning) ask(layers int) error {
	for _, v := range append(wire.Variants()[:1], q.quantized()...) {
		plan, err := quant.Preset(v.ID, layers)
		if err != nil {
			return err
		}
		q.references = append(q.references, q.subject(v, plan, short(v)))
	}
	float := q.references[0].plan
	for i, v := range q.quantized() {
		uniform := q.references[1+i].plan
		for layer := range layers {
			only, except := slices.Clone(float), slices.Clone(uniform)
			only[layer], except[layer] = uniform[layer], float[layer]
			name := fmt.Sprintf("%s, %%s %s", short(v), nn.LayerName(layer))
			q.questions = append(q.questions,
				&question{variant: v, layer: layer, mode: wire.Only, subject: q.subject(v, only, fmt.Sprintf(name, "only"))},
				&question{variant: v, layer: layer, mode: wire.Except, subject: q.subject(v, except, fmt.Sprintf(name, "all but"))})
		}
	}
	return nil
}

// subject returns the one of that plan, a new one if there is none.
func (q *questioning) subject(v wire.Variant, plan quant.Plan, name string) *subject {
	for _, s := range q.subjects {
		if slices.Equal(s.plan, plan) {
			return s
		}
	}
	s := &subject{variant: v, name: name, plan: plan, row: q.blank(v)}
	q.subjects = append(q.subjects, s)
	return s
}

// convert makes all plans' models.
func (q *questioning) convert(ctx context.Context) error {
	var uncalibrated string
	if slices.ContainsFunc(q.subjects, func(s *subject) bool { return s.plan.NeedsCalibration() }) {
		var err error
		if q.grids, uncalibrated, err = q.calibrate(ctx); err != nil {
			return err
		}
	}
	return q.grow(ctx, q.grids, uncalibrated)
}

// report emits the references and the answers to all questions, and returns these.
func (q *questioning) report() []wire.SensitivityRow {
	for _, s := range q.references {
		q.row(s.row)
	}
	var rows []wire.SensitivityRow
	for _, k := range q.questions {
		row := wire.SensitivityRow{
			Row: k.subject.row, Layer: nn.LayerName(k.layer), Mode: k.mode, Plan: k.subject.plan.String(), Fidelity: k.fidelity,
		}
		row.Variant, row.Q, row.DType = k.variant.ID, k.variant.Q, k.variant.DType
		if s := k.subject; s == q.baseline() && row.Accuracy != nil { // all but the only layer
			row.Paired = Paired(s.answers, s.answers, q.test.Labels)
		}
		rows = append(rows, row)
		q.emit(wire.Event{Kind: wire.EventSensitivity, Sensitivity: &row})
	}
	q.part.Rows = append(q.part.Rows, rows...)
	return rows
}
