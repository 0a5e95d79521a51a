package paper

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"quantlab/core/lab/wire"
	"quantlab/core/nn"
	"quantlab/core/report"
)

// A writer assembles one paper.
type writer struct {
	study    wire.Study
	context  Context
	models   nn.Catalog // the lab's and the reader's own
	machines *machines
	benches  []*bench // the first is the one that is discussed
	paper    Paper
}

// New assembles the write-up of a study, in the lab's order. The study's words replace the drafts that they name.
func New(study wire.Study, c Context) Paper {
	w := &writer{study: study, context: c, models: modelsOf(study), machines: machinesOf(study)}
	w.benches = benches(study, w.models, w.machines)
	w.paper = Paper{Title: "Post-training quantization: size, accuracy and latency", Version: c.Version, Made: study.Made, Facts: w.facts()}
	w.hardware()
	w.data()
	w.networks()
	w.method()
	w.tables()
	w.roofline()
	w.sensitivity()
	w.plans()
	w.sweeps()
	w.amp()
	w.discussion()
	w.reproduce()
	w.references()
	w.paper.own(study.Words)
	w.paper.Warnings = append(w.warnings(), w.paper.Unknown(study.Words)...)
	for i, text := range w.paper.Warnings {
		w.paper.Warnings[i] = sentence(text)
	}
	w.paper.tidy()
	return w.paper
}

// section begins one; blocks go to the last section.
func (w *writer) section(level int, id, title string) {
	w.paper.Sections = append(w.paper.Sections, Section{ID: id, Title: title, Level: level})
}

func (w *writer) add(b Block) {
	s := &w.paper.Sections[len(w.paper.Sections)-1]
	s.Blocks = append(s.Blocks, b)
}

func (w *writer) text(parts ...string) {
	if s := sentences(parts...); s != "" {
		w.add(Block{Text: s})
	}
}

func (w *writer) table(t report.PlainTable) { w.add(Block{Table: &t}) }

func (w *writer) drafts(drafts []Draft) {
	for _, d := range drafts {
		w.add(Block{Draft: &d})
	}
}

// missing says in a sentence what a section lacks, and which command brings it.
func (w *writer) missing(what, command string) {
	w.add(Block{Text: "These results have " + what + ". This command measures it:"})
	w.add(Block{Code: command})
}

func (w *writer) facts() [][2]string {
	var facts [][2]string
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, [2]string{name, value})
		}
	}
	made := w.study.Made
	if t, err := time.Parse(time.RFC3339, made); err == nil {
		made = t.UTC().Format("2 January 2006, 15:04 UTC")
	}
	add("Made", made)
	add("Report by", name("quantlab", w.context.Version))
	add("Measured by", list(prefixed("quantlab ", w.versions())))
	var on []string
	for _, h := range w.machines.all {
		what := cmp.Or(h.CPU, h.Browser, report.Unknown)
		if h.Host == wire.Browser {
			what = cmp.Or(h.Browser, report.Unknown)
		}
		on = append(on, w.machines.name(h)+": "+what)
	}
	add("Measured on", strings.Join(on, "; "))
	return facts
}

func name(program, version string) string {
	if version == "" {
		return program
	}
	return program + " " + version
}

func prefixed(prefix string, names []string) []string {
	for i := range names {
		names[i] = prefix + names[i]
	}
	return names
}

// versions are those of the programs that measured.
func (w *writer) versions() []string {
	var out []string
	add := func(v string) {
		if v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	for _, r := range w.study.Results {
		add(r.Version)
	}
	for _, s := range settings(w.study) {
		add(s.Version)
	}
	return out
}

// warnings are what the reader must know before anything else.
func (w *writer) warnings() []string {
	out := slices.Clone(w.context.Notices)
	if here := w.context.Version; here != "" {
		if other := slices.DeleteFunc(w.versions(), func(v string) bool { return v == here }); len(other) > 0 {
			out = append(out, fmt.Sprintf("measured by quantlab %s, not by this program, which is %s: how it measures may have changed in between", list(other), here))
		}
	}
	out = append(out, w.elsewhere()...)
	out = append(out, w.absent()...)
	for i, r := range w.study.Results {
		if len(r.Settings.Models) > 0 && !r.Settings.IsLab() {
			out = append(out, w.nth(i)+" not made with the lab's settings: "+otherThanLab(r.Settings))
		}
	}
	out = append(out, w.twice()...)
	return append(out, w.notes(wire.Disturbs)...)
}

// nth names a run where there are several.
func (w *writer) nth(i int) string {
	if len(w.study.Results) == 1 {
		return "the run was"
	}
	return fmt.Sprintf("run %d of %d (%s) was", i+1, len(w.study.Results), w.machines.name(w.study.Results[i].Hardware))
}

// elsewhere says which results another machine measured than the one that makes the report.
func (w *writer) elsewhere() []string {
	here := w.context.Machine
	if here == nil {
		return nil
	}
	var names []string
	for _, h := range w.machines.all {
		if h.Host == here.Host && !same(h, *here) {
			names = append(names, cmp.Or(h.CPU, h.Browser, report.Unknown)+spaced(w.machines.name(h)))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("measured on another machine than this one (%s): %s", cmp.Or(here.CPU, here.Browser, report.Unknown), list(names))}
}

// absent says which of the lab's models and variants have no row.
func (w *writer) absent() []string {
	if len(w.benches) == 0 {
		return []string{"there is no run in these results: the lab's tables are missing"}
	}
	has := func(model, variant string) bool {
		return slices.ContainsFunc(w.study.Results, func(r wire.Result) bool {
			return slices.ContainsFunc(r.Rows, func(row wire.Row) bool { return row.Model == model && (variant == "" || row.Variant == variant) })
		})
	}
	var out, models []string
	for _, id := range nn.IDs() {
		if !has(id, "") {
			models = append(models, id)
			continue
		}
		var variants []string
		for _, v := range wire.VariantIDs() {
			if !has(id, v) {
				variants = append(variants, variantName(v))
			}
		}
		if len(variants) > 0 {
			out = append(out, fmt.Sprintf("of %s %s missing", id, list(variants)+" "+plural(len(variants), "is", "are")))
		}
	}
	if len(models) > 0 {
		out = append([]string{fmt.Sprintf("of the lab's four models %s %s missing", list(models), plural(len(models), "is", "are"))}, out...)
	}
	return out
}

// twice says which rows were measured more than once on one machine in one way.
func (w *writer) twice() []string {
	type key struct {
		machine, model, variant, engine, input string
		threads                                int
	}
	count := map[key]int{}
	var names []string
	for _, r := range w.study.Results {
		for _, row := range r.Rows {
			k := key{w.machines.name(r.Hardware), row.Model, row.Variant, row.Engine, row.Input, row.Threads}
			if count[k]++; count[k] == 2 {
				names = append(names, cite(row.Model, row.Variant, 0))
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	const shown = 4
	if more := len(names) - shown; more > 0 {
		names = append(names[:shown], number(more, "other", "others"))
	}
	return []string{"measured more than once, and each shown: " + list(names)}
}

// notes are those of all parts that are wanted, each once.
func (w *writer) notes(wanted func(string) bool) []string {
	var out []string
	add := func(notes []string) {
		for _, n := range notes {
			if n = line(n); n != "" && wanted(n) && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	for _, r := range w.study.Results {
		add(r.Notes)
	}
	for _, p := range w.study.Sensitivity {
		add(p.Notes)
	}
	for _, p := range w.study.Plans {
		add(p.Notes)
	}
	for _, p := range w.study.Sweeps {
		add(p.Notes)
	}
	for _, p := range w.study.AMP {
		add(p.Notes)
	}
	return out
}

// otherThanLab says in what settings differ from the lab's.
func otherThanLab(q wire.Request) string {
	lab := wire.Lab()
	var s []string
	if q.Runs != lab.Runs {
		s = append(s, fmt.Sprintf("%s, not %d", number(q.Runs, "run", "runs"), lab.Runs))
	}
	if !slices.Equal(q.Batches, lab.Batches) {
		s = append(s, fmt.Sprintf("batch %s, not 1 and 64", list(strings.Split(integers(q.Batches), ","))))
	}
	if q.Threads != lab.Threads {
		s = append(s, fmt.Sprintf("%s, not 1", number(q.Threads, "thread", "threads")))
	}
	if q.Input != lab.Input {
		s = append(s, fmt.Sprintf("%s input, not dense", cmp.Or(q.Input, "unknown")))
	}
	if q.Engine != "" {
		s = append(s, fmt.Sprintf("the engine %s by name", q.Engine))
	}
	if q.Examples > 0 {
		s = append(s, fmt.Sprintf("accuracy on the first %s only", number(q.Examples, "test example", "test examples")))
	}
	return strings.Join(s, "; ")
}
