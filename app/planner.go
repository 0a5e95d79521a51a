package app

import (
	"fmt"
	"math/bits"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/scheme"
)

// A Planner is what the reader chose in Inspect: a model, a scheme for each of its layers, and what calibrates them.
type Planner struct {
	Own      *wire.Own // what the reader brought, to choose from beside the lab's
	Model    string
	Plan     scheme.Plan
	Examples int    // that calibrate, a power of two
	Seed     uint64 // draws them from the training set; 0 is the lab's sample
	Layer    int    // that is shown and edited, from 0; allLayers for all
}

const (
	allLayers       = -1
	labModel        = "mnist-lab1"
	labPreset       = "static-qint8"
	labCalibration  = 1024 // examples in the lab's sample
	mostCalibration = wire.MaxCalibration
)

// newPlanner returns a model as the lab converts it.
func newPlanner(own *wire.Own, model, preset string) (Planner, error) {
	spec, err := own.Catalog().Of(model)
	if err != nil {
		return Planner{}, err
	}
	plan, err := scheme.Preset(preset, layersOf(spec))
	return Planner{Own: own, Model: model, Plan: plan, Examples: labCalibration, Layer: allLayers}, err
}

func layersOf(spec nn.Spec) int { return len(spec.Dims()) - 1 }

// firstPlanner is what Inspect begins with.
func firstPlanner(own *wire.Own) Planner {
	p, err := newPlanner(own, labModel, labPreset)
	if err != nil {
		panic(err) // both are the program's own names
	}
	return p
}

func (p Planner) equal(o Planner) bool { return p.sameConversion(o) && p.Layer == o.Layer }

// sameConversion reports whether only what is shown may differ.
func (p Planner) sameConversion(o Planner) bool {
	return p.Model == o.Model && slices.Equal(p.Plan, o.Plan) && p.Examples == o.Examples && p.Seed == o.Seed
}

// spec is the model's, which is always one that there is.
func (p Planner) spec() nn.Spec {
	spec, _ := p.Own.Catalog().Of(p.Model)
	return spec
}

// sample are the reader's own examples that calibrate the model in place of the lab's, if there are any.
func (p Planner) sample() (wire.OwnData, bool) {
	d, err := p.Own.DataOf(p.spec().Calibration)
	return d, err == nil
}

// showsDigits reports whether the model reads pictures.
func (p Planner) showsDigits() bool { return p.spec().Data == nn.MNIST }

// A knob is one thing that the reader can change: a setting of the layers' schemes, or one of these.
type knob = scheme.Setting

const (
	knobModel    knob = "net"
	knobPreset   knob = "preset"
	knobLayer    knob = "layer"
	knobExamples knob = "calibration"
	knobSeed     knob = "calseed"
	knobScheme   knob = "scheme" // of the layer that is shown
)

// with returns the planner with one knob turned, or why it can't be.
func (p Planner) with(k knob, value string) (Planner, error) {
	switch k {
	case knobModel:
		return p.withModel(value)
	case knobPreset:
		plan, err := scheme.Preset(value, len(p.Plan))
		if err == nil {
			p.Plan = plan
		}
		return p, err
	case knobLayer:
		return p.withLayer(value)
	case knobExamples:
		return p.withExamples(value)
	case knobSeed:
		return p.withSeed(value)
	case knobScheme:
		s, err := scheme.ParseScheme(value)
		if err == nil && p.Layer != allLayers {
			p.Plan = slices.Clone(p.Plan)
			p.Plan[p.Layer] = s
		}
		return p, err
	}
	plan, err := p.Plan.With(p.Layer, k, value)
	p.Plan = plan
	return p, err
}

// withModel changes the model. A plan that treats all layers alike goes along; another starts anew.
func (p Planner) withModel(model string) (Planner, error) {
	next, err := newPlanner(p.Own, model, labPreset)
	if err != nil {
		return p, err
	}
	next.Examples, next.Seed = p.Examples, p.Seed
	if p.uniform() {
		next.Plan = slices.Repeat(p.Plan[:1], len(next.Plan))
	}
	return next, nil
}

func (p Planner) uniform() bool {
	return !slices.ContainsFunc(p.Plan, func(s scheme.Scheme) bool { return s != p.Plan[0] })
}

// withLayer shows a layer; they are counted from 1 here, and "all" is all.
func (p Planner) withLayer(value string) (Planner, error) {
	if value == "all" {
		p.Layer = allLayers
		return p, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > len(p.Plan) {
		return p, fmt.Errorf("%s has the layers 1 to %d", p.Model, len(p.Plan))
	}
	p.Layer = n - 1
	return p, nil
}

// mostExamples is how many examples can calibrate: the lab's sample has labCalibration.
func mostExamples(seed uint64) int {
	if seed == 0 {
		return labCalibration
	}
	return mostCalibration
}

func (p Planner) withExamples(value string) (Planner, error) {
	n, err := strconv.Atoi(value)
	most := mostExamples(p.Seed)
	if err != nil || n < 1 || n > mostCalibration || bits.OnesCount(uint(n)) != 1 {
		return p, fmt.Errorf("it must be a power of two from 1 to %d", most)
	}
	if n > most {
		return p, fmt.Errorf("the lab’s sample has %d examples: choose a seed other than 0 for more", most)
	}
	p.Examples = n
	return p, nil
}

func (p Planner) withSeed(value string) (Planner, error) {
	seed, err := parseSeed(strings.TrimSpace(value))
	if err != nil {
		return p, err
	}
	p.Seed = seed
	p.Examples = min(p.Examples, mostExamples(seed))
	return p, nil
}

// labs returns the planner with the lab's settings: its preset of the mode that the layers are in, or in which most of the
// plan is the lab's.
func (p Planner) labs() Planner {
	next, err := newPlanner(p.Own, p.Model, p.nearest())
	if err != nil {
		return p
	}
	next.Layer = p.Layer
	return next
}

// nearest is the lab's variant that the plan has most in common with.
func (p Planner) nearest() string {
	best, most := labPreset, -1
	for _, id := range wire.VariantIDs() {
		plan, err := scheme.Preset(id, len(p.Plan))
		if err != nil {
			continue
		}
		common := 0
		for i, s := range p.Plan {
			switch {
			case s == plan[i]:
				common += 2
			case s.Mode == plan[i].Mode:
				common++
			}
		}
		if common > most || common == most && id == labPreset {
			best, most = id, common
		}
	}
	return best
}

// preset is the lab's variant that the plan is, calibration included, or "".
func (p Planner) preset() string {
	id := p.nearest()
	if p.conversion() == p.labs().conversion() {
		return id
	}
	return ""
}

// variant is the variant whose colour and marker the plan has.
func (p Planner) variant() string {
	if id := p.preset(); id != "" {
		return id
	}
	return wire.Custom
}

// conversion is the plan as the worker reads it. Calibration that changes nothing is left out.
func (p Planner) conversion() wire.Conversion {
	c := wire.Conversion{Plan: p.Plan.String()}
	if p.Plan.NeedsCalibration() {
		c.Examples, c.Seed = p.calibration()
	}
	return c
}

// calibration is what calibrates, as the worker reads it: zero for the lab's.
func (p Planner) calibration() (examples int, seed uint64) {
	if p.Seed == 0 && p.Examples == labCalibration {
		return 0, 0
	}
	return p.Examples, p.Seed
}

// query spells the planner as parsePlanner reads it; "" is the planner at first.
func (p Planner) query() string {
	if p.equal(firstPlanner(p.Own)) {
		return ""
	}
	parts := []string{"net=" + p.Model, "plan=" + strings.ReplaceAll(url.QueryEscape(p.Plan.String()), "%2C", ",")}
	if examples, seed := p.calibration(); examples != 0 {
		parts = append(parts, "calibration="+strconv.Itoa(examples), "calseed="+strconv.FormatUint(seed, 10))
	}
	if p.Layer != allLayers {
		parts = append(parts, "layer="+strconv.Itoa(p.Layer+1))
	}
	return strings.Join(parts, "&")
}

// parsePlanner reads an address. What is missing is as at first; what is malformed is, too, and a sentence says so.
func parsePlanner(query url.Values, own *wire.Own) (Planner, []string) {
	p, notices := firstPlanner(own), []string(nil)
	take := func(key string, instead string, set func(value string) (Planner, error)) {
		values, ok := query[key]
		if !ok {
			return
		}
		v := strings.TrimSpace(strings.Join(values, ","))
		next, err := set(v)
		if err != nil {
			if len(v) > 24 {
				v = v[:24] + "…"
			}
			notices = append(notices, fmt.Sprintf("The link says %s=%s, but %v. %s instead.", key, strings.ToValidUTF8(v, "\uFFFD"), err, instead))
			return
		}
		p = next
	}
	take("net", "This is "+labModel, func(v string) (Planner, error) {
		if len(v) > maxValue {
			return p, fmt.Errorf("that is too long")
		}
		return p.withModel(v)
	})
	take("plan", "The lab’s static int8 is used", func(v string) (Planner, error) {
		plan, err := scheme.ParsePlan(v, len(p.Plan))
		next := p
		next.Plan = plan
		return next, err
	})
	take("calseed", "The lab’s sample is used", func(v string) (Planner, error) { return p.withSeed(v) })
	take("calibration", "The lab’s 1,024 examples are used", func(v string) (Planner, error) { return p.withExamples(v) })
	take("layer", "All layers are shown", func(v string) (Planner, error) { return p.withLayer(v) })
	return p, notices
}
