package paper

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
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
	return []surprise{{kind: accurate, score: e.strength(), row: r, what: e.what, cites: e.cites}}
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
			return "The other way round than expected, if by less: " + s.what
		}
	}
	return ""
}

func factor(log float64) string { return report.Fixed(math.Exp(log), 2) }

// calm says that nothing surprises.
func calm(b *bench) string {
	if len(b.cells) == 0 {
		return "Nothing here is the other way round than expected: no row with fewer bits has significantly more right answers, and no larger batch takes longer an example. " +
			"Of the machine's limits these results tell nothing, so there is no prediction to be surprised by; quantlab report measures them."
	}
	return fmt.Sprintf("Nothing here is off by more than a factor of 1.1: of %s the speed-up agrees with what the bounds predict, "+
		"no row with fewer bits has significantly more right answers, and no larger batch takes longer an example.", number(len(b.cells), "pass", "passes"))
}

func (s surprise) question() string {
	name := variantName(s.row.Variant)
	switch s.kind {
	case missed:
		return fmt.Sprintf("Where does %s on %s spend the time that its products do not need: in calls and passes over activations, which are the same for each batch and example, or in the products themselves?", name, s.row.Model)
	case surpassed:
		return fmt.Sprintf("Is %s on %s so fast, or is float32 further from its own bound, so that there was more to gain?", name, s.row.Model)
	case growing:
		return fmt.Sprintf("From which batch size on does an example of %s take longer in %s, and is it because the activations no longer fit a cache?", s.row.Model, name)
	case accurate:
		return fmt.Sprintf("Is %s on %s really more accurate than float32, or did rounding happen to help this one training?", name, s.row.Model)
	}
	return fmt.Sprintf("What keeps float32 on %s from its bound %s: overhead that each pass has, or a kernel that does not suit these shapes?", s.row.Model, inBatch(s.batch))
}

// experiment describes how to answer the question.
func (s surprise) experiment(q wire.Request, engines []string) Draft {
	d := Draft{ID: "experiment", Title: "An experiment", Cites: s.cites}
	base := wire.Request{Models: []string{s.row.Model}, Variants: []string{s.row.Variant}, Batches: []int{1, 2, 4, 8, 16, 32, 64, 128}, Runs: 20, Threads: q.Threads, Input: q.Input, Engine: q.Engine, Seed: q.Seed}
	if s.row.Variant != wire.Baseline {
		base.Variants = []string{wire.Baseline, s.row.Variant}
	}
	name := variantName(s.row.Variant)
	var hypothesis, method, measure string
	var cmds []string
	switch s.kind {
	case accurate:
		hypothesis = fmt.Sprintf("It is chance. Then of several float32 networks that are trained from other seeds, %s is more accurate for about as many as it is less accurate for, and another choice of calibration examples takes the gain away.", name)
		method = fmt.Sprintf("Train %s anew from five seeds and convert each; and, of the network at hand, calibrate with other samples of the training set.", s.row.Model)
		measure = "For each seed the answers gained and lost, and McNemar's p; over all seeds the sign of the difference. For the calibrations, the spread of accuracy beside what the choice of test examples alone makes. Five seeds of one sign have p = 0.06, so a sixth decides where five agree."
		for seed := range uint64(5) {
			fresh := base
			fresh.Batches, fresh.Runs, fresh.Weights, fresh.Seed = []int{1}, 1, wire.Fresh, seed+1
			cmds = append(cmds, runCommand(fresh))
		}
		if s.row.Variant == "static-qint8" {
			c := command{"quantlab", "sweep"}
			c.flag("models", s.row.Model)
			cmds = append(cmds, c.String())
		}
	case growing:
		hypothesis = fmt.Sprintf("The activations of a batch outgrow a cache: the time an example takes falls up to some batch size, and rises beyond it, at about the same bytes of activations for every model.")
		method = fmt.Sprintf("Time %s at eight batch sizes from 1 to 128, float32 and %s in turns, 20 runs each.", s.row.Model, name)
		measure = "The time an example takes against the batch size, with its deviation, and the share of the bound that the roofline gives at each size."
		cmds = []string{runCommand(base), rooflineCommand(base)}
	case surpassed, sluggish:
		hypothesis = "The float32 kernel is the reason: layer by layer, float32 reaches a smaller share of its bound than the others do, and another engine moves that share."
		method = fmt.Sprintf("Time each dense layer of %s by itself against limits that are measured in turns with it%s.", s.row.Model, engineWords(engines))
		measure = "Each layer's share of its bound, by dtype and engine. The hypothesis fails where float32's share is that of the others."
		base.Batches = []int{s.batch}
		cmds = []string{rooflineCommand(base)}
		for _, e := range others(engines, s.row.Engine) {
			other := base
			other.Engine = e
			cmds = append(cmds, rooflineCommand(other))
		}
	default:
		hypothesis = s.overheadOr()
		method = fmt.Sprintf("Time %s at eight batch sizes from 1 to 128, float32 and %s in turns, 20 runs each, and fit a straight line to the time over the batch size: where it meets batch 0 is what a call costs, its slope what an example does%s.",
			s.row.Model, name, engineWords(engines))
		measure = "The line's two numbers with their intervals, and the share of the bound at each size."
		cmds = []string{runCommand(base), rooflineCommand(base)}
		for _, e := range others(engines, s.row.Engine) {
			other := base
			other.Engine = e
			cmds = append(cmds, runCommand(other))
		}
	}
	d.Text = paragraphs("Hypothesis: "+hypothesis, "Method: "+method, "Measure: "+measure)
	d.Code = strings.Join(cmds, "\n")
	return d
}

// callsUS is how many µs a pass of one example can lose in calls, as core/roofline has it.
const callsUS = 10

// overheadOr is the hypothesis for a speed-up that was missed.
func (s surprise) overheadOr() string {
	c := s.cell
	if over := c.TimeUS - c.BoundUS; c.Bound == roofline.Overhead || s.batch == 1 && over > 0 && over < callsUS {
		return fmt.Sprintf("It is overhead: of the %s µs of a pass, the %s µs above the bound stay the same as the batch grows, until they no longer count.",
			report.Figures(c.TimeUS, 3), report.Figures(over, 2))
	}
	work := "quantizing activations between layers"
	if s.row.Variant == "dynamic-float16" {
		work = "widening halves, or memory that is slower under this load than its limit says"
	}
	return "It is work that grows with the batch, such as " + work + ": the time above the bound grows in proportion to the batch size, and is the same share of a pass at every size."
}

func engineWords(engines []string) string {
	if len(engines) < 2 {
		return ""
	}
	return "; then do the same with the other engines of this machine"
}

func others(engines []string, engine string) []string {
	return slices.DeleteFunc(slices.Clone(engines), func(e string) bool { return e == engine || e == "" })
}

func rooflineCommand(q wire.Request) string {
	q.Weights, q.Examples, q.Seed = "", 0, 0 // roofline has no such flags
	if q.Runs == 20 {
		q.Runs = 0
	}
	return newCommand("roofline", q, nn.IDs()).String()
}

// threaded is the experiment where nothing surprises.
func threaded(b *bench, q wire.Request) Draft {
	var models []string
	for _, r := range b.rows {
		if !slices.Contains(models, r.Model) {
			models = append(models, r.Model)
		}
	}
	one := wire.Request{Models: models, Runs: 20, Threads: 1, Input: q.Input, Engine: q.Engine, Seed: q.Seed}
	two := one
	two.Threads = 2
	return Draft{
		ID: "experiment", Title: "An experiment",
		Text: paragraphs(
			"Hypothesis: passes that are bound by arithmetic take half the time on two threads, passes that are bound by memory gain less, and those bound by overhead gain nothing.",
			"Method: time every variant on one thread and on two, 20 runs each, with the limits measured for as many threads.",
			"Measure: the ratio of the times with its interval, beside the bound that the roofline names."),
		Code: strings.Join([]string{runCommand(one), runCommand(two), rooflineCommand(two)}, "\n"),
	}
}
