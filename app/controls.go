package app

import (
	"fmt"
	"slices"
	"strings"

	goapp "github.com/maxence-charriere/go-app/v9/pkg/app"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// controls is the form of the settings. Every field edits one key of the address.
type controls struct {
	goapp.Compo
	S        *session
	Settings Settings
	Drafts   map[string]Draft
	Busy     bool
	Native   NativePhase
	Engines  map[string][]string // the kernel engines of each host, as far as they are known
	Threads  int                 // that the browser offers, 0 while that is not known
	Awaiting string              // what the address names that may be the reader's own, while that is not known
	Takes    bool                // the settings name something of the reader's own
	Stays    bool                // and it stays here: the native engine is on another machine
}

// An option is one choice of a field: its value in the address, its label, the variant whose marker it shows, and the
// heading that it stands under.
type option struct{ Value, Label, Marker, Title, Group string }

func (c *controls) Render() goapp.UI {
	nowhere := c.Settings.Where == wire.Native && (c.Native == NativeAbsent || c.Stays)
	run := "Run"
	if c.Busy {
		run = "Running"
	}
	// No form element: go-app handles events too late to keep a form from being submitted.
	return goapp.Div().Class("controls").Role("form").Aria("label", "Settings").Body(
		goapp.Div().Class("picks").Body(
			c.pills("models", "Models", modelOptions(c.Settings.Catalog())),
			c.pills("variants", "Variants", variantOptions()),
		),
		goapp.Div().Class("fields").Body(append([]goapp.UI{
			c.text("batches", "Batch sizes", "text", "Up to 8 numbers from 1 to 4096"),
			c.text("runs", "Runs", "number", "1 to 100"),
			c.text("threads", "Threads", "number", "Threads that share a forward pass; in a browser they share a batch by its rows"),
			c.text("seed", "Seed", "text", "Orders the runs and draws the calibration sample; with fresh training also the weights"),
			c.choice("where", "Where", c.places()),
			c.choice("input", "SST-2 input", []option{
				{Value: wire.Dense, Label: "Dense", Title: "a full matrix product, as the lab times it"},
				{Value: wire.Sparse, Label: "Sparse", Title: "a sum of the weight rows of the words that occur"},
			}),
			c.choice("weights", "Weights", []option{
				{Value: wire.Shipped, Label: "Shipped", Title: "trained once, natively"},
				{Value: wire.Fresh, Label: "Train here first", Title: "trained by each host before it measures"},
			}),
			c.list("engine", "Kernel engine", "Which of its kernels a host computes with", engineOptions(c.Settings, c.Engines)),
		}, c.ownData()...)...),
		goapp.Div().Class("actions").Body(
			disable(goapp.Button().Type("button"), c.Busy || nowhere || len(c.Drafts) > 0 || c.Awaiting != "").Class("primary").ID("run").Text(run).OnClick(c.onRun),
			goapp.P().Class("hint").Text(c.hint()),
		),
	)
}

// hint says what Run will do, where that is not plain.
func (c *controls) hint() string {
	s := c.Settings
	if c.Awaiting != "" {
		return lookingFor(c.Awaiting)
	}
	if c.Native == NativeAbsent {
		switch s.Where {
		case wire.Native:
			return "No native engine serves this page: choose the browser."
		case Both:
			return "No native engine serves this page: Run measures in this browser."
		}
	}
	if c.Stays && c.Native != NativeAbsent {
		if s.Where == Both {
			return "Run measures in this browser: your own models and data stay on this machine, and the native engine is on another."
		}
		return staysHereText
	}
	if s.Engine != "" && c.nowhere() {
		return fmt.Sprintf("There is no %s here, so a run would fail: choose another kernel engine.", engineName(s.Engine))
	}
	if s.Where == Both && s.Engine != "" {
		for _, host := range inOrderHosts {
			if engineOn(s.Engine, host, inOrderHosts, c.Engines) != s.Engine {
				return fmt.Sprintf("%s has no %s and computes with its fastest engine.", upperFirst(hostThat(host)), engineName(s.Engine))
			}
		}
	}
	if slices.Contains(s.Hosts(), wire.Browser) && c.Threads > 0 && s.Threads > c.Threads {
		return fmt.Sprintf("This browser offers %s and computes with no more.", plural(c.Threads, "thread"))
	}
	if s.Weights == wire.Fresh {
		return "Training comes first: in a browser some 20 seconds or more for mnist-lab1, minutes for the larger models."
	}
	if c.Takes && s.Where != wire.Browser && c.Native != NativeAbsent {
		return "What is your own is handed to the native engine for the run. That is on this machine, and keeps nothing of it."
	}
	if s.Where == Both {
		return "The browser first, then natively, so that they do not compete."
	}
	return ""
}

// places are where a run can be, and the one that is chosen.
func (c *controls) places() []option {
	all := []option{{Value: wire.Browser, Label: "Browser"}, {Value: wire.Native, Label: "Native"}, {Value: Both, Label: "Both"}}
	if !c.Stays {
		return all
	}
	return slices.DeleteFunc(all, func(o option) bool { return o.Value != wire.Browser && o.Value != c.Settings.Where })
}

// ownData are the fields for examples of the reader's own, where there are some.
func (c *controls) ownData() []goapp.UI {
	data := dataOptions(c.Settings.Own)
	if data == nil {
		return nil
	}
	first := func(label string) []option { return append([]option{{Label: label}}, data...) }
	return []goapp.UI{
		c.list("test", "Accuracy on", "Your own examples take the place of the test set, of the models that read such", first("Each model’s test set")),
		c.list("calibrate", "Calibrate with", "Your own examples take the place of the lab’s sample, of the models that read such", first("The lab’s sample")),
	}
}

// dataOptions are the reader's own examples.
func dataOptions(own *wire.Own) []option {
	if own == nil {
		return nil
	}
	var out []option
	for _, d := range own.Data {
		out = append(out, option{Value: d.Name, Label: d.Name + " (" + testSetOf(nn.Spec{Data: d.Data}, own, d.Name).kind() + ")", Group: "Your own"})
	}
	return out
}

// readBy are those of them that a model reads.
func readBy(spec nn.Spec, own *wire.Own) []option {
	return slices.DeleteFunc(dataOptions(own), func(o option) bool {
		d, err := own.DataOf(o.Value)
		return err != nil || d.Data != spec.Data
	})
}

// nowhere reports whether none of the chosen hosts has the chosen engine, as far as all of them said what they have.
func (c *controls) nowhere() bool {
	return !slices.ContainsFunc(c.Settings.Hosts(), func(host string) bool {
		has := c.Engines[host]
		return len(has) == 0 || slices.Contains(has, c.Settings.Engine)
	})
}

func modelOptions(models []nn.Spec) []option {
	var out []option
	for _, s := range models {
		title := s.Shape()
		if s.Title != "" && s.Title != s.ID {
			title = s.Title + ": " + title
		}
		out = append(out, option{Value: s.ID, Label: s.ID, Title: title})
	}
	return out
}

func variantOptions() []option {
	var out []option
	for _, v := range wire.Variants() {
		title, _, _ := strings.Cut(v.Title, ",")
		out = append(out, option{Value: v.ID, Label: title, Marker: v.ID, Title: v.ID})
	}
	return out
}

// engineOptions are the kernel engines of the hosts where the settings would run: the one that all have, then each host's
// own. One that the address names is on the list, whoever has it.
func engineOptions(s Settings, engines map[string][]string) []option {
	out := []option{{Value: fastest, Label: "Fastest"}, {Value: "portable", Label: engineLabel("portable")}}
	add := func(name, group string) {
		if name != "" && !slices.ContainsFunc(out, func(o option) bool { return o.Value == name }) {
			out = append(out, option{Value: name, Label: engineLabel(name), Group: group})
		}
	}
	for _, host := range s.Hosts() {
		for _, name := range engines[host] {
			add(name, upperFirst(hostName(host)))
		}
	}
	add(s.Engine, "Elsewhere")
	return out
}

// engineLabel is an engine's name as a label. One that the page does not know keeps the letters that it has.
func engineLabel(id string) string {
	if name := engineName(id); name != id {
		return upperFirst(name)
	}
	return id
}

// current is what a field shows: the reader's text, or the setting.
func (c *controls) current(key string) string {
	if d, ok := c.Drafts[key]; ok {
		return d.Text
	}
	if key == "batches" {
		return strings.ReplaceAll(c.Settings.value(key), ",", ", ")
	}
	return c.Settings.value(key)
}

// problem is the sentence under a field that can't be taken.
func (c *controls) problem(key string) goapp.UI {
	d, ok := c.Drafts[key]
	if !ok {
		return goapp.Text("")
	}
	return goapp.P().Class("problem").ID(key + "-problem").Text(d.Problem)
}

func (c *controls) pills(key, legend string, options []option) goapp.UI {
	chosen := splitList(c.current(key))
	return goapp.FieldSet().Class("choices").Body(
		goapp.Legend().Text(legend),
		goapp.Div().Class("checks").Body(goapp.Range(options).Slice(func(i int) goapp.UI {
			o := options[i]
			body := []goapp.UI{
				check(goapp.Input().Type("checkbox"), slices.Contains(chosen, o.Value)).Name(key).Value(o.Value).
					OnChange(c.onCheck(key, o.Value), key, o.Value),
			}
			if o.Marker != "" {
				body = append(body, goapp.Raw(markerSVG(o.Marker)))
			}
			body = append(body, goapp.Span().Text(o.Label))
			return goapp.Label().Title(o.Title).Body(body...)
		})),
		c.problem(key),
	)
}

func (c *controls) choice(key, legend string, options []option) goapp.UI {
	chosen := c.current(key)
	return goapp.FieldSet().Body(
		goapp.Legend().Text(legend),
		goapp.Div().Class("seg").Body(goapp.Range(options).Slice(func(i int) goapp.UI {
			o := options[i]
			return goapp.Label().Title(o.Title).Body(
				check(goapp.Input().Type("radio"), o.Value == chosen).Name(key).Value(o.Value).OnChange(c.onValue(key), key),
				goapp.Span().Text(o.Label),
			)
		})),
	)
}

// list is a choice of one among many.
func (c *controls) list(key, label, help string, options []option) goapp.UI {
	return listField(key, label, help, c.current(key), options, c.onValue(key), c.problem(key))
}

// listField is a list to choose from, with what else belongs to it below.
func listField(key, label, help, chosen string, options []option, on goapp.EventHandler, below ...goapp.UI) goapp.UI {
	id := "setting-" + key
	list := goapp.Select().ID(id).Name(key).Disabled(goapp.IsServer).OnChange(on, key)
	if help != "" {
		list = list.Title(help)
	}
	return goapp.Div().Class("field").Body(append([]goapp.UI{goapp.Label().For(id).Text(label), list.Body(entries(options, chosen)...)}, below...)...)
}

// entries are the elements of a list: options that share a heading stand under it.
func entries(options []option, chosen string) []goapp.UI {
	var out, group []goapp.UI
	for i, o := range options {
		entry := goapp.Option().Value(o.Value).Text(o.Label)
		if o.Value == chosen || goapp.IsClient { // see check
			entry = entry.Selected(o.Value == chosen)
		}
		if o.Group == "" {
			out = append(out, entry)
			continue
		}
		group = append(group, entry)
		if i+1 == len(options) || options[i+1].Group != o.Group {
			out, group = append(out, goapp.OptGroup().Label(o.Group).Body(group...)), nil
		}
	}
	return out
}

// check ticks a box or not. In the server's HTML the bare presence of an attribute ticks it, whatever go-app gives it for
// a value; in the browser it must always be given, because it sets the property.
func check(input goapp.HTMLInput, on bool) goapp.HTMLInput {
	input = input.Disabled(goapp.IsServer) // nothing listens yet: a choice would be lost
	if on || goapp.IsClient {
		return input.Checked(on)
	}
	return input
}

// disable is the same for a button. On the server every button is disabled: nothing listens to it yet.
func disable(button goapp.HTMLButton, off bool) goapp.HTMLButton {
	return button.Disabled(off || goapp.IsServer)
}

func (c *controls) text(key, label, kind, help string) goapp.UI {
	id := "setting-" + key
	input := goapp.Input().ID(id).Class("field-"+key).Type(kind).Name(key).Value(c.current(key)).Title(help).
		AutoComplete(false).Spellcheck(false).Disabled(goapp.IsServer).OnChange(c.onValue(key), key)
	if kind == "number" {
		input = input.Min("1")
	} else {
		input = input.Attr("inputmode", "numeric")
	}
	if _, bad := c.Drafts[key]; bad {
		input = input.Aria("invalid", "true").Aria("describedby", key+"-problem")
	}
	return goapp.Div().Class("field").Body(
		goapp.Label().For(id).Text(label),
		input,
		c.problem(key),
	)
}

// onCheck adds or takes away one choice of a list.
func (c *controls) onCheck(key, value string) goapp.EventHandler {
	return func(ctx goapp.Context, _ goapp.Event) {
		chosen := slices.DeleteFunc(splitList(c.current(key)), func(v string) bool { return v == value })
		if ctx.JSSrc().Get("checked").Bool() {
			chosen = append(chosen, value)
		}
		c.S.edit(key, strings.Join(chosen, ","))
	}
}

func (c *controls) onValue(key string) goapp.EventHandler {
	return func(ctx goapp.Context, _ goapp.Event) {
		c.S.edit(key, strings.TrimSpace(ctx.JSSrc().Get("value").String()))
	}
}

func (c *controls) onRun(goapp.Context, goapp.Event) { c.S.run() }
