package paper

import (
	"slices"
	"strconv"
	"strings"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
)

// A command line under construction.
type command []string

// flag adds a flag with its value, which is quoted where a shell would read it otherwise.
func (c *command) flag(name, value string) { *c = append(*c, "--"+name, quote(value)) }

func (c command) String() string { return strings.Join(c, " ") }

// quote writes a word for a POSIX shell. Names of ours need no quotes; a file may bring others.
func quote(word string) string {
	word = line(word)
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,_:/-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// newCommand begins a command with the settings that differ from its defaults, which are those of the lab but for the models.
func newCommand(name string, q wire.Request, models []string) command {
	c, lab := command{"quantlab", name}, wire.Lab()
	if len(q.Models) > 0 && !slices.Equal(q.Models, models) {
		c.flag("models", strings.Join(q.Models, ","))
	}
	if len(q.Variants) > 0 && !slices.Equal(q.Variants, lab.Variants) {
		c.flag("variants", strings.Join(q.Variants, ","))
	}
	if len(q.Batches) > 0 && !slices.Equal(q.Batches, lab.Batches) {
		c.flag("batches", integers(q.Batches))
	}
	c.count("runs", q.Runs, lab.Runs)
	c.count("threads", q.Threads, lab.Threads)
	if q.Input != "" && q.Input != lab.Input {
		c.flag("input", q.Input)
	}
	if q.Engine != "" {
		c.flag("engine", q.Engine)
	}
	if q.Weights != "" && q.Weights != lab.Weights {
		c.flag("weights", q.Weights)
	}
	c.count("examples", q.Examples, 0)
	if q.Seed != 0 {
		c.flag("seed", strconv.FormatUint(q.Seed, 10))
	}
	return c
}

// count adds a number that is not the default; 0 is it, too.
func (c *command) count(name string, n, standard int) {
	if n != 0 && n != standard {
		c.flag(name, strconv.Itoa(n))
	}
}

func integers(ns []int) string {
	var s []string
	for _, n := range ns {
		s = append(s, strconv.Itoa(n))
	}
	return strings.Join(s, ",")
}

// lab2 are the models whose layers the lab quantizes one by one.
func lab2() []string {
	return slices.DeleteFunc(nn.IDs(), func(id string) bool { return !strings.HasSuffix(id, "-lab2") })
}

func runCommand(q wire.Request) string { return newCommand("run", q, nn.IDs()).String() }

// commands are the command lines that make the study's parts again, natively.
func commands(s wire.Study) []string {
	var out []string
	add := func(c string) {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	for _, r := range s.Results {
		add(runCommand(r.Settings))
	}
	for _, p := range s.Sensitivity {
		add(sensitivityCommand(p))
	}
	for _, p := range s.Plans {
		add(plansCommand(p))
	}
	for _, p := range s.Sweeps {
		add(sweepCommand(p))
	}
	for _, p := range s.AMP {
		add(ampCommand(p))
	}
	return out
}

// ampCommand has the flags of training instead of those of measuring.
func ampCommand(a wire.AMP) string {
	q := a.Settings
	q.Variants, q.Weights = nil, ""
	c := newCommand("amp", q, nn.IDs())
	c.flag("type", a.Options.Type)
	c.count("seeds", a.Options.Seeds, wire.DefaultTrainings)
	c.count("epochs", a.Options.Epochs, 0)
	c.count("limit", a.Options.Limit, 0)
	return c.String()
}

// plansCommand names the schemes that were tried, if they are not those that are always tried.
func plansCommand(p wire.Plans) string {
	q := p.Settings
	q.Variants, q.Weights = nil, ""
	c := newCommand("plans", q, lab2())
	if len(p.Searches) > 0 && !slices.Equal(p.Searches[0].Schemes, wire.DefaultSchemes()) {
		c.flag("schemes", strings.Join(p.Searches[0].Schemes, ","))
	}
	return c.String()
}

// sweepCommand finds the sizes and the number of samples in what they gave.
func sweepCommand(s wire.Sweep) string {
	q := s.Settings
	c := newCommand("sweep", wire.Request{Models: q.Models, Threads: q.Threads, Engine: q.Engine, Examples: q.Examples}, lab2())
	if len(s.Points) > 0 {
		if plan := s.Points[0].Plan; plan != (wire.SweepOptions{}).WithDefaults().Plan {
			c.flag("plan", plan)
		}
	}
	var sizes []int
	for _, p := range s.Spreads {
		if !slices.Contains(sizes, p.Examples) {
			sizes = append(sizes, p.Examples)
		}
	}
	if len(sizes) > 0 && !slices.Equal(sizes, wire.DefaultSizes()) {
		c.flag("sizes", integers(sizes))
	}
	if len(s.Spreads) > 0 {
		c.count("seeds", s.Spreads[0].Seeds, wire.DefaultSeeds)
	}
	return c.String()
}

// sensitivityCommand takes float32, which every sensitivity is compared with, for granted.
func sensitivityCommand(s wire.Sensitivity) string {
	q := s.Settings
	q.Weights = ""
	if q.Variants = slices.DeleteFunc(slices.Clone(q.Variants), func(v string) bool { return v == wire.Baseline }); slices.Equal(q.Variants, wire.VariantIDs()[1:]) {
		q.Variants = nil
	}
	return newCommand("sensitivity", q, lab2()).String()
}
