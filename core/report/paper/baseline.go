package paper

import (
	"fmt"
	"strconv"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
	"quantlab/core/roofline"
)

// baselineEffects compares float32's latencies and mistakes along model, task and batch size.
func baselineEffects(b *bench) []effect {
	var subjects []subject
	var out []effect
	var rows []wire.Row
	for _, r := range b.rows {
		if r.Variant != wire.Baseline {
			continue
		}
		rows = append(rows, r)
		for _, key := range report.Batches(r) {
			if t, ok := ofSamples(r.LatencyUS[key].Samples); ok {
				n := batchOf(key)
				subjects = append(subjects, subject{row: r, batch: n, ratio: t.times(1 / float64(n)), cell: b.cell(r.Model, r.Variant, n)})
			}
		}
	}
	for i, s := range subjects {
		for _, t := range subjects[i+1:] {
			if a := axisOf(s, t); a != "" {
				out = append(out, times(a, s, t))
			}
		}
	}
	for i, r := range rows {
		for _, t := range rows[i+1:] {
			if e, ok := errorsApart(r, t); ok {
				out = append(out, e)
			}
		}
	}
	return out
}

// times compares two float32 latencies.
func times(name string, s, t subject) effect {
	r := s.ratio.over(t.ratio)
	if r.mid < 0 {
		s, t, r = t, s, r.inverse() // s is the slower one
	}
	return effect{name, r, r.least() > 0, func() telling { return timesTold(name, s, t, r) }}
}

func timesTold(name string, s, t subject, r ratio) telling {
	e := telling{cites: []string{s.cite(), t.cite()}}
	if name == batchSize {
		e.what = fmt.Sprintf("Per example, %s takes %s as long %s as %s: %s µs against %s µs.",
			s.row.Model, r.asLong(), inBatch(s.batch), inBatch(t.batch), each(s), each(t))
		e.why = sentences(bothBounds(s, t), shared(s, t))
	} else {
		e.what = fmt.Sprintf("%s, a float32 pass of %s takes %s as long as one of %s: %s µs against %s µs.",
			upper(inBatch(s.batch)), s.row.Model, r.asLong(), t.row.Model, mean(s), mean(t))
		e.why = sentences(weights(s.row.Model, t.row.Model), bothBounds(s, t))
		e.more = accuracies(s.row, t.row)
	}
	return e
}

// each is the mean time of an example.
func each(s subject) string {
	l := s.row.LatencyUS[strconv.Itoa(s.batch)]
	return report.PlusMinus(l.Mean/float64(s.batch), l.Std/float64(s.batch))
}

func mean(s subject) string {
	l := s.row.LatencyUS[strconv.Itoa(s.batch)]
	return report.PlusMinus(l.Mean, l.Std)
}

// shared says why a batch takes less an example, where the bounds are memory's and arithmetic's.
func shared(slow, fast subject) string {
	if slow.cell == nil || fast.cell == nil || slow.batch > fast.batch || slow.cell.Bound != roofline.Memory || fast.cell.Bound != roofline.Arithmetic {
		return ""
	}
	return fmt.Sprintf("The weights, which one example has to read alone, are read once for all %d of a batch.", fast.batch)
}

// weights compares two models' sizes.
func weights(a, b string) string {
	sa, errA := nn.SpecOf(a)
	sb, errB := nn.SpecOf(b)
	if errA != nil || errB != nil {
		return ""
	}
	return fmt.Sprintf("%s has %s parameters (%s), %s has %s (%s).", a, report.Count(sa.Params()), sa.Shape(), b, report.Count(sb.Params()), sb.Shape())
}

// errorsApart compares the mistakes of two models: the same task's answer the same examples, but which ones each got wrong the results
// don't say, so the intervals are taken as independent, which is on the safe side.
func errorsApart(r, t wire.Row) (effect, bool) {
	name := axisOf(subject{row: r}, subject{row: t})
	a, okA := mistakes(r)
	b, okB := mistakes(t)
	if name == "" || !okA || !okB {
		return effect{}, false
	}
	d := a.over(b)
	if d.mid < 0 {
		r, t, d = t, r, d.inverse()
	}
	return effect{name, d, d.least() > 0, func() telling { return mistakesTold(name, r, t, d) }}, true
}

func mistakesTold(name string, r, t wire.Row, d ratio) telling {
	e := telling{cites: []string{cite(r.Model, r.Variant, 0), cite(t.Model, t.Variant, 0)}}
	e.what = fmt.Sprintf("%s gives %s as many wrong answers as %s: its accuracy is %s, against %s.", r.Model, d.asLong(), t.Model, accuracy(r), accuracy(t))
	if name == task {
		e.why = "A roofline says nothing of accuracy. The tasks differ in what there is to know: ten digits in pixels here, the sentiment of a phrase from its words without their order there."
	} else {
		e.why = "A roofline says nothing of accuracy. " + weights(r.Model, t.Model)
	}
	return e
}

func accuracies(a, b wire.Row) string {
	if a.Accuracy == nil || b.Accuracy == nil {
		return ""
	}
	return fmt.Sprintf("Accuracy is %s for %s and %s for %s.", accuracy(a), a.Model, accuracy(b), b.Model)
}
