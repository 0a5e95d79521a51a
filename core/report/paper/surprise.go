package paper

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
	"quantlab/core/roofline"
)

// The kinds of surprise.
const (
	missed    = "missed"    // a speed-up short of what the limits allow
	surpassed = "surpassed" // a speed-up beyond it
	accurate  = "accurate"  // fewer bits, more right answers
	growing   = "growing"   // a larger batch that takes longer an example
	sluggish  = "sluggish"  // float32 itself far from its bound
)

// A surprise is a measurement that is not what one would expect, and by what factor it is off at the least.
type surprise struct {
	kind  string
	score float64 // the logarithm of that factor
	row   wire.Row
	batch int
	small int // the smaller batch, of growing
	cell  *roofline.Cell
	what  string
	cites []string
}

// least is a factor below which nobody is surprised by a time: measurements repeat to about a tenth. What goes the wrong way
// altogether surprises by any factor that its interval supports.
var least = math.Log(1.1)

func (s surprise) wrongWay() bool { return s.kind == accurate || s.kind == growing }

// surprises collects what is off, the largest factor first.
func surprises(b *bench) []surprise {
	var out []surprise
	usual := usualShare(b)
	for _, r := range b.rows {
		if _, err := wire.VariantOf(r.Variant); err != nil || taskOf(r.Model) == "" {
			continue // no command of ours could look into it
		}
		for _, key := range report.Batches(r) {
			n := batchOf(key)
			if c := b.cell(r.Model, r.Variant, n); c != nil {
				out = append(out, offBound(r, n, c, usual)...)
			}
		}
		out = append(out, betterForLess(b, r)...)
		out = append(out, slowerTogether(b, r)...)
	}
	out = slices.DeleteFunc(out, func(s surprise) bool {
		return !(s.score > least || s.wrongWay() && s.score > 0) || math.IsInf(s.score, 0)
	})
	slices.SortStableFunc(out, func(a, b surprise) int { return cmp.Compare(b.score, a.score) })
	return out
}

// usualShare is the share of its bound that the middle one of float32's passes reaches.
func usualShare(b *bench) float64 {
	var shares []float64
	for _, c := range b.cells {
		if c.Variant == wire.Baseline && !roofline.Exceeds(c.Share) {
			shares = append(shares, c.Share)
		}
	}
	if len(shares) == 0 {
		return 1
	}
	slices.Sort(shares)
	return shares[len(shares)/2]
}

// offBound compares a speed-up with what the bounds predict, and float32's time with its bound, of which it should reach the usual
// share.
func offBound(r wire.Row, batch int, c *roofline.Cell, usual float64) []surprise {
	s := surprise{row: r, batch: batch, cell: c, cites: []string{cite(r.Model, r.Variant, batch)}}
	name := fmt.Sprintf("%s on %s %s", variantName(r.Variant), r.Model, inBatch(batch))
	if r.Variant == wire.Baseline {
		s.kind, s.score = sluggish, math.Log(usual/c.Share)
		s.what = fmt.Sprintf("%s takes %s µs at its fastest, where its bound is %s µs, a share of %s; of float32's passes the middle one reaches %s. It is %s.",
			upper(name), report.Figures(c.TimeUS, 3), report.Figures(c.BoundUS, 3), report.Share(c.Share), report.Share(usual), c.Limit())
		return []surprise{s}
	}
	v, ok := ofVerdict(r.LatencyUS[strconv.Itoa(batch)].Verdict)
	if !ok || !(c.Predicted > 0) {
		return nil
	}
	s.cites = append(s.cites, cite(r.Model, wire.Baseline, batch))
	off := v.times(1 / c.Predicted)
	s.kind, s.score = surpassed, off.least()
	than := "more than"
	if off.mid < 0 {
		s.kind, than = missed, "and not"
	}
	s.what = fmt.Sprintf("%s is %s, %s the %s times that the bounds predict. The roofline calls it %s.", upper(name), subject{ratio: v}.faster("float32"), than, report.Fixed(c.Predicted, 1), c.Sentence)
	return []surprise{s}
}

// betterForLess finds rows with fewer bits and significantly more right answers than float32.
func betterForLess(b *bench, r wire.Row) []surprise {
	e, ok := flips(b, subject{row: r})
	if !ok || !e.supported || e.ratio.mid > 0 {
		return nil
	}
	told := e.tell()
	return []surprise{{kind: accurate, score: e.strength(), row: r, what: told.what, cites: told.cites}}
}

// slowerTogether finds a batch that takes longer an example than a smaller one.
func slowerTogether(b *bench, r wire.Row) []surprise {
	var out []surprise
	keys := report.Batches(r)
	for i, small := range keys {
		for _, large := range keys[i+1:] {
			m, n := batchOf(small), batchOf(large)
			few, okFew := ofSamples(r.LatencyUS[small].Samples)
			many, okMany := ofSamples(r.LatencyUS[large].Samples)
			if !okFew || !okMany {
				continue
			}
			off := many.times(1 / float64(n)).over(few.times(1 / float64(m)))
			if off.low <= 0 {
				continue
			}
			s, t := subject{row: r, batch: n}, subject{row: r, batch: m}
			out = append(out, surprise{kind: growing, score: off.low, row: r, batch: n, small: m, cell: b.cell(r.Model, r.Variant, n), cites: []string{s.cite(), t.cite()},
				what: fmt.Sprintf("An example of %s in %s takes %s as long in a batch of %d as %s: %s µs against %s µs.", r.Model, variantName(r.Variant), off.asLong(), n, inBatch(m), each(s), each(t))})
		}
	}
	return out
}

// wonder writes the most surprising observation, a question, and an experiment that answers it.
func wonder(b *bench) []Draft {
	all, q := surprises(b), b.settings
	if len(all) == 0 {
		return []Draft{
			{ID: "surprise", Title: "The most surprising observation", Text: calm(b)},
			{ID: "question", Title: "A question", Text: "Do these findings hold when a pass runs on several threads? Memory and caches are shared among cores, multipliers are not."},
			threaded(b, q),
		}
	}
	s := all[0]
	text := paragraphs(s.what, rankedFirst(all), wrongWay(all[1:]))
	return []Draft{
		{ID: "surprise", Title: "The most surprising observation", Text: text, Cites: s.cites},
		{ID: "question", Title: "A question", Text: s.question(), Cites: s.cites},
		s.experiment(q, b.engines),
	}
}

// rankedFirst says by what score the surprise was chosen.
func rankedFirst(all []surprise) string {
	s := fmt.Sprintf("The score of an observation is the factor by which it is off, or the least that its interval allows; this one's is %s.", factor(all[0].score))
	if len(all) > 1 {
		s += fmt.Sprintf(" %s off by more than 1.1, or in the wrong direction; the next is %s with %s.", number(len(all)-1, "other observation is", "other observations are"), list(all[1].cites[:1]), factor(all[1].score))
	}
	return s
}

// wrongWay names the first of the other surprises that goes the wrong way altogether.
func wrongWay(all []surprise) string {
	for _, s := range all {
		if s.wrongWay() {
			return "Off by less, but in the wrong direction: " + s.what
		}
	}
	return ""
}

func factor(log float64) string { return report.Fixed(math.Exp(log), 2) }

// calm says that nothing surprises.
func calm(b *bench) string {
	if len(b.cells) == 0 {
		return "Nothing here is contrary to what one expects: no row with fewer bits has significantly more right answers, and no larger batch takes longer an example. " +
			"Of the machine's limits these results tell nothing, so there is no prediction to be surprised by; quantlab report measures them."
	}
	return fmt.Sprintf("Nothing here is off by more than a factor of 1.1: of %s the speed-up agrees with what the bounds predict, "+
		"no row with fewer bits has significantly more right answers, and no larger batch takes longer an example.", number(len(b.cells), "pass", "passes"))
}
