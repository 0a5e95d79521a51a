package app

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// sensControls are the settings that all three experiments share.
type sensControls struct {
	goapp.Compo
	S      *session
	Choice sensChoice
	Draft  Draft // of the runs' field
	Places []pick
	Why    string // it can't be measured at the place that is chosen
}

func (c *sensControls) Render() goapp.UI {
	spec := c.Choice.spec()
	return goapp.Div().Class("controls sens-controls").Role("form").Aria("label", "Settings of the experiments").Body(
		goapp.Div().Class("fields").Body(
			c.S.sensSegment(keySens, "Network", c.Choice.Model, modelChoices(c.Choice.Own.Catalog())),
			c.S.sensSegment(keySensWhere, "Where", c.Choice.Where, c.Places),
			c.S.sensSegment(keySensExamples, "Test examples", strconv.Itoa(c.Choice.Examples), c.examples()),
			c.S.sensField(keySensRuns, "Runs", strconv.Itoa(c.Choice.Runs), c.Draft),
			c.data(),
		),
		goapp.P().Class("hint").ID("sens-settings").Text(fmt.Sprintf("%s: %s.", spec.Title, spec.Shape())+" "+c.hint()),
	)
}

// placesFor are where a request can be measured, as far as that is known, and the place that is chosen.
func (s *State) placesFor(chosen string, r *wire.Request) []pick {
	places := []pick{{wire.Browser, "This browser"}}
	if chosen == wire.Native || s.barred(wire.Native, r) == "" {
		places = append(places, pick{wire.Native, "Natively"})
	}
	return places
}

// fewExamples are enough for a first impression.
const fewExamples = 1000

func (c *sensControls) examples() []pick {
	options := []pick{{"0", "All"}}
	if c.Choice.testSet().Size > fewExamples {
		options = append(options, pick{strconv.Itoa(fewExamples), "First " + report.Count(fewExamples)})
	}
	if v := strconv.Itoa(c.Choice.Examples); !slices.ContainsFunc(options, func(o pick) bool { return o.Value == v }) {
		options = append(options, pick{v, "First " + report.Count(c.Choice.Examples)})
	}
	return options
}

// data are the lists of the reader's own examples that the model reads, where there are some.
func (c *sensControls) data() goapp.UI {
	var fields []goapp.UI
	if own := readBy(c.Choice.spec(), c.Choice.Own); own != nil {
		fields = append(fields, c.list(keySensTest, "Accuracy on", "The model’s test set", c.Choice.Test, own),
			c.list(keySensCalibrate, "Calibrate with", "The lab’s sample", c.Choice.Calibration, own))
	}
	return goapp.Div().Class("fields").Body(fields...)
}

func (c *sensControls) list(key, label, first, chosen string, own []option) goapp.UI {
	return listField(key, label, "", chosen, append([]option{{Label: first}}, own...), c.S.onSens(key))
}

func (c *sensControls) hint() string {
	if c.Why != "" {
		return c.Why
	}
	runs := plural(c.Choice.Runs, "timed run") + " of batch 1 and 64"
	if c.Choice.Runs < wire.Lab().Runs {
		runs += fmt.Sprintf(" (the lab’s are %d; fewer are sooner over)", wire.Lab().Runs)
	}
	return "Accuracy on " + c.Choice.examplesWords() + ", " + runs + ", one thread."
}

// testSet is the examples that measure the accuracy, tested how many of them.
func (c sensChoice) testSet() testSet { return testSetOf(c.spec(), c.Own, c.Test) }

func (c sensChoice) tested() int {
	if all := c.testSet().Size; c.Examples == 0 || c.Examples > all {
		return all
	}
	return c.Examples
}

// examplesWords counts them: "all 10,000 test images".
func (c sensChoice) examplesWords() string { return c.testSet().first(c.tested()) }

// sensSegment is a choice of one side by side.
func (s *session) sensSegment(key, legend, chosen string, options []pick) goapp.UI {
	return segment(key, legend, chosen, options, s.onSens(key))
}

// sensField is a field for a text; d is what it holds that can't be taken.
func (s *session) sensField(key, label, value string, d Draft) goapp.UI {
	return textField(key, label, value, d, s.onSens(key))
}

func (s *session) onSens(key string) goapp.EventHandler {
	return func(ctx goapp.Context, _ goapp.Event) {
		s.chooseSens(key, strings.TrimSpace(ctx.JSSrc().Get("value").String()))
	}
}

// sensVariants are boxes for the variants that single layers are quantized as.
func (s *session) sensVariants(chosen []string) goapp.UI {
	all := layerVariants()
	return goapp.FieldSet().Class("choices").Body(
		goapp.Legend().Text("Quantize as"),
		goapp.Div().Class("checks").Body(goapp.Range(all).Slice(func(i int) goapp.UI {
			id := all[i]
			return goapp.Label().Body(
				check(goapp.Input().Type("checkbox"), slices.Contains(chosen, id)).Name(keySensVariants).Value(id).OnChange(s.onSensVariant(id), id),
				goapp.Raw(markerSVG(id)),
				goapp.Span().Text(variantName(id)),
			)
		})),
	)
}

func (s *session) onSensVariant(id string) goapp.EventHandler {
	return func(ctx goapp.Context, _ goapp.Event) {
		chosen := slices.DeleteFunc(slices.Clone(s.Sensitivity.choice().Variants), func(v string) bool { return v == id })
		if ctx.JSSrc().Get("checked").Bool() {
			chosen = append(chosen, id)
		}
		s.chooseSens(keySensVariants, strings.Join(chosen, ","))
	}
}

// askLayers is what single layers are quantized as, and the button that measures it.
func (s *session) askLayers() goapp.UI {
	return goapp.Div().Class("controls ask").Body(
		s.sensVariants(s.Sensitivity.choice().Variants),
		s.inquiryBar(wire.OpSensitivity, "sens-measure", "Measure"),
	)
}

func (s *session) askPlans() goapp.UI {
	return goapp.Div().Class("controls ask").Body(
		s.inquiryBar(wire.OpPlans, "front-search", "Search"),
	)
}

func (s *session) askSweep() goapp.UI {
	c, drafts := s.Sensitivity.choice(), s.Sensitivity.Drafts
	return goapp.Div().Class("controls ask").Body(
		goapp.Div().Class("fields").Body(
			s.sensField(keySweepSizes, "Calibration examples", joined(c.Sizes, ", "), drafts[keySweepSizes]),
			s.sensField(keySweepSeeds, "Samples of each", strconv.Itoa(c.Seeds), drafts[keySweepSeeds]),
		),
		s.inquiryBar(wire.OpSweep, "sweep-draw", "Draw lots"),
	)
}

// inquiryBar is the button that starts an experiment, and how far it is.
func (s *session) inquiryBar(op, id, label string) goapp.UI {
	left := ""
	off := s.measuring(op)
	if off {
		label, left = "Measuring", s.Sensitivity.outcome(op).remaining()
	}
	off = off || len(s.Sensitivity.Drafts) > 0 || s.sensHeld() != ""
	return goapp.Div().Class("asking").Body(
		disable(goapp.Button().Type("button"), off).Class("primary").ID(id).Text(label).OnClick(func(goapp.Context, goapp.Event) { s.inquire(op) }, op),
		&progress{S: s, Op: op, View: s.experimentProgress(op)},
		goapp.P().Class("hint").Text(left),
	)
}
