package paper

import (
	"fmt"
	"slices"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
	"quantlab/core/roofline"
)

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

// An answer is an experiment in its parts.
type answer struct {
	hypothesis, method, measure string
	commands                    []string
}

// experiment describes how to answer the question.
func (s surprise) experiment(q wire.Request, engines []string) Draft {
	base := wire.Request{
		Models: []string{s.row.Model}, Variants: []string{wire.Baseline, s.row.Variant}, Batches: []int{1, 2, 4, 8, 16, 32, 64, 128},
		Runs: 20, Threads: q.Threads, Input: q.Input, Engine: q.Engine, Seed: q.Seed,
	}
	if s.row.Variant == wire.Baseline {
		base.Variants = base.Variants[:1]
	}
	var a answer
	switch s.kind {
	case accurate:
		a = s.chance(base)
	case growing:
		a = s.cache(base)
	case surpassed, sluggish:
		a = s.layers(base, engines)
	default:
		a = s.overhead(base, engines)
	}
	return Draft{
		ID: "experiment", Title: "An experiment", Cites: s.cites, Code: strings.Join(a.commands, "\n"),
		Text: paragraphs("Hypothesis: "+a.hypothesis, "Method: "+a.method, "Measure: "+a.measure),
	}
}

// chance trains anew, and calibrates anew.
func (s surprise) chance(base wire.Request) answer {
	name := variantName(s.row.Variant)
	a := answer{
		hypothesis: fmt.Sprintf("It is chance. Then of several float32 networks that are trained from other seeds, %s is more accurate for about as many as it is less accurate for, "+
			"and another choice of calibration examples takes the gain away.", name),
		method: fmt.Sprintf("Train %s anew from five seeds and convert each; and, of the network at hand, calibrate with other samples of the training set.", s.row.Model),
		measure: "For each seed the answers gained and lost, and McNemar's p; over all seeds the sign of the difference. For the calibrations, the spread of accuracy beside what the choice of " +
			"test examples alone makes. Five seeds of one sign have p = 0.06, so a sixth decides where five agree.",
	}
	if s.row.Variant != "static-qint8" { // nothing is calibrated
		a.hypothesis = strings.Replace(a.hypothesis, ", and another choice of calibration examples takes the gain away.", ".", 1)
		a.method = fmt.Sprintf("Train %s anew from five seeds and convert each.", s.row.Model)
		a.measure = strings.Replace(a.measure, " For the calibrations, the spread of accuracy beside what the choice of test examples alone makes.", "", 1)
	}
	base.Batches, base.Runs, base.Weights = []int{1}, 1, wire.Fresh
	for seed := range uint64(5) {
		base.Seed = seed + 1
		a.commands = append(a.commands, runCommand(base))
	}
	if s.row.Variant == "static-qint8" {
		a.commands = append(a.commands, newCommand("sweep", wire.Request{Models: base.Models}, lab2()).String())
	}
	return a
}

// cache looks for the batch size from which on an example takes longer.
func (s surprise) cache(base wire.Request) answer {
	return answer{
		hypothesis: "The activations of a batch outgrow a cache: the time an example takes falls up to some batch size, and rises beyond it, at about the same bytes of activations for every model.",
		method:     fmt.Sprintf("Time %s at eight batch sizes from 1 to 128%s, 20 runs each.", s.row.Model, s.inTurns()),
		measure:    "The time an example takes against the batch size, with its deviation, and the share of the bound that the roofline gives at each size.",
		commands:   []string{runCommand(base), rooflineCommand(base)},
	}
}

// inTurns names the variants that take turns.
func (s surprise) inTurns() string {
	if s.row.Variant == wire.Baseline {
		return " in float32"
	}
	return ", float32 and " + variantName(s.row.Variant) + " in turns"
}

// layers times the layers by themselves, on each engine.
func (s surprise) layers(base wire.Request, engines []string) answer {
	base.Batches = []int{s.batch}
	if s.kind == sluggish {
		base.Variants = nil // all, to compare float32's share with theirs
	}
	a := answer{
		hypothesis: "The float32 kernel is the reason: layer by layer, float32 reaches a smaller share of its bound than the others do, and another engine moves that share.",
		method:     fmt.Sprintf("Time each dense layer of %s by itself against limits that are measured in turns with it%s.", s.row.Model, engineWords(engines)),
		measure:    "Each layer's share of its bound, by dtype and engine. The hypothesis fails where float32's share is that of the others.",
		commands:   []string{rooflineCommand(base)},
	}
	for _, base.Engine = range others(engines, s.row.Engine) {
		a.commands = append(a.commands, rooflineCommand(base))
	}
	return a
}

// overhead parts what a call costs from what an example costs.
func (s surprise) overhead(base wire.Request, engines []string) answer {
	a := answer{
		hypothesis: s.overheadOr(),
		method: fmt.Sprintf("Time %s at eight batch sizes from 1 to 128%s, 20 runs each, and fit a straight line to the time over the batch size: where it meets batch 0 is what a call costs, "+
			"its slope what an example does%s.", s.row.Model, s.inTurns(), engineWords(engines)),
		measure:  "The line's two numbers with their intervals, and the share of the bound at each size.",
		commands: []string{runCommand(base), rooflineCommand(base)},
	}
	for _, base.Engine = range others(engines, s.row.Engine) {
		a.commands = append(a.commands, runCommand(base))
	}
	return a
}

// callsUS is how many µs a pass of one example can lose in calls, as core/roofline has it.
const callsUS = 10

// overheadOr is the hypothesis for a speed-up that was missed.
func (s surprise) overheadOr() string {
	c := s.cell
	if over := c.TimeUS - c.BoundUS; c.Bound == roofline.Overhead || s.batch == 1 && over > 0 && over < callsUS {
		return fmt.Sprintf("It is overhead: of the %s µs that a pass takes at its fastest, the %s µs above the bound stay the same as the batch grows, until they no longer count.",
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
