package paper

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/roofline"
)

// A subject is one latency and what it was measured on. Two that differ in exactly one respect tell of that axis.
type subject struct {
	row   wire.Row
	batch int
	layer string
	ratio ratio // baseline: µs an example; else the speed-up
	cell  *roofline.Cell
}

func (s subject) cite() string {
	c := cite(s.row.Model, s.row.Variant, s.batch)
	if s.layer != "" {
		c += ", only " + s.layer
	}
	return c
}

// axisOf tells along which axis two subjects differ; "" where in no respect, or in several.
func axisOf(a, b subject) string {
	var axes []string
	if a.row.Model != b.row.Model {
		switch at, bt := taskOf(a.row.Model), taskOf(b.row.Model); {
		case at == "" || bt == "":
			return ""
		case at == bt:
			axes = append(axes, model)
		case labOf(a.row.Model) == labOf(b.row.Model):
			axes = append(axes, task)
		default:
			return ""
		}
	}
	if a.batch != b.batch {
		axes = append(axes, batchSize)
	}
	if a.row.Variant != b.row.Variant {
		axes = append(axes, precision)
	}
	if a.layer != b.layer {
		axes = append(axes, layer)
	}
	if len(axes) == 1 {
		return axes[0]
	}
	return ""
}

// accuracy is a share with its interval.
func accuracy(r wire.Row) string {
	if r.Accuracy == nil {
		return "not measured"
	}
	s := report.Percent(*r.Accuracy, r.Total)
	if r.Interval != nil {
		s += " " + report.Interval(*r.Interval, r.Total)
	}
	return s
}

// bothBounds tells what limits either pass.
func bothBounds(s, t subject) string {
	if s.cell == nil || t.cell == nil {
		return noReason(s, t)
	}
	a, b := s.cell.Limit(), t.cell.Limit()
	name := func(s subject) string {
		if s.row.Model == t.row.Model {
			return upper(inBatch(s.batch))
		}
		return "On " + s.row.Model
	}
	other := inBatch(t.batch)
	if s.row.Model != t.row.Model {
		other = "on " + t.row.Model
	}
	return fmt.Sprintf("%s the pass is %s; %s it is %s.", name(s), a, other, b)
}

// noReason says why there is no roofline.
func noReason(s, t subject) string {
	if s.cell == nil && t.cell == nil {
		return "Of the machine's limits these results tell nothing for these passes, so the roofline gives no reason; quantlab roofline measures them."
	}
	known := s
	if s.cell == nil {
		known = t
	}
	return fmt.Sprintf("Of %s the roofline says that it is %s; of the other it says nothing.", known.cite(), known.cell.Limit())
}

// quantizedEffects compares speed-ups and mistakes of rows with float32 and with each other.
func quantizedEffects(b *bench, variants ...string) []effect {
	var subjects []subject
	var out []effect
	for _, r := range b.rows {
		if !slices.Contains(variants, r.Variant) {
			continue
		}
		for _, key := range report.Batches(r) {
			if v, ok := ofVerdict(r.LatencyUS[key].Verdict); ok {
				n := batchOf(key)
				subjects = append(subjects, subject{row: r, batch: n, ratio: v, cell: b.cell(r.Model, r.Variant, n)})
			}
		}
		if e, ok := flips(b, subject{row: r}); ok {
			out = append(out, e)
		}
	}
	return append(out, speedups(b, subjects)...)
}

// speedups compares each subject with float32, and any two that differ in one respect.
func speedups(b *bench, subjects []subject) []effect {
	var out []effect
	for i, s := range subjects {
		out = append(out, speedup(b, s))
		for _, t := range subjects[i+1:] {
			if a := axisOf(s, t); a != "" {
				out = append(out, unlike(a, s, t))
			}
		}
	}
	return out
}

// speedup compares with float32.
func speedup(b *bench, s subject) effect {
	return effect{precision, s.ratio, s.ratio.least() > 0, func() telling { return speedupTold(b, s) }}
}

func speedupTold(b *bench, s subject) telling {
	l := s.row.LatencyUS[strconv.Itoa(s.batch)]
	e := telling{cites: []string{s.cite()}}
	base := b.baseline(s.row.Model)
	against := ""
	if base != nil {
		e.cites = append(e.cites, cite(s.row.Model, wire.Baseline, s.batch))
		if bl, ok := base.LatencyUS[strconv.Itoa(s.batch)]; ok {
			against = fmt.Sprintf(": %s µs against %s µs", report.PlusMinus(l.Mean, l.Std), report.PlusMinus(bl.Mean, bl.Std))
		}
	}
	e.what = fmt.Sprintf("%s%s is %s %s%s.", upper(variantName(s.row.Variant)), layerAlone(s.layer), s.faster("float32 on "+s.row.Model), inBatch(s.batch), against)
	switch {
	case s.layer != "":
		e.why = layerShare(s.row.Model, s.layer)
	case s.cell != nil:
		e.why = fmt.Sprintf("The roofline's reason: it is %s.", s.cell.Sentence)
	default:
		e.why = noReason(s, s)
	}
	e.more = smallerAndAccurate(s.row)
	return e
}

func layerAlone(name string) string {
	if name == "" {
		return ""
	}
	return " in " + name + " alone"
}

// faster words a speed-up: "4.0 times faster than float32 on mnist-lab2 (95% interval 3.9–4.1)".
func (s subject) faster(than string) string {
	factor, interval := s.ratio.up().words()
	switch {
	case s.ratio.low > 0:
		return fmt.Sprintf("%s times faster than %s (95%% interval %s)", factor, than, interval)
	case s.ratio.high < 0:
		return fmt.Sprintf("%s times slower than %s (95%% interval %s)", factor, than, interval)
	}
	_, interval = s.ratio.words()
	return fmt.Sprintf("not detectably faster or slower than %s (95%% interval of the ratio %s)", than, interval)
}

// unlike compares two speed-ups.
func unlike(name string, s, t subject) effect {
	r := s.ratio.over(t.ratio)
	if r.mid < 0 {
		s, t, r = t, s, r.inverse()
	}
	return effect{name, r, r.least() > 0, func() telling { return unlikeTold(name, s, t, r) }}
}

func unlikeTold(name string, s, t subject, r ratio) telling {
	e := telling{cites: []string{s.cite(), t.cite()}}
	subjectOf := upper(variantName(s.row.Variant)) + layerAlone(s.layer)
	var first, second string
	switch name {
	case batchSize:
		subjectOf += " on " + s.row.Model
		first, second = s.faster("float32")+" "+inBatch(s.batch), t.faster("float32")+" "+inBatch(t.batch)
	case precision:
		subjectOf = upper(inBatch(s.batch)) + " on " + s.row.Model + ", " + variantName(s.row.Variant)
		first, second = s.faster("float32"), variantName(t.row.Variant)+" "+t.faster("float32")
	case layer:
		subjectOf = fmt.Sprintf("%s on %s, %s", upper(inBatch(s.batch)), s.row.Model, variantName(s.row.Variant)+layerAlone(s.layer))
		first, second = s.faster("float32"), "in "+t.layer+" alone "+t.faster("float32")
	default:
		subjectOf = upper(inBatch(s.batch)) + ", " + variantName(s.row.Variant) + layerAlone(s.layer)
		first, second = s.faster("float32 on "+s.row.Model), t.faster("float32 on "+t.row.Model)
	}
	e.what = fmt.Sprintf("%s is %s, and %s. The two differ by a factor of %s.", subjectOf, first, second, r)
	if s.layer != "" {
		e.why = layerShare(s.row.Model, s.layer)
		if t.layer != s.layer || t.row.Model != s.row.Model {
			e.why = sentences(e.why, layerShare(t.row.Model, t.layer))
		}
	} else if s.cell != nil && t.cell != nil {
		e.why = fmt.Sprintf("The roofline says of %s: “%s”. Of %s: “%s”.", s.cite(), s.cell.Sentence, t.cite(), t.cell.Sentence)
	} else {
		e.why = noReason(s, t)
	}
	if s.row.Model != t.row.Model {
		e.more = weights(s.row.Model, t.row.Model)
	}
	return e
}

// flips compares a row's answers with float32's.
func flips(b *bench, s subject) (effect, bool) {
	r := s.row
	p, ok := paired(r)
	if !ok {
		return effect{}, false
	}
	return effect{precision, p, p.least() > 0 && r.Paired.P < report.Significant, func() telling { return flipsTold(b, s, p) }}, true
}

func flipsTold(b *bench, s subject, p ratio) telling {
	r := s.row
	base := b.baseline(r.Model)
	e := telling{cites: []string{s.cite(), cite(r.Model, wire.Baseline, 0)}}
	more, than := "more", p
	if p.mid < 0 {
		more, than = "fewer", p.inverse()
	}
	accuracies := "Accuracy is " + accuracy(r)
	if base != nil && base.Accuracy != nil {
		accuracies += fmt.Sprintf(", float32's %s", accuracy(*base))
	}
	change := 100 * (math.Exp(than.mid) - 1)
	if p.mid < 0 {
		change = 100 * (1 - math.Exp(p.mid))
	}
	e.what = fmt.Sprintf("%s%s gives %s%% %s wrong answers than float32 on %s: %s. %s.",
		upper(variantName(r.Variant)), layerAlone(s.layer), report.Figures(change, 2), more, r.Model, report.Flips(r.Paired), accuracies)
	e.why = "A roofline says nothing of accuracy. What changes it is rounding: of the weights, and in int8 of the activations as well."
	e.more = smaller(r)
	return e
}

// smallerAndAccurate says what belongs to a speed-up.
func smallerAndAccurate(r wire.Row) string {
	s := smaller(r)
	if r.Accuracy != nil && r.Paired != nil {
		s = sentences(s, fmt.Sprintf("Its accuracy is %s: %s.", accuracy(r), judged(r.Paired)))
	}
	return s
}

// judged says what McNemar's test makes of the answers.
func judged(p *wire.Paired) string {
	switch {
	case len(p.Flipped) == 0 && p.Gained == 0 && p.Lost == 0:
		return "not one answer differs from float32's"
	case p.P >= report.Significant:
		return report.Flips(p) + ", so no difference is detected"
	case p.Gained > p.Lost:
		return report.Flips(p) + ", better than float32's"
	}
	return report.Flips(p) + ", worse than float32's"
}

func smaller(r wire.Row) string {
	if !(r.Smaller > 0) || r.SizeBytes <= 0 {
		return ""
	}
	switch factor := report.Fixed(r.Smaller, 2); {
	case factor == "1.00":
		return fmt.Sprintf("The file is as large as float32's: %s MB.", report.MB(r.SizeBytes))
	case r.Smaller < 1:
		return fmt.Sprintf("The file is %s times larger than float32's: %s MB.", report.Fixed(1/r.Smaller, 2), report.MB(r.SizeBytes))
	default:
		return fmt.Sprintf("The file is %s times smaller than float32's: %s MB.", factor, report.MB(r.SizeBytes))
	}
}

// changedAnswers says in how many of the rows accuracy differs detectably from float32's.
func changedAnswers(b *bench, variants []string) string {
	var out []string
	n := 0
	for _, r := range b.rows {
		if !slices.Contains(variants, r.Variant) || r.Paired == nil || r.Accuracy == nil {
			continue
		}
		n++
		if r.Paired.P < report.Significant {
			out = append(out, fmt.Sprintf("%s (%s)", cite(r.Model, r.Variant, 0), report.Flips(r.Paired)))
		}
	}
	switch {
	case n == 0:
		return ""
	case len(out) == 0 && n == 1:
		return "Accuracy does not differ detectably from float32's in the one row."
	case len(out) == 0:
		return fmt.Sprintf("Accuracy does not differ detectably from float32's in any of %d rows.", n)
	}
	return fmt.Sprintf("Accuracy differs detectably from float32's in %d of %s: %s.", len(out), number(n, "row", "rows"), list(out))
}
