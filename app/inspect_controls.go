package app

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
	"quantlab/core/scheme"
)

// planControls are what the reader turns. They show the scheme of the layer that is edited, or of all.
type planControls struct {
	goapp.Compo
	S          *session
	Level      int
	Planner    Planner
	Draft      Draft
	Undo, Redo bool
}

func (c *planControls) Render() goapp.UI {
	p := c.Planner
	return goapp.Div().Class("controls planner").Role("form").Aria("label", "The plan").Body(
		goapp.Div().Class("planner-top").Body(
			c.choice(knobModel, "Model", p.Model, modelChoices(p.Own.Catalog()), ""),
			c.presets(),
		),
		goapp.Div().Class("planner-top").Body(
			c.choice(knobLayer, "Layers to change", layerValue(p.Layer), layerChoices(p), "One layer, or all at once; the figures below are those of the same layers."),
			c.choice(scheme.ModeOf, "Numbers", c.common(scheme.ModeOf), modeChoices, c.modeWhy()),
		),
		goapp.Div().Class("planner-groups").Body(
			c.group("Weights", "What the layer learned. They never change, so their grid is laid once.", c.weights()),
			c.group("Activations", "What flows through the layer, other numbers for each input.", c.activations()),
			c.group("Calibration", c.calibrationLede(), c.calibration()),
		),
		goapp.Div().Class("actions").Body(
			c.action("undo", "Undo", c.Undo, c.onUndo),
			c.action("redo", "Redo", c.Redo, c.onRedo),
			c.action("lab", "Back to the lab’s settings", p.preset() == "", c.onLab),
		),
	)
}

// A pick is one choice of several: its value, its label.
type pick struct{ Value, Label string }

func modelChoices(catalog nn.Catalog) []pick {
	var out []pick
	for _, id := range catalog.IDs() {
		out = append(out, pick{id, id})
	}
	return out
}

func layerValue(layer int) string {
	if layer == allLayers {
		return "all"
	}
	return strconv.Itoa(layer + 1)
}

func layerChoices(p Planner) []pick {
	out := []pick{{"all", "All"}}
	dims := p.spec().Dims()
	for i := range p.Plan {
		out = append(out, pick{layerValue(i), fmt.Sprintf("%d: %s → %s", i+1, report.Count(dims[i]), report.Count(dims[i+1]))})
	}
	return out
}

var modeChoices = []pick{
	{string(scheme.Float32), "float32"}, {string(scheme.Float16), "float16"}, {string(scheme.Dynamic), "dynamic int8"}, {string(scheme.Static), "static int8"},
}

// schemes are those that the controls change.
func (c *planControls) schemes() []scheme.Scheme {
	if l := c.Planner.Layer; l != allLayers {
		return c.Planner.Plan[l : l+1]
	}
	return c.Planner.Plan
}

// having are those of them that have a setting.
func (c *planControls) having(k knob) []scheme.Scheme {
	return slices.DeleteFunc(slices.Clone(c.schemes()), func(s scheme.Scheme) bool { return !slices.Contains(s.Settings(), k) })
}

// common is the value of a setting that all of them share, or "".
func (c *planControls) common(k knob) string {
	value := ""
	for i, s := range c.having(k) {
		if v := s.Setting(k); i == 0 {
			value = v
		} else if v != value {
			return ""
		}
	}
	return value
}

func (c *planControls) modeWhy() string {
	switch scheme.Mode(c.common(scheme.ModeOf)) {
	case scheme.Float32:
		return "As trained: 24 significant bits, no grid."
	case scheme.Float16:
		return "Weights rounded to 11 significant bits, half the bytes; computed in float32."
	case scheme.Dynamic:
		return "Integers; each call lays the activations’ grid over what came in."
	case scheme.Static:
		return "Integers throughout; calibration examples fixed the activations’ grids beforehand."
	}
	return "The layers differ: a choice here makes them alike."
}

func (c *planControls) presets() goapp.UI {
	current := c.Planner.preset()
	return goapp.Div().Class("knob").Role("group").Aria("labelledby", "start-from").Body(
		goapp.P().Class("knob-name").ID("start-from").Text("Start from a variant of the lab"),
		goapp.Div().Class("starts").Body(goapp.Range(wire.Variants()).Slice(func(i int) goapp.UI {
			id := wire.Variants()[i].ID
			return goapp.Button().Type("button").Disabled(goapp.IsServer).ID("start-"+id).Aria("pressed", strconv.FormatBool(id == current)).
				OnClick(c.onPreset(id), id).Body(goapp.Raw(markerSVG(id)), goapp.Span().Text(variantName(id)))
		})),
	)
}

func (c *planControls) group(title, lede string, body []goapp.UI) goapp.UI {
	return goapp.FieldSet().Class("planner-group").Body(
		goapp.Legend().Text(title),
		goapp.P().Class("why").Text(lede),
		goapp.Div().Class("knobs").Body(body...),
	)
}

const noGrid = "Floating-point numbers have no grid: choose dynamic or static int8 above."

func (c *planControls) weights() []goapp.UI {
	return []goapp.UI{
		c.bits(scheme.WeightBits, "Bits of a weight"),
		c.choice(scheme.PerChannel, "Scales", c.common(scheme.PerChannel), []pick{{"false", "per tensor"}, {"true", "per channel"}},
			"One step width for the whole layer, or one for each output: a row of small weights then keeps its detail."),
		c.choice(scheme.WeightSymmetric, "Weights’ grid", c.common(scheme.WeightSymmetric), []pick{{"true", "symmetric"}, {"false", "affine"}},
			"Symmetric: zero point 0, as far up as down. Affine: the zero point moves, so that the grid fits from the smallest to the largest."),
	}
}

func (c *planControls) activations() []goapp.UI {
	rowWhy := "Off: one grid for the whole batch, so an answer may depend on its neighbours. On: a grid for each example."
	if c.off(scheme.PerRow) && !c.off(scheme.WeightBits) {
		rowWhy = "Only dynamic layers: a static grid is fixed beforehand, the same for every example."
	}
	return []goapp.UI{
		c.bits(scheme.ActivationBits, "Bits of an activation"),
		c.choice(scheme.ActivationSymmetric, "Activations’ grid", c.common(scheme.ActivationSymmetric), []pick{{"false", "affine"}, {"true", "symmetric"}},
			"After a ReLU nothing is below zero: a symmetric grid then wastes half of its levels."),
		c.toggle(scheme.ReduceRange, "Reduced range", "Uses only half of the grid’s levels. PyTorch’s default, because sums of products overflowed on older processors."),
		c.toggle(scheme.PerRow, "A grid for each row", rowWhy),
	}
}

func (c *planControls) observer() goapp.UI {
	var options []pick
	for _, id := range scheme.Observers() {
		options = append(options, pick{id, observerChoice[id]})
	}
	chosen := c.common(scheme.ObserverOf)
	why := map[string]string{
		"":                   "The layers differ: a choice here makes them alike.",
		scheme.MinMax:        "The grid reaches from the smallest to the largest value seen: nothing is clipped, one outlier stretches it.",
		scheme.MovingAverage: "The extremes of each batch, averaged slowly: a rare outlier counts for little.",
		scheme.Histogram:     "The range with the least squared error, searched over a histogram. PyTorch’s default.",
		scheme.Percentile:    "Keeps that share of the values and clips the rest.",
		scheme.Entropy:       "The range whose histogram loses the least information (Kullback-Leibler divergence).",
	}[chosen]
	if c.off(scheme.ObserverOf) && !c.off(scheme.WeightBits) {
		why = "Only static layers: a dynamic layer takes each batch’s own range."
	}
	return goapp.Div().Class("listed").Body(c.choice(scheme.ObserverOf, "Observer: how the grid’s ends are chosen", chosen, options, why))
}

// observerChoice says in words what each observer does.
var observerChoice = map[string]string{
	scheme.MinMax:        "minmax: smallest to largest",
	scheme.MovingAverage: "moving average of the extremes",
	scheme.Histogram:     "histogram: least squared error",
	scheme.Percentile:    "percentile: clip the rarest",
	scheme.Entropy:       "entropy: least information lost",
}

// percentiles are the stops of the slider.
var percentiles = []float64{90, 95, 98, 99, 99.5, 99.9, 99.95, 99.99, 99.999, 100}

func (c *planControls) percentile() goapp.UI {
	at, text := 5, "–"
	why := "The share of values that stay on the grid; the rest is clipped to its ends."
	if has := c.having(scheme.PercentileOf); len(has) > 0 {
		v := has[0].Activation.Percentile
		at, _ = slices.BinarySearch(percentiles, v)
		at = min(at, len(percentiles)-1)
		text = percentileText(v) + "%"
	} else if !c.off(scheme.ObserverOf) {
		why = "Only with the observer percentile."
	}
	return c.slider(slider{
		Knob: scheme.PercentileOf, Label: "Percentile", Least: 0, Most: len(percentiles) - 1, At: at, Text: text, Why: why,
		Ticks: []string{"90", "", "", "99", "", "99.9", "", "99.99", "", "100"},
		Off:   c.off(scheme.PercentileOf), Value: func(n int) string { return percentileText(percentiles[n]) },
	})
}

func (c *planControls) bits(k knob, label string) goapp.UI {
	at, text, why := 8, "–", noGrid
	if has := c.having(k); len(has) > 0 {
		at, _ = strconv.Atoi(has[0].Setting(k))
		text = c.common(k)
		if text == "" {
			text = "differ"
			why = "The layers differ: a move here makes them alike."
		} else {
			text = fmt.Sprintf("%s bits, %d levels", text, 1<<at)
			why = "Each bit less halves the number of levels and doubles the step between them."
			if k == scheme.WeightBits {
				why += " The file keeps a byte for each weight all the same."
			}
		}
	}
	return c.slider(slider{
		Knob: k, Label: label, Least: 2, Most: 8, At: at, Text: text, Why: why, Ticks: []string{"2", "3", "4", "5", "6", "7", "8"},
		Off: c.off(k), Value: strconv.Itoa,
	})
}

func (c *planControls) calibrationLede() string {
	if c.Planner.Plan.NeedsCalibration() {
		return "Examples that show the observers which activations occur; they fix the grids of the static layers."
	}
	return "No layer is static, so these examples change no answer: only the histograms of activations below come from them."
}

func (c *planControls) calibration() []goapp.UI {
	p := c.Planner
	most := bits.Len(uint(mostExamples(p.Seed))) - 1
	ticks := make([]string, most+1)
	for n := 0; n <= most; n += 3 {
		ticks[n] = report.Count(1 << n)
	}
	ticks[most] = report.Count(1 << most)
	if most%3 == 1 {
		ticks[most-1] = ""
	}
	text, why := report.Count(p.Examples), "The lab’s sample has 1,024. Another seed draws up to 8,192 from the training set."
	if p.Seed != 0 {
		why = "Drawn from the training set."
	}
	if own, ok := p.sample(); ok {
		why = "Your " + own.Name + " has " + report.Count(own.Examples) + "."
		if p.Examples >= own.Examples {
			text = "all " + report.Count(own.Examples)
		}
	}
	return []goapp.UI{
		c.observer(),
		c.percentile(),
		c.slider(slider{
			Knob: knobExamples, Label: "Examples", Least: 0, Most: most, At: bits.Len(uint(p.Examples)) - 1, Text: text, Why: why,
			Ticks: ticks, Value: func(n int) string { return strconv.Itoa(1 << n) },
		}),
		c.seed(),
	}
}

// trainingSets says what another seed loads.
var trainingSets = map[string]string{nn.MNIST: "60,000 images", nn.SST2: "67,349 phrases"}

func (c *planControls) seed() goapp.UI {
	text := strconv.FormatUint(c.Planner.Seed, 10)
	input := goapp.Input().ID("knob-calseed").Type("text").Name("calseed").Attr("inputmode", "numeric").AutoComplete(false).Spellcheck(false).
		Disabled(goapp.IsServer).OnChange(c.onValue(knobSeed), string(knobSeed))
	if c.Draft.Problem != "" {
		text = c.Draft.Text
		input = input.Aria("invalid", "true")
	}
	why := "0 is the lab’s sample. Any other number draws other examples from the training set, " + trainingSets[c.Planner.spec().Data] + ", which are loaded the first time."
	if own, ok := c.Planner.sample(); ok {
		why = "0 is a sample of your " + own.Name + ". Any other number draws another one."
	}
	return goapp.Div().Class("knob field").Body(
		goapp.Label().For("knob-calseed").Text("Seed"),
		input.Value(text).Aria("describedby", "calseed-problem calseed-why"),
		goapp.P().Class("problem").ID("calseed-problem").Text(c.Draft.Problem),
		goapp.P().Class("why").ID("calseed-why").Text(why),
	)
}
