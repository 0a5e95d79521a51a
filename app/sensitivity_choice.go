package app

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/scheme"
)

// A sensChoice is what the reader chose in Sensitivity. It is always one that a host can carry out.
type sensChoice struct {
	Own      *wire.Own // what the reader brought, to choose from beside the lab's
	Model    string
	Where    string // wire.Browser or wire.Native
	Examples int    // test examples; 0 is all
	Runs     int

	Test, Calibration string // the reader's own examples in place of the model's; "" are the model's

	Variants []string // that single layers are quantized as
	Cheap    string   // the measure of wire.Fidelity that the scatter shows

	Across string // sizeAcross or timeAcross: what the plans are drawn over
	Batch  int    // of the plans' times
	Plan   string // that is looked at, as scheme.ParsePlan reads it; "" is none

	Sizes []int // numbers of calibration examples
	Seeds int   // samples of each size
}

// What the plans' accuracies are drawn over.
const (
	sizeAcross = "size"
	timeAcross = "time"
)

// The measures of wire.Fidelity, the cheapest first.
const (
	cheapWeights = "weights"
	cheapOutput  = "output"
	cheapLogits  = "logits"
)

func firstSensChoice(own *wire.Own) sensChoice {
	return sensChoice{
		Own: own, Model: "mnist-lab2", Where: wire.Browser, Runs: 3,
		Variants: layerVariants(), Cheap: cheapOutput,
		Across: sizeAcross, Batch: 1,
		Sizes: wire.DefaultSizes(), Seeds: wire.DefaultSeeds,
	}
}

// layerVariants are the variants that single layers can be quantized as.
func layerVariants() []string { return wire.VariantIDs()[1:] }

// The keys of Sensitivity in an address, in the order in which they are read: a plan has as many layers as the model before it.
const (
	keySens          = "sens"
	keySensWhere     = "senswhere"
	keySensExamples  = "sensexamples"
	keySensRuns      = "sensruns"
	keySensTest      = "senstest"
	keySensCalibrate = "senscalibrate"
	keySensVariants  = "sensvariants"
	keySensCheap     = "senscheap"
	keyFront         = "front"
	keyFrontAcross   = "frontacross"
	keyFrontPlan     = "frontplan"
	keySweepSizes    = "sweepsizes"
	keySweepSeeds    = "sweepseeds"
)

var sensKeys = []string{keySens, keySensWhere, keySensExamples, keySensRuns, keySensTest, keySensCalibrate, keySensVariants, keySensCheap, keyFront, keyFrontAcross, keyFrontPlan, keySweepSizes, keySweepSeeds}

// with returns the choice with one thing changed, named and spelled as in an address, or the reason why not.
func (c sensChoice) with(key, v string) (next sensChoice, err error) {
	next = c
	switch key {
	case keySens:
		if _, err = c.Own.Catalog().Of(v); v != c.Model {
			next.Model, next.Plan = v, ""
		}
	case keySensWhere:
		next.Where, err = oneOf("place", v, wire.Browser, wire.Native)
	case keySensExamples:
		next.Examples, err = parseWithin("examples", v, 0, 1<<20)
	case keySensRuns:
		next.Runs, err = parseWithin("runs", v, 1, wire.MaxRuns)
	case keySensTest:
		next.Test, err = c.data(v)
	case keySensCalibrate:
		next.Calibration, err = c.data(v)
	case keySensVariants:
		next.Variants, err = parseSensVariants(splitList(v))
	case keySensCheap:
		next.Cheap, err = oneOf("measure", v, cheapWeights, cheapOutput, cheapLogits)
	case keyFront:
		v, err = oneOf("batch", v, "1", "64")
		next.Batch, _ = strconv.Atoi(v)
	case keyFrontAcross:
		next.Across, err = oneOf("axis", v, sizeAcross, timeAcross)
	case keyFrontPlan:
		next.Plan, err = canonicalPlan(v, c.layers())
	case keySweepSizes:
		next.Sizes, err = parseSweepSizes(splitList(v))
	case keySweepSeeds:
		next.Seeds, err = parseWithin("samples", v, 2, wire.MaxSeeds)
	default:
		err = fmt.Errorf("there is no setting %q", key)
	}
	if err != nil {
		return c, err
	}
	return next, nil
}

// value spells one thing as with reads it.
func (c sensChoice) value(key string) string {
	switch key {
	case keySens:
		return c.Model
	case keySensWhere:
		return c.Where
	case keySensExamples:
		return strconv.Itoa(c.Examples)
	case keySensRuns:
		return strconv.Itoa(c.Runs)
	case keySensTest:
		return c.Test
	case keySensCalibrate:
		return c.Calibration
	case keySensVariants:
		return strings.Join(c.Variants, ",")
	case keySensCheap:
		return c.Cheap
	case keyFront:
		return strconv.Itoa(c.Batch)
	case keyFrontAcross:
		return c.Across
	case keyFrontPlan:
		return c.Plan
	case keySweepSizes:
		return joined(c.Sizes, ",")
	case keySweepSeeds:
		return strconv.Itoa(c.Seeds)
	}
	return ""
}

func joined(numbers []int, separator string) string {
	parts := make([]string, len(numbers))
	for i, n := range numbers {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, separator)
}

// query spells what differs from the choice at first, as parseSensChoice reads it.
func (c sensChoice) query() string { return queryOf(c, firstSensChoice(c.Own), sensKeys) }

// parseSensChoice reads an address.
func parseSensChoice(query url.Values, own *wire.Own) (sensChoice, []string) {
	return readChoices(firstSensChoice(own), sensKeys, query)
}

// spec is the model's, which is always one that there is.
func (c sensChoice) spec() nn.Spec {
	spec, _ := c.Own.Catalog().Of(c.Model)
	return spec
}

// data reads the name of examples of the reader's own.
func (c sensChoice) data(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	_, err := c.Own.DataOf(name)
	return name, err
}

// concerns reports whether something measured under these settings is of the chosen model: one of the reader's own may have taken
// its name since.
func (c sensChoice) concerns(measured wire.Request) bool {
	spec, err := measured.Catalog().Of(c.Model)
	return err == nil && slices.Equal(spec.Dims(), c.spec().Dims())
}

func (c sensChoice) layers() int { return layersOf(c.spec()) }

// both says what is measured of each layer.
func (c sensChoice) both() string {
	text := "One quantized, the others float32; then the other way round."
	if c.layers() == 2 {
		text += " Of two layers, one alone and all but the other are the same plan."
	}
	return text
}

// request is what a host is asked for; variants may be nil where an experiment has none.
func (c sensChoice) request(variants []string) *wire.Request {
	r := wire.Lab()
	r.Models, r.Variants, r.Runs, r.Examples, r.Batches = []string{c.Model}, append([]string{wire.Baseline}, variants...), c.Runs, c.Examples, slices.Clone(timedBatches)
	r.Test, r.Calibration = c.Test, c.Calibration
	r.Own = c.Own.NamedBy(r)
	return &r
}

// planner is a plan of the model as Inspect and, through it, the other views take it over: calibrated as the lab does.
func (c sensChoice) planner(plan string) (Planner, error) {
	parsed, err := scheme.ParsePlan(plan, c.layers())
	return Planner{Own: c.Own, Model: c.Model, Plan: parsed, Examples: labCalibration, Layer: allLayers}, err
}

func oneOf(what, v string, choices ...string) (string, error) {
	if !slices.Contains(choices, v) {
		return "", fmt.Errorf("unknown %s %q: choose from %s", what, brief(v), strings.Join(choices, ", "))
	}
	return v, nil
}

func parseWithin(what, v string, least, most int) (int, error) {
	n, err := parseInt(what, brief(v))
	if err == nil && (n < least || n > most) {
		err = fmt.Errorf("%s %d is out of range: give %d to %d", what, n, least, most)
	}
	return n, err
}

func parseSensVariants(ids []string) ([]string, error) {
	all := layerVariants()
	for _, id := range ids {
		if _, err := oneOf("variant", id, all...); err != nil {
			return nil, err
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("no variant chosen: choose from %s", strings.Join(all, ", "))
	}
	return inOrder(ids, all), nil
}

// canonicalPlan spells a plan in one way; no plan is one, too.
func canonicalPlan(v string, layers int) (string, error) {
	if v == "" {
		return "", nil
	}
	plan, err := scheme.ParsePlan(v, layers)
	if err != nil {
		return "", err
	}
	return plan.String(), nil
}

func parseSweepSizes(items []string) ([]int, error) {
	if len(items) == 0 {
		return nil, fmt.Errorf("give 1 to %d numbers of calibration examples, such as 8, 64, 512", wire.MaxSizes)
	}
	var sizes []int
	for _, item := range items {
		n, err := parseWithin("calibration examples", item, 1, wire.MaxCalibration)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, n)
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	if len(sizes) > wire.MaxSizes {
		return nil, fmt.Errorf("%d numbers are too many: give at most %d", len(sizes), wire.MaxSizes)
	}
	return sizes, nil
}
