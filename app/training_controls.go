package app

import (
	"slices"
	"strconv"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/report"
)

// trainControls are the settings of a training.
type trainControls struct {
	goapp.Compo
	S      *session
	Choice trainChoice
	Drafts map[string]Draft
	Hint   string
	Places []pick
}

func (c *trainControls) Render() goapp.UI {
	o := c.Choice.options()
	limit, epochs := "all", o.Epochs
	if o.Limit > 0 {
		limit = strconv.Itoa(o.Limit)
	}
	if epochs == 0 {
		epochs = c.Choice.spec().Epochs
	}
	return goapp.Div().Class("controls train-controls").Role("form").Aria("label", "Settings of the training").Body(
		goapp.Div().Class("fields").Body(
			segment(keyTrain, "Network", c.Choice.Model, modelChoices(c.Choice.Own.Catalog()), c.onChoice(keyTrain)),
			segment(keyAMP, "16-bit type", c.Choice.Type, []pick{{wire.BFloat16, "bfloat16"}, {wire.Float16, "float16"}}, c.onChoice(keyAMP)),
			segment(keyTrainWhere, "Where", c.Choice.Where, c.Places, c.onChoice(keyTrainWhere)),
		),
		goapp.Div().Class("fields").Body(
			segment("trainamount", "How much", c.Choice.amount(), amountChoices(), c.onAmount),
			textField(keyTrainLimit, "Training examples", limit, c.Drafts[keyTrainLimit], c.onChoice(keyTrainLimit)),
			textField(keyTrainEpochs, "Epochs", strconv.Itoa(epochs), c.Drafts[keyTrainEpochs], c.onChoice(keyTrainEpochs)),
			textField(keyTrainSeeds, "Seeds", strconv.Itoa(o.Seeds), c.Drafts[keyTrainSeeds], c.onChoice(keyTrainSeeds)),
		),
		goapp.P().Class("hint").ID("train-settings").Text(c.Hint),
	)
}

func amountChoices() []pick {
	var out []pick
	for _, a := range amounts {
		out = append(out, pick{a.id, a.label})
	}
	return out
}

func (c *trainControls) onChoice(key string) goapp.EventHandler {
	return func(ctx goapp.Context, _ goapp.Event) {
		c.S.chooseTraining(key, strings.TrimSpace(ctx.JSSrc().Get("value").String()))
	}
}

func (c *trainControls) onAmount(ctx goapp.Context, _ goapp.Event) {
	c.S.chooseAmount(ctx.JSSrc().Get("value").String())
}

// chooseAmount takes one of the amounts that have a name.
func (s *session) chooseAmount(id string) {
	st := &s.Training
	st.Choice, st.Drafts = st.choice().withAmount(id), nil
	s.remember()
}

// trainHint says what will be trained, and how its products are computed there.
func (s *session) trainHint() string {
	c := s.Training.choice()
	if why := s.trainHeld(); why != "" {
		return why
	}
	return sentence(upperFirst("training "+c.says())) + " " + s.emulation(c)
}

// emulation says whether the place multiplies the type in hardware, as far as that is known.
func (s *session) emulation(c trainChoice) string {
	name := report.TypeName(c.Type)
	const emulated = "the same results as such an instruction would give, and no claim about speed."
	switch {
	case c.Where == wire.Browser:
		return "A browser has no instruction that multiplies " + name + ": its products are emulated, with " + emulated
	case c.Type == wire.Float16:
		return "The native engine has no kernel that multiplies float16: its products are emulated, with " + emulated
	case s.Native.Phase != NativeReady:
		return ""
	case slices.Contains(s.Hardware[wire.Native].Instructions, "AVX-512 BF16"):
		return "This machine multiplies bfloat16 by an instruction of its own (VDPBF16PS): the times are real."
	}
	return "This machine has no instruction that multiplies bfloat16: its products are emulated, with " + emulated
}

// askTraining is the button that starts a training, and how far it is.
func (s *session) askTraining() goapp.UI {
	label, off := "Train", s.measuring(wire.OpAMP)
	if off {
		label = "Training"
	}
	off = off || len(s.Training.Drafts) > 0 || s.trainHeld() != ""
	return goapp.Div().Class("controls ask train-ask").Body(
		disable(goapp.Button().Type("button"), off).Class("primary").ID("train").Text(label).OnClick(s.onTrain),
		&progress{S: s, Op: wire.OpAMP, View: s.experimentProgress(wire.OpAMP)},
	)
}

func (s *session) onTrain(goapp.Context, goapp.Event) { s.train() }

// segment is a choice of one, side by side.
func segment(key, legend, chosen string, options []pick, on goapp.EventHandler) goapp.UI {
	return goapp.FieldSet().Body(
		goapp.Legend().Text(legend),
		goapp.Div().Class("seg").Body(goapp.Range(options).Slice(func(i int) goapp.UI {
			o := options[i]
			return goapp.Label().Body(
				check(goapp.Input().Type("radio"), o.Value == chosen).Name(key).Value(o.Value).OnChange(on, key),
				goapp.Span().Text(o.Label),
			)
		})),
	)
}

// textField is a field for a number or a few; d is what it holds that can't be taken.
func textField(key, label, value string, d Draft, on goapp.EventHandler) goapp.UI {
	id := "setting-" + key
	input := goapp.Input().ID(id).Class("field-"+key).Type("text").Attr("inputmode", "numeric").Name(key).
		AutoComplete(false).Spellcheck(false).Disabled(goapp.IsServer).OnChange(on, key)
	if d.Problem != "" {
		value = d.Text
		input = input.Aria("invalid", "true").Aria("describedby", id+"-problem")
	}
	return goapp.Div().Class("field").Body(
		goapp.Label().For(id).Text(label),
		input.Value(value),
		goapp.P().Class("problem").ID(id+"-problem").Text(d.Problem),
	)
}
