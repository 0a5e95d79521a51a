package app

import (
	"strconv"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"
)

// off reports whether none of the layers has the setting in its mode.
func (c *planControls) off(k knob) bool { return len(c.having(k)) == 0 }

// knobID is a knob's name in identifiers: "knob-weight-bits".
func knobID(k knob) string { return "knob-" + strings.ReplaceAll(string(k), " ", "-") }

// isScheme reports whether the knob is a setting of the layers' schemes, which may be missing in their mode.
func isScheme(k knob) bool { return k != knobModel && k != knobLayer && k != knobExamples }

// choice is one of several values side by side; none is chosen where the layers differ.
func (c *planControls) choice(k knob, label, chosen string, options []pick, why string) goapp.UI {
	id := knobID(k)
	off := isScheme(k) && c.off(k)
	if off && c.off("weight bits") {
		why = noGrid
	}
	return goapp.FieldSet().Class("knob", offClass(off)).Aria("describedby", id+"-why").Body(
		goapp.Legend().Class("knob-name").Text(label),
		goapp.Div().Class("seg").Body(goapp.Range(options).Slice(func(i int) goapp.UI {
			o := options[i]
			return goapp.Label().Body(
				check(goapp.Input().Type("radio"), o.Value == chosen && !off).Disabled(off || goapp.IsServer).Name(id).Value(o.Value).
					OnChange(c.onValue(k), string(k)),
				goapp.Span().Text(o.Label),
			)
		})),
		goapp.P().Class("why").ID(id+"-why").Text(why),
	)
}

func offClass(off bool) string {
	if off {
		return "off"
	}
	return "on"
}

// toggle is a switch.
func (c *planControls) toggle(k knob, label, why string) goapp.UI {
	id, off := knobID(k), c.off(k)
	if off && c.off("weight bits") {
		why = noGrid
	}
	return goapp.Div().Class("knob", offClass(off)).Body(
		goapp.Div().Class("checks").Body(goapp.Label().Body(
			check(goapp.Input().Type("checkbox"), c.common(k) == "true").Disabled(off || goapp.IsServer).ID(id).Aria("describedby", id+"-why").
				OnChange(c.onCheck(k), string(k)),
			goapp.Span().Text(label),
		)),
		goapp.P().Class("why").ID(id+"-why").Text(why),
	)
}

// A slider has whole numbers as its stops.
type slider struct {
	Knob            knob
	Label           string
	Least, Most, At int
	Text            string // the value in words
	Why             string
	Ticks           []string // a label for each stop, or ""
	Off             bool
	Value           func(stop int) string // as the knob reads it
}

func (c *planControls) slider(v slider) goapp.UI {
	id := knobID(v.Knob)
	ticks := make([]goapp.UI, len(v.Ticks))
	for i, t := range v.Ticks {
		ticks[i] = goapp.Span().Text(t)
	}
	return goapp.Div().Class("knob", offClass(v.Off)).Body(
		goapp.Div().Class("knob-head").Body(
			goapp.Label().For(id).Text(v.Label),
			goapp.Output().For(id).Aria("live", "off").Text(v.Text),
		),
		goapp.Input().ID(id).Type("range").Min(v.Least).Max(v.Most).Step(1).Value(v.At).Disabled(v.Off || goapp.IsServer).
			Aria("valuetext", v.Text).Aria("describedby", id+"-why").
			OnInput(c.onSlide(v, true), string(v.Knob), v.Most).OnChange(c.onSlide(v, false), string(v.Knob), v.Most),
		goapp.Div().Class("ticks").Aria("hidden", "true").Body(ticks...),
		goapp.P().Class("why").ID(id+"-why").Text(v.Why),
	)
}

// action is a button that stays reachable while it has nothing to do, so that the focus is not lost on it.
func (c *planControls) action(id, label string, on bool, do goapp.EventHandler) goapp.UI {
	return goapp.Button().Type("button").Disabled(goapp.IsServer).ID("plan-"+id).Aria("disabled", strconv.FormatBool(!on)).Text(label).OnClick(do, id)
}

// onSlide follows a slider: held while it is dragged, and let go at the end.
func (c *planControls) onSlide(v slider, held bool) goapp.EventHandler {
	return func(ctx goapp.Context, _ goapp.Event) {
		stop, err := strconv.Atoi(ctx.JSSrc().Get("value").String())
		if err != nil || stop < v.Least || stop > v.Most {
			return
		}
		c.S.turn(v.Knob, v.Value(stop), true)
		if !held {
			c.S.letGo()
		}
	}
}

func (c *planControls) onValue(k knob) goapp.EventHandler {
	return func(ctx goapp.Context, _ goapp.Event) { c.S.turn(k, ctx.JSSrc().Get("value").String(), false) }
}

func (c *planControls) onCheck(k knob) goapp.EventHandler {
	return func(ctx goapp.Context, _ goapp.Event) {
		c.S.turn(k, strconv.FormatBool(ctx.JSSrc().Get("checked").Bool()), false)
	}
}

func (c *planControls) onPreset(id string) goapp.EventHandler {
	return func(goapp.Context, goapp.Event) { c.S.turn(knobPreset, id, false) }
}

func (c *planControls) onUndo(goapp.Context, goapp.Event) {
	c.S.choose(func(i *InspectState) { i.undo() })
}

func (c *planControls) onRedo(goapp.Context, goapp.Event) {
	c.S.choose(func(i *InspectState) { i.redo() })
}

func (c *planControls) onLab(goapp.Context, goapp.Event) {
	c.S.choose(func(i *InspectState) { i.set(i.planner().labs(), "") })
}
